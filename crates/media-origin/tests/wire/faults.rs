//! Goal: each fault is seen on the wire as it was ordered, on sources and on transformations.
//! Method: the shipped sample and one small frame of it, first well, then with each fault.

use std::time::Duration;

use crate::client::{BUNNY, BUNNY_BYTES, End, Local, Reply};

const NAME: &str = "big-buck-bunny-720p-5s.mp4";

/// What each fault does to a body; sources and transformations alike.
fn check(fault: &str, well: &Reply, ill: &Reply) {
    let length = |reply: &Reply| reply.header("content-length").map(str::to_owned);
    let total = well.body.len();
    match fault {
        "latency-300" => {
            assert!(ill.head_after >= Duration::from_millis(300), "{fault}");
            assert!(ill.end == End::Whole && ill.body == well.body, "{fault}");
        }
        "drip-1000-4" => {
            let dripped = ill.end_after.saturating_sub(ill.head_after);
            // Three pauses come after the first piece; half of the time is left for noise.
            assert!(dripped >= Duration::from_millis(500), "{fault}: {dripped:?}");
            assert!(ill.end == End::Whole && ill.body == well.body, "{fault}");
            assert_eq!(length(ill), length(well), "{fault}");
        }
        "truncate-1000" => {
            assert_eq!((ill.status, ill.end), (200, End::Short), "{fault}");
            assert_eq!(length(ill), Some(total.to_string()), "{fault}");
            assert!(ill.body == well.body[..1_000], "{fault}");
        }
        "truncate-0" => {
            assert_eq!((ill.status, ill.end), (200, End::Short), "{fault}");
            assert!(ill.body.is_empty(), "{fault}");
        }
        "truncate-99999999" | "header-Cache-Control=private" => {
            assert!(ill.end == End::Whole && ill.body == well.body, "{fault}");
            let private = fault.starts_with("header").then_some("private");
            assert_eq!(ill.header("cache-control"), private, "{fault}");
        }
        "no_length" => {
            assert_eq!((length(ill), ill.end), (None, End::Whole), "{fault}");
            assert!(ill.body == well.body, "{fault}");
        }
        "truncate_no_length-1000" => {
            assert_eq!((ill.status, length(ill)), (200, None), "{fault}");
            assert_eq!(ill.end, End::Reset, "{fault}");
            assert!(ill.body == well.body[..1_000], "{fault}");
        }
        "error_in_200-9402" => {
            assert_eq!((ill.status, ill.end), (200, End::Whole), "{fault}");
            assert_eq!(ill.header("cf-resized"), Some("err=9402"), "{fault}");
            assert!(ill.header("content-type").unwrap().starts_with("text/plain"), "{fault}");
        }
        "status-503" => assert_eq!((ill.status, ill.end), (503, End::Whole), "{fault}"),
        "reset" => assert_eq!((ill.status, ill.end), (0, End::Reset), "{fault}"),
        "hang-200" => {
            assert_eq!((ill.status, ill.end), (0, End::Reset), "{fault}");
            assert!(ill.end_after >= Duration::from_millis(200), "{fault}");
        }
        other => panic!("{other}"),
    }
}

