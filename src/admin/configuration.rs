//! The configuration, as operators read and put it. What is remembered of it is in [`config_book`].

use ::http::{HeaderName, HeaderValue, header};

use super::Answer;
use super::config_book::{self, Question};
use super::diff;
use super::given::{Given, signed};
use super::ports::{AdminHost, Class, DOCUMENTS_BINDING};
use super::refusal::{Refusal, Wrong};
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::document::{Document, List, Object};
use crate::http::visible;
use crate::json::{self, Foreign, Value};
use crate::limits::OBJECT_MS_MAX;
use crate::request::ask::Ask;

/// Seconds after which a configuration that KV has taken is active everywhere.
const ACTIVE_WITHIN_S: u64 = 60;

/// `GET /config`
pub(super) async fn read<H: AdminHost>(host: &H, config: &Config) -> Result<Answer, Refusal> {
    let answer = ask_book(host, &Question::List).await?;
    let config_book::Answer::Listed { version, active, drift, etag, versions } = answer else {
        return Err(refused(answer));
    };
    let mut put = List::default();
    for config_book::Version { version, at_ms, by, note, bytes } in versions {
        let mut it = Object::default();
        it.time("at", at_ms);
        it.text("by", &by);
        it.number("bytes", bytes);
        it.text("note", &note);
        it.number("version", version);
        put.document(&it.end());
    }
    let active = active.map(|text| Document::of(&value(&text)));
    let mut document = Object::default();
    document.document_or_null("active", active.as_ref());
    document.flag("drift", drift);
    document.text("effective_name", &config.version);
    document.number("version", version);
    document.document("versions", &put.end());
    Ok(Answer { headers: vec![etag_header(&etag)], ..Answer::ok(document.end()) })
}

/// `PUT /config`
pub(super) async fn put<H: AdminHost>(
    host: &H,
    ask: &Ask,
    given: &Given,
) -> Result<Answer, Refusal> {
    let dry_run = given.flag("dry_run")?;
    let (by, note) = signed(("by", given.parameter("by")), ("note", given.parameter("note")))?;
    let document = given.document.as_ref().map_or(String::new(), |it| it.text.clone());
    // Here as well as in the book: a bad document is told also where no book is bound, and costs it no turn.
    config_book::check(host.deployed_layer().as_deref(), &document)
        .map_err(Refusal::InvalidConfiguration)?;
    if dry_run {
        let mut tried = Object::default();
        tried.flag("dry_run", true);
        tried.flag("valid", true);
        return Ok(Answer::ok(tried.end()));
    }
    let if_match = if_match(ask);
    write(host, &Question::Put { document, by, note, if_match }).await
}

/// `POST /config/rollback`
pub(super) async fn roll_back<H: AdminHost>(
    host: &H,
    ask: &Ask,
    given: &Given,
) -> Result<Answer, Refusal> {
    let document = given.document.as_ref().map_or(&Value::Null, |document| &document.value);
    let Some(members) = document.as_object() else {
        return Err(Refusal::invalid("", "write { \"version\": … }"));
    };
    let unknown: Vec<Wrong> = members
        .keys()
        .filter(|key| !["version", "by", "note"].contains(&key.as_str()))
        .map(|key| Wrong::new(pointer(key), "it is nothing this call knows"))
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::Invalid(unknown));
    }
    let version = members.get("version").and_then(Value::as_u64).filter(|version| *version > 0);
    let wanted = "write the number of a version";
    let version = version.ok_or_else(|| Refusal::invalid("/version", wanted))?;
    let text = |key| match members.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Refusal::invalid(pointer(key), "write a text")),
    };
    let (by, note) = signed(("/by", text("by")?), ("/note", text("note")?))?;
    let question = Question::RollBack { version, by, note, if_match: if_match(ask) };
    named("/version", write(host, &question).await)
}

/// `GET /config/versions/{n}`: the document as it was put, byte for byte.
pub(super) async fn version<H: AdminHost>(host: &H, given: &Given) -> Result<Answer, Refusal> {
    let version = given.number_in_path("n", 1, u64::MAX)?;
    let text = document(host, Some(version)).await?.ok_or(Refusal::NotFound)?;
    Ok(Answer { status: 200, text, headers: Vec::new() })
}

