//! Layers are saved whole and right or not at all, and no byte is fetched twice without need.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Fault, Image, Registry, Response, Tool, gzip, sha256, tar};

/// A registry with one big layer, and what it is.
struct Layer {
    registry: Registry,
    bytes: Vec<u8>,
    digest: String,
}

impl Layer {
    /// Some blocks long.
    fn big() -> Layer {
        let content: Vec<u8> = (0..1_500_000u32)
            .map(|n| (n.wrapping_mul(n) >> 9) as u8)
            .collect();
        Layer::of(gzip(&tar(&[("big", &content)])))
    }

    fn small() -> Layer {
        Layer::of(gzip(&tar(&[("small", b"small")])))
    }

    fn of(bytes: Vec<u8>) -> Layer {
        let registry = Registry::start();
        let digest = registry.blob("a", bytes.clone());
        Layer {
            registry,
            bytes,
            digest,
        }
    }

    fn image(&self) -> String {
        self.registry.image(&format!("a@{}", self.digest))
    }

    fn target(&self) -> String {
        format!("/v2/a/blobs/{}", self.digest)
    }

    fn tool(&self) -> Tool {
        Tool::new().args(["downloadlayer", &self.image()])
    }

    fn file(&self) -> String {
        format!("{}.tgz", self.digest)
    }

    fn part(&self) -> String {
        format!("{}.part", self.digest)
    }

    fn said(&self) -> String {
        format!("layer downloaded to file './{}'\n", self.file())
    }

    /// What fails, as a message.
    fn failure(&self, why: &str) -> String {
        format!("docker-registry: {}: {why}\n", self.image())
    }

    /// The `Range` of each request for the layer.
    fn ranges(&self) -> Vec<Option<String>> {
        let requests = self.registry.requests().into_iter();
        let ours = requests.filter(|request| request.target == self.target());
        ours.map(|request| request.header("Range").map(str::to_owned))
            .collect()
    }

    #[track_caller]
    fn is_saved(&self, tool: &Tool) {
        assert_eq!(tool.files(), [self.file()]);
        assert!(fs::read(tool.work().join(self.file())).unwrap() == self.bytes);
    }
}

fn write(tool: &Tool, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = tool.work().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_layer_is_saved_under_its_digest() {
    let layer = Layer::big();
    let tool = layer.tool();
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [None]);
    let named = tool.arg("-o").arg("b").arg("--json");
    let expected = json!({"file": "b", "digest": layer.digest, "size": layer.bytes.len()});
    assert_eq!(named.run().status(0).json(), expected);
    assert_eq!(named.files(), ["b".to_owned(), layer.file()]);
}

#[test]
fn what_is_not_unpacked_is_saved_as_it_is() {
    for start in [&b"\xfd7zXZ\0"[..], b"BZh91AY&SY", b""] {
        let layer = Layer::of([start, b"whatever"].concat());
        let tool = layer.tool();
        let name = format!("./{}.tar", layer.digest);
        tool.run()
            .success(format!("layer downloaded to file '{name}'\n"));
        tool.run()
            .success(format!("layer is already in file '{name}'\n"));
        assert_eq!(fs::read(tool.work().join(&name)).unwrap(), layer.bytes);
        assert_eq!(tool.files(), [&name[2..]]);
    }
}

#[test]
fn the_rest_of_a_part_is_fetched() {
    let layer = Layer::big();
    let tool = layer.tool();
    write(&tool, &layer.part(), &layer.bytes[..1_000_000]);
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [Some("bytes=1000000-".to_owned())]);
}

#[test]
fn a_part_that_is_whole_is_not_fetched() {
    let layer = Layer::small();
    let tool = layer.tool();
    write(&tool, &layer.part(), &layer.bytes);
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), []);
}

#[test]
fn a_part_of_something_else_is_thrown_away() {
    let layer = Layer::small();
    for part in [vec![7; 100], vec![7; 100_000]] {
        let tool = layer.tool();
        let range = format!("bytes={}-", part.len());
        write(&tool, &layer.part(), part);
        tool.run().success(layer.said());
        layer.is_saved(&tool);
        assert_eq!(layer.ranges(), [Some(range), None]);
        layer.registry.take();
    }
}

