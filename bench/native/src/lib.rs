//! The pure parts of a request, each made ready to be done once.
//!
//! `benches/parts.rs` gives them to divan, `src/bin/instructions.rs` to valgrind, and `tests/allocations.rs` of the
//! core holds some of them to a bound. All are of the one world in `world.rs`: a request for a size with what a
//! browser sends along, unless the name of a part says otherwise.

mod host;
mod world;

use std::fmt;
use std::hint::black_box;

use futures_util::FutureExt;
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::freshness::judge;
use video_resizer::cache::key::{self, Namespace};
use video_resizer::cache::rendition::Rendition;
use video_resizer::cache::status::{Lookup, Phase, TierTrace, Trace};
use video_resizer::cache::{reply, tags};
use video_resizer::front::{self, Decision, Handled};
use video_resizer::http::conditional::{self, Answer};
use video_resizer::http::range_set::RangeSet;
use video_resizer::media::sources;
use video_resizer::request;
use video_resizer::request::ask::Ask;
use video_resizer::request::path::SourcePath;
use video_resizer::request::query::Query;

use self::host::{Place, Platform};
use self::world::{LENGTH, NOW_MS, RANGE, WORLD, World};

/// One part.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Does what comes before it, and gives back what does it once.
    pub prepare: fn() -> Once,
}

/// Does a part once; its result is dropped within.
pub type Once = Box<dyn FnMut()>;

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Every part, in the order a request meets them; last the whole of a hit, platform calls excepted.
pub const ALL: [Part; 28] = [
    part("path", path),
    part("path, escaped", path_escaped),
    part("query", query),
    part("rule", rule),
    part("recipe", || recipe(&WORLD.sized)),
    part("recipe, by hints", || recipe(&WORLD.hinted)),
    part("recipe, by user agent", || recipe(&WORLD.plain)),
    part("sources", sources),
    part("kv key", kv_key),
    part("edge url", edge_url),
    part("tags", tags),
    part("decide", || decide(&WORLD.sized)),
    part("decide, by hints", || decide(&WORLD.hinted)),
    part("decide, signed", || decide(&WORLD.signed)),
    part("range", range),
    part("answer to a range", || answer(&WORLD.ranged)),
    part("answer to a condition", || answer(&WORLD.conditional)),
    part("metadata decode", metadata_decode),
    part("metadata encode", metadata_encode),
    part("freshness, all heard", || freshness(&WORLD.heard_all)),
    part("freshness, purges since", || freshness(&WORLD.heard_little)),
    part("headers of the answer", headers),
    part("cache-status and server-timing", status),
    part("edge hit", || hit(&WORLD.sized, Place::Edge, 200)),
    part("edge hit, by hints", || hit(&WORLD.hinted, Place::Edge, 200)),
    part("edge hit, range", || hit(&WORLD.ranged, Place::Edge, 206)),
    part("edge hit, 304", || hit(&WORLD.conditional, Place::Edge, 304)),
    part("kv hit", || hit(&WORLD.sized, Place::Kv, 200)),
];

const fn part(name: &'static str, prepare: fn() -> Once) -> Part {
    Part { name, prepare }
}

fn once<T>(mut it: impl FnMut() -> T + 'static) -> Once {
    Box::new(move || {
        black_box(it());
    })
}

fn path() -> Once {
    once(|| SourcePath::parse(black_box(&WORLD.sized.path)))
}

fn path_escaped() -> Once {
    once(|| SourcePath::parse(black_box("/clips/2026/summer%20tour/day%2D1%20%C3%A9t%C3%A9.mp4")))
}

fn query() -> Once {
    once(|| Query::parse(black_box(&WORLD.sized.query)))
}

fn rule() -> Once {
    let path = WORLD.path();
    once(move || sources::rule(&WORLD.config.origins, black_box(&path)).expect("a rule").name.len())
}

fn recipe(ask: &'static Ask) -> Once {
    let (query, origin) = (Query::parse(&ask.query).expect("a query"), WORLD.origin());
    once(move || request::read(black_box(ask), &query, origin, &WORLD.config))
}

fn sources() -> Once {
    let (origin, path, here) = (WORLD.origin(), WORLD.path(), WORLD.sized.origin());
    once(move || sources::locate(origin, black_box(&path), &here))
}

fn kv_key() -> Once {
    let rendition = rendition(&WORLD.sized);
    let namespace = Namespace { origin: &WORLD.origin().name, host: None, version: 3 };
    once(move || key::kv_key(black_box(namespace), &rendition.path, rendition.recipe()))
}

fn edge_url() -> Once {
    let (rendition, here) = (rendition(&WORLD.sized), WORLD.sized.origin());
    once(move || key::edge_url(black_box(&here), &rendition.path, rendition.recipe(), 3))
}

fn tags() -> Once {
    let rendition = rendition(&WORLD.sized);
    let World { config, .. } = &*WORLD;
    once(move || {
        let (path, recipe) = (black_box(&rendition.path), rendition.recipe());
        tags::tags(&config.tags, rendition.origin, path, recipe, None)
    })
}

fn decide(ask: &'static Ask) -> Once {
    let platform = Platform::empty();
    once(move || front::decide(&platform, black_box(ask), &WORLD.config).is_ok())
}

fn range() -> Once {
    once(|| RangeSet::parse(black_box(RANGE.as_bytes())))
}

fn answer(ask: &'static Ask) -> Once {
    let validators = reply::validators(&WORLD.heard_all);
    once(move || conditional::answer(black_box(ask), validators, Some(LENGTH), NOW_MS))
}

fn metadata_decode() -> Once {
    let text = WORLD.heard_all.encode().expect("metadata");
    once(move || Metadata::decode(black_box(&text)))
}

fn metadata_encode() -> Once {
    once(|| black_box(&WORLD.heard_all).encode())
}

fn freshness(metadata: &'static Metadata) -> Once {
    let (rendition, mut metadata) = (rendition(&WORLD.sized), metadata.clone());
    once(move || {
        let standing = black_box(&rendition).standing(&WORLD.ledger, &metadata);
        judge(&mut metadata, standing, NOW_MS)
    })
}

fn headers() -> Once {
    let rendition = rendition(&WORLD.sized);
    let metadata = &WORLD.heard_all;
    once(move || {
        let (answer, length) = (black_box(Answer::Whole), Some(LENGTH));
        reply::rendition(&WORLD.config, &rendition, metadata, length, answer, NOW_MS, ())
    })
}

fn status() -> Once {
    let lookup = Some(Lookup::Hit { ttl_s: 86_000 });
    let edge = TierTrace { lookup, took_ms: 12, kept: None };
    let trace = Trace { edge, phase: Phase::EdgeHit, ..Trace::default() };
    once(move || (black_box(&trace).cache_status(), trace.server_timing(13)))
}

fn hit(ask: &'static Ask, place: Place, status: u16) -> Once {
    let platform = Platform::with(place, &WORLD.heard_all);
    once(move || {
        let handling = front::handle(&platform, black_box(ask), &WORLD.config);
        let handled = handling.now_or_never().expect("nothing to wait for");
        let Handled::Answer { reply, owed } = handled else { panic!("no answer") };
        assert_eq!(reply.status, status);
        (reply, owed)
    })
}

fn rendition(ask: &'static Ask) -> Rendition<'static> {
    match front::decide(&Platform::empty(), ask, &WORLD.config) {
        Ok(Decision::Render(rendition)) => rendition,
        _ => panic!("no rendition"),
    }
}
