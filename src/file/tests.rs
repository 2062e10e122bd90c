//! What is opened, replaced and left alone.
#![cfg(unix)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn only_what_a_killed_process_leaves_is_temporary() {
    for (name, is_so) in [(".tmpAb12", true), ("tmp", false), ("0123abcd", false)] {
        assert_eq!(is_temporary(&Path::new(".tmp").join(name)), is_so, "{name}");
    }
}

#[test]
fn what_cannot_be_replaced_stays_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("full").join("full")).unwrap();
    fifo(&at("fifo"));
    symlink("nothing", at("dangling")).unwrap();
    symlink("around", at("around")).unwrap();
    symlink("fifo", at("link")).unwrap();
    for (name, why) in [
        ("full", "not a file"),
        ("fifo", "not a file"),
        ("link", "not a file"),
        ("dangling", "a link that leads to nothing"),
        ("around", "too many links"),
    ] {
        let before = fs::symlink_metadata(at(name)).unwrap();
        let error = replace(&at(name), b"new").unwrap_err();
        assert_eq!(error.to_string(), why, "{name}");
        let after = fs::symlink_metadata(at(name)).unwrap();
        assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    }
    replace(&at("file"), b"old").unwrap();
    replace(&at("file"), b"new").unwrap();
    assert_eq!(fs::read(at("file")).unwrap(), b"new");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 6);
}

#[test]
fn a_link_is_written_through() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir(at("there")).unwrap();
    fs::write(at("there/file"), "old").unwrap();
    symlink("there/other", at("link")).unwrap();
    symlink("file", at("there/other")).unwrap();
    replace(&at("link"), b"new").unwrap();
    assert_eq!(fs::read(at("there/file")).unwrap(), b"new");
    assert!(at("link").is_symlink() && at("there/other").is_symlink());
}

#[test]
fn who_may_read_it_stays_and_nobody_acts_as_its_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    replace(&path, b"new").unwrap();
    assert_eq!(mode(&path), 0o600);
    for (before, after) in [(0o640, 0o640), (0o6755, 0o755)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(mode(&path), after);
    }
    replace_private(&path, &[b"n", b"ew"]).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn only_what_is_ours_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "").unwrap();
    fs::hard_link(at("file"), at("second")).unwrap();
    symlink("file", at("link")).unwrap();
    fifo(&at("fifo"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    for (name, why) in [
        ("second", "a file with several names"),
        ("link", "a link, not a file"),
        ("fifo", "not a file"),
    ] {
        let error = open_owned(&mut options, &at(name)).unwrap_err();
        assert_eq!(error.to_string(), why, "{name}");
    }
    fs::remove_file(at("second")).unwrap();
    open_owned(&mut options, &at("file")).unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(at("file"), Some(65534), None).is_ok() {
        let error = open_owned(&mut options, &at("file")).unwrap_err();
        assert_eq!(error.to_string(), "another user's file");
        symlink("file", at("other")).unwrap();
        let error = place(&at("other")).unwrap_err();
        assert_eq!(error.to_string(), "a link to a file of another user");
        replace(&at("file"), b"new").unwrap();
        assert_eq!(fs::metadata(at("file")).unwrap().uid(), 65534);
    }
}
