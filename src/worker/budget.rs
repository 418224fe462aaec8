//! Time budgets: an operation that takes longer is a fault, not a wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Waker;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{Date, Delay};

use crate::cache::ports::Fault;

/// Awaits `future` for at most `budget_ms`.
pub(super) async fn within<F: Future>(budget_ms: u32, future: F) -> Result<F::Output, Fault> {
    match select(pin!(future), pin!(sleep(budget_ms))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(((), _)) => Err(Fault::TimedOut { budget_ms }),
    }
}

/// Returns after at least `ms`, in whichever task it is awaited by then.
///
/// A [`Delay`] wakes the task that asked it first and no other, and what is opened before an answer is read
/// after it, in another: there it would never wake anybody.
pub(super) async fn sleep(ms: u32) {
    let until_ms = Date::now().as_millis() + u64::from(ms);
    let mut waiting: Option<(Waker, _)> = None;
    poll_fn(|context| {
        let (waker, delay) = waiting
            .take()
            .filter(|(waker, _)| waker.will_wake(context.waker()))
            .unwrap_or_else(|| {
                let left_ms = until_ms.saturating_sub(Date::now().as_millis());
                let delay = Box::pin(Delay::from(Duration::from_millis(left_ms)));
                (context.waker().clone(), delay)
            });
        let (_, delay) = waiting.insert((waker, delay));
        delay.poll_unpin(context)
    })
    .await;
}

/// Awaits a promise of the platform; a rejection is a fault with its message.
pub(super) async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, Fault> {
    let promise = promise.map_err(|error| fault(&error))?;
    JsFuture::from(promise).await.map_err(|error| fault(&error))
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
