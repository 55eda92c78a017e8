//! The open streams of a worker that end with their tokens.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use gate::decision::{Resources, StandingToken};
use gate::reason::Reason;
use gate::request::Request;
use gate::time::Timestamp;
use gate::verify::Engine;
use hashbrown::HashMap;

use crate::host::ContextId;

/// The largest number of streams that a worker watches.
pub(crate) const MAX_STREAMS: usize = 65_536;

/// How many streams that have ended may be among those ordered by expiration, besides as many as are open.
const MAX_ENDED: usize = 64;

/// The open streams of a worker that end with their tokens, ordered by when they expire.
#[derive(Default)]
pub(crate) struct OpenStreams {
    streams: HashMap<ContextId, OpenStream>,
    /// Which stream expires first. Streams that have ended stay in it for a while.
    by_expiration: BinaryHeap<Reverse<(Timestamp, ContextId)>>,
    /// Streams that must end, and why.
    ending: VecDeque<Ending>,
}

struct OpenStream {
    tokens: Vec<StandingToken>,
    request: Request<'static>,
}

/// A stream that must end.
pub(crate) struct Ending {
    pub(crate) stream: ContextId,
    /// What is known of its request.
    pub(crate) request: Request<'static>,
    /// The provider whose token is good no more.
    pub(crate) provider: usize,
    pub(crate) reason: Reason,
}

impl OpenStreams {
    /// Watches `stream`, which was admitted with `tokens`. Returns whether there was room for it.
    pub(crate) fn add(
        &mut self,
        stream: ContextId,
        tokens: Vec<StandingToken>,
        request: &Request<'_>,
    ) -> bool {
        let expiration = tokens.iter().map(StandingToken::expiration).min();
        let Some(expiration) = expiration else {
            return true;
        };
        if self.len() >= MAX_STREAMS {
            return false;
        }
        self.by_expiration.push(Reverse((expiration, stream)));
        let opened = OpenStream {
            tokens,
            request: outline(request),
        };
        self.streams.insert(stream, opened);
        true
    }

    /// Forgets a stream that has ended.
    pub(crate) fn remove(&mut self, stream: ContextId) {
        if self.streams.remove(&stream).is_none() {
            self.ending.retain(|ending| ending.stream != stream);
        }
        // Most requests end long before their tokens expire.
        if self.by_expiration.len() > MAX_ENDED.saturating_add(self.streams.len().saturating_mul(2))
        {
            let streams = &self.streams;
            self.by_expiration
                .retain(|Reverse((_, stream))| streams.contains_key(stream));
        }
    }

    /// The number of streams.
    pub(crate) fn len(&self) -> usize {
        self.streams.len().saturating_add(self.ending.len())
    }

    /// Whether streams must end now.
    pub(crate) fn has_ending(&self) -> bool {
        !self.ending.is_empty()
    }

    /// Lets the streams end whose tokens have expired at `now`.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some(Reverse((expiration, stream))) = self.by_expiration.peek().copied()
            && expiration <= now
        {
            self.by_expiration.pop();
            self.end(stream, |token| token.check_time(now));
        }
    }

    /// Lets the streams end whose tokens have lost their keys or are revoked, after a document of `provider` has
    /// changed.
    pub(crate) fn check(&mut self, provider: usize, resources: &dyn Resources, engine: &Engine) {
        let check = |token: &StandingToken| {
            if token.provider() == provider {
                token.check_documents(resources, engine)
            } else {
                Ok(())
            }
        };
        let lost = self.streams.iter().filter(|(_, stream)| {
            let mut tokens = stream.tokens.iter();
            tokens.any(|token| check(token).is_err())
        });
        let lost: Vec<ContextId> = lost.map(|(stream, _)| *stream).collect();
        for stream in lost {
            self.end(stream, check);
        }
    }

    /// Moves a stream to those that must end, for the reason that `check` finds.
    fn end(&mut self, stream: ContextId, check: impl Fn(&StandingToken) -> Result<(), Reason>) {
        let Some(removed) = self.streams.remove(&stream) else {
            return;
        };
        let mut tokens = removed.tokens.iter();
        let found = tokens.find_map(|token| Some((token.provider(), check(token).err()?)));
        if let Some((provider, reason)) = found {
            self.ending.push_back(Ending {
                stream,
                request: removed.request,
                provider,
                reason,
            });
        }
    }

    /// The next stream that must end.
    pub(crate) fn take_ending(&mut self) -> Option<Ending> {
        self.ending.pop_front()
    }
}

/// What a refusal needs to know of a request, without its token.
fn outline(request: &Request<'_>) -> Request<'static> {
    let owned = |bytes: &[u8]| Cow::Owned(bytes.to_vec());
    Request {
        method: owned(&request.method),
        target: owned(request.path()).into(),
        authority: owned(&request.authority),
        grpc: request.grpc,
        ..Request::default()
    }
}
