//! Faults to order: what they are, how they are written, which requests they meet.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// One way in which an answer goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Fault {
    /// Nothing for `ms`, then the answer as it would have been.
    Latency {
        /// Milliseconds before the headers.
        ms: u64,
    },
    /// Headers at once, then the body in pieces.
    Drip {
        /// Milliseconds over which the pieces are spread evenly.
        ms: u64,
        /// How many pieces.
        pieces: u64,
    },
    /// The full `Content-Length` announced, the connection closed early.
    Truncate {
        /// Body bytes that still arrive.
        bytes: u64,
    },
    /// Chunked instead of `Content-Length`; complete.
    NoLength,
    /// Chunked, and the connection reset before the last chunk.
    TruncateNoLength {
        /// Body bytes sent before the reset.
        bytes: u64,
    },
    /// Status 200 with an error inside: `Cf-Resized: err=<code>` and a text body.
    #[serde(rename = "error_in_200")]
    ErrorIn200 {
        /// The error code.
        code: u16,
    },
    /// A transformation answers with its source as it is. Means nothing on a source.
    Untransformed,
    /// This status instead of the answer.
    Status {
        /// 200 to 599.
        status: u16,
    },
    /// The connection is reset before any header.
    Reset,
    /// Nothing for `ms`, then the connection is reset.
    Hang {
        /// Milliseconds of silence.
        ms: u64,
    },
    /// One more response header; it replaces one of the same name.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

impl Fault {
    /// Whether every amount is within bounds; otherwise the sentence to answer with.
    pub(crate) fn check(&self) -> Result<(), String> {
        let bounded = |name: &str, value: u64, max: u64| {
            (value <= max).then_some(()).ok_or_else(|| format!("{name} is {value}, at most {max}"))
        };
        match self {
            Self::Latency { ms } | Self::Hang { ms } => bounded("ms", *ms, MS_MAX),
            Self::Drip { ms, pieces } => {
                bounded("ms", *ms, MS_MAX)?;
                bounded("pieces", *pieces, PIECES_MAX)?;
                (*pieces > 0).then_some(()).ok_or_else(|| "pieces is 0, at least 1".to_owned())
            }
            Self::Status { status } => match StatusCode::from_u16(*status) {
                Ok(known) if !known.is_informational() && *status < 600 => Ok(()),
                Ok(_) | Err(_) => Err(format!("status is {status}; it must be 200 to 599")),
            },
            Self::Header { name, value } => {
                HeaderName::try_from(name).map_err(|_| format!("{name:?} names no header"))?;
                HeaderValue::try_from(value)
                    .map_err(|_| format!("{value:?} is no header value"))
                    .map(drop)
            }
            Self::Truncate { .. }
            | Self::NoLength
            | Self::TruncateNoLength { .. }
            | Self::ErrorIn200 { .. }
            | Self::Untransformed
            | Self::Reset => Ok(()),
        }
    }

    /// Reads the form used in paths, `<kind>[-<arg>[-<arg>]]`, percent-decoded.
    ///
    /// A header is written `header-<name>=<value>`.
    pub(crate) fn from_path(text: &str) -> Result<Self, String> {
        let (kind, rest) = match text.split_once('-') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        let fault = match (kind, rest) {
            ("latency", Some(ms)) => Self::Latency { ms: amount(ms)? },
            ("drip", Some(rest)) => {
                let (ms, pieces) =
                    rest.split_once('-').ok_or("drip is written drip-<ms>-<pieces>")?;
                Self::Drip { ms: amount(ms)?, pieces: amount(pieces)? }
            }
            ("truncate", Some(bytes)) => Self::Truncate { bytes: amount(bytes)? },
            ("no_length", None) => Self::NoLength,
            ("truncate_no_length", Some(bytes)) => Self::TruncateNoLength { bytes: amount(bytes)? },
            ("error_in_200", Some(code)) => Self::ErrorIn200 { code: amount(code)? },
            ("untransformed", None) => Self::Untransformed,
            ("status", Some(status)) => Self::Status { status: amount(status)? },
            ("reset", None) => Self::Reset,
            ("hang", Some(ms)) => Self::Hang { ms: amount(ms)? },
            ("header", Some(rest)) => {
                let (name, value) =
                    rest.split_once('=').ok_or("header is written header-<name>=<value>")?;
                Self::Header { name: name.to_owned(), value: value.to_owned() }
            }
            (_, _) => return Err(format!("{text:?} is no fault; the README lists them")),
        };
        fault.check()?;
        Ok(fault)
    }
}

fn amount<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not an amount"))
}

/// Which answers an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// Samples, private ones too.
    Source,
    /// Transformations.
    Transform,
}

/// An order as somebody gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    /// What the request's path and query contain.
    #[serde(rename = "match")]
    pub(crate) contains: String,
    /// Which answers it is for.
    pub(crate) on: On,
    /// What goes wrong.
    pub(crate) fault: Fault,
    /// How often; absent means until it is deleted.
    #[serde(default)]
    pub(crate) times: Option<u32>,
}

/// Which answers an order is for, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum On {
    /// Samples only.
    Source,
    /// Transformations only.
    Transform,
    /// Both.
    Any,
}

impl On {
    fn covers(self, place: Place) -> bool {
        match self {
            Self::Any => true,
            Self::Source => place == Place::Source,
            Self::Transform => place == Place::Transform,
        }
    }
}

/// An order in force.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Standing {
    /// By which it is deleted.
    pub(crate) id: u64,
    /// The order; `times` is what is left of it.
    #[serde(flatten)]
    pub(crate) order: Order,
}

/// The orders in force, at most [`ORDERS_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Faults {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    orders: VecDeque<Standing>,
    next_id: u64,
}

