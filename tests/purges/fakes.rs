//! A platform made of honest maps; before each operation it looks up what goes wrong.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use video_resizer::cache::ports::{Clock, Entropy, Fault, Secrets};
use video_resizer::config::Config;
use video_resizer::durable::{Change, Durable, Order};
use video_resizer::purge::book::{Book, Desk};
use video_resizer::purge::ledger::{Ledger, Mode};
use video_resizer::purge::order;
use video_resizer::purge::ports::{ApiAnswer, ApiCall, CloudflareApi, Mirror};
use video_resizer::purge::question::{Answer, Question};
use video_resizer::purge::receipt::Receipt;
use video_resizer::purge::settings::Settings;

/// What goes wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// It is not done, and says so.
    Refused,
    /// It is done, and does not say so.
    LostAck,
    /// It is not done, and the object dies.
    DeathBefore,
    /// It is done, and the object dies.
    DeathAfter,
    /// It is given up, and done half a minute later.
    Late,
    /// It is done after five seconds.
    Slow,
}

pub(crate) const MISHAPS: [Mishap; 5] =
    [Mishap::Refused, Mishap::LostAck, Mishap::DeathBefore, Mishap::DeathAfter, Mishap::Late];

/// How late what is late is done.
const LATE_MS: u64 = 30_000;
/// How slow what is slow is.
const SLOW_MS: u32 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct Platform {
    pub(crate) now_ms: Cell<u64>,
    pub(crate) storage: RefCell<BTreeMap<String, String>>,
    pub(crate) alarm_ms: Cell<Option<u64>>,
    pub(crate) in_kv: RefCell<Option<String>>,
    late: RefCell<Vec<(u64, String)>>,
    pub(crate) calls: RefCell<Vec<ApiCall>>,
    pub(crate) api_answers: RefCell<Vec<ApiAnswer>>,
    /// Operations so far, and which of them go wrong.
    pub(crate) operations: Cell<usize>,
    pub(crate) mishaps: RefCell<BTreeMap<usize, Mishap>>,
    is_dead: Cell<bool>,
    /// Every ledger that anybody was told, in order.
    pub(crate) told: RefCell<Vec<Ledger>>,
    /// The last purge that KV is said to have for good.
    pub(crate) claimed: Cell<u64>,
}

impl Platform {
    async fn operate<T>(&self, done: impl FnOnce() -> T, late: impl FnOnce()) -> Result<T, Fault> {
        let number = self.operations.get();
        self.operations.set(number + 1);
        yield_once().await;
        let lost = Fault::Unavailable("lost".to_owned());
        let mishap = self.mishaps.borrow().get(&number).copied();
        match mishap {
            None => return Ok(done()),
            Some(Mishap::Refused) => return Err(lost),
            Some(Mishap::LostAck) => {
                done();
                return Err(lost);
            }
            Some(Mishap::DeathBefore) => {}
            Some(Mishap::DeathAfter) => drop(done()),
            Some(Mishap::Slow) => {
                self.sleep(SLOW_MS).await;
                return Ok(done());
            }
            Some(Mishap::Late) => {
                late();
                return Err(Fault::TimedOut { budget_ms: 1 });
            }
        }
        self.is_dead.set(true);
        pending().await
    }

    /// KV has this now.
    fn kv_takes(&self, text: String) {
        let ledger = Ledger::decode(&text).unwrap();
        assert!(ledger.number() >= self.claimed.get(), "what KV was said to have is gone from it");
        self.told.borrow_mut().push(ledger);
        *self.in_kv.borrow_mut() = Some(text);
    }

    /// Time passes, and what is late arrives.
    pub(crate) fn pass_to(&self, now_ms: u64) {
        self.now_ms.set(self.now_ms.get().max(now_ms));
        let (due, later) =
            self.late.take().into_iter().partition(|(at_ms, _)| *at_ms <= self.now_ms.get());
        *self.late.borrow_mut() = later;
        let due: Vec<(u64, String)> = due;
        for (_, text) in due {
            self.kv_takes(text);
        }
    }
}

async fn yield_once() {
    let mut has = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Clock for Platform {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    async fn sleep(&self, ms: u32) {
        let until_ms = self.now_ms.get() + u64::from(ms);
        while self.now_ms.get() < until_ms {
            yield_once().await;
        }
    }
}

impl Entropy for Platform {
    fn id(&self) -> u128 {
        7
    }
}

impl Durable for Platform {
    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        self.operate(|| self.storage.borrow().get(name).cloned(), || ()).await
    }

    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        assert_eq!(order, Order::Descending);
        let listed = || {
            let storage = self.storage.borrow();
            let named = storage.iter().rev().filter(|(name, _)| name.starts_with(prefix));
            let named = named.filter(|(name, _)| after.is_none_or(|after| name.as_str() < after));
            named.take(limit).map(|(name, text)| (name.clone(), text.clone())).collect()
        };
        self.operate(listed, || ()).await
    }

    async fn change(&self, changes: &[Change]) -> Result<(), Fault> {
        assert!(changes.len() <= 128, "{} changes", changes.len());
        let change = || {
            let mut storage = self.storage.borrow_mut();
            for Change { name, text } in changes {
                if name == "progress" {
                    let progress: serde_json::Value =
                        serde_json::from_str(text.as_ref().unwrap()).unwrap();
                    let mirrored = progress["mirrored"].as_array().unwrap().last();
                    self.claimed.set(mirrored.map_or(0, |it| it[0].as_u64().unwrap()));
                }
                match text {
                    Some(text) => drop(storage.insert(name.clone(), text.clone())),
                    None => drop(storage.remove(name)),
                }
            }
        };
        self.operate(change, || ()).await
    }

    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault> {
        self.operate(|| self.alarm_ms.set(Some(at_ms)), || ()).await
    }
}

