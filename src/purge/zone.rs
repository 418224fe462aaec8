//! The zone's own cache is purged as well: what of a purge it can be told, and what waits to be told.
//!
//! What is ours there is purged by tag; only single renditions by their address. The zone holds more than ours, so
//! nothing of it is ever purged whole, not by host and not by everything.

use super::order::Order;
use super::ports::{ApiAnswer, ApiCall};
use super::settings::{Settings, Zone};
use super::target::Target;
use crate::cache::key::digest_128;
use crate::cache::ports::Fault;
use crate::cache::tags;
use crate::json::{Map, Value, choice, record};
use crate::limits::{
    ECHO_KEPT_MS, ECHO_SKEW_MS, ECHOES_MAX, ZONE_BURST, ZONE_ERROR_CHARS_MAX, ZONE_ITEMS_MAX,
    ZONE_QUEUE_BYTES_MAX, ZONE_REFUSED_MS, ZONE_RETRY_MS_MAX, ZONE_RETRY_MS_MIN, ZONE_TIMEOUT_MS,
};
use crate::sorted::{Sorted, sort};

/// One thing the zone is told to purge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// What carries a cache tag.
    Tag(String),
    /// What is kept under an address.
    File(String),
}

choice! { Item {
    "tag" => Tag(tag),
    "file" => File(url),
} }

/// What the zone is told of an order; empty only for an order of nothing.
pub fn items(order: &Order, settings: &Settings) -> Vec<Item> {
    let mut items: Vec<Item> = order.files.iter().cloned().map(Item::File).collect();
    for target in &order.targets {
        match target {
            Target::Tag(tag) => items.push(Item::Tag(tag.clone())),
            Target::Path(path) => items.push(Item::Tag(tags::asset_tag(&settings.tags, path))),
            Target::Prefix(prefix) if !prefix.folder().is_empty() => {
                items.push(Item::Tag(tags::folder_tag(&settings.tags, prefix.folder())));
            }
            // A host carries no tag: all that is ours, rather than all that is the zone's.
            Target::Prefix(_) | Target::Host(_) | Target::Everything => {
                items.extend(ours(settings));
            }
            // Its address is among the files.
            Target::Variant(_) => {}
        }
    }
    sort(&mut items);
    items
}

/// The tags between which everything of ours is.
fn ours(settings: &Settings) -> impl Iterator<Item = Item> {
    settings.origins.iter().map(|origin| Item::Tag(tags::origin_tag(&settings.tags, origin)))
}

/// What waits to be told, oldest first, and what was told lately.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    waiting: Vec<Waiting>,
    /// Requests that may be made at once, in millionths, as of `as_of_ms`.
    spared: u64,
    as_of_ms: u64,
    next_try_ms: u64,
    failures: u32,
    last_error: String,
    is_refused: bool,
    echoes: Vec<Echo>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    item: Item,
    /// The first purge that waits for it, and the last.
    from: u64,
    to: u64,
    /// Whether it was in a request that the zone called wrong.
    is_suspect: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Echo {
    digest: String,
    at_ms: u64,
}

record! { Queue, PassedOver {
    "waiting" => waiting,
    "spared" => spared,
    "as_of_ms" => as_of_ms,
    "next_try_ms" => next_try_ms,
    "failures" => failures,
    "last_error" => last_error or default,
    "is_refused" => is_refused or default,
    "echoes" => echoes or default,
} }

record! { Waiting, PassedOver {
    "item" => item,
    "from" => from,
    "to" => to,
    "is_suspect" => is_suspect or nothing,
} }

record! { Echo, PassedOver {
    "digest" => digest,
    "at_ms" => at_ms,
} }

/// A request that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    items: Vec<Item>,
    /// The last purge that was recorded when it was made.
    number: u64,
    echo: (String, u64),
    /// The request.
    pub call: ApiCall,
}

/// Bytes of one that waits beside its text, as it is stored.
const WAITING_BYTES: usize = 64;

/// A token of the bucket.
const WHOLE: u64 = 1_000_000;

impl Queue {
    /// Nothing waits, and the bucket is full.
    pub fn new() -> Self {
        Self { spared: ZONE_BURST * WHOLE, ..Self::default() }
    }

