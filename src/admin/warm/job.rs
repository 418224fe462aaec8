//! One warming job, in a durable object of its own: what is to be warm, and how far it has come.
//!
//! A job goes on by being woken. Each time it takes the next few renditions, writes down that it tries them, makes them,
//! writes down what came of each, and asks to be woken again. Before anything else it asks to be woken later in any
//! case: whatever dies on the way, somebody comes back. At most the renditions under way are lost, and those are tried
//! again; what was made of them is found in KV, and not made twice.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use futures_util::future::join_all;

use crate::cache::ports::{Clock, Fault};
use crate::durable::{Change, Durable, Order};
use crate::json::{self, Foreign, record, tagged, words};
use crate::limits::{
    WARM_AT_ONCE, WARM_ITEM_MS_MAX, WARM_ITEMS_MAX, WARM_KEPT_MS, WARM_PAUSE_MS, WARM_TRIES_MAX,
    WARM_WATCH_MS,
};
use crate::sorted::Sorted;

/// What a job is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// To be, and to begin. Of a job that is already there nothing changes.
    Begin {
        /// Its name: 32 hex digits.
        id: String,
        /// Who wants it; empty where nobody said.
        by: String,
        /// Absolute URLs of different renditions, at most [`WARM_ITEMS_MAX`].
        urls: Vec<String>,
    },
    /// How far it has come.
    Look,
}

tagged! { Question, "ask", Refused {
    "begin" => Begin { "id" => id, "by" => by, "urls" => urls },
    "look" => Look {},
} }

/// A job and how far it has come. The answer to every [`Question`]; `None` where there is no such job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What is known of it as a whole.
    pub head: Head,
    /// Its renditions, in the order they were asked for.
    pub items: Vec<Item>,
}

record! { Job, PassedOver {
    "head" => head,
    "items" => items,
} }

/// What is known of a job as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub id: String,
    /// When it was asked for, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who wanted it; empty where nobody said.
    pub by: String,
    /// When it last took up renditions.
    pub turn_ms: u64,
    /// When its last rendition was over.
    pub finished_ms: Option<u64>,
}

record! { Head, PassedOver {
    "id" => id,
    "at_ms" => at_ms,
    "by" => by,
    "turn_ms" => turn_ms,
    "finished_ms" => finished_ms,
} }

/// One rendition of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where viewers ask for it.
    pub url: String,
    /// What has become of it.
    pub state: State,
    /// How often it was taken up.
    pub tries: u32,
    /// Why it failed, or has to be tried again; empty where it was not so.
    pub detail: String,
}

record! { Item, PassedOver {
    "url" => url,
    "state" => state,
    "tries" => tries,
    "detail" => detail,
} }

/// What has become of a rendition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing yet, or it is under way.
    Pending,
    /// It was made for this job, and KV has it.
    Made,
    /// KV had it, or somebody else made it meanwhile.
    Already,
    /// KV has not got it.
    Failed,
}

words! { State {
    "pending" => Pending,
    "made" => Made,
    "already" => Already,
    "failed" => Failed,
} }

/// How one try to warm a rendition ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was made, and KV has taken it.
    Made,
    /// It was there.
    Already,
    /// It is not there, and another try would find the same.
    Failed(String),
    /// It is not there, and another try may help.
    Unsettled(String),
}

/// What a job needs of the house: one rendition warm at a time.
pub trait Renditions {
    /// Sees to it that KV has the rendition of this URL fresh.
    async fn warm(&self, url: &str) -> Outcome;
}

/// Answers a question. An error says that nothing is certain: the job may be there or not.
pub async fn answer(
    storage: &impl Durable,
    clock: &impl Clock,
    question: Question,
) -> Result<Option<Job>, Fault> {
    let found = read(storage).await?;
    match (question, found) {
        (Question::Begin { id, by, urls }, None) => {
            let now_ms = clock.now_ms();
            let head = Head { id, at_ms: now_ms, by, turn_ms: now_ms, finished_ms: None };
            begin(storage, head, urls, now_ms).await.map(Some)
        }
        (_, Some(job)) => {
            if job.stands_still(clock.now_ms()) {
                // The platform wakes a few times and no more where an object fails again and again.
                storage.wake_at(clock.now_ms()).await?;
            }
            Ok(Some(job))
        }
        (Question::Look, None) => Ok(None),
    }
}

/// Does the next part of the work, where there is any. An error says that it must be woken again.
pub async fn wake(
    storage: &impl Durable,
    clock: &impl Clock,
    renditions: &impl Renditions,
) -> Result<(), Fault> {
    let Some(Job { head, items }) = read(storage).await? else { return Ok(()) };
    if let Some(finished_ms) = head.finished_ms {
        return forget_in_time(storage, finished_ms, items.len(), clock.now_ms()).await;
    }
    storage.wake_at(clock.now_ms().saturating_add(WARM_WATCH_MS)).await?;
    let batch = next(&items);
    if batch.is_empty() {
        let finished_ms = clock.now_ms();
        let head = Head { finished_ms: Some(finished_ms), ..head };
        storage.change(&[of_head(&head)]).await?;
        return storage.wake_at(finished_ms.saturating_add(WARM_KEPT_MS)).await;
    }
    let mut changes = vec![of_head(&Head { turn_ms: clock.now_ms(), ..head })];
    for &(at, item) in &batch {
        changes.push(of_item(at, &Item { tries: item.tries.saturating_add(1), ..item.clone() }));
    }
    storage.change(&changes).await?;
    let work = batch.into_iter().map(async |(at, item)| {
        let after = try_once(item, renditions).await;
        storage.change(&[of_item(at, &after)]).await?;
        Ok(after.state)
    });
    let states: Vec<Result<State, Fault>> = join_all(work).await;
    let states: Vec<State> = states.into_iter().collect::<Result<_, _>>()?;
    let pause_ms = if states.contains(&State::Pending) { WARM_PAUSE_MS } else { 0 };
    storage.wake_at(clock.now_ms().saturating_add(pause_ms)).await
}

