//! The book of configurations: every version that was put, in one durable object, so that none is lost.
//!
//! Isolates do not read the book. They read one document in KV, which the book writes after it has written the version
//! down. Where KV does not take it, the book knows, and writes it again at the next question or when it is woken.
//! An operator who puts that document by hand is noticed: it is not what the book wrote, and the next put takes it
//! in as a version of its own before it is replaced.

mod pages;

use self::pages::{Page, Pages, State};

use super::ports::Documents;
use super::refusal::Wrong;
use crate::cache::key::digest_128;
use crate::cache::ports::{Clock, Fault};
use crate::config::layers::{self, STORED_LAYER};
use crate::durable::Durable;
use crate::json::{Value, record, tagged};
use crate::limits::{
    CONFIG_BYTES_MAX, CONFIG_RETRY_MS_MAX, CONFIG_RETRY_MS_MIN, CONFIG_TRIES_MAX, DOCUMENT_MS_MAX,
    KV_LAG_MS,
};
use crate::turn::Turns;

/// Name of the one object of its class.
pub const NAME: &str = "configuration";
/// What stands at a version that was found in KV.
const FOUND_NOTE: &str = "found in KV, where it was put by hand";

/// What the book is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which versions there are, and what is in KV.
    List,
    /// A document becomes the newest version, and goes to KV.
    Put {
        /// The document.
        document: String,
        /// Who puts it.
        by: String,
        /// Why.
        note: String,
        /// The `If-Match` of the caller.
        if_match: Option<String>,
    },
    /// As [`Question::Put`] with the document of an earlier version.
    RollBack {
        /// Its number.
        version: u64,
        /// Who puts it.
        by: String,
        /// Why.
        note: String,
        /// The `If-Match` of the caller.
        if_match: Option<String>,
    },
    /// The document of a version; `None` is what is in KV.
    Document {
        /// Its number.
        version: Option<u64>,
    },
}

tagged! { Question, "ask", Refused {
    "list" => List {},
    "put" => Put { "document" => document, "by" => by, "note" => note, "if_match" => if_match },
    "roll-back" => RollBack { "version" => version, "by" => by, "note" => note, "if_match" => if_match },
    "document" => Document { "version" => version },
} }

/// What the book answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::List`].
    Listed {
        /// The newest version; 0 where there is none.
        version: u64,
        /// What is in KV.
        active: Option<String>,
        /// Whether that is something the book did not write.
        drift: bool,
        /// The entity tag of all this.
        etag: String,
        /// Newest first.
        versions: Vec<Version>,
    },
    /// To [`Question::Put`] and [`Question::RollBack`].
    Written {
        /// Its number.
        version: u64,
        /// The document.
        document: String,
        /// Whether KV has taken it; else it is written again until it does.
        stored: bool,
    },
    /// To [`Question::Document`]; `None` where KV has none.
    Document {
        /// The document.
        document: Option<String>,
    },
    /// There is no such version, or not any more.
    NoVersion {
        /// Its number.
        version: u64,
    },
    /// The document is a bad configuration.
    Invalid {
        /// All that is wrong with it.
        errors: Vec<(String, String)>,
    },
    /// `If-Match` does not.
    Changed {
        /// The entity tag that would.
        etag: String,
    },
    /// KV could not be looked into, and nothing was done.
    Unavailable {
        /// What it said.
        fault: String,
    },
}

tagged! { Answer, "answer", Refused {
    "listed" => Listed {
        "version" => version,
        "active" => active,
        "drift" => drift,
        "etag" => etag,
        "versions" => versions,
    },
    "written" => Written { "version" => version, "document" => document, "stored" => stored },
    "document" => Document { "document" => document },
    "no-version" => NoVersion { "version" => version },
    "invalid" => Invalid { "errors" => errors },
    "changed" => Changed { "etag" => etag },
    "unavailable" => Unavailable { "fault" => fault },
} }

/// What is known of a version beside its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub version: u64,
    /// When it was put, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who put it; empty where nobody said.
    pub by: String,
    /// Why; empty where nobody said.
    pub note: String,
    /// Bytes of the document.
    pub bytes: u64,
}

record! { Version, PassedOver {
    "version" => version,
    "at_ms" => at_ms,
    "by" => by,
    "note" => note,
    "bytes" => bytes,
} }

