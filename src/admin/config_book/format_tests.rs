use super::*;
use crate::json;

#[test]
fn questions_are_these_bytes_on_the_wire() {
    let (by, note) = (|| "ann".to_owned(), || "why".to_owned());
    for (question, text) in [
        (Question::List, r#"{"ask":"list"}"#),
        (
            Question::Put { document: "{}".into(), by: by(), note: note(), if_match: None },
            r#"{"ask":"put","document":"{}","by":"ann","note":"why","if_match":null}"#,
        ),
        (
            Question::RollBack {
                version: 3,
                by: by(),
                note: note(),
                if_match: Some("\"4\"".into()),
            },
            r#"{"ask":"roll-back","version":3,"by":"ann","note":"why","if_match":"\"4\""}"#,
        ),
        (Question::Document { version: None }, r#"{"ask":"document","version":null}"#),
        (Question::Document { version: Some(3) }, r#"{"ask":"document","version":3}"#),
    ] {
        assert_eq!(json::write(&question), text);
        assert_eq!(json::read::<Question>(text), Ok(question));
    }
    assert!(json::read::<Question>(r#"{"ask":"document","version":3,"mood":"good"}"#).is_err());
}

#[test]
fn answers_are_these_bytes_on_the_wire() {
    let version = Version { version: 3, at_ms: 4, by: "ann".into(), note: String::new(), bytes: 2 };
    for (answer, text) in [
        (
            Answer::Listed {
                version: 3,
                active: Some("{}".into()),
                drift: true,
                etag: "\"3\"".into(),
                versions: vec![version],
            },
            r#"{"answer":"listed","version":3,"active":"{}","drift":true,"etag":"\"3\"","versions":[{"version":3,"at_ms":4,"by":"ann","note":"","bytes":2}]}"#,
        ),
        (
            Answer::Written { version: 3, document: "{}".into(), stored: false },
            r#"{"answer":"written","version":3,"document":"{}","stored":false}"#,
        ),
        (Answer::Document { document: None }, r#"{"answer":"document","document":null}"#),
        (Answer::NoVersion { version: 3 }, r#"{"answer":"no-version","version":3}"#),
        (
            Answer::Invalid { errors: vec![("at".into(), "what".into())] },
            r#"{"answer":"invalid","errors":[["at","what"]]}"#,
        ),
        (Answer::Changed { etag: "\"3\"".into() }, r#"{"answer":"changed","etag":"\"3\""}"#),
        (Answer::Unavailable { fault: "f".into() }, r#"{"answer":"unavailable","fault":"f"}"#),
    ] {
        assert_eq!(json::write(&answer), text);
        assert_eq!(json::read::<Answer>(text), Ok(answer));
    }
}

#[test]
fn the_book_is_these_bytes_in_the_storage() {
    let state = State { newest: 3, stored: true, written_ms: 4, tries: 5 };
    let text = r#"{"newest":3,"stored":true,"written_ms":4,"tries":5}"#;
    assert_eq!(json::write(&state), text);
    assert_eq!(json::read::<State>(text), Ok(state));
    let version = Version { version: 3, at_ms: 4, by: String::new(), note: "why".into(), bytes: 2 };
    let page = Page { version, digest: "feed".into() };
    let text =
        r#"{"version":{"version":3,"at_ms":4,"by":"","note":"why","bytes":2},"digest":"feed"}"#;
    assert_eq!(json::write(&page), text);
    assert_eq!(json::read::<Page>(text), Ok(page));
}
