//! Log lines that appear once per process, although every worker has reason to write them.

use crate::host::Host;
use crate::shared_state::FORMAT;

/// Whether no worker of this process has called this with `text` before. If two workers call it at the
/// same moment, both may be the first.
pub(crate) fn is_first<H: Host>(host: &H, text: &str) -> bool {
    let key = format!("{FORMAT}.said.{text}");
    let is_first = host.shared_data(&key).is_none();
    if is_first {
        host.set_shared_data(&key, b"1");
    }
    is_first
}