#[test]
fn a_download_that_was_killed_goes_on() {
    let layer = Layer::big();
    let target = layer.target();
    layer.registry.fail(&target, Fault::StallAfter(1_000_000));
    let tool = layer.tool();
    let part = tool.work().join(layer.part());
    let mut running = tool.spawn();
    layer.registry.wait_for_stall();
    let there = || fs::metadata(&part).map_or(0, |metadata| metadata.len());
    while there() < 500_000 {
        std::thread::yield_now();
    }
    running.kill();
    assert_eq!(running.wait().code, None);
    assert_eq!(tool.files(), [layer.part()]);
    let there = there();
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [None, Some(format!("bytes={there}-"))]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_the_part_alone() {
    let layer = Layer::big();
    let target = layer.target();
    layer.registry.fail(&target, Fault::StallAfter(1_000_000));
    let tool = layer.tool();
    let mut running = tool.spawn();
    layer.registry.wait_for_stall();
    running.interrupt();
    assert_eq!(running.wait().code, None);
    assert_eq!(tool.files(), [layer.part()]);
}

#[test]
fn what_breaks_in_the_middle_goes_on_there() {
    let layer = Layer::big();
    let target = layer.target();
    for _ in 0..3 {
        layer.registry.fail(&target, Fault::Truncate(1000));
    }
    let tool = layer.tool();
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    let range = |from: u32| Some(format!("bytes={from}-"));
    assert_eq!(
        layer.ranges(),
        [None, range(1000), range(2000), range(3000)]
    );
}

#[test]
fn what_breaks_again_and_again_is_given_up_and_kept() {
    let layer = Layer::big();
    let target = layer.target();
    layer.registry.fail(&target, Fault::Truncate(1000)).times(2);
    let tool = layer.tool().args(["--retries", "1"]);
    let why = format!(
        "blob {}: after 2000 bytes: the connection was closed",
        layer.digest
    );
    tool.run().fails(5, layer.failure(&why));
    assert_eq!(tool.files(), [layer.part()]);
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges()[2], Some("bytes=2000-".to_owned()));
}

#[test]
fn a_long_way_makes_up_for_failures() {
    let layer = Layer::big();
    let target = layer.target();
    layer.registry.fail(&target, Fault::Truncate(1000));
    layer.registry.fail(&target, Fault::Truncate(1_100_000));
    let tool = layer.tool().args(["--retries", "1"]);
    tool.run().success(layer.said());
    let range = |from: u32| Some(format!("bytes={from}-"));
    assert_eq!(layer.ranges(), [None, range(1000), range(1_101_000)]);
}

#[test]
fn a_silence_is_not_tried_again() {
    let layer = Layer::small();
    let target = layer.target();
    layer.registry.fail(&target, Fault::StallAfter(50));
    let tool = layer.tool().args(["--timeout", "1"]);
    let output = tool.run().status(5).stdout("");
    assert!(output.messages().contains("no answer within 1 s"));
    assert_eq!(layer.ranges(), [None]);
    assert_eq!(
        fs::metadata(tool.work().join(layer.part())).unwrap().len(),
        50
    );
}

#[test]
fn without_ranges_it_starts_over() {
    let layer = Layer::big();
    let target = layer.target();
    let whole = || Response::new(200).body(layer.bytes.clone());
    // From an earlier run.
    let tool = layer.tool();
    write(&tool, &layer.part(), &layer.bytes[..1000]);
    layer.registry.fail(&target, whole());
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    // In the middle.
    let tool = layer.tool();
    layer.registry.fail(&target, Fault::Truncate(700_000));
    layer.registry.fail(&target, whole());
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    let range = |from: u32| Some(format!("bytes={from}-"));
    assert_eq!(layer.ranges(), [range(1000), None, range(700_000)]);
}

#[test]
fn another_content_starts_over() {
    let layer = Layer::big();
    let target = layer.target();
    let header = Fault::Header("ETag", "\"another\"".to_owned());
    layer.registry.fail(&target, header);
    layer.registry.fail(&target, Fault::Truncate(5000));
    let tool = layer.tool();
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [None, Some("bytes=5000-".to_owned()), None]);
}