/// Checks a document as isolates will: over the deployment's own layer. All errors at once.
pub fn check(deployed: Option<&str>, document: &str) -> Result<(), Vec<Wrong>> {
    match layers::assemble(deployed, Some(document)) {
        Ok(_) => Ok(()),
        Err(errors) => Err(errors.iter().map(Wrong::from).collect()),
    }
}

/// What the book works with.
#[derive(Debug)]
pub struct Desk<'a, S, D, C> {
    /// Its own storage.
    pub storage: &'a S,
    /// Where isolates read.
    pub documents: &'a D,
    /// The time.
    pub clock: &'a C,
    /// The deployment's own layer.
    pub deployed: Option<String>,
}

/// The book, as the object holds it in memory: nothing but whose turn it is.
#[derive(Debug, Default)]
pub struct ConfigBook {
    turns: Turns,
}

impl ConfigBook {
    /// Answers one question at a time, in whole. A fault of the storage is an error, and then nothing is certain.
    pub async fn answer<S: Durable, D: Documents, C: Clock>(
        &self,
        desk: &Desk<'_, S, D, C>,
        question: Question,
    ) -> Result<Answer, Fault> {
        let _turn = self.turns.take(desk.clock).await?;
        let mut sitting = Sitting::begin(desk).await?;
        sitting.write_again().await?;
        match question {
            Question::List => sitting.list().await,
            Question::Put { document, by, note, if_match } => {
                sitting.put(document, by, note, if_match.as_deref()).await
            }
            Question::RollBack { version, by, note, if_match } => {
                match sitting.pages.document(version).await? {
                    Some(document) => sitting.put(document, by, note, if_match.as_deref()).await,
                    None => Ok(Answer::NoVersion { version }),
                }
            }
            Question::Document { version: Some(version) } => {
                Ok(match sitting.pages.document(version).await? {
                    Some(document) => Answer::Document { document: Some(document) },
                    None => Answer::NoVersion { version },
                })
            }
            Question::Document { version: None } => Ok(match sitting.in_kv().await {
                Ok(document) => Answer::Document { document },
                Err(fault) => Answer::Unavailable { fault: fault.to_string() },
            }),
        }
    }

    /// What is done when the object is woken: KV is given what it has not taken.
    pub async fn wake<S: Durable, D: Documents, C: Clock>(
        &self,
        desk: &Desk<'_, S, D, C>,
    ) -> Result<(), Fault> {
        let _turn = self.turns.take(desk.clock).await?;
        Sitting::begin(desk).await?.write_again().await
    }
}

/// One turn with the book open.
struct Sitting<'a, S, D, C> {
    desk: &'a Desk<'a, S, D, C>,
    pages: Pages<'a, S>,
    state: State,
    known: Vec<Page>,
}

impl<'a, S: Durable, D: Documents, C: Clock> Sitting<'a, S, D, C> {
    async fn begin(desk: &'a Desk<'a, S, D, C>) -> Result<Self, Fault> {
        let pages = Pages::of(desk.storage);
        let (state, known) = (pages.state().await?, pages.all().await?);
        Ok(Self { desk, pages, state, known })
    }

    async fn in_kv(&self) -> Result<Option<String>, Fault> {
        self.desk.documents.get(STORED_LAYER, DOCUMENT_MS_MAX).await
    }

    /// Whether what is in KV is something that the book did not write last.
    ///
    /// Until KV has taken the newest version, and for as long as it may still show what was there before, any version
    /// of the book is expected there.
    fn drifts(&self, active: Option<&str>) -> bool {
        let digest = active.map(digest_128);
        let newest = self.known.last().map(|page| page.digest.as_str());
        if digest.as_deref() == newest {
            return false;
        }
        let lag = self.desk.clock.now_ms().saturating_sub(self.state.written_ms) < KV_LAG_MS;
        let is_before = match &digest {
            Some(digest) => self.known.iter().any(|page| page.digest == *digest),
            // There was nothing before the first.
            None => self.known.len() <= 1,
        };
        !(is_before && (lag || !self.state.stored))
    }

    /// The newest version, and what KV says where that is something else: who has seen one document that was put by
    /// hand has not seen the next.
    fn etag(&self, drift: bool, active: Option<&str>) -> String {
        let newest = self.state.newest;
        if drift {
            let digest = digest_128(active.unwrap_or_default());
            format!("\"{newest}-{digest}-drift\"")
        } else {
            format!("\"{newest}\"")
        }
    }

