//! A world with its data centres and isolates, and what can happen in it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;
use video_resizer::cache::storage::scrub;
use video_resizer::config::{Coalescing, Config};
use video_resizer::limits::{FIRST_CHUNK_WAIT_MS, ORPHAN_MS_MIN, PROBE_MS_MAX};
use video_resizer::purge::MIRROR_KEY;

use super::answers;
use super::clockwork::{Owner, PLATFORM};
use super::host::SimHost;
use super::judge::LATE_MS;
use super::kv::{SimKv, VISIBLE_MS_MAX};
use super::saboteur::Sabotage;
use super::upstream::{BACKUP, State};
use super::visit::{Ended, Plan, Seen, attend};
use super::weather::Climate;
use super::world::World;

/// Milliseconds after which everything that was begun must be over: what is owed, twice renewed.
const QUIET_MS: u64 = 600_000;
/// Milliseconds the end of a body that announces no length may be waited for before its answer.
const MEASURE_MS: u64 = 40_000;

/// How purges are heard of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purging {
    pub(crate) refresh_ms: u32,
    /// Whether the ledger is so full that it folds.
    pub(crate) is_full: bool,
    /// Of a hundred data centres how many are emptied by a purge of the zone.
    pub(crate) zone: u64,
    /// Milliseconds by which clocks are wrong, at the most.
    pub(crate) skew_ms: u64,
    pub(crate) sabotage: Option<Sabotage>,
}

/// What a world is like.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // what a world has and has not
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) centres: usize,
    pub(crate) has_gate: bool,
    pub(crate) climate: Climate,
    pub(crate) has_edge: bool,
    pub(crate) lifetime_s: u64,
    pub(crate) while_revalidate_s: u64,
    pub(crate) if_error_s: u64,
    pub(crate) failure_s: u64,
    pub(crate) revalidate_after_s: u64,
    pub(crate) single_bytes_max: u64,
    pub(crate) chunk_bytes: u64,
    pub(crate) probes: bool,
    pub(crate) falls_back: bool,
    /// Whether there is a second source, which never has anything.
    pub(crate) has_backup: bool,
    /// How purges are heard of, where anybody purges.
    pub(crate) purging: Option<Purging>,
    /// Whether somebody reads along.
    pub(crate) is_told: bool,
}

impl Setup {
    /// Two data centres, a gate, fair weather, small chunks.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            seed,
            centres: 2,
            has_gate: true,
            climate: Climate::CALM,
            has_edge: true,
            lifetime_s: 100,
            while_revalidate_s: 60,
            if_error_s: 90,
            failure_s: 0,
            revalidate_after_s: 0,
            single_bytes_max: 30,
            chunk_bytes: 8,
            probes: true,
            falls_back: false,
            has_backup: false,
            purging: None,
            is_told: false,
        }
    }

    fn config(&self) -> Config {
        let mut config = checked(self.has_edge);
        let cache = &mut config.cache;
        (cache.edge_timeout_ms, cache.kv_timeout_ms, cache.write_timeout_ms) = (300, 600, 5_000);
        (cache.single_bytes_max, cache.chunk_bytes) = (self.single_bytes_max, self.chunk_bytes);
        cache.coalescing = Coalescing { enabled: true, wait_ms: 15_000, timeout_ms: 500 };
        (config.transformer.timeout_ms, config.sources.timeout_ms) = (8_000, 2_000);
        config.sources.probe = self.probes;
        config.sources.fallback_to_original = self.falls_back;
        if let Some(purging) = self.purging {
            config.purge.refresh_ms = purging.refresh_ms;
        }
        config.origins[0].sources.truncate(if self.has_backup { 2 } else { 1 });
        config.sources.revalidate_after_s = self.revalidate_after_s;
        let lifetimes = &mut config.origins[0].lifetimes;
        lifetimes.fresh.ok_s = self.lifetime_s;
        // Where anybody purges, longer than it takes until that is heard of.
        let missing_s = if self.purging.is_some() { 600 } else { 60 };
        (lifetimes.fresh.client_error_s, lifetimes.fresh.server_error_s) =
            (missing_s, self.failure_s);
        lifetimes.stale_while_revalidate.ok_s = self.while_revalidate_s;
        lifetimes.stale_if_error.ok_s = self.if_error_s;
        config
    }
}

