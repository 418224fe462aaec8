//! What this isolate has heard of purges: read before its first answer, then again behind the viewer's back, and
//! before an answer where nobody came for long.

use std::cell::RefCell;
use std::rc::Rc;

use worker::{Context, Env};

use super::kv::{Kv, RENDITIONS};
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::limits::{KV_CACHE_TTL_S_MIN, LEDGER_READ_TIMEOUT_MS};
use crate::purge::MIRROR_KEY;
use crate::purge::heard::{Due, Heard};
use crate::purge::ledger::Ledger;

thread_local! {
    static HEARD: RefCell<Heard> = RefCell::new(Heard::new());
}

/// What is known by now.
pub(super) fn current() -> Rc<Ledger> {
    HEARD.with_borrow(Heard::ledger)
}

/// Sees to it that what is known is new enough for a request that begins now.
pub(super) async fn keep_up(env: &Env, context: &Context, config: &Config) {
    let now_ms = worker::Date::now().as_millis();
    match HEARD.with_borrow_mut(|heard| heard.due(config.purge.refresh_ms, now_ms)) {
        Due::Not => {}
        Due::Behind => {
            let env = env.clone();
            context.wait_until(async move { look(&env, now_ms).await });
        }
        Due::Now => look(env, now_ms).await,
    }
}

/// Looks now; for what is done by the clock.
pub(super) async fn look_now(env: &Env) {
    look(env, worker::Date::now().as_millis()).await;
}

async fn look(env: &Env, began_ms: u64) {
    let found = mirrored(env).await;
    if let Err(fault) = HEARD.with_borrow_mut(|heard| heard.hear(found, began_ms)) {
        tracing::error!(fault = %fault, "the ledger of purges could not be read");
    }
}

async fn mirrored(env: &Env) -> Result<Option<String>, Fault> {
    let kv = Kv::bind(env, RENDITIONS);
    if !kv.is_bound() {
        // Nothing is kept but at the edge, and nobody can tell of purges.
        return Ok(None);
    }
    kv.text(MIRROR_KEY, KV_CACHE_TTL_S_MIN, LEDGER_READ_TIMEOUT_MS).await
}
