//! Answers as a table for people: a line for each object, a column for each of its members.
//!
//! The rows are made twice, to be measured and to be printed, so that only one is in memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;

use serde_json::{Map, Value};

mod cell;

use super::Output;
use crate::error::{Error, Kind, Result};
use crate::json;
use crate::machine;
use crate::text::{Color, Text, width};
use cell::{Cell, NOTHING, Place, cut, title};

/// How many columns a table may have.
const MOST: usize = 256;

/// How wide a column may become where no terminal cuts it; what is longer stands over.
const WIDEST: usize = 200;

/// How narrow texts may become on a terminal before digests and ages do, and how narrow all may.
const NARROW: usize = 6;
const NARROWEST: usize = 4;

/// The bar of the greatest size.
const BAR: usize = 10;

/// What stands between columns.
const GAP: usize = 2;

/// How many bytes of answers make one table; more make another below it.
const FULL: usize = 8 << 20;

/// Answers, or results of a filter, that make one table.
pub(crate) struct Table<'a> {
    /// What keys are called, such as platforms, and values that are no objects.
    keys: &'static str,
    values: &'static str,
    /// The time in seconds since 1970.
    now: u64,
    /// Each as JSON without white space, in a batch with its image.
    answers: Vec<(Option<String>, Cow<'a, str>)>,
    /// How many bytes these have.
    bytes: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn new(keys: &'static str, values: &'static str, now: u64) -> Self {
        Table { keys, values, now, answers: Vec::new(), bytes: 0 }
    }

    pub(crate) fn push(&mut self, image: Option<&str>, json: impl Into<Cow<'a, str>>) {
        let json = json.into();
        self.bytes += json.len() + size_of::<Cow<str>>();
        self.answers.push((image.map(str::to_owned), json));
    }

    /// What is there, which is then there no more.
    pub(crate) fn take(&mut self) -> Self {
        let (answers, bytes) = (mem::take(&mut self.answers), mem::take(&mut self.bytes));
        Table { answers, bytes, ..*self }
    }

    /// Whether it is to be printed before more is added.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > FULL
    }

    /// Hands over each answer, of an array each item.
    fn items(&self, each: &mut dyn FnMut(Option<&str>, &Value) -> Result<()>) -> Result<()> {
        for (image, json) in &self.answers {
            let items = match json.starts_with('[') {
                true => json::items(json.as_bytes())?,
                false => vec![json.as_bytes()],
            };
            items.iter().try_for_each(|item| each(image.as_deref(), &json::parse(item)?))?;
        }
        Ok(())
    }

    /// Hands over the rows: one for each item; of an object whose members are objects or arrays of
    /// objects, one for each of these; of another that is alone, one for each member.
    fn rows(&self, each: &mut dyn FnMut(&[Cell]) -> Result<()>) -> Result<()> {
        let is_alone = matches!(&self.answers[..], [(None, json)] if json.starts_with('{'));
        self.items(&mut |image, item| {
            let image = image.map(|image| Cell::plain(Place::Image, image));
            let row = |key: Option<&str>, value: &Value| -> Vec<Cell> {
                let key = key.map(|key| Cell::plain(Place::Key, key));
                let lead = image.iter().cloned().chain(key);
                match value {
                    Value::Object(members) => {
                        let cell = |(key, value): (&String, _)| {
                            Cell::of(Place::Member(key.clone()), key, value, self.now)
                        };
                        lead.chain(members.iter().map(cell)).collect()
                    }
                    value => {
                        lead.chain([Cell::of(Place::Value, self.values, value, self.now)]).collect()
                    }
                }
            };
            match item {
                Value::Object(members) if is_keyed(members) => {
                    members.iter().try_for_each(|(key, value)| match value {
                        Value::Array(items) => {
                            items.iter().try_for_each(|item| each(&row(Some(key), item)))
                        }
                        value => each(&row(Some(key), value)),
                    })
                }
                Value::Object(members) if is_alone => {
                    members.iter().try_for_each(|(key, value)| {
                        let value =
                            Cell { number: None, ..Cell::of(Place::Value, key, value, self.now) };
                        each(&[Cell::plain(Place::Key, key), value])
                    })
                }
                item => each(&row(None, item)),
            }
        })
    }

    /// The columns, and whether there is more than one row.
    fn measured(&self) -> Result<(Vec<Column>, bool)> {
        let (mut columns, mut places, mut rows) = (Vec::new(), HashMap::new(), 0);
        self.rows(&mut |row| {
            rows += 1;
            for cell in row {
                let at = *places.entry(cell.place.clone()).or_insert(columns.len());
                if at == columns.len() {
                    columns.push(Column::new(self, cell.place.clone()));
                }
                columns[at].measure(cell);
            }
            match columns.len() > MOST {
                true => {
                    Err(Error::new(Kind::Local, format!("a table of more than {MOST} columns"))
                        .hint("a filter can choose what is shown: -q 'map({tag, size})'"))
                }
                false => Ok(()),
            }
        })?;
        columns.sort_by_key(|column| match column.place {
            Place::Image => 0,
            Place::Key => 1,
            _ => 2,
        });
        Ok((columns, rows > 1))
    }
}

/// Whether an object's members are rows themselves.
fn is_keyed(members: &Map<String, Value>) -> bool {
    let are_rows = |value: &Value| match value {
        Value::Array(items) => items.iter().all(Value::is_object),
        value => value.is_object(),
    };
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    members.values().all(are_rows) && !members.values().all(is_empty)
}

