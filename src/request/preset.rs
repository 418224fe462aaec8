//! Named recipes: `derivative=mobile`, or `impolicy=mobile` as Akamai says it.
//!
//! A preset fills in what the request left out, option by option; it never overrules the request.

use super::{given::Given, note::Notes, rejection::Rejection, value::shown};
use crate::{config::Preset, limits::SHOWN_PRESETS_MAX, sorted::Sorted};

/// The preset that was asked, by its exact name; `None` when none was.
///
/// An unknown name is refused with the names there are, at most [`SHOWN_PRESETS_MAX`] of them.
pub(super) fn find<'a>(
    given: &Given<'_>,
    presets: &'a Sorted<String, Preset>,
    notes: &mut Notes,
) -> Result<Option<(&'a str, &'a Preset)>, Rejection> {
    let Some(asked) = &given.derivative else { return Ok(None) };
    if let Some((name, preset)) = presets.get_key_value(asked.value) {
        return Ok(Some((name, preset)));
    }
    notes.refuse(Rejection::Parameter {
        parameter: asked.parameter.to_owned(),
        value: shown(asked.value),
        expected: known(presets),
    })?;
    Ok(None)
}

fn known(presets: &Sorted<String, Preset>) -> String {
    if presets.is_empty() {
        return "no preset is configured".to_owned();
    }
    let names: Vec<_> = presets.keys().take(SHOWN_PRESETS_MAX).map(|name| shown(name)).collect();
    let names = names.join(", ");
    match presets.len().saturating_sub(SHOWN_PRESETS_MAX) {
        0 => format!("one of {names}"),
        more => format!("one of {names} and {more} more"),
    }
}
