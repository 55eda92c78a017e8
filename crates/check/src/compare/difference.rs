//! Why the two differ about a request.

use gate::policy::is_ambiguous;

use super::compared_request::{ComparedRequest, TokenKind};
use super::header_list::HeaderList;
use super::side::Side;
use crate::convert::RESERVED_HEADERS;
use crate::mint::kind::Kind;

/// A known difference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    /// The place in the documentation that describes it.
    pub(crate) link: &'static str,
    pub(crate) explanation: &'static str,
    /// Parts of what `convert` says where it marks the difference with REVIEW; one is enough.
    pub(crate) reviews: &'static [&'static str],
}

/// What decides about a difference.
pub(crate) struct Compared<'c> {
    pub(crate) request: &'c ComparedRequest,
    pub(crate) native: &'c Side,
    pub(crate) gate: &'c Side,
}

impl Compared<'_> {
    /// The difference; `None` if it is not a known one.
    pub(crate) fn explain(&self) -> Option<&'static Difference> {
        ALL.iter()
            .find(|(_, applies)| applies(self))
            .map(|(difference, _)| difference)
    }

    fn statuses(&self) -> (u16, u16) {
        (self.native.status, self.gate.status)
    }

    /// The gate refuses for this reason.
    fn refuses(&self, reason: &str) -> bool {
        self.gate.status >= 400 && self.gate.why == reason
    }

    /// The gate refuses a token of this kind for `reason`, or the request passes without what the token says.
    fn refuses_kind(&self, kind: Kind, reason: &str) -> bool {
        let is_ignored = self.request.kind == TokenKind::One(kind) && self.statuses() == (200, 200);
        is_ignored || (self.refuses(reason) && self.native_passes())
    }

    /// Both let the request pass, which needs no token, and take no notice of a token in a wrong form.
    fn ignores_form(&self) -> bool {
        self.request.kind == TokenKind::Form && self.statuses() == (200, 200)
    }

    /// A header of the request begins with `Bearer`, but spelled in another way.
    fn has_other_bearer(&self) -> bool {
        let mut headers = self.request.headers.0.iter();
        headers.any(|(_, value)| {
            !value.starts_with("Bearer") && value.to_lowercase().starts_with("bearer")
        })
    }

    fn native_passes(&self) -> bool {
        matches!(self.native.status, 200 | 404)
    }

    fn gate_passes(&self) -> bool {
        matches!(self.gate.status, 200 | 404)
    }

    /// Both let the request pass, and the upstream gets other headers. `is_such` selects them.
    fn only_headers(&self, is_such: &dyn Fn(&str) -> bool) -> bool {
        let names = self.native.different_headers(self.gate);
        self.statuses() == (200, 200) && !names.is_empty() && names.iter().all(|name| is_such(name))
    }

    /// Both set the header, to other values. `is_such` selects those of `jwt_authn`.
    fn only_values(&self, is_such: &dyn Fn(&str) -> bool) -> bool {
        let (Some(native), Some(gate)) = (&self.native.upstream, &self.gate.upstream) else {
            return false;
        };
        self.only_headers(&|name| {
            let (native, gate) = (native.get(name), gate.get(name));
            !native.is_empty() && !gate.is_empty() && is_such(native)
        })
    }
}

