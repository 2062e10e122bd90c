//! From the arguments to a request, as the table has it: the only user of lexopt.
//!
//! Options stand anywhere, so an option is looked up among those of the first command that is named,
//! then among those of all commands. Long options cannot be abbreviated: a script that does would
//! break with the next option.

use std::ffi::OsString;
use std::ptr;

use lexopt::{Arg, Parser};

use super::args::Args;
use super::check::{check_flags, check_operands, images_listed};
use super::closest::suggest;
use super::help::{command_help, full_help, help};
use super::{Cli, Flag, HELP, Operand, Spec, VERSION};
use crate::error::{Error, Result, without_user};

/// What the command line asks for.
pub(crate) enum Request {
    /// Help or the version.
    Show(String),
    Run(&'static Spec, Args),
}

/// `arguments` are what follows the program's name.
pub(crate) fn parse(cli: &Cli, arguments: impl IntoIterator<Item = OsString>) -> Result<Request> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.is_empty() {
        return Ok(Request::Show(help(cli)));
    }
    let line = CommandLine::read(cli, &arguments);
    if let Some(error) = line.error {
        return Err(error);
    }
    let mut args = line.args;
    let spec = (!args.operands.is_empty()).then(|| command(cli, &args.operands)).transpose()?;
    match (line.asked.as_deref(), spec) {
        (Some("-V" | "--version"), _) => {
            Ok(Request::Show(format!("{} {}\n", cli.name, cli.version)))
        }
        (Some(_), Some(spec)) => Ok(Request::Show(command_help(cli, spec))),
        (Some("-h"), None) => Ok(Request::Show(help(cli))),
        (Some(_), None) => Ok(Request::Show(full_help(cli))),
        (None, None) => Err(Error::usage("a command is missing")
            .hint(format!("'{} help' lists the commands", cli.name))),
        (None, Some(spec)) => {
            args.operands.remove(0);
            check_flags(cli, spec, &args)?;
            check_operands(cli, spec, &args)?;
            if let Operand::ImageFile { .. } = spec.operand {
                args.file = args.operands.split_off(1 - images_listed(&args)).pop();
            }
            Ok(match (spec.operand, args.operands()) {
                (Operand::Command, []) => Request::Show(help(cli)),
                (Operand::Command, words) => Request::Show(command_help(cli, command(cli, words)?)),
                _ => Request::Run(spec, args),
            })
        }
    }
}

/// A command line that is still being written, as completions see it. What is wrong is left out: it
/// may not be what will be run.
pub(crate) struct PartialCommandLine {
    /// `None` if the command is what comes next.
    pub(crate) command: Option<&'static Spec>,
    /// Options and operands before the word that is being written.
    pub(crate) args: Args,
    /// The option whose value that word is.
    pub(crate) expects: Option<&'static Flag>,
    /// Whether `--` stands before it.
    pub(crate) is_past_options: bool,
}

impl PartialCommandLine {
    /// `words` are those between the program's name and the word that is being written.
    pub(crate) fn read(cli: &Cli, words: &[OsString]) -> PartialCommandLine {
        let CommandLine { mut args, expects, .. } = CommandLine::read(cli, words);
        let mut operands = args.operands.into_iter();
        let command = operands.find_map(|word| cli.command(&word));
        args.operands = operands.collect();
        let is_past_options = words.iter().any(|word| word == "--");
        PartialCommandLine { command, args, expects, is_past_options }
    }
}

/// The arguments, sorted, before the command is known: it is the first operand.
#[derive(Default)]
pub(super) struct CommandLine {
    pub(super) args: Args,
    /// The first of `-h`, `--help`, `-V` and `--version`.
    asked: Option<String>,
    /// The option that is the last word but wants a value.
    expects: Option<&'static Flag>,
    /// The first.
    pub(super) error: Option<Error>,
}

