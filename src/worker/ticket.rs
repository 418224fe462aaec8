//! What is waited for outside: a promise, a time, or whichever is first. JavaScript names it by the number of a ticket.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Date, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{platform, task};

/// How what was waited for ended.
#[derive(Debug)]
pub(super) enum End {
    /// The promise was kept, or broken.
    Settled(Result<JsValue, JsValue>),
    /// The time was up before.
    Late,
}

/// What is waited for. Dropped, it is waited for no more.
#[derive(Debug)]
pub(super) struct Ticket(f64);

impl Ticket {
    /// Until the promise settles.
    pub(super) fn of(promise: &Promise) -> Self {
        let ticket = Self::new();
        platform::follow(promise, ticket.0);
        ticket
    }

    /// Until the promise settles, for at most `ms`.
    pub(super) fn within(promise: &Promise, ms: u32) -> Self {
        let ticket = Self::of(promise);
        platform::ring_in(ms, ticket.0);
        ticket
    }

    /// For `ms`.
    pub(super) fn after(ms: u32) -> Self {
        let ticket = Self::new();
        platform::ring_in(ms, ticket.0);
        ticket
    }

    fn new() -> Self {
        Self(TICKETS.with_borrow_mut(Tickets::issue))
    }
}

impl Future for Ticket {
    type Output = End;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<End> {
        TICKETS.with_borrow_mut(|tickets| match tickets.find(self.0) {
            Some(State::Over(end)) => match end.take() {
                Some(end) => Poll::Ready(end),
                None => Poll::Pending,
            },
            // Whoever asked last is told: what is opened before an answer is read after it, in another task.
            Some(State::Open(waker)) => {
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
            None => Poll::Pending,
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // What it ended with may be dropped only after the borrow: nobody knows what that does.
        drop(TICKETS.with_borrow_mut(|tickets| tickets.remove(self.0)));
    }
}

/// A promise has settled.
#[wasm_bindgen]
#[allow(unreachable_pub)] // by Rust
pub fn settle(ticket: f64, is_kept: bool, value: JsValue) {
    end(ticket, End::Settled(if is_kept { Ok(value) } else { Err(value) }));
}

/// A time is up.
#[wasm_bindgen]
#[allow(unreachable_pub)] // by Rust
pub fn ring(ticket: f64) {
    end(ticket, End::Late);
}

fn end(ticket: f64, end: End) {
    task::awake(|| {
        let waker = TICKETS.with_borrow_mut(|tickets| match tickets.find(ticket) {
            Some(state @ State::Open(_)) => {
                match std::mem::replace(state, State::Over(Some(end))) {
                    State::Open(waker) => waker,
                    State::Over(_) => None,
                }
            }
            // It came second, or nobody waits any more.
            Some(State::Over(_)) | None => None,
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    });
}

thread_local! {
    static TICKETS: RefCell<Tickets> = RefCell::default();
}

#[derive(Debug)]
enum State {
    Open(Option<Waker>),
    Over(Option<End>),
}

/// In the order of their numbers, which only grow: a number from JavaScript that is late never means another ticket.
#[derive(Default)]
struct Tickets {
    open: Vec<(f64, State)>,
    last: f64,
}

impl Tickets {
    fn issue(&mut self) -> f64 {
        if self.last == 0.0 {
            // An instance before this one may have begun before, with what is still to ring.
            self.last = Date::now() * NUMBERS_A_MS;
        }
        self.last += 1.0;
        self.open.push((self.last, State::Open(None)));
        self.last
    }

    fn place(&self, ticket: f64) -> Option<usize> {
        self.open.binary_search_by(|(number, _)| number.total_cmp(&ticket)).ok()
    }

    fn find(&mut self, ticket: f64) -> Option<&mut State> {
        let place = self.place(ticket)?;
        self.open.get_mut(place).map(|(_, state)| state)
    }

    fn remove(&mut self, ticket: f64) -> Option<(f64, State)> {
        self.place(ticket).map(|place| self.open.remove(place))
    }
}

/// More than an instance issues in a millisecond; a double counts exactly up to 2^53, which is the year 2248.
const NUMBERS_A_MS: f64 = 1024.0;
