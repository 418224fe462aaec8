//! Random histories in which things are purged: whatever else happens, nothing of a fill that started before a purge
//! is served after its bound. `PURGES=<seed>` runs one again and tells it, `PURGE_HISTORIES=<n>` another number.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use video_resizer::limits::{LEDGER_PREFIXES_MAX, LEDGER_TARGETS_MAX};
use video_resizer::purge::ledger::Mode;
use video_resizer::purge::target::{Prefix, Target};

use super::dice::Dice;
use super::edge::max_age_s;
use super::history::part;
use super::office::elsewhere;
use super::pledge::bound_ms;
use super::saboteur::Sabotage;
use super::stage::{Purging, Setup, Stage};
use super::upstream::{HOST, OTHER_HOST, PATHS, State, VARIANTS, key_of, tags_of};
use super::visit::{Leaves, Plan, Seen};
use super::weather::Climate;

const HISTORIES: u64 = 10_000;

/// What was seen, and in how many histories: or the worlds are too small to prove anything.
pub(crate) type Sights = BTreeMap<&'static str, u64>;

/// In how many of a thousand histories each of these is seen, at the least.
const SIGHTS: [(&str, u64); 10] = [
    ("purged what was kept", 200),
    ("answered after a bound", 200),
    ("a fill crossed a purge", 50),
    ("a fill crossed a bound", 5),
    ("served what was purged before a bound", 50),
    ("renewed what was purged softly", 30),
    ("an isolate died", 100),
    ("ordered anew under a purge's number", 200),
    ("folded", 5),
    ("did not hear for trouble", 20),
];

fn climate(dice: &Dice) -> Climate {
    let order_ms = dice.pick(&[300, 2_000, 7_000]);
    if dice.chance(50) {
        return Climate { order_ms, ..Climate::CALM };
    }
    let trouble = || if dice.chance(50) { 0 } else { dice.pick(&[3, 12, 30]) };
    Climate {
        way_ms: 60,
        kv: trouble(),
        edge: trouble(),
        gate: trouble(),
        upstream: trouble(),
        bodies: trouble(),
        misfiled: 0,
        is_late_everywhere: dice.chance(25),
        commits_aborted: dice.chance(30),
        order_ms,
        hangs: dice.chance(10),
    }
}

fn setup(dice: &Dice, sabotage: Option<Sabotage>) -> Setup {
    let purging = Purging {
        refresh_ms: dice.pick(&[1_000, 5_000, 5_000, 20_000]),
        is_full: dice.chance(1) || sabotage == Some(Sabotage::FoldingDrops),
        zone: dice.pick(&[0, 0, 60]),
        skew_ms: if dice.chance(80) { 0 } else { 2_000 },
        sabotage,
    };
    Setup {
        seed: dice.roll(),
        centres: 1 + dice.index(3),
        has_gate: dice.chance(75),
        climate: climate(dice),
        has_edge: dice.chance(75),
        lifetime_s: dice.pick(&[150, 600, 600]),
        while_revalidate_s: dice.pick(&[0, 60, 600]),
        if_error_s: dice.pick(&[0, 120]),
        failure_s: dice.pick(&[0, 60]),
        revalidate_after_s: dice.pick(&[0, 0, 30]),
        single_bytes_max: dice.pick(&[0, 100, 100]),
        chunk_bytes: 16,
        probes: dice.chance(80),
        falls_back: dice.chance(20),
        has_backup: false,
        purging: Some(purging),
        is_told: false,
    }
}

/// Everything a history needs that is not its world.
struct History<'a> {
    dice: &'a Dice,
    setup: Setup,
    stage: Stage,
    /// Which variant most visits and purges are about.
    variant: usize,
    sights: Sights,
}

