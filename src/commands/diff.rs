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
    let facts = |image: Option<&Image>| {
        image.map(|image| Facts::of(image).during(image.text())).transpose()
    };
    let differences = match (facts(from)?, facts(to)?) {
        (Some(from), Some(to)) => differences(&from, &to),
        (from, to) => {
            let digest = |facts: Option<Facts>| facts.map(|facts| facts.digest);
            Map::from_iter([("digest".to_owned(), json!({"from": digest(from), "to": digest(to)}))])
        }
    };
    let verdict = if differences.is_empty() { Verdict::Yes } else { Verdict::No };
    Ok(Answer::value(differences.into()).verdict(verdict))
}

/// What is compared.
struct Facts {
    digest: Value,
    platforms: Vec<String>,
    layers: Vec<String>,
    labels: Map<String, Value>,
    env: Map<String, Value>,
    /// Everything else, by the names under which differences are shown.
    others: Map<String, Value>,
}

impl Facts {
    fn of(image: &Image) -> Result<Self> {
        let config = image.config_json()?;
        let listed = image.platforms()?;
        if let Some(error) = listed.missing.into_iter().next() {
            return Err(error);
        }
        let platforms = listed.images.iter().map(|(platform, _)| platform.to_string());
        let layers = image.layers()?.into_iter().map(|layer| layer.digest.to_string());
        let inner = config["config"].as_object();
        let inner =
            inner.into_iter().flatten().filter(|(name, _)| *name != "Labels" && *name != "Env");
        let inner = inner.map(|(name, value)| (decapitalized(name), value.clone()));
        let outer = ["created", "author", "os", "architecture", "variant"];
        let outer = outer.map(|name| (name.to_owned(), config[name].clone()));
        let env = config["config"]["Env"].as_array().into_iter().flatten();
        let env = env.filter_map(Value::as_str).map(|variable| {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            (name.to_owned(), value.into())
        });
        Ok(Facts {
            digest: image.digest()?.to_string().into(),
            platforms: platforms.collect(),
            layers: layers.collect(),
            labels: config["config"]["Labels"].as_object().cloned().unwrap_or_default(),
            env: env.collect(),
            others: outer.into_iter().chain(inner).collect(),
        })
    }
}

fn differences(from: &Facts, to: &Facts) -> Map<String, Value> {
    let added = to.others.keys().filter(|name| !from.others.contains_key(*name));
    let others = from.others.keys().chain(added).map(|name| {
        let value = |of: &Facts| of.others.get(name).cloned().unwrap_or_default();
        (name.as_str(), change(&value(from), &value(to)))
    });
    let found = [
        ("digest", change(&from.digest, &to.digest)),
        ("platforms", sets(&from.platforms, &to.platforms)),
    ];
    let found = found.into_iter().chain(others).chain([
        ("labels", members(&from.labels, &to.labels)),
        ("env", members(&from.env, &to.env)),
        ("layers", lists(&from.layers, &to.layers)),
    ]);
    found.filter_map(|(name, difference)| Some((name.to_owned(), difference?))).collect()
}

fn change(from: &Value, to: &Value) -> Option<Value> {
    // Builders write any of these for the same thing, or nothing.
    let is_empty = |value| [json!(null), json!(""), json!([]), json!({})].contains(value);
    let same = from == to || (is_empty(from) && is_empty(to));
    (!same).then(|| json!({"from": from, "to": to}))
}

fn members(from: &Map<String, Value>, to: &Map<String, Value>) -> Option<Value> {
    let only = |these: &Map<String, Value>, others: &Map<String, Value>| {
        let own = these.iter().filter(|(name, _)| !others.contains_key(*name));
        own.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>()
    };
    let changed = from.iter().filter_map(|(name, before)| {
        let after = to.get(name).filter(|after| *after != before)?;
        Some((name.clone(), json!({"from": before, "to": after})))
    });
    (from != to).then(|| {
        json!({"removed": only(from, to), "added": only(to, from), "changed": changed.collect::<Value>()})
    })
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
    these.iter().filter(|it| !others.contains(it)).cloned().collect()
}

/// `WorkingDir` as `workingDir`.
fn decapitalized(name: &str) -> String {
    let mut name = name.to_owned();
    name.get_mut(..1).unwrap_or_default().make_ascii_lowercase();
    name
}
