//! Every path of one request.

use std::cell::RefCell;
use std::rc::Rc;

use video_resizer::cache::bypass;
use video_resizer::cache::copies::Copies;
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::orchestrator::serve;
use video_resizer::cache::owed::settle;
use video_resizer::cache::ports::Purpose;
use video_resizer::cache::rendition::Rendition;
use video_resizer::cache::status::Phase;
use video_resizer::config::Config;
use video_resizer::request;
use video_resizer::request::ask::Ask;
use video_resizer::request::path::SourcePath;
use video_resizer::request::query::Query;

use super::model::{Asked, Chosen, expected};
use super::product;
use super::promises::{self, Before};
use super::states::{self, Edge, Kv};
use crate::fakes::body::FakeBody;
use crate::fakes::host::FakeHost;
use crate::fakes::run::run;
use crate::fakes::upstream::original_bytes;
use crate::fakes::viewer::{configuration, get, head};
use crate::fakes::weather::{Gen, Mishap, Weather};
use crate::fakes::world::Operation;

const VIDEO: &str = "/clips/a.mp4?width=640&height=360";

/// Draws what goes wrong, and writes it down.
#[derive(Debug)]
struct Drawn {
    generator: Rc<Gen>,
    chosen: Rc<RefCell<Chosen>>,
}

impl Weather for Drawn {
    fn next(&self, operation: &Operation, possible: &[Mishap]) -> Mishap {
        let is_after_a_write = self.chosen.borrow().mishap("kv-keep").is_some();
        let possible = match operation {
            // Two mishaps at once, a body broken off and then this, are a story of their own.
            Operation::KvFind { .. } if is_after_a_write => &[Mishap::None],
            Operation::EdgeFind { .. } | Operation::KvFind { .. } => states::LOOK_UP,
            Operation::EdgeRemove { .. } | Operation::KvRemove { .. } => &[Mishap::None],
            // Only of a transform it matters whether no answer came, or none in time.
            Operation::Fetch { purpose: Purpose::Probe | Purpose::Original, .. } => {
                &[Mishap::None, Mishap::Refused]
            }
            Operation::EdgeKeep { .. }
            | Operation::KvKeep { .. }
            | Operation::KvList { .. }
            | Operation::GateAsk { .. }
            | Operation::Limit { .. }
            | Operation::DocumentGet { .. }
            | Operation::DocumentPut { .. }
            | Operation::ObjectAsk { .. }
            | Operation::Fetch { purpose: Purpose::Transform, .. }
            | Operation::Fork => possible,
        };
        let mishap = self.generator.pick(possible);
        self.chosen.borrow_mut().mishaps.push((operation.kind(), mishap));
        mishap
    }
}

/// One request, and everything that can come of it.
struct Walk {
    asked: Asked,
    ask: Ask,
    config: Config,
    generator: Rc<Gen>,
}

impl Walk {
    fn new(asked: Asked) -> Self {
        let asking = match asked {
            Asked::Get => get(VIDEO),
            Asked::Range => get(VIDEO).range("bytes=10-19"),
            Asked::Head => head(VIDEO),
        };
        let config = Config::check(&configuration(&serde_json::json!({}))).unwrap();
        Self { asked, ask: asking.ask(), config, generator: Rc::new(Gen::default()) }
    }

    /// Walks every path; gives back how many there are, and how many ended in each phase.
    fn every_path(&self) -> Vec<(Phase, u32)> {
        let query = Query::parse(&self.ask.query).unwrap();
        let origin = &self.config.origins[0];
        let wanted = request::read(&self.ask, &query, origin, &self.config).unwrap();
        let path = SourcePath::parse(&self.ask.path).unwrap();
        let rendition = Rendition::new(&self.ask, &self.config, origin, path, wanted, bypass::NONE);
        let mut phases: Vec<(Phase, u32)> = Phase::ALL.iter().map(|phase| (*phase, 0)).collect();
        while self.generator.turn() {
            let _trail = Trail(Rc::clone(&self.generator));
            let phase = self.one_path(&rendition);
            phases.iter_mut().find(|(it, _)| *it == phase).unwrap().1 += 1;
        }
        phases
    }

