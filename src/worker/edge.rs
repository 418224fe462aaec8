//! The Cache API adapter.

use std::time::Duration;

use http::HeaderValue;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestInit, Response, ResponseInit};
use worker::Delay;

use super::binding::EDGE;
use super::body::{Held, NativeBody, held_to};
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
        Ok(Some(EdgeFound {
            status: response.status(),
            metadata: header(METADATA_HEADER.as_str()),
            content_range: header("content-range"),
            body: response.body().map_or(NativeBody::Empty, NativeBody::Stream),
        }))
    }

    async fn keep(&self, url: &str, copy: EdgeCopy<NativeBody>) -> Result<(), Fault> {
        let (response, kept) = whole(copy).map_err(|error| fault(&error))?;
        settled(EDGE.with(|edge| edge.put(url, &response))).await?;
        let Some(kept) = kept else { return Ok(()) };
        match within(SETTLE_MS, kept).await {
            Ok(Err(_)) => {
                take_back(url).await;
                Err(Fault::Corrupt("the body broke off"))
            }
            // A cache that keeps nothing may never read the body.
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

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

/// The answer to keep, and whether its body keeps to its length, where it is a stream.
fn whole(copy: EdgeCopy<NativeBody>) -> Result<(Response, Option<JsFuture>), JsValue> {
    let EdgeCopy { headers, length, body } = copy;
    let native = Headers::new()?;
    for (name, value) in &headers {
        native.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = ResponseInit::new();
    init.set_headers(&native);
    let stream = match body {
        NativeBody::Empty => {
            return Ok((Response::new_with_opt_str_and_init(Some(""), &init)?, None));
        }
        NativeBody::Text(text) => {
            return Ok((Response::new_with_opt_str_and_init(Some(&text), &init)?, None));
        }
        NativeBody::Held(blob) => blob.stream(),
        NativeBody::Stream(stream) => stream,
        NativeBody::Sized(stream) => {
            let response = Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)?;
            return Ok((response, None));
        }
    };
    // Without a known length, production's Cache API would answer no range (runtime-apis/cache).
    let Held { readable, kept } = held_to(&stream, length)?;
    let response = Response::new_with_opt_readable_stream_and_init(Some(&readable), &init)?;
    Ok((response, Some(kept)))
}

/// Deletes what is left of a body that broke off: `put` succeeds whatever became of the body, and workerd keeps
/// what came of it, some time after saying so.
async fn take_back(url: &str) {
    for _ in 0..LOOKS {
        Delay::from(BETWEEN_LOOKS).await;
        let deleted = settled(EDGE.with(|edge| edge.delete(url))).await;
        if deleted.is_ok_and(|deleted| deleted.is_truthy()) {
            return;
        }
    }
}

/// When a write is over, so is the stream it read, within this many milliseconds.
const SETTLE_MS: u32 = 1_000;
/// How often a broken write is looked after: what it left appears within moments, or not at all.
const LOOKS: u8 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
