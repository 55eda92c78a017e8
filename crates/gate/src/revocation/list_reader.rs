//! How a revocation list is written down.

use std::fmt;
use std::hash::RandomState;

/// The format of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// An object with `tokens`, `clients` and `subjects`; times in seconds.
    List,
    /// The answer of WSO2 API Manager to `GET /internal/data/v1/revokedjwt`, which is an array or an
    /// object; times in milliseconds.
    Wso2,
}

/// How to parse a list.
#[derive(Clone, Debug)]
pub struct ListReader {
    /// The format of the list.
    pub format: ListFormat,
    /// The key of the hash in which names are stored.
    pub state: RandomState,
}

impl fmt::Display for ListReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.format {
            ListFormat::List => "list",
            ListFormat::Wso2 => "wso2",
        })
    }
}