#[test]
fn wrong_bytes_are_not_saved() {
    let layer = Layer::small();
    let wrong = vec![b'x'; layer.bytes.len()];
    let target = layer.target();
    layer
        .registry
        .fail(&target, Fault::WrongBytes(wrong.clone()));
    let tool = layer.tool();
    let (is, should) = (sha256(&wrong), &layer.digest);
    let why = format!("the digest of the content is {is}, not {should}");
    tool.run().fails(6, layer.failure(&why));
    assert!(tool.files().is_empty());
    assert_eq!(layer.ranges(), [None]);
}

#[test]
fn a_body_of_another_length_than_it_should_have_is_not_saved() {
    let small = gzip(&tar(&[("small", b"small")]));
    let diff_id = sha256(tar(&[("small", b"small")]));
    let image = Image::new("linux/amd64").raw_layer(small.clone(), &diff_id, "COPY");
    let registry = Registry::start();
    image.push_to(&registry, "a", "v1");
    let target = format!("/v2/a/blobs/{}", sha256(&small));
    let tool = Tool::new().args(["downloadlayer", "--all", "there", &registry.image("a:v1")]);
    let size = small.len();
    let chunked = |body: Vec<u8>| {
        let response = Response::new(200).header("Transfer-Encoding", "chunked");
        Fault::Answer(response.body(body))
    };
    let longer = [&small[..], b"more"].concat();
    let message = format!("the content is longer than the {size} bytes it should have");
    for (body, why) in [
        (longer, message),
        (
            small[..100].to_vec(),
            format!("the content has 100 bytes, not {size}"),
        ),
    ] {
        registry.fail(&target, chunked(body));
        let image = registry.image("a:v1");
        let expected = format!("docker-registry: {image}: {why}\n");
        tool.run().fails(6, expected);
        assert_eq!(fs::read_dir(tool.work().join("there")).unwrap().count(), 0);
    }
    let layer = Layer::small();
    let target = layer.target();
    layer.registry.fail(&target, Fault::Oversize(10));
    let tool = layer.tool();
    let output = tool.run().status(6).stdout("");
    assert!(output.messages().contains("the digest of the content is "));
    assert!(tool.files().is_empty());
}

#[test]
fn an_endless_body_ends_with_the_layers_size() {
    let image = Image::new("linux/amd64").layer("small", b"small");
    let registry = Registry::start();
    image.push_to(&registry, "a", "v1");
    let target = format!("/v2/a/blobs/{}", sha256(&image.layers()[0]));
    registry.fail(&target, Fault::Endless);
    let tool = Tool::new().args(["downloadlayer", "--all", ".", &registry.image("a:v1")]);
    let output = tool.run().status(6).stdout("");
    assert!(output.messages().contains("the content is longer than"));
    assert!(tool.files().is_empty());
}

#[test]
fn a_wrong_layer_on_stdout_is_cut_short() {
    let layer = Layer::big();
    let mut wrong = layer.bytes.clone();
    wrong[10] ^= 1;
    let target = layer.target();
    layer
        .registry
        .fail(&target, Fault::WrongBytes(wrong.clone()));
    let tool = layer.tool().args(["-o", "-"]);
    let output = tool.run().status(6);
    assert!(output.stdout.len() < wrong.len());
    assert!(wrong.starts_with(&output.stdout));
    let (is, should) = (sha256(&wrong), &layer.digest);
    let why = format!("the digest of the content is {is}, not {should}");
    output.stderr(layer.failure(&why));
    let small = Layer::small();
    let target = small.target();
    small.registry.fail(&target, Fault::WrongBytes(vec![0; 9]));
    small.tool().args(["-o", "-"]).run().status(6).stdout("");
}

#[test]
fn a_layer_goes_to_stdout_whole_over_a_bad_line() {
    let layer = Layer::big();
    let target = layer.target();
    layer.registry.fail(&target, Fault::Truncate(700_000));
    let output = layer.tool().args(["-o", "-"]).run().status(0).stderr("");
    assert!(output.stdout == layer.bytes);
    assert_eq!(layer.ranges(), [None, Some("bytes=700000-".to_owned())]);
    layer
        .tool()
        .args(["-o", "-"])
        .closed_stdout()
        .run()
        .success("");
}