/// A configuration, which takes as long to check as half a history.
fn checked(has_edge: bool) -> Config {
    thread_local! {
        static CHECKED: [Config; 2] = [false, true].map(|has_edge| {
            let document = json!({
                "origins": [{
                    "name": "default",
                    "pattern": "^/(.+)$",
                    "sources": [{"url": "https://source.example/$1"}, {"url": BACKUP}]
                }],
                "cache": {"jitterPercent": 0, "edge": has_edge}
            });
            Config::check(&document).expect("a good configuration")
        });
    }
    CHECKED.with(|both| both[usize::from(has_edge)].clone())
}

/// A world, and everybody who came.
pub(crate) struct Stage {
    pub(crate) world: Rc<World>,
    config: Rc<Config>,
    setup: Setup,
    /// Two a data centre.
    isolates: Vec<[Rc<SimHost>; 2]>,
    born: usize,
    pub(crate) seen: Vec<Rc<RefCell<Seen>>>,
}

impl Stage {
    pub(crate) fn new(setup: Setup) -> Self {
        let world = World::new(setup.seed, setup.centres, setup.climate, setup.is_told);
        let judge = &world.judge;
        judge.lifetime_ms.set(setup.lifetime_s * 1000);
        judge.window_ms.set(setup.while_revalidate_s.max(setup.if_error_s) * 1000);
        judge.chunk_bytes.set(usize::try_from(setup.chunk_bytes).unwrap());
        judge.late_ms.set(LATE_MS);
        if let Some(purging) = setup.purging {
            judge.late_ms.set(1_200_000);
            judge.refresh_ms.set(purging.refresh_ms);
            judge.skew_ms.set(2 * purging.skew_ms);
            world.office.open(purging.is_full);
            world.office.zone.set(purging.zone);
            world.office.sabotage.set(purging.sabotage);
            world.studio.keeps.set(true);
        }
        let host = |dc, isolate| SimHost::new(&world, dc, isolate, setup.has_gate);
        let isolates = (0..setup.centres).map(|dc| [host(dc, 2 * dc), host(dc, 2 * dc + 1)]);
        let (isolates, config) = (isolates.collect(), Rc::new(setup.config()));
        let seen = Vec::new();
        Self { world, config, setup, isolates, born: 2 * setup.centres, seen }
    }

    pub(crate) fn centres(&self) -> usize {
        self.setup.centres
    }

    /// Somebody comes; what they see is known when enough time has passed.
    pub(crate) fn visit(&mut self, plan: Plan) -> Rc<RefCell<Seen>> {
        let visit = self.seen.len() + 1;
        let host = Rc::clone(&self.isolates[plan.dc][plan.isolate]);
        let of_it = |seen: &&Rc<RefCell<Seen>>| {
            let seen = seen.borrow();
            seen.plan.variant == plan.variant && !seen.header("etag").is_empty()
        };
        let known = self.seen.iter().rev().find(of_it);
        let known = known.map(|seen| seen.borrow().header("etag").to_owned());
        let seen = Rc::new(RefCell::new(Seen::new(visit, plan, self.world.now_ms())));
        self.seen.push(Rc::clone(&seen));
        let owner = Owner { isolate: Some(host.isolate), visit };
        let (world, config) = (Rc::clone(&self.world), Rc::clone(&self.config));
        self.world.clock.spawn(owner, attend(world, config, host, Rc::clone(&seen), known));
        seen
    }

    /// The clock of an isolate is put forward or back, within its bounds.
    pub(crate) fn turn_clock(&self, dc: usize, which: usize, by_ms: i64) {
        let skew_ms = &self.isolates[dc][which].skew_ms;
        let most_ms = self.setup.purging.map_or(0, |purging| purging.skew_ms).cast_signed();
        skew_ms.set((skew_ms.get() + by_ms).clamp(-most_ms, most_ms));
    }

    /// An isolate dies, with everything it was doing; another takes its place.
    pub(crate) fn kill(&mut self, dc: usize, which: usize) {
        self.born += 1;
        let next = SimHost::new(&self.world, dc, self.born, self.setup.has_gate);
        let dead = std::mem::replace(&mut self.isolates[dc][which], next);
        self.world.tell(|| format!("isolate {} dies", dead.isolate));
        let ended = self.seen.iter().filter(|seen| {
            let mut seen = seen.borrow_mut();
            let is_its = seen.plan.dc == dc && seen.plan.isolate == which && !seen.is_settled;
            seen.is_killed |= is_its;
            is_its
        });
        self.world.judge.ended(ended.map(|seen| seen.borrow().visit));
        for seen in &self.seen {
            if seen.borrow().is_killed {
                seen.borrow_mut().is_settled = true;
                answers::check(&self.world, &seen.borrow());
            }
        }
        self.world.clock.kill(dead.isolate);
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, ms: u64) {
        let until_ms = self.world.now_ms() + ms;
        self.world.clock.run(&self.world.dice, until_ms, || false);
    }

