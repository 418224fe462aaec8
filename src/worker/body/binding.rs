//! The platform's streams, as they are called from here.
//!
//! `web_sys` names some of these methods as if they could not throw; on a stream of a request that is over they do.

use js_sys::{BigInt, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
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
}
