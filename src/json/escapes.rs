//! A quoted text as what it says (RFC 8259, 7).

use std::borrow::Cow;

use super::Foreign;

/// What a text says that stands in quotes; without an escape it is where it stands.
pub(super) fn unquoted(quoted: &str) -> Result<Cow<'_, str>, Foreign> {
    if !quoted.as_bytes().starts_with(b"\"") {
        return Err(Foreign);
    }
    let inside = quoted.get(1..quoted.len() - 1).ok_or(Foreign)?;
    if !inside.as_bytes().contains(&b'\\') {
        return Ok(inside.into());
    }
    let (plain, mut rest) = inside.split_once('\\').ok_or(Foreign)?;
    let mut said = plain.to_owned();
    loop {
        let (character, after) = escaped(rest)?;
        said.push(character);
        let Some((plain, next)) = after.split_once('\\') else {
            said.push_str(after);
            return Ok(said.into());
        };
        said.push_str(plain);
        rest = next;
    }
}

/// What a backslash and what is behind it say, and what follows.
pub(super) fn escaped(text: &str) -> Result<(char, &str), Foreign> {
    let mut chars = text.chars();
    let character = match chars.next().ok_or(Foreign)? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unit(chars.as_str()),
        itself @ ('"' | '\\' | '/') => itself,
        _ => return Err(Foreign),
    };
    Ok((character, chars.as_str()))
}

/// The character of one UTF-16 unit, or of a pair of them.
fn unit(text: &str) -> Result<(char, &str), Foreign> {
    let (first, rest) = digits(text)?;
    if let Some(character) = char::from_u32(first) {
        return Ok((character, rest));
    }
    let (second, rest) = digits(rest.strip_prefix("\\u").ok_or(Foreign)?)?;
    let pair = [first, second].map(|unit| u16::try_from(unit).unwrap_or_default());
    match char::decode_utf16(pair).next() {
        Some(Ok(character)) => Ok((character, rest)),
        _ => Err(Foreign),
    }
}

/// Four hex digits.
fn digits(text: &str) -> Result<(u32, &str), Foreign> {
    let (digits, rest) = text.split_at_checked(4).ok_or(Foreign)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(Foreign);
    }
    let number = u32::from_str_radix(digits, 16).map_err(|_| Foreign)?;
    Ok((number, rest))
}
