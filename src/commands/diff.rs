//! `docker-registry diff IMAGE IMAGE`

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::saving::{self, NO_PROGRESS};
use super::{
    Answer, Command, During, Flag, Image, Invocation, Operand, Result, Run, Spec, Verdict, entries,
};
use crate::filesystem::{Entry, FilePath, Filesystem, Room};
use crate::memory;

static FILES: Flag = Flag::switch("files", "Compare the files too, for which every layer is read")
    .about("In `files`, `removed`, `added` and `changed` tell by their paths what `files --json` tells of each. A file has changed if its type, mode, owner, size, link or time is another, a directory or a link by all of these but the time: contents are not compared.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "diff",
        operand: Operand::Pair,
        help: "Show the differences between two images",
        about: "An object of the differences, `{}` if there are none; exit 8 if there are any, even if only the digest differs.

In `platforms` and `layers`, `removed` is what only the first image has, `added` what only the second has, and in `layers` `shared` is what both have. `labels` and `env` have `removed`, `added` and `changed`. Everything else is `{from, to}`: the `digest` of the manifests, `created`, `author`, `os`, `architecture`, `variant`, and the fields of the configuration with a lower-case first letter, such as `entrypoint`, `cmd`, `user` and `workingDir`. An empty value is the same as a missing one.

With `--platform all`: an object with the platforms as keys. If only one image has a platform, the other's digest is null.",
        flags: &[&FILES, &NO_PROGRESS],
        examples: &[
            ("docker-registry diff debian:12 debian:13", "what differs on this machine's platform"),
            (
                "docker-registry diff --files -q '.files.added | keys[]' app:1.0 app:1.1",
                "the files that are new",
            ),
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

fn run(from: Option<&Image>, to: Option<&Image>, invocation: &Invocation) -> Result<Answer> {
    let files = match (from, to) {
        (Some(from), Some(to)) if invocation.args.has(&FILES) => files(from, to, invocation)?,
        _ => None,
    };
    let facts =
        |image: Option<&Image>| image.map(|image| facts(image).during(image.text())).transpose();
    let differences = match (facts(from)?, facts(to)?) {
        (Some(from), Some(to)) => differences(&from, &to),
        (from, to) => {
            let digest = |facts: Option<Value>| facts.map(|facts| facts["digest"].clone());
            Map::from_iter([("digest".to_owned(), json!({"from": digest(from), "to": digest(to)}))])
        }
    };
    let Some(files) = files else {
        let verdict = if differences.is_empty() { Verdict::Yes } else { Verdict::No };
        return Ok(Answer::value(differences.into()).verdict(verdict));
    };
    let mut text = Value::from(differences).to_string();
    text.pop();
    let between = if text.len() > 1 { "," } else { "" };
    let text = format!("{text}{between}\"files\":{files}}}");
    Ok(Answer::json_text(text).verdict(Verdict::No))
}

/// The files that differ, as JSON text, which takes little memory; `None` if there are none.
fn files(from: &Image, to: &Image, invocation: &Invocation) -> Result<Option<String>> {
    let listed = |list: &mut String, path: FilePath, told: Value| -> Result<()> {
        let line = format!("{}:{told},", json!(path.to_string()));
        from.budget.hold(line.len())?;
        list.push_str(&line);
        Ok(())
    };
    let [mut removed, mut added, mut changed] = [const { String::new() }; 3];
    saving::with_progress(invocation, |progress| {
        // Only the text of what differs stays in memory.
        memory::passing(|| {
            let (from, to) = (Filesystem::of(from, progress)?, Filesystem::of(to, progress)?);
            let was = |entry: &Entry| Value::from(entries::members(entry, from.layers()));
            let is = |entry: &Entry| Value::from(entries::members(entry, to.layers()));
            let room = Room::default();
            let (before, mut after) = (from.tree(&room)?, to.tree(&room)?);
            for (path, old) in before.0 {
                match after.0.remove(&path) {
                    None => listed(&mut removed, path, was(&old))?,
                    Some(new) if is_same(&old, &new) => {}
                    Some(new) => {
                        listed(&mut changed, path, json!({"from": was(&old), "to": is(&new)}))?;
                    }
                }
            }
            after.0.into_iter().try_for_each(|(path, new)| listed(&mut added, path, is(&new)))
        })
    })?;
    let lists = [("removed", removed), ("added", added), ("changed", changed)];
    let are_same = lists.iter().all(|(_, list)| list.is_empty());
    let lists = lists.map(|(name, list)| format!("\"{name}\":{{{}}}", list.trim_end_matches(',')));
    Ok((!are_same).then(|| format!("{{{}}}", lists.join(","))))
}

/// As far as layers tell it: of directories and links, builds often change nothing but the time.
fn is_same(old: &Entry, new: &Entry) -> bool {
    let time = |entry: &Entry| (entry.kind.letter() == '-').then_some(entry.modified);
    let facts = |entry: &Entry| (entry.kind.name(), entry.mode, entry.uid, entry.gid, entry.size);
    facts(old) == facts(new) && old.link == new.link && time(old) == time(new)
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
