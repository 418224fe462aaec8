//! One warming job as a Durable Object.

use worker::{DurableObject, Env, State, durable_object};

use super::budget::within;
use super::host::CloudflareHost;
use super::object::ObjectStorage;
use super::stay::Stay;
use super::{live_config, live_ledger, log};
use crate::admin::warm::job::{self, Outcome, Question, Renditions};
use crate::admin::warm::one;
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::json;
use crate::limits::WARM_ITEM_MS_MAX;

/// The job that the object is named after.
#[allow(missing_debug_implementations)] // of the class that the macro makes of it
#[durable_object(alarm)]
pub struct Warmer {
    storage: ObjectStorage,
    env: Env,
}

impl DurableObject for Warmer {
    fn new(state: State, env: Env) -> Self {
        Self { storage: ObjectStorage::of(state), env }
    }

    /// A question as JSON in, the job as JSON out, or `null`; 400 for what is no question.
    async fn fetch(&self, mut request: worker::Request) -> worker::Result<worker::Response> {
        let Ok(question) = json::read::<Question>(&request.text().await?) else {
            return worker::Response::error("no question", 400);
        };
        let host = CloudflareHost::bind(self.env.clone(), Stay::without_viewer());
        let job = job::answer(&self.storage, &host, question).await.map_err(|it| broken(&it))?;
        worker::Response::ok(json::write(&job))
    }

    /// The next part of the work. Where this fails the platform wakes the object again.
    async fn alarm(&self) -> worker::Result<worker::Response> {
        log::install();
        let config = live_config::reread(&self.env).await;
        log::set_level(config.log.level);
        live_ledger::look_now(&self.env).await;
        let host = CloudflareHost::bind(self.env.clone(), Stay::without_viewer());
        let config = one::configuration(&config);
        let house = House { host: &host, config: &config };
        job::wake(&self.storage, &host, &house).await.map_err(|it| broken(&it))?;
        worker::Response::empty()
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

fn broken(fault: &Fault) -> worker::Error {
    tracing::error!(fault = %fault, "a warming job could not go on");
    worker::Error::RustError(fault.to_string())
}
