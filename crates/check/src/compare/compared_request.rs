//! A request of the table.

use super::header_list::HeaderList;
use crate::mint::kind::Kind;

/// What tokens a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    None,
    /// One in an unusual or wrong form.
    Form,
    One(Kind),
    Several,
}

/// A request of the table.
#[derive(Clone, Debug)]
pub(crate) struct ComparedRequest {
    /// What token it has, in words.
    pub(crate) token: String,
    pub(crate) kind: TokenKind,
    pub(crate) headers: HeaderList,
    /// The path and query without tokens.
    pub(crate) shown_path: String,
}

impl ComparedRequest {
    /// The request in one line. It contains no token.
    pub(crate) fn title(&self) -> String {
        let (method, authority) = (self.headers.get(":method"), self.headers.get(":authority"));
        let (path, token) = (&self.shown_path, &self.token);
        format!("{method} {path} at {authority}, {token}")
    }
}
