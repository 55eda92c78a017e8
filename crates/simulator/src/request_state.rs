//! The part of a request that the host keeps.

use gate::answer::Answer;
use gate::request::MetadataName;

/// What has become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The filter holds it.
    Paused,
    /// It went to the upstream.
    Forwarded,
    /// The filter answered it.
    Answered(Answer),
    /// It went to the upstream, and the filter ended it later with this answer. If the response of the upstream has
    /// begun, the client sees a reset instead.
    Ended(Answer),
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
    pub(crate) dynamic_metadata: Vec<(MetadataName, Vec<u8>)>,
    /// The names of dynamic metadata that the filter has read, in order.
    pub(crate) metadata_reads: Vec<MetadataName>,
    /// The digest of the client's certificate.
    pub(crate) certificate_digest: Option<Vec<u8>>,
    /// The first URI in the client's certificate.
    pub(crate) certificate_uri: Option<Vec<u8>>,
    /// How often the filter has read one of the two.
    pub(crate) certificate_reads: usize,
    pub(crate) outcome: Outcome,
}

impl RequestState {
    /// The state of a request with these headers that has not been decided.
    pub(crate) fn new(headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Self {
            headers: headers.collect(),
            filter_state: Vec::new(),
            route_cleared: false,
            changes: 0,
            requirement: None,
            dynamic_metadata: Vec::new(),
            metadata_reads: Vec::new(),
            certificate_digest: None,
            certificate_uri: None,
            certificate_reads: 0,
            outcome: Outcome::Paused,
        }
    }
}
