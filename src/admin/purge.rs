//! `POST /purge`, `GET /purge`, `GET /purge/{id}`: purges are ordered, tried and followed.

use ::http::header;

use super::Answer;
use super::given::Given;
use super::ports::{AdminHost, Class, ask_ledger};
use super::refusal::{Refusal, Wrong};
use super::variants::RENDITIONS_BINDING;
use crate::cache::entry::Metadata;
use crate::cache::key::PREFIX;
use crate::cache::ports::{Fault, KvName, KvStore};
use crate::config::Config;
use crate::document::{List, Object};
use crate::http::visible;
use crate::json::Value;
use crate::limits::{DRY_RUN_EXAMPLES_MAX, DRY_RUN_PAGES_MAX, KV_LIST_MAX, PURGE_PAGE_MAX};
use crate::purge::ledger::{Ledger, Standing};
use crate::purge::order::{self, Mistake, Order, Request};
use crate::purge::question::{self, Question};
use crate::purge::receipt;
use crate::purge::target::{Subject, Target, stored_path};
use crate::sorted::sort;

/// `POST /purge`: recorded when this answers; `dry_run` only counts.
pub(super) async fn purge<H: AdminHost>(
    host: &H,
    config: &Config,
    given: &Given,
) -> Result<Answer, Refusal> {
    let document = given.document.as_ref().map_or(&Value::Null, |document| &document.value);
    let Request { order, dry_run } = order::read(document, config).map_err(|mistakes| {
        let wrong = |Mistake { at, detail }| Wrong::new(at, detail);
        Refusal::Invalid(mistakes.into_iter().map(wrong).collect())
    })?;
    if dry_run {
        return tried(host, config, &order).await;
    }
    let answer = ask_ledger(host, &Question::Record(order)).await.map_err(unavailable)?;
    let question::Answer::Recorded { receipt, ledger } = answer else {
        return Err(unavailable(NO_ANSWER));
    };
    host.hear_ledger(&ledger);
    let at = format!("{}/purge/{}", config.admin.prefix, receipt::id(receipt.written.number));
    let headers = vec![(header::LOCATION, visible(&at))];
    Ok(Answer { status: 202, headers, ..Answer::ok(receipt.json()) })
}

/// `GET /purge`: the log, newest first.
pub(super) async fn list<H: AdminHost>(host: &H, given: &Given) -> Result<Answer, Refusal> {
    let limit = given.number("limit", 1, u64::from(PURGE_PAGE_MAX))?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PURGE_PAGE_DEFAULT);
    let before = given
        .parameter("cursor")
        .map(|cursor| {
            let wanted = "it is not what the last page of this list gave";
            receipt::number(cursor).ok_or_else(|| Refusal::invalid("cursor", wanted))
        })
        .transpose()?;
    let answer = ask_ledger(host, &Question::Log { before, limit }).await.map_err(unavailable)?;
    let question::Answer::Log { receipts, before } = answer else {
        return Err(unavailable(NO_ANSWER));
    };
    let mut purges = List::default();
    for receipt in &receipts {
        purges.document(&receipt.json());
    }
    let mut page = Object::default();
    page.text_or_null("cursor", before.map(receipt::id).as_deref());
    page.document("purges", &purges.end());
    Ok(Answer::ok(page.end()))
}

/// `GET /purge/{id}`
pub(super) async fn read<H: AdminHost>(host: &H, given: &Given) -> Result<Answer, Refusal> {
    let number = given.name.as_deref().and_then(receipt::number).ok_or(Refusal::NotFound)?;
    let answer = ask_ledger(host, &Question::Receipt { number }).await.map_err(unavailable)?;
    let question::Answer::Receipt(receipt) = answer else { return Err(unavailable(NO_ANSWER)) };
    receipt.map(|receipt| Answer::ok(receipt.json())).ok_or(Refusal::NotFound)
}

/// Receipts of a page where the call does not say.
const PURGE_PAGE_DEFAULT: u32 = 20;
const NO_ANSWER: Fault = Fault::Corrupt("the ledger answered something else");

