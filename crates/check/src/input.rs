//! Files and the standard input.

use std::io::Read;
use std::path::Path;

/// Reads the file `path`, or the standard `input` if it is `-`.
pub(crate) fn read(path: &Path, input: &mut dyn Read) -> Result<Vec<u8>, String> {
    let content = if path == Path::new("-") {
        let mut content = Vec::new();
        input.read_to_end(&mut content).map(|_| content)
    } else {
        std::fs::read(path)
    };
    content.map_err(|error| format!("{}: {error}", path.display()))
}