/// `GET /config/diff`
pub(super) async fn diff<H: AdminHost>(host: &H, given: &Given) -> Result<Answer, Refusal> {
    let from = given.number("from", 1, u64::MAX)?;
    let from = from.ok_or_else(|| Refusal::invalid("from", "write the number of a version"))?;
    let to = given.number("to", 1, u64::MAX)?;
    let from = named("from", document(host, Some(from)).await)?.unwrap_or_default();
    let to = named("to", document(host, to).await)?;
    // Nothing in KV is a layer that says nothing.
    let to = value(to.as_deref().unwrap_or("{}"));
    let mut changes = List::default();
    for change in diff::changes(&value(&from), &to) {
        changes.document(&change.json());
    }
    let mut document = Object::default();
    document.document("changes", &changes.end());
    Ok(Answer::ok(document.end()))
}

/// A version that is not there is named by what asked for it.
fn named<T>(at: &str, found: Result<T, Refusal>) -> Result<T, Refusal> {
    found.map_err(|refusal| {
        if refusal == Refusal::NotFound {
            return Refusal::invalid(at, "there is no such version, or not any more");
        }
        refusal
    })
}

async fn document<H: AdminHost>(host: &H, version: Option<u64>) -> Result<Option<String>, Refusal> {
    let answer = ask_book(host, &Question::Document { version }).await?;
    let config_book::Answer::Document { document } = answer else { return Err(refused(answer)) };
    Ok(document)
}

/// Puts a version; the isolate that answers goes on with it at once.
async fn write<H: AdminHost>(host: &H, question: &Question) -> Result<Answer, Refusal> {
    let answer = ask_book(host, question).await?;
    let config_book::Answer::Written { version, document, stored } = answer else {
        return Err(refused(answer));
    };
    host.take_stored_layer(&document);
    let mut written = Object::default();
    written.number_or_null("active_within_s", stored.then_some(ACTIVE_WITHIN_S));
    written.flag("stored", stored);
    written.number("version", version);
    let headers = vec![etag_header(&format!("\"{version}\""))];
    Ok(Answer { headers, ..Answer::ok(written.end()) })
}

async fn ask_book<H: AdminHost>(
    host: &H,
    question: &Question,
) -> Result<config_book::Answer, Refusal> {
    let binding = Class::ConfigBook.binding();
    let refusal = |fault| Refusal::Unavailable { binding, fault };
    let text = json::write(question);
    let answer = host.ask_object(Class::ConfigBook, config_book::NAME, &text, OBJECT_MS_MAX).await;
    let answer = answer.map_err(refusal)?;
    json::read(&answer).map_err(|Foreign| refusal(Fault::Corrupt("the book gave no answer")))
}

/// An answer of the book that is no success.
fn refused(answer: config_book::Answer) -> Refusal {
    match answer {
        config_book::Answer::NoVersion { .. } => Refusal::NotFound,
        config_book::Answer::Invalid { errors } => Refusal::InvalidConfiguration(
            errors.into_iter().map(|(at, detail)| Wrong { at, detail }).collect(),
        ),
        config_book::Answer::Changed { etag } => Refusal::PreconditionFailed { etag },
        config_book::Answer::Unavailable { fault } => {
            Refusal::Unavailable { binding: DOCUMENTS_BINDING, fault: Fault::Unavailable(fault) }
        }
        config_book::Answer::Listed { .. }
        | config_book::Answer::Written { .. }
        | config_book::Answer::Document { .. } => Refusal::Unavailable {
            binding: Class::ConfigBook.binding(),
            fault: Fault::Corrupt("the book answered something else"),
        },
    }
}

/// A stored text as JSON; what an operator has put by hand may be none.
fn value(text: &str) -> Value {
    Value::parse(text).unwrap_or_default()
}

fn if_match(ask: &Ask) -> Option<String> {
    // One that is no text matches nothing.
    let value = ask.headers.get(header::IF_MATCH)?;
    Some(value.to_str().unwrap_or_default().to_owned())
}

fn etag_header(etag: &str) -> (HeaderName, HeaderValue) {
    (header::ETAG, visible(etag))
}

/// A key as a JSON pointer (RFC 6901).
fn pointer(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
