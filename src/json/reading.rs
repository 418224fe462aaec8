//! A text becomes a [`Value`], or it is known where it is none.

use super::value::{Map, Value};
use super::{Misspelled, escapes, scan};
use scan::Broken;

/// Reads all of a text.
pub(super) fn read(text: &str) -> Result<Value, Misspelled> {
    let end = |(value, at)| match scan::space(text, at) {
        end if end == text.len() => Ok(value),
        end => Err(Broken(end)),
    };
    let value = value(text, scan::space(text, 0), 0).and_then(end);
    value.map_err(|Broken(at)| Misspelled::after(text.get(..at).unwrap_or(text)))
}

/// A value, and the place behind it.
fn value(text: &str, at: usize, depth: usize) -> Result<(Value, usize), Broken> {
    match scan::peek(text, at) {
        Some(b'{') => object(text, at, scan::deeper(at, depth)?),
        Some(b'[') => list(text, at, scan::deeper(at, depth)?),
        _ => {
            let end = scan::value(text, at, depth)?;
            Ok((plain(text, at, end)?, end))
        }
    }
}

fn object(text: &str, at: usize, depth: usize) -> Result<(Value, usize), Broken> {
    let (mut at, mut members) = (at + 1, Vec::new());
    while let Some(begin) = scan::item(text, at, b'}', members.is_empty())? {
        let end = scan::quoted(text, begin)?;
        let name = quoted(text, begin, end)?;
        let member = value(text, scan::colon(text, end)?, depth)?;
        at = member.1;
        members.push((name, member.0));
    }
    Ok((Value::Object(Map::of(members)), scan::byte(text, at, b'}')?))
}

fn list(text: &str, at: usize, depth: usize) -> Result<(Value, usize), Broken> {
    let (mut at, mut list) = (at + 1, Vec::new());
    while let Some(begin) = scan::item(text, at, b']', list.is_empty())? {
        let item = value(text, begin, depth)?;
        at = item.1;
        list.push(item.0);
    }
    Ok((Value::Array(list), scan::byte(text, at, b']')?))
}

/// What has nothing inside.
fn plain(text: &str, at: usize, end: usize) -> Result<Value, Broken> {
    Ok(match text.get(at..end).unwrap_or_default() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        it if it.starts_with('"') => Value::String(quoted(text, at, end)?),
        number => Value::Number(number.to_owned()),
    })
}

fn quoted(text: &str, at: usize, end: usize) -> Result<String, Broken> {
    let said = text.get(at..end).and_then(|quoted| escapes::unquoted(quoted).ok());
    said.map(Into::into).ok_or(Broken(at))
}
