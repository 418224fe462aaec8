//! Renewals at the gate: one at a time in the world.

use std::rc::Rc;

use futures_util::future::join;
use serde_json::json;
use video_resizer::cache::entry::{Metadata, Outcome};
use video_resizer::cache::gate::Verdict;
use video_resizer::cache::ports::Fault;
use video_resizer::cache::status::Tier;
use video_resizer::front;
use video_resizer::limits::ERRAND_MS;

use super::turns::{ENTER, with_gate};
use super::{KEY, VIDEO};
use crate::fakes::run::{run, wait_turns};
use crate::fakes::upstream::{Making, Source};
use crate::fakes::viewer::{House, get};

#[test]
fn a_renewal_of_what_is_shared_with_nobody_asks_no_gate() {
    let house = with_gate(House::new(&json!({
        "cache": {"kv": false}, "sources": {"revalidateAfter": 100}
    })));
    house.get(VIDEO);
    house.pass_s(100);
    assert_eq!(house.get(VIDEO).settled, ["edge-find", "probe", "edge-keep"]);
}

#[test]
fn a_renewal_tells_those_who_wait_of_it() {
    let house = with_gate(House::of_tiny_chunks(&json!({})));
    house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    let past = house.get(VIDEO);
    assert_eq!(
        past.settled,
        ["kv-find", "gate-enter", "probe", "gate-publish", "kv-keep", "gate-finish"]
    );
    let Some(Verdict::Filled { entry }) = house.host.bind_gate().answer(KEY, &ENTER) else {
        panic!("nothing was told")
    };
    assert_eq!(Metadata::decode(&entry).unwrap(), house.in_kv(KEY));

    // One that fails is told as well, though nothing is remembered of it.
    house.pass_s(86_401);
    house.elsewhere();
    house.host.upstream.sources_are(|_| Source::Fails);
    house.host.upstream.makes(Making::Status(503));
    house.get(VIDEO);
    let Some(Verdict::Filled { entry }) = house.host.bind_gate().answer(KEY, &ENTER) else {
        panic!("nothing was told")
    };
    assert!(matches!(Metadata::decode(&entry).unwrap().outcome(), Outcome::Failure(_)));
    assert_eq!(house.in_kv(KEY).outcome(), Outcome::Rendition);
}

#[test]
fn a_renewal_that_lost_the_lease_meanwhile_changes_nothing() {
    // Of chunks only the manifest would have been written again, so no copy has failed.
    for (house, end) in
        [(House::plain(), "gate-fail"), (House::of_tiny_chunks(&json!({})), "gate-finish")]
    {
        let house = with_gate(house);
        house.get(VIDEO);
        let before = house.in_kv(KEY);
        house.pass_s(86_401);
        house.elsewhere();
        let (gate, world) = (house.host.gate.get().cloned(), Rc::clone(&house.host.world));
        house.host.upstream.sources_are(move |_| {
            // While the source thinks, the lease lapses and goes to somebody else.
            world.pass_ms(11_000);
            gate.as_ref().unwrap().answer(KEY, &ENTER);
            Source::Holds
        });
        let seen = house.get(VIDEO);
        let settled = ["kv-find", "gate-enter", "probe", "gate-publish", end];
        assert_eq!(seen.settled, settled);
        assert_eq!(house.in_kv(KEY), before);
        assert!(seen.faults.contains(&(Tier::Kv, Fault::Superseded)), "{:?}", seen.faults);
        assert_eq!(house.host.world.bodies().leaked, 0);
    }
}

#[test]
fn a_renewal_that_failed_at_the_gate_is_tried_again_when_that_failure_is_over() {
    for (making, remembered_s) in [(Making::Status(503), 0), (Making::WrongType, 10)] {
        let house = with_gate(House::plain());
        let made = house.get(VIDEO);
        house.pass_s(86_401);
        house.elsewhere();
        house.host.upstream.validators.set([Some("\"changed\""), None]);
        house.host.upstream.makes(making);
        assert!(house.get(VIDEO).settled.contains(&"transform"));
        house.pass_s(remembered_s + 10);
        house.host.upstream.makes(Making::Good);
        let again = house.get(VIDEO);
        assert_eq!(again.bytes, made.bytes);
        assert!(again.settled.contains(&"transform"), "{making:?}: {:?}", again.settled);
        assert_ne!(house.get(VIDEO).bytes, made.bytes);
    }
}

#[test]
fn what_somebody_has_renewed_meanwhile_is_brought_to_no_edge_that_is_switched_off() {
    for house in [House::new, House::of_tiny_chunks] {
        let house = house(&json!({"cache": {"edge": false}}));
        house.get(VIDEO);
        house.pass_s(86_401);
        let other = house.in_another_data_centre();
        let (_, first) = house.answer(&get(VIDEO));
        let (_, second) = other.answer(&get(VIDEO));
        house.settle(&get(VIDEO), first);
        assert_eq!(other.settle(&get(VIDEO), second), ["kv-find"]);
        assert_eq!(other.edge_urls(), [""; 0]);
        assert_eq!(other.host.world.bodies().leaked, 0);
    }
}

#[test]
fn without_a_gate_a_slow_renewal_is_left_to_who_is_at_it_for_as_long_as_it_takes() {
    let house = House::plain();
    house.get(VIDEO);
    house.pass_s(86_401);
    house.elsewhere();
    house.host.upstream.validators.set([Some("\"changed\""), None]);
    let asking = get(VIDEO);
    let (_, first) = house.answer(&asking);
    let (_, second) = house.answer(&asking);
    house.host.upstream.slowness.set(20);
    let (ask, host, config) = (asking.ask(), &house.host, &house.config);
    let late = async {
        wait_turns(8).await;
        host.world.pass_ms(ERRAND_MS - 1);
        wait_turns(8).await;
        front::settle(host, &ask, config, second.unwrap()).await
    };
    run(join(front::settle(host, &ask, config, first.unwrap()), late));
    assert_eq!(house.host.upstream.made.borrow().len(), 2, "the first, and one renewal");
}
