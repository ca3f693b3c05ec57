//! Moments as Taskcluster and policies write them.

use jiff::Timestamp;

/// Reads a moment as RFC 3339 has it, with the `T` and with its offset from UTC.
#[must_use]
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once('T')?;
    let plain = |part: &str, also: &[u8]| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || also.contains(&byte))
    };
    let whole = date.len() == 10 && plain(date, b"-") && time.len() <= 40 && plain(time, b":.+-Z");
    whole.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(parse_moment(text).unwrap())
    }

    #[test]
    fn moments_have_their_offset_from_utc() {
        assert_eq!(at("2026-08-12T09:30:12.345Z"), at("2026-08-12T11:30:12.345+02:00"));
        for wrong in [
            "",
            "2026-08-12",
            "2026-08-12T09:30:12",
            "2026-08-12 09:30:12Z",
            "2026-13-12T09:30:12Z",
            "2026-08-12T25:30:12Z",
            "2026-08-12T09:30:12Z[UTC]",
            "20260812T093012Z",
            "tomorrow",
        ] {
            assert_eq!(parse_moment(wrong), None, "{wrong}");
        }
    }
}
