//! Timestamps as Taskcluster writes them.

use jiff::Timestamp;

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(i64);

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

impl Time {
    /// When the decision task was created: 2026-08-12T09:30:12.345Z. Everything else is relative to it.
    pub(super) const DECISION: Time = Time(1_786_527_012_345);

    pub(super) fn plus_minutes(self, minutes: i64) -> Time {
        Time(self.0 + minutes * MINUTE)
    }

    pub(super) fn plus_days(self, days: i64) -> Time {
        Time(self.0 + days * DAY)
    }

    pub(super) fn seconds(self) -> i64 {
        self.0 / 1000
    }

    /// As GitHub writes it.
    pub(super) fn to_the_second(self) -> String {
        Timestamp::from_second(self.seconds()).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        write!(out, "{}", time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_taskcluster_does() {
        assert_eq!(Time::DECISION.to_string(), "2026-08-12T09:30:12.345Z");
        assert_eq!(Time::DECISION.to_the_second(), "2026-08-12T09:30:12Z");
        assert_eq!(Time::DECISION.plus_days(365).plus_minutes(31).to_string(), "2027-08-12T10:01:12.345Z");
    }
}
