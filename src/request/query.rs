//! A query string as ordered pairs, decoded as forms are: `+` and `%20` are both a space.
//!
//! Nothing is judged here but size: which names mean something is for [`super::parameter`] to say.

use std::borrow::Cow;

use super::{path::escaped, rejection::Rejection};
use crate::limits::{QUERY_BYTES_MAX, QUERY_PARAMETERS_MAX};

/// A query: at most [`QUERY_PARAMETERS_MAX`] pairs in at most [`QUERY_BYTES_MAX`] bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query<'a> {
    pairs: Vec<Pair<'a>>,
}

/// One `name=value` of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Decoded, in the case the viewer used.
    pub name: Cow<'a, str>,
    /// Decoded, or what could not be; empty when there is no `=`.
    pub value: Value<'a>,
}

/// The part after `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// Decoded text.
    Text(Cow<'a, str>),
    /// As sent: a percent sign without two digits, or bytes that are not UTF-8.
    Garbled(&'a str),
}

impl<'a> Query<'a> {
    /// Splits a query given without its `?`.
    ///
    /// A name that cannot be decoded is no name of ours, so its pair is left out.
    pub fn parse(raw_query: &'a str) -> Result<Self, Rejection> {
        if raw_query.len() > QUERY_BYTES_MAX {
            return Err(Rejection::QueryTooLong {
                bytes: raw_query.len(),
                bytes_max: QUERY_BYTES_MAX,
            });
        }
        let mut parts = raw_query.split('&').filter(|part| !part.is_empty());
        let pairs = parts.by_ref().take(QUERY_PARAMETERS_MAX).filter_map(pair).collect();
        if parts.next().is_some() {
            return Err(Rejection::TooManyParameters { count_max: QUERY_PARAMETERS_MAX });
        }
        Ok(Self { pairs })
    }

    /// Every pair, in the order given.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter()
    }

    /// The value of the first pair of this name, whatever its case; `None` when absent or garbled.
    pub fn first(&self, name: &str) -> Option<&str> {
        let pair = self.pairs().find(|pair| pair.name.eq_ignore_ascii_case(name))?;
        match &pair.value {
            Value::Text(text) => Some(text),
            Value::Garbled(_) => None,
        }
    }
}

fn pair(part: &str) -> Option<Pair<'_>> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let value = decoded(value).map_or(Value::Garbled(value), Value::Text);
    Some(Pair { name: decoded(name)?, value })
}

fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => escaped(&mut bytes)?,
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn text<'a>(name: &'a str, value: &'a str) -> Pair<'a> {
        Pair { name: name.into(), value: Value::Text(value.into()) }
    }

    #[test]
    fn pairs_come_out_decoded_and_in_order() {
        let query = Query::parse("b=2&&A=%31&c&d==+%2B&=x&").unwrap();
        let wanted =
            [text("b", "2"), text("A", "1"), text("c", ""), text("d", "= +"), text("", "x")];
        assert_eq!(query.pairs().cloned().collect::<Vec<_>>(), wanted);
        assert_eq!(Query::parse("").unwrap(), Query::default());
    }

    #[test]
    fn a_value_that_cannot_be_decoded_is_kept_as_sent() {
        for garbled in ["%", "%4", "%zz", "%ff", "a%c3"] {
            let raw = format!("width={garbled}&%ff=1");
            let query = Query::parse(&raw).unwrap();
            let wanted = [Pair { name: "width".into(), value: Value::Garbled(garbled) }];
            assert_eq!(query.pairs().cloned().collect::<Vec<_>>(), wanted);
            assert_eq!(query.first("width"), None);
        }
    }

    #[test]
    fn the_first_pair_of_a_name_is_found_in_any_case() {
        let query = Query::parse("Debug=view&debug=off").unwrap();
        assert_eq!(query.first("dEBUG"), Some("view"));
        assert_eq!(query.first("bug"), None);
    }

    #[test]
    fn the_bounds_are_reached_and_not_passed() {
        let longest = "x".repeat(QUERY_BYTES_MAX);
        assert!(Query::parse(&longest).is_ok());
        assert_eq!(
            Query::parse(&format!("{longest}x")),
            Err(Rejection::QueryTooLong { bytes: QUERY_BYTES_MAX + 1, bytes_max: QUERY_BYTES_MAX })
        );
        let most = "a=1&".repeat(QUERY_PARAMETERS_MAX);
        assert_eq!(Query::parse(&most).unwrap().pairs().count(), QUERY_PARAMETERS_MAX);
        assert_eq!(
            Query::parse(&format!("{most}a")),
            Err(Rejection::TooManyParameters { count_max: QUERY_PARAMETERS_MAX })
        );
    }

    proptest! {
        #[test]
        fn no_text_at_all_makes_it_panic(raw in any::<String>()) {
            let _ = Query::parse(&raw);
        }
    }
}
