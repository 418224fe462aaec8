//! What a call is given: parameters of the query, the name in the path, the document.

use super::body::Document;
use super::refusal::{Refusal, Wrong};
use super::routes::Route;
use crate::json::Value;
use crate::limits::{BY_CHARS_MAX, NOTE_CHARS_MAX};
use crate::request::ask::Ask;
use crate::request::query::{self, Query};

/// Parameters that may be given more than once.
const REPEATABLE: [&str; 1] = ["header"];

/// Everything a call is given.
#[derive(Debug)]
pub(super) struct Given {
    parameters: Vec<(String, String)>,
    /// What stands in the path where the pattern has a name.
    pub(super) name: Option<String>,
    /// The body, where the call takes one.
    pub(super) document: Option<Document>,
}

/// Reads the query; every parameter that the call does not know, or that is given twice, is named.
pub(super) fn read(ask: &Ask, route: &Route, name: Option<String>) -> Result<Given, Refusal> {
    let query = Query::parse(&ask.query)
        .map_err(|rejection| Refusal::invalid("(query)", rejection.to_string()))?;
    let (mut parameters, mut wrong) = (Vec::<(String, String)>::new(), Vec::new());
    for pair in query.pairs() {
        let name = pair.name.as_ref();
        let query::Value::Text(value) = &pair.value else {
            wrong.push(Wrong::new(name, "it is no UTF-8 text, percent-encoded"));
            continue;
        };
        if !route.query.contains(&name) {
            let known = match route.query {
                [] => "this call has none".to_owned(),
                known => format!("this call knows {}", known.join(", ")),
            };
            wrong.push(Wrong::new(name, format!("it is no parameter of this call; {known}")));
        } else if !REPEATABLE.contains(&name) && parameters.iter().any(|(known, _)| known == name) {
            wrong.push(Wrong::new(name, "it is given more than once"));
        } else {
            parameters.push((name.to_owned(), value.clone().into_owned()));
        }
    }
    if wrong.is_empty() {
        Ok(Given { parameters, name, document: None })
    } else {
        Err(Refusal::Invalid(wrong))
    }
}

impl Given {
    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let named = self.parameters.iter().find(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// A parameter as a whole number from `min` to `max`.
    pub(super) fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Refusal> {
        self.parameter(name).map(|text| number(name, text, min, max)).transpose()
    }

    /// The name in the path as a whole number from `min` to `max`.
    pub(super) fn number_in_path(&self, at: &str, min: u64, max: u64) -> Result<u64, Refusal> {
        number(at, self.name.as_deref().unwrap_or_default(), min, max)
    }

    /// `dry_run=true` in the query of a call that knows it there, else `"dry_run": true` in the document.
    ///
    /// Never either: the document of a call that has it in the query says nothing about the call.
    pub(super) fn is_dry_run(&self, route: &Route) -> bool {
        if route.query.contains(&"dry_run") {
            return self.parameter("dry_run") == Some("true");
        }
        let in_document = self.document.as_ref().and_then(|document| document.value.get("dry_run"));
        in_document == Some(&Value::Bool(true))
    }

    /// A parameter that is `true` or `false`; `false` when it is not given.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.parameter(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::invalid(name, "write true or false")),
        }
    }
}

/// Digits and nothing else: `+7` and `7.0` are other spellings of a number, not numbers of ours.
fn number(at: &str, text: &str, min: u64, max: u64) -> Result<u64, Refusal> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| Refusal::invalid(at, format!("write a whole number from {min} to {max}")))
}

/// Who does something, and why: kept with what was done, at most [`BY_CHARS_MAX`] and [`NOTE_CHARS_MAX`] characters.
pub(super) fn signed(
    by: (&str, Option<&str>),
    note: (&str, Option<&str>),
) -> Result<(String, String), Refusal> {
    let text = |(at, text): (&str, Option<&str>), chars_max: usize| {
        let text = text.unwrap_or_default();
        let fits = text.chars().count() <= chars_max && !text.chars().any(char::is_control);
        let wanted = format!("write at most {chars_max} characters without control characters");
        if fits { Ok(text.to_owned()) } else { Err(Refusal::invalid(at, wanted)) }
    };
    Ok((text(by, BY_CHARS_MAX)?, text(note, NOTE_CHARS_MAX)?))
}
