//! Steps over JSON, value by value, and takes nothing apart that nobody asks for (RFC 8259).
//!
//! A place in a text is a number of bytes. Each of these begins at one and gives back the one behind.

use super::Foreign;
use crate::limits::JSON_DEPTH_MAX;

/// A place behind something, or that something else is there.
type Behind = Result<usize, Foreign>;

/// Over space.
#[inline]
pub(super) fn space(text: &[u8], mut at: usize) -> usize {
    while matches!(text.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Over space, and this byte.
#[inline]
pub(super) fn byte(text: &[u8], at: usize, byte: u8) -> Behind {
    let at = space(text, at);
    if text.get(at) == Some(&byte) { Ok(at + 1) } else { Err(Foreign) }
}

/// To where the next item of a list or an object begins; `None` where its bracket is next.
#[inline]
pub(super) fn item(
    text: &[u8],
    at: usize,
    bracket: u8,
    is_first: bool,
) -> Result<Option<usize>, Foreign> {
    let at = space(text, at);
    if text.get(at) == Some(&bracket) {
        return Ok(None);
    }
    let at = if is_first { at } else { byte(text, at, b',')? };
    Ok(Some(space(text, at)))
}

/// Over the colon between a name and its value, to where that begins.
#[inline]
pub(super) fn colon(text: &[u8], at: usize) -> Behind {
    byte(text, at, b':').map(|at| space(text, at))
}

/// Over a value; `depth` is how many lists and objects are around it.
pub(super) fn value(text: &[u8], at: usize, depth: usize) -> Behind {
    match text.get(at) {
        Some(b'"') => quoted(text, at),
        Some(b'{') => nest(text, at, b'}', depth + 1),
        Some(b'[') => nest(text, at, b']', depth + 1),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        _ => word(text, at),
    }
}

/// Over an object or a list.
fn nest(text: &[u8], at: usize, bracket: u8, depth: usize) -> Behind {
    if depth > JSON_DEPTH_MAX {
        return Err(Foreign);
    }
    let (mut at, mut is_first) = (at + 1, true);
    while let Some(next) = item(text, at, bracket, is_first)? {
        let begin = if bracket == b'}' { colon(text, quoted(text, next)?)? } else { next };
        at = value(text, begin, depth)?;
        is_first = false;
    }
    byte(text, at, bracket)
}

/// Over a text with its quotes.
pub(super) fn quoted(text: &[u8], at: usize) -> Behind {
    let mut at = byte(text, at, b'"')?;
    loop {
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escaped(text, at + 1)?,
            None | Some(0..b' ') => return Err(Foreign),
            Some(_) => at += 1,
        }
    }
}

/// Over what is behind a backslash. Whether two halves make a character is for who reads it.
fn escaped(text: &[u8], at: usize) -> Behind {
    let is_hex = || {
        let digits = text.get(at + 1..at + 5)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 5)
    };
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => is_hex().ok_or(Foreign),
        _ => Err(Foreign),
    }
}

fn number(text: &[u8], at: usize) -> Behind {
    let mut at = at + usize::from(text.get(at) == Some(&b'-'));
    at = if text.get(at) == Some(&b'0') { at + 1 } else { digits(text, at)? };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        at = digits(text, at + usize::from(matches!(text.get(at), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}

fn digits(text: &[u8], at: usize) -> Behind {
    let mut end = at;
    while matches!(text.get(end), Some(b'0'..=b'9')) {
        end += 1;
    }
    if end > at { Ok(end) } else { Err(Foreign) }
}

fn word(text: &[u8], at: usize) -> Behind {
    let rest = text.get(at..).unwrap_or_default();
    let word = ["null", "true", "false"].into_iter().find(|it| rest.starts_with(it.as_bytes()));
    word.map(|word| at + word.len()).ok_or(Foreign)
}
