//! What commands have in common that download to a file or to standard output.

use std::fs;
use std::path::Path;

use super::{Flag, Invocation};
use crate::cli::Value;
use crate::output;
use crate::progress::{Progress, ProgressStyle};

pub(super) static OUTPUT: Flag = Flag::new("output", Value::Path, "Write to FILE; - is stdout")
    .short('o')
    .about("Default for `cat`: stdout. Default for `downloadlayer`: the digest with `.tgz` behind it, or `.tar.zst` or `.tar` if the content is that, in the current directory, told as `./sha256:….tgz`, which `tar` takes. A device or a FIFO is written to like stdout. If FILE is a link, the file that it leads to is replaced if it has the same owner.");

pub(super) static FORCE: Flag =
    Flag::switch("force", "Overwrite a file that has other content").local();

pub(super) static NO_PROGRESS: Flag = Flag::switch("no-progress", "Show no progress")
    .local()
    .about("By default a longer download shows a bar on a terminal, and with `--verbose` a line for every 10 %.");

pub(super) static LAYER: Flag = Flag::new("layer", Value::Text("N|DIGEST"), "Look at one layer alone")
    .about("By its number, 1 being the lowest, or by its digest. `files` shows whiteouts then, the entries called `.wh.NAME` that remove NAME from the layers below.");

/// Does a work and shows its progress as the options say, until it is done. Of several images that
/// are asked for together nothing is shown.
pub(super) fn with_progress<T>(invocation: &Invocation, work: impl FnOnce(&Progress) -> T) -> T {
    let args = invocation.args;
    let is_stdout = args.path(&OUTPUT).is_some_and(is_stdout);
    let is_hidden = args.has(&NO_PROGRESS) || !invocation.is_alone;
    let progress = Progress::new(if is_hidden || (is_stdout && output::is_terminal()) {
        ProgressStyle::Silent
    } else {
        invocation.progress
    });
    let done = work(&progress);
    progress.finish();
    done
}

/// Also by its other names: where stdout is a file, the file must not be replaced.
pub(super) fn is_stdout(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}

/// Whether it is a device or a FIFO, which is written to and never replaced.
pub(super) fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
}
