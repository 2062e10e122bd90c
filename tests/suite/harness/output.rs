//! What a program left behind, and the assertions about it: whole and exact.

use std::process::ExitStatus;

pub struct Output {
    line: String,
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    how: String,
}

impl Output {
    pub(super) fn new(
        line: String,
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
    ) -> Output {
        Output {
            line,
            code: status.code(),
            stdout,
            stderr,
            how: status.to_string(),
        }
    }

    /// Exit code 0, this on stdout, nothing on stderr.
    #[track_caller]
    pub fn success(self, stdout: impl AsRef<str>) -> Output {
        self.expect(Some(0), Some(stdout.as_ref().as_bytes()), Some(""))
    }

    /// This exit code, nothing on stdout, this on stderr.
    #[track_caller]
    pub fn fails(self, code: i32, stderr: impl AsRef<str>) -> Output {
        self.expect(Some(code), Some(b""), Some(stderr.as_ref()))
    }

    /// The exit code alone; `stdout` and `stderr` say more.
    #[track_caller]
    pub fn status(self, code: i32) -> Output {
        self.expect(Some(code), None, None)
    }

    #[track_caller]
    pub fn stdout(self, expected: impl AsRef<str>) -> Output {
        self.stdout_bytes(expected.as_ref())
    }

    #[track_caller]
    pub fn stdout_bytes(self, expected: impl AsRef<[u8]>) -> Output {
        self.expect(None, Some(expected.as_ref()), None)
    }

    #[track_caller]
    pub fn stderr(self, expected: impl AsRef<str>) -> Output {
        self.expect(None, None, Some(expected.as_ref()))
    }

    /// What it wrote to stdout, which must be text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text on stdout")
    }

    /// The JSON document on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let parsed = serde_json::from_slice(&self.stdout);
        parsed.unwrap_or_else(|error| {
            panic!("{}: {error}\n{}", self.line, self.shown(None, None, None))
        })
    }

    /// What it wrote to stderr.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    fn expect(self, code: Option<i32>, stdout: Option<&[u8]>, stderr: Option<&str>) -> Output {
        let right = code.is_none_or(|code| self.code == Some(code))
            && stdout.is_none_or(|expected| expected == self.stdout)
            && stderr.is_none_or(|expected| expected.as_bytes() == self.stderr);
        if !right {
            panic!("{}", self.shown(code, stdout, stderr));
        }
        self
    }

    /// The command and its output, with what was expected of it.
    fn shown(&self, code: Option<i32>, stdout: Option<&[u8]>, stderr: Option<&str>) -> String {
        let mut text = format!("\n$ {}\n{}\n", self.line, self.how);
        if let Some(code) = code.filter(|code| Some(*code) != self.code) {
            text += &format!("expected exit code {code}\n");
        }
        text += &stream("stdout", stdout, &self.stdout);
        text += &stream("stderr", stderr.map(str::as_bytes), &self.stderr);
        text
    }
}

/// A document as it is printed: indented by two, with an end of line.
pub fn indented(json: impl AsRef<[u8]>) -> String {
    let json: serde_json::Value = serde_json::from_slice(json.as_ref()).expect("JSON");
    serde_json::to_string_pretty(&json).expect("a value") + "\n"
}

/// One stream: as it came, or line by line with `-` for what was expected and `+` for what came.
fn stream(name: &str, expected: Option<&[u8]>, actual: &[u8]) -> String {
    let expected = match expected {
        Some(expected) if expected != actual => expected,
        same => {
            let note = if same.is_some() { ", as expected" } else { "" };
            return format!("--- {name}{note}\n{}", lines(" ", &split(actual)));
        }
    };
    let (expected, actual) = (split(expected), split(actual));
    let same = |(a, b): &(&String, &String)| a == b;
    let start = expected.iter().zip(&actual).take_while(same).count();
    let ends = expected[start..].iter().rev();
    let end = ends
        .zip(actual[start..].iter().rev())
        .take_while(same)
        .count();
    let (gone, came) = (expected.len() - end, actual.len() - end);
    format!(
        "--- {name}: - expected, + came\n{}{}{}{}",
        lines(" ", &actual[..start]),
        lines("-", &expected[start..gone]),
        lines("+", &actual[start..came]),
        lines(" ", &actual[came..]),
    )
}

/// Lines with all that is not visible escaped, the end of line too when it is missing.
fn split(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let visible = |line: &str| match line.strip_suffix('\n') {
        Some(line) => line.escape_debug().to_string().replace("\\\"", "\""),
        None => format!("{} (no end of line)", line.escape_debug()),
    };
    text.split_inclusive('\n').map(visible).collect()
}

fn lines(mark: &str, lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| format!("{mark} {line}\n"))
        .collect()
}
