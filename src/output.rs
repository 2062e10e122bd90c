//! Standard output: what a person or a script gets to see, and how.

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use serde_json::Value;

use crate::error::{Error, Kind, Result, drives_terminal, printable};
use crate::text::{Hue, Text};

/// When answers are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

pub(crate) struct Output {
    out: BufWriter<Stdout>,
    style: Style,
    is_closed: bool,
}

/// How answers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Style {
    is_indented: bool,
    is_colored: bool,
    /// Whether what could drive a terminal is escaped.
    is_safe: bool,
}

impl Output {
    /// `raw` puts computed JSON on one line.
    pub(crate) fn new(color: Color, raw: bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let is_colored = match color {
            Color::Auto => is_terminal,
            Color::Always => true,
            Color::Never => false,
        };
        let style = Style {
            is_indented: !raw,
            is_colored,
            is_safe: is_terminal,
        };
        Output {
            out: BufWriter::with_capacity(64 << 10, stdout),
            style,
            is_closed: false,
        }
    }

    /// For bytes that are nobody's answer but the content itself.
    pub(crate) fn raw() -> Self {
        Output::new(Color::Never, true)
    }

    /// Whether the reader went away: nothing more needs to be said, and nothing went wrong.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Exactly these bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.out.write_all(bytes);
        self.done(written)
    }

    /// A line, or several.
    pub(crate) fn text(&mut self, text: &Text) -> Result<()> {
        for (part, hue) in text.parts() {
            match hue {
                Some(hue) if self.style.is_colored => {
                    self.bytes(sequence(hue).as_bytes())?;
                    self.part(part)?;
                    self.bytes(RESET.as_bytes())?;
                }
                _ => self.part(part)?,
            }
        }
        self.bytes(b"\n")
    }

    /// A string that a filter gives.
    pub(crate) fn string(&mut self, text: &str) -> Result<()> {
        self.part(text)?;
        self.bytes(b"\n")
    }

    fn part(&mut self, text: &str) -> Result<()> {
        if !self.style.is_safe {
            return self.bytes(text.as_bytes());
        }
        let mut safe = String::new();
        for line in text.split_inclusive('\n') {
            let (line, end) = line
                .strip_suffix('\n')
                .map_or((line, ""), |line| (line, "\n"));
            printable(&mut safe, line).expect("a String takes everything");
            safe.push_str(end);
        }
        self.bytes(safe.as_bytes())
    }

    /// Indented, or on one line with `--raw`.
    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        self.json(&compact(value))
    }

    /// On one line.
    pub(crate) fn line(&mut self, value: &Value) -> Result<()> {
        let style = Style {
            is_indented: false,
            ..self.style
        };
        self.styled(&compact(value), style)
    }

    /// As [`Output::value`], from JSON without white space.
    pub(crate) fn json(&mut self, compact: &[u8]) -> Result<()> {
        self.styled(compact, self.style)
    }

    fn styled(&mut self, compact: &[u8], style: Style) -> Result<()> {
        let written = if style
            == (Style {
                is_indented: false,
                is_colored: false,
                is_safe: false,
            }) {
            self.out.write_all(compact)
        } else {
            Layout {
                out: &mut self.out,
                style,
                depth: 0,
            }
            .write(compact)
        };
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        self.done(written)
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        let flushed = self.out.flush();
        self.done(flushed)
    }

    fn done(&mut self, written: io::Result<()>) -> Result<()> {
        written.map_err(|error| {
            self.is_closed |= error.kind() == ErrorKind::BrokenPipe;
            Error::new(
                Kind::Local,
                format!("standard output: {}", Error::from(error)),
            )
        })
    }
}

/// Whether what is written goes to a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Shows the help or another page of the program's own and gives the exit code.
pub(crate) fn show(page: &str) -> Result<u8> {
    let mut out = Output::raw();
    let written = out.bytes(page.as_bytes()).and_then(|()| out.flush());
    if out.is_closed() {
        Ok(0)
    } else {
        written.map(|()| 0)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(Output::flush(self)?)
    }
}

fn compact(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a value without non-string keys is JSON")
}

/// Lays out compact JSON token by token, so that depth costs nothing. Colours are jq's.
struct Layout<'a, W> {
    out: &'a mut W,
    style: Style,
    depth: usize,
}

