//! What records are made of.

use super::{Foreign, Json, Tree, Writer};
use crate::sorted::Sorted;

impl Json for u64 {
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        tree.number()
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
            fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
                tree.number()?.try_into().map_err(|_| Foreign)
            }

            fn write(&self, writer: &mut Writer) {
                writer.number(u64::from(*self));
            }
        }
    )* };
}
narrow!(u8, u16, u32);

impl Json for bool {
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        if let Tree::Flag(flag) = tree { Ok(*flag) } else { Err(Foreign) }
    }

    fn write(&self, writer: &mut Writer) {
        writer.word(if *self { "true" } else { "false" });
    }

    fn is_nothing(&self) -> bool {
        !*self
    }
}

impl Json for String {
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        tree.text().map(str::to_owned)
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(self);
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Json> Json for Box<T> {
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        T::read(tree).map(Self::new)
    }

    fn write(&self, writer: &mut Writer) {
        T::write(self, writer);
    }
}

/// `None` is `null`, or left out.
impl<T: Json> Json for Option<T> {
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        if matches!(tree, Tree::Null) { Ok(None) } else { T::read(tree).map(Some) }
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
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        tree.list()?.iter().map(T::read).collect()
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
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        let [one, other] = tree.list()? else { return Err(Foreign) };
        Ok((A::read(one)?, B::read(other)?))
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
    fn read(tree: &Tree<'_>) -> Result<Self, Foreign> {
        let mut entries = Self::default();
        for (name, value) in tree.object()? {
            entries.insert(name.clone().into_owned(), T::read(value)?);
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
