//! `referrers` lists what names the image as its subject.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Layout, Registry, Response, Tool, sha256};

/// Something about a manifest.
fn about(subject: &str, media_type: &str, size: usize, kind: &str) -> Image {
    let subject = json!({"mediaType": media_type, "digest": subject, "size": size});
    let image = Image::new("unknown/unknown").oci();
    let image = image.in_manifest("artifactType", json!(kind));
    image.in_manifest("subject", subject)
}

#[track_caller]
fn digests(tool: &Tool, args: &[&str]) -> Vec<String> {
    let output = tool.again(["referrers"]).args(args).run();
    let json = output.status(0).stderr("").json();
    let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
    json.as_array().unwrap().iter().map(digest).collect()
}

#[test]
fn referrers_are_of_the_list_or_of_a_platform() {
    let registry = Registry::start();
    let arm = Image::new("linux/arm64").oci();
    let list = Index::new().oci().image(Image::new("linux/amd64").oci());
    let list = list.image(arm.clone());
    list.push_to(&registry, "a", "v1");
    let of_list = |kind| about(&list.digest(), list.media_type(), list.bytes().len(), kind);
    let sbom = of_list("sbom").push(&registry, "a", None);
    let signature = of_list("signature").push(&registry, "a", None);
    let manifest = arm.manifest();
    let of_arm = about(&arm.digest(), arm.media_type(), manifest.len(), "sbom");
    let of_arm = of_arm.push(&registry, "a", None);
    let image = &registry.image("a:v1");
    let tool = Tool::new();
    let mut both = digests(&tool, &[image]);
    both.sort();
    let mut expected = [sbom.clone(), signature];
    expected.sort();
    assert_eq!(both, expected);
    assert_eq!(digests(&tool, &["--artifact-type", "sbom", image]), [sbom]);
    assert_eq!(digests(&tool, &["--arch", "arm64", image]), [of_arm]);
    let all = [
        "referrers",
        "--platform",
        "all",
        "-q",
        "map_values(length)",
        "-r",
        image,
    ];
    let all = tool.again(all).run();
    all.success("{\"linux/amd64\":0,\"linux/arm64\":1}\n");
}

#[test]
fn a_digest_needs_no_other_request() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let image = registry.image(&format!("a@{digest}"));
    assert_eq!(digests(&Tool::new(), &[&image]), [""; 0]);
    assert_eq!(registry.take(), [format!("GET /v2/a/referrers/{digest}")]);
}

#[test]
fn layouts_have_referrers() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("l"));
    let image = Image::new("linux/amd64").oci();
    image.push_to(&layout, "", "v1");
    let manifest = image.manifest();
    let sbom = about(&image.digest(), image.media_type(), manifest.len(), "sbom");
    let sbom = sbom.push_to(&layout, "", "sbom");
    assert_eq!(digests(&tool, &["oci:l:v1"]), [sbom]);
}

#[test]
fn the_fallback_tag_of_a_long_digest_is_cut() {
    let digest = format!("sha512:{}", "0123456789abcdef".repeat(8));
    let tag = format!("sha512-{}", "0123456789abcdef".repeat(4));
    let list = Index::new().oci().image(Image::new("linux/amd64").oci());
    let expected = [Image::new("linux/amd64").oci().digest()];
    let registry = Registry::builder().without_referrers().start();
    list.push_to(&registry, "a", &tag);
    let image = registry.image(&format!("a@{digest}"));
    let tool = Tool::new();
    assert_eq!(digests(&tool, &[&image]), expected);
    let layout = Layout::create(&tool.work().join("layout"));
    list.push_to(&layout, "", &tag);
    let image = format!("oci:layout@{digest}");
    assert_eq!(digests(&tool, &[&image]), expected);
}

/// The tree without what descriptors say besides: what it is about, its images and its referrers.
const SHAPE: &str = "def shape: [(.artifactType // .platform.architecture // \"\"), \
    (.manifests // [] | map(shape)), (.referrers | if . then map(shape) else \"above\" end)]; shape";

