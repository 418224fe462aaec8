//! What must come of a path, said again in as few words as possible.

use std::rc::Rc;

use video_resizer::cache::status::Phase;

use super::states::{Edge, Kv, edge_bytes, kv_bytes};
use crate::fakes::edge::Slicing;
use crate::fakes::upstream::{Making, Source, original_bytes};
use crate::fakes::weather::Mishap;

/// How the viewer asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Get,
    Range,
    Head,
}

/// What was chosen on a path; `None` where nobody looked.
#[derive(Debug, Default, Clone)]
pub(super) struct Chosen {
    pub(super) edge: Option<Edge>,
    pub(super) kv: Option<Kv>,
    pub(super) making: Option<Making>,
    pub(super) source: Option<Source>,
    /// Every operation in order, with what went wrong with it.
    pub(super) mishaps: Vec<(&'static str, Mishap)>,
}

/// What must come of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) phase: Phase,
    pub(super) status: u16,
    /// The whole of what is served, in bytes; `None` for an error's document and for HEAD without any.
    pub(super) bytes: Option<Vec<u8>>,
}

impl Chosen {
    /// What went wrong with the first operation of this kind.
    pub(super) fn mishap(&self, kind: &str) -> Option<Mishap> {
        self.mishaps.iter().find(|(name, _)| *name == kind).map(|(_, mishap)| *mishap)
    }

    /// What went wrong with the last operation of this kind.
    pub(super) fn last_mishap(&self, kind: &str) -> Option<Mishap> {
        self.mishaps.iter().rev().find(|(name, _)| *name == kind).map(|(_, mishap)| *mishap)
    }

    /// Whether the edge told of a failure: the memory of one has no bytes, so a range needs a second look.
    fn edge_remembers(&self) -> bool {
        self.edge == Some(Edge::Failure) && self.last_mishap("edge-find") == Some(Mishap::None)
    }

    /// Whether KV told of a failure that is fresh, or is served at once.
    fn kv_remembers(&self) -> bool {
        matches!(self.kv, Some(Kv::Failure | Kv::RenewableFailure))
    }

    /// Whether the transformer was asked and gave something that may be served; then that.
    pub(super) fn is_made(&self, asked: Asked) -> bool {
        let Some(making) = self.making else { return false };
        match making {
            Making::Good
            | Making::GoodWithoutLength
            | Making::GoodBut(..)
            | Making::GoodOf(_)
            | Making::GoodOfUnannounced(_)
            | Making::BreaksOff(_)
            | Making::BreaksOffUnannounced
            | Making::BreaksOffAfter(..) => true,
            // Nobody knows it is empty who has not read it.
            Making::EmptyUnannounced => asked != Asked::Range,
            // Nobody knows it is the original who was not told its length.
            Making::Untransformed => {
                self.source != Some(Source::Holds) || self.mishap("probe") != Some(Mishap::None)
            }
            Making::SaysError(_)
            | Making::WrongType
            | Making::Partial
            | Making::Empty
            | Making::Status(_)
            | Making::Redirect(_)
            | Making::Overloaded(_) => false,
        }
    }

    /// Whether what was made may be kept.
    pub(super) fn may_be_kept(&self) -> bool {
        matches!(
            self.making,
            Some(Making::Good | Making::GoodWithoutLength | Making::Untransformed)
        )
    }

    /// What the viewer gets when nothing helps, and whether the original may help.
    fn failure(&self) -> (u16, bool) {
        if self.edge_remembers() {
            return (502, true);
        }
        if self.kv_remembers() {
            return (404, true);
        }
        match (self.mishap("transform"), self.making) {
            (Some(Mishap::TimedOut), _) => (504, true),
            (_, Some(Making::SaysError(9404))) => (404, false),
            (_, Some(Making::Status(404))) => (404, true),
            (_, Some(Making::Status(503))) => (503, true),
            _ => (502, true),
        }
    }
}

/// What must come of a path on which `made` is what the transformer made, if it did.
pub(super) fn expected(asked: Asked, chosen: &Chosen, made: Option<&Rc<[u8]>>) -> Expected {
    let part = if asked == Asked::Range { 206 } else { 200 };
    let good = |phase, status, bytes| Expected { phase, status, bytes: Some(bytes) };
    match chosen.edge {
        Some(Edge::Fresh(Slicing::Slices | Slicing::Ignores)) => {
            return good(Phase::EdgeHit, part, edge_bytes());
        }
        _ if chosen.kv == Some(Kv::Fresh) => return good(Phase::KvHit, part, kv_bytes()),
        _ if chosen.kv == Some(Kv::Renewable) => {
            return good(Phase::StaleWhileRevalidate, part, kv_bytes());
        }
        _ => {}
    }
    let is_remembered = chosen.edge_remembers() || chosen.kv_remembers();
    if asked == Asked::Head && !is_remembered && chosen.kv != Some(Kv::Stale) {
        let is_missing = chosen.source == Some(Source::Missing);
        let (phase, status) =
            if is_missing { (Phase::Failed, 404) } else { (Phase::HeadUnfilled, 200) };
        return Expected { phase, status, bytes: None };
    }
    if !is_remembered && asked != Asked::Head && chosen.is_made(asked) {
        let bytes = made.map_or_else(|| untold(chosen), |made| made.to_vec());
        // What breaks off before it is measured has no length, and so no parts.
        let is_whole = chosen.making == Some(Making::BreaksOffUnannounced);
        return good(Phase::Miss, if is_whole { 200 } else { part }, bytes);
    }
    let (status, original_helps) = chosen.failure();
    // A source that is gone is told honestly, whatever was made of it.
    if chosen.kv == Some(Kv::Stale) && (asked == Asked::Head || status >= 500) {
        return good(Phase::Stale, part, kv_bytes());
    }
    let has_it = matches!(chosen.source, Some(Source::Holds | Source::HoldsUnannounced));
    if original_helps && has_it && chosen.last_mishap("original") == Some(Mishap::None) {
        return good(Phase::Original, part, original_bytes());
    }
    Expected { phase: Phase::Failed, status, bytes: None }
}

/// The bytes of what was served as if it were a rendition because nothing told that it is none.
fn untold(chosen: &Chosen) -> Vec<u8> {
    if chosen.making == Some(Making::Untransformed) { original_bytes() } else { Vec::new() }
}
