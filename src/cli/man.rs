//! The table as man pages, in the `man(7)` macros: one for the program, one for each command.

use super::roff::{bold, escape, folded, italic, marked};
use super::text::{Block, blocks};
use super::{Cli, Example, Flag, Spec};

/// The program's page, section 1.
pub(crate) fn man(cli: &Cli) -> String {
    let mut page = Page::new(cli, cli.name, cli.summary);
    page.section("Synopsis");
    let option = italic("OPTION");
    page.line(&format!(
        "{} [{option}]... {} [{option}]... [{}]...",
        bold(cli.name),
        italic("COMMAND"),
        italic("ARGUMENT")
    ));
    page.section("Description");
    page.text(cli.about, ".PP");
    page.section("Commands");
    for group in &cli.commands {
        page.subsection(group.title);
        for spec in &group.specs {
            page.command(spec);
        }
    }
    page.section("Options");
    for group in cli.groups {
        page.subsection(group.title);
        page.flags(group.flags);
    }
    for chapter in cli.chapters {
        page.section(chapter.title);
        page.text(chapter.text, ".PP");
        page.entries(chapter.entries);
    }
    page.entries_below("Environment", cli.environment);
    page.entries_below("Files", cli.files);
    page.exit_codes(cli);
    page.examples(cli.examples);
    let pages = cli.specs().map(|spec| page_name(cli, spec));
    page.see_also(pages);
    page.out
}

/// The page of one command, section 1; its name is `docker-registry-labels`.
pub(crate) fn man_page(cli: &Cli, spec: &Spec) -> String {
    let summary = lower_first(spec.help);
    let mut page = Page::new(cli, &page_name(cli, spec), &summary);
    page.section("Synopsis");
    page.line(&format!(
        "{} [{}]... {}",
        bold(&format!("{} {}", cli.name, spec.name)),
        italic("OPTION"),
        italic(&spec.operand.placeholder())
    ));
    page.section("Description");
    page.filled(&escape(&format!("{}.", spec.help)));
    page.more(spec.about, ".PP");
    page.own_flags(spec);
    page.global_flags(cli, spec);
    page.examples(spec.examples);
    page.see_also([cli.name.to_owned()].into_iter());
    page.out
}

fn page_name(cli: &Cli, spec: &Spec) -> String {
    format!("{}-{}", cli.name, spec.name)
}

struct Page {
    out: String,
}

