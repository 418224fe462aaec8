//! JSON documents for people, written from the beginning to the end.
//!
//! `json!` makes a tree of a document, member by member and each where it stands, to write it and throw it away.
//! Here a member is one call.

use std::fmt;

use crate::http::date::rfc3339;
use crate::json::{Value, Writer};

/// A whole JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// A text in quotes.
    pub fn text(text: &str) -> Self {
        let mut writer = Writer::default();
        writer.text(text);
        Self(writer.into_text())
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(texts: &[T]) -> Self {
        let mut list = List::default();
        for text in texts {
            list.text(text.as_ref());
        }
        list.end()
    }

    /// A whole number.
    pub fn number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// How many there are.
    pub fn count(count: usize) -> Self {
        Self::number(count as u64)
    }

    /// A text that is JSON already.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What was read from elsewhere.
    pub fn of(value: &Value) -> Self {
        Self(value.to_string())
    }

    /// The text itself.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An object that is being written: whoever reads it finds its members in the order of their names.
#[derive(Debug)]
pub struct Object {
    writer: Writer,
    #[cfg(debug_assertions)]
    last: Option<String>,
}

impl Default for Object {
    fn default() -> Self {
        let mut writer = Writer::default();
        writer.open('{');
        Self {
            writer,
            #[cfg(debug_assertions)]
            last: None,
        }
    }
}

impl Object {
    /// A text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.writer.text(text);
    }

    /// A text, or `null`.
    pub fn text_or_null(&mut self, name: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.word(name, "null"),
        }
    }

    /// A moment, in milliseconds since 1970.
    pub fn time(&mut self, name: &str, at_ms: u64) {
        self.text(name, &rfc3339(at_ms));
    }

    /// A moment, or `null`.
    pub fn time_or_null(&mut self, name: &str, at_ms: Option<u64>) {
        self.text_or_null(name, at_ms.map(rfc3339).as_deref());
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.writer.number(number);
    }

    /// How many there are.
    pub fn count(&mut self, name: &str, count: usize) {
        self.number(name, count as u64);
    }

    /// A whole number, or `null`.
    pub fn number_or_null(&mut self, name: &str, number: Option<u64>) {
        match number {
            Some(number) => self.number(name, number),
            None => self.word(name, "null"),
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, flag: bool) {
        self.word(name, if flag { "true" } else { "false" });
    }

    /// Another document.
    pub fn document(&mut self, name: &str, document: &Document) {
        self.word(name, &document.0);
    }

    /// Another document, or `null`.
    pub fn document_or_null(&mut self, name: &str, document: Option<&Document>) {
        self.word(name, document.map_or("null", |document| &document.0));
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) {
        self.document(name, &Document::texts(texts));
    }

    /// A list of whole numbers.
    pub fn numbers(&mut self, name: &str, numbers: &[u16]) {
        let mut list = List::default();
        for number in numbers {
            list.number((*number).into());
        }
        self.document(name, &list.end());
    }

    /// The whole of it.
    pub fn end(mut self) -> Document {
        self.writer.close('}');
        Document(self.writer.into_text())
    }

    fn word(&mut self, name: &str, word: &str) {
        self.name(name);
        self.writer.document(word);
    }

    #[inline(never)]
    fn name(&mut self, name: &str) {
        #[cfg(debug_assertions)]
        {
            let last = self.last.replace(name.to_owned());
            debug_assert!(last.as_deref() < Some(name), "{name} stands after {last:?}");
        }
        self.writer.name(name);
    }
}

/// An object whose members come in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(Vec<(&'static str, Document)>);

impl Members {
    /// A member.
    pub fn put(&mut self, name: &'static str, document: Document) {
        let place = self.0.partition_point(|(other, _)| *other < name);
        self.0.insert(place, (name, document));
    }

    /// Each of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &(&'static str, Document)> {
        self.0.iter()
    }

    /// The whole of it.
    pub fn end(self) -> Document {
        let mut object = Object::default();
        for (name, document) in &self.0 {
            object.document(name, document);
        }
        object.end()
    }
}

/// A list that is being written.
#[derive(Debug)]
pub struct List(Writer);

impl Default for List {
    fn default() -> Self {
        let mut writer = Writer::default();
        writer.open('[');
        Self(writer)
    }
}

impl List {
    /// A text.
    pub fn text(&mut self, text: &str) {
        self.0.text(text);
    }

    /// A whole number.
    pub fn number(&mut self, number: u64) {
        self.0.number(number);
    }

    /// Another document.
    pub fn document(&mut self, document: &Document) {
        self.0.document(&document.0);
    }

    /// The whole of it.
    pub fn end(mut self) -> Document {
        self.0.close(']');
        Document(self.0.into_text())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_what_json_would_have_made_of_it() {
        let every: String =
            (0..=0x2ff).filter_map(char::from_u32).chain("🎬\u{2028}".chars()).collect();
        let mut inner = Object::default();
        inner.text("é \"", &every);
        let inner = inner.end();
        let mut outer = Object::default();
        outer.document("a", &inner);
        outer.document_or_null("b", Some(&inner));
        outer.document_or_null("c", None);
        outer.flag("d", true);
        outer.flag("e", false);
        outer.number("f", u64::MAX);
        outer.count("f2", 7);
        outer.number_or_null("g", Some(0));
        outer.number_or_null("h", None);
        outer.numbers("i", &[1, u16::MAX]);
        outer.texts::<&str>("j", &[]);
        outer.texts("k", &["x", &every]);
        outer.text_or_null("l", Some(""));
        outer.text_or_null("m", None);
        let mut list = List::default();
        list.document(&Object::default().end());
        list.document(&List::default().end());
        list.text("x");
        outer.document("n", &list.end());
        outer.time("o", 0);
        outer.time_or_null("p", Some(1));
        outer.time_or_null("q", None);
        let told = json!({"é \"": every});
        let wanted = json!({
            "a": told, "b": told, "c": null, "d": true, "e": false, "f": u64::MAX, "f2": 7, "g": 0, "h": null,
            "i": [1, u16::MAX], "j": [], "k": ["x", every], "l": "", "m": null, "n": [{}, [], "x"],
            "o": "1970-01-01T00:00:00.000Z", "p": "1970-01-01T00:00:00.001Z", "q": null,
        });
        assert_eq!(outer.end().to_string(), wanted.to_string());
        assert_eq!(Document::text(&every).to_string(), json!(every).to_string());
        assert_eq!(Document::number(7).to_string(), "7");
        assert_eq!(Document::of(&wanted.clone().into()).into_text(), wanted.to_string());
    }

    #[test]
    fn members_that_come_in_any_order_stand_in_theirs() {
        let mut members = Members::default();
        assert_eq!(Members::default().end().to_string(), "{}");
        members.put("b", Document::number(1));
        members.put("c", Document::text("x"));
        members.put("a", Document::texts(&["y"]));
        assert_eq!(members.end().to_string(), r#"{"a":["y"],"b":1,"c":"x"}"#);
    }
}
