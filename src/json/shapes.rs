//! The shapes that structs and enums have in JSON, each as a table of its members.

/// A struct is an object:
///
/// ```ignore
/// record! { Round, PassedOver {
///     "number" => number,            // needed
///     "by" => by or default,         // may be left out; is written
///     "cursor" => cursor or nothing, // may be left out, and is where it is nothing
/// } }
/// ```
///
/// Members are written in this order. An `Option` is `null` where it is `None`, and may always be left out. The second
/// word says what becomes of what is [unknown](super::Unknown).
macro_rules! record {
    ($type:ty, $unknown:ident { $($name:literal => $field:ident $(or $absent:ident)?),* $(,)? }) => {
        impl $type {
            const SHAPE: $crate::json::Shape = $crate::json::shapes::shape!(
                None, $unknown { $($name => $field $(or $absent)?),* }
            );

            fn write_members(&self, writer: &mut $crate::json::Writer) {
                let Self { $($field),* } = self;
                Self::SHAPE.write(&[$($field),*], writer);
            }
        }

        impl $crate::json::Json for $type {
            fn blank() -> Self {
                Self { $($field: $crate::json::Json::blank()),* }
            }

            fn fill(&mut self, spelled: $crate::json::Spelled<'_>) -> Result<(), $crate::json::Foreign> {
                let Self { $($field),* } = self;
                Self::SHAPE.fill(&mut [$($field),*], spelled)
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                writer.open('{');
                self.write_members(writer);
                writer.close('}');
            }
        }
    };
}

macro_rules! shape {
    ($label:expr, $unknown:ident { $($name:literal => $field:ident $(or $absent:ident)?),* }) => {
        $crate::json::Shape {
            label: $label,
            unknown: $crate::json::Unknown::$unknown,
            members: &[$(($name, $crate::json::shapes::absence!($($absent)?))),*],
        }
    };
}

macro_rules! absence {
    () => {
        $crate::json::Absence::Refused
    };
    (default) => {
        $crate::json::Absence::Read
    };
    (nothing) => {
        $crate::json::Absence::Written
    };
}

/// An enum whose variants have nothing in them is a text: `words! { Mode { "hard" => Hard, "soft" => Soft } }`.
macro_rules! words {
    ($type:ty { $first_word:literal => $first:ident $(, $word:literal => $variant:ident)* $(,)? }) => {
        impl $type {
            /// The word in JSON.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { Self::$first => $first_word, $(Self::$variant => $word),* }
            }
        }

        impl $crate::json::Json for $type {
            fn blank() -> Self {
                Self::$first
            }

            fn fill(&mut self, spelled: $crate::json::Spelled<'_>) -> Result<(), $crate::json::Foreign> {
                *self = match &*spelled.text()? {
                    $first_word => Self::$first,
                    $($word => Self::$variant,)*
                    _ => return Err($crate::json::Foreign),
                };
                Ok(())
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                writer.text(self.as_str());
            }
        }
    };
}

/// An enum is its tag, alone or with what it has:
///
/// ```ignore
/// choice! { Question {
///     "ledger" => Ledger,                          // "ledger"
///     "record" => Record(order),                   // {"record": …}
///     "receipt" => Receipt { "number" => number }, // {"receipt": {"number": 7}}
/// } }
/// ```
///
/// What is unknown in a variant is passed over.
macro_rules! choice {
    ($type:ty { $(
        $tag:literal => $variant:ident
            $(($inner:ident))?
            $({ $($name:literal => $field:ident $(or $absent:ident)?),* $(,)? })?
    ),* $(,)? }) => {
        impl $crate::json::Json for $type {
            #[allow(unreachable_code)] // it is the first of them
            fn blank() -> Self {
                $( return $crate::json::shapes::blank!($variant $(($inner))? $({ $($field),* })?); )*
            }

            fn fill(&mut self, spelled: $crate::json::Spelled<'_>) -> Result<(), $crate::json::Foreign> {
                let (tag, value) = spelled.tag()?;
                match &*tag {
                    $( $tag => $crate::json::shapes::fill_variant!(
                        self, value, $variant $(($inner))? $({ $($name => $field $(or $absent)?),* })?
                    ), )*
                    _ => return Err($crate::json::Foreign),
                }
                Ok(())
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                match self { $(
                    Self::$variant $(($inner))? $({ $($field),* })? => {
                        $crate::json::shapes::write_variant!(
                            writer, $tag $(($inner))? $({ $($name => $field $(or $absent)?),* })?
                        );
                    }
                )* }
            }
        }
    };
}

