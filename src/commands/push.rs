//! `docker-registry push from-spec FILE`, `docker-registry push from-args`

use std::fs;
use std::io;

use serde_json::json;

use super::{Answer, Args, Command, During, Error, Flag, Invocation, Operand, Result, Run, Spec};
use crate::assembly::{IndexBuilder, IndexKind, IndexSpec, SpecEntry};
use crate::cli::Value;
use crate::platform::Platform;
use crate::terminal;

static TYPE: Flag = Flag::new(
    "type",
    Value::Choice(&["docker", "oci"]),
    "Make a Docker manifest list or OCI index (default: docker)",
);
static IGNORE_MISSING: Flag = Flag::switch("ignore-missing", "Leave out images that do not exist")
    .about("Each of them is reported on stderr. At least one image must exist.");
static TAGS: Flag = Flag::new("tags", Value::Text("TAG,..."), "Add these tags to the index")
    .about("May be given more than once.");
static ANNOTATIONS: Flag = Flag::new(
    "annotations",
    Value::Text("NAME=VALUE,..."),
    "Add these annotations to the OCI index",
)
.about("May be given more than once.");
static PLATFORMS: Flag = Flag::new(
    "platforms",
    Value::Text("OS/ARCH[/VARIANT],..."),
    "With from-args: the platforms of the index",
);
static TEMPLATE: Flag =
    Flag::new("template", Value::Text("IMAGE"), "With from-args: the image for each platform")
        .about("OS, ARCH and VARIANT in it are replaced by the platform's.");
static TARGET: Flag =
    Flag::new("target", Value::Text("IMAGE"), "With from-args: the name of the index");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "push",
        operand: Operand::Forms(&["from-spec FILE", "from-args"]),
        help: "Combine images into a manifest list or OCI index",
        about: "The images must be in the registry already. The result is the same as manifest-tool's and has the same digest, which is printed: `Digest: DIGEST LENGTH`. FILE (`-` is stdin) is YAML:

  image: localhost:5000/app:v1
  tags: [\"1.0\", latest]
  annotations: {NAME: VALUE}
  manifests:
  - image: localhost:5000/app:arm64
    platform: {os: linux, architecture: arm64, variant: v8, osversion: VERSION, osfeatures: []}
  - image: localhost:5000/other/app:amd64

What a platform leaves out is read from the image's configuration. If an image is an index itself, all its images are added with their own platforms; attestations come last. Images from another repository of the registry are mounted, or copied if the registry does not mount. Everything is checked before anything is sent, and tags are set last.",
        flags: &[&TYPE, &IGNORE_MISSING, &TAGS, &ANNOTATIONS, &PLATFORMS, &TEMPLATE, &TARGET],
        examples: &[
            ("docker-registry push from-spec app.yaml", "Digest: sha256:… 743"),
            (
                "docker-registry push from-args --platforms linux/amd64,linux/arm/v7 --template localhost:5000/app:v1-ARCHVARIANT --target localhost:5000/app:v1",
                "a manifest list of app:v1-amd64 and app:v1-armv7",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let (args, sources, pool) = (invocation.args, invocation.sources, invocation.pool);
    let mut spec = match args.operands() {
        [_, path] => from_spec(path, args)?,
        _ => from_args(args)?,
    };
    spec.tags.extend(items(args, &TAGS).map(str::to_owned));
    for item in items(args, &ANNOTATIONS) {
        let wrong = || Error::usage(format!("--annotations wants NAME=VALUE, not '{item}'"));
        let (name, value) = item.split_once('=').ok_or_else(wrong)?;
        spec.annotations.push((name.to_owned(), value.to_owned()));
    }
    let kind = if args.text(&TYPE) == Some("oci") { IndexKind::Oci } else { IndexKind::Docker };
    let builder = IndexBuilder { kind, ignore_missing: args.has(&IGNORE_MISSING), sources, pool };
    let index = builder.assemble(&spec)?;
    for error in &index.missing {
        let left_out: Result<()> = Err(error.clone()).during("left out");
        left_out.unwrap_or_else(|error| error.report());
    }
    let pushed = builder.push(&index);
    sources.forget(&index.target, &[]);
    pushed.during(&spec.image)?;
    let (digest, size) = (index.digest.to_string(), index.bytes.len());
    let json = json!({
        "digest": digest,
        "size": size,
        "mediaType": kind.media_type(),
        "repository": index.target.to_string(),
        "tags": index.tags,
    });
    Ok(Answer::text(format!("Digest: {digest} {size}"), json))
}

fn from_spec(path: &str, args: &Args) -> Result<IndexSpec> {
    for flag in [&PLATFORMS, &TEMPLATE, &TARGET] {
        if args.has(flag) {
            return Err(Error::usage(format!("--{} is for from-args only", flag.name)));
        }
    }
    let yaml = match path {
        "-" => io::read_to_string(terminal::stdin()?),
        path => fs::read_to_string(path),
    };
    IndexSpec::read(&yaml.during(path)?).during(path)
}

fn from_args(args: &Args) -> Result<IndexSpec> {
    let given = |flag: &Flag| {
        let missing = || Error::usage(format!("push from-args wants --{}", flag.name));
        args.text(flag).ok_or_else(missing)
    };
    let (_, template, target) = (given(&PLATFORMS)?, given(&TEMPLATE)?, given(&TARGET)?);
    let manifests = items(args, &PLATFORMS).map(|text| spec_entry(text, template));
    Ok(IndexSpec {
        image: target.to_owned(),
        manifests: manifests.collect::<Result<_>>()?,
        ..IndexSpec::default()
    })
}

/// The image for a platform, as the template names it.
fn spec_entry(text: &str, template: &str) -> Result<SpecEntry> {
    let (os, architecture, variant) = match text.split('/').collect::<Vec<_>>()[..] {
        [os, architecture] => (os, architecture, None),
        [os, architecture, variant] => (os, architecture, Some(variant)),
        _ => {
            let message = format!("--platforms wants OS/ARCH[/VARIANT], not '{text}'");
            return Err(Error::usage(message));
        }
    };
    let image = template.replace("ARCH", architecture).replace("OS", os);
    Ok(SpecEntry {
        image: image.replace("VARIANT", variant.unwrap_or_default()),
        platform: Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.filter(|variant| !variant.is_empty()).map(str::to_owned),
            ..Platform::default()
        },
    })
}

/// The values of an option that may be repeated or hold several values with commas between them.
fn items<'a>(args: &'a Args, flag: &'a Flag) -> impl Iterator<Item = &'a str> {
    let values = args.texts(flag).flat_map(|text| text.split(','));
    values.map(str::trim).filter(|item| !item.is_empty())
}
