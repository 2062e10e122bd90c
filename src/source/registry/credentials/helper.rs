//! Credential helpers: programs `docker-credential-NAME` (docker/docker-credential-helpers).

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::json;
use crate::secret::Secret;

use super::auth_file::Credential;

/// A helper that says more has gone wrong.
const LIMIT: u64 = 1 << 20;

/// What the helper knows of `server`; `None` if it knows nothing. The error is a sentence for a
/// warning: it does not quote what a helper printed, unless that was its refusal.
pub(super) fn ask(
    name: &str,
    server: &str,
    timeout: Duration,
) -> Result<Option<Credential>, String> {
    let program = format!("docker-credential-{name}");
    let answer = match name.is_empty() || name.contains(['/', '\\']) {
        true => Err("not the name of a program".to_owned()),
        false => run(&program, server, timeout),
    };
    answer.map_err(|why| format!("{program}: {why}"))
}

fn run(program: &str, server: &str, timeout: Duration) -> Result<Option<Credential>, String> {
    let (stdin, stdout) = (Stdio::piped(), Stdio::piped());
    let mut command = Command::new(program);
    let child = command.arg("get").stdin(stdin).stdout(stdout).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => words(error),
    })?;
    let (output, status) = talk(&mut child, server, timeout).inspect_err(|_| {
        // It hangs, or cannot be understood: do not wait for it.
        let _ = child.kill();
        let _ = child.wait();
    })?;
    if status.success() {
        return read(&output);
    }
    let why = String::from_utf8_lossy(&output);
    // What looks like an answer may hold a secret.
    let why = why.trim().lines().next().filter(|why| !why.contains('{')).unwrap_or_default();
    match why {
        "" => Err("it failed".to_owned()),
        // That is how every helper says so, since the first ones did.
        why if why.contains("credentials not found") => Ok(None),
        why => Err(why.chars().take(200).collect()),
    }
}

/// What the child says to `server`, and its end, unless either takes too long. The thread that
/// listens is left behind then: a grandchild may hold the pipe open.
fn talk(
    child: &mut Child,
    server: &str,
    timeout: Duration,
) -> Result<(Vec<u8>, ExitStatus), String> {
    let late = || format!("no answer within {} s", timeout.as_secs_f64());
    let deadline = Instant::now() + timeout;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let server = server.to_owned();
    let (sender, receiver) = mpsc::channel();
    let listen = move || {
        // A helper may answer without listening.
        let _ = stdin.map(|mut stdin| stdin.write_all(server.as_bytes()));
        let mut output = Vec::new();
        let read = stdout.map(|stdout| stdout.take(LIMIT + 1).read_to_end(&mut output));
        let _ = sender.send(read.unwrap_or(Ok(0)).map(|_| output));
    };
    thread::Builder::new().spawn(listen).map_err(words)?;
    let output = receiver.recv_timeout(timeout).map_err(|_| late())?.map_err(words)?;
    if output.len() as u64 > LIMIT {
        return Err("its answer has no end".to_owned());
    }
    // It has closed its output and is about to end.
    loop {
        match child.try_wait().map_err(words)? {
            Some(status) => return Ok((output, status)),
            None if Instant::now() > deadline => return Err(late()),
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn words(error: io::Error) -> String {
    Error::from(error).to_string()
}

/// `{"Username": …, "Secret": …}`; the user `<token>` says that the secret is an identity token.
fn read(output: &[u8]) -> Result<Option<Credential>, String> {
    let json = json::parse(output).unwrap_or_default();
    let (Some(user), Some(secret)) = (json["Username"].as_str(), json["Secret"].as_str()) else {
        return Err("its answer is not {\"Username\": …, \"Secret\": …}".to_owned());
    };
    let (user, token) = (user.to_owned(), Secret::new(secret));
    Ok(match user.as_str() {
        _ if secret.is_empty() => None,
        "<token>" => Some(Credential::IdentityToken { user: String::new(), token }),
        _ => Some(Credential::Password { user, password: token }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_a_password() {
        let read = |text: &str| read(text.as_bytes());
        assert!(matches!(
            read(r#"{"ServerURL":"x","Username":"u","Secret":"p"}"#),
            Ok(Some(Credential::Password { user, password })) if user == "u" && password.reveal() == "p"
        ));
        assert!(matches!(
            read(r#"{"Username":"<token>","Secret":"t"}"#),
            Ok(Some(Credential::IdentityToken { user, token })) if user.is_empty() && token.reveal() == "t"
        ));
        assert!(matches!(read(r#"{"Username":"","Secret":""}"#), Ok(None)));
        for nonsense in ["", "secret", "[]", r#"{"Username":"u"}"#, r#"{"Secret":1}"#] {
            assert!(read(nonsense).is_err(), "{nonsense}");
        }
    }
}
