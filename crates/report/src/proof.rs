//! Statistics of a verdict's proof.

use catena_verify::verdict::{ArtifactEvidence, Disposition, Verdict};
use std::collections::BTreeMap;

/// The statistics.
pub(crate) struct Proof {
    pub(crate) links: usize,
    /// Artifacts whose bytes were measured.
    pub(crate) artifacts: usize,
    /// Bytes of these artifacts.
    pub(crate) bytes: u64,
    /// Artifacts that are known by their digests, and whose bytes were not read.
    pub(crate) by_digest: usize,
    pub(crate) signatures: usize,
    /// Signed documents by the worker implementation whose key signed them.
    pub(crate) by_implementation: BTreeMap<&'static str, usize>,
    pub(crate) passed: usize,
}

impl Proof {
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let signed = verdict.links.iter().filter(|link| link.document.is_some());
        let mut by_implementation: BTreeMap<&'static str, usize> = BTreeMap::new();
        for implementation in signed.clone().filter_map(|link| link.worker_implementation) {
            let count = by_implementation.entry(implementation.as_str()).or_default();
            *count = count.saturating_add(1);
        }
        let passed = verdict.findings.iter().filter(|finding| finding.disposition == Disposition::Passed);
        let measured =
            verdict.artifacts.iter().filter(|artifact| artifact.evidence == ArtifactEvidence::Measured);
        let artifacts = measured.clone().count();
        Self {
            links: verdict.links.len(),
            artifacts,
            bytes: measured.filter_map(|artifact| artifact.length).fold(0, u64::saturating_add),
            by_digest: verdict.artifacts.len().saturating_sub(artifacts),
            signatures: signed.count(),
            by_implementation,
            passed: passed.count(),
        }
    }

    /// In one sentence.
    pub(crate) fn sentence(&self) -> String {
        let by_digest = match self.by_digest {
            0 => String::new(),
            number => format!(" measured, {number} by digest only"),
        };
        let mut text = format!(
            "{}, {} ({}){by_digest} and {}",
            count(self.links, "link"),
            count(self.artifacts, "artifact"),
            size(self.bytes),
            count(self.signatures, "signature"),
        );
        let by: Vec<String> =
            self.by_implementation.iter().map(|(name, number)| format!("{number} {name}")).collect();
        if !by.is_empty() {
            text.push_str(&format!(" ({})", by.join(", ")));
        }
        text
    }
}

/// A number and its noun: `1 link`, `2 links`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Bytes for people: `812 B`, `1.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const STEP: u64 = 1024;
    let mut whole = bytes;
    let mut rest = 0;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if whole < STEP {
            break;
        }
        rest = whole % STEP;
        whole /= STEP;
        unit = larger;
    }
    if unit == "B" {
        return format!("{whole} B");
    }
    let tenths = rest.saturating_mul(10) / STEP;
    format!("{whole}.{tenths} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(64 << 30), "64.0 GiB");
        assert_eq!(size(u64::MAX), "16777215.9 TiB");
    }
}