#[test]
fn a_file_that_is_right_is_not_fetched() {
    let layer = Layer::small();
    let tool = layer.tool();
    let file = format!("./{}", layer.file());
    for (name, extra) in [(file, vec![]), ("b".to_owned(), vec!["-o", "b"])] {
        write(&tool, &name, &layer.bytes);
        let tool = tool.clone().args(extra);
        let said = format!("layer is already in file '{name}'\n");
        tool.run().success(said);
    }
    assert_eq!(layer.registry.take(), [] as [String; 0]);
}

#[test]
fn a_file_that_is_wrong_is_left_alone_without_force() {
    let layer = Layer::small();
    let tool = layer.tool();
    let path = write(&tool, &layer.file(), "mine");
    let why = format!(
        "{}: the file exists and has other content\nhint: --force overwrites it",
        layer.file()
    );
    tool.run().fails(1, layer.failure(&why));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
    assert_eq!(layer.registry.take(), [] as [String; 0]);
    tool.clone().arg("--force").run().success(layer.said());
    layer.is_saved(&tool);
}

#[test]
fn a_directory_is_no_file() {
    let layer = Layer::small();
    let tool = layer.tool().args(["-o", "."]);
    tool.run().fails(1, layer.failure(".: not a file"));
}

#[test]
fn a_fifo_is_no_file_and_not_waited_for() {
    let layer = Layer::small();
    let tool = layer.tool();
    let make = Tool::program("/usr/bin/mkfifo").arg(tool.work().join(layer.file()));
    make.run().success("");
    let why = format!("{}: not a file", layer.file());
    tool.run().fails(1, layer.failure(&why));
}

#[test]
fn a_device_stays_one() {
    let layer = Layer::small();
    let tool = layer.tool();
    tool.clone().args(["-o", "/dev/null"]).run().success("");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let full = tool.args(["-o", "/dev/full"]);
    full.run()
        .fails(1, layer.failure("no space left on device"));
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_a_part_to_go_on_with() {
    let layer = Layer::big();
    let tool = layer.tool();
    let full = Tool::program("/bin/sh").args(["-c", FULL, env!("CARGO_BIN_EXE_docker-registry")]);
    let full = full.args(["downloadlayer", &layer.image()]);
    let why = format!("{}: file too large", layer.part());
    full.run().fails(1, layer.failure(&why));
    assert_eq!(full.files(), [layer.part()]);
    let part = full.work().join(layer.part());
    let there = fs::metadata(&part).unwrap().len();
    assert!(there > 0);
    fs::rename(part, tool.work().join(layer.part())).unwrap();
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [None, Some(format!("bytes={there}-"))]);
}

/// As good as a full disk: no file may be larger than about half a megabyte.
const FULL: &str = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";

#[test]
fn tar_takes_the_name_that_is_told() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("a", b"a");
    image.push_to(&registry, "a", "v1");
    let name = registry.image(&format!("a@{}", sha256(&image.layers()[0])));
    let told = Tool::new().args(["downloadlayer", "-q", ".file", &name]);
    let told = told.args(["-o", "a:b"]);
    told.clone().run().success("./a:b\n");
    let told = told.again(["downloadlayer", "-q", ".file", &name]);
    let file = told.run().status(0).stderr("").text().trim().to_owned();
    // It takes what stands before a colon for a host.
    let tar = Tool::program("/bin/tar").args(["-tzf", &file]);
    fs::copy(told.work().join(&file), tar.work().join(&file)).unwrap();
    tar.run().success("a\n");
}

#[test]
fn two_downloads_of_one_layer_share_the_work() {
    let layer = Layer::big();
    let target = layer.target();
    let pause = Duration::from_millis(20);
    layer.registry.fail(&target, Fault::Slow(100_000, pause));
    let tool = layer.tool();
    let first = tool.spawn();
    let part = tool.work().join(layer.part());
    // Whoever writes to it has the lock.
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        std::thread::yield_now();
    }
    let holder = match cfg!(target_os = "linux") {
        true => format!(", of process {}", first.id()),
        false => String::new(),
    };
    let waiting = format!(
        "docker-registry: {}: waiting for another download{holder}\n",
        layer.part()
    );
    let said = format!("layer is already in file './{}'\n", layer.file());
    tool.run().status(0).stdout(said).stderr(waiting);
    first.wait().success(layer.said());
    layer.is_saved(&tool);
    assert_eq!(layer.ranges(), [None]);
}