impl CommandLine {
    pub(super) fn read(cli: &Cli, arguments: &[OsString]) -> CommandLine {
        let named = arguments.iter().find_map(|word| cli.command(word.to_str()?));
        let flags: Vec<&'static Flag> = cli.flags_for(named).collect();
        let mut line = CommandLine::default();
        let mut parser = Parser::from_args(arguments);
        let mut option = String::new();
        loop {
            let flag = match parser.next() {
                Ok(None) => return line,
                Ok(Some(Arg::Value(word))) => {
                    line.operand(word);
                    continue;
                }
                Ok(Some(Arg::Short(letter))) => {
                    option = format!("-{letter}");
                    flags.iter().find(|flag| flag.short == Some(letter))
                }
                Ok(Some(Arg::Long(name))) => {
                    option = format!("--{name}");
                    flags.iter().find(|flag| flag.name == &option[2..])
                }
                Err(_) => {
                    // The parser's own message would repeat the value, which may be a secret.
                    line.wrong(Error::usage(format!("{option} takes no value")));
                    return line;
                }
            };
            match flag {
                Some(flag) => line.option(flag, &option, &mut parser),
                None => line.wrong(unknown_option(cli, named, &option)),
            }
        }
    }

    fn operand(&mut self, word: OsString) {
        if word.to_str().is_none() {
            let word = word.to_string_lossy();
            self.wrong(Error::usage(format!("an argument is not UTF-8: '{word}'")));
        }
        self.args.operands.push(word.to_string_lossy().into_owned());
    }

    fn option(&mut self, flag: &'static Flag, option: &str, parser: &mut Parser) {
        let length = flag.value.length();
        let mut words: Vec<_> = (0..length).map_while(|_| parser.value().ok()).collect();
        // As `jq -r FILTER` is written; strings are bare anyway, and no filter is just `r`.
        if option == "-q" && words == ["r"] {
            words = parser.value().into_iter().collect();
        }
        if words.len() < length {
            self.expects = Some(flag);
        }
        match flag.value.check(option, &words) {
            Ok(()) => self.args.given.push((flag, words)),
            Err(error) => self.wrong(error),
        }
        if ptr::eq(flag, &HELP) || ptr::eq(flag, &VERSION) {
            self.asked.get_or_insert(option.to_owned());
        }
    }

