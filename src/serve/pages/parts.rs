//! Pieces that several pages are made of.

use maud::{Markup, html};
use serde_json::Value;

use super::link;
use super::visit::Subject;
use crate::error::{Error, Result};
use crate::text as words;

/// The most rows that a table has.
pub(super) const MOST: usize = 1_000;

/// Why something is missing, and what to do about it.
pub(super) fn fault(error: &Error) -> Markup {
    let lines = format!("{error:#}");
    html! {
        div.fault {
            @for line in lines.lines() {
                @match line.strip_prefix("hint: ") {
                    Some(hint) => p.hint { "Hint: " (long(hint)) },
                    None => p { (long(line)) },
                }
            }
        }
    }
}

/// What comes of an answer, or why there is none.
pub(super) fn of<T>(answer: &Result<T>, part: impl FnOnce(&T) -> Markup) -> Markup {
    answer.as_ref().map_or_else(fault, part)
}

/// The beginning of a digest; all of it where the pointer rests.
pub(super) fn digest(value: &str) -> Markup {
    let hex = value.split_once(':').map_or(value, |(_, hex)| hex);
    let short = hex.get(..12).unwrap_or(hex);
    html! { code.digest title=(value) { (short) } }
}

pub(super) fn size(value: &Value) -> Markup {
    match value.as_u64() {
        Some(bytes) => html! { data value=(bytes) { (words::size(bytes)) } },
        None => nothing("not known"),
    }
}

/// The day, of a time as RFC 3339 writes it.
pub(super) fn day(value: &Value) -> Markup {
    let day = value.as_str().and_then(|time| Some((time, time.get(..10)?)));
    match day.filter(|(_, day)| day.bytes().all(|b| b.is_ascii_digit() || b == b'-')) {
        Some((time, day)) => html! { time datetime=(time) title=(time) { (day) } },
        None => nothing("not known"),
    }
}

/// A dash for the eye, words for who does not see it.
pub(super) fn nothing(words: &str) -> Markup {
    html! { span.dim { span aria-hidden="true" { "–" } span.hidden { (words) } } }
}

/// The step that made a layer, and how large that is beside the largest one.
pub(super) fn made(layer: &Value, largest: Option<u64>) -> Markup {
    let size = layer["size"].as_u64().unwrap_or_default();
    let width = size as f64 * 100.0 / largest.unwrap_or_default().max(1) as f64;
    html! {
        (step(&layer["createdBy"]))
        svg.bar viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(format!("{width:.2}")) height="1" {}
        }
    }
}

/// A step of a build, without what builders write around each.
pub(super) fn step(created_by: &Value) -> Markup {
    let step = text(created_by).trim_end_matches("# buildkit").trim();
    let shell = |step: &str| step.strip_prefix("/bin/sh -c ").map(str::to_owned);
    let step = match (shell(step), step.strip_prefix("RUN ").and_then(shell)) {
        (Some(command), _) => match command.strip_prefix("#(nop)") {
            Some(instruction) => instruction.trim().to_owned(),
            None => format!("RUN {command}"),
        },
        (None, Some(command)) => format!("RUN {command}"),
        (None, None) => step.to_owned(),
    };
    html! { @if step.is_empty() { (nothing("not known")) } @else { code.step { (long(&step)) } } }
}

/// Names and values as a table. Of values that are addresses, links.
pub(super) fn pairs<'a>(
    caption: &str,
    heads: [&str; 2],
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Markup {
    let mut pairs = pairs.into_iter();
    let shown: Vec<_> = pairs.by_ref().take(MOST).collect();
    html! {
        table.pairs {
            caption { (caption) }
            thead { tr { th scope="col" { (heads[0]) } th scope="col" { (heads[1]) } } }
            tbody {
                @for (name, value) in shown {
                    tr { th scope="row" { (long(name)) } td { (linked(name, value)) } }
                }
            }
        }
        (more(pairs.count(), None))
    }
}

/// A value, which is a link if it may be one.
pub(super) fn linked(name: &str, value: &str) -> Markup {
    match link::outside(name, value) {
        Some(address) => html! { a href=(address) rel="noreferrer nofollow" { (address) } },
        None => long(value),
    }
}

