//! What a request would do and why, as JSON: for whoever debugs. Nobody is asked and nothing is kept.

use serde_json::{Value, json};

use crate::cache::bypass::Use;
use crate::cache::freshness::lifetime_s;
use crate::cache::ports::{Clock, Isolate, Secrets};
use crate::cache::rendition::Rendition;
use crate::config::{Config, Ladder};
use crate::guard::{access, signature};
use crate::media::{follow, order};
use crate::request::Sizing;
use crate::request::ask::Ask;
use crate::request::hints::Slow;
use crate::request::query::Query;

/// The decision about a request. Secrets stay out of it: a source's credentials are named, never shown.
pub fn document(
    host: &(impl Secrets + Isolate + Clock),
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Value {
    let recipe = rendition.recipe();
    let purged = host.ledger().bearing_on(&rendition.subject()).latest();
    let options: Vec<Value> = recipe
        .options()
        .map(|option| json!({ "option": option.key, "value": option.value.to_string() }))
        .collect();
    let sources: Vec<Value> = rendition
        .sources()
        .iter()
        .map(|source| {
            json!({
                "index": source.index,
                "url": source.url,
                "refused": follow::address(ask, config, source).err().map(|fault| fault.to_string()),
                "credentials": source.auth.is_some(),
                "relayed": source.needs_relay(),
                "transformation": order::transform_url(host, ask, config, rendition, source, purged)
                    .map(|url| if source.needs_relay() { "relayed".to_owned() } else { url }),
            })
        })
        .collect();
    let ttl = |status| {
        lifetime_s(
            &rendition.origin.lifetimes.fresh,
            status,
            &rendition.kv_key,
            config.cache.jitter_percent,
        )
    };
    let tier = |on: bool, used: Use| json!({ "on": on, "read": used.read, "write": used.write });
    let wanted = &rendition.wanted;
    json!({
        "configuration": config.version,
        "path": rendition.path.as_str(),
        "mode": recipe.mode.as_str(),
        "width": recipe.width,
        "height": recipe.height,
        "options": options,
        "preset": wanted.preset,
        "sizing": sizing(&wanted.sizing),
        "vary": rendition.vary().iter().map(http::HeaderName::as_str).collect::<Vec<_>>(),
        "warnings": wanted.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "ladder": ladder(&rendition.origin.ladder),
        "origin": rendition.origin.name,
        "access": access(host, ask, config, rendition),
        "sources": sources,
        "kv_key": rendition.kv_key,
        "edge_url": rendition.edge_url,
        "tags": rendition.tags(),
        "edge": tier(rendition.origin.edge, rendition.bypass.edge),
        "kv": tier(rendition.origin.kv, rendition.bypass.kv),
        "ttl_s": { "ok": ttl(200), "client_error": ttl(404), "server_error": ttl(502) },
    })
}

/// What the request needs, and why it was let in; a signature is looked at even where none is needed.
fn access(
    host: &(impl Secrets + Clock),
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Value {
    let choices = &rendition.wanted.choices;
    let query = Query::parse(&ask.query).unwrap_or_default();
    let signature = match signature::check(host, &config.signing, &rendition.path, &query) {
        Ok(signed) => json!({ "valid": true, "kid": signed.kid, "expires": signed.expires_s }),
        Err(refusal) => {
            json!({ "valid": false, "code": refusal.code(), "why": refusal.to_string() })
        }
    };
    json!({
        "mode": rendition.origin.access.as_str(),
        "choices": choices,
        "needs_signature": access::needs_signature(rendition.origin.access, choices),
        "signature": signature,
        "by": rendition.pass.as_str(),
    })
}

fn ladder(ladder: &Ladder) -> Value {
    json!({
        "widths": ladder.widths,
        "heights": ladder.heights,
        "time_step_ms": ladder.time_step_ms,
        "duration_step_ms": ladder.duration_step_ms,
    })
}

/// Where the size comes from.
fn sizing(sizing: &Sizing) -> Value {
    match sizing {
        Sizing::Asked => json!({ "from": "request" }),
        Sizing::Preset => json!({ "from": "preset" }),
        Sizing::Bucket { name, why, slow } => json!({
            "from": "bucket",
            "bucket": name,
            "why": why.as_str(),
            "slow": slow.map(Slow::as_str),
        }),
        Sizing::Quality => json!({ "from": "quality" }),
        Sizing::Source => json!({ "from": "source" }),
        Sizing::NoPicture => json!({ "from": "mode" }),
    }
}
