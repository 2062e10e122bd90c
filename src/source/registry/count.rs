//! How many requests this process has sent to registries and to those they lead to.

use std::sync::atomic::{AtomicU64, Ordering};

use super::transport::Outcome;

/// What came of them: no answer, then the classes of statuses.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

static SENT: [AtomicU64; CLASSES.len()] = [const { AtomicU64::new(0) }; CLASSES.len()];

pub(super) fn count(outcome: &Outcome) {
    let class = outcome.as_ref().map_or(0, |response| usize::from(response.status / 100));
    if let Some(sent) = SENT.get(class) {
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// By what came of them.
pub(crate) fn requests() -> impl Iterator<Item = (&'static str, u64)> {
    CLASSES.into_iter().zip(SENT.iter().map(|sent| sent.load(Ordering::Relaxed)))
}
