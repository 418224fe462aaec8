//! Time budgets: an operation that takes longer is a fault, not a wait.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::ticket::{End, Ticket};
use crate::cache::ports::Fault;

/// Awaits `work` for at most `budget_ms`.
pub(super) async fn within<F: Future>(budget_ms: u32, work: F) -> Result<F::Output, Fault> {
    match select(pin!(work), Ticket::after(budget_ms)).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(Fault::TimedOut { budget_ms }),
    }
}

/// Returns after at least `ms`.
pub(super) async fn sleep(ms: u32) {
    Ticket::after(ms).await;
}

/// Awaits a promise of the platform; a rejection is a fault with its message.
pub(super) async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, Fault> {
    let promise = promise.map_err(|error| fault(&error))?;
    kept(Ticket::of(&promise).await, 0)
}

/// Awaits a promise of the platform for at most `budget_ms`.
pub(super) async fn settled_within(
    budget_ms: u32,
    promise: Result<Promise, JsValue>,
) -> Result<JsValue, Fault> {
    let promise = promise.map_err(|error| fault(&error))?;
    kept(Ticket::within(&promise, budget_ms).await, budget_ms)
}

fn kept(end: End, budget_ms: u32) -> Result<JsValue, Fault> {
    match end {
        End::Settled(Ok(value)) => Ok(value),
        End::Settled(Err(error)) => Err(fault(&error)),
        End::Late => Err(Fault::TimedOut { budget_ms }),
    }
}

/// The message of whatever JavaScript threw.
pub(super) fn fault(error: &JsValue) -> Fault {
    let message = js_sys::Reflect::get(error, &JsValue::from_str("message"))
        .ok()
        .and_then(|message| message.as_string())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "unknown".to_owned());
    Fault::Unavailable(message)
}
