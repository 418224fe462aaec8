//! The storage of a durable object, in memory, with its limits as assertions.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use video_resizer::cache::ports::Fault;
use video_resizer::durable::{Change, Durable, Order};
use video_resizer::limits::{DURABLE_CHANGES_MAX, DURABLE_TEXT_BYTES_MAX};

use super::run::wait_turns;

/// What one object keeps.
#[derive(Debug, Default)]
pub(crate) struct FakeDurable {
    pub(crate) kept: RefCell<BTreeMap<String, String>>,
    /// When the object is to be woken.
    pub(crate) alarm_ms: Cell<Option<u64>>,
    /// Whether the platform refuses everything.
    pub(crate) is_broken: Cell<bool>,
}

impl FakeDurable {
    async fn operate(&self) -> Result<(), Fault> {
        wait_turns(1).await;
        let broken = Fault::Unavailable("the storage is broken".to_owned());
        if self.is_broken.get() { Err(broken) } else { Ok(()) }
    }
}

impl Durable for FakeDurable {
    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        self.operate().await?;
        Ok(self.kept.borrow().get(name).cloned())
    }

    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        self.operate().await?;
        let kept = self.kept.borrow();
        let is_here = |name: &str| match (order, after) {
            (_, None) => true,
            (Order::Ascending, Some(after)) => name > after,
            (Order::Descending, Some(after)) => name < after,
        };
        let mut found: Vec<_> = kept
            .iter()
            .filter(|(name, _)| name.starts_with(prefix) && is_here(name))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect();
        if order == Order::Descending {
            found.reverse();
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn change(&self, changes: &[Change]) -> Result<(), Fault> {
        assert!(changes.len() <= DURABLE_CHANGES_MAX, "{} changes at once", changes.len());
        self.operate().await?;
        let mut kept = self.kept.borrow_mut();
        for Change { name, text } in changes {
            match text {
                Some(text) => {
                    assert!(name.len() + text.len() <= DURABLE_TEXT_BYTES_MAX, "{name}");
                    kept.insert(name.clone(), text.clone());
                }
                None => drop(kept.remove(name)),
            }
        }
        Ok(())
    }

    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault> {
        self.operate().await?;
        self.alarm_ms.set(Some(at_ms));
        Ok(())
    }
}
