//! The Cache API adapter.

use http::{HeaderMap, HeaderValue};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Response, ResponseInit};

use super::binding::{AnyResponse, EDGE};
use super::body::{NativeBody, kept};
use super::budget::{fault, settled, settled_within, sleep, within};
use super::platform;
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
        let range = range.and_then(|range| range.to_str().ok());
        let found = settled_within(budget_ms, platform::edge_match(url, range)).await?;
        if found.is_undefined() {
            return Ok(None);
        }
        let response: Response = found.unchecked_into();
        let head = platform::edge_head(&response, METADATA_HEADER.as_str());
        let head = head.map_err(|error| fault(&error))?;
        let mut lines = head.splitn(4, '\n').map(|line| Some(line).filter(|line| !line.is_empty()));
        let mut line = || lines.next().flatten();
        let status = line().and_then(|status| status.parse().ok());
        let length = line().and_then(|length| length.parse().ok());
        Ok(Some(EdgeFound {
            status: status.ok_or(Fault::Corrupt("a response without a status"))?,
            length,
            content_range: line().map(str::to_owned),
            metadata: line().map(str::to_owned),
            body: NativeBody::of_cache(&response, length),
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
                sleep(BETWEEN_LOOKS_MS).await;
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
const BETWEEN_LOOKS_MS: u32 = 50;

fn init(headers: &HeaderMap) -> Result<ResponseInit, JsValue> {
    let native = Headers::new()?;
    for (name, value) in headers {
        native.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = ResponseInit::new();
    init.set_headers(&native);
    Ok(init)
}
