//! The gate of one variant as a Durable Object, and the way to it.
//!
//! A gate lives in memory only, and the platform puts it away when nobody asks for some ten seconds
//! (durable-objects/concepts/durable-object-lifecycle). A lost lease is taken up again when its holder speaks;
//! a lost outcome costs one more fill, where the store still denies what was kept. A write to storage would be
//! paid on every fill.
//!
//! Nobody who waits here holds anything of another request, neither a promise nor a waker: everyone looks
//! for themselves, at a growing distance. A promise that another request settles is dropped with that
//! request, and its waiters hang (workers/runtime-apis/context).

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Request};
use worker::Env;

use super::binding::ObjectState;
use super::budget::sleep;
use super::host::now_ms;
use super::object::{Objects, Said, answer};
use crate::cache::gate::state::GateState;
use crate::cache::gate::{Question, Verdict};
use crate::cache::ports::{Fault, Gate};
use crate::json::{self, Foreign};
use crate::limits::{GATE_PAUSE_MS_MAX, GATE_PAUSE_MS_MIN, GATE_QUESTION_BYTES_MAX};

/// Name of the binding of all gates.
const BINDING: &str = "FILL_GATE";

/// The gate of the variant that the object is named after.
#[wasm_bindgen]
#[derive(Debug)]
#[allow(unreachable_pub)] // by Rust
pub struct FillGate {
    state: Rc<RefCell<GateState>>,
}

#[wasm_bindgen]
#[allow(unreachable_pub, clippy::needless_pass_by_value)] // by Rust; JavaScript has no references
impl FillGate {
    /// It keeps nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(_state: ObjectState, _env: Env) -> Self {
        Self { state: Rc::default() }
    }

    /// A question as JSON in, a verdict as JSON out; `asker` is the request that brought it.
    pub fn ask(&self, question: String, asker: Request, answered: Function) {
        let state = Rc::clone(&self.state);
        answer(answered, async move {
            let question = Some(question).filter(|text| text.len() <= GATE_QUESTION_BYTES_MAX);
            let Some(question) = question.and_then(|text| json::read(&text).ok()) else {
                return Said::NoQuestion;
            };
            match verdict(&state, &question, || has_left(&asker)).await {
                Some(verdict) => Said::Answer(json::write(&verdict)),
                None => Said::NobodyWaits,
            }
        });
    }
}

/// Looks until there is an answer; the state gives one when the asker's time is over.
///
/// Who leaves is not looked for any more: a lease given to nobody would hold up all others until it lapses.
async fn verdict(
    state: &RefCell<GateState>,
    question: &Question,
    has_left: impl Fn() -> bool,
) -> Option<Verdict> {
    let asked_ms = now_ms();
    let mut pause_ms = GATE_PAUSE_MS_MIN;
    loop {
        let now_ms = now_ms();
        if let Some(verdict) = state.borrow_mut().answer(question, asked_ms, now_ms) {
            return Some(verdict);
        }
        sleep(pause_ms).await;
        if has_left() {
            return None;
        }
        pause_ms = pause_ms.saturating_mul(2).min(GATE_PAUSE_MS_MAX);
    }
}

/// Whether the platform gave the request up, or its sender did. Only with the flag `enable_request_signal`;
/// without it everybody stays.
fn has_left(asker: &Request) -> bool {
    let signal = Reflect::get(asker, &JsValue::from_str("signal")).ok();
    let signal = signal.and_then(|signal| signal.dyn_into::<AbortSignal>().ok());
    signal.is_some_and(|signal| signal.aborted())
}

/// The way to the gates of all variants.
#[derive(Debug)]
pub(super) struct GateStub(Objects);

impl GateStub {
    /// `None` where no gate is bound.
    pub(super) fn bind(env: &Env) -> Option<Self> {
        Objects::bind(env, BINDING).map(Self)
    }
}

impl Gate for GateStub {
    async fn ask(&self, key: &str, question: &Question, budget_ms: u32) -> Result<Verdict, Fault> {
        let text = self.0.ask(key, &json::write(question), budget_ms).await?;
        json::read(&text).map_err(|Foreign| Fault::Corrupt("the gate gave no verdict"))
    }
}
