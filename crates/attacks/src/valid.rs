//! Valid chains, which must stay verified: every chain of every product that the testbed can build, and
//! variations.

mod absences;
mod addresses;
mod bounds;
mod changes;
mod custody;
mod files;
mod inputs;
mod levels;
mod moments;
mod work;

use catena_testbed::chain::{Builders, Images, Product, Scope, Vcs};
use catena_testbed::{Chain, Release, Trigger};

/// One valid chain.
#[derive(Clone, Debug)]
pub struct ValidChain {
    /// A few words, unique.
    pub name: String,
    /// The release.
    pub release: Release,
    /// How it is changed; `None` means that the part is missing, which is a mistake of the list.
    pub change: fn(&mut Chain) -> Option<()>,
    /// The `tasks_for` of its decision tasks and its action task: what the product's policy must allow.
    pub made_for: Vec<&'static str>,
}

const TRIGGERS: [(&str, Trigger); 8] = [
    ("push", Trigger::Push),
    ("cron", Trigger::Cron),
    ("pull-request", Trigger::PullRequest),
    ("pull-request-untrusted", Trigger::PullRequestUntrusted),
    ("release", Trigger::Release),
    ("action", Trigger::Action),
    ("pr-action", Trigger::PrAction),
    ("release-promotion", Trigger::ReleasePromotion),
];

/// All of them.
#[must_use]
pub fn chains() -> Vec<ValidChain> {
    let mut chains = Vec::new();
    for product in Product::all() {
        for (name, trigger) in TRIGGERS {
            for (vcs_name, vcs) in [("hg", Vcs::Hg), ("git", Vcs::Git)] {
                if product.has(vcs) && !(vcs == Vcs::Hg && of_github(trigger)) {
                    let release = Release { vcs, ..Release::of(product, trigger) };
                    let made_for = made_for(trigger, vcs);
                    let name = format!("{}/{name}/{vcs_name}", product.name);
                    chains.push(ValidChain { name, release, change: nothing, made_for });
                }
            }
        }
    }
    chains.extend(variations().into_iter().map(|(name, release)| {
        let made_for = made_for(release.trigger, release.vcs);
        ValidChain { name: name.to_owned(), release, change: nothing, made_for }
    }));
    let changed = [
        changes::CHANGED,
        absences::CHANGED,
        addresses::CHANGED,
        bounds::CHANGED,
        custody::CHANGED,
        files::CHANGED,
        inputs::CHANGED,
        levels::CHANGED,
        moments::CHANGED,
        work::CHANGED,
    ];
    chains.extend(changed.into_iter().flatten().map(|(name, release, change)| {
        let release = release();
        let made_for = made_for(release.trigger, release.vcs);
        ValidChain { name: (*name).to_owned(), release, change: *change, made_for }
    }));
    chains
}

/// Changes nothing.
fn nothing(_: &mut Chain) -> Option<()> {
    Some(())
}

fn of_github(trigger: Trigger) -> bool {
    use Trigger::{PrAction, PullRequest, PullRequestUntrusted, Release};
    matches!(trigger, PullRequest | PullRequestUntrusted | Release | PrAction)
}

/// The `tasks_for` of the decision tasks and the action task of a chain; images are of an earlier push.
fn made_for(trigger: Trigger, vcs: Vcs) -> Vec<&'static str> {
    let push = if vcs == Vcs::Hg { "hg-push" } else { "github-push" };
    match trigger {
        Trigger::Push => vec![push],
        Trigger::Cron => vec![push, "cron"],
        Trigger::PullRequest => vec![push, "github-pull-request"],
        Trigger::PullRequestUntrusted => vec![push, "github-pull-request-untrusted"],
        Trigger::Release => vec![push, "github-release"],
        Trigger::Action | Trigger::ReleasePromotion => vec![push, "action"],
        Trigger::PrAction => vec![push, "github-pull-request", "pr-action"],
    }
}

/// A push of Firefox to Mercurial.
#[must_use]
pub fn push() -> Release {
    Release::of(Product::FIREFOX, Trigger::Push)
}

/// A push of Firefox with a signing task before the target's.
#[must_use]
pub fn rounds() -> Release {
    Release { depth: 1, ..push() }
}

/// A cron job of Firefox on Mercurial.
#[must_use]
pub fn cron() -> Release {
    Release::of(Product::FIREFOX, Trigger::Cron)
}

/// An action on a push of Firefox.
#[must_use]
pub fn action() -> Release {
    Release::of(Product::FIREFOX, Trigger::Action)
}

/// A release promotion of Firefox: an action whose tasks have their own group.
#[must_use]
pub fn promotion() -> Release {
    Release::of(Product::FIREFOX, Trigger::ReleasePromotion)
}

/// A release promotion of Firefox that signs and repackages before.
#[must_use]
pub fn promotion_of_rounds() -> Release {
    Release { depth: 1, ..promotion() }
}

/// A push to a repository on GitHub.
#[must_use]
pub fn mobile() -> Release {
    Release::of(Product::MOBILE, Trigger::Push)
}

/// A release on GitHub.
#[must_use]
pub fn tag() -> Release {
    Release::of(Product::MOBILE, Trigger::Release)
}

/// A pull request on GitHub, from a branch of the repository itself.
#[must_use]
pub fn pull_request() -> Release {
    Release::of(Product::MOBILE, Trigger::PullRequest)
}

/// A pull request on GitHub, from a fork.
#[must_use]
pub fn fork() -> Release {
    Release::of(Product::MOBILE, Trigger::PullRequestUntrusted)
}

/// An action on a pull request.
#[must_use]
pub fn pr_action() -> Release {
    Release::of(Product::TRANSLATIONS, Trigger::PrAction)
}