type Applies = fn(&Compared<'_>) -> bool;

/// The known differences, each with the requests that it is about. The first that applies counts.
pub(crate) static ALL: [(Difference, Applies); 19] = [
    (
        Difference {
            name: "copies of the gate's headers where routes choose",
            link: "docs/convert.md#copies-of-headers",
            explanation: "a request with a client's copy of a header that the gate sets is refused, because Envoy might \
                          select another route without it",
            reviews: &[
                "A request with a client's copy of a header that the gate sets is refused with 400",
            ],
        },
        |one| one.refuses("header"),
    ),
    (
        Difference {
            name: "the word `Bearer`",
            link: "docs/differences.md#the-word-bearer",
            explanation: "the scheme `Bearer` is compared without case",
            reviews: &["`Bearer` is compared without case"],
        },
        |one| {
            let is_used = one.native.status == 401 || one.statuses() == (200, 200);
            one.has_other_bearer() && is_used
        },
    ),
    (
        Difference {
            name: "several credentials",
            link: "docs/differences.md#several-credentials",
            explanation: "a request with several tokens is refused with 400; in jwt_authn all of them must be good",
            reviews: &["several tokens in one request"],
        },
        |one| {
            let is_ignored = one.request.kind == TokenKind::Several && one.statuses() == (200, 200);
            one.refuses("several_tokens") || is_ignored
        },
    ),
    (
        Difference {
            name: "a repeated `Authorization`",
            link: "docs/differences.md#a-repeated-authorization",
            explanation: "an Authorization header with something else beside the token is refused with 400; jwt_authn finds \
                          the token anywhere in it",
            reviews: &["a malformed credential"],
        },
        |one| one.gate.status == 400 && one.refuses("malformed") && one.native_passes(),
    ),
    (
        Difference {
            name: "malformed credentials",
            link: "docs/differences.md#malformed-credentials",
            explanation: "what is no well-formed token is refused with 400, not 401",
            reviews: &["a malformed credential"],
        },
        |one| one.gate.status == 400 && one.refuses("malformed") || one.ignores_form(),
    ),
    (
        Difference {
            name: "another audience",
            link: "docs/differences.md#another-audience",
            explanation: "a token for another audience is refused with 401, not 403",
            reviews: &["gets 401 `invalid_token`, not 403"],
        },
        |one| one.native.status == 403 && one.gate.status == 401,
    ),
    (
        Difference {
            name: "`audiences`",
            link: "docs/differences.md#audiences",
            explanation: "audiences are compared exactly, with scheme and slash at the end",
            reviews: &["audiences are compared exactly"],
        },
        |one| one.refuses("audience") && one.native_passes(),
    ),
    (
        Difference {
            name: "`typ`",
            link: "docs/differences.md#typ",
            explanation: "a token with a `typ` other than JWT and at+jwt is refused; jwt_authn does not look at it",
            reviews: &["a `typ` other than JWT and at+jwt"],
        },
        |one| one.refuses_kind(Kind::WrongType, "type"),
    ),
    (
        Difference {
            name: "`iat` in the future",
            link: "docs/differences.md#iat-in-the-future",
            explanation: "a token that was issued in the future is refused; jwt_authn does not look at `iat`",
            reviews: &["`iat` in the future"],
        },
        |one| one.refuses_kind(Kind::IssuedInFuture, "issued_in_future"),
    ),
    (
        Difference {
            name: "`max_lifetime`",
            link: "docs/differences.md#max_lifetime",
            explanation: "`max_lifetime` counts from `iat` to `exp`; in jwt_authn it counts from now",
            reviews: &["is the time from `iat` to `exp`"],
        },
        |one| {
            (one.refuses("lifetime") && one.native_passes())
                || (one.native.why == "subject or lifetime" && one.gate_passes())
        },
    ),
    (
        Difference {
            name: "ambiguous paths",
            link: "docs/differences.md#ambiguous-paths",
            explanation: "a path that servers may read in different ways never matches what lets requests pass without a \
                          token",
            reviews: &["never matches what lets requests pass without a token"],
        },
        |one| {
            let target = one.request.headers.get(":path");
            let path = target.split(['?', '#']).next().unwrap_or_default();
            is_ambiguous(path.as_bytes()) && one.native_passes()
        },
    ),
    (
        Difference {
            name: "`value_prefix`",
            link: "docs/differences.md#value_prefix",
            explanation: "the value must begin with `value_prefix`; jwt_authn finds it anywhere in the value",
            reviews: &["the value must begin with `value_prefix`"],
        },
        |one| one.refuses("missing") && one.native_passes(),
    ),
    (
        Difference {
            name: "alternatives that share a token",
            link: "docs/differences.md#alternatives-that-share-a-token",
            explanation: "each part of a requirement sees the token; in jwt_authn the first takes it away from the next",
            reviews: &[
                "several alternatives name the same provider",
                "here one token may satisfy both",
            ],
        },
        |one| one.native.status == 401 && one.gate_passes(),
    ),
    (
        Difference {
            name: "claims in headers that the gate does not set",
            link: "docs/convert.md#headers-that-the-gate-does-not-set",
            explanation: "the gate sets no header that is for more than one party, such as cookie",
            reviews: &["the gate sets no header"],
        },
        |one| {
            let names = one.native.different_headers(one.gate);
            let mut reserved = names
                .iter()
                .filter(|name| RESERVED_HEADERS.contains(&name.as_str()));
            let is_absent = |headers: &HeaderList, name: &str| headers.all(name).next().is_none();
            let native = one.native.upstream.as_ref();
            one.statuses() == (200, 200)
                && reserved.any(|name| {
                    // Native sets it, or removes the client's.
                    is_absent(&one.request.headers, name)
                        || native.is_some_and(|headers| is_absent(headers, name))
                })
        },
    ),
    (
        Difference {
            name: "`extract_only_without_validation`",
            link: "docs/differences.md#extract_only_without_validation",
            explanation: "the claims are forwarded without validation, and every request with a token is marked",
            reviews: &["jwt_authn verifies here all the same"],
        },
        |one| {
            let headers = [&one.native.upstream, &one.gate.upstream]
                .into_iter()
                .flatten();
            let marks = |value: &str| value == "false";
            let mut headers = headers.flat_map(|headers| &headers.0);
            one.statuses() == (200, 200)
                && headers.any(|(name, value)| name.contains("verif") && marks(value))
        },
    ),
    (
        Difference {
            name: "the rest of the query",
            link: "docs/differences.md#the-rest-of-the-query",
            explanation: "the rest of the query stays as it was sent when a token is removed; jwt_authn decodes it",
            reviews: &["he rest of the query stays as it was sent"],
        },
        |one| one.only_headers(&|name| name == ":path"),
    ),
    (
        Difference {
            name: "a token in a cookie",
            link: "docs/differences.md#a-token-in-a-cookie",
            explanation: "the token is removed from the cookie; jwt_authn leaves it there",
            reviews: &["the token is removed from the cookie"],
        },
        |one| one.only_headers(&|name| name == "cookie"),
    ),
    (
        Difference {
            name: "numbers in headers",
            link: "docs/differences.md#numbers-in-headers",
            explanation: "numbers are written as `5` and `1.5`, not 5.000000",
            reviews: &["numbers are written as"],
        },
        |one| one.only_values(&|native| native.parse::<f64>().is_ok()),
    ),
    (
        Difference {
            name: "JSON in headers",
            link: "docs/differences.md#json-in-headers",
            explanation: "arrays and objects are written as JSON without escapes that are not needed",
            reviews: &["JSON is not escaped beyond need"],
        },
        |one| one.only_values(&|_| true),
    ),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::ALL;

    /// The Rust sources in a directory, with texts of several lines in one.
    fn sources(directory: &Path) -> String {
        let mut all = String::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.push_str(&sources(&path));
            } else {
                let text = fs::read_to_string(path).unwrap();
                let lines = text.split("\\\n").map(str::trim_start);
                all.push_str(&lines.collect::<String>());
            }
        }
        all
    }

    #[test]
    fn convert_marks_each_difference_in_these_words() {
        let convert = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/convert"));
        for (difference, _) in &ALL {
            for review in difference.reviews {
                assert!(convert.contains(review), "{review}");
            }
        }
    }

    #[test]
    fn every_link_leads_to_its_place() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (difference, _) in &ALL {
            let (page, anchor) = difference.link.split_once('#').unwrap();
            let page = fs::read_to_string(root.join(page)).unwrap();
            let row = format!("| <a id=\"{anchor}\"></a>{} |", difference.name);
            let is_there = match difference.link.strip_prefix("docs/differences.md") {
                Some(_) => page.contains(&row),
                None => page.contains(&format!("<a id=\"{anchor}\"></a>")),
            };
            assert!(is_there, "{}", difference.link);
        }
    }
}
