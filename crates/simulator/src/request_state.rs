//! The part of a request that the host keeps.

use gate::answer::Answer;

/// What has become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The filter holds it.
    Paused,
    /// It went to the upstream.
    Forwarded,
    /// The filter answered it.
    Answered(Answer),
    /// Its worker died.
    Lost,
}

/// The part of a request that the host keeps.
#[derive(Debug)]
pub(crate) struct RequestState {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) filter_state: Vec<(String, Vec<u8>)>,
    pub(crate) route_cleared: bool,
    /// How often the filter changed the request.
    pub(crate) changes: usize,
    pub(crate) requirement: Option<String>,
    pub(crate) outcome: Outcome,
}
