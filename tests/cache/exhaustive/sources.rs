//! Every way two sources of one video can go wrong, with both caches cold and calm.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use http::Method;
use serde_json::json;
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::ports::Purpose;
use video_resizer::config::Config;

use crate::fakes::host::FakeHost;
use crate::fakes::upstream::{Making, Source, original_bytes};
use crate::fakes::viewer::{House, Seen, configuration, get};
use crate::fakes::weather::{Gen, Mishap, Weather};
use crate::fakes::world::Operation;

const MAKINGS: [Making; 5] = [
    Making::Good,
    Making::SaysError(9404),
    Making::WrongType,
    Making::Status(503),
    Making::Untransformed,
];

/// What was drawn for the sources, in the order they were looked at.
#[derive(Debug, Default)]
struct Drawn {
    /// One a source that was tried: what was made, or nothing where no answer came.
    makings: Vec<Option<Making>>,
    /// By host.
    sources: BTreeMap<String, Source>,
    originals: Vec<Mishap>,
}

#[derive(Debug)]
struct Winds(Rc<Gen>, Rc<RefCell<Drawn>>);

impl Weather for Winds {
    fn next(&self, operation: &Operation, _: &[Mishap]) -> Mishap {
        let Operation::Fetch { purpose, .. } = operation else { return Mishap::None };
        match purpose {
            Purpose::Probe => Mishap::None,
            Purpose::Transform => {
                let mishap = self.0.pick(&[Mishap::None, Mishap::Refused]);
                if mishap != Mishap::None {
                    self.1.borrow_mut().makings.push(None);
                }
                mishap
            }
            Purpose::Original => {
                let mishap = self.0.pick(&[Mishap::None, Mishap::Refused]);
                self.1.borrow_mut().originals.push(mishap);
                mishap
            }
        }
    }
}

#[test]
fn every_path_over_two_sources_asks_each_at_most_once_and_in_order() {
    let config = Config::check(&configuration(&json!({"origins": [{
        "name": "default", "pattern": "^/(.+)$",
        "sources": [{"url": "https://0.example/$1"}, {"url": "https://1.example/$1"}]
    }]})))
    .unwrap();
    let generator = Rc::new(Gen::default());
    let mut paths = 0;
    while generator.turn() {
        paths += 1;
        let drawn = Rc::new(RefCell::new(Drawn::default()));
        let house = House { host: FakeHost::new(), config: config.clone() };
        set(&house, &generator, &drawn);
        let seen = house.send(&get("/a.mp4?width=640"));
        check(&house, &seen, &drawn.borrow());
    }
    assert_eq!(paths, PATHS, "as many paths as the states make");
}

/// As many paths as the states make.
const PATHS: u32 = {
    // A source is there or not; good with either, or untransformed where nobody told its length.
    let good = 2 + 1;
    // Not found, wrong, overloaded and no answer with either; untransformed where the length was told.
    let (bad_and_there, bad_and_missing) = (4 + 1, 4);
    let bad = bad_and_there + bad_and_missing;
    // The original of the first, then of the second: refused or not, there or not.
    let (of_second, of_none) = (2, 1);
    let (first_there, first_missing) = (of_second + 1, of_second + of_second);
    // Both not found: nobody asks for an original.
    let not_found = 2;
    good + bad * good
        + (bad_and_there * bad - not_found) * first_there
        + (bad_and_missing * bad - not_found) * first_missing
        + 2 * not_found * of_none
};

fn set(house: &House, generator: &Rc<Gen>, drawn: &Rc<RefCell<Drawn>>) {
    house.host.world.set_weather(Winds(Rc::clone(generator), Rc::clone(drawn)));
    let (making_of, marks) = (Rc::clone(generator), Rc::clone(drawn));
    house.host.upstream.makes_of(move |_| {
        let making = making_of.pick(&MAKINGS);
        marks.borrow_mut().makings.push(Some(making));
        making
    });
    let (state_of, marks) = (Rc::clone(generator), Rc::clone(drawn));
    house.host.upstream.sources_are(move |url| {
        let mut marks = marks.borrow_mut();
        *marks
            .sources
            .entry(host(url))
            .or_insert_with(|| state_of.pick(&[Source::Holds, Source::Missing]))
    });
}

fn check(house: &House, seen: &Seen, drawn: &Drawn) {
    let calls = house.host.upstream.calls.borrow();
    let asked = |purpose| {
        let of = calls.iter().filter(move |call| call.purpose == purpose);
        of.map(|call| host(&call.url[call.url.rfind("https://").unwrap()..])).collect::<Vec<_>>()
    };
    let (tried, originals) = (asked(Purpose::Transform), asked(Purpose::Original));
    assert_eq!(tried, ["0.example", "1.example"][..tried.len()], "{drawn:?}");
    assert_eq!(asked(Purpose::Probe), tried, "each is asked for its length beside its transform");
    assert_eq!(originals, ["0.example", "1.example"][..originals.len()], "{drawn:?}");

    let good = (0..).zip(&drawn.makings).find(|(index, making)| match making {
        Some(Making::Good) => true,
        Some(Making::Untransformed) => {
            drawn.sources[&format!("{index}.example")] == Source::Missing
        }
        _ => false,
    });
    if let Some((index, making)) = good {
        assert_eq!(tried.len(), index + 1, "one that is good ends it: {drawn:?}");
        assert_eq!((seen.status, originals.len()), (200, 0));
        let kind = if index == 0 { "remote" } else { "fallback" };
        assert_eq!(seen.header("x-source-type"), kind, "{making:?}");
        let kept = house.host.kv.kept.borrow();
        let metadata = kept.values().next().unwrap().metadata.clone().unwrap();
        assert_eq!(usize::from(Metadata::decode(&metadata).unwrap().source), index);
        return;
    }
    assert_eq!(tried.len(), 2, "every source had its turn: {drawn:?}");
    let gravest = usize::from(drawn.makings[0] == Some(Making::SaysError(9404)));
    let status = match drawn.makings[gravest] {
        Some(Making::SaysError(_)) => 404,
        Some(Making::Status(_)) => 503,
        _ => 502,
    };
    assert_eq!(originals.is_empty(), status == 404, "{drawn:?}");
    let holder = (0..originals.len()).find(|index| {
        drawn.originals[*index] == Mishap::None
            && drawn.sources.get(&format!("{index}.example")) == Some(&Source::Holds)
    });
    match holder {
        Some(index) => {
            assert_eq!(originals.len(), index + 1, "the first that has it ends it");
            assert_eq!((seen.status, &seen.bytes), (200, &original_bytes()), "{drawn:?}");
        }
        None => assert_eq!(seen.status, status, "{drawn:?}"),
    }
    for call in calls.iter().filter(|call| call.purpose == Purpose::Original) {
        assert_eq!(call.method, Method::GET);
    }
}

fn host(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}
