//! A request as the filter sees it.

use percent_encoding::percent_decode_str;

/// The headers of a request, without those that are taken out of every request.
#[derive(Clone, Copy)]
pub(crate) struct View<'r>(pub(crate) &'r [(String, String)]);

impl<'r> View<'r> {
    /// The values of a header in their order.
    pub(crate) fn values(self, name: &str) -> Vec<&'r str> {
        let name = if name == "host" { ":authority" } else { name };
        let named = self.0.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn first(self, name: &str) -> &'r str {
        self.values(name).first().copied().unwrap_or_default()
    }

    /// Path and query, without the fragment.
    fn before_fragment(self) -> &'r str {
        let target = self.first(":path");
        target.split_once('#').map_or(target, |(before, _)| before)
    }

    pub(crate) fn path(self) -> &'r str {
        let target = self.before_fragment();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The query parameters as they were sent: name, value, and both.
    pub(crate) fn parameters(self) -> Vec<(&'r str, &'r str, &'r str)> {
        let query = self.before_fragment().split_once('?');
        let query = query.map(|(_, query)| query);
        let parameters = query.into_iter().flat_map(|query| query.split('&'));
        parameters
            .map(|one| {
                let (name, value) = one.split_once('=').unwrap_or((one, ""));
                (name, value, one)
            })
            .collect()
    }

    /// The cookies: name, value, and both as they were sent.
    pub(crate) fn cookies(self) -> Vec<(&'r str, &'r str, &'r str)> {
        let headers = self.values("cookie");
        let pairs = headers.into_iter().flat_map(|header| header.split(';'));
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (name.trim(), value.trim(), pair.trim())
            })
            .collect()
    }

    pub(crate) fn is_grpc(self) -> bool {
        let content_type = self.first("content-type");
        content_type == "application/grpc" || content_type.starts_with("application/grpc+")
    }

    pub(crate) fn is_preflight(self) -> bool {
        self.first(":method") == "OPTIONS"
            && !self.values("origin").is_empty()
            && !self.values("access-control-request-method").is_empty()
    }
}

/// A text with its percent-encodings decoded.
pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
