//! Reads facts about the connections of requests from the host.

use gate::request::ConnectionSource;

use crate::host::Host;

/// Reads facts about the connection of the request whose context is in effect.
pub(crate) struct ConnectionReader<H>(pub(crate) H);

impl<H: Host> ConnectionSource for ConnectionReader<H> {
    fn certificate_digest(&self) -> Option<Vec<u8>> {
        self.0.certificate_digest()
    }

    fn certificate_uri(&self) -> Option<Vec<u8>> {
        self.0.certificate_uri()
    }
}
