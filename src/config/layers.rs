//! A configuration comes in layers: the table's defaults, `RESIZER_CONFIG` of the deployment over them,
//! `worker-config` in KV over that. Objects merge by key; lists and single values replace.

use super::walk::merge;
use super::{Config, ConfigError};
use crate::json::{Map, Value};
use crate::limits;

/// Name of the variable with the deployment's layer.
pub const VARS_LAYER: &str = "RESIZER_CONFIG";
/// Name of the KV key with the stored layer.
pub const STORED_LAYER: &str = "worker-config";

/// Checks the layers together; `None` is a layer that says nothing.
///
/// A layer that is no JSON object, or longer than [`limits::CONFIG_BYTES_MAX`], is an error that names the layer.
pub fn assemble(vars: Option<&str>, stored: Option<&str>) -> Result<Config, Vec<ConfigError>> {
    let mut document = Value::Object(Map::default());
    let mut errors = Vec::new();
    for (name, text) in [(VARS_LAYER, vars), (STORED_LAYER, stored)] {
        match text.map(|text| parse(name, text)) {
            Some(Ok(layer)) => merge(&mut document, layer),
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
    if errors.is_empty() { Config::of(&document) } else { Err(errors) }
}

fn parse(name: &str, text: &str) -> Result<Value, ConfigError> {
    let error = |found: String, wanted: &str, advice: String| {
        Err(ConfigError { key: format!("({name})"), found, wanted: wanted.to_owned(), advice })
    };
    if text.len() > limits::CONFIG_BYTES_MAX {
        let wanted = format!("at most {} bytes", limits::CONFIG_BYTES_MAX);
        return error(format!("a text of {} bytes", text.len()), &wanted, "shorten it".to_owned());
    }
    match Value::parse(text) {
        Ok(layer) if layer.is_object() => Ok(layer),
        Ok(_) => error("other JSON".to_owned(), "a JSON object", "write { … }".to_owned()),
        Err(cause) => error("text".to_owned(), "JSON", format!("mend it: {cause}")),
    }
}
