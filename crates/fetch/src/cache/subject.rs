//! What may be cached, and at which address.
//!
//! Immutable data is cached once it was part of a "verified": then the runs had ended, the documents
//! were signed, and the artifacts had their signed digests. Mutable data is stored separately, for
//! offline use.

use super::payload::write_bytes;
use crate::body::measured;
use crate::recording::NeedEntry;
use catena_model::digest::Digest;
use catena_model::task::{ArtifactName, RunId, TaskId, TaskSet};
use catena_taskcluster::RootUrl;
use catena_verify::verdict::VerifiedArtifact;
use catena_verify::verification::{Clearance, ClearedTask, Extent, Fact, Need, Reference};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};

/// The Taskcluster that everything in a cache belongs to.
const FORMAT: &str = "catena-cache 1";

/// The address of a fact: everything that it depends on, in an encoding without ambiguity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(Vec<u8>);

impl Address {
    /// Of the answer to a need with an immutable answer.
    pub(super) fn lasting(root: &RootUrl, need: &Need) -> Self {
        Self::of(&[FORMAT.as_bytes(), b"lasting", root.as_str().as_bytes(), &written(need)])
    }

    /// Of all mutable answers of the last "verified" of this target.
    pub(super) fn seen(root: &RootUrl, target: TaskId, check_task: bool, extent: Extent) -> Self {
        let check_task: &[u8] = if check_task { b"check-task" } else { b"no-check-task" };
        let (root, target, extent) = (root.as_str(), target.as_str(), extent.as_str());
        let [root, target, extent] = [root, target, extent].map(str::as_bytes);
        Self::of(&[FORMAT.as_bytes(), b"seen", root, target, check_task, extent])
    }

    /// Of the measurement of a graph that is stored in parts.
    pub(super) fn graph(root: &RootUrl, need: &Need) -> Self {
        Self::of(&[FORMAT.as_bytes(), b"graph", root.as_str().as_bytes(), &of_any_entries(need)])
    }

