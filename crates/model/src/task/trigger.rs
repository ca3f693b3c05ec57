//! The trigger of a parent.

use std::fmt;

/// A known value of `extra.tasks_for` (specification 1.5), in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// An action on a push.
    Action,
    /// A cron job of the tree.
    Cron,
    /// A pull request of a collaborator.
    GithubPullRequest,
    /// A pull request from anyone.
    GithubPullRequestUntrusted,
    /// A push to GitHub.
    GithubPush,
    /// A release on GitHub.
    GithubRelease,
    /// A push to Mercurial.
    HgPush,
    /// An action that pull requests may fire.
    PrAction,
}

impl Trigger {
    /// All triggers.
    pub const ALL: [Self; 8] = [
        Self::Action,
        Self::Cron,
        Self::GithubPullRequest,
        Self::GithubPullRequestUntrusted,
        Self::GithubPush,
        Self::GithubRelease,
        Self::HgPush,
        Self::PrAction,
    ];

    /// As definitions and policies write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Cron => "cron",
            Self::GithubPullRequest => "github-pull-request",
            Self::GithubPullRequestUntrusted => "github-pull-request-untrusted",
            Self::GithubPush => "github-push",
            Self::GithubRelease => "github-release",
            Self::HgPush => "hg-push",
            Self::PrAction => "pr-action",
        }
    }

    /// Parses the value in a definition.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }

    /// Whether it is an action of a decision task, which the template renders differently.
    #[must_use]
    pub const fn is_action(self) -> bool {
        matches!(self, Self::Action | Self::PrAction)
    }

    /// Whether it is a proposed change that has not been merged.
    #[must_use]
    pub const fn is_pull_request(self) -> bool {
        matches!(self, Self::GithubPullRequest | Self::GithubPullRequestUntrusted)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_read_back_and_others_are_not() {
        assert!(Trigger::ALL.is_sorted());
        assert!(Trigger::ALL.map(Trigger::as_str).is_sorted());
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::parse(trigger.as_str()), Some(trigger));
        }
        assert_eq!(["", "Cron", "github-", "github-issue-comment"].map(Trigger::parse), [None; 4]);
        let of = |is: fn(Trigger) -> bool| Trigger::ALL.into_iter().filter(|it| is(*it)).count();
        assert_eq!((of(Trigger::is_action), of(Trigger::is_pull_request)), (2, 2));
    }
}
