//! Exact HTTP, the same for an edge hit, a KV hit and a cold miss.
//!
//! Everything here is a pure function of an [`Ask`](crate::request::ask::Ask), of what is known
//! about a representation, and of the time as an argument. In the order a request meets them:
//!
//! - [`cors::options`] answers OPTIONS, [`cors::allow`] marks every other answer on its way out.
//! - [`conditional::answer`] turns what would be a 200 into a 200, 206, 304, 412 or 416;
//!   [`range`] and [`range_set`] are its arithmetic, [`entity_tag`] and [`date`] its validators.
//! - [`Answer::shape`](conditional::Answer::shape) makes the headers say so, and
//!   [`Answer::cut`](conditional::Answer::cut) says what of the body is sent: a [`cut`], for several
//!   ranges that of [`multipart`].
//! - [`problem`] is the body and headers of every error that is ours.
//! - [`vary`], [`disposition`] and [`content_type`] write and read single headers; [`timestamp`] the times of JSON.
//!
//! Nothing a viewer sends can panic here, and no header value built here can end its line:
//! [`visible`] and [`composed`] are where text becomes a value.
//!
//! Inside this module the `http` crate is spelled `::http`.

pub mod conditional;
pub mod content_type;
pub mod cors;
pub mod cut;
pub mod date;
pub mod disposition;
pub mod entity_tag;
mod field_value;
pub mod multipart;
pub mod problem;
pub mod range;
pub mod range_set;
mod shape;
pub mod timestamp;
pub mod vary;

pub use field_value::{composed, visible};