impl History<'_> {
    fn saw(&mut self, sight: &'static str) {
        self.sights.insert(sight, 1);
    }

    fn variant(&self) -> usize {
        if self.dice.chance(80) { self.variant } else { self.dice.index(VARIANTS.len()) }
    }

    /// One thing that happens.
    fn event(&mut self) {
        let (dice, world) = (self.dice, Rc::clone(&self.stage.world));
        let (dc, which) = (dice.index(self.setup.centres), dice.index(2));
        match dice.below(20) {
            0 => {
                self.stage.kill(dc, which);
                self.saw("an isolate died");
            }
            1 => world.gates.borrow_mut().clear(),
            2 => world.shelves[dc].clear(),
            3 => world.office.restart(&world),
            4 => {
                let how = dice.pick(&[State::Holds, State::Missing, State::Fails]);
                world.studio.set_state(dice.index(PATHS.len()), how, world.now_ms());
            }
            5 if self.setup.purging.is_some_and(|it| it.skew_ms > 0) => {
                self.stage.turn_clock(dc, which, dice.below(2_000).cast_signed() - 1_000);
            }
            5..=9 => self.purge(),
            _ => {
                let variant = self.variant();
                for _ in 0..dice.pick(&[1, 1, 2, 4]) {
                    let plan = self.plan(variant);
                    self.stage.visit(plan);
                    self.stage.pass(dice.between(0, 150));
                }
            }
        }
    }

    /// Somebody replaces a video, or does not, and purges it, or something; others may do so at once.
    fn purge(&mut self) {
        let (dice, world) = (self.dice, Rc::clone(&self.stage.world));
        for _ in 0..dice.pick(&[1, 1, 1, 3]) {
            let variant = self.variant();
            let mode = if dice.chance(70) { Mode::Hard } else { Mode::Soft };
            let targets = self.targets(variant);
            let path = PATHS.iter().position(|it| *it == VARIANTS[variant].0).unwrap();
            if world.kv.truth(&key_of(variant), world.now_ms()).is_some() {
                self.saw("purged what was kept");
            }
            if dice.chance(60) {
                world.studio.change(path);
            }
            let office = Rc::clone(&world);
            world.clock.spawn(super::clockwork::PLATFORM, async move {
                // First the video is there, then its operator purges what was made of the old one.
                while !office.studio.is_settled(path) {
                    office.clock.sleep(10).await;
                }
                office.office.record(&office, mode, targets);
            });
        }
    }

    fn targets(&mut self, variant: usize) -> Vec<Target> {
        let dice = self.dice;
        let (path, _) = VARIANTS[variant];
        let host = |of: &[&'static str]| dice.pick(of).to_owned();
        let mut targets = vec![match dice.below(12) {
            0 => Target::Everything,
            1 => Target::Host(host(&[HOST, HOST, OTHER_HOST])),
            2 | 3 => Target::Variant(key_of(variant)),
            4..=6 => {
                let tags = tags_of(variant);
                Target::Tag(tags[dice.index(tags.len())].to_uppercase())
            }
            7 | 8 => {
                let bytes = dice.index(path.len());
                Target::Prefix(Prefix {
                    host: host(&["", HOST, OTHER_HOST]),
                    path: path[..bytes].to_owned(),
                })
            }
            _ => Target::Path(path.to_owned()),
        }];
        if dice.chance(10) {
            // So many at once that what was purged before them is folded.
            let prefix = |index| {
                Target::Prefix(Prefix { host: String::new(), path: format!("elsewhere/{index}") })
            };
            targets.extend((0..LEDGER_PREFIXES_MAX).map(prefix));
            self.saw("folded");
        } else if self.setup.purging.is_some_and(|it| it.is_full) && dice.chance(50) {
            targets.extend((0..LEDGER_TARGETS_MAX).map(|index| elsewhere(5_000 + index)));
            self.saw("folded");
        }
        targets
    }

    fn plan(&self, variant: usize) -> Plan {
        let dice = self.dice;
        Plan {
            dc: dice.index(self.setup.centres),
            host: if dice.chance(80) { HOST } else { OTHER_HOST },
            isolate: dice.index(2),
            variant,
            is_head: dice.chance(8),
            part: part(dice),
            is_conditional: dice.chance(15),
            pace_ms: dice.pick(&[0, 0, 50, 2_000, 40_000]),
            leaves: match dice.below(10) {
                0 | 1 => Leaves::BeforeAnswer(dice.pick(&[20, 100, 3_000])),
                2 => Leaves::After(dice.index(40)),
                _ => Leaves::Never,
            },
        }
    }

    /// How long nothing happens.
    fn pause_ms(&self) -> u64 {
        let (dice, world) = (self.dice, &self.stage.world);
        let last = world.office.purges.borrow().last().and_then(|purge| purge.mirrored_ms);
        match dice.below(10) {
            0..=3 => dice.between(0, 300),
            4 | 5 => dice.between(300, 6_000),
            6 => dice.between(6_000, 70_000),
            7 => self.setup.lifetime_s * 1_000 + dice.between(0, 3_000),
            // About when the last purge is to be heard of everywhere.
            _ => last.map_or(1_000, |last| {
                (last + bound_ms(world) + dice.below(3_000)).saturating_sub(world.now_ms())
            }),
        }
    }

    /// In fair weather whatever was purged is made anew, and then kept as if nothing had been.
    fn heal(&mut self) {
        let world = Rc::clone(&self.stage.world);
        world.set_climate(Climate::CALM);
        for path in 0..PATHS.len() {
            world.studio.set_state(path, State::Holds, world.now_ms());
        }
        self.stage.pass(120_000);
        self.stage.pass_until(|world| world.office.is_mirrored());
        self.stage.pass(bound_ms(&world));
        let variant = self.variant;
        let purges = world.office.purges.borrow();
        let Some(last) = purges.iter().rev().find(|purge| purge.bears(variant, HOST)) else {
            return;
        };
        let path = PATHS.iter().position(|it| *it == VARIANTS[variant].0).unwrap();
        if world.studio.unwell_until_ms(path) > last.recorded_ms {
            // That there was nothing is remembered, and nobody has purged that.
            return;
        }
        // What a slow fill wrote late may have taken the place of what came after the purge; it is renewed in turn.
        let is_new = (0..6).any(|_| {
            let is_new = (0..self.setup.centres).fold(true, |is_new, dc| {
                let seen = self.stage.visit(Plan::plain(dc, variant));
                self.stage.settle();
                let seen = seen.borrow();
                let etag = seen.header("etag").trim_matches('"');
                let is_old = world.judge.begun_before(&world, etag, last.recorded_ms);
                is_new && seen.status == 200 && !is_old
            });
            // So long that what was written is seen everywhere, and what was remembered forgotten.
            self.stage.pass(if is_new { 1_000 } else { 130_000 });
            is_new
        });
        if !is_new {
            world.judge.fail(&world, "it is never made anew".to_owned());
        }
        if !self.setup.has_edge {
            return;
        }
        for dc in 0..self.setup.centres {
            let is_hit = (0..4).any(|_| {
                let again = self.stage.visit(Plan::plain(dc, variant));
                self.stage.settle();
                let again = again.borrow();
                // What is over the next moment is kept by nobody.
                again.header("cache-status").contains("edge; hit") || left_s(&again) < 5
            });
            if !is_hit {
                world.judge.fail(&world, "it is never kept again".to_owned());
            }
        }
    }

    fn look_around(&mut self) {
        let world = Rc::clone(&self.stage.world);
        let purges = world.office.purges.borrow();
        let bound_ms = bound_ms(&world);
        for seen in &self.stage.seen {
            let seen = seen.borrow();
            if seen.is_deaf {
                self.sights.insert("did not hear for trouble", 1);
            }
            let Some(answered_ms) = seen.answered_ms else { continue };
            let is_bytes = matches!(seen.status, 200 | 206) && !seen.bytes.is_empty();
            for purge in purges
                .iter()
                .filter(|purge| is_bytes && purge.bears(seen.plan.variant, seen.plan.host))
            {
                let Some(mirrored_ms) = purge.mirrored_ms else { continue };
                let (asked_ms, recorded_ms) = (seen.asked_ms, purge.recorded_ms);
                let etag = seen.header("etag").trim_matches('"').to_owned();
                let is_old = world.judge.begun_before(&world, &etag, recorded_ms);
                let sight = if asked_ms > mirrored_ms + bound_ms && is_old {
                    "renewed what was purged softly"
                } else if asked_ms > mirrored_ms + bound_ms {
                    "answered after a bound"
                } else if asked_ms > recorded_ms && is_old {
                    "served what was purged before a bound"
                } else if answered_ms < recorded_ms && seen.read_ms > mirrored_ms + bound_ms {
                    "a fill crossed a bound"
                } else if answered_ms < recorded_ms && seen.read_ms > recorded_ms {
                    "a fill crossed a purge"
                } else {
                    continue;
                };
                self.sights.insert(sight, 1);
            }
        }
        if world.studio.orders_named() > 0 {
            self.sights.insert("ordered anew under a purge's number", 1);
        }
    }
}

