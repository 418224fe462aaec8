//! A text becomes a [`Value`] (RFC 8259), or it is known where it is none.

use super::escapes::unquoted;
use super::value::{Map, Value};
use super::{Foreign, Misspelled};
use crate::limits::JSON_DEPTH_MAX;

/// Reads all of a text.
pub(super) fn read(text: &str) -> Result<Value, Misspelled> {
    let mut reading = Reading { text, at: 0, depth: 0 };
    let value = reading.value().and_then(|value| match reading.ahead() {
        None => Ok(value),
        Some(_) => Err(Foreign),
    });
    value.map_err(|Foreign| Misspelled::after(text.get(..reading.at).unwrap_or(text)))
}

/// A place in a text.
struct Reading<'a> {
    text: &'a str,
    at: usize,
    /// Lists and objects around it.
    depth: usize,
}

impl<'a> Reading<'a> {
    fn value(&mut self) -> Result<Value, Foreign> {
        match self.ahead() {
            Some(b'{') => self.inside(Self::object),
            Some(b'[') => self.inside(Self::list),
            Some(b'"') => self.quoted().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn inside(&mut self, read: fn(&mut Self) -> Result<Value, Foreign>) -> Result<Value, Foreign> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(Foreign);
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Foreign> {
        let mut members = Vec::new();
        while self.goes_on(b'}', members.is_empty())? {
            if self.ahead() != Some(b'"') {
                return Err(Foreign);
            }
            let name = self.quoted()?;
            self.expect(b':')?;
            members.push((name, self.value()?));
        }
        Ok(Value::Object(Map::of(members)))
    }

    fn list(&mut self) -> Result<Value, Foreign> {
        let mut list = Vec::new();
        while self.goes_on(b']', list.is_empty())? {
            list.push(self.value()?);
        }
        Ok(Value::Array(list))
    }

    /// Whether another one comes before the bracket; steps over what is between.
    fn goes_on(&mut self, bracket: u8, is_first: bool) -> Result<bool, Foreign> {
        if self.takes(bracket) {
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    fn quoted(&mut self) -> Result<String, Foreign> {
        let from = self.at;
        self.at += 1;
        loop {
            match self.peek().ok_or(Foreign)? {
                b'"' => break,
                0..b' ' => return Err(Foreign),
                // What is escaped is looked at later; a quote would not end the text.
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        unquoted(self.since(from)).map(Into::into)
    }

    fn number(&mut self) -> Result<Value, Foreign> {
        let from = self.at;
        self.skips(b'-');
        if !self.skips(b'0') {
            self.digits()?;
        }
        if self.skips(b'.') {
            self.digits()?;
        }
        if self.skips(b'e') || self.skips(b'E') {
            let _ = self.skips(b'+') || self.skips(b'-');
            self.digits()?;
        }
        Ok(Value::Number(self.since(from).to_owned()))
    }

    fn digits(&mut self) -> Result<(), Foreign> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > from { Ok(()) } else { Err(Foreign) }
    }

    fn word(&mut self) -> Result<Value, Foreign> {
        let words =
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = words.into_iter().find(|(word, _)| rest.starts_with(word));
        let (word, value) = word.ok_or(Foreign)?;
        self.at += word.len();
        Ok(value)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Foreign> {
        if self.takes(byte) { Ok(()) } else { Err(Foreign) }
    }

    /// Steps over this byte and the space before it, if it is there.
    fn takes(&mut self, byte: u8) -> bool {
        self.ahead();
        self.skips(byte)
    }

    /// Steps over space to what comes.
    fn ahead(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.peek()
    }

    fn skips(&mut self, byte: u8) -> bool {
        let is_here = self.peek() == Some(byte);
        self.at += usize::from(is_here);
        is_here
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.at).unwrap_or_default()
    }
}
