//! Where the workers keep what they share.

use std::rc::Rc;

use gate::policy::Share;

use crate::host::Host;
use crate::own_data::OwnData;

/// Where fetched documents and the times of log lines are kept, as `share` of the configuration says.
#[derive(Clone)]
pub(crate) struct Store<H> {
    host: H,
    /// The data of this virtual machine, where workers share nothing. Otherwise they share the host's shared
    /// data, and other modules with the same `vm_id` do, too.
    own: Option<Rc<OwnData>>,
}

impl<H: Host> Store<H> {
    /// The store that the configuration chooses.
    pub(crate) fn new(host: H, share: Share) -> Self {
        let own = (share == Share::Worker).then(|| host.own_data());
        Self { host, own }
    }

    /// The host.
    pub(crate) const fn host(&self) -> &H {
        &self.host
    }

    /// The entry `key` and its version.
    pub(crate) fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        match &self.own {
            None => self.host.shared_data(key),
            Some(data) => data.get(key),
        }
    }

    /// Writes the entry `key`, whatever its version.
    pub(crate) fn set(&self, key: &str, value: &[u8]) {
        match &self.own {
            None => self.host.set_shared_data(key, value),
            Some(data) => data.set(key, value),
        }
    }

    /// Writes the entry `key` if it has this version, and returns whether it had. The entry must exist.
    pub(crate) fn swap(&self, key: &str, value: &[u8], version: u32) -> bool {
        match &self.own {
            None => self.host.swap_shared_data(key, value, version),
            Some(data) => data.swap(key, value, version),
        }
    }
}
