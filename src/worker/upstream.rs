//! HTTP to the transformer and to sources, and pass-through of what is no video.

use http::{HeaderMap, HeaderName, HeaderValue};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, Request, RequestInit, RequestRedirect, Response};

use super::binding;
use super::body::NativeBody;
use super::budget::{fault, settled, settled_within};
use crate::cache::ports::{Call, Fault, Reply, UPSTREAM_HEADERS, Upstream};

/// The platform's `fetch`.
#[derive(Debug)]
pub(super) struct Fetcher;

impl Upstream for Fetcher {
    type Body = NativeBody;

    async fn fetch(&self, call: &Call) -> Result<Reply<NativeBody>, Fault> {
        let abort = AbortController::new().map_err(|error| fault(&error))?;
        let request = request(call, &abort).map_err(|error| fault(&error))?;
        let answer = settled_within(call.budget_ms, binding::fetch(&request)).await;
        if matches!(answer, Err(Fault::TimedOut { .. })) {
            abort.abort();
        }
        let answer = answer?;
        let response: Response =
            answer.dyn_into().map_err(|_| Fault::Corrupt("fetch gave no response"))?;
        let native = response.headers();
        let mut headers = HeaderMap::with_capacity(UPSTREAM_HEADERS.len());
        for name in &UPSTREAM_HEADERS {
            if let Ok(Some(value)) = native.get(name.as_str())
                && let Ok(value) = HeaderValue::from_str(&value)
            {
                headers.insert(name, value);
            }
        }
        let body = NativeBody::of_response(&response);
        Ok(Reply { status: response.status(), headers, body })
    }
}

fn request(call: &Call, abort: &AbortController) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in &call.headers {
        // Sensitive values are ours to send.
        headers.set(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = RequestInit::new();
    init.set_method(call.method.as_str());
    init.set_headers(&headers);
    init.set_signal(Some(&abort.signal()));
    init.set_redirect(RequestRedirect::Manual);
    Request::new_with_str_and_init(&call.url, &init)
}

/// The viewer's request, untouched but for its address and the marks against loops; the answer, untouched.
pub(super) async fn pass_through(
    request: &Request,
    url: &str,
    marks: &[(HeaderName, HeaderValue)],
) -> Result<Response, Fault> {
    let outgoing = readdressed(request, url, marks).map_err(|error| fault(&error))?;
    let answer = settled(binding::fetch(&outgoing)).await?;
    answer.dyn_into().map_err(|_| Fault::Corrupt("fetch gave no response"))
}

fn readdressed(
    request: &Request,
    url: &str,
    marks: &[(HeaderName, HeaderValue)],
) -> Result<Request, JsValue> {
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    let readdressed = Request::new_with_str_and_init(url, request.unchecked_ref())?;
    let outgoing = Request::new_with_request_and_init(&readdressed, &init)?;
    for (name, mark) in marks {
        outgoing.headers().set(name.as_str(), mark.to_str().unwrap_or_default())?;
    }
    Ok(outgoing)
}
