//! What goes wrong, operation by operation.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Debug;

use video_resizer::cache::ports::Fault;

use super::world::Operation;

/// How an operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Not at all.
    None,
    /// The platform refuses it.
    Refused,
    /// It takes too long.
    TimedOut,
    /// What it answers was damaged on the way.
    Corrupt,
    /// It fails, and has happened all the same.
    LostAck,
}

impl Mishap {
    /// The fault an adapter would report.
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Self::None => None,
            Self::Refused => Some(Fault::Unavailable("refused by the weather".to_owned())),
            Self::TimedOut => Some(Fault::TimedOut { budget_ms: 1 }),
            Self::Corrupt => Some(Fault::Corrupt("damaged by the weather")),
            Self::LostAck => Some(Fault::Unavailable("the acknowledgement was lost".to_owned())),
        }
    }
}

/// Decides what goes wrong. `possible` begins with [`Mishap::None`].
pub(crate) trait Weather: Debug {
    fn next(&self, operation: &Operation, possible: &[Mishap]) -> Mishap;
}

/// Nothing goes wrong.
#[derive(Debug)]
pub(crate) struct Calm;

impl Weather for Calm {
    fn next(&self, _: &Operation, _: &[Mishap]) -> Mishap {
        Mishap::None
    }
}

/// Mishaps for named kinds of operations, each once and in order; calm in between.
#[derive(Debug, Default)]
pub(crate) struct Script(RefCell<VecDeque<(&'static str, Mishap)>>);

impl Script {
    pub(crate) fn new(mishaps: &[(&'static str, Mishap)]) -> Self {
        Self(RefCell::new(mishaps.iter().copied().collect()))
    }
}

impl Weather for Script {
    fn next(&self, operation: &Operation, possible: &[Mishap]) -> Mishap {
        let mut script = self.0.borrow_mut();
        let Some(at) = script.iter().position(|(kind, _)| *kind == operation.kind()) else {
            return Mishap::None;
        };
        let (kind, mishap) = script.remove(at).unwrap();
        assert!(possible.contains(&mishap), "{mishap:?} cannot happen to {kind}");
        mishap
    }
}

/// Every sequence of choices, like an odometer: a bounded proof, without seeds.
///
/// `while gen.turn() { … gen.choose(n) … }` runs the body once for every way the choices can go; a choice
/// that is never reached costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Gen {
    /// What was chosen, and out of how many.
    wheels: RefCell<Vec<(usize, usize)>>,
    /// How many choices this run has made.
    at: RefCell<usize>,
    started: RefCell<bool>,
}

impl Gen {
    /// Sets the next sequence; `false` when every one has been.
    pub(crate) fn turn(&self) -> bool {
        *self.at.borrow_mut() = 0;
        if !self.started.replace(true) {
            return true;
        }
        let mut wheels = self.wheels.borrow_mut();
        while let Some((chosen, of)) = wheels.pop() {
            if chosen + 1 < of {
                wheels.push((chosen + 1, of));
                return true;
            }
        }
        false
    }

    /// One of `0..of`.
    pub(crate) fn choose(&self, of: usize) -> usize {
        let mut wheels = self.wheels.borrow_mut();
        let mut at = self.at.borrow_mut();
        let wheel = *at;
        *at += 1;
        if wheel == wheels.len() {
            wheels.push((0, of));
        }
        assert_eq!(wheels[wheel].1, of, "a run must depend on nothing but its choices");
        wheels[wheel].0
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.choose(of.len())]
    }

    /// The choices of this run, to tell which one failed.
    pub(crate) fn path(&self) -> Vec<usize> {
        self.wheels.borrow().iter().map(|(chosen, _)| *chosen).collect()
    }
}

impl Weather for std::rc::Rc<Gen> {
    fn next(&self, _: &Operation, possible: &[Mishap]) -> Mishap {
        self.pick(possible)
    }
}