#[test]
fn a_blob_that_is_not_there_leaves_nothing() {
    let registry = Registry::start();
    registry.blob("a", "b");
    let digest = sha256("nothing");
    registry.absent(&format!("/v2/a/blobs/{digest}"));
    let image = registry.image(&format!("a@{digest}"));
    let tool = Tool::new().args(["downloadlayer", &image]);
    tool.run().fails(
        3,
        format!(
            "docker-registry: {image}: blob {digest}: not found (blob unknown)\n\
             hint: the command 'layers' shows the digests of an image's layers\n"
        ),
    );
    assert!(tool.files().is_empty());
}

#[test]
fn what_is_wanted_must_be_said() {
    let tool = Tool::new();
    let two = "docker-registry: a: downloadlayer wants one layer, IMAGE@DIGEST, or --all DIR\n\
               hint: the command 'layers' shows the digests\n";
    tool.again(["downloadlayer", "a"]).run().fails(2, two);
    let both = ["downloadlayer", "--all", "b", "-o", "c", "a"];
    let message = "docker-registry: a: --all cannot be used with --output, which is one file\n";
    tool.again(both).run().fails(2, message);
}

/// An image with a gzip, a zstd and a plain layer, and one of them twice.
fn three_kinds() -> Image {
    let zstd = b"\x28\xb5\x2f\xfd\x00\x58\x19\x00\x00zst".to_vec();
    let twice = gzip(&tar(&[("one", b"one")]));
    let diff_id = sha256(tar(&[("one", b"one")]));
    Image::new("linux/amd64")
        .raw_layer(twice.clone(), &diff_id, "one")
        .raw_layer(zstd, &sha256("zst"), "zst")
        .raw_layer(b"tar".to_vec(), &sha256("tar"), "tar")
        .raw_layer(twice, &diff_id, "one")
        .oci()
}

#[test]
fn all_layers_of_an_image_are_saved() {
    let registry = Registry::start();
    let image = three_kinds();
    image.push_to(&registry, "a", "v1");
    let tool = Tool::new();
    let all = tool.again(["downloadlayer", "--all", "b/c", &registry.image("a:v1")]);
    let layers = image.layers();
    let files: Vec<String> = [(0, "tgz"), (1, "tar.zst"), (2, "tar")]
        .map(|(i, extension): (usize, _)| format!("b/c/{}.{extension}", sha256(&layers[i])))
        .into();
    let said = |how: &str| -> String {
        let line = |file| format!("layer {how} file '{file}'\n");
        files.iter().map(line).collect()
    };
    all.run().success(said("downloaded to"));
    for (file, bytes) in files.iter().zip(&layers) {
        assert_eq!(&fs::read(tool.work().join(file)).unwrap(), bytes);
    }
    assert_eq!(fs::read_dir(tool.work().join("b/c")).unwrap().count(), 3);
    registry.take();
    all.run().success(said("is already in"));
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
    let json = all.arg("--json").run().status(0).json();
    let entry = |(file, bytes): (&String, &Vec<u8>)| json!({"file": file, "digest": sha256(bytes), "size": bytes.len()});
    let expected: Value = files.iter().zip(&layers).map(entry).collect();
    assert_eq!(json, expected);
}

#[test]
fn layers_come_side_by_side_as_far_as_jobs_allow() {
    let registry = Registry::start();
    let names: Vec<String> = (0..6).map(|n| n.to_string()).collect();
    let image = names.iter().fold(Image::new("linux/amd64"), |image, name| {
        image.layer(name, name.as_bytes())
    });
    image.push_to(&registry, "a", "v1");
    registry.fail("/v2/a/blobs/*", Fault::Together(3)).times(6);
    let all = ["downloadlayer", "-j", "3", "--all", "."];
    let tool = Tool::new().args(all).arg(registry.image("a:v1"));
    assert_eq!(tool.run().status(0).stderr("").text().lines().count(), 6);
    assert_eq!(registry.most_at_once(), 3);
}

