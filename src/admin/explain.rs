//! `GET /explain`: what a request would do and why. Tiers are looked into, once each; nothing is made, asked for,
//! claimed or kept.

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};

use super::Answer;
use super::given::Given;
use super::ports::AdminHost;
use super::refusal::Refusal;
use super::variants;
use crate::cache::entry::{Metadata, Outcome};
use crate::cache::freshness::{Freshness, judge};
use crate::cache::orchestrator::not_asked;
use crate::cache::ports::{Body, EdgeCache, Fault, KvStore};
use crate::cache::rendition::Rendition;
use crate::config::Config;
use crate::front::{self, Decision};
use crate::http::date;
use crate::limits::EXPLAINED_HEADERS_MAX;
use crate::purge::ledger::Standing;
use crate::request::ask::{Ask, HEADERS};
use crate::request::url;

/// `GET /explain`
pub(super) async fn explain<H: AdminHost>(
    host: &H,
    ask: &Ask,
    config: &Config,
    given: &Given,
) -> Result<Answer, Refusal> {
    let (asked, ignored) = asked(ask, config, given)?;
    let mut document = match front::decide(host, &asked, config) {
        Ok(Decision::Render(rendition) | Decision::Explain(rendition)) => {
            rendered(host, &asked, config, &rendition).await
        }
        Ok(Decision::PassThrough(to)) => decided("pass-through", json!({ "to": to })),
        Ok(Decision::Relay(source)) => decided("relay", json!({ "source_index": source.index })),
        Ok(Decision::Options) => decided("preflight", json!({})),
        Ok(Decision::Admin) => decided("admin", json!({})),
        Err(refusal) => {
            let problem = refusal.problem("");
            decided(
                "refused",
                json!({
                    "status": problem.status.as_u16(),
                    "code": problem.code,
                    "detail": problem.detail,
                }),
            )
        }
    };
    if let Value::Object(members) = &mut document {
        members.insert("url".into(), format!("{}{}", asked.origin(), target(&asked)).into());
        members.insert("ignored_headers".into(), ignored.into());
        members.insert("configuration".into(), config.version.clone().into());
    }
    Ok(Answer::ok(&document))
}

fn decided(decision: &str, more: Value) -> Value {
    let mut document = json!({ "decision": decision });
    if let (Value::Object(members), Value::Object(more)) = (&mut document, more) {
        members.extend(more);
    }
    document
}

/// The request that is explained: a GET by somebody without a token, with the headers that were given.
fn asked(ask: &Ask, config: &Config, given: &Given) -> Result<(Ask, Vec<String>), Refusal> {
    let wanted = "write an absolute URL, or a path that begins with a slash";
    let url = given.parameter("url").unwrap_or_default();
    let asked = url::read(url, Some(ask)).ok_or_else(|| Refusal::invalid("url", wanted))?;
    let around = config.bypass.header.as_deref();
    let is_read = |name: &HeaderName| {
        HEADERS.contains(name) || around.is_some_and(|it| it.eq_ignore_ascii_case(name.as_str()))
    };
    let mut headers = HeaderMap::new();
    let mut ignored = Vec::new();
    for (at, line) in given.all("header").enumerate() {
        if at == EXPLAINED_HEADERS_MAX {
            let detail = format!("at most {EXPLAINED_HEADERS_MAX} headers are read");
            return Err(Refusal::invalid("header", detail));
        }
        let pair = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        let Some((name, value)) = pair else {
            return Err(Refusal::invalid(format!("header[{at}]"), "write Name:value"));
        };
        // What a holder of the token would get is asked with the token, not with its copy in a URL.
        if is_read(&name) && name != header::AUTHORIZATION {
            headers.insert(name, value);
        } else {
            ignored.push(name.as_str().to_owned());
        }
    }
    Ok((Ask { headers, ..asked }, ignored))
}

fn target(asked: &Ask) -> String {
    let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
    format!("{}{query}", asked.path)
}

/// A rendition: what was decided about it, what the tiers have of it, and what follows.
async fn rendered<H: AdminHost>(
    host: &H,
    asked: &Ask,
    config: &Config,
    rendition: &Rendition<'_>,
) -> Value {
    let edge = in_edge(host, config, rendition).await;
    let kv = in_kv(host, config, rendition).await;
    let now_ms = host.now_ms();
    let next = next(&edge, &kv, now_ms, host.gate().is_some() && config.cache.coalescing.enabled);
    let rule = config.origins.iter().position(|origin| origin.name == rendition.origin.name);
    let rule = json!({
        "name": rendition.origin.name,
        "pattern": rendition.origin.pattern.as_str(),
        "why": format!(
            "the first of {} rules whose pattern is found in {}",
            config.origins.len(),
            rendition.path.as_str()
        ),
        "index": rule,
    });
    decided(
        "render",
        json!({
            "rendition": crate::explain::document(host, asked, config, rendition),
            "rule": rule,
            "tiers": { "edge": edge.json(now_ms), "kv": kv.json(now_ms) },
            "next": next,
        }),
    )
}

