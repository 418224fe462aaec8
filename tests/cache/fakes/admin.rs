//! What only operators need: documents in KV, durable objects, and the configuration of the isolate.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use video_resizer::admin::config_book::{ConfigBook, Desk};
use video_resizer::admin::ports::{AdminHost, Class, Documents};
use video_resizer::admin::warm::job;
use video_resizer::cache::ports::Fault;
use video_resizer::config::live::Live;
use video_resizer::config::{Config, ConfigError};
use video_resizer::json;
use video_resizer::purge::book;
use video_resizer::purge::ledger::Ledger;
use video_resizer::purge::ports::Mirror;
use video_resizer::purge::settings::Settings;

use super::durable::FakeDurable;
use super::host::FakeHost;
use super::run::wait_turns;
use super::weather::Mishap;
use super::world::{Operation, World};

/// Documents in KV.
#[derive(Debug, Clone)]
pub(crate) struct FakeDocuments {
    world: Rc<World>,
    pub(crate) kept: Rc<RefCell<BTreeMap<String, String>>>,
}

impl Documents for FakeDocuments {
    async fn get(&self, name: &str, budget_ms: u32) -> Result<Option<String>, Fault> {
        assert!(budget_ms > 0, "every read has a budget");
        wait_turns(2).await;
        let operation = Operation::DocumentGet { name: name.to_owned() };
        let mishap = self.world.begin(operation, &[Mishap::None, Mishap::Refused]);
        mishap.fault().map_or_else(|| Ok(self.kept.borrow().get(name).cloned()), Err)
    }

    async fn put(&self, name: &str, text: &str, budget_ms: u32) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every write has a budget");
        let operation = Operation::DocumentPut { name: name.to_owned() };
        let possible = [Mishap::None, Mishap::Refused, Mishap::LostAck];
        let mishap = self.world.begin(operation, &possible);
        // A longer text is longer on its way.
        wait_turns(u32::try_from(text.len() % 7).unwrap()).await;
        if mishap != Mishap::Refused {
            self.kept.borrow_mut().insert(name.to_owned(), text.to_owned());
        }
        mishap.fault().map_or(Ok(()), Err)
    }
}

/// One object, with its storage.
#[derive(Debug, Default)]
pub(crate) struct FakeBook {
    pub(crate) storage: FakeDurable,
    pub(crate) book: ConfigBook,
}

/// The ledger of purges, with its storage.
#[derive(Debug, Default)]
pub(crate) struct FakeLedger {
    pub(crate) storage: FakeDurable,
    pub(crate) book: book::Book,
}

/// Nobody wakes the ledger here, so that nobody is told anything.
struct Nowhere;

impl Mirror for Nowhere {
    async fn write(&self, _: &str, _: u32) -> Result<(), Fault> {
        Err(Fault::Unavailable("nothing is bound".to_owned()))
    }

    async fn read(&self, _: u32) -> Result<Option<String>, Fault> {
        Ok(None)
    }
}

/// What an operator meets beside what viewers meet.
#[derive(Debug)]
pub(crate) struct AdminSide {
    pub(crate) documents: FakeDocuments,
    pub(crate) book: Rc<FakeBook>,
    pub(crate) ledger: Rc<FakeLedger>,
    /// Warming jobs by their names.
    pub(crate) jobs: Rc<RefCell<BTreeMap<String, Rc<FakeDurable>>>>,
    pub(crate) deployed: RefCell<Option<String>>,
    /// Names under which nothing is bound.
    pub(crate) unbound: RefCell<BTreeSet<&'static str>>,
    pub(crate) live: RefCell<Live>,
}

impl AdminSide {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        Self {
            documents: FakeDocuments { world: Rc::clone(world), kept: Rc::default() },
            book: Rc::default(),
            ledger: Rc::default(),
            jobs: Rc::default(),
            deployed: RefCell::default(),
            unbound: RefCell::default(),
            live: RefCell::default(),
        }
    }

    /// As another isolate meets it.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            documents: self.documents.clone(),
            book: Rc::clone(&self.book),
            ledger: Rc::clone(&self.ledger),
            jobs: Rc::clone(&self.jobs),
            deployed: self.deployed.clone(),
            unbound: self.unbound.clone(),
            live: RefCell::default(),
        }
    }
}

impl FakeHost {
    /// What the book works with.
    pub(crate) fn desk(&self) -> Desk<'_, FakeDurable, FakeDocuments, Self> {
        let deployed = self.admin.deployed.borrow().clone();
        let storage = &self.admin.book.storage;
        Desk { storage, documents: &self.admin.documents, clock: self, deployed }
    }

    /// The object of a warming job.
    pub(crate) fn job(&self, name: &str) -> Rc<FakeDurable> {
        Rc::clone(self.admin.jobs.borrow_mut().entry(name.to_owned()).or_default())
    }
}

impl AdminHost for FakeHost {
    type Documents = FakeDocuments;

    fn documents(&self) -> &FakeDocuments {
        &self.admin.documents
    }

    async fn ask_object(
        &self,
        class: Class,
        name: &str,
        question: &str,
        budget_ms: u32,
    ) -> Result<String, Fault> {
        assert!(budget_ms > 0, "every question has a budget");
        let operation = Operation::ObjectAsk { binding: class.binding() };
        let mishap = self.world.begin(operation, &[Mishap::None, Mishap::Refused]);
        if let Some(fault) = mishap.fault() {
            return Err(fault);
        }
        if self.admin.unbound.borrow().contains(class.binding()) {
            return Err(Fault::Unavailable("nothing is bound".to_owned()));
        }
        match class {
            Class::ConfigBook => {
                assert_eq!(name, "configuration", "there is one book");
                let question = json::read(question).expect("a question");
                let answer = self.admin.book.book.answer(&self.desk(), question).await?;
                Ok(json::write(&answer))
            }
            Class::PurgeLedger => {
                assert_eq!(name, "ledger", "there is one ledger");
                let question = json::read(question).expect("a question");
                let settings = Settings::of(&Config::defaults(), self);
                let ledger = &self.admin.ledger;
                let (storage, mirror, api) = (&ledger.storage, &Nowhere, &Nowhere);
                let desk = book::Desk { storage, mirror, api, clock: self, settings: &settings };
                let answer = ledger.book.answer(&desk, question).await?;
                Ok(json::write(&answer))
            }
            Class::Warmer => {
                let question = json::read(question).expect("a question");
                let storage = self.job(name);
                let job = job::answer(storage.as_ref(), self, question).await?;
                Ok(json::write(&job))
            }
        }
    }

    fn has_binding(&self, binding: &str) -> bool {
        !self.admin.unbound.borrow().contains(binding)
    }

    fn deployed_layer(&self) -> Option<String> {
        self.admin.deployed.borrow().clone()
    }

    fn hear_ledger(&self, ledger: &str) {
        *self.ledger.borrow_mut() = Ledger::decode(ledger).expect("a ledger");
    }

    fn take_stored_layer(&self, stored: &str) {
        let deployed = self.deployed_layer();
        let mut live = self.admin.live.borrow_mut();
        let _ = live.take(deployed.as_deref(), stored, self.world.now_ms());
    }

    fn refused_layers(&self) -> Vec<ConfigError> {
        self.admin.live.borrow().errors().to_vec()
    }
}
