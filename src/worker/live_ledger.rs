//! What this isolate has heard of purges: read before its first answer, then again behind the viewer's back, and
//! before an answer where nobody came for long.

use std::cell::RefCell;
use std::rc::Rc;

use worker::Env;

use super::host::now_ms;
use super::kv::{Kv, RENDITIONS};
use super::platform::Context;
use super::{purge_ledger, task};
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::limits::{KV_CACHE_TTL_S_MIN, LEDGER_READ_TIMEOUT_MS};
use crate::purge::MIRROR_KEY;
use crate::purge::heard::{Due, Heard};
use crate::purge::ledger::Ledger;
use crate::purge::question::{Answer, Question};
use crate::purge::settings::ReadFrom;

thread_local! {
    static HEARD: RefCell<Heard> = RefCell::new(Heard::new());
}

/// What is known by now.
pub(super) fn current() -> Rc<Ledger> {
    HEARD.with_borrow(Heard::ledger)
}

/// Sees to it that what is known is new enough for a request that begins now.
pub(super) async fn keep_up(env: &Env, context: &Context, config: &Config) {
    let now_ms = now_ms();
    match HEARD.with_borrow_mut(|heard| heard.due(config.purge.refresh_ms, now_ms)) {
        Due::Not => {}
        Due::Behind => {
            let env = env.clone();
            let read_from = config.purge.read_from;
            task::stay(context, async move { look(&env, read_from, now_ms).await });
        }
        Due::Now => look(env, config.purge.read_from, now_ms).await,
    }
}

/// Looks now, and at the ledger itself: what is done by the clock has the time.
pub(super) async fn look_now(env: &Env) {
    look(env, ReadFrom::Ledger, now_ms()).await;
}

/// The ledger is this now.
pub(super) fn hear(text: &str) {
    take(Ok(Some(text.to_owned())), now_ms());
}

async fn look(env: &Env, read_from: ReadFrom, began_ms: u64) {
    take(found(env, read_from).await, began_ms);
}

fn take(found: Result<Option<String>, Fault>, began_ms: u64) {
    if let Err(fault) = HEARD.with_borrow_mut(|heard| heard.hear(found, began_ms)) {
        tracing::error!(fault = %fault, "the ledger of purges could not be read");
    }
}

/// The ledger from where it is to be read, else from the other place; `None` where there is none yet, or no place.
async fn found(env: &Env, read_from: ReadFrom) -> Result<Option<String>, Fault> {
    let (in_kv, at_object) = (Kv::bind(env, RENDITIONS).is_bound(), purge_ledger::is_bound(env));
    let first = match (read_from, in_kv, at_object) {
        (_, false, false) => return Ok(None),
        (ReadFrom::Kv, true, _) | (ReadFrom::Ledger, _, false) => ReadFrom::Kv,
        (ReadFrom::Ledger, _, true) | (ReadFrom::Kv, false, _) => ReadFrom::Ledger,
    };
    if !(in_kv && at_object) {
        return read(env, first, LEDGER_READ_TIMEOUT_MS).await;
    }
    let second = match first {
        ReadFrom::Kv => ReadFrom::Ledger,
        ReadFrom::Ledger => ReadFrom::Kv,
    };
    match read(env, first, FIRST_TIMEOUT_MS).await {
        Ok(text) => Ok(text),
        Err(_) => read(env, second, LEDGER_READ_TIMEOUT_MS - FIRST_TIMEOUT_MS).await,
    }
}

/// Milliseconds the first place may take, where there is a second one: both together take no longer than one.
const FIRST_TIMEOUT_MS: u32 = LEDGER_READ_TIMEOUT_MS * 3 / 5;

async fn read(env: &Env, from: ReadFrom, budget_ms: u32) -> Result<Option<String>, Fault> {
    match from {
        ReadFrom::Kv => {
            let kv = Kv::bind(env, RENDITIONS);
            kv.text(MIRROR_KEY, KV_CACHE_TTL_S_MIN, budget_ms).await
        }
        ReadFrom::Ledger => {
            let answer = purge_ledger::ask(env, &Question::Ledger, budget_ms).await?;
            let Answer::Ledger { ledger } = answer else {
                return Err(Fault::Corrupt("the ledger answered something else"));
            };
            Ok(Some(ledger))
        }
    }
}
