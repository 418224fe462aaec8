//! An isolate in a data centre: what the core is given to work with.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use video_resizer::cache::errands::Errands;
use video_resizer::cache::ports::{Clock, Entropy, Fault, Host, Isolate, Limit, Limiter, Secrets};
use video_resizer::limits::{KV_CACHE_TTL_S_MIN, LEDGER_READ_TIMEOUT_MS};
use video_resizer::purge::MIRROR_KEY;
use video_resizer::purge::heard::{Due, Heard};
use video_resizer::purge::ledger::Ledger;

use super::body::SimBody;
use super::clockwork::Owner;
use super::edge::SimEdge;
use super::gate::SimGate;
use super::kv::{SimKv, Value};
use super::saboteur::{self, Sabotage};
use super::upstream::SimUpstream;
use super::weather::Trip;
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
    dc: usize,
    /// What this isolate has heard of purges.
    heard: RefCell<Heard>,
    /// Whether the last look that came to an end was in vain.
    pub(crate) is_deaf: Cell<bool>,
    /// Milliseconds by which its clock is ahead of the world's, or behind.
    pub(crate) skew_ms: Cell<i64>,
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
            dc,
            heard: RefCell::default(),
            is_deaf: Cell::new(false),
            skew_ms: Cell::new(0),
            world,
        })
    }

    /// Sees to it that what is known of purges is new enough for a request that begins now, as the shell does.
    pub(crate) async fn keep_up(self: &Rc<Self>, refresh_ms: u32) {
        if !self.world.office.is_open.get() {
            return;
        }
        let sabotage = self.world.office.sabotage.get();
        let has_looked = self.heard.borrow().as_of_ms().is_some();
        if sabotage == Some(Sabotage::NeverLooksAgain) && has_looked {
            return;
        }
        let now_ms = self.now_ms();
        let due = self.heard.borrow_mut().due(refresh_ms, now_ms);
        match due {
            Due::Not => {}
            Due::Now if sabotage != Some(Sabotage::NobodyWaitsForALook) => self.look(now_ms).await,
            Due::Now | Due::Behind => {
                let looking = Rc::clone(self);
                let owner = Owner { isolate: Some(self.isolate), visit: 0 };
                self.world.clock.spawn(owner, async move { looking.look(now_ms).await });
            }
        }
    }

    async fn look(&self, began_ms: u64) {
        let world = &self.world;
        let trip = Trip::draw(world, world.climate().kv);
        let found = trip.read(world, LEDGER_READ_TIMEOUT_MS, || {
            world.kv.look(world, self.dc, MIRROR_KEY, KV_CACHE_TTL_S_MIN)
        });
        let text = |value: Value| String::from_utf8(value.bytes.to_vec()).unwrap();
        let found = found.await.map(|found| found.map(text));
        let heard = self.heard.borrow_mut().hear(found, began_ms);
        self.is_deaf.set(heard.is_err());
        let number = self.heard.borrow().ledger().number();
        world.tell(|| format!("isolate {} has heard of {number}: {heard:?}", self.isolate));
        world.heard.borrow_mut().insert(self.isolate, number);
    }
}

impl Clock for SimHost {
    fn now_ms(&self) -> u64 {
        self.world.now_ms().saturating_add_signed(self.skew_ms.get())
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
        let ledger = self.heard.borrow().ledger();
        saboteur::heard(&self.world, &ledger).map_or(ledger, Rc::new)
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
