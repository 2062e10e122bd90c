//! Text of which parts stand out where colours are wanted, and how things are written in words.

use std::fmt::Display;

use unicode_width::UnicodeWidthChar;

#[derive(Clone, Debug, Default)]
pub(crate) struct Text(Vec<(String, Option<Color>)>);

/// How a part stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Red,
    Green,
    Yellow,
    Blue,
}

impl Text {
    pub(crate) fn plain(&mut self, part: impl Display) -> &mut Self {
        self.0.push((part.to_string(), None));
        self
    }

    pub(crate) fn colored(&mut self, color: Color, part: impl Display) -> &mut Self {
        self.0.push((part.to_string(), Some(color)));
        self
    }

    /// Without the line end that it ends with: whoever prints it adds one.
    pub(crate) fn without_line_end(mut self) -> Self {
        if let Some((last, _)) = self.0.last_mut()
            && last.ends_with('\n')
        {
            last.pop();
        }
        self
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, Option<Color>)> {
        self.0.iter().map(|(part, color)| (part.as_str(), *color))
    }
}

/// How many columns of a terminal it takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The same of a character: two for East Asian ones and emoji, none for marks.
pub(crate) fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// A size in words, in powers of ten: `0 B`, `1.2 kB`, `34 MB`.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB"] {
        if value < 999.5 {
            let digits = usize::from(value < 9.95 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} GB")
}

/// As a word of the shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A line for the shell, in which only those words are quoted that have to be.
pub(crate) fn words(words: &[&str]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,%+".contains(c);
    let word = |word: &&str| match !word.is_empty() && word.chars().all(is_plain) {
        true => (*word).to_owned(),
        false => quoted(word),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Text(vec![(text.into(), None)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_words() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1234, "1.2 kB"),
            (34_567_890, "35 MB"),
            (999_999, "1.0 MB"),
            (5_000_000_000, "5.0 GB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }

    #[test]
    fn words_stay_words_of_the_shell() {
        let line = words(&["docker", "pull", "a/b:v1@sha256:00", "it's $x", ""]);
        assert_eq!(line, r"docker pull a/b:v1@sha256:00 'it'\''s $x' ''");
    }
}
