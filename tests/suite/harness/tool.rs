//! The program under test, run in an emptied environment and a home of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::output::Output;
use super::running::Running;
use super::served::Served;

/// A command line and its surroundings. Clones share the home.
#[derive(Clone)]
pub struct Tool {
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    stdin: Vec<u8>,
    stdout: Target,
    limit: Duration,
    home: Arc<tempfile::TempDir>,
}

#[derive(Clone)]
enum Target {
    Captured,
    File(PathBuf),
    /// A pipe that nobody reads any more.
    Closed,
}

impl Tool {
    pub fn new() -> Tool {
        Tool::program(env!("CARGO_BIN_EXE_docker-registry"))
    }

    /// Another program in the same kind of surroundings.
    pub fn program(program: impl Into<PathBuf>) -> Tool {
        let home = tempfile::tempdir().expect("a temporary directory");
        for name in ["bin", "work", "run", "tmp"] {
            fs::create_dir(home.path().join(name)).expect("a directory in it");
        }
        let at = |name: &str| home.path().join(name).into_os_string();
        let mut path = at("bin");
        path.push(":/usr/bin:/bin");
        let env = [
            ("HOME", home.path().into()),
            ("PATH", path),
            ("TMPDIR", at("tmp")),
            ("XDG_CACHE_HOME", at(".cache")),
            ("XDG_CONFIG_HOME", at(".config")),
            ("XDG_RUNTIME_DIR", at("run")),
        ];
        Tool {
            program: program.into(),
            args: Vec::new(),
            env: env.map(|(name, value)| (name.into(), value)).into(),
            stdin: Vec::new(),
            stdout: Target::Captured,
            limit: Duration::from_secs(20),
            home: Arc::new(home),
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Tool {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Tool {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.args.extend(args);
        self
    }

    /// Another command line in the same home and environment.
    pub fn again<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Tool {
        let mut tool = self.clone();
        tool.args.clear();
        tool.args(args)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Tool {
        self.env.insert(name.into(), value.as_ref().to_owned());
        self
    }

    pub fn without_env(mut self, name: &str) -> Tool {
        self.env.remove(OsStr::new(name));
        self
    }

    /// What it reads; without this its stdin is at the end.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Tool {
        self.stdin = text.into();
        self
    }

    /// Writes a file below the home: `.docker/config.json`.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Tool {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().expect("a file in a directory")).expect("a directory");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self
    }

    /// Writes a shell script into the first directory of `PATH`: a credential helper.
    #[cfg(unix)]
    pub fn script(self, name: &str, text: &str) -> Tool {
        let path = self.home().join("bin").join(name);
        // What this process opens for writing, a program that another thread just starts has open too
        // for a moment, and then it cannot be run: so another process writes it.
        let writer = Tool::program("/bin/sh").stdin(format!("#!/bin/sh\n{text}\n"));
        // A link that stands there is replaced, not followed to the system's own program.
        let write = "rm -f \"$0\" && cat > \"$0\" && chmod 755 \"$0\"";
        let written = writer.args(["-c", write]);
        written.arg(path).run().success("");
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory it runs in, empty at first.
    pub fn work(&self) -> PathBuf {
        self.home().join("work")
    }

    /// The names in the directory it runs in, sorted.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.work()).expect("the directory it runs in");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Its stdout goes to this file: `/dev/full`.
    pub fn stdout_to(mut self, path: impl Into<PathBuf>) -> Tool {
        self.stdout = Target::File(path.into());
        self
    }

    /// Its stdout is a pipe whose reader went away.
    pub fn closed_stdout(mut self) -> Tool {
        self.stdout = Target::Closed;
        self
    }

    /// How long it may take before it is killed and the test fails; 20 seconds unless said.
    pub fn limit(mut self, limit: Duration) -> Tool {
        self.limit = limit;
        self
    }

    #[must_use = "an output that nobody looks at proves nothing"]
    pub fn run(&self) -> Output {
        self.spawn().wait()
    }

    /// Runs it, and tells how many bytes of memory it had when it had most.
    #[cfg(target_os = "linux")]
    #[must_use = "an output that nobody looks at proves nothing"]
    pub fn measured(&self) -> (Output, usize) {
        let running = self.spawn();
        let peak = running.peak();
        (running.wait(), peak.join().expect("a peak"))
    }

    /// Starts it, for tests that do something to it while it runs.
    pub fn spawn(&self) -> Running {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        command.stdout(match &self.stdout {
            Target::Captured => Stdio::piped(),
            Target::File(path) => File::options()
                .append(true)
                .open(path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
                .into(),
            Target::Closed => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                drop(reader);
                writer.into()
            }
        });
        // Its children die with it when it hangs.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Running::start(command, self.line(), self.stdin.clone(), self.limit)
    }

    /// Starts it as a server on a free port of this machine, and waits until it listens.
    pub fn serve(&self) -> Served {
        let listen = ["serve", "--listen", "127.0.0.1:0"];
        let mut tool = self.clone();
        tool.args = listen.iter().map(OsString::from).chain(tool.args).collect();
        let tool = tool.limit(Duration::from_secs(120));
        Served::new(tool.spawn(), tool.home.clone())
    }

    /// Runs it with stdin, stdout and stderr on a terminal of 80 columns; stdout is then all that the
    /// terminal saw. Each of `typed` is typed when the terminal has shown its first part.
    #[cfg(target_os = "linux")]
    #[must_use = "an output that nobody looks at proves nothing"]
    pub fn terminal(&self, typed: &[(&str, &str)]) -> Output {
        let command = self.clone().env("TERM", "xterm-256color").command();
        super::terminal::run(command, self.line(), typed, self.limit)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env);
        command.current_dir(self.work());
        command
    }

    /// The command line as one would type it.
    fn line(&self) -> String {
        let program = self.program.file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(self.args.iter().map(OsString::as_os_str));
        let quoted = words.map(|word| {
            let word = word.to_string_lossy();
            let plain = |letter: char| letter.is_alphanumeric() || "-_./:@=,%+".contains(letter);
            match word.chars().all(plain) && !word.is_empty() {
                true => word.into_owned(),
                false => format!("'{word}'"),
            }
        });
        quoted.collect::<Vec<String>>().join(" ")
    }
}
