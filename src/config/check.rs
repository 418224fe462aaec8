//! Holds a raw document against the table; all errors at once.

use thiserror::Error;

/// One thing wrong with a configuration: the key, what was found, what was wanted, and advice.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {found} is not {wanted}; {advice}")]
pub struct ConfigError {
    /// Path of the key: `origins[0].sources[1].url`.
    pub key: String,
    /// The value found, shortened.
    pub found: String,
    /// What would have been accepted.
    pub wanted: String,
    /// What to do.
    pub advice: String,
}
