//! A JSON document that somebody else wrote: looked into, compared, laid over another, and shown again.
//!
//! What this house itself keeps or sends is read by [`super::Spelled`], which takes nothing apart that nobody asks for.

use std::fmt;

use thiserror::Error;

use super::{Writer, reading};
use crate::sorted::Sorted;

/// A value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is spelled.
    Number(String),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// An object.
    Object(Map),
}

/// The members of an object in the order of their names; of one that comes twice the last one counts.
pub type Map = Sorted<String, Value>;

/// A text that is no JSON, and where it ceases to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line} column {column} is not what may stand there")]
pub struct Misspelled {
    /// Which line, from 1.
    pub line: usize,
    /// Which character of it, from 1.
    pub column: usize,
}

impl Misspelled {
    /// Behind what is good.
    pub(super) fn after(text: &str) -> Self {
        let line = text.rsplit('\n').next().unwrap_or_default();
        Self { line: text.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

impl Value {
    /// Reads all of a text.
    pub fn parse(text: &str) -> Result<Self, Misspelled> {
        reading::read(text)
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The member of an object, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        if let Self::Object(members) = self { members.get_mut(name) } else { None }
    }

    /// Takes it away; what is left is `null`.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// What is at a place (RFC 6901): `/errors/0/code`.
    pub fn pointer(&self, path: &str) -> Option<&Self> {
        path.split('/').skip(1).try_fold(self, |value, name| match value {
            Self::Object(members) => members.get(name),
            Self::Array(items) => items.get(name.parse::<usize>().ok()?),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
        })
    }

    /// The `true` or `false` that it is.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The number that it is: whole, and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self { number.parse().ok() } else { None }
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The list that it is.
    pub fn as_array(&self) -> Option<&Vec<Self>> {
        if let Self::Array(list) = self { Some(list) } else { None }
    }

    /// The object that it is.
    pub fn as_object(&self) -> Option<&Map> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.as_object().is_some()
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Null => writer.word("null"),
            Self::Bool(true) => writer.word("true"),
            Self::Bool(false) => writer.word("false"),
            Self::Number(number) => writer.document(number),
            Self::String(text) => writer.text(text),
            Self::Array(list) => {
                writer.open('[');
                for item in list {
                    item.write(writer);
                }
                writer.close(']');
            }
            Self::Object(members) => {
                writer.open('{');
                for (name, value) in members.iter() {
                    writer.name(name);
                    value.write(writer);
                }
                writer.close('}');
            }
        }
    }
}

/// As JSON, without a space in it, and members in the order of their names.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::default();
        self.write(&mut writer);
        formatter.write_str(&writer.into_text())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

#[cfg(test)]
impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        Self::parse(&value.to_string()).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
