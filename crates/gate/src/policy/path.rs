//! Paths that servers may read in different ways.

use crate::http::percent_decoded;

/// Whether servers may read `path` in different ways. Nothing passes without a token on the strength of
/// such a path.
///
/// A path is unambiguous only if it is in normal form (RFC 3986, section 6.2.2) and contains nothing that
/// common servers treat differently: no empty segment or dot segment, no character that a URI must
/// encode (parsers of the URL Standard encode it, or remove it), no `\` or `;` (some servers strip path
/// parameters before they resolve dot segments), no stray `%`, and no percent-encoding of unreserved
/// characters, of `/ \ ; %`, of control characters or of bytes that are not UTF-8.
#[must_use]
pub fn is_ambiguous(path: &[u8]) -> bool {
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    path.windows(2).any(|pair| pair == b"//")
        || path.split(|byte| *byte == b'/').any(is_dots)
        || !path.iter().all(|byte| is_unambiguous_raw(*byte))
        || path
            .split(|byte| *byte == b'%')
            .skip(1)
            .any(is_ambiguous_escape)
        || String::from_utf8(percent_decoded(path).collect()).is_err()
}

/// Whether `byte` may stand for itself in a path (RFC 3986, section 3.3), or begin an escape.
fn is_unambiguous_raw(byte: u8) -> bool {
    is_unreserved(byte) || b"/%:@!$&'()*+,=".contains(&byte)
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether what follows a `%` is not two hex digits, or stands for a character that servers may decode
/// at different times.
fn is_ambiguous_escape(rest: &[u8]) -> bool {
    let is_escape = rest
        .iter()
        .take(2)
        .filter(|byte| byte.is_ascii_hexdigit())
        .count()
        == 2;
    let escape = [b"%", rest.get(..2).unwrap_or_default()].concat();
    let decoded = percent_decoded(&escape).next().unwrap_or_default();
    !is_escape
        || is_unreserved(decoded)
        || decoded.is_ascii_control()
        || b"/\\;%".contains(&decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_normal_form_are_unambiguous() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a.b",
            "/.a",
            "/a..",
            "/...",
            "/a/b-c_d~e",
            "/a,b=c@d:e!f$g&h'i(j)k*l+m",
            "/caf%C3%A9",
            "/caf%c3%a9",
            "/a%20b",
            "/a%3Fb",
            "/a%23b",
            "/a%22b",
            "*",
            "",
        ] {
            assert!(!is_ambiguous(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn paths_that_servers_read_differently_are_ambiguous() {
        for path in [
            "//",
            "/a//b",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/..",
            "/public/..;/admin",
            "/public/%2e%2e;/admin",
            "/;/admin",
            "/admin;x/users",
            "/a;b",
            "/%61dmin",
            "/%41",
            "/%7e",
            "/%2E",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/..%3b",
            "/a%3Bb",
            "/%25",
            "/%00",
            "/%0a",
            "/%7F",
            "/a\0",
            "/a\tb",
            "/a ",
            "/ a",
            "/a\"b",
            "/<a>",
            "/[a]",
            "/a^b",
            "/`a",
            "/{a}",
            "/a|b",
            "/caf\u{e9}",
            "/%",
            "/%4",
            "/%4g",
            "/%g4",
            "/a%%20",
            "/%c0%ae%c0%ae/",
            "/%ff",
            "/%e9",
            "/%ED%A0%80",
        ] {
            assert!(is_ambiguous(path.as_bytes()), "{path}");
        }
        assert!(is_ambiguous(b"/caf\xe9"));
    }

    proptest::proptest! {
        #[test]
        fn an_unambiguous_path_decodes_to_a_path_of_the_same_segments(path: Vec<u8>) {
            if !is_ambiguous(&path) {
                let decoded: Vec<u8> = percent_decoded(&path).collect();
                let segments = |path: &[u8]| path.split(|byte| *byte == b'/').count();
                proptest::prop_assert_eq!(segments(&path), segments(&decoded));
                let again: Vec<u8> = percent_decoded(&decoded).collect();
                proptest::prop_assert_eq!(again, decoded);
            }
        }
    }
}
