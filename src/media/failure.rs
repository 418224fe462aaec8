//! What follows when no rendition could be made: the status, and what is tried next.
//!
//! One table, by the transformation's error codes (stream/transform-videos/troubleshooting).

use http::StatusCode;

use crate::cache::reason::Unfit;
use crate::request::recipe::Mode;

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The status the viewer gets when nothing else helps.
    pub status: StatusCode,
    /// Whether another source may do better.
    pub next_source: bool,
    /// Whether the original may be served instead.
    pub original: bool,
    /// Whether the failure is remembered for the lifetime of its status.
    pub remembered: bool,
}

/// What follows from `unfit`.
pub fn consequence(unfit: Unfit) -> Consequence {
    match unfit {
        Unfit::TransformError(code) => of_code(code),
        // The transformation says 9404 of a source that is not there. This is the transformation itself that
        // is not there (no `global_fetch_strictly_public`, not enabled in the zone), so the original may be.
        Unfit::Status(404 | 410) => Consequence { original: true, ..NOT_FOUND },
        // Followed, it could lead anywhere; handed on, it is the transformer's answer.
        Unfit::Status(status @ (301 | 302 | 303 | 307 | 308)) => Consequence {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
            next_source: false,
            original: false,
            remembered: true,
        },
        // Overloaded, not wrong: nothing is remembered, so that it is asked again at once.
        Unfit::Status(429 | 503) => {
            Consequence { status: StatusCode::SERVICE_UNAVAILABLE, remembered: false, ..BROKEN }
        }
        Unfit::Status(504) => Consequence { status: StatusCode::GATEWAY_TIMEOUT, ..BROKEN },
        Unfit::TimedOut => {
            Consequence { status: StatusCode::GATEWAY_TIMEOUT, remembered: false, ..BROKEN }
        }
        Unfit::NoAnswer => Consequence { remembered: false, ..BROKEN },
        Unfit::RelayKeyMissing => Consequence { next_source: true, remembered: false, ..BROKEN },
        Unfit::Status(_)
        | Unfit::Partial
        | Unfit::ContentType
        | Unfit::Empty
        | Unfit::Untransformed
        | Unfit::SourceRefused => BROKEN,
    }
}

/// Whether something old is better than telling of this failure: it is the server's, and passes (RFC 5861, 4).
///
/// A source that is gone is not: what was made of it goes with it.
pub fn is_of_the_server(unfit: Unfit) -> bool {
    consequence(unfit).status.is_server_error()
}

/// Whether the original is of use to a viewer who asked for this kind of rendition.
pub fn original_fits(mode: Mode) -> bool {
    match mode {
        Mode::Video => true,
        Mode::Frame | Mode::Spritesheet | Mode::Audio => false,
    }
}

/// The failure to report when several sources failed: the one that is not a plain "not found".
pub fn graver(first: Option<Unfit>, second: Unfit) -> Unfit {
    match first {
        Some(first) if consequence(first).status != StatusCode::NOT_FOUND => first,
        Some(_) | None => second,
    }
}

const BROKEN: Consequence = Consequence {
    status: StatusCode::BAD_GATEWAY,
    next_source: true,
    original: true,
    remembered: true,
};
const NOT_FOUND: Consequence = Consequence {
    status: StatusCode::NOT_FOUND,
    next_source: true,
    original: false,
    remembered: true,
};

/// The error type of `Proxy-Status` (RFC 9209, 2.3); `None` where an answer came and was no good.
pub fn proxy_error(unfit: Unfit) -> Option<&'static str> {
    match unfit {
        Unfit::TransformError(9407) => Some("dns_error"),
        Unfit::TransformError(9504) | Unfit::NoAnswer => Some("destination_unavailable"),
        Unfit::TimedOut => Some("http_response_timeout"),
        Unfit::RelayKeyMissing => Some("proxy_configuration_error"),
        Unfit::SourceRefused => Some("http_request_denied"),
        Unfit::TransformError(_)
        | Unfit::Status(_)
        | Unfit::Partial
        | Unfit::ContentType
        | Unfit::Empty
        | Unfit::Untransformed => None,
    }
}

fn of_code(code: u16) -> Consequence {
    match code {
        // Not found.
        9404 => NOT_FOUND,
        // The source's host cannot be resolved or reached.
        9407 | 9504 => Consequence { status: StatusCode::GATEWAY_TIMEOUT, ..BROKEN },
        // Not a video: the original is none either.
        9412 => Consequence { original: false, ..BROKEN },
        // 9401 option refused, 9402 too large, 9406 and 9419 address refused, 9408 the source says 4xx,
        // 9509 the source says 5xx, 9517 and 9523 internal, and whatever comes later.
        _ => BROKEN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_consequences() {
        for (unfit, status, original, remembered) in [
            (Unfit::TransformError(9401), 502, true, true),
            (Unfit::TransformError(9404), 404, false, true),
            (Unfit::TransformError(9407), 504, true, true),
            (Unfit::TransformError(9412), 502, false, true),
            (Unfit::TransformError(9504), 504, true, true),
            (Unfit::TransformError(9509), 502, true, true),
            (Unfit::TransformError(0), 502, true, true),
            (Unfit::Status(404), 404, true, true),
            (Unfit::Status(410), 404, true, true),
            (Unfit::Status(300), 502, true, true),
            (Unfit::Status(301), 301, false, true),
            (Unfit::Status(302), 302, false, true),
            (Unfit::Status(304), 502, true, true),
            (Unfit::Status(307), 307, false, true),
            (Unfit::Status(308), 308, false, true),
            (Unfit::Status(403), 502, true, true),
            (Unfit::Status(429), 503, true, false),
            (Unfit::Status(500), 502, true, true),
            (Unfit::Status(503), 503, true, false),
            (Unfit::Status(504), 504, true, true),
            (Unfit::Partial, 502, true, true),
            (Unfit::ContentType, 502, true, true),
            (Unfit::Empty, 502, true, true),
            (Unfit::Untransformed, 502, true, true),
            (Unfit::NoAnswer, 502, true, false),
            (Unfit::TimedOut, 504, true, false),
            (Unfit::RelayKeyMissing, 502, true, false),
            (Unfit::SourceRefused, 502, true, true),
        ] {
            let consequence = consequence(unfit);
            assert_eq!(consequence.status.as_u16(), status, "{unfit:?}");
            assert_eq!(consequence.original, original, "{unfit:?}");
            assert_eq!(consequence.remembered, remembered, "{unfit:?}");
            let is_handed_on = consequence.status.is_redirection();
            assert_eq!(consequence.next_source, !is_handed_on, "{unfit:?}");
        }
    }

    #[test]
    fn a_plain_absence_is_the_least_grave_and_else_the_first_is_reported() {
        let (absent, wrong) = (Unfit::Status(404), Unfit::ContentType);
        assert_eq!(graver(None, absent), absent);
        assert_eq!(graver(Some(absent), wrong), wrong);
        assert_eq!(graver(Some(wrong), absent), wrong);
        assert_eq!(graver(Some(wrong), Unfit::Partial), wrong);
        assert_eq!(graver(Some(Unfit::TransformError(9404)), absent), absent);
    }
}
