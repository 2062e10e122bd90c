//! The laws of Debian's registry, for others as their makers publish them: crane's, CUE's, the
//! present distribution. `tests/run` builds them with Go; where it cannot, it leaves these tests out.

use crate::harness::{Destination, Image, Index, Real, Schema1, Tool, schema1, sha256};
use crate::real::Asked;
use crate::testregistry::table;

fn answers(real: Option<Real>) {
    let Some(real) = real else { return };
    Asked::new(real, Vec::new()).answers_everything();
}

#[test]
fn cranes_answers() {
    answers(Real::crane());
}

#[test]
fn cues_answers() {
    answers(Real::cue(&[]));
}

#[test]
fn distribution_answers() {
    answers(Real::distribution());
}

/// Puts a list together and reads it back from the repository that it was pushed to.
fn takes_lists(real: Option<Real>) {
    let Some(real) = real else { return };
    for (kind, oci) in [("docker", false), ("oci", true)] {
        for platform in ["linux/amd64", "linux/arm64"] {
            let image = Image::new(platform).layer("f", platform.as_bytes());
            let image = if oci { image.oci() } else { image };
            let tag = platform.replace('/', "-");
            image.push_to(&real, "parts", &tag);
        }
        let tool = Tool::new().args(["push", "--type", kind, "from-args"]);
        let tool = tool.args(["--platforms", "linux/amd64,linux/arm64"]);
        let tool = tool.args(["--template", &real.image("parts:OS-ARCH")]);
        let whole = real.image(&format!("whole:{kind}"));
        let _ = tool.args(["--target", &whole]).run().status(0);
        let tool = Tool::new().args(["platforms", "--json", "-q", ".platforms | length"]);
        let _ = tool.arg(&whole).run().status(0);
        let verified = Tool::new().args(["verifytool", "--layers", "--arch=arm64"]);
        let _ = verified.arg(&whole).run().status(0).stderr("");
    }
}

#[test]
fn cranes_takes_lists() {
    takes_lists(Real::crane());
}

#[test]
fn cues_takes_lists() {
    takes_lists(Real::cue(&[]));
}

#[test]
fn distribution_takes_lists() {
    takes_lists(Real::distribution());
}

/// Deletes an index with two tags; which of them stay.
fn deletes(real: Option<Real>, stay: bool) {
    let Some(real) = real else { return };
    let index = Index::new().image(Image::new("linux/amd64"));
    let digest = index.push_to(&real, "a", "v1");
    index.push_to(&real, "a", "v2");
    let (image, what) = (real.image("a:v1"), format!("{}@{digest}", real.image("a")));
    let tool = Tool::new().args(["delete", "--yes"]);
    let output = tool.clone().arg(&image).run();
    let deleting = format!("docker-registry: deleting {what} and every tag that leads to it\n");
    let _ = match stay {
        false => output
            .status(0)
            .stdout(format!("deleted {what} and the tags v1 and v2\n"))
            .stderr(deleting),
        true => output
            .status(1)
            .stdout(format!("deleted {what}\n"))
            .stderr(format!(
                "{deleting}docker-registry: {image}: the tags v1 and v2 still exist\n"
            )),
    };
    let _ = tool.arg(&what).run().status(3).stdout("");
}

#[test]
fn cranes_keeps_tags() {
    deletes(Real::crane(), true);
}

#[test]
fn cues_keeps_tags() {
    deletes(Real::cue(&[]), true);
}

#[test]
fn distribution_deletes() {
    deletes(Real::distribution(), false);
}

/// What `testregistry` finds out, and that it leaves nothing.
fn lacks(real: Option<Real>, lacks: &[(&str, &str)]) {
    let Some(real) = real else { return };
    let image = real.image("team/test");
    let tool = Tool::new().args(["testregistry", &image]);
    tool.run().success(table(real.host(), lacks));
    let tags = real.send("team/test", "GET", "/v2/team/test/tags/list", &[], b"");
    let tags = String::from_utf8_lossy(&tags.body).into_owned();
    assert!(!tags.contains("docker-registry-test"), "{tags}");
}

const STAY: (&str, &str) = ("delete", "the tags of the deleted manifest still exist");
const NO_LINK: (&str, &str) = ("paging", "the answer has no Link header");

#[test]
fn cranes_is_tried() {
    let mount = ("mount", "the blob is to be sent instead");
    let range = ("range", "not found (We don't understand your Range)");
    lacks(Real::crane(), &[mount, NO_LINK, range, STAY]);
}

#[test]
fn cues_is_tried() {
    lacks(Real::cue(&[]), &[STAY]);
    lacks(Real::cue(&["-no-link"]), &[NO_LINK, STAY]);
}

#[test]
fn distribution_is_tried() {
    lacks(Real::distribution(), &[("referrers", "not found")]);
}

