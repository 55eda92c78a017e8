//! Why a text that is neither JSON nor YAML may be so, and what to do.

/// A sentence that follows the error of the parser; empty if there is nothing to say.
pub(crate) fn hint(text: &str) -> &'static str {
    if ["{{", "{%", "<%"].iter().any(|mark| text.contains(mark)) {
        "; it looks like a template: render it first, and give the result"
    } else if has_comment(text) {
        "; it looks like JSON with comments, which JSON does not have: take them out, or write YAML, where comments begin \
         with #"
    } else if text.lines().any(|line| line.starts_with('\t')) {
        "; YAML is not indented with tabs: use spaces"
    } else {
        ""
    }
}

/// Whether a line is a comment of JavaScript, in something that begins like JSON.
fn has_comment(text: &str) -> bool {
    let is_comment = |line: &str| {
        let line = line.trim_start();
        line.starts_with("//")
            || line.starts_with("/*")
            || line.contains(" // ")
            || line.contains(" /* ")
    };
    let mut lines = text.lines();
    lines.any(is_comment) && text.contains('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_comments_and_tabs_are_recognised() {
        for (text, says) in [
            ("a: {{ .Values.a }}\n", "template"),
            ("{\n  // why\n  \"a\": 1\n}", "comments"),
            ("{\"a\": 1 /* one */ }", "comments"),
            ("a:\n\tb: 1\n", "tabs"),
        ] {
            assert!(hint(text).contains(says), "{text}");
        }
        assert_eq!(hint("a: https://b.example\n"), "");
    }
}
