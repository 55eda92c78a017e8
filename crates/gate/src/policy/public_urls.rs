//! The URLs under which clients know this Envoy.

use crate::dpop::TargetUri;
use crate::request::Request;

/// The URLs under which clients know this Envoy: what the target of a request is appended to. If there are
/// none, clients are taken to know it by the scheme and the authority of their request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicUrls(Vec<TargetUri>);

impl PublicUrls {
    /// These URLs.
    #[must_use]
    pub const fn new(bases: Vec<TargetUri>) -> Self {
        Self(bases)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URIs by which a client may have known the target of `request`, in normal form. If the request's own
    /// origin is that of a URL, only URLs with this origin count; otherwise all do, because a proxy in front
    /// may have another name.
    #[must_use]
    pub fn targets(&self, request: &Request<'_>) -> Vec<TargetUri> {
        let own = |path| TargetUri::from_parts(&request.scheme, &request.authority, path);
        if self.0.is_empty() {
            return own(request.path()).into_iter().collect();
        }
        let origin = own(b"/");
        let is_here = |base: &&TargetUri| {
            let origin = origin.as_ref();
            origin.is_some_and(|origin| origin.has_same_origin(base))
        };
        let mut bases: Vec<&TargetUri> = self.0.iter().collect();
        if bases.iter().any(is_here) {
            bases.retain(is_here);
        }
        let targets = bases.iter().filter_map(|base| base.join(request.path()));
        targets.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(bases: &[&str], scheme: &str, authority: &str, path: &str) -> Vec<String> {
        let bases = bases.iter().map(|base| TargetUri::parse(base.as_bytes()));
        let urls = PublicUrls::new(bases.collect::<Option<_>>().unwrap());
        let request = Request::from_headers(
            [
                (":scheme", scheme),
                (":authority", authority),
                (":path", path),
            ]
            .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        );
        let targets = urls.targets(&request);
        targets.iter().map(TargetUri::to_text).collect()
    }

    #[test]
    fn urls_may_be_absent() {
        assert!(PublicUrls::default().is_empty());
        let base = TargetUri::parse(b"https://a").unwrap();
        assert!(!PublicUrls::new(vec![base]).is_empty());
    }

    #[test]
    fn without_urls_the_request_says_where_it_went() {
        assert_eq!(
            targets(&[], "https", "API.example:443", "/a/../b?c"),
            ["https://api.example/b"]
        );
        assert_eq!(
            targets(&[], "http", "a:8080", "/b%7E"),
            ["http://a:8080/b~"]
        );
        for (scheme, authority, path) in [
            ("", "a", "/"),
            ("https", "", "/"),
            ("https", "a", "*"),
            ("https", "a", ""),
        ] {
            let found = targets(&[], scheme, authority, path);
            assert!(found.is_empty(), "{scheme} {authority} {path}");
        }
    }

    #[test]
    fn the_path_is_appended_to_each_url_unless_the_origin_of_the_request_selects_some() {
        let urls = [
            "https://api.example/v1/",
            "https://api.example",
            "https://b.example:8443",
        ];
        let everything = [
            "https://api.example/v1/a",
            "https://api.example/a",
            "https://b.example:8443/a",
        ];
        for (scheme, authority, expected) in [
            ("https", "api.example", &everything[..2]),
            ("https", "API.example:443", &everything[..2]),
            ("https", "b.example:8443", &everything[2..]),
            ("http", "api.example", &everything),
            ("https", "b.example", &everything),
            ("http", "10.0.0.1:10000", &everything),
            ("", "", &everything),
        ] {
            let found = targets(&urls, scheme, authority, "/a?b");
            assert_eq!(found, expected, "{scheme} {authority}");
        }
        assert!(targets(&urls, "https", "api.example", "*").is_empty());
        assert_eq!(
            targets(&["https://a/v1"], "https", "a", "/../b"),
            ["https://a/v1/b"]
        );
    }
}
