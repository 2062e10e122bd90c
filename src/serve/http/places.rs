//! How many requests are worked on at a time.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use crate::parallel::Semaphore;

thread_local! {
    /// Where the thread has a place.
    static PLACE: RefCell<Option<Arc<Semaphore>>> = const { RefCell::new(None) };
}

/// As many as the machine can work on, and some that wait for its disk.
pub(super) fn places() -> Arc<Semaphore> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((2 * cores).max(8)))
}

/// Works when there is a place.
pub(super) fn hold<T>(places: &Arc<Semaphore>, work: impl FnOnce() -> T) -> T {
    places.hold(|| {
        PLACE.set(Some(Arc::clone(places)));
        let done = work();
        PLACE.set(None);
        done
    })
}

/// Waits for something that is not this machine's work, and lets another request have the place
/// for as long.
pub(in super::super) fn aside<T>(wait: impl FnOnce() -> T) -> T {
    let Some(places) = PLACE.take() else { return wait() };
    let done = places.free(|| catch_unwind(AssertUnwindSafe(wait)));
    PLACE.set(Some(places));
    done.unwrap_or_else(|fault| resume_unwind(fault))
}
