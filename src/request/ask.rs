//! What the viewer asked: the few parts of an HTTP request that can change the answer.

use http::{HeaderMap, HeaderName, Method, header};

/// One request, free of any platform type.
///
/// `path` and `query` are as they stood on the request line: still percent-encoded.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Method as sent.
    pub method: Method,
    /// `https` or `http`.
    pub scheme: String,
    /// Host with its port, as in the `Host` header: `videos.example.com`, `127.0.0.1:8787`.
    pub host: String,
    /// Absolute path, percent-encoded, beginning with `/`.
    pub path: String,
    /// Query without its `?`; empty when there is none.
    pub query: String,
    /// Only the headers named in [`HEADERS`]: no other header can change an answer.
    pub headers: HeaderMap,
}

impl Ask {
    /// The value of a header as text; `None` when absent or not visible ASCII.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `https://videos.example.com`: where this request arrived.
    pub fn origin(&self) -> String {
        [&*self.scheme, "://", &*self.host].concat()
    }
}

/// Every request header the core reads; the shell copies these and no others.
pub static HEADERS: [HeaderName; 26] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_NONE_MATCH,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::ACCESS_CONTROL_REQUEST_HEADERS,
    header::USER_AGENT,
    header::AUTHORIZATION,
    CDN_LOOP,
    header::VIA,
    SEC_CH_VIEWPORT_WIDTH,
    VIEWPORT_WIDTH,
    SEC_CH_WIDTH,
    WIDTH,
    SEC_CH_DPR,
    DPR,
    SAVE_DATA,
    ECT,
    DOWNLINK,
    CF_DEVICE_TYPE,
    CF_CONNECTING_IP,
];

/// RFC 8586: who has already handled this request.
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
/// Client hint: the viewport's width in CSS pixels.
pub const SEC_CH_VIEWPORT_WIDTH: HeaderName = HeaderName::from_static("sec-ch-viewport-width");
/// The older spelling of [`SEC_CH_VIEWPORT_WIDTH`].
pub const VIEWPORT_WIDTH: HeaderName = HeaderName::from_static("viewport-width");
/// Client hint: the element's width in physical pixels.
pub const SEC_CH_WIDTH: HeaderName = HeaderName::from_static("sec-ch-width");
/// The older spelling of [`SEC_CH_WIDTH`].
pub const WIDTH: HeaderName = HeaderName::from_static("width");
/// Client hint: physical pixels to a CSS pixel.
pub const SEC_CH_DPR: HeaderName = HeaderName::from_static("sec-ch-dpr");
/// The older spelling of [`SEC_CH_DPR`].
pub const DPR: HeaderName = HeaderName::from_static("dpr");
/// `on` when the viewer pays for bytes.
pub const SAVE_DATA: HeaderName = HeaderName::from_static("save-data");
/// Effective connection type: `slow-2g`, `2g`, `3g`, `4g`.
pub const ECT: HeaderName = HeaderName::from_static("ect");
/// Estimated bandwidth in Mbit/s.
pub const DOWNLINK: HeaderName = HeaderName::from_static("downlink");
/// `mobile`, `tablet` or `desktop`, set by Cloudflare where the zone asks for it.
pub const CF_DEVICE_TYPE: HeaderName = HeaderName::from_static("cf-device-type");
/// The viewer's own address; Cloudflare sets it, whatever a viewer sends.
pub const CF_CONNECTING_IP: HeaderName = HeaderName::from_static("cf-connecting-ip");