#[test]
fn the_tree_goes_down_to_what_refers_to_referrers() {
    for has_referrers in [true, false] {
        let registry = match has_referrers {
            true => Registry::start(),
            false => Registry::builder().without_referrers().start(),
        };
        let arm = Image::new("linux/arm64").oci();
        let list = Index::new().oci().image(Image::new("linux/amd64").oci());
        let list = list.image(arm.clone()).attestation();
        list.push_to(&registry, "a", "v1");
        let of = |image: &Image, kind| {
            about(
                &image.digest(),
                image.media_type(),
                image.manifest().len(),
                kind,
            )
        };
        let sbom = of(&arm, "sbom");
        let signature = of(&sbom, "signature");
        let note = about(
            &list.digest(),
            list.media_type(),
            list.bytes().len(),
            "note",
        );
        for (artifact, subject) in [
            (&sbom, arm.digest()),
            (&signature, sbom.digest()),
            (&note, list.digest()),
        ] {
            artifact.push(&registry, "a", None);
            if !has_referrers {
                let fallback = Index::new().oci().image(artifact.clone());
                let kind = serde_json::from_slice::<Value>(&artifact.manifest()).unwrap();
                let entry = json!([{"mediaType": artifact.media_type(), "digest": artifact.digest(),
                    "size": artifact.manifest().len(), "artifactType": kind["artifactType"]}]);
                let fallback = fallback.with("manifests", entry);
                fallback.push_to(&registry, "a", &subject.replace(':', "-"));
            }
        }
        let missing = [
            Image::new("linux/amd64").oci().digest(),
            signature.digest(),
            note.digest(),
        ];
        for digest in missing.iter().filter(|_| !has_referrers) {
            registry.absent(&format!("/v2/a/manifests/{}", digest.replace(':', "-")));
        }
        registry.take();
        let image = registry.image("a:v1");
        let tool = Tool::new().args(["referrers", "--tree", "-r", "-q", SHAPE, &image]);
        let signature = json!(["signature", [], []]);
        let sbom = json!(["sbom", [], [signature]]);
        let images = json!([["amd64", [], []], ["arm64", [], [sbom]]]);
        let expected = json!(["", images, [["note", [], []]]]);
        tool.run().success(format!("{expected}\n"));
        if has_referrers {
            // The index, and for it, two images, SBOM, signature and note: what refers to them.
            let asked = registry.take();
            assert_eq!(asked.len(), 1 + 6, "{asked:?}");
        }
        let tool = tool.again(["referrers", "--tree", "-rq", SHAPE, "--arch=arm64", &image]);
        tool.run().success(format!("{}\n", json!(["", [], [sbom]])));
        let tool = tool.again(["referrers", "--tree", "-rq", SHAPE, "--arch=arm64", &image]);
        let tool = tool.args(["--artifact-type", "signature"]);
        tool.run().success("[\"\",[],[]]\n");
    }
}

/// A registry that says that each of these refers to the one before it.
fn chain(length: usize, cycle: bool) -> Registry {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    let mut digests = vec![image.digest()];
    digests.extend((0..length).map(|n| sha256(n.to_string())));
    for (i, digest) in digests.iter().enumerate() {
        let next = match digests.get(i + 1) {
            None if cycle => &digests[..1],
            None => &[],
            Some(next) => std::slice::from_ref(next),
        };
        let listed = next.iter().map(|digest| {
            json!({"digest": digest, "size": 2,
            "mediaType": image.media_type(), "artifactType": "link", "referrers": [7]})
        });
        let listed = json!({"manifests": Vec::from_iter(listed)});
        let path = format!("/v2/a/referrers/{digest}");
        registry.answer("GET", &path, Response::new(200).json(&listed));
    }
    registry
}

#[test]
fn a_tree_has_an_end() {
    let tool = |registry: &Registry| {
        Tool::new().args(["referrers", "--tree", "-rq", SHAPE, &registry.image("a:v1")])
    };
    let registry = chain(2, true);
    let end = json!(["link", [], "above"]);
    let expected = json!(["", [], [["link", [], [["link", [], [end]]]]]]);
    tool(&registry).run().success(format!("{expected}\n"));
    let registry = chain(4, false);
    let links = (0..4).fold(json!([]), |below, _| json!([["link", [], below]]));
    let expected = json!(["", [], links]);
    tool(&registry).run().success(format!("{expected}\n"));
    let registry = chain(5, false);
    let why = "referrers are nested more than 4 deep";
    let image = registry.image("a:v1");
    tool(&registry)
        .run()
        .fails(1, format!("docker-registry: {image}: {why}\n"));
    // What is deeper was not asked for.
    registry.forgive();
}

#[test]
fn a_tree_of_a_layout_is_the_same() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("l"));
    let image = Image::new("linux/amd64").oci();
    image.push_to(&layout, "", "v1");
    let sbom = about(
        &image.digest(),
        image.media_type(),
        image.manifest().len(),
        "sbom",
    );
    sbom.push_to(&layout, "", "sbom");
    let tool = tool.again(["referrers", "--tree", "-rq", SHAPE, "oci:l:v1"]);
    tool.run().success("[\"\",[],[[\"sbom\",[],[]]]]\n");
}
