//! What holds of stored metadata and of relayed addresses, whatever they are made of.

use proptest::prelude::*;
use proptest::{collection, option};
use video_resizer::cache::entry::{Metadata, VERSION, generation};
use video_resizer::limits::KV_METADATA_BYTES_MAX;
use video_resizer::media::relay;
use video_resizer::request::path::SourcePath;

/// Metadata that this house may write.
fn metadata() -> impl Strategy<Value = Metadata> {
    let times =
        (0..4_000_000_000_000_u64, 0..100_000_u64, 0..40_000_000_000_u64, 0..40_000_000_000_u64);
    let names = (
        "[a-z0-9-]{1,32}",
        option::of("[!-~]{1,300}"),
        "[a-z0-9:=.-]{0,120}",
        option::of("[a-z0-9_-]{1,32}"),
        collection::vec("[!-+.-~-]{1,128}", 0..24),
    );
    (any::<u128>(), 1..u64::MAX / 2, times, names, any::<u8>(), option::of(any::<Option<u16>>()))
        .prop_map(|(id, length, (began, made, fresh, stale), names, source, failure)| {
            let (origin, path, options, preset, tags) = names;
            Metadata {
                version: VERSION,
                generation: generation(id),
                status: if failure.is_some() { 502 } else { 200 },
                content_type: if failure.is_some() {
                    String::new()
                } else {
                    "video/mp4".to_owned()
                },
                length: if failure.is_some() { 0 } else { length },
                began_ms: began,
                heard: began % 7,
                created_ms: began + made,
                fresh_until_ms: began + made + fresh,
                renewable_until_ms: None,
                validated_ms: None,
                asked_ms: None,
                chunks: None,
                source_state: None,
                source_version: None,
                stale_until_ms: began + made + fresh + stale,
                origin,
                path,
                options,
                preset,
                source,
                tags,
                unfit: failure.map(|_| "status".to_owned()),
                unfit_number: failure.flatten(),
                location: None,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn metadata_that_was_written_reads_back_but_for_what_had_no_room(written in metadata()) {
        if let Ok(text) = written.encode() {
            prop_assert!(text.len() <= KV_METADATA_BYTES_MAX && text.is_ascii());
            let mut read = Metadata::decode(&text).unwrap();
            prop_assert!(read.path.is_none() || read.path == written.path);
            prop_assert_eq!(read.tags.len(), written.tags.len());
            for (tag, whole) in read.tags.iter().zip(&written.tags) {
                let short = video_resizer::cache::tags::short_form(whole);
                prop_assert!(tag == whole || *tag == short, "{} for {}", tag, whole);
            }
            read.path.clone_from(&written.path);
            read.tags.clone_from(&written.tags);
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn no_text_makes_reading_metadata_panic(text in any::<String>(), cut in 0..400_usize, put in "\\PC{0,8}") {
        let _ = Metadata::decode(&text);
        let good = r#"{"v":1,"g":"0000000000000000000000000000feed","s":200,"ct":"video/mp4","n":5,"b":1,"c":2,"f":3,"u":4,"o":"a","r":"f=mp4","t":[]}"#;
        prop_assert!(Metadata::decode(good).is_ok());
        let at = cut.min(good.len());
        let _ = Metadata::decode(&format!("{}{put}{}", &good[..at], &good[at..]));
        let _ = Metadata::decode(&good[..at]);
    }

    #[test]
    fn a_relayed_address_names_what_it_was_made_of_and_only_under_its_own_key(
        key in "[ -~]{16,40}",
        other in "[ -~]{16,40}",
        origin in "[a-z0-9-]{1,32}",
        index in 0..4_u8,
        raw in "(/[a-z0-9:%@. -]{1,12}){1,4}",
    ) {
        let Ok(path) = SourcePath::parse(&raw) else { return Ok(()) };
        let address = relay::url("https://v.example", &key, &origin, index, &path);
        let sent = address.strip_prefix("https://v.example").unwrap();
        prop_assert!(relay::is_relayed(sent));
        let read = relay::read(sent, &key).unwrap();
        prop_assert_eq!((read.origin, read.index, &read.path), (origin, index, &path));
        prop_assert_eq!(relay::read(sent, &other).is_some(), key == other);
    }

    #[test]
    fn no_change_of_a_relayed_address_goes_unnoticed(at in 0..64_usize, put in "[a-zA-Z0-9/_.-]") {
        let path = SourcePath::parse("/films/a.mp4").unwrap();
        let key = "a key of some length";
        let genuine = relay::url("", key, "vault", 0, &path);
        let at = at % genuine.len();
        let changed = format!("{}{put}{}", &genuine[..at], &genuine[at + 1..]);
        prop_assert_eq!(relay::read(&changed, key).is_some(), changed == genuine);
    }

    #[test]
    fn no_path_makes_reading_an_address_panic(path in any::<String>()) {
        let _ = relay::read(&path, "a key of some length");
        let _ = relay::read(&format!("/_resizer/source/{path}"), "a key of some length");
    }
}