/// Seconds for which an answer says that it is fresh.
fn left_s(seen: &Seen) -> u64 {
    let age_s: u64 = seen.header("age").parse().unwrap_or(0);
    max_age_s(&seen.headers).saturating_sub(age_s)
}

/// Runs the history of a seed; tells what was seen, or what was wrong.
pub(crate) fn run(
    seed: u64,
    sabotage: Option<Sabotage>,
    is_told: bool,
) -> Result<Sights, (String, String)> {
    let dice = Dice::new(seed ^ 0x5eed_0f9a);
    let setup = Setup { is_told, ..setup(&dice, sabotage) };
    let stage = Stage::new(setup);
    let world = Rc::clone(&stage.world);
    world.studio.length.set(dice.pick(&[25, 60]));
    let variant = dice.index(VARIANTS.len());
    let mut history = History { dice: &dice, setup, stage, variant, sights: Sights::new() };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..dice.between(4, 14) {
            history.stage.pass(history.pause_ms());
            history.event();
            if world.judge.violation().is_some() {
                return;
            }
        }
        history.stage.settle();
        history.look_around();
        history.heal();
    }));
    let journal = world.journal();
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        return Err((format!("a panic: {}", text.unwrap_or_default()), journal));
    }
    match world.judge.violation() {
        None => Ok(history.sights),
        Some(violation) => Err((violation, journal)),
    }
}

