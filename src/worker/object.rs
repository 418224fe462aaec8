//! Durable objects: the way to one, and its own storage.

use std::time::Duration;

use js_sys::{Array, JsString, Map, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, RequestInit, Response};
use worker::{Env, ListOptions, State};

use super::binding::{ObjectNamespace, by_name};
use super::budget::{fault, settled, within};
use super::host::now_ms;
use crate::cache::ports::Fault;
use crate::durable::{Change, Durable, Order};
use crate::limits::DURABLE_CHANGES_MAX;

/// Objects are asked by name and not by URL, yet a request must have one.
const URL: &str = "https://object/";

/// All objects of one class.
#[derive(Debug)]
pub(super) struct Objects(ObjectNamespace);

impl Objects {
    /// `None` where nothing is bound under this name.
    pub(super) fn bind(env: &Env, binding: &str) -> Option<Self> {
        by_name(env, binding).map(|binding| Self(binding.unchecked_into()))
    }

    /// Asks the object of this name: a text in, a text out. A status other than 200 is a fault.
    pub(super) async fn ask(
        &self,
        name: &str,
        question: &str,
        budget_ms: u32,
    ) -> Result<String, Fault> {
        let abort = AbortController::new().map_err(|error| fault(&error))?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(question));
        init.set_signal(Some(&abort.signal()));
        match within(budget_ms, self.answer(name, &init)).await {
            Ok(answer) => answer,
            Err(late) => {
                abort.abort();
                Err(late)
            }
        }
    }

    async fn answer(&self, name: &str, init: &RequestInit) -> Result<String, Fault> {
        let object = self.0.get_by_name(name).map_err(|error| fault(&error))?;
        let response = settled(object.fetch(URL, init)).await?;
        let response: Response =
            response.dyn_into().map_err(|_| Fault::Corrupt("an object gave no response"))?;
        let text = settled(response.text()).await?;
        if !response.ok() {
            return Err(Fault::Unavailable(format!("an object answered {}", response.status())));
        }
        text.dyn_into::<JsString>()
            .map(String::from)
            .map_err(|_| Fault::Corrupt("an object gave no text"))
    }
}

/// The storage of the object this runs in.
#[derive(Debug)]
pub(super) struct ObjectStorage(State);

impl ObjectStorage {
    /// Of the object that was given this state.
    pub(super) fn of(state: State) -> Self {
        Self(state)
    }

    /// Work that goes on behind an answer.
    pub(super) fn go_on(&self, work: impl Future<Output = ()> + 'static) {
        self.0.wait_until(work);
    }
}

impl Durable for ObjectStorage {
    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        self.0.storage().get(name).await.map_err(|error| unavailable(&error))
    }

    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        let begin = after.map(|after| format!("{after}\0"));
        let mut options = ListOptions::new().prefix(prefix).limit(limit);
        options = match (order, after, begin.as_deref()) {
            (Order::Descending, Some(end), _) => options.reverse(true).end(end),
            (Order::Descending, None, _) => options.reverse(true),
            (Order::Ascending, _, Some(start)) => options.start(start),
            (Order::Ascending, _, None) => options,
        };
        let found = self.0.storage().list_with_options(options).await;
        let found: Map = found.map_err(|error| unavailable(&error))?;
        let entries = Array::from(&found.entries());
        let text = |entry: &Array, index| entry.get(index).as_string();
        let entry = |entry: JsValue| {
            let entry: Array = entry.dyn_into().ok()?;
            Some((text(&entry, 0)?, text(&entry, 1)?))
        };
        Ok(entries.iter().filter_map(entry).collect())
    }

    async fn change(&self, changes: &[Change]) -> Result<(), Fault> {
        if changes.len() > DURABLE_CHANGES_MAX {
            let (bytes, bytes_max) = (changes.len() as u64, DURABLE_CHANGES_MAX as u64);
            return Err(Fault::TooLarge { bytes, bytes_max });
        }
        let puts = Object::new();
        let mut removals = Vec::new();
        for Change { name, text } in changes {
            match text {
                Some(text) => {
                    let set = Reflect::set(&puts, &name.as_str().into(), &text.as_str().into());
                    set.map_err(|error| fault(&error))?;
                }
                None => removals.push(name.as_str()),
            }
        }
        let storage = self.0.storage();
        // Both are begun before either is awaited: such writes are one
        // (durable-objects/api/sqlite-storage-api, write coalescing).
        let (put, removed) = futures_util::future::join(
            async {
                if Object::keys(&puts).length() == 0 {
                    return Ok(());
                }
                storage.put_multiple_raw(puts.clone()).await
            },
            async {
                if removals.is_empty() {
                    return Ok(0);
                }
                storage.delete_multiple(removals.clone()).await
            },
        )
        .await;
        put.map_err(|error| unavailable(&error))?;
        removed.map(drop).map_err(|error| unavailable(&error))
    }

    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault> {
        let wait_ms = at_ms.saturating_sub(now_ms());
        let set = self.0.storage().set_alarm(Duration::from_millis(wait_ms)).await;
        set.map_err(|error| unavailable(&error))
    }
}

fn unavailable(error: &worker::Error) -> Fault {
    Fault::Unavailable(error.to_string())
}
