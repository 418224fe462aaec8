//! What was asked and not done, said aloud: every note ends in `X-Param-Warnings`.

use std::fmt;

use super::{recipe::Mode, rejection::Rejection};
use crate::config::Strictness;

/// One thing a request asked that its answer does not do.
///
/// As text it is visible ASCII and spaces, fit for a header: `duration: it means nothing in frame mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A value that cannot be used; a 400 where the configuration is strict.
    Refused {
        /// As the viewer spelled it.
        parameter: String,
        /// The value, shortened.
        value: String,
        /// What would have been accepted.
        expected: String,
    },
    /// Given again with another value; the first counts. A 400 where the configuration is strict.
    Repeated {
        /// Canonical name.
        parameter: String,
    },
    /// Something of higher authority says otherwise.
    Overruled {
        /// As the viewer spelled it.
        parameter: String,
        /// What won.
        by: &'static str,
    },
    /// The mode has no use for it.
    Meaningless {
        /// As the viewer spelled it.
        parameter: String,
        /// The mode.
        mode: Mode,
    },
    /// It is made in another size, start or length than was asked.
    Snapped {
        /// As the viewer spelled it.
        parameter: String,
        /// What it comes to as asked.
        asked: String,
        /// What is made.
        made: String,
    },
    /// It does nothing here.
    Ignored {
        /// As the viewer spelled it.
        parameter: String,
        /// Why.
        reason: &'static str,
    },
}

impl Note {
    /// A stable name for logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "parameter-refused",
            Self::Repeated { .. } => "parameter-repeated",
            Self::Overruled { .. } => "parameter-overruled",
            Self::Meaningless { .. } => "parameter-meaningless",
            Self::Snapped { .. } => "parameter-snapped",
            Self::Ignored { .. } => "parameter-ignored",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Refused { parameter, value, expected } => {
                format!("{parameter}: ignored, \"{value}\" is not possible: {expected}")
            }
            Self::Repeated { parameter } => {
                format!("{parameter}: given more than once, the first counts")
            }
            Self::Overruled { parameter, by } => format!("{parameter}: overruled by {by}"),
            Self::Meaningless { parameter, mode } => {
                format!("{parameter}: it means nothing in {} mode", mode.as_str())
            }
            Self::Snapped { parameter, asked, made } => {
                format!("{parameter}: {asked} is not made here, {made} is")
            }
            Self::Ignored { parameter, reason } => format!("{parameter}: ignored, {reason}"),
        };
        let visible = |character: char| match character {
            ' '..='~' => character,
            _ => '?',
        };
        out.write_str(&text.chars().map(visible).collect::<String>())
    }
}

/// The notes of one request, and what its configuration makes of a bad parameter.
#[derive(Debug)]
pub(super) struct Notes {
    strictness: Strictness,
    list: Vec<Note>,
}

impl Notes {
    pub(super) fn new(strictness: Strictness) -> Self {
        Self { strictness, list: Vec::new() }
    }

    pub(super) fn add(&mut self, note: Note) {
        self.list.push(note);
    }

    pub(super) fn overruled(&mut self, parameter: &str, by: &'static str) {
        self.add(Note::Overruled { parameter: parameter.to_owned(), by });
    }

    pub(super) fn meaningless(&mut self, parameter: &str, mode: Mode) {
        self.add(Note::Meaningless { parameter: parameter.to_owned(), mode });
    }

    pub(super) fn snapped(&mut self, parameter: &str, asked: &str, made: &str) {
        let (asked, made) = (asked.to_owned(), made.to_owned());
        self.add(Note::Snapped { parameter: parameter.to_owned(), asked, made });
    }

    pub(super) fn ignored(&mut self, parameter: &str, reason: &'static str) {
        self.add(Note::Ignored { parameter: parameter.to_owned(), reason });
    }

    /// A bad parameter ends a strict request and becomes a note of a lenient one.
    pub(super) fn refuse(&mut self, rejection: Rejection) -> Result<(), Rejection> {
        let note = match (self.strictness, rejection) {
            (Strictness::Lenient, Rejection::Parameter { parameter, value, expected }) => {
                Note::Refused { parameter, value, expected }
            }
            (Strictness::Lenient, Rejection::Duplicate { parameter }) => {
                Note::Repeated { parameter }
            }
            (_, rejection) => return Err(rejection),
        };
        self.add(note);
        Ok(())
    }

    pub(super) fn into_list(self) -> Vec<Note> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bad_parameter_ends_a_strict_request_and_is_noted_in_a_lenient_one() {
        let parameter = || "w".to_owned();
        for (rejection, note) in [
            (
                Rejection::Parameter {
                    parameter: parameter(),
                    value: "5".to_owned(),
                    expected: "more".to_owned(),
                },
                "w: ignored, \"5\" is not possible: more",
            ),
            (
                Rejection::Duplicate { parameter: parameter() },
                "w: given more than once, the first counts",
            ),
        ] {
            let mut strict = Notes::new(Strictness::Strict);
            assert_eq!(strict.refuse(rejection.clone()), Err(rejection.clone()));
            let mut lenient = Notes::new(Strictness::Lenient);
            assert_eq!(lenient.refuse(rejection), Ok(()));
            let notes: Vec<_> = lenient.into_list().iter().map(Note::to_string).collect();
            assert_eq!(notes, [note]);
        }
    }

    #[test]
    fn leniency_does_not_reach_beyond_parameters() {
        let mut lenient = Notes::new(Strictness::Lenient);
        assert_eq!(lenient.refuse(Rejection::NoOrigin), Err(Rejection::NoOrigin));
    }

    proptest! {
        #[test]
        fn a_note_is_fit_for_a_header_whatever_the_viewer_sent(value in any::<String>()) {
            let expected = "a size".to_owned();
            let note = Note::Refused { parameter: "width".to_owned(), value, expected };
            prop_assert!(note.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