/// One try, and what is known of the rendition after it.
async fn try_once(item: &Item, renditions: &impl Renditions) -> Item {
    let after = |tries, state, detail| Item { url: item.url.clone(), state, tries, detail };
    if item.tries >= WARM_TRIES_MAX {
        // No try came to an end: whatever it is, it is not done once more.
        let cut_short = || format!("it was cut short {WARM_TRIES_MAX} times");
        let detail =
            Some(item.detail.clone()).filter(|it| !it.is_empty()).unwrap_or_else(cut_short);
        return after(item.tries, State::Failed, detail);
    }
    let tries = item.tries + 1;
    match renditions.warm(&item.url).await {
        Outcome::Made => after(tries, State::Made, String::new()),
        Outcome::Already => after(tries, State::Already, String::new()),
        Outcome::Failed(detail) => after(tries, State::Failed, detail),
        Outcome::Unsettled(detail) if tries >= WARM_TRIES_MAX => {
            after(tries, State::Failed, detail)
        }
        Outcome::Unsettled(detail) => after(tries, State::Pending, detail),
    }
}

/// What is taken up next: those that were tried least, in their order.
fn next(items: &[Item]) -> Vec<(usize, &Item)> {
    let pending = items.iter().enumerate().filter(|(_, item)| item.state == State::Pending);
    let mut by_tries = Sorted::default();
    for (at, item) in pending {
        by_tries.insert((item.tries, at), item);
    }
    by_tries.iter().take(WARM_AT_ONCE).map(|((_, at), item)| (*at, *item)).collect()
}

impl Job {
    /// How many renditions are in this state.
    pub fn count(&self, state: State) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }

    /// Whether nobody can be at it any more, though it is not finished.
    fn stands_still(&self, now_ms: u64) -> bool {
        let alive_ms = WARM_WATCH_MS.saturating_add(u64::from(WARM_ITEM_MS_MAX));
        self.head.finished_ms.is_none() && now_ms.saturating_sub(self.head.turn_ms) > alive_ms
    }
}

async fn begin(
    storage: &impl Durable,
    head: Head,
    urls: Vec<String>,
    now_ms: u64,
) -> Result<Job, Fault> {
    let item = |url| Item { url, state: State::Pending, tries: 0, detail: String::new() };
    let items: Vec<Item> = urls.into_iter().take(WARM_ITEMS_MAX).map(item).collect();
    let mut changes = vec![of_head(&head)];
    for (at, item) in items.iter().enumerate() {
        changes.push(of_item(at, item));
    }
    // Whoever dies between the next two leaves a job that begins later, or a call for nothing.
    storage.wake_at(now_ms.saturating_add(WARM_WATCH_MS)).await?;
    storage.change(&changes).await?;
    storage.wake_at(now_ms).await?;
    Ok(Job { head, items })
}

/// Leaves nothing of a job whose time is over.
async fn forget_in_time(
    storage: &impl Durable,
    finished_ms: u64,
    items: usize,
    now_ms: u64,
) -> Result<(), Fault> {
    let until_ms = finished_ms.saturating_add(WARM_KEPT_MS);
    if now_ms < until_ms {
        return storage.wake_at(until_ms).await;
    }
    let names = (0..items).map(name).chain([HEAD.to_owned()]);
    let changes: Vec<Change> = names.map(Change::delete).collect();
    storage.change(&changes).await
}

async fn read(storage: &impl Durable) -> Result<Option<Job>, Fault> {
    let Some(head) = storage.get(HEAD).await? else { return Ok(None) };
    let head = json::read(&head).map_err(|Foreign| UNREADABLE)?;
    let found = storage.list(ITEM, Order::Ascending, None, WARM_ITEMS_MAX).await?;
    let items = found.iter().map(|(_, text)| json::read(text).map_err(|Foreign| UNREADABLE));
    Ok(Some(Job { head, items: items.collect::<Result<_, _>>()? }))
}

fn of_head(head: &Head) -> Change {
    Change::put(HEAD, json::write(head))
}

fn of_item(at: usize, item: &Item) -> Change {
    Change::put(name(at), json::write(item))
}

/// Names of items are in the order of the items.
fn name(at: usize) -> String {
    format!("{ITEM}{at:03}")
}

const HEAD: &str = "job";
const ITEM: &str = "item:";
const UNREADABLE: Fault = Fault::Corrupt("a warming job cannot be read");

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
