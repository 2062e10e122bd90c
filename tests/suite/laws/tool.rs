//! Programs run in surroundings of their own, and what they print is compared whole.

use super::panic_of;
use crate::harness::Tool;

fn shell(script: &str) -> Tool {
    Tool::program("/bin/sh").args(["-c", script])
}

#[test]
fn output_is_compared_whole() {
    let run = || shell("echo data; echo noise >&2; exit 3").run();
    run().status(3).stdout("data\n").stderr("noise\n");
    let message = panic_of(|| {
        run().success("data\n");
    });
    assert_eq!(
        message,
        "\n$ sh -c 'echo data; echo noise >&2; exit 3'\nexit status: 3\nexpected exit code 0\n\
         --- stdout, as expected\n  data\n--- stderr: - expected, + came\n+ noise\n"
    );
    panic_of(|| {
        run().fails(3, "noise\n");
    });
    panic_of(|| {
        run().status(0);
    });
    panic_of(|| {
        run().stderr("nois");
    });
}

#[test]
fn the_environment_is_empty_and_its_own() {
    let tool = shell("/usr/bin/env | /usr/bin/sort; pwd").env("A", "b");
    let home = tool.home().display().to_string();
    let output = tool.run();
    let text = output.text().replace(&home, "HOME");
    assert_eq!(
        text,
        "A=b\nHOME=HOME\nPATH=HOME/bin:/usr/bin:/bin\nPWD=HOME/work\nTMPDIR=HOME/tmp\n\
         XDG_CACHE_HOME=HOME/.cache\nXDG_CONFIG_HOME=HOME/.config\nXDG_RUNTIME_DIR=HOME/run\n\
         HOME/work\n"
    );
}

#[test]
fn what_hangs_is_killed() {
    let patience = std::time::Duration::from_millis(200);
    let hanging = shell("sleep 100 & wait").limit(patience);
    let message = panic_of(|| drop(hanging.run()));
    assert!(message.contains("still ran after 200ms"), "{message}");
}

#[test]
fn stdin_files_and_scripts_reach_the_program() {
    let tool = shell("cat; cat ../.docker/config.json; helper; > made")
        .stdin("in ")
        .file(".docker/config.json", "{} ")
        .script("helper", "echo helped");
    tool.run().success("in {} helped\n");
    assert_eq!(tool.files(), ["made"]);
    tool.again(["-c", "rm made"]).run().success("");
    assert_eq!(tool.files(), [""; 0]);
}

#[test]
fn stdout_can_be_full_or_closed() {
    let full = shell("echo data || exit 7").stdout_to("/dev/full").run();
    full.status(7).stdout("");
    let closed = shell("trap '' PIPE; echo data 2>/dev/null || exit 7");
    closed.closed_stdout().run().fails(7, "");
}

#[test]
fn a_terminal_is_one() {
    let tool = shell("test -t 0 && test -t 1 && test -t 2 && stty size");
    tool.terminal(&[]).success("24 80\n");
    let asks =
        shell("printf 'Name: '; read name; stty -echo; printf 'Word: '; read word; echo $word");
    let output = asks.terminal(&[("Name: ", "me\n"), ("Word: ", "secret\n")]);
    output.success("Name: me\nWord: secret\n");
}

#[test]
fn a_running_program_can_be_interrupted() {
    let sleep = Tool::program("/bin/sleep").arg("100");
    let mut running = sleep.spawn();
    running.interrupt();
    assert_eq!(running.wait().code, None);
    let mut running = sleep.spawn();
    running.kill();
    assert_eq!(running.wait().code, None);
}
