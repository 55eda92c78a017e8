//! The servers that callouts reach.

use std::collections::BTreeMap;
use std::time::Duration;

use gate_worker::host::Callout;

/// A request that a server received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The headers, pseudo-headers included.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
    /// When it was sent, since the start of the process.
    pub at: Duration,
}

impl Received {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// The response of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The headers with `:status`.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response with this status and body.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers: vec![(":status".to_owned(), status.to_string().into_bytes())],
            body: body.into(),
        }
    }

    /// The response with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let header = (name.to_owned(), value.as_bytes().to_vec());
        self.headers.push(header);
        self
    }
}

/// How a server reacts to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It responds after some time.
    After(Duration, Response),
    /// It resets the connection after some time.
    Reset(Duration),
    /// It does not respond, unless the test lets it ([`Process::respond`](crate::Process::respond)).
    Hang,
    /// Its cluster has no healthy host: the request is not sent.
    NotSent,
}

impl From<Response> for Reply {
    /// A response after a millisecond.
    fn from(response: Response) -> Self {
        Self::After(Duration::from_millis(1), response)
    }
}

/// Decides how a server reacts.
pub(crate) type Script = Box<dyn FnMut(&Received) -> Reply>;

pub(crate) struct Server {
    pub(crate) script: Script,
    pub(crate) healthy: bool,
    pub(crate) received: Vec<Received>,
}

/// A callout without a response so far.
pub(crate) struct Pending {
    pub(crate) id: u32,
    pub(crate) vm: usize,
    pub(crate) root: u32,
    pub(crate) cluster: String,
    /// When the response, or its absence, is delivered.
    pub(crate) due: Duration,
    /// `None` if the connection is reset or the callout times out.
    pub(crate) response: Option<Response>,
}

/// The servers, by cluster, and the callouts in flight.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) servers: BTreeMap<String, Server>,
    pending: Vec<Pending>,
    last_id: u32,
}

impl Network {
    pub(crate) fn serve(&mut self, cluster: &str, script: Script) {
        let received = self.servers.remove(cluster);
        let received = received.map(|server| server.received).unwrap_or_default();
        let server = Server {
            script,
            healthy: true,
            received,
        };
        self.servers.insert(cluster.to_owned(), server);
    }

    /// Sends a callout of a root; `None` if the cluster is unknown or has no healthy host.
    pub(crate) fn dispatch(
        &mut self,
        callout: &Callout<'_>,
        vm: usize,
        root: u32,
        now: Duration,
    ) -> Option<u32> {
        let server = self.servers.get_mut(callout.cluster)?;
        if !server.healthy {
            return None;
        }
        let headers = callout.headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let received = Received {
            headers: headers.collect(),
            body: callout.body.unwrap_or_default().to_vec(),
            at: now,
        };
        let (delay, response) = match (server.script)(&received) {
            Reply::After(delay, response) => (delay, Some(response)),
            Reply::Reset(delay) => (delay, None),
            Reply::Hang => (callout.timeout, None),
            Reply::NotSent => return None,
        };
        server.received.push(received);
        let in_time = delay < callout.timeout;
        self.last_id += 1;
        self.pending.push(Pending {
            id: self.last_id,
            vm,
            root,
            cluster: callout.cluster.to_owned(),
            due: now + delay.min(callout.timeout),
            response: response.filter(|_| in_time),
        });
        Some(self.last_id)
    }

    /// Lets all callouts to `cluster` in flight be answered now.
    pub(crate) fn respond(&mut self, cluster: &str, response: &Response, now: Duration) {
        for pending in &mut self.pending {
            if pending.cluster == cluster {
                pending.due = now;
                pending.response = Some(response.clone());
            }
        }
    }

    /// When the next callout of a virtual machine that is not stalled ends.
    pub(crate) fn next_due(&self, is_stalled: impl Fn(usize) -> bool) -> Option<Duration> {
        let pending = self.pending.iter();
        let deliverable = pending.filter(|pending| !is_stalled(pending.vm));
        deliverable.map(|pending| pending.due).min()
    }

    /// Takes out the first such callout, if it has ended.
    pub(crate) fn take_due(
        &mut self,
        now: Duration,
        is_stalled: impl Fn(usize) -> bool,
    ) -> Option<Pending> {
        let due = |pending: &mut Pending| pending.due <= now && !is_stalled(pending.vm);
        self.pending.extract_if(.., due).next()
    }

    /// Cancels the callouts of a root, or of all roots of a virtual machine.
    pub(crate) fn cancel(&mut self, vm: usize, root: Option<u32>) {
        let is_of =
            |pending: &Pending| pending.vm == vm && root.is_none_or(|id| id == pending.root);
        self.pending.retain(|pending| !is_of(pending));
    }

    /// How many callouts to `cluster` have not ended. One that has ended may not have been delivered.
    pub(crate) fn in_flight(&self, cluster: &str, now: Duration) -> usize {
        let pending = self.pending.iter();
        let running = pending.filter(|pending| pending.cluster == cluster && pending.due > now);
        running.count()
    }
}
