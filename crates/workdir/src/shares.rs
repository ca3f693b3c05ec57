//! The same work on many items, by several threads.

use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// Calls `work` with each item, in up to this many parallel shares; a failure ends its share.
///
/// # Errors
/// The first failure, in the order of the items.
pub fn in_shares<T: Copy + Sync, E: Send>(
    items: &[T],
    shares: usize,
    work: impl Fn(T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let longest = items.len().div_ceil(shares.max(1)).max(1);
    let do_share = |share: &[T]| share.iter().try_for_each(|item| work(*item));
    if longest >= items.len() {
        return do_share(items);
    }
    thread::scope(|scope| {
        let begin = |share| match thread::Builder::new().spawn_scoped(scope, move || do_share(share)) {
            Ok(begun) => Share::Begun(begun),
            // No further thread can be started.
            Err(_) => Share::Done(do_share(share)),
        };
        let shares: Vec<_> = items.chunks(longest).map(begin).collect();
        shares.into_iter().try_for_each(|share| match share {
            Share::Begun(begun) => begun.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Share::Done(ended) => ended,
        })
    })
}

enum Share<'scope, E> {
    Begun(ScopedJoinHandle<'scope, Result<(), E>>),
    Done(Result<(), E>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_item_runs_once_and_the_first_failure_is_returned() {
        for (items, shares) in [(0, 4), (1, 4), (3, 4), (10, 4), (10, 1), (10, 0), (100, 7)] {
            let items: Vec<usize> = (0..items).collect();
            let done = Mutex::new(Vec::new());
            let ended = in_shares(&items, shares, |item| {
                done.lock().unwrap().push(item);
                Ok::<_, ()>(())
            });
            let mut done = done.into_inner().unwrap();
            done.sort_unstable();
            assert_eq!((ended, done), (Ok(()), items.clone()));
            let failed = in_shares(&items, shares, |item| if item % 4 == 3 { Err(item) } else { Ok(()) });
            assert_eq!(failed, if items.len() > 3 { Err(3) } else { Ok(()) });
        }
    }
}
