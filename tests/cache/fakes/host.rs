//! One platform: a data centre's Cache API, the world's KV, and everything over HTTP.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use video_resizer::cache::ports::{Clock, Entropy, Host, Secrets};

use super::body::FakeBody;
use super::edge::FakeEdge;
use super::kv::FakeKv;
use super::upstream::FakeUpstream;
use super::world::World;

/// The fake platform.
#[derive(Debug)]
pub(crate) struct FakeHost {
    pub(crate) world: Rc<World>,
    pub(crate) edge: FakeEdge,
    pub(crate) kv: FakeKv,
    pub(crate) upstream: FakeUpstream,
    pub(crate) secrets: RefCell<BTreeMap<String, String>>,
}

impl FakeHost {
    pub(crate) fn new() -> Self {
        let world = World::new();
        Self {
            edge: FakeEdge::new(&world),
            kv: FakeKv::new(&world),
            upstream: FakeUpstream::new(&world),
            secrets: RefCell::default(),
            world,
        }
    }
}

impl Clock for FakeHost {
    fn now_ms(&self) -> u64 {
        self.world.now_ms()
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
    type Upstream = FakeUpstream;

    fn edge(&self) -> &FakeEdge {
        &self.edge
    }

    fn kv(&self) -> &FakeKv {
        &self.kv
    }

    fn upstream(&self) -> &FakeUpstream {
        &self.upstream
    }
}
