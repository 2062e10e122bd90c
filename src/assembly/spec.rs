//! The YAML file that says which images an index is built from.

use std::fmt::Display;

use saphyr::{MarkedYaml, Marker, ScalarStyle, YamlData, YamlLoader};
use saphyr_parser::{Event, Parser};

use crate::error::{Error, Result};
use crate::platform::Platform;

/// How deep mappings and lists may be nested: a spec needs four levels, and the loader recurses.
const DEPTH: usize = 32;

/// An index to be built. References are not parsed yet; empty fields of a platform are read from
/// the image's configuration later.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexSpec {
    pub(crate) image: String,
    pub(crate) tags: Vec<String>,
    pub(crate) annotations: Vec<(String, String)>,
    pub(crate) manifests: Vec<SpecEntry>,
}

/// An image to be added, or an index whose images are added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SpecEntry {
    pub(crate) image: String,
    pub(crate) platform: Platform,
}

impl IndexSpec {
    /// `Kind::Usage`, with line and column, unless the text is YAML of the form that manifest-tool
    /// reads: unknown keys are refused, since they are mostly misspelt ones.
    pub(crate) fn read(yaml: &str) -> Result<IndexSpec> {
        check_depth(yaml)?;
        let mut loader = YamlLoader::<MarkedYaml>::default();
        // A version such as 1.10 must stay text and not become a number.
        loader.early_parse(false);
        let loaded = Parser::new_from_str(yaml).load(&mut loader, true);
        let loaded = loaded.and_then(|()| loader.error().cloned().map_or(Ok(()), Err));
        loaded.map_err(|error| at(error.marker(), error.info()))?;
        let documents = loader.into_documents();
        let [document] = &documents[..] else {
            let count = documents.len();
            return Err(Error::usage(format!("expected one document, not {count}")));
        };
        index_spec(document)
    }
}

fn check_depth(yaml: &str) -> Result<()> {
    let mut depth = 0;
    for event in Parser::new_from_str(yaml) {
        // The loader reports what is not YAML.
        let Ok((event, span)) = event else { break };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
        if depth > DEPTH {
            return Err(at(&span.start, format!("nested deeper than {DEPTH}")));
        }
    }
    Ok(())
}

type Node<'a> = MarkedYaml<'a>;

fn index_spec(node: &Node) -> Result<IndexSpec> {
    let mut spec = IndexSpec::default();
    for (key, name, value) in mapping(node, "the document")? {
        match name {
            "image" => spec.image = text(value, name)?,
            "tags" => spec.tags = texts(value, name)?,
            "annotations" => {
                for (_, name, value) in mapping(value, name)? {
                    spec.annotations.push((name.to_owned(), text(value, name)?));
                }
            }
            "manifests" => {
                let entries = sequence(value, name)?.iter().map(spec_entry);
                spec.manifests = entries.collect::<Result<_>>()?;
            }
            _ => return Err(unknown(key, name, "image, tags, manifests or annotations")),
        }
    }
    match (spec.image.is_empty(), spec.manifests.is_empty()) {
        (true, _) => Err(wrong(node, "'image' is missing")),
        (_, true) => Err(wrong(node, "'manifests' lists no image")),
        _ => Ok(spec),
    }
}

fn spec_entry(node: &Node) -> Result<SpecEntry> {
    let mut entry = SpecEntry::default();
    for (key, name, value) in mapping(node, "an entry of manifests")? {
        match name {
            "image" => entry.image = text(value, name)?,
            "platform" => entry.platform = platform(value)?,
            _ => return Err(unknown(key, name, "image or platform")),
        }
    }
    if entry.image.is_empty() { Err(wrong(node, "'image' is missing")) } else { Ok(entry) }
}

fn platform(node: &Node) -> Result<Platform> {
    let mut platform = Platform::default();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    for (key, name, value) in mapping(node, "platform")? {
        match name {
            "os" => platform.os = text(value, name)?,
            "architecture" => platform.architecture = text(value, name)?,
            "variant" => platform.variant = some(text(value, name)?),
            "osversion" | "os.version" => platform.os_version = some(text(value, "osversion")?),
            "osfeatures" | "os.features" => platform.os_features = texts(value, "osfeatures")?,
            _ => {
                let known = "os, architecture, variant, osversion or osfeatures";
                return Err(unknown(key, name, known));
            }
        }
    }
    Ok(platform)
}

/// Each key, also as text, and its value; none if the node is empty.
fn mapping<'a, 'b>(
    node: &'a Node<'b>,
    what: &str,
) -> Result<Vec<(&'a Node<'b>, &'a str, &'a Node<'b>)>> {
    let pairs = match &node.data {
        YamlData::Mapping(pairs) => pairs.iter(),
        _ if is_null(node) => return Ok(Vec::new()),
        _ => return Err(wrong(node, format!("{what} must be a mapping"))),
    };
    let named = pairs.map(|(key, value)| match &key.data {
        YamlData::Representation(name, ..) => Ok((key, name.as_ref(), value)),
        _ => Err(wrong(key, "a key must be a text")),
    });
    named.collect()
}

