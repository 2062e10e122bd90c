//! `serve` as a function of AWS Lambda. The runtime's interface is a double, written after AWS's
//! documentation: next event, response, error (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::io::{BufReader, Write};
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::harness::{Image, Registry, Request, Response, Running, Server, Tool};

/// What hands out events and takes answers.
struct Lambda {
    server: Server,
    told: Receiver<(String, Value)>,
}

impl Lambda {
    /// Hands out these events, then makes the function wait.
    fn start(events: impl IntoIterator<Item = Value>) -> Lambda {
        let events: Vec<Value> = events.into_iter().collect();
        let events = Mutex::new(events.into_iter().enumerate());
        let (teller, told) = channel();
        let teller = Mutex::new(teller);
        let server = Server::start(Server::listener(Ipv4Addr::LOCALHOST), move |socket, _| {
            let mut stream = BufReader::new(socket);
            while let Ok(Some(request)) = Request::read(&mut stream, 0) {
                let response = match request.method.as_str() {
                    "POST" => {
                        let body = serde_json::from_slice(&request.body).unwrap();
                        teller.lock().unwrap().send((request.target, body)).unwrap();
                        Response::new(202).json(&json!({ "status": "OK" }))
                    }
                    _ => {
                        assert_eq!(request.target, "/2018-06-01/runtime/invocation/next");
                        let Some((id, event)) = events.lock().unwrap().next() else {
                            continue;
                        };
                        let id = format!("id-{id}");
                        let response = Response::new(200).json(&event);
                        response.header("Lambda-Runtime-Aws-Request-Id", id)
                    }
                };
                let bytes = [response.head(), response.body].concat();
                stream.get_mut().write_all(&bytes).unwrap();
            }
        });
        Lambda { server, told }
    }

    fn run(&self, operands: &[&str]) -> Running {
        let tool = Tool::new().env("AWS_LAMBDA_RUNTIME_API", self.server.host());
        // No proxy is between them.
        let tool = tool.env("HTTP_PROXY", "http://127.0.0.1:1");
        tool.arg("serve").args(operands).spawn()
    }

    /// What the function said of the next event, and where.
    fn told(&self) -> (String, Value) {
        let limit = std::time::Duration::from_secs(60);
        self.told.recv_timeout(limit).expect("an answer")
    }
}

fn invocation(number: usize, what: &str) -> String {
    format!("/2018-06-01/runtime/invocation/id-{number}/{what}")
}

#[test]
fn events_of_both_versions_are_answered() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b").layer("c", b"d");
    image.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let second = |method: &str, path: &str, query: String| {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": "a.lambda-url.us-east-1.on.aws", "accept": "*/*" },
            "requestContext": {
                "stage": "$default",
                "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
            },
            "isBase64Encoded": false,
        })
    };
    let first = json!({
        "version": "1.0",
        "resource": "/{proxy+}",
        "path": "/api/v1/labels",
        "httpMethod": "GET",
        "headers": { "Host": "a.execute-api.us-east-1.amazonaws.com" },
        "multiValueHeaders": { "Host": ["a.execute-api.us-east-1.amazonaws.com"] },
        "queryStringParameters": { "image": name, "arch": "amd64" },
        "multiValueQueryStringParameters": { "image": [name], "arch": ["amd64"] },
        "requestContext": { "stage": "prod", "path": "/prod/api/v1/labels", "httpMethod": "GET", "identity": { "sourceIp": "192.0.2.1" } },
        "body": null,
        "isBase64Encoded": false,
    });
    let lambda = Lambda::start([
        first,
        second("GET", "/api/v1/labels", format!("image={name}&arch=amd64")),
        second("HEAD", "/api/v1/labels", format!("image={name}&arch=amd64")),
        second("POST", "/api/v1/labels", String::new()),
        second("GET", "/healthz", "a=%00".to_owned()),
        json!({ "Records": [] }),
        second("GET", "/healthz", String::new()),
    ]);
    let _function = lambda.run(&[&registry.host()]);
    for number in 0..3 {
        let (target, answer) = lambda.told();
        assert_eq!(target, invocation(number, "response"));
        assert_eq!(answer["statusCode"], 200, "{answer}");
        let body = if number == 2 { "" } else { "{\"a\":\"b\"}\n" };
        assert_eq!(answer["body"], body);
        assert_eq!(answer["headers"]["Content-Type"], "application/json");
        assert!(answer["headers"]["ETag"].is_string(), "{answer}");
        assert_eq!(answer["isBase64Encoded"], false);
    }
    for (number, status) in [(3, 405), (4, 400)] {
        let (target, answer) = lambda.told();
        assert_eq!(target, invocation(number, "response"));
        assert_eq!(answer["statusCode"], status);
    }
    let (target, error) = lambda.told();
    assert_eq!(target, invocation(5, "error"));
    let message = "the event is of no API Gateway and of no function URL";
    assert_eq!(
        error,
        json!({ "errorMessage": message, "errorType": "Usage" })
    );
    assert_eq!(lambda.told().1["body"], "ok\n");
}

#[test]
fn a_function_that_cannot_begin_says_why() {
    let lambda = Lambda::start([]);
    let message = "others reach this function: say what may be asked for";
    lambda.run(&[]).wait().fails(
        2,
        format!(
            "docker-registry: {message}\n\
             hint: name registries and repositories, or allow any image with --any\n"
        ),
    );
    let (target, error) = lambda.told();
    assert_eq!(target, "/2018-06-01/runtime/init/error");
    assert_eq!(error["errorMessage"], message);
}

#[test]
fn without_its_runtime_a_function_ends() {
    let tool = Tool::new().env("AWS_LAMBDA_RUNTIME_API", crate::harness::NOBODY);
    let output = tool.args(["serve", "--any"]).run().status(5);
    let told = output.messages();
    assert!(
        told.starts_with("docker-registry: AWS_LAMBDA_RUNTIME_API 127.0.0.1:1: "),
        "{told}"
    );
}
