//! Everything ends, in bounded time and with bounded means, whatever a registry or a list says.

use serde_json::{Value, json};

use crate::harness::{Fault, Image, Index, Registry, Tool, sha256};

#[test]
fn a_directory_is_no_list_of_images() {
    let asked = Tool::new().args(["digest", "--images", "."]);
    let message = "docker-registry: --images: is a directory\n";
    asked.run().fails(1, message);
}

/// What is not text is one failure, and the lines behind it count.
#[test]
fn a_line_that_is_no_text_does_not_end_the_list() {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let list = [b"\xff\n", name.as_bytes(), b"\n"].concat();
    let asked = Tool::new().args(["id", "--images", "-"]).stdin(list);
    let output = asked.run().status(1);
    assert_eq!(output.text().lines().count(), 1);
    output.stderr("docker-registry: --images: stream did not contain valid UTF-8\n");
}

#[test]
fn images_of_20_000_layers_are_compared_at_once() {
    let registry = Registry::start();
    let layers = |of: usize| -> Value {
        let digest = |i: usize| sha256(format!("{}", i + of).as_bytes());
        (0..20_000)
            .map(|i| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(i), "size": 1}))
            .collect()
    };
    for (tag, of) in [("1", 0), ("2", 10_000)] {
        let image = Image::new("linux/amd64").in_manifest("layers", layers(of));
        image.push_to(&registry, "a", tag);
    }
    let lengths = "[.layers | .shared, .removed, .added | length]";
    let asked = Tool::new().args(["diff", "-r", "-q", lengths]);
    let asked = asked.args([registry.image("a:1"), registry.image("a:2")]);
    let output = asked.run();
    assert_eq!(output.text(), "[10000,10000,10000]\n");
}

#[test]
fn a_hint_names_ten_platforms_and_counts_the_others() {
    let registry = Registry::start();
    let image = |i: usize| Image::new(&format!("linux/arch{i}"));
    let index = (0..12).fold(Index::new(), |index, i| index.image(image(i)));
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["digest", "--platform", "linux/none", &name]);
    let ten: Vec<String> = (0..10).map(|i| format!("linux/arch{i}")).collect();
    let hint = format!("hint: available: {} and 2 more\n", ten.join(", "));
    asked.run().fails(
        3,
        format!("docker-registry: {name}: no image for linux/none\n{hint}"),
    );
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An index that lists each of these ten times, and its digest.
fn tenfold(registry: &Registry, tag: &str, media_type: &str, digests: &[String]) -> String {
    let repeated = (0..10).flat_map(|_| digests);
    let entry = |digest: &String| json!({"mediaType": media_type, "digest": digest, "size": 2});
    let entries: Value = repeated.map(entry).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.manifest("a", tag, INDEX, index.to_string())
}

/// Lists in lists, ten of the same in each, so that a tree of 10,000 images comes of five lists.
fn self_similar() -> Registry {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "image");
    let mut below = tenfold(&registry, "", MANIFEST, &[image.digest()]);
    for _ in 0..3 {
        below = tenfold(&registry, "", INDEX, &[below]);
    }
    tenfold(&registry, "v1", INDEX, &[below]);
    registry
}

#[test]
fn what_indexes_repeat_is_fetched_once() {
    let registry = self_similar();
    let name = registry.image("a:v1");
    let asked = |args: &[&str]| Tool::new().args(args).args(["--no-cache", "-j4", &name]);
    // Five indexes, an image and its configuration.
    let digest = Image::new("linux/amd64").oci().digest();
    let all = asked(&["digest", "-r", "--platform", "all"]);
    all.run()
        .success(format!("{{\"linux/amd64\":\"{digest}\"}}\n"));
    assert_eq!(registry.take().len(), 7);
    let one = asked(&["digest", "--platform", "linux/amd64"]);
    one.run().success(format!("{digest}\n"));
    assert_eq!(registry.take().len(), 7);
    let platforms = asked(&["platforms", "-q", ".archlist | length"]);
    platforms.run().success("10\n");
    assert_eq!(registry.take().len(), 7);
    assert!(registry.most_at_once() <= 4);
}

#[test]
fn a_tree_has_10_000_entries() {
    let registry = self_similar();
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["inspect", "--no-cache", "-j4", &name]);
    let why = "the indexes list more than 10000 images";
    asked
        .run()
        .fails(1, format!("docker-registry: {name}: {why}\n"));
    assert!(registry.take().len() <= 7);
    assert!(registry.most_at_once() <= 4);
}

#[test]
fn an_index_has_10_000_entries() {
    let registry = Registry::start();
    let digests: Vec<String> = (0..1001).map(|i| sha256(format!("{i}"))).collect();
    tenfold(&registry, "v1", MANIFEST, &digests);
    let name = registry.image("a:v1");
    for args in [
        ["digest", "--platform", "all"].as_slice(),
        &["digest"],
        &["platforms"],
        &["inspect"],
    ] {
        let why = "the indexes list more than 10000 images";
        let asked = Tool::new().args(args).arg(&name);
        asked
            .run()
            .fails(1, format!("docker-registry: {name}: {why}\n"));
    }
    assert_eq!(registry.take().len(), 4);
}

