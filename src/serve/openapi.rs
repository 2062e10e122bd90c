//! `/api/openapi.json`: the interface as OpenAPI 3.1 describes it, from the table of commands.

use serde_json::{Map, Value as Json, json};

use crate::cli::{Cli, Flag, Operand, Spec, Value};
use crate::context::PARAMETERS;

const DESCRIPTION: &str = "What the command line of docker-registry answers, of images in the \
    registries that this server was told to serve. An answer is JSON on one line, or with `raw` what \
    the command prints then, a document byte for byte; with `jq` it is a line for each result.";

pub(super) fn document(cli: &Cli) -> Json {
    let mut paths = Map::new();
    for (title, specs) in &cli.commands {
        for spec in specs.iter().filter(|spec| spec.operand.is_only_read()) {
            paths.insert(format!("/api/v1/{}", spec.name), json!({"get": operation(title, spec)}));
        }
    }
    paths.insert("/mquery".to_owned(), mquery());
    let shared = PARAMETERS.iter().map(|flag| (flag.name.to_owned(), parameter(flag)));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": cli.name,
            "version": cli.version,
            "summary": cli.summary,
            "description": DESCRIPTION,
        },
        "paths": paths,
        "components": {
            "parameters": shared.collect::<Map<_, _>>(),
            "headers": {
                "ETag": header("The digest of the document, or of the manifest that decides the answer, or one of the answer"),
                "Docker-Registry-Verdict": header("`no` where the command exits with 8, `corrupt` where it exits with 6"),
                "Retry-After": header("Seconds"),
            },
            "responses": failures().map(|(name, _, description)| (name.to_owned(), failure(description))).collect::<Map<_, _>>(),
            "schemas": {"Error": error()},
        },
    })
}

fn operation(title: &str, spec: &Spec) -> Json {
    let own = spec.parameters(PARAMETERS).filter(|flag| spec.has(flag)).map(parameter);
    let shared = PARAMETERS.iter().map(|flag| reference("parameters", flag.name));
    let parameters = operands(spec.operand).into_iter().chain(own).chain(shared);
    json!({
        "operationId": spec.name,
        "tags": [title],
        "summary": spec.help,
        "description": spec.about,
        "parameters": parameters.collect::<Json>(),
        "responses": responses(json!({
            "application/json": {"schema": {}},
            "application/jsonl": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
            "application/octet-stream": {},
        })),
    })
}

fn mquery() -> Json {
    json!({"get": {
        "operationId": "mquery",
        "summary": "What mquery's backend answers",
        "parameters": operands(Operand::Image),
        "responses": responses(json!({"application/json": {"schema": {"type": "object"}}})),
    }})
}

/// The operands; of those with one name, an array.
fn operands(operand: Operand) -> Vec<Json> {
    let mut parameters: Vec<Json> = Vec::new();
    for (name, is_needed) in operand.parameters() {
        let description = match *name {
            "image" => "`[HOST[:PORT]/]NAME[:TAG][@DIGEST]`",
            "path" => "A path in the image",
            "registry" => "`HOST[:PORT]`",
            _ => "`[HOST[:PORT]/]NAME`",
        };
        let schema = match parameters.pop_if(|last| last["name"] == *name) {
            Some(_) => {
                json!({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2})
            }
            None => json!({"type": "string"}),
        };
        parameters.push(json!({
            "name": name, "in": "query", "required": is_needed, "description": description, "schema": schema,
        }));
    }
    parameters
}

fn parameter(flag: &'static Flag) -> Json {
    let about = if flag.about.is_empty() { "" } else { "\n\n" };
    let schema = match flag.value {
        Value::None | Value::Count => json!({"type": "boolean"}),
        Value::Number => json!({"type": "integer", "minimum": 0}),
        Value::Seconds | Value::Duration => {
            json!({"type": "string", "pattern": "^([0-9]+|([0-9]+(d|h|ms|m|s))+)$"})
        }
        Value::Choice(words) => json!({"type": "string", "enum": words}),
        Value::Suggested(_, words) => {
            json!({"type": "string", "examples": words.split(' ').collect::<Vec<_>>()})
        }
        // Each value is a parameter of its own.
        Value::Pair(..) => {
            let names = format!("^{}\\..+$", flag.name);
            json!({"type": "object", "patternProperties": {names: {"type": "string"}}, "additionalProperties": false})
        }
        _ if flag.is_repeated => json!({"type": "array", "items": {"type": "string"}}),
        _ => json!({"type": "string"}),
    };
    json!({
        "name": flag.name,
        "in": "query",
        "description": format!("{}{about}{}", flag.help, flag.about),
        "schema": schema,
    })
}

