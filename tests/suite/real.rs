//! The same answers from Debian's registry, and the same as Debian's skopeo gives.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{
    Destination, Image, Index, Real, Schema1, Tool, indented, schema1, sha256, skopeo,
};

/// What the test data offers; each image says in a label for which platform it is.
const PLATFORMS: [&str; 5] = [
    "linux/amd64",
    "linux/arm64/v8",
    "linux/arm/v7",
    "linux/s390x",
    "windows/amd64:10.0.20348.2113",
];

/// Docker's kind and the OCI's, one with an attestation.
struct Data {
    docker: Vec<Image>,
    oci: Vec<Image>,
}

impl Data {
    fn new() -> Data {
        let image = |platform: &str| {
            Image::new(platform)
                .label("platform", platform)
                .layer("base", b"base")
                .layer("hello", platform.as_bytes())
        };
        let docker: Vec<Image> = PLATFORMS.map(image).into();
        let oci = docker.iter().map(|image| image.clone().oci()).collect();
        Data { docker, oci }
    }

    fn docker_list(&self) -> Index {
        self.docker.iter().cloned().fold(Index::new(), Index::image)
    }

    fn oci_index(&self) -> Index {
        let first = Index::new().oci().image(self.oci[0].clone()).attestation();
        self.oci[1..].iter().cloned().fold(first, Index::image)
    }

    /// `team/hello` with the tags `docker`, `oci`, `single`.
    fn push_to(&self, real: &Real) {
        self.docker_list().push_to(real, "team/hello", "docker");
        self.oci_index().push_to(real, "team/hello", "oci");
        self.oci[3].push_to(real, "team/hello", "single");
    }
}

/// A registry with the data, and the options to ask it with.
pub struct Asked {
    real: Real,
    options: Vec<String>,
    data: Data,
}

impl Asked {
    pub fn new(real: Real, options: Vec<String>) -> Asked {
        let data = Data::new();
        data.push_to(&real);
        Asked {
            real,
            options,
            data,
        }
    }

    fn plain() -> Option<Asked> {
        Some(Asked::new(Real::plain()?, Vec::new()))
    }

    fn basic() -> Option<Asked> {
        let real = Real::basic()?;
        let cacert = format!("--cacert={}", real.ca().display());
        Some(Asked::new(real, vec![cacert, "-uuser:password".to_owned()]))
    }

    fn tokens() -> Option<Asked> {
        let real = Real::tokens()?;
        let cacert = format!("--cacert={}", real.ca().display());
        Some(Asked::new(real, vec![cacert]))
    }

    fn name(&self, tag: &str) -> String {
        self.real.image(&format!("team/hello:{tag}"))
    }

    fn ask(&self, command: &[&str], tag: &str) -> Tool {
        let tool = Tool::new().args(command).args(&self.options);
        tool.arg(self.name(tag))
    }

    /// Every command, about lists of both kinds and an image without one.
    pub fn answers_everything(&self) {
        let data = &self.data;
        for (tag, image, index) in [
            ("docker", &data.docker[1], Some(data.docker_list())),
            ("oci", &data.oci[1], Some(data.oci_index())),
            ("single", &data.oci[3], None),
        ] {
            let arch = if index.is_some() {
                "--arch=arm64"
            } else {
                "--arch=s390x"
            };
            for (command, answer) in answers(image) {
                let asked = self.ask(command, tag).arg(arch);
                asked.run().success(answer);
            }
            let (list, digest) = (
                self.ask(&["manifestlist"], tag),
                self.ask(&["digestlist"], tag),
            );
            match index {
                Some(index) => {
                    list.run().success(indented(index.bytes()));
                    digest.run().success(index.digest() + "\n");
                }
                None => {
                    let expected = format!(
                        "docker-registry: {}: no manifest list, but a manifest for linux/s390x \
                         with digest {}\n",
                        self.name(tag),
                        image.digest()
                    );
                    list.run().fails(3, &expected);
                    digest.run().fails(3, &expected);
                }
            }
        }
        let tags = self.ask(&["tags", "-q", "sort[]"], "none").run();
        tags.success("docker\noci\nsingle\n");
        self.downloads();
        self.misses();
    }

