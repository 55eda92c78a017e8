//! The parts of a request that a decision needs, taken from its headers.

mod connection;
mod dynamic_metadata;

use std::borrow::Cow;

pub use connection::{Connection, ConnectionSource};
pub use dynamic_metadata::{DynamicMetadata, MetadataName, MetadataSource};

use crate::target::Target;

/// The name or the value of a header. Bytes, because a client can send any.
pub type Bytes<'h> = Cow<'h, [u8]>;

/// What the decision knows about a request. Headers are borrowed, and copied only for a request that
/// [waits](Request::into_owned).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request<'h> {
    /// `:method`.
    pub method: Bytes<'h>,
    /// `:path` with the query; empty if the request has none (`CONNECT`).
    pub target: Target<'h>,
    /// `:scheme`.
    pub scheme: Bytes<'h>,
    /// `:authority`.
    pub authority: Bytes<'h>,
    /// All `authorization` headers in their order.
    pub authorization: Vec<Bytes<'h>>,
    /// The other headers, with names in lower case.
    pub headers: Vec<(Bytes<'h>, Bytes<'h>)>,
    /// Whether this is a gRPC request, which needs a gRPC response.
    pub grpc: bool,
    /// Whether there is an `origin` header.
    pub origin: bool,
    /// Whether there is an `access-control-request-method` header.
    pub access_control_request_method: bool,
    /// The name of the requirement in the route's metadata, if it is used and there is one.
    pub requirement_name: Option<Vec<u8>>,
    /// The dynamic metadata.
    pub dynamic_metadata: DynamicMetadata,
    /// The connection.
    pub connection: Connection,
}

impl<'h> Request<'h> {
    /// Creates a request from its headers. Names are in lower case, as in Envoy.
    pub fn from_headers<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Bytes<'h>>,
        V: Into<Bytes<'h>>,
    {
        Self::from_some(headers, |_| true)
    }

    /// Like [`Request::from_headers`], but `headers` contains only names that `wanted` selects, so that
    /// a waiting request does not keep headers that the decision does not need.
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
                b":path" => request.target = value.into(),
                b":scheme" => request.scheme = value,
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

    /// Copies the borrowed headers, so that the request outlives them.
    #[must_use]
    pub fn into_owned(self) -> Request<'static> {
        let owned = |value: Bytes<'h>| Cow::Owned(value.into_owned());
        let headers = self.headers.into_iter();
        Request {
            method: owned(self.method),
            target: self.target.into_owned(),
            scheme: owned(self.scheme),
            authority: owned(self.authority),
            authorization: self.authorization.into_iter().map(owned).collect(),
            headers: headers
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            grpc: self.grpc,
            origin: self.origin,
            access_control_request_method: self.access_control_request_method,
            requirement_name: self.requirement_name,
            dynamic_metadata: self.dynamic_metadata,
            connection: self.connection,
        }
    }

    /// The values of the header `name` (in lower case) in their order.
    pub fn header<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        let pseudo = match name {
            ":method" => &*self.method,
            ":path" => self.target.as_bytes(),
            ":scheme" => &*self.scheme,
            ":authority" | "host" => &*self.authority,
            _ => &[],
        };
        let authorization = (name == "authorization").then_some(&self.authorization);
        let others = self.headers.iter();
        let others = others.filter(move |(known, _)| **known == *name.as_bytes());
        let values = authorization.into_iter().flatten();
        let values = values.chain(others.map(|(_, value)| value));
        std::iter::once(pseudo)
            .filter(|value| !value.is_empty())
            .chain(values.map(|value| &**value))
    }

    /// Removes the headers whose names `must_remove` selects. Returns these names as they were sent,
    /// each once.
    pub fn forget_headers(&mut self, must_remove: impl Fn(&[u8]) -> bool) -> Vec<String> {
        let mut removed = Vec::new();
        let mut is_removed = |name: &[u8]| {
            let selected = must_remove(name);
            if selected {
                let name = String::from_utf8_lossy(name).into_owned();
                if !removed.contains(&name) {
                    removed.push(name);
                }
            }
            selected
        };
        if !self.authorization.is_empty() && is_removed(b"authorization") {
            self.authorization.clear();
        }
        self.headers.retain(|(name, _)| !is_removed(name));
        removed
    }

    /// The path without query and fragment.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        self.target.path()
    }

    /// The query without its `?` and without the fragment; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        self.target.query()
    }

    /// Whether this is a CORS preflight. Browsers send those without credentials (Fetch standard,
    /// section 3.2.2).
    #[must_use]
    pub fn is_cors_preflight(&self) -> bool {
        *self.method == *b"OPTIONS" && self.origin && self.access_control_request_method
    }
}

/// Whether Envoy treats this `content-type` as gRPC: exactly `application/grpc`, or with a `+` suffix.
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
    fn a_preflight_is_an_options_request_with_both_headers() {
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
    fn grpc_is_recognized_by_its_content_type() {
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
    fn headers_are_found_and_removed_by_name_wherever_they_are_stored() {
        let mut request = request(&[
            (":method", "GET"),
            (":path", "/a"),
            (":scheme", "https"),
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
            (":scheme", "https"),
            (":authority", "api.example"),
            ("host", "api.example"),
            ("authorization", "b"),
            ("x", "1 3"),
            ("z", ""),
        ] {
            assert_eq!(values(&request, name), expected, "{name}");
        }
        let selected = |name: &[u8]| [&b"a"[..], b"authorization", b"x"].contains(&name);
        assert_eq!(request.forget_headers(selected), ["authorization", "x"]);
        assert!(request.forget_headers(selected).is_empty());
        assert_eq!(values(&request, "x"), "");
        assert_eq!(values(&request, "authorization"), "");
    }

    #[test]
    fn only_selected_headers_are_kept() {
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
    fn an_owned_request_equals_the_borrowed_one() {
        let names = [
            ":method",
            ":path",
            ":scheme",
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
    fn repeated_authorization_headers_are_all_kept() {
        let request = request(&[("authorization", "a"), ("x", "y"), ("authorization", "b")]);
        assert_eq!(request.authorization, [&b"a"[..], b"b"]);
    }
}
