//! Ambiguous paths.

use percent_encoding::percent_decode_str;

/// Whether servers may read the path in different ways.
pub(crate) fn is_ambiguous(path: &str) -> bool {
    // What RFC 3986, section 3.3, allows in a path. A semicolon is left out: servers differ about parameters.
    let is_raw = |one: char| !one.is_ascii_alphanumeric() && !"-._~/%:@!$&'()*+,=".contains(one);
    path.contains("//")
        || path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
        || path.contains(is_raw)
        || path.split('%').skip(1).any(is_ambiguous_escape)
        || percent_decode_str(path).decode_utf8().is_err()
}

/// Whether a percent-encoding, given without its `%`, stands for nothing or for what servers may decode or not.
fn is_ambiguous_escape(rest: &str) -> bool {
    let digits = rest
        .get(..2)
        .filter(|digits| digits.chars().all(|one| one.is_ascii_hexdigit()));
    match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        None => true,
        Some(byte) => {
            let one = char::from(byte);
            one.is_ascii_alphanumeric() || one.is_ascii_control() || "-._~/\\;%".contains(one)
        }
    }
}
