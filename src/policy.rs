//! Which requirement a request falls under.

use std::rc::Rc;
use std::slice;

use crate::config::{Config, Provider, Requirement, Rules};

/// What a request has to bring.
#[derive(Clone, Copy, Debug)]
pub enum Need<'c> {
    /// Nothing: it passes without a token.
    Nothing,
    /// A token that any one of these providers accepts.
    TokenOf(&'c [Rc<Provider>]),
    /// There is nothing that it could bring: no rule is for it.
    Impossible,
}

/// What a request for `path`, without its query, has to bring.
#[must_use]
pub fn need<'c>(config: &'c Config, path: &[u8]) -> Need<'c> {
    let (rules, allow_unmatched) = match &config.rules {
        Rules::AnyProvider => return Need::TokenOf(&config.providers),
        Rules::Listed {
            rules,
            allow_unmatched,
        } => (rules, *allow_unmatched),
    };
    for rule in rules.iter().filter(|rule| rule.matcher.matches(path)) {
        match &rule.requirement {
            Requirement::Provider(provider) => return Need::TokenOf(slice::from_ref(provider)),
            Requirement::Nothing if !is_ambiguous(path) => return Need::Nothing,
            Requirement::Nothing => {}
        }
    }
    if allow_unmatched && !is_ambiguous(path) {
        Need::Nothing
    } else {
        Need::Impossible
    }
}

/// Whether an upstream may take `path` for another one than it looks like: nothing passes without a
/// token on the strength of such a path.
fn is_ambiguous(path: &[u8]) -> bool {
    const MARKS: [&[u8]; 3] = [b"//", b"\\", b"\0"];
    let contains = |mark: &[u8]| path.windows(mark.len()).any(|window| window == mark);
    let dots = path
        .split(|byte| *byte == b'/')
        .any(|segment| matches!(segment, b"." | b".."));
    let encoded = path.windows(3).any(|window| {
        [b"%2e", b"%2f", b"%5c", b"%25", b"%00"]
            .iter()
            .any(|mark| window.eq_ignore_ascii_case(*mark))
    });
    dots || encoded || MARKS.iter().any(|mark| contains(mark))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: Value) -> Config {
        let provider = json!({"local_jwks": {"inline_string": crate::fixtures::key_set()}});
        let mut config = json!({"providers": {"a": provider, "b": provider}});
        for (name, value) in change.as_object().unwrap() {
            config[name] = value.clone();
        }
        Config::from_json(config.to_string().as_bytes()).unwrap()
    }

    fn needed(config: &Config, path: &str) -> String {
        match need(config, path.as_bytes()) {
            Need::Nothing => "nothing".to_owned(),
            Need::Impossible => "impossible".to_owned(),
            Need::TokenOf(providers) => providers
                .iter()
                .map(|provider| provider.name.as_str())
                .collect::<Vec<_>>()
                .join(","),
        }
    }

    #[test]
    fn without_rules_any_provider_will_do() {
        assert_eq!(needed(&config(json!({})), "/"), "a,b");
        assert_eq!(needed(&config(json!({"rules": []})), "/"), "a,b");
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let config = config(json!({"rules": [
            {"match": {"path": "/health"}},
            {"match": {"prefix": "/a/open/"}},
            {"match": {"prefix": "/a/"}, "requires": {"provider_name": "a"}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "b"}},
        ]}));
        for (path, expected) in [
            ("/health", "nothing"),
            ("/healthy", "b"),
            ("/health/", "b"),
            ("/a/open/x", "nothing"),
            ("/a/x", "a"),
            ("/x", "b"),
            ("/A/x", "b"),
            ("*", "impossible"),
            ("", "impossible"),
        ] {
            assert_eq!(needed(&config, path), expected, "{path}");
        }
    }

    #[test]
    fn what_no_rule_matches_is_denied_unless_the_operator_says_otherwise() {
        let rules = json!([{"match": {"prefix": "/a"}, "requires": {"provider_name": "a"}}]);
        assert_eq!(needed(&config(json!({"rules": rules})), "/x"), "impossible");
        let deny = json!({"rules": rules, "unmatched_requests": "deny"});
        assert_eq!(needed(&config(deny), "/x"), "impossible");
        let allow = json!({"rules": rules, "unmatched_requests": "allow"});
        assert_eq!(needed(&config(allow), "/x"), "nothing");
    }

    #[test]
    fn ambiguous_paths_never_pass_without_a_token() {
        let listed = config(json!({"rules": [
            {"match": {"prefix": "/open"}},
            {"match": {"prefix": "/"}, "requires": {"provider_name": "a"}},
        ]}));
        let unmatched = config(json!({
            "rules": [{"match": {"prefix": "/a"}, "requires": {"provider_name": "a"}}],
            "unmatched_requests": "allow",
        }));
        for path in [
            "/open//a",
            "/open/./a",
            "/open/../a",
            "/open/..",
            "/open/.",
            "/open\\a",
            "/open/%2e%2e/a",
            "/open/%2E./a",
            "/open%2fa",
            "/open%2Fa",
            "/open%5ca",
            "/open%252fa",
            "/open%00",
            "/open\0",
        ] {
            assert_eq!(needed(&listed, path), "a", "{path}");
            assert_eq!(needed(&unmatched, path), "impossible", "{path}");
        }
        for path in [
            "/open",
            "/open/a.b",
            "/open/...",
            "/open/%20",
            "/open/.well-known",
            "/open/a..b",
        ] {
            assert_eq!(needed(&listed, path), "nothing", "{path}");
            assert_eq!(needed(&unmatched, path), "nothing", "{path}");
        }
    }
}
