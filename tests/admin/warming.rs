//! What is warmed is in KV when viewers come, was made once, and was made as everything is: under purges, at the gate.

use serde_json::{Value, json};
use video_resizer::admin::warm::job::{self, Outcome, Renditions};
use video_resizer::admin::warm::one;
use video_resizer::config::Config;
use video_resizer::limits::{BY_CHARS_MAX, WARM_ITEMS_MAX, WARM_WATCH_MS};
use video_resizer::purge::ledger::Mode;
use video_resizer::purge::target::Target;

use crate::desk::{Came, get as ask_for, house, make, post};
use crate::fakes::host::FakeHost;
use crate::fakes::run::run;
use crate::fakes::upstream::Making;
use crate::fakes::viewer::House;
use crate::fakes::weather::{Mishap, Script};
use crate::fakes::world::Operation;

const VIDEO: &str = "/clips/a.mp4?width=640&height=360";
const URL: &str = "https://v.example/clips/a.mp4?width=640&height=360";

/// The object of a job, in a house of its own.
struct Warmer<'a> {
    host: &'a FakeHost,
    config: Config,
}

impl Renditions for Warmer<'_> {
    async fn warm(&self, url: &str) -> Outcome {
        Box::pin(one::warm(self.host, url, &self.config)).await
    }
}

/// Wakes a job until its last rendition is over.
#[track_caller]
fn work(house: &House, id: &str) {
    let storage = house.host.job(id);
    let warmer = Warmer { host: &house.host, config: one::configuration(&house.config) };
    for _ in 0..=WARM_ITEMS_MAX {
        storage.alarm_ms.take().expect("somebody comes back");
        run(job::wake(storage.as_ref(), &house.host, &warmer)).unwrap();
        assert_eq!(house.host.world.bodies().leaked, 0, "a body was left open");
        if look(house, id).good()["state"] == "finished" {
            return;
        }
    }
    panic!("it never ends");
}

fn begin(house: &House, document: &Value) -> Came {
    make(house, &post("/warm", document))
}

fn look(house: &House, id: &str) -> Came {
    // What the job has cost is looked at elsewhere.
    house.host.world.take_journal();
    make(house, &ask_for(&format!("/warm/{id}")))
}

/// Begins a job and sees it to its end.
#[track_caller]
fn warmed(house: &House, document: &Value) -> Value {
    let begun = begin(house, document);
    assert_eq!(begun.status, 202, "{}", begun.text);
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    work(house, &id);
    look(house, &id).good()
}

#[track_caller]
fn warm_one(house: &House) -> Outcome {
    house.host.world.take_journal();
    let outcome = run(one::warm(&house.host, URL, &one::configuration(&house.config)));
    assert_eq!(house.host.world.bodies().leaked, 0, "a body was left open");
    outcome
}

fn cost(house: &House) -> Vec<&'static str> {
    house.host.world.take_journal().iter().map(Operation::kind).collect()
}

fn failed(why: &str) -> Outcome {
    Outcome::Failed(why.to_owned())
}

#[test]
fn a_warmed_rendition_is_in_kv_and_nobody_pays_for_it_again() {
    let house = house(&json!({}));
    assert_eq!(warm_one(&house), Outcome::Made);
    assert_eq!(
        cost(&house),
        ["kv-find", "transform", "probe", "kv-keep"],
        "the edge is left alone"
    );
    assert_eq!(warm_one(&house), Outcome::Already);
    assert_eq!(cost(&house), ["kv-find"], "what is warm costs one read");
    let seen = house.get(VIDEO);
    assert_eq!(seen.cost, ["edge-find", "kv-find"]);
    assert_eq!(seen.bytes, *house.host.upstream.last_made());
}

#[test]
fn large_renditions_are_warmed_in_chunks() {
    let mut house = House::of_tiny_chunks(&json!({}));
    house.config.cache.jitter_percent = 0;
    assert_eq!(warm_one(&house), Outcome::Made);
    house.host.world.take_journal();
    let seen = house.get(VIDEO);
    assert!(!seen.cost.contains(&"transform"), "{:?}", seen.cost);
    assert_eq!(seen.bytes, *house.host.upstream.last_made());
}

#[test]
fn what_cannot_be_made_is_named_and_is_not_tried_again_while_it_is_remembered() {
    for (making, why) in
        [(Making::Status(404), "status 404"), (Making::SaysError(9404), "transform-error 9404")]
    {
        let house = house(&json!({}));
        house.host.upstream.makes(making);
        assert_eq!(warm_one(&house), failed(why));
        assert!(!cost(&house).contains(&"original"), "nobody wants the original");
        let again = warm_one(&house);
        assert_eq!(again, failed(&format!("{why}, as is remembered")));
        assert_eq!(cost(&house), ["kv-find"]);
    }
}

