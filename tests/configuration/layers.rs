//! Layers, and any document at all.

use proptest::prelude::*;
use serde_json::Value;
use video_resizer::config::layers::assemble;
use video_resizer::config::table::KEYS;
use video_resizer::config::{Config, ERRORS_MAX};
use video_resizer::limits;

use crate::{place, with};

#[test]
fn layers_merge_objects_by_key_and_replace_the_rest() {
    let config = assemble(
        Some(r#"{"ttl": {"ok": 1, "redirects": 2}, "tags": {"extra": ["a", "b"]}, "bypass": {"header": null}}"#),
        Some(r#"{"ttl": {"ok": 3}, "tags": {"extra": ["c"]}, "presets": {"high": {"width": 1600}}}"#),
    )
    .unwrap();
    assert_eq!((config.lifetimes.fresh.ok_s, config.lifetimes.fresh.redirects_s), (3, 2));
    assert_eq!(config.tags.extra, ["c"]);
    assert_eq!(config.bypass.header, None);
    assert_eq!(
        (config.presets.get("high").unwrap().width, config.presets.get("high").unwrap().height),
        (Some(1_600), Some(1_080))
    );
}

#[test]
fn a_layer_that_is_no_json_object_is_named() {
    let long = format!("{{\"version\": \"{}\"}}", "a".repeat(limits::CONFIG_BYTES_MAX));
    for text in ["", "{", "[]", "7", "{\"a\": }", &long] {
        let errors = assemble(Some(text), None).unwrap_err();
        assert_eq!(errors[0].key, "(RESIZER_CONFIG)", "{text:.20}");
        assert!(!errors[0].to_string().contains("aaa"));
        assert_eq!(assemble(None, Some(text)).unwrap_err()[0].key, "(worker-config)");
    }
    assert_eq!(assemble(Some("{"), Some("{")).unwrap_err().len(), 2);
}

/// JSON whose keys are mostly those of the table, so that it gets past the first check.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..3_000).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z0-9${}():/.?#@*-]{0,40}".prop_map(Value::from),
        "(https://a\\.example/|\\{request-origin\\}/)[$0-9{}a-z]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let names: Vec<_> = KEYS.iter().flat_map(|key| key.path.split(['.', '['])).collect();
        let name =
            prop_oneof![proptest::sample::select(names).prop_map(str::to_owned), any::<String>()];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..8)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_checked_without_panic(document in any_json()) {
        if let Err(errors) = Config::check(&document) {
            prop_assert!((1..=ERRORS_MAX).contains(&errors.len()));
        }
    }

    #[test]
    fn any_json_at_any_key_is_refused_or_leaves_a_whole_configuration(
        row in proptest::sample::select(KEYS), value in any_json(),
    ) {
        if let Ok(config) = Config::check(&with(&place(row.path), value)) {
            let ladder = &config.responsive;
            for index in [ladder.default, ladder.mobile, ladder.tablet, ladder.desktop, ladder.slow] {
                prop_assert!(index < ladder.buckets.len());
            }
            prop_assert!(!config.origins.is_empty());
            prop_assert!(config.origins.iter().all(|origin| !origin.sources.is_empty()));
        }
    }

    #[test]
    fn any_text_as_a_layer_is_read_without_panic(text in any::<String>()) {
        let _ = assemble(Some(&text), Some(&text));
    }
}
