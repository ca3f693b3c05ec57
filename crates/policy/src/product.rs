//! A product's policy, resolved and ready for verification.

use super::identity::PolicyId;
use super::places::Places;
use super::rule::Rule;
use catena_model::source::{RepositoryUrl, SourceUrl};
use catena_model::task::{Kind, Trigger, WorkerPool};
use regex_lite::Regex;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that a verifier needs to know about a product. It has no default: a verifier cannot be
/// built without a policy.
#[derive(Clone, Debug)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// The identity of its policy.
    pub policy: PolicyId,
    /// Where its policy says what.
    pub places: Places,
    /// Where Taskcluster is, without a slash at its end, as templates are told it (specification 7.9); none where
    /// the policy does not say.
    pub root_url: Option<String>,
    /// The version control systems its trees live in. With more than one, the decision task decides.
    pub vcs: BTreeSet<Vcs>,
    /// `<PREFIX>` of variables such as `payload.env.<PREFIX>_HEAD_REPOSITORY`.
    pub source_env_prefix: String,
    /// Prefixes whose repository, if a task has it, is the one that its source must be in instead.
    pub overriding_source_env_prefixes: Vec<String>,
    /// The triggers that a parent may have.
    pub tasks_for: BTreeSet<Trigger>,
    /// Where decision and action tasks may run.
    pub decision_worker_pools: BTreeSet<WorkerPool>,
    /// Where docker-image tasks may run.
    pub docker_image_worker_pools: BTreeSet<WorkerPool>,
    /// Provisioners whose workers are scriptworkers.
    pub scriptworker_provisioners: BTreeSet<String>,
    /// Kinds that may use a prebuilt or indexed image.
    pub prebuilt_image_kinds: ImageKinds,
    /// The repositories that are trusted.
    pub repositories: Vec<RepositoryRule>,
    /// Scopes that only some trees may use.
    pub restricted_scopes: Vec<ScopeRule>,
    /// Named sets of repository paths, for `restricted_scopes`.
    pub trees: BTreeMap<String, BTreeSet<String>>,
    /// Owners on GitHub whose repositories are not forks.
    pub official_owners: BTreeSet<String>,
    /// Repository path on hg → path of its mirror on GitHub.
    pub hg_git_mirrors: BTreeMap<String, String>,
    /// The kinds a link may have.
    pub kinds: BTreeMap<Kind, KindRole>,
    /// How to find out whether a commit has landed.
    pub landed: Landed,
    /// Hosts that answer like hg.mozilla.org.
    pub hg_hosts: BTreeSet<String>,
    /// The address of `projects.yml`.
    pub projects_url: String,
    /// Steps from the target to its most distant link.
    pub max_chain_length: usize,
    /// The maximum age of a push, in days, when its decision task is created; `None` for any age.
    pub max_push_age: Option<u16>,
    /// Rules beyond the reference that this product relaxes.
    pub relaxed: BTreeSet<Rule>,
    /// Whether every chain must be traced back to a trusted tree, whatever its target's scopes.
    pub requires_trusted_tree: bool,
    /// The trusted repositories of all products of the policy, by the prefixes that name them in tasks:
    /// a task may use sources of another product's trees.
    pub repositories_by_prefix: BTreeMap<String, Vec<RepositoryRule>>,
    /// The restricted scopes of the policy's other products, each with the products that restrict it.
    pub foreign_scopes: BTreeMap<String, BTreeSet<String>>,
}

/// A version control system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vcs {
    /// Mercurial, on hosts like hg.mozilla.org.
    Hg,
    /// Git, on GitHub.
    Github,
}

impl Vcs {
    /// The word that policies use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hg => "hg",
            Self::Github => "github",
        }
    }
}

/// The requirements of a kind for its links (specification 2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindRole {
    /// Creates the graph from the tree: rebuilt from its template, publishes a task graph, actions and
    /// parameters.
    Decision,
    /// Creates tasks from an action: rebuilt like a decision, publishes a task graph.
    Action,
    /// Builds docker images, in the product's image pools.
    DockerImage,
    /// Must have been run by a scriptworker.
    Scriptworker,
    /// No further requirements.
    Plain,
}

impl KindRole {
    /// Whether links of this kind create other tasks.
    #[must_use]
    pub fn is_parent(self) -> bool {
        matches!(self, Self::Decision | Self::Action)
    }
}

/// Kinds that may use an image that no task of the chain built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageKinds {
    /// Every kind.
    Any,
    /// These.
    Of(BTreeSet<Kind>),
}

impl ImageKinds {
    /// Whether a kind is included.
    #[must_use]
    pub fn allow(&self, kind: &Kind) -> bool {
        match self {
            Self::Any => true,
            Self::Of(kinds) => kinds.contains(kind),
        }
    }
}

/// How to find out whether a commit has landed on a branch of its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landed {
    /// `https://github.com/<o>/<r>/branch_commits/<rev>`, like the reference.
    BranchCommits,
    /// The compare API for the default branch, and for the branch that the task names.
    Compare,
    /// Not looked up: the repositories are private (`require_secret`).
    Assumed,
}

