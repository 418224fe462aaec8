//! Purges made in Cloudflare's dashboard or through its API, found in the account's audit log.
//!
//! Nothing tells a worker that somebody purged its zone, but the account's audit log has every cache purge with
//! what was purged (Audit Logs v2). A run by the clock reads what is new there and hands it to the ledger.
//!
//! # Exactly once
//!
//! The ledger remembers up to when the log was read whole, the watermark, and which records it took ([`seen`]). A run
//! reads from an hour before the watermark, for records that come late, and the ledger takes each of them once, by
//! its id. The watermark moves to the end of a stretch only when the last page of that stretch was read, so nothing
//! depends on the order in which the log is given. A stretch with too many pages is made shorter and read again.
//!
//! # What the API says
//!
//! Documented (developers.cloudflare.com/api, accounts/logs/audit; fundamentals, audit-logs; changelog of 2025-11-25):
//! `GET /accounts/{account}/logs/audit` with `since` and `before` (both required, RFC 3339), `direction`, `limit` (100
//! by default), `cursor`, and filters, `resource_product` and `zone_id` among them. An answer has `result` and
//! `result_info.cursor`. A record has `id`, `action.{result,time,type}`, `actor`, `raw.{status_code,uri,user_agent}`,
//! `resource.{product,request}` and `zone.{id,name}`, every one of them optional. A cache purge has the product
//! `purge_cache`, and its `request` is what the purge was asked with; the example shows `{"files": ["https://…"]}`.
//! Token permission: Account Settings Read. Records are kept for 18 months.
//!
//! Inferred: `request` of the other forms is the body of `POST /zones/{zone}/purge_cache`, word for word (`tags`, `hosts`,
//! `prefixes`, `files` with objects of `url` and `headers`, `purge_everything`). Not documented: how late records come,
//! whether `since` is inclusive (users see that it is), and how the last page is known. So a page without a cursor is the
//! last, and so is the second of two empty ones; one client of Cloudflare's reads `result_info.cursors.after`, and so do
//! we where there is no `cursor`.

pub mod page;
pub mod record;
pub mod seen;

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Mode;
use super::ports::{ApiToken, CloudflareApi};
use super::target::Target;
use crate::cache::ports::Fault;
use crate::http::timestamp;
use crate::limits::{
    AUDIT_FIRST_MS, AUDIT_OVERLAP_MS, AUDIT_PAGE_RECORDS, AUDIT_PAGES_MAX, AUDIT_REACH_MS,
    AUDIT_RESUME_MS, AUDIT_STRETCHES_MAX,
};
use page::Page;
use record::Reading;
use seen::{AuditPurge, AuditState, Audited};

/// The log of an account, and whose purges in it are ours to follow.
#[derive(Debug, Clone, Copy)]
pub struct AuditLog<'a> {
    /// `purge.apiUrl`, without a trailing slash.
    pub api_url: &'a str,
    /// The account's id.
    pub account_id: &'a str,
    /// The id of the zone this worker serves.
    pub zone_id: &'a str,
    /// May read the account's settings.
    pub token: &'a ApiToken,
}

/// The ledger, as this asks it.
#[allow(async_fn_in_trait)] // its advice is about `Send`
pub trait AuditLedger {
    /// How far the log was read, and what was taken of it.
    async fn audit_state(&self) -> Result<AuditState, Fault>;

    /// Takes what is new of these purges, and moves the watermark; gives back how many it took.
    async fn audited(&self, audited: &Audited) -> Result<u64, Fault>;
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Pages that were read.
    pub pages: u32,
    /// Purges that are now in the ledger and were not before.
    pub purges: u64,
    /// Records of purges that this product made itself.
    pub own: u64,
    /// Records of purges that failed.
    pub failed: u64,
    /// Records of other things, or of purges that bear on nothing of ours.
    pub other: u64,
    /// Records of purges that were not understood, wholly or in part.
    pub unread: u64,
    /// Milliseconds since 1970 up to which the log was read whole.
    pub until_ms: u64,
    /// Why no more was read.
    pub fault: Option<Fault>,
}