impl Faults {
    /// Puts an order in force and returns its id, or the sentence that says why not.
    pub(crate) fn order(&self, order: Order) -> Result<u64, String> {
        order.fault.check()?;
        if order.times == Some(0) {
            return Err("times is 0, at least 1; leave it out for ever".to_owned());
        }
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.orders.len() >= ORDERS_MAX {
            return Err(format!("{ORDERS_MAX} faults are in force; delete some"));
        }
        book.next_id += 1;
        let id = book.next_id;
        book.orders.push_back(Standing { id, order });
        Ok(id)
    }

    /// The faults that meet this request, oldest order first; each is one time used up.
    pub(crate) fn meet(&self, place: Place, path_and_query: &str) -> Vec<Fault> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut met = Vec::new();
        book.orders.retain_mut(|Standing { order, .. }| {
            if !order.on.covers(place) || !path_and_query.contains(&order.contains) {
                return true;
            }
            met.push(order.fault.clone());
            match &mut order.times {
                None => true,
                Some(times) => {
                    *times = times.saturating_sub(1);
                    *times > 0
                }
            }
        });
        met
    }

    /// The orders in force.
    pub(crate) fn list(&self) -> Vec<Standing> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.orders.iter().cloned().collect()
    }

    /// Takes back the order of this id, or all of them; returns how many.
    pub(crate) fn withdraw(&self, id: Option<u64>) -> usize {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let before = book.orders.len();
        book.orders.retain(|standing| id.is_some_and(|id| id != standing.id));
        before - book.orders.len()
    }
}

/// Longer silences are the same to everyone who waits.
const MS_MAX: u64 = 600_000;
const PIECES_MAX: u64 = 10_000;
const ORDERS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_kind_has_one_form_in_paths_and_one_in_json() {
        for (path, json, fault) in [
            ("latency-20", r#"{"kind":"latency","ms":20}"#, Fault::Latency { ms: 20 }),
            (
                "drip-3000-6",
                r#"{"kind":"drip","ms":3000,"pieces":6}"#,
                Fault::Drip { ms: 3_000, pieces: 6 },
            ),
            (
                "truncate-1000",
                r#"{"kind":"truncate","bytes":1000}"#,
                Fault::Truncate { bytes: 1_000 },
            ),
            ("no_length", r#"{"kind":"no_length"}"#, Fault::NoLength),
            (
                "truncate_no_length-7",
                r#"{"kind":"truncate_no_length","bytes":7}"#,
                Fault::TruncateNoLength { bytes: 7 },
            ),
            (
                "error_in_200-9402",
                r#"{"kind":"error_in_200","code":9402}"#,
                Fault::ErrorIn200 { code: 9_402 },
            ),
            ("untransformed", r#"{"kind":"untransformed"}"#, Fault::Untransformed),
            ("status-503", r#"{"kind":"status","status":503}"#, Fault::Status { status: 503 }),
            ("reset", r#"{"kind":"reset"}"#, Fault::Reset),
            ("hang-9", r#"{"kind":"hang","ms":9}"#, Fault::Hang { ms: 9 }),
            (
                "header-Cache-Control=private, max-age=0",
                r#"{"kind":"header","name":"Cache-Control","value":"private, max-age=0"}"#,
                Fault::Header {
                    name: "Cache-Control".to_owned(),
                    value: "private, max-age=0".to_owned(),
                },
            ),
        ] {
            assert_eq!(Fault::from_path(path).unwrap(), fault, "{path}");
            assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault, "{json}");
            assert_eq!(serde_json::to_string(&fault).unwrap(), json);
        }
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for path in [
            "",
            "late",
            "latency",
            "latency-",
            "latency-x",
            "latency-600001",
            "drip-100",
            "drip-100-0",
            "drip-100-10001",
            "reset-1",
            "status-100",
            "status-600",
            "status-99999",
            "error_in_200-99999",
            "header-Bad Name=x",
            "header-X",
            "header-X=a\nb",
        ] {
            assert!(Fault::from_path(path).is_err(), "{path}");
        }
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"latency","ms":1,"bytes":1}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"explode"}"#).is_err());
    }

    fn order(contains: &str, on: On, times: Option<u32>) -> Order {
        Order { contains: contains.to_owned(), on, fault: Fault::Reset, times }
    }

    #[test]
    fn an_order_meets_only_its_place_and_its_match_and_only_so_often() {
        let faults = Faults::default();
        let id = faults.order(order("a.mp4", On::Source, Some(2))).unwrap();
        assert_eq!(faults.meet(Place::Transform, "/videos/a.mp4"), []);
        assert_eq!(faults.meet(Place::Source, "/videos/b.mp4"), []);
        assert_eq!(faults.list().first().unwrap().order.times, Some(2));
        for _ in 0..2 {
            assert_eq!(faults.meet(Place::Source, "/videos/a.mp4"), [Fault::Reset]);
        }
        assert_eq!(faults.meet(Place::Source, "/videos/a.mp4"), []);
        assert_eq!(faults.withdraw(Some(id)), 0);
    }

    #[test]
    fn orders_are_taken_back_one_by_one_or_all_and_are_bounded() {
        let faults = Faults::default();
        let first = faults.order(order("", On::Any, None)).unwrap();
        for _ in 1..ORDERS_MAX {
            faults.order(order("", On::Any, None)).unwrap();
        }
        assert!(faults.order(order("", On::Any, None)).is_err());
        assert_eq!(faults.meet(Place::Transform, "/").len(), ORDERS_MAX);
        assert_eq!(faults.withdraw(Some(first)), 1);
        assert_eq!(faults.withdraw(None), ORDERS_MAX - 1);
        assert!(faults.order(order("", On::Any, Some(0))).is_err());
    }
}
