//! The same answers as a function of AWS Lambda, behind an API Gateway or at a function's URL: by the
//! interface for runtimes of one's own (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::io::Read;
use std::net::IpAddr;
use std::slice;
use std::time::Instant;

use serde_json::{Map, Value, json};
use ureq::Agent;

use super::http::{self, Body, Exchange, Refusal, Request, Response, Service};
use crate::encoding;
use crate::error::{Error, Kind, Result};
use crate::json;

/// What Lambda takes of an answer, with its frame.
const LIMIT: usize = 6 << 20;

/// Whoever hands out events and takes answers: `HOST:PORT` from the environment.
pub(super) struct Runtime {
    agent: Agent,
    address: String,
}

impl Runtime {
    pub(super) fn new(address: String) -> Self {
        // It stands beside this process, which Lambda may halt while it waits: neither is there a
        // proxy between, nor is any time too long.
        let config = Agent::config_builder().proxy(None).http_status_as_error(false);
        Runtime { agent: config.max_redirects(0).build().into(), address }
    }

    /// Answers one event after another. Ends only by an error: Lambda ends the process when it wants.
    pub(super) fn run(&self, service: &Service) -> Result<u8> {
        loop {
            let (id, event) = self.next()?;
            match answered(service, &event) {
                Ok(answer) => self.tell(&format!("invocation/{id}/response"), answer)?,
                Err(error) => self.fail(&format!("invocation/{id}/error"), &error)?,
            }
        }
    }

    /// Says why there will be no answers at all.
    pub(super) fn refuse(&self, why: &Error) {
        // Where that fails too, the process ends with the first reason.
        let _ = self.fail("init/error", why);
    }

    fn next(&self) -> Result<(String, Value)> {
        let response = self.agent.get(self.url("invocation/next")).call();
        let mut response = response.map_err(|error| self.fault(&error))?;
        let event = response.body_mut().with_config().limit(2 * LIMIT as u64).read_to_vec();
        let event = event.map_err(|error| self.fault(&error))?;
        let id = response.headers().get("lambda-runtime-aws-request-id");
        let id = id.and_then(|id| id.to_str().ok()).filter(|_| response.status() == 200);
        let Some(id) = id else {
            let status = response.status().as_u16();
            return Err(self.fault(&format_args!("no event, but status {status}")));
        };
        Ok((id.to_owned(), json::parse(&event)?))
    }

    fn fail(&self, path: &str, error: &Error) -> Result<()> {
        let kind = format!("{:?}", error.kind());
        let what = json!({ "errorMessage": error.to_string(), "errorType": kind });
        self.tell(path, what.to_string())
    }

    fn tell(&self, path: &str, what: String) -> Result<()> {
        let request = self.agent.post(self.url(path)).header("Content-Type", "application/json");
        let response = request.send(what);
        let status = response.map_err(|error| self.fault(&error))?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(self.fault(&format_args!("status {} for {path}", status.as_u16()))),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/2018-06-01/runtime/{path}", self.address)
    }

    fn fault(&self, why: &dyn std::fmt::Display) -> Error {
        Error::new(Kind::Unavailable, format!("AWS_LAMBDA_RUNTIME_API {}: {why}", self.address))
    }
}

/// What is answered to an event, as both versions of the payload want it.
fn answered(service: &Service, event: &Value) -> Result<String> {
    let Some(method) = method(event) else {
        return Err(Error::usage("the event is of no API Gateway and of no function URL"));
    };
    let begun = Instant::now();
    let request = request(event, method);
    let response = service.answer(request.as_ref().map_err(|refusal| *refusal));
    let (status, is_head) = (response.status, method == "HEAD");
    let (answer, sent) = framed(response, is_head).unwrap_or_else(|why| {
        let (answer, _) = framed(Response::text(502, why), is_head).expect("a short text");
        (answer, 0)
    });
    service.told(&Exchange {
        client: client(event),
        request: request.as_ref().ok(),
        status,
        sent: Some(sent),
        took: begun.elapsed(),
    });
    Ok(answer)
}

/// Payloads of version 2 have it in another place than those of version 1.
fn method(event: &Value) -> Option<&str> {
    event["requestContext"]["http"]["method"].as_str().or(event["httpMethod"].as_str())
}

fn client(event: &Value) -> Option<IpAddr> {
    let context = &event["requestContext"];
    let client = context["http"]["sourceIp"].as_str();
    client.or(context["identity"]["sourceIp"].as_str())?.parse().ok()
}

fn request(event: &Value, method: &str) -> Result<Request, Refusal> {
    let context = &event["requestContext"];
    let is_head = http::is_head(method)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (path, query) = match event["rawPath"].as_str() {
        Some(path) => (path, http::parameters(&text(&event["rawQueryString"]))),
        None => {
            let all =
                pairs(&event["multiValueQueryStringParameters"], &event["queryStringParameters"]);
            (event["path"].as_str().unwrap_or_default(), http::checked(all))
        }
    };
    // A stage is a prefix for clients; whether it is in the path is for each kind of gateway another.
    let stage =
        context["stage"].as_str().filter(|_| context["path"].as_str().is_none_or(|it| it == path));
    let below = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    let path = below.filter(|path| path.starts_with('/')).unwrap_or(path);
    let headers = pairs(&event["multiValueHeaders"], &event["headers"]);
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    Ok(Request { is_head, path: http::path(path)?, query: query?, headers: headers.collect() })
}