/// Names, statuses and what they mean.
fn failures() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    [
        ("Usage", "400", "Parameters, reference or filter are wrong"),
        ("Denied", "403", "It is not served here, or the registry refuses it"),
        ("NotFound", "404", "There is no such repository, tag, platform, file or question"),
        ("Filter", "422", "The filter fails, or takes more than 5 seconds or 256 MiB"),
        ("RateLimited", "429", "The registry wants to be asked later"),
        ("Corrupt", "502", "What the registry answers is corrupt or breaks the protocol"),
        ("Busy", "503", "Too many ask"),
        ("Unavailable", "504", "The registry cannot be reached, or gives no answer in time"),
    ]
    .into_iter()
}

fn responses(content: Json) -> Json {
    let headers = ["ETag", "Docker-Registry-Verdict"]
        .map(|name| (name.to_owned(), reference("headers", name)));
    let mut responses = json!({
        "200": {
            "description": "The answer",
            "headers": headers.into_iter().collect::<Map<_, _>>(),
            "content": content,
        },
        "304": {"description": "The answer is that of `If-None-Match`"},
    });
    for (name, status, _) in failures() {
        responses[status] = reference("responses", name);
    }
    responses
}

fn failure(description: &str) -> Json {
    json!({
        "description": description,
        "headers": {"Retry-After": reference("headers", "Retry-After")},
        "content": {"application/json": {"schema": reference("schemas", "Error")}},
    })
}

fn error() -> Json {
    json!({
        "type": "object",
        "required": ["error", "code"],
        "properties": {
            "error": {"type": "string"},
            "excerpt": {"type": "array", "items": {"type": "string"}, "description": "Lines that the message is about"},
            "hint": {"type": "string", "description": "A next step"},
            "code": {"type": "integer", "description": "The command's exit code"},
            "others": {"type": "array", "items": {"type": "string"}, "description": "What else is missing from the answer"},
            "answer": {"description": "What there is of an answer that is not whole"},
        },
    })
}

fn header(description: &str) -> Json {
    json!({"description": description, "schema": {"type": "string"}})
}

fn reference(kind: &str, name: &str) -> Json {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn every_command_that_only_reads_is_described_and_no_other() {
        let cli = table();
        let document = document(&cli);
        let reading =
            ["tags", "labels", "cat", "diff", "catalog", "ratelimit", "base", "verifytool"];
        let others =
            ["push", "delete", "downloadlayer", "testregistry", "generate", "serve", "help"];
        for spec in cli.specs() {
            let operation = &document["paths"][format!("/api/v1/{}", spec.name)]["get"];
            assert_eq!(operation.is_object(), spec.operand.is_only_read(), "{}", spec.name);
            assert!(!(reading.contains(&spec.name) && operation.is_null()), "{}", spec.name);
            assert!(!(others.contains(&spec.name) && operation.is_object()), "{}", spec.name);
            if operation.is_null() {
                continue;
            }
            let parameters = operation["parameters"].as_array().unwrap();
            let has = |name: &str| {
                let reference = format!("#/components/parameters/{name}");
                parameters.iter().any(|it| it["name"] == *name || it["$ref"] == *reference)
            };
            for (name, _) in spec.operand.parameters() {
                assert!(has(name), "{}: {name}", spec.name);
            }
            for flag in spec.flags.iter().chain(PARAMETERS) {
                let is_elsewhere = matches!(
                    flag.value,
                    Value::Path | Value::Directory | Value::Images | Value::Secret(_)
                );
                let is_local = is_elsewhere || ["force", "no-progress"].contains(&flag.name);
                assert_eq!(has(flag.name), !is_local, "{}: {}", spec.name, flag.name);
            }
            for name in ["user", "output", "state", "cacert", "mirror", "insecure", "max-age"] {
                assert!(!has(name), "{}: {name}", spec.name);
            }
        }
    }
}
