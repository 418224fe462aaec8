//! Goal: what is written and read here is what serde's derive writes and reads, and no less strictly.
//!
//! Method: twins. The same types with serde's derive, and texts of all kinds, good and bad, for both.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::limits::JSON_DEPTH_MAX;
use crate::sorted::Sorted;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Open {
    n: u64,
    small: Option<u8>,
    #[serde(default)]
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    list: Vec<(u64, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner: Option<Box<Open>>,
}

record! { Open, PassedOver {
    "n" => n,
    "small" => small,
    "text" => text or default,
    "list" => list or nothing,
    "inner" => inner or nothing,
} }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    #[serde(rename = "n")]
    number: u32,
    #[serde(rename = "w", default)]
    word: Option<Word>,
}

record! { Closed, Refused {
    "n" => number,
    "w" => word,
} }

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    First,
    TheSecond,
}

words! { Word {
    "first" => First,
    "the-second" => TheSecond,
} }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Bare,
    Holds(Open),
    MayHold(Option<Word>),
    Has {
        n: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
}

choice! { Choice {
    "bare" => Bare,
    "holds" => Holds(it),
    "may-hold" => MayHold(it),
    "has" => Has { "n" => n, "text" => text or nothing },
} }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "n", rename_all = "kebab-case", deny_unknown_fields)]
enum Tagged {
    Bare {},
    Has { small: u16, text: Option<String> },
}

tagged! { Tagged, "n", Refused {
    "bare" => Bare {},
    "has" => Has { "small" => small, "text" => text },
} }

/// Both readers say the same of a text, and both writers of what was read.
#[track_caller]
fn agree<'a, T>(text: &'a str)
where
    T: Json + Serialize + Deserialize<'a> + PartialEq + std::fmt::Debug,
{
    let (ours, theirs) = (read::<T>(text).ok(), serde_json::from_str::<T>(text).ok());
    assert_eq!(ours, theirs, "{text}");
    if let Some(it) = ours {
        assert_eq!(write(&it), serde_json::to_string(&it).unwrap());
    }
}

/// Names and values of the twins, and of nobody. There is no list that a derive would take for an object, with its
/// members in their order, which nobody writes.
fn any_json() -> impl Strategy<Value = String> {
    let name = || {
        prop::sample::select(vec![
            "n", "small", "text", "list", "inner", "w", "bare", "holds", "may-hold", "has", "z",
        ])
    };
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "7",
            "255",
            "256",
            "65536",
            "4294967296",
            "-1",
            "1.0",
            "1e2",
            "-0",
            "18446744073709551615",
            "18446744073709551616",
            "\"\"",
            "\"first\"",
            "\"the-second\"",
            "\"bare\"",
            "\"has\"",
            "\"holds\"",
            "\"may-hold\"",
            r#""\u0041\n""#,
            r#""\ud83c\udf75""#,
            "\"\u{1}\"",
            "[]",
            "{}",
            "[1,true]",
            "[[1,true]]",
            "[[1]]",
            "[[1,true,2]]",
        ])
        .prop_map(str::to_owned),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        let member = (name(), inner).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop::collection::vec(member, 0..5).prop_map(|it| format!("{{{}}}", it.join(" ,")))
    })
}

const PIECES: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u00e9", "\\u00", "\\x", "0", "1", "-", ".", "e",
    "E", "+", "null", "true", "false", "nul", "\"a\"", "\"a\":", " ", "\t", "\n", "\r", "\u{1}",
    "\u{a0}", "é", "{}", "[]", "0.5", "-1e+2",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn what_serde_refuses_is_refused_and_what_it_reads_is_read(text in any_json()) {
        agree::<Word>(&text);
        agree::<Choice>(&text);
        agree::<Open>(&text);
        agree::<Closed>(&text);
        agree::<Tagged>(&text);
    }

    #[test]
    fn what_is_passed_over_is_json_all_the_same(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..9),
        (json, cut) in (any_json(), any::<prop::sample::Index>()),
    ) {
        let cut = cut.index(json.len());
        let spoiled = json.get(..cut).zip(json.get(cut + 1..)).map(|(one, other)| format!("{one}{other}"));
        let inserted = json.get(..cut).zip(json.get(cut..)).map(|(one, other)| format!("{one}{}{other}", pieces.first().unwrap_or(&"")));
        for text in [Some(pieces.concat()), Some(json), spoiled, inserted].into_iter().flatten() {
            let text = format!("[{text}]");
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if theirs.as_ref().is_err_and(|it| it.to_string().contains("out of range")) {
                continue; // See below.
            }
            let is_good = theirs.is_ok();
            prop_assert_eq!(Spelled::of(&text).is_ok(), is_good, "{}", text);
            prop_assert_eq!(Value::parse(&text).is_ok(), is_good, "{}", text);
            let open = format!("{{\"n\":1,\"z\":{text}}}");
            prop_assert_eq!(read::<Open>(&open).is_ok(), is_good, "{}", text);
        }
    }

    #[test]
    fn any_text_is_written_as_serde_json_writes_it(text in any::<String>(), odd in "[\\x00-\\x22\\\\\u{7f}-\u{ff}]*") {
        for text in [text, odd] {
            let written = write(&text);
            prop_assert_eq!(&written, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(read::<String>(&written), Ok(text));
        }
    }
}

