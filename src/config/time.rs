//! Times of a configuration: `5s`, `1500ms`, `1m`, or a number of seconds.

use crate::json::Value;

/// Takes a time within bounds as whole milliseconds, or gives advice.
pub(super) fn accept(value: &Value, min_ms: u32, max_ms: u32) -> Result<Value, &'static str> {
    let ms = match value {
        Value::Number(number) => seconds(number).map(|seconds| seconds * 1_000.0),
        Value::String(text) => milliseconds(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let ms = ms.ok_or("write 5s, 1500ms, 1m or a number of seconds")?;
    if ms < f64::from(min_ms) {
        return Err("raise it");
    }
    if ms > f64::from(max_ms) {
        return Err("lower it");
    }
    // 2.3 s is 2299.9999… ms in binary: take the nearest, but only a rounding error away.
    let whole = ms.round();
    if (ms - whole).abs() > 1e-6 {
        return Err("write whole milliseconds");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between the two bounds
    let whole = whole as u64;
    Ok(Value::from(whole))
}

/// A number as JSON spells it: `-2`, `2.5`, `25e-1`.
fn seconds(text: &str) -> Option<f64> {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let number = sign * decimal(number)? * 10_f64.powi(exponent.parse().ok()?);
    Some(number).filter(|number| !number.is_nan())
}

fn milliseconds(text: &str) -> Option<f64> {
    // `ms` first: it ends in the `s` of seconds.
    let units = [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)];
    let (number, unit_ms) =
        units.into_iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, ms)))?;
    decimal(number).map(|number| number * unit_ms)
}

/// `12`, `12.5`, `.5`: near enough to the number that is meant. That of the standard library is the nearest there is,
/// and brings 15 KB along to find it.
fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| f64::from(byte - b'0'));
    let (mut number, mut place) = (0.0, 1.0);
    for byte in whole.bytes() {
        number = number * 10.0 + digit(byte)?;
    }
    for byte in fraction.bytes() {
        place /= 10.0;
        number += digit(byte)? * place;
    }
    Some(number)
}

/// A time as a configuration has it.
pub(super) fn shown(ms: u32) -> String {
    match ms {
        _ if ms != 0 && ms.is_multiple_of(60_000) => format!("`{}m`", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("`{}s`", ms / 1_000),
        _ => format!("`{ms}ms`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, seconds};

    #[test]
    fn a_number_is_what_the_standard_library_takes_it_for() {
        for text in [
            "0",
            "7",
            "2.3",
            "2.",
            ".5",
            "0.1",
            "600",
            "59.999",
            "1.0005",
            "00012.50",
            "0.000000000000000000000000000001",
            "35999.987654321",
        ] {
            let (ours, theirs) = (decimal(text), text.parse::<f64>());
            let apart = ours.zip(theirs.ok()).map(|(ours, theirs)| (ours - theirs).abs());
            assert!(apart.is_some_and(|apart| apart < 1e-9), "{text}: {ours:?}");
        }
        for text in
            ["", ".", "1.2.3", "-1", "+1", "1e3", "inf", "NaN", " 1", "1 ", "1_0", "\u{661}"]
        {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(decimal(&"9".repeat(400)), Some(f64::INFINITY), "beyond every bound");
    }

    #[test]
    fn a_number_of_seconds_may_have_what_json_lets_a_number_have() {
        for (text, number) in [
            ("2", 2.0),
            ("-2.5", -2.5),
            ("25e-1", 2.5),
            ("2.5E+1", 25.0),
            ("1e400", f64::INFINITY),
            ("1e-400", 0.0),
        ] {
            assert_eq!(seconds(text), Some(number), "{text}");
        }
        assert_eq!(seconds("1e99999999999"), None);
        assert_eq!(seconds(&format!("{}e-400", "9".repeat(400))), None, "neither is it small");
    }
}
