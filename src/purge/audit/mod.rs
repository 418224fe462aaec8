//! Purges made in Cloudflare's dashboard or through its API, found in the account's audit log.
//!
//! Nothing tells a worker that somebody purged its zone, but the account's audit log has every cache purge with
//! what was purged (Audit Logs v2). A run by the clock reads what is new there and hands it to the ledger.
//!
//! # Exactly once
//!
//! The ledger remembers up to when the log was read whole, the watermark, and which records it took. A run reads from
//! an hour before the watermark, for records that come late, and the ledger takes each of them once, by its id; what it
//! did to the zone itself it knows again, and does not take. The watermark moves to the end of a stretch only when the last page of that stretch was read, so nothing
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

mod page;
mod record;

use super::ledger::Mode;
use super::order::Order;
use super::ports::{ApiToken, CloudflareApi};
use super::question::{Answer, AuditedPurge, Question};
use super::settings::TOKEN_SECRET;
use crate::cache::ports::{Fault, Secrets};
use crate::config::Config;
use crate::http::date::rfc3339;
use crate::json::Value;
use crate::limits::{
    AUDIT_AGAIN_MS, AUDIT_FIRST_MS, AUDIT_OVERLAP_MS, AUDIT_PAGE_RECORDS, AUDIT_PAGES_MAX,
    AUDIT_REACH_MS, AUDIT_RESUME_MS, AUDIT_STRETCHES_MAX, AUDITED_MAX,
};
use crate::sorted::{Sorted, nth};
use page::Page;
use record::Reading;

/// Name of the secret that may read the account's audit log.
pub const AUDIT_TOKEN_SECRET: &str = "AUDIT_API_TOKEN";

/// The ledger's object, as this asks it.
#[allow(async_fn_in_trait)] // its advice is about `Send`
pub trait AuditLedger {
    /// Asks one question.
    async fn ask(&self, question: &Question) -> Result<Answer, Fault>;
}

/// The log of an account, and the zone whose purges are looked for.
#[derive(Debug)]
struct AuditLog<'a> {
    account_id: &'a str,
    zone_id: &'a str,
    token: ApiToken,
    config: &'a Config,
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Pages that were read.
    pub pages: u32,
    /// Purges that are now in the ledger and were not before.
    pub purges: u64,
    /// Records of purges that the ledger made itself.
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

/// One run: reads what is new in the log, hands it to the ledger, and says in our log what it did. `None` where no
/// account is configured, and nothing is asked.
///
/// What was found before something failed is handed over all the same.
pub async fn follow<A: CloudflareApi, L: AuditLedger>(
    api: &A,
    ledger: &L,
    secrets: &impl Secrets,
    config: &Config,
    now_ms: u64,
) -> Option<Report> {
    let account_id = config.purge.account_id.as_deref()?;
    let report = match AuditLog::of(account_id, config, secrets) {
        Ok(log) => Run::of(api, &log, now_ms).run(ledger).await,
        Err(fault) => Report { fault: Some(fault), ..Report::default() },
    };
    let Report { pages, purges, own, failed, other, unread, until_ms, fault } = &report;
    let until = rfc3339(*until_ms);
    if let Some(fault) = fault {
        tracing::error!(fault = %fault, until, "the audit log could not be read");
    }
    // A record comes again for an hour, and is news once.
    if *purges > 0 && *unread > 0 {
        tracing::error!(
            unread,
            "a purge in the audit log was not understood: everything is purged softly"
        );
    }
    if *purges > 0 {
        tracing::info!(pages, purges, own, failed, other, unread, until, "the audit log was read");
    } else {
        tracing::debug!(pages, purges, own, failed, other, unread, until, "the audit log was read");
    }
    Some(report)
}

impl<'a> AuditLog<'a> {
    fn of(account_id: &'a str, config: &'a Config, secrets: &impl Secrets) -> Result<Self, Fault> {
        let zone_id = config.purge.zone_id.as_deref();
        let zone_id =
            zone_id.ok_or_else(|| Fault::Unavailable("purge.zoneId is not set".to_owned()))?;
        let secret = secrets.secret(AUDIT_TOKEN_SECRET).or_else(|| secrets.secret(TOKEN_SECRET));
        let token = secret.and_then(ApiToken::new);
        let token = token.ok_or_else(|| Fault::SecretMissing(AUDIT_TOKEN_SECRET.to_owned()))?;
        Ok(Self { account_id, zone_id, token, config })
    }
}

