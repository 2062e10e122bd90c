//! Work done side by side, its results taken in order.

use std::collections::BTreeMap;
use std::sync::{Mutex, mpsc};
use std::thread;

use crate::error::Result;

/// How many results may wait for a slower one before them, per worker.
const AHEAD: usize = 16;

/// Hands each item to one of `jobs` workers and each result, in the items' order and as early as
/// possible, to `take`, which runs on the calling thread. Memory does not grow with the number of
/// items. An error of `take` ends the work.
pub(crate) fn ordered<I: Send, O: Send>(
    jobs: usize,
    items: impl Iterator<Item = I> + Send,
    work: impl Fn(I) -> O + Sync,
    mut take: impl FnMut(O) -> Result<()>,
) -> Result<()> {
    let (allow, allowed) = mpsc::channel();
    let (send, receive) = mpsc::sync_channel(jobs);
    (0..jobs * AHEAD).for_each(|_| {
        allow
            .send(())
            .expect("the receiver lives as long as this function")
    });
    let queue = Mutex::new((allowed, items.enumerate()));
    let next = || {
        let mut queue = queue
            .lock()
            .expect("no worker panics while it takes an item");
        queue.0.recv().ok()?;
        queue.1.next()
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            let send = send.clone();
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                while let Some((n, item)) = next() {
                    if send.send((n, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        // Moved in, so that an early return lets go of waiting workers.
        let (allow, receive) = (allow, receive);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (n, result) in receive {
            waiting.insert(n, result);
            while let Some(result) = waiting.remove(&due) {
                take(result)?;
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
    jobs: usize,
    items: Vec<I>,
    work: impl Fn(I) -> Result<O> + Sync,
) -> Result<Vec<O>> {
    let mut results = Vec::with_capacity(items.len());
    ordered(jobs, items.into_iter(), work, |result| {
        results.push(result?);
        Ok(())
    })?;
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Kind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, atomic::AtomicBool};

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
        ordered(4, 0..1000, work, |n| {
            results.push(n);
            Ok(())
        })
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
        ordered(2, 0..1000, work, |()| Ok(())).unwrap();
    }

    #[test]
    fn an_error_ends_endless_work() {
        let error = Error::new(Kind::Local, "enough");
        let result = ordered(
            2,
            0..,
            |n| n,
            |n| if n == 100 { Err(error.clone()) } else { Ok(()) },
        );
        assert_eq!(result, Err(error));
    }
}