fn sequence<'a, 'b>(node: &'a Node<'b>, what: &str) -> Result<&'a [Node<'b>]> {
    match &node.data {
        YamlData::Sequence(items) => Ok(items),
        _ if is_null(node) => Ok(&[]),
        _ => Err(wrong(node, format!("{what} must be a list"))),
    }
}

fn texts(node: &Node, what: &str) -> Result<Vec<String>> {
    let items = sequence(node, what)?.iter().map(|item| match is_null(item) {
        true => Err(wrong(item, format!("an item of {what} is empty"))),
        false => text(item, what),
    });
    items.collect()
}

/// A scalar as text, whatever type YAML gives it; empty if there is none.
fn text(node: &Node, what: &str) -> Result<String> {
    match &node.data {
        _ if is_null(node) => Ok(String::new()),
        YamlData::Representation(text, ..) => Ok(text.as_ref().to_owned()),
        _ => Err(wrong(node, format!("{what} must be a text"))),
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.data, YamlData::Representation(text, ScalarStyle::Plain, None)
        if ["", "~", "null", "Null", "NULL"].contains(&text.as_ref()))
}

fn unknown(key: &Node, name: &str, known: &str) -> Error {
    wrong(key, format!("unknown key '{name}': expected {known}"))
}

fn wrong(node: &Node, why: impl Display) -> Error {
    at(&node.span.start, why)
}

fn at(mark: &Marker, why: impl Display) -> Error {
    Error::usage(format!("line {}, column {}: {why}", mark.line(), mark.col() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let spec = IndexSpec::read(
            "image: example.com/a:v1\n\
             tags: [\"1.0\", 1.10, latest]\n\
             annotations: {b: c, d: }\n\
             manifests:\n\
             - image: example.com/a:amd64\n\
             -\n  image: example.com/a:win\n  platform:\n    os: windows\n    architecture: amd64\n    \
             variant: v2\n    osversion: 10.0.17763\n    os.features: [win32k]\n",
        );
        let expected = IndexSpec {
            image: "example.com/a:v1".into(),
            tags: vec!["1.0".into(), "1.10".into(), "latest".into()],
            annotations: vec![("b".into(), "c".into()), ("d".into(), String::new())],
            manifests: vec![
                SpecEntry { image: "example.com/a:amd64".into(), ..SpecEntry::default() },
                SpecEntry {
                    image: "example.com/a:win".into(),
                    platform: Platform {
                        os: "windows".into(),
                        architecture: "amd64".into(),
                        variant: Some("v2".into()),
                        os_version: Some("10.0.17763".into()),
                        os_features: vec!["win32k".into()],
                    },
                },
            ],
        };
        assert_eq!(spec.unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_stands() {
        for (yaml, expected) in [
            ("", "expected one document, not 0"),
            ("a: b\n---\nc: d\n", "expected one document, not 2"),
            ("- a", "line 1, column 1: the document must be a mapping"),
            (
                "image: a\nmanifest: []",
                "line 2, column 1: unknown key 'manifest': expected image, tags, manifests or annotations",
            ),
            ("image: [a]", "line 1, column 8: image must be a text"),
            ("image: a", "line 1, column 1: 'manifests' lists no image"),
            ("manifests: [{image: a}]", "line 1, column 1: 'image' is missing"),
            ("image: a\nmanifests: b", "line 2, column 12: manifests must be a list"),
            ("image: a\nmanifests:\n- platform: {os: b}", "line 3, column 3: 'image' is missing"),
            (
                "image: a\nmanifests:\n- image: b\n  platform: {arch: c}",
                "line 4, column 14: unknown key 'arch': expected os, architecture, variant, osversion or osfeatures",
            ),
            (
                "image: a\ntags: [b, ]\nmanifests:\n- platform: {osfeatures: c}",
                "line 4, column 26: osfeatures must be a list",
            ),
        ] {
            let error = IndexSpec::read(yaml).unwrap_err();
            assert_eq!(error.to_string(), expected, "{yaml}");
        }
        for yaml in ["a: b: c", "\"a", "a: *b", "image: a\nimage: b", "[a"] {
            let message = IndexSpec::read(yaml).unwrap_err().to_string();
            assert!(message.starts_with("line "), "{yaml}: {message}");
        }
    }

    #[test]
    fn depth_is_an_error_and_no_end_of_the_process() {
        for deep in [
            "- ".repeat(18_000),
            "[".repeat(18_000),
            "{a: ".repeat(18_000),
            "? ".repeat(18_000),
            (0..2_000).map(|n| " ".repeat(n) + "a:\n").collect(),
        ] {
            let message = IndexSpec::read(&deep).unwrap_err().to_string();
            // The scanner itself has a limit for brackets.
            let whys = [": nested deeper than 32", ": recursion limit exceeded"];
            assert!(whys.iter().any(|why| message.ends_with(why)), "{message}");
        }
    }
}
