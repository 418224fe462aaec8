//! What a viewer of an origin needs for what: nothing, a signed URL, or to choose nothing but a preset.
//!
//! Decided from the request alone, before any cache is asked, so a hit is guarded like a miss.

use super::signature::{self, Signed};
use crate::cache::ports::{Clock, Secrets};
use crate::config::{Origin, OriginAccess, Signing};
use crate::request::path::SourcePath;
use crate::request::query::Query;
use crate::request::rejection::Rejection;

/// Why a request may have what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// Everybody may.
    Open,
    /// It chooses nothing.
    Preset,
    /// Its URL is signed.
    Signed(Signed),
    /// It carries the admin token, and nothing else would have let it in.
    Operator,
}

impl Pass {
    /// The word of `?debug=view`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Preset => "preset",
            Self::Signed(_) => "signature",
            Self::Operator => "operator",
        }
    }

    /// Whether a cache between may give the answer to others who ask for the same URL.
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Open | Self::Preset | Self::Signed(_) => true,
            Self::Operator => false,
        }
    }

    /// Whole seconds for which a viewer may go on showing what it gets; `None` is without an end.
    pub fn left_s(&self, now_ms: u64) -> Option<u64> {
        match self {
            Self::Signed(signed) => {
                let ends_ms = signed.expires_s?.saturating_mul(1000);
                Some(ends_ms.saturating_sub(now_ms) / 1000)
            }
            Self::Open | Self::Preset | Self::Operator => None,
        }
    }
}

/// What of a request decides.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Path of the video.
    pub path: &'a SourcePath,
    /// Its query.
    pub query: &'a Query<'a>,
    /// What it chooses freely: [`crate::request::Wanted::choices`].
    pub choices: &'a [&'static str],
    /// Whether it carries the admin token.
    pub is_admin: bool,
}

/// Lets a request in, or says what its origin would have answered; the admin token opens everything.
///
/// Where no signature is needed none is looked at: a link may be signed before its origin asks for it.
pub fn admit(
    host: &(impl Secrets + Clock),
    origin: &Origin,
    signing: &Signing,
    asked: &Asked<'_>,
) -> Result<Pass, Rejection> {
    match by_itself(host, origin, signing, asked) {
        Err(_) if asked.is_admin => Ok(Pass::Operator),
        decided => decided,
    }
}

fn by_itself(
    host: &(impl Secrets + Clock),
    origin: &Origin,
    signing: &Signing,
    asked: &Asked<'_>,
) -> Result<Pass, Rejection> {
    if needs_signature(origin.access, asked.choices) {
        return match signature::check(host, signing, asked.path, asked.query) {
            Err(Rejection::SignatureMissing) if origin.access == OriginAccess::SignedOrPreset => {
                Err(not_allowed(asked.choices, "ask for a preset or no size, or sign the URL"))
            }
            other => other.map(Pass::Signed),
        };
    }
    match origin.access {
        OriginAccess::Presets if !asked.choices.is_empty() => {
            Err(not_allowed(asked.choices, "ask for a preset, or no size at all"))
        }
        OriginAccess::Presets | OriginAccess::SignedOrPreset => Ok(Pass::Preset),
        OriginAccess::Open | OriginAccess::Signed => Ok(Pass::Open),
    }
}

/// Whether a viewer must have been given the URL by somebody with a key.
pub fn needs_signature(access: OriginAccess, choices: &[&str]) -> bool {
    match access {
        OriginAccess::Signed => true,
        OriginAccess::SignedOrPreset => !choices.is_empty(),
        OriginAccess::Open | OriginAccess::Presets => false,
    }
}

fn not_allowed(choices: &[&'static str], allowed: &'static str) -> Rejection {
    Rejection::NotAllowedHere { parameters: choices.to_vec(), allowed }
}
