//! `verifytool` says line by line what was compared, and exits with 6 if anything differs.

use serde_json::{Value, json};

use crate::harness::{Fault, Image, Index, Layout, Registry, Tool, gzip, sha256, tar};

fn image() -> Image {
    Image::new("linux/amd64")
        .layer("base", b"base")
        .layer("hello", b"hello")
}

fn registry() -> (Registry, String) {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, name)
}

const PASSED: &str = "PASSED manifest digest test\nPASSED config digest test\n";

#[test]
fn what_is_right_has_passed() {
    let (_registry, name) = registry();
    Tool::new()
        .args(["verifytool", &name])
        .run()
        .success(PASSED);
    let [base, hello] = [0, 1].map(|i| sha256(&image().layers()[i]));
    let layers =
        format!("{PASSED}PASSED layer {base} diff ID test\nPASSED layer {hello} diff ID test\n");
    let asked = Tool::new().args(["verifytool", "--layers", &name]);
    asked.run().success(layers);
    assert_eq!(asked.files(), [""; 0]);
}

#[test]
fn all_platforms_are_verified_at_once() {
    let (_registry, name) = registry();
    let passed = |test: &str| json!({"test": test, "passed": true, "why": null});
    let tests = json!({"linux/amd64": [passed("manifest digest"), passed("config digest")]});
    let asked = Tool::new().args(["verifytool", "-r", "--platform=all", &name]);
    asked.run().success(format!("{tests}\n"));
}

#[test]
fn a_layer_of_several_platforms_is_downloaded_once() {
    let registry = Registry::start();
    let [base, amd, arm] = [b"base", b"amd6", b"arm6"].map(|it| it.as_slice());
    let images = [("linux/amd64", amd), ("linux/arm64", arm)];
    let images = images.map(|(platform, own)| {
        let image = Image::new(platform).layer("base", base);
        image.layer("own", own).layer("base", base)
    });
    let index = images.iter().cloned().fold(Index::new(), Index::image);
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let all = ["verifytool", "--layers", "--platform=all", "-r", &name];
    let asked = Tool::new()
        .args(all)
        .args(["-q", "map_values(map(.test, .passed))"]);
    let lines = |image: &Image| {
        let layers = image.layers().into_iter();
        let layers = layers.map(|layer| format!("layer {} diff ID", sha256(layer)));
        let tests = ["manifest digest", "config digest"].map(str::to_owned);
        let lines = tests.into_iter().chain(layers);
        Value::from_iter(lines.flat_map(|line| [Value::from(line), Value::from(true)]))
    };
    let [amd, arm] = images.each_ref().map(lines);
    let expected = json!({"linux/amd64": amd, "linux/arm64": arm});
    asked.run().success(format!("{expected}\n"));
    // An index, two manifests, two configurations, and three layers.
    let requests = registry.take();
    assert_eq!(requests.len(), 1 + 2 + 2 + 3, "{requests:?}");
}

#[test]
fn layers_are_read_side_by_side() {
    let registry = Registry::start();
    let names = Vec::from_iter((0..10).map(|n| n.to_string()));
    let image = |platform| {
        let image = Image::new(platform);
        names
            .iter()
            .fold(image, |image, name| image.layer(name, name.as_bytes()))
    };
    let platforms = ["linux/amd64", "linux/arm64", "linux/s390x"];
    let index = platforms
        .into_iter()
        .map(image)
        .fold(Index::new(), Index::image);
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    // The platforms, which have the same layers, do not wait for one another either.
    for platform in ["linux/amd64", "all"] {
        for layer in image("linux/amd64").layers() {
            let blob = format!("/v2/a/blobs/{}", sha256(layer));
            registry.fail(&blob, Fault::Together(2));
        }
        let asked = Tool::new().args(["verifytool", "--layers", "-j2", "--platform", platform]);
        let _ = asked.arg(&name).run().status(0).stderr("");
    }
}

/// zstd with a window of 8 MiB and blocks that repeat a byte (RFC 8878, 3.1.1).
pub fn zstd(byte: u8, blocks: usize) -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let block =
        |is_last: u32| [&(BLOCK << 3 | 1 << 1 | is_last).to_le_bytes()[..3], &[byte]].concat();
    let start = b"\x28\xb5\x2f\xfd\0\x68".to_vec();
    [start, block(0).repeat(blocks - 1), block(1)].concat()
}

/// The same with these bytes as they are.
pub fn zstd_raw(bytes: &[u8]) -> Vec<u8> {
    let block = (bytes.len() as u32) << 3 | 1;
    [b"\x28\xb5\x2f\xfd\0\x68", &block.to_le_bytes()[..3], bytes].concat()
}

#[test]
fn layers_that_look_far_back_take_little_memory() {
    let registry = Registry::start();
    let image = (0..16).fold(Image::new("linux/amd64"), |image, byte| {
        let content = vec![byte; 160 * (128 << 10)];
        image.raw_layer(zstd(byte, 160), &sha256(content), "COPY a /")
    });
    image.push_to(&registry, "a", "v1");
    let asked = Tool::new().args(["verifytool", "--layers", "-j16", &registry.image("a:v1")]);
    let (output, memory) = asked.measured();
    let output = output.status(0).stderr("");
    assert_eq!(output.text().matches("PASSED layer").count(), 16);
    assert!(memory < 100 << 20, "{memory}");
}

