//! Parallel work with results in order, on a limited number of threads for the whole program.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Scope};

use crate::error::Result;
use crate::memory;

/// How many results may wait for a slower one before them, per worker.
const AHEAD: usize = 16;

/// How many bytes these may have together before no further work is started.
const WEIGHT: usize = 16 << 20;

/// The workers of the whole program, `--jobs` of them however work is nested. The calling thread is
/// one of them, so work is done even if no other worker is free.
pub(crate) struct Pool {
    jobs: usize,
    /// How many more workers may be started.
    spare: AtomicUsize,
}

impl Pool {
    pub(crate) fn new(jobs: usize) -> Self {
        let jobs = jobs.max(1);
        Pool { jobs, spare: AtomicUsize::new(jobs - 1) }
    }

    /// Hands each item to a worker and each result, in the items' order and as early as possible, to
    /// `take`, which runs on the calling thread while another thread has its place. Memory does not
    /// grow with the number of items: `weigh` tells the bytes of a result that waits. An error of
    /// `take` ends the work.
    pub(crate) fn ordered<I: Send, O: Send>(
        &self,
        items: impl Iterator<Item = I> + Send,
        work: impl Fn(I) -> O + Sync,
        weigh: impl Fn(&O) -> usize + Sync,
        mut take: impl FnMut(O) -> Result<()>,
    ) -> Result<()> {
        let window = Window::default();
        let (allow, allowed) = mpsc::channel();
        let (send, receive) = mpsc::sync_channel(self.jobs);
        (0..self.jobs * AHEAD)
            .for_each(|_| allow.send(()).expect("the receiver lives as long as this function"));
        let queue = Mutex::new((allowed, items.enumerate()));
        let next = || {
            let mut queue = queue.lock().expect("no worker panics while it takes an item");
            queue.0.recv().ok()?;
            window.wait();
            queue.1.next()
        };
        let deliver = |(n, item), send: &mpsc::SyncSender<(usize, O)>| {
            let result = work(item);
            window.add(weigh(&result));
            send.send((n, result)).is_ok()
        };
        thread::scope(|scope| {
            let (next, deliver) = (&next, &deliver);
            let first = move || toil(scope, self, next, deliver, send);
            let started = thread::Builder::new().spawn_scoped(scope, first);
            // Moved into the closure, so that an early return releases waiting workers.
            let (allow, receive, _end) = (allow, receive, End(&window));
            if started.is_err() {
                while let Some((_, item)) = next() {
                    take(work(item))?;
                    let _ = allow.send(());
                }
            }
            let mut waiting = BTreeMap::new();
            let mut due = 0;
            for (n, result) in receive {
                waiting.insert(n, result);
                while let Some(result) = waiting.remove(&due) {
                    let weight = weigh(&result);
                    take(result)?;
                    window.remove(weight);
                    due += 1;
                    // No worker is left to read it when the items are used up.
                    let _ = allow.send(());
                }
            }
            Ok(())
        })
    }

    /// All results of a fallible work, in order; the first failure in order ends it.
    pub(crate) fn all<I: Send, O: Send>(
        &self,
        items: Vec<I>,
        work: impl Fn(I) -> Result<O> + Sync,
    ) -> Result<Vec<O>> {
        let results = items.iter().map(|_| None).collect();
        let results: Mutex<Vec<Option<Result<O>>>> = Mutex::new(results);
        let queue = Mutex::new(items.into_iter().enumerate());
        let has_failed = AtomicBool::new(false);
        let next = || {
            let mut queue = lock(&queue);
            queue.next().filter(|_| !has_failed.load(Ordering::Acquire))
        };
        let share = memory::share();
        let keep = |(n, item): (usize, I), (): &()| {
            let result = memory::with(share.clone(), || work(item));
            has_failed.fetch_or(result.is_err(), Ordering::AcqRel);
            lock(&results)[n] = Some(result);
            true
        };
        thread::scope(|scope| toil(scope, self, &next, &keep, ()));
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Items are taken in order, so items that were not done come after a failure.
        results.into_iter().flatten().collect()
    }

    /// A permit for one more worker, if there is one.
    fn permit(&self) -> Option<Permit<'_>> {
        let less = |spare: usize| spare.checked_sub(1);
        let taken = self.spare.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        taken.ok().map(|_| Permit(self))
    }
}

/// The size of the results that are not taken yet.
#[derive(Default)]
struct Window {
    weight: Mutex<Weight>,
    lighter: Condvar,
}

#[derive(Default)]
struct Weight {
    bytes: usize,
    /// Whether nobody takes results any more.
    is_over: bool,
}

impl Window {
    /// Waits until there is room. The result that is due was started before, so it arrives and
    /// makes room.
    fn wait(&self) {
        let is_full = |weight: &mut Weight| weight.bytes > WEIGHT && !weight.is_over;
        drop(self.lighter.wait_while(self.weight(), is_full));
    }

    fn add(&self, bytes: usize) {
        self.weight().bytes += bytes;
    }

    fn remove(&self, bytes: usize) {
        self.weight().bytes -= bytes;
        self.lighter.notify_all();
    }

