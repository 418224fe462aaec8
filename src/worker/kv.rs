//! The Workers KV adapter.

use js_sys::{Array, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use super::binding::{KvNamespace, by_name, object};
use super::body::{NativeBody, kept};
use super::budget::{fault, settled, settled_within};
use super::platform::{self, KvRead};
use crate::admin::ports::Documents;
use crate::admin::variants::RENDITIONS_BINDING;
use crate::cache::ports::{Fault, KvCopy, KvFound, KvName, KvPage, KvStore};
use crate::limits::KV_CACHE_TTL_S_MIN;

/// Name of the binding that holds renditions.
pub(super) const RENDITIONS: &str = RENDITIONS_BINDING;

/// The namespace of renditions; absent where nobody bound one.
#[derive(Debug, Clone)]
pub(super) struct Kv(Option<KvNamespace>);

impl Clone for KvNamespace {
    /// Another handle of the same namespace.
    fn clone(&self) -> Self {
        JsValue::clone(self).unchecked_into()
    }
}

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

    /// Whether there is such a namespace.
    pub(super) fn is_bound(&self) -> bool {
        self.0.is_some()
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
        let value = self.namespace()?.get(key, &options);
        Ok(settled_within(budget_ms, value).await?.as_string())
    }
}

impl Documents for Kv {
    async fn get(&self, name: &str, budget_ms: u32) -> Result<Option<String>, Fault> {
        self.text(name, KV_CACHE_TTL_S_MIN, budget_ms).await
    }

    async fn put(&self, name: &str, text: &str, budget_ms: u32) -> Result<(), Fault> {
        let written = self.namespace()?.put(name, &text.into(), &JsValue::UNDEFINED);
        settled_within(budget_ms, written).await.map(drop)
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
        let found = platform::kv_read(self.namespace()?, key, double(cache_ttl_s));
        let found: KvRead = settled_within(budget_ms, found).await?.unchecked_into();
        let Some(stream) = found.value() else { return Ok(None) };
        let metadata = platform::kv_metadata(&found);
        Ok(Some(KvFound { metadata, body: NativeBody::of_stream(stream) }))
    }

    async fn keep(&self, key: &str, copy: KvCopy<NativeBody>, budget_ms: u32) -> Result<(), Fault> {
        let KvCopy { metadata, expiration_ttl_s, length, body } = copy;
        let metadata = JSON::parse(&metadata).map_err(|error| fault(&error))?;
        let options =
            object(&[("metadata", metadata), ("expirationTtl", number(expiration_ttl_s))]);
        let namespace = self.namespace()?;
        let (value, handing) = body.leave(Some(length), Some(budget_ms))?;
        // No value at all would be the text "null".
        let value = if value.is_null() { JsValue::from_str("") } else { value };
        kept(settled(namespace.put(key, &value, &options)), handing, budget_ms).await
    }

    async fn remove(&self, key: &str, budget_ms: u32) -> Result<(), Fault> {
        settled_within(budget_ms, self.namespace()?.delete(key)).await.map(drop)
    }

    async fn list(
        &self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
        budget_ms: u32,
    ) -> Result<KvPage, Fault> {
        let cursor = cursor.map_or(JsValue::UNDEFINED, JsValue::from_str);
        let options =
            object(&[("prefix", prefix.into()), ("cursor", cursor), ("limit", limit.into())]);
        let page = settled_within(budget_ms, self.namespace()?.list(&options)).await?;
        let names = property(&page, "keys").dyn_into::<Array>();
        let names = names.map_err(|_| Fault::Corrupt("a page without names"))?;
        let name = |entry: JsValue| {
            Some(KvName { key: property(&entry, "name").as_string()?, metadata: metadata(&entry) })
        };
        let is_last = property(&page, "list_complete").is_truthy();
        let cursor = property(&page, "cursor").as_string().filter(|_| !is_last);
        Ok(KvPage { entries: names.iter().filter_map(name).collect(), cursor })
    }
}

/// What KV has beside a value, as JSON text.
fn metadata(of: &JsValue) -> Option<String> {
    let metadata = Some(property(of, "metadata")).filter(JsValue::is_object)?;
    JSON::stringify(&metadata).ok()?.as_string()
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn number(seconds: u64) -> JsValue {
    JsValue::from_f64(double(seconds))
}

#[allow(clippy::cast_precision_loss)] // seconds of a year fit exactly
fn double(seconds: u64) -> f64 {
    seconds as f64
}
