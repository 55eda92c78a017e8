//! A regular expression of the configuration.

use regex_lite::Regex;
use serde::Deserialize;

use super::error::ConfigError;
use super::scalar::NonEmpty;
use super::text::Empty;

/// A regular expression that a whole text has to match, in the syntax that RE2 and regex-lite
/// share, so in linear time.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// What all texts begin with that it matches.
    pub(super) stem: String,
}

impl Pattern {
    pub(super) fn new(source: &str) -> Result<Self, regex_lite::Error> {
        // For itself first: with the brackets below, `a)(b` would be one.
        Regex::new(source)?;
        Ok(Self {
            regex: Regex::new(&format!(r"\A(?:{source})\z"))?,
            stem: stem_of(source).unwrap_or_default().to_owned(),
        })
    }

    /// Bytes that are not UTF-8 count as the character for what is unknown: they cannot keep a
    /// pattern with `.` from matching.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.regex.is_match(&String::from_utf8_lossy(text))
    }
}

/// What all texts begin with that the regular expression `source` matches as a whole, as far as that
/// is plain to see: the characters before the first that may not stand for itself. `None` where that
/// may be only one of several alternatives.
fn stem_of(source: &str) -> Option<&str> {
    let stands_for_itself =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~%:;,=&@!'".contains(&byte);
    let source = source.strip_prefix('^').unwrap_or(source);
    let end = source.bytes().position(|byte| !stands_for_itself(byte));
    let (stem, rest) = source.split_at_checked(end.unwrap_or(source.len()))?;
    let rest = rest.as_bytes();
    if has_alternatives(rest) {
        return None;
    }
    // What may be repeated may be left out.
    let repeated = matches!(rest, [b'*' | b'+' | b'?' | b'{', ..]);
    let kept = stem.len().checked_sub(repeated.into())?;
    stem.get(..kept)
}

/// Whether the regular expression that ends in `rest`, and before that has only characters that
/// stand for themselves, has alternatives outside of groups; also where that is not plain to see.
fn has_alternatives(mut rest: &[u8]) -> bool {
    let (mut depth, mut in_class) = (0_usize, false);
    loop {
        if let [b'\\', _, after @ ..] = rest {
            rest = after;
            continue;
        }
        rest = match (in_class, rest) {
            (_, []) => return false,
            // Flags may change what all the rest means, and classes that nest end elsewhere.
            (false, [b'|', ..]) if depth == 0 => return true,
            (false, [b'(', b'?', kind, ..]) if *kind != b':' => return true,
            (true, [b'[', ..]) => return true,
            (false, [b'(', after @ ..]) => {
                depth = depth.saturating_add(1);
                after
            }
            (false, [b')', after @ ..]) => {
                depth = depth.saturating_sub(1);
                after
            }
            // A bracket that is the first in its class stands for itself.
            (
                false,
                [b'[', b'^', b']', after @ ..] | [b'[', b']', after @ ..] | [b'[', after @ ..],
            ) => {
                in_class = true;
                after
            }
            (true, [b']', after @ ..]) => {
                in_class = false;
                after
            }
            (_, [_, after @ ..]) => after,
        };
    }
}

#[derive(Deserialize)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    derive(schemars::JsonSchema),
    schemars(rename = "Regex", title = "Regular expression")
)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternWire {
    /// The regular expression, in the syntax that RE2 and regex-lite share.
    regex: NonEmpty,
    /// Accepted and without effect: older configurations name the engine so.
    #[serde(default, alias = "googleRe2", rename = "google_re2")]
    _google_re2: Option<Empty>,
}

impl PatternWire {
    pub(super) fn build(self, path: &str) -> Result<Pattern, ConfigError> {
        Pattern::new(&self.regex.0).map_err(|problem| {
            ConfigError::new(
                format!("{path}.regex"),
                format!("is not a regular expression: {problem}"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_matches_of_a_pattern_begin_with_is_read_off_it() {
        for (source, stem) in [
            ("/orders/[^/]+", "/orders/"),
            ("^/orders/.*$", "/orders/"),
            ("/orders", "/orders"),
            (r"/a\.b", "/a"),
            ("/ab?", "/a"),
            ("/ab*c", "/a"),
            ("/ab+", "/a"),
            ("/ab{0}", "/a"),
            ("/a/(?:b|c)", "/a/"),
            ("/a/(b|(c|d))/e", "/a/"),
            ("/a/[|]", "/a/"),
            ("/a/[](|]", "/a/"),
            ("/a/[^]|]", "/a/"),
            (r"/a/[\]|]", "/a/"),
            (r"/a/\|", "/a/"),
            ("/a|b", ""),
            ("/a(b)|c", ""),
            (r"/a\(|b\)", ""),
            (r"/a\[|b]", ""),
            ("/a[(]|b[)]", ""),
            ("/a[[:alpha:](]|b[)]", ""),
            ("/a(?x)#(\n|b", ""),
            ("(?i)/a", ""),
            (".*", ""),
            ("^*a", ""),
            ("\u{e9}", ""),
        ] {
            let pattern = Pattern::new(source).unwrap();
            assert_eq!(pattern.stem, stem, "{source}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_a_pattern_matches_begins_with_its_stem(
            source in r"\^?[ab/]{0,3}([ab/]|\(|\(\?:|\(\?i\)|\)|\||[*+?]|\{0\}|\[|\]|\^|\\|\.){0,8}",
        ) {
            let Ok(pattern) = Pattern::new(&source) else {
                return Ok(());
            };
            let mut texts = vec![String::new()];
            // All of up to three of these characters.
            for at in 0..31 {
                let longer = ["a", "b", "/", "|", "]"].map(|end| format!("{}{end}", texts[at]));
                texts.extend(longer);
            }
            for text in texts {
                if pattern.matches(text.as_bytes()) {
                    let begins = text.starts_with(&pattern.stem);
                    proptest::prop_assert!(begins, "{source} {text} {}", pattern.stem);
                }
            }
        }

        #[test]
        fn no_pattern_and_no_text_panics(source: String, text: Vec<u8>) {
            if let Ok(pattern) = Pattern::new(&source) {
                let _ = pattern.matches(&text);
            }
        }
    }
}
