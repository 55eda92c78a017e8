//! Clients that receive as long as there is something to receive.

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Runtime;
use tonic::Streaming;
use tonic::client::Grpc;
use tonic::transport::Endpoint;
use tungstenite::client::ClientRequestBuilder;
use tungstenite::{Message, WebSocket};

use crate::support::Raw;

/// A client with an open stream.
pub(super) trait Client: Send {
    /// Receives the next part. Returns whether there was one; otherwise the stream has ended.
    fn next(&mut self) -> bool;
}

/// Opens a stream with this token through the gate at this port.
pub(super) type Open = fn(u16, &str) -> Box<dyn Client>;

/// All kinds of streams.
pub(super) const KINDS: [(&str, Open); 6] = [
    ("a WebSocket over HTTP/1.1", websocket),
    ("a gRPC stream", grpc),
    ("events over HTTP/1.1", |port, token| {
        document(port, token, "/events", false)
    }),
    ("events over HTTP/2", |port, token| {
        document(port, token, "/events", true)
    }),
    ("a download over HTTP/1.1", |port, token| {
        document(port, token, "/download", false)
    }),
    ("a download over HTTP/2", |port, token| {
        document(port, token, "/download", true)
    }),
];

/// How long a client waits for the next part. Upstreams send many in a second.
const PATIENCE: Duration = Duration::from_mins(5);

impl Client for WebSocket<TcpStream> {
    fn next(&mut self) -> bool {
        self.read()
            .is_ok_and(|message| message == Message::text("message"))
    }
}

fn websocket(port: u16, token: &str) -> Box<dyn Client> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let uri = format!("ws://127.0.0.1:{port}/chat").parse().unwrap();
    let request =
        ClientRequestBuilder::new(uri).with_header("authorization", format!("Bearer {token}"));
    let (socket, response) = tungstenite::client(request, stream).unwrap();
    assert_eq!(response.status(), 101);
    Box::new(socket)
}

/// A gRPC call whose messages stream in.
struct Call {
    runtime: Runtime,
    messages: Streaming<Bytes>,
    /// Without it the connection would end.
    _client: Grpc<tonic::transport::Channel>,
}

impl Client for Call {
    fn next(&mut self) -> bool {
        let Self {
            runtime, messages, ..
        } = self;
        match runtime.block_on(messages.message()) {
            Ok(message) => message.is_some(),
            Err(status) => {
                assert_ne!(status.code(), tonic::Code::Ok, "{status:?}");
                false
            }
        }
    }
}

fn grpc(port: u16, token: &str) -> Box<dyn Client> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let uri = format!("http://127.0.0.1:{port}");
    let bearer = format!("Bearer {token}");
    let (messages, client) = runtime.block_on(async {
        let channel = Endpoint::from_shared(uri).unwrap().connect().await.unwrap();
        let mut client = Grpc::new(channel);
        client.ready().await.unwrap();
        let mut request = tonic::Request::new(Bytes::from_static(b"message"));
        let metadata = request.metadata_mut();
        metadata.insert("authorization", bearer.parse().unwrap());
        let path = "/package.Service/Stream".parse().unwrap();
        let called = client.server_streaming(request, path, Raw).await;
        (called.unwrap().into_inner(), client)
    });
    Box::new(Call {
        runtime,
        messages,
        _client: client,
    })
}

impl Client for reqwest::blocking::Response {
    fn next(&mut self) -> bool {
        let mut part = [0; 1024];
        matches!(self.read(&mut part), Ok(1..))
    }
}

fn document(port: u16, token: &str, path: &str, is_http2: bool) -> Box<dyn Client> {
    let builder = reqwest::blocking::Client::builder().timeout(None);
    let builder = if is_http2 {
        builder.http2_prior_knowledge()
    } else {
        builder.http1_only()
    };
    let request = builder
        .build()
        .unwrap()
        .get(format!("http://127.0.0.1:{port}{path}"))
        .bearer_auth(token);
    let response = request.send().unwrap();
    assert_eq!(response.status(), 200);
    Box::new(response)
}
