//! The Cache API adapter.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, Response, ResponseInit};
use worker::Delay;

use super::binding::{AnyResponse, EDGE};
use super::body::{NativeBody, kept};
use super::budget::{fault, settled, within};
use crate::cache::edge::METADATA_HEADER;
use crate::cache::ports::{EdgeCache, EdgeCopy, EdgeFound, Fault};

/// `caches.default`.
#[derive(Debug)]
pub(super) struct Edge;

impl EdgeCache for Edge {
    type Body = NativeBody;

    async fn find(
        &self,
        url: &str,
        range: Option<&HeaderValue>,
        budget_ms: u32,
    ) -> Result<Option<EdgeFound<NativeBody>>, Fault> {
        let request = key_request(url, range).map_err(|error| fault(&error))?;
        let found = EDGE.with(|edge| edge.find(&request));
        let found = within(budget_ms, settled(found)).await??;
        let Ok(response) = found.dyn_into::<Response>() else { return Ok(None) };
        let headers = response.headers();
        let header = |name: &str| headers.get(name).ok().flatten();
        let length = header("content-length").and_then(|length| length.parse().ok());
        Ok(Some(EdgeFound {
            status: response.status(),
            metadata: header(METADATA_HEADER.as_str()),
            length,
            content_range: header("content-range"),
            body: NativeBody::of_response(&response),
        }))
    }

    async fn keep(
        &self,
        url: &str,
        copy: EdgeCopy<NativeBody>,
        budget_ms: u32,
    ) -> Result<(), Fault> {
        let EdgeCopy { headers, length, body } = copy;
        let init = init(&headers).map_err(|error| fault(&error))?;
        // Without a known length, production's Cache API would answer no range (runtime-apis/cache).
        let (value, handing) = body.leave(Some(length), Some(budget_ms))?;
        // A response without a body is not kept everywhere.
        let value = if value.is_null() { JsValue::from_str("") } else { value };
        let response = AnyResponse::new(&value, &init).map_err(|error| fault(&error))?;
        kept(settled(EDGE.with(|edge| edge.put(url, &response))), handing, budget_ms).await
    }

    async fn remove(&self, url: &str, budget_ms: u32) -> Result<(), Fault> {
        let looks = async {
            for _ in 0..LOOKS {
                Delay::from(BETWEEN_LOOKS).await;
                if settled(EDGE.with(|edge| edge.delete(url))).await?.is_truthy() {
                    break;
                }
            }
            Ok(())
        };
        within(budget_ms, looks).await?
    }
}

/// How often a broken write is looked after: what it left appears, where it does at all (in the local Cache
/// API), some moments after the write was said to be over.
const LOOKS: u8 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

fn key_request(url: &str, range: Option<&HeaderValue>) -> Result<Request, JsValue> {
    let Some(range) = range.and_then(|range| range.to_str().ok()) else {
        return Request::new_with_str(url);
    };
    let headers = Headers::new()?;
    headers.set("range", range)?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    Request::new_with_str_and_init(url, &init)
}

fn init(headers: &HeaderMap) -> Result<ResponseInit, JsValue> {
    let native = Headers::new()?;
    for (name, value) in headers {
        native.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = ResponseInit::new();
    init.set_headers(&native);
    Ok(init)
}