/// What a tier has.
enum Found {
    /// It is not asked, and why.
    NotAsked(&'static str),
    Nothing,
    /// An entry, as this isolate may use it now, and what purges say of it.
    Entry(Box<Metadata>, Standing),
    Broken(Fault),
}

impl Found {
    /// What was found, by its metadata; the body is given back unread.
    fn of(
        body: impl Body,
        metadata: Option<String>,
        standing: impl FnOnce(&Metadata) -> Standing,
    ) -> Self {
        body.discard();
        let text = metadata.ok_or(Fault::Corrupt("an entry without metadata"));
        match text.and_then(|text| Metadata::decode(&text)) {
            Ok(metadata) => {
                let standing = standing(&metadata);
                Self::Entry(Box::new(metadata), standing)
            }
            Err(fault) => Self::Broken(fault),
        }
    }

    fn json(&self, now_ms: u64) -> Value {
        match self {
            Self::NotAsked(why) => json!({ "state": why }),
            Self::Nothing => json!({ "state": "absent" }),
            Self::Broken(fault) => json!({ "state": "broken", "fault": fault.to_string() }),
            Self::Entry(metadata, standing) => entry(metadata, *standing, now_ms),
        }
    }
}

fn entry(metadata: &Metadata, standing: Standing, now_ms: u64) -> Value {
    let state = variants::state(metadata, standing, now_ms);
    let left_s = |until_ms: u64| until_ms.saturating_sub(now_ms) / 1_000;
    let reason = match metadata.outcome() {
        Outcome::Rendition => None,
        Outcome::Failure(unfit) => {
            Some(json!({ "name": unfit.as_str(), "number": unfit.number() }))
        }
    };
    json!({
        "state": state,
        "status": metadata.status,
        "reason": reason,
        "generation": metadata.generation,
        "bytes": metadata.length,
        "age_s": now_ms.saturating_sub(metadata.as_of_ms()) / 1_000,
        "fresh_for_s": left_s(metadata.fresh_until_ms),
        "kept_for_s": left_s(metadata.kept_until_ms()),
        "created": date::rfc3339(metadata.created_ms),
        "validated": metadata.validated_ms.map(date::rfc3339),
        "source_index": metadata.source,
    })
}

/// One match.
async fn in_edge<H: AdminHost>(host: &H, config: &Config, rendition: &Rendition<'_>) -> Found {
    if let Some(why) = not_asked(rendition.origin.edge, rendition.bypass.edge.read) {
        return Found::NotAsked(why.as_str());
    }
    match host.edge().find(&rendition.edge_url, None, config.cache.edge_timeout_ms).await {
        Ok(Some(found)) => Found::of(found.body, found.metadata, |metadata| {
            rendition.standing(&host.ledger(), metadata)
        }),
        Ok(None) => Found::Nothing,
        Err(fault) => Found::Broken(fault),
    }
}

/// One read.
async fn in_kv<H: AdminHost>(host: &H, config: &Config, rendition: &Rendition<'_>) -> Found {
    if let Some(why) = not_asked(rendition.origin.kv, rendition.bypass.kv.read) {
        return Found::NotAsked(why.as_str());
    }
    let cache = &config.cache;
    match host.kv().find(&rendition.kv_key, cache.kv_cache_ttl_s, cache.kv_timeout_ms).await {
        Ok(Some(found)) => Found::of(found.body, found.metadata, |metadata| {
            rendition.standing(&host.ledger(), metadata)
        }),
        Ok(None) => Found::Nothing,
        Err(fault) => Found::Broken(fault),
    }
}

/// What `serve` would do now, in words.
fn next(edge: &Found, kv: &Found, now_ms: u64, gate: bool) -> &'static str {
    if let Found::Entry(metadata, standing) = edge
        && now_ms < metadata.fresh_until_ms
        && *standing != Standing::Purged
    {
        return match (metadata.outcome(), standing) {
            (Outcome::Rendition, Standing::Soft) => "edge hit, renewed behind the viewer's back",
            (Outcome::Rendition, _) => "edge hit",
            (Outcome::Failure(_), _) => "edge hit: the remembered failure, until it is forgotten",
        };
    }
    let fill = if gate { "fill through the gate" } else { "fill" };
    let Found::Entry(metadata, standing) = kv else { return fill };
    match (judge(&mut metadata.as_ref().clone(), *standing, now_ms), metadata.outcome()) {
        (Freshness::Fresh, Outcome::Rendition) => "kv hit, copy to the edge",
        (Freshness::Fresh | Freshness::Renewable, Outcome::Failure(_)) => {
            "kv hit: the remembered failure, until it is forgotten"
        }
        (Freshness::Renewable, Outcome::Rendition) => "kv hit, renewed behind the viewer's back",
        (Freshness::Stale, Outcome::Rendition) if gate => {
            "fill through the gate; the stale entry where that fails"
        }
        (Freshness::Stale, Outcome::Rendition) => "fill; the stale entry where that fails",
        (Freshness::Stale, Outcome::Failure(_)) | (Freshness::Dead, _) => fill,
    }
}