/// All of so many tags and repositories are listed.
fn lists(real: Option<Real>, tags: usize, repositories: usize) {
    let Some(real) = real else { return };
    let image = Image::new("linux/amd64");
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    image.push_to(&real, "r0000", "v0000");
    for n in 1..tags {
        let tag = format!("v{n:04}");
        real.put_manifest("r0000", Some(&tag), kind, &image.manifest());
    }
    for n in 1..repositories {
        image.push_to(&real, &format!("r{n:04}"), "v1");
    }
    let count = |command: &str, operand: &str| {
        let tool = Tool::new().args([command, "-q", "unique | length", operand]);
        let text = tool.run().status(0).stderr("").text().to_owned();
        text.trim().parse::<usize>().unwrap()
    };
    assert_eq!(count("tags", &real.image("r0000")), tags);
    assert_eq!(count("catalog", real.host()), repositories);
}

#[test]
fn cranes_lists_all() {
    lists(Real::crane(), 2001, 1100);
}

#[test]
fn cues_lists_all() {
    lists(Real::cue(&["-no-link"]), 1001, 30);
    lists(Real::cue(&["-no-link", "-page=10"]), 30, 30);
    lists(Real::cue(&["-page=10"]), 30, 30);
}

#[test]
fn distribution_lists_all() {
    lists(Real::distribution(), 30, 30);
}

/// A layer arrives whole though its connection would break: a part is there already.
fn resumes(real: Option<Real>) {
    let Some(real) = real else { return };
    let layer: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let digest = real.put_blob("a", &layer);
    assert_eq!(digest, sha256(&layer));
    let name = real.image(&format!("a@{digest}"));
    let tool = Tool::new().args(["downloadlayer", "-o", "layer", &name]);
    let part = tool.work().join(format!("{digest}.part"));
    std::fs::write(&part, &layer[..5000]).unwrap();
    let _ = tool.run().status(0).stderr("");
    assert_eq!(std::fs::read(tool.work().join("layer")).unwrap(), layer);
}

#[test]
fn cranes_layers_arrive() {
    resumes(Real::crane());
}

#[test]
fn cues_layers_arrive() {
    resumes(Real::cue(&[]));
}

#[test]
fn distributions_layers_arrive() {
    resumes(Real::distribution());
}

/// What refers to an image is found, and those of one type where the list has the type of each.
fn lists_referrers(real: Option<Real>, types: bool) {
    let Some(real) = real else { return };
    let digest = Image::new("linux/amd64").oci().push_to(&real, "a", "v1");
    let subject = serde_json::json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest,
        "size": Image::new("linux/amd64").oci().manifest().len(),
    });
    let referrer = |kind: &str| {
        let artifact = Image::new("linux/amd64").oci();
        let artifact = artifact.in_manifest("subject", subject.clone());
        let artifact = artifact.in_manifest("artifactType", kind.into());
        artifact.push(&real, "a", None)
    };
    let [first, second] = ["application/first", "application/second"].map(referrer);
    let tool = Tool::new().args(["referrers", "-q", "map(.digest) | sort[]"]);
    let tool = tool.arg(real.image("a:v1"));
    let mut both = [first, second.clone()];
    both.sort();
    tool.run().success(format!("{}\n{}\n", both[0], both[1]));
    if types {
        let tool = tool.args(["--artifact-type", "application/second"]);
        tool.run().success(format!("{second}\n"));
    }
}

#[test]
fn cranes_lists_referrers() {
    // It names the media type of the configuration instead.
    lists_referrers(Real::crane(), false);
}

#[test]
fn cues_lists_referrers() {
    lists_referrers(Real::cue(&[]), true);
}

/// They name the digest of the whole body, signatures and all.
fn serves_schema_1(real: Option<Real>) {
    let Some(real) = real else { return };
    let image = Image::new("linux/amd64").label("a", "b").layer("a", b"a");
    for layer in image.layers() {
        real.put_blob("old", &layer);
    }
    let manifest = Schema1::new(&image, "old", "v1");
    let digest = real.put_manifest("old", Some("v1"), schema1::MEDIA_TYPE, &manifest.bytes);
    assert_eq!(digest, sha256(&manifest.bytes));
    for name in ["old:v1".to_owned(), format!("old@{digest}")] {
        let labels = Tool::new().args(["labels", "-r", &real.image(&name)]);
        labels.run().success("{\"a\":\"b\"}\n");
        let shown = Tool::new().args(["digest", &real.image(&name)]);
        shown.run().success(format!("{digest}\n"));
    }
}

#[test]
fn cranes_serves_schema_1() {
    serves_schema_1(Real::crane());
}

#[test]
fn cues_serves_schema_1() {
    serves_schema_1(Real::cue(&[]));
}
