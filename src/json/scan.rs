//! Steps over JSON, value by value, and takes nothing apart that nobody asks for (RFC 8259).
//!
//! A place in a text is a number of bytes. Each of these begins at one and gives back the one behind.

use super::{Foreign, escapes};
use crate::limits::JSON_DEPTH_MAX;

/// Where a text ceases to be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken(pub(super) usize);

impl From<Broken> for Foreign {
    fn from(_: Broken) -> Self {
        Self
    }
}

type Behind = Result<usize, Broken>;

/// What is there; `None` behind the last.
#[inline]
pub(super) fn peek(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// Over space, of which this house writes none.
#[inline(always)] // asked everywhere, and nearly always in vain
#[allow(clippy::inline_always)]
pub(super) fn space(text: &str, at: usize) -> usize {
    if peek(text, at).is_some_and(|byte| byte > b' ') { at } else { much_space(text, at) }
}

#[cold]
fn much_space(text: &str, mut at: usize) -> usize {
    while matches!(peek(text, at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Over space, and this byte.
pub(super) fn byte(text: &str, at: usize, byte: u8) -> Behind {
    let at = space(text, at);
    if peek(text, at) == Some(byte) { Ok(at + 1) } else { Err(Broken(at)) }
}

/// To where the next item of a list or an object begins; `None` where its bracket is next.
pub(super) fn item(
    text: &str,
    at: usize,
    bracket: u8,
    is_first: bool,
) -> Result<Option<usize>, Broken> {
    let at = space(text, at);
    match peek(text, at) {
        Some(byte) if byte == bracket => Ok(None),
        Some(b',') if !is_first => Ok(Some(space(text, at + 1))),
        Some(_) if is_first => Ok(Some(at)),
        Some(_) | None => Err(Broken(at)),
    }
}

/// Over the colon between a name and its value, to where that begins.
pub(super) fn colon(text: &str, at: usize) -> Behind {
    let at = space(text, at);
    if peek(text, at) == Some(b':') { Ok(space(text, at + 1)) } else { Err(Broken(at)) }
}

/// Into an object or a list that is inside of others: how many there are then.
pub(super) fn deeper(at: usize, depth: usize) -> Result<usize, Broken> {
    if depth < JSON_DEPTH_MAX { Ok(depth + 1) } else { Err(Broken(at)) }
}

/// Over a value; `depth` is how many lists and objects are around it.
pub(super) fn value(text: &str, at: usize, depth: usize) -> Behind {
    match peek(text, at) {
        Some(b'"') => quoted(text, at),
        Some(b'{') => nest(text, at, b'}', deeper(at, depth)?),
        Some(b'[') => nest(text, at, b']', deeper(at, depth)?),
        Some(b'-' | b'0'..=b'9') => number(text, at),
        _ => word(text, at),
    }
}

/// Over an object or a list.
fn nest(text: &str, at: usize, bracket: u8, depth: usize) -> Behind {
    let (mut at, mut is_first) = (at + 1, true);
    while let Some(next) = item(text, at, bracket, is_first)? {
        let begin = if bracket == b'}' { colon(text, quoted(text, next)?)? } else { next };
        at = value(text, begin, depth)?;
        is_first = false;
    }
    byte(text, at, bracket)
}

/// Over a text with its quotes.
pub(super) fn quoted(text: &str, at: usize) -> Behind {
    if peek(text, at) != Some(b'"') {
        return Err(Broken(at));
    }
    let mut at = at + 1;
    loop {
        match peek(text, at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(text, at + 1)?,
            None | Some(0..b' ') => return Err(Broken(at)),
            Some(_) => at += 1,
        }
    }
}

/// Over what is behind a backslash.
fn escape(text: &str, at: usize) -> Behind {
    let rest = text.get(at..).ok_or(Broken(at))?;
    let (_, rest) = escapes::escaped(rest).map_err(|Foreign| Broken(at))?;
    Ok(text.len() - rest.len())
}

fn number(text: &str, at: usize) -> Behind {
    let mut at = at + usize::from(peek(text, at) == Some(b'-'));
    at = if peek(text, at) == Some(b'0') { at + 1 } else { digits(text, at)? };
    if peek(text, at) == Some(b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(peek(text, at), Some(b'e' | b'E')) {
        at += 1;
        at = digits(text, at + usize::from(matches!(peek(text, at), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}

fn digits(text: &str, at: usize) -> Behind {
    let mut end = at;
    while matches!(peek(text, end), Some(b'0'..=b'9')) {
        end += 1;
    }
    if end > at { Ok(end) } else { Err(Broken(at)) }
}

fn word(text: &str, at: usize) -> Behind {
    let rest = text.get(at..).unwrap_or_default();
    let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word));
    word.map(|word| at + word.len()).ok_or(Broken(at))
}