impl Mirror for Platform {
    async fn write(&self, text: &str, _: u32) -> Result<(), Fault> {
        let at_ms = self.now_ms.get() + LATE_MS;
        let late = || self.late.borrow_mut().push((at_ms, text.to_owned()));
        self.operate(|| self.kv_takes(text.to_owned()), late).await
    }

    async fn read(&self, _: u32) -> Result<Option<String>, Fault> {
        self.operate(|| self.in_kv.borrow().clone(), || ()).await
    }
}

impl CloudflareApi for Platform {
    async fn call(&self, call: &ApiCall) -> Result<ApiAnswer, Fault> {
        let ok = ApiAnswer { status: 200, retry_after_s: None, body: r#"{"success":true}"#.into() };
        let done = || {
            self.calls.borrow_mut().push(call.clone());
            self.api_answers.borrow_mut().pop().unwrap_or(ok)
        };
        self.operate(done, || ()).await
    }
}

struct Token;

impl Secrets for Token {
    fn secret(&self, _: &str) -> Option<String> {
        Some("t0ken".to_owned())
    }
}

pub(crate) fn config() -> Config {
    let zone = r#"{"purge":{"zoneId":"zone","requestsPerMinute":60}}"#;
    Config::check(&zone).unwrap()
}

/// The object, alive, on a platform.
pub(crate) struct Object<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) settings: Settings,
    book: Book,
}

impl<'a> Object<'a> {
    pub(crate) fn on(platform: &'a Platform) -> Self {
        Self { platform, settings: Settings::of(&config(), &Token), book: Book::default() }
    }

    fn desk(&self) -> Desk<'_, Platform, Platform, Platform, Platform> {
        let Self { platform, settings, .. } = self;
        Desk { storage: platform, mirror: platform, api: platform, clock: platform, settings }
    }

    pub(crate) async fn asked(&self, question: Question) -> Result<Answer, Fault> {
        self.book.answer(&self.desk(), question).await
    }

    pub(crate) async fn woken(&self) -> Result<(), Fault> {
        self.book.wake(&self.desk()).await
    }

    pub(crate) async fn mirrored(&self) {
        self.book.mirror(&self.desk()).await.unwrap();
    }

    /// Drives it to its end, or the object to its death: `None`, and then it lives again with nothing in memory.
    pub(crate) fn run<T>(&mut self, work: impl AsyncFnOnce(&Self) -> T) -> Option<T> {
        let done = {
            let mut work = pin!(work(self));
            loop {
                if self.platform.is_dead.get() {
                    break None;
                }
                match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(done) => break Some(done),
                    Poll::Pending => self.platform.now_ms.set(self.platform.now_ms.get() + 1),
                }
            }
        };
        if self.platform.is_dead.replace(false) {
            self.book = Book::default();
            return None;
        }
        done
    }

    /// Asks; `None` where it failed or died.
    pub(crate) fn ask(&mut self, question: Question) -> Option<Answer> {
        self.run(async |object| object.asked(question).await)?.ok()
    }

    /// Purges; what comes back has been told to its caller.
    pub(crate) fn purge(&mut self, order: order::Order) -> Option<Receipt> {
        let Answer::Recorded { receipt, ledger } = self.ask(Question::Record(order))? else {
            panic!()
        };
        self.platform.told.borrow_mut().push(Ledger::decode(&ledger).unwrap());
        Some(*receipt)
    }

    pub(crate) fn receipt(&mut self, number: u64) -> Receipt {
        let Some(Answer::Receipt(Some(receipt))) = self.ask(Question::Receipt { number }) else {
            panic!("purge {number} has no receipt")
        };
        *receipt
    }

    /// Lets time pass from alarm to alarm until there is none. One that fails, or that the object dies of, rings
    /// again.
    pub(crate) fn rest(&mut self) {
        for _ in 0..200 {
            if !self.ring() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets time pass to the next alarm; `false` where there is none.
    pub(crate) fn ring(&mut self) -> bool {
        let Some(at_ms) = self.platform.alarm_ms.take() else { return false };
        self.platform.pass_to(at_ms);
        let woken = self.run(async |object| object.woken().await);
        if !matches!(woken, Some(Ok(()))) && self.platform.alarm_ms.get().is_none() {
            self.platform.alarm_ms.set(Some(self.platform.now_ms.get() + 2_000));
        }
        true
    }
}

pub(crate) fn by_tag(tag: &str) -> order::Order {
    let mut order = order::Order::of(Mode::Hard, String::new(), String::new());
    order.aim_at_tag(tag.to_owned());
    order
}