    /// These are to be told for a purge. What waits already waits for this purge too.
    pub fn add(&mut self, items: Vec<Item>, number: u64, settings: &Settings) {
        let mut is_known = Sorted::default();
        for item in items {
            is_known.insert(item, false);
        }
        for waiting in &mut self.waiting {
            if let Some(is_known) = is_known.get_mut(&waiting.item) {
                (waiting.to, *is_known) = (number, true);
            }
        }
        for (item, is_known) in is_known.into_entries() {
            if !is_known {
                self.waiting.push(Waiting { item, from: number, to: number, is_suspect: false });
            }
        }
        let bytes: usize = self.waiting.iter().map(|it| it.item.text().len() + WAITING_BYTES).sum();
        if bytes > ZONE_QUEUE_BYTES_MAX {
            let from = self.first().unwrap_or(number);
            let all =
                ours(settings).map(|item| Waiting { item, from, to: number, is_suspect: false });
            self.waiting = all.collect();
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The zone has been told of every purge before this one; `None` where it has been of all.
    pub fn first(&self) -> Option<u64> {
        self.waiting.iter().map(|it| it.from).min()
    }

    /// Items that wait for a purge.
    pub fn left(&self, number: u64) -> u64 {
        self.waiting.iter().filter(|it| it.from <= number && number <= it.to).count() as u64
    }

    /// What the zone said last, where it did not do what it was told.
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    /// Whether only an operator can mend that.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// When something is to be done; `None` for never.
    pub fn due_ms(&self, settings: &Settings) -> Option<u64> {
        if self.waiting.is_empty() {
            return None;
        }
        let per_minute = match &settings.zone {
            // It may be configured again.
            Zone::Off | Zone::WithoutToken => return Some(self.next_try_ms),
            Zone::On { per_minute, .. } => *per_minute,
        };
        let missing = WHOLE.saturating_sub(self.spared);
        let refilled_ms = self.as_of_ms + (missing * 60_000).div_ceil(per_minute * WHOLE);
        Some(self.next_try_ms.max(refilled_ms))
    }

    /// The next request, where one is due. It has been counted, and will be known again in the audit log.
    pub fn next(&mut self, number: u64, settings: &Settings, now_ms: u64) -> Option<Batch> {
        let first = self.waiting.first()?;
        let (is_tag, is_suspect) = (matches!(first.item, Item::Tag(_)), first.is_suspect);
        let (url, token, per_minute) = match &settings.zone {
            Zone::On { url, token, per_minute } => (url.clone(), token.clone(), *per_minute),
            Zone::Off | Zone::WithoutToken => {
                if self.next_try_ms <= now_ms {
                    "purge.zoneId or the secret PURGE_API_TOKEN is not set"
                        .clone_into(&mut self.last_error);
                    (self.is_refused, self.next_try_ms) = (true, now_ms + ZONE_REFUSED_MS);
                }
                return None;
            }
        };
        self.refill(per_minute, now_ms);
        if self.next_try_ms > now_ms || self.spared < WHOLE {
            return None;
        }
        // What is suspect goes alone, for one wrong address spoils the request it is in.
        let (kept, count) = if is_suspect { (true, 1) } else { (false, ZONE_ITEMS_MAX) };
        let alike = self
            .waiting
            .iter()
            .filter(|it| matches!(it.item, Item::Tag(_)) == is_tag && it.is_suspect == kept);
        let items: Vec<Item> = alike.take(count).map(|it| it.item.clone()).collect();
        let member = if is_tag { "tags" } else { "files" };
        let mut payload = Map::default();
        let list = items.iter().map(|item| Value::from(item.text())).collect();
        payload.insert(member.to_owned(), Value::Array(list));
        let payload = Value::Object(payload);
        let echo = (payload_digest(&payload), now_ms);
        self.spared -= WHOLE;
        self.echoes.retain(|echo| now_ms.saturating_sub(echo.at_ms) < ECHO_KEPT_MS);
        let excess = (self.echoes.len() + 1).saturating_sub(ECHOES_MAX);
        self.echoes.drain(..excess);
        self.echoes.push(Echo { digest: echo.0.clone(), at_ms: now_ms });
        let body = Some(payload.to_string());
        let call = ApiCall { url, token, body, budget_ms: ZONE_TIMEOUT_MS };
        Some(Batch { items, number, echo, call })
    }

    /// What came of a request; `jitter` is any number.
    ///
    /// What was asked for again meanwhile stays: it may have been filled after the zone did as it was told. Where the
    /// zone did not, or nobody knows, the request is no echo: a purge that is applied twice costs renditions, one that
    /// is taken for ours and is not would be lost.
    pub fn settle(
        &mut self,
        batch: &Batch,
        answer: &Result<ApiAnswer, Fault>,
        now_ms: u64,
        jitter: u128,
    ) {
        let is_wrong = is_of_a_wrong_address(batch, answer);
        if is_wrong && batch.items.len() > 1 {
            let suspects = self.waiting.iter_mut().filter(|it| batch.items.contains(&it.item));
            suspects.for_each(|it| it.is_suspect = true);
        }
        let is_given_up = is_wrong && batch.items.len() == 1;
        if is_given_up {
            tracing::warn!(items = ?batch.items, "the zone has no such address");
        }
        let (error, wait_ms, is_refused) = match judge(answer) {
            _ if is_given_up => {
                self.told(batch, now_ms);
                return;
            }
            Err((error, ..)) if is_wrong => (error, None, false),
            Ok(()) => {
                self.told(batch, now_ms);
                return;
            }
            Err(refusal) => refusal,
        };
        let ours = |echo: &Echo| echo.digest == batch.echo.0 && echo.at_ms == batch.echo.1;
        self.echoes.retain(|echo| !ours(echo));
        let doubled_ms = ZONE_RETRY_MS_MIN << self.failures.min(16);
        let backoff_ms = doubled_ms.min(ZONE_RETRY_MS_MAX);
        let spread_ms = u64::try_from(jitter % u128::from(backoff_ms / 4 + 1)).unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        self.next_try_ms = now_ms + wait_ms.unwrap_or(backoff_ms - spread_ms);
        self.is_refused = is_refused;
        self.last_error = error.chars().take(ZONE_ERROR_CHARS_MAX).collect();
    }

    /// Nothing of a request waits any more, but what was asked for again meanwhile.
    fn told(&mut self, batch: &Batch, now_ms: u64) {
        self.waiting.retain_mut(|it| {
            if batch.items.contains(&it.item) {
                it.from = it.from.max(batch.number + 1);
            }
            it.from <= it.to
        });
        (self.failures, self.is_refused, self.next_try_ms) = (0, false, now_ms);
        self.last_error.clear();
    }

    /// Whether this payload was sent by us at about that time; only once for each time.
    pub fn takes_echo(&mut self, digest: &str, at_ms: u64) -> bool {
        let near =
            |echo: &Echo| echo.digest == digest && echo.at_ms.abs_diff(at_ms) <= ECHO_SKEW_MS;
        let found = self.echoes.iter().position(near);
        found.map(|at| self.echoes.remove(at)).is_some()
    }

    fn refill(&mut self, per_minute: u64, now_ms: u64) {
        let since_ms = now_ms.saturating_sub(self.as_of_ms);
        let gained = since_ms.saturating_mul(per_minute * WHOLE) / 60_000;
        self.spared = self.spared.saturating_add(gained).min(ZONE_BURST * WHOLE);
        self.as_of_ms = now_ms;
    }

    /// When the next request may be made, as far as failures decide.
    pub fn next_try_ms(&self) -> u64 {
        self.next_try_ms
    }
}

impl Item {
    fn text(&self) -> &str {
        match self {
            Self::Tag(text) | Self::File(text) => text,
        }
    }
}

/// Names what was sent to the purge API, in whatever order its lists were: for our own requests, and for those that
/// the audit log tells of.
pub fn payload_digest(payload: &Value) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (member, value) in payload.as_object().into_iter().flat_map(Map::iter) {
        match value.as_array() {
            Some(list) => lines.extend(list.iter().map(|item| format!("{member} {item}"))),
            None => lines.push(format!("{member} {value}")),
        }
    }
    sort(&mut lines);
    digest_128(&lines.join("\n"))
}

/// Whether the zone says that an address is not one of its own. Operators name addresses of any host, and whoever may
/// purge cannot mend that. Errors of its purge have codes from 1000 to 1999; those of tokens and routes have others.
fn is_of_a_wrong_address(batch: &Batch, answer: &Result<ApiAnswer, Fault>) -> bool {
    let Ok(ApiAnswer { status: 400, body, .. }) = answer else { return false };
    let document = Value::parse(body).unwrap_or_default();
    let code = document.pointer("/errors/0/code").and_then(Value::as_u64);
    let are_files = batch.items.iter().all(|item| matches!(item, Item::File(_)));
    are_files && code.is_some_and(|code| (1_000..2_000).contains(&code))
}

/// Whether the zone did as it was told; else what it said, how long to wait where it said that, and whether only an
/// operator can mend it.
fn judge(answer: &Result<ApiAnswer, Fault>) -> Result<(), (String, Option<u64>, bool)> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return Err((fault.to_string(), None, false)),
    };
    let document = Value::parse(&answer.body).unwrap_or_default();
    let is_done = document.get("success") == Some(&Value::Bool(true));
    let waited_ms =
        answer.retry_after_s.map(|seconds| seconds.saturating_mul(1_000).min(ZONE_REFUSED_MS));
    let message = document
        .pointer("/errors/0/message")
        .and_then(Value::as_str)
        .map(|message| format!(": {message}"))
        .unwrap_or_default();
    let told = format!("Cloudflare's API answered {}{message}", answer.status);
    match answer.status {
        200..=299 if is_done => Ok(()),
        // Too early, or too many.
        408 | 425 | 429 => Err((told, waited_ms, false)),
        400..=499 => Err((told, Some(ZONE_REFUSED_MS), true)),
        _ => Err((told, waited_ms, false)),
    }
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
