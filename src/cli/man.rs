//! The table as man pages, in the `man(7)` macros: one for the program, one for each command.

use super::roff::{bold, escape, folded, italic, marked};
use super::text::{Block, blocks};
use super::{Cli, Example, Flag, Spec};

/// The program's page, section 1.
pub(crate) fn man(cli: &Cli) -> String {
    let mut page = Page::new(cli, cli.name, cli.summary);
    page.section("Synopsis");
    let [option, command, argument] = ["OPTION", "COMMAND", "ARGUMENT"].map(italic);
    page.line(&format!("{} [{option}]... {command} [{option}]... [{argument}]...", bold(cli.name)));
    page.section("Description");
    let mut chapters = cli.manual.split("\n# ");
    page.text(chapters.next().unwrap_or_default(), ".PP");
    page.section("Commands");
    for (title, specs) in &cli.commands {
        page.subsection(title);
        specs.iter().for_each(|spec| page.command(spec));
    }
    page.section("Options");
    for (title, flags) in cli.groups {
        page.subsection(title);
        page.flags(flags);
    }
    chapters.for_each(|chapter| page.chapter(chapter));
    page.examples(cli.examples);
    page.see_also(cli.specs().map(|spec| page_name(cli, spec)));
    page.out
}

/// The page of one command, section 1; its name is `docker-registry-labels`.
pub(crate) fn man_page(cli: &Cli, spec: &Spec) -> String {
    let (first, rest) = spec.help.split_at(1);
    let summary = first.to_lowercase() + rest;
    let mut page = Page::new(cli, &page_name(cli, spec), &summary);
    page.section("Synopsis");
    let name = bold(&format!("{} {}", cli.name, spec.name));
    let (operand, ..) = spec.operand.described();
    page.line(&format!("{name} [{}]... {}", italic("OPTION"), italic(&operand)));
    page.section("Description");
    page.explained(spec.help, spec.about, ".PP");
    if !spec.flags.is_empty() {
        page.section("Options");
        page.flags(spec.flags);
    }
    if spec.global {
        page.section("Options of all commands");
        let names = cli.global_flags().map(synopsis).collect::<Vec<_>>().join(";\n");
        page.line(&format!("They are explained in\n{}:\n{names}.", reference(cli.name)));
    }
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

    /// `text` is roff already.
    fn filled(&mut self, text: &str) {
        self.line(&folded(text, "\n"));
    }

    fn section(&mut self, title: &str) {
        self.line(&format!(".SH {}", escape(&title.to_uppercase())));
    }

    fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS {}", escape(title)));
    }

    /// Starts an entry whose text follows, indented.
    fn tag(&mut self, tag: &str) {
        self.line(&format!(".TP\n{tag}"));
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
                    self.literal(&lines.into_iter().map(escape).collect::<Vec<_>>());
                }
            }
        }
    }

    /// The line of help as a sentence, and what is said more.
    fn explained(&mut self, help: &str, about: &str, between: &str) {
        self.text(&format!("{help}.\n\n{about}"), between);
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

    fn flags(&mut self, flags: &[&Flag]) {
        for flag in flags {
            self.tag(&synopsis(flag));
            self.explained(flag.help, flag.about, ".IP");
        }
    }

    fn command(&mut self, spec: &Spec) {
        let (operand, ..) = spec.operand.described();
        self.tag(format!("{} {}", bold(spec.name), italic(&operand)).trim_end());
        self.explained(spec.help, spec.about, ".IP");
        if !spec.flags.is_empty() {
            self.line(".RS");
            self.flags(spec.flags);
            self.line(".RE");
        }
    }

    /// A title, a text, and entries of which the first line is the name.
    fn chapter(&mut self, chapter: &str) {
        let (title, text) = chapter.split_once('\n').unwrap_or((chapter, ""));
        self.section(title);
        let mut entries = text.split("\n: ");
        self.text(entries.next().unwrap_or_default(), ".PP");
        for entry in entries {
            let (name, text) = entry.split_once('\n').unwrap_or((entry, ""));
            self.tag(&bold(name));
            self.text(text, ".IP");
        }
    }

    fn examples(&mut self, examples: &[Example]) {
        self.section("Examples");
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
        for chapter in cli.manual.split("\n# ").skip(1) {
            let title = chapter.lines().next().expect("a title");
            let heading = format!(".SH {}\n", title.to_uppercase());
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