fn unavailable(fault: Fault) -> Refusal {
    Refusal::Unavailable { binding: Class::PurgeLedger.binding(), fault }
}

/// What lies in KV that the purge would bear on, by the ledger's own rule.
async fn tried<H: AdminHost>(host: &H, config: &Config, order: &Order) -> Result<Answer, Refusal> {
    let mut ledger = Ledger::default();
    ledger.record(order.mode, &order.targets);
    let (mut matches, mut bytes, mut examples) = (0_u64, 0_u64, List::default());
    let mut pages_left = DRY_RUN_PAGES_MAX;
    let mut is_complete = true;
    'looking: for prefix in narrowed(&order.targets) {
        let mut cursor: Option<String> = None;
        loop {
            if pages_left == 0 {
                is_complete = false;
                break 'looking;
            }
            pages_left -= 1;
            let budget_ms = config.cache.kv_timeout_ms;
            let page = host.kv().list(&prefix, cursor.as_deref(), KV_LIST_MAX, budget_ms).await;
            let page =
                page.map_err(|fault| Refusal::Unavailable { binding: RENDITIONS_BINDING, fault })?;
            for KvName { key, metadata } in page.entries {
                let Some(Ok(metadata)) = metadata.as_deref().map(Metadata::decode) else {
                    continue;
                };
                let path = stored_path(&key, &metadata);
                let subject = Subject::stored(&key, path.as_deref(), &metadata.tags);
                if ledger.standing(0, &subject) == Standing::Valid {
                    continue;
                }
                if matches < DRY_RUN_EXAMPLES_MAX {
                    let mut example = Object::default();
                    example.number("bytes", metadata.length);
                    example.text("key", &key);
                    examples.document(&example.end());
                }
                matches += 1;
                bytes = bytes.saturating_add(metadata.length);
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    let mut remarks = order.remarks.clone();
    let on_hosts = |target: &Target| match target {
        Target::Host(_) => true,
        Target::Prefix(prefix) => !prefix.host.is_empty(),
        Target::Everything | Target::Tag(_) | Target::Path(_) | Target::Variant(_) => false,
    };
    if order.targets.iter().any(on_hosts) {
        is_complete = false;
        remarks.push("KV does not know on which host a rendition is served: what is named by its host is not counted".to_owned());
    }
    let mut found = Object::default();
    found.number("bytes", bytes);
    found.flag("complete", is_complete);
    found.flag("dry_run", true);
    found.document("examples", &examples.end());
    found.number("matches", matches);
    found.texts("remarks", &remarks);
    Ok(Answer::ok(found.end()))
}

/// What the keys begin with that may be meant: those of a few sources, or all. None begins with another.
fn narrowed(targets: &[Target]) -> Vec<String> {
    let of = |target: &Target| match target {
        Target::Path(path) => Some(format!("{PREFIX}{}", path.replace(':', "%3a"))),
        Target::Variant(key) => Some(key.clone()),
        Target::Everything | Target::Tag(_) | Target::Prefix(_) | Target::Host(_) => None,
    };
    let all = || vec![PREFIX.to_owned()];
    let Some(mut prefixes) = targets.iter().map(of).collect::<Option<Vec<_>>>() else {
        return all();
    };
    if prefixes.iter().any(|prefix| prefix.len() > KEY_BYTES_CERTAIN) {
        return all();
    }
    sort(&mut prefixes);
    prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
    prefixes
}

/// Bytes of a key that are certain: of one that is cut, the rest is a digest.
const KEY_BYTES_CERTAIN: usize = crate::limits::KV_KEY_BYTES_MAX - 33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_that_may_be_meant_are_listed() {
        let path = |path: &str| Target::Path(path.to_owned());
        assert_eq!(
            narrowed(&[path("a.mp4"), path("a.mp4.mp4"), path("b:c.mp4")]),
            ["video:a.mp4", "video:b%3ac.mp4"]
        );
        assert_eq!(narrowed(&[path("a.mp4"), Target::Tag("t".to_owned())]), ["video:"]);
        assert_eq!(narrowed(&[path(&"a".repeat(600))]), ["video:"]);
    }
}