    fn one_path(&self, rendition: &Rendition<'_>) -> Phase {
        let chosen = Rc::new(RefCell::new(Chosen::default()));
        let before = Rc::new(RefCell::new(Before::default()));
        let host = FakeHost::new();
        self.set(&host, rendition, &chosen, &before);

        let mut served = run(serve(&host, &self.ask, &self.config, rendition, "id"));
        let made = host.upstream.made.borrow().last().cloned();
        let at_answer = chosen.borrow().clone();
        let owed = served.owed.take();
        promises::the_order_is_kept(&host.world.take_journal(), served.trace.phase);
        let expected = expected(self.asked, &at_answer, made.as_ref());
        let trace = promises::the_answer_is_right(self.asked, &expected, served);
        promises::no_fault_is_silent(&at_answer, &trace.faults);
        let (to_edge, to_kv) = owed.as_ref().map_or((false, false), |owed| {
            let copies = owed.copies.as_ref();
            let to = |of: fn(&Copies<FakeBody>) -> bool| copies.is_some_and(of);
            (to(|copies| copies.edge_url.is_some()), to(|copies| copies.kv_key.is_some()))
        });
        promises::stored_is_said_where_it_is_owed(&trace, to_edge, to_kv);
        let is_renewed = owed.as_ref().is_some_and(|owed| owed.renewal);
        let is_past = matches!(at_answer.kv, Some(Kv::Renewable | Kv::RenewableFailure));
        assert_eq!(
            is_renewed, is_past,
            "what is served past its lifetime is renewed, nothing else"
        );

        if let Some(owed) = owed {
            assert!(matches!(
                trace.phase,
                Phase::KvHit
                    | Phase::StaleWhileRevalidate
                    | Phase::Miss
                    | Phase::Original
                    | Phase::Failed
            ));
            if self.generator.choose(2) == 0 {
                if let Some(copies) = owed.copies {
                    copies.entry.body.abandon();
                }
            } else {
                chosen.borrow_mut().mishaps.clear();
                // What nobody has looked at by now is not there.
                host.kv.surprise.set(|_| {});
                let faults = run(settle(&host, &self.config.cache, owed));
                promises::no_fault_is_silent(&chosen.borrow(), &faults);
                let settled = host.world.take_journal();
                writes_are_done(&host, rendition, &chosen.borrow(), &settled, trace.phase);
            }
        }
        assert_eq!(host.world.take_journal(), [], "something was done that nobody owed");
        let may_be_kept = match trace.phase {
            Phase::KvHit => Some(states::kv_bytes()),
            Phase::Miss => Some(made.map_or_else(original_bytes, |made| made.to_vec())),
            Phase::EdgeHit
            | Phase::Stale
            | Phase::Original
            | Phase::Failed
            | Phase::HeadUnfilled
            | Phase::Collapsed
            | Phase::StaleWhileRevalidate
            | Phase::NotCached
            | Phase::Limited => None,
        };
        let sent = may_be_kept.as_deref();
        promises::what_is_kept_is_whole(&host, &before.borrow(), sent);
        assert_eq!(host.world.bodies().leaked, 0, "a body was neither read nor discarded");
        trace.phase
    }

