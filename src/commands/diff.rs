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
    let facts =
        |image: Option<&Image>| image.map(|image| facts(image).during(image.text())).transpose();
    let differences = match (facts(from)?, facts(to)?) {
        (Some(from), Some(to)) => differences(&from, &to),
        (from, to) => {
            let digest = |facts: Option<Value>| facts.map(|facts| facts["digest"].clone());
            Map::from_iter([("digest".to_owned(), json!({"from": digest(from), "to": digest(to)}))])
        }
    };
    let verdict = if differences.is_empty() { Verdict::Yes } else { Verdict::No };
    Ok(Answer::value(differences.into()).verdict(verdict))
}

/// What is compared, an object with the names under which differences are shown.
fn facts(image: &Image) -> Result<Value> {
    let config = image.config_json()?;
    let listed = image.platforms()?;
    if let Some(error) = listed.missing.into_iter().next() {
        return Err(error);
    }
    let platforms = listed.images.iter().map(|(platform, _)| platform.to_string());
    let env = config["config"]["Env"].as_array().into_iter().flatten();
    let env = env.filter_map(Value::as_str).map(|variable| {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        (name.to_owned(), value.into())
    });
    let layers = image.layers()?.into_iter().map(|layer| layer.digest.to_string());
    let mut facts = json!({
        "digest": image.digest()?.to_string(),
        "platforms": platforms.collect::<Value>(),
    });
    for name in ["created", "author", "os", "architecture", "variant"] {
        facts[name] = config[name].clone();
    }
    let config = &config["config"];
    for (name, value) in config.as_object().into_iter().flatten() {
        let name = decapitalized(name);
        // No image names what is compared beside its configuration.
        if !["digest", "platforms"].contains(&&*name) {
            facts[name] = value.clone();
        }
    }
    facts["labels"] = config["Labels"].clone();
    facts["env"] = env.collect::<Map<_, _>>().into();
    facts["layers"] = layers.collect();
    Ok(facts)
}

fn differences(from: &Value, to: &Value) -> Map<String, Value> {
    const LAST: [&str; 3] = ["labels", "env", "layers"];
    let names = [from, to].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let names = names.map(String::as_str).filter(|name| !LAST.contains(name)).chain(LAST);
    let found = names.filter_map(|name| {
        let (from, to) = (&from[name], &to[name]);
        let difference = match name {
            "platforms" => sets(from, to),
            "layers" => lists(from, to),
            "labels" | "env" => members(from, to),
            _ => change(from, to),
        };
        Some((name.to_owned(), difference?))
    });
    found.collect()
}

fn change(from: &Value, to: &Value) -> Option<Value> {
    // Builders write any of these for the same thing, or nothing.
    let is_empty = |value| [json!(null), json!(""), json!([]), json!({})].contains(value);
    let same = from == to || (is_empty(from) && is_empty(to));
    (!same).then(|| json!({"from": from, "to": to}))
}

fn members(from: &Value, to: &Value) -> Option<Value> {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (from, to) = (object(from), object(to));
    let only = |these: &Map<String, Value>, others: &Map<String, Value>| {
        let mut own = these.clone();
        own.retain(|name, _| !others.contains_key(name));
        own
    };
    let changed = from.iter().filter_map(|(name, before)| {
        let after = to.get(name).filter(|after| *after != before)?;
        Some((name.clone(), json!({"from": before, "to": after})))
    });
    let changed: Map<_, _> = changed.collect();
    let (removed, added) = (only(&from, &to), only(&to, &from));
    (from != to).then(|| json!({"removed": removed, "added": added, "changed": changed}))
}

fn sets(from: &Value, to: &Value) -> Option<Value> {
    let (removed, added) = (without(from, to), without(to, from));
    let same = removed.is_empty() && added.is_empty();
    (!same).then(|| json!({"removed": removed, "added": added}))
}

/// Layers, whose order matters too.
fn lists(from: &Value, to: &Value) -> Option<Value> {
    let (removed, added) = (without(from, to), without(to, from));
    let shared = without(from, &json!(removed));
    (from != to).then(|| json!({"shared": shared, "removed": removed, "added": added}))
}

fn without<'a>(these: &'a Value, others: &Value) -> Vec<&'a str> {
    fn texts(value: &Value) -> impl Iterator<Item = &str> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str)
    }
    let others: HashSet<&str> = texts(others).collect();
    texts(these).filter(|it| !others.contains(it)).collect()
}

/// `WorkingDir` as `workingDir`.
fn decapitalized(name: &str) -> String {
    let mut name = name.to_owned();
    name.get_mut(..1).unwrap_or_default().make_ascii_lowercase();
    name
}
