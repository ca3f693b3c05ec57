//! When a key is valid: from when, until when, and until it was compromised.

use jiff::Timestamp;
use std::fmt;

/// When a key is valid. Without any limit it always is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// The first moment it is valid.
    pub not_before: Option<Timestamp>,
    /// The last moment it is valid.
    pub not_after: Option<Timestamp>,
    /// Whether, and from when on, nothing it signs is accepted any more.
    pub revoked: Option<Revoked>,
    /// Why it is limited, in the words of the person who limited it.
    pub because: Option<String>,
}

/// From when on a revoked key is not valid; the strictest is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revoked {
    /// It was never valid.
    Always,
    /// It was valid before this moment.
    At(Timestamp),
}

/// When something was signed, as far as others bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Not before this moment.
    pub first: Timestamp,
    /// Not after this moment.
    pub last: Timestamp,
}

/// Why a key is not valid at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is revoked.
    Revoked,
    /// Its time had not come.
    NotYet,
    /// Its time was over.
    Expired,
    /// It has limits, and it is not known when it was used.
    TimeUnknown,
}

impl Validity {
    /// Whether a key is valid for what was signed within a period: it must be valid throughout.
    ///
    /// # Errors
    /// Why it is not. A key with a limit in time is never valid where the period is unknown.
    pub fn holds_over(&self, signed: Option<Period>) -> Result<(), Invalid> {
        if self.revoked == Some(Revoked::Always) {
            return Err(Invalid::Revoked);
        }
        if !self.is_limited() {
            return Ok(());
        }
        let Period { first, last } = signed.ok_or(Invalid::TimeUnknown)?;
        if matches!(self.revoked, Some(Revoked::At(revoked)) if last >= revoked) {
            return Err(Invalid::Revoked);
        }
        if self.not_before.is_some_and(|from| first < from) {
            return Err(Invalid::NotYet);
        }
        if self.not_after.is_some_and(|until| last > until) {
            return Err(Invalid::Expired);
        }
        Ok(())
    }

    /// Whether there is a time at which it is not valid.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.not_before.is_some() || self.not_after.is_some() || self.revoked.is_some()
    }

    /// Whether both hold at the same times, whatever the reason.
    #[must_use]
    pub fn limits_same(&self, other: &Self) -> bool {
        (self.not_before, self.not_after, self.revoked) == (other.not_before, other.not_after, other.revoked)
    }

    /// What two places say of one key: it is valid only when it is by both.
    #[must_use]
    pub fn strictest(&self, other: &Self) -> Self {
        let because = match (&self.because, &other.because) {
            (Some(one), Some(other)) if one != other => Some(format!("{one}; {other}")),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        let earlier = |one: Option<Timestamp>, other: Option<Timestamp>| one.into_iter().chain(other).min();
        Self {
            not_before: self.not_before.max(other.not_before),
            not_after: earlier(self.not_after, other.not_after),
            revoked: self.revoked.into_iter().chain(other.revoked).min(),
            because,
        }
    }

    /// The limits in time as a policy writes them: name and value.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, String)> {
        let revoked = self.revoked.map(|revoked| revoked.to_string());
        let limits = [
            ("not-before", self.not_before.map(|time| time.to_string())),
            ("not-after", self.not_after.map(|time| time.to_string())),
            ("revoked", revoked),
        ];
        limits.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

/// `always`, or the moment.
impl fmt::Display for Revoked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => out.write_str("always"),
            Self::At(time) => write!(out, "{time}"),
        }
    }
}