/// Trusted repositories: `trusted_vcs_rules`.
#[derive(Clone, Debug)]
pub struct RepositoryRule {
    /// `https`, `ssh`.
    pub schemes: BTreeSet<String>,
    /// Host names.
    pub hosts: BTreeSet<String>,
    /// Regular expressions over the path, each with a group `path`.
    pub paths: Vec<Regex>,
}

impl RepositoryRule {
    /// The path of the trusted repository that contains an address: what the group `path` matched, from
    /// the root and by whole segments.
    ///
    /// Off-reference: the group must end where a segment ends (a following `.git` is ignored).
    #[must_use]
    pub fn repository_path(&self, source: &SourceUrl) -> Option<String> {
        self.matched(source, true)
    }

    /// What the group `path` matched, if it does not end with a segment.
    fn partial_repository_path(&self, source: &SourceUrl) -> Option<String> {
        self.matched(source, false)
    }

    /// The path of the trusted repository that an address names, by the first rule that yields one:
    /// exactly, neither below the repository nor above it.
    #[must_use]
    pub fn exact_path(rules: &[Self], repository: &RepositoryUrl) -> Option<String> {
        let source = SourceUrl::of_repository(repository.as_str()).ok()?;
        let path = rules.iter().find_map(|rule| rule.repository_path(&source))?;
        (path == repository.path()).then_some(path)
    }

    fn matched(&self, source: &SourceUrl, whole: bool) -> Option<String> {
        if !self.schemes.contains(source.scheme().as_str()) || !self.hosts.contains(source.host()) {
            return None;
        }
        let path = source.path();
        self.paths.iter().find_map(|regex| {
            let matched = regex.captures(&path)?.name("path")?;
            let rest = path.get(matched.end()..)?;
            let ends =
                rest.is_empty() || rest.starts_with('/') || rest == ".git" || rest.starts_with(".git/");
            (whole == (matched.start() == 0 && ends)).then(|| matched.as_str().to_owned())
        })
    }
}

/// A scope that only some trees may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRule {
    /// The scope; a `*` at its end covers every continuation.
    pub scope: String,
    /// The set of trees, a name in `Product::trees`.
    pub trees: String,
}

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A product that the policy does not have.
    #[error("the policy has no product {name:?}; it has: {}", known.join(", "))]
    UnknownProduct {
        /// The requested name.
        name: String,
        /// The existing products.
        known: Vec<String>,
    },
}

impl Product {
    /// A product that trusts nothing, for tests to add to.
    #[cfg(any(test, feature = "samples"))]
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            policy: PolicyId::unknown(),
            places: Places::default(),
            root_url: None,
            vcs: BTreeSet::new(),
            source_env_prefix: name.to_ascii_uppercase(),
            overriding_source_env_prefixes: Vec::new(),
            tasks_for: BTreeSet::new(),
            decision_worker_pools: BTreeSet::new(),
            docker_image_worker_pools: BTreeSet::new(),
            scriptworker_provisioners: BTreeSet::new(),
            prebuilt_image_kinds: ImageKinds::Of(BTreeSet::new()),
            repositories: Vec::new(),
            restricted_scopes: Vec::new(),
            trees: BTreeMap::new(),
            official_owners: BTreeSet::new(),
            hg_git_mirrors: BTreeMap::new(),
            kinds: BTreeMap::new(),
            landed: Landed::BranchCommits,
            hg_hosts: BTreeSet::new(),
            projects_url: String::new(),
            max_chain_length: 20,
            max_push_age: None,
            relaxed: BTreeSet::new(),
            requires_trusted_tree: false,
            repositories_by_prefix: BTreeMap::new(),
            foreign_scopes: BTreeMap::new(),
        }
    }

    /// The path of the trusted repository that contains an address, by the first rule that matches.
    #[must_use]
    pub fn repository_path(&self, source: &SourceUrl) -> Option<String> {
        self.repositories.iter().find_map(|rule| rule.repository_path(source))
    }

    /// The trusted path that is a prefix of an address's path, although not by whole segments: a
    /// look-alike.
    #[must_use]
    pub fn partial_repository_path(&self, source: &SourceUrl) -> Option<String> {
        self.repositories.iter().find_map(|rule| rule.partial_repository_path(source))
    }

    /// The prefixes of the variables in which the product's tasks name their repositories.
    pub fn source_env_prefixes(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.source_env_prefix).chain(&self.overriding_source_env_prefixes)
    }

    /// The requirements of a kind for its links; `None` for a kind that the policy does not know.
    #[must_use]
    pub fn role(&self, kind: &Kind) -> Option<KindRole> {
        self.kinds.get(kind).copied()
    }

    /// Whether a repository is on a host that answers like hg.mozilla.org.
    #[must_use]
    pub fn is_hg(&self, repository: &RepositoryUrl) -> bool {
        self.hg_hosts.contains(repository.host())
    }
}
