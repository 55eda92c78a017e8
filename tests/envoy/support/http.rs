//! An HTTP/1.1 client that sends any bytes. It can send several requests over one connection, and so
//! to one worker.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use serde_json::Value;

use super::wait::PATIENCE;

/// A request to send.
#[derive(Clone)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// A GET request for `target`.
pub(crate) fn get(target: impl Into<String>) -> Request {
    Request {
        method: "GET".to_owned(),
        target: target.into(),
        headers: vec![("host".to_owned(), b"api.example".to_vec())],
        body: Vec::new(),
    }
}

impl Request {
    /// The same request, without a body, for HTTP/2 over TLS.
    pub(crate) fn for_http2(&self) -> http::Request<()> {
        let (host, headers): (Vec<_>, Vec<_>) =
            self.headers.iter().partition(|(name, _)| name == "host");
        let authority = host.first().map_or(&b""[..], |(_, value)| value);
        let authority = str::from_utf8(authority).unwrap();
        let mut request = http::Request::builder()
            .method(&*self.method)
            .uri(format!("https://{authority}{}", self.target));
        for (name, value) in headers {
            request = request.header(name, &value[..]);
        }
        request.body(()).unwrap()
    }

    /// Sets the method.
    pub(crate) fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// Sets the `Host` header.
    pub(crate) fn host(mut self, host: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(name, _)| name != "host");
        self.header("host", host)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Adds a bearer token.
    pub(crate) fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Adds a body with its `Content-Length`.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.header("content-length", length)
    }

    /// Adds a body as one chunk, without a `Content-Length`.
    pub(crate) fn chunk(mut self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        self.body = [
            format!("{:x}\r\n", body.len()).as_bytes(),
            body,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        self.header("transfer-encoding", "chunked")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// A received answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The first header with this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The member `error` of the body; empty if there is none.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection. A worker handles all its requests.
pub(crate) struct Connection<S = TcpStream>(S);

impl Connection {
    /// Connects to a port of this machine. Reading fails after a long time without an answer.
    pub(crate) fn to(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }
}

impl<S: Read + Write> Connection<S> {
    /// A connection that sends and receives through `stream`.
    pub(crate) fn over(stream: S) -> Self {
        Self(stream)
    }

    /// Sends a request and reads its answer. Fails if the connection ends first.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<Response> {
        self.start(request)?;
        self.finish()
    }

    /// Sends a request without reading the answer.
    pub(crate) fn start(&mut self, request: &Request) -> io::Result<()> {
        self.0.write_all(&request.bytes())
    }

    /// Reads the answer to the request that [`start`](Self::start) sent.
    pub(crate) fn finish(&mut self) -> io::Result<Response> {
        let mut bytes = Vec::new();
        loop {
            if let Some((mut response, head)) = parse_head(&bytes)? {
                let body = bytes.split_off(head);
                response.body = self.body(&response, body)?;
                return Ok(response);
            }
            self.more(&mut bytes)?;
        }
    }

    fn body(&mut self, response: &Response, mut body: Vec<u8>) -> io::Result<Vec<u8>> {
        if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().map_err(io::Error::other)?;
            while body.len() < length {
                self.more(&mut body)?;
            }
            return Ok(body);
        }
        if response.header("transfer-encoding") != Some("chunked") {
            return Ok(body);
        }
        while !body.ends_with(b"0\r\n\r\n") {
            self.more(&mut body)?;
        }
        unchunked(&body)
    }

    fn more(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.0.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                bytes.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }
}

/// Status and headers, and their length in bytes; `None` if they are incomplete.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(Response, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let response = Response {
        status: parsed.code.unwrap_or_default(),
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
            .collect(),
        body: Vec::new(),
    };
    Ok(Some((response, length)))
}

fn unchunked(mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let httparse::Status::Complete((start, size)) =
        httparse::parse_chunk_size(bytes).map_err(|_| io::ErrorKind::InvalidData)?
    {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[start..start + size]);
        bytes = &bytes[start + size + 2..];
    }
    Ok(body)
}
