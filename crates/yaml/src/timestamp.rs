//! Dates and points in time.

use std::fmt;

use jiff::civil;

/// A `!!timestamp`: a date, or a date with a time of day. `PyYAML` makes a `date` or a `datetime` of it.
///
/// Prints as Python's `isoformat()` does: `2001-12-14` or `2001-12-14T21:59:43.100000-05:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// The year, 1 to 9999.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month, from 1.
    pub day: i8,
    /// The time of day, when one is written.
    pub time: Option<TimeOfDay>,
}

/// The time of day in a [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    /// Hour, 0 to 23.
    pub hour: i8,
    /// Minute, 0 to 59.
    pub minute: i8,
    /// Second, 0 to 59.
    pub second: i8,
    /// Microsecond, 0 to 999,999; further digits are cut off.
    pub microsecond: i32,
    /// Minutes east of UTC, when a zone is written; less than a day either way.
    pub offset: Option<i32>,
}

impl Timestamp {
    /// Reads a timestamp; nothing when it has another form or names no day or time there is.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let fields = Fields::of(text.strip_suffix('\n').unwrap_or(text))?;
        let [year, month, day] = fields.date;
        let (year, month, day) =
            (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        if year < 1 {
            return None;
        }
        civil::Date::new(year, month, day).ok()?;
        let time = match fields.time {
            None => None,
            Some(time) => Some(TimeOfDay::of(&time)?),
        };
        Some(Self { year, month, day, time })
    }

    /// What Python compares: the moment in UTC for a timestamp with a zone, else nothing.
    pub(crate) fn microseconds_utc(&self) -> Option<i128> {
        let offset = i128::from(self.time?.offset?);
        let time = self.time?;
        let date = civil::Date::new(self.year, self.month, self.day).ok()?;
        let days = date.since(civil::Date::ZERO).ok()?.get_days();
        let minutes = i128::from(days)
            .checked_mul(24)?
            .checked_add(i128::from(time.hour))?
            .checked_mul(60)?
            .checked_add(i128::from(time.minute))?
            .checked_sub(offset)?;
        let seconds = minutes.checked_mul(60)?.checked_add(i128::from(time.second))?;
        seconds.checked_mul(1_000_000)?.checked_add(i128::from(time.microsecond))
    }
}

impl TimeOfDay {
    fn of(fields: &TimeFields) -> Option<Self> {
        let [hour, minute, second] = fields.clock;
        let (hour, minute, second) =
            (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?);
        civil::Time::new(hour, minute, second, 0).ok()?;
        let offset = match fields.zone {
            None => None,
            Some((west, hours, minutes)) => {
                let east = i32::try_from(hours.checked_mul(60)?.checked_add(minutes)?).ok()?;
                let offset = if west { east.checked_neg()? } else { east };
                if east >= 24 * 60 {
                    return None;
                }
                Some(offset)
            }
        };
        Some(Self { hour, minute, second, microsecond: fields.microsecond, offset })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        let Some(time) = self.time else { return Ok(()) };
        write!(f, "T{:02}:{:02}:{:02}", time.hour, time.minute, time.second)?;
        if time.microsecond != 0 {
            write!(f, ".{:06}", time.microsecond)?;
        }
        if let Some(offset) = time.offset {
            let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
            write!(f, "{sign}{:02}:{:02}", size.wrapping_div(60), size.wrapping_rem(60))?;
        }
        Ok(())
    }
}

/// The parts of a timestamp as written, not yet checked against the calendar.
pub(crate) struct Fields {
    date: [u32; 3],
    pub(crate) time: Option<TimeFields>,
}

pub(crate) struct TimeFields {
    clock: [u32; 3],
    microsecond: i32,
    /// Whether it lies west of UTC, hours, minutes.
    zone: Option<(bool, u32, u32)>,
}

