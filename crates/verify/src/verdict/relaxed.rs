//! What was weakened in a verdict.

use catena_policy::Rule;

/// One relaxation, in the order of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relaxed {
    /// A rule that the policy relaxes.
    Rule(Rule),
    /// The policy's `landed: assumed`: Catena does not look up whether the chain's commits have landed.
    LandedAssumed,
    /// The switch `--danger-allow-http`: facts may arrive over plain http from any host.
    AllowHttp,
    /// The switch `--danger-skip-signatures`: documents are accepted without verifying their
    /// signatures.
    SkipSignatures,
    /// The switch `--offline`: mutable data comes from the last successful verification.
    Offline,
}

/// Who weakened the verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelaxedBy {
    /// The policy.
    Policy,
    /// A switch of the command line, or its equivalent in the library.
    Switch,
}

impl Relaxed {
    /// All relaxations that are not rules.
    const OTHERS: [Self; 4] = [Self::LandedAssumed, Self::AllowHttp, Self::SkipSignatures, Self::Offline];

    /// The rule's name in the policy, or the name of the switch.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.as_str(),
            Self::LandedAssumed => "landed-assumed",
            Self::AllowHttp => "danger-allow-http",
            Self::SkipSignatures => "danger-skip-signatures",
            Self::Offline => "offline",
        }
    }

    /// Parses such a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let other = || Self::OTHERS.into_iter().find(|other| other.as_str() == name);
        Rule::parse(name).map(Self::Rule).or_else(other)
    }

    /// Who weakened it.
    #[must_use]
    pub const fn by(self) -> RelaxedBy {
        match self {
            Self::Rule(_) | Self::LandedAssumed => RelaxedBy::Policy,
            Self::AllowHttp | Self::SkipSignatures | Self::Offline => RelaxedBy::Switch,
        }
    }
}

impl RelaxedBy {
    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Policy, Self::Switch].into_iter().find(|by| by.as_str() == text)
    }

    /// The word that reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Switch => "switch",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let rules = Rule::ALL.iter().copied().map(Relaxed::Rule);
        for relaxed in rules.chain(Relaxed::OTHERS) {
            assert_eq!(Relaxed::parse(relaxed.as_str()), Some(relaxed));
        }
        assert_eq!(Relaxed::parse("danger"), None);
        let by = Relaxed::OTHERS.map(|relaxed| relaxed.by().as_str());
        assert_eq!(by, ["policy", "switch", "switch", "switch"]);
    }
}
