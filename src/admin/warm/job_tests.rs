//! Goal: a job ends whatever befalls it, makes nothing twice that a store would still know, and leaves nothing behind.
//! Method: every operation of its storage is refused, or done with its acknowledgement lost, or the last one before the
//! object dies; also two of these at once. After each the object is woken until nothing wants it any more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::durable::Order;

/// What befalls an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// It is not done, and says so.
    Refused,
    /// It is done, and says that it was not.
    Unacknowledged,
    /// The object dies before it.
    DeathBefore,
    /// The object dies after it.
    DeathAfter,
}

const MISHAPS: [Mishap; 4] =
    [Mishap::Refused, Mishap::Unacknowledged, Mishap::DeathBefore, Mishap::DeathAfter];

/// Storage, clock and renditions of one object; all of it outlives the object.
#[derive(Default)]
struct World {
    now_ms: Cell<u64>,
    texts: RefCell<BTreeMap<String, String>>,
    alarm_ms: Cell<Option<u64>>,
    operations: Cell<usize>,
    mishaps: Vec<(usize, Mishap)>,
    /// What KV has.
    kept: RefCell<Vec<String>>,
    /// Everything that was paid for, in order.
    bill: RefCell<Vec<String>>,
    /// How many are being made right now, and how many ever were at once.
    under_way: Cell<usize>,
    crowd: Cell<usize>,
}

impl World {
    fn with(mishaps: &[(usize, Mishap)]) -> Self {
        Self { mishaps: mishaps.to_vec(), ..Self::default() }
    }

    /// One operation of the platform, with what befalls it.
    async fn operation<T>(&self, done: impl FnOnce() -> T) -> Result<T, Fault> {
        let number = self.operations.get();
        self.operations.set(number + 1);
        let mishap = self.mishaps.iter().find(|(at, _)| *at == number).map(|(_, mishap)| *mishap);
        let lost = || Fault::Unavailable("the storage".to_owned());
        match mishap {
            None => Ok(done()),
            Some(Mishap::Refused) => Err(lost()),
            Some(Mishap::Unacknowledged) => {
                done();
                Err(lost())
            }
            Some(Mishap::DeathBefore) => std::future::pending().await,
            Some(Mishap::DeathAfter) => {
                done();
                std::future::pending().await
            }
        }
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    async fn sleep(&self, ms: u32) {
        self.now_ms.set(self.now_ms.get() + u64::from(ms));
    }
}

impl Durable for World {
    async fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        self.operation(|| self.texts.borrow().get(name).cloned()).await
    }

    async fn list(
        &self,
        prefix: &str,
        order: Order,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        assert_eq!((order, after), (Order::Ascending, None));
        let texts = || {
            let texts = self.texts.borrow();
            let found = texts.iter().filter(|(name, _)| name.starts_with(prefix)).take(limit);
            found.map(|(name, text)| (name.clone(), text.clone())).collect()
        };
        self.operation(texts).await
    }

    async fn change(&self, changes: &[Change]) -> Result<(), Fault> {
        assert!(changes.len() <= crate::limits::DURABLE_CHANGES_MAX);
        self.operation(|| {
            for Change { name, text } in changes.iter().cloned() {
                match text {
                    Some(text) => self.texts.borrow_mut().insert(name, text),
                    None => self.texts.borrow_mut().remove(&name),
                };
            }
        })
        .await
    }

    async fn wake_at(&self, at_ms: u64) -> Result<(), Fault> {
        self.operation(|| self.alarm_ms.set(Some(at_ms))).await
    }
}

impl Renditions for World {
    async fn warm(&self, url: &str) -> Outcome {
        if self.kept.borrow().iter().any(|kept| kept == url) {
            return Outcome::Already;
        }
        self.under_way.set(self.under_way.get() + 1);
        self.crowd.set(self.crowd.get().max(self.under_way.get()));
        let mut waited = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.under_way.set(self.under_way.get() - 1);
        self.bill.borrow_mut().push(url.to_owned());
        if url.contains("bad") {
            return Outcome::Failed("status 404".to_owned());
        }
        if url.contains("stubborn") {
            return Outcome::Unsettled("it was not kept: kv: unavailable".to_owned());
        }
        self.kept.borrow_mut().push(url.to_owned());
        Outcome::Made
    }
}

/// Runs to the end; `None` where the object dies on the way.
fn run<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
    }
    None
}

fn begin_of(urls: &[&str]) -> Question {
    let urls = urls.iter().map(|url| (*url).to_owned()).collect();
    Question::Begin { id: "0".repeat(32), by: "me".into(), urls }
}

/// Wakes the object as the platform does: at its time, and again where it dies or fails.
fn wake_next(world: &World) -> bool {
    let Some(at_ms) = world.alarm_ms.get() else { return false };
    world.now_ms.set(world.now_ms.get().max(at_ms));
    world.alarm_ms.set(None);
    world.under_way.set(0);
    let ended = run(wake(world, world, world));
    if !matches!(ended, Some(Ok(()))) && world.alarm_ms.get().is_none() {
        world.alarm_ms.set(Some(world.now_ms.get() + 2_000));
    }
    true
}