#[test]
fn a_question_takes_1_000_requests() {
    let registry = Registry::start();
    let digests: Vec<String> = (0..990)
        .map(|i| {
            let image = Image::new(&format!("linux/arch{i}")).oci();
            image.push(&registry, "a", None);
            image.digest()
        })
        .collect();
    let entry = |digest: &String| json!({"mediaType": MANIFEST, "digest": digest, "size": 2});
    let entries: Value = digests.iter().map(entry).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.manifest("a", "v1", INDEX, index.to_string());
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["digest", "--platform", "all", "--no-cache", &name]);
    let why = "it would take more than 1000 requests";
    asked
        .run()
        .fails(1, format!("docker-registry: {name}: {why}\n"));
    assert_eq!(registry.take().len(), 1001);
}

#[test]
fn indexes_are_nested_4_deep() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    let nested = |depth: usize| {
        let innermost = Index::new().oci().image(image.clone());
        (0..depth).fold(innermost, |index, _| Index::new().oci().index(index))
    };
    nested(4).push_to(&registry, "a", "4");
    nested(5).push_to(&registry, "a", "5");
    let asked = |command: &str, tag: &str| {
        Tool::new().args([command, "--platform", "linux/amd64", &registry.image(tag)])
    };
    asked("digest", "a:4").run().success(image.digest() + "\n");
    let name = registry.image("a:5");
    let message = format!("docker-registry: {name}: indexes are nested more than 4 deep\n");
    asked("digest", "a:5").run().fails(1, &message);
    let inspected = Tool::new().args(["inspect", &name]);
    inspected.run().fails(1, &message);
}

/// A registry with an index of three images, one of which it has lost, and what it says of that.
fn incomplete() -> (Registry, [Image; 3]) {
    let registry = Registry::start();
    let image = |platform: &str| Image::new(platform).oci().label("of", platform);
    let images = ["linux/amd64", "linux/arm64", "linux/s390x"].map(image);
    let [first, lost, last] = images.clone();
    let index = Index::new().oci().image(first).image(lost).image(last);
    index.push_to(&registry, "a", "v1");
    registry.absent(&format!("/v2/a/manifests/{}", images[1].digest()));
    (registry, images)
}

#[test]
fn a_missing_child_does_not_silence_the_others() {
    let (registry, [_, lost, _]) = incomplete();
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["labels", "-r", "--platform", "all", &name]);
    let answer =
        json!({"linux/amd64": {"of": "linux/amd64"}, "linux/s390x": {"of": "linux/s390x"}});
    let lost = lost.digest();
    let why = format!("linux/arm64: manifest {lost}: not found (manifest unknown)");
    let output = asked.run().status(3).stdout(format!("{answer}\n"));
    output.stderr(format!("docker-registry: {name}: {why}\n"));
    let batch = Tool::new().args(["labels", "--platform", "all", &name, &name]);
    let line = format!("{}\n", json!({"image": name, "labels": answer}));
    let output = batch.run().status(3).stdout(line.repeat(2));
    output.stderr(format!("docker-registry: {name}: {why}\n").repeat(2));
}

#[test]
fn a_missing_index_does_not_silence_the_others() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    let lost = Index::new().oci().image(Image::new("linux/arm64").oci());
    let index = Index::new().oci().index(lost.clone()).image(image.clone());
    index.push_to(&registry, "a", "v1");
    let path = format!("/v2/a/manifests/{}", lost.digest());
    registry.absent(&path);
    let name = registry.image("a:v1");
    let answer = format!("{}\n", json!({"linux/amd64": image.digest()}));
    let why = format!("manifest {}: not found (manifest unknown)", lost.digest());
    let message = format!("docker-registry: {name}: {why}\n");
    let all = Tool::new().args(["digest", "-r", "--platform", "all", &name]);
    all.run().status(3).stdout(answer).stderr(&message);
    let listed = Tool::new().args(["platforms", "-q", ".archlist | length", &name]);
    listed.run().status(3).stdout("1\n").stderr(&message);
    // Perhaps it is what is missing that was wanted.
    let other = Tool::new().args(["digest", "--arch", "arm64", &name]);
    other.run().fails(3, &message);
}

#[test]
fn an_image_that_is_all_missing_prints_nothing() {
    let (registry, images) = incomplete();
    for image in [&images[0], &images[2]] {
        registry.absent(&format!("/v2/a/manifests/{}", image.digest()));
    }
    let asked = Tool::new().args(["labels", "--platform", "all", &registry.image("a:v1")]);
    let output = asked.run().status(3).stdout("");
    assert_eq!(output.messages().lines().count(), 3);
}