/// The names and values of an object whose values are lists, or of the plainer one.
fn pairs<'a>(
    lists: &'a Value,
    plain: &'a Value,
) -> impl Iterator<Item = (String, String)> + use<'a> {
    let object = lists.as_object().or(plain.as_object());
    object.into_iter().flatten().flat_map(|(name, value)| {
        let values = value.as_array().map_or(slice::from_ref(value), Vec::as_slice);
        values.iter().filter_map(|value| Some((name.clone(), value.as_str()?.to_owned())))
    })
}

/// The answer as Lambda takes it, and the size of its body.
fn framed(response: Response, is_head: bool) -> Result<(String, u64), &'static str> {
    let mut bytes = Vec::new();
    match response.body {
        _ if is_head => {}
        Body::Bytes(body) => bytes.extend_from_slice(&body),
        Body::Stream(reader) => {
            let read = reader.take(LIMIT as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|_| "the answer could not be read to its end")?;
        }
    }
    let sent = bytes.len() as u64;
    let mut headers = Map::new();
    for (name, value) in response.headers {
        headers.insert(name.to_owned(), value.into());
    }
    let (body, is_binary) = match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (encoding::encode(error.as_bytes()), true),
    };
    let answer = json!({
        "statusCode": response.status,
        "headers": headers,
        "body": body,
        "isBase64Encoded": is_binary,
    });
    let answer = answer.to_string();
    match answer.len() > LIMIT {
        true => Err("the answer is longer than AWS Lambda takes"),
        false => Ok((answer, sent)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a handler is asked, and what Lambda is told then.
    fn asked(event: &Value) -> (Vec<String>, Value) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = Arc::clone(&told);
        let service = Service::new(
            move |request| {
                let Request { is_head, path, query, headers } = request;
                let asked = format!("{is_head} {path} {query:?} {headers:?}");
                teller.lock().unwrap().push(asked);
                Response::text(200, path)
            },
            |_| {},
        );
        let answer = answered(&service, event).unwrap();
        (told.lock().unwrap().split_off(0), serde_json::from_str(&answer).unwrap())
    }

    #[test]
    fn both_versions_of_an_event_ask_the_same() {
        let query = json!({ "image": ["a:v1"], "layer": ["1", "2 3"] });
        for event in [
            json!({
                "version": "2.0",
                "rawPath": "/prod/api/v1/labels",
                "rawQueryString": "image=a%3Av1&layer=1&layer=2+3",
                "queryStringParameters": { "image": "a:v1", "layer": "1,2 3" },
                "headers": { "Host": "a" },
                "requestContext": {
                    "stage": "prod",
                    "http": { "method": "GET", "path": "/prod/api/v1/labels", "sourceIp": "192.0.2.1" },
                },
            }),
            // Of a REST API, whose path is without the stage.
            json!({
                "version": "1.0",
                "httpMethod": "GET",
                "path": "/api/v1/labels",
                "multiValueQueryStringParameters": query,
                "queryStringParameters": { "image": "a:v1", "layer": "2 3" },
                "multiValueHeaders": { "Host": ["a"] },
                "headers": { "Host": "a" },
                "requestContext": { "stage": "api", "path": "/api/api/v1/labels" },
            }),
        ] {
            let expected = r#"false /api/v1/labels [("image", "a:v1"), ("layer", "1"), ("layer", "2 3")] [("host", "a")]"#;
            let (asked, answer) = asked(&event);
            assert_eq!(asked, [expected]);
            assert_eq!(answer["statusCode"], 200);
            assert_eq!(answer["body"], "/api/v1/labels\n");
            assert_eq!(answer["isBase64Encoded"], false);
            assert_eq!(answer["headers"]["Content-Type"], "text/plain; charset=utf-8");
        }
    }

    #[test]
    fn what_a_gateway_lets_pass_is_checked_too() {
        let event = |method: &str, query: &str| {
            json!({
                "rawPath": "/", "rawQueryString": query, "requestContext": { "http": { "method": method } },
            })
        };
        for (method, query, status) in
            [("POST", "", 405), ("BREW", "", 501), ("GET", "a=%ff", 400), ("GET", "a=%00", 400)]
        {
            let (asked, answer) = asked(&event(method, query));
            assert!(asked.is_empty());
            assert_eq!(answer["statusCode"], status, "{method} {query}");
        }
        let (asked, answer) = asked(&event("HEAD", ""));
        assert_eq!((asked.len(), &answer["body"]), (1, &json!("")));
        let service = Service::new(|_| Response::text(200, ""), |_| {});
        for event in [json!({ "Records": [] }), json!(null)] {
            assert!(answered(&service, &event).is_err(), "{event}");
        }
    }

    #[test]
    fn what_is_no_text_goes_as_base64() {
        let stream = |bytes: Vec<u8>| Response {
            status: 200,
            headers: Vec::new(),
            body: Body::Stream(Box::new(Cursor::new(bytes))),
        };
        let (answer, sent) = framed(stream(vec![0xfb, 0xff]), false).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("+/8="), &json!(true)));
        assert_eq!(sent, 2);
        assert!(framed(stream(vec![b'a'; LIMIT]), false).is_err());
    }
}
