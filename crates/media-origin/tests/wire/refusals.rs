//! Goal: each error of the platform, from its cause, in the body and in `Cf-Resized`.

use crate::client::{BUNNY, Local, drawn, scripted};

#[track_caller]
fn refused(reply: &crate::client::Reply, status: u16, code: u16, why: &str) {
    let text = reply.text();
    assert_eq!(reply.header("cf-resized"), Some(format!("err={code}").as_str()), "{why} {text}");
    assert_eq!(reply.status, status, "{why}");
    assert!(text.starts_with(&format!("ERROR {code}: ")), "{why}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_request_or_source_has_its_code() {
    let local = Local::start().await;
    local.ask("PUT", "/videos/a.txt", &[], b"no video at all").await;
    local.ask("PUT", "/videos/a.mkv", &[], &drawn("mkv").await).await;
    let bunny = include_bytes!("../../samples/big-buck-bunny-720p-5s.mp4");
    local.ask("PUT", "/videos/half.mp4", &[], &bunny[..500_000]).await;
    let nested = local.media("width=64", BUNNY);
    for (options, source, status, code) in [
        ("quality=high", BUNNY, 400, 9_401),
        ("width=64,fit=crop", BUNNY, 400, 9_401),
        ("width=64", nested.as_str(), 400, 9_401),
        ("mode=frame,time=6s", BUNNY, 400, 9_401),
        ("mode=video,time=6s", BUNNY, 400, 9_401),
        ("width=64", "/videos/absent.mp4", 404, 9_404),
        ("width=64", "/private/bearer/big-buck-bunny-720p-5s.mp4", 403, 9_408),
        ("width=64", "/videos/a.txt", 415, 9_412),
        ("width=64", "/videos/a.mkv", 415, 9_412),
        ("mode=video,duration=1s", "/videos/half.mp4", 415, 9_412),
        ("width=64", "/source-fault/status-503/videos/big-buck-bunny-720p-5s.mp4", 502, 9_509),
        ("width=64", "/source-fault/truncate-1000/videos/big-buck-bunny-720p-5s.mp4", 502, 9_402),
        ("width=64", "/source-fault/reset/videos/big-buck-bunny-720p-5s.mp4", 504, 9_504),
    ] {
        let reply = local.get(&local.media(options, source)).await;
        refused(&reply, status, code, &format!("{options} {source}"));
    }
    // Told by its container, not by a decoder that happens to fail.
    let other = local.get(&local.media("width=64", "/videos/a.mkv")).await.text();
    assert!(other.contains("not an MP4 or GIF"), "{other}");
    assert_eq!(local.get_json("/_origin/bill").await["operations"], 0);
}

#[tokio::test]
async fn a_host_without_a_name_and_a_port_without_a_server_are_told_apart() {
    let local = Local::start().await;
    let reply = local.get("/cdn-cgi/media/width=64/http://no-such-host.invalid/a.mp4").await;
    refused(&reply, 502, 9_407, "no such host");
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reply = local.get(&format!("/cdn-cgi/media/width=64/http://{closed}/a.mp4")).await;
    refused(&reply, 504, 9_504, "nobody listens");
}

#[tokio::test]
async fn a_source_over_the_limit_is_refused_by_its_announced_size() {
    let bytes = 1_055_736;
    for (limit, code) in [(bytes, Some("err=9402")), (bytes + 1, None)] {
        let local = Local::start_with(|settings| settings.source_bytes_max = limit).await;
        let reply = local.get(&local.media("mode=frame,width=64", BUNNY)).await;
        assert_eq!(reply.header("cf-resized"), code, "{}", reply.text());
    }
}

#[tokio::test]
async fn an_origin_must_honour_ranges_and_keep_its_promises() {
    let local = Local::start().await;
    for (why, answer) in [
        ("no ranges", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        ("no Content-Range", "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx"),
        (
            "no total",
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\nContent-Range: bytes 0-0/*\r\n\r\nx",
        ),
        (
            "not all of it",
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\nContent-Range: bytes 0-0/9\r\n\r\nx",
        ),
        (
            "more than promised",
            "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nContent-Range: bytes 0-0/1\r\n\r\nxy",
        ),
        (
            "redirects without end",
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ] {
        let origin = scripted(answer.to_owned()).await;
        let reply = local.get(&format!("/cdn-cgi/media/width=64/http://{origin}/a.mp4")).await;
        refused(&reply, 502, 9_402, why);
    }
}

#[tokio::test]
async fn a_redirect_to_a_good_source_is_followed() {
    let local = Local::start().await;
    let location = local.url(BUNNY);
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let origin = scripted(answer).await;
    let path = format!("/cdn-cgi/media/mode=frame,width=64/http://{origin}/a.mp4");
    assert_eq!(local.get(&path).await.status, 200);
}

#[tokio::test]
async fn sources_must_be_https_when_the_platform_is_taken_at_its_word() {
    let local = Local::start_with(|settings| settings.require_https = true).await;
    refused(&local.get(&local.media("width=64", BUNNY)).await, 400, 9_406, "http");
}

#[tokio::test]
async fn a_failure_of_our_own_is_9517() {
    let local = Local::start().await;
    std::fs::remove_dir_all(local.state_dir().join("outputs")).unwrap();
    let reply = local.get(&local.media("mode=frame,width=64", BUNNY)).await;
    refused(&reply, 500, 9_517, "nowhere to keep it");
}