    /// Everything undecided: it is drawn when somebody looks.
    fn set(
        &self,
        host: &FakeHost,
        rendition: &Rendition<'_>,
        chosen: &Rc<RefCell<Chosen>>,
        before: &Rc<RefCell<Before>>,
    ) {
        let drawn = Drawn { generator: Rc::clone(&self.generator), chosen: Rc::clone(chosen) };
        host.world.set_weather(drawn);
        host.upstream.rendition_bytes.set(states::BYTES);

        let edges =
            if self.asked == Asked::Range { states::EDGE_RANGED } else { states::EDGE_WHOLE };
        let (generator, marks, held) =
            (Rc::clone(&self.generator), Rc::clone(chosen), Rc::clone(before));
        let url = rendition.edge_url.clone();
        host.edge.surprise.set(move |edge| {
            let state: Edge = generator.pick(edges);
            state.plant(edge, &url);
            marks.borrow_mut().edge = Some(state);
            let bytes = edge.kept.borrow().get(&url).map(|kept| kept.bytes.to_vec());
            held.borrow_mut().edge = bytes.map(|bytes| (edge.metadata(&url), bytes));
        });
        let (generator, marks, held) =
            (Rc::clone(&self.generator), Rc::clone(chosen), Rc::clone(before));
        let key = rendition.kv_key.clone();
        host.kv.surprise.set(move |kv| {
            let state: Kv = generator.pick(states::KV);
            state.plant(kv, &key);
            marks.borrow_mut().kv = Some(state);
            let kept = kv.kept.borrow().get(&key).cloned();
            held.borrow_mut().kv = kept.map(|kept| (kept.metadata, kept.bytes.to_vec()));
        });
        let (generator, marks) = (Rc::clone(&self.generator), Rc::clone(chosen));
        host.upstream.makes_of(move |_| {
            let making = generator.pick(states::MAKINGS);
            marks.borrow_mut().making = Some(making);
            making
        });
        let sources = states::sources(self.asked);
        let (generator, marks) = (Rc::clone(&self.generator), Rc::clone(chosen));
        host.upstream.sources_are(move |_| {
            let known = marks.borrow().source;
            known.unwrap_or_else(|| {
                let source = generator.pick(sources);
                marks.borrow_mut().source = Some(source);
                source
            })
        });
    }
}

/// Where nothing went wrong with a write, it has happened; nothing else was written.
fn writes_are_done(
    host: &FakeHost,
    rendition: &Rendition<'_>,
    chosen: &Chosen,
    settled: &[Operation],
    phase: Phase,
) {
    for operation in settled {
        match operation {
            Operation::Fork => {}
            Operation::EdgeKeep { url } | Operation::EdgeRemove { url } => {
                assert_eq!(*url, rendition.edge_url);
            }
            // What a body that broke off has left is looked at before it is removed.
            Operation::KvKeep { key } | Operation::KvFind { key } | Operation::KvRemove { key } => {
                assert_eq!(*key, rendition.kv_key);
            }
            Operation::EdgeFind { .. }
            | Operation::KvList { .. }
            | Operation::GateAsk { .. }
            | Operation::Limit { .. }
            | Operation::DocumentGet { .. }
            | Operation::DocumentPut { .. }
            | Operation::ObjectAsk { .. }
            | Operation::Fetch { .. } => {
                panic!("{operation:?} after the answer")
            }
        }
    }
    let good = phase == Phase::KvHit || phase == Phase::Miss && chosen.may_be_kept();
    let happened = |kind| matches!(chosen.mishap(kind), Some(Mishap::None | Mishap::LostAck));
    let now_ms = host.world.now_ms();
    let is_fresh = |metadata: Option<String>| {
        let metadata = Metadata::decode(&metadata.unwrap()).unwrap();
        metadata.status == 200 && metadata.fresh_until_ms > now_ms
    };
    if good && happened("edge-keep") {
        assert!(is_fresh(host.edge.metadata(&rendition.edge_url)));
    }
    if good && happened("kv-keep") {
        assert!(is_fresh(host.kv.kept.borrow()[&rendition.kv_key].metadata.clone()));
    }
    if phase == Phase::Miss && chosen.may_be_kept() {
        assert!(chosen.mishap("kv-keep").is_some(), "KV was owed a copy: {settled:?}");
    }
}

/// Tells which path it was when one breaks a promise.
struct Trail(Rc<Gen>);

impl Drop for Trail {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the path was {:?}", self.0.path());
        }
    }
}

#[track_caller]
fn every_path_of(asked: Asked, total: u32) {
    let walked = Walk::new(asked).every_path();
    assert_eq!(walked, product::paths(asked), "as many paths as the states make");
    assert_eq!(walked.iter().map(|(_, count)| count).sum::<u32>(), total);
}

#[test]
fn every_path_of_a_get_keeps_every_promise() {
    every_path_of(Asked::Get, 15_693);
}

#[test]
fn every_path_of_a_range_keeps_every_promise() {
    every_path_of(Asked::Range, 24_498);
}

#[test]
fn every_path_of_a_head_keeps_every_promise() {
    every_path_of(Asked::Head, 274);
}
