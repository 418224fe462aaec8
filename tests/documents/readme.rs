//! `README.md`: the parameters, and a deployment that checks.

use serde_json::Value;
use video_resizer::admin::auth::{FULL_SECRET, READ_SECRET, TOKEN_BYTES_MIN};
use video_resizer::config::Config;
use video_resizer::media::relay::{KEY_BYTES_MIN, KEY_SECRET};
use video_resizer::request::parameter;

use crate::{hold, read};

#[test]
fn the_readme_has_every_parameter_of_the_table() {
    hold("README.md", "src/request/parameter/table.rs", &parameter::markdown_table());
}

#[test]
fn the_configuration_in_the_readme_is_a_good_one() {
    let document = read("README.md");
    let (_, rest) = document.split_once("```json\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let example: Value = serde_json::from_str(example).unwrap();
    let config = Config::check(&example).unwrap();
    assert_eq!(config.origins[0].sources[0].url, "https://media.example.com/$1");
    assert_eq!(config.pass_through.url.as_deref(), Some("https://www.example.com"));
}

#[test]
fn the_readme_names_the_secrets_the_bindings_and_the_commands_that_exist() {
    let document = read("README.md");
    for secret in [FULL_SECRET, READ_SECRET, KEY_SECRET] {
        assert!(document.contains(&format!("wrangler secret put {secret}")), "{secret}");
    }
    assert_eq!((TOKEN_BYTES_MIN, KEY_BYTES_MIN), (16, 16));
    assert!(document.contains("a text of at least 16 bytes"));

    let wrangler = read("wrangler.jsonc");
    for line in document.lines().filter(|line| line.contains("kv namespace create")) {
        let binding = line.split_whitespace().last().unwrap();
        assert!(wrangler.contains(&format!("\"binding\": \"{binding}\"")), "{binding}");
    }

    let package: Value = serde_json::from_str(&read("package.json")).unwrap();
    let named: Vec<_> = document
        .match_indices("`npm run ")
        .map(|(at, found)| document[at + found.len()..].split('`').next().unwrap())
        .collect();
    assert!(named.len() >= 3, "{named:?}");
    for script in named {
        assert!(package["scripts"][script].is_string(), "{script}");
    }
}

#[test]
fn the_readme_tells_the_ports_and_the_folder_that_npm_start_has() {
    let document = read("README.md");
    let script = read("scripts/start.mjs");
    for (variable, fallback, said) in [
        ("PORT", "portFrom(\"PORT\", 8787)", "| `PORT` | `8787` |"),
        ("MEDIA_PORT", "portFrom(\"MEDIA_PORT\", 8788)", "| `MEDIA_PORT` | `8788` |"),
        ("STATE_DIR", "process.env.STATE_DIR || \".state\"", "| `STATE_DIR` | `.state` |"),
    ] {
        assert!(script.contains(fallback) && document.contains(said), "{variable}");
    }
}