impl Fields {
    /// Takes `text` apart, if it has the form of a timestamp: `YYYY-M-D`, and perhaps a time of day.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let mut rest = Cut(text);
        let year = rest.digits(4, 4)?;
        rest.character('-')?;
        let month = rest.digits(1, 2)?;
        rest.character('-')?;
        let day = rest.digits(1, 2)?;
        let date = [year, month, day];
        if rest.0.is_empty() {
            return Some(Self { date, time: None });
        }
        if rest.character('T').or_else(|| rest.character('t')).is_none() && rest.blanks() == 0 {
            return None;
        }
        let time = TimeFields::of(&mut rest)?;
        rest.0.is_empty().then_some(Self { date, time: Some(time) })
    }
}

impl TimeFields {
    fn of(rest: &mut Cut<'_>) -> Option<Self> {
        let hour = rest.digits(1, 2)?;
        rest.character(':')?;
        let minute = rest.digits(2, 2)?;
        rest.character(':')?;
        let second = rest.digits(2, 2)?;
        let microsecond = match rest.character('.') {
            Some(()) => rest.fraction(),
            None => 0,
        };
        let blanks = rest.blanks();
        let zone = if rest.0.is_empty() {
            // Blanks at the end belong to no zone.
            if blanks > 0 {
                return None;
            }
            None
        } else if rest.character('Z').is_some() {
            Some((false, 0, 0))
        } else {
            let west = rest.character('-').is_some();
            if !west {
                rest.character('+')?;
            }
            let hours = rest.digits(1, 2)?;
            let minutes = if rest.character(':').is_some() { rest.digits(2, 2)? } else { 0 };
            Some((west, hours, minutes))
        };
        Some(Self { clock: [hour, minute, second], microsecond, zone })
    }
}

/// A text that is read from its front.
struct Cut<'a>(&'a str);

impl Cut<'_> {
    fn character(&mut self, expected: char) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn take_while(&mut self, most: usize, accept: impl Fn(char) -> bool) -> &str {
        let length = self.0.bytes().take(most).take_while(|byte| accept(char::from(*byte))).count();
        // Only ASCII is accepted, so the cut falls between characters.
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or(("", self.0));
        self.0 = rest;
        taken
    }

    /// A number of `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.take_while(most, |c| c.is_ascii_digit());
        if digits.len() < least { None } else { digits.parse().ok() }
    }

    fn blanks(&mut self) -> usize {
        self.take_while(usize::MAX, |c| c == ' ' || c == '\t').len()
    }

    /// Digits after a point as microseconds; those after the sixth are cut off.
    fn fraction(&mut self) -> i32 {
        let digits = self.take_while(usize::MAX, |c| c.is_ascii_digit());
        let first: String = digits.chars().chain("000000".chars()).take(6).collect();
        first.parse().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Option<String> {
        Timestamp::of(text).map(|timestamp| timestamp.to_string())
    }

    #[test]
    fn timestamps_print_as_python_does() {
        for (text, expected) in [
            ("2001-12-14", "2001-12-14"),
            ("2001-1-4", "2001-01-04"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.100000-05:00"),
            ("2001-12-14 21:59:43.1234567 -5", "2001-12-14T21:59:43.123456-05:00"),
            ("2001-12-15 2:59:43", "2001-12-15T02:59:43"),
            ("2001-12-15T2:59:43.Z", "2001-12-15T02:59:43+00:00"),
            ("2001-12-15T2:59:43-00:00", "2001-12-15T02:59:43+00:00"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn days_and_hours_there_are_not_are_refused() {
        for text in [
            "0000-01-01",
            "2001-02-29",
            "2001-13-01",
            "2001-12-14T24:00:00",
            "2001-12-14T01:60:00",
            "2001-12-14T01:00:60",
            "2001-12-14T01:00:00+24:00",
            "2001-12-14T01:00:00 ",
            "2001-12-14T",
        ] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    #[test]
    fn moments_compare_in_utc() {
        let utc = |text: &str| Timestamp::of(text).unwrap().microseconds_utc();
        assert_eq!(utc("2001-12-14T21:59:43-05:00"), utc("2001-12-15T02:59:43Z"));
        assert_eq!(utc("2001-12-14T21:59:43"), None);
        assert_ne!(utc("2001-12-14T21:59:43Z"), utc("2001-12-14T21:59:43.1Z"));
    }
}
