//! Every chain the builder can make: all products, all that can start a graph, and variations.

use catena_core::checks;
use catena_core::policy::Policy;
use catena_testbed::chain::{Builders, Images, Product, Scope, Vcs};
use catena_testbed::{Release, Trigger};

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

/// Releases by name, and whether the product's policy allows what starts them.
pub(crate) fn releases() -> Vec<(String, Release, bool)> {
    let policy = Policy::shipped(checks::RULES).unwrap();
    let mut releases = Vec::new();
    for product in Product::all() {
        let allowed = policy.product(product.name).unwrap().tasks_for;
        for (name, trigger) in TRIGGERS {
            for (vcs_name, vcs) in [("hg", Vcs::Hg), ("git", Vcs::Git)] {
                let release = Release { vcs, ..release(product.name, trigger) };
                if product.has(vcs) && !(vcs == Vcs::Hg && of_github(trigger)) {
                    let made_for = made_for(trigger, vcs).iter().all(|name| allowed.contains(*name));
                    releases.push((format!("{}/{name}/{vcs_name}", product.name), release, made_for));
                }
            }
        }
    }
    releases.extend(variations().into_iter().map(|(name, release)| (name.to_owned(), release, true)));
    releases
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

pub(crate) fn release(product: &str, trigger: Trigger) -> Release {
    Release::new(product, trigger).unwrap()
}

fn variations() -> Vec<(&'static str, Release)> {
    let push = || release("firefox", Trigger::Push);
    let promotion = || release("firefox", Trigger::ReleasePromotion);
    let mobile = |trigger| release("mobile", trigger);
    let vpn = |trigger| Release { ssh: true, ..release("mozillavpn", trigger) };
    vec![
        ("docker-worker", Release { builders: Builders::DockerWorker, ..push() }),
        ("d2g", Release { builders: Builders::D2g, ..push() }),
        ("generic-worker", Release { builders: Builders::GenericWorker, ..push() }),
        ("images of the same graph", Release { images_from: Images::OwnGraph, ..push() }),
        ("many images", Release { images: 3, builds: 7, ..push() }),
        ("image from a registry's", Release { image_builder: false, ..push() }),
        ("indexed images", Release { images_from: Images::Indexed, ..mobile(Trigger::Push) }),
        ("prebuilt images", Release { images_from: Images::Prebuilt, ..mobile(Trigger::Push) }),
        (
            "prebuilt images, d2g",
            Release {
                images_from: Images::Prebuilt,
                builders: Builders::D2g,
                ..release("xpi", Trigger::Push)
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
        ("finished action", Release { finished: true, ..release("thunderbird", Trigger::Action) }),
        ("one round", Release { depth: 1, ..push() }),
        ("three rounds", Release { depth: 3, builds: 2, ..push() }),
        ("eight rounds", Release { depth: 8, builds: 1, ..push() }),
        ("promotion of rounds", Release { depth: 2, graph_size: 300, ..promotion() }),
        ("large graph", Release { graph_size: 3000, ..push() }),
        ("large artifacts", Release { artifact_size: 3_000_000, ..push() }),
        ("gzip", Release { gzip: true, ..push() }),
        ("ssh", vpn(Trigger::Push)),
        ("ssh cron", vpn(Trigger::Cron)),
        ("nothing restricted", Release { scope: Scope::Unrestricted, ..mobile(Trigger::Push) }),
        (
            "promotion, nothing restricted",
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
                ..release("firefox", Trigger::Cron)
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
        ("pull request's action", Release { depth: 1, ..release("translations", Trigger::PrAction) }),
        (
            "pull request's own image",
            Release { images_from: Images::OwnGraph, ..mobile(Trigger::PullRequest) },
        ),
        (
            "fork's own image",
            Release { images_from: Images::OwnGraph, depth: 1, ..mobile(Trigger::PullRequestUntrusted) },
        ),
        ("another seed", Release { seed: 99, ..push() }),
    ]
}
