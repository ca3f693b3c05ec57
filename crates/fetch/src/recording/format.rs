//! The format of a recording's index.

use catena_model::digest::Measurement;
use catena_model::graph::GraphError;
use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_verify::verification::{Need, Reference, TreeFile};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The identifier in every index.
pub(super) const FORMAT: &str = "catena-recording";
/// The only supported version.
pub(super) const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) facts: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) need: NeedEntry,
    pub(super) fact: FactEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum NeedEntry {
    Definition {
        task_id: String,
    },
    Status {
        task_id: String,
    },
    Document {
        task_id: String,
        run_id: u32,
    },
    Signature {
        task_id: String,
        run_id: u32,
    },
    Listing {
        task_id: String,
        run_id: u32,
        continuation: Option<String>,
    },
    Content {
        task_id: String,
        run_id: u32,
        name: String,
        sha512: bool,
    },
    Artifact {
        task_id: String,
        run_id: u32,
        name: String,
        sha512: bool,
    },
    TaskGraph {
        task_id: String,
        run_id: u32,
        wanted: BTreeSet<String>,
        sha512: bool,
    },
    Projects {
        url: String,
    },
    Push {
        repository: String,
        revision: String,
    },
    #[serde(rename = "hg-template")]
    HgFile {
        repository: String,
        revision: String,
        #[serde(default, skip_serializing_if = "TreeFileEntry::is_template")]
        file: TreeFileEntry,
    },
    #[serde(rename = "github-template")]
    GithubFile {
        owner: String,
        name: String,
        reference: ReferenceEntry,
        #[serde(default, skip_serializing_if = "TreeFileEntry::is_template")]
        file: TreeFileEntry,
    },
    Repository {
        owner: String,
        name: String,
    },
    Commit {
        owner: String,
        name: String,
        revision: String,
    },
    PullRequest {
        owner: String,
        name: String,
        number: u64,
    },
    Release {
        owner: String,
        name: String,
        tag: String,
    },
    Tags {
        owner: String,
        name: String,
        page: u32,
    },
    BranchCommits {
        owner: String,
        name: String,
        revision: String,
    },
    Compare {
        owner: String,
        name: String,
        branch: String,
        revision: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReferenceEntry {
    Revision(String),
    Tag(String),
}

/// A file of a tree. The template is not named: it was once the only one.
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TreeFileEntry {
    #[default]
    TaskclusterYml,
    CronYml,
}

impl TreeFileEntry {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_template(&self) -> bool {
        *self == Self::TaskclusterYml
    }
}

impl From<TreeFile> for TreeFileEntry {
    fn from(file: TreeFile) -> Self {
        match file {
            TreeFile::TaskclusterYml => Self::TaskclusterYml,
            TreeFile::CronYml => Self::CronYml,
        }
    }
}

impl From<TreeFileEntry> for TreeFile {
    fn from(file: TreeFileEntry) -> Self {
        match file {
            TreeFileEntry::TaskclusterYml => Self::TaskclusterYml,
            TreeFileEntry::CronYml => Self::CronYml,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(super) enum FactEntry {
    Body {
        measured: Measured,
    },
    Measured {
        measured: Measured,
    },
    Graph {
        measured: Measured,
        entries: BTreeMap<String, String>,
    },
    UnreadableGraph {
        measured: Measured,
        error: GraphErrorEntry,
    },
    /// A measurement or a graph that was recalled in the recorded run.
    Recalled {
        fact: Box<FactEntry>,
    },
    /// A body, a measurement or a graph that was seen twice.
    Confirmed {
        fact: Box<FactEntry>,
    },
    Absent {
        status: u16,
        message: String,
    },
    Refused {
        status: u16,
        message: String,
    },
    Unreachable {
        reason: String,
        attempts: u32,
    },
}

impl FactEntry {
    /// Whether it describes bytes as they arrived in the recorded run.
    pub(super) fn has_bytes(&self) -> bool {
        matches!(
            self,
            Self::Body { .. } | Self::Measured { .. } | Self::Graph { .. } | Self::UnreadableGraph { .. }
        )
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub(super) length: u64,
    pub(super) sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha512: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(super) enum GraphErrorEntry {
    Malformed { offset: u64 },
    Duplicate { task_id: String },
    EntryTooLarge { task_id: String, limit: usize },
    TooDeep { limit: usize },
}

impl From<&Need> for NeedEntry {
    fn from(need: &Need) -> Self {
        let id = |task_id: &TaskId| task_id.to_string();
        match need {
            Need::Definition { task_id } => Self::Definition { task_id: id(task_id) },
            Need::Status { task_id } => Self::Status { task_id: id(task_id) },
            Need::Document { task_id, run_id } => Self::Document { task_id: id(task_id), run_id: run_id.0 },
            Need::Signature { task_id, run_id } => Self::Signature { task_id: id(task_id), run_id: run_id.0 },
            Need::Listing { task_id, run_id, continuation } => {
                Self::Listing { task_id: id(task_id), run_id: run_id.0, continuation: continuation.clone() }
            }
            Need::Content { task_id, run_id, name, sha512 } => Self::Content {
                task_id: id(task_id),
                run_id: run_id.0,
                name: name.to_string(),
                sha512: *sha512,
            },
            Need::Artifact { task_id, run_id, name, sha512 } => Self::Artifact {
                task_id: id(task_id),
                run_id: run_id.0,
                name: name.to_string(),
                sha512: *sha512,
            },
            Need::TaskGraph { task_id, run_id, wanted, sha512 } => Self::TaskGraph {
                task_id: id(task_id),
                run_id: run_id.0,
                wanted: wanted.iter().map(id).collect(),
                sha512: *sha512,
            },
            Need::Projects { url } => Self::Projects { url: url.clone() },
            Need::Push { repository, revision } => {
                Self::Push { repository: repository.to_string(), revision: revision.to_string() }
            }
            Need::HgFile { repository, revision, file } => Self::HgFile {
                repository: repository.to_string(),
                revision: revision.to_string(),
                file: (*file).into(),
            },
            Need::GithubFile { .. }
            | Need::Repository { .. }
            | Need::Commit { .. }
            | Need::PullRequest { .. }
            | Need::Release { .. }
            | Need::Tags { .. }
            | Need::BranchCommits { .. }
            | Need::Compare { .. } => github_entry(need),
        }
    }
}

/// The needs that GitHub answers.
fn github_entry(need: &Need) -> NeedEntry {
    let parts = |repository: &GithubRepository| (repository.owner().to_owned(), repository.name().to_owned());
    match need {
        Need::GithubFile { repository, reference, file } => {
            let (owner, name) = parts(repository);
            let reference = match reference {
                Reference::Revision(revision) => ReferenceEntry::Revision(revision.to_string()),
                Reference::Tag(tag) => ReferenceEntry::Tag(tag.to_string()),
            };
            NeedEntry::GithubFile { owner, name, reference, file: (*file).into() }
        }
        Need::Commit { repository, revision } => {
            let (owner, name) = parts(repository);
            NeedEntry::Commit { owner, name, revision: revision.to_string() }
        }
        Need::PullRequest { repository, number } => {
            let (owner, name) = parts(repository);
            NeedEntry::PullRequest { owner, name, number: *number }
        }
        Need::Release { repository, tag } => {
            let (owner, name) = parts(repository);
            NeedEntry::Release { owner, name, tag: tag.to_string() }
        }
        Need::Tags { repository, page } => {
            let (owner, name) = parts(repository);
            NeedEntry::Tags { owner, name, page: *page }
        }
        Need::BranchCommits { repository, revision } => {
            let (owner, name) = parts(repository);
            NeedEntry::BranchCommits { owner, name, revision: revision.to_string() }
        }
        Need::Compare { repository, branch, revision } => {
            let (owner, name) = parts(repository);
            NeedEntry::Compare { owner, name, branch: branch.clone(), revision: revision.to_string() }
        }
        Need::Repository { repository } => {
            let (owner, name) = parts(repository);
            NeedEntry::Repository { owner, name }
        }
        // `From<&Need>` passes nothing else here.
        other => NeedEntry::Projects { url: other.to_string() },
    }
}

impl NeedEntry {
    /// The need, parsed by the same constructors as all outside input.
    pub(super) fn need(self) -> Result<Need, String> {
        Ok(match self {
            Self::Definition { task_id } => Need::Definition { task_id: task(&task_id)? },
            Self::Status { task_id } => Need::Status { task_id: task(&task_id)? },
            Self::Document { task_id, run_id } => {
                Need::Document { task_id: task(&task_id)?, run_id: RunId(run_id) }
            }
            Self::Signature { task_id, run_id } => {
                Need::Signature { task_id: task(&task_id)?, run_id: RunId(run_id) }
            }
            Self::Listing { task_id, run_id, continuation } => {
                Need::Listing { task_id: task(&task_id)?, run_id: RunId(run_id), continuation }
            }
            Self::Content { task_id, run_id, name, sha512 } => Need::Content {
                task_id: task(&task_id)?,
                run_id: RunId(run_id),
                name: artifact(&name)?,
                sha512,
            },
            Self::Artifact { task_id, run_id, name, sha512 } => Need::Artifact {
                task_id: task(&task_id)?,
                run_id: RunId(run_id),
                name: artifact(&name)?,
                sha512,
            },
            Self::TaskGraph { task_id, run_id, wanted, sha512 } => {
                let wanted = wanted.iter().map(|text| task(text)).collect::<Result<_, _>>()?;
                Need::TaskGraph { task_id: task(&task_id)?, run_id: RunId(run_id), wanted, sha512 }
            }
            Self::Projects { url } => Need::Projects { url },
            Self::Push { repository, revision: text } => {
                Need::Push { repository: hg(&repository)?, revision: revision(&text)? }
            }
            Self::HgFile { repository, revision: text, file } => {
                Need::HgFile { repository: hg(&repository)?, revision: revision(&text)?, file: file.into() }
            }
            github => return github.github_need(),
        })
    }

    fn github_need(self) -> Result<Need, String> {
        Ok(match self {
            Self::GithubFile { owner, name, reference, file } => {
                let reference = match reference {
                    ReferenceEntry::Revision(text) => Reference::Revision(revision(&text)?),
                    ReferenceEntry::Tag(text) => Reference::Tag(tag_name(&text)?),
                };
                Need::GithubFile { repository: github(&owner, &name)?, reference, file: file.into() }
            }
            Self::Repository { owner, name } => Need::Repository { repository: github(&owner, &name)? },
            Self::Commit { owner, name, revision: text } => {
                Need::Commit { repository: github(&owner, &name)?, revision: revision(&text)? }
            }
            Self::PullRequest { owner, name, number } => {
                Need::PullRequest { repository: github(&owner, &name)?, number }
            }
            Self::Release { owner, name, tag } => {
                Need::Release { repository: github(&owner, &name)?, tag: tag_name(&tag)? }
            }
            Self::Tags { owner, name, page } => Need::Tags { repository: github(&owner, &name)?, page },
            Self::BranchCommits { owner, name, revision: text } => {
                Need::BranchCommits { repository: github(&owner, &name)?, revision: revision(&text)? }
            }
            Self::Compare { owner, name, branch, revision: text } => {
                Need::Compare { repository: github(&owner, &name)?, branch, revision: revision(&text)? }
            }
            _ => return Err("not a need".to_owned()),
        })
    }
}

pub(super) fn task(text: &str) -> Result<TaskId, String> {
    TaskId::parse(text).map_err(|error| error.to_string())
}

fn artifact(text: &str) -> Result<ArtifactName, String> {
    ArtifactName::parse(text).map_err(|error| error.to_string())
}

fn hg(text: &str) -> Result<RepositoryUrl, String> {
    RepositoryUrl::parse(text).map_err(|error| error.to_string())
}

fn github(owner: &str, name: &str) -> Result<GithubRepository, String> {
    GithubRepository::parse(owner, name).map_err(|error| error.to_string())
}

fn tag_name(text: &str) -> Result<TagName, String> {
    TagName::parse(text).map_err(|error| error.to_string())
}

/// A full hash, or a tag that a relaxed policy allowed in its place.
fn revision(text: &str) -> Result<Revision, String> {
    Revision::parse(text).or_else(|error| {
        TagName::parse(text).map(|name| Revision::relaxed(&name)).map_err(|_| error.to_string())
    })
}

impl From<&Measurement> for Measured {
    fn from(measurement: &Measurement) -> Self {
        Self {
            length: measurement.length,
            sha256: hex::encode(measurement.sha256),
            sha512: measurement.sha512.map(hex::encode),
        }
    }
}

impl Measured {
    pub(super) fn measurement(&self) -> Result<Measurement, String> {
        let sha512 = self.sha512.as_deref().map(digest).transpose()?;
        Ok(Measurement { length: self.length, sha256: digest(&self.sha256)?, sha512 })
    }
}

/// Exactly this many bytes, in lowercase hexadecimal: the text is also a file name.
pub(super) fn digest<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let canonical = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if canonical => Ok(bytes),
        _ => Err(format!("not a digest: {:?}", text.chars().take(130).collect::<String>())),
    }
}

impl From<&GraphError> for GraphErrorEntry {
    fn from(error: &GraphError) -> Self {
        match error {
            GraphError::Malformed { offset } => Self::Malformed { offset: *offset },
            GraphError::Duplicate { task_id } => Self::Duplicate { task_id: task_id.to_string() },
            GraphError::EntryTooLarge { task_id, limit } => {
                Self::EntryTooLarge { task_id: task_id.to_string(), limit: *limit }
            }
            GraphError::TooDeep { limit } => Self::TooDeep { limit: *limit },
        }
    }
}

impl GraphErrorEntry {
    pub(super) fn error(&self) -> Result<GraphError, String> {
        Ok(match self {
            Self::Malformed { offset } => GraphError::Malformed { offset: *offset },
            Self::Duplicate { task_id } => GraphError::Duplicate { task_id: task(task_id)? },
            Self::EntryTooLarge { task_id, limit } => {
                GraphError::EntryTooLarge { task_id: task(task_id)?, limit: *limit }
            }
            Self::TooDeep { limit } => GraphError::TooDeep { limit: *limit },
        })
    }
}
