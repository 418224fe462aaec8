//! A JSON value where it lies in its text: what is in it is found when it is asked for.

use std::borrow::Cow;

use super::escapes::unquoted;
use super::{Foreign, Json, scan};

/// A value, as it is spelled. An object may still turn out to be none when it is looked into; anything else is one.
#[derive(Debug, Clone, Copy)]
pub struct Spelled<'a> {
    text: &'a str,
}

/// What becomes of a member that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is of a later release, and means nothing here.
    PassedOver,
    /// It makes the whole [`Foreign`].
    Refused,
}

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
        self.text.parse().map_err(|_| Foreign)
    }

    /// The text that it is.
    pub fn text(self) -> Result<Cow<'a, str>, Foreign> {
        unquoted(self.text)
    }

    /// The members of these names; `None` for each that is not there.
    pub fn members<const N: usize>(
        self,
        names: [&str; N],
        unknown: Unknown,
    ) -> Result<[Option<Self>; N], Foreign> {
        let mut found = [None; N];
        self.find(&names, unknown, &mut found)?;
        Ok(found)
    }

    fn find(
        self,
        names: &[&str],
        unknown: Unknown,
        found: &mut [Option<Self>],
    ) -> Result<(), Foreign> {
        let (mut members, mut next) = (Inside::object(self)?, 0);
        while let Some((name, value)) = members.member()? {
            let at = place(names, next, &name.text()?);
            match at.and_then(|at| found.get_mut(at)) {
                Some(place) if place.is_none() => *place = Some(value),
                None if unknown == Unknown::PassedOver => {}
                Some(_) | None => return Err(Foreign),
            }
            next = at.map_or(next, |at| at + 1);
        }
        Ok(())
    }

    /// The text of this member.
    pub fn label(self, name: &str) -> Result<Cow<'a, str>, Foreign> {
        let [label] = self.members([name], Unknown::PassedOver)?;
        label.ok_or(Foreign)?.text()
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

/// Where a name is among those that are looked for: what this house writes is in their order.
fn place(names: &[&str], next: usize, name: &str) -> Option<usize> {
    let (before, after) = names.split_at_checked(next)?;
    let found = after.iter().position(|it| *it == name).map(|at| next + at);
    found.or_else(|| before.iter().position(|it| *it == name))
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

/// A member that must be there, unless something stands for it.
pub fn needed<T: Json>(member: Option<Spelled<'_>>) -> Result<T, Foreign> {
    match member {
        Some(spelled) => T::read(spelled),
        None => T::left_out().ok_or(Foreign),
    }
}

/// A member that may be left out.
pub fn optional<T: Json + Default>(member: Option<Spelled<'_>>) -> Result<T, Foreign> {
    member.map_or_else(|| Ok(T::default()), T::read)
}
