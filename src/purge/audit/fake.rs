//! An audit log and a ledger to try runs on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{AUDIT_TOKEN_SECRET, AuditLedger, Report, follow};
use crate::cache::ports::{Fault, Secrets};
use crate::config::Config;
use crate::http::date::rfc3339;
use crate::http::timestamp;
use crate::json;
use crate::limits::{AUDIT_OVERLAP_MS, AUDITED_MAX};
use crate::purge::ports::{ApiAnswer, ApiCall, CloudflareApi};
use crate::purge::question::{Answer, AuditedPurge, Question};
use crate::purge::zone::payload_digest;

pub(super) const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
/// 2026-11-23T00:00:00Z.
pub(super) const NOW_MS: u64 = 1_795_392_000_000;

/// A purge by tag as the log has it; its tag is its id.
pub(super) fn purge(id: &str, at_ms: u64) -> Value {
    json!({
        "id": id,
        "action": {"result": "success", "time": rfc3339(at_ms), "type": "create"},
        "actor": {"id": "1", "context": "dash", "email": "ann@example.com", "type": "user"},
        "raw": {"method": "POST", "status_code": 200, "uri": format!("/zones/{ZONE}/purge_cache"), "user_agent": "Mozilla/5.0"},
        "resource": {"product": "purge_cache", "request": {"tags": [id]}},
        "zone": {"id": ZONE, "name": "example.com"},
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
    /// In none, the same for every page of a reading.
    Shuffled,
}

/// How a log shows that a page is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Missing,
    Empty,
    /// Not at all: pages after it are empty.
    Never,
}

/// The account's log.
#[derive(Debug)]
pub(super) struct FakeLog {
    /// With the time from which it is shown.
    pub records: RefCell<Vec<(Value, u64)>>,
    pub now_ms: Cell<u64>,
    pub page: usize,
    pub order: Order,
    pub end: End,
    /// Every page begins with the last record of the page before.
    pub repeats: bool,
    /// Where there are more records to a page than this, it is too large.
    pub room: usize,
    /// What is answered instead, call by call.
    pub instead: RefCell<VecDeque<Option<Result<ApiAnswer, Fault>>>>,
    pub urls: RefCell<Vec<String>>,
}

impl Default for FakeLog {
    fn default() -> Self {
        Self {
            records: RefCell::default(),
            now_ms: Cell::new(NOW_MS),
            page: 100,
            order: Order::Ascending,
            end: End::Missing,
            repeats: false,
            room: usize::MAX,
            instead: RefCell::default(),
            urls: RefCell::default(),
        }
    }
}

impl FakeLog {
    pub(super) fn of(records: impl IntoIterator<Item = Value>) -> Self {
        let log = Self::default();
        records.into_iter().for_each(|record| log.add(record, 0));
        log
    }

    pub(super) fn add(&self, record: Value, shown_from_ms: u64) {
        self.records.borrow_mut().push((record, shown_from_ms));
    }

    fn page(&self, query: &BTreeMap<&str, String>) -> Value {
        let time = |name: &str| timestamp::parse(&query[name]).unwrap();
        let (since_ms, before_ms) = (time("since"), time("before"));
        let mut shown: Vec<Value> = self
            .records
            .borrow()
            .iter()
            .filter_map(|(record, from_ms)| {
                let at_ms = super::record::time_ms(&record.clone().into()).unwrap_or(since_ms);
                let is_shown =
                    *from_ms <= self.now_ms.get() && at_ms >= since_ms && at_ms <= before_ms;
                is_shown.then(|| record.clone())
            })
            .collect();
        shown.sort_by_cached_key(|record| match self.order {
            Order::Ascending | Order::Descending => record["action"]["time"].to_string(),
            Order::Shuffled => {
                let text = record["id"].to_string();
                format!(
                    "{:016x}",
                    text.bytes().fold(7_u64, |hash, it| (hash ^ u64::from(it))
                        .wrapping_mul(0x9e37_79b9_7f4a_7c15))
                )
            }
        });
        if self.order == Order::Descending {
            shown.reverse();
        }
        let limit = self.page.min(query["limit"].parse().unwrap());
        let start: usize = query
            .get("cursor")
            .map_or(0, |cursor| cursor.strip_prefix("at/").unwrap().parse().unwrap());
        let end = (start + limit).min(shown.len());
        let first = if self.repeats { start.saturating_sub(1) } else { start };
        let records = shown.get(first.min(end)..end).unwrap_or_default();
        let cursor = match (end < shown.len() || self.end == End::Never, self.end) {
            (true, _) => json!({"count": records.len().to_string(), "cursor": format!("at/{end}")}),
            (false, End::Empty) => json!({"cursor": ""}),
            (false, _) => json!({}),
        };
        json!({"success": true, "errors": [], "result": records, "result_info": cursor})
    }
}

impl CloudflareApi for FakeLog {
    async fn call(&self, call: &ApiCall) -> Result<ApiAnswer, Fault> {
        assert_eq!((call.token.reveal(), &call.body), ("secret", &None));
        self.urls.borrow_mut().push(call.url.clone());
        if let Some(Some(instead)) = self.instead.borrow_mut().pop_front() {
            return instead;
        }
        let (address, query) = call.url.split_once('?').unwrap();
        assert_eq!(address, "https://api.example/client/v4/accounts/my-account/logs/audit");
        let query: BTreeMap<&str, String> = query
            .split('&')
            .map(|it| {
                let (name, value) = it.split_once('=').unwrap();
                (name, value.replace("%2F", "/"))
            })
            .collect();
        let wanted = [("direction", "asc"), ("resource_product", "purge_cache"), ("zone_id", ZONE)];
        for (name, value) in wanted {
            assert_eq!(query[name], value);
        }
        let page = self.page(&query);
        if query["limit"].parse::<usize>().unwrap().min(self.page) > self.room {
            return Err(Fault::TooLarge { bytes: 2, bytes_max: 1 });
        }
        Ok(ApiAnswer { status: 200, retry_after_s: None, body: page.to_string() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    Never,
    /// It does not hear.
    Before,
    /// It hears, and nobody hears it.
    After,
}

/// A ledger that writes down what it takes, as the ledger's object does it.
#[derive(Debug)]
pub(super) struct FakeLedger {
    pub until_ms: Cell<Option<u64>>,
    pub seen: RefCell<BTreeMap<String, u64>>,
    /// Payload of a purge that it made itself.
    pub own: RefCell<Option<Value>>,
    pub taken: RefCell<Vec<AuditedPurge>>,
    pub breaks: Cell<Breaks>,
}

impl Default for FakeLedger {
    fn default() -> Self {
        Self {
            until_ms: Cell::default(),
            seen: RefCell::default(),
            own: RefCell::default(),
            taken: RefCell::default(),
            breaks: Cell::new(Breaks::Never),
        }
    }
}

impl FakeLedger {
    /// Read up to here.
    pub(super) fn read_until(until_ms: u64) -> Self {
        Self { until_ms: Cell::new(Some(until_ms)), ..Self::default() }
    }

    pub(super) fn until_ms(&self) -> u64 {
        self.until_ms.get().unwrap()
    }

    /// Ids in the order they were taken.
    pub(super) fn ids(&self) -> Vec<String> {
        self.taken.borrow().iter().map(|purge| purge.id.clone()).collect()
    }

    fn audited(&self, purges: Vec<AuditedPurge>, until_ms: u64) -> Answer {
        assert!(purges.len() <= AUDITED_MAX);
        let (mut applied, mut repeated, mut echoes) = (Vec::new(), 0, 0);
        for purge in purges {
            assert!(!purge.order.targets.is_empty());
            if self.seen.borrow_mut().insert(purge.id.clone(), purge.at_ms).is_some() {
                repeated += 1;
            } else if self
                .own
                .borrow()
                .as_ref()
                .is_some_and(|own| payload_digest(&own.clone().into()) == purge.payload)
            {
                echoes += 1;
            } else {
                self.taken.borrow_mut().push(purge);
                applied.push(self.taken.borrow().len() as u64);
            }
        }
        let until_ms = self.until_ms.get().unwrap_or_default().max(until_ms);
        self.until_ms.set(Some(until_ms));
        self.seen.borrow_mut().retain(|_, at_ms| *at_ms + AUDIT_OVERLAP_MS >= until_ms);
        Answer::Audited { applied, repeated, echoes, ledger: String::new() }
    }
}

impl AuditLedger for FakeLedger {
    async fn ask(&self, question: &Question) -> Result<Answer, Fault> {
        let broken = || Fault::Unavailable("broken".into());
        // As it crosses to the object.
        let text = json::write(question);
        match json::read(&text).unwrap() {
            Question::AuditState => Ok(Answer::AuditState { until_ms: self.until_ms.get() }),
            Question::Audited { .. } if self.breaks.get() == Breaks::Before => Err(broken()),
            Question::Record(_)
            | Question::Receipt { .. }
            | Question::Log { .. }
            | Question::Ledger
            | Question::Sweep
            | Question::Swept { .. } => panic!("{text}"),
            Question::Audited { purges, until_ms } => {
                let answer = self.audited(purges, until_ms);
                if self.breaks.get() == Breaks::After { Err(broken()) } else { Ok(answer) }
            }
        }
    }
}

/// Secrets by name.
pub(super) struct Pocket(pub &'static [&'static str]);

impl Secrets for Pocket {
    fn secret(&self, name: &str) -> Option<String> {
        let is_there = self.0.contains(&name);
        is_there.then(|| {
            if name == AUDIT_TOKEN_SECRET { "secret".to_owned() } else { "other".to_owned() }
        })
    }
}

pub(super) static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let purge = json!({"accountId": "my-account", "zoneId": ZONE, "apiUrl": "https://api.example/client/v4"});
    Config::check(&json!({ "purge": purge })).unwrap()
});

/// A run at the time of the log.
pub(super) fn run_on(log: &FakeLog, ledger: &FakeLedger) -> Report {
    let secrets = Pocket(&[AUDIT_TOKEN_SECRET, "PURGE_API_TOKEN"]);
    follow(log, ledger, &secrets, &CONFIG, log.now_ms.get()).now_or_never().unwrap().unwrap()
}
