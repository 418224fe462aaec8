//! The platform's rate limiters (workers/runtime-apis/bindings/rate-limit).

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use super::binding::{LimiterObject, by_name, object};
use super::budget::settled_within;
use crate::cache::ports::{Fault, Limit, Limiter};

/// One binding. Its limit and period are in `wrangler.jsonc`; it does not tell them.
#[derive(Debug)]
pub(super) struct RateLimiter(LimiterObject);

impl RateLimiter {
    /// `None` where nothing is bound for this limit.
    pub(super) fn bind(env: &Env, limit: Limit) -> Option<Self> {
        let binding = match limit {
            Limit::Misses => "MISS_LIMIT",
            Limit::Admin => "ADMIN_LIMIT",
        };
        by_name(env, binding).map(|binding| Self(binding.unchecked_into()))
    }
}

impl Limiter for RateLimiter {
    async fn admits(&self, who: &str, budget_ms: u32) -> Result<bool, Fault> {
        let counted = self.0.limit(&object(&[("key", JsValue::from_str(who))]));
        let outcome = settled_within(budget_ms, counted).await?;
        Reflect::get(&outcome, &JsValue::from_str("success"))
            .ok()
            .and_then(|success| success.as_bool())
            .ok_or(Fault::Corrupt("a limiter gave no answer"))
    }
}
