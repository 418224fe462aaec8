//! Mode and format belong together: each can decide the other.
//!
//! - A mode that is asked decides; a format it cannot be made in is refused.
//! - A format asked without a mode means what it says: `m4a` is audio, `jpg` and `png` are a frame.
//!   A preset's mode stands if it can be made in that format (`jpg` of a spritesheet preset is a spritesheet).
//! - Else the preset's mode, else its format's, else video.

use super::{
    given::{Given, value},
    note::Notes,
    recipe::{Format, Mode},
    rejection::Rejection,
};
use crate::config::Preset;

/// The mode and a format that it can be made in.
pub(super) fn decide(
    given: &Given<'_>,
    preset: &Preset,
    notes: &mut Notes,
) -> Result<(Mode, Format), Rejection> {
    let mode = match (value(given.mode.as_ref()), value(given.format.as_ref())) {
        (Some(mode), _) => mode,
        (None, Some(format)) => {
            preset.mode.filter(|mode| makes(*mode, format)).unwrap_or(format.natural_mode())
        }
        (None, None) => {
            preset.mode.or(preset.format.map(Format::natural_mode)).unwrap_or(Mode::Video)
        }
    };
    if let Some(asked) = &given.format {
        if makes(mode, asked.value) {
            return Ok((mode, asked.value));
        }
        notes.refuse(Rejection::Parameter {
            parameter: asked.parameter.to_owned(),
            value: asked.value.as_str().to_owned(),
            expected: format!("{} in {} mode", spelled(mode.formats()), mode.as_str()),
        })?;
    }
    let format = preset.format.filter(|format| makes(mode, *format));
    Ok((mode, format.unwrap_or(mode.default_format())))
}

fn makes(mode: Mode, format: Format) -> bool {
    mode.formats().contains(&format)
}

fn spelled(formats: &[Format]) -> String {
    formats.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(" or ")
}
