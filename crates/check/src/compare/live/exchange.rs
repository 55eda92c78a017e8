//! A request to Envoy, and its answer.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::compare::header_list::HeaderList;

/// How long Envoy may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came back.
pub(super) struct Exchange {
    pub(super) status: u16,
    pub(super) has_challenge: bool,
    /// What the upstream got, if it got the request.
    pub(super) received: Option<HeaderList>,
}

/// Sends a request to a port of this machine.
pub(super) fn send(port: u16, headers: &HeaderList) -> io::Result<Exchange> {
    let (status, names, body) = request(port, headers)?;
    let received = serde_json::from_slice::<Value>(&body).ok();
    let received = received.and_then(|echo| {
        let pairs = echo.get("received")?.as_array()?.iter();
        let pairs = pairs.map(|pair| {
            let text = |index: usize| Some(pair.get(index)?.as_str()?.to_owned());
            Some((text(0)?, text(1)?))
        });
        pairs.collect::<Option<Vec<_>>>().map(HeaderList)
    });
    Ok(Exchange {
        status,
        has_challenge: names.iter().any(|name| name == "www-authenticate"),
        received: received.filter(|_| status == 200),
    })
}

/// Fetches a path of Envoy's administration interface.
pub(super) fn fetch(port: u16, path: &str) -> io::Result<(u16, Vec<u8>)> {
    let mut headers = HeaderList::default();
    headers.add(":path", path);
    headers.add(":authority", "localhost");
    let (status, _, body) = request(port, &headers)?;
    Ok((status, body))
}

/// Status, names of headers in lower case, and body of the answer.
fn request(port: u16, headers: &HeaderList) -> io::Result<(u16, Vec<String>, Vec<u8>)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let method = match headers.get(":method") {
        "" => "GET",
        method => method,
    };
    let (path, authority) = (headers.get(":path"), headers.get(":authority"));
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\n");
    for (name, value) in headers.0.iter().filter(|(name, _)| !name.starts_with(':')) {
        text.extend([name.as_str(), ": ", value, "\r\n"]);
    }
    text.push_str("connection: close\r\n\r\n");
    stream.write_all(text.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    // Envoy may take a second to close the connection, so the length counts.
    loop {
        let is_complete = match head(&bytes)? {
            Some(head) => head.length.is_some_and(|length| bytes.len() >= length),
            None => false,
        };
        if is_complete {
            break;
        }
        match stream.read(&mut buffer)? {
            0 => break,
            count => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
    let head = head(&bytes)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut body = bytes.get(head.end..).unwrap_or_default().to_vec();
    if head.names.iter().any(|name| name == "transfer-encoding") {
        body = unchunked(&body)?;
    }
    Ok((head.status, head.names, body))
}

/// The beginning of an answer.
struct Head {
    status: u16,
    names: Vec<String>,
    /// Where the body begins.
    end: usize,
    /// The length of the whole answer, if it says so.
    length: Option<usize>,
}

/// The beginning of an answer, if it is complete.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut parsed = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut parsed);
    let status = response.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(end) = status else {
        return Ok(None);
    };
    let lower = |header: &httparse::Header<'_>| header.name.to_ascii_lowercase();
    let mut headers = response.headers.iter();
    let length = headers.find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| str::from_utf8(header.value).ok()?.parse().ok());
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        names: response.headers.iter().map(lower).collect(),
        end,
        length: length.map(|length: usize| length.saturating_add(end)),
    }))
}

fn unchunked(mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let httparse::Status::Complete((start, size)) =
        httparse::parse_chunk_size(bytes).map_err(|_| io::ErrorKind::InvalidData)?
    {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        let end = start.saturating_add(size);
        body.extend_from_slice(bytes.get(start..end).unwrap_or_default());
        bytes = bytes.get(end.saturating_add(2)..).unwrap_or_default();
        if size == 0 || bytes.is_empty() {
            break;
        }
    }
    Ok(body)
}
