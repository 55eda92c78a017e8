//! Reads the dynamic metadata of requests from the host.

use gate::request::{MetadataName, MetadataSource};

use crate::host::Host;

/// Reads the dynamic metadata of the request whose context is in effect.
pub(crate) struct MetadataReader<H>(pub(crate) H);

impl<H: Host> MetadataSource for MetadataReader<H> {
    fn value(&self, name: &MetadataName) -> Option<Vec<u8>> {
        self.0.dynamic_metadata(name)
    }
}