    fn downloads(&self) {
        let layer = self.data.oci[0].layers().remove(0);
        let digest = sha256(&layer);
        let name = self.real.image(&format!("team/hello@{digest}"));
        let tool = Tool::new().args(["downloadlayer", &name]);
        let tool = tool.args(&self.options);
        let said = format!("layer downloaded to file './{digest}.tgz'\n");
        tool.run().success(said);
        let saved = std::fs::read(tool.work().join(format!("{digest}.tgz")));
        assert_eq!(saved.unwrap(), layer);
    }

    /// Each has its own words for it.
    fn misses(&self) {
        let output = self.ask(&["digest"], "none").run();
        let output = output.status(3).stdout("");
        let said = output.messages().to_lowercase();
        let what = format!(
            "docker-registry: {}: manifest none: not found",
            self.name("none")
        );
        let words = said.strip_prefix(&what).expect(&what);
        let (words, hint) = words.split_once('\n').expect("a hint");
        let known = ["", " (manifest unknown)", " (unknown manifest)"];
        let is_known =
            known.contains(&words) || words.starts_with(" (manifest unknown to registry");
        assert!(is_known, "{said}");
        assert_eq!(
            hint,
            "hint: the command 'tags' lists the tags that there are\n"
        );
    }
}

/// What the commands print about an image.
fn answers(image: &Image) -> Vec<(&'static [&'static str], String)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let config: Value = serde_json::from_slice(&image.config()).unwrap();
    let verified = ["manifest digest", "config digest"]
        .map(|test| format!("PASSED {test} test\n"))
        .concat();
    vec![
        (&["manifest", "-r"], text(image.manifest())),
        (&["digest"], image.digest() + "\n"),
        (&["config", "-r"], text(image.config())),
        (&["id"], image.config_digest() + "\n"),
        (
            &["labels"],
            indented(config["config"]["Labels"].to_string()),
        ),
        (&["history"], indented(config["history"].to_string())),
        (&["layers", "-q", "length"], "2\n".to_owned()),
        (&["verifytool"], verified),
    ]
}

#[test]
fn a_plain_registry_answers() {
    let Some(asked) = Asked::plain() else { return };
    asked.answers_everything();
}

#[test]
fn a_registry_with_basic_credentials_answers() {
    let Some(asked) = Asked::basic() else { return };
    asked.answers_everything();
}

#[test]
fn a_registry_with_tokens_answers() {
    let Some(asked) = Asked::tokens() else { return };
    asked.answers_everything();
}

#[test]
fn a_wrong_password_is_denied() {
    let Some(mut asked) = Asked::basic() else {
        return;
    };
    for user in ["-uuser:wrong", "-unobody:password"] {
        asked.options[1] = user.to_owned();
        let output = asked.ask(&["digest"], "single").run().status(4).stdout("");
        assert!(
            !output.messages().contains("wrong"),
            "{}",
            output.messages()
        );
    }
}

#[test]
fn one_token_does_for_a_run_and_for_the_next() {
    let Some(asked) = Asked::tokens() else { return };
    let scope = "GET /token?service=suite&scope=repository:team/hello:pull";
    let labels = asked.ask(&["labels", "-q", ".platform", "--arch=arm64"], "oci");
    let labels = labels.arg(asked.name("docker"));
    labels.run().success("linux/arm64/v8\nlinux/arm64/v8\n");
    assert_eq!(asked.real.token_server().take(), [scope]);
    labels.run().success("linux/arm64/v8\nlinux/arm64/v8\n");
    assert_eq!(asked.real.token_server().take(), [""; 0]);
}

/// What `-v` says is what goes over the wire, so the lines can be counted.
#[test]
fn a_real_registry_costs_as_little_as_the_suites() {
    let Some(asked) = Asked::tokens() else { return };
    for (command, first, again) in [
        ("digestlist", 3, 1),
        ("manifestlist", 3, 1),
        ("digest", 3, 1),
        ("manifest", 4, 1),
        ("id", 4, 1),
        ("config", 5, 1),
        ("labels", 5, 1),
        ("history", 5, 1),
        ("tags", 3, 1),
    ] {
        let tool = asked.ask(&[command, "-v", "--arch=arm64"], "oci");
        for requests in [first, again] {
            let output = tool.run().status(0);
            let messages = output.messages();
            let is_request = |line: &&str| line.starts_with("GET ") || line.starts_with("HEAD ");
            let count = messages.lines().filter(is_request).count();
            assert_eq!(count, requests, "{command}\n{messages}");
        }
    }
}

