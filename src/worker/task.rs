//! Tasks: the work of a request, and of what it leaves behind.
//!
//! A task goes on in the very call in which the platform tells what it waited for. `wasm_bindgen_futures` takes two
//! further turns of the event loop for that, and a closure for each promise.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use wasm_bindgen::JsValue;

use super::platform;

/// Starts work, which goes on by itself.
pub(super) fn spawn(work: impl Future<Output = ()> + 'static) {
    let work = work.boxed_local();
    let number = TASKS.with_borrow_mut(|tasks| tasks.take_in(work));
    awake(|| wake(number));
}

/// Does work for which the platform keeps a request alive behind its answer.
pub(super) fn stay(context: &platform::Context, work: impl Future<Output = ()> + 'static) {
    let end = platform::stay(context);
    spawn(async move {
        work.await;
        platform::call(&end, &JsValue::UNDEFINED);
    });
}

/// Does what an event of the platform says, and then whatever that has woken.
///
/// Only here do tasks go on, and never one inside another: who wakes a task may have borrowed what it needs.
pub(super) fn awake(event: impl FnOnce()) {
    let is_outermost = TASKS.with_borrow_mut(|tasks| !std::mem::replace(&mut tasks.is_awake, true));
    event();
    if !is_outermost {
        return;
    }
    while let Some((number, mut task)) = TASKS.with_borrow_mut(Tasks::next_woken) {
        let waker = task.waker.clone();
        if task.work.poll_unpin(&mut Context::from_waker(&waker)).is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.put_back(number, task));
        }
    }
    TASKS.with_borrow_mut(|tasks| tasks.is_awake = false);
}

thread_local! {
    static TASKS: RefCell<Tasks> = RefCell::default();
}

#[derive(Default)]
struct Tasks {
    /// Those that wait, in the order of their numbers.
    waiting: Vec<(u64, Task)>,
    /// Those that need not wait any more; a number that nobody has any more is of one that is over.
    woken: VecDeque<u64>,
    last: u64,
    is_awake: bool,
}

struct Task {
    work: LocalBoxFuture<'static, ()>,
    waker: Waker,
}

impl Tasks {
    fn take_in(&mut self, work: LocalBoxFuture<'static, ()>) -> u64 {
        self.last += 1;
        let waker = Waker::from(Arc::new(Number(self.last)));
        self.waiting.push((self.last, Task { work, waker }));
        self.last
    }

    fn place(&self, number: u64) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&number, |(number, _)| *number)
    }

    fn next_woken(&mut self) -> Option<(u64, Task)> {
        while let Some(number) = self.woken.pop_front() {
            if let Ok(place) = self.place(number) {
                return Some(self.waiting.remove(place));
            }
        }
        None
    }

    fn put_back(&mut self, number: u64, task: Task) {
        if let Err(place) = self.place(number) {
            self.waiting.insert(place, (number, task));
        }
    }
}

struct Number(u64);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(self.0);
    }
}

/// It goes on before the event that woke it is over.
fn wake(number: u64) {
    TASKS.with_borrow_mut(|tasks| tasks.woken.push_back(number));
}
