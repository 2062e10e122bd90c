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
    let wrong = |why: &str| format!("{program}: {why}");
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(wrong("not the name of a program"));
    }
    let child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => wrong("there is no such program"),
        _ => wrong(&Error::from(error).to_string()),
    })?;
    let deadline = Instant::now() + timeout;
    let output = talk(&mut child, server, timeout);
    let status = match output {
        Ok(Ok(_)) => ended(&mut child, deadline),
        _ => None,
    };
    if status.is_none() {
        // It hangs, or cannot be understood: do not wait for it.
        let _ = child.kill();
        let _ = child.wait();
    }
    let late = || wrong(&format!("no answer within {} s", timeout.as_secs_f64()));
    let output = output.map_err(|_| late())?;
    let output = output.map_err(|error| wrong(&Error::from(error).to_string()))?;
    if output.len() as u64 > LIMIT {
        return Err(wrong("its answer has no end"));
    }
    if !status.ok_or_else(late)?.success() {
        let why = String::from_utf8_lossy(&output);
        let why = why.trim().lines().next().unwrap_or_default();
        // What looks like an answer may hold a secret.
        let why = if why.contains('{') { "" } else { why };
        // That is how every helper says so, since the first ones did.
        if why.contains("credentials not found") {
            return Ok(None);
        }
        let why: String = why.chars().take(200).collect();
        return Err(wrong(if why.is_empty() { "it failed" } else { &why }));
    }
    read(&output).map_err(wrong)
}

/// What it printed.
type Output = io::Result<Vec<u8>>;

/// What the child says to `server`, unless it takes too long. The thread that listens is left
/// behind then: a grandchild may hold the pipe open.
fn talk(
    child: &mut Child,
    server: &str,
    timeout: Duration,
) -> Result<Output, mpsc::RecvTimeoutError> {
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
    if let Err(error) = thread::Builder::new().spawn(listen) {
        return Ok(Err(error));
    }
    receiver.recv_timeout(timeout)
}

/// The status of a child that has closed its output and is about to end; `None` if it goes on.
fn ended(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        let status = child.try_wait().ok()?;
        if status.is_some() || Instant::now() > deadline {
            return status;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// `{"Username": …, "Secret": …}`; the user `<token>` says that the secret is an identity token.
fn read(output: &[u8]) -> Result<Option<Credential>, &'static str> {
    const NONSENSE: &str = "its answer is not {\"Username\": …, \"Secret\": …}";
    let json = json::parse(output).map_err(|_| NONSENSE)?;
    let secret = json["Secret"].as_str().ok_or(NONSENSE)?;
    let user = json["Username"].as_str().ok_or(NONSENSE)?;
    if secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(secret);
    Ok(Some(match user {
        "<token>" => Credential::IdentityToken { user: String::new(), token: secret },
        user => Credential::Password { user: user.to_owned(), password: secret },
    }))
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
