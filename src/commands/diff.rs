//! `docker-registry diff IMAGE IMAGE`

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Answer, Command, During, Image, Operand, Result, Run, Spec, Verdict};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "diff",
        operand: Operand::Pair,
        help: "Show the differences between two images",
        about: "An object of the differences, `{}` if there are none; exit 8 if there are any, even if only the digest differs.

In `platforms` and `layers`, `removed` is what only the first image has, `added` what only the second has, and in `layers` `shared` is what both have. `labels` and `env` have `removed`, `added` and `changed`. Everything else is `{from, to}`: the `digest` of the manifests, `created`, `author`, `os`, `architecture`, `variant`, and the fields of the configuration with a lower-case first letter, such as `entrypoint`, `cmd`, `user` and `workingDir`. An empty value is the same as a missing one.

With `--platform all`: an object with the platforms as keys. If only one image has a platform, the other's digest is null.",
        examples: &[
            ("docker-registry diff debian:12 debian:13", "what differs on this machine's platform"),
            (
                "docker-registry diff -q '.layers.added | length' app:1.0 app:1.1",
                "how many layers are new",
            ),
            (
                "docker-registry diff --platform all app:staging app:1.1 && echo same",
                "whether they are the same on all platforms",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Pair(run),
};

fn run(from: Option<&Image>, to: Option<&Image>) -> Result<Answer> {
    let facts = |image: Option<&Image>| image.map(Facts::of).transpose();
    let differences = match (facts(from)?, facts(to)?) {
        (Some(from), Some(to)) => differences(&from, &to),
        (from, to) => {
            let digest = |facts: Option<Facts>| facts.map(|facts| facts.digest);
            Map::from_iter([("digest".to_owned(), json!({"from": digest(from), "to": digest(to)}))])
        }
    };
    let verdict = match differences.is_empty() {
        true => Verdict::Yes,
        false => Verdict::No,
    };
    Ok(Answer::value(differences.into()).verdict(verdict))
}

/// What is compared.
struct Facts {
    digest: String,
    platforms: Vec<String>,
    layers: Vec<String>,
    labels: Map<String, Value>,
    env: Map<String, Value>,
    /// Everything else, by the names under which differences are shown.
    others: Map<String, Value>,
}

impl Facts {
    fn of(image: &Image) -> Result<Self> {
        Facts::read(image).during(image.text())
    }

    fn read(image: &Image) -> Result<Self> {
        let config = image.config_json()?;
        let listed = image.platforms()?;
        if let Some(error) = listed.missing.into_iter().next() {
            return Err(error);
        }
        let layers = image.layers()?.into_iter();
        let mut others = Map::new();
        for name in ["created", "author", "os", "architecture", "variant"] {
            others.insert(name.to_owned(), config[name].clone());
        }
        for (name, value) in config["config"].as_object().into_iter().flatten() {
            if name != "Labels" && name != "Env" {
                others.insert(decapitalized(name), value.clone());
            }
        }
        let env = config["config"]["Env"].as_array().into_iter().flatten();
        let env = env.filter_map(|variable| variable.as_str()).map(|variable| {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            (name.to_owned(), value.into())
        });
        let labels = config["config"]["Labels"].as_object();
        Ok(Facts {
            digest: image.digest()?.to_string(),
            platforms: listed
                .images
                .into_iter()
                .map(|(platform, _)| platform.to_string())
                .collect(),
            layers: layers.map(|layer| layer.digest.to_string()).collect(),
            labels: labels.cloned().unwrap_or_default(),
            env: env.collect(),
            others,
        })
    }
}

fn differences(from: &Facts, to: &Facts) -> Map<String, Value> {
    let mut found = Map::new();
    let digests = (Value::from(&*from.digest), Value::from(&*to.digest));
    let mut add = |name: &str, difference: Option<Value>| {
        found.extend(difference.map(|difference| (name.to_owned(), difference)));
    };
    add("digest", change(&digests.0, &digests.1));
    add("platforms", sets(&from.platforms, &to.platforms));
    for name in union(&from.others, &to.others) {
        let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        add(name, change(&value(&from.others), &value(&to.others)));
    }
    add("labels", members(&from.labels, &to.labels));
    add("env", members(&from.env, &to.env));
    add("layers", lists(&from.layers, &to.layers));
    found
}

fn change(from: &Value, to: &Value) -> Option<Value> {
    let same = from == to || (is_empty(from) && is_empty(to));
    (!same).then(|| json!({"from": from, "to": to}))
}

/// Builders write `null`, `""`, `[]` or nothing for the same thing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn members(from: &Map<String, Value>, to: &Map<String, Value>) -> Option<Value> {
    let only = |these: &Map<String, Value>, others: &Map<String, Value>| {
        let own = these.iter().filter(|(name, _)| !others.contains_key(*name));
        let own = own.map(|(name, value)| (name.clone(), value.clone()));
        own.collect::<Map<_, _>>()
    };
    let changed = from.iter().filter_map(|(name, before)| {
        let after = to.get(name).filter(|after| *after != before)?;
        Some((name.clone(), json!({"from": before, "to": after})))
    });
    let changed: Map<_, _> = changed.collect();
    let (removed, added) = (only(from, to), only(to, from));
    let same = removed.is_empty() && added.is_empty() && changed.is_empty();
    (!same).then(|| json!({"removed": removed, "added": added, "changed": changed}))
}

fn sets(from: &[String], to: &[String]) -> Option<Value> {
    let (removed, added) = (without(from, to), without(to, from));
    let same = removed.is_empty() && added.is_empty();
    (!same).then(|| json!({"removed": removed, "added": added}))
}

/// Layers, whose order matters too.
fn lists(from: &[String], to: &[String]) -> Option<Value> {
    let (removed, added) = (without(from, to), without(to, from));
    let shared = without(from, &removed);
    (from != to).then(|| json!({"shared": shared, "removed": removed, "added": added}))
}

fn without(these: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<&String> = others.iter().collect();
    let own = these.iter().filter(|it| !others.contains(it));
    own.cloned().collect()
}

/// All names, in the order of the first and then the second.
fn union<'a>(from: &'a Map<String, Value>, to: &'a Map<String, Value>) -> Vec<&'a String> {
    let added = to.keys().filter(|name| !from.contains_key(*name));
    from.keys().chain(added).collect()
}

/// `WorkingDir` as `workingDir`.
fn decapitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
