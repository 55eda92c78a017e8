//! Regular expressions of Envoy, in the dialect of the gate.
//!
//! Both are dialects of RE2. The gate refuses what its own gives, or may give, another meaning.

use super::editor::Editor;
use super::new_value::NewValue;
use crate::configuration::join;
use crate::source_tree::Node;

/// Converts the regular expressions in `node`, which is at `path`.
pub(super) fn convert(editor: &mut Editor<'_>, node: &Node, path: &str) {
    for entry in node.entries() {
        let path = join(path, &entry.key);
        let is_regex = entry.is_named("safe_regex") || entry.is_named("safe_regex_match");
        let regex = entry.value.entry("regex").filter(|_| is_regex);
        if let Some(regex) = regex
            && let Some(text) = regex.value.text()
        {
            let translated = translated(text);
            if translated != text {
                let path = format!("{path}.{}", regex.key);
                let review = "means the same, in the dialect of the gate";
                editor.review(regex.key_range.start, &path, review);
                editor.replace(&regex.value, &path, &NewValue::Text(translated));
            }
        } else {
            convert(editor, &entry.value, &path);
        }
    }
    for (index, item) in node.items().iter().enumerate() {
        convert(editor, item, &format!("{path}[{index}]"));
    }
}

/// The regular expression `regex` of RE2 in the dialect of the gate.
fn translated(regex: &str) -> String {
    let mut text = String::new();
    let mut rest = regex;
    let mut in_class = false;
    while let Some(letter) = rest.chars().next() {
        let after = rest.get(letter.len_utf8()..).unwrap_or_default();
        let (written, following) = match letter {
            '\\' => escape(after),
            '[' if in_class => match after
                .strip_prefix(':')
                .and_then(|name| name.split_once(":]"))
            {
                Some((name, following)) => (format!("[:{name}:]"), following),
                None => ("\\[".to_owned(), after),
            },
            '[' => {
                in_class = true;
                class_start(after)
            }
            ']' if in_class => {
                in_class = false;
                ("]".to_owned(), after)
            }
            '&' | '-' | '~' if in_class && after.starts_with(letter) => {
                (format!("\\{letter}"), after)
            }
            '{' if !in_class && !is_repetition(after) => ("\\{".to_owned(), after),
            other => (other.to_string(), after),
        };
        text.push_str(&written);
        rest = following;
    }
    text
}

/// The start of a class, in which a bracket at once is a letter.
fn class_start(after: &str) -> (String, &str) {
    let (negation, after) = match after.strip_prefix('^') {
        Some(after) => ("^", after),
        None => ("", after),
    };
    match after.strip_prefix(']') {
        Some(after) => (format!("[{negation}\\]"), after),
        None => (format!("[{negation}"), after),
    }
}

/// What is behind a backslash: its translation with the backslash, and what follows.
fn escape(after: &str) -> (String, &str) {
    let Some(letter) = after.chars().next() else {
        return ("\\".to_owned(), after);
    };
    let following = after.get(letter.len_utf8()..).unwrap_or_default();
    match letter {
        'Q' => {
            let (literal, following) = following.split_once("\\E").unwrap_or((following, ""));
            let escaped = literal.chars().map(|letter| match letter {
                letter if letter.is_ascii_punctuation() && letter != '<' && letter != '>' => {
                    format!("\\{letter}")
                }
                letter => letter.to_string(),
            });
            (escaped.collect(), following)
        }
        '0'..='7' => {
            let is_octal = |letter: char| ('0'..='7').contains(&letter);
            let length = after
                .chars()
                .take(3)
                .take_while(|one| is_octal(*one))
                .count();
            let (digits, following) = after.split_at_checked(length).unwrap_or((after, ""));
            match u8::from_str_radix(digits, 8) {
                Ok(code) => (format!("\\x{code:02x}"), following),
                Err(_) => (format!("\\{digits}"), following),
            }
        }
        // Letters for RE2, word boundaries for the gate.
        '<' | '>' => (letter.to_string(), following),
        _ => (format!("\\{letter}"), following),
    }
}

/// Whether what follows a brace makes it a repetition, such as `{2,3}`.
fn is_repetition(after: &str) -> bool {
    let Some((inside, _)) = after.split_once('}') else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dialects_read_differently_is_translated() {
        for (given, written) in [
            (r"/a/[^/]+\.js\/(b|c)?$", r"/a/[^/]+\.js\/(b|c)?$"),
            ("/[[:alpha:]_]{2,3}", "/[[:alpha:]_]{2,3}"),
            ("/[[]a", r"/[\[]a"),
            ("/[]a]", r"/[\]a]"),
            ("/[^]a]", r"/[^\]a]"),
            ("/[a&&b]", r"/[a\&&b]"),
            ("/[+--]", r"/[+\--]"),
            ("/{id}/{1}", r"/\{id}/{1}"),
            (r"/\101", r"/\x41"),
            (r"/\Qa.b\E+", r"/a\.b+"),
            (r"/\<a\>", "/<a>"),
        ] {
            assert_eq!(translated(given), written, "{given}");
        }
    }
}