#[test]
fn the_tar_inside_is_written() {
    let registry = Registry::start();
    let image = three_kinds();
    let manifest = image.push_to(&registry, "a", "v1");
    let layers = image.layers();
    let contents: [&[u8]; 3] = [&tar(&[("one", b"one")]), b"zst", b"tar"];
    for (layer, content) in layers.iter().zip(contents) {
        let digest = sha256(layer);
        let file = format!("{digest}.tar");
        let said = format!("layer downloaded to file './{file}'\n");
        for image in [format!("a@{digest}"), format!("a:v1@{digest}")] {
            let tool = Tool::new().args(["downloadlayer", "--decompress"]);
            let tool = tool.arg(registry.image(&image));
            tool.run().success(&said);
            assert_eq!(tool.files(), [&*file]);
            assert_eq!(fs::read(tool.work().join(&file)).unwrap(), content);
            let stdout = tool.args(["-o", "-"]).run().status(0).stderr("");
            assert_eq!(stdout.stdout, content);
        }
    }
    let tool = Tool::new().args(["downloadlayer", "--decompress", "--all", "."]);
    let tool = tool.arg(registry.image(&format!("a@{manifest}")));
    assert_eq!(tool.run().status(0).text().lines().count(), 3);
    let line = |layer| format!("layer is already in file './{}.tar'\n", sha256(layer));
    tool.run()
        .success(layers[..3].iter().map(line).collect::<String>());
}

#[test]
fn a_tar_with_another_diff_id_is_not_saved() {
    let registry = Registry::start();
    let (right, wrong) = (sha256(tar(&[("one", b"one")])), sha256("wrong"));
    let layer = gzip(&tar(&[("one", b"one")]));
    let image = Image::new("linux/amd64").raw_layer(layer.clone(), &wrong, "one");
    image.push_to(&registry, "a", "v1");
    let name = registry.image(&format!("a:v1@{}", sha256(&layer)));
    let tool = Tool::new().args(["downloadlayer", "--decompress", &name]);
    let why = format!("the digest of the content is {right}, not {wrong}");
    let message = format!("docker-registry: {name}: diff ID: {why}\n");
    tool.run().fails(6, message);
    assert!(tool.files().is_empty());
    tool.args(["-o", "-"]).run().status(6).stdout("");
}

#[test]
fn a_layer_of_another_image_has_no_diff_id() {
    let layer = Layer::small();
    let image = Image::new("linux/amd64").layer("other", b"other");
    image.push_to(&layer.registry, "a", "v1");
    let name = layer.registry.image(&format!("a:v1@{}", layer.digest));
    let tool = Tool::new().args(["downloadlayer", "--decompress", &name]);
    let message = format!(
        "docker-registry: {name}: the image for the platform has no layer {}\n\
         hint: without the tag the diff ID is not compared\n",
        layer.digest
    );
    tool.run().fails(3, message);
}

#[test]
fn tars_do_not_stand_in_for_layers() {
    let layer = Layer::small();
    let tool = layer.tool();
    tool.clone().arg("--decompress").run().status(0).stderr("");
    tool.run().success(layer.said());
    let tar = format!("{}.tar", layer.digest);
    assert_eq!(tool.files(), [tar.clone(), layer.file()]);
    // Nothing tells that the tar is right.
    let why = format!(
        "{tar}: the file exists, and its content cannot be checked\n\
         hint: --force overwrites it"
    );
    let again = tool.clone().arg("--decompress");
    again.run().fails(1, layer.failure(&why));
    again.arg("--force").run().status(0).stderr("");
}

#[test]
fn damage_in_a_layer_shows_when_it_is_unpacked() {
    let cut = gzip(&tar(&[("small", b"small")]))[..100].to_vec();
    let layer = Layer::of(cut);
    let tool = layer.tool().arg("--decompress");
    let output = tool.run().status(6).stdout("");
    assert!(output.messages().contains("the gzip data is damaged"));
    assert!(tool.files().is_empty());
}

