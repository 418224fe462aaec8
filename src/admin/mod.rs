//! The operator's API: one table of routes, and one function that answers a request to it.
//!
//! [`admit`] decides from the request line and the token alone, so that no byte of a stranger's body is ever read;
//! [`answer`] does what was asked. To add a call: a row in [`routes`], an [`Operation`], an arm in
//! `answer`, and its part of `openapi.json`; a test holds the four to each other.

pub mod auth;
mod body;
pub mod config_book;
mod configuration;
pub mod diff;
mod explain;
mod given;
mod health;
pub mod openapi;
pub mod ports;
mod purge;
pub mod refusal;
pub mod routes;
pub mod variants;
pub mod warm;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

use self::auth::{Scope, Visitor};
use self::ports::AdminHost;
use self::refusal::Refusal;
use self::routes::{Needs, Operation, Route, Takes};
use crate::cache::ports::{Body, Reply, Secrets};
use crate::config::Config;
use crate::document::Document;
use crate::request::ask::Ask;

/// A request whose token is good, and the route it goes.
#[derive(Debug)]
pub struct Admitted {
    route: &'static Route,
    /// What stands in the path where the pattern has a name.
    name: Option<String>,
    scope: Scope,
}

/// Whether a path belongs to this API, there or not.
pub fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Lets a request in, or says why not. Reads the request line and the token, nothing else.
pub fn admit(secrets: &impl Secrets, ask: &Ask, config: &Config) -> Result<Admitted, Refusal> {
    let scope = match auth::visitor(secrets, ask) {
        Visitor::Holder(scope) => scope,
        Visitor::Stranger => return Err(Refusal::Unauthorized),
        Visitor::Nobody => return Err(Refusal::NotFound),
    };
    let path = ask.path.strip_prefix(&config.admin.prefix).unwrap_or_default();
    let (route, name) = routes::find(&ask.method, path)?;
    match (route.needs, scope) {
        (Needs::Full, Scope::Read) => Err(Refusal::Forbidden),
        (Needs::Full | Needs::Read | Needs::FullUnlessDry, _) => {
            Ok(Admitted { route, name, scope })
        }
    }
}

/// Does what was asked and says what came of it; `body` is read only where the call takes one.
pub async fn answer<H: AdminHost>(
    host: &H,
    ask: &Ask,
    config: &Config,
    admitted: Admitted,
    body: H::Body,
    request_id: &str,
) -> Reply<H::Body> {
    match answered(host, ask, config, admitted, body).await {
        Ok(Answer { status, text, headers }) => reply(status, text, headers),
        Err(refusal) => refusal.reply(ask, request_id),
    }
}

async fn answered<H: AdminHost>(
    host: &H,
    ask: &Ask,
    config: &Config,
    admitted: Admitted,
    body: H::Body,
) -> Result<Answer, Refusal> {
    let Admitted { route, name, scope } = admitted;
    let mut given = match given::read(ask, route, name) {
        Ok(given) => given,
        Err(refusal) => {
            body.discard();
            return Err(refusal);
        }
    };
    match route.takes {
        Takes::Nothing => body.discard(),
        Takes::Json => given.document = Some(body::read(ask, body).await?),
    }
    if route.needs == Needs::FullUnlessDry && scope == Scope::Read && !given.is_dry_run(route) {
        return Err(Refusal::Forbidden);
    }
    match route.operation {
        Operation::ReadConfig => configuration::read(host, config).await,
        Operation::PutConfig => configuration::put(host, ask, &given).await,
        Operation::ReadConfigVersion => configuration::version(host, &given).await,
        Operation::DiffConfig => configuration::diff(host, &given).await,
        Operation::RollBackConfig => configuration::roll_back(host, ask, &given).await,
        Operation::ListVariants => variants::list(host, config, &given).await,
        Operation::Explain => explain::explain(host, ask, config, &given).await,
        Operation::Warm => warm::begin(host, ask, config, &given).await,
        Operation::ReadWarm => warm::look(host, &given).await,
        Operation::ReadHealth => Ok(health::check(host, ask, config).await),
        Operation::Purge => purge::purge(host, config, &given).await,
        Operation::ListPurges => purge::list(host, &given).await,
        Operation::ReadPurge => purge::read(host, &given).await,
        Operation::ReadOpenApi => Ok(openapi::document(ask, config)),
    }
}

/// What a call came to.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// JSON.
    text: String,
    /// Beside those that every answer has.
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    fn ok(document: Document) -> Self {
        Self { status: 200, text: document.into_text(), headers: Vec::new() }
    }
}

fn reply<B: Body>(status: u16, text: String, more: Vec<(HeaderName, HeaderValue)>) -> Reply<B> {
    let mut headers: HeaderMap = more.into_iter().collect();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Reply { status, headers, body: B::text(text) }
}
