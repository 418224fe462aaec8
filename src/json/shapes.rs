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
        impl $crate::json::Json for $type {
            fn read(spelled: $crate::json::Spelled<'_>) -> Result<Self, $crate::json::Foreign> {
                let unknown = $crate::json::Unknown::$unknown;
                let [$($field),*] = spelled.members([$($name),*], unknown)?;
                Ok(Self { $($field: $crate::json::shapes::read_member!($field $($absent)?)),* })
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                writer.open('{');
                self.write_members(writer);
                writer.close('}');
            }
        }

        impl $type {
            fn write_members(&self, writer: &mut $crate::json::Writer) {
                let Self { $($field),* } = self;
                $( $crate::json::shapes::write_member!(writer, $name, $field $($absent)?); )*
            }
        }
    };
}

macro_rules! read_member {
    ($member:ident) => {
        $crate::json::needed($member)?
    };
    ($member:ident default) => {
        $crate::json::optional($member)?
    };
    ($member:ident nothing) => {
        $crate::json::optional($member)?
    };
}

macro_rules! write_member {
    ($writer:ident, $name:literal, $field:ident) => {
        $writer.name($name);
        $crate::json::Json::write($field, $writer);
    };
    ($writer:ident, $name:literal, $field:ident default) => {
        $crate::json::shapes::write_member!($writer, $name, $field);
    };
    ($writer:ident, $name:literal, $field:ident nothing) => {
        if !$crate::json::Json::is_nothing($field) {
            $crate::json::shapes::write_member!($writer, $name, $field);
        }
    };
}

/// An enum whose variants have nothing in them is a text: `words! { Mode { "hard" => Hard, "soft" => Soft } }`.
macro_rules! words {
    ($type:ty { $($word:literal => $variant:ident),* $(,)? }) => {
        impl $type {
            /// The word in JSON.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::json::Json for $type {
            fn read(spelled: $crate::json::Spelled<'_>) -> Result<Self, $crate::json::Foreign> {
                match &*spelled.text()? {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::json::Foreign),
                }
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
///     "ledger" => Ledger,                       // "ledger"
///     "record" => Record(order),                // {"record": …}
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
            fn read(spelled: $crate::json::Spelled<'_>) -> Result<Self, $crate::json::Foreign> {
                let (tag, value) = spelled.tag()?;
                match &*tag {
                    $( $tag => $crate::json::shapes::read_variant!(
                        value, $variant $(($inner))? $({ $($name => $field $(or $absent)?),* })?
                    ), )*
                    _ => Err($crate::json::Foreign),
                }
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

macro_rules! read_variant {
    ($value:ident, $variant:ident) => {
        match $value {
            Some(value) if !value.is_null() => Err($crate::json::Foreign),
            None | Some(_) => Ok(Self::$variant),
        }
    };
    ($value:ident, $variant:ident ($inner:ident)) => {
        $crate::json::Json::read($value.ok_or($crate::json::Foreign)?).map(Self::$variant)
    };
    ($value:ident, $variant:ident { $($name:literal => $field:ident $(or $absent:ident)?),* }) => {{
        let (value, unknown) =
            ($value.ok_or($crate::json::Foreign)?, $crate::json::Unknown::PassedOver);
        let [$($field),*] = value.members([$($name),*], unknown)?;
        Ok(Self::$variant {
            $($field: $crate::json::shapes::read_member!($field $($absent)?)),*
        })
    }};
}

macro_rules! write_variant {
    ($writer:ident, $tag:literal) => {
        $writer.text($tag);
    };
    ($writer:ident, $tag:literal ($inner:ident)) => {
        $writer.open('{');
        $writer.name($tag);
        $crate::json::Json::write($inner, $writer);
        $writer.close('}');
    };
    ($writer:ident, $tag:literal { $($name:literal => $field:ident $(or $absent:ident)?),* }) => {
        $writer.open('{');
        $writer.name($tag);
        $writer.open('{');
        $( $crate::json::shapes::write_member!($writer, $name, $field $($absent)?); )*
        $writer.close('}');
        $writer.close('}');
    };
}

/// An enum is an object, in which the first member is the tag:
/// `tagged! { Question, "ask", Refused { "look" => Look {}, "show" => Show { "version" => version } } }`.
macro_rules! tagged {
    ($type:ty, $label:literal, $unknown:ident { $(
        $tag:literal => $variant:ident { $($name:literal => $field:ident $(or $absent:ident)?),* $(,)? }
    ),* $(,)? }) => {
        impl $crate::json::Json for $type {
            fn read(spelled: $crate::json::Spelled<'_>) -> Result<Self, $crate::json::Foreign> {
                let unknown = $crate::json::Unknown::$unknown;
                match &*spelled.label($label)? {
                    $( $tag => {
                        let [_, $($field),*] = spelled.members([$label, $($name),*], unknown)?;
                        Ok(Self::$variant {
                            $($field: $crate::json::shapes::read_member!($field $($absent)?)),*
                        })
                    } )*
                    _ => Err($crate::json::Foreign),
                }
            }

            fn write(&self, writer: &mut $crate::json::Writer) {
                writer.open('{');
                writer.name($label);
                match self { $(
                    Self::$variant { $($field),* } => {
                        writer.text($tag);
                        $( $crate::json::shapes::write_member!(writer, $name, $field $($absent)?); )*
                    }
                )* }
                writer.close('}');
            }
        }
    };
}

pub(crate) use {
    choice, read_member, read_variant, record, tagged, words, write_member, write_variant,
};
