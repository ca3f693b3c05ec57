//! What a verdict does without.

use catena_policy::Rule;

/// One thing that was weakened, in the order in which reports have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relaxed {
    /// A rule that the policy relaxes.
    Rule(Rule),
    /// The policy's `landed: assumed`: nobody is asked whether what the chain is made from has landed.
    LandedAssumed,
    /// The switch `--danger-allow-http`: facts may come over plain http from anywhere.
    AllowHttp,
    /// The switch `--danger-skip-signatures`: documents are accepted without their signatures.
    SkipSignatures,
    /// The switch `--offline`: what may have changed is as it was seen before.
    Offline,
}

/// Who weakens something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelaxedBy {
    /// The policy.
    Policy,
    /// A switch of the command line, or what stands for it where the library is called.
    Switch,
}

impl Relaxed {
    /// All that no rule stands for.
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

    /// Reads such a name.
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
    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Policy, Self::Switch].into_iter().find(|by| by.as_str() == text)
    }

    /// In one word, as reports have it.
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
