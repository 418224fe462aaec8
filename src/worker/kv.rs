//! The Workers KV adapter.

use js_sys::{JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::ReadableStream;
use worker::Env;

use super::binding::{KvNamespace, by_name, object};
use super::body::{NativeBody, Whole, of_length};
use super::budget::{fault, settled, within};
use crate::cache::ports::{Fault, KvCopy, KvFound, KvStore};

/// Name of the binding that holds renditions.
pub(super) const RENDITIONS: &str = "VIDEO_TRANSFORMATIONS_CACHE";

/// The namespace of renditions; absent where nobody bound one.
#[derive(Debug)]
pub(super) struct Kv(Option<KvNamespace>);

impl std::fmt::Debug for KvNamespace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KvNamespace")
    }
}

impl Kv {
    /// The namespace of this name.
    pub(super) fn bind(env: &Env, name: &str) -> Self {
        Self(by_name(env, name).map(JsCast::unchecked_into))
    }

    fn namespace(&self) -> Result<&KvNamespace, Fault> {
        self.0.as_ref().ok_or_else(|| Fault::Unavailable("no KV namespace is bound".to_owned()))
    }

    /// A text value, from the platform's own copy where that is younger than `cache_ttl_s`.
    pub(super) async fn text(
        &self,
        key: &str,
        cache_ttl_s: u64,
        budget_ms: u32,
    ) -> Result<Option<String>, Fault> {
        let options = object(&[("type", "text".into()), ("cacheTtl", number(cache_ttl_s))]);
        let value = settled(self.namespace()?.get(key, &options));
        Ok(within(budget_ms, value).await??.as_string())
    }
}

impl KvStore for Kv {
    type Body = NativeBody;

    async fn find(
        &self,
        key: &str,
        cache_ttl_s: u64,
        budget_ms: u32,
    ) -> Result<Option<KvFound<NativeBody>>, Fault> {
        let options = object(&[("type", "stream".into()), ("cacheTtl", number(cache_ttl_s))]);
        let found = settled(self.namespace()?.get_with_metadata(key, &options));
        let found = within(budget_ms, found).await??;
        let property = |name: &str| {
            Reflect::get(&found, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
        };
        let Ok(stream) = property("value").dyn_into::<ReadableStream>() else { return Ok(None) };
        let metadata = property("metadata");
        let metadata = if metadata.is_object() {
            JSON::stringify(&metadata).ok().and_then(|text| text.as_string())
        } else {
            None
        };
        Ok(Some(KvFound { metadata, body: NativeBody::Stream { stream, length: None } }))
    }

    async fn keep(&self, key: &str, copy: KvCopy<NativeBody>) -> Result<(), Fault> {
        let KvCopy { metadata, expiration_ttl_s, length, body } = copy;
        let metadata = JSON::parse(&metadata).map_err(|error| fault(&error))?;
        let options =
            object(&[("metadata", metadata), ("expirationTtl", number(expiration_ttl_s))]);
        let (value, whole) = match body {
            NativeBody::Empty => (JsValue::from_str(""), Whole::default()),
            NativeBody::Text(text) => (JsValue::from_str(&text), Whole::default()),
            NativeBody::Stream { stream, length: certain } => {
                let (stream, whole) = of_length(stream, certain, length);
                (stream.into(), whole)
            }
        };
        let put = settled(self.namespace()?.put(key, &value, &options)).await;
        whole.confirm().await?;
        put.map(drop)
    }

    async fn remove(&self, key: &str) -> Result<(), Fault> {
        settled(self.namespace()?.delete(key)).await.map(drop)
    }
}

fn number(seconds: u64) -> JsValue {
    // Seconds of a year fit exactly in a double.
    #[allow(clippy::cast_precision_loss)]
    JsValue::from_f64(seconds as f64)
}