    async fn list(&self) -> Result<Answer, Fault> {
        let active = match self.in_kv().await {
            Ok(active) => active,
            Err(fault) => return Ok(Answer::Unavailable { fault: fault.to_string() }),
        };
        let drift = self.drifts(active.as_deref());
        Ok(Answer::Listed {
            version: self.state.newest,
            etag: self.etag(drift, active.as_deref()),
            active,
            drift,
            versions: self.known.iter().rev().map(|page| page.version.clone()).collect(),
        })
    }

    async fn put(
        &mut self,
        document: String,
        by: String,
        note: String,
        if_match: Option<&str>,
    ) -> Result<Answer, Fault> {
        let active = match self.in_kv().await {
            Ok(active) => active,
            // What was put there by hand would be lost.
            Err(fault) => return Ok(Answer::Unavailable { fault: fault.to_string() }),
        };
        let drift = self.drifts(active.as_deref());
        let etag = self.etag(drift, active.as_deref());
        if if_match.is_some_and(|sent| !matches(sent, &etag)) {
            return Ok(Answer::Changed { etag });
        }
        if let Err(errors) = check(self.desk.deployed.as_deref(), &document) {
            let errors = errors.into_iter().map(|Wrong { at, detail }| (at, detail)).collect();
            return Ok(Answer::Invalid { errors });
        }
        let now_ms = self.desk.clock.now_ms();
        let mut added = Vec::new();
        if let Some(found) = active.filter(|found| drift && was_ever_active(found)) {
            added.push(self.page(found, now_ms, String::new(), FOUND_NOTE.to_owned()));
        }
        added.push(self.page(document.clone(), now_ms, by, note));
        self.state.stored = false;
        self.state.tries = 0;
        self.pages.add(&self.state, &added).await?;
        self.known.extend(added.into_iter().map(|(page, _)| page));
        self.write(&document).await?;
        Ok(Answer::Written { version: self.state.newest, document, stored: self.state.stored })
    }

    /// The next version.
    fn page(&mut self, document: String, at_ms: u64, by: String, note: String) -> (Page, String) {
        self.state.newest += 1;
        let bytes = document.len() as u64;
        let version = Version { version: self.state.newest, at_ms, by, note, bytes };
        (Page { version, digest: digest_128(&document) }, document)
    }

    /// Writes to KV what it has not taken, unless somebody has put something else there meanwhile: who does so by
    /// hand came later, and wins.
    async fn write_again(&mut self) -> Result<(), Fault> {
        if self.state.stored || self.state.newest == 0 {
            return Ok(());
        }
        let Some(document) = self.pages.document(self.state.newest).await? else { return Ok(()) };
        match self.in_kv().await {
            Ok(active) if self.drifts(active.as_deref()) => {
                self.state.stored = true;
                self.pages.keep(&self.state).await
            }
            Ok(_) => self.write(&document).await,
            Err(_) => self.retry().await,
        }
    }

    async fn write(&mut self, document: &str) -> Result<(), Fault> {
        match self.desk.documents.put(STORED_LAYER, document, DOCUMENT_MS_MAX).await {
            Ok(()) => {
                self.state.stored = true;
                self.state.tries = 0;
                self.state.written_ms = self.desk.clock.now_ms();
                self.pages.keep(&self.state).await
            }
            Err(fault) => {
                tracing::warn!(fault = %fault, "a configuration is not in KV yet");
                self.retry().await
            }
        }
    }

    /// The object is woken to try once more, each time after twice as long.
    async fn retry(&mut self) -> Result<(), Fault> {
        self.state.tries = self.state.tries.saturating_add(1);
        self.pages.keep(&self.state).await?;
        if self.state.tries > CONFIG_TRIES_MAX {
            return Ok(());
        }
        let doubled = CONFIG_RETRY_MS_MIN << self.state.tries.saturating_sub(1).min(20);
        let wait_ms = doubled.min(CONFIG_RETRY_MS_MAX);
        self.desk.storage.wake_at(self.desk.clock.now_ms() + wait_ms).await
    }
}

/// Whether an `If-Match` names this tag (RFC 9110 §13.1.1); ours have no commas.
fn matches(sent: &str, etag: &str) -> bool {
    sent.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag)
}

/// Whether isolates can ever have taken this: they refuse what is too long or no JSON object.
fn was_ever_active(text: &str) -> bool {
    text.len() <= CONFIG_BYTES_MAX && Value::parse(text).is_ok_and(|document| document.is_object())
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