fn look(world: &World) -> Option<Job> {
    run(answer(world, world, Question::Look)).unwrap().unwrap()
}

/// Wakes until it is finished; the platform's patience is bounded, and so is ours.
#[track_caller]
fn finished(world: &World) -> Job {
    for _ in 0..200 {
        match look(world) {
            Some(job) if job.head.finished_ms.is_some() => return job,
            _ => assert!(wake_next(world), "nobody would ever come back"),
        }
    }
    panic!("it never ends");
}

fn states(job: &Job) -> Vec<&str> {
    job.items.iter().map(|item| item.state.as_str()).collect()
}

const URLS: [&str; 5] = ["a", "bad", "b", "c", "d"];

#[test]
fn a_job_warms_everything_and_one_failure_stops_no_other() {
    let world = World::default();
    world.kept.borrow_mut().push("c".to_owned());
    let begun = run(answer(&world, &world, begin_of(&URLS))).unwrap().unwrap().unwrap();
    assert_eq!(begun.count(State::Pending), 5);
    let job = finished(&world);
    assert_eq!(states(&job), ["made", "failed", "made", "already", "made"]);
    assert_eq!(job.items[1].detail, "status 404");
    assert_eq!(*world.bill.borrow(), ["a", "bad", "b", "d"]);
    assert_eq!(world.crowd.get(), WARM_AT_ONCE);
}

#[test]
fn progress_is_seen_after_every_wake() {
    let world = World::default();
    run(answer(&world, &world, begin_of(&URLS)));
    let mut seen = Vec::new();
    while look(&world).unwrap().head.finished_ms.is_none() {
        wake_next(&world);
        seen.push(look(&world).unwrap().count(State::Pending));
    }
    assert_eq!(seen, [3, 1, 0, 0]);
}

#[test]
fn a_finished_job_is_shown_for_a_week_and_then_nothing_is_left_of_it() {
    let world = World::default();
    run(answer(&world, &world, begin_of(&URLS)));
    let finished_ms = finished(&world).head.finished_ms.unwrap();
    assert_eq!(world.alarm_ms.get(), Some(finished_ms + WARM_KEPT_MS));
    // Woken too early, it stays.
    world.alarm_ms.set(Some(finished_ms + WARM_KEPT_MS - 1));
    wake_next(&world);
    assert!(look(&world).is_some());
    wake_next(&world);
    assert_eq!(look(&world), None);
    assert!(world.texts.borrow().is_empty());
    assert_eq!(world.alarm_ms.get(), None, "and nobody wakes it any more");
}

#[test]
fn what_cannot_be_kept_is_tried_a_few_times_after_everything_else() {
    let world = World::default();
    run(answer(&world, &world, begin_of(&["stubborn", "a", "b"])));
    let job = finished(&world);
    assert_eq!(states(&job), ["failed", "made", "made"]);
    assert_eq!(job.items[0].detail, "it was not kept: kv: unavailable");
    assert_eq!(*world.bill.borrow(), ["stubborn", "a", "b", "stubborn", "stubborn"]);
    assert_eq!(
        job.head.finished_ms,
        Some(2 * WARM_PAUSE_MS),
        "with a pause after each try in vain"
    );
}

#[test]
fn a_job_that_is_begun_again_is_the_job_it_was() {
    let world = World::default();
    run(answer(&world, &world, begin_of(&URLS)));
    wake_next(&world);
    let before = look(&world);
    assert_eq!(run(answer(&world, &world, begin_of(&["x"]))).unwrap().unwrap(), before);
    assert_eq!(finished(&world).items.len(), URLS.len());
}

#[test]
fn a_job_that_nobody_wakes_any_more_is_taken_up_when_somebody_looks() {
    let world = World::default();
    run(answer(&world, &world, begin_of(&URLS)));
    world.alarm_ms.set(None);
    look(&world);
    assert_eq!(world.alarm_ms.get(), None, "somebody may be at it");
    world.now_ms.set(WARM_WATCH_MS + u64::from(WARM_ITEM_MS_MAX) + 1);
    look(&world);
    assert_eq!(finished(&world).count(State::Made), 4);
    let asleep_ms = world.alarm_ms.get();
    world.now_ms.set(world.now_ms.get() + 2 * WARM_WATCH_MS + u64::from(WARM_ITEM_MS_MAX));
    look(&world);
    assert_eq!(world.alarm_ms.get(), asleep_ms, "what is finished is not woken by looking");
}

