//! One random history: what a world is like, and what happens in it, drawn from one number.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::dice::Dice;
use super::stage::{Setup, Stage};
use super::upstream::{HOST, PATHS, State, VARIANTS};
use super::visit::{Ended, Leaves, Part, Plan};
use super::weather::Climate;

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    Visit(Plan),
    /// A source becomes another video.
    Changes(usize),
    Source(usize, State),
    Dies {
        dc: usize,
        which: usize,
    },
    /// The platform puts the gates away.
    Evicts,
    /// A data centre's Cache API needs the room.
    Forgets(usize),
}

/// What happens, and how long after what happened before.
type Events = Vec<(u64, Event)>;

/// Draws the weather of a world.
fn climate(dice: &Dice) -> Climate {
    let way_ms = dice.pick(&[20, 200]);
    if dice.chance(20) {
        return Climate { way_ms, ..Climate::CALM };
    }
    let trouble = || if dice.chance(50) { 0 } else { dice.pick(&[3, 12, 30]) };
    Climate {
        way_ms,
        kv: trouble(),
        edge: trouble(),
        gate: trouble(),
        upstream: trouble(),
        bodies: trouble(),
        misfiled: if dice.chance(80) { 0 } else { 10 },
        is_late_everywhere: dice.chance(25),
        commits_aborted: dice.chance(30),
        order_ms: dice.pick(&[300, 3_000, 10_000]),
        hangs: dice.chance(10),
    }
}

/// Draws a world and what happens in it.
fn draw(seed: u64) -> (Setup, Events) {
    let dice = Dice::new(seed);
    let setup = Setup {
        seed: dice.roll(),
        centres: 1 + dice.index(3),
        has_gate: dice.chance(75),
        climate: climate(&dice),
        has_edge: dice.chance(70),
        lifetime_s: dice.pick(&[60, 75, 120]),
        while_revalidate_s: dice.pick(&[0, 30, 60]),
        if_error_s: dice.pick(&[0, 60, 120]),
        failure_s: dice.pick(&[0, 10, 60]),
        revalidate_after_s: dice.pick(&[0, 0, 20]),
        single_bytes_max: dice.pick(&[0, 30, 100]),
        chunk_bytes: dice.pick(&[7, 16]),
        probes: dice.chance(80),
        falls_back: dice.chance(30),
        has_backup: false,
        purging: None,
        is_told: false,
    };
    let mut events = Vec::new();
    for _ in 0..dice.between(2, 12) {
        let mut pause_ms = pause(&dice, &setup);
        let (dc, path) = (dice.index(setup.centres), dice.index(PATHS.len()));
        let how = dice.pick(&[State::Holds, State::Missing, State::Fails]);
        let (event, visitors) = match dice.below(20) {
            0 => (Some(Event::Dies { dc, which: dice.index(2) }), 0),
            1 => (Some(Event::Evicts), 0),
            2 | 3 => (Some(Event::Forgets(dc)), 0),
            4 | 5 => (Some(Event::Changes(path)), 0),
            6 => (Some(Event::Source(path, how)), 0),
            7..=10 => (None, dice.between(2, 6)),
            _ => (None, 1),
        };
        events.extend(event.map(|event| (pause_ms, event)));
        let variant = dice.index(VARIANTS.len());
        for _ in 0..visitors {
            events.push((pause_ms, Event::Visit(plan(&dice, &setup, variant))));
            pause_ms = dice.between(0, 150);
        }
    }
    (setup, events)
}

/// How long nothing happens.
fn pause(dice: &Dice, setup: &Setup) -> u64 {
    match dice.below(10) {
        0..=3 => dice.between(0, 300),
        4..=6 => dice.between(300, 6_000),
        7 => dice.between(6_000, 70_000),
        // About when something ends.
        8 => setup.lifetime_s * 1000 + dice.between(0, 3_000),
        _ => setup.while_revalidate_s.max(20) * 1000 + dice.between(0, 40_000),
    }
}

fn plan(dice: &Dice, setup: &Setup, variant: usize) -> Plan {
    Plan {
        dc: dice.index(setup.centres),
        host: HOST,
        isolate: dice.index(2),
        variant,
        is_head: dice.chance(8),
        part: part(dice),
        is_conditional: dice.chance(15),
        pace_ms: dice.pick(&[0, 0, 50, 1_500]),
        leaves: match dice.below(10) {
            0 => Leaves::BeforeAnswer(dice.between(0, 3_000)),
            1 | 2 => Leaves::After(dice.index(40)),
            _ => Leaves::Never,
        },
    }
}

