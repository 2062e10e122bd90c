//! From the arguments to a request, as the table has it.

use std::ffi::OsString;

use super::args::{Args, OptionValue};
use super::check;
use super::closest::closest;
use super::tokens::{Token, Tokens};
use super::{Cli, Flag, HELP, Operand, Request, Spec, VERSION};
use crate::error::{Error, Result, without_user};

/// `arguments` are what follows the program's name.
pub(crate) fn parse(cli: &Cli, arguments: impl IntoIterator<Item = OsString>) -> Result<Request> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.is_empty() {
        return Ok(Request::Help);
    }
    let line = CommandLine::read(cli, &arguments)?;
    let spec = line.words.first().map(|_| command(cli, &line.words)).transpose()?;
    if let Some(wanted) = line.help_or_version {
        return Ok(match (wanted, spec) {
            (HelpOrVersion::Version, _) => Request::Version,
            (_, Some(spec)) => Request::CommandHelp(spec),
            (HelpOrVersion::Help, None) => Request::Help,
            (HelpOrVersion::FullHelp, None) => Request::FullHelp,
        });
    }
    let Some(spec) = spec else {
        let hint = format!("'{} help' lists the commands", cli.name);
        return Err(Error::usage("a command is missing").hint(hint));
    };
    let args = Args { given: line.given, operands: line.words[1..].to_vec() };
    check::flags(cli, spec, &args)?;
    check::operands(cli, spec, &args)?;
    if spec.operand != Operand::Command {
        return Ok(Request::Run(spec, args));
    }
    Ok(match args.operands() {
        [] => Request::Help,
        words => Request::CommandHelp(command(cli, words)?),
    })
}

/// The arguments, sorted, before the command is known.
#[derive(Default)]
struct CommandLine {
    words: Vec<String>,
    given: Vec<(&'static Flag, OptionValue)>,
    /// The first of them.
    help_or_version: Option<HelpOrVersion>,
}

#[derive(Clone, Copy)]
enum HelpOrVersion {
    Help,
    FullHelp,
    Version,
}

impl CommandLine {
    fn read(cli: &Cli, arguments: &[OsString]) -> Result<CommandLine> {
        let mut line = CommandLine::default();
        let mut tokens = Tokens::of(cli, arguments);
        while let Some(token) = tokens.next()? {
            let (option, flag) = match token {
                Token::Word(word) => {
                    line.words.push(utf8(word)?);
                    continue;
                }
                Token::Option(option, Some(flag)) => (option, flag),
                Token::Option(option, None) => return Err(unknown_option(cli, &option)),
            };
            let given = flag.value.read(&option, || tokens.value())?;
            line.help_or_version = line.help_or_version.or(help_or_version(flag, &option));
            line.given.push((flag, given));
        }
        Ok(line)
    }
}

fn help_or_version(flag: &Flag, option: &str) -> Option<HelpOrVersion> {
    if std::ptr::eq(flag, &VERSION) {
        return Some(HelpOrVersion::Version);
    }
    std::ptr::eq(flag, &HELP).then_some(match option {
        "--help" => HelpOrVersion::FullHelp,
        _ => HelpOrVersion::Help,
    })
}

fn utf8(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| {
        let word = word.to_string_lossy();
        Error::usage(format!("an argument is not UTF-8: '{word}'"))
    })
}

fn unknown_option(cli: &Cli, option: &str) -> Error {
    let error = Error::usage(format!("unknown option '{option}'"));
    let name = option.trim_start_matches('-');
    match closest(name, cli.flags().map(|flag| flag.name)) {
        Some(name) => error.hint(format!("did you mean '--{name}'?")),
        None => error.hint(format!("'{} --help' lists the options", cli.name)),
    }
}

/// The command that the first word names.
fn command(cli: &Cli, words: &[String]) -> Result<&'static Spec> {
    let word = &words[0];
    if let Some(spec) = cli.command(word) {
        return Ok(spec);
    }
    // An image may stand in the command's place.
    let word = &without_user(word);
    let error = Error::usage(format!("unknown command '{word}'"));
    let misplaced = words.iter().find(|word| cli.command(word).is_some());
    Err(if let Some(name) = misplaced {
        error.hint(format!("the command comes first: '{} {name} {word}'", cli.name))
    } else if let Some(name) = closest(word, cli.specs().map(|spec| spec.name)) {
        error.hint(format!("did you mean '{name}'?"))
    } else {
        error.hint(format!("'{} help' lists the commands", cli.name))
    })
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
        table().flag(name).expect(name)
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
        assert_eq!(args.secret(flag("user")).map(|user| user.reveal()), Some("A:B"));
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
    fn two_dashes_end_the_options_and_one_is_an_operand() {
        assert_eq!(run("labels - -- -r --help").1.operands(), ["-", "-r", "--help"]);
        assert_eq!(run("downloadlayer a -o -").1.path(flag("output")), Some(Path::new("-")));
    }

    #[test]
    fn help_wins_over_what_is_missing() {
        let shown = |line| match request(line) {
            Ok(Request::Help) => "screen",
            Ok(Request::FullHelp) => "full",
            Ok(Request::CommandHelp(spec)) => spec.name,
            Ok(Request::Version) => "version",
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
}
