//! Where a provider's keys come from.

use std::rc::Rc;

use crate::fetching::RemoteDocument;
use crate::keys::KeySet;

/// Where a provider's keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The configuration contains the key set.
    Local(Rc<KeySet>),
    /// A server publishes the key set.
    Remote(Rc<RemoteDocument>),
    /// There are no keys: the provider's tokens are introspected.
    None,
}