#[test]
fn what_is_missing_has_failed_its_test() {
    let (registry, [_, lost, _]) = incomplete();
    let name = registry.image("a:v1");
    let why = format!("manifest {}: not found (manifest unknown)", lost.digest());
    let asked = Tool::new().args(["verifytool", "--arch", "arm64", &name]);
    let line = format!("FAILED manifest digest test: {why}\n");
    asked.run().status(6).stdout(line).stderr("");
    let filter = "map_values(map(.passed))";
    let all = Tool::new().args(["verifytool", "--platform", "all", "-rq", filter, &name]);
    let passed =
        json!({"linux/amd64": [true, true], "linux/arm64": [false], "linux/s390x": [true, true]});
    let output = all.run().status(6);
    output.stdout(format!("{passed}\n")).stderr("");
}

#[test]
fn two_images_are_compared_where_both_are_there() {
    let (registry, [_, lost, _]) = incomplete();
    let name = registry.image("a:v1");
    let asked = Tool::new().args(["diff", "-r", "--platform", "all", &name, &name]);
    let output = asked.run().status(3);
    let why = format!("manifest {}: not found (manifest unknown)", lost.digest());
    let output = output.stdout("{\"linux/amd64\":{},\"linux/s390x\":{}}\n");
    output.stderr(format!("docker-registry: linux/arm64: {name}: {why}\n"));
}

/// Runs the program below these limits of a shell's `ulimit`.
#[cfg(unix)]
fn limited(limits: &str, args: &[&str]) -> Tool {
    let script = format!("ulimit {limits} && exec \"$0\" \"$@\"");
    let shell = Tool::program("/bin/sh").args(["-c", &script]);
    shell.arg(env!("CARGO_BIN_EXE_docker-registry")).args(args)
}

/// A registry with so many images.
fn holding(count: usize) -> (Registry, Vec<String>) {
    let registry = Registry::start();
    for i in 0..count {
        Image::new("linux/amd64").push_to(&registry, "a", &format!("v{i}"));
    }
    let names = (0..count).map(|i| registry.image(&format!("a:v{i}")));
    let names = names.collect();
    (registry, names)
}

#[test]
#[cfg(unix)]
fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
    let (registry, names) = holding(40);
    let together = Fault::Together(30);
    registry
        .fail("/v2/a/manifests/*", together)
        .after(1)
        .times(30);
    let asked = limited("-S -n 24", &["id", "--no-cache", "-j32"]).args(&names);
    let output = asked.run().status(0).stderr("");
    assert_eq!(output.text().lines().count(), 40);
}

#[test]
#[cfg(unix)]
fn no_more_is_done_at_a_time_than_files_may_be_open() {
    let (registry, names) = holding(40);
    let asked = limited("-n 24", &["id", "--no-cache", "-j32"]).args(&names);
    let why = "the limit of 24 open files allows only -j2, not -j32";
    let output = asked.run().status(0);
    let output = output.stderr(format!("docker-registry: {why}\n"));
    assert_eq!(output.text().lines().count(), 40);
    assert!(registry.most_at_once() <= 2);
}

/// One connection to the registry, and none to its store.
#[test]
#[cfg(unix)]
fn to_have_no_file_left_is_exit_1() {
    let (registry, names) = holding(1);
    let store = Registry::start();
    let id = Image::new("linux/amd64").config_digest();
    let path = format!("/v2/a/blobs/{id}");
    registry.fail(&path, Fault::Redirect(store.base() + &path));
    let asked = limited("-n 4", &["config", "-j1", "--no-cache", &names[0]]);
    let output = asked.run();
    let why = format!("blob {id}: {}: too many open files", store.host());
    output.fails(1, format!("docker-registry: {}: {why}\n", names[0]));
}

/// Runs it as a user of its own, who may have so many threads; `None` where that cannot be.
#[cfg(target_os = "linux")]
fn with_threads(count: usize, args: &[&str]) -> Option<Tool> {
    let uid = 1_000_000 + std::process::id();
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let limit = format!("--nproc={count}");
    let reuid = [format!("--reuid={uid}"), "--clear-groups".to_owned()];
    let user = Tool::program("/usr/bin/setpriv")
        .args(reuid)
        .arg("/usr/bin/prlimit");
    let user = user.arg(limit).arg(program);
    let may = user.clone().arg("--version").run().code == Some(0);
    may.then(|| user.args(args))
}

#[test]
#[cfg(target_os = "linux")]
fn threads_that_cannot_be_started_are_fewer_threads() {
    let (registry, names) = holding(40);
    for count in [1, 2, 4] {
        let asked = with_threads(count, &["id", "--no-cache", "-j32"]);
        let Some(asked) = asked else {
            return;
        };
        let output = asked.args(&names).run().status(0).stderr("");
        assert_eq!(output.text().lines().count(), 40);
        let (most, counted) = (registry.most_at_once(), format!("{count} threads"));
        assert!(most <= count, "{counted}");
    }
}

#[test]
#[cfg(unix)]
fn output_that_nobody_reads_ends_the_program_at_once() {
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("{}/a", silent.local_addr().unwrap());
    let asked = Tool::new().args(["digest", &name]);
    let asked = asked.limit(std::time::Duration::from_secs(5));
    asked.closed_stdout().run().success("");
}
