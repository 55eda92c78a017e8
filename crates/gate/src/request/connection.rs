//! The connection on which a request arrived.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;

/// Reads facts about the connection of the request whose context is in effect. They stay the same while
/// the connection lives.
pub trait ConnectionSource {
    /// The SHA-256 of the client's certificate in DER, in hexadecimal digits. `None` if the client has
    /// shown none, or if the listener has not asked for one.
    fn certificate_digest(&self) -> Option<Vec<u8>>;

    /// The first URI among the subject alternative names of that certificate. `None` if there is none.
    fn certificate_uri(&self) -> Option<Vec<u8>>;
}

/// The connection on which a request arrived. A fact is read when it is first needed, which costs a call
/// of the host.
#[derive(Clone, Default)]
pub struct Connection {
    source: Option<Rc<dyn ConnectionSource>>,
    certificate_digest: OnceCell<Option<Vec<u8>>>,
    certificate_uri: OnceCell<Option<Vec<u8>>>,
}

impl Connection {
    /// The connection that `source` describes.
    #[must_use]
    pub fn new(source: Rc<dyn ConnectionSource>) -> Self {
        Self {
            source: Some(source),
            ..Self::default()
        }
    }

    /// What [`ConnectionSource::certificate_digest`] returns.
    #[must_use]
    pub fn certificate_digest(&self) -> Option<&[u8]> {
        let read = || self.source.as_ref()?.certificate_digest();
        self.certificate_digest.get_or_init(read).as_deref()
    }

    /// What [`ConnectionSource::certificate_uri`] returns.
    #[must_use]
    pub fn certificate_uri(&self) -> Option<&[u8]> {
        let read = || self.source.as_ref()?.certificate_uri();
        self.certificate_uri.get_or_init(read).as_deref()
    }
}

/// Connections are the same if the same facts have been read.
impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        self.certificate_digest == other.certificate_digest
            && self.certificate_uri == other.certificate_uri
    }
}

impl Eq for Connection {}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("certificate_digest", &self.certificate_digest)
            .field("certificate_uri", &self.certificate_uri)
            .finish_non_exhaustive()
    }
}
