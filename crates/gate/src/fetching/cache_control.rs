//! The freshness lifetime of a response.

use std::time::Duration;

/// The freshness lifetime that `Cache-Control` headers give (RFC 9111, section 5.2.2): the shortest one
/// of all directives, and zero for a directive that is malformed. `None` without such a directive.
pub(super) fn fresh_for<'h>(headers: impl Iterator<Item = &'h [u8]>) -> Option<Duration> {
    headers
        .flat_map(|value| value.split(|byte| *byte == b','))
        .filter_map(|directive| {
            let directive = directive.trim_ascii().to_ascii_lowercase();
            if matches!(directive.as_slice(), b"no-store" | b"no-cache") {
                return Some(Duration::ZERO);
            }
            let seconds = directive.strip_prefix(b"max-age=")?;
            let seconds = std::str::from_utf8(seconds).unwrap_or_default();
            let digits = seconds.trim_matches('"');
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // A number that does not fit is a very long time.
            let seconds = digits.parse().unwrap_or(u64::MAX);
            Some(Duration::from_secs(if is_number { seconds } else { 0 }))
        })
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_or_shorter_lifetime_makes_the_next_fetch_come_sooner() {
        for (values, expected) in [
            (&[][..], None),
            (&["public"], None),
            (&["max-age=60"], Some(60)),
            (&["public, MAX-AGE=60 , must-revalidate"], Some(60)),
            (&["max-age=\"60\""], Some(60)),
            (&["max-age=60", "max-age=30"], Some(30)),
            (&["max-age=60, no-cache"], Some(0)),
            (&["no-store"], Some(0)),
            (&["max-age=-1"], Some(0)),
            (&["max-age="], Some(0)),
            (&["max-age=+5"], Some(0)),
            (&["max-age=abc"], Some(0)),
            (&["max-age=99999999999999999999"], Some(u64::MAX)),
            (&["s-maxage=5"], None),
            (&[""], None),
        ] {
            assert_eq!(
                fresh_for(values.iter().map(|value| value.as_bytes())),
                expected.map(Duration::from_secs),
                "{values:?}"
            );
        }
        let odd = [&b"max-age=\xff, \xff"[..]];
        assert_eq!(fresh_for(odd.into_iter()), Some(Duration::ZERO));
    }
}