const RESET: &str = "\x1b[0m";
const BRACKET: &str = "\x1b[1;39m";
const KEY: &str = "\x1b[34;1m";
const STRING: &str = "\x1b[0;32m";
const NULL: &str = "\x1b[1;30m";
const SCALAR: &str = "\x1b[0;39m";

/// manifest-tool's colours.
fn sequence(hue: Hue) -> &'static str {
    match hue {
        Hue::Red => "\x1b[1;31m",
        Hue::Green => "\x1b[1;32m",
        Hue::Yellow => "\x1b[1;33m",
        Hue::Blue => "\x1b[1;34m",
    }
}

impl<W: Write> Layout<'_, W> {
    fn write(&mut self, json: &[u8]) -> io::Result<()> {
        let mut rest = json;
        while let [first, ..] = rest {
            let length = match first {
                b'"' => string_length(rest),
                b'{' | b'[' if matches!(rest.get(1), Some(b'}' | b']')) => 2,
                b'{' | b'[' | b'}' | b']' | b',' | b':' => 1,
                _ => rest
                    .iter()
                    .position(|b| matches!(b, b',' | b'}' | b']'))
                    .unwrap_or(rest.len()),
            };
            let (token, tail) = rest.split_at(length);
            self.token(token, tail.first() == Some(&b':'))?;
            rest = tail;
        }
        Ok(())
    }

    fn token(&mut self, token: &[u8], is_key: bool) -> io::Result<()> {
        match token {
            b"{" | b"[" => {
                self.colored(BRACKET, token)?;
                self.depth += 1;
                self.new_line()
            }
            b"}" | b"]" => {
                self.depth -= 1;
                self.new_line()?;
                self.colored(BRACKET, token)
            }
            b"," => {
                self.colored(BRACKET, token)?;
                self.new_line()
            }
            b":" => {
                self.colored(BRACKET, token)?;
                if self.style.is_indented {
                    self.out.write_all(b" ")
                } else {
                    Ok(())
                }
            }
            b"{}" | b"[]" => self.colored(BRACKET, token),
            [b'"', ..] => self.string(if is_key { KEY } else { STRING }, token),
            b"null" => self.colored(NULL, token),
            _ => self.colored(SCALAR, token),
        }
    }

    fn string(&mut self, color: &str, token: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(token);
        if !self.style.is_safe || !text.contains(drives_terminal) {
            return self.colored(color, token);
        }
        let mut safe = String::with_capacity(text.len());
        for c in text.chars() {
            if drives_terminal(c) {
                let mut units = [0; 2];
                safe.extend(
                    c.encode_utf16(&mut units)
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}")),
                );
            } else {
                safe.push(c);
            }
        }
        self.colored(color, safe.as_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(json: &str, style: Style) -> String {
        let mut out = Vec::new();
        Layout {
            out: &mut out,
            style,
            depth: 0,
        }
        .write(json.as_bytes())
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    const INDENTED: Style = Style {
        is_indented: true,
        is_colored: false,
        is_safe: false,
    };

    #[test]
    fn json_is_indented_by_two() {
        let json = r#"{"a":[1.0,{"b\"]":null}],"c":{},"d":[],"e":"x,y:{\\"}"#;
        let lines = "{\n  \"a\": [\n    1.0,\n    {\n      \"b\\\"]\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": \"x,y:{\\\\\"\n}";
        assert_eq!(laid_out(json, INDENTED), lines);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let style = Style {
            is_indented: false,
            is_colored: false,
            is_safe: true,
        };
        assert_eq!(laid_out(&deep, style), deep);
    }

    #[test]
    fn what_could_drive_a_terminal_is_escaped_as_json() {
        let style = Style {
            is_safe: true,
            is_indented: false,
            ..INDENTED
        };
        assert_eq!(
            laid_out("\"a\u{9b}\u{202e}\u{e0041}é\"", style),
            r#""a\u009b\u202e\udb40\udc41é""#
        );
    }

    #[test]
    fn colours_are_jqs() {
        let style = Style {
            is_colored: true,
            is_indented: false,
            ..INDENTED
        };
        let colored = laid_out(r#"{"a":null}"#, style);
        assert_eq!(
            colored,
            "\x1b[1;39m{\x1b[0m\x1b[34;1m\"a\"\x1b[0m\x1b[1;39m:\x1b[0m\x1b[1;30mnull\x1b[0m\x1b[1;39m}\x1b[0m"
        );
    }
}