#[track_caller]
fn check(seed: u64) -> Sights {
    if let Ok(sights) = run(seed, None, false) {
        return sights;
    }
    let (violation, journal) = run(seed, None, true).expect_err("the same again");
    let journal = journal.split_once("WRONG").map_or(&*journal, |(before, _)| before);
    panic!("{journal}\nPURGES={seed} fails: {violation}\n(PURGES={seed} runs it again)");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_byte_whose_fill_started_before_a_purge_is_served_after_its_bound() {
    if let Some(seed) = number("PURGES") {
        check(seed);
        return;
    }
    let histories = number("PURGE_HISTORIES").unwrap_or(HISTORIES);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut sights = Sights::new();
    std::thread::scope(|scope| {
        let run = |first| (first..histories).step_by(threads).flat_map(check);
        let runs: Vec<_> = (0..)
            .take(threads)
            .map(|first| scope.spawn(move || run(first).collect::<Vec<_>>()))
            .collect();
        for (sight, count) in runs.into_iter().flat_map(|run| run.join().unwrap()) {
            *sights.entry(sight).or_default() += count;
        }
    });
    for (sight, of_thousand) in SIGHTS {
        let count = sights.get(sight).copied().unwrap_or(0);
        assert!(count >= histories * of_thousand / 1_000, "{sight}: only in {count}: {sights:#?}");
    }
}
