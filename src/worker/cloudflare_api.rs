//! Cloudflare's own API over `fetch`.

use js_sys::JsString;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Headers, Request, RequestInit, RequestRedirect, Response};

use super::binding;
use super::budget::{fault, settled, within};
use crate::cache::ports::Fault;
use crate::limits::API_ANSWER_BYTES_MAX;
use crate::purge::ports::{ApiAnswer, ApiCall, CloudflareApi};

/// The API, reached from here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Api;

impl CloudflareApi for Api {
    async fn call(&self, call: &ApiCall) -> Result<ApiAnswer, Fault> {
        let abort = AbortController::new().map_err(|error| fault(&error))?;
        let request = request(call, &abort).map_err(|error| fault(&error))?;
        match within(call.budget_ms, answer(&request)).await {
            Ok(answer) => answer,
            Err(late) => {
                abort.abort();
                Err(late)
            }
        }
    }
}

async fn answer(request: &Request) -> Result<ApiAnswer, Fault> {
    let response: Response = settled(binding::fetch(request))
        .await?
        .dyn_into()
        .map_err(|_| Fault::Corrupt("fetch gave no response"))?;
    let header = |name| response.headers().get(name).ok().flatten();
    let announced = header("content-length").and_then(|length| length.parse::<u64>().ok());
    let fits = |bytes: u64| {
        let bytes_max = API_ANSWER_BYTES_MAX;
        if bytes > bytes_max { Err(Fault::TooLarge { bytes, bytes_max }) } else { Ok(()) }
    };
    fits(announced.unwrap_or_default())?;
    let text = settled(response.text()).await?;
    let text: JsString = text.dyn_into().map_err(|_| Fault::Corrupt("an answer without text"))?;
    fits(u64::from(text.length()))?;
    Ok(ApiAnswer {
        status: response.status(),
        retry_after_s: header("retry-after").and_then(|seconds| seconds.trim().parse().ok()),
        body: String::from(text),
    })
}

fn request(call: &ApiCall, abort: &AbortController) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    headers.set("authorization", &format!("Bearer {}", call.token.reveal()))?;
    headers.set("accept", "application/json")?;
    let init = RequestInit::new();
    if let Some(body) = &call.body {
        headers.set("content-type", "application/json")?;
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
    }
    init.set_headers(&headers);
    init.set_signal(Some(&abort.signal()));
    // The token is for this address only.
    init.set_redirect(RequestRedirect::Manual);
    Request::new_with_str_and_init(&call.url, &init)
}
