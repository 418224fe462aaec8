//! What only the operator's API asks of the platform.
#![allow(async_fn_in_trait)] // its advice is about `Send`

use crate::cache::ports::{Fault, Host};
use crate::config::ConfigError;
use crate::json::{self, Foreign};
use crate::limits::LEDGER_ASK_TIMEOUT_MS;
use crate::purge::question::{self, Answer, Question};

/// Name of the binding of the KV namespace that holds the configuration.
pub const DOCUMENTS_BINDING: &str = "VIDEO_CONFIGURATION_STORE";

/// The KV namespace of documents: texts by name.
pub trait Documents {
    /// The text under a name; it may lag a write elsewhere by a minute.
    async fn get(&self, name: &str, budget_ms: u32) -> Result<Option<String>, Fault>;

    /// Puts a text. An error does not mean that nothing was written.
    async fn put(&self, name: &str, text: &str, budget_ms: u32) -> Result<(), Fault>;
}

/// A class of durable objects that the operator's API asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The versions of the configuration.
    ConfigBook,
    /// The ledger of purges.
    PurgeLedger,
    /// Warming jobs, each by its id.
    Warmer,
}

impl Class {
    /// Name of the binding of all objects of the class.
    pub const fn binding(self) -> &'static str {
        match self {
            Self::ConfigBook => "CONFIG_BOOK",
            Self::PurgeLedger => question::BINDING,
            Self::Warmer => "WARMER",
        }
    }
}

/// A host with what only operators need.
pub trait AdminHost: Host {
    /// The KV namespace of documents.
    type Documents: Documents;

    /// The KV namespace of documents; where none is bound, all of it is [`Fault::Unavailable`].
    fn documents(&self) -> &Self::Documents;

    /// Asks a durable object: a text in, a text out. An object whose class is not bound is [`Fault::Unavailable`].
    async fn ask_object(
        &self,
        class: Class,
        name: &str,
        question: &str,
        budget_ms: u32,
    ) -> Result<String, Fault>;

    /// Whether anything is bound under this name.
    fn has_binding(&self, binding: &str) -> bool;

    /// The deployment's own layer of the configuration.
    fn deployed_layer(&self) -> Option<String>;

    /// The ledger of purges is this now; the isolate goes on with it at once.
    fn hear_ledger(&self, ledger: &str);

    /// The stored layer is this now; the isolate goes on with it at once.
    fn take_stored_layer(&self, stored: &str);

    /// What is wrong with the layers that this isolate was offered last; empty where they are active.
    fn refused_layers(&self) -> Vec<ConfigError>;
}

/// Asks the ledger of purges. After a fault nobody knows whether it has done what it was asked.
pub async fn ask_ledger<H: AdminHost>(host: &H, question: &Question) -> Result<Answer, Fault> {
    let question = json::write(question);
    let (class, budget_ms) = (Class::PurgeLedger, LEDGER_ASK_TIMEOUT_MS);
    let answer = host.ask_object(class, question::NAME, &question, budget_ms).await?;
    json::read(&answer).map_err(|Foreign| Fault::Corrupt("the ledger gave no answer"))
}
