//! The core's reply as a platform response.

use http::header;
use web_sys::{Headers, Response, ResponseInit};
use worker::Context;

use super::binding::AnyResponse;
use super::body::NativeBody;
use crate::cache::ports::Reply;

/// A response whose body is the platform's own stream, with its length announced where it is known.
///
/// The request lives until its viewer has all or has left: only then what was set up for him can end by itself, and
/// nothing of it stays behind in the isolate.
pub(super) fn native(reply: Reply<NativeBody>, context: &Context) -> worker::Result<Response> {
    let Reply { status, headers, body } = reply;
    let native = Headers::new()?;
    for (name, value) in &headers {
        native.append(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(&native);
    // Statuses without a body must have none, or the constructor throws (fetch standard, 6.4); a HEAD announces
    // the length of what it does not send.
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let left = body.leave(length, None).map_err(|fault| worker::Error::from(fault.to_string()))?;
    let (value, handing) = left;
    let response = AnyResponse::new(&value, &init)?;
    context.wait_until(handing.done());
    Ok(response.into())
}

/// For what no HTTP request looks like.
pub(super) fn bad_request() -> worker::Result<Response> {
    let init = ResponseInit::new();
    init.set_status(400);
    Ok(Response::new_with_opt_str_and_init(None, &init)?)
}
