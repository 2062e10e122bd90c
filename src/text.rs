//! Text of which parts stand out where colours are wanted.

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

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Text(vec![(text.into(), None)])
    }
}
