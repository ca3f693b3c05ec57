//! Every kind of need of a verifier: its address, and the effect if it is missing or different.

use catena_testbed::chain::{Images, Vcs};
use catena_testbed::{Artifact, Chain, Release, Trigger};
use catena_verify::verification::Need;

/// Served chains. Together they cover every need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum World {
    /// A push on hg, with patterns among the upstream artifacts.
    Hg,
    /// A push on GitHub.
    Git,
    /// The same, verified by a policy with the compare API.
    Compare,
    /// A pull request of a fork.
    Fork,
    /// A release on GitHub.
    Tag,
}

impl World {
    pub(crate) const ALL: [Self; 5] = [Self::Hg, Self::Git, Self::Compare, Self::Fork, Self::Tag];

    pub(crate) fn chain(self) -> Chain {
        let (product, trigger) = match self {
            Self::Hg => ("firefox", Trigger::Push),
            Self::Git | Self::Compare => ("mobile", Trigger::Push),
            Self::Fork => ("mobile", Trigger::PullRequestUntrusted),
            Self::Tag => ("mobile", Trigger::Release),
        };
        let release = Release::new(product, trigger).unwrap();
        let release = Release {
            builds: 1,
            artifacts: 1,
            images_from: Images::OwnGraph,
            image_builder: false,
            vcs: if self == Self::Hg { Vcs::Hg } else { Vcs::Git },
            optional_and_globs: self == Self::Hg,
            ..release
        };
        let mut chain = release.build().unwrap();
        if self == Self::Hg {
            // Only an optional pattern matches it.
            let build = chain.builds[0].clone();
            let langpack = Artifact::new(vec![7; 2000], "application/octet-stream");
            chain.artifacts_mut(&build).unwrap().insert(OPTIONAL.to_owned(), langpack);
            assert!(chain.reseal(&build).unwrap());
        }
        chain
    }

    /// A policy other than the shipped one.
    pub(crate) fn policy(self) -> Option<&'static str> {
        (self == Self::Compare).then_some(
            "catena-policy: 1\nextends: shipped:firefox-ci\nproducts: {mobile: {landed: compare}}\n",
        )
    }
}

const OPTIONAL: &str = "public/build/target.langpack.xpi";

/// How an answer is recognized as valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A service computes it, as JSON: anything else is not an answer.
    Json,
    /// A file or page from version control: an HTML page is not an answer.
    Text,
    /// Stored bytes with a signature or a digest: different bytes were altered.
    Digest,
}

/// The verdict: the exit status, and one of these codes among its failed findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) codes: &'static [&'static str],
}

const fn no(codes: &'static [&'static str]) -> Said {
    Said { status: 1, codes }
}

/// Verified, without failed findings.
pub(crate) const YES: Said = Said { status: 0, codes: &[] };
/// Unavailable.
pub(crate) const UNREACHABLE: Said = Said { status: 3, codes: &["availability-unreachable"] };
/// Authentication is required.
pub(crate) const REFUSED: Said = Said { status: 3, codes: &["availability-refused"] };

/// The queue's list of files is endless.
pub(crate) const ENDLESS_LISTING: Said = Said { status: 3, codes: &["artifacts-listing-endless"] };
/// GitHub's list of tags is endless.
pub(crate) const ENDLESS_TAGS: Said = Said { status: 3, codes: &["pull-request-tags-endless"] };
/// Text in place of GitHub's list of branches.
pub(crate) const NO_LISTING: Said = Said { status: 3, codes: &["pull-request-listing-malformed"] };

/// One kind of need.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The name of the need in a recording.
    pub(crate) need: &'static str,
    pub(crate) world: World,
    pub(crate) address: fn(&Chain) -> String,
    pub(crate) proof: Proof,
    /// Only measured while it streams, so that only the deadline limits its size.
    pub(crate) bulk: bool,
    /// If the service states absence.
    pub(crate) absent: Said,
    /// If the answer has the right coding and length, and other contents.
    pub(crate) other: Said,
}

