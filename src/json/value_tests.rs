//! Goal: a document is read, found in and written as `serde_json` does it.
//!
//! Method: `serde_json` as the oracle, for documents that are made up and for texts that are broken.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (text, line, column) in [
        ("", 1, 1),
        ("{", 1, 2),
        ("{\"a\": 1,\n  \"b\" 2}", 2, 7),
        ("[1, 2,]", 1, 7),
        ("{} {}", 1, 4),
        ("nul", 1, 1),
        ("[1.]", 1, 4),
        ("[01]", 1, 3),
        ("\"é\\x\"", 1, 4),
        ("\"a\nb\"", 1, 3),
        ("\"\\", 1, 3),
        ("{'a': 1}", 1, 2),
        ("{1: 2}", 1, 2),
    ] {
        let Misspelled { line: l, column: c } = Value::parse(text).unwrap_err();
        assert_eq!((l, c), (line, column), "{text}");
    }
    let said = Value::parse("[").unwrap_err().to_string();
    assert_eq!(said, "line 1 column 2 is not what may stand there");
}

#[test]
fn a_place_is_found_as_it_is_written() {
    let value =
        Value::parse(r#"{"errors": [{"code": 7}, "x"], "a": null, "b": {"": true}}"#).unwrap();
    let code = value.pointer("/errors/0/code");
    assert_eq!(code.and_then(Value::as_u64), Some(7));
    assert_eq!(value.pointer("/errors/1").and_then(Value::as_str), Some("x"));
    assert_eq!(value.pointer("/b/").and_then(Value::as_bool), Some(true));
    assert_eq!(value.pointer(""), Some(&value));
    for none in ["/errors/2", "/errors/x", "/a/b", "/errors/0/code/0", "/c"] {
        assert_eq!(value.pointer(none), None, "{none}");
    }
}

#[test]
fn a_number_is_kept_as_it_is_spelled_and_is_one_only_where_it_is_whole() {
    for (text, number) in [
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("-1", None),
        ("-0", None),
        ("1.0", None),
        ("1e2", None),
        ("2.50", None),
    ] {
        let value = Value::parse(text).unwrap();
        assert_eq!((value.as_u64(), value.to_string().as_str()), (number, text));
    }
}

/// Documents whose numbers are whole: others are spelled in more ways than one.
fn documents() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof!["[a-c]{0,2}", any::<String>(), "[\\x00-\\x30\\\\\"/😀\\u{2028}]{0,8}"];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|it| json!(it)),
        any::<u64>().prop_map(|it| json!(it)),
        (i64::MIN..0).prop_map(|it| json!(it)),
        text.clone().prop_map(|it| json!(it)),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|it| json!(it)),
            prop::collection::btree_map(text.clone(), inner, 0..6).prop_map(|it| json!(it)),
        ]
    })
}

proptest! {
    #[test]
    fn a_document_is_read_and_written_as_serde_json_does(
        document in documents(), pretty in any::<bool>(),
    ) {
        let plain = document.to_string();
        let text = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { plain.clone() };
        prop_assert_eq!(Value::parse(&text).unwrap().to_string(), plain);
    }

    #[test]
    fn a_text_that_serde_json_refuses_is_refused_and_no_other(
        document in documents(), at in any::<prop::sample::Index>(), put in "[\\[\\]{},:\"\\\\u0-9a-f.eE+ tn-]{0,3}", drop in 0..3_usize,
    ) {
        let mut chars: Vec<char> = document.to_string().chars().collect();
        let from = at.index(chars.len());
        let until = (from + drop).min(chars.len());
        chars.splice(from..until, put.chars());
        let text: String = chars.into_iter().collect();
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        match (Value::parse(&text), theirs) {
            (Err(_), Err(_)) => {}
            (Ok(ours), Ok(theirs)) => {
                let again: serde_json::Value = serde_json::from_str(&ours.to_string()).unwrap();
                prop_assert_eq!(again, theirs);
            }
            // A number that is too large for a float is one for us.
            (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}: {}", text, error),
            (Err(error), Ok(_)) => prop_assert!(false, "{}: {}", text, error),
        }
    }
}
