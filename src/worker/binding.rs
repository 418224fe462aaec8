//! The platform's objects, as they are called from here.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `caches.default`: shared by all Workers of the zone in this data centre.
    #[wasm_bindgen(thread_local_v2, js_namespace = caches, js_name = default)]
    pub(super) static EDGE: EdgeObject;

    #[wasm_bindgen(js_name = Cache)]
    pub(super) type EdgeObject;
    #[wasm_bindgen(method, catch)]
    pub(super) fn put(
        this: &EdgeObject,
        url: &str,
        response: &web_sys::Response,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = "delete")]
    pub(super) fn delete(this: &EdgeObject, url: &str) -> Result<Promise, JsValue>;

    pub(super) type KvNamespace;
    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &KvNamespace, key: &str, options: &JsValue)
    -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn put(
        this: &KvNamespace,
        key: &str,
        value: &JsValue,
        options: &JsValue,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = "delete")]
    pub(super) fn delete(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn list(this: &KvNamespace, options: &JsValue) -> Result<Promise, JsValue>;

    /// All objects of one class.
    #[derive(Debug)]
    pub(super) type ObjectNamespace;
    #[wasm_bindgen(method, catch, js_name = getByName)]
    pub(super) fn get_by_name(this: &ObjectNamespace, name: &str)
    -> Result<DurableObject, JsValue>;

    /// One object, wherever in the world it lives.
    pub(super) type DurableObject;
    #[wasm_bindgen(method, catch)]
    pub(super) fn fetch(
        this: &DurableObject,
        url: &str,
        init: &web_sys::RequestInit,
    ) -> Result<Promise, JsValue>;

    /// What an object was made with (durable-objects/api/state).
    #[derive(Debug)]
    pub type ObjectState;
    #[wasm_bindgen(method, getter)]
    pub(super) fn storage(this: &ObjectState) -> Storage;
    /// (durable-objects/api/sqlite-storage-api).
    pub(super) type Storage;
    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &Storage, name: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn list(this: &Storage, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn put(this: &Storage, texts: &js_sys::Object) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn delete(this: &Storage, names: &js_sys::Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub(super) fn set_alarm(this: &Storage, at_ms: f64) -> Result<Promise, JsValue>;

    /// A rate limiter.
    #[derive(Debug)]
    pub(super) type LimiterObject;
    #[wasm_bindgen(method, catch)]
    pub(super) fn limit(this: &LimiterObject, options: &JsValue) -> Result<Promise, JsValue>;

    /// A response of anything that can be a body.
    #[wasm_bindgen(extends = web_sys::Response, js_name = Response)]
    pub(super) type AnyResponse;
    #[wasm_bindgen(constructor, catch, js_class = "Response")]
    pub(super) fn new(body: &JsValue, init: &web_sys::ResponseInit)
    -> Result<AnyResponse, JsValue>;

    #[wasm_bindgen(js_name = fetch, catch)]
    pub(super) fn fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;
}

/// `{name: value, …}`.
pub(super) fn object(entries: &[(&str, JsValue)]) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in entries {
        // Setting a property of a plain object cannot fail.
        let _ = js_sys::Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

/// A binding of this worker by name; `None` when it is not configured.
pub(super) fn by_name(env: &worker::Env, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(env, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}