fn queue(id: &str, rest: &str) -> String {
    format!("/api/queue/v1/task/{id}{rest}")
}

fn stored(id: &str, name: &str) -> String {
    format!("/_store/{id}/0/{name}")
}

/// The only page of a chain whose address has this in it.
fn page(chain: &Chain, part: &str) -> String {
    let mut found = chain.pages.keys().filter(|url| url.contains(part));
    let first = found.next().unwrap_or_else(|| panic!("no page has {part} in its address"));
    assert_eq!(found.next(), None, "more than one page has {part} in its address");
    first.clone()
}

pub(crate) fn artifact_name(chain: &Chain) -> String {
    let build = chain.task(&chain.builds[0]).unwrap();
    let names = build.runs[&0].keys();
    names.into_iter().find(|name| name.starts_with("public/build/") && *name != OPTIONAL).unwrap().clone()
}

pub(crate) const STORED: Kind = Kind {
    name: "",
    need: "artifact",
    world: World::Hg,
    address: |_| String::new(),
    proof: Proof::Digest,
    bulk: false,
    absent: no(&["artifact-missing"]),
    other: no(&["artifact-altered"]),
};

pub(crate) const ANSWERED: Kind = Kind {
    name: "",
    need: "",
    world: World::Git,
    address: |_| String::new(),
    proof: Proof::Json,
    bulk: false,
    absent: no(&["rebuild-unknown-to-vcs"]),
    other: no(&["rebuild-answer-malformed"]),
};

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "definition",
        need: "definition",
        world: World::Hg,
        address: |chain| queue(&chain.builds[0], ""),
        absent: no(&["task-unknown"]),
        other: no(&["definition-not-json", "definition-malformed", "definition-empty"]),
        ..ANSWERED
    },
    Kind {
        name: "status",
        need: "status",
        world: World::Hg,
        address: |chain| queue(&chain.builds[0], "/status"),
        absent: no(&["run-status-unknown"]),
        other: no(&["run-status-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "document",
        need: "document",
        address: |chain| stored(&chain.builds[0], "public/chain-of-trust.json"),
        absent: no(&["signature-without-document"]),
        other: no(&["signature-other-bytes", "signature-unknown-key"]),
        ..STORED
    },
    Kind {
        name: "document-of-an-image",
        need: "document",
        address: |chain| stored(&chain.images[0], "public/chain-of-trust.json"),
        absent: no(&["signature-without-document"]),
        other: no(&["signature-other-bytes", "signature-unknown-key"]),
        ..STORED
    },
    Kind {
        name: "signature",
        need: "signature",
        address: |chain| stored(&chain.builds[0], "public/chain-of-trust.json.sig"),
        absent: no(&["signature-missing"]),
        other: no(&["signature-empty", "signature-truncated", "signature-too-long"]),
        ..STORED
    },
    Kind {
        name: "listing",
        need: "listing",
        world: World::Hg,
        address: |chain| queue(&chain.builds[0], "/runs/0/artifacts"),
        absent: no(&["artifacts-listing-unknown"]),
        other: no(&["artifacts-listing-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "actions.json",
        need: "content",
        address: |chain| stored(&chain.decisions[0], "public/actions.json"),
        ..STORED
    },
    Kind {
        name: "parameters.yml",
        need: "content",
        address: |chain| stored(&chain.decisions[0], "public/parameters.yml"),
        ..STORED
    },
    Kind {
        name: "artifact",
        address: |chain| stored(&chain.builds[0], &artifact_name(chain)),
        bulk: true,
        ..STORED
    },
    // The same, broken at the queue's redirect to the store.
    Kind {
        name: "way-to-an-artifact",
        address: |chain| queue(&chain.builds[0], &format!("/runs/0/artifacts/{}", artifact_name(chain))),
        bulk: true,
        ..STORED
    },
    Kind {
        name: "optional-artifact",
        address: |chain| stored(&chain.builds[0], OPTIONAL),
        bulk: true,
        // A pattern matches it, so the queue lists it: the store contradicts the queue.
        absent: Said { status: 3, codes: &["artifact-listed-absent"] },
        other: no(&["artifact-altered-optional"]),
        ..STORED
    },
    Kind {
        name: "task-graph",
        need: "task-graph",
        address: |chain| stored(&chain.decisions[0], "public/task-graph.json"),
        bulk: true,
        ..STORED
    },
    Kind {
        name: "projects",
        need: "projects",
        world: World::Hg,
        address: |chain| page(chain, "projects.yml"),
        proof: Proof::Text,
        absent: Said { status: 3, codes: &["rebuild-projects"] },
        other: Said { status: 3, codes: &["rebuild-projects"] },
        ..ANSWERED
    },
    Kind {
        name: "push",
        need: "push",
        world: World::Hg,
        address: |chain| page(chain, "/json-pushes?"),
        ..ANSWERED
    },
    Kind {
        name: "hg-template",
        need: "hg-template",
        world: World::Hg,
        address: |chain| page(chain, "/raw-file/"),
        proof: Proof::Text,
        absent: no(&["rebuild-template-missing"]),
        other: no(&["rebuild-template-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "github-template",
        need: "github-template",
        address: |chain| page(chain, "/contents/.taskcluster.yml?"),
        absent: no(&["rebuild-template-missing"]),
        ..ANSWERED
    },
    Kind { name: "commit", need: "commit", address: |chain| page(chain, "/commits/"), ..ANSWERED },
    Kind {
        name: "branch-commits",
        need: "branch-commits",
        address: |chain| page(chain, "/branch_commits/"),
        proof: Proof::Text,
        absent: no(&["pull-request-not-landed"]),
        other: no(&["pull-request-answer-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "compare",
        need: "compare",
        world: World::Compare,
        address: |chain| page(chain, "/compare/"),
        absent: no(&["pull-request-not-landed"]),
        other: no(&["pull-request-answer-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "repository",
        need: "repository",
        world: World::Compare,
        address: |_| "https://api.github.com/repos/mozilla-mobile/reference-browser".to_owned(),
        // GitHub gives the same answer for what it hides.
        absent: REFUSED,
        other: no(&["pull-request-answer-malformed"]),
        ..ANSWERED
    },
    Kind {
        name: "pull-request",
        need: "pull-request",
        world: World::Fork,
        address: |chain| page(chain, "/pulls/"),
        ..ANSWERED
    },
    Kind {
        name: "release",
        need: "release",
        world: World::Tag,
        address: |chain| page(chain, "/releases/tags/"),
        ..ANSWERED
    },
    Kind {
        name: "tags",
        need: "tags",
        world: World::Tag,
        address: |chain| page(chain, "/tags?per_page=100"),
        absent: no(&["pull-request-tag-unknown"]),
        other: no(&["pull-request-answer-malformed"]),
        ..ANSWERED
    },
];

/// Declares the name of each need in a recording, and the list of all needs. A new need without a name
/// does not compile; it also needs a kind above.
macro_rules! needs {
    ($($need:ident => $name:literal),* $(,)?) => {
        pub(crate) const ALL_NEEDS: &[&str] = &[$($name),*];
        const _: fn(&Need) -> &'static str = |need| match need {
            $(Need::$need { .. } => $name),*
        };
    };
}

needs! {
    Definition => "definition", Status => "status", Document => "document", Signature => "signature",
    Listing => "listing", Content => "content", Artifact => "artifact", TaskGraph => "task-graph",
    Projects => "projects", Push => "push", HgFile => "hg-template",
    GithubFile => "github-template", Repository => "repository", Commit => "commit",
    PullRequest => "pull-request", Release => "release", Tags => "tags",
    BranchCommits => "branch-commits", Compare => "compare",
}
