//! `$fromNow`: a time written as RFC 3339, and offsets such as `1 day 3 hours`.

use crate::error::ErrorKind;
use crate::text::is_space;
use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A unit of an offset: its seconds and its names.
struct Unit {
    seconds: i64,
    names: &'static [&'static str],
}

const DAY: i64 = 86_400;

/// In the order in which an offset must give them. A year has 365 days, a month 30.
const UNITS: [Unit; 7] = [
    Unit { seconds: 365 * DAY, names: &["years", "year", "yr", "y"] },
    Unit { seconds: 30 * DAY, names: &["months", "month", "mo"] },
    Unit { seconds: 7 * DAY, names: &["weeks", "week", "wk", "w"] },
    Unit { seconds: DAY, names: &["days", "day", "d"] },
    Unit { seconds: 3_600, names: &["hours", "hour", "hr", "h"] },
    Unit { seconds: 60, names: &["minutes", "minute", "min", "m"] },
    Unit { seconds: 1, names: &["seconds", "second", "sec", "s"] },
];

/// The time that lies an offset away from another, with three digits of its fraction.
pub(crate) fn from_now(offset: &str, reference: &str) -> Result<String, ErrorKind> {
    // An offset is read before the time is, as its message comes first.
    let offset = parse_offset(offset)?;
    let refused = || ErrorKind::Time { time: reference.chars().take(40).collect() };
    let start = parse_time(reference).ok_or_else(refused)?;
    let time = start.checked_add(SignedDuration::from_secs(offset)).map_err(|_| refused())?;
    if !(1..=9999).contains(&time.year()) {
        return Err(refused());
    }
    let milliseconds = time.subsec_nanosecond() / 1_000_000;
    Ok(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{milliseconds:03}Z",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ))
}

/// Reads an offset in seconds: perhaps a sign (`-`, `+` or `-+`), then numbers with units.
fn parse_offset(text: &str) -> Result<i64, ErrorKind> {
    let text = text.trim_start_matches(is_space);
    let (past, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start_matches(is_space)),
        None => (false, text),
    };
    let text = text.strip_prefix('+').map_or(text, |rest| rest.trim_start_matches(is_space));
    let seconds = sum_of_units(text).ok_or_else(|| ErrorKind::TimeOffset { offset: text.to_owned() })?;
    Ok(if past { seconds.saturating_neg() } else { seconds })
}

fn sum_of_units(text: &str) -> Option<i64> {
    let mut units = UNITS.iter();
    let mut total = 0_i64;
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let (digits, after) = split_while(rest, |character| character.is_ascii_digit());
        let (name, after) =
            split_while(after.trim_start_matches(is_space), |character| character.is_ascii_alphabetic());
        // Going on in the same iterator keeps the order and each unit single.
        let unit = units.find(|unit| unit.names.contains(&name))?;
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit.seconds)?)?;
        rest = after.trim_start_matches(is_space);
    }
    Some(total)
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|character| !keep(character)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// `2017-01-19T16:27:20.974Z`, as Python's `strptime` reads `%Y-%m-%dT%H:%M:%S.%fZ`: months, days
/// and so on may have one digit, the fraction has one to six, letters may be small.
fn parse_time(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', 't'])?;
    let time = time.strip_suffix(['Z', 'z'])?;
    let (time, fraction) = time.split_once('.')?;
    let (year, month, day) = three(date, '-')?;
    let (hour, minute, second) = three(time, ':')?;
    if year.len() != 4 || !(1..=6).contains(&fraction.len()) {
        return None;
    }
    let microseconds = i32::try_from(number(&format!("{fraction:0<6}"))?).ok()?;
    let year = i16::try_from(number(year)?).ok().filter(|year| *year > 0)?;
    DateTime::new(
        year,
        two_digits(month)?,
        two_digits(day)?,
        two_digits(hour)?,
        two_digits(minute)?,
        two_digits(second)?,
        microseconds.checked_mul(1_000)?,
    )
    .ok()
}

fn three(text: &str, separator: char) -> Option<(&str, &str, &str)> {
    let mut parts = text.split(separator);
    let found = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(found)
}

fn two_digits(text: &str) -> Option<i8> {
    if text.len() > 2 {
        return None;
    }
    i8::try_from(number(text)?).ok()
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2017-01-19T16:27:20.974Z";

    /// Every result is that of the reference.
    #[test]
    fn offsets() {
        for (offset, time) in [
            ("", NOW),
            ("  ", NOW),
            ("2 days 3 hours", "2017-01-21T19:27:20.974Z"),
            ("-1 day", "2017-01-18T16:27:20.974Z"),
            ("- + 1d", "2017-01-18T16:27:20.974Z"),
            ("+1y2mo3w4d5h6m7s", "2018-04-14T21:33:27.974Z"),
            ("1 yr 1 wk 1 hr 1 min 1 sec", "2018-01-26T17:28:21.974Z"),
            ("1 mo 2m", "2017-02-18T16:29:20.974Z"),
        ] {
            assert_eq!(from_now(offset, NOW).as_deref(), Ok(time), "{offset:?}");
        }
    }

    #[test]
    fn other_offsets_are_refused() {
        for offset in [
            "1",
            "d",
            "1 s 1 y",
            "1 d 1 d",
            "1 dayz",
            "1 D",
            "1.5 d",
            "--1 d",
            "+-1d",
            "1 mon",
            "99999999999999999999 d",
        ] {
            assert!(matches!(from_now(offset, NOW), Err(ErrorKind::TimeOffset { .. })), "{offset:?}");
        }
    }

    /// Every result is that of the reference.
    #[test]
    fn times() {
        for (time, read) in [
            ("2017-01-19t16:27:2.9z", "2017-01-19T16:27:02.900Z"),
            ("2017-1-9T6:7:2.123456Z", "2017-01-09T06:07:02.123Z"),
            ("0001-01-01T00:00:00.0Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(from_now("", time).as_deref(), Ok(read), "{time:?}");
        }
    }

    #[test]
    fn other_times_are_refused() {
        for time in [
            "",
            "now",
            "2017-01-19T16:27:20Z",
            "2017-01-19T16:27:20.974",
            "2017-01-19T16:27:20.974+00:00",
            "2017-02-29T16:27:20.974Z",
            "2017-01-19T24:27:20.974Z",
            "2017-01-19T16:27:60.974Z",
            "2017-01-19T16:27:20.9740000Z",
            "2017-01-19T16:27:20.Z",
            "17-01-19T16:27:20.974Z",
            "0000-01-19T16:27:20.974Z",
            "2017-01-019T16:27:20.974Z",
            "2017-01-19-01T16:27:20.974Z",
            " 2017-01-19T16:27:20.974Z",
            "2017-+1-19T16:27:20.974Z",
        ] {
            assert!(matches!(from_now("", time), Err(ErrorKind::Time { .. })), "{time:?}");
        }
    }

    #[test]
    fn times_stay_within_four_digit_years() {
        assert!(matches!(from_now("-2018 y", NOW), Err(ErrorKind::Time { .. })));
        assert!(matches!(from_now("8000 y", NOW), Err(ErrorKind::Time { .. })));
        assert!(matches!(from_now("9000000000000000 m", NOW), Err(ErrorKind::Time { .. })));
    }
}
