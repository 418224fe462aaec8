//! The configuration of this isolate: read once before the first answer, then renewed behind the viewer's back.

use std::cell::RefCell;
use std::rc::Rc;

use worker::Env;

use super::binding::by_name;
use super::host::now_ms;
use super::kv::Kv;
use super::platform::Context;
use super::task;
use crate::admin::ports::DOCUMENTS_BINDING;
use crate::cache::ports::Fault;
use crate::config::layers::{STORED_LAYER, VARS_LAYER};
use crate::config::live::{Changed, Live, STORED_CACHE_TTL_S};
use crate::config::{Config, ConfigError};

/// Milliseconds the first request of an isolate waits for the stored document at the most.
const READ_TIMEOUT_MS: u32 = 1_000;

thread_local! {
    static LIVE: RefCell<Live> = RefCell::new(Live::new());
}

/// The active configuration. Only the first request of an isolate waits for it.
pub(super) async fn current(env: &Env, context: &Context) -> Rc<Config> {
    let now_ms = now_ms();
    let (loaded, due) =
        LIVE.with_borrow_mut(|live| (live.is_loaded(), live.should_refresh(now_ms)));
    if !loaded {
        refresh(env).await;
    } else if due {
        let env = env.clone();
        task::stay(context, async move { refresh(&env).await });
    }
    LIVE.with_borrow(Live::config)
}

/// The active configuration, where nobody waits for an answer, or somebody can: read again where it is due.
pub(super) async fn recent(env: &Env) -> Rc<Config> {
    let now_ms = now_ms();
    if LIVE.with_borrow_mut(|live| !live.is_loaded() || live.should_refresh(now_ms)) {
        refresh(env).await;
    }
    LIVE.with_borrow(Live::config)
}

/// The configuration as it is stored now.
pub(super) async fn reread(env: &Env) -> Rc<Config> {
    refresh(env).await;
    LIVE.with_borrow(Live::config)
}

async fn refresh(env: &Env) {
    let stored = match stored(env).await {
        Ok(stored) => stored,
        Err(fault) => {
            tracing::warn!(fault = %fault, "the stored configuration could not be read");
            if LIVE.with_borrow(Live::is_loaded) {
                return;
            }
            None
        }
    };
    let deployed = deployed(env);
    let now_ms = now_ms();
    let offered =
        LIVE.with_borrow_mut(|live| live.offer(deployed.as_deref(), stored.as_deref(), now_ms));
    tell(offered);
}

/// Goes on with another stored document at once: it has been put in KV just now, and KV may not show it yet.
pub(super) fn take(env: &Env, stored: &str) {
    let deployed = deployed(env);
    let now_ms = now_ms();
    tell(LIVE.with_borrow_mut(|live| live.take(deployed.as_deref(), stored, now_ms)));
}

/// What is wrong with the documents that were read last.
pub(super) fn refused() -> Vec<ConfigError> {
    LIVE.with_borrow(|live| live.errors().to_vec())
}

fn tell(offered: Result<Changed, Vec<ConfigError>>) {
    match offered {
        Ok(Changed::Yes) => tracing::info!("another configuration is active"),
        Ok(Changed::No) => {}
        Err(errors) => {
            for error in errors {
                tracing::error!(error = %error, "the configuration is refused");
            }
        }
    }
}

/// The stored document; without a namespace there is none, and that is no fault.
async fn stored(env: &Env) -> Result<Option<String>, Fault> {
    if by_name(env, DOCUMENTS_BINDING).is_none() {
        return Ok(None);
    }
    Kv::bind(env, DOCUMENTS_BINDING).text(STORED_LAYER, STORED_CACHE_TTL_S, READ_TIMEOUT_MS).await
}

/// The deployment's own document, given as JSON or as text.
pub(super) fn deployed(env: &Env) -> Option<String> {
    let value = by_name(env, VARS_LAYER)?;
    value.as_string().or_else(|| js_sys::JSON::stringify(&value).ok()?.as_string())
}
