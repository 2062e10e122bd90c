//! `docker-registry files IMAGE [PATH]`

use serde_json::json;

use super::entries;
use super::saving::{self, LAYER, NO_PROGRESS};
use super::{Answer, Command, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec};
use crate::cli::Value;
use crate::error::printable;
use crate::filesystem::{Entry, FilePath, Filesystem, Room, Tree};
use crate::memory;

static DEPTH: Flag = Flag::new("depth", Value::Number, "No deeper than so many names below PATH")
    .about("As with `find -maxdepth`: 1 is the directory and what stands in it.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "files",
        operand: Operand::ImageFile { is_needed: false },
        help: "List the files in an image",
        about: "What a container of the image sees: its layers, laid over one another as overlayfs does it. Without PATH all of it, with PATH the file, or the directory and all that is in it; symlinks in PATH are followed inside the image, the last one only if a slash follows.

As text: a line for each as `ls -ln` writes it, without the number of links. With `--json`: an array of `{path, type, mode, uid, gid, size, modified, link, layer}`. `type` is `file`, `directory`, `symlink`, `character device`, `block device` or `fifo`; `mode` is octal; `link` is what a symlink says, or which other path a hard link is the same file as; `layer` is the digest of the layer that it comes from. Bytes of names that are not UTF-8 stand as `\\xNN`.

Every layer is read and its digest compared; what it holds is remembered under its digest, so that no other image reads it again. Of layers in the formats eStargz and zstd:chunked only the table of contents is read, which has a digest too.",
        flags: &[&LAYER, &DEPTH, &NO_PROGRESS],
        examples: &[
            ("docker-registry files ubuntu /etc/apt", "the directory and all that is in it"),
            ("docker-registry files --depth 1 ubuntu /", "what stands in the root, as ls shows it"),
            (
                "docker-registry files -q '.[] | select(.mode | test(\"^[4-7]...$\")) | .path' ubuntu",
                "what is setuid, setgid or sticky",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    // Only the text of what is listed stays in memory.
    saving::with_progress(invocation, |progress| {
        memory::passing(|| {
            let mut filesystem = Filesystem::of(image, progress)?;
            if let Some(layer) = invocation.args.text(&LAYER) {
                filesystem = filesystem.only(layer)?;
            }
            let mut tree = filesystem.tree(&Room::default())?;
            let (path, depth) = (invocation.args.file(), invocation.args.number(&DEPTH));
            if path.is_some() || depth.is_some() {
                narrow(&mut tree, path.unwrap_or_default(), depth)?;
            }
            Ok(match invocation.is_json {
                true => Answer::json_text(json(tree, &filesystem)),
                false => Answer::text(text(tree), json!(null)),
            })
        })
    })
}

/// Keeps what the path leads to, and all that is in it, no deeper than so.
fn narrow(tree: &mut Tree, path: &str, depth: Option<u64>) -> Result<()> {
    let at = tree.find(path)?;
    if tree.get(&at).is_none() && !at.is_root() {
        return Err(Error::new(Kind::NotFound, format!("{at}: no such file or directory")));
    }
    let names = |path: &FilePath| path.names().count() as u64;
    let deepest = depth.map_or(u64::MAX, |depth| depth.saturating_add(names(&at)));
    tree.0.retain(|path, _| (*path == at || path.is_in(&at)) && names(path) <= deepest);
    Ok(())
}

fn json(tree: Tree, filesystem: &Filesystem) -> String {
    let mut json = String::from("[");
    for (path, entry) in tree.0 {
        if json.len() > 1 {
            json.push(',');
        }
        let mut line = json!({"path": path.to_string()});
        let members = line.as_object_mut().expect("an object");
        members.extend(entries::members(&entry, filesystem.layers()));
        json += &line.to_string();
    }
    json.push(']');
    json
}

/// As `ls -ln` has it, without the number of links.
fn text(tree: Tree) -> String {
    let width = |number: fn(&Entry) -> u64| {
        let most = tree.0.values().map(number).max();
        most.unwrap_or(0).to_string().len()
    };
    let uid = width(|entry| entry.uid.into());
    let gid = width(|entry| entry.gid.into());
    let size = width(|entry| entry.size);
    let mut text = String::new();
    for (path, entry) in tree.0 {
        let date = entries::date(&entry);
        text += &format!(
            "{}{} {:uid$} {:gid$} {:size$} {} {} ",
            entry.kind.letter(),
            permissions(entry.mode),
            entry.uid,
            entry.gid,
            entry.size,
            &date[..10],
            &date[11..16],
        );
        // A name may have line ends, and worse.
        text += &printable(&path.to_string());
        if entry.kind.letter() == 'l' {
            text += " -> ";
            text += &printable(&entry.link);
        }
        text.push('\n');
    }
    text.pop();
    text
}

/// `rwxr-xr-x`, with setuid, setgid and sticky in the place of an `x`.
fn permissions(mode: u32) -> String {
    let class = |shift: u32, special: char| {
        let bits = mode >> shift;
        let is_special = mode >> (9 + shift / 3) & 1 == 1;
        let execute = match (is_special, bits & 1 == 1) {
            (true, true) => special,
            (true, false) => special.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        };
        let read = if bits & 4 > 0 { 'r' } else { '-' };
        let write = if bits & 2 > 0 { 'w' } else { '-' };
        [read, write, execute]
    };
    [class(6, 's'), class(3, 's'), class(0, 't')].as_flattened().iter().collect()
}
