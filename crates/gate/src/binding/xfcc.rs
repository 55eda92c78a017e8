//! Envoy's header `x-forwarded-client-cert` (XFCC): elements separated by commas, one for each proxy,
//! each of them a list of `key=value` separated by semicolons.
//!
//! A value is quoted if it contains a separator; a quote in it is written as `\"`. Only quotes that
//! surround a whole value are read as such. Otherwise a client could send an opening quote that takes in
//! the separator that the next proxy writes, and so the element of that proxy.

use super::certificate_digest::CertificateDigest;

/// Which element of an `x-forwarded-client-cert` header describes the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XfccElement {
    /// The only one. A header with several is refused.
    Only,
    /// The first one.
    First,
    /// The last one.
    Last,
}

/// The `Hash` in the element `which` of `header`. `None` if there is no such element, if it has not
/// exactly one `Hash`, or if any part of the header is malformed.
pub(super) fn digest(header: &[u8], which: XfccElement) -> Option<CertificateDigest> {
    let mut reader = Reader { rest: header };
    let first = reader.element()?;
    let mut last = None;
    while !reader.rest.is_empty() {
        reader.rest = reader.rest.strip_prefix(b",")?;
        last = Some(reader.element()?);
    }
    let hash = match (which, last) {
        (XfccElement::Only, Some(_)) => return None,
        (XfccElement::Only | XfccElement::First, _) => first,
        (XfccElement::Last, last) => last.unwrap_or(first),
    };
    CertificateDigest::from_hex(hash.one()?)
}

/// The values of `Hash` in an element.
enum Hash<'h> {
    None,
    One(&'h [u8]),
    Several,
}

impl<'h> Hash<'h> {
    const fn one(self) -> Option<&'h [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::None | Self::Several => None,
        }
    }
}

/// Reads a header from left to right.
struct Reader<'h> {
    rest: &'h [u8],
}

