//! The markup of the table's long texts: `code` in backticks, a blank line between
//! paragraphs, lines that start with two spaces are kept as they are.

const WIDTH: usize = 79;

pub(super) enum Block<'a> {
    /// One line, with markup.
    Paragraph(String),
    /// Without the two spaces.
    Literal(Vec<&'a str>),
}

pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match (blocks.last_mut(), line.strip_prefix("  ")) {
            _ if line.is_empty() => {}
            (Some(Block::Literal(lines)), Some(line)) if open => lines.push(line),
            (Some(Block::Paragraph(text)), None) if open => {
                text.push(' ');
                text.push_str(line);
            }
            (_, Some(line)) => blocks.push(Block::Literal(vec![line])),
            (_, None) => blocks.push(Block::Paragraph(line.to_owned())),
        }
        open = !line.is_empty();
    }
    blocks
}

/// The pieces of a paragraph, and whether each is code.
pub(super) fn spans(paragraph: &str) -> impl Iterator<Item = (&str, bool)> {
    let pieces = paragraph.split('`').enumerate();
    pieces.map(|(i, piece)| (piece, i % 2 == 1))
}

/// For a terminal: wrapped, without markup, each line indented.
pub(super) fn plain(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let shown = blocks(text).into_iter().map(|block| match block {
        Block::Paragraph(text) => {
            let text = text.replace('`', "");
            let lines = wrap(text.split(' '), " ", WIDTH - indent);
            lines.iter().map(|line| format!("{margin}{line}\n")).collect::<String>()
        }
        Block::Literal(lines) => lines.iter().map(|line| format!("{margin}  {line}\n")).collect(),
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// Lines of `items`, which are never divided.
pub(super) fn wrap<'a>(
    items: impl IntoIterator<Item = &'a str>,
    between: &str,
    width: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        let length = between.len() + item.chars().count();
        match lines.last_mut() {
            Some(line) if line.chars().count() + length <= width => {
                line.push_str(between);
                line.push_str(item);
            }
            _ => lines.push(item.to_owned()),
        }
    }
    lines
}

/// Two columns: `left` padded to `width`, `right` wrapped beside it.
pub(super) fn beside(left: &str, width: usize, right: &str) -> String {
    let mut shown = String::new();
    let mut left = left;
    for line in wrap(right.split(' '), " ", WIDTH - width) {
        shown.push_str(format!("{left:width$}{line}").trim_end());
        shown.push('\n');
        left = "";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_and_literal_lines_kept() {
        let long = "word ".repeat(20);
        let text = format!("One\n`two`.\n  a  b\n    c\n\n{}", long.trim());
        let wrapped = format!("  {}\n  {}\n", "word ".repeat(15).trim(), "word ".repeat(5).trim());
        assert_eq!(plain(&text, 2), format!("  One two.\n\n    a  b\n      c\n\n{wrapped}"));
    }

    #[test]
    fn code_is_told_from_prose() {
        let pieces: Vec<_> = spans("`-r` and `-v`").collect();
        assert_eq!(
            pieces,
            [("", false), ("-r", true), (" and ", false), ("-v", true), ("", false)]
        );
    }
}