struct Column {
    place: Place,
    header: Cell,
    width: usize,
    /// What is wider is cut.
    limit: usize,
    has_numbers: bool,
    has_texts: bool,
    /// The greatest size, of which bars are parts; 0 without bars.
    greatest: u64,
}

impl Column {
    fn new(table: &Table, place: Place) -> Self {
        let name = match &place {
            Place::Image => "image",
            Place::Key => table.keys,
            Place::Member(key) => key,
            Place::Value => table.values,
        };
        let header = Cell { color: Some(Color::Blue), ..Cell::plain(place.clone(), &title(name)) };
        let width = width(&header.text);
        let (has_numbers, has_texts) = (false, false);
        Column { place, header, width, limit: usize::MAX, has_numbers, has_texts, greatest: 0 }
    }

    fn measure(&mut self, cell: &Cell) {
        self.width = self.width.max(width(&cell.text));
        self.has_numbers |= cell.number.is_some();
        self.has_texts |= cell.is_text && cell.text != NOTHING;
        if matches!(&self.place, Place::Member(key) if key == "size") {
            self.greatest = self.greatest.max(cell.number.unwrap_or_default());
        }
    }

    fn is_number(&self) -> bool {
        self.has_numbers && !self.has_texts
    }
}

impl Output {
    /// Prints the table, cut to the terminal's width. Words, and lists of them, are printed as ever.
    pub(crate) fn table(&mut self, table: &Table) -> Result<()> {
        let (mut columns, are_several) = table.measured()?;
        if let [Column { place: Place::Value, .. }] = &columns[..] {
            return table.items(&mut |_, item| match item {
                Value::String(text) => self.string(text),
                item => self.value(item),
            });
        }
        if !are_several {
            columns.iter_mut().for_each(|column| column.greatest = 0);
        }
        fit(&mut columns, machine::columns(self.out.get_ref()));
        if columns.iter().any(|it| matches!(it.place, Place::Image | Place::Member(_))) {
            self.row(&columns, columns.iter().map(|column| &column.header))?;
        }
        let nothing = Cell::plain(Place::Value, NOTHING);
        let places = columns.iter().enumerate().map(|(i, column)| (&column.place, i));
        let places: HashMap<_, _> = places.collect();
        table.rows(&mut |row| {
            let mut cells = vec![&nothing; columns.len()];
            row.iter().for_each(|cell| cells[places[&cell.place]] = cell);
            self.row(&columns, cells.into_iter())
        })
    }

    fn row<'a>(&mut self, columns: &[Column], cells: impl Iterator<Item = &'a Cell>) -> Result<()> {
        let (mut line, mut blank) = (Text::default(), 0);
        let mut add = |text: &str, color, before, after| {
            blank += before;
            if !text.is_empty() {
                line.plain(" ".repeat(mem::take(&mut blank)));
                match color {
                    Some(color) => line.colored(color, text),
                    None => line.plain(text),
                };
            }
            blank += after + GAP;
        };
        for (column, cell) in columns.iter().zip(cells) {
            let text = cut(&cell.text, column.limit);
            let spare = column.width.saturating_sub(width(&text));
            match column.is_number() {
                true => add(&text, cell.color, spare, 0),
                false => add(&text, cell.color, 0, spare),
            }
            if column.greatest > 0 {
                let share = cell.number.unwrap_or_default() as f64 / column.greatest as f64;
                let bar = "#".repeat((share * BAR as f64).ceil() as usize);
                add(&bar, Some(Color::Green), 0, BAR - bar.len());
            }
        }
        self.text(&line)
    }
}

/// Makes the widest columns narrower, texts first and numbers never, until the table has so many columns of text;
/// `None` for as many as it takes.
fn fit(columns: &mut [Column], most: Option<usize>) {
    let Some(most) = most else {
        return columns.iter_mut().for_each(|column| column.width = column.width.min(WIDEST));
    };
    let of = |column: &Column, limit: usize| match column.has_texts {
        true => column.width.min(limit),
        // Digests and ages, before texts become too narrow.
        false if column.has_numbers || limit >= NARROW => column.width,
        false => column.width.min(2 * limit),
    };
    let bars = columns.iter().filter(|column| column.greatest > 0).count() * (BAR + GAP);
    let between = columns.len().saturating_sub(1) * GAP + bars;
    let fits = |limit: &usize| {
        columns.iter().map(|column| of(column, *limit)).sum::<usize>() + between <= most
    };
    let limit = (NARROWEST..=most).rev().find(fits).unwrap_or(NARROWEST);
    for column in columns {
        column.width = of(column, limit);
        column.limit = column.width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_a_terminal() {
        let table = Table::new("", "", 0);
        for (widths, most, expected) in [
            ([3, 30, 100], Some(200), [3, 30, 100]),
            ([3, 12, 100], Some(30), [3, 12, 11]),
            ([3, 12, 100], Some(22), [3, 10, 5]),
            ([3, 30, 100], Some(80), [3, 30, 43]),
            ([3, 30, 100], Some(40), [3, 16, 16]),
            ([3, 30, 100], Some(1), [3, 4, 4]),
            ([3, 30, 500], None, [3, 30, 200]),
        ] {
            let columns = widths.map(|width| Column {
                width,
                has_numbers: width == 3,
                has_texts: width > 12,
                ..Column::new(&table, Place::Value)
            });
            let mut columns = Vec::from(columns);
            fit(&mut columns, most);
            let fitted: Vec<usize> = columns.iter().map(|column| column.width).collect();
            assert_eq!(fitted, expected, "{most:?}");
        }
    }
}
