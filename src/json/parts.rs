//! What records are made of.

use super::{Foreign, Inside, Json, Spelled, Writer};
use crate::sorted::Sorted;

impl Json for u64 {
    fn blank() -> Self {
        0
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        *self = spelled.number()?;
        Ok(())
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
            fn blank() -> Self {
                0
            }

            fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
                *self = spelled.number()?.try_into().map_err(|_| Foreign)?;
                Ok(())
            }

            fn write(&self, writer: &mut Writer) {
                writer.number(u64::from(*self));
            }
        }
    )* };
}
narrow!(u8, u16, u32);

impl Json for bool {
    fn blank() -> Self {
        false
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        *self = spelled.flag()?;
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        writer.word(if *self { "true" } else { "false" });
    }

    fn is_nothing(&self) -> bool {
        !*self
    }
}

impl Json for String {
    fn blank() -> Self {
        Self::new()
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        *self = spelled.text()?.into_owned();
        Ok(())
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Json> Json for Box<T> {
    fn blank() -> Self {
        Self::new(T::blank())
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        T::fill(self, spelled)
    }

    fn write(&self, writer: &mut Writer) {
        T::write(self, writer);
    }
}

/// `None` is `null`, or left out.
impl<T: Json> Json for Option<T> {
    fn blank() -> Self {
        None
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        if spelled.is_null() { Ok(()) } else { self.insert(T::blank()).fill(spelled) }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Some(it) => it.write(writer),
            None => writer.word("null"),
        }
    }

    fn may_be_left_out(&self) -> bool {
        true
    }

    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T: Json> Json for Vec<T> {
    fn blank() -> Self {
        Self::new()
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        let mut inside = Inside::list(spelled)?;
        while let Some(item) = inside.item()? {
            self.push(T::blank());
            self.last_mut().ok_or(Foreign)?.fill(item)?;
        }
        Ok(())
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
    fn blank() -> Self {
        (A::blank(), B::blank())
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        let mut inside = Inside::list(spelled)?;
        self.0.fill(inside.item()?.ok_or(Foreign)?)?;
        self.1.fill(inside.item()?.ok_or(Foreign)?)?;
        if inside.item()?.is_some() { Err(Foreign) } else { Ok(()) }
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
    fn blank() -> Self {
        Self::default()
    }

    fn fill(&mut self, spelled: Spelled<'_>) -> Result<(), Foreign> {
        let mut inside = Inside::object(spelled)?;
        while let Some((name, value)) = inside.member()? {
            let mut it = T::blank();
            it.fill(value)?;
            self.insert(name.text()?.into_owned(), it);
        }
        Ok(())
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
