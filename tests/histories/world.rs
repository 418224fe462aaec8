//! What all of a world share: time, dice, weather, the stores, and whoever judges.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::{Rc, Weak};

use video_resizer::cache::gate::state::GateState;

use super::clockwork::Clockwork;
use super::dice::Dice;
use super::edge::Shelf;
use super::judge::Judge;
use super::kv::Central;
use super::office::Office;
use super::upstream::Studio;
use super::weather::Climate;

thread_local! {
    static HERE: RefCell<Weak<World>> = RefCell::default();
}

/// One world.
pub(crate) struct World {
    pub(crate) clock: Rc<Clockwork>,
    pub(crate) dice: Dice,
    climate: Cell<Climate>,
    pub(crate) kv: Central,
    /// One a data centre.
    pub(crate) shelves: Vec<Shelf>,
    /// One a variant, for the whole world.
    pub(crate) gates: RefCell<BTreeMap<String, GateState>>,
    pub(crate) studio: Studio,
    pub(crate) office: Office,
    /// The last purge that each isolate has heard of.
    pub(crate) heard: RefCell<BTreeMap<usize, u64>>,
    pub(crate) judge: Judge,
    /// Visits that go on when their viewer leaves.
    pub(crate) outliving: RefCell<BTreeSet<usize>>,
    ids: Cell<u128>,
    /// Who wants to read along.
    journal: Option<RefCell<Vec<String>>>,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("World").field("now_ms", &self.now_ms()).finish_non_exhaustive()
    }
}

impl World {
    pub(crate) fn new(seed: u64, centres: usize, climate: Climate, is_told: bool) -> Rc<Self> {
        let dice = Dice::new(seed);
        let world = Rc::new(Self {
            clock: Clockwork::new(),
            shelves: (0..centres).map(|_| Shelf::new(&dice)).collect(),
            kv: Central::new(centres),
            dice,
            climate: Cell::new(climate),
            gates: RefCell::default(),
            studio: Studio::default(),
            office: Office::default(),
            heard: RefCell::default(),
            judge: Judge::default(),
            outliving: RefCell::default(),
            ids: Cell::new(0),
            journal: is_told.then(RefCell::default),
        });
        HERE.set(Rc::downgrade(&world));
        world
    }

    /// The world of this thread: the port gives a body no other way to know it.
    pub(crate) fn here() -> Rc<Self> {
        HERE.with_borrow(Weak::upgrade).expect("a body outside of any world")
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    pub(crate) fn climate(&self) -> Climate {
        self.climate.get()
    }

    pub(crate) fn set_climate(&self, climate: Climate) {
        self.climate.set(climate);
    }

    /// The last purge that the isolate has heard of whose task is running.
    pub(crate) fn heard_here(&self) -> u64 {
        let isolate = self.clock.current().isolate;
        isolate.and_then(|it| self.heard.borrow().get(&it).copied()).unwrap_or(0)
    }

    /// Ids that differ.
    pub(crate) fn id(&self) -> u128 {
        self.ids.set(self.ids.get() + 1);
        self.ids.get().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }

    /// Writes down what happened, where somebody reads along.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(journal) = &self.journal {
            let at_ms = self.now_ms() - super::clockwork::BEGINNING_MS;
            let visit = self.clock.current().visit;
            journal.borrow_mut().push(format!("{at_ms:>8} #{visit:<3} {}", what()));
        }
    }

    pub(crate) fn journal(&self) -> String {
        self.journal.as_ref().map(|journal| journal.borrow().join("\n")).unwrap_or_default()
    }
}
