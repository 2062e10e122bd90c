//! Repositories as one meets them: many tags, several platforms, an SBOM.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::harness::{Image, Index, Proxy, Registry, Served, Tls, Tool, sha256};

/// A step of a build, and how many bytes its layer has; 0 where it left none.
type Step = (&'static str, u64);

const UBUNTU: [Step; 3] = [
    ("/bin/sh -c #(nop)  ARG RELEASE", 0),
    (
        "/bin/sh -c #(nop) ADD file:bcebbf0fddcba5b864d5d267b68dd23bcfb01275e6ec7bcab69bf8b56af14804 in / ",
        29_536_818,
    ),
    ("/bin/sh -c #(nop)  CMD [\"/bin/bash\"]", 0),
];

const SPHINX: [Step; 12] = [
    (
        "# debian.sh --arch 'amd64' out/ 'trixie' '@1767657600'",
        29_777_766,
    ),
    (
        "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        0,
    ),
    (
        "RUN /bin/sh -c set -eux; \tapt-get update; \tapt-get install -y --no-install-recommends ca-certificates netbase tzdata; \trm -rf /var/lib/apt/lists/* # buildkit",
        1_292_931,
    ),
    ("ENV PYTHON_VERSION=3.13.5", 0),
    (
        "RUN /bin/sh -c set -eux; savedAptMark=\"$(apt-mark showmanual)\"; apt-get update; apt-get install -y --no-install-recommends dpkg-dev gcc gnupg libc6-dev make; wget -O python.tar.xz \"https://www.python.org/ftp/python/$PYTHON_VERSION/Python-$PYTHON_VERSION.tar.xz\"; make -j \"$(nproc)\" install # buildkit",
        11_738_940,
    ),
    ("CMD [\"python3\"]", 0),
    (
        "LABEL maintainer=Sphinx Team <https://www.sphinx-doc.org/>",
        0,
    ),
    ("WORKDIR /docs", 96),
    (
        "RUN /bin/sh -c apt-get update && apt-get install --no-install-recommends -y graphviz imagemagick make && apt-get autoremove && apt-get clean # buildkit",
        74_302_118,
    ),
    (
        "RUN /bin/sh -c python3 -m pip install --no-cache-dir -U pip && python3 -m pip install --no-cache-dir Sphinx==8.2.3 Pillow # buildkit",
        23_911_402,
    ),
    ("COPY entrypoint.sh /usr/local/bin/ # buildkit", 412),
    (
        "CMD [\"sphinx-build\", \"-M\", \"html\", \".\", \"_build\"]",
        0,
    ),
];

const RELEASES: [(&str, &str); 6] = [
    ("25.04", "plucky"),
    ("24.10", "oracular"),
    ("24.04", "noble"),
    ("22.04", "jammy"),
    ("20.04", "focal"),
    ("18.04", "bionic"),
];

/// When what is so old was made.
const DATES: [&str; 6] = [
    "2025-10-02T08:11:37Z",
    "2025-08-13T05:40:12Z",
    "2025-04-18T11:02:54Z",
    "2024-11-30T16:25:03Z",
    "2024-06-05T09:12:44Z",
    "2023-05-30T04:33:21Z",
];

/// A registry that does not mind being asked for signatures that nobody made.
pub struct Scene(Registry);

impl Deref for Scene {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.0
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.0.forgive();
    }
}

impl Scene {
    /// The pages about it.
    pub fn serve(&self) -> Served {
        Tool::new().arg(self.host()).serve()
    }

    /// The same as if it were Docker Hub, which only the proxy finds.
    pub fn serve_as_hub(&self, proxy: &Proxy) -> Served {
        let tool = Tool::new().env("HTTPS_PROXY", proxy.url());
        tool.args(["docker.io", "--cacert"]).arg(self.ca()).serve()
    }
}

/// A registry without anything.
pub fn empty() -> Scene {
    Scene(Registry::start())
}

/// A registry with `library/ubuntu` and `sphinxdoc/sphinx`.
pub fn popular() -> Scene {
    filled(Registry::start())
}

/// The same where Docker Hub is.
pub fn hub() -> (Scene, Proxy) {
    const HUB: &str = "registry-1.docker.io";
    let registry = Registry::builder().tls(Tls::named(&[HUB])).start();
    let proxy = Proxy::start().route(&format!("{HUB}:443"), &registry.host());
    (filled(registry), proxy)
}

fn filled(registry: Registry) -> Scene {
    let architectures = ["amd64", "arm/v7", "arm64/v8", "ppc64le", "riscv64", "s390x"];
    for (age, (release, name)) in RELEASES.iter().enumerate() {
        let index = index(&UBUNTU, release, age, &architectures);
        let digest = index.oci().push_to(&registry, "library/ubuntu", release);
        let dated = format!("{name}-{}", DATES[age][..10].replace('-', ""));
        let latest = (*release == "24.04").then(|| "latest".to_owned());
        let tags = [(*name).to_owned(), dated].into_iter().chain(latest);
        registry.tags("library/ubuntu", tags, &digest);
    }
    for (age, version) in ["8.2.3", "8.2.0", "8.1.3", "8.0.2"].iter().enumerate() {
        let index = index(&SPHINX, version, age, &["amd64", "arm64/v8"]);
        let digest = index.oci().push_to(&registry, "sphinxdoc/sphinx", version);
        if *version == "8.2.3" {
            let tags = ["8", "8.2", "latest"].map(str::to_owned);
            registry.tags("sphinxdoc/sphinx", tags, &digest);
        }
    }
    Scene(registry)
}

