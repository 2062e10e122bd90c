//! The built-in jq beside Debian's, over the filters of `tests/fixtures/filters.txt`.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use jaq_json::Val;

use super::tests::TIMEOUT;
use super::{Output, Query, print};
use crate::error::Kind;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

/// Results before the end, as compact JSON, and how it ended.
type Outcome = (Vec<String>, End);

#[derive(Debug, PartialEq)]
enum End {
    Whole,
    FailedAtCompileTime,
    FailedAtRunTime,
}

#[test]
fn filters_answer_as_jq_does() {
    if Command::new("jq").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "jq is not installed");
        eprintln!("skipped: jq is not installed");
        return;
    }
    let table = fs::read_to_string(format!("{FIXTURES}/filters.txt")).unwrap();
    let mut compared = 0;
    let mut differing = String::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (document, filter) = line.split_once('\t').expect("a tab");
        let input = fs::read(format!("{FIXTURES}/filters/{document}.json")).unwrap();
        let (ours, theirs) = (built_in(&input, filter), installed(&input, filter));
        if ours != theirs {
            differing += &format!("{line}\n  ours   {ours:?}\n  theirs {theirs:?}\n");
        }
        compared += 1;
    }
    assert!(differing.is_empty(), "\n{differing}");
    assert!(compared >= 80, "{compared}");
}

fn built_in(input: &[u8], filter: &str) -> Outcome {
    let mut results = Vec::new();
    let query = match Query::compile(filter, &[], TIMEOUT) {
        Ok(query) => query,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Usage, "{filter}");
            return (results, End::FailedAtCompileTime);
        }
    };
    let ran = query.run(input.into(), None, None, &mut |output: &Output| {
        match output {
            Output::Text(text) => {
                let mut json = Vec::new();
                print::json(&mut json, &Val::from(text.to_string())).unwrap();
                results.push(String::from_utf8(json).unwrap());
            }
            Output::Json(json) => results.push(String::from_utf8(json.to_vec()).unwrap()),
            Output::Note(note) => panic!("{note}"),
        }
        Ok(())
    });
    match ran {
        Ok(_) => (results, End::Whole),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Local, "{filter}");
            (results, End::FailedAtRunTime)
        }
    }
}

fn installed(input: &[u8], filter: &str) -> Outcome {
    let mut jq = Command::new("jq")
        .args(["-c", filter])
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A filter that does not compile leaves its input unread.
    let _ = jq.stdin.take().unwrap().write_all(input);
    let output = jq.wait_with_output().unwrap();
    let results = String::from_utf8(output.stdout).unwrap();
    let end = match output.status.code() {
        Some(0) => End::Whole,
        Some(3) => End::FailedAtCompileTime,
        Some(5) => End::FailedAtRunTime,
        code => panic!("{filter}: {code:?}"),
    };
    (results.lines().map(str::to_owned).collect(), end)
}