/// The limits as a policy writes them, on one line.
impl fmt::Display for Validity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = self.because.clone().map(|because| ("because", because));
        let said = self.limits().chain(because).map(|(name, value)| format!("{name}: {value}"));
        out.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    impl Validity {
        fn holds_at(&self, time: Option<Timestamp>) -> Result<(), Invalid> {
            self.holds_over(time.map(|time| Period { first: time, last: time }))
        }
    }

    #[test]
    fn a_key_must_count_throughout() {
        let (first, last) = ("2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z");
        let signed = Some(Period { first: at(first).unwrap(), last: at(last).unwrap() });
        let within = |not_before, not_after, revoked: Option<&str>| {
            let revoked = revoked.map(|time| Revoked::At(at(time).unwrap()));
            Validity { not_before: at(not_before), not_after: at(not_after), revoked, because: None }
                .holds_over(signed)
        };
        let (before, after) = ("2026-06-01T11:00:00Z", "2026-06-01T14:00:00Z");
        let midst = "2026-06-01T12:30:00Z";
        assert_eq!(within(first, last, None), Ok(()));
        assert_eq!(within(midst, last, None), Err(Invalid::NotYet));
        assert_eq!(within(before, midst, None), Err(Invalid::Expired));
        assert_eq!(within(before, after, Some(after)), Ok(()));
        assert_eq!(within(before, after, Some(last)), Err(Invalid::Revoked));
        assert_eq!(within(before, after, Some(midst)), Err(Invalid::Revoked));
    }

    #[test]
    fn the_strictest_of_two_counts() {
        let (early, late) = ("2026-06-01T12:00:00Z", "2026-06-02T12:00:00Z");
        let of = |not_before: Option<&str>, not_after: Option<&str>, revoked| Validity {
            not_before: not_before.and_then(at),
            not_after: not_after.and_then(at),
            revoked,
            because: None,
        };
        let (one, other) = (of(Some(early), Some(late), None), of(Some(late), Some(early), None));
        let both = of(Some(late), Some(early), None);
        assert_eq!([one.strictest(&other), other.strictest(&one)], [both.clone(), both]);
        let none = Validity::default();
        assert_eq!([one.strictest(&none), none.strictest(&one)], [one.clone(), one]);
        let at = |text| Some(Revoked::At(at(text).unwrap()));
        for (stricter, milder) in
            [(at(early), at(late)), (Some(Revoked::Always), at(early)), (at(late), None)]
        {
            let (stricter, milder) = (of(None, None, stricter), of(None, None, milder));
            assert_eq!(
                [stricter.strictest(&milder), milder.strictest(&stricter)],
                [stricter.clone(), stricter]
            );
        }
        let why = |because: &str| Validity { because: Some(because.to_owned()), ..Validity::default() };
        assert_eq!(why("a").strictest(&why("b")).because.as_deref(), Some("a; b"));
        assert_eq!(why("a").strictest(&why("a")), why("a"));
    }

    #[test]
    fn a_window_includes_both_its_ends() {
        let (first, last) = ("2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z");
        let window = Validity { not_before: at(first), not_after: at(last), ..Validity::default() };
        assert_eq!(window.holds_at(at("2025-12-31T23:59:59.999Z")), Err(Invalid::NotYet));
        assert_eq!(window.holds_at(at(first)), Ok(()));
        assert_eq!(window.holds_at(at(last)), Ok(()));
        assert_eq!(window.holds_at(at("2026-12-31T23:59:59.001Z")), Err(Invalid::Expired));
        assert_eq!(window.holds_at(None), Err(Invalid::TimeUnknown));
    }

    #[test]
    fn one_limit_is_enough() {
        let moment = "2026-06-01T12:00:00Z";
        let from = Validity { not_before: at(moment), ..Validity::default() };
        let until = Validity { not_after: at(moment), ..Validity::default() };
        let (before, after) = (at("2026-06-01T11:59:59.999Z"), at("2026-06-01T12:00:00.001Z"));
        assert_eq!([from.holds_at(before), from.holds_at(after)], [Err(Invalid::NotYet), Ok(())]);
        assert_eq!([until.holds_at(before), until.holds_at(after)], [Ok(()), Err(Invalid::Expired)]);
        assert_eq!([from.holds_at(None), until.holds_at(None)], [Err(Invalid::TimeUnknown); 2]);
    }

    #[test]
    fn what_a_revoked_key_signed_before_stays_good() {
        let moment = "2026-06-01T12:00:00Z";
        let revoked = |revoked| Validity { revoked: Some(revoked), ..Validity::default() };
        let then = revoked(Revoked::At(at(moment).unwrap()));
        assert_eq!(then.holds_at(at("2026-06-01T11:59:59.999Z")), Ok(()));
        assert_eq!(then.holds_at(at(moment)), Err(Invalid::Revoked));
        assert_eq!(then.holds_at(None), Err(Invalid::TimeUnknown));
        for time in [None, at("1999-01-01T00:00:00Z")] {
            assert_eq!(revoked(Revoked::Always).holds_at(time), Err(Invalid::Revoked));
        }
    }

    #[test]
    fn a_key_without_limits_needs_no_time() {
        assert_eq!(Validity::default().holds_at(None), Ok(()));
        let why = Validity { because: Some("of old".to_owned()), ..Validity::default() };
        assert_eq!(why.holds_at(None), Ok(()));
    }
}
