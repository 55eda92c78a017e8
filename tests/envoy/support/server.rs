//! A server whose answers a test scripts: an upstream, or a key server that rotates its keys, holds
//! back its answers, fails or lies.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use socket2::{Domain, SockRef, Socket, Type};

/// How often a waiting thread checks whether it may go on.
const POLL: Duration = Duration::from_millis(5);

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// What a server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// It answers.
    Answer(Answer),
    /// It never answers.
    Hang,
    /// It resets the connection.
    Reset,
    /// It sends these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// It replies as soon as the door is open.
    Behind(Door, Box<Reply>),
}

impl Reply {
    /// This reply, held back until `door` is opened.
    pub(crate) fn behind(door: &Door, reply: impl Into<Self>) -> Self {
        Self::Behind(door.clone(), Box::new(reply.into()))
    }
}

/// Holds back the replies of a server until the test opens it. Clones are the same door.
#[derive(Clone, Default)]
pub(crate) struct Door(Arc<AtomicBool>);

impl Door {
    /// A closed door.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Lets all replies through from now on.
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// An HTTP response to send.
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

    /// Adds a header.
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
    /// When it arrived.
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body. A chunked one includes the lengths of its chunks.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The first header with this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_slice())
    }

    /// The reply of an upstream that describes the request it got, with the values of a repeated header
    /// in one line.
    fn echo(&self) -> Reply {
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in &self.headers {
            let value = String::from_utf8_lossy(value);
            let joined = match headers.get(name).and_then(Value::as_str) {
                Some(before) => format!("{before},{value}"),
                None => value.into_owned(),
            };
            headers.insert(name.clone(), joined.into());
        }
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

/// A server on its own port.
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    /// `None` while the server is down.
    running: Option<Running>,
    /// A socket that is bound to the port and never listens. While the server is down, connections
    /// are refused and no other server can get the port.
    _reservation: Socket,
}

/// The thread that accepts connections.
struct Running {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts a server that asks `script` what to do with each request.
    pub(crate) fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let reservation = bound(0);
        let address = reservation.local_addr().unwrap().as_socket().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            received: Mutex::default(),
            open: Mutex::default(),
        });
        let mut server = Self {
            port: address.port(),
            shared,
            running: None,
            _reservation: reservation,
        };
        server.restart();
        server
    }

    /// Starts an upstream whose answers describe the requests.
    pub(crate) fn echo() -> Self {
        Self::start(Received::echo)
    }

    /// Replaces the script.
    pub(crate) fn script(&self, script: impl Fn(&Received) -> Reply + Send + Sync + 'static) {
        *locked(&self.shared.script) = Arc::new(script);
    }

    /// Replaces the script by one that always replies this.
    pub(crate) fn reply(&self, reply: impl Into<Reply>) {
        let reply = reply.into();
        self.script(move |_| reply.clone());
    }

    /// The requests that have reached the server, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }

    /// How many requests have reached the server.
    pub(crate) fn count(&self) -> usize {
        locked(&self.shared.received).len()
    }

    /// Takes the server down: open connections end, new ones are refused.
    pub(crate) fn stop(&mut self) {
        let Some(Running { stopped, thread }) = self.running.take() else {
            return;
        };
        stopped.store(true, Ordering::SeqCst);
        // The thread owns the listening socket and closes it.
        thread.join().unwrap();
        for stream in locked(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Brings the server up again, on the same port.
    pub(crate) fn restart(&mut self) {
        let socket = bound(self.port);
        socket.listen(BACKLOG).unwrap();
        socket.set_nonblocking(true).unwrap();
        let listener = TcpListener::from(socket);
        let stopped = Arc::new(AtomicBool::new(false));
        let (shared, stop) = (Arc::clone(&self.shared), Arc::clone(&stopped));
        let thread = thread::spawn(move || accept(&listener, &shared, &stop));
        self.running = Some(Running { stopped, thread });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A socket that is bound to a port of this machine, or to any free one if `port` is 0.
fn bound(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Allows several sockets on one port as long as at most one of them listens.
    socket.set_reuse_address(true).unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.bind(&address.into()).unwrap();
    socket
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, stopped: &Arc<AtomicBool>) {
    while !stopped.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(POLL);
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
    // A connection ends only when the last handle to it is closed.
    let peer = stream.peer_addr().ok();
    locked(&shared.open).retain(|open| open.peer_addr().ok() != peer);
}

/// Sends a reply. An error ends the connection.
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
                thread::sleep(POLL);
            }
            Err(ended())
        }
        Reply::Behind(door, reply) => {
            while !door.is_open() {
                if stopped.load(Ordering::SeqCst) {
                    return Err(ended());
                }
                thread::sleep(POLL);
            }
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
        at: Instant::now(),
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

/// Locks a mutex, even if a thread panicked while it held the lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
