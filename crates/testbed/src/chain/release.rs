//! What kind of chain to build, and how large.

use super::build;
use super::product::{Product, Vcs};
use super::{BuildError, Chain};

/// What started the graph the target is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `hg-push` or `github-push`.
    Push,
    /// `cron`.
    Cron,
    /// `github-pull-request`, from a branch of the repository itself.
    PullRequest,
    /// `github-pull-request-untrusted`, from a fork.
    PullRequestUntrusted,
    /// `github-release`.
    Release,
    /// `action` on a push's graph: the target is made by the action, in the same task group.
    Action,
    /// `pr-action` on a pull request's graph.
    PrAction,
    /// A release promotion: an action whose tasks are a task group of their own.
    ReleasePromotion,
}

/// What runs the builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builders {
    /// Each of the others in turn.
    Mixed,
    /// docker-worker, signing with its own key.
    DockerWorker,
    /// docker-worker's payload, run by generic-worker and signed with its key.
    D2g,
    /// generic-worker on its own.
    GenericWorker,
}

/// Where the images come from that builds run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// Tasks of the same graph.
    OwnGraph,
    /// Tasks of an earlier push's graph: two decision tasks in one chain.
    EarlierGraph,
    /// The task index. Few policies allow it.
    Indexed,
    /// A registry. Few policies allow it for builds.
    Prebuilt,
}

/// What the target may do that others may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The product's restricted scope where its policy allows it: not for pull requests, and not on
    /// trees it is not for.
    Fitting,
    /// Nothing restricted.
    Unrestricted,
    /// This scope, allowed or not.
    Exactly(String),
}

/// A chain to build: what it is and how large. Start from [`Release::new`] and change fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Whose policy applies.
    pub product: &'static Product,
    /// What started it.
    pub trigger: Trigger,
    /// Where the sources are; [`Release::new`] takes the product's main place.
    pub vcs: Vcs,
    /// Everything that looks random follows from this.
    pub seed: u64,
    /// Number of build tasks, at least one.
    pub builds: usize,
    /// What runs them.
    pub builders: Builders,
    /// Number of image tasks builds take turns with, at least one.
    pub images: usize,
    /// Where images come from.
    pub images_from: Images,
    /// Whether images are built in an image that another task built from a registry's.
    pub image_builder: bool,
    /// Artifacts of each build, at least one.
    pub artifacts: usize,
    /// Bytes of each of them.
    pub artifact_size: u64,
    /// Entries of the task graph; raised to what the chain needs.
    pub graph_size: usize,
    /// Rounds of signing and repackaging between the builds and the target.
    pub depth: usize,
    /// Every second build's sources are the git mirror of the Mercurial repository.
    pub mirrored: bool,
    /// Number of tasks of the target's kind, at least one. The first signs what all builds made, and each
    /// further one what one build made, the builds taking turns: many tasks of one push.
    pub targets: usize,
    /// The target has optional, missing and glob paths among its upstream artifacts.
    pub optional_and_globs: bool,
    /// The target has finished and has a document of its own.
    pub finished: bool,
    /// Every worker records custody, and builds take in a toolchain that no link made.
    pub custody: bool,
    /// The first run of everything ended in an exception, and what counts is the second.
    pub retried: bool,
    /// What the target may do.
    pub scope: Scope,
    /// The target's kind instead of the product's usual one.
    pub kind: Option<&'static str>,
    /// Repositories are named by `ssh://` URLs.
    pub ssh: bool,
    /// Small bodies are random; this many bytes or more are generated while they are sent.
    pub generate_from: u64,
    /// The store sends text gzipped.
    pub gzip: bool,
}

impl Release {
    /// A small release of a product: three builds of two artifacts, one image of an earlier graph.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn new(product: &str, trigger: Trigger) -> Result<Release, BuildError> {
        Ok(Self::of(Product::named(product)?, trigger))
    }

    /// A small release of a product: three builds of two artifacts, one image of an earlier graph.
    pub fn of(product: &'static Product, trigger: Trigger) -> Release {
        let git_only = matches!(
            trigger,
            Trigger::PullRequest | Trigger::PullRequestUntrusted | Trigger::Release | Trigger::PrAction
        );
        Release {
            product,
            trigger,
            vcs: if git_only { Vcs::Git } else { product.main_vcs() },
            seed: 1,
            builds: 3,
            builders: Builders::Mixed,
            images: 1,
            images_from: Images::EarlierGraph,
            image_builder: true,
            artifacts: 2,
            artifact_size: 3000,
            graph_size: 12,
            depth: 0,
            mirrored: false,
            targets: 1,
            optional_and_globs: false,
            finished: false,
            custody: false,
            retried: false,
            scope: Scope::Fitting,
            kind: None,
            ssh: false,
            generate_from: 1 << 20,
            gzip: false,
        }
    }

    /// Builds the chain: the same bytes for the same fields.
    ///
    /// # Errors
    /// When the product has no sources there, or a template does not render.
    pub fn build(&self) -> Result<Chain, BuildError> {
        build::chain(self)
    }
}
