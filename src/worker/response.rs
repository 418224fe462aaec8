//! The core's reply as a platform response.

use http::header;
use wasm_bindgen::JsValue;
use web_sys::{Headers, Response, ResponseInit};

use super::body::{NativeBody, of_length};
use crate::cache::ports::Reply;

/// A response whose body is the platform's own stream, with its length announced where it is known.
pub(super) fn native(reply: Reply<NativeBody>) -> worker::Result<Response> {
    build(reply).map_err(worker::Error::from)
}

fn build(reply: Reply<NativeBody>) -> Result<Response, JsValue> {
    let Reply { status, headers, body } = reply;
    let native = Headers::new()?;
    for (name, value) in &headers {
        native.append(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&native);
    match body {
        // Statuses without a body must have none, or the constructor throws (fetch standard, 6.4).
        NativeBody::Empty => Response::new_with_opt_str_and_init(None, &init),
        NativeBody::Text(text) => Response::new_with_opt_str_and_init(Some(&text), &init),
        NativeBody::Stream { stream, length: certain } => {
            let length = headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
            let stream = match length {
                Some(length) => of_length(stream, certain, length).0,
                None => stream,
            };
            Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)
        }
    }
}

/// For what no HTTP request looks like.
pub(super) fn bad_request() -> worker::Result<Response> {
    let init = ResponseInit::new();
    init.set_status(400);
    Ok(Response::new_with_opt_str_and_init(None, &init)?)
}
