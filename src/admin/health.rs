//! `GET /health`: whether everything that this deployment needs is there and answers, and if not, the cure.

use super::Answer;
use super::auth::{FULL_SECRET, READ_SECRET, TOKEN_BYTES_MIN};
use super::ports::{AdminHost, Class, DOCUMENTS_BINDING, Documents};
use super::refusal::Wrong;
use super::variants::RENDITIONS_BINDING;
use crate::cache::ports::{Body, KvStore};
use crate::config::layers::STORED_LAYER;
use crate::config::{Config, Source, SourceAuth};
use crate::document::{Document, List, Members, Object};
use crate::guard::signature;
use crate::limits::{DOCUMENT_MS_MAX, KV_CACHE_TTL_S_MIN};
use crate::media::relay::{KEY_BYTES_MIN, KEY_SECRET};
use crate::media::sources;
use crate::request::ask::Ask;
use crate::request::path::SourcePath;
use crate::sorted::Sorted;

/// A key of KV that is never written.
const NOBODYS_KEY: &str = "health";

/// A path that every host may have.
const SAMPLE: &str = "/video.mp4";

/// A binding whose presence is all that can be seen of it.
struct Binding {
    check: &'static str,
    name: &'static str,
    /// What is missing without it.
    weight: Weight,
    cure: &'static str,
}

/// Every such binding.
const BINDINGS: &[Binding] = &[
    Binding {
        check: "gate",
        name: "FILL_GATE",
        weight: Weight::Warning,
        cure: "bind FILL_GATE under durable_objects in wrangler.jsonc, or every cold request makes its own rendition",
    },
    Binding {
        check: "config_book",
        name: Class::ConfigBook.binding(),
        weight: Weight::Warning,
        cure: "bind CONFIG_BOOK under durable_objects in wrangler.jsonc, or no configuration can be put here",
    },
    Binding {
        check: "ledger",
        name: Class::PurgeLedger.binding(),
        weight: Weight::Warning,
        cure: "bind PURGE_LEDGER under durable_objects in wrangler.jsonc, or nothing can be purged",
    },
    Binding {
        check: "warmer",
        name: Class::Warmer.binding(),
        weight: Weight::Warning,
        cure: "bind WARMER under durable_objects in wrangler.jsonc, or nothing can be warmed",
    },
];

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Something of the product does not work.
    Error,
    /// It works, and less well than it could.
    Warning,
}

/// What was looked at, and what is wrong.
#[derive(Debug, Default)]
struct Findings {
    checks: Members,
    problems: List,
    is_ill: bool,
}

impl Findings {
    fn wrong(&mut self, check: &str, weight: Weight, detail: impl Into<String>, cure: &str) {
        let word = match weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        self.is_ill |= weight == Weight::Error;
        let detail: String = detail.into();
        let mut problem = Object::default();
        problem.text("check", check);
        problem.text("cure", cure);
        problem.text("detail", &detail);
        problem.text("severity", word);
        self.problems.document(&problem.end());
    }
}

/// Looks at everything; 503 where something does not work.
pub(super) async fn check<H: AdminHost>(host: &H, ask: &Ask, config: &Config) -> Answer {
    let mut findings = Findings::default();
    renditions(host, config, &mut findings).await;
    documents(host, &mut findings).await;
    for Binding { check, name, weight, cure } in BINDINGS {
        let bound = host.has_binding(name);
        findings.checks.put(check, binding(name, bound));
        if !bound {
            findings.wrong(check, *weight, format!("nothing is bound as {name}"), cure);
        }
    }
    secrets(host, config, &mut findings);
    own_host(ask, config, &mut findings);
    let refused = host.refused_layers();
    if !refused.is_empty() {
        let cure =
            "mend what its errors name, and put it again; until then the last good one stays";
        findings.wrong("configuration", Weight::Error, "the newest document is refused", cure);
    }
    let Findings { checks, problems, is_ill } = findings;
    let mut errors = List::default();
    for error in &refused {
        errors.document(&Wrong::from(error).json());
    }
    let mut configuration = Object::default();
    configuration.text("effective_name", &config.version);
    configuration.document("errors", &errors.end());
    let mut document = Object::default();
    document.document("checks", &checks.end());
    document.document("configuration", &configuration.end());
    document.flag("healthy", !is_ill);
    document.document("problems", &problems.end());
    Answer { status: if is_ill { 503 } else { 200 }, ..Answer::ok(document.end()) }
}

