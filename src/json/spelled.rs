//! A JSON value where it lies in its text: what is in it is found when it is asked for.

use std::borrow::Cow;

use super::escapes::unquoted;
use super::{Foreign, scan};

/// A value, as it is spelled. An object may still turn out to be none when it is looked into; anything else is one.
#[derive(Debug, Clone, Copy)]
pub struct Spelled<'a> {
    text: &'a str,
}

/// Digits of a number that is no larger than [`u64::MAX`], whatever they are.
const DIGITS_MAX: usize = 19;

impl<'a> Spelled<'a> {
    /// All of a text.
    pub fn of(text: &'a str) -> Result<Self, Foreign> {
        let text = text.trim_matches([' ', '\n', '\r', '\t']);
        if !text.starts_with('{') {
            let end = scan::value(text, 0, 0)?;
            if end < text.len() {
                return Err(Foreign);
            }
        }
        Ok(Self { text })
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// The `true` or `false` that it is.
    pub fn flag(self) -> Result<bool, Foreign> {
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Foreign),
        }
    }

    /// The number that it is: whole, and not negative.
    pub fn number(self) -> Result<u64, Foreign> {
        if self.text.len() > DIGITS_MAX {
            return self.text.parse().map_err(|_| Foreign);
        }
        let mut number = 0;
        for byte in self.text.bytes() {
            if !byte.is_ascii_digit() {
                return Err(Foreign);
            }
            number = number * 10 + u64::from(byte - b'0');
        }
        Ok(number)
    }

    /// The text that it is.
    pub fn text(self) -> Result<Cow<'a, str>, Foreign> {
        unquoted(self.text)
    }

    /// What stands between the quotes of a text.
    pub(super) fn quoted(self) -> &'a str {
        self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default()
    }

    /// The member of this name; `None` where there is none.
    pub fn member(self, name: &str) -> Result<Option<Self>, Foreign> {
        let (mut inside, mut found) = (Inside::object(self)?, None);
        while let Some((other, value)) = inside.member()? {
            if other.text()? == name && found.replace(value).is_some() {
                return Err(Foreign);
            }
        }
        Ok(found)
    }

    /// The text of this member.
    pub fn label(self, name: &str) -> Result<Cow<'a, str>, Foreign> {
        self.member(name)?.ok_or(Foreign)?.text()
    }

    /// The tag of a value in one of two forms, and what it has: `"ledger"`, `{"receipt": …}`.
    pub fn tag(self) -> Result<(Cow<'a, str>, Option<Self>), Foreign> {
        if let Ok(tag) = self.text() {
            return Ok((tag, None));
        }
        let mut members = Inside::object(self)?;
        let (tag, value) = members.member()?.ok_or(Foreign)?;
        if members.member()?.is_some() { Err(Foreign) } else { Ok((tag.text()?, Some(value))) }
    }

    #[inline]
    fn part(self, begin: usize, end: usize) -> Result<Self, Foreign> {
        self.text.get(begin..end).map(|text| Self { text }).ok_or(Foreign)
    }
}

/// What is inside of an object or a list, one after the other.
#[derive(Debug)]
pub struct Inside<'a> {
    whole: Spelled<'a>,
    at: usize,
    is_first: bool,
}

impl<'a> Inside<'a> {
    /// The items of a list.
    pub fn list(whole: Spelled<'a>) -> Result<Self, Foreign> {
        Self::behind(b'[', whole)
    }

    /// The members of an object.
    pub fn object(whole: Spelled<'a>) -> Result<Self, Foreign> {
        Self::behind(b'{', whole)
    }

    fn behind(bracket: u8, whole: Spelled<'a>) -> Result<Self, Foreign> {
        let at = scan::byte(whole.text, 0, bracket)?;
        Ok(Self { whole, at, is_first: true })
    }

    /// The next item.
    pub fn item(&mut self) -> Result<Option<Spelled<'a>>, Foreign> {
        let text = self.whole.text;
        let Some(begin) = scan::item(text, self.at, b']', self.is_first)? else { return Ok(None) };
        self.value(begin).map(Some)
    }

    /// The next member's name and value. Behind the last, nothing else is in the text.
    pub fn member(&mut self) -> Result<Option<(Spelled<'a>, Spelled<'a>)>, Foreign> {
        let text = self.whole.text;
        let Some(begin) = scan::item(text, self.at, b'}', self.is_first)? else {
            let end = scan::byte(text, self.at, b'}')?;
            return if end == text.len() { Ok(None) } else { Err(Foreign) };
        };
        let end = scan::quoted(text, begin)?;
        let name = self.whole.part(begin, end)?;
        let value = self.value(scan::colon(text, end)?)?;
        Ok(Some((name, value)))
    }

    fn value(&mut self, begin: usize) -> Result<Spelled<'a>, Foreign> {
        self.at = scan::value(self.whole.text, begin, 1)?;
        self.is_first = false;
        self.whole.part(begin, self.at)
    }
}
