#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use proptest::prelude::*;

use super::*;

fn range(first: u64, last: u64) -> ByteRange {
    ByteRange::new(first, last).unwrap()
}

fn bytes(first: u64, last: u64) -> Piece {
    Piece::Bytes(range(first, last))
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

#[test]
fn chunks_follow_each_other_and_the_last_is_what_is_left() {
    let layout = Layout::new(25, 10).unwrap();
    assert_eq!(layout.count(), 3);
    assert_eq!(
        [0, 1, 2].map(|i| layout.chunk(i).unwrap()),
        [range(0, 9), range(10, 19), range(20, 24)]
    );
    assert_eq!(layout.chunk(3), None);
    assert_eq!(layout.chunk(u64::MAX), None);
    let even = Layout::new(20, 10).unwrap();
    assert_eq!((even.count(), even.chunk(1), even.chunk(2)), (2, Some(range(10, 19)), None));
}

#[test]
fn nothing_and_too_many_chunks_have_no_layout() {
    assert_eq!(Layout::new(0, 10), None);
    assert_eq!(Layout::new(10, 0), None);
    assert!(Layout::new(CHUNKS_MAX * 10, 10).is_some());
    assert_eq!(Layout::new(CHUNKS_MAX * 10 + 1, 10), None);
    assert_eq!(Layout::new(u64::MAX, u64::MAX).unwrap().count(), 1);
}

#[test]
fn a_key_is_named_after_its_generation_and_sorts_by_its_place() {
    assert_eq!(chunk_key("00ff", 7), "chunk:00ff:007");
    assert!(chunk_key("a", 99) < chunk_key("a", 100));
}

#[test]
fn a_range_touches_the_chunks_it_lies_in_and_no_others() {
    let layout = Layout::new(35, 10).unwrap();
    let cut = Cut::of(range(12, 21));
    let expected = [
        Step { place: Place::Chunk(1), cut: Cut::of(range(2, 9)) },
        Step { place: Place::Chunk(2), cut: Cut::of(range(0, 1)) },
    ];
    assert_eq!(steps(layout, None, &cut), expected);
    let head = Some(Head { behind: 100, bytes: 4 });
    assert_eq!(steps(layout, head, &cut), expected, "the head has nothing of it");
}

#[test]
fn the_head_gives_what_it_has_from_behind_the_manifest() {
    let layout = Layout::new(35, 10).unwrap();
    let head = Some(Head { behind: 100, bytes: 4 });
    assert_eq!(
        steps(layout, head, &Cut::of(range(1, 34)))[..2],
        [
            Step { place: Place::Head, cut: Cut::of(range(101, 103)) },
            Step { place: Place::Chunk(0), cut: Cut::of(range(4, 9)) },
        ]
    );
    assert_eq!(
        steps(layout, head, &Cut::of(range(0, 3))),
        [Step { place: Place::Head, cut: Cut::of(range(100, 103)) }]
    );
}

#[test]
fn ranges_in_one_chunk_read_it_once_with_their_texts_in_place() {
    let layout = Layout::new(35, 10).unwrap();
    let pieces = vec![
        text("a"),
        bytes(11, 12),
        text("b"),
        bytes(15, 15),
        text("c"),
        bytes(30, 34),
        text("end"),
    ];
    assert_eq!(
        steps(layout, None, &Cut::new(pieces).unwrap()),
        [
            Step {
                place: Place::Chunk(1),
                cut: Cut::new(vec![text("a"), bytes(1, 2), text("b"), bytes(5, 5)]).unwrap()
            },
            Step {
                place: Place::Chunk(3),
                cut: Cut::new(vec![text("c"), bytes(0, 4), text("end")]).unwrap()
            },
        ]
    );
}

#[test]
fn a_mark_is_believed_only_in_its_own_place() {
    let mark = Mark {
        generation: "g".into(),
        index: 2,
        length: 5,
        written_ms: 1,
        entry_key: "video:a.mp4:w=640".into(),
    };
    let text = r#"{"g":"g","i":2,"n":5,"c":1,"k":"video:a.mp4:w=640"}"#;
    assert_eq!(mark.encode().unwrap(), text, "as long as entries live");
    assert_eq!(Mark::decode(text).unwrap(), mark);
    for bad in ["", "{}", r#"{"g":"g","i":2,"n":5,"c":1,"k":"x","z":1}"#] {
        assert!(matches!(Mark::decode(bad), Err(Fault::Corrupt(_))), "{bad}");
    }
    let long = mark.encode().unwrap() + &" ".repeat(KV_METADATA_BYTES_MAX);
    assert!(matches!(Mark::decode(&long), Err(Fault::Corrupt(_))));
    let long = Mark { entry_key: "k".repeat(KV_METADATA_BYTES_MAX), ..mark };
    assert!(matches!(long.encode(), Err(Fault::TooLarge { .. })));
}

proptest! {
    /// Whatever is asked of a body: read from its places, it is what the body itself would give.
    #[test]
    fn the_steps_send_what_a_cut_of_the_whole_body_sends(
        length in 1_u64..200,
        chunk_bytes in 1_u64..60,
        head_bytes in 0_u64..80,
        edges in prop::collection::btree_set(0_u64..200, 1..9),
    ) {
        let body: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let layout = Layout::new(length, chunk_bytes).unwrap();
        let head = (head_bytes > 0).then(|| Head { behind: 3, bytes: head_bytes.min(length) });
        let edges: Vec<u64> = edges.into_iter().filter(|edge| *edge < length).collect();
        let mut pieces = Vec::new();
        for (index, pair) in edges.chunks(2).enumerate() {
            pieces.push(text(&format!("<{index}>")));
            pieces.push(bytes(pair[0], *pair.last().unwrap()));
        }
        pieces.push(text("."));
        prop_assume!(pieces.len() > 1);
        let cut = Cut::new(pieces).unwrap();

        let head_value = [b"man", &body[..head.map_or(0, |head| head.bytes as usize)]].concat();
        let steps = steps(layout, head, &cut);
        let mut sent = Vec::new();
        for Step { place, cut } in &steps {
            let value = match place {
                Place::Head => &head_value[..],
                Place::Chunk(index) => {
                    let range = layout.chunk(*index).unwrap();
                    &body[range.first() as usize..=range.last() as usize]
                }
            };
            sent.extend(send(cut, value));
        }
        prop_assert_eq!(sent, send(&cut, &body));
        let places: Vec<String> = steps.iter().map(|step| format!("{:?}", step.place)).collect();
        let mut once = places.clone();
        once.dedup();
        prop_assert_eq!(once, places, "every place is read once");
    }
}

fn send(cut: &Cut, value: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for piece in cut.pieces() {
        match piece {
            Piece::Text(text) => sent.extend(text.as_bytes()),
            Piece::Bytes(range) => {
                sent.extend(&value[range.first() as usize..=range.last() as usize]);
            }
        }
    }
    sent
}