/// A run that is under way.
struct Run<'a, A> {
    api: &'a A,
    log: &'a AuditLog<'a>,
    now_ms: u64,
    /// What is older was read long ago, and the ledger may not know it again.
    oldest_ms: u64,
    limit: u32,
    /// Ids of records: one may come twice, on two pages or in two stretches.
    met: Sorted<String, ()>,
    /// By their times, and those of one time by their ids.
    found: Sorted<(u64, String), AuditedPurge>,
    report: Report,
}

/// How the reading of a stretch ended.
enum Stretch {
    /// With its last page.
    Whole,
    /// It has too many pages; those that were read have records of these times.
    TooLong { times: Vec<u64> },
    /// A page of it was too large to be read.
    TooLarge,
}

impl<'a, A: CloudflareApi> Run<'a, A> {
    fn of(api: &'a A, log: &'a AuditLog<'a>, now_ms: u64) -> Self {
        let (met, found, report) = (Sorted::default(), Sorted::default(), Report::default());
        Self { api, log, now_ms, oldest_ms: 0, limit: AUDIT_PAGE_RECORDS, met, found, report }
    }

    async fn run<L: AuditLedger>(mut self, ledger: &L) -> Report {
        let until_ms = match ledger.ask(&Question::AuditState).await {
            Ok(Answer::AuditState { until_ms }) => self.start(until_ms),
            other => {
                self.report.fault = Some(unexpected(other));
                return self.report;
            }
        };
        self.report.until_ms = until_ms;
        let read_ms = match self.read(until_ms).await {
            Ok(read_ms) => read_ms,
            Err(fault) => {
                self.report.fault = Some(fault);
                until_ms
            }
        };
        match self.hand_over(ledger, until_ms, read_ms).await {
            Ok(()) => self.report.until_ms = read_ms,
            Err(fault) => self.report.fault = Some(fault),
        }
        self.report
    }

    /// The watermark this run goes on from. Where that is out of reach, purges may be missed: everything is renewed.
    fn start(&mut self, until_ms: Option<u64>) -> u64 {
        let until_ms = until_ms.unwrap_or(self.now_ms.saturating_sub(AUDIT_FIRST_MS));
        if self.now_ms.saturating_sub(until_ms) <= AUDIT_REACH_MS {
            return until_ms.min(self.now_ms);
        }
        let since = rfc3339(until_ms);
        tracing::error!(
            since,
            "the audit log was not read for too long: everything is purged softly"
        );
        let note = format!("the audit log was not read since {since}");
        let order = everything_softly(String::new(), note);
        let (id, payload) = (format!("gap:{until_ms}"), String::new());
        self.find(AuditedPurge { id, at_ms: self.now_ms, payload, order });
        self.now_ms.saturating_sub(AUDIT_RESUME_MS)
    }

    /// Reads from before the watermark to now, or as far as can be read whole; gives back how far.
    async fn read(&mut self, until_ms: u64) -> Result<u64, Fault> {
        let (mut again_ms, mut before_ms) = (AUDIT_AGAIN_MS, self.now_ms);
        self.oldest_ms = until_ms.saturating_sub(AUDIT_OVERLAP_MS);
        for attempt in 0..AUDIT_STRETCHES_MAX {
            match self.stretch(until_ms.saturating_sub(again_ms), before_ms).await? {
                Stretch::Whole => return Ok(before_ms),
                Stretch::TooLarge if self.limit > 1 => self.limit /= 10,
                Stretch::TooLarge => {
                    return Err(Fault::Unavailable(
                        "a record of the audit log is too large".into(),
                    ));
                }
                Stretch::TooLong { times } => {
                    let new: Vec<u64> = times.into_iter().filter(|it| *it > until_ms).collect();
                    let middle_ms = nth(&new, new.len() / 2).unwrap_or(before_ms);
                    let halfway_ms = until_ms + before_ms.saturating_sub(until_ms) / 2;
                    before_ms = middle_ms.min(halfway_ms);
                    // What is new comes first: where it alone is not too much, less is read again.
                    if attempt > 0 || new.is_empty() {
                        again_ms /= 2;
                    }
                }
            }
        }
        Err(Fault::Unavailable("the audit log has more than a run can read".into()))
    }

