//! One at a time, in a durable object: what one question changes must be written down before the next looks.
//!
//! Nobody who waits holds anything of another: everyone looks for themselves, as at the gate.

use std::cell::Cell;

use crate::cache::ports::{Clock, Fault};
use crate::limits::{OBJECT_TURN_MS_MAX, OBJECT_TURN_PAUSE_MS};

/// Whether somebody has it.
#[derive(Debug, Default)]
pub struct Turns(Cell<bool>);

impl Turns {
    /// Waits for the turn, at most [`OBJECT_TURN_MS_MAX`]. Dropped, it is the next one's.
    pub async fn take(&self, clock: &impl Clock) -> Result<Turn<'_>, Fault> {
        let began_ms = clock.now_ms();
        while self.0.get() {
            if clock.now_ms().saturating_sub(began_ms) > OBJECT_TURN_MS_MAX {
                let budget_ms = u32::try_from(OBJECT_TURN_MS_MAX).unwrap_or(u32::MAX);
                return Err(Fault::TimedOut { budget_ms });
            }
            clock.sleep(OBJECT_TURN_PAUSE_MS).await;
        }
        self.0.set(true);
        Ok(Turn(&self.0))
    }
}

/// Somebody's turn.
#[derive(Debug)]
pub struct Turn<'a>(&'a Cell<bool>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