#[test]
fn a_wrong_manifest_has_failed() {
    let (registry, name) = registry();
    let wrong = b"{}".to_vec();
    registry.fail("/v2/a/manifests/v1", Fault::WrongBytes(wrong.clone()));
    let asked = Tool::new().args(["verifytool", "--layers", &name]);
    let expected = format!(
        "FAILED manifest digest test: manifest v1: the digest of the content is {}, not {}\n",
        sha256(wrong),
        image().digest()
    );
    asked.run().status(6).stdout(expected).stderr("");
}

#[test]
fn a_wrong_configuration_has_failed() {
    let (registry, name) = registry();
    let (right, id) = (image().config(), image().config_digest());
    let wrong = vec![b' '; right.len()];
    let path = format!("/v2/a/blobs/{id}");
    registry.fail(&path, Fault::WrongBytes(wrong.clone()));
    let asked = Tool::new().args(["verifytool", "--layers", &name]);
    let expected = format!(
        "PASSED manifest digest test\n\
         FAILED config digest test: blob {id}: the digest of the content is {}, not {id}\n",
        sha256(wrong)
    );
    asked.run().status(6).stdout(expected).stderr("");
}

/// The lines that `--layers` prints about two layers, one of which is damaged.
#[track_caller]
fn damaged(registry: &Registry, fault: Fault) -> [String; 2] {
    let base = sha256(&image().layers()[0]);
    registry.fail(&format!("/v2/a/blobs/{base}"), fault);
    let asked = Tool::new().args(["verifytool", "--layers", "--retries=0"]);
    let output = asked.arg(registry.image("a:v1")).run().status(6).stderr("");
    let lines = output
        .text()
        .strip_prefix(PASSED)
        .expect("two tests that pass");
    let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    lines.try_into().expect("a line for each layer")
}

#[test]
fn a_wrong_layer_has_failed_and_the_others_are_still_tested() {
    let layers = image().layers();
    let [base, hello] = [0, 1].map(|i| sha256(&layers[i]));
    let mut flipped = layers[0].clone();
    flipped[20] ^= 1;
    let other = gzip(&tar(&[("base", b"BASE")]));
    for fault in [
        Fault::WrongBytes(flipped),
        Fault::WrongBytes(other),
        Fault::WrongBytes(layers[0][..40].to_vec()),
        Fault::Oversize(10),
    ] {
        let (registry, _) = registry();
        let [first, second] = damaged(&registry, fault);
        assert!(
            first.starts_with(&format!("FAILED layer {base} ")),
            "{first}"
        );
        assert_eq!(second, format!("PASSED layer {hello} diff ID test"));
    }
}

#[test]
fn a_diff_id_that_is_not_the_layers_has_failed() {
    let content = tar(&[("a", b"a")]);
    let (right, wrong) = (sha256(&content), sha256("wrong"));
    let image = Image::new("linux/amd64").raw_layer(gzip(&content), &wrong, "COPY a /");
    let registry = Registry::start();
    image.push_to(&registry, "a", "v1");
    let layer = sha256(&image.layers()[0]);
    let asked = Tool::new().args(["verifytool", "--layers", &registry.image("a:v1")]);
    let expected = format!(
        "{PASSED}FAILED layer {layer} diff ID test: \
         the digest of the content is {right}, not {wrong}\n"
    );
    asked.run().status(6).stdout(expected).stderr("");
}

#[test]
fn without_diff_ids_layers_are_compared_as_they_are() {
    let image = image().in_config("rootfs", Value::Null);
    let registry = Registry::start();
    image.push_to(&registry, "a", "v1");
    let [base, hello] = [0, 1].map(|i| sha256(&image.layers()[i]));
    let expected =
        format!("{PASSED}PASSED layer {base} digest test\nPASSED layer {hello} digest test\n");
    let asked = Tool::new().args(["verifytool", "--layers", &registry.image("a:v1")]);
    asked.run().success(expected);
}

#[test]
fn what_says_nothing_about_the_content_is_no_verdict() {
    let (registry, name) = registry();
    let base = sha256(&image().layers()[0]);
    registry.fail(&format!("/v2/a/blobs/{base}"), 403);
    let asked = Tool::new().args(["verifytool", "--layers", &name]);
    let why = format!("blob {base}: access forbidden");
    asked
        .run()
        .fails(4, format!("docker-registry: {name}: {why}\n"));
}

#[test]
fn of_several_images_one_that_failed_is_the_exit_code() {
    let (registry, name) = registry();
    let other = Image::new("linux/arm64");
    other.push_to(&registry, "b", "v1");
    let id = other.config_digest();
    let wrong = vec![b' '; other.config().len()];
    registry.fail(&format!("/v2/b/blobs/{id}"), Fault::WrongBytes(wrong));
    let bad = registry.image("b:v1");
    let asked = Tool::new().args(["verifytool", &bad, &name]);
    let output = asked.run().status(6).stderr("");
    let failed = output.text().lines().next().unwrap();
    assert!(failed.contains("\"test\":\"config digest\",\"passed\":false"));
    assert_eq!(output.text().lines().count(), 2);
}

#[test]
fn a_layout_is_verified_as_a_registry_is() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    image().push_to(&layout, "", "v1");
    let verify = tool.again(["verifytool", "--layers", "oci:layout:v1"]);
    let output = verify.run().status(0).stderr("");
    assert_eq!(output.text().matches("PASSED").count(), 4);
    let layer = layout.blob(&sha256(&image().layers()[1]));
    std::fs::write(layer, b"damaged").unwrap();
    let output = verify.run().status(6).stderr("");
    assert_eq!(output.text().matches("PASSED").count(), 3);
    assert_eq!(output.text().matches("FAILED").count(), 1);
}
