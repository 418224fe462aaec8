//! What the viewer gave, typed: every known parameter of a query, once.
//!
//! - The same parameter twice with the same value is fine, whatever names and spellings it uses.
//! - With different values it is a [`Rejection::Duplicate`]; where the configuration is lenient the first counts.
//! - An Akamai name that says something else than our own name of the same parameter is overruled, with a note.
//! - A name that means nothing here is passed over in silence: it reaches neither key nor source.
//! - A parameter that its origin does not allow to change what is made is a bad one, whatever its value.

use super::{
    hints::ONE,
    note::Notes,
    parameter::{self, Dialect, Effect, Found, Parameter, Sense},
    query::{Pair, Query, Value},
    recipe::{Fit, Format, Mode},
    rejection::Rejection,
    sizing::Sizing,
    value::{self, AskedQuality, Expected, Preload},
};
use crate::{
    config::{Config, Origin},
    limits::{DURATION_MS_MIN, SIDE_PX_MIN, VIEWPORT_PX_MAX},
};

/// A value and the name under which it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked<'a, T> {
    pub(super) value: T,
    /// As the viewer spelled it, for notes and rejections.
    pub(super) parameter: &'a str,
    dialect: Dialect,
}

/// Every parameter the viewer gave.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) width: Option<Asked<'a, u16>>,
    pub(super) height: Option<Asked<'a, u16>>,
    pub(super) mode: Option<Asked<'a, Mode>>,
    pub(super) fit: Option<Asked<'a, Fit>>,
    pub(super) audio: Option<Asked<'a, bool>>,
    pub(super) format: Option<Asked<'a, Format>>,
    pub(super) quality: Option<Asked<'a, AskedQuality>>,
    pub(super) time_ms: Option<Asked<'a, u32>>,
    pub(super) duration_ms: Option<Asked<'a, u32>>,
    pub(super) image_count: Option<Asked<'a, u16>>,
    pub(super) derivative: Option<Asked<'a, &'a str>>,
    /// In thousandths, as every pixel ratio.
    pub(super) dpr: Option<Asked<'a, u32>>,
    pub(super) im_width: Option<Asked<'a, u16>>,
    pub(super) im_height: Option<Asked<'a, u16>>,
    pub(super) view_width: Option<Asked<'a, u16>>,
    pub(super) view_height: Option<Asked<'a, u16>>,
    pub(super) view_density: Option<Asked<'a, u32>>,
    pub(super) filename: Option<Asked<'a, String>>,
    pub(super) looping: Option<Asked<'a, bool>>,
    pub(super) autoplay: Option<Asked<'a, bool>>,
    pub(super) muted: Option<Asked<'a, bool>>,
    pub(super) preload: Option<Asked<'a, Preload>>,
}

/// The value that was given, if any was.
pub(super) fn value<T: Copy>(asked: Option<&Asked<'_, T>>) -> Option<T> {
    asked.map(|asked| asked.value)
}

/// The name under which it was given, if it was.
pub(super) fn name<'a, T>(asked: Option<&Asked<'a, T>>) -> Option<&'a str> {
    asked.map(|asked| asked.parameter)
}

