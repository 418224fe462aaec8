//! Walks a document along the table: every value checked, every gap filled, every unknown key reported.

use super::check::{Errors, shown};
use super::kind::Kind;
use super::renamed;
use super::table::{Fallback, KEYS, Key};
use crate::json::{Map, Value};

/// Characters of an unknown key that an error repeats.
const KEY_CHARS_MAX: usize = 64;

/// The document with defaults filled in and times in milliseconds.
///
/// A bad value is reported and replaced by its default, a bad element of a list by `null`,
/// so that the rest can still be looked at; the result is only believed without errors.
pub(super) fn normalise(document: &Value, errors: &mut Errors) -> Value {
    group("", "", Some(document), errors)
}

/// `over` on top of `base`: objects merge by key, everything else replaces.
pub(super) fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over.into_entries() {
                match base.get_mut(&key) {
                    Some(below) => merge(below, value),
                    None => drop(base.insert(key, value)),
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// The row at a path pattern.
pub(super) fn row(pattern: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == pattern)
}

/// The names right below a path pattern, once each, in the order of the table.
pub(super) fn names_below(pattern: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let below = match key.path.strip_prefix(pattern) {
            Some(below) if pattern.is_empty() => below,
            Some(below) => match below.strip_prefix('.') {
                Some(below) => below,
                None => continue,
            },
            None => continue,
        };
        let name = below.split(['.', '[']).next().unwrap_or(below);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// An object whose keys the table names.
fn group(pattern: &str, path: &str, value: Option<&Value>, errors: &mut Errors) -> Value {
    let names = names_below(pattern);
    let empty = Map::default();
    let object = match value {
        Some(Value::Object(object)) => object,
        None | Some(Value::Null) => &empty,
        Some(other) => {
            let wanted = format!("an object with {}", names.join(", "));
            errors.push(path, shown(path, other), wanted, renamed::advice_below(pattern));
            &empty
        }
    };
    let mut out = Map::default();
    for name in &names {
        let (pattern, path) = (joined(pattern, name), joined(path, name));
        let found = object.get(*name);
        let filled = match row(&pattern) {
            Some(row) => leaf(row, &path, found, errors),
            None => Some(group(&pattern, &path, found, errors)),
        };
        if let Some(filled) = filled {
            out.insert((*name).to_owned(), filled);
        }
    }
    for (name, value) in object.iter() {
        if errors.is_full() {
            break;
        }
        if !names.contains(&name.as_str()) {
            unknown(pattern, path, name, value, &names, errors);
        }
    }
    Value::Object(out)
}

fn unknown(
    pattern: &str,
    path: &str,
    name: &str,
    value: &Value,
    names: &[&'static str],
    errors: &mut Errors,
) {
    let old = joined(pattern, name);
    let short: String = name.chars().take(KEY_CHARS_MAX).collect();
    let path = joined(path, &short);
    if let (false, Value::Object(inner)) = (renamed::below(&old).is_empty(), value) {
        // A block of the predecessors: its parts moved to different places.
        for (name, value) in inner.iter() {
            unknown(&old, &path, name, value, &[], errors);
        }
        return;
    }
    let edits = |known: &str| distance(&name.to_ascii_lowercase(), &known.to_ascii_lowercase());
    let nearest =
        || names.iter().map(|known| (edits(known), known)).min_by_key(|(edits, _)| *edits);
    let advice = renamed::advice(&old).unwrap_or_else(|| match nearest() {
        Some((0..=2, near)) => format!("did you mean {near}?"),
        Some(_) => format!("the keys here are {}", names.join(", ")),
        None => "leave it out; CONFIGURATION_REFERENCE.md names every key".to_owned(),
    });
    errors.push(&path, shown(&path, value), "a key that exists".to_owned(), advice);
}

/// A value, list or map that has a row.
fn leaf(row: &Key, path: &str, found: Option<&Value>, errors: &mut Errors) -> Option<Value> {
    let Some(found) = found else { return fallback(row, path, errors) };
    if found.is_null() {
        return match row.fallback {
            Fallback::Nothing | Fallback::Inherits(_) | Fallback::TextOrNull(_) => None,
            Fallback::Required
            | Fallback::Bool(_)
            | Fallback::Integer(_)
            | Fallback::Text(_)
            | Fallback::Json(_) => fallback(row, path, errors),
        };
    }
    match row.kind.accept(found) {
        Ok(Value::Array(list)) => Some(elements(row.path, path, &list, errors)),
        Ok(Value::Object(map)) => Some(entries(row, path, map, errors)),
        Ok(value) => Some(value),
        Err(advice) => {
            let advice = if found.is_object() && !renamed::below(row.path).is_empty() {
                renamed::advice_below(row.path)
            } else {
                advice.to_owned()
            };
            errors.push(path, shown(path, found), row.kind.wanted(), advice);
            None
        }
    }
}

fn fallback(row: &Key, path: &str, errors: &mut Errors) -> Option<Value> {
    let value = match row.fallback {
        Fallback::Required => {
            let advice = "add it; CONFIGURATION_REFERENCE.md says what it means".to_owned();
            errors.push(path, "nothing".to_owned(), row.kind.wanted(), advice);
            return None;
        }
        Fallback::Nothing | Fallback::Inherits(_) => return None,
        Fallback::Bool(on) => Value::Bool(on),
        Fallback::Integer(number) => Value::from(number),
        Fallback::Text(text) | Fallback::TextOrNull(text) => Value::from(text),
        Fallback::Json(text) => Value::parse(text).unwrap_or_default(),
    };
    leaf(row, path, Some(&value).filter(|value| !value.is_null()), errors)
}

fn elements(pattern: &str, path: &str, list: &[Value], errors: &mut Errors) -> Value {
    let pattern = format!("{pattern}[]");
    let element = |(index, value): (usize, &Value)| {
        let path = format!("{path}[{index}]");
        match row(&pattern) {
            Some(row) => leaf(row, &path, Some(value), errors).unwrap_or_default(),
            None => group(&pattern, &path, Some(value), errors),
        }
    };
    Value::Array(list.iter().enumerate().map(element).collect())
}

fn entries(row_of_map: &Key, path: &str, map: Map, errors: &mut Errors) -> Value {
    let Kind::Map { keys, .. } = row_of_map.kind else { return Value::Null };
    let mut merged = match row_of_map.fallback {
        Fallback::Json(text) => Value::parse(text).unwrap_or_default(),
        Fallback::Required
        | Fallback::Nothing
        | Fallback::Inherits(_)
        | Fallback::Bool(_)
        | Fallback::Integer(_)
        | Fallback::Text(_)
        | Fallback::TextOrNull(_) => Value::Null,
    };
    merge(&mut merged, Value::Object(map));
    let pattern = format!("{}.*", row_of_map.path);
    let mut out = Map::default();
    for (name, value) in merged.as_object().into_iter().flat_map(Map::iter) {
        let short: String = name.chars().take(KEY_CHARS_MAX).collect();
        let path = joined(path, &short);
        let key = match keys.accept(&Value::from(name.as_str())) {
            Ok(Value::String(key)) => key,
            Ok(_) => continue,
            Err(advice) => {
                let advice = renamed::advice(&joined(row_of_map.path, name))
                    .unwrap_or_else(|| advice.to_owned());
                errors.push(&path, format!("the key \"{short}\""), keys.wanted(), advice);
                continue;
            }
        };
        if value.is_null() {
            continue; // takes a default entry out
        }
        let filled = match row(&pattern) {
            Some(row) => leaf(row, &path, Some(value), errors),
            None => Some(group(&pattern, &path, Some(value), errors)),
        };
        if let Some(filled) = filled
            && out.insert(key, filled).is_some()
        {
            let found = format!("the key \"{short}\" a second time");
            errors.push(&path, found, "written once".to_owned(), "leave one out".to_owned());
        }
    }
    Value::Object(out)
}

/// Edits between two short words (Levenshtein); beyond the shortened length nobody meant it.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(KEY_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().take(KEY_CHARS_MAX).enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (pair, b) in row.windows(2).zip(&b) {
            let &[corner, above] = pair else { continue };
            left = (above + 1).min(left + 1).min(corner + usize::from(a != *b));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
