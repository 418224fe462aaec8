//! Holds a raw document against the table; all errors at once.

use std::fmt::Display;

use thiserror::Error;

use super::{Config, build, walk};
use crate::json::Value;

/// One thing wrong with a configuration: the key, what was found, what was wanted, and advice.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {found} is not {wanted}; {advice}")]
pub struct ConfigError {
    /// Path of the key: `origins[0].sources[1].url`.
    pub key: String,
    /// The value found, shortened; never one that may be a secret.
    pub found: String,
    /// What would have been accepted.
    pub wanted: String,
    /// What to do.
    pub advice: String,
}

/// Errors of one document that are told: who has more starts by mending these.
pub const ERRORS_MAX: usize = 100;
/// Bytes without a break from which a text is taken for a token.
const TOKEN_BYTES_MIN: usize = 32;
/// Characters of a value that an error repeats.
const FOUND_CHARS_MAX: usize = 64;

impl Config {
    /// As [`Config::of`], of whatever is spelled as JSON.
    pub fn check(document: &impl Display) -> Result<Self, Vec<ConfigError>> {
        match Value::parse(&document.to_string()) {
            Ok(document) => Self::of(&document),
            Err(cause) => {
                let mut errors = Errors::default();
                errors.push("", "text".to_owned(), "JSON".to_owned(), format!("mend it: {cause}"));
                Err(errors.list)
            }
        }
    }

    /// Checks a document whole: what it leaves out has the table's default, `null` is the same as leaving out
    /// (and takes a default entry out of a map).
    ///
    /// The errors are all there are, up to [`ERRORS_MAX`]: first what is wrong with single keys,
    /// in the order of the table, then keys that disagree with each other.
    pub fn of(document: &Value) -> Result<Self, Vec<ConfigError>> {
        let mut errors = Errors::default();
        let config = build::config(&walk::normalise(document, &mut errors), &mut errors);
        if errors.list.is_empty() { Ok(config) } else { Err(errors.list) }
    }

    /// The table's defaults: what `{}` means.
    pub fn defaults() -> Self {
        // The defaults have no errors: `the_defaults_have_no_errors` holds them to it.
        let mut errors = Errors::default();
        build::config(&walk::normalise(&Value::Null, &mut errors), &mut errors)
    }
}

/// The errors so far.
#[derive(Debug, Default)]
pub(super) struct Errors {
    list: Vec<ConfigError>,
}

impl Errors {
    pub(super) fn push(&mut self, key: &str, found: String, wanted: String, advice: String) {
        if !self.is_full() {
            let key = if key.is_empty() { "(document)" } else { key }.to_owned();
            self.list.push(ConfigError { key, found, wanted, advice });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= ERRORS_MAX
    }

    /// Whether nothing at or below a key is wrong so far: only then two keys can be compared.
    pub(super) fn clean(&self, key: &str) -> bool {
        let at_or_below = |error: &ConfigError| {
            error
                .key
                .strip_prefix(key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        !self.list.iter().any(at_or_below)
    }
}

/// A value as an error may repeat it.
pub(super) fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) if !may_be_secret(key) => value.to_string(),
        Value::String(text) if !may_be_secret(key) && !looks_secret(text) => {
            let short: String = text.chars().take(FOUND_CHARS_MAX).collect();
            let more = if short.len() < text.len() { "…" } else { "" };
            format!("\"{}{more}\"", short.escape_debug())
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            "a value that is not shown".to_owned()
        }
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(map) => format!("an object with {} keys", map.len()),
    }
}

/// Whether somebody may have written a credential here.
fn may_be_secret(key: &str) -> bool {
    const WORDS: [&str; 9] = [
        "auth",
        "secret",
        "token",
        "password",
        "credential",
        "apikey",
        "accesskey",
        "headers.set",
        "signing.keys",
    ];
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}

/// Whether a text has the look of a credential: a scheme of RFC 7235, a password or a query in a URL, a long token.
fn looks_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let token_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '-');
    lower.contains("bearer ")
        || lower.contains("basic ")
        || lower.split_once("://").is_some_and(|(_, rest)| rest.contains(['@', '?']))
        || text.split(|c| !token_char(c)).any(|run| run.len() >= TOKEN_BYTES_MIN)
}
