//! An isolate in a data centre: what the core is given to work with.

use std::cell::RefCell;
use std::rc::Rc;

use video_resizer::cache::errands::Errands;
use video_resizer::cache::ports::{Clock, Entropy, Fault, Host, Isolate, Limit, Limiter, Secrets};
use video_resizer::purge::heard::Heard;
use video_resizer::purge::ledger::Ledger;

use super::body::SimBody;
use super::edge::SimEdge;
use super::gate::SimGate;
use super::kv::SimKv;
use super::upstream::SimUpstream;
use super::world::World;

/// One isolate.
#[derive(Debug)]
pub(crate) struct SimHost {
    pub(crate) isolate: usize,
    world: Rc<World>,
    edge: SimEdge,
    kv: SimKv,
    gate: Option<SimGate>,
    upstream: SimUpstream,
    errands: RefCell<Errands>,
    /// What this isolate has heard of purges.
    pub(crate) heard: RefCell<Heard>,
}

impl SimHost {
    pub(crate) fn new(world: &Rc<World>, dc: usize, isolate: usize, has_gate: bool) -> Rc<Self> {
        let world = Rc::clone(world);
        Rc::new(Self {
            isolate,
            edge: SimEdge { world: Rc::clone(&world), dc },
            kv: SimKv { world: Rc::clone(&world), dc },
            gate: has_gate.then(|| SimGate { world: Rc::clone(&world) }),
            upstream: SimUpstream { world: Rc::clone(&world) },
            errands: RefCell::default(),
            heard: RefCell::default(),
            world,
        })
    }
}

impl Clock for SimHost {
    fn now_ms(&self) -> u64 {
        self.world.now_ms()
    }

    async fn sleep(&self, ms: u32) {
        self.world.clock.sleep(u64::from(ms)).await;
    }
}

impl Entropy for SimHost {
    fn id(&self) -> u128 {
        self.world.id()
    }
}

impl Isolate for SimHost {
    fn claim(&self, errand: &str) -> bool {
        self.errands.borrow_mut().claim(errand, self.world.now_ms())
    }

    fn release(&self, errand: &str) {
        self.errands.borrow_mut().release(errand);
    }

    fn ledger(&self) -> Rc<Ledger> {
        self.heard.borrow().ledger()
    }

    fn outlive_viewer(&self) {
        self.world.outliving.borrow_mut().insert(self.world.clock.current().visit);
    }
}

impl Secrets for SimHost {
    fn secret(&self, _: &str) -> Option<String> {
        None
    }
}

impl Host for SimHost {
    type Body = SimBody;
    type Edge = SimEdge;
    type Kv = SimKv;
    type Gate = SimGate;
    type Limiter = NoLimiter;
    type Upstream = SimUpstream;

    fn edge(&self) -> &SimEdge {
        &self.edge
    }

    fn kv(&self) -> &SimKv {
        &self.kv
    }

    fn gate(&self) -> Option<&SimGate> {
        self.gate.as_ref()
    }

    fn limiter(&self, _: Limit) -> Option<&NoLimiter> {
        None
    }

    fn upstream(&self) -> &SimUpstream {
        &self.upstream
    }
}

/// Nobody is limited here.
#[derive(Debug)]
pub(crate) enum NoLimiter {}

impl Limiter for NoLimiter {
    async fn admits(&self, _: &str, _: u32) -> Result<bool, Fault> {
        match *self {}
    }
}