#[test]
fn verbose_tells_every_tenth() {
    let layer = Layer::big();
    let output = layer.tool().arg("-v").run().status(0).stdout(layer.said());
    let messages = output.messages();
    let tenths: Vec<&str> = messages
        .lines()
        .filter(|line| line.contains(" % "))
        .collect();
    assert_eq!(tenths.last(), Some(&"100 %  1.5 of 1.5 MB"));
    let silent = layer.tool().args(["-v", "--no-progress"]).run().status(0);
    assert!(!silent.messages().contains(" % "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_a_bar_if_it_takes_longer() {
    let layer = Layer::big();
    let target = layer.target();
    let said = layer.said();
    let shown = |tool: Tool| {
        let pause = Duration::from_millis(60);
        layer.registry.fail(&target, Fault::Slow(100_000, pause));
        String::from_utf8(tool.terminal(&[]).status(0).stdout).unwrap()
    };
    let seen = shown(layer.tool());
    assert!(seen.contains("% [####"), "{seen:?}");
    assert!(
        seen.contains(" of 1.5 MB  ") && seen.contains(" s left"),
        "{seen:?}"
    );
    // The bar is gone when the answer comes.
    let blank = format!("\r{}\r{said}", " ".repeat(79));
    assert!(seen.ends_with(&blank), "{seen:?}");
    assert_eq!(shown(layer.tool().arg("--no-progress")), said);
    // What is done at once needs no bar.
    let quick = layer.tool().terminal(&[]).status(0);
    quick.stdout(&said);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_layer() {
    let peak = |layer: &Layer| {
        let target = layer.target();
        let length = layer.bytes.len() - 1000;
        layer.registry.fail(&target, Fault::StallAfter(length));
        let tool = layer.tool();
        let mut running = tool.spawn();
        layer.registry.wait_for_stall();
        let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
        running.kill();
        let _ = running.wait();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        kilobytes.parse::<u64>().unwrap()
    };
    let small = peak(&Layer::of(vec![b'x'; 2 << 20]));
    let large = peak(&Layer::of(vec![b'x'; 32 << 20]));
    assert!(large < small + 4096, "{small} kB, then {large} kB");
}

/// A crash may leave a name without content.
#[test]
fn an_empty_file_is_in_nobodys_way() {
    let layer = Layer::small();
    let tool = layer.tool();
    write(&tool, &layer.file(), "");
    tool.run().success(layer.said());
    layer.is_saved(&tool);
    let tool = tool.args(["-o", "b"]);
    write(&tool, "b", "");
    tool.run().success("layer downloaded to file 'b'\n");
    assert!(fs::read(tool.work().join("b")).unwrap() == layer.bytes);
}

#[cfg(unix)]
#[test]
fn what_is_in_the_way_is_not_replaced() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    let layer = Layer::small();
    let tool = layer.tool();
    let at = |name: &str| tool.work().join(name);
    let output = |name: &str| tool.clone().args(["--force", "-o", name]).run();
    let mode = |name: &str| fs::metadata(at(name)).unwrap().mode() & 0o7777;
    // A file that is overwritten keeps its readers, but nobody becomes its owner by running it.
    write(&tool, "mine", "mine");
    fs::set_permissions(at("mine"), fs::Permissions::from_mode(0o6711)).unwrap();
    symlink("mine", at("link")).unwrap();
    output("link").success("layer downloaded to file 'mine'\n");
    assert!(fs::read(at("mine")).unwrap() == layer.bytes);
    assert!(at("link").is_symlink());
    assert_eq!(mode("mine"), 0o711);
    symlink("nothing", at("dangling")).unwrap();
    let why = "dangling: a link that leads to nothing";
    output("dangling").fails(1, layer.failure(why));
    // Whoever reads the FIFO gets the layer.
    let make = Tool::program("/usr/bin/mkfifo").arg(at("fifo"));
    make.run().success("");
    let fifo = at("fifo");
    let reader = std::thread::spawn(move || fs::read(fifo).unwrap());
    output("fifo").success("");
    assert!(reader.join().unwrap() == layer.bytes);
    assert!(fs::metadata(at("fifo")).unwrap().file_type().is_fifo());
    assert_eq!(tool.files(), ["dangling", "fifo", "link", "mine"]);
}

#[cfg(unix)]
#[test]
fn a_part_is_ours_or_refused() {
    use std::os::unix::fs::symlink;
    let layer = Layer::small();
    let tool = layer.tool();
    let precious = write(&tool, "precious", "precious");
    let part = tool.work().join(layer.part());
    let refused = |why: &str| {
        let why = format!("{}: {why}", layer.part());
        tool.run().fails(1, layer.failure(&why));
        fs::remove_file(&part).unwrap();
    };
    symlink("precious", &part).unwrap();
    refused("a link, not a file");
    fs::hard_link(&precious, &part).unwrap();
    refused("a file with several names");
    let make = Tool::program("/usr/bin/mkfifo").arg(&part);
    make.run().success("");
    refused("not a file");
    assert_eq!(fs::read(precious).unwrap(), b"precious");
    assert_eq!(layer.registry.take(), [] as [String; 0]);
}

/// By any of its names, even where it is a file.
#[cfg(target_os = "linux")]
#[test]
fn stdout_is_written_to() {
    let layer = Layer::small();
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let tool = layer.tool().args(["-o", name]);
        let output = tool.run().status(0).stderr("");
        assert!(output.stdout == layer.bytes);
        let there = write(&tool, "there", "");
        let before = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&there).unwrap());
        tool.clone().stdout_to(&there).run().success("");
        assert!(fs::read(&there).unwrap() == layer.bytes);
        let after = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&there).unwrap());
        assert_eq!(before, after);
        assert_eq!(tool.files(), ["there"]);
    }
}

