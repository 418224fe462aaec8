//! A JSON text, read once and looked at from there.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Foreign, Json};

/// A value; texts without escapes are those of the text it was read from.
#[derive(Debug, PartialEq, Eq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Flag(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// Any other number: nothing of this house has one.
    OtherNumber,
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Tree<'a>>),
    /// An object, with its members as they came.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

/// What becomes of a member that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is of a later release, and means nothing here.
    PassedOver,
    /// It makes the whole [`Foreign`].
    Refused,
}

impl<'a> Tree<'a> {
    /// Reads all of a text.
    pub fn parse(text: &'a str) -> Result<Self, Foreign> {
        serde_json::from_str(text).map_err(|_| Foreign)
    }

    /// The text that it is.
    pub fn text(&self) -> Result<&str, Foreign> {
        if let Self::Text(text) = self { Ok(text) } else { Err(Foreign) }
    }

    /// The number that it is.
    pub fn number(&self) -> Result<u64, Foreign> {
        if let Self::Number(number) = self { Ok(*number) } else { Err(Foreign) }
    }

    /// The list that it is.
    pub fn list(&self) -> Result<&[Self], Foreign> {
        if let Self::List(list) = self { Ok(list) } else { Err(Foreign) }
    }

    /// The object that it is.
    pub fn object(&self) -> Result<&[(Cow<'a, str>, Self)], Foreign> {
        if let Self::Object(members) = self { Ok(members) } else { Err(Foreign) }
    }

    /// The members of these names; `None` for each that is not there.
    pub fn members<const N: usize>(
        &self,
        names: [&str; N],
        unknown: Unknown,
    ) -> Result<[Option<&Self>; N], Foreign> {
        let mut found = [None; N];
        self.find(&names, unknown, &mut found)?;
        Ok(found)
    }

    fn find<'t>(
        &'t self,
        names: &[&str],
        unknown: Unknown,
        found: &mut [Option<&'t Self>],
    ) -> Result<(), Foreign> {
        // What this house writes is in the order of the names.
        let mut next = 0;
        for (name, value) in self.object()? {
            let around = (next..names.len()).chain(0..next);
            let at = around.into_iter().find(|at| names.get(*at).is_some_and(|it| it == name));
            match at.and_then(|at| found.get_mut(at)) {
                Some(place) => {
                    if place.replace(value).is_some() {
                        return Err(Foreign);
                    }
                    next = at.unwrap_or_default() + 1;
                }
                None if unknown == Unknown::Refused => return Err(Foreign),
                None => {}
            }
        }
        Ok(())
    }

    /// The text of this member.
    pub fn label(&self, name: &str) -> Result<&str, Foreign> {
        let mut members = self.object()?.iter();
        members.find(|(it, _)| it == name).ok_or(Foreign)?.1.text()
    }

    /// The tag of a value in one of two forms, and what it has: `"ledger"`, `{"receipt": …}`.
    pub fn tag(&self) -> Result<(&str, Option<&Self>), Foreign> {
        match self {
            Self::Text(tag) => Ok((tag, None)),
            Self::Object(members) => match members.as_slice() {
                [(tag, value)] => Ok((tag, Some(value))),
                _ => Err(Foreign),
            },
            Self::Null | Self::Flag(_) | Self::Number(_) | Self::OtherNumber | Self::List(_) => {
                Err(Foreign)
            }
        }
    }
}

/// A member that must be there, unless something stands for it.
pub fn needed<T: Json>(member: Option<&Tree<'_>>) -> Result<T, Foreign> {
    match member {
        Some(tree) => T::read(tree),
        None => T::left_out().ok_or(Foreign),
    }
}

/// A member that may be left out.
pub fn optional<T: Json + Default>(member: Option<&Tree<'_>>) -> Result<T, Foreign> {
    member.map_or_else(|| Ok(T::default()), T::read)
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::OtherNumber)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Tree<'de>, E> {
        Ok(Tree::OtherNumber)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some((name, value)) = members.next_entry()? {
            if let Tree::Text(name) = name {
                object.push((name, value));
            }
        }
        Ok(Tree::Object(object))
    }
}
