//! Points in a trust file that an administrator should check.

use super::{TrustFile, TrustRecord};
use crate::usage::{KeyUse, Usage};
use catena_keys::KeyId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// One such point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditNote {
    /// The key.
    pub id: KeyId,
    /// Its kind.
    pub kind: AuditKind,
    /// Whether action is required; otherwise it is information.
    pub is_problem: bool,
    /// The point, in one sentence.
    pub message: String,
}

/// The subject of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditKind {
    /// The key expires soon.
    Expiring,
    /// The key has expired.
    Expired,
    /// The key never expires.
    Endless,
    /// Two keys have the same permissions.
    Overlapping,
    /// No recording has a signature of the key.
    Unused,
    /// The key may sign for more than it signed for.
    Broader,
}

impl AuditKind {
    /// The word that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Endless => "endless",
            Self::Overlapping => "overlapping",
            Self::Unused => "unused",
            Self::Broader => "broader",
        }
    }
}

/// Examines every key of a file that is not revoked, at a given time. `uses` are the signatures in
/// recordings, each with the key that made it; without recordings there is nothing to compare with.
#[must_use]
pub fn audit(
    file: &TrustFile,
    uses: Option<&[(KeyId, KeyUse)]>,
    at: Timestamp,
    soon: SignedDuration,
) -> Vec<AuditNote> {
    let soon = at.checked_add(soon).unwrap_or(Timestamp::MAX);
    let records: Vec<&TrustRecord> =
        file.records().iter().filter(|record| record.revoked.is_none()).collect();
    let mut notes = Vec::new();
    for (place, record) in records.iter().enumerate() {
        notes.extend(ends(record, &records, at, soon));
        let later = records.iter().skip(place.saturating_add(1));
        notes.extend(later.filter_map(|other| overlap(record, other, at, soon)));
        if let Some(uses) = uses.filter(|_| record.not_after.is_none_or(|end| end >= at)) {
            notes.extend(used(record, uses));
        }
    }
    notes
}

fn note(record: &TrustRecord, kind: AuditKind, is_problem: bool, message: String) -> AuditNote {
    AuditNote { id: record.id.clone(), kind, is_problem, message }
}

/// Whether and how the validity of a key ends.
fn ends(record: &TrustRecord, all: &[&TrustRecord], at: Timestamp, soon: Timestamp) -> Option<AuditNote> {
    let Some(end) = record.not_after else {
        let message = "The key has no not-after, so it never expires.".to_owned();
        return Some(note(record, AuditKind::Endless, true, message));
    };
    if end < at {
        let message = format!("The key ended at {end}; it stays in the file for what it signed before.");
        return Some(note(record, AuditKind::Expired, false, message));
    }
    if end > soon {
        return None;
    }
    let replaces = |other: &&&TrustRecord| {
        other.not_after.is_none_or(|until| until > soon)
            && other.not_before.is_none_or(|from| from <= end)
            && may_sign_the_same(record, other)
    };
    Some(match all.iter().find(replaces) {
        Some(next) => note(
            record,
            AuditKind::Expiring,
            false,
            format!("The key ends at {end}; {} stays valid.", next.id),
        ),
        None => {
            let message =
                format!("The key ends at {end}, and no other key has the same permissions after that.");
            note(record, AuditKind::Expiring, true, message)
        }
    })
}

/// Two keys that are valid for the same use at once: a rotation if one of them ends soon.
fn overlap(one: &TrustRecord, other: &TrustRecord, at: Timestamp, soon: Timestamp) -> Option<AuditNote> {
    let is_valid = |record: &TrustRecord| record.not_after.is_none_or(|end| end >= at);
    let begins = |record: &TrustRecord| record.not_before.is_none_or(|from| from <= soon);
    let meets = [one, other].into_iter().all(|record| is_valid(record) && begins(record));
    if !meets || !may_sign_the_same(one, other) {
        return None;
    }
    let ends = [one, other].into_iter().filter_map(|record| Some((record.not_after?, &record.id)));
    let first = ends.min();
    Some(match first.filter(|(end, _)| *end <= soon) {
        Some((end, id)) => {
            let message = format!("It and {} have the same permissions until {id} ends at {end}.", other.id);
            note(one, AuditKind::Overlapping, false, message)
        }
        None => {
            let message = format!("It and {} have the same permissions, and neither ends soon.", other.id);
            note(one, AuditKind::Overlapping, true, message)
        }
    })
}

fn may_sign_the_same(one: &TrustRecord, other: &TrustRecord) -> bool {
    !one.worker_implementations.is_disjoint(&other.worker_implementations) && one.usage.overlaps(&other.usage)
}

/// Whether a key signed something, and whether it may sign for more.
fn used(record: &TrustRecord, uses: &[(KeyId, KeyUse)]) -> Vec<AuditNote> {
    let own: Vec<&KeyUse> = uses.iter().filter(|(id, _)| *id == record.id).map(|(_, used)| used).collect();
    if own.is_empty() {
        let message = "No signature in these recordings is of this key.".to_owned();
        return vec![note(record, AuditKind::Unused, true, message)];
    }
    let broader = Usage::broader(&record.usage, &own);
    broader.into_iter().map(|message| note(record, AuditKind::Broader, true, message)).collect()
}

impl Usage {
    /// The permissions of a usage that none of these uses needed, in a sentence for each part.
    fn broader(&self, uses: &[&KeyUse]) -> Vec<String> {
        let products = uses.iter().map(|used| used.product.clone()).collect();
        let pools = uses.iter().map(|used| used.worker_pool.to_string()).collect();
        let levels =
            uses.iter().flat_map(|used| &used.levels).flatten().map(|level| level.digit().to_string());
        let workers = uses.iter().filter_map(|used| used.worker.clone()).collect();
        let permitted =
            |name: &str| self.limits().find(|(limit, _)| *limit == name).map(|(_, values)| values);
        let parts: [(&str, BTreeSet<String>); 4] = [
            ("products", products),
            ("worker-pools", pools),
            ("levels", levels.collect()),
            ("workers", workers),
        ];
        let tell = |(name, used): &(&str, BTreeSet<String>)| told(name, permitted(name), used);
        parts.iter().filter_map(tell).collect()
    }
}

fn told(name: &str, permitted: Option<Vec<String>>, used: &BTreeSet<String>) -> Option<String> {
    const SHOWN: usize = 10;
    if used.is_empty() {
        return None;
    }
    let mut list = used.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if used.len() > SHOWN {
        list.push_str(&format!(" and {} more", used.len().saturating_sub(SHOWN)));
    }
    let Some(permitted) = permitted else {
        // Workers come and go; a key that names no worker is no wider than its pools.
        return (name != "workers")
            .then(|| format!("The key has no `{name}`, and signed for these only: {list}."));
    };
    let is_used = |value: &String| {
        let pattern = super::super::usage::PairPattern::parse(value);
        used.iter().any(|used| used == value || pattern.as_ref().is_ok_and(|pattern| pattern.matches(used)))
    };
    let unused: Vec<String> = permitted.into_iter().filter(|value| !is_used(value)).collect();
    (!unused.is_empty())
        .then(|| format!("Nothing was signed for these of its `{name}`: {}.", unused.join(", ")))
}
