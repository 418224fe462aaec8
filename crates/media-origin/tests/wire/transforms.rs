//! Goal: every kind of output decodes as what was asked, is made once, and always the same.

use crate::client::{BUNNY, End, Local, drawn, probe};

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_makes_what_was_asked() {
    let local = Local::start().await;
    for (options, content_type, streams, seconds) in [
        ("mode=video,width=160", "video/mp4", vec!["h264 160x90", "aac"], 5.3),
        ("width=161,duration=2s", "video/mp4", vec!["h264 160x90", "aac"], 2.0),
        ("time=4s,height=90", "video/mp4", vec!["h264 160x90", "aac"], 1.3),
        (
            "time=1.5s,duration=1s,width=100,height=100,fit=cover,audio=false",
            "video/mp4",
            vec!["h264 100x100"],
            1.0,
        ),
        (
            "duration=1s,width=2000,height=90,fit=scale-down",
            "video/mp4",
            vec!["h264 160x90", "aac"],
            1.0,
        ),
        ("mode=frame,time=3500ms,width=101", "image/jpeg", vec!["mjpeg 101x57"], 0.0),
        ("mode=frame,format=png,height=45", "image/png", vec!["png 80x45"], 0.0),
        ("mode=spritesheet,imageCount=5,width=64", "image/jpeg", vec!["mjpeg 192x72"], 0.0),
        ("mode=audio,time=1s,duration=3s", "audio/mp4", vec!["aac"], 3.0),
    ] {
        let reply = local.get(&local.media(options, BUNNY)).await;
        assert_eq!((reply.status, reply.end), (200, End::Whole), "{options}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some(content_type), "{options}");
        assert_eq!(reply.header("cf-resized"), None, "{options}");
        let probed = probe(&reply.body).await;
        assert_eq!(probed.streams, streams, "{options}");
        assert!((probed.seconds - seconds).abs() < 0.1, "{options}: {}", probed.seconds);
        if streams[0].starts_with("h264") {
            assert_eq!(probed.pixel_format, "yuv420p", "{options}");
            let index = |name: &[u8]| reply.body.windows(4).position(|at| at == name);
            assert!(index(b"moov") < index(b"mdat"), "{options}: it cannot start while loading");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_that_of_its_time_and_a_sheet_has_no_empty_place() {
    let local = Local::start().await;
    let early = local.get(&local.media("mode=frame,time=0s,width=64", BUNNY)).await;
    let late = local.get(&local.media("mode=frame,time=4s,width=64", BUNNY)).await;
    assert!(early.body != late.body);
    // A sheet of more pictures has more in it; an empty place would add next to nothing.
    let source = "/videos/generated/4s-160x90.mp4";
    let sheet = async |count: u32| {
        let options = format!("mode=spritesheet,imageCount={count},width=160");
        local.get(&local.media(&options, source)).await.body.len()
    };
    let (three, four) = (sheet(3).await, sheet(4).await);
    assert!(four > three + three / 6, "{three} {four}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_is_made_once_kept_and_the_same_when_made_again() {
    let local = Local::start().await;
    let path = local.media("width=160,duration=2s", BUNNY);
    let made = local.get(&path).await;
    assert_eq!(made.header("cf-cache-status"), Some("MISS"));
    let kept = local.get(&path).await;
    assert_eq!(kept.header("cf-cache-status"), Some("HIT"));
    assert_eq!(local.ask("DELETE", "/_origin/cache", &[], b"").await.status, 204);
    let again = local.get(&path).await;
    assert_eq!(again.header("cf-cache-status"), Some("MISS"));
    assert!(made.body == kept.body && kept.body == again.body);
    assert_eq!(local.get_json("/_origin/bill").await["transforms"], 2);
    let restarted = Local::start_in(local.state_dir().to_owned(), |_| {}).await;
    // The same URL, asked of another server on the same disk.
    let after_restart = restarted.get(&path).await;
    assert_eq!(after_restart.header("cf-cache-status"), Some("HIT"));
    assert!(after_restart.body == made.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_url_is_the_key_and_an_overwritten_source_stays_stale_until_it_is_re_keyed() {
    let local = Local::start().await;
    let source = "/videos/changing.mp4";
    let first = local.get("/videos/generated/1s-64x64.mp4").await.body;
    let second = local.get("/videos/generated/2s-64x64.mp4").await.body;
    local.ask("PUT", source, &[], &first).await;
    let before = local.get(&local.media("width=32", source)).await;
    local.ask("PUT", source, &[], &second).await;
    let stale = local.get(&local.media("width=32", source)).await;
    assert!(stale.body == before.body);
    let fresh = local.get(&local.media("width=32", "/videos/changing.mp4?v=2")).await;
    assert_eq!(fresh.header("cf-cache-status"), Some("MISS"));
    assert!((probe(&fresh.body).await.seconds - 2.0).abs() < 0.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_who_ask_at_once_share_one_run() {
    let local = Local::start().await;
    let path = local.media("width=160,duration=1s", BUNNY);
    let (one, two, three) = tokio::join!(local.get(&path), local.get(&path), local.get(&path));
    assert!(one.status == 200 && one.body == two.body && two.body == three.body);
    let bill = local.get_json("/_origin/bill").await;
    assert_eq!((bill["transforms"].as_u64(), bill["requests"].as_u64()), (Some(1), Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_who_leaves_does_not_undo_the_work() {
    let local = Local::start().await;
    let path = local.media("width=160", BUNNY);
    let impatient = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(impatient, local.get(&path)).await.is_err());
    assert_eq!(local.get(&path).await.status, 200);
    assert_eq!(local.get_json("/_origin/bill").await["transforms"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_and_validators_change_nothing_and_head_is_get_without_a_body() {
    let local = Local::start().await;
    let path = local.media("width=64,duration=1s,filename=mine.mp4", BUNNY);
    let whole = local.get(&path).await;
    let headers = [("range", "bytes=0-1"), ("if-none-match", "*")];
    let ranged = local.ask("GET", &path, &headers, b"").await;
    assert!(ranged.status == 200 && ranged.body == whole.body);
    assert_eq!((ranged.header("accept-ranges"), ranged.header("etag")), (None, None));
    let head = local.ask("HEAD", &path, &[], b"").await;
    assert_eq!((head.status, head.end), (200, End::Whole));
    for name in ["content-type", "content-length", "content-disposition"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    let disposition = Some("inline; filename=\"mine.mp4\"");
    assert_eq!(whole.header("content-disposition"), disposition);
    assert_eq!(local.ask("POST", &path, &[], b"").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_animated_gif_is_a_source_too() {
    let local = Local::start().await;
    local.ask("PUT", "/videos/a.gif", &[], &drawn("gif").await).await;
    let reply = local.get(&local.media("mode=video,width=32", "/videos/a.gif")).await;
    assert_eq!(probe(&reply.body).await.streams, ["h264 32x32"], "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_noise_sample_is_within_the_source_limit_and_its_rendition_is_over_25_mib() {
    let local = Local::start().await;
    let source = "/videos/generated/noise-10s-640x360.mp4";
    let head = local.ask("HEAD", source, &[], b"").await;
    let source_bytes: u64 = head.header("content-length").unwrap().parse().unwrap();
    assert!(source_bytes < 100_000_000, "{source_bytes}");
    let rendition = local.get(&local.media("mode=video", source)).await;
    assert_eq!((rendition.status, rendition.end), (200, End::Whole), "{}", rendition.status);
    assert!(rendition.body.len() > 25 * 1024 * 1024, "{}", rendition.body.len());
}
