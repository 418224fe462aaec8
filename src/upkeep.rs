//! What is done by the clock and not for a viewer.

use crate::cache::ports::{Fault, Host};
use crate::cache::storage::scrub::{self, Report};
use crate::config::Config;

/// The trigger that strikes for the audit log alone.
pub const EVERY_MINUTE: &str = "* * * * *";

/// Whether a run is due when the clock strikes by this expression.
pub fn is_due(cron: &str) -> bool {
    cron != EVERY_MINUTE
}

/// One run: scrubs a part of KV; the runs together come round to all of it. Logs what it did.
pub async fn run<H: Host>(host: &H, config: &Config) -> Report {
    if !config.cache.kv {
        return Report::default();
    }
    let report = scrub::scrub(host.kv(), &config.cache, host.now_ms()).await;
    let Report { sound, retired, orphans, faults } = &report;
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    tracing::info!(sound, retired, orphans, faults = faults.join("; "), "scrubbed");
    report
}
