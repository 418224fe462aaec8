//! A tiny executor on virtual time: what is ready runs in a drawn order, and when nothing is, time passes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::dice::Dice;

/// When every world begins: a moment in 2026, in milliseconds.
pub(crate) const BEGINNING_MS: u64 = 1_780_000_000_000;

/// Whose a task is; with its isolate it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    /// `None` is the platform itself.
    pub(crate) isolate: Option<usize>,
    /// The visit it belongs to, 0 for none.
    pub(crate) visit: usize,
}

/// The platform's own tasks outlive every isolate.
pub(crate) const PLATFORM: Owner = Owner { isolate: None, visit: 0 };

struct Task {
    owner: Owner,
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    flag: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Time, and everything that waits for it.
pub(crate) struct Clockwork {
    now_ms: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    timer: Cell<u64>,
    tasks: RefCell<Vec<Task>>,
    current: Cell<Owner>,
}

impl Clockwork {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            now_ms: Cell::new(BEGINNING_MS),
            timers: RefCell::default(),
            timer: Cell::new(0),
            tasks: RefCell::default(),
            current: Cell::new(PLATFORM),
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    /// Whose task is running.
    pub(crate) fn current(&self) -> Owner {
        self.current.get()
    }

    pub(crate) fn spawn(&self, owner: Owner, future: impl Future<Output = ()> + 'static) {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let task = Task { owner, future: Some(Box::pin(future)), flag };
        self.tasks.borrow_mut().push(task);
    }

    pub(crate) fn sleep(self: &Rc<Self>, ms: u64) -> Sleep {
        let timer = self.timer.get() + 1;
        self.timer.set(timer);
        Sleep { clock: Rc::clone(self), at: (self.now_ms() + ms, timer) }
    }

    /// Ends every task of an isolate where it stands.
    pub(crate) fn kill(&self, isolate: usize) {
        let mut dead = Vec::new();
        let mut tasks = self.tasks.borrow_mut();
        let mut at = 0;
        while at < tasks.len() {
            if tasks[at].owner.isolate == Some(isolate) {
                dead.push(tasks.remove(at));
            } else {
                at += 1;
            }
        }
        drop(tasks);
        drop(dead);
    }

    /// Ends everything.
    pub(crate) fn stop(&self) {
        let tasks = self.tasks.take();
        drop(tasks);
    }

    /// The visits that are not over.
    pub(crate) fn unfinished(&self) -> Vec<usize> {
        self.tasks.borrow().iter().map(|task| task.owner.visit).collect()
    }

    /// Runs everything up to a moment, or until `enough` says so after a step.
    pub(crate) fn run(&self, dice: &Dice, until_ms: u64, enough: impl Fn() -> bool) {
        while !enough() {
            if !self.step(dice) && !self.pass(until_ms) {
                self.now_ms.set(self.now_ms().max(until_ms));
                return;
            }
        }
    }

    /// Runs one task that is ready.
    fn step(&self, dice: &Dice) -> bool {
        let (owner, flag, mut future) = {
            let mut tasks = self.tasks.borrow_mut();
            let is_ready = |task: &Task| task.flag.0.load(Ordering::Relaxed);
            let ready = tasks.iter().filter(|task| is_ready(task)).count();
            if ready == 0 {
                return false;
            }
            let chosen = dice.index(ready);
            let task = tasks.iter_mut().filter(|task| is_ready(task)).nth(chosen).unwrap();
            task.flag.0.store(false, Ordering::Relaxed);
            (task.owner, Arc::clone(&task.flag), task.future.take().unwrap())
        };
        let before = self.current.replace(owner);
        let waker = Waker::from(Arc::clone(&flag));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        self.current.set(before);
        let mut tasks = self.tasks.borrow_mut();
        let at = tasks.iter().position(|task| Arc::ptr_eq(&task.flag, &flag)).unwrap();
        if polled.is_ready() {
            let task = tasks.remove(at);
            drop(tasks);
            drop((task, future));
        } else {
            tasks[at].future = Some(future);
        }
        true
    }

    /// Lets time pass until something happens, at most until then.
    fn pass(&self, until_ms: u64) -> bool {
        let mut timers = self.timers.borrow_mut();
        let Some(next) = timers.first_entry().filter(|next| next.key().0 <= until_ms) else {
            return false;
        };
        self.now_ms.set(self.now_ms().max(next.key().0));
        let waker = next.remove();
        drop(timers);
        waker.wake();
        true
    }
}

/// Returns when its time has come.
pub(crate) struct Sleep {
    clock: Rc<Clockwork>,
    at: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clock.now_ms() >= self.at.0 {
            return Poll::Ready(());
        }
        self.clock.timers.borrow_mut().insert(self.at, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self.clock.timers.borrow_mut().remove(&self.at);
        drop(waker);
    }
}
