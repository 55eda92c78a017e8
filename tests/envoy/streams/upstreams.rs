//! Upstreams whose responses never end by themselves.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tungstenite::Message;

/// The time between two messages.
const PACE: Duration = Duration::from_millis(50);

/// Starts a server that hands each connection to `serve`. Returns its port.
fn start(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { break };
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// A `WebSocket` server that sends a message again and again.
pub(super) fn websockets() -> u16 {
    start(|stream| {
        let Ok(mut socket) = tungstenite::accept(stream) else {
            return;
        };
        while socket.send(Message::text("message")).is_ok() {
            thread::sleep(PACE);
        }
    })
}

/// An HTTP/1.1 server with server-sent events, and at `/download` a very long download.
pub(super) fn documents() -> u16 {
    start(|mut stream| {
        let mut head = Vec::new();
        let mut buffer = [0; 4096];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => head.extend(&buffer[..count]),
                _ => return,
            }
        }
        let is_download = head.starts_with(b"GET /download");
        let fields = if is_download {
            "content-type: application/octet-stream\r\ncontent-length: 100000000000"
        } else {
            "content-type: text/event-stream\r\ntransfer-encoding: chunked"
        };
        let part = if is_download {
            vec![b'a'; 4096]
        } else {
            b"d\r\ndata: event\n\n\r\n".to_vec()
        };
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() {
            thread::sleep(PACE);
            sent = stream.write_all(&part);
        }
    })
}

/// A gRPC server that answers each call with messages without end.
pub(super) fn grpc() -> u16 {
    start(|stream| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        stream.set_nonblocking(true).unwrap();
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream).unwrap();
            let Ok(mut connection) = h2::server::handshake(stream).await else {
                return;
            };
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                tokio::spawn(async move {
                    let response = http::Response::builder()
                        .header("content-type", "application/grpc")
                        .body(())
                        .unwrap();
                    let Ok(mut body) = respond.send_response(response, false) else {
                        return;
                    };
                    // A message: not compressed, 7 bytes.
                    let message = Bytes::from_static(b"\0\0\0\0\x07message");
                    while body.send_data(message.clone(), false).is_ok() {
                        tokio::time::sleep(PACE).await;
                    }
                });
            }
        });
    })
}
