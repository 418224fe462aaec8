//! The essence of a media type: `video/mp4` of `Video/MP4; codecs="avc1"` (RFC 9110 §8.3.1).

use super::field_value::trim_ows;

/// Type and subtype, lower-case, without parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Essence {
    text: String,
    slash: usize,
}

impl Essence {
    /// Reads a `Content-Type`; `None` unless it begins with `token/token`.
    ///
    /// Parameters are not read, so broken ones do not hide a type that is plain to see.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let essence = trim_ows(value.split(|&byte| byte == b';').next()?);
        let slash = essence.iter().position(|&byte| byte == b'/')?;
        let (kind, subtype) = (essence.get(..slash)?, essence.get(slash + 1..)?);
        let text = std::str::from_utf8(essence).ok()?.to_ascii_lowercase();
        (is_token(kind) && is_token(subtype)).then_some(Self { text, slash })
    }

    /// `video/mp4`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `video` of `video/mp4`.
    pub fn kind(&self) -> &str {
        self.text.get(..self.slash).unwrap_or_default()
    }
}

/// RFC 9110 §5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_case_and_whitespace_are_not_of_the_essence() {
        for spelled in [
            "video/mp4",
            "Video/MP4",
            " video/mp4 ",
            "video/mp4;codecs=\"avc1, mp4a\"",
            "video/mp4 ; ;;=",
        ] {
            let essence = Essence::parse(spelled.as_bytes());
            assert_eq!(essence.as_ref().map(Essence::as_str), Some("video/mp4"), "{spelled}");
            assert_eq!(essence.as_ref().map(Essence::kind), Some("video"), "{spelled}");
        }
    }

    #[test]
    fn what_has_no_two_tokens_has_no_essence() {
        for junk in [
            "",
            "video",
            "/mp4",
            "video/",
            "video /mp4",
            "video/mp4/x",
            "video/mp4, image/png",
            ";",
        ] {
            assert_eq!(Essence::parse(junk.as_bytes()), None, "{junk}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_an_essence_panic(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            if let Some(essence) = Essence::parse(&bytes) {
                prop_assert!(essence.as_str().starts_with(essence.kind()));
                prop_assert!(essence.as_str().is_ascii());
            }
        }
    }
}
