//! Goal: a configuration is believed whole or not at all.
//! Method: documents against the table, every bound from both sides.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::json;
use video_resizer::config::Config;

#[test]
fn the_defaults_have_no_errors() {
    let checked = Config::check(&json!({})).unwrap();
    assert_eq!(format!("{checked:?}"), format!("{:?}", Config::defaults()));
    assert_eq!(checked.origins[0].sources[0].url, "{request-origin}/$1");
    assert_eq!(checked.ttl.ok_s, 86_400);
    assert_eq!(checked.limits.time_ms_max, 600_000);
    assert_eq!(checked.presets["preview"].duration_ms, Some(5_000));
}
