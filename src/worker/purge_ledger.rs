//! The ledger of purges as a Durable Object, and the way to it.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::Env;

use super::binding::ObjectState;
use super::budget;
use super::cloudflare_api::Api;
use super::host::now_ms;
use super::kv::{Kv, RENDITIONS};
use super::live_config;
use super::log;
use super::object::{Objects, Said, answer, wake};
use super::storage::ObjectStorage;
use crate::admin::ports::Documents as _;
use crate::cache::ports::{Clock, Entropy, Fault, Secrets};
use crate::json::{self, Foreign};
use crate::limits::{KV_CACHE_TTL_S_MIN, LEDGER_ASK_TIMEOUT_MS};
use crate::purge::MIRROR_KEY;
use crate::purge::book::{Book, Desk};
use crate::purge::ports::Mirror;
use crate::purge::question::{Answer, BINDING, NAME, Question};
use crate::purge::settings::Settings;

/// The one object of its class: see [`crate::purge::book`].
#[wasm_bindgen]
#[allow(unreachable_pub, missing_debug_implementations)] // by Rust
pub struct PurgeLedger {
    desk: Rc<Parts>,
}

/// What the object has; work that goes on behind an answer shares it.
struct Parts {
    storage: ObjectStorage,
    env: Env,
    book: Book,
}

#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
impl PurgeLedger {
    /// With what is stored of it.
    #[wasm_bindgen(constructor)]
    pub fn new(state: ObjectState, env: Env) -> Self {
        log::install();
        let storage = ObjectStorage::of(state);
        Self { desk: Rc::new(Parts { storage, env, book: Book::default() }) }
    }

    /// A question as JSON in, an answer as JSON out.
    pub fn ask(&self, question: String, _asker: Request, answered: Function) {
        let desk = Rc::clone(&self.desk);
        answer(answered, async move {
            let Ok(question) = json::read(&question) else { return Said::NoQuestion };
            match desk.answer(question).await {
                Ok(answer) => {
                    if matches!(answer, Answer::Recorded { .. } | Answer::Audited { .. }) {
                        // An alarm does it too, when it is done with the zone.
                        let mirroring = Rc::clone(&desk);
                        desk.storage.go_on(async move { mirroring.mirror().await });
                    }
                    Said::Answer(json::write(&answer))
                }
                Err(fault) => Said::Failed(fault),
            }
        });
    }

    /// It has set itself an alarm.
    pub fn alarm(&self, done: Function, failed: Function) {
        let desk = Rc::clone(&self.desk);
        wake(done, failed, async move { desk.wake().await });
    }
}

impl Parts {
    async fn answer(&self, question: Question) -> Result<Answer, Fault> {
        let (mirror, settings) = (Kv::bind(&self.env, RENDITIONS), self.settings().await);
        self.book.answer(&self.desk(&mirror, &settings), question).await
    }

    async fn mirror(&self) {
        let (mirror, settings) = (Kv::bind(&self.env, RENDITIONS), self.settings().await);
        if let Err(fault) = self.book.mirror(&self.desk(&mirror, &settings)).await {
            tracing::warn!(fault = %fault, "the ledger of purges was not mirrored");
        }
    }

    async fn wake(&self) -> Result<(), Fault> {
        let (mirror, settings) = (Kv::bind(&self.env, RENDITIONS), self.settings().await);
        self.book.wake(&self.desk(&mirror, &settings)).await
    }

    async fn settings(&self) -> Settings {
        let config = live_config::recent(&self.env).await;
        log::set_level(config.log.level);
        Settings::of(&config, &Names(&self.env))
    }

    fn desk<'a>(
        &'a self,
        mirror: &'a Kv,
        settings: &'a Settings,
    ) -> Desk<'a, ObjectStorage, Kv, Api, Chance> {
        Desk { storage: &self.storage, mirror, api: &Api, clock: &Chance, settings }
    }
}

impl Mirror for Kv {
    async fn write(&self, text: &str, budget_ms: u32) -> Result<(), Fault> {
        self.put(MIRROR_KEY, text, budget_ms).await
    }

    async fn read(&self, budget_ms: u32) -> Result<Option<String>, Fault> {
        if !self.is_bound() {
            return Ok(None);
        }
        self.text(MIRROR_KEY, KV_CACHE_TTL_S_MIN, budget_ms).await
    }
}

/// Time and chance, where there is no request to have a host.
struct Chance;

impl Clock for Chance {
    fn now_ms(&self) -> u64 {
        now_ms()
    }

    async fn sleep(&self, ms: u32) {
        budget::sleep(ms).await;
    }
}

impl Entropy for Chance {
    fn id(&self) -> u128 {
        let mut bytes = [0; 16];
        // The platform's generator does not fail; it only spreads retries here.
        let _ = getrandom::fill(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

struct Names<'a>(&'a Env);

impl Secrets for Names<'_> {
    fn secret(&self, name: &str) -> Option<String> {
        self.0.secret(name).ok().map(|secret| secret.to_string())
    }
}

/// Whether there is such an object.
pub(super) fn is_bound(env: &Env) -> bool {
    Objects::bind(env, BINDING).is_some()
}

/// Asks the ledger's object.
pub(super) async fn ask(env: &Env, question: &Question, budget_ms: u32) -> Result<Answer, Fault> {
    let objects = Objects::bind(env, BINDING)
        .ok_or_else(|| Fault::Unavailable(format!("nothing is bound to {BINDING}")))?;
    let question = json::write(question);
    let answer = objects.ask(NAME, &question, budget_ms.min(LEDGER_ASK_TIMEOUT_MS)).await?;
    json::read(&answer).map_err(|Foreign| Fault::Corrupt("the ledger gave no answer"))
}
