//! What records are made of.

use std::borrow::Cow;

use super::{Foreign, Inside, Json, Spelled, Writer};
use crate::sorted::Sorted;

impl Json for u64 {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        spelled.number()
    }

    fn write(&self, writer: &mut Writer) {
        writer.number(*self);
    }

    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

/// A number of fewer bits.
macro_rules! narrow {
    ($($number:ty),*) => { $(
        impl Json for $number {
            fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
                spelled.number()?.try_into().map_err(|_| Foreign)
            }

            fn write(&self, writer: &mut Writer) {
                writer.number(u64::from(*self));
            }
        }
    )* };
}
narrow!(u8, u16, u32);

impl Json for bool {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        spelled.flag()
    }

    fn write(&self, writer: &mut Writer) {
        writer.word(if *self { "true" } else { "false" });
    }

    fn is_nothing(&self) -> bool {
        !*self
    }
}

impl Json for String {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        spelled.text().map(Cow::into_owned)
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Json> Json for Box<T> {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        T::read(spelled).map(Self::new)
    }

    fn write(&self, writer: &mut Writer) {
        T::write(self, writer);
    }
}

/// `None` is `null`, or left out.
impl<T: Json> Json for Option<T> {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        if spelled.is_null() { Ok(None) } else { T::read(spelled).map(Some) }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Some(it) => it.write(writer),
            None => writer.word("null"),
        }
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T: Json> Json for Vec<T> {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        let (mut items, mut list) = (Inside::list(spelled)?, Self::new());
        while let Some(item) = items.item()? {
            list.push(T::read(item)?);
        }
        Ok(list)
    }

    fn write(&self, writer: &mut Writer) {
        writer.open('[');
        for it in self {
            it.write(writer);
        }
        writer.close(']');
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

/// A list of two.
impl<A: Json, B: Json> Json for (A, B) {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        let mut items = Inside::list(spelled)?;
        let (one, other) = (items.item()?.ok_or(Foreign)?, items.item()?.ok_or(Foreign)?);
        if items.item()?.is_some() { Err(Foreign) } else { Ok((A::read(one)?, B::read(other)?)) }
    }

    fn write(&self, writer: &mut Writer) {
        writer.open('[');
        self.0.write(writer);
        self.1.write(writer);
        writer.close(']');
    }
}

/// An object of any names.
impl<T: Json> Json for Sorted<String, T> {
    fn read(spelled: Spelled<'_>) -> Result<Self, Foreign> {
        let (mut members, mut entries) = (Inside::object(spelled)?, Self::default());
        while let Some((name, value)) = members.member()? {
            entries.insert(name.text()?.into_owned(), T::read(value)?);
        }
        Ok(entries)
    }

    fn write(&self, writer: &mut Writer) {
        writer.open('{');
        for (name, value) in self.iter() {
            writer.name(name);
            value.write(writer);
        }
        writer.close('}');
    }
}
