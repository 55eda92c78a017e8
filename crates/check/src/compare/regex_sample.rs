//! A text that a regular expression matches.

use std::iter::Peekable;
use std::str::Chars;

/// A text that `regex` matches as a whole, for the usual expressions in paths: literals, classes, groups, alternatives
/// and repetitions. Others give a text that does not match, or `None`.
pub(crate) fn sample(regex: &str) -> Option<String> {
    let mut letters = regex.chars().peekable();
    let text = alternatives(&mut letters)?;
    letters.next().is_none().then_some(text)
}

type Letters<'r> = Peekable<Chars<'r>>;

/// The first of several alternatives.
fn alternatives(letters: &mut Letters<'_>) -> Option<String> {
    let first = sequence(letters)?;
    while letters.next_if_eq(&'|').is_some() {
        sequence(letters)?;
    }
    Some(first)
}

fn sequence(letters: &mut Letters<'_>) -> Option<String> {
    let mut text = String::new();
    while let Some(letter) = letters.next_if(|letter| !matches!(letter, '|' | ')')) {
        let part = match letter {
            '^' | '$' => continue,
            '(' => group(letters)?,
            '[' => class(letters)?.to_string(),
            '.' => "x".to_owned(),
            '\\' => escape(letters.next()?).to_string(),
            letter => letter.to_string(),
        };
        text.push_str(&part.repeat(repetition(letters)?));
    }
    Some(text)
}

fn group(letters: &mut Letters<'_>) -> Option<String> {
    if letters.next_if_eq(&'?').is_some() {
        // `(?:` or `(?P<name>`; other groups are not for texts.
        let mut kind = letters.next()?;
        if kind == 'P' {
            kind = letters.next()?;
        }
        if kind == '<' {
            letters.by_ref().find(|letter| *letter == '>')?;
        } else if kind != ':' {
            return None;
        }
    }
    let text = alternatives(letters)?;
    letters.next_if_eq(&')').map(|_| text)
}

/// A letter of a class.
fn class(letters: &mut Letters<'_>) -> Option<char> {
    let is_negated = letters.next_if_eq(&'^').is_some();
    let mut members = Vec::new();
    while let Some(letter) = letters.next_if(|letter| *letter != ']' || members.is_empty()) {
        members.push(match letter {
            '\\' => escape(letters.next()?),
            letter => letter,
        });
    }
    letters.next()?;
    if is_negated {
        let mut candidates = ['x', 'y', '1', '-', '_'].into_iter();
        candidates.find(|letter| !members.contains(letter))
    } else {
        members.first().copied()
    }
}

/// What `\` and this letter stand for.
fn escape(letter: char) -> char {
    match letter {
        'd' => '1',
        'w' | 'S' | 'D' => 'x',
        's' => ' ',
        letter => letter,
    }
}

/// How often the last part is repeated: at least once, even if it may be left out.
fn repetition(letters: &mut Letters<'_>) -> Option<usize> {
    let mut times = 1;
    if letters.next_if_eq(&'{').is_some() {
        let mut digits = String::new();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        times = digits.parse::<usize>().ok()?.min(100);
        letters.by_ref().find(|letter| *letter == '}')?;
    } else {
        letters.next_if(|letter| matches!(letter, '*' | '+' | '?'));
    }
    // Lazy.
    letters.next_if_eq(&'?');
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn usual_expressions_have_a_sample() {
        for (regex, text) in [
            ("/re/[a-z]+", "/re/a"),
            ("^/v(1|2)/.*$", "/v1/x"),
            ("/a\\.b/\\d{3}", "/a.b/111"),
            ("/[^/]+/(?:x|y)?", "/x/x"),
            ("/(?P<id>[0-9]+)", "/0"),
            (".*", "x"),
        ] {
            assert_eq!(sample(regex).as_deref(), Some(text), "{regex}");
        }
        assert_eq!(sample("(a"), None);
    }
}
