//! A request on its way through the filter.

use proxy_wasm_host::abi::v0_2_1::types::{MapType, Status, StreamType};
use proxy_wasm_host::abi::v0_2_1::{Access, ForeignCall, Invocation, LocalResponse, StreamState};
use proxy_wasm_host::{HeaderMap, HeaderMapExt, VecHeaderMap};

/// A request on its way through the filter.
pub struct Exchange {
    headers: VecHeaderMap,
    refusal: Option<Refusal>,
    is_resumed: bool,
}

/// The answer to a refused request.
#[derive(Debug)]
pub struct Refusal {
    /// The status code.
    pub status: u32,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Exchange {
    /// A request with these headers, in lower case.
    #[must_use]
    pub fn new(method: &str, authority: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let pseudo = [
            (":method", method),
            (":scheme", "http"),
            (":authority", authority),
            (":path", target),
        ];
        let pairs = pseudo.iter().chain(headers);
        let bytes = |text: &str| text.as_bytes().to_vec();
        Self {
            headers: pairs
                .map(|(name, value)| (bytes(name), bytes(value)))
                .collect(),
            refusal: None,
            is_resumed: false,
        }
    }

    /// The answer of the filter; `None` if the request passes.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// The values of a header that the upstream gets, with commas between them.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let joined = self.headers.get_joined(name.as_bytes(), b",")?;
        Some(text(&joined))
    }

    pub(crate) fn header_count(&self) -> u32 {
        u32::try_from(self.headers.len()).unwrap()
    }

    /// Whether the filter has neither answered nor resumed the request.
    pub(crate) fn is_waiting(&self) -> bool {
        self.refusal.is_none() && !self.is_resumed
    }
}

impl StreamState for Exchange {
    fn header_map(
        &mut self,
        _: Invocation,
        _: Access,
        map: MapType,
    ) -> Result<&mut dyn HeaderMap, Status> {
        match map {
            MapType::HttpRequestHeaders => Ok(&mut self.headers),
            _ => Err(Status::NotFound),
        }
    }

    fn continue_stream(&mut self, _: Invocation, _: StreamType) -> Result<(), Status> {
        self.is_resumed = true;
        Ok(())
    }

    fn send_local_response(
        &mut self,
        _: Invocation,
        response: LocalResponse<'_>,
    ) -> Result<(), Status> {
        assert!(self.refusal.is_none(), "a request is answered twice");
        let headers = response.headers.iter();
        self.refusal = Some(Refusal {
            status: response.status_code,
            headers: headers
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            body: text(&response.body),
        });
        Ok(())
    }

    fn call_foreign_function(
        &mut self,
        _: Invocation,
        _: ForeignCall<'_>,
        _: &mut Vec<u8>,
    ) -> Result<(), Status> {
        Err(Status::NotFound)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