#[test]
fn what_may_be_over_soon_leaves_the_rendition_unsettled() {
    for (making, why) in [
        (Making::Status(429), "status 429"),
        (Making::Overloaded("7"), "status 503"),
        (Making::WrongType, "content-type"),
    ] {
        let house = house(&json!({}));
        house.host.upstream.makes(making);
        assert_eq!(warm_one(&house), Outcome::Unsettled(why.to_owned()));
        house.host.upstream.makes(Making::Good);
        assert_eq!(warm_one(&house), Outcome::Made);
    }
}

#[test]
fn what_must_not_be_kept_fails_with_the_name_of_the_reason() {
    let house = house(&json!({}));
    house.host.upstream.makes(Making::GoodBut("cache-control", "no-store"));
    assert_eq!(warm_one(&house), failed("it is not kept: no-store"));
}

#[test]
fn a_write_that_fails_leaves_the_rendition_unsettled() {
    let house = house(&json!({}));
    house.host.world.set_weather(Script::new(&[("kv-keep", Mishap::Refused)]));
    let Outcome::Unsettled(why) = warm_one(&house) else { panic!("it was not kept") };
    assert!(why.starts_with("it was not kept: kv: "), "{why}");
    assert_eq!(warm_one(&house), Outcome::Made);
}

#[test]
fn what_was_purged_is_made_anew() {
    let house = house(&json!({}));
    assert_eq!(warm_one(&house), Outcome::Made);
    let target = Target::Path("clips/a.mp4".to_owned());
    house.host.ledger.borrow_mut().record(Mode::Hard, &[target]);
    assert_eq!(warm_one(&house), Outcome::Made);
    assert_eq!(house.get(VIDEO).cost, ["edge-find", "kv-find"], "and is good for viewers");
}

#[test]
fn what_has_expired_is_made_anew_and_what_may_be_renewed_is_renewed() {
    let house = house(&json!({ "ttl": { "ok": 600 } }));
    assert_eq!(warm_one(&house), Outcome::Made);
    house.pass_s(100_000_000);
    assert_eq!(warm_one(&house), Outcome::Made);

    let house =
        self::house(&json!({ "ttl": { "ok": 600 }, "staleWhileRevalidate": { "ok": 600 } }));
    assert_eq!(warm_one(&house), Outcome::Made);
    house.pass_s(700);
    assert_eq!(warm_one(&house), Outcome::Already);
    assert!(
        house.in_kv("video:clips/a.mp4:w=640:h=360:f=mp4").fresh_until_ms
            > house.host.world.now_ms()
    );
}

#[test]
fn an_operator_needs_no_signature_and_chooses_freely() {
    for access in ["signed", "presets"] {
        let house = house(&json!({
            "origins": [{
                "name": "default", "pattern": "^/(.+)$", "access": access,
                "sources": [{"url": "https://source.example/$1"}]
            }],
            "signing": {"keys": {"k1": "SIGN_1"}}
        }));
        assert_eq!(house.get(VIDEO).status, 403, "{access}: viewers may not");
        let job = warmed(&house, &json!({ "urls": [VIDEO] }));
        assert_eq!(job["items"][0]["state"], "made", "{job}");
        let kept: Vec<String> =
            house.host.job(job["id"].as_str().unwrap()).kept.borrow().values().cloned().collect();
        assert!(kept.iter().all(|text| !text.contains(crate::fakes::viewer::ADMIN_TOKEN)));
    }
}

