//! Candidates for one word, as docker asks its plugins for them: in the form of cobra, the library
//! that docker's command line is made of (cobra, `ShellCompDirective`).

use super::{Offer, spellings};
use crate::cli::{Cli, Flag, Unfinished};

/// What the shell is to do beyond the candidates; values add up.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;
const DIRECTORIES: u8 = 16;

/// A line for each candidate that starts with `word`, what it is about behind a tab, and a last line
/// for the shell. `images` gives those asked for before.
pub(crate) fn candidates(
    cli: &Cli,
    line: &Unfinished,
    word: &str,
    images: impl FnOnce(&str) -> Vec<String>,
) -> String {
    let (offer, word) = match (offer(cli, line, word), word.split_once('=')) {
        (Place::Options, _) => return options(cli, line, word),
        (Place::Commands, _) => return commands(cli, word),
        (Place::Value(offer), Some((option, value))) if option.starts_with("--") => (offer, value),
        (Place::Value(offer), _) => (offer, word),
    };
    match offer {
        Offer::Unknown => answer(Vec::new(), word, NO_FILES),
        Offer::Words(words) => {
            let words = words.into_iter().map(str::to_owned).collect();
            answer(words, word, NO_FILES)
        }
        Offer::Files => answer(Vec::new(), word, 0),
        Offer::Directories => answer(Vec::new(), word, DIRECTORIES),
        Offer::Images => {
            let asked = images(word);
            if !asked.is_empty() {
                return answer(asked, word, NO_FILES);
            }
            let schemes = ["oci:", "oci-archive:", "docker-archive:"];
            let schemes = schemes.map(str::to_owned).into();
            answer(schemes, word, NO_FILES | NO_SPACE)
        }
    }
}

/// What the word is.
enum Place {
    Options,
    Commands,
    Value(Offer),
}

fn offer(cli: &Cli, line: &Unfinished, word: &str) -> Place {
    if let Some(flag) = line.expects {
        return Place::Value(Offer::value(flag.value));
    }
    if !line.is_past_options && word.starts_with('-') {
        let Some((option, _)) = word.split_once('=') else {
            return Place::Options;
        };
        let flag = cli
            .flags()
            .find(|flag| option.strip_prefix("--") == Some(flag.name));
        return Place::Value(flag.map_or(Offer::Unknown, |flag| Offer::value(flag.value)));
    }
    let Some(command) = line.command else {
        return Place::Commands;
    };
    Place::Value(if line.args().operands().is_empty() {
        Offer::operand(cli, command.operand)
    } else {
        Offer::further(command.operand)
    })
}

fn commands(cli: &Cli, word: &str) -> String {
    let commands = cli
        .specs()
        .map(|spec| format!("{}\t{}", spec.name, spec.help));
    answer(commands.collect(), word, NO_FILES)
}

fn options(cli: &Cli, line: &Unfinished, word: &str) -> String {
    let own = line
        .command
        .into_iter()
        .flat_map(|spec| spec.flags)
        .copied();
    let described = |flag: &'static Flag| {
        let spellings = spellings(flag).into_iter();
        spellings.map(|spelling| format!("{spelling}\t{}", flag.help))
    };
    let options = own.chain(cli.global_flags()).flat_map(described);
    answer(options.collect(), word, NO_FILES)
}

fn answer(candidates: Vec<String>, word: &str, directive: u8) -> String {
    let fitting = candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(word));
    let lines = fitting.map(|candidate| candidate + "\n");
    format!("{}:{directive}\n", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo;
    use std::ffi::OsString;

    #[test]
    fn what_fits_the_place_is_offered() {
        let cli = demo::cli();
        for (line, expected) in [
            ("la", "labels\tPrint the labels of an image\n:4\n"),
            (
                "-r verif",
                "verifytool\tRecompute the digests of an image\n:4\n",
            ),
            ("labels ub", "ubuntu:18.04\n:4\n"),
            ("labels alpine ub", "ubuntu:18.04\n:4\n"),
            ("labels oci-", "oci-archive:\n:6\n"),
            ("verifytool alpine ub", ":4\n"),
            ("labels --color al", "always\n:4\n"),
            ("labels --color=al", "always\n:4\n"),
            ("labels -q ub", ":4\n"),
            ("labels --cacert c", ":0\n"),
            ("labels --cache-dir=c", ":16\n"),
            ("labels --arg a ub", ":4\n"),
            ("labels --colo", "--color\tWhen to colour\n:4\n"),
            ("labels --layers", ":4\n"),
            (
                "verifytool --layers",
                "--layers\tCheck every layer too\n:4\n",
            ),
            ("labels -- --colo", ":6\n"),
            ("labels --unknown x --colo", "--color\tWhen to colour\n:4\n"),
            ("labels --retries x ub", "ubuntu:18.04\n:4\n"),
            ("generate b", "bash\n:4\n"),
            ("help lab", "labels\n:4\n"),
            ("nothing x", ":4\n"),
        ] {
            let mut words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let word = words.pop().unwrap().into_string().unwrap();
            let images = |word: &str| match "ubuntu:18.04".starts_with(word) {
                true => vec!["ubuntu:18.04".to_owned()],
                false => Vec::new(),
            };
            let line_read = Unfinished::read(&cli, &words);
            assert_eq!(
                candidates(&cli, &line_read, &word, images),
                expected,
                "{line}"
            );
        }
    }
}