/// An image for each architecture, with an SBOM and provenance of each.
fn index(steps: &[Step], version: &str, age: usize, architectures: &[&str]) -> Index {
    let mut index = Index::new();
    let mut attestations = Vec::new();
    for (n, architecture) in architectures.iter().enumerate() {
        let image = image(steps, version, age, architecture, n as u64);
        attestations.push(attestation(&image));
        index = index.image(image);
    }
    for (image, annotations) in attestations {
        index = index.annotated(image, annotations);
    }
    index
}

fn image(steps: &[Step], version: &str, age: usize, architecture: &str, n: u64) -> Image {
    let created = DATES[age];
    let is_sphinx = steps.len() == SPHINX.len();
    // All versions have the same base; what else they have was smaller once.
    let is_base = |step: usize| is_sphinx && step < 3;
    let digest = |step: usize, what: &str| {
        let version = if is_base(step) { "" } else { version };
        sha256(format!("{what} {step} {architecture} {version}"))
    };
    let scale = |step: usize, size: u64| {
        let age = if is_base(step) { 0 } else { age as u64 };
        size - size / 37 * n - size / 53 * age
    };
    let made: Vec<Value> = steps
        .iter()
        .map(|(step, size)| {
            let step = step.replace("8.2.3", version);
            let mut made = json!({"created": created, "created_by": step, "comment": "buildkit.dockerfile.v0"});
            if *size == 0 {
                made["empty_layer"] = json!(true);
            }
            made
        })
        .collect();
    let layers = steps.iter().enumerate().filter(|(_, (_, size))| *size > 0);
    let layers: Vec<(usize, u64)> = layers.map(|(n, (_, size))| (n, scale(n, *size))).collect();
    let descriptors: Vec<Value> = layers
        .iter()
        .map(|(step, size)| {
            let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
            json!({"mediaType": kind, "digest": digest(*step, "layer"), "size": size})
        })
        .collect();
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|(step, _)| digest(*step, "diff"))
        .collect();
    let run = match is_sphinx {
        true => json!({
            "Env": [
                "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                "PYTHON_VERSION=3.13.5",
                "LANG=C.UTF-8",
            ],
            "Entrypoint": ["/usr/local/bin/entrypoint.sh"],
            "Cmd": ["sphinx-build", "-M", "html", ".", "_build"],
            "WorkingDir": "/docs",
            "User": "1000:1000",
            "ExposedPorts": {"8000/tcp": {}},
            "Labels": {
                "maintainer": "Sphinx Team <https://www.sphinx-doc.org/>",
                "org.opencontainers.image.created": created,
                "org.opencontainers.image.licenses": "BSD-2-Clause",
                "org.opencontainers.image.source": "https://github.com/sphinx-doc/sphinx-docker-images",
                "org.opencontainers.image.title": "sphinx",
                "org.opencontainers.image.version": version,
            },
        }),
        false => json!({
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["/bin/bash"],
            "Labels": {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": version},
        }),
    };
    Image::new(&format!("linux/{architecture}"))
        .oci()
        .in_config("created", json!(created))
        .in_config("config", run)
        .in_config("history", json!(made))
        .in_config("rootfs", json!({"type": "layers", "diff_ids": diff_ids}))
        .in_manifest("layers", json!(descriptors))
        .in_manifest(
            "annotations",
            json!({"org.opencontainers.image.version": version}),
        )
}

/// What BuildKit puts beside an image.
fn attestation(of: &Image) -> (Image, Value) {
    let statement = |kind: &str| {
        let name = format!("pkg:docker/{}", of.digest());
        let predicate = match kind.contains("spdx") {
            true => json!({
                "spdxVersion": "SPDX-2.3",
                "name": name,
                "packages": [{"name": "bash", "versionInfo": "5.2.37"}, {"name": "graphviz", "versionInfo": "2.42.4"}],
            }),
            false => json!({"buildType": "https://mobyproject.org/buildkit@v1", "materials": []}),
        };
        let subject = json!([{"name": name, "digest": {"sha256": &of.digest()[7..]}}]);
        json!({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "subject": subject, "predicate": predicate})
            .to_string()
            .into_bytes()
    };
    let kinds = [
        "https://spdx.dev/Document",
        "https://slsa.dev/provenance/v0.2",
    ];
    let mut image = Image::new("unknown/unknown").oci();
    let mut descriptors = Vec::new();
    for kind in kinds {
        let bytes = statement(kind);
        let digest = sha256(&bytes);
        descriptors.push(json!({
            "mediaType": "application/vnd.in-toto+json",
            "digest": digest,
            "size": bytes.len(),
            "annotations": {"in-toto.io/predicate-type": kind},
        }));
        image = image.raw_layer(bytes, &digest, "attestation");
    }
    let annotations = json!({
        "vnd.docker.reference.digest": of.digest(),
        "vnd.docker.reference.type": "attestation-manifest",
    });
    (image.in_manifest("layers", json!(descriptors)), annotations)
}
