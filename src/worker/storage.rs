//! The storage of one durable object.

use js_sys::{Array, Map, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::binding::{ObjectState, object};
use super::budget::{fault, settled};
use super::host::now_ms;
use super::task;
use crate::cache::ports::Fault;
use crate::durable::{Change, Durable, Order};
use crate::limits::DURABLE_CHANGES_MAX;

/// The storage of the object this runs in.
#[derive(Debug)]
pub(super) struct ObjectStorage(ObjectState);

impl ObjectStorage {
    /// Of the object that was given this state.
    pub(super) fn of(state: ObjectState) -> Self {
        Self(state)
    }

    /// Work that goes on behind an answer.
    pub(super) fn go_on(&self, work: impl Future<Output = ()> + 'static) {
        task::stay(self.0.unchecked_ref(), work);
    }
}

impl Durable for ObjectStorage {
    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(settled(self.0.storage().get(name)).await?.as_string())
    }

    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let descends = matches!(order, Order::Descending);
        // The last name of those that descend is left out by itself; the first of those that ascend is not.
        let (bound, name) = match order {
            Order::Descending => ("end", after.map(str::to_owned)),
            Order::Ascending => ("start", after.map(|after| format!("{after}\0"))),
        };
        let name = name.map_or(JsValue::UNDEFINED, |name| JsValue::from_str(&name));
        let options = object(&[
            ("prefix", prefix.into()),
            ("limit", limit.into()),
            ("reverse", descends.into()),
            (bound, name),
        ]);
        let found = settled(self.0.storage().list(&options)).await?;
        let found: Map = found.dyn_into().map_err(|_| Fault::Corrupt("a list that is none"))?;
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
        let (puts, removals) = (Object::new(), Array::new());
        for Change { name, text } in changes {
            match text {
                Some(text) => {
                    let set = Reflect::set(&puts, &name.as_str().into(), &text.as_str().into());
                    set.map_err(|error| fault(&error))?;
                }
                None => drop(removals.push(&name.as_str().into())),
            }
        }
        let storage = self.0.storage();
        // Both are begun before either is awaited: such writes are one
        // (durable-objects/api/sqlite-storage-api, write coalescing).
        let put = (Object::keys(&puts).length() > 0).then(|| storage.put(&puts));
        let removed = (removals.length() > 0).then(|| storage.delete(&removals));
        let put = put.map(settled);
        let removed = removed.map(settled);
        let (put, removed) = futures_util::future::join(
            futures_util::future::OptionFuture::from(put),
            futures_util::future::OptionFuture::from(removed),
        )
        .await;
        put.transpose()?;
        removed.transpose()?;
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)] // a time of this age fits exactly
    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault> {
        let at_ms = at_ms.max(now_ms());
        settled(self.0.storage().set_alarm(at_ms as f64)).await.map(drop)
    }
}
