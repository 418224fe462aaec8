//! The one place where this server asks for the time.

use std::time::SystemTime;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "native only; the rule is for wasm")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
