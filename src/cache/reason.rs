//! Why something was not kept, or not served as asked: every reason has a name.
//!
//! The names appear in `Cache-Status`, in logs and in `KV_CACHING.md`; a test holds that document to
//! [`NotKept::ALL`] and [`Unfit::ALL_NAMES`].

use crate::limits;

/// Why a good rendition was not kept in a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotKept {
    /// The tier is switched off, globally or for the origin.
    Off,
    /// The request reads around the tier.
    Bypass,
    /// The transformer's answer is private.
    Private,
    /// The transformer's answer must not be stored.
    NoStore,
    /// The transformer's answer sets a cookie.
    SetCookie,
    /// The transformer's answer varies on everything.
    VaryStar,
    /// The body is larger than the tier takes.
    TooLarge,
    /// The length was not announced, the body is too large to be measured, and the tier must be told.
    LengthUnknown,
    /// The lifetime is under the tier's minimum.
    TtlTooShort,
    /// The body could not be branched.
    Fork,
    /// Another request of this isolate puts it there.
    UnderWay,
}

impl NotKept {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::Off,
        Self::Bypass,
        Self::Private,
        Self::NoStore,
        Self::SetCookie,
        Self::VaryStar,
        Self::TooLarge,
        Self::LengthUnknown,
        Self::TtlTooShort,
        Self::Fork,
        Self::UnderWay,
    ];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Bypass => "bypass",
            Self::Private => "private",
            Self::NoStore => "no-store",
            Self::SetCookie => "set-cookie",
            Self::VaryStar => "vary",
            Self::TooLarge => "too-large",
            Self::LengthUnknown => "length-unknown",
            Self::TtlTooShort => "ttl-too-short",
            Self::Fork => "fork",
            Self::UnderWay => "under-way",
        }
    }

    /// What it means, for the operator.
    pub fn meaning(self) -> String {
        match self {
            Self::Off => "The tier is switched off, globally or for this origin.".into(),
            Self::Bypass => "The request was allowed to read around the tier.".into(),
            Self::Private => "The transformer answered `Cache-Control: private`.".into(),
            Self::NoStore => "The transformer answered `Cache-Control: no-store`.".into(),
            Self::SetCookie => "The transformer's answer set a cookie.".into(),
            Self::VaryStar => "The transformer answered `Vary: *`.".into(),
            Self::TooLarge => format!(
                "The body is larger than the tier takes: {} chunks of `cache.chunkBytes` in KV, {} bytes at the edge.",
                limits::CHUNKS_MAX,
                limits::EDGE_BODY_BYTES_MAX
            ),
            Self::LengthUnknown => format!(
                "The transformer announced no length, which the Cache API must be told, and the body has more than the {} bytes that are held to measure one; KV takes it.",
                limits::SPOOL_BYTES_MAX
            ),
            Self::TtlTooShort => format!(
                "The lifetime is under the tier's minimum: {} s in KV, 1 s at the edge.",
                limits::KV_EXPIRATION_TTL_S_MIN
            ),
            Self::Fork => "The platform could not branch the body; the viewer got it whole.".into(),
            Self::UnderWay => {
                "Of many who are answered by KV at once, another puts it at the edge.".into()
            }
        }
    }
}

/// Why an answer of the transformer is not the rendition that was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// `Cf-Resized: err=…`, whatever the status said.
    TransformError(u16),
    /// A status other than 200.
    Status(u16),
    /// A part where the whole was ordered.
    Partial,
    /// A type that does not belong to the ordered format.
    ContentType,
    /// No bytes.
    Empty,
    /// The source itself, with the source's length.
    Untransformed,
    /// No answer at all.
    NoAnswer,
    /// No answer in time.
    TimedOut,
    /// The source needs credentials, and this worker has no key to relay it under.
    RelayKeyMissing,
    /// The source, or where it leads, may not be asked.
    SourceRefused,
}

impl Unfit {
    /// Every name with its meaning, for the operator.
    pub const ALL_NAMES: [(&'static str, &'static str); 10] = [
        ("transform-error", "The transformer said `Cf-Resized: err=…`, whatever the status was."),
        (
            "status",
            "The transformer answered with a status other than 200; a redirect is handed on, never followed.",
        ),
        ("partial", "The transformer answered 206 although no range is ever asked of it."),
        (
            "content-type",
            "The answer's type does not belong to the ordered format: an error page, for instance.",
        ),
        ("empty", "The answer has no bytes."),
        (
            "untransformed",
            "The answer is as long as the source: the original came back, not a rendition.",
        ),
        ("no-answer", "The connection failed before an answer came."),
        ("timed-out", "No answer came within the configured time."),
        (
            "relay-key-missing",
            "The source needs credentials or is this worker's own host, and the secret `SOURCE_RELAY_KEY` is not set.",
        ),
        (
            "source-refused",
            "The source, or where it redirects to, is not covered by `sources.allow` or not of the public internet; `faults` in the log says which.",
        ),
    ];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TransformError(_) => "transform-error",
            Self::Status(_) => "status",
            Self::Partial => "partial",
            Self::ContentType => "content-type",
            Self::Empty => "empty",
            Self::Untransformed => "untransformed",
            Self::NoAnswer => "no-answer",
            Self::TimedOut => "timed-out",
            Self::RelayKeyMissing => "relay-key-missing",
            Self::SourceRefused => "source-refused",
        }
    }

    /// The number that goes with the name: an error code of the transformer, or a status.
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::TransformError(number) | Self::Status(number) => Some(number),
            Self::Partial
            | Self::ContentType
            | Self::Empty
            | Self::Untransformed
            | Self::NoAnswer
            | Self::TimedOut
            | Self::RelayKeyMissing
            | Self::SourceRefused => None,
        }
    }

    /// Name and number back from a stored entry; `None` for a name this version does not know.
    pub fn from_parts(name: &str, number: Option<u16>) -> Option<Self> {
        let number = number.unwrap_or(0);
        Some(match name {
            "transform-error" => Self::TransformError(number),
            "status" => Self::Status(number),
            "partial" => Self::Partial,
            "content-type" => Self::ContentType,
            "empty" => Self::Empty,
            "untransformed" => Self::Untransformed,
            "no-answer" => Self::NoAnswer,
            "timed-out" => Self::TimedOut,
            "relay-key-missing" => Self::RelayKeyMissing,
            "source-refused" => Self::SourceRefused,
            _ => return None,
        })
    }
}
