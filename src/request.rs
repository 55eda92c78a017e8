//! The facts of a request that a decision needs, taken from its headers.

/// What the decision knows of a request. Values are bytes: a client may send any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `:method`.
    pub method: Vec<u8>,
    /// `:path`, with the query; empty where the request has none (`CONNECT`).
    pub target: Vec<u8>,
    /// `:authority`.
    pub authority: Vec<u8>,
    /// Every `authorization` header, in their order.
    pub authorization: Vec<Vec<u8>>,
    /// All other headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Whether the request is gRPC, so that its answer must be.
    pub grpc: bool,
    /// Whether there is an `origin` header.
    pub origin: bool,
    /// Whether there is an `access-control-request-method` header.
    pub access_control_request_method: bool,
    /// The requirement that the route's metadata names, where it is looked at and names one.
    pub requirement_name: Option<Vec<u8>>,
}

impl Request {
    /// Picks the facts out of all headers of a request. Names are in lower case, as Envoy has them.
    #[must_use]
    pub fn from_headers(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self::from_some(headers, |_| true)
    }

    /// The same, but of the headers without fields of their own only those that are `wanted` are
    /// kept: a request that waits takes up no more than its decision needs.
    pub fn from_some(headers: Vec<(String, Vec<u8>)>, wanted: impl Fn(&str) -> bool) -> Self {
        let mut request = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                ":method" => request.method = value,
                ":path" => request.target = value,
                ":authority" => request.authority = value,
                "authorization" => request.authorization.push(value),
                _ => {
                    match name.as_str() {
                        "content-type" => request.grpc = is_grpc(&value),
                        "origin" => request.origin = true,
                        "access-control-request-method" => {
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

    /// The values of the header `name`, which is in lower case, in their order.
    pub fn header<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let pseudo = match name {
            ":method" => Some(&self.method),
            ":path" => Some(&self.target),
            ":authority" | "host" => Some(&self.authority),
            _ => None,
        };
        let authorization = (name == "authorization").then_some(&self.authorization);
        let others = self.headers.iter().filter(move |(known, _)| known == name);
        pseudo
            .into_iter()
            .filter(|value| !value.is_empty())
            .chain(authorization.into_iter().flatten())
            .chain(others.map(|(_, value)| value))
            .map(Vec::as_slice)
    }

    /// Takes the headers `names`, which are in lower case and sorted, out of what is known; answers
    /// with those that were there.
    pub fn forget_headers<'n>(&mut self, names: &'n [String]) -> Vec<&'n String> {
        let mut forgotten = Vec::new();
        if names.is_empty() {
            return forgotten;
        }
        let mut forgets = |other: &str| {
            let name = names.binary_search_by(|name| name.as_str().cmp(other));
            let name = name.ok().and_then(|place| names.get(place));
            forgotten.extend(name.filter(|name| !forgotten.contains(name)));
            name.is_some()
        };
        if !self.authorization.is_empty() && forgets("authorization") {
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
        self.method == b"OPTIONS" && self.origin && self.access_control_request_method
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

    fn request(headers: &[(&str, &str)]) -> Request {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Request::from_headers(headers.iter().map(owned).collect())
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
        let headers = || {
            let headers = [
                (":path", "/a"),
                ("authorization", "b"),
                ("content-type", "application/grpc"),
                ("x", "1"),
                ("y", "2"),
                ("x", "3"),
            ];
            let owned = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
            owned.to_vec()
        };
        let all = Request::from_headers(headers());
        let some = Request::from_some(headers(), |name| name == "x");
        assert_eq!(some.header("x").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(some.header("y").next(), None);
        assert_eq!(all.header("y").next(), Some(&b"2"[..]));
        assert_eq!(some.headers.len(), 2);
        let headers = all.headers.clone();
        assert_eq!(Request { headers, ..some }, all);
    }

    #[test]
    fn repeated_authorization_headers_are_all_seen() {
        let request = request(&[("authorization", "a"), ("x", "y"), ("authorization", "b")]);
        assert_eq!(request.authorization, [b"a", b"b"]);
    }
}