macro_rules! blank {
    ($variant:ident) => {
        Self::$variant
    };
    ($variant:ident ($inner:ident)) => {
        Self::$variant($crate::json::Json::blank())
    };
    ($variant:ident { $($field:ident),* }) => {
        Self::$variant { $($field: $crate::json::Json::blank()),* }
    };
}

macro_rules! fill_variant {
    ($self:ident, $value:ident, $variant:ident) => {{
        if $value.is_some_and(|value| !value.is_null()) {
            return Err($crate::json::Foreign);
        }
        *$self = Self::$variant;
    }};
    ($self:ident, $value:ident, $variant:ident ($inner:ident)) => {{
        *$self = $crate::json::shapes::blank!($variant($inner));
        if let Self::$variant($inner) = $self {
            $inner.fill($value.ok_or($crate::json::Foreign)?)?;
        }
    }};
    ($self:ident, $value:ident, $variant:ident { $($name:literal => $field:ident $(or $absent:ident)?),* }) => {{
        *$self = $crate::json::shapes::blank!($variant { $($field),* });
        if let Self::$variant { $($field),* } = $self {
            $crate::json::shapes::shape!(None, PassedOver { $($name => $field $(or $absent)?),* })
                .fill(&mut [$($field),*], $value.ok_or($crate::json::Foreign)?)?;
        }
    }};
}

macro_rules! write_variant {
    ($writer:ident, $tag:literal) => {
        $writer.text($tag);
    };
    ($writer:ident, $tag:literal ($inner:ident)) => {
        $writer.open('{');
        $writer.name($tag);
        $inner.write($writer);
        $writer.close('}');
    };
    ($writer:ident, $tag:literal { $($name:literal => $field:ident $(or $absent:ident)?),* }) => {
        $crate::json::shapes::shape!(None, PassedOver { $($name => $field $(or $absent)?),* })
            .write_tagged($tag, &[$($field),*], $writer);
    };
}

/// An enum is an object, in which the first member is the tag:
/// `tagged! { Question, "ask", Refused { "look" => Look {}, "show" => Show { "version" => version } } }`.
macro_rules! tagged {
    ($type:ty, $label:literal, $unknown:ident { $(
        $tag:literal => $variant:ident { $($name:literal => $field:ident $(or $absent:ident)?),* $(,)? }
    ),* $(,)? }) => {
        impl $crate::json::Json for $type {
            #[allow(unreachable_code)] // it is the first of them
            fn blank() -> Self {
                $( return $crate::json::shapes::blank!($variant { $($field),* }); )*
            }

            fn fill(&mut self, spelled: $crate::json::Spelled<'_>) -> Result<(), $crate::json::Foreign> {
                match &*spelled.label($label)? {
                    $( $tag => {
                        *self = $crate::json::shapes::blank!($variant { $($field),* });
                        if let Self::$variant { $($field),* } = self {
                            $crate::json::shapes::shape!(
                                Some($label), $unknown { $($name => $field $(or $absent)?),* }
                            ).fill(&mut [$($field),*], spelled)?;
                        }
                    } )*
                    _ => return Err($crate::json::Foreign),
                }
                Ok(())
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                writer.open('{');
                writer.name($label);
                match self { $(
                    Self::$variant { $($field),* } => {
                        writer.text($tag);
                        $crate::json::shapes::shape!(
                            Some($label), $unknown { $($name => $field $(or $absent)?),* }
                        ).write(&[$($field),*], writer);
                    }
                )* }
                writer.close('}');
            }
        }
    };
}

pub(crate) use {
    absence, blank, choice, fill_variant, record, shape, tagged, words, write_variant,
};
