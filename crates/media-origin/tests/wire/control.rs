//! Goal: what the control API says is what happened.

use crate::client::{BUNNY, Local};

#[tokio::test(flavor = "multi_thread")]
async fn the_bill_counts_each_unique_output_once_and_each_run_and_request() {
    let local = Local::start().await;
    let video = local.media("width=64", BUNNY);
    for path in [
        video.as_str(),
        &video,
        &local.media("mode=audio,duration=2s", BUNNY),
        &local.media("mode=frame", BUNNY),
        &local.media("mode=spritesheet,width=64", BUNNY),
    ] {
        assert_eq!(local.get(path).await.status, 200);
    }
    local.get(&local.media("width=1", BUNNY)).await;
    let bill = local.get_json("/_origin/bill").await;
    assert_eq!(bill["operations"], 6 + 2 + 1 + 1);
    assert_eq!((bill["transforms"].as_u64(), bill["requests"].as_u64()), (Some(4), Some(6)));
    let unique = bill["unique"].as_array().unwrap();
    assert_eq!(unique.len(), 4);
    assert!(unique.iter().any(|line| line["url"] == *video && line["operations"] == 6));
    // Cleared outputs are made again, and not billed again.
    local.ask("DELETE", "/_origin/cache", &[], b"").await;
    local.get(&video).await;
    let bill = local.get_json("/_origin/bill").await;
    assert_eq!((bill["operations"].as_u64(), bill["transforms"].as_u64()), (Some(10), Some(5)));
    assert_eq!(local.ask("DELETE", "/_origin/bill", &[], b"").await.status, 204);
    assert_eq!(local.get_json("/_origin/bill").await["operations"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_has_every_request_but_those_to_the_control_api() {
    let local = Local::start().await;
    let headers = [
        ("range", "bytes=0-1"),
        ("authorization", "Bearer x"),
        ("via", "1.1 edge"),
        ("cdn-loop", "cloudflare"),
        ("user-agent", "a test"),
    ];
    local.ask("GET", "/videos/big-buck-bunny-720p-5s.mp4?v=1", &headers, b"").await;
    local.get("/source-fault/reset/videos/a.mp4").await;
    local.get(&local.media("mode=frame,width=64", BUNNY)).await;
    let journal = local.get_json("/_origin/requests").await;
    let first = serde_json::json!({
        "n": 1, "method": "GET", "path": "/videos/big-buck-bunny-720p-5s.mp4?v=1", "status": 206,
        "range": "bytes=0-1", "authorization": true, "via": "1.1 edge",
        "cdn_loop": "cloudflare", "user_agent": "a test",
    });
    assert_eq!(journal[0], first);
    assert_eq!(journal[1]["status"], serde_json::Value::Null);
    // The fetch of the source ends before the transformation that made it.
    assert_eq!(journal[2]["path"], BUNNY);
    assert!(journal[2]["user_agent"].as_str().unwrap().starts_with("media-origin/"));
    assert_eq!(journal[3]["path"], local.media("mode=frame,width=64", BUNNY));
    assert_eq!(journal.as_array().unwrap().len(), 4);
    assert_eq!(local.ask("DELETE", "/_origin/requests", &[], b"").await.status, 204);
    assert_eq!(local.get_json("/_origin/requests").await, serde_json::json!([]));
}

#[tokio::test]
async fn the_page_and_its_files_are_served() {
    let local = Local::start().await;
    assert_eq!(local.get_json("/_origin/health").await["ok"], true);
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/page/index.html", "text/html; charset=utf-8"),
        ("/page/page.js", "text/javascript; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
    ] {
        let reply = local.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
        assert!(!reply.body.is_empty(), "{path}");
    }
    assert_eq!(local.get("/page/secret.html").await.status, 404);
}