/// A push whose tasks all have a first run that was lost with its worker.
#[must_use]
pub fn retried() -> Release {
    Release { retried: true, ..push() }
}

/// A push whose target has optional paths and patterns.
#[must_use]
pub fn globs() -> Release {
    Release { optional_and_globs: true, ..push() }
}

/// A push whose builds partly come from the git mirror of their Mercurial tree.
#[must_use]
pub fn mirrored() -> Release {
    Release { mirrored: true, builds: 4, ..push() }
}

/// A push whose target has finished, and whose own document is verified.
#[must_use]
pub fn finished() -> Release {
    Release { finished: true, ..push() }
}

/// A push whose workers record custody.
#[must_use]
pub fn custody() -> Release {
    Release { custody: true, ..push() }
}

/// A push to GitHub whose workers record custody.
#[must_use]
pub fn mobile_custody() -> Release {
    Release { custody: true, ..mobile() }
}

/// A push whose target has finished, and whose workers record custody.
#[must_use]
pub fn finished_custody() -> Release {
    Release { custody: true, ..finished() }
}

fn variations() -> Vec<(&'static str, Release)> {
    let mobile = |trigger| Release::of(Product::MOBILE, trigger);
    let vpn = |trigger| Release { ssh: true, ..Release::of(Product::MOZILLAVPN, trigger) };
    vec![
        ("docker-worker", Release { builders: Builders::DockerWorker, ..push() }),
        ("d2g", Release { builders: Builders::D2g, ..push() }),
        ("generic-worker", Release { builders: Builders::GenericWorker, ..push() }),
        ("images of the same graph", Release { images_from: Images::OwnGraph, ..push() }),
        ("many images", Release { images: 3, builds: 7, ..push() }),
        ("image builder from a registry", Release { image_builder: false, ..push() }),
        ("indexed images", Release { images_from: Images::Indexed, ..mobile(Trigger::Push) }),
        ("prebuilt images", Release { images_from: Images::Prebuilt, ..mobile(Trigger::Push) }),
        (
            "prebuilt images, d2g",
            Release {
                images_from: Images::Prebuilt,
                builders: Builders::D2g,
                ..Release::of(Product::XPI, Trigger::Push)
            },
        ),
        ("mirrored", Release { mirrored: true, builds: 4, ..push() }),
        ("globs", Release { optional_and_globs: true, ..push() }),
        (
            "globs, beetmover",
            Release { optional_and_globs: true, kind: Some("beetmover"), artifacts: 5, ..push() },
        ),
        (
            "globs of one artifact",
            Release { optional_and_globs: true, builds: 1, artifacts: 1, depth: 1, ..push() },
        ),
        ("balrog", Release { kind: Some("balrog"), ..push() }),
        ("bouncer", Release { kind: Some("bouncer"), ..push() }),
        ("shipit", Release { kind: Some("shipit"), ..push() }),
        ("pushapk", Release { kind: Some("pushapk"), ..mobile(Trigger::Release) }),
        ("finished", Release { finished: true, ..push() }),
        ("finished action", Release { finished: true, ..Release::of(Product::THUNDERBIRD, Trigger::Action) }),
        ("one round", rounds()),
        ("three rounds", Release { depth: 3, builds: 2, ..push() }),
        ("eight rounds", Release { depth: 8, builds: 1, ..push() }),
        ("promotion of rounds", Release { depth: 2, graph_size: 300, ..promotion() }),
        ("large graph", Release { graph_size: 3000, ..push() }),
        ("large artifacts", Release { artifact_size: 3_000_000, ..push() }),
        ("gzip", Release { gzip: true, ..push() }),
        ("ssh", vpn(Trigger::Push)),
        ("ssh cron", vpn(Trigger::Cron)),
        ("no restricted scopes", Release { scope: Scope::Unrestricted, ..mobile(Trigger::Push) }),
        (
            "promotion, no restricted scopes",
            Release { scope: Scope::Unrestricted, finished: true, ..promotion() },
        ),
        (
            "many at once",
            Release {
                mirrored: true,
                depth: 1,
                optional_and_globs: true,
                finished: true,
                builds: 4,
                ..Release::of(Product::FIREFOX, Trigger::Cron)
            },
        ),
        (
            "many at once on GitHub",
            Release {
                depth: 1,
                images_from: Images::OwnGraph,
                optional_and_globs: true,
                finished: true,
                ..mobile(Trigger::Release)
            },
        ),
        (
            "pull request's action",
            Release { depth: 1, ..Release::of(Product::TRANSLATIONS, Trigger::PrAction) },
        ),
        (
            "pull request's own image",
            Release { images_from: Images::OwnGraph, ..mobile(Trigger::PullRequest) },
        ),
        (
            "fork's own image",
            Release { images_from: Images::OwnGraph, depth: 1, ..mobile(Trigger::PullRequestUntrusted) },
        ),
        ("retried", retried()),
        ("retried and finished", Release { retried: true, finished: true, depth: 1, ..promotion() }),
        ("retried on GitHub", Release { retried: true, finished: true, ..mobile(Trigger::Release) }),
        ("retried containers", Release { retried: true, builders: Builders::D2g, ..cron() }),
        ("nine rounds", Release { depth: 9, builds: 1, ..push() }),
        ("mirrored action", Release { mirrored: true, builds: 4, ..action() }),
        ("mirrored promotion", Release { mirrored: true, builds: 4, ..promotion() }),
        ("images of the same graph, promoted", Release { images_from: Images::OwnGraph, ..promotion() }),
        ("another seed", Release { seed: 99, ..push() }),
    ]
}