#[test]
fn what_a_derive_let_pass_and_nobody_writes_is_refused() {
    for text in ["[7,1]", r#"[7,1,"t",[],null]"#] {
        assert!(serde_json::from_str::<Open>(text).is_ok());
        assert_eq!(read::<Open>(text), Err(Foreign), "a list for an object: {text}");
    }
    let text = r#"{"first":null}"#;
    assert!(serde_json::from_str::<Word>(text).is_ok());
    assert_eq!(read::<Word>(text), Err(Foreign), "an object for a word");
    let text = r#"{"n":1,"z":"\ud800"}"#;
    assert!(serde_json::from_str::<Open>(text).is_ok());
    assert_eq!(read::<Open>(text), Err(Foreign), "half a character in what is passed over");
}

#[test]
fn members_are_read_in_any_order_and_each_once_and_nothing_beyond() {
    let open = Open { n: 7, small: Some(1), text: "t".into(), ..Open::default() };
    for text in [
        r#"{"n":7,"small":1,"text":"t"}"#,
        r#" { "text" : "t", "z" : {"n":8}, "small":1,"n":7 } "#,
        r#"{"\u006e":7,"sm\u0061ll":1,"text":"t","\u007a":0}"#,
    ] {
        assert_eq!(read::<Open>(text).as_ref(), Ok(&open), "{text}");
    }
    for text in [
        r#"{"n":7,"n":7}"#,
        r#"{"n":7,"\u006e":7}"#,
        r#"{"n":7,"text":"t","small":1,"text":"t"}"#,
        r#"{"n":7}}"#,
        r#"{"n":7,"list":[[1]]}"#,
        r#"{"n":7,"list":[[1,true,2]]}"#,
        r#"{"n":7"#,
    ] {
        assert_eq!(read::<Open>(text), Err(Foreign), "{text}");
    }
}

#[test]
fn a_tag_is_read_wherever_it_is_and_once() {
    let has = Tagged::Has { small: 1, text: None };
    for text in [r#"{"n":"has","small":1,"text":null}"#, r#"{"small":1,"\u006e":"h\u0061s"}"#] {
        assert_eq!(read::<Tagged>(text).as_ref(), Ok(&has), "{text}");
    }
    for text in
        [r#"{"n":"bare","n":"bare"}"#, r#"{"n":"has","small":1,"n":"bare"}"#, r#"{"small":1}"#]
    {
        assert_eq!(read::<Tagged>(text), Err(Foreign), "{text}");
    }
}

#[test]
fn what_is_nothing_is_left_out_only_where_its_record_says_so() {
    assert_eq!(write(&Open::default()), r#"{"n":0,"small":null,"text":""}"#);
    let inner = Some(Box::default());
    let whole = Open { n: 1, list: vec![(2, true)], inner, ..Open::default() };
    assert_eq!(
        write(&whole),
        r#"{"n":1,"small":null,"text":"","list":[[2,true]],"inner":{"n":0,"small":null,"text":""}}"#
    );
}

#[test]
fn a_number_that_is_too_large_for_a_float_is_one_all_the_same() {
    assert!(serde_json::from_str::<serde_json::Value>("1e999").is_err());
    assert!(Spelled::of("1e999").is_ok() && Value::parse("1e999").is_ok());
    assert!(read::<Open>(r#"{"n":1,"z":1e999}"#).is_ok());
}

#[test]
fn what_is_inside_of_too_much_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Spelled::of(&nested(JSON_DEPTH_MAX)).is_ok());
    assert!(Spelled::of(&nested(JSON_DEPTH_MAX + 1)).is_err());
    let passed_over = format!(r#"{{"n":1,"z":{}}}"#, nested(100_000));
    assert_eq!(read::<Open>(&passed_over), Err(Foreign));
}

#[test]
fn a_map_is_an_object_in_the_order_of_its_names() {
    let mut map = Sorted::default();
    for (name, number) in [("b\"", 1_u64), ("a", 2), ("c", 3)] {
        map.insert(name.to_owned(), number);
    }
    let text = r#"{"a":2,"b\"":1,"c":3}"#;
    assert_eq!(write(&map), text);
    assert_eq!(read(text), Ok(map.clone()));
    assert_eq!(read(r#"{"c":9,"b\"":1,"a":2,"c":3}"#), Ok(map), "the last of two counts");
    assert_eq!(read::<Sorted<String, u64>>(r#"{"a":true}"#), Err(Foreign));
}
