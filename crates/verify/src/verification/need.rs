//! The needs of a verification.

use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
use catena_model::task::{ArtifactName, RunId, TaskId, TaskSet};
use std::fmt;

/// One thing a verification must know. A driver answers each with one [`Fact`](super::Fact); it
/// decides nothing. The addresses are those of specification 11.12.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A task's definition, from the queue: `task/<id>`. Fact: body.
    Definition {
        /// The task.
        task_id: TaskId,
    },
    /// A task's status with its runs, from the queue: `task/<id>/status`. Fact: body.
    Status {
        /// The task.
        task_id: TaskId,
    },
    /// The exact decoded bytes of a run's `public/chain-of-trust.json`. Fact: body.
    Document {
        /// The task.
        task_id: TaskId,
        /// The run.
        run_id: RunId,
    },
    /// The exact decoded bytes of a run's `public/chain-of-trust.json.sig`. Fact: body.
    Signature {
        /// The task.
        task_id: TaskId,
        /// The run.
        run_id: RunId,
    },
    /// A page of the list of a run's artifacts: `task/<id>/runs/<n>/artifacts`. Fact: body.
    Listing {
        /// The task.
        task_id: TaskId,
        /// The run.
        run_id: RunId,
        /// The `continuationToken` of the previous page; `None` for the first.
        continuation: Option<String>,
    },
    /// A small artifact that is read as a whole and, if verified, is also kept: `public/actions.json`,
    /// `public/parameters.yml`. Fact: body.
    Content {
        /// The task.
        task_id: TaskId,
        /// The run.
        run_id: RunId,
        /// The artifact.
        name: ArtifactName,
        /// Whether SHA-512 is to be measured as well.
        sha512: bool,
    },
    /// An artifact that is only measured and, if verified, kept. Fact: measurement.
    Artifact {
        /// The task.
        task_id: TaskId,
        /// The run.
        run_id: RunId,
        /// The artifact.
        name: ArtifactName,
        /// Whether SHA-512 is to be measured as well.
        sha512: bool,
    },
    /// A parent's `public/task-graph.json`, scanned while it streams. Fact: graph.
    TaskGraph {
        /// The parent.
        task_id: TaskId,
        /// Its run.
        run_id: RunId,
        /// The tasks whose entries are kept.
        wanted: TaskSet,
        /// Whether SHA-512 is to be measured as well.
        sha512: bool,
    },
    /// The list of projects and their SCM levels (`projects.yml`). Fact: body.
    Projects {
        /// Its address, from the policy.
        url: String,
    },
    /// A push on hg: `<repo>/json-pushes?changeset=<rev>&version=2&full=1`. Fact: body.
    Push {
        /// The repository on hg.
        repository: RepositoryUrl,
        /// The tip of the push.
        revision: Revision,
    },
    /// A file of a tree on hg: `<repo>/raw-file/<rev>/<file>`. Fact: body.
    HgFile {
        /// The repository on hg.
        repository: RepositoryUrl,
        /// The revision.
        revision: Revision,
        /// The file.
        file: TreeFile,
    },
    /// A file of a tree on GitHub, by the contents API: `repos/<o>/<r>/contents/<file>?ref=<rev>`.
    /// Fact: body (the API's JSON answer).
    GithubFile {
        /// The repository.
        repository: GithubRepository,
        /// The revision, or the tag of a release.
        reference: Reference,
        /// The file.
        file: TreeFile,
    },
    /// A repository on GitHub: `repos/<o>/<r>`. Fact: body.
    Repository {
        /// The repository.
        repository: GithubRepository,
    },
    /// A commit on GitHub: `repos/<o>/<r>/commits/<rev>`. Fact: body.
    Commit {
        /// The repository.
        repository: GithubRepository,
        /// The commit.
        revision: Revision,
    },
    /// A pull request on GitHub: `repos/<o>/<r>/pulls/<n>`. Fact: body.
    PullRequest {
        /// The repository the pull request was made to.
        repository: GithubRepository,
        /// Its number.
        number: u64,
    },
    /// A release on GitHub: `repos/<o>/<r>/releases/tags/<tag>`. Fact: body.
    Release {
        /// The repository.
        repository: GithubRepository,
        /// The release's tag.
        tag: TagName,
    },
    /// A page of 100 tags on GitHub: `repos/<o>/<r>/tags?per_page=100` and, from the second page,
    /// `&page=<n>`. Fact: body.
    Tags {
        /// The repository.
        repository: GithubRepository,
        /// The page, from 1.
        page: u32,
    },
    /// The branches a commit is on: `https://github.com/<o>/<r>/branch_commits/<rev>`. Fact: body.
    BranchCommits {
        /// The repository.
        repository: GithubRepository,
        /// The commit.
        revision: Revision,
    },
    /// How a commit relates to a branch: `repos/<o>/<r>/compare/<branch>...<rev>`. Fact: body.
    Compare {
        /// The repository.
        repository: GithubRepository,
        /// The branch.
        branch: String,
        /// The commit.
        revision: Revision,
    },
}