fn binding(name: &str, bound: bool) -> Document {
    let mut binding = Object::default();
    binding.text("binding", name);
    binding.flag("bound", bound);
    binding.end()
}

/// What can be seen of a namespace of KV.
fn namespace(name: &str, bound: bool, answers: bool, took_ms: u64) -> Document {
    let mut namespace = Object::default();
    namespace.flag("answers", answers);
    namespace.text("binding", name);
    namespace.flag("bound", bound);
    namespace.number("took_ms", took_ms);
    namespace.end()
}

/// One read of a key that nobody writes.
async fn renditions<H: AdminHost>(host: &H, config: &Config, findings: &mut Findings) {
    let began_ms = host.now_ms();
    let kv_timeout_ms = config.cache.kv_timeout_ms;
    let read = host.kv().find(NOBODYS_KEY, KV_CACHE_TTL_S_MIN, kv_timeout_ms).await;
    let read = read.map(|found| {
        if let Some(found) = found {
            found.body.discard();
        }
    });
    let bound = host.has_binding(RENDITIONS_BINDING);
    let took_ms = host.now_ms().saturating_sub(began_ms);
    findings.checks.put("kv", namespace(RENDITIONS_BINDING, bound, read.is_ok(), took_ms));
    if let Err(fault) = read {
        let weight = if config.cache.kv { Weight::Error } else { Weight::Warning };
        let cure = if bound {
            "look at the status of Workers KV, and at cache.kvTimeoutMs"
        } else {
            "bind VIDEO_TRANSFORMATIONS_CACHE under kv_namespaces in wrangler.jsonc"
        };
        findings.wrong("kv", weight, format!("{RENDITIONS_BINDING}: {fault}"), cure);
    }
}

async fn documents<H: AdminHost>(host: &H, findings: &mut Findings) {
    let began_ms = host.now_ms();
    let read = host.documents().get(STORED_LAYER, DOCUMENT_MS_MAX).await;
    let bound = host.has_binding(DOCUMENTS_BINDING);
    let took_ms = host.now_ms().saturating_sub(began_ms);
    findings.checks.put("config_store", namespace(DOCUMENTS_BINDING, bound, read.is_ok(), took_ms));
    if let Err(fault) = read {
        let (weight, cure) = if bound {
            (Weight::Error, "look at the status of Workers KV; what is active stays")
        } else {
            let cure = "bind VIDEO_CONFIGURATION_STORE under kv_namespaces in wrangler.jsonc, or RESIZER_CONFIG alone is active";
            (Weight::Warning, cure)
        };
        findings.wrong("config_store", weight, format!("{DOCUMENTS_BINDING}: {fault}"), cure);
    }
}

