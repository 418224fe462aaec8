//! `js/platform.js`, as it is called from here.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, Response};

use super::binding::KvNamespace;

#[wasm_bindgen(raw_module = "./platform.js")]
extern "C" {
    /// Tells how a promise ends, by the number of its ticket.
    pub(super) fn follow(promise: &Promise, ticket: f64);
    /// Rings once after `ms`, by the number of a ticket.
    #[wasm_bindgen(js_name = ringIn)]
    pub(super) fn ring_in(ms: u32, ticket: f64);
    /// Lets a promise settle unobserved, but not unhandled.
    pub(super) fn forget(promise: &Promise);

    /// What an event of the platform brings along (workers/runtime-apis/context).
    #[derive(Debug)]
    pub type Context;
    /// Keeps the request of the context alive until what is given back is called.
    pub(super) fn stay(context: &Context) -> Function;

    /// `caches.default.match`, of a URL and perhaps a range of it.
    #[wasm_bindgen(catch, js_name = edgeMatch)]
    pub(super) fn edge_match(url: &str, range: Option<&str>) -> Result<Promise, JsValue>;
    /// Status, `Content-Length`, `Content-Range` and the header of this name, a line each.
    #[wasm_bindgen(catch, js_name = edgeHead)]
    pub(super) fn edge_head(found: &Response, metadata: &str) -> Result<String, JsValue>;

    /// `getWithMetadata` as a stream.
    #[wasm_bindgen(catch, js_name = kvRead)]
    pub(super) fn kv_read(
        namespace: &KvNamespace,
        key: &str,
        cache_ttl_s: f64,
    ) -> Result<Promise, JsValue>;
    /// What it found.
    pub(super) type KvRead;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &KvRead) -> Option<ReadableStream>;
    /// What is beside the value, as JSON.
    #[wasm_bindgen(js_name = kvMetadata)]
    pub(super) fn kv_metadata(found: &KvRead) -> Option<String>;

    /// A response; `head` has each header's name and value, a line each.
    #[wasm_bindgen(catch)]
    pub(super) fn respond(status: u16, head: &str, body: &JsValue) -> Result<Response, JsValue>;

}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    pub(super) fn say_error(line: &str);
    #[wasm_bindgen(js_namespace = console, js_name = warn)]
    pub(super) fn say_warning(line: &str);
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    pub(super) fn say(line: &str);
}

/// Calls what cannot fail, such as what settles a promise.
pub(super) fn call(function: &Function, with: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, with);
}
