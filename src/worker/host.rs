//! All ports of one request, bound to the platform.

use std::cell::RefCell;
use std::rc::Rc;

use worker::Env;

use super::body::NativeBody;
use super::budget;
use super::edge::Edge;
use super::gate::GateStub;
use super::kv::{Kv, RENDITIONS};
use super::limiter::RateLimiter;
use super::live_ledger;
use super::stay::Stay;
use super::upstream::Fetcher;
use crate::cache::errands::Errands;
use crate::cache::ports::{Clock, Entropy, Host, Isolate, Limit, Secrets};
use crate::purge::ledger::Ledger;

/// Cloudflare, as the core sees it.
#[derive(Debug)]
pub(super) struct CloudflareHost {
    env: Env,
    kv: Kv,
    gate: Option<GateStub>,
    misses: Option<RateLimiter>,
    admin: Option<RateLimiter>,
    stay: Stay,
}

impl CloudflareHost {
    /// Binds what the environment names.
    pub(super) fn bind(env: Env, stay: Stay) -> Self {
        let kv = Kv::bind(&env, RENDITIONS);
        let gate = GateStub::bind(&env);
        let misses = RateLimiter::bind(&env, Limit::Misses);
        let admin = RateLimiter::bind(&env, Limit::Admin);
        Self { env, kv, gate, misses, admin, stay }
    }
}

impl Clock for CloudflareHost {
    fn now_ms(&self) -> u64 {
        worker::Date::now().as_millis()
    }

    async fn sleep(&self, ms: u32) {
        budget::sleep(ms).await;
    }
}

impl Entropy for CloudflareHost {
    fn id(&self) -> u128 {
        let mut bytes = [0; 16];
        // The platform's generator does not fail; a repeated name would only cost a cache entry.
        let _ = getrandom::fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

thread_local! {
    static ERRANDS: RefCell<Errands> = RefCell::new(Errands::default());
}

impl Isolate for CloudflareHost {
    fn claim(&self, errand: &str) -> bool {
        let now_ms = self.now_ms();
        ERRANDS.with_borrow_mut(|errands| errands.claim(errand, now_ms))
    }

    fn release(&self, errand: &str) {
        ERRANDS.with_borrow_mut(|errands| errands.release(errand));
    }

    fn ledger(&self) -> Rc<Ledger> {
        live_ledger::current()
    }

    fn outlive_viewer(&self) {
        self.stay.begin();
    }
}

impl Secrets for CloudflareHost {
    fn secret(&self, name: &str) -> Option<String> {
        self.env.secret(name).ok().map(|secret| secret.to_string())
    }
}

impl Host for CloudflareHost {
    type Body = NativeBody;
    type Edge = Edge;
    type Kv = Kv;
    type Gate = GateStub;
    type Limiter = RateLimiter;
    type Upstream = Fetcher;

    fn edge(&self) -> &Edge {
        &Edge
    }

    fn kv(&self) -> &Kv {
        &self.kv
    }

    fn gate(&self) -> Option<&GateStub> {
        self.gate.as_ref()
    }

    fn limiter(&self, limit: Limit) -> Option<&RateLimiter> {
        match limit {
            Limit::Misses => self.misses.as_ref(),
            Limit::Admin => self.admin.as_ref(),
        }
    }

    fn upstream(&self) -> &Fetcher {
        &Fetcher
    }
}
