//! What was asked: an [`Ask`] becomes a canonical [`Recipe`], or a [`Rejection`]. No I/O, no clock.
//!
//! Read the modules in the order a request meets them:
//!
//! - [`ask`]: the few parts of an HTTP request that can change the answer.
//! - [`path`]: the path in its one spelling. It is parsed apart, because pass-through and origin
//!   rules come before any parameter.
//! - [`query`]: the query as decoded pairs.
//! - [`parameter`]: the table of every parameter: names, values, effect, documentation.
//! - `value`: text to typed values; `given`: the typed parameters of one query, each once.
//! - `preset`: what a named recipe fills in.
//! - `kind`: mode and format; `sizing`, [`hints`], `size`, `ladder`: width, height and quality.
//! - [`recipe`]: the result, and its one spelling in keys and URLs.
//! - [`rejection`], [`note`]: what was refused, and what was asked and not done.
//! - [`url`]: a request as an operator writes it down.
//!
//! # What decides
//!
//! The request, then the preset, then the origin's quality, then the configured default: option by
//! option. Our own name of a parameter, then Akamai's. An option that means nothing in the mode is
//! left out of the recipe, so it cannot split the cache: with a note when the viewer gave it, in
//! silence when it came from a preset or from the default.
//! The origin's limits bound them all: what is asked beyond is refused, what a preset or a bucket says
//! beyond becomes the limit. What is asked within them is made in the steps of the origin's ladder.
//! A value that cannot be used is a [`Rejection`] where the configuration is strict and a [`Note`]
//! where it is lenient. Bounds on the size of the query and the path hold in both.

pub mod ask;
mod given;
pub mod hints;
mod kind;
mod ladder;
pub mod note;
pub mod parameter;
pub mod path;
mod preset;
pub mod query;
pub mod recipe;
pub mod rejection;
mod size;
mod sizing;
#[cfg(test)]
mod tests;
pub mod url;
mod value;

use http::HeaderName;

pub use self::{sizing::Sizing, value::Preload};

use self::{
    ask::Ask,
    given::{Asked, Given, value},
    note::{Note, Notes},
    query::Query,
    recipe::{Fit, Mode, Recipe},
    rejection::Rejection,
    size::Size,
};
use crate::config::{Config, Origin, Preset};

/// What the viewer gets, and everything that was decided on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The rendition.
    pub recipe: Recipe,
    /// What the player is told.
    pub playback: Playback,
    /// Name of the preset that was asked.
    pub preset: Option<String>,
    /// Name of the saved file: letters, digits, dots, hyphens and underscores.
    pub filename: Option<String>,
    /// Where the size comes from.
    pub sizing: Sizing,
    /// The request headers of which the recipe is a function, besides the URL; for `Vary`.
    pub vary: Vec<HeaderName>,
    /// Canonical names of the parameters by which it is more than a preset, or than a size chosen for the viewer:
    /// without any there are only as many renditions of a video as the configuration has.
    pub choices: Vec<&'static str>,
    /// What was asked and not done.
    pub notes: Vec<Note>,
}

/// What the player is told in headers; it changes no byte and no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Playback {
    /// `loop`
    pub looping: Option<bool>,
    /// `autoplay`
    pub autoplay: Option<bool>,
    /// `muted`
    pub muted: Option<bool>,
    /// `preload`
    pub preload: Option<Preload>,
}

