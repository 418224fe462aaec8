//! One platform: a data centre's Cache API, the world's KV and gates, and everything over HTTP.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use video_resizer::cache::errands::Errands;
use video_resizer::cache::ports::{Clock, Entropy, Host, Isolate, Limit, Secrets};
use video_resizer::purge::ledger::Ledger;

use super::admin::AdminSide;
use super::body::FakeBody;
use super::edge::FakeEdge;
use super::gate::FakeGate;
use super::kv::FakeKv;
use super::limiter::FakeLimiter;
use super::run::wait_turns;
use super::upstream::FakeUpstream;
use super::world::World;

/// The fake platform.
#[derive(Debug)]
pub(crate) struct FakeHost {
    pub(crate) world: Rc<World>,
    pub(crate) edge: FakeEdge,
    pub(crate) kv: FakeKv,
    /// None, until [`FakeHost::bind_gate`].
    pub(crate) gate: OnceCell<Rc<FakeGate>>,
    /// Of misses; none, until [`FakeHost::bind_limiter`].
    pub(crate) limiter: OnceCell<Rc<FakeLimiter>>,
    /// Of calls to the operator's API; none, until somebody binds one.
    pub(crate) admin_limiter: OnceCell<Rc<FakeLimiter>>,
    pub(crate) upstream: Rc<FakeUpstream>,
    pub(crate) secrets: RefCell<BTreeMap<String, String>>,
    pub(crate) admin: AdminSide,
    errands: RefCell<Errands>,
    /// What this isolate has heard of purges.
    pub(crate) ledger: RefCell<Ledger>,
    /// Whether a request has asked to go on without its viewer.
    pub(crate) outlives_viewer: Cell<bool>,
}

impl FakeHost {
    pub(crate) fn new() -> Self {
        let world = World::new();
        Self {
            edge: FakeEdge::new(&world),
            kv: FakeKv::new(&world),
            gate: OnceCell::new(),
            limiter: OnceCell::new(),
            admin_limiter: OnceCell::new(),
            upstream: Rc::new(FakeUpstream::new(&world)),
            secrets: RefCell::default(),
            admin: AdminSide::new(&world),
            errands: RefCell::default(),
            ledger: RefCell::default(),
            outlives_viewer: Cell::default(),
            world,
        }
    }

    /// From here on there is a gate, and this is it.
    pub(crate) fn bind_gate(&self) -> &FakeGate {
        self.gate.get_or_init(|| Rc::new(FakeGate::new(&self.world)))
    }

    /// From here on a viewer may have so many misses.
    pub(crate) fn bind_limiter(&self, limit: u32) -> &FakeLimiter {
        self.limiter.get_or_init(|| Rc::new(FakeLimiter::new(&self.world, limit)))
    }

    /// Another data centre of the same world: the Cache API, the limiter and the isolate are its own.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            world: Rc::clone(&self.world),
            edge: FakeEdge::new(&self.world),
            kv: self.kv.elsewhere(),
            gate: self.gate.clone(),
            limiter: OnceCell::new(),
            admin_limiter: OnceCell::new(),
            upstream: Rc::clone(&self.upstream),
            secrets: self.secrets.clone(),
            admin: self.admin.elsewhere(),
            errands: RefCell::default(),
            ledger: RefCell::default(),
            outlives_viewer: Cell::default(),
        }
    }
}

impl Clock for FakeHost {
    fn now_ms(&self) -> u64 {
        self.world.now_ms()
    }

    async fn sleep(&self, ms: u32) {
        // Whoever is asleep does not hinder the others.
        wait_turns(1).await;
        self.world.pass_ms(u64::from(ms));
    }
}

impl Isolate for FakeHost {
    fn claim(&self, errand: &str) -> bool {
        self.errands.borrow_mut().claim(errand, self.world.now_ms())
    }

    fn release(&self, errand: &str) {
        self.errands.borrow_mut().release(errand);
    }

    fn ledger(&self) -> Rc<Ledger> {
        Rc::new(self.ledger.borrow().clone())
    }

    fn outlive_viewer(&self) {
        self.outlives_viewer.set(true);
    }
}

impl Entropy for FakeHost {
    fn id(&self) -> u128 {
        self.world.id()
    }
}

impl Secrets for FakeHost {
    fn secret(&self, name: &str) -> Option<String> {
        self.secrets.borrow().get(name).cloned()
    }
}

impl Host for FakeHost {
    type Body = FakeBody;
    type Edge = FakeEdge;
    type Kv = FakeKv;
    type Gate = FakeGate;
    type Limiter = FakeLimiter;
    type Upstream = FakeUpstream;

    fn edge(&self) -> &FakeEdge {
        &self.edge
    }

    fn kv(&self) -> &FakeKv {
        &self.kv
    }

    fn gate(&self) -> Option<&FakeGate> {
        self.gate.get().map(Rc::as_ref)
    }

    fn limiter(&self, limit: Limit) -> Option<&FakeLimiter> {
        match limit {
            Limit::Misses => self.limiter.get().map(Rc::as_ref),
            Limit::Admin => self.admin_limiter.get().map(Rc::as_ref),
        }
    }

    fn upstream(&self) -> &FakeUpstream {
        &self.upstream
    }
}