impl<'a> Given<'a> {
    /// Reads every known parameter of a query, except the names that the configuration gave to bypass.
    pub(super) fn collect(
        query: &'a Query<'_>,
        origin: &Origin,
        config: &Config,
        notes: &mut Notes,
    ) -> Result<Self, Rejection> {
        let mut known: Vec<(Found, &Pair<'_>)> = Vec::new();
        for pair in query.pairs() {
            if config.bypass.of_parameter(&pair.name).is_none()
                && let Some(found) = parameter::find(&pair.name)
            {
                // Names of higher authority first, so that the order of the query decides nothing.
                let at = known.partition_point(|(it, _)| it.dialect <= found.dialect);
                known.insert(at, (found, pair));
            }
        }
        let mut given = Self::default();
        for (found, pair) in known {
            let mut reading = Reading { found, pair, notes };
            match not_allowed(found, origin) {
                Some(expected) => reading.refuse(expected)?,
                None => given.take(&mut reading, origin)?,
            }
        }
        Ok(given)
    }

    /// Canonical names of the parameters by which a recipe is more than a preset or a size chosen for the viewer.
    ///
    /// A pixel ratio multiplies a preset's size; of buckets it only chooses one.
    pub(super) fn choices(&self, sizing: &Sizing) -> Vec<&'static str> {
        let Self {
            width,
            height,
            mode,
            fit,
            audio,
            format,
            quality,
            time_ms,
            duration_ms,
            image_count,
            derivative: _,
            dpr,
            im_width: _,
            im_height: _,
            view_width: _,
            view_height: _,
            view_density: _,
            filename: _,
            looping: _,
            autoplay: _,
            muted: _,
            preload: _,
        } = self;
        let multiplies =
            *sizing == Sizing::Preset && value(dpr.as_ref()).is_some_and(|it| it != ONE);
        [
            (Parameter::Width, width.is_some()),
            (Parameter::Height, height.is_some()),
            (Parameter::Mode, mode.is_some()),
            (Parameter::Fit, fit.is_some()),
            (Parameter::Audio, audio.is_some()),
            (Parameter::Format, format.is_some()),
            (Parameter::Quality, quality.is_some()),
            (Parameter::Time, time_ms.is_some()),
            (Parameter::Duration, duration_ms.is_some()),
            (Parameter::ImageCount, image_count.is_some()),
            (Parameter::Dpr, multiplies),
        ]
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(parameter, _)| parameter.name())
        .collect()
    }

    fn take(&mut self, reading: &mut Reading<'a, '_>, origin: &Origin) -> Result<(), Rejection> {
        let limits = origin.limits;
        let side = |max| move |text: &str| value::pixels(text, SIDE_PX_MIN, max);
        let viewport = |text: &str| value::pixels(text, 1, VIEWPORT_PX_MAX);
        match reading.found.row.parameter {
            Parameter::Width => reading.keep(&mut self.width, side(limits.width_max)),
            Parameter::Height => reading.keep(&mut self.height, side(limits.height_max)),
            Parameter::Mode => reading.keep(&mut self.mode, value::mode),
            Parameter::Fit => reading.keep(&mut self.fit, value::fit),
            Parameter::Audio => {
                let inverted = reading.found.sense == Sense::Inverted;
                reading.keep(&mut self.audio, |text| Ok(value::flag(text)? != inverted))
            }
            Parameter::Format => reading.keep(&mut self.format, value::format),
            Parameter::Quality => reading.keep(&mut self.quality, value::quality),
            Parameter::Time => reading
                .keep(&mut self.time_ms, |text| value::milliseconds(text, 0, limits.time_ms_max)),
            Parameter::Duration => reading.keep(&mut self.duration_ms, |text| {
                value::milliseconds(text, DURATION_MS_MIN, limits.duration_ms_max)
            }),
            Parameter::ImageCount => reading
                .keep(&mut self.image_count, |text| value::count(text, limits.image_count_max)),
            // Whether there is such a preset is for `preset::find` to say.
            Parameter::Derivative => reading.keep(&mut self.derivative, Ok),
            Parameter::Dpr => reading.keep(&mut self.dpr, value::pixel_ratio),
            Parameter::ImWidth => reading.keep(&mut self.im_width, viewport),
            Parameter::ImHeight => reading.keep(&mut self.im_height, viewport),
            Parameter::ViewWidth => reading.keep(&mut self.view_width, viewport),
            Parameter::ViewHeight => reading.keep(&mut self.view_height, viewport),
            Parameter::ViewDensity => reading.keep(&mut self.view_density, value::pixel_ratio),
            Parameter::Filename => reading.keep(&mut self.filename, value::filename),
            Parameter::Loop => reading.keep(&mut self.looping, value::flag),
            Parameter::Autoplay => reading.keep(&mut self.autoplay, value::flag),
            Parameter::Muted => reading.keep(&mut self.muted, value::flag),
            Parameter::Preload => reading.keep(&mut self.preload, value::preload),
            Parameter::Debug | Parameter::Signature => Ok(()),
            Parameter::Unsupported => reading.turn_away(),
        }
    }
}

/// What the origin takes instead, where it does not take this parameter.
///
/// What only changes headers costs nothing, and what is no choice has its own words for it.
fn not_allowed(found: Found, origin: &Origin) -> Option<Expected> {
    let allowed = origin.parameters.as_ref()?;
    match found.row.effect {
        Effect::Recipe | Effect::Sizing => {}
        Effect::Header | Effect::Reserved | Effect::Ignored(_) | Effect::Refused(_) => return None,
    }
    if allowed.iter().any(|name| name == found.row.name) {
        return None;
    }
    Some(match allowed.as_slice() {
        [] => "no parameter chooses anything here".to_owned(),
        names => format!("only {} can be asked here", names.join(", ")),
    })
}

/// One known pair of the query, being read.
struct Reading<'a, 'notes> {
    found: Found,
    pair: &'a Pair<'a>,
    notes: &'notes mut Notes,
}

impl<'a> Reading<'a, '_> {
    fn keep<T: PartialEq>(
        &mut self,
        slot: &mut Option<Asked<'a, T>>,
        parse: impl FnOnce(&'a str) -> Result<T, Expected>,
    ) -> Result<(), Rejection> {
        let parsed = match &self.pair.value {
            Value::Text(text) => parse(text.trim_ascii()),
            Value::Garbled(_) => Err("percent-encoded UTF-8".to_owned()),
        };
        let value = match parsed {
            Ok(value) => value,
            Err(expected) => return self.refuse(expected),
        };
        let dialect = self.found.dialect;
        match slot {
            None => *slot = Some(Asked { value, parameter: &self.pair.name, dialect }),
            Some(held) if held.value == value => {}
            Some(held) if held.dialect < dialect => {
                self.notes.overruled(&self.pair.name, self.found.row.name);
            }
            Some(_) => {
                let parameter = self.found.row.name.to_owned();
                return self.notes.refuse(Rejection::Duplicate { parameter });
            }
        }
        Ok(())
    }

    /// What the platform cannot do is said, whatever its value.
    fn turn_away(&mut self) -> Result<(), Rejection> {
        match self.found.row.effect {
            Effect::Refused(reason) => self.refuse(reason.to_owned()),
            Effect::Ignored(reason) => {
                self.notes.ignored(&self.pair.name, reason);
                Ok(())
            }
            Effect::Recipe | Effect::Sizing | Effect::Header | Effect::Reserved => Ok(()),
        }
    }

    fn refuse(&mut self, expected: Expected) -> Result<(), Rejection> {
        let value = match &self.pair.value {
            Value::Text(text) => value::shown(text),
            Value::Garbled(raw) => value::shown(raw),
        };
        let parameter = self.pair.name.to_string();
        self.notes.refuse(Rejection::Parameter { parameter, value, expected })
    }
}