    /// Of one of these parts.
    pub(super) fn graph_part(root: &RootUrl, need: &Need, number: usize) -> Self {
        let number = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
        let root = root.as_str().as_bytes();
        Self::of(&[FORMAT.as_bytes(), b"graph-part", root, &of_any_entries(need), &number])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut address = Vec::new();
        for part in parts {
            write_bytes(&mut address, part);
        }
        Self(address)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name of an entry with this address.
    pub(super) fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

/// The name of an entry with this address.
pub(super) fn digest(address: &[u8]) -> [u8; 32] {
    Sha256::digest(address).into()
}

/// The graph of a need, independent of the wanted entries and of the measured algorithms.
fn of_any_entries(need: &Need) -> Vec<u8> {
    match need {
        Need::TaskGraph { task_id, run_id, .. } => {
            let (task_id, run_id, wanted) = (*task_id, *run_id, TaskSet::default());
            written(&Need::TaskGraph { task_id, run_id, wanted, sha512: false })
        }
        other => written(other),
    }
}

/// A need in the format of recordings.
pub(super) fn written(need: &Need) -> Vec<u8> {
    // Text and numbers always have a form in JSON.
    serde_json::to_vec(&NeedEntry::from(need)).unwrap_or_default()
}

/// Whether the answer is immutable, if there is one. A definition never changes, and neither does the
/// output of a run that has ended, or the contents at a full hash. A policy may allow a tag as a hash.
pub(super) fn is_immutable(need: &Need) -> bool {
    match need {
        Need::Definition { .. }
        | Need::Document { .. }
        | Need::Signature { .. }
        | Need::Content { .. }
        | Need::Artifact { .. }
        | Need::TaskGraph { .. } => true,
        Need::Push { revision, .. } | Need::HgFile { revision, .. } | Need::Commit { revision, .. } => {
            revision.is_full()
        }
        Need::GithubFile { reference: Reference::Revision(revision), .. } => revision.is_full(),
        Need::GithubFile { reference: Reference::Tag(_), .. }
        | Need::Status { .. }
        | Need::Listing { .. }
        | Need::Projects { .. }
        | Need::Repository { .. }
        | Need::PullRequest { .. }
        | Need::Release { .. }
        | Need::Tags { .. }
        | Need::BranchCommits { .. }
        | Need::Compare { .. } => false,
    }
}

/// What a clearance states about the facts of its target.
pub(super) struct VerifiedSet<'a> {
    /// The tasks of the chain.
    links: HashSet<TaskId>,
    /// The runs that the chain is about and that have ended.
    ended: HashSet<(TaskId, RunId)>,
    /// The digests of bytes that signatures cover.
    artifacts: HashMap<(TaskId, RunId, &'a ArtifactName), (Digest, u64)>,
}

impl<'a> VerifiedSet<'a> {
    /// `None` for a clearance that was weakened on the command line: facts that came over plain http
    /// count for that run alone.
    pub(super) fn of(clearance: &'a Clearance) -> Option<Self> {
        let is_weakened = clearance.is_weakened_by_switch();
        (!is_weakened).then(|| Self::new(clearance.tasks(), clearance.artifacts()))
    }

    fn new(tasks: &[ClearedTask], artifacts: &'a [VerifiedArtifact]) -> Self {
        let completed = tasks.iter().filter(|task| task.has_completed);
        let artifacts = artifacts.iter().filter_map(|artifact| {
            Some(((artifact.task_id, artifact.run_id, &artifact.name), (artifact.digest, artifact.length?)))
        });
        Self {
            links: tasks.iter().map(|task| task.task_id).collect(),
            ended: completed.filter_map(|task| Some((task.task_id, task.run_id?))).collect(),
            artifacts: artifacts.collect(),
        }
    }

    /// Whether the answer to this need is immutable.
    pub(super) fn makes_lasting(&self, need: &Need, fact: &Fact) -> bool {
        if !is_immutable(need) || matches!(fact, Fact::Absent { .. }) {
            return false;
        }
        match (need, need.artifact()) {
            (Need::Definition { task_id }, _) => self.links.contains(task_id),
            (Need::Document { .. } | Need::Signature { .. }, Some((task_id, run_id, _))) => {
                self.ended.contains(&(task_id, run_id))
            }
            (_, Some((task_id, run_id, name))) => {
                let vouched = self.artifacts.get(&(task_id, run_id, &name));
                let measured = measured(fact).map(|found| (Digest::Sha256(found.sha256), found.length));
                self.ended.contains(&(task_id, run_id)) && vouched.is_some() && vouched == measured.as_ref()
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::digest::Measurement;
    use catena_model::source::{GithubRepository, RepositoryUrl, Revision, TagName};
    use catena_verify::verdict::ArtifactEvidence;
    use catena_verify::verification::{Reference, TreeFile};

    fn task_id() -> TaskId {
        TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap()
    }

    fn root(text: &str) -> RootUrl {
        RootUrl::parse(text).unwrap()
    }

    #[test]
    fn full_hashes_are_immutable_and_tags_are_not() {
        let github = || GithubRepository::parse("mozilla", "x").unwrap();
        let hg = || RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap();
        let tag = TagName::parse("v1.0").unwrap();
        let full = Revision::parse(&"0a".repeat(20)).unwrap();
        let file = TreeFile::CronYml;
        for (revision, lasts) in [(full, true), (Revision::relaxed(&tag), false)] {
            let revision = || revision.clone();
            for need in [
                Need::Push { repository: hg(), revision: revision() },
                Need::HgFile { repository: hg(), revision: revision(), file },
                Need::Commit { repository: github(), revision: revision() },
                Need::GithubFile { repository: github(), reference: Reference::Revision(revision()), file },
            ] {
                assert_eq!(is_immutable(&need), lasts, "{need}");
            }
            for need in [
                Need::BranchCommits { repository: github(), revision: revision() },
                Need::Compare { repository: github(), branch: "main".to_owned(), revision: revision() },
            ] {
                assert!(!is_immutable(&need), "{need}");
            }
        }
        for need in [
            Need::GithubFile { repository: github(), reference: Reference::Tag(tag.clone()), file },
            Need::Status { task_id: task_id() },
            Need::Listing { task_id: task_id(), run_id: RunId(0), continuation: None },
            Need::Projects { url: "https://x.example".to_owned() },
            Need::Repository { repository: github() },
            Need::PullRequest { repository: github(), number: 1 },
            Need::Release { repository: github(), tag },
            Need::Tags { repository: github(), page: 1 },
        ] {
            assert!(!is_immutable(&need), "{need}");
        }
    }

    #[test]
    fn only_ended_runs_and_signed_bytes_are_immutable() {
        let (run_id, name) = (RunId(0), ArtifactName::parse("public/a").unwrap());
        let measurement = Measurement { length: 5, sha256: [7; 32], sha512: None };
        let artifact = VerifiedArtifact {
            task_id: task_id(),
            run_id,
            name: name.clone(),
            digest: Digest::Sha256([7; 32]),
            length: Some(5),
            evidence: ArtifactEvidence::Measured,
        };
        let task = ClearedTask { task_id: task_id(), run_id: Some(run_id), has_completed: true };
        let lasting = |tasks: &[ClearedTask], artifact: &VerifiedArtifact| -> Vec<bool> {
            let vouching = VerifiedSet::new(tasks, std::slice::from_ref(artifact));
            let fact = Fact::Measured(measurement);
            let need = Need::Artifact { task_id: task_id(), run_id, name: name.clone(), sha512: false };
            let needs =
                [Need::Definition { task_id: task_id() }, Need::Document { task_id: task_id(), run_id }];
            [needs.as_slice(), &[need]]
                .concat()
                .iter()
                .map(|need| vouching.makes_lasting(need, &fact))
                .collect()
        };
        assert_eq!(lasting(std::slice::from_ref(&task), &artifact), [true; 3]);
        assert_eq!(lasting(&[], &artifact), [false; 3]);
        // It is unknown whether the run has ended, or which run it was.
        let running = ClearedTask { has_completed: false, ..task.clone() };
        let unknown = ClearedTask { run_id: None, ..task.clone() };
        assert_eq!(lasting(&[running], &artifact), [true, false, false]);
        assert_eq!(lasting(&[unknown], &artifact), [true, false, false]);
        // The observed bytes differ from the signed ones.
        for other in [
            VerifiedArtifact { length: Some(6), ..artifact.clone() },
            VerifiedArtifact { length: None, ..artifact.clone() },
            VerifiedArtifact { digest: Digest::Sha256([8; 32]), ..artifact.clone() },
            VerifiedArtifact { run_id: RunId(1), ..artifact.clone() },
        ] {
            assert_eq!(lasting(std::slice::from_ref(&task), &other), [true, true, false]);
        }
    }

    #[test]
    fn no_two_addresses_are_the_same() {
        let here = root("https://tc.example");
        let name = |text| ArtifactName::parse(text).unwrap();
        let artifact = |run, text, sha512| Need::Artifact {
            task_id: task_id(),
            run_id: RunId(run),
            name: name(text),
            sha512,
        };
        let content =
            Need::Content { task_id: task_id(), run_id: RunId(0), name: name("public/a"), sha512: false };
        let mut addresses = vec![
            Address::lasting(&here, &artifact(0, "public/a", false)),
            Address::lasting(&here, &artifact(0, "public/a", true)),
            Address::lasting(&here, &artifact(1, "public/a", false)),
            Address::lasting(&here, &artifact(0, "public/b", false)),
            Address::lasting(&here, &content),
            Address::lasting(&root("https://tc.example:444"), &content),
            Address::lasting(&root("http://tc.example"), &content),
            Address::seen(&here, task_id(), true, Extent::Listed),
            Address::seen(&here, task_id(), true, Extent::Named),
            Address::seen(&here, task_id(), true, Extent::All),
            Address::seen(&here, task_id(), false, Extent::Listed),
        ];
        let number = addresses.len();
        addresses.sort_by(|left, right| left.0.cmp(&right.0));
        addresses.dedup();
        assert_eq!(addresses.len(), number);
        assert_ne!(Address::of(&[b"ab", b"c"]), Address::of(&[b"a", b"bc"]));
        assert_ne!(Address::of(&[b"ab"]), Address::of(&[b"ab", b""]));
    }
}
