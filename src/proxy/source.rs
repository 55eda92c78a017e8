//! The key set of one provider in one worker: adopted from what the workers share, and fetched when
//! it is this worker's turn.

use std::rc::Rc;

use log::{info, warn};

use super::host::{self, CalloutId};
use super::share::Share;
use crate::config::{Provider, RemoteJwks};
use crate::gate::RemoteKeys;
use crate::keys::{KeySet, MAX_SET_BYTES, Progress};
use crate::time::Timestamp;

pub(super) struct Source {
    provider: Rc<Provider>,
    jwks: Rc<RemoteJwks>,
    share: Share,
    /// The shared progress as it was seen last.
    progress: Progress,
    /// When the set was fetched that was adopted last.
    adopted: Option<Timestamp>,
    keys: Option<Rc<KeySet>>,
    /// The fetch that this worker has under way, with the number it holds the turn by.
    fetch: Option<(CalloutId, u64)>,
    /// Whether something has happened that may decide requests that wait.
    news: bool,
}

/// How a fetch ended.
#[derive(Clone, Copy)]
pub(super) enum Fetched {
    Success,
    Failure,
}

impl Source {
    pub(super) fn new(provider: Rc<Provider>, jwks: Rc<RemoteJwks>) -> Self {
        let share = Share::of(&jwks);
        share.prepare();
        Self {
            provider,
            jwks,
            share,
            progress: Progress::default(),
            adopted: None,
            keys: None,
            fetch: None,
            news: false,
        }
    }

    /// The index of the provider.
    pub(super) fn provider(&self) -> usize {
        self.provider.index
    }

    /// Whether something has happened, since this was asked last, that may decide requests that wait.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// What a decision gets to see.
    pub(super) fn keys(&self, now: Timestamp) -> RemoteKeys {
        match (
            &self.keys,
            self.progress.retry_after(now, self.jwks.timeout),
        ) {
            (Some(keys), _) => RemoteKeys::Ready(Rc::clone(keys)),
            (None, None) => RemoteKeys::Pending,
            (None, Some(retry_after)) => RemoteKeys::Unavailable { retry_after },
        }
    }

    /// Adopts what others have fetched, and fetches if that is due and nobody is at it. Answers how
    /// a fetch ended that could not even begin.
    pub(super) fn tick(&mut self, now: Timestamp) -> Option<Fetched> {
        self.look();
        if self.progress.fetched_at != self.adopted {
            self.adopted = self.progress.fetched_at;
            self.adopt(&self.share.document());
        }
        let jwks = Rc::clone(&self.jwks);
        let is_due = |progress: &Progress| progress.is_due(now, jwks.cache_duration);
        if !is_due(&self.progress) {
            return None;
        }
        let holder = host::random();
        let my_turn = self.share.advance(|progress| {
            is_due(progress).then(|| progress.started(holder, now, jwks.timeout))
        });
        if !my_turn {
            return None;
        }
        let callout = host::get(&jwks.cluster, &jwks.authority, &jwks.path, jwks.timeout);
        if callout.is_none() {
            let problem = "the cluster is unknown or has no healthy host";
            return Some(self.failed(holder, now, problem));
        }
        self.fetch = callout.map(|callout| (callout, holder));
        self.look();
        None
    }

    /// Takes the answer to `callout`, if that is of a fetch of this source. `size` is that of the
    /// body; an answer without headers is none.
    pub(super) fn answered(
        &mut self,
        callout: CalloutId,
        has_headers: bool,
        size: usize,
        now: Timestamp,
    ) -> Option<Fetched> {
        let (_, holder) = self.fetch.take_if(|(mine, _)| *mine == callout)?;
        let outcome = match answer(has_headers, size) {
            Ok(document) => KeySet::parse(&document)
                .map(|keys| (document, keys))
                .map_err(str::to_owned),
            Err(problem) => Err(problem),
        };
        match outcome {
            Ok((document, keys)) => {
                self.share.put_document(&document);
                let fetched = Progress::succeeded(now, self.jwks.cache_duration, host::random());
                self.share.advance(|_| Some(fetched.clone()));
                self.adopted = fetched.fetched_at;
                self.progress = fetched;
                self.use_keys(keys);
                Some(Fetched::Success)
            }
            Err(problem) => Some(self.failed(holder, now, &problem)),
        }
    }

    fn failed(&mut self, holder: u64, now: Timestamp, problem: &str) -> Fetched {
        warn!(
            "bearer-gate: provider {}: fetching the key set failed: {problem}",
            self.provider.name
        );
        let random = host::random();
        self.share
            .advance(|progress| progress.failed(holder, now, random));
        self.look();
        Fetched::Failure
    }

    /// Looks how far the fetching has got.
    fn look(&mut self) {
        let progress = self.share.progress();
        if progress != self.progress {
            self.progress = progress;
            self.news = true;
        }
    }

    fn adopt(&mut self, document: &[u8]) {
        match KeySet::parse(document) {
            Ok(keys) => self.use_keys(keys),
            Err(problem) => {
                warn!(
                    "bearer-gate: provider {}: the shared key set is refused: {problem}",
                    self.provider.name
                );
            }
        }
    }

    fn use_keys(&mut self, keys: KeySet) {
        info!(
            "bearer-gate: provider {}: {} keys",
            self.provider.name,
            keys.count()
        );
        for (index, problem) in keys.skipped() {
            warn!(
                "bearer-gate: provider {}: keys[{index}] is skipped: {problem}",
                self.provider.name
            );
        }
        self.keys = Some(Rc::new(keys));
        self.news = true;
    }
}

/// The body of the answer to a callout, if it is a success and not too large.
fn answer(has_headers: bool, size: usize) -> Result<Vec<u8>, String> {
    // A reset and a timeout have no headers; a refused connection is a 503 that Envoy makes up.
    if !has_headers {
        return Err("there was no answer in time".to_owned());
    }
    let headers = host::callout_headers();
    let status = headers
        .iter()
        .find(|(name, _)| name == ":status")
        .map(|(_, value)| value.as_slice());
    match status {
        Some(b"200") if size <= MAX_SET_BYTES => Ok(host::callout_body(size)),
        Some(b"200") => Err(format!("the answer has {size} bytes, more than 1 MiB")),
        other => Err(format!(
            "the status is {}",
            other.unwrap_or_default().escape_ascii()
        )),
    }
}
