//! A server whose answers a test scripts: the upstream, and the key server, which may rotate, delay,
//! fail and lie.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use socket2::SockRef;

/// How often a server that waits looks whether it has been stopped.
const LOOK: Duration = Duration::from_millis(5);

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// It answers.
    Answer(Answer),
    /// It never answers.
    Hang,
    /// It resets the connection.
    Reset,
    /// It sends these bytes, whatever they are, and ends the connection.
    Bytes(Vec<u8>),
    /// It takes its time.
    After(Duration, Box<Reply>),
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A status with a body.
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// A request that has reached a server.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body; with its chunks' lengths where it is chunked.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The first header of this name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// What an upstream answers that tells what it was asked.
    fn echo(&self) -> Reply {
        let headers: Map<String, Value> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into()))
            .collect();
        let body = json!({"method": self.method, "target": self.target, "headers": headers});
        Answer::new(200, body.to_string())
            .header("content-type", "application/json")
            .into()
    }
}

type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    received: Mutex<Vec<Received>>,
    open: Mutex<Vec<TcpStream>>,
}

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that does with every request what `script` says.
    pub(crate) fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            received: Mutex::default(),
            open: Mutex::default(),
        });
        let mut server = Self {
            port: 0,
            shared,
            stopped: Arc::default(),
        };
        server.listen();
        server
    }

    /// Starts an upstream that answers with what it was asked.
    pub(crate) fn echo() -> Self {
        Self::start(Received::echo)
    }

    /// Changes what it does from now on.
    pub(crate) fn script(&self, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *locked(&self.shared.script) = Arc::new(script);
    }

    /// Changes what it does from now on to one and the same reply.
    pub(crate) fn reply(&self, reply: impl Into<Reply>) {
        let reply = reply.into();
        self.script(move |_| reply.clone());
    }

    /// The requests that have reached it, in their order.
    pub(crate) fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }

    /// How many requests have reached it.
    pub(crate) fn count(&self) -> usize {
        locked(&self.shared.received).len()
    }

    /// Goes down: open connections end, new ones are refused.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // The listener is closed by its own thread.
        thread::sleep(LOOK * 4);
        for stream in locked(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Comes up again, on the same port.
    pub(crate) fn restart(&mut self) {
        self.listen();
    }

    fn listen(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.port = listener.local_addr().unwrap().port();
        self.stopped = Arc::default();
        let (shared, stopped) = (Arc::clone(&self.shared), Arc::clone(&self.stopped));
        thread::spawn(move || accept(&listener, &shared, &stopped));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, stopped: &Arc<AtomicBool>) {
    while !stopped.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(LOOK);
            continue;
        };
        stream.set_nonblocking(false).unwrap();
        locked(&shared.open).extend(stream.try_clone());
        let (shared, stopped) = (Arc::clone(shared), Arc::clone(stopped));
        thread::spawn(move || serve(stream, &shared, &stopped));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared, stopped: &AtomicBool) {
    while let Ok(request) = read(&mut stream) {
        locked(&shared.received).push(request.clone());
        let script = Arc::clone(&locked(&shared.script));
        if perform(script(&request), &mut stream, stopped).is_err() {
            break;
        }
    }
    // A connection ends, or is reset, when the last handle of it is closed.
    let peer = stream.peer_addr().ok();
    locked(&shared.open).retain(|open| open.peer_addr().ok() != peer);
}

/// Does what a reply says. An error ends the connection.
fn perform(reply: Reply, stream: &mut TcpStream, stopped: &AtomicBool) -> io::Result<()> {
    let ended = || io::Error::from(io::ErrorKind::ConnectionAborted);
    match reply {
        Reply::Answer(answer) => write(stream, &answer),
        Reply::Bytes(bytes) => {
            stream.write_all(&bytes)?;
            stream.shutdown(Shutdown::Both)?;
            Err(ended())
        }
        Reply::Reset => {
            SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
            Err(ended())
        }
        Reply::Hang => {
            while !stopped.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
            Err(ended())
        }
        Reply::After(delay, reply) => {
            thread::sleep(delay);
            perform(*reply, stream, stopped)
        }
    }
}

fn write(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), &answer.body].concat())
}

fn read(stream: &mut TcpStream) -> io::Result<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some((mut request, head)) = parse(&bytes)? {
            if request.header("transfer-encoding").is_some() {
                if bytes.ends_with(b"0\r\n\r\n") {
                    request.body = bytes[head..].to_vec();
                    return Ok(request);
                }
                more(stream, &mut bytes)?;
                continue;
            }
            let length: usize = request
                .header("content-length")
                .and_then(|length| str::from_utf8(length).ok()?.parse().ok())
                .unwrap_or_default();
            if bytes.len() >= head + length {
                request.body = bytes[head..head + length].to_vec();
                return Ok(request);
            }
        }
        more(stream, &mut bytes)?;
    }
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            bytes.extend_from_slice(&buffer[..count]);
            Ok(())
        }
    }
}

fn parse(bytes: &[u8]) -> io::Result<Option<(Received, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let request = Received {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    Ok(Some((request, length)))
}

/// What a mutex guards, also after a thread has failed that held it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
