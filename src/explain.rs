//! What a request would do and why, as JSON: for whoever debugs. Nobody is asked and nothing is kept.

use serde_json::{Value, json};

use crate::cache::bypass::Use;
use crate::cache::freshness::lifetime_s;
use crate::cache::ports::{Isolate, Secrets};
use crate::cache::rendition::Rendition;
use crate::config::Config;
use crate::media::order;
use crate::request::Sizing;
use crate::request::ask::Ask;
use crate::request::hints::Slow;

/// The decision about a request. Secrets stay out of it: a source's credentials are named, never shown.
pub fn document(
    host: &(impl Secrets + Isolate),
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Value {
    let recipe = rendition.recipe();
    let purged = host.ledger().bearing_on(&rendition.subject()).latest();
    let options: Vec<Value> = recipe
        .options()
        .into_iter()
        .map(|option| json!({ "option": option.key, "value": option.value }))
        .collect();
    let sources: Vec<Value> = rendition
        .sources
        .iter()
        .map(|source| {
            json!({
                "index": source.index,
                "url": source.url,
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
        "origin": rendition.origin.name,
        "sources": sources,
        "kv_key": rendition.kv_key,
        "edge_url": rendition.edge_url,
        "tags": rendition.tags,
        "edge": tier(rendition.origin.edge, rendition.bypass.edge),
        "kv": tier(rendition.origin.kv, rendition.bypass.kv),
        "ttl_s": { "ok": ttl(200), "client_error": ttl(404), "server_error": ttl(502) },
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
