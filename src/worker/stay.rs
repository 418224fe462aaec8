//! A request that goes on without its viewer.
//!
//! The platform ends all work of a request whose viewer leaves before the answer, except what was given to
//! `waitUntil`, and with that it keeps everything else alive (workers/runtime-apis/context).

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::platform::{self, Context};

/// Lets a request outlive its viewer until its answer is ready. Copies are the same.
#[derive(Debug, Clone)]
pub(super) struct Stay(Option<Rc<Staying>>);

#[derive(Debug)]
struct Staying {
    context: Rc<Context>,
    /// Ends it; there from the beginning to the end.
    end: RefCell<Option<Function>>,
}

impl Stay {
    /// For a request of this context.
    pub(super) fn of(context: &Rc<Context>) -> Self {
        let context = Rc::clone(context);
        Self(Some(Rc::new(Staying { context, end: RefCell::default() })))
    }

    /// For what has no viewer.
    pub(super) fn without_viewer() -> Self {
        Self(None)
    }

    /// From here on.
    pub(super) fn begin(&self) {
        let Some(staying) = &self.0 else { return };
        if staying.end.borrow().is_some() {
            return;
        }
        *staying.end.borrow_mut() = Some(platform::stay(&staying.context));
    }

    /// To here: what is owed now has been given to `waitUntil` by itself.
    pub(super) fn end(&self) {
        if let Some(end) = self.0.as_ref().and_then(|staying| staying.end.borrow_mut().take()) {
            platform::call(&end, &JsValue::UNDEFINED);
        }
    }
}
