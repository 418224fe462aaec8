//! The book of configurations as a Durable Object.

use worker::{DurableObject, Env, State, durable_object};

use super::budget;
use super::host::now_ms;
use super::kv::Kv;
use super::live_config;
use super::object::ObjectStorage;
use crate::admin::config_book::{self, Desk};
use crate::admin::ports::DOCUMENTS_BINDING;
use crate::cache::ports::Clock;
use crate::json;

/// The one object of its class: see [`config_book`].
#[allow(missing_debug_implementations)] // of the class that the macro makes of it
#[durable_object(alarm)]
pub struct ConfigBook {
    storage: ObjectStorage,
    env: Env,
    book: config_book::ConfigBook,
}

impl DurableObject for ConfigBook {
    fn new(state: State, env: Env) -> Self {
        Self { storage: ObjectStorage::of(state), env, book: config_book::ConfigBook::default() }
    }

    /// A question as JSON in, an answer as JSON out; 400 for what is no question, 500 where the storage fails.
    async fn fetch(&self, mut request: worker::Request) -> worker::Result<worker::Response> {
        let Ok(question) = json::read(&request.text().await?) else {
            return worker::Response::error("no question", 400);
        };
        let documents = Kv::bind(&self.env, DOCUMENTS_BINDING);
        match self.book.answer(&self.desk(&documents), question).await {
            Ok(answer) => worker::Response::ok(json::write(&answer)),
            Err(fault) => worker::Response::error(fault.to_string(), 500),
        }
    }

    /// An alarm that fails is rung again by the platform.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        let documents = Kv::bind(&self.env, DOCUMENTS_BINDING);
        let woken = self.book.wake(&self.desk(&documents)).await;
        woken.map_err(|fault| worker::Error::from(fault.to_string()))?;
        worker::Response::empty()
    }
}

impl ConfigBook {
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
