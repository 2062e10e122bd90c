//! Filters run on a thread of their own, whose stack is large, watched and fenced: recursion
//! without end is an error, and what slips through ends the process with a message.

use std::cell::Cell;
use std::io;
use std::sync::mpsc;
use std::thread;

use super::limits::{Watch, limit_memory};

/// Sizes to try, as the system grants them; memory is only used as far as the stack grows.
#[cfg(target_pointer_width = "64")]
const SIZES: [usize; 4] = [1 << 30, 256 << 20, 64 << 20, 8 << 20];
#[cfg(not(target_pointer_width = "64"))]
const SIZES: [usize; 3] = [256 << 20, 64 << 20, 8 << 20];

/// What the definitions of a filter may use by calling themselves; the rest is kept for walking
/// and freeing deep values.
const RECURSION: usize = 128 << 20;

thread_local! {
    /// Addresses between which the stack of this thread lies, zero on other threads.
    static TOP: Cell<usize> = const { Cell::new(0) };
    static BOTTOM: Cell<usize> = const { Cell::new(0) };
    /// The process's exit code if the stack ends all the same.
    static CODE: Cell<i32> = const { Cell::new(1) };
}

/// Does the work on a new thread of limited memory and waits for it.
pub(super) fn large<T: Send>(
    code: i32,
    watch: &Watch,
    work: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    net::spread();
    one_heap();
    let mut work = Some(work);
    let mut refused = io::Error::other("no thread");
    for size in SIZES {
        let work = &mut work;
        let (working, ended) = mpsc::channel();
        let run = move || {
            let _working: mpsc::Sender<()> = working;
            let here = 0u8;
            let top = &raw const here as usize;
            TOP.set(top);
            BOTTOM.set(top.saturating_sub(size));
            CODE.set(code);
            limit_memory();
            work.take().map(|work| work())
        };
        let thread = thread::Builder::new().name("filter".into()).stack_size(size);
        let done = thread::scope(|scope| {
            let handle = thread.spawn_scoped(scope, run)?;
            watch.wait(&ended);
            Ok(handle.join())
        });
        match done {
            Ok(Ok(Some(result))) => return Ok(result),
            Ok(Ok(None)) => break,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Lets new threads use the heap of the main thread. The heap that glibc makes for a thread grows
/// and shrinks by a page at a time, which costs a filter over 50 MB a third of its time.
fn one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call changes a number within the allocator, under its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Whether the calls have used what they may of the stack.
pub(super) fn is_deep() -> bool {
    let here = 0u8;
    let (top, bottom) = (TOP.get(), BOTTOM.get());
    top.saturating_sub(&raw const here as usize) > RECURSION.min((top - bottom) / 2)
}

/// The system's signal at the end of a stack, turned into a message and an exit code. Without it
/// the standard library aborts the process.
#[cfg(unix)]
mod net {
    use std::mem::MaybeUninit;
    use std::sync::OnceLock;

    use super::{BOTTOM, CODE};

    /// How far from the computed end of the stack the forbidden page may lie.
    const ABOUT: usize = 1 << 20;

    const MESSAGE: &[u8] = b"docker-registry: filter: nested or recursing without end\n";

    struct Former(libc::sigaction);

    static SEGV: OnceLock<Former> = OnceLock::new();
    static BUS: OnceLock<Former> = OnceLock::new();

    pub(super) fn spread() {
        SEGV.get_or_init(|| catch(libc::SIGSEGV));
        BUS.get_or_init(|| catch(libc::SIGBUS));
    }

    fn catch(signal: libc::c_int) -> Former {
        let mut former = MaybeUninit::zeroed();
        // SAFETY: both structures are valid; all-zero is a valid sigaction. The handler runs on
        // the alternate stack that the standard library gives every thread.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(signal, &action, former.as_mut_ptr());
            Former(former.assume_init())
        }
    }

    /// Calls only what is safe in a signal handler.
    extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid siginfo_t.
        let address = unsafe { (*info).si_addr() } as usize;
        let bottom = BOTTOM.get();
        if bottom != 0 && address.abs_diff(bottom) < ABOUT {
            // SAFETY: the buffer is static, and both calls are safe in a signal handler.
            unsafe {
                libc::write(2, MESSAGE.as_ptr().cast(), MESSAGE.len());
                libc::_exit(CODE.get());
            }
        }
        let former = if signal == libc::SIGBUS { &BUS } else { &SEGV };
        if let Some(Former(former)) = former.get() {
            // SAFETY: `former` is what the system gave us. The fault repeats and is theirs then.
            unsafe { libc::sigaction(signal, former, std::ptr::null_mut()) };
        }
    }
}

#[cfg(not(unix))]
mod net {
    /// Elsewhere the system's own message has to do.
    pub(super) fn spread() {}
}