/// Reads what is asked of a video; `query` is that of `ask`, `origin` the rule of its path.
///
/// The recipe depends on the query, on the headers named in [`Wanted::vary`] and on the
/// configuration, and on nothing else; the order of the query's parameters changes nothing.
pub fn read(
    ask: &Ask,
    query: &Query<'_>,
    origin: &Origin,
    config: &Config,
) -> Result<Wanted, Rejection> {
    let mut notes = Notes::new(config.parameters);
    let given = Given::collect(query, origin, config, &mut notes)?;
    let named = preset::find(&given, &config.presets, &mut notes)?;
    let nothing = Preset::default();
    let preset = named.map_or(&nothing, |(_, preset)| preset);
    let (mode, format) = kind::decide(&given, preset, &mut notes)?;
    let sized = match mode {
        Mode::Audio => sizing::none(&given, &mut notes),
        Mode::Video | Mode::Frame | Mode::Spritesheet => {
            sizing::decide(ask, &given, preset, origin, config, &mut notes)
        }
    };
    let limits = &origin.limits;
    let time_ms = value(given.time_ms.as_ref()).or(preset.time_ms);
    let mut use_of = Use { mode, notes: &mut notes };
    let duration_ms = use_of.option(given.duration_ms.as_ref(), preset.duration_ms, MOVING);
    let recipe = Recipe {
        mode,
        width: sized.size.width,
        height: sized.size.height,
        fit: use_of.fit(&given, preset, sized.size),
        audio: use_of.audio(&given, preset),
        format,
        time_ms: use_of.time_ms(&given, time_ms, origin).unwrap_or(0),
        duration_ms: use_of.duration_ms(&given, duration_ms, origin),
        quality: sized.quality,
        image_count: use_of
            .option(given.image_count.as_ref(), preset.image_count, SHEET)
            .map(|count| count.min(limits.image_count_max)),
    };
    let playback = Playback {
        looping: use_of.option(given.looping.as_ref(), None, PLAYED),
        autoplay: use_of.option(given.autoplay.as_ref(), None, PLAYED),
        muted: use_of.option(given.muted.as_ref(), None, PLAYED),
        preload: use_of.option(given.preload.as_ref(), None, PLAYED),
    };
    let choices = given.choices(&sized.sizing);
    Ok(Wanted {
        recipe,
        playback,
        preset: named.map(|(name, _)| name.to_owned()),
        filename: given.filename.map(|asked| asked.value),
        sizing: sized.sizing,
        vary: sized.vary,
        choices,
        notes: notes.into_list(),
    })
}

/// Modes whose renditions last.
const MOVING: &[Mode] = &[Mode::Video, Mode::Spritesheet, Mode::Audio];
/// Modes whose renditions a player plays.
const PLAYED: &[Mode] = &[Mode::Video, Mode::Audio];
/// Modes whose renditions have a picture.
const PICTURED: &[Mode] = &[Mode::Video, Mode::Frame, Mode::Spritesheet];
/// The mode of many pictures.
const SHEET: &[Mode] = &[Mode::Spritesheet];

/// What a mode has a use for.
struct Use<'a> {
    mode: Mode,
    notes: &'a mut Notes,
}

impl Use<'_> {
    /// The request's value, else the preset's; none where the mode has no use for it.
    fn option<T: Copy>(
        &mut self,
        asked: Option<&Asked<'_, T>>,
        preset: Option<T>,
        modes: &[Mode],
    ) -> Option<T> {
        if modes.contains(&self.mode) {
            return value(asked).or(preset);
        }
        if let Some(asked) = asked {
            self.notes.meaningless(asked.parameter, self.mode);
        }
        None
    }

    fn time_ms(&mut self, given: &Given<'_>, used: Option<u32>, origin: &Origin) -> Option<u32> {
        let max_ms = origin.limits.time_ms_max;
        let step = |ms| origin.ladder.time_ms(ms);
        ladder::step(given.time_ms.as_ref(), used, max_ms, step, self.notes)
    }

    fn duration_ms(
        &mut self,
        given: &Given<'_>,
        used: Option<u32>,
        origin: &Origin,
    ) -> Option<u32> {
        let max_ms = origin.limits.duration_ms_max;
        let step = |ms| origin.ladder.duration_ms(ms, max_ms);
        ladder::step(given.duration_ms.as_ref(), used, max_ms, step, self.notes)
    }

    /// Without a box there is nothing to fit into.
    fn fit(&mut self, given: &Given<'_>, preset: &Preset, size: Size) -> Fit {
        let fit = self.option(given.fit.as_ref(), preset.fit, PICTURED).unwrap_or(Fit::Contain);
        if !size.is_open() {
            return fit;
        }
        if let (Some(asked), Fit::ScaleDown | Fit::Cover) = (&given.fit, fit) {
            self.notes.ignored(asked.parameter, "there is no size to fit into");
        }
        Fit::Contain
    }

    /// Asking for the sound that is there anyway, or never, is no contradiction.
    fn audio(&mut self, given: &Given<'_>, preset: &Preset) -> bool {
        let asked = given.audio.as_ref().filter(|asked| self.mode == Mode::Video || !asked.value);
        self.option(asked, preset.audio, &[Mode::Video]).unwrap_or(true)
    }
}
