//! The table as Markdown, for `CONFIGURATION_REFERENCE.md`.

use std::fmt::Write as _;

use super::table::{Fallback, KEYS};

/// Every key: one row each, in the order of the table.
pub fn markdown() -> String {
    let mut text = "| Key | Accepts | Default | Meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for key in KEYS {
        // A String takes everything: nothing to handle.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            key.path,
            key.kind.wanted(),
            fallback(key.fallback),
            key.meaning
        );
    }
    text
}

fn fallback(fallback: Fallback) -> String {
    match fallback {
        Fallback::Required => "required".to_owned(),
        Fallback::Nothing => "none".to_owned(),
        Fallback::Inherits(other) => format!("that of `{other}`"),
        Fallback::Bool(on) => format!("`{on}`"),
        Fallback::Integer(number) => format!("`{number}`"),
        Fallback::Text(text) | Fallback::TextOrNull(text) => format!("`\"{text}\"`"),
        Fallback::Json(text) => {
            // A table's cell is one line.
            let line: Vec<_> = text.split_whitespace().collect();
            format!("`{}`", line.join(" "))
        }
    }
}
