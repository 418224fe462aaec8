//! What is done by the clock and not for a viewer.

use crate::admin::ports::{AdminHost, Class, ask_ledger};
use crate::cache::ports::Fault;
use crate::cache::storage::scrub::{self, Report};
use crate::config::Config;
use crate::limits::{KV_OPERATIONS_MAX, SWEEP_OPERATIONS_MAX};
use crate::purge::ledger::Ledger;
use crate::purge::question::{Answer, Question, Round};
use crate::purge::sweep;

/// The trigger that strikes for the audit log alone.
pub const EVERY_MINUTE: &str = "* * * * *";

/// Whether a run is due when the clock strikes by this expression.
pub fn is_due(cron: &str) -> bool {
    cron != EVERY_MINUTE
}

/// One run: scrubs a part of KV, and then sweeps a part of it; the runs together come round to all of it. Logs what it
/// did.
pub async fn run<H: AdminHost>(host: &H, config: &Config) -> Report {
    if !config.cache.kv {
        return Report::default();
    }
    let report = scrub::scrub(host.kv(), &config.cache, host.now_ms()).await;
    let Report { sound, retired, orphans, operations, faults } = &report;
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    tracing::info!(sound, retired, orphans, faults = faults.join("; "), "scrubbed");
    let left = KV_OPERATIONS_MAX.saturating_sub(*operations + SWEEP_RESERVE);
    if host.has_binding(Class::PurgeLedger.binding())
        && let Err(fault) = swept(host, config, left.min(SWEEP_OPERATIONS_MAX)).await
    {
        tracing::warn!(fault = %fault, "what was purged could not be swept");
    }
    report
}

/// Operations of KV by which the sweep's last page may go beyond its share.
const SWEEP_RESERVE: u64 = 110;

/// Deletes a part of what was purged, where there is anything to delete.
async fn swept<H: AdminHost>(host: &H, config: &Config, operations_max: u64) -> Result<(), Fault> {
    let Answer::Sweep { round, ledger } = ask_ledger(host, &Question::Sweep).await? else {
        return Err(Fault::Corrupt("the ledger answered something else"));
    };
    let Some(round) = round else { return Ok(()) };
    let ledger = Ledger::decode(&ledger)?;
    let report = sweep::sweep(host.kv(), &config.cache, &ledger, &round, operations_max).await;
    let sweep::Report { cursor, deleted, is_complete, fault } = report;
    let Round { number, .. } = round;
    tracing::info!(
        deleted,
        is_complete,
        number,
        fault = fault.as_ref().map(Fault::to_string).unwrap_or_default(),
        "swept"
    );
    let swept = Question::Swept { number, cursor, deleted, is_complete };
    ask_ledger(host, &swept).await.map(drop)
}