    fn weight(&self) -> MutexGuard<'_, Weight> {
        lock(&self.weight)
    }
}

/// What the mutex holds. A thread that panicked with it has ended the program.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Releases workers that wait for room.
struct End<'a>(&'a Window);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.weight().is_over = true;
        self.0.lighter.notify_all();
    }
}

/// A worker's permit, returned when it is dropped.
struct Permit<'a>(&'a Pool);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.spare.fetch_add(1, Ordering::AcqRel);
    }
}

/// Works until no items are left or the work returns false, and starts other workers as long as
/// there are permits.
fn toil<'scope, I: 'scope, S: Clone + Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    pool: &'scope Pool,
    next: &'scope (impl Fn() -> Option<I> + Sync),
    work: &'scope (impl Fn(I, &S) -> bool + Sync),
    to: S,
) {
    while let Some(item) = next() {
        if let Some(place) = pool.permit() {
            let to = to.clone();
            let help = move || {
                let _place = place;
                toil(scope, pool, next, work, to);
            };
            // If the system has no thread left, there are fewer workers.
            let _ = thread::Builder::new().spawn_scoped(scope, help);
        }
        if !work(item, &to) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};
    use std::sync::Barrier;

    #[test]
    fn results_come_in_order_from_several_workers() {
        // The first four items wait for one another: only four workers get through.
        let barrier = Barrier::new(4);
        let work = |n: usize| {
            if n < 4 {
                barrier.wait();
            }
            n * 2
        };
        let mut results = Vec::new();
        Pool::new(4)
            .ordered(
                0..1000,
                work,
                |_| 0,
                |n| {
                    results.push(n);
                    Ok(())
                },
            )
            .unwrap();
        assert_eq!(results, (0..1000).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn a_slow_item_does_not_make_the_others_run_away() {
        let (taken, released) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = |n: usize| {
            // The first item is slow until the others have gone as far as they may.
            while n == 0 && taken.load(Ordering::SeqCst) < 2 * AHEAD {
                thread::yield_now();
            }
            if n == 0 {
                released.store(true, Ordering::SeqCst);
            }
            let ahead = taken.fetch_add(1, Ordering::SeqCst);
            assert!(released.load(Ordering::SeqCst) || ahead < 2 * AHEAD);
        };
        // One item waits with the first worker, so the second takes all others that are allowed.
        taken.fetch_add(1, Ordering::SeqCst);
        Pool::new(2).ordered(0..1000, work, |()| 0, |()| Ok(())).unwrap();
    }

    #[test]
    fn no_more_waits_than_the_window_holds() {
        // What weighs more than the window is begun by each worker once before the first is taken.
        let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |n: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            while n == 0 && begun.load(Ordering::SeqCst) < 2 {
                thread::yield_now();
            }
            begun.load(Ordering::SeqCst) - taken.load(Ordering::SeqCst)
        };
        let most = |ahead: usize| {
            taken.fetch_add(1, Ordering::SeqCst);
            assert!(ahead <= 2 * 4 + 1, "{ahead}");
            Ok(())
        };
        Pool::new(4).ordered(0..200, work, |_| WEIGHT + 1, most).unwrap();
        assert_eq!(taken.into_inner(), 200);
    }

    #[test]
    fn an_error_ends_endless_work() {
        let error = Error::new(Kind::Local, "enough");
        let result = Pool::new(2).ordered(
            0..,
            |n| n,
            |_| WEIGHT,
            |n| if n == 100 { Err(error.clone()) } else { Ok(()) },
        );
        assert_eq!(result, Err(error));
    }

    /// Runs work of the depth, and counts how many threads do it at the same time.
    fn nested(pool: &Pool, depth: usize, counts: &(AtomicUsize, AtomicUsize)) -> usize {
        let (now, most) = counts;
        let leaf = || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            1
        };
        match depth {
            0 => leaf(),
            _ => {
                let below = |_| Ok(nested(pool, depth - 1, counts));
                pool.all((0..8).collect(), below).unwrap().iter().sum()
            }
        }
    }

    #[test]
    fn nested_work_shares_the_places() {
        for jobs in [1, 2, 5] {
            let pool = Pool::new(jobs);
            let counts = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut sum = 0;
            let work = |_: usize| nested(&pool, 3, &counts);
            pool.ordered(
                0..8,
                work,
                |_| 0,
                |n| {
                    sum += n;
                    Ok(())
                },
            )
            .unwrap();
            assert_eq!(sum, 8 * 512);
            assert!(counts.1.into_inner() <= jobs, "{jobs}");
            assert_eq!(pool.spare.into_inner(), jobs - 1);
        }
    }

    #[test]
    fn the_first_failure_in_order_is_told() {
        let work = |n: usize| match n {
            0..3 => Ok(n),
            n => Err(Error::new(Kind::Local, n.to_string())),
        };
        let told = Pool::new(4).all((0..100).collect(), work);
        assert_eq!(told, Err(Error::new(Kind::Local, "3")));
        let all = Pool::new(4).all((0..3).collect(), work);
        assert_eq!(all, Ok(vec![0, 1, 2]));
    }
}