/// Which secrets are set, by name; and which of those that are needed are not.
fn secrets<H: AdminHost>(host: &H, config: &Config, findings: &mut Findings) {
    let mut set = Sorted::default();
    for (name, bytes_min) in [
        (FULL_SECRET, TOKEN_BYTES_MIN),
        (READ_SECRET, TOKEN_BYTES_MIN),
        (KEY_SECRET, KEY_BYTES_MIN),
    ] {
        let secret = host.secret(name);
        let is_short = secret.as_ref().is_some_and(|secret| secret.len() < bytes_min);
        set.insert(name.to_owned(), secret.is_some() && !is_short);
        if is_short {
            let detail = format!("{name} has under {bytes_min} bytes and does not count");
            findings.wrong(
                "secrets",
                Weight::Error,
                detail,
                "put a longer one with wrangler secret put",
            );
        }
    }
    let every = config.origins.iter().flat_map(|origin| &origin.sources);
    let wanted: Vec<&str> = every
        .filter_map(|source| source.auth.as_ref())
        .map(|auth| match auth {
            SourceAuth::Bearer { secret }
            | SourceAuth::Basic { secret }
            | SourceAuth::Header { secret, .. } => secret.as_str(),
        })
        .collect();
    if !wanted.is_empty() && set.get(KEY_SECRET) == Some(&false) {
        let detail = format!("a source has credentials, and {KEY_SECRET} is not set");
        let cure =
            "put it with wrangler secret put SOURCE_RELAY_KEY: any text of at least 16 bytes";
        findings.wrong("secrets", Weight::Error, detail, cure);
    }
    for name in wanted {
        let is_set = host.secret(name).is_some();
        if set.insert(name.to_owned(), is_set).is_none() && !is_set {
            let detail = format!("a source wants the secret {name}, which is not set");
            findings.wrong("secrets", Weight::Error, detail, "put it with wrangler secret put");
        }
    }
    for (_, name) in config.signing.keys.iter() {
        let secret = host.secret(name);
        let is_key = secret.is_some_and(|secret| secret.len() >= signature::KEY_BYTES_MIN);
        if set.insert(name.clone(), is_key) != Some(false) && !is_key {
            let bytes_min = signature::KEY_BYTES_MIN;
            let detail = format!(
                "a signing key wants the secret {name}, which is not set or has under {bytes_min} bytes"
            );
            let cure = "put it with wrangler secret put, or take the key out of signing.keys";
            findings.wrong("secrets", Weight::Error, detail, cure);
        }
    }
    let mut names = Object::default();
    for (name, is_set) in set.iter() {
        names.flag(name, *is_set);
    }
    let mut check = Object::default();
    check.document("set", &names.end());
    findings.checks.put("secrets", check.end());
}

/// Whether what is fetched for a viewer would come back to this worker.
fn own_host(ask: &Ask, config: &Config, findings: &mut Findings) {
    let own = ask.origin();
    let is_own = |url: Option<&str>| url.is_none_or(|url| url.eq_ignore_ascii_case(&own));
    let pass_through = config.pass_through.enabled && is_own(config.pass_through.url.as_deref());
    let mut origins = Vec::new();
    for origin in &config.origins {
        let is_here = |source: &Source| {
            source.url.starts_with("{request-origin}")
                || source.url.strip_prefix(&own).is_some_and(|path| path.starts_with('/'))
        };
        if !origin.sources.iter().any(is_here) {
            continue;
        }
        origins.push(origin.name.as_str());
        let name = &origin.name;
        let cure = "name the host of the videos under origins in the configuration; it must not be on a route of this worker";
        // The same path of the same host is a route of this worker for certain: this very request came by it.
        let sources = SourcePath::parse(SAMPLE).map(|path| sources::locate(origin, &path, &own));
        let is_itself = |source: &sources::Source| source.url == format!("{own}{SAMPLE}");
        if sources.is_ok_and(|sources| sources.iter().any(is_itself)) {
            let detail = format!(
                "the source of origin {name} is the very address that was asked: no origins are configured for this host"
            );
            findings.wrong("own_host", Weight::Error, detail, cure);
        } else {
            let detail = format!("a source of origin {name} is on this worker's own host");
            findings.wrong("own_host", Weight::Warning, detail, cure);
        }
    }
    let mut check = Object::default();
    check.texts("origins", &origins);
    check.flag("pass_through", pass_through);
    if pass_through {
        let cure = "set passThrough.url to a host that is not on a route of this worker, or passThrough.enabled to false";
        let detail = "paths that are no video are passed to this host, which is this worker's";
        findings.wrong("own_host", Weight::Warning, detail, cure);
    }
    findings.checks.put("own_host", check.end());
}
