//! Key sets that are fetched.

use gate::fetching::{NotAResource, Resource};

use super::editor::Editor;
use super::new_value::NewValue;
use crate::source_tree::Node;

/// The URI that stands for one that cannot be read. RFC 2606 reserves `.invalid`, so no host has this name.
const NO_URI: &str = "https://jwks.invalid/";

/// The timeout of a fetch where `jwt_authn` has none.
const TIMEOUT: &str = "5s";

/// Converts `remote_jwks`, which is at `path`.
pub(super) fn convert(editor: &mut Editor<'_>, keys: &Node, path: &str) {
    async_fetch(editor, keys, path);
    let Some(http_uri) = keys.entry("http_uri") else {
        return;
    };
    let path = format!("{path}.{}", http_uri.key);
    if let Some(uri) = http_uri.value.entry("uri")
        && let Some(text) = uri.value.text()
    {
        let at = uri.key_range.start;
        let path = format!("{path}.{}", uri.key);
        match usable_uri(text) {
            Ok(None) => {}
            Ok(Some(with_scheme)) => {
                let review = "jwt_authn takes host and path from a URI without `http://` or `https://`; whether the \
                              connection is encrypted is a matter of the cluster, as before";
                editor.review(at, &path, review);
                editor.replace(&uri.value, &path, &NewValue::text(&with_scheme));
            }
            Err(error) => {
                let review = format!(
                    "`{}` {error}, so no keys can be fetched, here as in jwt_authn: write the URI of the key set",
                    text.escape_debug()
                );
                editor.review(at, &path, &review);
                editor.replace(&uri.value, &path, &NewValue::text(NO_URI));
            }
        }
    }
    if let Some(timeout) = http_uri.value.entry("timeout")
        && let Some((written, review)) = seconds(&timeout.value).and_then(usable_timeout)
    {
        let path = format!("{path}.{}", timeout.key);
        editor.review(timeout.key_range.start, &path, review);
        editor.replace(&timeout.value, &path, &NewValue::text(written));
    }
}

/// Converts the settings `async_fetch` of `remote_jwks`, which is at `path`.
fn async_fetch(editor: &mut Editor<'_>, keys: &Node, path: &str) {
    let Some(fetch) = keys.entry("async_fetch") else {
        return;
    };
    let name = "failed_refetch_duration";
    let duration = fetch.value.get(name).and_then(seconds);
    if duration.is_some_and(|duration| duration <= 0.0) {
        // The default, in both.
        let deleted: Vec<usize> = fetch.value.position(name).into_iter().collect();
        let path = format!("{path}.{}", fetch.key);
        editor.change_map(&fetch.value, &path, &deleted, Vec::new());
    }
}

/// What to write for the URI `text`: `None` if it can stay.
///
/// # Errors
///
/// Neither it nor it with a scheme is a URI that the gate can fetch.
fn usable_uri(text: &str) -> Result<Option<String>, NotAResource> {
    let Err(error) = Resource::parse(text) else {
        return Ok(None);
    };
    let with_scheme = format!("http://{text}");
    if !text.contains("://") && Resource::parse(&with_scheme).is_ok() {
        return Ok(Some(with_scheme));
    }
    Err(error)
}

/// What to write for a timeout of so many seconds, and why. `None` if it can stay.
fn usable_timeout(seconds: f64) -> Option<(&'static str, &'static str)> {
    if seconds <= 0.0 {
        Some((
            TIMEOUT,
            "0 means no limit in jwt_authn; a fetch of the gate needs one",
        ))
    } else if seconds < 0.001 {
        Some(("0.001s", "a fetch of the gate takes at least 0.001s"))
    } else if seconds > 3600.0 {
        Some(("3600s", "a fetch of the gate takes at most 3600s"))
    } else {
        None
    }
}

/// The number of seconds of a duration.
fn seconds(duration: &Node) -> Option<f64> {
    if let Some(text) = duration.text() {
        return text.strip_suffix('s').unwrap_or(text).parse().ok();
    }
    let part = |name| match duration.text_of(name) {
        Some(text) => text.parse::<f64>().ok(),
        None => Some(0.0),
    };
    let (seconds, nanos) = (part("seconds")?, part("nanos")?);
    duration.is_map().then_some(nanos.mul_add(1e-9, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_without_a_scheme_gets_one() {
        for (given, written) in [
            ("https://login.example/jwks?a=b", None),
            ("login/jwks.json", Some("http://login/jwks.json")),
            ("login:8080/jwks.json", Some("http://login:8080/jwks.json")),
        ] {
            let uri = usable_uri(given).unwrap();
            assert_eq!(uri.as_deref(), written, "{given}");
        }
        for given in [
            "",
            "${URI}",
            "https://<tenant>/jwks",
            "ftp://login/jwks",
            "/jwks",
        ] {
            assert!(usable_uri(given).is_err(), "{given}");
        }
    }
}
