//! The dynamic metadata of a request, which other filters have written.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// The name of a value of dynamic metadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataName {
    /// The namespace: usually the name of the filter that wrote it.
    pub filter: String,
    /// The keys that lead to the value.
    pub path: Vec<String>,
}

/// Reads dynamic metadata.
pub trait MetadataSource {
    /// The value of this name, in the host's binary form: a string as it is, a boolean as one byte.
    /// `None` if there is none.
    fn value(&self, name: &MetadataName) -> Option<Vec<u8>>;
}

/// The dynamic metadata of a request. A value is read when it is first needed, which costs a call of the
/// host, and kept: a request that waits is decided by the same values.
#[derive(Clone, Default)]
pub struct DynamicMetadata {
    source: Option<Rc<dyn MetadataSource>>,
    known: RefCell<Vec<(MetadataName, Option<Vec<u8>>)>>,
}

impl DynamicMetadata {
    /// The metadata from `source`.
    #[must_use]
    pub fn new(source: Rc<dyn MetadataSource>) -> Self {
        Self {
            source: Some(source),
            known: RefCell::default(),
        }
    }

    /// The value of this name, as [`MetadataSource::value`] describes it.
    #[must_use]
    pub fn value(&self, name: &MetadataName) -> Option<Vec<u8>> {
        let known = self.known.borrow();
        if let Some((_, value)) = known.iter().find(|(known, _)| known == name) {
            return value.clone();
        }
        drop(known);
        let value = self.source.as_ref()?.value(name);
        let mut known = self.known.borrow_mut();
        known.push((name.clone(), value.clone()));
        value
    }
}

/// Requests are the same if the same values have been read.
impl PartialEq for DynamicMetadata {
    fn eq(&self, other: &Self) -> bool {
        self.known == other.known
    }
}

impl Eq for DynamicMetadata {}

impl fmt::Debug for DynamicMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DynamicMetadata").field(&self.known).finish()
    }
}
