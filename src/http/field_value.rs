//! Header values that cannot fail and cannot be split.

use std::fmt::{self, Write};

use ::http::HeaderValue;

/// `text` as a header value.
///
/// Whatever is not a visible ASCII character or a space becomes `?`, so a value built from a
/// viewer's text can neither end its line nor be refused (RFC 9110 §5.5).
pub fn visible(text: &str) -> HeaderValue {
    let value = if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        HeaderValue::from_str(text)
    } else {
        let clean = text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' });
        HeaderValue::from_str(&clean.collect::<String>())
    };
    value.unwrap_or(HeaderValue::from_static(""))
}

/// The same of a text that is composed for it: `composed(format_args!("bytes */{total}"))`.
pub fn composed(text: fmt::Arguments<'_>) -> HeaderValue {
    let mut line = Line { bytes: [0; LINE_BYTES_MAX], length: 0 };
    match line.write_fmt(text) {
        Ok(()) => visible(line.text()),
        Err(fmt::Error) => visible(&text.to_string()),
    }
}

/// Room for most values, without an allocation.
struct Line {
    bytes: [u8; LINE_BYTES_MAX],
    length: usize,
}

const LINE_BYTES_MAX: usize = 80;

impl Line {
    fn text(&self) -> &str {
        let text = self.bytes.get(..self.length).map(std::str::from_utf8);
        text.and_then(Result::ok).unwrap_or_default()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Strips optional whitespace, SP and HTAB and nothing else (RFC 9110 §5.6.3).
pub(super) fn trim_ows(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t', inner @ ..] | [inner @ .., b' ' | b'\t'] = rest {
        rest = inner;
    }
    rest
}

/// A `1*DIGIT` as a number; `None` for anything else and for more than a `u64` holds.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    // `u64::from_str` alone would take a leading `+`.
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_cannot_end_its_line() {
        assert_eq!(visible("a\r\nSet-Cookie: b"), "a??Set-Cookie: b");
        assert_eq!(visible("caf\u{e9}\u{0}\t\u{7f}"), "caf????");
        assert_eq!(visible("bytes 0-1/2"), "bytes 0-1/2");
    }

    #[test]
    fn only_spaces_and_tabs_are_optional_whitespace() {
        assert_eq!(trim_ows(b" \t a b\t "), b"a b");
        assert_eq!(trim_ows(b"\x0ba\n"), b"\x0ba\n");
        assert_eq!(trim_ows(b" \t"), b"");
    }

    #[test]
    fn a_number_is_digits_and_fits() {
        assert_eq!(digits(b"00000000000000000000000000007"), Some(7));
        assert_eq!(digits(b"18446744073709551615"), Some(u64::MAX));
        for junk in [&b""[..], b"+1", b"-1", b" 1", b"1e3", b"18446744073709551616", b"\xff"] {
            assert_eq!(digits(junk), None, "{junk:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_composed_is_what_it_says_however_long_it_is(one in "\\PC{0,100}", two in "[ -~]{0,100}") {
            let value = composed(format_args!("{one}; {two}"));
            prop_assert_eq!(value, visible(&format!("{one}; {two}")));
        }

        #[test]
        fn any_text_becomes_a_value_of_the_same_visible_length(text in any::<String>()) {
            let value = visible(&text);
            prop_assert_eq!(value.to_str().unwrap().chars().count(), text.chars().count());
        }
    }
}