    /// Lets time pass until something is so; it must be within a minute.
    pub(crate) fn pass_until(&self, is_so: impl Fn(&World) -> bool) {
        let until_ms = self.world.now_ms() + 60_000;
        self.world.clock.run(&self.world.dice, until_ms, || is_so(&self.world));
        assert!(is_so(&self.world), "it did not happen\n{}", self.world.journal());
    }

    /// Lets everything that was begun come to its end, and looks at what every viewer saw.
    pub(crate) fn settle(&self) {
        let world = &self.world;
        let until_ms = world.now_ms() + QUIET_MS;
        let all_over = || world.clock.unfinished().is_empty();
        world.clock.run(&world.dice, until_ms, all_over);
        let unfinished = world.clock.unfinished();
        if !unfinished.is_empty() {
            world.judge.fail(world, format!("visits {unfinished:?} never end"));
        }
        let patience_ms = self.patience_ms();
        for seen in &self.seen {
            let seen = seen.borrow();
            let Some(answered_ms) = seen.answered_ms else {
                if !seen.is_killed && seen.ended != Ended::Left {
                    world.judge.fail(world, format!("{seen:?} was never answered"));
                }
                continue;
            };
            let waited_ms = answered_ms - seen.asked_ms;
            if waited_ms > patience_ms {
                world.judge.fail(world, format!("visit {} waited {waited_ms} ms", seen.visit));
            }
        }
    }

    /// Milliseconds within which every answer has come, whatever hangs: the sum of all budgets.
    fn patience_ms(&self) -> u64 {
        let cache = &self.config.cache;
        let Coalescing { wait_ms, timeout_ms, .. } = cache.coalescing;
        let edge = 2 * cache.edge_timeout_ms;
        let open = 2 * cache.kv_timeout_ms + FIRST_CHUNK_WAIT_MS;
        let turn = timeout_ms + wait_ms + timeout_ms;
        let make = self.config.transformer.timeout_ms + PROBE_MS_MAX;
        let original = self.config.sources.timeout_ms;
        let tiers = edge + cache.kv_timeout_ms + open;
        let again = edge + cache.kv_timeout_ms.max(open);
        u64::from(tiers + 2 * turn + again + make + open + original) + MEASURE_MS
    }

    /// Fair weather from now on: once everybody has heard of everything, a world is as good as new.
    pub(crate) fn heal(&mut self, variant: usize) {
        let world = Rc::clone(&self.world);
        world.set_climate(Climate::CALM);
        for path in 0..2 {
            world.studio.set_state(path, State::Holds, world.now_ms());
        }
        let forgets_ms = VISIBLE_MS_MAX + self.config.cache.kv_cache_ttl_s * 1000 + 1_000;
        // What is broken is found out by whoever reads it, and gone when all have heard of that.
        for is_last in [false, true] {
            self.pass(2 * forgets_ms);
            for dc in 0..self.setup.centres {
                let seen = self.visit(Plan::plain(dc, variant));
                self.settle();
                let seen = seen.borrow();
                if is_last && (seen.status != 200 || seen.ended != Ended::Whole) {
                    world.judge.fail(&world, format!("it does not heal: {seen:#?}"));
                }
            }
        }
    }

    /// When everything has expired, a scrub leaves nothing at all.
    pub(crate) fn clean(&self) {
        let world = &self.world;
        world.judge.check_rest(world);
        let forgotten_ms = 1000 * (self.setup.lifetime_s + self.config.cache.kv_cache_ttl_s)
            + world.judge.window_ms.get();
        self.pass(ORPHAN_MS_MIN + forgotten_ms);
        let kv = SimKv { world: Rc::clone(world), dc: 0 };
        let (config, now_ms) = (Rc::clone(&self.config), world.now_ms());
        for _ in 0..2 {
            let (kv, config) = (kv.clone(), Rc::clone(&config));
            world.clock.spawn(PLATFORM, async move {
                scrub::scrub(&kv, &config.cache, now_ms).await;
            });
            self.pass(600_000);
        }
        let left: Vec<String> = world.kv.all(world.now_ms()).into_iter().map(|it| it.0).collect();
        if left.iter().any(|key| key != "scrub" && key != MIRROR_KEY) {
            world.judge.fail(world, format!("what is left: {left:?}"));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.world.clock.stop();
    }
}
