//! What guards the wallet, as it is configured: who may ask what of an origin, in which sizes, and who signs.

use super::check::Errors;
use super::reader::At;
use super::{Limits, Origin};
use crate::sorted::Sorted;

/// What a viewer of an origin needs for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginAccess {
    /// Nothing, for anything.
    Open,
    /// A signed URL, for anything.
    Signed,
    /// A signed URL, for what is neither a preset nor chosen for the viewer.
    SignedOrPreset,
    /// Nothing, for presets and what is chosen for the viewer; there is nothing else.
    Presets,
}

impl OriginAccess {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Open, Self::Signed, Self::SignedOrPreset, Self::Presets];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Signed => "signed",
            Self::SignedOrPreset => "signed-or-preset",
            Self::Presets => "presets",
        }
    }
}

/// Whose signatures count, and for how long.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Key id to the name of the secret that holds the key; never the key.
    pub keys: Sorted<String, String>,
    /// Whether a signed URL must say when it ends.
    pub require_expiry: bool,
    /// Seconds from now within which its end must lie; 0 is no bound.
    pub expires_max_s: u64,
}

/// The sizes that are made of what is asked freely; an empty list, and a step of 0, leave it free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Pixels, ascending, none above the origin's limit.
    pub widths: Vec<u16>,
    /// Pixels, ascending, none above the origin's limit.
    pub heights: Vec<u16>,
    /// Milliseconds: a start is a multiple of it.
    pub time_step_ms: u32,
    /// Milliseconds: a length is a multiple of it.
    pub duration_step_ms: u32,
}

pub(super) fn signing(at: &At<'_>, errors: &mut Errors) -> Signing {
    let keys = at.entries("keys").into_iter();
    let signing = Signing {
        keys: keys.map(|(kid, at)| (kid.to_owned(), at.own_text())).collect(),
        require_expiry: at.flag("requireExpiry"),
        expires_max_s: at.required("expiresMax"),
    };
    if !signing.require_expiry && signing.expires_max_s > 0 && errors.clean(at.path()) {
        errors.push(
            at.at("expiresMax").path(),
            signing.expires_max_s.to_string(),
            "0 where requireExpiry is false".to_owned(),
            "require an expiry, or leave it unbounded: a URL that never ends is beyond every bound"
                .to_owned(),
        );
    }
    signing
}

/// An origin that asks for signatures nobody can make answers nobody.
pub(super) fn check_keys(origins: &[Origin], signing: &Signing, errors: &mut Errors) {
    let needs_keys = |access| match access {
        OriginAccess::Signed | OriginAccess::SignedOrPreset => true,
        OriginAccess::Open | OriginAccess::Presets => false,
    };
    if signing.keys.is_empty()
        && errors.clean("signing")
        && let Some(origin) = origins.iter().find(|origin| needs_keys(origin.access))
    {
        errors.push(
            "signing.keys",
            "nothing".to_owned(),
            format!("a key, because origin {} asks for signatures", origin.name),
            "name the secret of a key, as {\"k1\": \"SIGNING_KEY_1\"}".to_owned(),
        );
    }
}

pub(super) fn access(word: &str) -> OriginAccess {
    let known = OriginAccess::ALL.into_iter().find(|access| access.as_str() == word);
    known.unwrap_or(OriginAccess::Open)
}

/// Limits; what an origin leaves out is the global one.
pub(super) fn limits(at: &At<'_>, global: Option<&Limits>) -> Limits {
    Limits {
        width_max: at.number("widthMax").or(global.map(|it| it.width_max)).unwrap_or_default(),
        height_max: at.number("heightMax").or(global.map(|it| it.height_max)).unwrap_or_default(),
        time_ms_max: at.number("timeMax").or(global.map(|it| it.time_ms_max)).unwrap_or_default(),
        duration_ms_max: at
            .number("durationMax")
            .or(global.map(|it| it.duration_ms_max))
            .unwrap_or_default(),
        image_count_max: at
            .number("imageCountMax")
            .or(global.map(|it| it.image_count_max))
            .unwrap_or_default(),
    }
}

/// A ladder; what an origin leaves out is the global one.
pub(super) fn ladder(at: &At<'_>, global: Option<&Ladder>, errors: &mut Errors) -> Ladder {
    let mut rungs = |key: &str, global: Option<&Vec<u16>>| {
        let own: Option<Vec<u16>> =
            at.value(key).map(|_| at.elements(key).iter().map(At::own_number).collect());
        if let Some(own) = &own {
            check_rungs(&at.at(key), own, errors);
        }
        own.or(global.cloned()).unwrap_or_default()
    };
    Ladder {
        widths: rungs("widths", global.map(|it| &it.widths)),
        heights: rungs("heights", global.map(|it| &it.heights)),
        time_step_ms: at
            .number("timeStep")
            .or(global.map(|it| it.time_step_ms))
            .unwrap_or_default(),
        duration_step_ms: at
            .number("durationStep")
            .or(global.map(|it| it.duration_step_ms))
            .unwrap_or_default(),
    }
}

fn check_rungs(at: &At<'_>, rungs: &[u16], errors: &mut Errors) {
    if !errors.clean(at.path()) {
        return;
    }
    for (index, pair) in rungs.windows(2).enumerate() {
        if let &[below, rung] = pair
            && below >= rung
        {
            errors.push(
                &format!("{}[{}]", at.path(), index + 1),
                rung.to_string(),
                format!("larger than the {below} before it"),
                "write the sizes ascending, each once".to_owned(),
            );
        }
    }
}

impl Ladder {
    /// The same ladder under a lower ceiling: a rung above a limit is the limit.
    pub(crate) fn within(mut self, limits: &Limits) -> Self {
        for (rungs, max) in
            [(&mut self.widths, limits.width_max), (&mut self.heights, limits.height_max)]
        {
            for rung in rungs.iter_mut() {
                *rung = (*rung).min(max);
            }
            rungs.dedup();
        }
        self
    }
}