    /// Reads the records from `from_ms` to `before_ms`.
    async fn stretch(&mut self, from_ms: u64, before_ms: u64) -> Result<Stretch, Fault> {
        let mut cursor: Option<String> = None;
        let (mut times, mut was_empty) = (Vec::new(), false);
        for _ in 0..AUDIT_PAGES_MAX {
            let range = (from_ms, before_ms);
            let asked = page::ask(self.api, self.log, range, self.limit, cursor.as_deref()).await;
            let Page { records, next } = match asked {
                Err(Fault::TooLarge { .. }) => return Ok(Stretch::TooLarge),
                asked => asked?,
            };
            self.report.pages += 1;
            times.extend(records.iter().map(|record| self.take(record)));
            if next.is_none() || (records.is_empty() && was_empty) {
                return Ok(Stretch::Whole);
            }
            if next == cursor && !records.is_empty() {
                return Err(Fault::Corrupt("the audit log gives one page again and again"));
            }
            was_empty = records.is_empty();
            cursor = next;
        }
        Ok(Stretch::TooLong { times })
    }

    /// Takes one record; gives back its time.
    fn take(&mut self, record: &Value) -> u64 {
        let id = record::id(record);
        let at_ms = record::time_ms(record).unwrap_or(self.now_ms);
        if at_ms < self.oldest_ms || self.met.insert(id.clone(), ()).is_some() {
            return at_ms;
        }
        match record::read(record, self.log.zone_id, self.log.config) {
            Reading::Other => self.report.other += 1,
            Reading::Failed => self.report.failed += 1,
            Reading::Purge { order, payload, is_understood } => {
                let is_ours = !order.targets.is_empty();
                if !is_understood {
                    self.report.unread += 1;
                    let note = format!("{}, not understood", order.note);
                    let order = everything_softly(order.by.clone(), note);
                    // What was understood keeps the id.
                    let id = if is_ours { format!("{id}:rest") } else { id.clone() };
                    self.find(AuditedPurge { id, at_ms, payload: String::new(), order });
                }
                if is_ours {
                    self.find(AuditedPurge { id, at_ms, payload, order: *order });
                } else if is_understood {
                    self.report.other += 1;
                }
            }
        }
        at_ms
    }

    fn find(&mut self, purge: AuditedPurge) {
        self.found.insert((purge.at_ms, purge.id.clone()), purge);
    }

    /// Tells the ledger what was found, the oldest first, and with the last of it how far the log was read.
    async fn hand_over<L: AuditLedger>(
        &mut self,
        ledger: &L,
        until_ms: u64,
        read_ms: u64,
    ) -> Result<(), Fault> {
        let found = std::mem::take(&mut self.found).into_entries();
        let mut purges: Vec<AuditedPurge> = found.into_iter().map(|(_, purge)| purge).collect();
        loop {
            let rest = purges.split_off(purges.len().min(AUDITED_MAX));
            let until_ms = if rest.is_empty() { read_ms } else { until_ms };
            let question = Question::Audited { purges, until_ms };
            match ledger.ask(&question).await {
                Ok(Answer::Audited { applied, echoes, .. }) => {
                    self.report.purges += applied.len() as u64;
                    self.report.own += echoes;
                }
                other => return Err(unexpected(other)),
            }
            if rest.is_empty() {
                return Ok(());
            }
            purges = rest;
        }
    }
}

fn everything_softly(by: String, note: String) -> Order {
    let mut order = Order::of(Mode::Soft, by, note);
    order.aim_at_everything();
    order
}

fn unexpected(answer: Result<Answer, Fault>) -> Fault {
    match answer {
        Err(fault) => fault,
        Ok(Answer::Refused { why }) => Fault::Unavailable(format!("the ledger refuses: {why}")),
        Ok(_) => Fault::Corrupt("the ledger answers something else"),
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod run_tests;