#[test]
fn what_dies_each_time_it_is_tried_is_given_up_and_named() {
    struct Deadly<'a>(&'a World);
    impl Renditions for Deadly<'_> {
        async fn warm(&self, url: &str) -> Outcome {
            if url == "deadly" { std::future::pending().await } else { self.0.warm(url).await }
        }
    }
    let world = World::default();
    run(answer(&world, &world, begin_of(&["deadly", "a"])));
    for _ in 0..10 {
        let Some(at_ms) = world.alarm_ms.take() else { break };
        world.now_ms.set(world.now_ms.get().max(at_ms));
        run(wake(&world, &world, &Deadly(&world)));
        if look(&world).unwrap().head.finished_ms.is_some() {
            break;
        }
    }
    let job = look(&world).unwrap();
    assert_eq!(states(&job), ["failed", "made"]);
    assert_eq!(job.items[0].detail, "it was cut short 3 times");
    assert!(job.head.finished_ms.is_some());
}

/// A job to its end with these mishaps; how many operations it took.
fn history(mishaps: &[(usize, Mishap)]) -> usize {
    let world = World::with(mishaps);
    let begun = run(answer(&world, &world, begin_of(&URLS)));
    let is_known = matches!(begun, Some(Ok(_)));
    // Who was told nothing may find it there or not; who was told of it finds it.
    let rest = World { mishaps: Vec::new(), ..World::default() };
    if world.texts.borrow().is_empty() {
        assert!(!is_known, "{mishaps:?}");
        while wake_next(&world) {}
        assert!(world.bill.borrow().is_empty(), "{mishaps:?}");
        return world.operations.get();
    }
    for _ in 0..60 {
        let head = world.texts.borrow().get(HEAD).cloned().unwrap();
        let head: Head = json::read(&head).unwrap();
        if head.finished_ms.is_some() {
            break;
        }
        assert!(wake_next(&world), "nobody would ever come back: {mishaps:?}");
    }
    rest.texts.replace(world.texts.borrow().clone());
    let job = look(&rest).unwrap();
    assert!(job.head.finished_ms.is_some(), "it never ends: {mishaps:?}");
    assert_eq!(job.count(State::Pending), 0, "{mishaps:?}");
    for item in &job.items {
        match item.url.as_str() {
            "bad" => assert_eq!(item.state, State::Failed, "{mishaps:?}"),
            _ => {
                assert!(matches!(item.state, State::Made | State::Already), "{item:?} {mishaps:?}");
            }
        }
        let paid = world.bill.borrow().iter().filter(|paid| **paid == item.url).count();
        let most = if item.url == "bad" { 1 + mishaps.len() } else { 1 };
        assert!((1..=most).contains(&paid), "{item:?} was paid {paid} times: {mishaps:?}");
    }
    let operations = world.operations.get();
    for _ in 0..10 {
        if !wake_next(&world) {
            break;
        }
    }
    assert!(world.texts.borrow().is_empty(), "something is left behind: {mishaps:?}");
    operations
}

#[test]
fn whatever_befalls_any_operation_the_job_ends_and_nothing_good_is_paid_twice() {
    let operations = history(&[]);
    assert!(operations > 20, "{operations}");
    for at in 0..operations + 4 {
        for mishap in MISHAPS {
            history(&[(at, mishap)]);
        }
    }
}

#[test]
fn whatever_befalls_any_two_operations_the_job_ends_and_nothing_good_is_paid_twice() {
    let operations = history(&[]);
    for first in 0..operations + 4 {
        for second in first + 1..operations + 8 {
            for mishaps in MISHAPS.iter().flat_map(|one| MISHAPS.map(|two| (*one, two))) {
                history(&[(first, mishaps.0), (second, mishaps.1)]);
            }
        }
    }
}

#[test]
fn questions_and_jobs_are_these_bytes_on_the_wire_and_in_the_storage() {
    for (question, text) in [
        (
            Question::Begin { id: "feed".into(), by: "ann".into(), urls: vec!["u".into()] },
            r#"{"ask":"begin","id":"feed","by":"ann","urls":["u"]}"#,
        ),
        (Question::Look, r#"{"ask":"look"}"#),
    ] {
        assert_eq!(json::write(&question), text);
        assert_eq!(json::read::<Question>(text), Ok(question));
    }
    let head =
        Head { id: "feed".into(), at_ms: 1, by: "ann".into(), turn_ms: 2, finished_ms: None };
    let item = |state| Item { url: "u".into(), state, tries: 1, detail: "d".into() };
    let states = [State::Pending, State::Made, State::Already, State::Failed];
    let job = Some(Job { head, items: states.into_iter().map(item).collect() });
    let text = r#"{"head":{"id":"feed","at_ms":1,"by":"ann","turn_ms":2,"finished_ms":null},"items":[{"url":"u","state":"pending","tries":1,"detail":"d"},{"url":"u","state":"made","tries":1,"detail":"d"},{"url":"u","state":"already","tries":1,"detail":"d"},{"url":"u","state":"failed","tries":1,"detail":"d"}]}"#;
    assert_eq!(json::write(&job), text);
    assert_eq!(json::read(text), Ok(job));
    assert_eq!(json::write(&None::<Job>), "null");
}
