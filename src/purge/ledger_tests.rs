#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::cache::tags::short_form;

fn tags(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

fn prefix(host: &str, path: &str) -> Target {
    Target::Prefix(Prefix { host: host.to_owned(), path: path.to_owned() })
}

/// Of one rendition, what a purge of each kind that is aimed at it may be.
fn subject(tags: &[String]) -> Subject<'_> {
    Subject {
        host: Some("v.example"),
        path: Some("videos/2024/a.mp4"),
        kv_key: "video:videos/2024/a.mp4:w=640:f=mp4",
        tags,
    }
}

#[test]
fn a_purge_of_a_host_bears_on_it_however_a_viewer_writes_it() {
    let in_folder = prefix("v.example", "videos/2024/");
    for target in [Target::Host("v.example".into()), Target::Host("v.example.".into()), in_folder] {
        for targets_max in [9, 0] {
            let mut ledger = Ledger::default();
            ledger.record(Mode::Hard, std::slice::from_ref(&target));
            ledger.fold_beyond(targets_max, 0);
            for host in ["v.example", "V.example."] {
                let subject = Subject { host: Some(host), ..subject(&[]) };
                assert_eq!(ledger.standing(0, &subject), Standing::Purged, "{target:?} {host}");
            }
        }
    }
}

#[test]
fn every_kind_of_target_bears_on_what_it_names_and_on_nothing_else() {
    let long = format!("asset:{}", "x".repeat(60));
    let tags = tags(&["asset:videos/2024/a.mp4", "Campaign", &long]);
    let short = vec![short_form(&long)];
    for (target, bears) in [
        (Target::Everything, true),
        (Target::Tag("campaign".into()), true),
        (Target::Tag("ASSET:videos/2024/A.mp4".into()), true),
        (Target::Tag("camp".into()), false),
        (Target::Tag(long.to_uppercase()), true),
        (Target::Path("videos/2024/a.mp4".into()), true),
        (Target::Path("videos/2024/A.mp4".into()), false),
        (Target::Path("videos/2024".into()), false),
        (Target::Variant("video:videos/2024/a.mp4:w=640:f=mp4".into()), true),
        (Target::Variant("video:videos/2024/a.mp4:w=641:f=mp4".into()), false),
        (Target::Host("V.example".into()), true),
        (Target::Host("w.example".into()), false),
        (prefix("", ""), true),
        (prefix("", "videos/20"), true),
        (prefix("", "videos/2025"), false),
        (prefix("v.example", "videos/"), true),
        (prefix("w.example", "videos/"), false),
    ] {
        let mut ledger = Ledger::default();
        ledger.record(Mode::Hard, std::slice::from_ref(&target));
        let standing = ledger.standing(0, &subject(&tags));
        assert_eq!(standing == Standing::Purged, bears, "{target:?}");
    }
    let mut ledger = Ledger::default();
    ledger.record(Mode::Hard, &[Target::Tag(long)]);
    assert_eq!(
        ledger.standing(0, &subject(&short)),
        Standing::Purged,
        "the short form is the same tag"
    );
}

#[test]
fn what_is_not_known_of_a_subject_is_not_purged_by_it() {
    let unknown = Subject { host: None, path: None, kv_key: "video:a", tags: &[] };
    for target in
        [Target::Host("v.example".into()), Target::Path(String::new()), prefix("v.example", "")]
    {
        let mut ledger = Ledger::default();
        ledger.record(Mode::Hard, std::slice::from_ref(&target));
        assert_eq!(ledger.standing(0, &unknown), Standing::Valid, "{target:?}");
    }
}

#[test]
fn only_a_fill_that_had_heard_of_a_purge_survives_it() {
    let mut ledger = Ledger::default();
    let path = || vec![Target::Path("videos/2024/a.mp4".into())];
    assert_eq!(ledger.record(Mode::Hard, &path()), 1);
    assert_eq!(ledger.record(Mode::Hard, &[Target::Path("other.mp4".into())]), 2);
    assert_eq!(ledger.record(Mode::Soft, &path()), 3);
    let standings = [0, 1, 2, 3, 4].map(|heard| ledger.standing(heard, &subject(&[])));
    let expected =
        [Standing::Purged, Standing::Soft, Standing::Soft, Standing::Valid, Standing::Valid];
    assert_eq!(standings, expected);
}

#[test]
fn a_hard_purge_after_a_soft_one_is_hard() {
    let mut ledger = Ledger::default();
    ledger.record(Mode::Soft, &[Target::Everything]);
    assert_eq!(ledger.standing(0, &subject(&[])), Standing::Soft);
    ledger.record(Mode::Hard, &[Target::Everything]);
    assert_eq!(ledger.standing(1, &subject(&[])), Standing::Purged);
}