/// One run: reads what is new in the log, hands it to the ledger, and says in the log what it did.
///
/// `targets_of_url` says what is purged with a URL; nothing, where nothing of ours can be there. What was found before
/// something failed is handed over all the same. An error is that of the ledger.
pub async fn run<A: CloudflareApi, L: AuditLedger>(
    api: &A,
    ledger: &L,
    log: &AuditLog<'_>,
    targets_of_url: impl Fn(&str) -> Vec<Target>,
    now_ms: u64,
) -> Result<Report, Fault> {
    let state = ledger.audit_state().await?;
    let mut run = Run {
        api,
        log,
        targets_of_url,
        now_ms,
        seen: state.seen.iter().cloned().collect(),
        oldest_ms: 0,
        limit: AUDIT_PAGE_RECORDS,
        found: BTreeMap::new(),
        counted: BTreeSet::new(),
        report: Report::default(),
    };
    let mut until_ms = run.start(&state);
    match run.read(until_ms, state.since_ms).await {
        Ok(read_ms) => until_ms = read_ms,
        Err(fault) => run.report.fault = Some(fault),
    }
    let Run { found, mut report, .. } = run;
    let mut purges: Vec<AuditPurge> = found.into_values().collect();
    purges.sort_by(|one, other| (one.at_ms, &one.id).cmp(&(other.at_ms, &other.id)));
    report.purges = ledger.audited(&Audited { purges, until_ms }).await?;
    report.until_ms = until_ms;
    tell(&report);
    Ok(report)
}

/// A run that is under way.
struct Run<'a, A, F> {
    api: &'a A,
    log: &'a AuditLog<'a>,
    targets_of_url: F,
    now_ms: u64,
    /// Ids that the ledger took before.
    seen: BTreeSet<String>,
    /// Records before this have been forgotten, and are not asked for.
    oldest_ms: u64,
    limit: u32,
    /// By id: a record may come twice, on two pages or in two stretches.
    found: BTreeMap<String, AuditPurge>,
    /// Ids that the report counts already.
    counted: BTreeSet<String>,
    report: Report,
}

/// How the reading of a stretch ended.
enum Stretch {
    /// With its last page.
    Whole,
    /// It has too many pages; half of the records that were seen are older than this.
    TooLong { middle_ms: Option<u64> },
    /// A page of it was too large to be read.
    TooLarge,
}

