//! What two JSON documents differ in, path by path.

use crate::document::{Document, Object};
use crate::json::{Map, Value};

/// One place where two documents differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: `ttl.ok`, `origins[0].name`; a key that would be mistaken stands in `["…"]`. Empty is the whole.
    pub path: String,
    /// What stood there; `None` where nothing did.
    pub from: Option<Value>,
    /// What stands there; `None` where nothing does.
    pub to: Option<Value>,
}

impl Change {
    /// As JSON: `from` and `to` are left out where there is nothing.
    pub fn json(&self) -> Document {
        let mut change = Object::default();
        if let Some(from) = &self.from {
            change.document("from", &Document::of(from));
        }
        change.text("path", &self.path);
        if let Some(to) = &self.to {
            change.document("to", &Document::of(to));
        }
        change.end()
    }
}

/// Every place where they differ, in order; what is in one only is told at its top.
///
/// Lists are compared place by place: what is put in at the front of one changes all that follows.
pub fn changes(from: &Value, to: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(from), Some(to), &mut found);
    found
}

fn compare(path: &str, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Change>) {
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => objects(path, from, to, found),
        (Some(Value::Array(from)), Some(Value::Array(to))) => {
            for at in 0..from.len().max(to.len()) {
                compare(&format!("{path}[{at}]"), from.get(at), to.get(at), found);
            }
        }
        (from, to) => {
            let (from, to) = (from.cloned(), to.cloned());
            found.push(Change { path: path.to_owned(), from, to });
        }
    }
}

fn objects(path: &str, from: &Map, to: &Map, found: &mut Vec<Change>) {
    // A map has its keys in order, so two of them are gone through side by side.
    let mut news = to.keys().peekable();
    for key in from.keys() {
        while let Some(new) = news.next_if(|new| *new < key) {
            compare(&below(path, new), None, to.get(new), found);
        }
        news.next_if_eq(&key);
        compare(&below(path, key), from.get(key), to.get(key), found);
    }
    for new in news {
        compare(&below(path, new), None, to.get(new), found);
    }
}

fn below(path: &str, key: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if key.is_empty() || !key.bytes().all(is_plain) {
        format!("{path}[{}]", Document::text(key))
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(from: &serde_json::Value, to: &serde_json::Value) -> Vec<serde_json::Value> {
        let told = changes(&from.clone().into(), &to.clone().into());
        told.iter().map(|change| change.json().to_string().parse().unwrap()).collect()
    }

    #[test]
    fn what_was_added_removed_and_changed_is_told_by_path() {
        let from =
            json!({"ttl": {"ok": 60, "redirects": 5}, "debug": {"enabled": true}, "same": [1]});
        let to =
            json!({"ttl": {"ok": 90, "clientError": 1}, "same": [1], "log": {"level": "warn"}});
        assert_eq!(
            told(&from, &to),
            [
                json!({"path": "debug", "from": {"enabled": true}}),
                json!({"path": "log", "to": {"level": "warn"}}),
                json!({"path": "ttl.clientError", "to": 1}),
                json!({"path": "ttl.ok", "from": 60, "to": 90}),
                json!({"path": "ttl.redirects", "from": 5}),
            ]
        );
        assert!(told(&to, &to).is_empty());
    }

    #[test]
    fn lists_are_compared_place_by_place_and_null_is_not_nothing() {
        assert_eq!(
            told(&json!({"a": [1, {"b": 2}, 3]}), &json!({"a": [1, {"b": null}]})),
            [json!({"path": "a[1].b", "from": 2, "to": null}), json!({"path": "a[2]", "from": 3}),]
        );
        assert_eq!(
            told(&json!({"a": 1}), &json!({"a": [1]})),
            [json!({"path": "a", "from": 1, "to": [1]})]
        );
        assert_eq!(told(&json!({}), &json!([])), [json!({"path": "", "from": {}, "to": []})]);
    }

    #[test]
    fn a_key_that_looks_like_a_path_is_not_taken_for_one() {
        assert_eq!(
            told(&json!({}), &json!({"a.b": 1, "x[0]": 2, "": 3, "x-y_1": 4})),
            [
                json!({"path": "[\"\"]", "to": 3}),
                json!({"path": "[\"a.b\"]", "to": 1}),
                json!({"path": "x-y_1", "to": 4}),
                json!({"path": "[\"x[0]\"]", "to": 2}),
            ]
        );
    }
}