impl Page {
    fn new(cli: &Cli, name: &str, summary: &str) -> Page {
        let title = escape(&name.to_uppercase());
        let source = escape(&format!("{} {}", cli.name, cli.version));
        let mut page = Page { out: String::new() };
        page.line(r#".\" Generated from the table of commands and options."#);
        page.line(&format!(r#".TH {title} 1 {} "{source}" "User Commands""#, cli.date));
        page.section("Name");
        page.filled(&format!(r"{} \- {}", escape(name), escape(summary)));
        page
    }

    /// `line` is roff already.
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line(&format!(".SH {}", escape(&title.to_uppercase())));
    }

    fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS {}", escape(title)));
    }

    /// Starts an entry whose text follows, indented.
    fn tag(&mut self, tag: &str) {
        self.line(".TP");
        self.line(tag);
    }

    /// A text right after a heading or a tag; `between` separates paragraphs.
    fn text(&mut self, text: &str, between: &str) {
        for (i, block) in blocks(text).into_iter().enumerate() {
            match block {
                Block::Paragraph(text) => {
                    if i > 0 {
                        self.line(between);
                    }
                    self.filled(&marked(&text));
                }
                Block::Literal(lines) => {
                    let lines: Vec<String> = lines.into_iter().map(escape).collect();
                    self.literal(&lines);
                }
            }
        }
    }

    /// A text after another one.
    fn more(&mut self, text: &str, between: &str) {
        if let Some(Block::Paragraph(_)) = blocks(text).first() {
            self.line(between);
        }
        self.text(text, between);
    }

    fn literal(&mut self, lines: &[String]) {
        self.line(".IP\n.nf");
        for line in lines {
            let text = line.trim_start_matches(' ');
            let indent = &line[..line.len() - text.len()];
            // A backslash at the end continues the line.
            self.line(&format!("{indent}{}", folded(text, " \\\n")));
        }
        self.line(".fi");
    }

    /// `text` is roff already.
    fn filled(&mut self, text: &str) {
        self.line(&folded(text, "\n"));
    }

    fn flags(&mut self, flags: &[&Flag]) {
        for flag in flags {
            self.tag(&synopsis(flag));
            self.filled(&escape(&format!("{}.", flag.help)));
            self.more(flag.about, ".IP");
        }
    }

    fn command(&mut self, spec: &Spec) {
        let operand = spec.operand.placeholder();
        self.tag(format!("{} {}", bold(spec.name), italic(&operand)).trim_end());
        self.filled(&escape(&format!("{}.", spec.help)));
        self.more(spec.about, ".IP");
        if !spec.flags.is_empty() {
            self.line(".RS");
            self.flags(spec.flags);
            self.line(".RE");
        }
    }

    fn own_flags(&mut self, spec: &Spec) {
        if !spec.flags.is_empty() {
            self.section("Options");
        }
        self.flags(spec.flags);
    }

    fn global_flags(&mut self, cli: &Cli, spec: &Spec) {
        if !spec.global {
            return;
        }
        let names: Vec<String> = cli.global_flags().map(synopsis).collect();
        self.section("Options of all commands");
        self.line(&format!(
            "They are explained in\n{}:\n{}.",
            reference(cli.name),
            names.join(";\n")
        ));
    }

    fn entries_below(&mut self, title: &str, entries: &[(&str, &str)]) {
        if !entries.is_empty() {
            self.section(title);
        }
        self.entries(entries);
    }

    fn entries(&mut self, entries: &[(&str, &str)]) {
        for (name, text) in entries {
            self.tag(&bold(name));
            self.text(text, ".IP");
        }
    }

    fn exit_codes(&mut self, cli: &Cli) {
        if !cli.exit_codes.is_empty() {
            self.section("Exit status");
        }
        for (code, text) in cli.exit_codes {
            self.tag(&bold(&code.to_string()));
            self.text(text, ".IP");
        }
    }

    fn examples(&mut self, examples: &[Example]) {
        if !examples.is_empty() {
            self.section("Examples");
        }
        for (i, (command, shows)) in examples.iter().enumerate() {
            if i > 0 {
                self.line(".PP");
            }
            self.filled(&marked(shows));
            self.literal(&[bold(command)]);
        }
    }

    fn see_also(&mut self, pages: impl Iterator<Item = String>) {
        self.section("See also");
        let pages: Vec<String> = pages.map(|name| reference(&name)).collect();
        self.line(&pages.join(",\n"));
    }
}

/// `-q, --jq FILTER`
fn synopsis(flag: &Flag) -> String {
    let short = flag.short.map(|letter| bold(&format!("-{letter}")) + ", ");
    let long = bold(&format!("--{}", flag.name));
    let value = italic(&flag.value.placeholder());
    format!("{}{long} {value}", short.unwrap_or_default()).trim_end().to_owned()
}

/// `docker-registry-labels(1)`
fn reference(name: &str) -> String {
    format!("{}(1)", bold(name))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn the_programs_page_holds_the_whole_table() {
        let cli = table();
        let page = man(&cli);
        for flag in cli.flags() {
            let tag = format!(".TP\n{}\n", synopsis(flag));
            assert!(page.contains(&tag), "{}", flag.name);
        }
        for spec in cli.specs() {
            let tag = format!(".TP\n{}", bold(spec.name));
            assert!(page.contains(&tag), "{}", spec.name);
        }
        for chapter in cli.chapters {
            let heading = format!(".SH {}\n", chapter.title.to_uppercase());
            assert!(page.contains(&heading), "{heading}");
        }
    }

    #[test]
    fn a_text_is_set_in_paragraphs_and_literal_lines() {
        let mut page = Page { out: String::new() };
        page.text(TEXT, ".PP");
        assert_eq!(page.out, SET);
    }

    const TEXT: &str = ".hidden is \\ no macro.

  demo labels ubuntu
    'quoted'
  . one line that is so long that it has   to be folded in the source, but not for the reader

That is `all of it`, said at such a length that the line has to be folded somewhere: …
.x";

    const SET: &str = r"\&.hidden is \e no macro.
.IP
.nf
demo labels ubuntu
  \(aqquoted\(aq
\&. one line that is so long that it has   to be folded in the source, but \
not for the reader
.fi
.PP
That is \fBall of it\fR, said at such a length that the line has to be
folded somewhere: \[u2026] .x
";
}
