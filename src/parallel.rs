//! Parallel work with results in order, on a limited number of threads for the whole program.

use std::collections::BTreeMap;
use std::iter;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, Scope};

use crate::error::Result;
use crate::memory;

/// How many results may wait for a slower one before them, per worker.
const AHEAD: usize = 16;

/// How many bytes these may have together before no further work is started.
const WEIGHT: usize = 16 << 20;

/// The workers of the whole program, `--jobs` of them however work is nested. A thread that waits
/// for results has another one in its place, so work is done even if no other worker is free.
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
    /// `take`, which runs on the calling thread. Memory does not grow with the number of items:
    /// `weigh` tells the bytes of a result that waits. An error of `take` ends the work.
    pub(crate) fn ordered<I: Send, O: Send>(
        &self,
        items: impl Iterator<Item = I> + Send,
        work: impl Fn(I) -> O + Sync,
        weigh: impl Fn(&O) -> usize + Sync,
        mut take: impl FnMut(O) -> Result<()>,
    ) -> Result<()> {
        let window = Window { most: self.jobs * AHEAD, ..Window::default() };
        let items = Mutex::new(items.enumerate());
        let next = || {
            let mut items = lock(&items);
            window.wait().then(|| items.next())?
        };
        let weighed = |item| {
            let result = work(item);
            let weight = weigh(&result);
            window.waiting().bytes += weight;
            (result, weight)
        };
        let mut take = |(result, weight)| {
            take(result)?;
            window.taken(weight);
            Ok(())
        };
        thread::scope(|scope| {
            let (next, weighed) = (&next, &weighed);
            let (send, receive) = mpsc::channel();
            let first = move || toil(scope, self, next, weighed, &send);
            let done = match thread::Builder::new().spawn_scoped(scope, first) {
                Ok(_) => in_order(receive, take),
                Err(_) => iter::from_fn(next).try_for_each(|(_, item)| take(weighed(item))),
            };
            window.end();
            done
        })
    }

    /// All results of a fallible work, in order; the first failure in order ends it.
    pub(crate) fn all<I: Send, O: Send>(
        &self,
        items: Vec<I>,
        work: impl Fn(I) -> Result<O> + Sync,
    ) -> Result<Vec<O>> {
        let share = memory::share();
        let mut results = Vec::with_capacity(items.len());
        // Whoever failed starts nothing more, even before the failure is taken.
        let has_failed = AtomicBool::new(false);
        let work = |item| {
            let result = memory::with(share.clone(), || work(item));
            has_failed.fetch_or(result.is_err(), Ordering::AcqRel);
            result
        };
        self.ordered(
            items.into_iter().take_while(|_| !has_failed.load(Ordering::Acquire)),
            work,
            |_| 0,
            |result| {
                results.push(result?);
                Ok(())
            },
        )?;
        Ok(results)
    }
}

/// Lets so many work at a time, in the whole program, however many workers there are.
pub(crate) struct Semaphore {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Semaphore {
    pub(crate) const fn new(places: usize) -> Self {
        Semaphore { free: Mutex::new(places), freed: Condvar::new() }
    }

    /// Works when a place is free. The work must not wait for one itself.
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        self.take();
        // A fault of the work costs no place.
        let _place = AtEnd(|| self.give());
        work()
    }

    /// Does what needs no place and has no fault, and lets others have the caller's for as long.
    pub(crate) fn free<T>(&self, work: impl FnOnce() -> T) -> T {
        self.give();
        let done = work();
        self.take();
        done
    }

    fn take(&self) {
        let free = self.freed.wait_while(lock(&self.free), |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    fn give(&self) {
        *lock(&self.free) += 1;
        self.freed.notify_one();
    }
}

/// Lets so many work at a time, and so many wait for that.
pub(crate) struct Queue {
    places: Semaphore,
    /// Those that work and those that wait.
    here: AtomicUsize,
    most: usize,
}

impl Queue {
    pub(crate) const fn new(places: usize, waiting: usize) -> Self {
        let here = AtomicUsize::new(0);
        Queue { places: Semaphore::new(places), here, most: places + waiting }
    }

    /// Works when a place is free; `None` if too many wait for one.
    pub(crate) fn hold<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let here = self.here.fetch_add(1, Ordering::AcqRel);
        let _here = AtEnd(|| {
            self.here.fetch_sub(1, Ordering::AcqRel);
        });
        (here < self.most).then(|| self.places.hold(work))
    }
}

/// Does it when it is dropped, be it by a fault.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Works until no items are left or nobody receives results, and starts other workers as long as
/// the pool has any to spare.
fn toil<'scope, I: 'scope, O: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    pool: &'scope Pool,
    next: &'scope (impl Fn() -> Option<(usize, I)> + Sync),
    work: &'scope (impl Fn(I) -> O + Sync),
    to: &mpsc::Sender<(usize, O)>,
) {
    while let Some((n, item)) = next() {
        let spare = pool
            .spare
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |spare| spare.checked_sub(1));
        if spare.is_ok() {
            let to = to.clone();
            let other = move || {
                let _place = AtEnd(|| {
                    pool.spare.fetch_add(1, Ordering::AcqRel);
                });
                toil(scope, pool, next, work, &to);
            };
            // If the system has no thread left, there are fewer workers.
            if thread::Builder::new().spawn_scoped(scope, other).is_err() {
                pool.spare.fetch_add(1, Ordering::AcqRel);
            }
        }
        if to.send((n, work(item))).is_err() {
            return;
        }
    }
}

/// Hands on the results by their numbers.
fn in_order<O>(
    results: mpsc::Receiver<(usize, O)>,
    mut take: impl FnMut(O) -> Result<()>,
) -> Result<()> {
    let mut waiting = BTreeMap::new();
    let mut due = 0;
    for (n, result) in results {
        waiting.insert(n, result);
        while let Some(result) = waiting.remove(&due) {
            take(result)?;
            due += 1;
        }
    }
    Ok(())
}

/// The results that are begun or done and not taken yet.
#[derive(Default)]
struct Window {
    /// How many there may be.
    most: usize,
    waiting: Mutex<Waiting>,
    fewer: Condvar,
}

#[derive(Default)]
struct Waiting {
    results: usize,
    bytes: usize,
    /// Whether nobody takes results any more.
    is_over: bool,
}

impl Window {
    /// Waits until there is room for one more; false if none is wanted. The result that is due was
    /// started before, so it arrives and makes room.
    fn wait(&self) -> bool {
        let is_full = |waiting: &mut Waiting| {
            (waiting.results >= self.most || waiting.bytes > WEIGHT) && !waiting.is_over
        };
        let waiting = self.fewer.wait_while(self.waiting(), is_full);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        waiting.results += 1;
        !waiting.is_over
    }

    fn taken(&self, bytes: usize) {
        let mut waiting = self.waiting();
        waiting.results -= 1;
        waiting.bytes -= bytes;
        self.fewer.notify_all();
    }

    fn end(&self) {
        self.waiting().is_over = true;
        self.fewer.notify_all();
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}

/// What the mutex holds. A thread that panicked with it has ended the program.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};
    use std::sync::Barrier;
    use std::sync::atomic::AtomicBool;

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
