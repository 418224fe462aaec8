//! Where the size of a picture comes from, the first that has one:
//!
//! 1. `width`, `height`: a side that is missing comes from the preset;
//! 2. `imwidth`, `imheight`: a bucket, instead of the preset's size;
//! 3. the preset, unless `quality=auto` asks for the device's size instead;
//! 4. the viewer's device, where responsive sizing is enabled ([`super::hints`]);
//! 5. the source.
//!
//! Then `dpr` multiplies it (a bucket becomes the bucket of that many pixels, so that there are never
//! more sizes than buckets), a size that was asked or multiplied goes up the origin's ladder, and a
//! quality by name caps it: the request's, else the preset's, else the origin's. What was asked and did not count is noted.

use http::HeaderName;

use super::{
    ask::Ask,
    given::{Given, name, value},
    hints::{self, ONE, Slow, Why},
    ladder,
    note::Notes,
    recipe::{Mode, Quality},
    size::Size,
    value::AskedQuality,
};
use crate::config::{Bucket, Config, Origin, Preset, QualityCaps};

/// Where the size of a rendition comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sizing {
    /// `width` or `height` of the request.
    Asked,
    /// The preset.
    Preset,
    /// One of the configured buckets.
    Bucket {
        /// Its name.
        name: String,
        /// What chose it.
        why: Why,
        /// What kept the viewer from a larger one.
        slow: Option<Slow>,
    },
    /// A quality by name; nothing else gave a size.
    Quality,
    /// The source's own size.
    Source,
    /// Sound has none.
    NoPicture,
}

/// A size and how it came about.
#[derive(Debug)]
pub(super) struct Sized {
    pub(super) size: Size,
    pub(super) sizing: Sizing,
    pub(super) quality: Option<Quality>,
    /// The request headers of which this is a function.
    pub(super) vary: Vec<HeaderName>,
}

/// Sound: everything about sizes means nothing.
pub(super) fn none(given: &Given<'_>, notes: &mut Notes) -> Sized {
    let names = [
        name(given.width.as_ref()),
        name(given.height.as_ref()),
        name(given.dpr.as_ref()),
        name(given.quality.as_ref()),
    ];
    for parameter in names.into_iter().chain(snapped(given)).chain(hinted(given)).flatten() {
        notes.meaningless(parameter, Mode::Audio);
    }
    Sized { size: Size::default(), sizing: Sizing::NoPicture, quality: None, vary: Vec::new() }
}

/// The size of a picture.
pub(super) fn decide(
    ask: &Ask,
    given: &Given<'_>,
    preset: &Preset,
    origin: &Origin,
    config: &Config,
    notes: &mut Notes,
) -> Sized {
    let (size, sizing, vary) = find(ask, given, preset, origin, config, notes);
    let quality = match value(given.quality.as_ref()) {
        Some(AskedQuality::Named(quality)) => Some(quality),
        Some(AskedQuality::Auto) => None,
        None => preset.quality.or(origin.quality),
    };
    let Some(asked) = quality else { return Sized { size, sizing, quality, vary } };
    let sizing = if sizing == Sizing::Source { Sizing::Quality } else { sizing };
    let size = size.capped(cap(asked, config.quality), &origin.limits);
    Sized { size, sizing, quality, vary }
}

fn find(
    ask: &Ask,
    given: &Given<'_>,
    preset: &Preset,
    origin: &Origin,
    config: &Config,
    notes: &mut Notes,
) -> (Size, Sizing, Vec<HeaderName>) {
    let limits = &origin.limits;
    let responsive = &config.responsive;
    let dpr = value(given.dpr.as_ref()).unwrap_or(ONE);
    let asked = Size { width: value(given.width.as_ref()), height: value(given.height.as_ref()) };
    let of_preset = Size { width: preset.width, height: preset.height };
    let auto = given.quality.as_ref().filter(|quality| quality.value == AskedQuality::Auto);
    let auto = name(auto);

    if !asked.is_open() {
        overruled(snapped(given), "the size that is asked", notes);
        overruled(hinted(given), "the size that is asked", notes);
        overruled([auto], "the size that is asked", notes);
        let size = asked.or(of_preset).times(dpr, limits);
        return (ladder::climb(size, &origin.ladder, given, notes), Sizing::Asked, Vec::new());
    }
    if given.im_width.is_some() || given.im_height.is_some() {
        overruled(hinted(given), "imwidth or imheight", notes);
        overruled([auto], "imwidth or imheight", notes);
        if let Some(bucket) = hints::snap(given, &responsive.buckets) {
            let sizing = chosen(bucket, Why::Snapped, None);
            return (bucket.size().within(limits), sizing, Vec::new());
        }
    }
    let by_device = responsive.enabled && (of_preset.is_open() || auto.is_some());
    if !by_device {
        for parameter in hinted(given).into_iter().flatten() {
            notes.ignored(parameter, "the viewer's device does not decide this size");
        }
        if let Some(auto) = auto {
            notes.ignored(auto, "responsive sizing is switched off");
        }
    } else if let Some(choice) = hints::choose(ask, given, responsive) {
        if let (Why::WidthHint, Some(dpr)) = (choice.why, &given.dpr) {
            notes.ignored(dpr.parameter, "the viewer's width hint counts physical pixels already");
        }
        let sizing = chosen(choice.bucket, choice.why, choice.slow);
        return (choice.bucket.size().within(limits), sizing, choice.consulted);
    }
    if !of_preset.is_open() {
        let size = of_preset.times(dpr, limits);
        let size =
            if dpr == ONE { size } else { ladder::climb(size, &origin.ladder, given, notes) };
        return (size, Sizing::Preset, Vec::new());
    }
    if let Some(parameter) = name(given.dpr.as_ref()) {
        notes.ignored(parameter, "there is no size to multiply");
    }
    (Size::default(), Sizing::Source, Vec::new())
}

fn overruled<'a>(
    parameters: impl IntoIterator<Item = Option<&'a str>>,
    by: &'static str,
    notes: &mut Notes,
) {
    for parameter in parameters.into_iter().flatten() {
        notes.overruled(parameter, by);
    }
}

fn chosen(bucket: &Bucket, why: Why, slow: Option<Slow>) -> Sizing {
    Sizing::Bucket { name: bucket.name.clone(), why, slow }
}

fn cap(quality: Quality, caps: QualityCaps) -> u16 {
    match quality {
        Quality::Low => caps.low,
        Quality::Medium => caps.medium,
        Quality::High => caps.high,
    }
}

fn snapped<'a>(given: &Given<'a>) -> [Option<&'a str>; 2] {
    [name(given.im_width.as_ref()), name(given.im_height.as_ref())]
}

fn hinted<'a>(given: &Given<'a>) -> [Option<&'a str>; 3] {
    [
        name(given.view_width.as_ref()),
        name(given.view_height.as_ref()),
        name(given.view_density.as_ref()),
    ]
}
