//! What was answered, counted for Prometheus (its text format 0.0.4) and told on standard error.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;

use jiff::Timestamp;

use super::http::{Exchange, Request, Response};
use crate::context;
use crate::error::say;
use crate::parallel::lock;
use crate::source;

/// Up to how many seconds a request of each bucket took.
const BUCKETS: [f64; 7] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0];

/// The route of whatever is none of ours: labels must not be what clients make up.
const OTHER: &str = "other";

pub(super) struct Metrics {
    /// In order.
    routes: Vec<String>,
    is_verbose: bool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// By the number of the route, or none, and status.
    requests: BTreeMap<(Option<usize>, u16), u64>,
    /// What is in none took longer than all buckets allow.
    buckets: [u64; BUCKETS.len()],
    seconds: f64,
}

impl Metrics {
    pub(super) fn new(routes: impl IntoIterator<Item = String>, is_verbose: bool) -> Self {
        let mut routes: Vec<String> = routes.into_iter().collect();
        routes.sort();
        Metrics { routes, is_verbose, counts: Mutex::default() }
    }

    /// A response was sent.
    pub(super) fn count(&self, exchange: &Exchange) {
        let route = exchange.request.and_then(|it| self.routes.binary_search(&it.path).ok());
        let seconds = exchange.took.as_secs_f64();
        let mut counts = lock(&self.counts);
        *counts.requests.entry((route, exchange.status)).or_default() += 1;
        counts.seconds += seconds;
        if let Some(bucket) = BUCKETS.iter().position(|most| seconds <= *most) {
            counts.buckets[bucket] += 1;
        }
        drop(counts);
        if self.is_verbose {
            say(&line(exchange, context::now()));
        }
    }

    /// `asked` and `answered` are of questions.
    pub(super) fn response(&self, (asked, answered): (u64, u64)) -> Response {
        let mut response = Response::text(200, self.text(asked, answered).trim_end());
        response.headers[0].1 = "text/plain; version=0.0.4; charset=utf-8".to_owned();
        response
    }

    fn text(&self, asked: u64, answered: u64) -> String {
        let counts = lock(&self.counts);
        let mut page = Page(String::new());
        page.family("requests_total", "counter", "Requests answered.");
        for ((route, status), count) in &counts.requests {
            let route = route.map_or(OTHER, |number| &self.routes[number]);
            page.sample(
                "requests_total",
                &[("route", route), ("status", &status.to_string())],
                count,
            );
        }
        let seconds = "request_duration_seconds";
        page.family(
            seconds,
            "histogram",
            "How long requests took, from their last byte to that of the answer.",
        );
        let (bucket, mut sum) = (format!("{seconds}_bucket"), 0);
        for (most, count) in BUCKETS.iter().zip(counts.buckets) {
            sum += count;
            page.sample(&bucket, &[("le", &most.to_string())], sum);
        }
        let all: u64 = counts.requests.values().sum();
        page.sample(&bucket, &[("le", "+Inf")], all);
        page.sample(&format!("{seconds}_sum"), &[], counts.seconds);
        page.sample(&format!("{seconds}_count"), &[], all);
        page.family("answers_total", "counter", "Answers to questions, by where they came from.");
        for (from, count) in [("kept", answered.saturating_sub(asked)), ("source", asked)] {
            page.sample("answers_total", &[("from", from)], count);
        }
        page.family(
            "registry_requests_total",
            "counter",
            "Requests sent to registries, by the class of their status.",
        );
        for (class, count) in source::requests() {
            page.sample("registry_requests_total", &[("status", class)], count);
        }
        page.0
    }
}

/// The text format: families, each followed by its samples.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(
            self.0,
            "# HELP docker_registry_{name} {help}\n# TYPE docker_registry_{name} {kind}\n"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels = labels.collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(self.0, "docker_registry_{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `TIME CLIENT METHOD TARGET STATUS BYTES MILLISECONDS`, decoded so that users and passwords of URLs
/// are recognized and left out.
fn line(exchange: &Exchange, now: u64) -> String {
    let time = i64::try_from(now).ok().and_then(|now| Timestamp::from_second(now).ok());
    let time = time.unwrap_or_default();
    let client = exchange.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    let request = exchange.request.map_or_else(|| "- -".to_owned(), target);
    let sent = exchange.sent.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let (status, took) = (exchange.status, exchange.took.as_millis());
    format!("{time} {client} {request} {status} {sent} {took} ms")
}

fn target(request: &Request) -> String {
    let method = if request.is_head { "HEAD" } else { "GET" };
    let pairs = request.query.iter().map(|(name, value)| format!("{name}={value}"));
    let pairs = pairs.collect::<Vec<_>>().join("&");
    let mark = if pairs.is_empty() { "" } else { "?" };
    // A line has as many words for whatever was asked.
    let target = format!("{}{mark}{pairs}", request.path).replace(char::is_whitespace, "+");
    format!("{method} {target}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(path: &str, query: &[(&str, &str)]) -> Request {
        let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Request {
            is_head: false,
            path: path.to_owned(),
            query: query.collect(),
            headers: Vec::new(),
        }
    }

    fn exchange<'a>(request: &'a Request, status: u16, millis: u64) -> Exchange<'a> {
        Exchange {
            client: Some([127, 0, 0, 1].into()),
            request: Some(request),
            status,
            sent: Some(12),
            took: Duration::from_millis(millis),
        }
    }

    #[test]
    fn what_clients_make_up_is_no_label() {
        let metrics = Metrics::new(["/b\"\n".to_owned(), "/a".to_owned()], false);
        for (path, status, millis) in [
            ("/a", 200, 1),
            ("/a", 200, 30),
            ("/a", 404, 1),
            ("/b\"\n", 200, 3),
            ("/c", 404, 20_000),
        ] {
            metrics.count(&exchange(&request(path, &[]), status, millis));
        }
        let text = metrics.text(2, 5);
        for line in [
            r#"docker_registry_requests_total{route="/a",status="200"} 2"#,
            r#"docker_registry_requests_total{route="/b\"\n",status="200"} 1"#,
            r#"docker_registry_requests_total{route="other",status="404"} 1"#,
            r#"docker_registry_request_duration_seconds_bucket{le="0.001"} 2"#,
            r#"docker_registry_request_duration_seconds_bucket{le="10"} 4"#,
            r#"docker_registry_request_duration_seconds_bucket{le="+Inf"} 5"#,
            "docker_registry_request_duration_seconds_sum 20.035",
            "docker_registry_request_duration_seconds_count 5",
            r#"docker_registry_answers_total{from="kept"} 3"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_line_has_as_many_words_for_whatever_was_asked() {
        let asked = request("/image", &[("image", "https://u:p@a/b c\u{1b}"), ("jq", ".a\n.b")]);
        assert_eq!(
            line(&exchange(&asked, 200, 7), 1_800_000_000),
            "2027-01-15T08:00:00Z 127.0.0.1 GET /image?image=https://u:p@a/b+c\u{1b}&jq=.a+.b 200 12 7 ms"
        );
        let refused =
            Exchange { request: None, client: None, sent: None, ..exchange(&asked, 400, 0) };
        assert_eq!(line(&refused, 0), "1970-01-01T00:00:00Z - - - 400 - 0 ms");
    }
}
