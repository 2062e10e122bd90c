//! What a filter may take: memory and time. Neither can be taken back from a filter that runs, so
//! that going beyond ends the process, with a message.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::state;

thread_local! {
    /// What the thread may still allocate; of threads without a limit, more than there is.
    static LEFT: Cell<i64> = const { Cell::new(i64::MAX / 2) };
}

/// How many MiB of memory a filter has.
static MEMORY: AtomicI64 = AtomicI64::new(1 << 10);

/// Lets all filters of this process have so many MiB of memory and no more.
pub(crate) fn allow_memory(mebibytes: i64) {
    MEMORY.store(mebibytes, Ordering::Relaxed);
}

/// From here on this thread has as much memory as a filter may have. A filter's values never leave
/// its thread.
pub(super) fn limit_memory() {
    LEFT.set(MEMORY.load(Ordering::Relaxed) << 20);
}

fn take(size: i64) {
    LEFT.set(LEFT.get() - size);
    if LEFT.get() < 0 {
        used_up();
    }
}

#[cold]
fn used_up() -> ! {
    // The message needs memory too.
    LEFT.set(i64::MAX / 2);
    match MEMORY.load(Ordering::Relaxed) {
        1024 => end("takes more than 1 GiB of memory"),
        mebibytes => end(&format!("takes more than {mebibytes} MiB of memory")),
    }
}

/// The system's allocator, which counts.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on to the system's allocator as it came. The counter is a plain
// thread-local number, which allocates nothing and is never destroyed.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(size as i64 - layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LEFT.set(LEFT.get() + layout.size() as i64);
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(place, layout) }
    }
}

/// Watches that a filter goes on giving results. The time in which they are taken does not count:
/// a pager may wait for its reader.
pub(super) struct Watch {
    timeout: Duration,
    /// How often the filter has handed over a result or got back to work: odd while one is taken.
    steps: AtomicU64,
}

impl Watch {
    pub(super) fn new(timeout: Duration) -> Self {
        Watch { timeout, steps: AtomicU64::new(0) }
    }

    /// Hands over a result.
    pub(super) fn taken<T>(&self, take: impl FnOnce() -> T) -> T {
        self.steps.fetch_add(1, Ordering::Relaxed);
        let taken = take();
        self.steps.fetch_add(1, Ordering::Relaxed);
        taken
    }

    /// Waits until the other end of the channel is dropped.
    pub(super) fn wait(&self, ended: &Receiver<()>) {
        const TIMEOUTS: u64 = 10;
        let (mut seen, mut waited) = (0, 0);
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(self.timeout) {
            let steps = self.steps.load(Ordering::Relaxed);
            let is_working = steps == seen && steps.is_multiple_of(2);
            (seen, waited) = (steps, if is_working { waited + 1 } else { 0 });
            if waited == TIMEOUTS {
                let seconds = self.timeout.as_secs().saturating_mul(TIMEOUTS);
                end(&format!("no result for {seconds} seconds, {TIMEOUTS} times --timeout"));
            }
        }
    }
}

fn end(why: &str) -> ! {
    Error::new(Kind::Local, format!("filter: {why}")).report();
    if let Err(error) = state::finish() {
        error.report();
    }
    std::process::exit(Kind::Local.exit_code().into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_filter_that_gives_results_goes_on() {
        let watch = Watch::new(Duration::from_millis(50));
        let (working, ended) = mpsc::channel();
        thread::scope(|scope| {
            let (watch, _working) = (&watch, working);
            scope.spawn(move || watch.wait(&ended));
            for _ in 0..20 {
                thread::sleep(Duration::from_millis(30));
                watch.taken(|| ());
            }
            // Whoever takes a result may need longer.
            watch.taken(|| thread::sleep(Duration::from_millis(700)));
        });
    }
}
