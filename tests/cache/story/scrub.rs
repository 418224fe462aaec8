//! The scrub beside those who fill and read: it deletes nothing that anybody may still want, and does no more than it may.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::json;
use video_resizer::cache::storage::scrub::scrub;
use video_resizer::front::{self, Handled};
use video_resizer::limits::{CHUNKS_MAX, ORPHAN_MS_MIN};
use video_resizer::upkeep;

use super::{KEY, VIDEO};
use crate::fakes::run::run;
use crate::fakes::viewer::{House, get};
use crate::fakes::weather::{Mishap, Weather};
use crate::fakes::world::Operation;

/// What happens in the world before one write to KV is done.
struct Before<F>(RefCell<Option<(usize, F)>>);

impl<F> std::fmt::Debug for Before<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Before")
    }
}

impl<F: FnOnce()> Weather for Before<F> {
    fn next(&self, operation: &Operation, _: &[Mishap]) -> Mishap {
        if operation.kind() == "kv-keep" {
            let due = match &mut *self.0.borrow_mut() {
                Some((left, _)) if *left > 0 => {
                    *left -= 1;
                    false
                }
                due => due.is_some(),
            };
            let happens = if due { self.0.take() } else { None };
            if let Some((_, happens)) = happens {
                happens();
            }
        }
        Mishap::None
    }
}

#[test]
fn what_a_viewer_drew_out_until_its_chunks_are_called_orphans_is_not_published_without_them() {
    let house = House::of_tiny_chunks(&json!({}));
    let (kv, cache) = (house.host.kv.clone(), house.config.cache);
    let world = Rc::clone(&house.host.world);
    let (miss, owed) = house.answer(&get(VIDEO));
    assert!(miss.whole);
    let meanwhile = move || {
        world.pass_ms(ORPHAN_MS_MIN);
        let report = run(scrub(&kv, &cache, world.now_ms()));
        assert_eq!(report.orphans, 2, "{report:?}");
    };
    house.host.world.set_weather(Before(RefCell::new(Some((2, meanwhile)))));
    house.settle(&get(VIDEO), owed);
    assert_eq!(house.kv_keys(), ["scrub"], "neither the entry nor what is left of its chunks");
    house.elsewhere();
    assert!(house.get(VIDEO).whole);
}

#[test]
fn chunks_of_what_was_replaced_just_now_stay_for_those_who_still_read_them() {
    let house = House::of_tiny_chunks(&json!({}));
    let made = house.get(VIDEO);
    let old = house.in_kv(KEY).generation;
    house.pass_s(2 * 3_600);
    house.elsewhere();
    let reading = get(VIDEO).range("bytes=1-");
    let ask = reading.ask();
    let handled = run(front::handle(&house.host, &ask, &house.config));
    let Handled::Answer { reply, owed } = handled else { panic!("passed through") };

    // Another request makes it anew, and the scrub comes by.
    let other = house.in_another_data_centre();
    other.send(&get(&format!("{VIDEO}&nocache")).by_operator());
    assert_ne!(house.in_kv(KEY).generation, old);
    run(upkeep::run(&house.host, &house.config));
    let read = reply.body.read();
    assert!(read.whole && read.bytes == made.bytes[1..], "the reader has begun with the old one");
    house.settle(&reading, owed);

    house.host.world.pass_ms(ORPHAN_MS_MIN);
    run(upkeep::run(&house.host, &house.config));
    let left = house.kv_keys().into_iter().filter(|key| key.contains(&old)).count();
    assert_eq!(left, 0, "nobody reads for so long");
}

#[test]
fn a_run_has_the_operations_of_one_invocation_however_many_chunks_the_entries_have() {
    let house = House::of_tiny_chunks(&json!({}));
    let bytes = usize::try_from(CHUNKS_MAX * 24).unwrap();
    house.host.upstream.rendition_bytes.set(bytes);
    for video in ["a", "b", "c", "d"] {
        house.get(&format!("/clips/{video}.mp4?width=640"));
    }
    house.host.world.take_journal();
    let mut sound = 0;
    for _ in 0..10 {
        sound += run(upkeep::run(&house.host, &house.config)).sound;
        let operations = house.host.world.take_journal().len();
        assert!(operations < 1_000, "{operations} operations");
    }
    assert!(sound >= 4, "it comes round to every one of them");
}
