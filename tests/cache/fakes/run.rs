//! Runs a future without an executor.

use std::cell::Cell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// More turns than anything takes that ever ends.
const TURNS_MAX: u32 = 10_000;

/// Runs to the end. A fake waits only for others to have their turn.
#[track_caller]
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    run_until_death(future).unwrap_or_else(|| panic!("a fake went to sleep for ever"))
}

/// Runs to the end, or until nothing moves any more: `None` where the isolate has died on the way.
pub(crate) fn run_until_death<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..TURNS_MAX {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
    }
    None
}

/// Lets everybody else have so many turns.
pub(crate) async fn wait_turns(turns: u32) {
    let left = Cell::new(turns);
    std::future::poll_fn(|_| match left.get() {
        0 => Poll::Ready(()),
        some => {
            left.set(some - 1);
            Poll::Pending
        }
    })
    .await;
}