    fn wrong(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

fn unknown_option(cli: &Cli, command: Option<&'static Spec>, option: &str) -> Error {
    let error = Error::usage(format!("unknown option '{option}'"));
    let name = option.trim_start_matches('-');
    let others = command.is_none().then(|| cli.flags()).into_iter().flatten();
    let names = cli.flags_of(command).chain(others).map(|flag| flag.name);
    suggest(known_elsewhere(cli, error, option), name, names, "--")
        .hint(format!("'{} --help' lists the options", cli.name))
}

/// Says in a hint what does here what the word does in other programs.
fn known_elsewhere(cli: &Cli, error: Error, word: &str) -> Error {
    match cli.elsewhere.iter().find(|(name, _)| *name == word) {
        Some((_, hint)) => error.hint(*hint),
        None => error,
    }
}

/// The command that the first word names.
fn command(cli: &Cli, words: &[String]) -> Result<&'static Spec> {
    if let Some(spec) = cli.command(&words[0]) {
        return Ok(spec);
    }
    // An image may stand in the command's place.
    let word = without_user(&words[0]);
    let error = Error::usage(format!("unknown command '{word}'"));
    let error = match words.iter().find(|word| cli.command(word).is_some()) {
        Some(name) => error.hint(format!("the command comes first: '{} {name} {word}'", cli.name)),
        None => suggest(
            known_elsewhere(cli, error, &word),
            &word,
            cli.specs().map(|spec| spec.name),
            "",
        ),
    };
    Err(error.hint(format!("'{} help' lists the commands", cli.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;
    use std::path::Path;
    use std::time::Duration;

    fn request(line: &str) -> Result<Request> {
        parse(&table(), line.split_whitespace().map(OsString::from))
    }

    /// The command and its arguments.
    fn run(line: &str) -> (&'static str, Args) {
        match request(line) {
            Ok(Request::Run(spec, args)) => (spec.name, args),
            Ok(_) => panic!("{line}: no command is run"),
            Err(error) => panic!("{line}: {error}"),
        }
    }

    fn flag(name: &str) -> &'static Flag {
        table().flags().find(|flag| flag.name == name).expect(name)
    }

    fn message(line: &str) -> String {
        match request(line) {
            Ok(_) => panic!("{line}: no error"),
            Err(error) => {
                assert_eq!(error.kind(), crate::error::Kind::Usage, "{line}");
                format!("{error:#}")
            }
        }
    }

    #[test]
    fn options_may_stand_anywhere() {
        for line in [
            "-r --retries 5 labels ubuntu",
            "--retries=5 labels -r ubuntu",
            "labels ubuntu -r --retries 5",
            "labels -r --retries=5 -- ubuntu",
        ] {
            let (name, args) = run(line);
            assert_eq!(name, "labels", "{line}");
            assert!(args.has(flag("raw")), "{line}");
            assert_eq!(args.number(flag("retries")), Some(5), "{line}");
            assert_eq!(args.operands(), ["ubuntu"], "{line}");
        }
    }

    #[test]
    fn short_options_combine() {
        let (_, args) = run("downloadlayer -rvvofile ubuntu@x");
        assert!(args.has(flag("raw")));
        assert_eq!(args.count(flag("verbose")), 2);
        assert_eq!(args.path(flag("output")), Some(Path::new("file")));
        assert_eq!(run("labels -v a -v").1.count(flag("verbose")), 2);
    }

    #[test]
    fn each_kind_of_value_is_read() {
        let (_, args) =
            run("labels a --jq .a --arg n 1 --arg=m 2 --max-age 1h --timeout 2 --cacert ca \
             --color never --platform linux/arm64 -uA:B");
        assert_eq!(args.text(flag("jq")), Some(".a"));
        assert_eq!(args.pairs(flag("arg")).collect::<Vec<_>>(), [("n", "1"), ("m", "2")]);
        assert_eq!(args.duration(flag("max-age")), Some(Duration::from_secs(3600)));
        assert_eq!(args.duration(flag("timeout")), Some(Duration::from_secs(2)));
        assert_eq!(args.path(flag("cacert")), Some(Path::new("ca")));
        assert_eq!(args.text(flag("color")), Some("never"));
        assert_eq!(args.text(flag("platform")), Some("linux/arm64"));
        assert_eq!(args.secret(flag("user")).expect("a user").reveal(), "A:B");
    }

    #[test]
    fn the_last_value_counts() {
        let (_, args) = run("labels a --jq .a -q.b --jq=-c --retries 1 --retries 2");
        assert_eq!(args.text(flag("jq")), Some("-c"));
        assert_eq!(args.texts(flag("jq")).collect::<Vec<_>>(), [".a", ".b", "-c"]);
        assert_eq!(args.number(flag("retries")), Some(2));
        assert_eq!(args.number(flag("jobs")), None);
    }

    #[test]
    fn a_filter_may_follow_as_after_jq() {
        let (_, args) = run("labels -qr .a image");
        assert_eq!(args.text(flag("jq")), Some(".a"));
        assert_eq!(args.operands(), ["image"]);
        assert_eq!(message("labels -qr"), "-q wants FILTER");
    }

    #[test]
    fn two_dashes_end_the_options_and_one_is_an_operand() {
        assert_eq!(run("labels - -- -r --help").1.operands(), ["-", "-r", "--help"]);
        assert_eq!(run("downloadlayer a -o -").1.path(flag("output")), Some(Path::new("-")));
    }

    #[test]
    fn help_wins_over_what_is_missing() {
        let cli = table();
        let named = |page: &str| match page {
            page if page == help(&cli) => "screen",
            page if page == full_help(&cli) => "full",
            page if page == format!("{} {}\n", cli.name, cli.version) => "version",
            page => cli.specs().find(|spec| command_help(&cli, spec) == page).expect(page).name,
        };
        let shown = |line| match request(line) {
            Ok(Request::Show(page)) => named(&page),
            Ok(Request::Run(..)) => "run",
            Err(_) => "error",
        };
        for (line, expected) in [
            ("", "screen"),
            ("-h", "screen"),
            ("help", "screen"),
            ("--help", "full"),
            ("-r --help", "full"),
            ("labels --help", "labels"),
            ("labels -h a b", "labels"),
            ("-h labels", "labels"),
            ("-rh labels", "labels"),
            ("generate --help", "generate"),
            ("generate -o x --help", "generate"),
            ("help labels", "labels"),
            ("help help", "help"),
            ("help --help", "help"),
            ("-V", "version"),
            ("labels --version", "version"),
            ("-h -V", "screen"),
            ("-V -h", "version"),
            ("help labelz", "error"),
            ("help labels tags", "error"),
            ("labelz --help", "error"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn wrong_use_points_to_the_right_one() {
        for (line, expected) in [
            ("labelz a", "unknown command 'labelz'\nhint: did you mean 'labels'?"),
            ("download a", "unknown command 'download'\nhint: did you mean 'downloadlayer'?"),
            ("help lables", "unknown command 'lables'\nhint: did you mean 'labels'?"),
            (
                "frobnicate a",
                "unknown command 'frobnicate'\nhint: 'docker-registry help' lists the commands",
            ),
            (
                "ubuntu labels",
                "unknown command 'ubuntu'\nhint: the command comes first: 'docker-registry labels ubuntu'",
            ),
            ("-r", "a command is missing\nhint: 'docker-registry help' lists the commands"),
            ("labels --plat x a", "unknown option '--plat'\nhint: did you mean '--platform'?"),
            ("labels --retires 1", "unknown option '--retires'\nhint: did you mean '--retries'?"),
            // Another command's option would be no help.
            (
                "changed --watch a",
                "unknown option '--watch'\nhint: 'docker-registry --help' lists the options",
            ),
            ("tags --watch a", "unknown option '--watch'\nhint: did you mean '--match'?"),
            (
                "labels -rx a",
                "unknown option '-x'\nhint: 'docker-registry --help' lists the options",
            ),
        ] {
            assert_eq!(message(line), expected, "{line}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_and_what_was_wanted() {
        for (line, expected) in [
            ("labels --retries x", "--retries wants a number, not 'x'"),
            ("labels --retries -1", "--retries wants a number, not '-1'"),
            ("labels --retries", "--retries wants a number"),
            ("labels -jx", "-j wants a number, not 'x'"),
            ("labels --retries=", "--retries wants a number, not ''"),
            ("labels --timeout x", "--timeout wants seconds, such as 30 or 1m30s, not 'x'"),
            (
                "labels --max-age 1w",
                "--max-age wants a duration, such as 90, 30s, 10m or 1h30m, not '1w'",
            ),
            (
                "labels --color alway",
                "--color wants auto, always or never, not 'alway'\nhint: did you mean 'always'?",
            ),
            ("labels --cacert=", "--cacert wants a file, not ''"),
            ("labels --cache-dir=", "--cache-dir wants a directory, not ''"),
            ("labels --jq", "--jq wants FILTER"),
            ("labels --arg x", "--arg wants NAME and VALUE"),
            ("labels --raw=yes", "--raw takes no value"),
            ("labels -r=yes", "-r takes no value"),
            ("labels --user", "--user wants USER:PASSWORD"),
        ] {
            assert_eq!(message(line), expected, "{line}");
        }
    }

    #[test]
    fn a_value_that_may_be_a_secret_is_not_repeated() {
        for line in [
            "--usr=hunter2 labels a",
            "--pasword=hunter2",
            "--raw=hunter2",
            "labels a --help=hunter2",
            "-uhunter2",
            "-u a:b generate man hunter2",
            "-xhunter2",
        ] {
            assert!(!message(line).contains("hunter2"), "{line}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_paths_may_be_other_than_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let parsed = |words: &[&[u8]]| {
            let words = words.iter().map(|word| OsString::from_vec(word.to_vec()));
            parse(&table(), words).map_err(|error| format!("{error:#}"))
        };
        for (words, expected) in [
            (&[b"labels", b"caf\xe9" as &[u8]], "an argument is not UTF-8: 'caf\u{fffd}'"),
            (&[b"labels", b"-qcaf\xe9"], "-q wants FILTER, in UTF-8"),
            (
                &[b"labels", b"--caf\xe9"],
                "unknown option '--caf\u{fffd}'\nhint: 'docker-registry --help' lists the options",
            ),
        ] {
            assert_eq!(parsed(words).err().as_deref(), Some(expected));
        }
        let Ok(Request::Run(_, args)) = parsed(&[b"labels", b"a", b"--cacert=caf\xe9"]) else {
            panic!("a path need not be UTF-8");
        };
        assert_eq!(
            args.path(flag("cacert")),
            Some(Path::new(&OsString::from_vec(b"caf\xe9".to_vec())))
        );
    }

    #[test]
    fn what_is_not_the_commands_is_refused() {
        for (line, expected) in [
            ("labels -o x a", "--output belongs to 'cat' and 'downloadlayer', not to 'labels'"),
            ("-o x labels a", "--output belongs to 'cat' and 'downloadlayer', not to 'labels'"),
            ("labels --layers a", "--layers belongs to 'verifytool', not to 'labels'"),
            (
                "labels",
                "labels wants an image\nhint: usage: docker-registry labels [OPTION]... IMAGE...",
            ),
            (
                "downloadlayer a b",
                "downloadlayer wants one layer, IMAGE@DIGEST, not 2\nhint: usage: docker-registry downloadlayer [OPTION]... IMAGE@DIGEST",
            ),
            (
                "downloadlayer --images f",
                "--images is not for 'downloadlayer', which wants one layer, IMAGE@DIGEST",
            ),
            (
                "downloadlayer",
                "downloadlayer wants one layer, IMAGE@DIGEST\nhint: usage: docker-registry downloadlayer [OPTION]... IMAGE@DIGEST",
            ),
            (
                "generate",
                "generate wants man, bash, zsh, fish or powershell\nhint: usage: docker-registry generate [OPTION]... man|bash|zsh|fish|powershell",
            ),
            (
                "generate mann",
                "generate wants man, bash, zsh, fish or powershell, not 'mann'\nhint: did you mean 'man'?",
            ),
            (
                "generate man bash",
                "generate wants man, bash, zsh, fish or powershell, not 2\nhint: usage: docker-registry generate [OPTION]... man|bash|zsh|fish|powershell",
            ),
            (
                "help a b",
                "help wants one command, not 2\nhint: usage: docker-registry help [OPTION]... [COMMAND]",
            ),
        ] {
            let words = line.split_whitespace().map(OsString::from);
            let error = parse(&table(), words).err().expect(line);
            assert_eq!(format!("{error:#}"), expected, "{line}");
        }
    }

    #[test]
    fn a_list_of_images_stands_for_operands() {
        for line in ["labels --images f", "labels --images f a", "labels a b"] {
            let words = line.split_whitespace().map(OsString::from);
            assert!(parse(&table(), words).is_ok(), "{line}");
        }
    }

    #[test]
    fn each_form_has_operands_of_its_own() {
        let cli = table();
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for line in ["push from-args", "push from-spec f"] {
            assert!(parse(&cli, words(line)).is_ok(), "{line}");
        }
        for (line, expected) in [
            (
                "push",
                "push wants from-spec or from-args\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
            (
                "push from-spek f",
                "push wants from-spec or from-args, not 'from-spek'\nhint: did you mean 'from-spec'?",
            ),
            (
                "push from-spec",
                "push from-spec wants one FILE\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
            (
                "push from-args f",
                "push from-args takes no operand\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
        ] {
            let error = parse(&cli, words(line)).err().expect(line);
            assert_eq!(format!("{error:#}"), expected, "{line}");
        }
    }
}