impl<A: CloudflareApi, F: Fn(&str) -> Vec<Target>> Run<'_, A, F> {
    /// The watermark this run goes on from. Where that is out of reach, purges may be lost: everything is renewed.
    fn start(&mut self, state: &AuditState) -> u64 {
        let until_ms = state.until_ms.unwrap_or(self.now_ms.saturating_sub(AUDIT_FIRST_MS));
        if self.now_ms.saturating_sub(until_ms) <= AUDIT_REACH_MS {
            return until_ms.min(self.now_ms);
        }
        let since = timestamp::format(until_ms);
        tracing::error!(
            since,
            "the audit log was not read for too long: everything is purged softly"
        );
        let id = format!("gap:{until_ms}");
        let note = format!("the audit log was not read since {since}");
        self.find(AuditPurge {
            id,
            at_ms: self.now_ms,
            by: String::new(),
            note,
            mode: Mode::Soft,
            targets: vec![Target::Everything],
        });
        self.now_ms.saturating_sub(AUDIT_RESUME_MS)
    }

    /// Reads from before the watermark to now, or as far as can be read whole; gives back how far.
    async fn read(&mut self, until_ms: u64, since_ms: u64) -> Result<u64, Fault> {
        let (mut overlap_ms, mut before_ms) = (AUDIT_OVERLAP_MS, self.now_ms);
        for _ in 0..AUDIT_STRETCHES_MAX {
            let from_ms = until_ms.saturating_sub(overlap_ms).max(since_ms);
            self.oldest_ms = from_ms.saturating_sub(AUDIT_OVERLAP_MS).max(since_ms);
            match self.stretch(from_ms, before_ms).await? {
                Stretch::Whole => return Ok(before_ms),
                Stretch::TooLarge if self.limit > 1 => self.limit /= 10,
                Stretch::TooLarge => {
                    return Err(Fault::Unavailable(
                        "a record of the audit log is too large".into(),
                    ));
                }
                Stretch::TooLong { middle_ms } => {
                    let halfway_ms = until_ms + before_ms.saturating_sub(until_ms) / 2;
                    match middle_ms.map(|middle_ms| middle_ms.min(halfway_ms)) {
                        Some(middle_ms) if middle_ms > until_ms => before_ms = middle_ms,
                        Some(_) => overlap_ms /= 2,
                        None => before_ms = halfway_ms,
                    }
                }
            }
        }
        Err(Fault::Unavailable("the audit log has more than a run can read".into()))
    }

    /// Reads the records from `from_ms` to `before_ms`.
    async fn stretch(&mut self, from_ms: u64, before_ms: u64) -> Result<Stretch, Fault> {
        let mut cursor: Option<String> = None;
        let (mut times, mut is_empty_again) = (Vec::new(), false);
        for _ in 0..AUDIT_PAGES_MAX {
            let asked =
                page::ask(self.api, self.log, from_ms, before_ms, self.limit, &cursor).await;
            let Page { records, next } = match asked {
                Err(Fault::TooLarge { .. }) => return Ok(Stretch::TooLarge),
                asked => asked?,
            };
            self.report.pages += 1;
            for record in &records {
                times.push(self.take(record));
            }
            let is_last = next.is_none() || (records.is_empty() && is_empty_again);
            if is_last {
                return Ok(Stretch::Whole);
            }
            if next == cursor && !records.is_empty() {
                return Err(Fault::Corrupt("the audit log gives one page again and again"));
            }
            is_empty_again = records.is_empty();
            cursor = next;
        }
        times.sort_unstable();
        Ok(Stretch::TooLong { middle_ms: times.get(times.len() / 2).copied() })
    }

    /// Takes one record; gives back its time.
    fn take(&mut self, record: &serde_json::Value) -> u64 {
        let id = record::id(record);
        let at_ms = record::time_ms(record).unwrap_or(self.now_ms);
        if at_ms < self.oldest_ms || self.seen.contains(&id) || !self.counted.insert(id.clone()) {
            return at_ms;
        }
        match record::read(record, self.log.zone_id, &self.targets_of_url) {
            Reading::Other => self.report.other += 1,
            Reading::Failed => self.report.failed += 1,
            Reading::Own => self.report.own += 1,
            Reading::Purge { targets, is_understood } => {
                let (by, note) = record::author(record);
                if !is_understood {
                    self.report.unread += 1;
                    let rest = AuditPurge {
                        // What was understood keeps the id.
                        id: if targets.is_empty() { id.clone() } else { format!("{id}:rest") },
                        at_ms,
                        by: by.clone(),
                        note: format!("{note}, not understood"),
                        mode: Mode::Soft,
                        targets: vec![Target::Everything],
                    };
                    tracing::error!(
                        id,
                        "a purge in the audit log was not understood: everything is purged softly"
                    );
                    self.find(rest);
                }
                if !targets.is_empty() {
                    self.find(AuditPurge { id, at_ms, by, note, mode: Mode::Hard, targets });
                } else if is_understood {
                    self.report.other += 1;
                }
            }
        }
        at_ms
    }

    fn find(&mut self, purge: AuditPurge) {
        self.found.insert(purge.id.clone(), purge);
    }
}

fn tell(report: &Report) {
    let Report { pages, purges, own, failed, other, unread, until_ms, fault } = report;
    let until = timestamp::format(*until_ms);
    if let Some(fault) = fault {
        tracing::error!(fault = %fault, until, "the audit log could not be read");
    }
    if *purges > 0 || *unread > 0 {
        tracing::info!(pages, purges, own, failed, other, unread, until, "the audit log was read");
    } else {
        tracing::debug!(pages, purges, own, failed, other, unread, until, "the audit log was read");
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod run_tests;
