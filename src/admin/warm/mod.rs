//! Renditions are made before anybody asks for them: `POST /warm` begins a job, `GET /warm/{id}` shows how far it is.
//!
//! [`order`] checks what is asked, [`job`] is the state machine of the job's durable object, [`one`] warms one rendition.

pub mod job;
pub mod one;
pub mod order;

use ::http::header;

use self::job::{Job, Question, State};
use super::Answer;
use super::given::Given;
use super::ports::{AdminHost, Class};
use super::refusal::Refusal;
use super::variants::RENDITIONS_BINDING;
use crate::cache::ports::Fault;
use crate::config::Config;
use crate::document::{List, Object};
use crate::http::visible;
use crate::json::{self, Foreign, Value};
use crate::limits::WARM_ANSWER_MS_MAX;
use crate::request::ask::Ask;

/// `POST /warm`: nothing is begun where anything is wrong.
pub(super) async fn begin<H: AdminHost>(
    host: &H,
    ask: &Ask,
    config: &Config,
    given: &Given,
) -> Result<Answer, Refusal> {
    let document = given.document.as_ref().map_or(&Value::Null, |document| &document.value);
    let order = order::read(host, ask, config, document).map_err(Refusal::Invalid)?;
    if !host.has_binding(RENDITIONS_BINDING) {
        // Everything would be made, and paid for, and nothing kept.
        let fault = Fault::Unavailable("nothing is bound".to_owned());
        return Err(Refusal::Unavailable { binding: RENDITIONS_BINDING, fault });
    }
    let id = format!("{:032x}", host.id());
    let question = Question::Begin { id: id.clone(), by: order.by, urls: order.urls };
    let job = put(host, &id, &question).await?;
    let job =
        job.ok_or_else(|| unavailable(Fault::Corrupt("a job that has begun is not there")))?;
    let place = visible(&format!("{}/warm/{id}", config.admin.prefix));
    Ok(Answer { status: 202, headers: vec![(header::LOCATION, place)], ..shown(&job) })
}

/// `GET /warm/{id}`
pub(super) async fn look<H: AdminHost>(host: &H, given: &Given) -> Result<Answer, Refusal> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let id = given.name.as_deref().unwrap_or_default();
    if id.len() != ID_DIGITS || !id.bytes().all(is_digit) {
        return Err(Refusal::NotFound);
    }
    put(host, id, &Question::Look).await?.as_ref().map(shown).ok_or(Refusal::NotFound)
}

async fn put<H: AdminHost>(
    host: &H,
    id: &str,
    question: &Question,
) -> Result<Option<Job>, Refusal> {
    let question = json::write(question);
    let answer = host.ask_object(Class::Warmer, id, &question, WARM_ANSWER_MS_MAX).await;
    let unreadable = |Foreign| unavailable(Fault::Corrupt("it gave no job"));
    json::read(&answer.map_err(unavailable)?).map_err(unreadable)
}

fn shown(job: &Job) -> Answer {
    let mut items = List::default();
    for item in &job.items {
        let mut shown = Object::default();
        let detail = Some(item.detail.as_str()).filter(|detail| !detail.is_empty());
        shown.text_or_null("detail", detail);
        shown.text("state", item.state.as_str());
        shown.text("url", &item.url);
        items.document(&shown.end());
    }
    let (done, failed) =
        (job.count(State::Made) + job.count(State::Already), job.count(State::Failed));
    let total = job.items.len();
    let mut shown = Object::default();
    shown.time("at", job.head.at_ms);
    shown.text("by", &job.head.by);
    shown.count("done", done);
    shown.count("failed", failed);
    shown.text("id", &job.head.id);
    shown.document("items", &items.end());
    shown.text("state", if done + failed == total { "finished" } else { "running" });
    shown.count("total", total);
    Answer::ok(shown.end())
}

fn unavailable(fault: Fault) -> Refusal {
    Refusal::Unavailable { binding: Class::Warmer.binding(), fault }
}

/// Hex digits of a job's name: 128 bits that nobody guesses.
const ID_DIGITS: usize = 32;