#[test]
fn a_job_is_begun_shown_and_finished() {
    let house = house(&json!({ "presets": { "tiny": { "width": 360 } } }));
    house
        .host
        .upstream
        .makes_of(|url| if url.contains("gone") { Making::Status(404) } else { Making::Good });
    let document = json!({
        "sources": ["clips/a.mp4", "gone.mp4", "clips/b.mp4"], "presets": ["tiny"], "by": "ann"
    });
    let begun = begin(&house, &document);
    assert_eq!(begun.status, 202);
    let job = begun.json();
    let id = job["id"].as_str().unwrap();
    assert_eq!((id.len(), begun.header("location")), (32, format!("/_resizer/warm/{id}").as_str()));
    assert_eq!(
        (&job["state"], &job["total"], &job["done"]),
        (&json!("running"), &json!(3), &json!(0))
    );
    assert_eq!(begun.cost, ["object-ask"], "nothing is made before the answer");
    work(&house, id);
    let item = |url, state, detail: Value| json!({ "url": url, "state": state, "detail": detail });
    let expected = json!({
        "id": id, "at": job["at"], "by": "ann", "total": 3, "done": 2, "failed": 1,
        "state": "finished",
        "items": [
            item("https://v.example/clips/a.mp4?derivative=tiny", "made", Value::Null),
            item("https://v.example/gone.mp4?derivative=tiny", "failed", json!("status 404")),
            item("https://v.example/clips/b.mp4?derivative=tiny", "made", Value::Null),
        ],
    });
    assert_eq!(look(&house, id).good(), expected);
    let preset = house.in_kv("video:clips/a.mp4:w=360:f=mp4").preset;
    assert_eq!(preset.as_deref(), Some("tiny"), "it is tagged and listed as a viewer's would be");
}

#[test]
fn a_configuration_that_changes_meanwhile_fails_what_it_refuses() {
    let mut house = house(&json!({ "presets": { "tiny": { "width": 360 } } }));
    let begun = begin(&house, &json!({ "sources": ["a.mp4"], "presets": ["tiny"] })).json();
    house.config = House::plain().config;
    let id = begun["id"].as_str().unwrap();
    work(&house, id);
    let job = look(&house, id).good();
    assert_eq!(job["failed"], 1);
    assert!(job["items"][0]["detail"].as_str().unwrap().contains("derivative"), "{job}");
}

#[test]
fn nothing_is_begun_where_anything_is_wrong() {
    let house = house(&json!({}));
    let document = json!({ "urls": [VIDEO, "/a.mp4?width=9"], "by": "x".repeat(BY_CHARS_MAX + 1) });
    assert_eq!(begin(&house, &document).bad(400, "invalid"), ["/by", "/urls/1"]);
    assert!(house.host.admin.jobs.borrow().is_empty());
}

#[test]
fn a_looker_begins_nothing_and_may_look() {
    let house = house(&json!({}));
    let document = json!({ "urls": [VIDEO] });
    make(&house, &post("/warm", &document).by_a_looker()).bad(403, "forbidden");
    let id = begin(&house, &document).json()["id"].as_str().unwrap().to_owned();
    make(&house, &ask_for(&format!("/warm/{id}")).by_a_looker()).good();
}

#[test]
fn an_unknown_job_is_not_found_and_no_other_name_is_asked_for() {
    let house = house(&json!({}));
    look(&house, &"0".repeat(32)).bad(404, "not-found");
    for id in ["0", &"0".repeat(31), &"A".repeat(32), &"0".repeat(33)] {
        let came = look(&house, id);
        came.bad(404, "not-found");
        assert!(came.cost.is_empty(), "{id}");
    }
}

#[test]
fn without_its_bindings_warming_says_which_is_missing() {
    for binding in ["WARMER", "VIDEO_TRANSFORMATIONS_CACHE"] {
        let house = house(&json!({}));
        house.host.admin.unbound.borrow_mut().insert(binding);
        let came = begin(&house, &json!({ "urls": [VIDEO] }));
        came.bad(503, "unavailable");
        assert_eq!(came.json()["binding"], binding);
    }
}

#[test]
fn a_job_whose_storage_fails_is_not_begun_and_says_so() {
    let house = house(&json!({}));
    house.host.world.set_weather(Script::new(&[("object-ask", Mishap::Refused)]));
    begin(&house, &json!({ "urls": [VIDEO] })).bad(503, "unavailable");
}

/// Whoever makes anything dies.
struct Deadly;

impl Renditions for Deadly {
    async fn warm(&self, _: &str) -> Outcome {
        std::future::pending().await
    }
}

#[test]
fn a_job_at_work_is_woken_again_whatever_becomes_of_it() {
    let house = house(&json!({}));
    let id = begin(&house, &json!({ "urls": [VIDEO] })).json()["id"].as_str().unwrap().to_owned();
    let storage = house.host.job(&id);
    assert_eq!(storage.alarm_ms.take(), Some(house.host.world.now_ms()));
    let woken = job::wake(storage.as_ref(), &house.host, &Deadly);
    assert!(crate::fakes::run::run_until_death(woken).is_none());
    assert_eq!(storage.alarm_ms.get(), Some(house.host.world.now_ms() + WARM_WATCH_MS));
    work(&house, &id);
    assert_eq!(look(&house, &id).good()["items"][0]["state"], "made");
}
