#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::needless_pass_by_value)] // documents are written where they are given

use serde_json::{Value, json};

use super::*;
use crate::json;
use crate::purge::target::Prefix;

fn given(document: Value) -> Result<Request, Vec<Mistake>> {
    read(&document.into(), &Config::defaults())
}

fn order(document: Value) -> Order {
    given(document).unwrap().order
}

#[track_caller]
fn mistakes(document: Value) -> Vec<(String, String)> {
    given(document).unwrap_err().into_iter().map(|Mistake { at, detail }| (at, detail)).collect()
}

#[test]
fn every_kind_of_target_is_read_and_nothing_twice() {
    let Request { order, dry_run } = given(json!({
        "tags": ["campaign", "campaign"],
        "paths": ["clips/a.mp4", "/clips/%61.mp4"],
        "prefixes": ["/clips/"],
        "urls": ["https://v.example/clips/a.mp4?width=64&height=36"],
        "hosts": ["V.example"],
        "mode": "soft", "by": "ann", "note": "new cut", "dry_run": true,
    }))
    .unwrap();
    assert!(dry_run);
    assert_eq!(
        (order.mode, order.by.as_str(), order.note.as_str()),
        (Mode::Soft, "ann", "new cut")
    );
    assert_eq!(
        order.targets,
        [
            Target::Tag("campaign".into()),
            Target::Path("clips/a.mp4".into()),
            Target::Prefix(Prefix { host: String::new(), path: "clips/".into() }),
            Target::Variant("video:clips/a.mp4:w=64:h=36:f=mp4:host=v.example".into()),
            Target::Host("v.example".into()),
        ]
    );
    assert_eq!(order.asked.paths, ["/clips/a.mp4"]);
    assert_eq!(order.files.len(), 1);
    assert!(!order.asked.everything && order.remarks.is_empty());
}

#[test]
fn a_hard_purge_of_a_host_says_that_nothing_is_deleted_for_it() {
    for (mode, remarks) in [("hard", 1), ("soft", 0)] {
        let of_host =
            json!({ "hosts": ["v.example"], "prefixes": ["v.example/a/", "/b/"], "mode": mode });
        let order = given(of_host).unwrap().order;
        assert_eq!(order.remarks.len(), remarks, "{mode}: {:?}", order.remarks);
        assert!(order.remarks.iter().all(|remark| remark.contains("v.example")));
    }
}

#[test]
fn a_purge_is_hard_and_done_where_nothing_else_is_said() {
    let request = given(json!({ "everything": true })).unwrap();
    assert_eq!((request.order.mode, request.dry_run), (Mode::Hard, false));
    assert_eq!(request.order.targets, [Target::Everything]);
}

#[test]
fn a_url_means_what_a_request_for_it_means_however_it_is_spelled() {
    let of = |url: &str| order(json!({ "urls": [url] })).targets;
    let one = of("https://v.example/a.mp4?width=640&height=360");
    assert_eq!(of("https://v.example/a.mp4?h=360&w=640"), one);
    assert_eq!(of("https://v.example:443/%61.mp4?imwidth=640&imheight=360"), one);
}

#[test]
fn a_url_whose_answer_depends_on_the_viewer_purges_its_source_and_says_so() {
    let order = order(json!({ "urls": ["https://v.example/a.mp4"] }));
    assert_eq!(order.targets, [Target::Path("a.mp4".into())]);
    assert!(order.files.is_empty());
    assert!(order.remarks[0].contains("every rendition of /a.mp4"), "{:?}", order.remarks);
}

#[test]
fn every_mistake_is_named_at_once_and_where_it_is() {
    let found = mistakes(json!({
        "tags": ["good", "bad tag", 7],
        "paths": "a.mp4",
        "urls": ["https://v.example/a.txt", "https://v.example/a.mp4?width=1"],
        "hosts": ["a/b"],
        "everything": "yes",
        "mode": "gentle",
        "by": "x".repeat(129),
        "note": "a\nb",
        "pathes/x~y": [],
    }));
    let at: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
    let wanted = [
        "/pathes~1x~0y",
        "/mode",
        "/everything",
        "/by",
        "/note",
        "/tags/1",
        "/tags/2",
        "/paths",
        "/urls/0",
        "/urls/1",
        "/hosts/0",
    ];
    assert_eq!(at, wanted, "{found:?}");
}

#[test]
fn what_purges_nothing_is_a_mistake() {
    for document in
        [json!({}), json!({ "tags": [] }), json!({ "everything": false }), json!([]), json!(null)]
    {
        assert_eq!(mistakes(document.clone()).len(), 1, "{document}");
    }
}

#[test]
fn a_call_has_a_thousand_targets_at_the_most_of_all_kinds_together() {
    let tags = |count: usize| (0..count).map(|index| format!("t{index}")).collect::<Vec<_>>();
    assert_eq!(order(json!({ "tags": tags(999), "hosts": ["a"] })).targets.len(), 1_000);
    let found = mistakes(json!({ "tags": tags(1_000), "hosts": ["a"] }));
    assert_eq!(
        found,
        [(String::new(), "1001 targets are more than the 1000 of one call".to_owned())]
    );
}

#[test]
fn a_thousand_mistakes_are_counted_and_a_hundred_named() {
    let found = mistakes(json!({ "tags": vec![" "; 1_000] }));
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].1, "900 more mistakes are not named");
}

#[test]
fn an_order_is_these_bytes_on_the_wire() {
    let mut order = Order::of(Mode::Hard, "ann".into(), "new \"cut\"".into());
    order.aim_at_everything();
    order.aim_at_tag("campaign".into());
    order.aim_at_path(&SourcePath::parse("/videos/a.mp4").unwrap());
    order.aim_at_prefix(Prefix { host: "v.example".into(), path: "b/".into() });
    order.aim_at_host("h.example".into());
    order.targets.push(Target::Variant("video:a.mp4:w=640".into()));
    order.asked.urls.push("https://v.example/a.mp4?width=640".into());
    order.files.push("https://v.example/a.mp4?width=640".into());
    order.remarks.push("more".into());
    let text = r#"{"mode":"hard","targets":["everything",{"tag":"campaign"},{"path":"videos/a.mp4"},{"prefix":{"host":"v.example","path":"b/"}},{"host":"h.example"},{"variant":"video:a.mp4:w=640"}],"files":["https://v.example/a.mp4?width=640"],"asked":{"tags":["campaign"],"paths":["/videos/a.mp4"],"prefixes":["v.example/b/"],"urls":["https://v.example/a.mp4?width=640"],"hosts":["h.example"],"everything":true},"remarks":["more"],"by":"ann","note":"new \"cut\""}"#;
    assert_eq!(json::write(&order), text);
    assert_eq!(json::read::<Order>(text).unwrap(), order);
    let least = r#"{"mode":"soft","targets":["everything"],"asked":{"tags":[],"paths":[],"prefixes":[],"urls":[],"hosts":[],"everything":true}}"#;
    let mut order = Order::of(Mode::Soft, String::new(), String::new());
    order.aim_at_everything();
    assert_eq!(json::read::<Order>(least).unwrap(), order);
}