impl<'h> Reader<'h> {
    /// An element, up to a comma or the end.
    fn element(&mut self) -> Option<Hash<'h>> {
        let mut hash = Hash::None;
        loop {
            let (key, value) = self.pair()?;
            if key.eq_ignore_ascii_case(b"hash") {
                hash = match hash {
                    Hash::None => Hash::One(value),
                    Hash::One(_) | Hash::Several => Hash::Several,
                };
            }
            match self.rest.strip_prefix(b";") {
                Some(rest) => self.rest = rest,
                None => return Some(hash),
            }
        }
    }

    /// A pair, up to a separator or the end. The quotes of a quoted value are not part of it.
    fn pair(&mut self) -> Option<(&'h [u8], &'h [u8])> {
        let key = self.until(|byte| matches!(byte, b'=' | b';' | b',' | b'"'));
        self.rest = self.rest.strip_prefix(b"=")?;
        let key = key.trim_ascii();
        let Some(quoted) = self.rest.strip_prefix(b"\"") else {
            let value = self.until(|byte| matches!(byte, b';' | b',' | b'"'));
            let complete = !key.is_empty() && !self.rest.starts_with(b"\"");
            return complete.then_some((key, value.trim_ascii()));
        };
        self.rest = quoted;
        let value = self.quoted()?;
        let ends = matches!(self.rest.first(), None | Some(b';' | b','));
        (ends && !key.is_empty()).then_some((key, value))
    }

    /// The rest of a quoted value, and its closing quote.
    fn quoted(&mut self) -> Option<&'h [u8]> {
        let start = self.rest;
        let mut escaped = false;
        let end = start.iter().position(|&byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        let (value, rest) = start.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\"")?;
        Some(value)
    }

    /// What comes before the first byte that `stops` selects, or before the end.
    fn until(&mut self, stops: impl Fn(u8) -> bool) -> &'h [u8] {
        let end = self.rest.iter().position(|&byte| stops(byte));
        let end = end.unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hexadecimal digest whose digits are all this one.
    fn hex(digit: char) -> String {
        std::iter::repeat_n(digit, 64).collect()
    }

    /// The digit of the digest in a header where `A` and `B` stand for `Hash=<64 digits>`.
    fn found(header: &str, which: XfccElement) -> Option<char> {
        let header = header.replace("[a]", &hex('a')).replace("[b]", &hex('b'));
        let CertificateDigest(digest) = digest(header.as_bytes(), which)?;
        char::from_digit(u32::from(digest[0] >> 4), 16)
    }

    #[test]
    fn the_hash_of_the_chosen_element_is_found() {
        use XfccElement::{First, Last, Only};
        for (header, only, first, last) in [
            ("Hash=[a]", Some('a'), Some('a'), Some('a')),
            (
                "By=spiffe://x;Hash=[a];URI=",
                Some('a'),
                Some('a'),
                Some('a'),
            ),
            ("hash=[a];Subject=\"\"", Some('a'), Some('a'), Some('a')),
            ("HASH=\"[a]\"", Some('a'), Some('a'), Some('a')),
            (" Hash = [a] ;By=x", Some('a'), Some('a'), Some('a')),
            ("Hash=[a],Hash=[b]", None, Some('a'), Some('b')),
            ("Hash=[a];By=x, By=y;Hash=[b]", None, Some('a'), Some('b')),
            ("Hash=[a],By=x,Hash=[b]", None, Some('a'), Some('b')),
            // A separator in quotes separates nothing.
            (
                "Subject=\"CN=a,O=b;Hash=[b]\";Hash=[a]",
                Some('a'),
                Some('a'),
                Some('a'),
            ),
            (
                r#"Subject="CN=\"x\",O=y";Hash=[a]"#,
                Some('a'),
                Some('a'),
                Some('a'),
            ),
            (
                r#"Subject="CN=x\\";Hash=[a]"#,
                Some('a'),
                Some('a'),
                Some('a'),
            ),
            (
                "URI=spiffe://a?b=c;Hash=[a]",
                Some('a'),
                Some('a'),
                Some('a'),
            ),
            // The wrong number of hashes, in the chosen element or in another one.
            ("By=x", None, None, None),
            ("Hash=[a];Hash=[a]", None, None, None),
            ("Hash=[a];hash=[b]", None, None, None),
            ("Hash=[a];Hash=[a],Hash=[b]", None, None, Some('b')),
            ("By=x,Hash=[b]", None, None, Some('b')),
            ("Hash=[a],By=x", None, Some('a'), None),
            ("XHash=[a]", None, None, None),
            // A hash of the wrong form.
            ("Hash=", None, None, None),
            ("Hash=[a]0", None, None, None),
            ("Hash=[a][b]", None, None, None),
            ("Hash=0123", None, None, None),
        ] {
            for (which, expected) in [(Only, only), (First, first), (Last, last)] {
                assert_eq!(found(header, which), expected, "{header}, {which:?}");
            }
        }
    }

    #[test]
    fn a_malformed_header_is_refused_as_a_whole() {
        for header in [
            "",
            ",",
            ";",
            "=",
            "Hash",
            "=[a]",
            "Hash=[a];",
            "Hash=[a],",
            ",Hash=[a]",
            "Hash=[a],,Hash=[a]",
            "Hash=[a];;By=x",
            "Hash=[a];By",
            "Hash=[a];=x",
            "Hash=[a];=\"x\"",
            "Hash=[a];\"By\"=x",
            "Hash=[a];Subject=\"x",
            r#"Hash=[a];Subject="x\"#,
            r#"Hash=[a];Subject="x\""#,
            "Hash=[a];Subject=\"x\"y",
            "Hash=[a];Subject=x\"y\"",
            "Hash=[a];Subject=\"x\" ",
        ] {
            for which in [XfccElement::Only, XfccElement::First, XfccElement::Last] {
                assert_eq!(found(header, which), None, "{header}, {which:?}");
            }
        }
    }

    #[test]
    fn an_opening_quote_of_the_client_does_not_take_in_the_next_element() {
        for sent in [
            "Hash=[a];Subject=\"",
            "Hash=[a];Subject=\"CN=",
            "Hash=[a];X=\"\\",
        ] {
            for added in [
                "Hash=[b]",
                "By=x;Hash=[b];Subject=\"CN=b\"",
                "By=x;Hash=[b];Subject=\"\"",
                "By=x;Hash=[b];Subject=\"CN=b\";URI=",
                "By=x;Hash=[b];Cert=\"-----BEGIN\";Subject=\"CN=b\"",
                r#"By=x;Hash=[b];Subject="CN=\"b""#,
            ] {
                let header = format!("{sent},{added}");
                for which in [XfccElement::Only, XfccElement::First, XfccElement::Last] {
                    assert_eq!(found(&header, which), None, "{header}, {which:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header: Vec<u8>, text in "[ab=;,\"\\\\Hash]{0,40}") {
            for which in [XfccElement::Only, XfccElement::First, XfccElement::Last] {
                let _ = digest(&header, which);
                let _ = digest(text.as_bytes(), which);
            }
        }

        /// Whatever a client sends, the last element is that which the proxy has added.
        #[test]
        fn no_prefix_of_the_client_changes_the_last_element(
            sent in "([ab=;,\"\\\\]|Hash=|By=|Hash=[a-c]{64}){0,8}",
            subject in "([ab=;, ]|\\\\\\\\|\\\\\"){0,8}",
        ) {
            let added = format!("By=x;Hash={};Subject=\"CN={subject}\"", hex('b'));
            let found = found(&format!("{sent},{added}"), XfccElement::Last);
            prop_assert!(matches!(found, None | Some('b')), "{found:?}");
        }
    }
}