/// A file at the root of a tree that parents are rebuilt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TreeFile {
    /// The template of decision, cron and action tasks.
    TaskclusterYml,
    /// The cron jobs of the tree. A tree need not have it.
    CronYml,
}

impl TreeFile {
    /// Its path in the tree.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::TaskclusterYml => ".taskcluster.yml",
            Self::CronYml => ".cron.yml",
        }
    }
}

/// The reference at which a file on GitHub is requested.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A commit.
    Revision(Revision),
    /// The tag of a release.
    Tag(TagName),
}

impl Reference {
    /// As it appears in an address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Revision(revision) => revision.as_str(),
            Self::Tag(tag) => tag.as_str(),
        }
    }
}

/// The shape of a need's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The whole body, within `Limits::answer_bytes`.
    Body,
    /// Digests and length only, within `Limits::artifact_bytes`.
    Measurement,
    /// Digests, length and the wanted entries, within `Limits::graph_bytes`.
    Graph,
}

impl Need {
    /// The shape of its answer.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self {
            Self::Artifact { .. } => Shape::Measurement,
            Self::TaskGraph { .. } => Shape::Graph,
            _ => Shape::Body,
        }
    }

    /// Whether the answer is JSON that a service computed for this request. An answer to such a need
    /// that does not even look like JSON comes from a broken service. It is not a statement, and is
    /// retried.
    #[must_use]
    pub fn is_json_answer(&self) -> bool {
        !matches!(
            self,
            Self::Document { .. }
                | Self::Signature { .. }
                | Self::Content { .. }
                | Self::Artifact { .. }
                | Self::TaskGraph { .. }
                | Self::Projects { .. }
                | Self::HgFile { .. }
                | Self::BranchCommits { .. }
        )
    }

    /// Whether the answer is text without any other proof of origin: a file from version control, or
    /// part of a page. A complete HTML page in its place is a login page, a maintenance notice or a
    /// proxy's own page. It is not a statement, and is retried.
    #[must_use]
    pub fn is_text_answer(&self) -> bool {
        matches!(self, Self::Projects { .. } | Self::HgFile { .. } | Self::BranchCommits { .. })
    }

    /// Whether it is a file of which nothing proves that it arrived as it is: one out of version control, or
    /// the list of projects.
    pub(super) fn is_unproven_file(&self) -> bool {
        matches!(self, Self::Projects { .. } | Self::HgFile { .. } | Self::GithubFile { .. })
    }

    /// The task it is about, if it is about one.
    #[must_use]
    pub fn task_id(&self) -> Option<TaskId> {
        match self {
            Self::Definition { task_id } | Self::Status { task_id } | Self::Listing { task_id, .. } => {
                Some(*task_id)
            }
            other => other.artifact().map(|(task_id, _, _)| task_id),
        }
    }

    /// The artifact this is, if it is one: task, run and name.
    #[must_use]
    pub fn artifact(&self) -> Option<(TaskId, RunId, ArtifactName)> {
        match self {
            Self::Document { task_id, run_id } => Some((*task_id, *run_id, ArtifactName::document())),
            Self::Signature { task_id, run_id } => Some((*task_id, *run_id, ArtifactName::signature())),
            Self::TaskGraph { task_id, run_id, .. } => Some((*task_id, *run_id, ArtifactName::task_graph())),
            Self::Content { task_id, run_id, name, .. } | Self::Artifact { task_id, run_id, name, .. } => {
                Some((*task_id, *run_id, name.clone()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((task_id, run_id, name)) = self.artifact() {
            return write!(out, "{name} of run {run_id} of task {task_id}");
        }
        match self {
            Self::Definition { task_id } => write!(out, "the definition of task {task_id}"),
            Self::Status { task_id } => write!(out, "the status of task {task_id}"),
            Self::Listing { task_id, run_id, .. } => {
                write!(out, "the list of artifacts of run {run_id} of task {task_id}")
            }
            Self::Projects { url } => write!(out, "the list of projects at {url}"),
            Self::Push { repository, revision } => write!(out, "the push of {revision} to {repository}"),
            Self::HgFile { repository, revision, file } => {
                write!(out, "{} of {repository} at {revision}", file.path())
            }
            Self::GithubFile { repository, reference, file } => {
                write!(out, "{} of github.com/{repository} at {}", file.path(), reference.as_str())
            }
            Self::Repository { repository } => write!(out, "the repository github.com/{repository}"),
            Self::Commit { repository, revision } => {
                write!(out, "the commit {revision} of github.com/{repository}")
            }
            Self::PullRequest { repository, number } => {
                write!(out, "pull request {number} of github.com/{repository}")
            }
            Self::Release { repository, tag } => write!(out, "the release {tag} of github.com/{repository}"),
            Self::Tags { repository, page } => {
                write!(out, "page {page} of the tags of github.com/{repository}")
            }
            Self::BranchCommits { repository, revision } => {
                write!(out, "the branches of github.com/{repository} that hold {revision}")
            }
            Self::Compare { repository, branch, revision } => {
                write!(out, "whether {branch} of github.com/{repository} holds {revision}")
            }
            Self::Document { .. }
            | Self::Signature { .. }
            | Self::Content { .. }
            | Self::Artifact { .. }
            | Self::TaskGraph { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::Definition;

    /// Every need once: its fields, the shape of its answer, whether that is JSON or text by nature,
    /// and its artifact.
    #[test]
    fn needs_state_the_shape_of_their_answers() {
        let task_id = Definition::sample_id();
        let run_id = RunId(2);
        let hg = || RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap();
        let git = || GithubRepository::parse("owner", "name").unwrap();
        let revision = || Revision::parse(&"0a".repeat(20)).unwrap();
        let (hash, tag) = ("0a".repeat(20), || TagName::parse("v1").unwrap());
        let name = || ArtifactName::parse("public/a").unwrap();
        let of_run = |name: &str| format!("{name} of run 2 of task {task_id}");
        let (template, cron) = (TreeFile::TaskclusterYml, TreeFile::CronYml);
        let on_github = |reference, file| Need::GithubFile { repository: git(), reference, file };
        let at_tag = on_github(Reference::Tag(tag()), template);
        let at_hash = on_github(Reference::Revision(revision()), template);
        let cron_at_hash = on_github(Reference::Revision(revision()), cron);
        let (json, text, own) = ((true, false), (false, true), (false, false));
        for (need, shown, nature, artifact) in [
            (Need::Definition { task_id }, format!("the definition of task {task_id}"), json, None),
            (Need::Status { task_id }, format!("the status of task {task_id}"), json, None),
            (
                Need::Listing { task_id, run_id, continuation: None },
                format!("the list of artifacts of run 2 of task {task_id}"),
                json,
                None,
            ),
            (
                Need::Document { task_id, run_id },
                of_run("public/chain-of-trust.json"),
                own,
                Some("public/chain-of-trust.json"),
            ),
            (
                Need::Signature { task_id, run_id },
                of_run("public/chain-of-trust.json.sig"),
                own,
                Some("public/chain-of-trust.json.sig"),
            ),
            (
                Need::Content { task_id, run_id, name: name(), sha512: false },
                of_run("public/a"),
                own,
                Some("public/a"),
            ),
            (
                Need::Artifact { task_id, run_id, name: name(), sha512: true },
                of_run("public/a"),
                own,
                Some("public/a"),
            ),
            (
                Need::TaskGraph { task_id, run_id, wanted: TaskSet::default(), sha512: false },
                of_run("public/task-graph.json"),
                own,
                Some("public/task-graph.json"),
            ),
            (
                Need::Projects { url: "https://x/y".to_owned() },
                "the list of projects at https://x/y".to_owned(),
                text,
                None,
            ),
            (
                Need::Push { repository: hg(), revision: revision() },
                format!("the push of {hash} to {}", hg()),
                json,
                None,
            ),
            (
                Need::HgFile { repository: hg(), revision: revision(), file: template },
                format!(".taskcluster.yml of {} at {hash}", hg()),
                text,
                None,
            ),
            (
                Need::HgFile { repository: hg(), revision: revision(), file: cron },
                format!(".cron.yml of {} at {hash}", hg()),
                text,
                None,
            ),
            (cron_at_hash, format!(".cron.yml of github.com/owner/name at {hash}"), json, None),
            (at_tag, ".taskcluster.yml of github.com/owner/name at v1".to_owned(), json, None),
            (at_hash, format!(".taskcluster.yml of github.com/owner/name at {hash}"), json, None),
            (
                Need::Repository { repository: git() },
                "the repository github.com/owner/name".to_owned(),
                json,
                None,
            ),
            (
                Need::Commit { repository: git(), revision: revision() },
                format!("the commit {hash} of github.com/owner/name"),
                json,
                None,
            ),
            (
                Need::PullRequest { repository: git(), number: 7 },
                "pull request 7 of github.com/owner/name".to_owned(),
                json,
                None,
            ),
            (
                Need::Release { repository: git(), tag: tag() },
                "the release v1 of github.com/owner/name".to_owned(),
                json,
                None,
            ),
            (
                Need::Tags { repository: git(), page: 3 },
                "page 3 of the tags of github.com/owner/name".to_owned(),
                json,
                None,
            ),
            (
                Need::BranchCommits { repository: git(), revision: revision() },
                format!("the branches of github.com/owner/name that hold {hash}"),
                text,
                None,
            ),
            (
                Need::Compare { repository: git(), branch: "main".to_owned(), revision: revision() },
                format!("whether main of github.com/owner/name holds {hash}"),
                json,
                None,
            ),
        ] {
            assert_eq!(need.to_string(), shown);
            assert_eq!((need.is_json_answer(), need.is_text_answer()), nature, "{need}");
            let told = need.artifact().map(|(task, run, name)| (task, run, name.to_string()));
            assert_eq!(told, artifact.map(|name| (task_id, run_id, name.to_owned())), "{need}");
            let shape = match need {
                Need::Artifact { .. } => Shape::Measurement,
                Need::TaskGraph { .. } => Shape::Graph,
                _ => Shape::Body,
            };
            assert_eq!(need.shape(), shape, "{need}");
        }
    }
}
