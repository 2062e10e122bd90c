//! JSON as it is shown: compact, indented, coloured.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::error::drives_terminal;

/// How answers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) is_indented: bool,
    pub(super) is_colored: bool,
    /// Whether characters that could control a terminal are escaped.
    pub(super) is_safe: bool,
}

/// Lays out compact JSON token by token, so that depth costs nothing. Colours are jq's.
pub(super) struct Layout<'a, W> {
    out: &'a mut W,
    style: Style,
    depth: usize,
}

pub(super) const RESET: &str = "\x1b[0m";
const BRACKET: &str = "\x1b[1;39m";
const KEY: &str = "\x1b[34;1m";
const STRING: &str = "\x1b[0;32m";
const NULL: &str = "\x1b[1;30m";
const SCALAR: &str = "\x1b[0;39m";

impl<'a, W: Write> Layout<'a, W> {
    pub(super) fn new(out: &'a mut W, style: Style) -> Self {
        Layout { out, style, depth: 0 }
    }

    pub(super) fn write(&mut self, json: &[u8]) -> io::Result<()> {
        let mut rest = json;
        while let [first, ..] = rest {
            let length = match first {
                b'"' => string_length(rest),
                b'{' | b'[' if matches!(rest.get(1), Some(b'}' | b']')) => 2,
                b'{' | b'[' | b'}' | b']' | b',' | b':' => 1,
                _ => {
                    rest.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(rest.len())
                }
            };
            let (token, tail) = rest.split_at(length);
            self.token(token, tail.first() == Some(&b':'))?;
            rest = tail;
        }
        Ok(())
    }

    fn token(&mut self, token: &[u8], is_key: bool) -> io::Result<()> {
        let color = match token {
            [b'"', ..] if is_key => KEY,
            [b'"', ..] => STRING,
            b"null" => NULL,
            [b'{' | b'[' | b'}' | b']' | b',' | b':', ..] => BRACKET,
            _ => SCALAR,
        };
        if let b"}" | b"]" = token {
            self.depth -= 1;
            self.new_line()?;
        }
        let text = self.style.is_safe.then(|| String::from_utf8_lossy(token));
        match text.filter(|text| text.contains(drives_terminal)) {
            Some(text) => self.colored(color, escaped(&text, |_| false).as_bytes())?,
            None => self.colored(color, token)?,
        }
        match token {
            b"{" | b"[" => {
                self.depth += 1;
                self.new_line()
            }
            b"," => self.new_line(),
            b":" if self.style.is_indented => self.out.write_all(b" "),
            _ => Ok(()),
        }
    }

    fn colored(&mut self, color: &str, token: &[u8]) -> io::Result<()> {
        if !self.style.is_colored {
            return self.out.write_all(token);
        }
        self.out.write_all(color.as_bytes())?;
        self.out.write_all(token)?;
        self.out.write_all(RESET.as_bytes())
    }

    fn new_line(&mut self) -> io::Result<()> {
        if !self.style.is_indented {
            return Ok(());
        }
        self.out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| self.out.write_all(b"  "))
    }
}

/// A document as it was served, with characters that could control a terminal escaped as in JSON.
/// Bytes that are not UTF-8 are shown as U+FFFD.
pub(super) fn served(document: &[u8]) -> String {
    let text = String::from_utf8_lossy(document);
    // These are safe on a terminal.
    let text = text.replace("\r\n", "\n");
    escaped(&text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, is_kept: fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if !drives_terminal(c) || is_kept(c) {
            safe.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe
}

/// The length of the string that the JSON starts with, quotes included.
fn string_length(json: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

/// A document without white space. Keys and numbers stay as they were written, strings are
/// escaped no more than JSON wants: Go's encoders write `<` as `\u003c`.
pub(crate) fn compacted(json: &[u8]) -> Vec<u8> {
    let mut compact = Vec::with_capacity(json.len());
    let mut rest = json;
    while let [first, tail @ ..] = rest {
        let length = if *first == b'"' { string_length(rest) } else { 1 };
        if first.is_ascii_whitespace() {
            rest = tail;
            continue;
        }
        compact.extend_from_slice(&unescaped(&rest[..length]));
        rest = &rest[length..];
    }
    compact
}

/// A string with only the escapes that JSON requires; anything else is returned unchanged.
fn unescaped(token: &[u8]) -> Cow<'_, [u8]> {
    if !token.contains(&b'\\') {
        return Cow::Borrowed(token);
    }
    let text = serde_json::from_slice::<String>(token);
    let written = text.and_then(|text| serde_json::to_vec(&text));
    written.map_or(Cow::Borrowed(token), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(json: &str, style: Style) -> String {
        let mut out = Vec::new();
        Layout::new(&mut out, style).write(json.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    const INDENTED: Style = Style { is_indented: true, is_colored: false, is_safe: false };

    #[test]
    fn json_is_indented_by_two() {
        let json = r#"{"a":[1.0,{"b\"]":null}],"c":{},"d":[],"e":"x,y:{\\"}"#;
        let lines = "{\n  \"a\": [\n    1.0,\n    {\n      \"b\\\"]\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": \"x,y:{\\\\\"\n}";
        assert_eq!(laid_out(json, INDENTED), lines);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let style = Style { is_indented: false, is_colored: false, is_safe: true };
        assert_eq!(laid_out(&deep, style), deep);
    }

    #[test]
    fn what_could_drive_a_terminal_is_escaped_as_json() {
        let style = Style { is_safe: true, is_indented: false, ..INDENTED };
        assert_eq!(
            laid_out("\"a\u{9b}\u{202e}\u{e0041}é\"", style),
            r#""a\u009b\u202e\udb40\udc41é""#
        );
    }

    #[test]
    fn a_served_document_keeps_its_lines() {
        let document = b"{\r\n\t\"a\":\"\x1b[2J\r\xc2\x9b\x9b\xe2\x80\xae\"\n}";
        let shown = "{\n\t\"a\":\"\\u001b[2J\\u000d\\u009b\u{fffd}\\u202e\"\n}";
        assert_eq!(served(document), shown);
    }

    #[test]
    fn colours_are_jqs() {
        let style = Style { is_colored: true, is_indented: false, ..INDENTED };
        let colored = laid_out(r#"{"a":null}"#, style);
        assert_eq!(
            colored,
            "\x1b[1;39m{\x1b[0m\x1b[34;1m\"a\"\x1b[0m\x1b[1;39m:\x1b[0m\x1b[1;30mnull\x1b[0m\x1b[1;39m}\x1b[0m"
        );
    }

    #[test]
    fn a_document_keeps_its_numbers_and_keys() {
        let document =
            "{ \"b\" : 1e2,\n\t\"a\":[ 1.0 , -0,1E+400 ],\"b\":\"\\u003c\\/ \\\"\",\"c\":{ } }\r\n";
        let expected = r#"{"b":1e2,"a":[1.0,-0,1E+400],"b":"</ \"","c":{}}"#;
        assert_eq!(String::from_utf8(compacted(document.as_bytes())).unwrap(), expected);
    }
}
