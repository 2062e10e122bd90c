//! `docker-registry referrers IMAGE...`

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Command, Flag, Image, Invocation, Operand, Result, Run, Spec};
use crate::cli;
use crate::content::{Content, Descriptor, ManifestKind};
use crate::image::Budget;
use crate::source::Source;

static ARTIFACT_TYPE: Flag =
    Flag::new("artifact-type", cli::Value::Text("TYPE"), "Only artifacts of this type");
static TREE: Flag = Flag::switch("tree", "Also show what refers to those and to the index's images")
    .about("An object: the image's descriptor, in `referrers` the descriptors of what refers to it and, for an index, in `manifests` those of the images that it lists. Each of them has `referrers` and `manifests` likewise; what stands in the tree already does not have them again. With `--artifact-type` what is of another type is left out with all that refers to it. At most 4 levels.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "referrers",
        operand: Operand::Images,
        help: "List what refers to an image",
        about: "Signatures, SBOMs and other artifacts that name the image as their subject: an array of their descriptors. If a registry does not have the referrers API, the fallback tag is read.

For an image with an index: what refers to the index, or with `--platform` what refers to that platform's manifest.",
        flags: &[&ARTIFACT_TYPE, &TREE],
        examples: &[
            ("docker-registry referrers example.com/app:1.0", "all of them"),
            (
                "docker-registry referrers --artifact-type application/spdx+json -q '.[].digest' example.com/app",
                "the digests of the SBOMs",
            ),
            (
                "docker-registry referrers --tree -q '.. | .artifactType? // empty' example.com/app",
                "the types of all there are, on every platform",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let artifact_type = invocation.args.text(&ARTIFACT_TYPE);
    if invocation.args.has(&TREE) {
        return tree(image, artifact_type).map(Answer::value);
    }
    let referrers = image.source.referrers(&image.subject()?, artifact_type)?;
    let descriptors = referrers.into_iter().map(|referrer| referrer.json);
    Ok(Answer::value(descriptors.collect()))
}

const REFERRERS: &str = "referrers";
const MANIFESTS: &str = "manifests";

/// A manifest in the tree, and the place of the one that it belongs to, in its list of this name.
struct Node {
    descriptor: Descriptor,
    parent: usize,
    list: &'static str,
}

/// Level by level, so that it does not matter which answer comes first.
fn tree(image: &Image, artifact_type: Option<&str>) -> Result<Value> {
    let (source, budget) = (&*image.source, &*image.budget);
    let (top, subject) = (image.top_manifest()?, image.subject()?);
    let root = if *top.digest() == subject { top } else { image.manifest()? };
    let root = json!({"mediaType": root.media_type(), "digest": root.digest().to_string(),
        "size": root.bytes().len()});
    let mut nodes = vec![Node { descriptor: Descriptor::read(&root)?, parent: 0, list: "" }];
    let mut seen = HashSet::from([subject]);
    let mut level = vec![0];
    for depth in 0.. {
        let asked = level.iter().map(|&place| (place, &nodes[place].descriptor)).collect();
        let below = image.pool.all(asked, |of| below(source, budget, top, of, depth))?;
        for place in level.drain(..) {
            let node = &mut nodes[place].descriptor;
            node.json[REFERRERS] = json!([]);
            if is_index(node) {
                node.json[MANIFESTS] = json!([]);
            }
        }
        for node in below.into_iter().flatten() {
            let kind = node.descriptor.json["artifactType"].as_str();
            if node.list == REFERRERS && artifact_type.is_some_and(|wanted| kind != Some(wanted)) {
                continue;
            }
            if seen.insert(node.descriptor.digest.clone()) {
                level.push(nodes.len());
            }
            nodes.push(node);
        }
        if level.is_empty() {
            break;
        }
    }
    Ok(assembled(nodes))
}

/// What refers to a manifest, and the images that it lists.
fn below(
    source: &dyn Source,
    budget: &Budget,
    top: &Arc<Content>,
    (place, of): (usize, &Descriptor),
    depth: usize,
) -> Result<Vec<Node>> {
    let node = |list| {
        move |mut descriptor: Descriptor| {
            // Its own are not the registry's to tell.
            if let Some(json) = descriptor.json.as_object_mut() {
                [REFERRERS, MANIFESTS].iter().for_each(|key| drop(json.remove(*key)));
            }
            Node { descriptor, parent: place, list }
        }
    };
    let mut nodes = Vec::new();
    if is_index(of) {
        let index = match *top.digest() == of.digest {
            true => Arc::clone(top),
            false => budget.manifest(source, of)?,
        };
        let images = budget.entries(&index, depth)?.into_iter();
        nodes.extend(images.filter(|entry| !entry.is_attestation()).map(node(MANIFESTS)));
    }
    let referrers = budget.referrers(source, &of.digest, depth)?;
    nodes.extend(referrers.iter().cloned().map(node(REFERRERS)));
    Ok(nodes)
}

fn is_index(descriptor: &Descriptor) -> bool {
    ManifestKind::of(&descriptor.media_type) == ManifestKind::Index
}

/// Puts each into the list of the one before it that it belongs to; the first is the whole tree then.
fn assembled(mut nodes: Vec<Node>) -> Value {
    loop {
        let node = nodes.pop().expect("the first has no parent");
        let mut json = node.descriptor.json;
        // The last one came first.
        for list in [REFERRERS, MANIFESTS] {
            if let Some(list) = json.get_mut(list).and_then(Value::as_array_mut) {
                list.reverse();
            }
        }
        match nodes.get_mut(node.parent) {
            Some(parent) => {
                parent.descriptor.json[node.list].as_array_mut().expect("it was asked").push(json)
            }
            None => return json,
        }
    }
}
