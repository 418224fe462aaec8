//! What happened to a request, tier by tier; outward as `Cache-Status` (RFC 9211) and `Server-Timing`.

use std::fmt::Write;

use super::ports::Fault;
use super::reason::{NotKept, Unfit};

/// Name of the edge tier in `Cache-Status`.
pub const EDGE_NAME: &str = "video-resizer-edge";
/// Name of the KV tier in `Cache-Status`.
pub const KV_NAME: &str = "video-resizer-kv";

/// The life of one request, for headers, logs and analytics.
#[derive(Debug, Default)]
pub struct Trace {
    /// The Cache API.
    pub edge: TierTrace,
    /// Workers KV.
    pub kv: TierTrace,
    /// Every transform that was tried, in order.
    pub attempts: Vec<Attempt>,
    /// Milliseconds at the gate, where it was asked.
    pub gate_ms: Option<u64>,
    /// Whether another request's fill answered this one (RFC 9211, 2.6).
    pub collapsed: bool,
    /// Milliseconds until the original's headers came, where it was asked.
    pub original_ms: Option<u64>,
    /// Everything that went wrong below, by tier.
    pub faults: Vec<(Tier, Fault)>,
    /// What the last refusal of the transformer advised.
    pub advice: Advice,
    /// How it ended.
    pub phase: Phase,
}

/// What a refusal says about what to do instead.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Seconds to wait.
    pub retry_after_s: Option<u64>,
}

/// A place an answer may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// The Cache API.
    Edge,
    /// Workers KV.
    Kv,
    /// The gate before fills.
    Gate,
    /// What counts the misses of a viewer.
    Limiter,
    /// The transformation.
    Transform,
    /// The source, asked for its length only.
    Probe,
    /// The source, asked for the original.
    Original,
}

impl Tier {
    /// The word in logs and `Server-Timing`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Kv => "kv",
            Self::Gate => "gate",
            Self::Limiter => "limiter",
            Self::Transform => "transform",
            Self::Probe => "probe",
            Self::Original => "original",
        }
    }
}

/// How a request ended. Dashboards and documents are built on these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// From the Cache API.
    EdgeHit,
    /// From Workers KV.
    KvHit,
    /// Made for this request.
    Miss,
    /// Made for another request, which this one waited for.
    Collapsed,
    /// From a tier, past its lifetime, and renewed behind the viewer's back.
    StaleWhileRevalidate,
    /// From Workers KV, past its lifetime, because nothing better could be made.
    Stale,
    /// The original, because no rendition could be made.
    Original,
    /// An error, because nothing could be served.
    #[default]
    Failed,
    /// HEAD of something never made: answered without paying for it.
    HeadUnfilled,
    /// Nothing was kept, and the viewer wanted nothing else (`only-if-cached`).
    NotCached,
    /// Nothing was kept, and the viewer has asked for too much that was not.
    Limited,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 11] = [
        Self::EdgeHit,
        Self::KvHit,
        Self::Miss,
        Self::Collapsed,
        Self::StaleWhileRevalidate,
        Self::Stale,
        Self::Original,
        Self::Failed,
        Self::HeadUnfilled,
        Self::NotCached,
        Self::Limited,
    ];

    /// The word in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdgeHit => "edge-hit",
            Self::KvHit => "kv-hit",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
            Self::StaleWhileRevalidate => "stale-while-revalidate",
            Self::Stale => "stale",
            Self::Original => "original",
            Self::Failed => "failed",
            Self::HeadUnfilled => "head-unfilled",
            Self::NotCached => "not-cached",
            Self::Limited => "limited",
        }
    }
}

/// What one tier did.
#[derive(Debug, Default)]
pub struct TierTrace {
    /// What the look-up found; `None` where the request was answered before this tier.
    pub lookup: Option<Lookup>,
    /// Milliseconds the look-up took.
    pub took_ms: u64,
    /// Whether a copy is on its way to this tier; `None` where there was nothing to keep.
    pub kept: Option<Result<(), NotKept>>,
}

/// What a look-up found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// An answer, with the seconds it is still fresh; negative when stale.
    Hit {
        /// Seconds.
        ttl_s: i64,
    },
    /// The fresh memory that no rendition could be made.
    Remembered(Unfit),
    /// Nothing.
    Miss,
    /// Something too old.
    Stale,
    /// The tier broke; see the faults.
    Broken,
    /// Not looked up.
    NotAsked(NotKept),
}

/// One transform that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Index of the source.
    pub source: u8,
    /// Why it was not good; `None` when it was.
    pub unfit: Option<Unfit>,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// Milliseconds until its headers came.
    pub took_ms: u64,
}

