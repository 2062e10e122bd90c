//! Text and fonts in the language of man pages.

use super::text::{spans, wrap};

/// In lines of the length that mandoc wants, folded where a space is.
pub(super) fn folded(roff: &str, fold: &str) -> String {
    wrap(roff.split(' '), " ", 76).into_iter().map(guarded).collect::<Vec<_>>().join(fold)
}

/// A paragraph with its code in bold.
pub(super) fn marked(paragraph: &str) -> String {
    let pieces = spans(paragraph).map(|(piece, code)| match code {
        true => bold(piece),
        false => inner(piece),
    });
    pieces.collect()
}

pub(super) fn bold(text: &str) -> String {
    font('B', text)
}

pub(super) fn italic(text: &str) -> String {
    font('I', text)
}

fn font(font: char, text: &str) -> String {
    match text {
        "" => String::new(),
        _ => format!(r"\f{font}{}\fR", inner(text)),
    }
}

/// A line of its own, shown as it is.
pub(super) fn escape(text: &str) -> String {
    guarded(inner(text))
}

/// A line that is no request, whatever it starts with.
fn guarded(line: String) -> String {
    match line.starts_with('.') {
        true => format!(r"\&{line}"),
        false => line,
    }
}

/// Each character as itself: roff would set some of them as typographic ones
/// (groff_char(7)). The apostrophe cannot start a request, since it is escaped.
fn inner(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\e"),
            '-' => out.push_str(r"\-"),
            '\'' => out.push_str(r"\(aq"),
            '"' => out.push_str(r"\(dq"),
            '`' => out.push_str(r"\(ga"),
            '^' => out.push_str(r"\(ha"),
            '~' => out.push_str(r"\(ti"),
            c if c.is_ascii() => out.push(c),
            c => out.push_str(&format!(r"\[u{:04X}]", u32::from(c))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_shown_as_itself() {
        for (text, roff) in [
            (".TH x", r"\&.TH x"),
            ("'x' \"y\"", r"\(aqx\(aq \(dqy\(dq"),
            (r"a\nb", r"a\enb"),
            ("--raw", r"\-\-raw"),
            ("~/^`", r"\(ti/\(ha\(ga"),
            ("…", r"\[u2026]"),
        ] {
            assert_eq!(escape(text), roff, "{text}");
        }
        assert_eq!(marked("`.a` or `-r`."), r"\fB.a\fR or \fB\-r\fR.");
    }
}
