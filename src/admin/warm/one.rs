//! One rendition is warmed: it goes the way of a request that fills, for an operator and without a viewer.
//!
//! So the gate, the verdict on what came back, purges and every bound hold as they do for viewers. Only Workers KV is
//! warmed: the data centre that a job runs in is nobody's, so its Cache API is neither asked nor filled.

use http::{HeaderMap, Method};

use super::job::Outcome;
use crate::admin::auth::Scope;
use crate::cache::bypass::{Bypass, Use};
use crate::cache::orchestrator::{self, Served};
use crate::cache::ports::{Body, Clock, Fault, Host, Secrets};
use crate::cache::reason::Unfit;
use crate::cache::rendition::Rendition;
use crate::cache::status::{Lookup, Phase, Tier, Trace};
use crate::cache::{owed, renewal};
use crate::config::Config;
use crate::front::{self, Decision, Refusal};
use crate::media::failure;
use crate::request::ask::Ask;
use crate::request::url;

/// The configuration that renditions are warmed with: a HEAD fills, for nobody wants the bytes, and an original is of
/// no use to anybody.
pub fn configuration(config: &Config) -> Config {
    let mut config = config.clone();
    config.cache.fill_on_head = true;
    config.sources.fallback_to_original = false;
    config
}

/// The rendition that a URL names, as an operator's who carries neither token nor signature; or why there is none.
pub fn ordered<'a>(
    host: &(impl Secrets + Clock),
    ask: &'a Ask,
    config: &'a Config,
) -> Result<Rendition<'a>, String> {
    let mut rendition = match front::decide_for(Some(Scope::Full), host, ask, config) {
        Ok(Decision::Render(rendition) | Decision::Explain(rendition)) => rendition,
        Ok(Decision::PassThrough(_)) => return Err("it is no video that is resized".to_owned()),
        Ok(Decision::Relay(_) | Decision::Options | Decision::Admin) | Err(Refusal::NotFound) => {
            return Err("nothing is made there".to_owned());
        }
        Err(Refusal::Rejected(rejection)) => return Err(rejection.to_string()),
    };
    if !rendition.origin.kv {
        return Err("its origin keeps nothing in Workers KV".to_owned());
    }
    rendition.bypass = AROUND_EDGE;
    Ok(rendition)
}

/// Sees to it that KV has the rendition of this URL; `config` is from [`configuration`].
pub async fn warm<H: Host>(host: &H, url: &str, config: &Config) -> Outcome {
    let request_id = format!("{:032x}", host.id());
    let Some(ask) = url::read(url, None) else {
        return Outcome::Failed("its URL cannot be read".to_owned());
    };
    let ask = Ask { method: Method::HEAD, headers: HeaderMap::new(), ..ask };
    let rendition = match ordered(host, &ask, config) {
        Ok(rendition) => rendition,
        // The configuration has changed since the job was taken on.
        Err(why) => return Outcome::Failed(why),
    };
    let began_ms = host.now_ms();
    let served = orchestrator::serve(host, &ask, config, &rendition, &request_id).await;
    let Served { reply, trace, owed } = served;
    reply.body.discard();
    let mut faults = Vec::new();
    if let Some(owed) = owed {
        let renewal = owed.renewal;
        faults = owed::settle(host, &config.cache, owed).await;
        if renewal {
            faults.extend(Box::pin(renewal::renew(host, &ask, config, &rendition)).await);
        }
    }
    let outcome = outcome(&trace, reply.status, &faults);
    let below: Vec<String> = trace.faults.iter().chain(&faults).map(told).collect();
    tracing::info!(
        request_id,
        host = ask.host,
        path = ask.path,
        key = rendition.kv_key,
        phase = trace.phase.as_str(),
        outcome = ?outcome,
        cache = trace.cache_status(),
        faults = below.join("; "),
        total_ms = host.now_ms().saturating_sub(began_ms),
        "warmed"
    );
    outcome
}

/// What a request that was answered with `status`, and what was left undone after it, mean for KV.
fn outcome(trace: &Trace, status: u16, left_undone: &[(Tier, Fault)]) -> Outcome {
    match trace.phase {
        Phase::EdgeHit | Phase::KvHit | Phase::Collapsed | Phase::StaleWhileRevalidate => {
            Outcome::Already
        }
        Phase::Miss => match trace.kv.kept {
            Some(Ok(())) => match left_undone.iter().find(|(tier, _)| *tier == Tier::Kv) {
                None => Outcome::Made,
                Some(fault) => Outcome::Unsettled(format!("it was not kept: {}", told(fault))),
            },
            Some(Err(why)) => Outcome::Failed(format!("it is not kept: {}", why.as_str())),
            None => Outcome::Failed("it is not kept".to_owned()),
        },
        Phase::Stale
        | Phase::Original
        | Phase::Failed
        | Phase::HeadUnfilled
        | Phase::NotCached
        | Phase::Limited => not_made(trace, status),
    }
}

/// Why no rendition could be made: as it was just seen, or as it is remembered.
fn not_made(trace: &Trace, status: u16) -> Outcome {
    let seen = trace.attempts.last().and_then(|attempt| attempt.unfit);
    match (seen, trace.kv.lookup) {
        // A transformer that is overloaded or out of order may not be so for long.
        (Some(unfit), _) if failure::is_of_the_server(unfit) => Outcome::Unsettled(named(unfit)),
        (Some(unfit), _) => Outcome::Failed(named(unfit)),
        (None, Some(Lookup::Remembered(unfit))) => {
            Outcome::Failed(format!("{}, as is remembered", named(unfit)))
        }
        (None, _) => Outcome::Failed(format!("it is answered with {status}")),
    }
}

fn named(unfit: Unfit) -> String {
    match unfit.number() {
        Some(number) => format!("{} {number}", unfit.as_str()),
        None => unfit.as_str().to_owned(),
    }
}

fn told((tier, fault): &(Tier, Fault)) -> String {
    format!("{}: {fault}", tier.as_str())
}

const AROUND_EDGE: Bypass = Bypass {
    edge: Use { read: false, write: false },
    kv: Use { read: true, write: true },
    refused: false,
};