impl Trace {
    /// `Cache-Status`: one member a tier that was concerned, nearest the origin first (RFC 9211, 2).
    pub fn cache_status(&self) -> String {
        let mut members = Vec::with_capacity(2);
        let tried = !self.attempts.is_empty() || self.gate_ms.is_some();
        let stale = match self.phase {
            Phase::Stale if tried => Some("stale-if-error"),
            Phase::StaleWhileRevalidate => Some("stale-while-revalidate"),
            Phase::EdgeHit
            | Phase::KvHit
            | Phase::Miss
            | Phase::Collapsed
            | Phase::Stale
            | Phase::Original
            | Phase::Failed
            | Phase::HeadUnfilled
            | Phase::NotCached
            | Phase::Limited => None,
        };
        let forward_status = self.attempts.last().and_then(|attempt| attempt.status);
        if let Some(lookup) = self.kv.lookup {
            let mut of_kv = member(KV_NAME, lookup, forward_status, self.collapsed);
            finish(&mut of_kv, lookup, self.kv.kept, stale);
            members.push(of_kv);
        }
        if let Some(lookup) = self.edge.lookup {
            let mut of_edge = member(EDGE_NAME, lookup, None, false);
            let stale = stale.filter(|_| self.kv.lookup.is_none());
            finish(&mut of_edge, lookup, self.edge.kept, stale);
            members.push(of_edge);
        }
        members.join(", ")
    }

    /// Everything that went wrong below, for the log.
    pub fn faults(&self) -> String {
        let faults: Vec<String> =
            self.faults.iter().map(|(tier, fault)| format!("{}: {fault}", tier.as_str())).collect();
        faults.join("; ")
    }

    /// `Server-Timing`, in milliseconds. Clocks of Workers stand still but for I/O, so nothing else is listed.
    pub fn server_timing(&self, total_ms: u64) -> String {
        let mut timing = String::new();
        // Writing to a String cannot fail.
        for (tier, trace) in [(Tier::Edge, &self.edge), (Tier::Kv, &self.kv)] {
            if trace.lookup.is_some_and(|lookup| !matches!(lookup, Lookup::NotAsked(_))) {
                let _ = write!(timing, "{};dur={}, ", tier.as_str(), trace.took_ms);
            }
        }
        if let Some(ms) = self.gate_ms {
            let _ = write!(timing, "gate;dur={ms}, ");
        }
        for attempt in &self.attempts {
            let _ = write!(timing, "transform;dur={}", attempt.took_ms);
            if let Some(unfit) = attempt.unfit {
                let _ = write!(timing, ";desc={}", unfit.as_str());
            }
            timing.push_str(", ");
        }
        if let Some(ms) = self.original_ms {
            let _ = write!(timing, "original;dur={ms}, ");
        }
        let _ = write!(timing, "total;dur={total_ms}");
        timing
    }
}

fn member(name: &str, lookup: Lookup, forward_status: Option<u16>, is_collapsed: bool) -> String {
    let mut member = name.to_owned();
    // Writing to a String cannot fail.
    let forwarded = match lookup {
        Lookup::Hit { ttl_s } => {
            let _ = write!(member, "; hit; ttl={ttl_s}");
            return member;
        }
        Lookup::Remembered(_) => {
            member.push_str("; hit");
            return member;
        }
        Lookup::Miss => "uri-miss",
        Lookup::Stale => "stale",
        Lookup::Broken => "miss",
        Lookup::NotAsked(_) => "bypass",
    };
    let _ = write!(member, "; fwd={forwarded}");
    if let Some(status) = forward_status {
        let _ = write!(member, "; fwd-status={status}");
    }
    if is_collapsed {
        member.push_str("; collapsed");
    }
    member
}

/// What became of a copy, and the one word there is room for.
fn finish(
    member: &mut String,
    lookup: Lookup,
    kept: Option<Result<(), NotKept>>,
    stale: Option<&'static str>,
) {
    if kept == Some(Ok(())) {
        member.push_str("; stored");
    }
    let detail = match lookup {
        Lookup::Hit { .. } => stale,
        Lookup::Remembered(unfit) => Some(unfit.as_str()),
        Lookup::Broken => Some("fault"),
        Lookup::NotAsked(why) => Some(why.as_str()),
        Lookup::Miss | Lookup::Stale => None,
    };
    let why_not = kept.and_then(Result::err).map(NotKept::as_str);
    if let Some(detail) = detail.or(why_not) {
        // Writing to a String cannot fail.
        let _ = write!(member, "; detail={detail}");
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