const FAULTS: [&str; 12] = [
    "latency-300",
    "drip-1000-4",
    "truncate-1000",
    "truncate-0",
    "truncate-99999999",
    "header-Cache-Control=private",
    "no_length",
    "truncate_no_length-1000",
    "error_in_200-9402",
    "status-503",
    "reset",
    "hang-200",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_a_path_is_suffered_by_the_transformation_and_not_by_its_source() {
    let local = Local::start().await;
    let options = "mode=frame,width=320";
    let well = local.get(&local.media(options, BUNNY)).await;
    assert_eq!(well.status, 200);
    for fault in FAULTS {
        let source = format!("/fault/{fault}/videos/{NAME}");
        let path = local.media(options, &source);
        if fault.starts_with("drip") {
            local.get(&path).await; // Made beforehand, so that its head is a matter of no time.
        }
        check(fault, &well, &local.get(&path).await);
        let source = local.get(&source).await;
        assert!(source.end == End::Whole && source.body == BUNNY_BYTES, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_fault_in_a_path_is_suffered_by_the_source() {
    let local = Local::start().await;
    let well = local.get(BUNNY).await;
    for fault in FAULTS {
        let ill = local.get(&format!("/source-fault/{fault}/videos/{NAME}")).await;
        check(fault, &well, &ill);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untransformed_answer_is_the_source_itself_under_its_own_type() {
    let local = Local::start().await;
    let source = format!("/fault/untransformed/videos/{NAME}");
    let reply = local.get(&local.media("mode=frame,width=64", &source)).await;
    assert!(reply.status == 200 && reply.body == BUNNY_BYTES);
    assert_eq!(reply.header("content-type"), Some("video/mp4"));
    assert_eq!(reply.header("content-length"), Some("1055736"));
    assert_eq!(local.get_json("/_origin/bill").await["operations"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_fault_meets_the_requests_it_matches_as_often_as_ordered() {
    let local = Local::start().await;
    let path = local.media("mode=frame,width=64", BUNNY);
    assert_eq!(local.get(&path).await.status, 200);
    let order = |on: &str, times: &str| {
        format!(
            r#"{{"match":"big-buck","on":"{on}","fault":{{"kind":"status","status":503}},"times":{times}}}"#
        )
    };
    let ordered = local.post_json("/_origin/faults", &order("transform", "2")).await;
    assert_eq!((ordered.status, ordered.text().as_str()), (201, r#"{"id":1}"#));
    let listed = local.get_json("/_origin/faults").await;
    assert_eq!(listed[0]["id"], 1);
    assert_eq!(listed[0]["times"], 2);
    assert_eq!(listed[0]["fault"]["kind"], "status");
    assert_eq!(local.get(BUNNY).await.status, 200);
    for status in [503, 503, 200] {
        assert_eq!(local.get(&path).await.status, status);
    }
    local.post_json("/_origin/faults", &order("source", "null")).await;
    assert_eq!(local.get(&path).await.status, 200);
    assert_eq!(local.get(BUNNY).await.status, 503);
    assert_eq!(local.ask("DELETE", "/_origin/faults/2", &[], b"").await.status, 204);
    assert_eq!(local.ask("DELETE", "/_origin/faults/2", &[], b"").await.status, 404);
    assert_eq!(local.get(BUNNY).await.status, 200);
    local.post_json("/_origin/faults", &order("any", "null")).await;
    assert_eq!((local.get(BUNNY).await.status, local.get(&path).await.status), (503, 503));
    assert_eq!(local.ask("DELETE", "/_origin/faults", &[], b"").await.status, 204);
    assert_eq!((local.get(BUNNY).await.status, local.get(&path).await.status), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_can_be_stacked() {
    let local = Local::start().await;
    let source = format!("/fault/header-Set-Cookie=a%2Fb/fault/truncate-10/videos/{NAME}");
    let reply = local.get(&local.media("mode=frame,width=64", &source)).await;
    assert_eq!((reply.header("set-cookie"), reply.body.len()), (Some("a/b"), 10));
}

#[tokio::test]
async fn what_is_no_fault_is_refused_with_a_reason() {
    let local = Local::start().await;
    for (order, reason) in [
        ("{", "JSON"),
        (r#"{"match":"","on":"moon","fault":{"kind":"reset"}}"#, "moon"),
        (r#"{"match":"","on":"any","fault":{"kind":"explode"}}"#, "explode"),
        (r#"{"match":"","on":"any","fault":{"kind":"hang","ms":600001}}"#, "600001"),
        (r#"{"match":"","on":"any","fault":{"kind":"reset"},"times":0}"#, "times"),
        (r#"{"match":"","on":"any","fault":{"kind":"reset"},"often":1}"#, "often"),
    ] {
        let reply = local.post_json("/_origin/faults", order).await;
        assert_eq!(reply.status, 400, "{order}");
        assert!(reply.text().contains(reason), "{order}: {}", reply.text());
    }
    assert_eq!(local.get(&format!("/fault/explode/videos/{NAME}")).await.status, 404);
}
