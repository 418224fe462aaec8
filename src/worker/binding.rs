//! The platform's objects, as they are called from here.

use js_sys::{BigInt, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `caches.default`: shared by all Workers of the zone in this data centre.
    #[wasm_bindgen(thread_local_v2, js_namespace = caches, js_name = default)]
    pub(super) static EDGE: EdgeObject;

    #[wasm_bindgen(js_name = Cache)]
    pub(super) type EdgeObject;
    #[wasm_bindgen(method, catch, js_name = "match")]
    pub(super) fn find(this: &EdgeObject, request: &web_sys::Request) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn put(
        this: &EdgeObject,
        url: &str,
        response: &web_sys::Response,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = "delete")]
    pub(super) fn delete(this: &EdgeObject, url: &str) -> Result<Promise, JsValue>;

    pub(super) type KvNamespace;
    #[wasm_bindgen(method, catch, js_name = getWithMetadata)]
    pub(super) fn get_with_metadata(
        this: &KvNamespace,
        key: &str,
        options: &JsValue,
    ) -> Result<Promise, JsValue>;
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

    /// A stream that passes on what is written to it: a write settles when its bytes have been read.
    pub(super) type IdentityTransformStream;
    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new() -> Result<IdentityTransformStream, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn readable(this: &IdentityTransformStream) -> web_sys::ReadableStream;
    #[wasm_bindgen(method, getter)]
    pub(super) fn writable(this: &IdentityTransformStream) -> Writable;

    /// One whose length is announced, and must be kept.
    #[wasm_bindgen(extends = IdentityTransformStream)]
    pub(super) type FixedLengthStream;
    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new(length: BigInt) -> Result<FixedLengthStream, JsValue>;

    /// The input of one; `web_sys` names its methods as if they could not throw, and on a stream of a request that
    /// is over they do.
    #[wasm_bindgen(extends = web_sys::WritableStream)]
    pub(super) type Writable;
    #[wasm_bindgen(method, catch, js_name = getWriter)]
    pub(super) fn get_writer(this: &Writable) -> Result<Writer, JsValue>;
    pub(super) type Writer;
    #[wasm_bindgen(method, getter, catch)]
    pub(super) fn closed(this: &Writer) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn write(this: &Writer, bytes: &Uint8Array) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn close(this: &Writer) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn abort(this: &Writer, reason: &JsValue) -> Result<Promise, JsValue>;

    /// A `ReadableStream`, again with what it may throw.
    pub(super) type Readable;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    pub(super) fn get_reader(this: &Readable, options: &JsValue) -> Result<Reader, JsValue>;
    #[wasm_bindgen(method, catch, js_name = cancel)]
    pub(super) fn cancel(this: &Readable) -> Result<Promise, JsValue>;
    /// Of either kind: into arrays of ours, or not.
    pub(super) type Reader;
    #[wasm_bindgen(method, catch)]
    pub(super) fn read(this: &Reader) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = read)]
    pub(super) fn read_into(this: &Reader, view: &Uint8Array) -> Result<Promise, JsValue>;
    /// Workers' own (runtime-apis/streams/readablestreambyobreader).
    #[wasm_bindgen(method, catch, js_name = readAtLeast)]
    pub(super) fn read_at_least(
        this: &Reader,
        bytes: u32,
        view: &Uint8Array,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = cancel)]
    pub(super) fn cancel(this: &Reader) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = releaseLock)]
    pub(super) fn release_lock(this: &Reader) -> Result<(), JsValue>;
    /// What a reader's read resolves with.
    pub(super) type ReadResult;
    #[wasm_bindgen(method, getter)]
    pub(super) fn done(this: &ReadResult) -> bool;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &ReadResult) -> JsValue;

    /// `crypto.subtle`: digests without the worker's own memory.
    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    pub(super) static SUBTLE: SubtleCrypto;
    pub(super) type SubtleCrypto;
    #[wasm_bindgen(method, catch)]
    pub(super) fn digest(
        this: &SubtleCrypto,
        algorithm: &str,
        bytes: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    /// A response of anything that can be a body.
    #[wasm_bindgen(extends = web_sys::Response, js_name = Response)]
    pub(super) type AnyResponse;
    #[wasm_bindgen(constructor, catch, js_class = "Response")]
    pub(super) fn new(
        body: &JsValue,
        init: &web_sys::ResponseInit,
    ) -> Result<AnyResponse, JsValue>;

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