pub(crate) fn part(dice: &Dice) -> Part {
    match dice.below(10) {
        0 => Part::From(dice.index(70)),
        1 | 2 => {
            let first = dice.index(50);
            Part::Span(first, first + dice.index(30))
        }
        3 => Part::Last(1 + dice.index(50)),
        4 => {
            let (first, gap) = (dice.index(20), 12 + dice.index(20));
            Part::Two([(first, first + 3), (first + gap, first + gap + dice.index(9))])
        }
        _ => Part::All,
    }
}

/// Runs the first `count` events, and tells what was wrong.
fn run(setup: Setup, events: &[(u64, Event)], journal: &mut String) -> Result<Sights, String> {
    let mut stage = Stage::new(setup);
    let world = std::rc::Rc::clone(&stage.world);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for (pause_ms, event) in events {
            stage.pass(*pause_ms);
            match *event {
                Event::Visit(plan) => drop(stage.visit(plan)),
                Event::Changes(path) => world.studio.change(path),
                Event::Source(path, how) => world.studio.set_state(path, how, world.now_ms()),
                Event::Dies { dc, which } => stage.kill(dc, which),
                Event::Evicts => world.gates.borrow_mut().clear(),
                Event::Forgets(dc) => world.shelves[dc].clear(),
            }
            if world.judge.violation().is_some() {
                return;
            }
        }
        stage.settle();
        world.judge.check_rest(&world);
        is_fair(&stage, &setup, events);
        stage.heal(usize::try_from(setup.seed % 3).unwrap());
        stage.clean();
    }));
    *journal = world.journal();
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        return Err(format!("a panic: {}", text.unwrap_or_default()));
    }
    world.judge.violation().map_or_else(|| Ok(sights(&stage)), Err)
}

/// What there was to be seen in a history.
pub(crate) type Sights = BTreeSet<String>;

/// How answers came about and how they ended, so that nobody takes an empty world for a sound one.
fn sights(stage: &Stage) -> Sights {
    let mut sights = Sights::new();
    for seen in &stage.seen {
        let seen = seen.borrow();
        sights.insert(seen.status.to_string());
        sights.insert(format!("{:?}", seen.ended));
        sights.extend(seen.is_killed.then(|| "killed".to_owned()));
        let words = ["edge; hit", "kv; hit", "collapsed", "ttl=-", "fwd=stale"];
        let told = words.into_iter().filter(|word| seen.header("cache-status").contains(word));
        sights.extend(told.map(str::to_owned));
        let is_original = seen.header("x-source-type") == "passthrough";
        sights.extend(is_original.then(|| "original".to_owned()));
        let is_multipart = seen.header("content-type").starts_with("multipart");
        sights.extend(is_multipart.then(|| "multipart".to_owned()));
    }
    sights
}

/// What a viewer may never notice: faults of caches, where all upstreams are well.
fn is_fair(stage: &Stage, setup: &Setup, events: &[(u64, Event)]) {
    let (world, climate) = (&stage.world, setup.climate);
    let is_well =
        |event: &(u64, Event)| !matches!(event.1, Event::Source(_, State::Missing | State::Fails));
    let orders_in_time = climate.order_ms < 8_000;
    if climate.upstream > 0 || !orders_in_time || !events.iter().all(is_well) {
        return;
    }
    for seen in &stage.seen {
        let seen = seen.borrow();
        if seen.is_killed || seen.answered_ms.is_none() {
            continue;
        }
        if !matches!(seen.status, 200 | 206 | 304 | 416) {
            world.judge.fail(world, format!("a fault reached a viewer: {seen:#?}"));
        }
        if seen.ended == Ended::Broken && climate.spares_bodies() {
            world.judge.fail(world, format!("broken off without a reason: {seen:#?}"));
        }
    }
}

/// Runs the history of a seed; a failure is cut to the fewest events that still show it, and told in full.
#[track_caller]
pub(crate) fn check(seed: u64, events_max: Option<usize>) -> Sights {
    let (setup, mut events) = draw(seed);
    events.truncate(events_max.unwrap_or(events.len()));
    let mut journal = String::new();
    if let Ok(sights) = run(setup, &events, &mut journal) {
        return sights;
    }
    // The beginning of a history does not depend on its end.
    let shortest =
        (0..=events.len()).find(|count| run(setup, &events[..*count], &mut String::new()).is_err());
    let events = &events[..shortest.unwrap_or(events.len())];
    let why = run(Setup { is_told: true, ..setup }, events, &mut journal);
    // What came after it was wrong tells nothing.
    let (before, after) = journal.split_once("WRONG").unwrap_or((&journal, ""));
    let wrong = after.lines().next().unwrap_or_default();
    panic!(
        "HISTORY={seed} fails: {}\n{setup:#?}\n{before}WRONG{wrong}\n{}\n(HISTORY={seed} EVENTS={} runs it again)",
        why.clone().err().unwrap_or_default(),
        why.err().unwrap_or_default(),
        events.len()
    );
}
