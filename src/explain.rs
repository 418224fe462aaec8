//! What a request would do and why, as JSON: for whoever debugs. Nobody is asked and nothing is kept.

use crate::cache::bypass::Use;
use crate::cache::freshness::lifetime_s;
use crate::cache::ports::{Clock, Isolate, Secrets};
use crate::cache::rendition::Rendition;
use crate::config::{Config, Ladder};
use crate::document::{Document, List, Object};
use crate::guard::access::needs_signature;
use crate::guard::signature;
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
) -> Document {
    let recipe = rendition.recipe();
    let purged = host.ledger().bearing_on(&rendition.subject()).latest();
    let mut options = List::default();
    for option in recipe.options() {
        let mut shown = Object::default();
        shown.text("option", option.key);
        shown.text("value", &option.value.to_string());
        options.document(&shown.end());
    }
    let mut sources = List::default();
    for source in rendition.sources() {
        let refused = follow::address(ask, config, source).err().map(|fault| fault.to_string());
        let relayed = source.needs_relay();
        let url = order::transform_url(host, ask, config, rendition, source, purged);
        let url = url.map(|url| if relayed { "relayed".to_owned() } else { url });
        let mut shown = Object::default();
        shown.flag("credentials", source.auth.is_some());
        shown.number("index", source.index.into());
        shown.text_or_null("refused", refused.as_deref());
        shown.flag("relayed", relayed);
        shown.text_or_null("transformation", url.as_deref());
        shown.text("url", &source.url);
        sources.document(&shown.end());
    }
    let ttl = |status| {
        lifetime_s(
            &rendition.origin.lifetimes.fresh,
            status,
            &rendition.kv_key,
            config.cache.jitter_percent,
        )
    };
    let mut ttl_s = Object::default();
    ttl_s.number("client_error", ttl(404));
    ttl_s.number("ok", ttl(200));
    ttl_s.number("server_error", ttl(502));
    let wanted = &rendition.wanted;
    let vary: Vec<_> = rendition.vary().iter().map(http::HeaderName::as_str).collect();
    let warnings: Vec<_> = wanted.notes.iter().map(ToString::to_string).collect();
    let mut shown = Object::default();
    shown.document("access", &access(host, ask, config, rendition));
    shown.text("configuration", &config.version);
    shown.document("edge", &tier(rendition.origin.edge, rendition.bypass.edge));
    shown.text("edge_url", &rendition.edge_url);
    shown.number_or_null("height", recipe.height.map(u64::from));
    shown.document("kv", &tier(rendition.origin.kv, rendition.bypass.kv));
    shown.text("kv_key", &rendition.kv_key);
    shown.document("ladder", &ladder(&rendition.origin.ladder));
    shown.text("mode", recipe.mode.as_str());
    shown.document("options", &options.end());
    shown.text("origin", &rendition.origin.name);
    shown.text("path", rendition.path.as_str());
    shown.text_or_null("preset", wanted.preset.as_deref());
    shown.document("sizing", &sizing(&wanted.sizing));
    shown.document("sources", &sources.end());
    shown.texts("tags", rendition.tags());
    shown.document("ttl_s", &ttl_s.end());
    shown.texts("vary", &vary);
    shown.texts("warnings", &warnings);
    shown.number_or_null("width", recipe.width.map(u64::from));
    shown.end()
}

fn tier(on: bool, used: Use) -> Document {
    let mut tier = Object::default();
    tier.flag("on", on);
    tier.flag("read", used.read);
    tier.flag("write", used.write);
    tier.end()
}

/// What the request needs, and why it was let in; a signature is looked at even where none is needed.
fn access(
    host: &(impl Secrets + Clock),
    ask: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Document {
    let choices = &rendition.wanted.choices;
    let query = Query::parse(&ask.query).unwrap_or_default();
    let mut signature = Object::default();
    match signature::check(host, &config.signing, &rendition.path, &query) {
        Ok(signed) => {
            signature.number_or_null("expires", signed.expires_s);
            signature.text("kid", &signed.kid);
            signature.flag("valid", true);
        }
        Err(refusal) => {
            signature.text("code", refusal.code());
            signature.flag("valid", false);
            signature.text("why", &refusal.to_string());
        }
    }
    let mut access = Object::default();
    access.text("by", rendition.pass.as_str());
    access.texts("choices", choices);
    access.text("mode", rendition.origin.access.as_str());
    access.flag("needs_signature", needs_signature(rendition.origin.access, choices));
    access.document("signature", &signature.end());
    access.end()
}

fn ladder(ladder: &Ladder) -> Document {
    let mut shown = Object::default();
    shown.number("duration_step_ms", ladder.duration_step_ms.into());
    shown.numbers("heights", &ladder.heights);
    shown.number("time_step_ms", ladder.time_step_ms.into());
    shown.numbers("widths", &ladder.widths);
    shown.end()
}

/// Where the size comes from.
fn sizing(sizing: &Sizing) -> Document {
    let mut shown = Object::default();
    let from = match sizing {
        Sizing::Asked => "request",
        Sizing::Preset => "preset",
        Sizing::Bucket { name, why, slow } => {
            shown.text("bucket", name);
            shown.text("from", "bucket");
            shown.text_or_null("slow", slow.map(Slow::as_str));
            shown.text("why", why.as_str());
            return shown.end();
        }
        Sizing::Quality => "quality",
        Sizing::Source => "source",
        Sizing::NoPicture => "mode",
    };
    shown.text("from", from);
    shown.end()
}
