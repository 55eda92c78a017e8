//! The facts of a request that a decision needs, taken from its headers.

use std::borrow::Cow;

/// The name or the value of a header.
pub type Bytes<'h> = Cow<'h, [u8]>;

/// What the decision knows of a request. Values are bytes: a client may send any. They are looked at
/// where they are, and copied only for a request that [waits](Request::into_owned).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<'h> {
    /// `:method`.
    pub method: Bytes<'h>,
    /// `:path`, with the query; empty where the request has none (`CONNECT`).
    pub target: Bytes<'h>,
    /// `:authority`.
    pub authority: Bytes<'h>,
    /// Every `authorization` header, in their order.
    pub authorization: Vec<Bytes<'h>>,
    /// All other headers, names in lower case.
    pub headers: Vec<(Bytes<'h>, Bytes<'h>)>,
    /// Whether the request is gRPC, so that its answer must be.
    pub grpc: bool,
    /// Whether there is an `origin` header.
    pub origin: bool,
    /// Whether there is an `access-control-request-method` header.
    pub access_control_request_method: bool,
    /// The requirement that the route's metadata names, where it is looked at and names one.
    pub requirement_name: Option<Vec<u8>>,
}

impl<'h> Request<'h> {
    /// Picks the facts out of all headers of a request. Names are in lower case, as Envoy has them.
    pub fn from_headers<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Bytes<'h>>,
        V: Into<Bytes<'h>>,
    {
        Self::from_some(headers, |_| true)
    }

    /// The same, but of the headers without fields of their own only those that are `wanted` are
    /// kept: a request that waits takes up no more than its decision needs.
    pub fn from_some<N, V>(
        headers: impl IntoIterator<Item = (N, V)>,
        wanted: impl Fn(&[u8]) -> bool,
    ) -> Self
    where
        N: Into<Bytes<'h>>,
        V: Into<Bytes<'h>>,
    {
        let mut request = Self::default();
        for (name, value) in headers {
            let (name, value) = (name.into(), value.into());
            match &*name {
                b":method" => request.method = value,
                b":path" => request.target = value,
                b":authority" => request.authority = value,
                b"authorization" => request.authorization.push(value),
                _ => {
                    match &*name {
                        b"content-type" => request.grpc = is_grpc(&value),
                        b"origin" => request.origin = true,
                        b"access-control-request-method" => {
                            request.access_control_request_method = true;
                        }
                        _ => {}
                    }
                    if wanted(&name) {
                        request.headers.push((name, value));
                    }
                }
            }
        }
        request
    }

    /// The same request, which needs the headers it was made from no longer.
    #[must_use]
    pub fn into_owned(self) -> Request<'static> {
        let owned = |value: Bytes<'h>| Cow::Owned(value.into_owned());
        let headers = self.headers.into_iter();
        Request {
            method: owned(self.method),
            target: owned(self.target),
            authority: owned(self.authority),
            authorization: self.authorization.into_iter().map(owned).collect(),
            headers: headers
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            grpc: self.grpc,
            origin: self.origin,
            access_control_request_method: self.access_control_request_method,
            requirement_name: self.requirement_name,
        }
    }

    /// The values of the header `name`, which is in lower case, in their order.
    pub fn header<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let pseudo = match name {
            ":method" => Some(&self.method),
            ":path" => Some(&self.target),
            ":authority" | "host" => Some(&self.authority),
            _ => None,
        };
        let authorization = (name == "authorization").then_some(&self.authorization);
        let others = self.headers.iter();
        let others = others.filter(move |(known, _)| **known == *name.as_bytes());
        pseudo
            .into_iter()
            .filter(|value| !value.is_empty())
            .chain(authorization.into_iter().flatten())
            .chain(others.map(|(_, value)| value))
            .map(|value| &**value)
    }

    /// Takes the headers `names`, which are in lower case and sorted, out of what is known; answers
    /// with those that were there.
    pub fn forget_headers<'n>(&mut self, names: &'n [String]) -> Vec<&'n String> {
        let mut forgotten = Vec::new();
        if names.is_empty() {
            return forgotten;
        }
        let mut forgets = |other: &[u8]| {
            let name = names.binary_search_by(|name| name.as_bytes().cmp(other));
            let name = name.ok().and_then(|place| names.get(place));
            forgotten.extend(name.filter(|name| !forgotten.contains(name)));
            name.is_some()
        };
        if !self.authorization.is_empty() && forgets(b"authorization") {
            self.authorization.clear();
        }
        self.headers.retain(|(name, _)| !forgets(name));
        forgotten
    }

    /// The path without query and fragment.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        let end = self
            .target
            .iter()
            .position(|byte| matches!(byte, b'?' | b'#'));
        end.and_then(|end| self.target.get(..end))
            .unwrap_or(&self.target)
    }

    /// The query without its `?` and without the fragment; empty where there is none.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        let before_fragment = self
            .target
            .split(|byte| *byte == b'#')
            .next()
            .unwrap_or_default();
        let question_mark = before_fragment.iter().position(|byte| *byte == b'?');
        question_mark
            .and_then(|at| before_fragment.get(at.saturating_add(1)..))
            .unwrap_or_default()
    }

    /// Whether this is a CORS preflight, which a browser sends without credentials (Fetch standard,
    /// section 3.2.2).
    #[must_use]
    pub fn is_cors_preflight(&self) -> bool {
        *self.method == *b"OPTIONS" && self.origin && self.access_control_request_method
    }
}

