//! Goal: a source is served as a player, a cache and the transformation need it.

use crate::client::{BUNNY, BUNNY_BYTES, End, Local, probe};

#[tokio::test]
async fn a_sample_is_served_whole_with_length_type_and_validators() {
    let local = Local::start().await;
    for method in ["GET", "HEAD"] {
        let reply = local.ask(method, BUNNY, &[], b"").await;
        assert_eq!((reply.status, reply.end), (200, End::Whole), "{method}");
        assert_eq!(reply.header("content-length"), Some("1055736"));
        assert_eq!(reply.header("content-type"), Some("video/mp4"));
        assert_eq!(reply.header("accept-ranges"), Some("bytes"));
        assert!(reply.header("etag").unwrap().starts_with('"'));
        assert!(reply.header("last-modified").unwrap().ends_with("GMT"));
        assert_eq!(reply.body == BUNNY_BYTES, method == "GET");
    }
}

#[tokio::test]
async fn a_range_is_answered_with_exactly_its_bytes() {
    let local = Local::start().await;
    let all = BUNNY_BYTES.len();
    for (range, from, to) in [
        ("bytes=0-", 0, all),
        ("bytes=0-1", 0, 2),
        ("bytes=1000000-9999999", 1_000_000, all),
        ("bytes=-5", all - 5, all),
    ] {
        let reply = local.ask("GET", BUNNY, &[("range", range)], b"").await;
        assert_eq!((reply.status, reply.end), (206, End::Whole), "{range}");
        let content_range = format!("bytes {from}-{}/{all}", to - 1);
        assert_eq!(reply.header("content-range"), Some(content_range.as_str()));
        assert!(reply.body == BUNNY_BYTES[from..to], "{range}");
    }
    let beyond = local.ask("GET", BUNNY, &[("range", "bytes=1055736-")], b"").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */1055736")));
    let head = local.ask("HEAD", BUNNY, &[("range", "bytes=0-1")], b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("1055736")));
}

#[tokio::test]
async fn validators_decide_between_304_206_and_200() {
    let local = Local::start().await;
    let reply = local.get(BUNNY).await;
    let etag = reply.header("etag").unwrap();
    let date = reply.header("last-modified").unwrap();
    let weak = format!("W/{etag}");
    let list = format!("\"other\", {etag}");
    let old = "Thu, 01 Jan 1970 00:00:00 GMT";
    let range = ("range", "bytes=0-1");
    for (headers, status) in [
        (vec![("if-none-match", etag)], 304),
        (vec![("if-none-match", &weak)], 304),
        (vec![("if-none-match", &list)], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-none-match", "\"other\""), ("if-modified-since", date)], 200),
        (vec![("if-modified-since", date)], 304),
        (vec![("if-modified-since", old)], 200),
        (vec![range, ("if-range", etag)], 206),
        (vec![range, ("if-range", date)], 206),
        (vec![range, ("if-range", "\"other\"")], 200),
        (vec![range, ("if-range", &weak)], 200),
        (vec![range, ("if-range", old)], 200),
    ] {
        let reply = local.ask("GET", BUNNY, &headers, b"").await;
        assert_eq!((reply.status, reply.end), (status, End::Whole), "{headers:?}");
        assert_eq!(reply.header("etag"), Some(etag));
    }
}

#[tokio::test]
async fn a_sample_can_be_put_over_another_and_taken_away_again() {
    let local = Local::start().await;
    let shipped = local.get(BUNNY).await;
    assert_eq!(local.ask("PUT", BUNNY, &[], b"new").await.status, 201);
    let put = local.get(BUNNY).await;
    assert_eq!(put.text(), "new");
    assert_ne!(put.header("etag"), shipped.header("etag"));
    // In a row, faster than the file system's clock ticks, and of one length.
    let mut etags = std::collections::BTreeSet::new();
    for n in 10..30 {
        let text = n.to_string();
        assert_eq!(local.ask("PUT", BUNNY, &[], text.as_bytes()).await.status, 204);
        let again = local.get(BUNNY).await;
        assert_eq!(again.text(), text);
        assert!(etags.insert(again.header("etag").unwrap().to_owned()), "{n}");
    }
    assert_eq!(local.ask("DELETE", BUNNY, &[], b"").await.status, 204);
    assert_eq!(local.get(BUNNY).await.header("etag"), shipped.header("etag"));
    assert_eq!(local.ask("DELETE", BUNNY, &[], b"").await.status, 404);
}

#[tokio::test]
async fn samples_have_nested_names_and_none_leads_out_of_the_state_directory() {
    let local = Local::start().await;
    let nested = "/videos/nature/my%20clip.mp4";
    assert_eq!(local.ask("PUT", nested, &[], b"clip").await.status, 201);
    assert_eq!(local.get(nested).await.text(), "clip");
    assert_eq!(local.ask("PUT", "/videos/nature", &[], b"file").await.status, 409);
    for name in ["/videos/%2e%2e/out.mp4", "/videos/a%2f..%2f..%2fout", "/videos//etc/passwd"] {
        assert_eq!(local.ask("PUT", name, &[], b"x").await.status, 400, "{name}");
        assert_eq!(local.get(name).await.status, 400, "{name}");
    }
    assert_eq!(local.get("/videos/absent.mp4").await.status, 404);
    assert_eq!(local.get("/elsewhere").await.status, 404);
}

#[tokio::test]
async fn a_private_sample_is_shown_only_to_who_has_its_secret() {
    let local = Local::start().await;
    let bearer = ("authorization", "Bearer local-secret");
    let basic = ("authorization", "Basic bG9jYWw6c2VjcmV0");
    let header = ("x-origin-key", "local-secret");
    let name = "big-buck-bunny-720p-5s.mp4";
    for (place, secret, others) in [
        ("bearer", bearer, [basic, header]),
        ("basic", basic, [bearer, header]),
        ("header", header, [bearer, basic]),
    ] {
        let path = format!("/private/{place}/{name}");
        let shown = local.ask("GET", &path, &[secret], b"").await;
        assert!(shown.status == 200 && shown.body == BUNNY_BYTES, "{place}");
        assert_eq!(local.get(&path).await.status, 401, "{place}");
        for other in others {
            assert_eq!(local.ask("GET", &path, &[other], b"").await.status, 401, "{place}");
        }
        assert_eq!(local.ask("PUT", &path, &[secret], b"x").await.status, 405, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_sample_is_made_once_for_all_who_ask_and_is_what_its_name_says() {
    let local = Local::start().await;
    let path = "/videos/generated/3s-160x90.mp4";
    let (one, two, three) = tokio::join!(local.get(path), local.get(path), local.get(path));
    assert_eq!(one.status, 200);
    assert_eq!(one.header("etag"), two.header("etag"));
    assert!(one.body == two.body && two.body == three.body);
    let probed = probe(&one.body).await;
    assert_eq!(probed.streams, ["h264 160x90", "aac"]);
    assert!((probed.seconds - 3.0).abs() < 0.1, "{}", probed.seconds);
    assert_eq!(local.get("/videos/generated/601s-160x90.mp4").await.status, 404);
    assert_eq!(local.get("/videos/generated/3s-1922x90.mp4").await.status, 404);
}