#[test]
fn the_ledger_is_written_as_these_bytes_for_as_long_as_isolates_read_it() {
    let mut ledger = Ledger::default();
    ledger.record(Mode::Soft, &[Target::Everything]);
    ledger.record(Mode::Hard, &[Target::Tag("Campaign".into()), Target::Path("a.mp4".into())]);
    ledger.record(Mode::Hard, &[prefix("v.example", "videos/")]);
    ledger.buckets.insert(7, Mark(1, 0));
    let text = ledger.encode().unwrap();
    assert_eq!(
        text,
        r#"{"v":1,"n":3,"e":[0,1],"t":{"16d9d257ac5029c2":[2,0],"25691985a6620bd8":[2,0]},"p":{"v.example/videos/":[3,0]},"b":{"7":[1,0]}}"#
    );
    assert_eq!(Ledger::decode(&text).unwrap(), ledger);
}

#[test]
fn marks_are_written_in_the_order_of_their_names_as_text() {
    let mut ledger = Ledger { number: 9, ..Ledger::default() };
    let names = [1, 0xfff, 0x1000, 0x1bff, 0x400, 0xff, u64::MAX, 0];
    for name in names {
        ledger.buckets.insert(name, Mark(1, 0));
    }
    for (host, path) in [("a-b", "x"), ("a", "y"), ("", "z")] {
        ledger.prefixes.insert(Prefix { host: host.into(), path: path.into() }, Mark(0, 2));
    }
    let text = ledger.encode().unwrap();
    assert_eq!(
        text,
        r#"{"v":1,"n":9,"e":[0,0],"t":{},"p":{"/z":[0,2],"a-b/x":[0,2],"a/y":[0,2]},"b":{"0":[1,0],"1":[1,0],"1000":[1,0],"1bff":[1,0],"400":[1,0],"ff":[1,0],"fff":[1,0],"ffffffffffffffff":[1,0]}}"#
    );
    assert_eq!(Ledger::decode(&text).unwrap(), ledger);
}

#[test]
fn what_is_stored_of_a_target_is_this_number_for_ever() {
    for (target, number) in [
        (Target::Tag(format!("Asset:{}", "X".repeat(60))), 0x1a15_e8ce_5699_4850),
        (Target::Host("V.example.".into()), 0x4394_a3d5_ed39_e11c),
    ] {
        assert_eq!(target.digest(), Some(number), "{target:?}");
    }
    assert_eq!(folder_digest("", "videos"), 0x58da_f1d1_1c36_d774);
    assert_eq!(folder_digest("V.example", "videos"), 0x6f53_3d7c_2b13_7e54);
}

#[test]
fn what_no_ledger_can_be_is_corrupt() {
    let good = r#"{"v":1,"n":3,"e":[0,1],"t":{"ff":[2,0]},"p":{"/a":[3,0]},"b":{}}"#;
    assert!(Ledger::decode(good).is_ok());
    for (bad, why) in [
        (String::new(), "empty"),
        (good.replace("\"v\":1", "\"v\":2"), "another version"),
        (good.replace("\"ff\"", "\"fg\""), "no digest"),
        (good.replace("\"/a\"", "\"a\""), "no prefix"),
        (good.replace("[3,0]", "[4,0]"), "a purge that is yet to come"),
        (format!("{good}{}", " ".repeat(LEDGER_BYTES_MAX)), "too long"),
    ] {
        assert_eq!(Ledger::decode(&bad), Err(Fault::Corrupt("a ledger that is not ours")), "{why}");
    }
}

#[test]
fn a_purge_of_everything_makes_room() {
    let mut ledger = Ledger::default();
    for index in 0..10 {
        ledger
            .record(Mode::Hard, &[Target::Path(index.to_string()), prefix("", &index.to_string())]);
    }
    ledger.record(Mode::Soft, &[Target::Everything]);
    assert_eq!((ledger.targets.len(), ledger.prefixes.len()), (10, 10), "those were hard");
    ledger.record(Mode::Hard, &[Target::Everything]);
    assert_eq!((ledger.targets.len(), ledger.prefixes.len()), (0, 0));
}

#[test]
fn what_is_forgotten_is_every_purge_up_to_a_number_and_no_other() {
    let path = |index: u8| Target::Path(format!("{index}.mp4"));
    let mut ledger = Ledger::default();
    ledger.record(Mode::Hard, &[Target::Everything]);
    ledger.record(Mode::Hard, &[path(1), path(2), prefix("", "1")]);
    ledger.record(Mode::Hard, &[path(2)]);
    ledger.forget(2);
    for (path, standing) in [("1.mp4", Standing::Valid), ("2.mp4", Standing::Purged)] {
        let subject = Subject { path: Some(path), ..subject(&[]) };
        assert_eq!(ledger.standing(0, &subject), standing, "{path}");
    }
    assert_eq!(ledger.number(), 3);
    assert_eq!(ledger.record(Mode::Hard, &[path(1)]), 4);
}

#[test]
fn however_many_purges_there_are_the_ledger_stays_within_its_bounds() {
    let mut ledger = Ledger::default();
    let host = "h".repeat(253);
    for index in 0..20_000_u64 {
        let path = format!("{index}/{}", "p".repeat(PREFIX_BYTES));
        let targets =
            [Target::Tag(format!("tag-{index}")), prefix(&host, &path), Target::Path(path)];
        ledger.record(Mode::Hard, &targets);
    }
    assert!(
        ledger.targets.len() <= LEDGER_TARGETS_MAX && ledger.prefixes.len() <= LEDGER_PREFIXES_MAX
    );
    assert!(ledger.encode().unwrap().len() <= LEDGER_BYTES_MAX);
    assert_eq!(ledger.everything, Mark::default(), "no purge of a folder became one of everything");
}

