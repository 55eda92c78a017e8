//! Log lines that appear once per process, although every worker has reason to write them.

use crate::host::Host;
use crate::shared_state::FORMAT;
use crate::store::Store;

/// Whether `text` is not what a worker of this process last said about `topic`. If two workers call this at
/// the same moment, both may be the first.
///
/// There is one entry of shared data for each topic, because entries cannot be removed.
pub(crate) fn is_new<H: Host>(store: &Store<H>, topic: &str, text: &str) -> bool {
    let key = format!("{FORMAT}.said.{topic}");
    let last = store.get(&key);
    let is_new = last.is_none_or(|(last, _)| last != text.as_bytes());
    if is_new {
        store.set(&key, text.as_bytes());
    }
    is_new
}
