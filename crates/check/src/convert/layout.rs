//! Lines and columns of a text.

/// The position where the line of `position` begins.
pub(super) fn line_start(text: &str, position: usize) -> usize {
    let before = text.get(..position).unwrap_or_default();
    before
        .rfind('\n')
        .map_or(0, |index| index.saturating_add(1))
}

/// The position where the line of `position` ends, before its line break.
pub(super) fn line_end(text: &str, position: usize) -> usize {
    let after = text.get(position..).unwrap_or_default();
    let length = after.find('\n').unwrap_or(after.len());
    let end = position.saturating_add(length);
    let is_crlf = text.get(..end).is_some_and(|before| before.ends_with('\r'));
    if is_crlf && length > 0 {
        end.saturating_sub(1)
    } else {
        end
    }
}

/// How many bytes precede `position` on its line.
pub(super) fn column(text: &str, position: usize) -> usize {
    position.saturating_sub(line_start(text, position))
}

/// How many spaces the line of `position` begins with.
pub(super) fn indentation(text: &str, position: usize) -> usize {
    let line = text.get(line_start(text, position)..).unwrap_or_default();
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// Whether only spaces precede `position` on its line.
pub(super) fn begins_line(text: &str, position: usize) -> bool {
    column(text, position) == indentation(text, position)
}

/// The text with every line but the first moved by `columns` to the right or left.
pub(super) fn moved(text: &str, columns: isize) -> String {
    let mut lines = text.split('\n');
    let mut moved = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        moved.push('\n');
        if line.is_empty() || line == "\r" {
            moved.push_str(line);
        } else if columns >= 0 {
            moved.push_str(&" ".repeat(columns.unsigned_abs()));
            moved.push_str(line);
        } else {
            let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
            let cut = spaces.min(columns.unsigned_abs());
            moved.push_str(line.get(cut..).unwrap_or_default());
        }
    }
    moved
}

/// The text as lines of comments with this prefix, none much longer than 110 columns.
pub(super) fn comment(text: &str, indent: usize) -> String {
    let limit = 110_usize.saturating_sub(indent).max(50);
    let before = " ".repeat(indent);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, hanging) = match paragraph.strip_prefix("- ") {
            Some(_) => ("#  ".to_owned(), "#    "),
            None => ("#".to_owned(), "#  "),
        };
        for word in paragraph.split(' ') {
            if line.len().saturating_add(word.len()) > limit && line.len() > hanging.len() {
                lines.push(format!("{before}{line}\n"));
                hanging.clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        lines.push(format!("{before}{line}\n"));
    }
    lines.concat()
}
