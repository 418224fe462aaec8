//! Reads a normalised document by key.
//!
//! The walk has checked everything: a value that is missing or of another type here was already reported,
//! and the emptiest value of the type stands for it.

use crate::json::{Map, Value};

/// A place in a normalised document.
#[derive(Debug, Clone)]
pub(super) struct At<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> At<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// Where it is, with indices.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn at(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        Self { value: self.value(key).unwrap_or(&Value::Null), path }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.value.get(key)
    }

    pub(super) fn optional_flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.optional_flag(key).unwrap_or_default()
    }

    pub(super) fn number<T: TryFrom<u64>>(&self, key: &str) -> Option<T> {
        T::try_from(self.value(key)?.as_u64()?).ok()
    }

    pub(super) fn required<T: TryFrom<u64> + Default>(&self, key: &str) -> T {
        self.number(key).unwrap_or_default()
    }

    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        self.value(key)?.as_str().map(str::to_owned)
    }

    pub(super) fn text(&self, key: &str) -> String {
        self.optional_text(key).unwrap_or_default()
    }

    /// The value itself as a text.
    pub(super) fn own_text(&self) -> String {
        self.value.as_str().unwrap_or_default().to_owned()
    }

    /// The value itself as a number.
    pub(super) fn own_number<T: TryFrom<u64> + Default>(&self) -> T {
        self.value.as_u64().and_then(|number| T::try_from(number).ok()).unwrap_or_default()
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.elements(key).iter().map(Self::own_text).collect()
    }

    /// The elements of a list.
    pub(super) fn elements(&self, key: &str) -> Vec<Self> {
        let list = self.value(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let path = self.at(key).path;
        list.iter()
            .enumerate()
            .map(|(index, value)| Self { value, path: format!("{path}[{index}]") })
            .collect()
    }

    /// The entries of a map.
    pub(super) fn entries(&self, key: &str) -> Vec<(&'a str, Self)> {
        let path = self.at(key).path;
        let map = self.value(key).and_then(Value::as_object);
        map.into_iter()
            .flat_map(Map::iter)
            .map(|(name, value)| (name.as_str(), Self { value, path: format!("{path}.{name}") }))
            .collect()
    }
}