const PREFIX_BYTES: usize = crate::limits::PURGE_PREFIX_BYTES_MAX - 8;

#[test]
fn what_is_folded_still_tells_most_entries_apart() {
    let mut ledger = Ledger::default();
    for index in 0..LEDGER_TARGETS_MAX + 40 {
        ledger.record(Mode::Hard, &[Target::Path(format!("purged/{index}.mp4"))]);
    }
    let spared = (0..1_000).filter(|index| {
        let path = format!("others/{index}.mp4");
        let key = format!("video:{path}:f=mp4");
        let subject =
            Subject { host: Some("v.example"), path: Some(&path), kv_key: &key, tags: &[] };
        ledger.standing(0, &subject) == Standing::Valid
    });
    // Some 300 folded purges fill a quarter of the buckets of paths, and none of another kind.
    assert!(spared.count() > 600);
}

/// Few names, so that purges meet each other and what they are aimed at.
fn targets() -> impl Strategy<Value = Target> {
    let host = prop_oneof![
        Just(String::new()),
        Just("v.example".to_owned()),
        Just("w.example".to_owned())
    ];
    prop_oneof![
        1 => Just(Target::Everything),
        8 => (0..40_u8).prop_map(|index| Target::Tag(format!("tag-{index}"))),
        8 => (0..40_u8).prop_map(|index| Target::Path(format!("f{}/g/{index}.mp4", index % 3))),
        4 => (0..40_u8).prop_map(|index| Target::Variant(format!("key-{index}"))),
        2 => host.clone().prop_map(Target::Host),
        6 => (host, 0..40_u8).prop_map(|(host, index)| {
            let path = format!("f{}/g/{}", index % 3, index / 3);
            Target::Prefix(Prefix { host, path })
        }),
    ]
}

/// What a purge bears on, said plainly.
fn bears(target: &Target, subject: &Subject<'_>) -> bool {
    match target {
        Target::Everything => true,
        Target::Tag(tag) => subject.tags.contains(tag),
        Target::Path(path) => subject.path == Some(path),
        Target::Variant(key) => subject.kv_key == key,
        Target::Host(host) => subject.host == Some(host),
        Target::Prefix(Prefix { host, path }) => {
            subject.path.unwrap().starts_with(path)
                && (host.is_empty() || subject.host == Some(host))
        }
    }
}

proptest! {
    /// The ledger held against a list of all purges that nobody ever shortens, with bounds so tight that it folds all the time.
    #[test]
    fn folding_never_unpurges(
        purges in proptest::collection::vec((any::<bool>(), proptest::collection::vec(targets(), 1..4)), 1..60),
        index in 0..40_u8, heard_part in 0.0..1.0_f64,
    ) {
        let mut ledger = Ledger::default();
        for (is_hard, targets) in &purges {
            ledger.record(if *is_hard { Mode::Hard } else { Mode::Soft }, targets);
            squeeze(&mut ledger);
        }
        let path = format!("f{}/g/{index}.mp4", index % 3);
        let key = format!("key-{index}");
        let tags = vec![format!("tag-{index}")];
        let subject = Subject { host: Some("v.example"), path: Some(&path), kv_key: &key, tags: &tags };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let heard = (heard_part * purges.len() as f64) as u64;
        let later = purges.iter().zip(1..).filter(|(_, number)| *number > heard);
        let bearing = later.filter(|((_, targets), _)| targets.iter().any(|it| bears(it, &subject)));
        let (mut is_purged, mut is_soft) = (false, false);
        for ((is_hard, _), _) in bearing {
            is_purged |= is_hard;
            is_soft |= !is_hard;
        }
        let standing = ledger.standing(heard, &subject);
        prop_assert!(!is_purged || standing == Standing::Purged, "{standing:?}");
        prop_assert!(!is_soft || standing != Standing::Valid, "{standing:?}");
        let again = Ledger::decode(&ledger.encode().unwrap()).unwrap();
        prop_assert_eq!(again.standing(heard, &subject), standing);
    }
}

/// Folds as if the bounds were ten times tighter.
#[test]
fn of_targets_of_one_purge_as_many_are_folded_as_there_is_no_room_for() {
    let mut ledger = Ledger::default();
    ledger.record(Mode::Hard, &[Target::Path("first.mp4".into())]);
    let later: Vec<_> = (0..19).map(|index| Target::Path(format!("{index}.mp4"))).collect();
    ledger.record(Mode::Hard, &later);
    let first = Target::Path("first.mp4".into()).digest().unwrap();
    ledger.fold_beyond(12, 3);
    assert_eq!((ledger.targets.len(), ledger.targets.get(&first)), (9, None));
}

fn squeeze(ledger: &mut Ledger) {
    ledger.fold_beyond(12, 3);
}