/// Whether a `content-type` is that of gRPC, as Envoy sees it: exactly so, or with a suffix.
fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'h>(headers: &[(&'h str, &'h str)]) -> Request<'h> {
        let headers = headers.iter();
        Request::from_headers(headers.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    }

    #[test]
    fn the_target_is_cut_into_path_and_query() {
        for (target, path, query) in [
            ("/a", "/a", ""),
            ("/a?", "/a", ""),
            ("/a?b=c", "/a", "b=c"),
            ("/a?b=c?d", "/a", "b=c?d"),
            ("/a?b#c", "/a", "b"),
            ("/a#b?c", "/a", ""),
            ("", "", ""),
            ("*", "*", ""),
        ] {
            let request = request(&[(":path", target)]);
            assert_eq!(request.path(), path.as_bytes(), "{target}");
            assert_eq!(request.query(), query.as_bytes(), "{target}");
        }
    }

    #[test]
    fn a_preflight_is_options_with_both_headers() {
        let both = [
            ("origin", "https://a"),
            ("access-control-request-method", "GET"),
        ];
        let with_method = |method, headers: &[(&'static str, &'static str)]| {
            request(&[&[(":method", method)], headers].concat()).is_cors_preflight()
        };
        assert!(with_method("OPTIONS", &both));
        assert!(!with_method("GET", &both));
        assert!(!with_method("OPTIONS", &both[..1]));
        assert!(!with_method("OPTIONS", &both[1..]));
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for (content_type, grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            assert_eq!(
                request(&[("content-type", content_type)]).grpc,
                grpc,
                "{content_type}"
            );
        }
    }

    #[test]
    fn headers_are_found_by_name_wherever_they_are_kept() {
        let mut request = request(&[
            (":method", "GET"),
            (":path", "/a"),
            (":authority", "api.example"),
            ("authorization", "b"),
            ("x", "1"),
            ("y", "2"),
            ("x", "3"),
        ]);
        let values = |request: &Request, name: &str| {
            let values = request.header(name);
            let values = values.map(|value| String::from_utf8(value.to_vec()).unwrap());
            values.collect::<Vec<_>>().join(" ")
        };
        for (name, expected) in [
            (":method", "GET"),
            (":path", "/a"),
            (":authority", "api.example"),
            ("host", "api.example"),
            ("authorization", "b"),
            ("x", "1 3"),
            ("z", ""),
        ] {
            assert_eq!(values(&request, name), expected, "{name}");
        }
        let names = ["a", "authorization", "x"].map(str::to_owned);
        assert_eq!(request.forget_headers(&names), ["authorization", "x"]);
        assert!(request.forget_headers(&names).is_empty());
        assert_eq!(values(&request, "x"), "");
        assert_eq!(values(&request, "authorization"), "");
    }

    #[test]
    fn of_headers_without_a_field_only_those_are_kept_that_are_wanted() {
        let headers = [
            (":path", "/a"),
            ("authorization", "b"),
            ("content-type", "application/grpc"),
            ("x", "1"),
            ("y", "2"),
            ("x", "3"),
        ];
        let all = request(&headers);
        let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let some = Request::from_some(headers, |name| name == b"x");
        assert_eq!(some.header("x").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(some.header("y").next(), None);
        assert_eq!(all.header("y").next(), Some(&b"2"[..]));
        assert_eq!(some.headers.len(), 2);
        let headers = all.headers.clone();
        assert_eq!(Request { headers, ..some }, all);
    }

    #[test]
    fn a_request_that_outlives_its_headers_is_the_same() {
        let names = [
            ":method",
            ":path",
            ":authority",
            "authorization",
            "content-type",
            "origin",
            "x",
            "access-control-request-method",
        ];
        let headers = names.map(|name| (name.to_owned(), format!("{name}!")));
        let borrowed = headers.each_ref().map(|(name, value)| (&**name, &**value));
        let mut request = request(&borrowed);
        request.requirement_name = Some(b"r".to_vec());
        request.grpc = true;
        let debug = format!("{request:?}");
        let owned = request.into_owned();
        drop(headers);
        assert_eq!(format!("{owned:?}"), debug);
    }

    #[test]
    fn repeated_authorization_headers_are_all_seen() {
        let request = request(&[("authorization", "a"), ("x", "y"), ("authorization", "b")]);
        assert_eq!(request.authorization, [&b"a"[..], b"b"]);
    }
}
