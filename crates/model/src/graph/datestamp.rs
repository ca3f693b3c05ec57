//! `{"relative-datestamp": "1 day"}`, as published graphs hold them.

use catena_json::Value;
use jiff::{SignedDuration, Timestamp};

/// A time as the queue writes it: `YYYY-MM-DDTHH:MM:SS.mmmZ`, and in no other form, so that equal times
/// are equal text.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let shape = text.len() == 24
        && text.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            19 => byte == b'.',
            23 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    if shape { text.parse().ok() } else { None }
}

/// Formats a time like the queue.
#[must_use]
pub fn print_time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Why a datestamp cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a relative datestamp such as \"1 day\"")]
pub struct DatestampError(pub String);

/// Replaces every `{"relative-datestamp": …}` by the time that long after `created`, like taskgraph
/// when it creates the tasks of a graph (specification 6.3).
///
/// # Errors
/// A datestamp that taskgraph would refuse, or a time beyond the calendar. The value is then partly
/// replaced.
pub fn resolve(value: &mut Value, created: Timestamp) -> Result<(), DatestampError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, created)),
        Value::Object(members) => {
            let datestamp = members.get("relative-datestamp").filter(|_| members.len() == 1);
            match datestamp.map(|datestamp| after(datestamp, created)).transpose()? {
                Some(time) => *value = time,
                None => members.iter_mut().try_for_each(|(_, member)| resolve(member, created))?,
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn after(datestamp: &Value, created: Timestamp) -> Result<Value, DatestampError> {
    let wrong = || DatestampError(datestamp.to_string().chars().take(80).collect());
    let length = datestamp.as_str().and_then(seconds).ok_or_else(wrong)?;
    let time = created.checked_add(SignedDuration::from_secs(length)).map_err(|_| wrong())?;
    Ok(Value::from(print_time(time)))
}

/// Seconds in the first `<digits> <unit>` of a text; months have 30 days and years 365.
fn seconds(text: &str) -> Option<i64> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let (before, rest) = text.split_at_checked(start)?;
    // A fraction is not a whole number of units, which taskgraph refuses.
    if before.ends_with('.') {
        return None;
    }
    let end = rest.find(|character: char| !character.is_ascii_digit())?;
    let (digits, rest) = rest.split_at_checked(end)?;
    let rest = rest.trim_start_matches(' ');
    let end = rest.find(|character: char| !character.is_ascii_lowercase()).unwrap_or(rest.len());
    let (unit, _) = rest.split_at_checked(end)?;
    let unit = match unit {
        "s" | "second" | "seconds" => 1,
        "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "mo" | "month" | "months" => 30 * 86_400,
        "y" | "year" | "years" => 365 * 86_400,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn resolved(text: &str) -> Result<String, DatestampError> {
        let mut value = parse(text.as_bytes(), &Limits::default()).unwrap();
        resolve(&mut value, parse_time("2026-08-12T09:30:12.345Z").unwrap()).map(|()| value.to_string())
    }

    #[test]
    fn datestamps_count_from_creation() {
        assert_eq!(
            resolved(r#"{"a":[{"relative-datestamp":"1 day"}],"b":{"relative-datestamp":"1 year"},"c":1}"#)
                .unwrap(),
            r#"{"a":["2026-08-13T09:30:12.345Z"],"b":"2027-08-12T09:30:12.345Z","c":1}"#
        );
        assert_eq!(
            resolved(r#"{"relative-datestamp":"0 seconds"}"#).unwrap(),
            "\"2026-08-12T09:30:12.345Z\""
        );
        assert_eq!(resolved(r#"{"relative-datestamp":"28days"}"#).unwrap(), "\"2026-09-09T09:30:12.345Z\"");
        assert_eq!(resolved(r#"{"relative-datestamp":"1 mo"}"#).unwrap(), "\"2026-09-11T09:30:12.345Z\"");
    }

    #[test]
    fn every_unit_has_its_length() {
        for (units, length) in [
            (["s", "second", "seconds"], 1),
            (["min", "minute", "minutes"], 60),
            (["h", "hour", "hours"], 3_600),
            (["d", "day", "days"], 86_400),
            (["mo", "month", "months"], 2_592_000),
            (["y", "year", "years"], 31_536_000),
        ] {
            for unit in units {
                assert_eq!(seconds(&format!("3 {unit}")), Some(3 * length), "{unit}");
            }
        }
        assert_eq!(seconds("in 2 days, or 3"), Some(172_800));
    }

    #[test]
    fn others_keys_beside_it_are_left_alone() {
        let text = r#"{"relative-datestamp":"1 day","x":1}"#;
        assert_eq!(resolved(text).unwrap(), text);
    }

    #[test]
    fn what_taskgraph_refuses_is_refused() {
        for wrong in [
            "\"\"",
            "\"1\"",
            "\"day\"",
            "\"1 fortnight\"",
            "\"1.5 days\"",
            "5",
            "\"99999999999999999999 days\"",
            "\"9999999999 years\"",
        ] {
            assert!(resolved(&format!("{{\"relative-datestamp\":{wrong}}}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_one_form() {
        assert!(parse_time("2026-08-12T09:30:12.345Z").is_some());
        for wrong in [
            "2026-08-12T09:30:12Z",
            "2026-08-12T09:30:12.345+00:00",
            "2026-08-12 09:30:12.345Z",
            "2026-13-12T09:30:12.345Z",
            "2026-08-12T09:30:12.3456Z",
            "",
        ] {
            assert!(parse_time(wrong).is_none(), "{wrong}");
        }
    }
}
