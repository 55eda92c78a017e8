//! A gRPC client: that of tonic.

use bytes::{Buf, BufMut, Bytes};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use super::envoy::Envoy;

/// Calls the method at `path` with this token, and returns the status that the caller sees.
pub(crate) fn call(envoy: &Envoy, path: &'static str, token: Option<&str>) -> Status {
    let bearer = token.map(|token| ("authorization", format!("Bearer {token}")));
    call_with(envoy, path, bearer.as_slice())
}

/// Calls the method at `path` with this metadata, and returns the status that the caller sees.
pub(crate) fn call_with(
    envoy: &Envoy,
    path: &'static str,
    metadata: &[(&'static str, String)],
) -> Status {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let uri = format!("http://127.0.0.1:{}", envoy.port);
    runtime.block_on(async {
        let channel = Endpoint::from_shared(uri).unwrap().connect().await.unwrap();
        let mut client = Grpc::new(channel);
        client.ready().await.unwrap();
        let mut request = Request::new(Bytes::from_static(b"message"));
        for (name, value) in metadata {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        match client.unary(request, path.parse().unwrap(), Raw).await {
            Ok(_) => Status::ok(""),
            Err(status) => status,
        }
    })
}

/// A codec whose messages are plain bytes.
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
