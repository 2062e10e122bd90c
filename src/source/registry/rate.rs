//! How many requests a registry still allows, as it says in the header of an answer.

use std::time::SystemTime;

use super::message::Response;

/// A number of seconds above this is a point in time.
const EPOCH: u64 = 1_000_000_000;

/// Everything is `None` where the registry says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) limit: Option<u64>,
    pub(crate) remaining: Option<u64>,
    /// In how many seconds that many requests are allowed.
    pub(crate) window: Option<u64>,
    /// Whom the registry counts: an address or an account.
    pub(crate) source: Option<String>,
    /// In how many seconds the count begins anew.
    pub(crate) reset: Option<u64>,
}

impl Rate {
    /// Out of `RateLimit-*` (Docker Hub, GitLab; draft-ietf-httpapi-ratelimit-headers-05) or
    /// `X-RateLimit-*`. `now` is our clock, for registries that name a point in time.
    pub(super) fn read(response: &Response, now: SystemTime) -> Rate {
        let said = |name: &str| {
            let names = [format!("ratelimit-{name}"), format!("x-ratelimit-{name}")];
            names.iter().find_map(|name| response.header(name).map(quantity)).unwrap_or_default()
        };
        let [(limit, window), (remaining, other), (reset, _)] =
            ["limit", "remaining", "reset"].map(said);
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Rate {
            limit,
            remaining,
            window: window.or(other),
            source: response.header("docker-ratelimit-source").map(str::to_owned),
            // GitLab and GitHub name the second since 1970.
            reset: reset.map(|it| if it > EPOCH { it.saturating_sub(now) } else { it }),
        }
    }

    /// Whether less than a tenth is left.
    pub(super) fn is_scarce(&self) -> bool {
        let left = self.limit.zip(self.remaining);
        left.is_some_and(|(limit, remaining)| remaining.saturating_mul(10) < limit)
    }
}

/// A number and the window behind it: `100;w=21600`. Of several, `100, 100;w=21600`, the first number
/// and the first window.
fn quantity(text: &str) -> (Option<u64>, Option<u64>) {
    let number = text.split([',', ';']).next().unwrap_or_default().trim();
    let mut parameters = text.split([',', ';']).map(str::trim);
    let window = parameters.find_map(|parameter| parameter.strip_prefix("w="));
    (number.parse().ok(), window.and_then(|seconds| seconds.parse().ok()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::message::Body;
    use super::*;

    fn read(headers: &[(&str, &str)]) -> Rate {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let response = Response {
            url: "https://example.com/v2/".parse().unwrap(),
            status: 200,
            headers: headers.iter().map(owned).collect(),
            body: Body::Whole(Vec::new()),
        };
        Rate::read(&response, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
    }

    #[test]
    fn what_registries_say_is_read() {
        let hub = read(&[
            ("ratelimit-limit", "100;w=21600"),
            ("ratelimit-remaining", "9;w=21600"),
            ("docker-ratelimit-source", "192.0.2.1"),
        ]);
        assert_eq!((hub.limit, hub.remaining, hub.window), (Some(100), Some(9), Some(21600)));
        assert_eq!((hub.source.as_deref(), hub.reset), (Some("192.0.2.1"), None));
        assert!(hub.is_scarce());
        let draft = read(&[
            ("ratelimit-limit", "10, 10;w=1;comment=\"x\", 50;w=60"),
            ("ratelimit-remaining", "5"),
            ("ratelimit-reset", "30"),
        ]);
        assert_eq!((draft.limit, draft.window, draft.reset), (Some(10), Some(1), Some(30)));
        assert!(!draft.is_scarce());
        let github = read(&[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "499"),
            ("x-ratelimit-reset", "1700000060"),
        ]);
        assert_eq!((github.reset, github.is_scarce()), (Some(60), true));
        assert_eq!(read(&[("ratelimit-limit", "many")]), Rate::default());
    }
}