/// Another process holds the part and gets nothing.
#[test]
fn waiting_for_another_download_ends() {
    let layer = Layer::small();
    let tool = layer.tool().args(["--timeout", "1"]);
    let part = fs::File::create(tool.work().join(layer.part())).unwrap();
    part.lock().unwrap();
    let name = layer.part();
    let holder = match cfg!(target_os = "linux") {
        true => format!("process {}", std::process::id()),
        false => "another process".to_owned(),
    };
    let output = tool.run().status(1).stdout("");
    let why = format!("{name}: {holder} has had the lock for 1 s");
    let messages = output.messages();
    assert!(messages.contains(": waiting for another download"));
    assert!(messages.ends_with(&layer.failure(&why)), "{messages}");
    drop(part);
    tool.run().success(layer.said());
    layer.is_saved(&tool);
}

/// What the kernel was asked for, in order: the content is on the disk before the name, and the name
/// before the answer.
#[cfg(target_os = "linux")]
#[test]
fn what_has_its_name_is_on_the_disk() {
    let Some(strace) = crate::harness::program("/usr/bin/strace", "strace") else {
        return;
    };
    let layer = Layer::small();
    let image = Image::new("linux/amd64");
    image.push_to(&layer.registry, "a", "v1");
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let calls = |args: &[&str], to: &str| -> Vec<String> {
        let calls = "trace=fsync,rename,renameat,renameat2,write";
        let traced = strace.again(["-f", "-y", "-o", "calls", "-e", calls, program]);
        let traced = traced.args(args).arg("--no-cache");
        let _ = traced.run().status(0).stderr("");
        let calls = fs::read_to_string(traced.work().join("calls")).unwrap();
        let work = traced.work().display().to_string();
        let calls = calls.lines().filter_map(|line| {
            let call = line.split_whitespace().nth(1)?.split('(').next()?;
            let call = match call {
                "fsync" if line.contains(&format!("<{work}>")) => "fsync directory",
                "fsync" if line.contains(&work) => "fsync file",
                "write" if line.contains("(1<") => "print",
                "rename" | "renameat" | "renameat2" if line.contains(to) => "rename",
                _ => return None,
            };
            Some(call.to_owned())
        });
        calls.collect()
    };
    let saved = calls(&["downloadlayer", &layer.image()], &layer.file());
    let synchronized = ["fsync file", "rename", "fsync directory"];
    assert_eq!(saved, [&synchronized[..], &["print"]].concat());
    let name = layer.registry.image("a:v1");
    let args = [
        "changed",
        "-r",
        "--arch",
        "amd64",
        "--state",
        "seen.json",
        &name,
    ];
    let remembered = calls(&args, "seen.json");
    assert_eq!(remembered, [&["print"], &synchronized[..]].concat());
}
