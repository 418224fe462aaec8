//! All ports of one request, bound to the platform.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use worker::Env;

use super::binding::by_name;
use super::body::NativeBody;
use super::budget;
use super::edge::Edge;
use super::gate::GateStub;
use super::kv::{Kv, RENDITIONS};
use super::limiter::RateLimiter;
use super::live_config;
use super::live_ledger;
use super::object::Objects;
use super::stay::Stay;
use super::upstream::Fetcher;
use crate::admin::ports::{AdminHost, Class, DOCUMENTS_BINDING, ask_ledger};
use crate::cache::errands::Errands;
use crate::cache::ports::{Clock, Entropy, Fault, Host, Isolate, Limit, Secrets};
use crate::config::ConfigError;
use crate::purge::audit::AuditLedger;
use crate::purge::ledger::Ledger;
use crate::purge::question::{Answer, Question};

/// Cloudflare, as the core sees it.
#[derive(Debug)]
pub(super) struct CloudflareHost {
    env: Env,
    /// Each is bound when it is first asked for: a hit at the edge asks none of them.
    kv: OnceCell<Kv>,
    gate: OnceCell<Option<GateStub>>,
    misses: OnceCell<Option<RateLimiter>>,
    admin: OnceCell<Option<RateLimiter>>,
    documents: OnceCell<Kv>,
    stay: Stay,
}

impl CloudflareHost {
    /// Binds what the environment names.
    pub(super) fn bind(env: Env, stay: Stay) -> Self {
        let (kv, gate, documents) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (misses, admin) = (OnceCell::new(), OnceCell::new());
        Self { env, kv, gate, misses, admin, documents, stay }
    }
}

impl Clock for CloudflareHost {
    fn now_ms(&self) -> u64 {
        now_ms()
    }

    async fn sleep(&self, ms: u32) {
        budget::sleep(ms).await;
    }
}

impl Entropy for CloudflareHost {
    fn id(&self) -> u128 {
        CHANCE.with_borrow_mut(Vec::pop).unwrap_or_else(more_chance)
    }
}

/// Fetched from the platform for some requests at once: asking costs as much as all it gives.
fn more_chance() -> u128 {
    let mut bytes = [0; CHANCE_BYTES];
    // The platform's generator does not fail; a repeated name would only cost a cache entry.
    let _ = getrandom::fill(&mut bytes);
    let (words, _) = bytes.as_chunks();
    CHANCE.with_borrow_mut(|chance| {
        chance.extend(words.iter().copied().map(u128::from_le_bytes));
        chance.pop().unwrap_or_default()
    })
}

/// Of 32 requests.
const CHANCE_BYTES: usize = 512;

thread_local! {
    static CHANCE: RefCell<Vec<u128>> = const { RefCell::new(Vec::new()) };
}

/// Milliseconds since 1970.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is a whole number, and not negative
pub(super) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
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
        self.kv.get_or_init(|| Kv::bind(&self.env, RENDITIONS))
    }

    fn gate(&self) -> Option<&GateStub> {
        self.gate.get_or_init(|| GateStub::bind(&self.env)).as_ref()
    }

    fn limiter(&self, limit: Limit) -> Option<&RateLimiter> {
        let bound = match limit {
            Limit::Misses => &self.misses,
            Limit::Admin => &self.admin,
        };
        bound.get_or_init(|| RateLimiter::bind(&self.env, limit)).as_ref()
    }

    fn upstream(&self) -> &Fetcher {
        &Fetcher
    }
}

impl AdminHost for CloudflareHost {
    type Documents = Kv;

    fn documents(&self) -> &Kv {
        self.documents.get_or_init(|| Kv::bind(&self.env, DOCUMENTS_BINDING))
    }

    async fn ask_object(
        &self,
        class: Class,
        name: &str,
        question: &str,
        budget_ms: u32,
    ) -> Result<String, Fault> {
        let objects = Objects::bind(&self.env, class.binding())
            .ok_or_else(|| Fault::Unavailable("nothing is bound".to_owned()))?;
        objects.ask(name, question, budget_ms).await
    }

    fn has_binding(&self, binding: &str) -> bool {
        by_name(&self.env, binding).is_some()
    }

    fn deployed_layer(&self) -> Option<String> {
        live_config::deployed(&self.env)
    }

    fn hear_ledger(&self, ledger: &str) {
        live_ledger::hear(ledger);
    }

    fn take_stored_layer(&self, stored: &str) {
        live_config::take(&self.env, stored);
    }

    fn refused_layers(&self) -> Vec<ConfigError> {
        live_config::refused()
    }
}

impl AuditLedger for CloudflareHost {
    async fn ask(&self, question: &Question) -> Result<Answer, Fault> {
        ask_ledger(self, question).await
    }
}
