//! `GET /explain`: what a request would do and why. Tiers are looked into, once each; nothing is made, asked for,
//! claimed or kept.

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

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
use crate::document::{Document, Members, Object};
use crate::front::{self, Decision};
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
    let mut document = Members::default();
    let decision = match front::decide(host, &asked, config) {
        Ok(Decision::Render(rendition) | Decision::Explain(rendition)) => {
            rendered(host, &asked, config, &rendition, &mut document).await;
            "render"
        }
        Ok(Decision::PassThrough(to)) => {
            document.put("to", Document::text(&to));
            "pass-through"
        }
        Ok(Decision::Relay(source)) => {
            document.put("source_index", Document::number(source.index.into()));
            "relay"
        }
        Ok(Decision::Options) => "preflight",
        Ok(Decision::Admin) => "admin",
        Err(refusal) => {
            let problem = refusal.problem("");
            document.put("status", Document::number(problem.status.as_u16().into()));
            document.put("code", Document::text(problem.code));
            document.put("detail", Document::text(&problem.detail));
            "refused"
        }
    };
    document.put("decision", Document::text(decision));
    document.put("url", Document::text(&format!("{}{}", asked.origin(), target(&asked))));
    document.put("ignored_headers", Document::texts(&ignored));
    document.put("configuration", Document::text(&config.version));
    Ok(Answer::ok(document.end()))
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
    document: &mut Members,
) {
    let edge = in_edge(host, config, rendition).await;
    let kv = in_kv(host, config, rendition).await;
    let now_ms = host.now_ms();
    let next = next(&edge, &kv, now_ms, host.gate().is_some() && config.cache.coalescing.enabled);
    let index = config.origins.iter().position(|origin| origin.name == rendition.origin.name);
    let why = format!(
        "the first of {} rules whose pattern is found in {}",
        config.origins.len(),
        rendition.path.as_str()
    );
    let mut rule = Object::default();
    rule.number_or_null("index", index.map(|index| index as u64));
    rule.text("name", &rendition.origin.name);
    rule.text("pattern", rendition.origin.pattern.as_str());
    rule.text("why", &why);
    let mut tiers = Object::default();
    tiers.document("edge", &edge.json(now_ms));
    tiers.document("kv", &kv.json(now_ms));
    document.put("rendition", crate::explain::document(host, asked, config, rendition));
    document.put("rule", rule.end());
    document.put("tiers", tiers.end());
    document.put("next", Document::text(next));
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

    fn json(&self, now_ms: u64) -> Document {
        let mut found = Object::default();
        let state = match self {
            Self::NotAsked(why) => why,
            Self::Nothing => "absent",
            Self::Broken(fault) => {
                found.text("fault", &fault.to_string());
                "broken"
            }
            Self::Entry(metadata, standing) => return entry(metadata, *standing, now_ms),
        };
        found.text("state", state);
        found.end()
    }
}

fn entry(metadata: &Metadata, standing: Standing, now_ms: u64) -> Document {
    let state = variants::state(metadata, standing, now_ms);
    let left_s = |until_ms: u64| until_ms.saturating_sub(now_ms) / 1_000;
    let reason = match metadata.outcome() {
        Outcome::Rendition => None,
        Outcome::Failure(unfit) => {
            let mut reason = Object::default();
            reason.text("name", unfit.as_str());
            reason.number_or_null("number", unfit.number().map(u64::from));
            Some(reason.end())
        }
    };
    let mut entry = Object::default();
    entry.number("age_s", now_ms.saturating_sub(metadata.as_of_ms()) / 1_000);
    entry.number("bytes", metadata.length);
    entry.time("created", metadata.created_ms);
    entry.number("fresh_for_s", left_s(metadata.fresh_until_ms));
    entry.text("generation", &metadata.generation);
    entry.number("kept_for_s", left_s(metadata.kept_until_ms()));
    entry.document_or_null("reason", reason.as_ref());
    entry.number("source_index", metadata.source.into());
    entry.text("state", state);
    entry.number("status", metadata.status.into());
    entry.time_or_null("validated", metadata.validated_ms);
    entry.end()
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