#[test]
fn damage_on_the_registrys_disk_is_found() {
    let Some(asked) = Asked::plain() else { return };
    let (image, list) = (&asked.data.docker[1], asked.data.docker_list());
    for (command, digest) in [
        ("labels", image.config_digest()),
        ("manifest", image.digest()),
        ("manifestlist", list.digest()),
    ] {
        let file = asked.real.file(&digest);
        let right = std::fs::read(&file).unwrap();
        let text = String::from_utf8(right.clone()).unwrap();
        std::fs::write(&file, text.replace("2026", "2027").replace("\": ", "\" :")).unwrap();
        let output = asked.ask(&[command, "--arch=arm64"], "docker").run();
        output.status(6).stdout("");
        std::fs::write(&file, right).unwrap();
    }
}

/// It signs the manifest anew, so only what is signed stays as it was.
#[test]
fn schema_1_is_served_and_read() {
    let Some(real) = Real::plain() else { return };
    let image = Image::new("linux/amd64").label("a", "b").layer("a", b"a");
    for layer in image.layers() {
        real.put_blob("old", &layer);
    }
    let manifest = Schema1::new(&image, "old", "v1");
    real.put_manifest("old", Some("v1"), schema1::MEDIA_TYPE, &manifest.bytes);
    let name = real.image("old:v1");
    let digest = Tool::new().args(["digest", &name]).run();
    digest.success(manifest.digest + "\n");
    let mut payload: Value = serde_json::from_slice(&manifest.bytes).unwrap();
    payload.as_object_mut().unwrap().remove("signatures");
    let shown = Tool::new().args(["manifest", "-q", "del(.signatures)", &name]);
    shown.run().success(indented(payload.to_string()));
    let labels = Tool::new().args(["labels", "-r", &name]).run();
    labels.success("{\"a\":\"b\"}\n");
}

/// `skopeo inspect`, with the platform that ours is to choose.
fn inspect(skopeo: &Tool, options: &[&str], platform: &str, image: &str) -> String {
    let (names, _) = platform.split_once(':').unwrap_or((platform, ""));
    let names: Vec<&str> = names.split('/').collect();
    let flags = ["--override-os", "--override-arch", "--override-variant"];
    let flags = flags
        .iter()
        .zip(names)
        .flat_map(|(flag, name)| [*flag, name]);
    let tool = skopeo.again(flags).arg("inspect").args(options);
    let output = tool.arg(format!("docker://{image}")).run();
    output.status(0).stderr("").text().to_owned()
}

#[test]
fn every_platform_is_as_skopeo_has_it() {
    let Some(asked) = Asked::plain() else { return };
    let Some(skopeo) = skopeo() else { return };
    let config = ["--config", "--raw", "--tls-verify=false"];
    let raw = ["--raw", "--tls-verify=false"];
    let mut seen = BTreeMap::new();
    for (tag, platform) in ["docker", "oci"]
        .iter()
        .flat_map(|tag| PLATFORMS.map(|it| (tag, it)))
    {
        let ask = |command: &[&str]| {
            let output = asked
                .ask(command, tag)
                .arg(format!("--platform={platform}"));
            output.run().status(0).stderr("").text().to_owned()
        };
        let digest = ask(&["digest"]);
        let chosen = asked
            .real
            .image(&format!("team/hello@{}", digest.trim_end()));
        assert_eq!(
            ask(&["manifest", "-r"]),
            inspect(&skopeo, &raw, platform, &chosen)
        );
        let theirs = inspect(&skopeo, &config, platform, &asked.name(tag));
        assert_eq!(ask(&["config", "-r"]), theirs, "{tag} {platform}");
        seen.insert(digest, platform);
    }
    assert_eq!(seen.len(), 2 * PLATFORMS.len());
    let list = asked.ask(&["manifestlist", "-r"], "oci").run();
    list.success(inspect(&skopeo, &raw, "linux/amd64", &asked.name("oci")));
}

#[test]
fn tags_are_as_skopeo_lists_them() {
    let Some(asked) = Asked::plain() else { return };
    let Some(skopeo) = skopeo() else { return };
    let name = asked.real.image("team/hello");
    let list = [
        "list-tags",
        "--tls-verify=false",
        &format!("docker://{name}"),
    ];
    let theirs = skopeo.args(list).run().json()["Tags"].to_string();
    asked.ask(&["tags"], "oci").run().success(theirs + "\n");
}
