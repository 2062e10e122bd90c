//! Filters run on a thread of their own, whose stack is large and watched: recursion without end
//! is an error.

use std::cell::Cell;
use std::io;
use std::sync::mpsc;
use std::thread;

use super::limits::{Watch, limit_memory};

/// Sizes to try, as the system grants them; memory is only used as far as the stack grows.
const SIZES: [usize; 4] = [1 << 30, 256 << 20, 64 << 20, 8 << 20];

/// What the definitions of a filter may use by calling themselves; the rest is kept for walking
/// and freeing deep values.
const RECURSION: usize = 128 << 20;

thread_local! {
    /// The address at which calls are too deep.
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
}

/// Does the work on a new thread of limited memory and waits for it.
pub(super) fn large<T: Send>(watch: &Watch, work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let mut work = Some(work);
    let mut refused = io::Error::other("no thread");
    for size in SIZES {
        let work = &mut work;
        let (working, ended) = mpsc::channel::<()>();
        let run = move || {
            let _working = working;
            DEEPEST.set(here().saturating_sub(RECURSION.min(size / 2)));
            limit_memory();
            work.take().expect("only one thread starts")()
        };
        let thread = thread::Builder::new().name("filter".into()).stack_size(size);
        let done = thread::scope(|scope| {
            let handle = thread.spawn_scoped(scope, run)?;
            watch.wait(&ended);
            io::Result::Ok(handle.join())
        });
        match done {
            Ok(done) => return Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Whether the calls have used what they may of the stack.
pub(super) fn is_deep() -> bool {
    here() < DEEPEST.get()
}

/// Where the stack of this thread has grown to.
fn here() -> usize {
    let here = 0u8;
    &raw const here as usize
}
