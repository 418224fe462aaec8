//! The book of configurations as a Durable Object.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::Env;

use super::binding::ObjectState;
use super::budget;
use super::host::now_ms;
use super::kv::Kv;
use super::live_config;
use super::object::{Said, answer, wake};
use super::storage::ObjectStorage;
use crate::admin::config_book::{self, Desk};
use crate::admin::ports::DOCUMENTS_BINDING;
use crate::cache::ports::{Clock, Fault};
use crate::json;

/// The one object of its class: see [`config_book`].
#[wasm_bindgen]
#[allow(unreachable_pub, missing_debug_implementations)] // by Rust
pub struct ConfigBook {
    parts: Rc<Parts>,
}

struct Parts {
    storage: ObjectStorage,
    env: Env,
    book: config_book::ConfigBook,
}

#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
impl ConfigBook {
    /// With what is stored of it.
    #[wasm_bindgen(constructor)]
    pub fn new(state: ObjectState, env: Env) -> Self {
        let (storage, book) = (ObjectStorage::of(state), config_book::ConfigBook::default());
        Self { parts: Rc::new(Parts { storage, env, book }) }
    }

    /// A question as JSON in, an answer as JSON out.
    pub fn ask(&self, question: String, _asker: Request, answered: Function) {
        let parts = Rc::clone(&self.parts);
        answer(answered, async move {
            let Ok(question) = json::read(&question) else { return Said::NoQuestion };
            let documents = Kv::bind(&parts.env, DOCUMENTS_BINDING);
            match parts.book.answer(&parts.desk(&documents), question).await {
                Ok(answer) => Said::Answer(json::write(&answer)),
                Err(fault) => Said::Failed(fault),
            }
        });
    }

    /// It has set itself an alarm.
    pub fn alarm(&self, done: Function, failed: Function) {
        let parts = Rc::clone(&self.parts);
        wake(done, failed, async move { parts.wake().await });
    }
}

impl Parts {
    async fn wake(&self) -> Result<(), Fault> {
        let documents = Kv::bind(&self.env, DOCUMENTS_BINDING);
        self.book.wake(&self.desk(&documents)).await
    }

    fn desk<'a>(&'a self, documents: &'a Kv) -> Desk<'a, ObjectStorage, Kv, Time> {
        let deployed = live_config::deployed(&self.env);
        Desk { storage: &self.storage, documents, clock: &Time, deployed }
    }
}

/// The time, where there is no request to have a host.
struct Time;

impl Clock for Time {
    fn now_ms(&self) -> u64 {
        now_ms()
    }

    async fn sleep(&self, ms: u32) {
        budget::sleep(ms).await;
    }
}
