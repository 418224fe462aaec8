//! `Content-Disposition` with a file name nobody can abuse (RFC 6266, RFC 8187).

use std::fmt::Write as _;

use ::http::HeaderValue;

use super::field_value::visible;
use crate::limits::FILENAME_CHARS_MAX;

/// What a browser does with the answer when it is opened by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Plays or shows it.
    Inline,
    /// Saves it.
    Attachment,
}

impl Disposition {
    /// The header's value, with a name to save under where `filename` leaves one.
    ///
    /// Of `filename` only what follows the last slash is kept, at most [`FILENAME_CHARS_MAX`]
    /// characters, without control or direction marks; characters that file systems refuse become
    /// `_`. A name beyond plain ASCII is given twice: reduced to ASCII for old clients, and whole.
    pub fn header_value(self, filename: Option<&str>) -> HeaderValue {
        let kind = match self {
            Self::Inline => "inline",
            Self::Attachment => "attachment",
        };
        let Some(name) = filename.and_then(safe_name) else {
            return visible(kind);
        };
        let plain = ascii_name(&name);
        if plain == name {
            return visible(&format!("{kind}; filename=\"{plain}\""));
        }
        let whole = extended(&name);
        visible(&format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}"))
    }
}

/// The last path segment, cleaned; `None` when nothing is left.
fn safe_name(filename: &str) -> Option<String> {
    let segment = filename.rsplit(['/', '\\']).next()?;
    let clean: String = segment
        .chars()
        .filter(|&c| !c.is_control() && !is_direction_mark(c))
        .map(|c| if "\"<>:|?*".contains(c) { '_' } else { c })
        .collect();
    // A leading dot hides the file, a trailing one is lost on Windows.
    let bare = clean.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let name: String = bare.chars().take(FILENAME_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// Marks that reorder what is shown: `exe.4pm` can be made to look like `mp4.exe` and the reverse.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// `%` goes too: some clients decode it in a quoted name (RFC 6266 appendix D).
fn ascii_name(name: &str) -> String {
    name.chars().map(|c| if matches!(c, ' '..='~') && c != '%' { c } else { '_' }).collect()
}

/// `value-chars` of RFC 8187 §3.2.1.
fn extended(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a `String` does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_name_is_quoted_as_it_is() {
        for (name, expected) in [
            (None, "inline"),
            (Some("a clip.mp4"), "inline; filename=\"a clip.mp4\""),
            (Some("/videos/a.mp4"), "inline; filename=\"a.mp4\""),
            (Some("..\\..\\a.mp4"), "inline; filename=\"a.mp4\""),
            (Some("a\r\nSet-Cookie: b=1"), "inline; filename=\"aSet-Cookie_ b=1\""),
            (Some("a\"; x=\"b"), "inline; filename=\"a_; x=_b\""),
            (Some(".htaccess."), "inline; filename=\"htaccess\""),
            (Some(".."), "inline"),
            (Some("a/"), "inline"),
            (Some(""), "inline"),
        ] {
            assert_eq!(Disposition::Inline.header_value(name), expected, "{name:?}");
        }
        assert_eq!(Disposition::Attachment.header_value(None), "attachment");
    }

    #[test]
    fn a_name_beyond_ascii_is_given_twice() {
        for (name, expected) in [
            (
                "\u{e9}t\u{e9}.mp4",
                "attachment; filename=\"_t_.mp4\"; filename*=UTF-8''%C3%A9t%C3%A9.mp4",
            ),
            ("100%.mp4", "attachment; filename=\"100_.mp4\"; filename*=UTF-8''100%25.mp4"),
            ("\u{202e}4pm.exe", "attachment; filename=\"4pm.exe\""),
            (
                "a 'b'.\u{e9}",
                "attachment; filename=\"a 'b'._\"; filename*=UTF-8''a%20%27b%27.%C3%A9",
            ),
        ] {
            assert_eq!(Disposition::Attachment.header_value(Some(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_long_name_is_cut() {
        let value = Disposition::Inline.header_value(Some(&"a".repeat(FILENAME_CHARS_MAX + 1)));
        assert_eq!(value, format!("inline; filename=\"{}\"", "a".repeat(FILENAME_CHARS_MAX)));
    }

    proptest! {
        #[test]
        fn no_name_escapes_its_quotes(name in any::<String>()) {
            let value = Disposition::Attachment.header_value(Some(&name));
            let text = value.to_str().unwrap();
            let quotes = text.matches('"').count();
            prop_assert!(quotes == 0 || quotes == 2, "{}", text);
            prop_assert!(!text.contains(['/', '\\']), "{}", text);
        }
    }
}