/// How many rows there are beyond those that are shown.
pub(super) fn more(count: usize, all: Option<&str>) -> Markup {
    html! {
        @if count > 0 {
            p.more {
                "and " (count) " more"
                @if let Some(all) = all { ": " a href=(all) { "all of them as JSON" } }
            }
        }
    }
}

/// A heading, and the answer behind what stands below it.
pub(super) fn heading(id: &str, title: &str, answer: &str) -> Markup {
    html! {
        div.heading {
            h2 id=(id) { (title) }
            a.json href=(answer) { "JSON" span.hidden { " of: " (title) } }
        }
    }
}

/// Commands, each with the program that it is for. The script adds buttons that copy them.
pub(super) fn commands(commands: &[(&str, String)]) -> Markup {
    html! {
        dl.commands {
            @for (program, command) in commands {
                dt { (program) }
                dd { code data-copy="" { (command) } }
            }
        }
    }
}

/// The commands that give an answer about an image.
pub(super) fn same(subject: &Subject, command: &str, base: &str) -> [(&'static str, String); 2] {
    let mut line = vec!["docker-registry", command];
    if !subject.platform.is_empty() {
        line.extend(["--platform", &subject.platform]);
    }
    line.push(&subject.image);
    let answer = base.to_owned() + &subject.answer(command);
    [("docker-registry", words::words(&line)), ("curl", words::words(&["curl", &answer]))]
}

/// The beginning of a document, and how many bytes follow.
pub(super) fn document(text: &str, most: usize) -> Markup {
    let (shown, rest) = cut(text, most);
    html! {
        pre.document { code { (shown) } }
        @if rest > 0 { p.more { "and " (words::size(rest)) " more" } }
    }
}

/// Pages of a list: links to the one before and the one after.
pub(super) fn pager(page: usize, pages: usize, target: impl Fn(&str) -> String) -> Markup {
    html! {
        @if pages > 1 {
            nav.pager aria-label="Pages" {
                @if page > 1 { a rel="prev" href=(target(&(page - 1).to_string())) { "Previous" } }
                span { "Page " (page) " of " (pages) }
                @if page < pages { a rel="next" href=(target(&(page + 1).to_string())) { "Next" } }
            }
        }
    }
}

/// A number with commas between the thousands.
pub(super) fn number(number: usize) -> Markup {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    html! { (String::from_utf8_lossy(&groups.join(&b','))) }
}

/// A text from outside, which may be as long as a registry likes.
pub(super) fn long(text: &str) -> Markup {
    /// More than anybody reads.
    const LONGEST: usize = 4_000;
    let (shown, rest) = cut(text, LONGEST);
    html! { (shown) @if rest > 0 { " " span.dim { "… and " (words::size(rest)) " more" } } }
}

/// The first characters, and how many bytes follow.
fn cut(text: &str, most: usize) -> (&str, u64) {
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    (&text[..end], (text.len() - end) as u64)
}

/// The strings of an array.
pub(super) fn strings(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A string, empty if there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A field that chooses what a list shows, as far as it is typed.
pub(super) fn filter(action: &str, label: &str, value: &str, others: &[(&str, &str)]) -> Markup {
    html! {
        form.filter action=(action) data-filter="list" {
            @for (name, value) in others { input type="hidden" name=(name) value=(value); }
            label for="filter" { (label) }
            div.field {
                input #filter name="filter" type="search" value=(value) autocomplete="off"
                    autocapitalize="none" spellcheck="false";
                button { "Filter" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_are_shown_as_somebody_wrote_them() {
        for (created_by, shown) in [
            ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [&quot;bash&quot;]"),
            ("/bin/sh -c #(nop) ADD file:1 in / ", "ADD file:1 in /"),
            ("COPY . . # buildkit", "COPY . ."),
            ("RUN |1 A=b /bin/sh -c make", "RUN |1 A=b /bin/sh -c make"),
        ] {
            let html = step(&json!(created_by)).into_string();
            assert_eq!(html, format!("<code class=\"step\">{shown}</code>"));
        }
        assert!(step(&json!(null)).into_string().contains("not known"));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = long(&"é".repeat(5_000)).into_string();
        assert_eq!(text.matches('é').count(), 4_000);
        assert!(text.ends_with("… and 2.0 kB more</span>"), "{text}");
        assert_eq!(long("<").into_string(), "&lt;");
    }

    #[test]
    fn numbers_are_told_in_thousands() {
        for (count, told) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(count).into_string(), told);
        }
    }
}
