//! Standard output: what a person or a script gets to see, and how.

mod layout;
mod table;

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, IsTerminal, Read, Stdout, Write};
use std::thread;

use serde_json::Value;

use crate::error::{Error, Kind, Result, printable};
use crate::machine;
use crate::text::{Color, Text};
pub(crate) use layout::compacted;
use layout::{Layout, RESET, Style, served};
pub(crate) use table::Table;

pub(crate) struct Output {
    out: BufWriter<Stdout>,
    style: Style,
    /// Why nothing more can be written.
    failure: Option<ErrorKind>,
}

impl Output {
    /// Without a `color`, a terminal gets colours. `raw` puts computed JSON on one line.
    pub(crate) fn new(color: Option<bool>, raw: bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let style = Style {
            is_indented: !raw,
            is_colored: color.unwrap_or(is_terminal),
            is_safe: is_terminal,
        };
        Output { out: BufWriter::with_capacity(64 << 10, stdout), style, failure: None }
    }

    /// For content that is written without any formatting.
    pub(crate) fn raw() -> Self {
        Output::new(Some(false), true)
    }

    /// Whether something could not be written.
    pub(crate) fn is_broken(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether the reader closed the output, which is not an error.
    pub(crate) fn is_closed(&self) -> bool {
        self.failure == Some(ErrorKind::BrokenPipe)
    }

    /// Exactly these bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.out.write_all(bytes);
        self.done(written)
    }

    /// A line, or several.
    pub(crate) fn text(&mut self, text: &Text) -> Result<()> {
        for (part, color) in text.parts() {
            match color {
                Some(color) if self.style.is_colored => {
                    self.bytes(sequence(color).as_bytes())?;
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
        let lines: Vec<_> = text.split('\n').map(printable).collect();
        self.bytes(lines.join("\n").as_bytes())
    }

    /// A document as it was served: every byte to pipes and files; on a terminal with control
    /// characters escaped.
    pub(crate) fn served(&mut self, document: &[u8]) -> Result<()> {
        match self.style.is_safe {
            true => self.bytes(served(document).as_bytes()),
            false => self.bytes(document),
        }
    }

    /// The same of content of any length.
    pub(crate) fn copy(&mut self, mut content: impl Read) -> Result<()> {
        if !self.style.is_safe {
            io::copy(&mut content, self)?;
            return Ok(());
        }
        let mut content = BufReader::new(content);
        let mut line = Vec::new();
        while content.by_ref().take(64 << 10).read_until(b'\n', &mut line)? > 0 {
            self.served(&line)?;
            line.clear();
        }
        Ok(())
    }

    /// A document's JSON, with numbers and keys as they were written.
    pub(crate) fn content(&mut self, json: &[u8]) -> Result<()> {
        self.json(&compacted(json))
    }

    /// Indented, or on one line with `--raw`.
    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        self.json(&compact(value))
    }

    /// On one line, from JSON without white space in parts that end between tokens.
    pub(crate) fn line(&mut self, parts: &[&str]) -> Result<()> {
        let style = Style { is_indented: false, ..self.style };
        self.styled(parts.iter().map(|part| part.as_bytes()), style)
    }

    /// As [`Output::value`], from JSON without white space.
    pub(crate) fn json(&mut self, compact: &[u8]) -> Result<()> {
        self.styled([compact].into_iter(), self.style)
    }

    fn styled<'a>(
        &mut self,
        mut parts: impl Iterator<Item = &'a [u8]>,
        style: Style,
    ) -> Result<()> {
        let written = if style == (Style { is_indented: false, is_colored: false, is_safe: false })
        {
            parts.try_for_each(|part| self.out.write_all(part))
        } else {
            let mut layout = Layout::new(&mut self.out, style);
            parts.try_for_each(|part| layout.write(part))
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
            self.failure = Some(error.kind());
            Error::new(Kind::Local, format!("standard output: {}", Error::from(error)))
        })
    }
}

/// Calls `end` as soon as the reader closes the output, even while nothing is written.
pub(crate) fn when_closed(end: impl FnOnce() + Send + 'static) {
    if is_terminal() {
        return;
    }
    let watch = move || {
        machine::await_close(io::stdout());
        end();
    };
    // Without a thread, the next write finds out.
    let _ = thread::Builder::new().spawn(watch);
}

/// Whether what is written goes to a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Shows the help or another page of the program's own and gives the exit code.
pub(crate) fn show(page: &str) -> Result<u8> {
    let mut out = Output::raw();
    let written = out.bytes(page.as_bytes()).and_then(|()| out.flush());
    if out.is_closed() { Ok(0) } else { written.map(|()| 0) }
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

/// manifest-tool's colours.
fn sequence(color: Color) -> &'static str {
    match color {
        Color::Red => "\x1b[1;31m",
        Color::Green => "\x1b[1;32m",
        Color::Yellow => "\x1b[1;33m",
        Color::Blue => "\x1b[1;34m",
    }
}

fn compact(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a value without non-string keys is JSON")
}
