//! One warming job as a Durable Object.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::Env;

use super::binding::ObjectState;
use super::budget::within;
use super::host::CloudflareHost;
use super::object::{Said, answer, wake};
use super::stay::Stay;
use super::storage::ObjectStorage;
use super::{live_config, live_ledger, log};
use crate::admin::warm::job::{self, Outcome, Question, Renditions};
use crate::admin::warm::one;
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::json;
use crate::limits::WARM_ITEM_MS_MAX;

/// The job that the object is named after.
#[wasm_bindgen]
#[allow(unreachable_pub, missing_debug_implementations)] // by Rust
pub struct Warmer {
    parts: Rc<Parts>,
}

struct Parts {
    storage: ObjectStorage,
    env: Env,
}

#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
impl Warmer {
    /// With what is stored of it.
    #[wasm_bindgen(constructor)]
    pub fn new(state: ObjectState, env: Env) -> Self {
        Self { parts: Rc::new(Parts { storage: ObjectStorage::of(state), env }) }
    }

    /// A question as JSON in, the job as JSON out, or `null`.
    pub fn ask(&self, question: String, _asker: Request, answered: Function) {
        let parts = Rc::clone(&self.parts);
        answer(answered, async move {
            let Ok(question) = json::read::<Question>(&question) else { return Said::NoQuestion };
            let host = CloudflareHost::bind(parts.env.clone(), Stay::without_viewer());
            match job::answer(&parts.storage, &host, question).await {
                Ok(job) => Said::Answer(json::write(&job)),
                Err(fault) => {
                    broken(&fault);
                    Said::Failed(fault)
                }
            }
        });
    }

    /// The next part of the work.
    pub fn alarm(&self, done: Function, failed: Function) {
        let parts = Rc::clone(&self.parts);
        wake(done, failed, async move { parts.wake().await });
    }
}

impl Parts {
    async fn wake(&self) -> Result<(), Fault> {
        log::install();
        let config = live_config::reread(&self.env).await;
        log::set_level(config.log.level);
        live_ledger::look_now(&self.env).await;
        let host = CloudflareHost::bind(self.env.clone(), Stay::without_viewer());
        let config = one::configuration(&config);
        let house = House { host: &host, config: &config };
        job::wake(&self.storage, &host, &house).await.inspect_err(broken)
    }
}

/// Where renditions are made.
struct House<'a> {
    host: &'a CloudflareHost,
    config: &'a Config,
}

impl Renditions for House<'_> {
    async fn warm(&self, url: &str) -> Outcome {
        // On the heap: it is as large as a request.
        let work = Box::pin(one::warm(self.host, url, self.config));
        let late = |fault: Fault| Outcome::Unsettled(fault.to_string());
        within(WARM_ITEM_MS_MAX, work).await.unwrap_or_else(late)
    }
}

fn broken(fault: &Fault) {
    tracing::error!(fault = %fault, "a warming job could not go on");
}
