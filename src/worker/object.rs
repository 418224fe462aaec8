//! Durable objects: the way to one, and how one answers.

use js_sys::{Function, JsString};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, RequestInit, Response};
use worker::Env;

use super::binding::{ObjectNamespace, by_name};
use super::budget::{fault, settled, within};
use super::platform::{self, call};
use super::task::spawn;
use crate::cache::ports::Fault;

/// Objects are asked by name and not by URL, yet a request must have one.
const URL: &str = "https://object/";

/// All objects of one class.
#[derive(Debug)]
pub(super) struct Objects(ObjectNamespace);

impl Objects {
    /// `None` where nothing is bound under this name.
    pub(super) fn bind(env: &Env, binding: &str) -> Option<Self> {
        by_name(env, binding).map(|binding| Self(binding.unchecked_into()))
    }

    /// Asks the object of this name: a text in, a text out. A status other than 200 is a fault.
    pub(super) async fn ask(
        &self,
        name: &str,
        question: &str,
        budget_ms: u32,
    ) -> Result<String, Fault> {
        let abort = AbortController::new().map_err(|error| fault(&error))?;
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(question));
        init.set_signal(Some(&abort.signal()));
        match within(budget_ms, self.answer(name, &init)).await {
            Ok(answer) => answer,
            Err(late) => {
                abort.abort();
                Err(late)
            }
        }
    }

    async fn answer(&self, name: &str, init: &RequestInit) -> Result<String, Fault> {
        let object = self.0.get_by_name(name).map_err(|error| fault(&error))?;
        let response = settled(object.fetch(URL, init)).await?;
        let response: Response =
            response.dyn_into().map_err(|_| Fault::Corrupt("an object gave no response"))?;
        let text = settled(response.text()).await?;
        if !response.ok() {
            return Err(Fault::Unavailable(format!("an object answered {}", response.status())));
        }
        text.dyn_into::<JsString>()
            .map(String::from)
            .map_err(|_| Fault::Corrupt("an object gave no text"))
    }
}

/// What became of a question that an object was asked.
pub(super) enum Said {
    /// A JSON text.
    Answer(String),
    /// It was none.
    NoQuestion,
    /// Whoever asked does not wait any more.
    NobodyWaits,
    /// It could not be answered.
    Failed(Fault),
}

/// Answers a question; `answer` is called with the response.
pub(super) fn answer(answer: Function, work: impl Future<Output = Said> + 'static) {
    spawn(async move {
        let (status, text) = match work.await {
            Said::Answer(text) => (200, text),
            Said::NoQuestion => (400, "no question".to_owned()),
            Said::NobodyWaits => (499, "nobody waits any more".to_owned()),
            Said::Failed(fault) => (500, fault.to_string()),
        };
        if let Ok(response) = platform::respond(status, "", &JsValue::from_str(&text)) {
            call(&answer, &response);
        }
    });
}

/// Does what an object was woken for. Where that fails the platform wakes it again.
pub(super) fn wake(
    done: Function,
    failed: Function,
    work: impl Future<Output = Result<(), Fault>> + 'static,
) {
    spawn(async move {
        match work.await {
            Ok(()) => call(&done, &JsValue::UNDEFINED),
            Err(fault) => call(&failed, &js_sys::Error::new(&fault.to_string())),
        }
    });
}
