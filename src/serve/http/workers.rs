//! How many requests are worked on at a time, and how many may wait for that.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::parallel::{AtEnd, Semaphore};

/// How many requests wait before the others are sent away.
const WAITING: usize = 128;

thread_local! {
    /// Whose place the thread has.
    static PLACE: RefCell<Option<Arc<Workers>>> = const { RefCell::new(None) };
}

pub(super) struct Workers {
    places: Semaphore,
    /// Those at work and those that wait for it.
    here: AtomicUsize,
    most: usize,
}

impl Workers {
    pub(super) fn new() -> Arc<Self> {
        let places = (2 * thread::available_parallelism().map_or(1, usize::from)).max(8);
        let (places, most) = (Semaphore::new(places), places + WAITING);
        Arc::new(Workers { places, here: AtomicUsize::new(0), most })
    }

    /// Works when there is a place; `None` if too many wait for one.
    pub(super) fn hold<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> Option<T> {
        let here = self.here.fetch_add(1, Ordering::AcqRel);
        let _here = AtEnd(|| {
            self.here.fetch_sub(1, Ordering::AcqRel);
        });
        (here < self.most).then(|| {
            self.places.hold(|| {
                PLACE.set(Some(Arc::clone(self)));
                let done = work();
                PLACE.set(None);
                done
            })
        })
    }
}

/// Waits for something that is not this machine's work, and lets another request have the place
/// for as long.
pub(in super::super) fn aside<T>(wait: impl FnOnce() -> T) -> T {
    let Some(workers) = PLACE.take() else { return wait() };
    workers.here.fetch_sub(1, Ordering::AcqRel);
    let done = workers.places.free(|| catch_unwind(AssertUnwindSafe(wait)));
    workers.here.fetch_add(1, Ordering::AcqRel);
    PLACE.set(Some(workers));
    done.unwrap_or_else(|fault| resume_unwind(fault))
}
