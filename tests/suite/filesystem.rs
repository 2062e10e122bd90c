//! `files` and `cat`: what lies in an image, layer over layer, and nothing of what lies outside.

use std::fs;

use serde_json::json;
use tar::EntryType::{self, Block, Char, Directory, Fifo, GNUSparse, Link, Regular, Symlink};

use crate::harness::{Fault, Image, Registry, Tool, gzip, sha256};
use crate::verifytool::{zstd, zstd_raw};

/// A layer in the making.
struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Layer {
        Layer(tar::Builder::new(Vec::new()))
    }

    /// An entry of any name, as only a hand-made tar has it.
    fn entry(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Layer {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind == Directory { 0o755 } else { 0o644 });
        header.set_mtime(1_767_323_045);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Layer {
        self.entry(Regular, name, "", content.as_ref())
    }

    fn files(self, names: &[&str]) -> Layer {
        names
            .iter()
            .fold(self, |layer, name| layer.file(name, name))
    }

    fn directory(self, name: &str) -> Layer {
        self.entry(Directory, name, "", b"")
    }

    fn symlink(self, name: &str, target: &str) -> Layer {
        self.entry(Symlink, name, target, b"")
    }

    fn tar(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// An image of these layers, the lowest first, in a registry.
struct Scene {
    registry: Registry,
    image: Image,
}

impl Scene {
    fn new(layers: impl IntoIterator<Item = Layer>) -> Scene {
        Scene::of(layers.into_iter().map(Layer::tar))
    }

    fn of(tars: impl IntoIterator<Item = Vec<u8>>) -> Scene {
        let add = |image: Image, tar: Vec<u8>| image.raw_layer(gzip(&tar), &sha256(&tar), "");
        let image = tars.into_iter().fold(Image::new("linux/amd64"), add);
        let registry = Registry::start();
        image.push_to(&registry, "a", "v1");
        Scene { registry, image }
    }

    fn name(&self) -> String {
        self.registry.image("a:v1")
    }

    fn digest(&self, layer: usize) -> String {
        sha256(&self.image.layers()[layer])
    }

    fn ask(&self, command: &str, more: &[&str]) -> Tool {
        Tool::new().args([command, &self.name()]).args(more)
    }

    /// The paths that `files` lists.
    fn paths(&self, more: &[&str]) -> Vec<String> {
        let asked = self.ask("files", &["-q", ".[].path"]).args(more);
        let output = asked.run().status(0).stderr("");
        output.text().lines().map(str::to_owned).collect()
    }

    /// What `cat` fails with.
    #[track_caller]
    fn refuses(&self, path: &str, code: i32, why: &str) {
        let message = format!("docker-registry: {}: {why}\n", self.name());
        self.ask("cat", &[path]).run().fails(code, message);
    }

    /// The layers that were downloaded since the last time, by their numbers.
    fn downloaded(&self) -> Vec<usize> {
        let requests = self.registry.take();
        let layers: Vec<String> = self.image.layers().iter().map(sha256).collect();
        let number = |target: &str| layers.iter().position(|it| target.ends_with(it.as_str()));
        requests
            .iter()
            .filter_map(|request| number(request))
            .collect()
    }
}

#[test]
fn a_line_is_that_of_ls() {
    let mut layer = Layer::new()
        .directory("./")
        .directory("bin/")
        .file("bin/sh", "#!");
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(Regular);
    header.set_mode(0o6755);
    header.set_mtime(0);
    header.set_uid(1000);
    header.set_gid(2_000_000);
    header.set_size(4);
    layer
        .0
        .append_data(&mut header, "su", &b"root"[..])
        .unwrap();
    let layer = layer
        .symlink("a link", "/bin/sh")
        .entry(Link, "same", "bin/sh", b"")
        .entry(Fifo, "fifo", "", b"")
        .entry(Char, "null", "", b"")
        .entry(Block, "disk", "", b"");
    let scene = Scene::new([layer]);
    let expected = "\
drwxr-xr-x    0       0 0 2026-01-02 03:04 /
lrw-r--r--    0       0 0 2026-01-02 03:04 /a link -> /bin/sh
drwxr-xr-x    0       0 0 2026-01-02 03:04 /bin
-rw-r--r--    0       0 2 2026-01-02 03:04 /bin/sh
brw-r--r--    0       0 0 2026-01-02 03:04 /disk
prw-r--r--    0       0 0 2026-01-02 03:04 /fifo
crw-r--r--    0       0 0 2026-01-02 03:04 /null
-rw-r--r--    0       0 2 2026-01-02 03:04 /same
-rwsr-sr-x 1000 2000000 4 1970-01-01 00:00 /su
";
    scene.ask("files", &[]).run().success(expected);
    let entry = json!({
        "path": "/same", "type": "file", "mode": "0644", "uid": 0, "gid": 0, "size": 2,
        "modified": "2026-01-02T03:04:05Z", "link": "/bin/sh", "layer": scene.digest(0),
    });
    let asked = scene.ask("files", &["--json", "/same"]);
    assert_eq!(asked.run().status(0).json(), json!([entry]));
}

#[test]
fn layers_are_laid_over_one_another() {
    let lower = Layer::new()
        .directory("etc/")
        .files(&[
            "etc/a",
            "etc/b",
            "gone/deep/file",
            "opaque/old",
            "turned/in",
            "became",
        ])
        .symlink("pointer", "etc")
        .files(&[".wh.nothing"])
        .files(&["kept"]);
    let upper = Layer::new()
        .files(&[
            "etc/.wh.a",
            ".wh.gone",
            "opaque/new",
            "opaque/.wh..wh..opq",
            "turned",
        ])
        .files(&[
            "became/a/directory",
            "pointer/is/one",
            "new",
            ".wh.new",
            ".wh.never",
        ])
        .files(&[".wh..wh.plnk/1.2", ".wh..wh.aufs"])
        .entry(Link, "linked", "kept", b"");
    let scene = Scene::new([lower, upper]);
    let expected = [
        "/",
        "/became",
        "/became/a",
        "/became/a/directory",
        "/etc",
        "/etc/b",
        "/kept",
        "/linked",
        "/new",
        "/opaque",
        "/opaque/new",
        "/pointer",
        "/pointer/is",
        "/pointer/is/one",
        "/turned",
    ];
    assert_eq!(scene.paths(&[]), expected);
    assert_eq!(scene.paths(&["etc"]), ["/etc", "/etc/b"]);
    let layers = |path: &str| {
        let asked = scene.ask("files", &["-q", ".[] | [.layer, .type, .size]", "-r", path]);
        asked.run().status(0).json()
    };
    assert_eq!(layers("kept"), json!([scene.digest(0), "file", 4]));
    assert_eq!(layers("linked"), json!([scene.digest(1), "file", 4]));
    for (path, content) in [("turned", "turned"), ("linked", "kept"), ("/new", "new")] {
        scene.ask("cat", &[path]).run().success(content);
    }
    for gone in [
        "etc/a",
        "gone/deep/file",
        "opaque/old",
        "turned/in",
        "pointer/a",
    ] {
        scene.refuses(gone, 3, &format!("/{gone}: no such file"));
    }
}

#[test]
fn a_hard_link_is_the_file_of_its_own_layer() {
    let lower = || {
        Layer::new()
            .file("a", "old")
            .entry(Link, "b", "a", b"")
            .entry(Link, "c", "b", b"")
    };
    let linked = Layer::new().entry(Link, "d", "b", b"");
    for upper in [
        Layer::new().file("a", "new"),
        Layer::new().files(&[".wh.a"]),
    ] {
        let scene = Scene::new([lower(), upper]);
        for path in ["b", "c"] {
            scene.ask("cat", &[path]).run().success("old");
        }
    }
    let scene = Scene::new([lower(), linked, Layer::new().file("a", "new")]);
    scene.ask("cat", &["d"]).run().success("old");
    scene.ask("cat", &["a"]).run().success("new");
}

#[test]
fn a_layer_that_is_listed_twice_is_read_once() {
    let layer = || Layer::new().files(&["a"]);
    let scene = Scene::new([layer(), Layer::new().files(&["b"]), layer()]);
    for (command, more, expected) in [
        ("files", vec!["-q", "map(.path) | join(\" \")"], "/ /a /b\n"),
        ("size", vec!["--unpacked", "-q", ".unpacked"], "3\n"),
    ] {
        let tool = scene.ask(command, &more).arg("--no-cache");
        tool.run().success(expected);
        let mut downloaded = scene.downloaded();
        downloaded.sort();
        assert_eq!(downloaded, [0, 1], "{command}");
    }
    let tool = scene.ask("cat", &["c", "--no-cache"]);
    tool.run().status(3);
    assert_eq!(scene.downloaded(), [0, 1]);
}

#[test]
fn a_layer_alone_shows_its_whiteouts() {
    let scene = Scene::new([
        Layer::new().files(&["a", "b"]),
        Layer::new().files(&[".wh.a", "etc/b"]),
    ]);
    assert_eq!(scene.paths(&["--layer", "1"]), ["/a", "/b"]);
    let digest = scene.digest(1);
    for layer in ["2", &digest] {
        assert_eq!(
            scene.paths(&["--layer", layer]),
            ["/.wh.a", "/etc", "/etc/b"]
        );
        scene
            .ask("cat", &["etc/b", "--layer", layer])
            .run()
            .success("etc/b");
    }
    scene.ask("cat", &["a", "--layer", "1"]).run().success("a");
    let hint = "it has 2; the command 'layers' shows their digests";
    for layer in ["0", "3", "sha256:0"] {
        let message = format!(
            "docker-registry: {}: the image has no layer '{layer}'\nhint: {hint}\n",
            scene.name()
        );
        scene
            .ask("files", &["--layer", layer])
            .run()
            .fails(3, message);
    }
}

#[test]
fn a_directory_is_shown_no_deeper_than_wanted() {
    let scene = Scene::new([Layer::new().files(&["etc/apt/sources", "etc/hosts", "hello"])]);
    let name = scene.name();
    let tool = Tool::new().args(["files", "-q", "[.[].path] | join(\" \")", &name]);
    for (arguments, expected) in [
        ("--depth 0", "/"),
        ("--depth 1", "/ /etc /hello"),
        ("--depth 2", "/ /etc /etc/apt /etc/hosts /hello"),
        ("--depth 1 /etc", "/etc /etc/apt /etc/hosts"),
        ("--depth 1 /etc/hosts", "/etc/hosts"),
        (
            "--depth 9",
            "/ /etc /etc/apt /etc/apt/sources /etc/hosts /hello",
        ),
    ] {
        let output = tool.clone().args(arguments.split(' ')).run();
        output.success(format!("{expected}\n"));
    }
}

#[test]
fn symlinks_are_followed_inside_the_image() {
    let scene = Scene::new([
        Layer::new()
            .symlink("bin", "usr/bin")
            .symlink("usr/bin/sh", "../../../../usr/bin/./dash")
            .file("usr/bin/dash", "ELF")
            .symlink("etc/shadow", "/etc/passwd")
            .file("etc/passwd", "root"),
        Layer::new()
            .symlink("outside", "../../../../../etc/shadow")
            .symlink("loop", "loop")
            .symlink("nowhere", "gone")
            .symlink("passwd", "/proc/../etc/passwd"),
    ]);
    for (path, content) in [
        ("bin/sh", "ELF"),
        ("//bin//../bin/sh", "ELF"),
        ("outside", "root"),
        ("passwd", "root"),
        ("/../../etc/shadow", "root"),
    ] {
        scene.ask("cat", &[path]).run().success(content);
    }
    scene.refuses("nowhere", 3, "/gone: no such file");
    scene.refuses("loop", 1, "/loop: too many symlinks");
    let hint = "the command 'files' shows what there is";
    scene.refuses(
        "bin",
        1,
        &format!("/usr/bin: a directory, not a file\nhint: {hint}"),
    );
    assert_eq!(scene.paths(&["bin"]), ["/bin"]);
    assert_eq!(
        scene.paths(&["bin/"]),
        ["/usr/bin", "/usr/bin/dash", "/usr/bin/sh"]
    );
    assert_eq!(scene.paths(&["bin/sh"]), ["/usr/bin/sh"]);
}

#[test]
fn no_layer_is_read_below_the_one_that_has_or_hides_the_file() {
    let layers = ["a", "b", "c", "d", "e"].map(|name| match name {
        "d" => Layer::new().files(&["etc/d", ".wh.c", "etc/d2"]),
        name => Layer::new().files(&[&format!("etc/{name}"), name]),
    });
    let scene = Scene::new(layers);
    let digests = scene.ask("layers", &["-q", "length"]);
    digests.run().success("5\n");
    scene.registry.take();
    for (path, layers, found) in [
        ("e", vec![4], true),
        ("etc/e", vec![4], true),
        ("etc/d", vec![4, 3], true),
        ("c", vec![4, 3], false),
        ("b", vec![4, 3, 2, 1], true),
    ] {
        let asked = scene.ask("cat", &[path]);
        match found {
            true => asked.run().success(path),
            false => asked.run().status(3),
        };
        assert_eq!(scene.downloaded(), layers, "{path}");
    }
}

#[test]
fn what_a_layer_holds_is_remembered_under_its_digest() {
    let base = || Layer::new().files(&["a", "b"]).symlink("link", "b");
    let scene = Scene::new([base(), Layer::new().files(&["c", ".wh.a"])]);
    let tool = scene.ask("files", &[]);
    let first = tool.run().status(0);
    assert_eq!(scene.downloaded().len(), 2);
    tool.run().success(first.text());
    assert_eq!(scene.registry.take(), ["HEAD /v2/a/manifests/v1"]);
    let pinned = format!("{}@{}", scene.name(), scene.image.digest());
    tool.again(["files", &pinned]).run().success(first.text());
    assert_eq!(scene.registry.take(), [""; 0]);
    tool.again(["files", "--offline", &scene.name()])
        .run()
        .success(first.text());
    // Which layer has the file is known: only that one is read.
    tool.again(["cat", &scene.name(), "link"])
        .run()
        .success("b");
    assert_eq!(scene.downloaded(), [0]);
    // Another image on the same base.
    let tar = Layer::new().files(&["d"]).tar();
    let (base, layer) = (scene.image.layers().remove(0), gzip(&tar));
    let other = Image::new("linux/amd64")
        .raw_layer(base, "", "")
        .raw_layer(layer, "", "");
    other.push_to(&scene.registry, "other", "v1");
    let other = scene.registry.image("other:v1");
    tool.again(["files", "-q", "map(.path) | join(\" \")", &other])
        .run()
        .success("/ /a /b /d /link\n");
    assert_eq!(scene.downloaded(), [0; 0]);
    // What was damaged is read again.
    for entry in fs::read_dir(tool.home().join(".cache/docker-registry/layers")).unwrap() {
        fs::write(entry.unwrap().path(), "damaged").unwrap();
    }
    scene.registry.take();
    tool.run().success(first.text());
    assert_eq!(scene.downloaded().len(), 2);
}

#[test]
fn images_that_are_asked_for_together_read_a_layer_once() {
    let scene = Scene::new([Layer::new().files(&["a"])]);
    for tag in ["v2", "v3", "v4"] {
        scene
            .image
            .clone()
            .label("tag", tag)
            .push_to(&scene.registry, "a", tag);
    }
    let names: String = ["v1", "v2", "v3", "v4"]
        .map(|tag| scene.registry.image(&format!("a:{tag}\n")))
        .concat();
    let asked = Tool::new()
        .args(["files", "--images", "-", "-q", ".[].path"])
        .stdin(names);
    asked.run().success("/\n/a\n/\n/a\n/\n/a\n/\n/a\n");
    assert_eq!(scene.downloaded(), [0]);
}

#[test]
fn what_was_tampered_with_is_not_shown() {
    let scene = Scene::new([Layer::new().file("a", vec![b'a'; 3_000_000])]);
    let layer = scene.digest(0);
    let bytes = scene.image.layers().remove(0);
    let mut other = bytes.clone();
    let middle = other.len() / 2;
    other[middle] = b'b';
    let target = format!("/v2/a/blobs/{layer}");
    for command in ["files", "cat"] {
        let answer = crate::harness::Response::new(200).body(other.clone());
        scene.registry.fail(&target, answer);
        let output = scene.ask(command, &["a"]).run().status(6).stdout("");
        assert!(output.messages().contains(&layer), "{}", output.messages());
        scene.registry.fail(&target, Fault::Truncate(1000)).times(4);
        scene.ask(command, &["a"]).run().status(5).stdout("");
    }
}

#[test]
fn names_cannot_drive_a_terminal_or_forge_lines() {
    let mut layer = Layer::new().file("\x1b[2Ja\nb", "\x1b[2J\ttext\r\n\u{202e}");
    layer = layer.symlink("link", "\x1b]0;x\x07");
    let bad = b"bad\xff";
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..4].copy_from_slice(bad);
    header.set_entry_type(Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(2);
    header.set_cksum();
    layer.0.append(&header, &b"ok"[..]).unwrap();
    let scene = Scene::new([layer]);
    let date = "2026-01-02 03:04";
    let expected = format!(
        "drwxr-xr-x 0 0  0 1970-01-01 00:00 /\n\
         -rw-r--r-- 0 0 14 {date} /\\u{{1b}}[2Ja\\u{{a}}b\n\
         -rw-r--r-- 0 0  2 1970-01-01 00:00 /bad\\xff\n\
         lrw-r--r-- 0 0  0 {date} /link -> \\u{{1b}}]0;x\\u{{7}}\n"
    );
    scene.ask("files", &[]).run().success(expected);
    scene.ask("cat", &["bad\\xff"]).run().success("ok");
    assert_eq!(scene.paths(&["/bad\\xff"]), ["/bad\\xff"]);
    #[cfg(target_os = "linux")]
    {
        let shown = scene.ask("cat", &["\x1b[2Ja\nb"]).terminal(&[]);
        let text = shown.text();
        assert!(text.contains("\\u001b[2J\ttext"), "{text:?}");
        assert!(
            !text.contains('\x1b') && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}

#[test]
fn a_file_is_saved_as_a_layer_is() {
    let scene = Scene::new([Layer::new().file("a", "content")]);
    let tool = scene.ask("cat", &["a", "-o", "b"]);
    tool.run().success("file saved in 'b'\n");
    assert_eq!(fs::read(tool.work().join("b")).unwrap(), b"content");
    tool.run().success("file is already in 'b'\n");
    fs::write(tool.work().join("b"), "other").unwrap();
    let message = "b: the file exists and has other content\nhint: --force overwrites it";
    tool.run()
        .fails(1, format!("docker-registry: {}: {message}\n", scene.name()));
    let forced = tool.clone().args(["--force", "--json"]);
    assert_eq!(
        forced.run().status(0).json(),
        json!({"file": "b", "size": 7})
    );
    assert_eq!(fs::read(tool.work().join("b")).unwrap(), b"content");
    assert_eq!(tool.files(), ["b"]);
    scene.ask("cat", &["a", "-o", "-"]).run().success("content");
    let wrong = scene
        .ask("cat", &["a", "-o", "b", "--platform", "all"])
        .run();
    wrong.fails(
        2,
        format!(
            "docker-registry: {}: linux/amd64: --output, which is one file, is for one image on one platform\n",
            scene.name()
        ),
    );
}

#[test]
fn a_file_is_a_json_string_where_json_is_wanted() {
    let large = vec![b'a'; (8 << 20) + 1];
    let layer = Layer::new()
        .file("a", "one\ntwo\n")
        .file("b", b"\xff")
        .file("c", large);
    let scene = Scene::new([layer]);
    let name = scene.name();
    scene
        .ask("cat", &["a", "--json"])
        .run()
        .success("\"one\\ntwo\\n\"\n");
    scene
        .ask("cat", &["a", "-q", "split(\"\\n\")[1]"])
        .run()
        .success("two\n");
    let listed = Tool::new()
        .args(["cat", "--images", "-", "/a"])
        .stdin(format!("{name}\n{name}\n"));
    let line = json!({"image": name, "cat": "one\ntwo\n"});
    listed.run().success(format!("{line}\n{line}\n"));
    let everywhere = scene.ask("cat", &["a", "--platform", "all"]);
    assert_eq!(
        everywhere.run().status(0).json(),
        json!({"linux/amd64": "one\ntwo\n"})
    );
    for (path, why) in [
        ("b", "it is not UTF-8"),
        ("c", "it has 8388609 bytes, more than 8388608"),
    ] {
        let message = format!("{path}: the file cannot be a JSON string: {why}");
        let hint = "without a filter or --json its bytes are printed";
        let expected = format!("docker-registry: {name}: {message}\nhint: {hint}\n");
        scene.ask("cat", &[path, "--json"]).run().fails(1, expected);
    }
}

#[test]
fn operands_are_counted() {
    for (line, wants) in [
        ("files", "wants one image, and perhaps a path in it"),
        ("cat a", "wants one image and a path in it"),
        ("cat a b c", "wants one image and a path in it"),
    ] {
        let output = Tool::new().args(line.split(' ')).run().status(2).stdout("");
        assert!(output.messages().contains(wants), "{}", output.messages());
    }
}

/// A header whose numbers are as they are said.
fn sparse(name: &str, stored: &[u8], size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(GNUSparse);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(stored.len() as u64);
    let gnu = header.as_gnu_mut().unwrap();
    let octal = |number: u64, field: &mut [u8; 12]| {
        field[..11].copy_from_slice(format!("{number:011o}").as_bytes());
    };
    let stored_at = size - stored.len() as u64;
    octal(stored_at, &mut gnu.sparse[0].offset);
    octal(stored.len() as u64, &mut gnu.sparse[0].numbytes);
    octal(size, &mut gnu.realsize);
    header.set_cksum();
    let mut tar = header.as_bytes().to_vec();
    tar.extend(stored);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}

#[test]
fn holes_are_zeros_and_have_a_limit() {
    let scene = Scene::of([sparse("a", b"end", 5000)]);
    let expected = [vec![0; 4997], b"end".to_vec()].concat();
    let output = scene.ask("cat", &["a"]).run().status(0);
    assert!(output.stdout == expected);
    scene
        .ask("files", &["-q", ".[-1].size"])
        .run()
        .success("5000\n");
    let scene = Scene::of([sparse("a", b"end", (1 << 32) + 3)]);
    scene
        .ask("files", &["-q", ".[-1].size"])
        .run()
        .success("4294967299\n");
    let layer = scene.digest(0);
    scene.refuses(
        "a",
        1,
        &format!("layer {layer}: a sparse file of more than 1024 MiB"),
    );
}

#[test]
fn hostile_names_stay_inside_or_are_refused() {
    let layer = Layer::new()
        .file("../../up", "up")
        .file("/absolute", "absolute")
        .file("a/./../b//c", "c")
        .symlink("passwd", "/../../etc/passwd")
        .entry(Link, "hard", "../../../etc/shadow", b"");
    let scene = Scene::new([layer]);
    assert_eq!(
        scene.paths(&[]),
        ["/", "/absolute", "/b", "/b/c", "/hard", "/passwd", "/up"]
    );
    scene.ask("cat", &["../../up"]).run().success("up");
    scene.refuses("hard", 3, "/etc/shadow: no such file");
    scene.refuses("passwd", 3, "/etc/passwd: no such file");
}

#[test]
fn what_is_no_layer_says_so() {
    for (tar, why) in [
        (
            Layer::new().file(".wh.", "").tar(),
            "/.wh.: a whiteout of nothing",
        ),
        (
            Layer::new().file("a/.wh...", "").tar(),
            "/a/.wh...: a whiteout of nothing",
        ),
        (
            Layer::new().symlink("./", "a").tar(),
            "the root is no directory",
        ),
        (
            Layer::new().symlink("a", "a").file("a/b", "").tar(),
            "/a: too many symlinks",
        ),
        (vec![b'x'; 2000], "not a tar, or a damaged one: "),
    ] {
        let scene = Scene::of([tar]);
        let output = scene.ask("files", &[]).run().stdout("");
        let message = format!("{}: layer {}: {why}", scene.name(), scene.digest(0));
        assert!(
            output.messages().contains(&message),
            "{}",
            output.messages()
        );
        assert!(
            [Some(1), Some(6)].contains(&output.code),
            "{:?}",
            output.code
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_bar_is_gone_when_the_error_comes() {
    let mut tar = Layer::new().file("a", vec![b'a'; 1_500_000]).tar();
    let end = tar.len() - 1024;
    tar[end..].fill(b'x');
    let scene = Scene::of([tar]);
    for args in [["files", "a"], ["cat", "a"], ["size", "--unpacked"]] {
        let pause = std::time::Duration::from_millis(60);
        let target = format!("/v2/a/blobs/{}", scene.digest(0));
        scene.registry.fail(&target, Fault::Slow(100_000, pause));
        let shown = scene.ask(args[0], &args[1..]).terminal(&[]).status(6);
        let text = String::from_utf8(shown.stdout).unwrap();
        let blank = format!("\r{}\rdocker-registry: ", " ".repeat(79));
        assert!(text.contains(" MB/s") && text.contains(&blank), "{text:?}");
    }
}

#[cfg(target_os = "linux")]
mod memory {
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    /// What the run has when it has most, in bytes. The program alone takes 6 MB, and 18 where nothing
    /// is optimized.
    const MOST: usize = if cfg!(debug_assertions) {
        76_000_000
    } else {
        64_000_000
    };

    #[track_caller]
    fn within(tool: Tool) -> crate::harness::Output {
        let (output, peak) = tool.limit(Duration::from_secs(120)).measured();
        assert!(
            peak <= MOST,
            "{} MB: {}",
            peak / 1_000_000,
            output.messages()
        );
        output
    }

    fn packed(tar: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    }

    fn scene(layers: impl IntoIterator<Item = Vec<u8>>) -> Scene {
        let registry = Registry::start();
        let add = |image: Image, layer: Vec<u8>| image.raw_layer(layer, &sha256("?"), "");
        let image = layers.into_iter().fold(Image::new("linux/amd64"), add);
        image.push_to(&registry, "a", "v1");
        Scene { registry, image }
    }

    fn many(count: usize, layer: usize) -> Vec<u8> {
        let mut builder = Layer::new();
        for n in 0..count {
            let name = format!("usr/share/layer-{layer}/package-{}/file-{n}.txt", n / 100);
            builder = builder.file(&name, "");
        }
        packed(&builder.tar())
    }

    #[test]
    fn an_image_of_100_000_files_takes_little() {
        let scene = scene((0..10).map(|layer| many(10_000, layer)));
        let text = within(scene.ask("files", &[])).status(0);
        // A directory for each 100 files and each layer, usr, share and the root.
        assert_eq!(text.text().lines().count(), 100_000 + 1_000 + 10 + 3);
        let json = within(scene.ask("files", &["--json"])).status(0);
        assert_eq!(json.json().as_array().unwrap().len(), 101_013);
        within(scene.ask("cat", &["usr/share/layer-0/package-0/file-1.txt"])).success("");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let scene = scene([many(300_000, 0)]);
        let output = within(scene.ask("files", &[])).status(1).stdout("");
        let why = "the layers list more files than fit into 40 MiB";
        assert!(output.messages().contains(why), "{}", output.messages());
    }

    #[test]
    fn what_a_layer_replaces_takes_nothing() {
        let files = many(52_000, 0);
        // Another digest, for the same files.
        let scene = scene((0..4).map(|n| [files.clone(), gzip(&[n; 512])].concat()));
        let tool = scene.ask("files", &[]);
        let text = within(tool.clone()).status(0);
        assert_eq!(text.text().lines().count(), 52_524);
        let size = tool.again(["size", "--unpacked", "-q", ".unpacked", &scene.name()]);
        within(size).success("0\n");
    }

    /// The header of a file of so many zeros, which follow it.
    fn zeros(size: u64) -> [u8; 512] {
        let mut header = tar::Header::new_gnu();
        header.set_path("zeros").unwrap();
        header.set_entry_type(Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_cksum();
        *header.as_bytes()
    }

    #[test]
    fn layers_that_look_far_back_take_little() {
        const BLOCKS: usize = 160;
        let size = (BLOCKS << 17) as u64;
        // A frame for the header, then the zeros, with those that end the tar.
        let header = zstd_raw(&zeros(size));
        let layer = |n: u8| {
            [
                &header[..],
                &zstd(0, BLOCKS),
                &zstd_raw(&[&[0; 1024][..], &[n]].concat()),
            ]
            .concat()
        };
        let scene = scene((0..16).map(layer));
        let tool = scene.ask("files", &["-j16", "--no-cache", "-q", ".[-1].size"]);
        within(tool).success(format!("{size}\n"));
    }

    #[test]
    fn a_bomb_and_a_large_file_take_little() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let size = 200_000_000;
        encoder.write_all(&zeros(size)).unwrap();
        let block = vec![0; 1_000_000];
        (0..size / 1_000_000 + 1).for_each(|_| encoder.write_all(&block).unwrap());
        let scene = scene([encoder.finish().unwrap()]);
        within(scene.ask("files", &["-q", ".[-1].size"])).success(format!("{size}\n"));
        let tool = scene.ask("cat", &["zeros", "-o", "/dev/null"]);
        within(tool.clone()).success("");
        let left = fs::read_dir(tool.home().join("tmp")).unwrap().count();
        assert_eq!(left, 0, "the temporary file has no name");
    }
}
