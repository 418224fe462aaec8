//! Runs a future without an executor.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The fakes never wait, so one poll is the whole run.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a fake went to sleep"),
    }
}
