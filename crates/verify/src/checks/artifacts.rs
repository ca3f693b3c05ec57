//! Every file that the target uses is one that a verified document names, byte for byte.
//!
//! Specification 5.1 to 5.16. Off-reference: an entry needs a digest; an optional artifact may be
//! absent but not altered, and is absent only if the queue does not list it either; an artifact that one
//! entry calls optional and another does not is required; every artifact that a finished target's document
//! lists is measured, or the verdict names its digest; no artifact has the name of a directory of a second
//! one.

mod judgement;
mod listing;
mod upstream;
mod wanted;

use super::signature::accepted;
use crate::verdict::{
    ArtifactEvidence, Authority, Class, Code, Disposition, Finding, Findings, VerifiedArtifact,
};
use crate::verification::{
    Answer, Body, Check, CheckContext, Examination, Examined, Link, Need, Scope, Stop,
};
use catena_json::Path;
use catena_model::digest::Digest;
use catena_model::document::Listing;
use catena_model::graph::GraphScan;
use catena_model::task::ArtifactName;
use catena_policy::Rule;
use judgement::{ArtifactResult, graph_wants, judge, mismatch, need};
use listing::listing;
use std::collections::BTreeSet;
use upstream::examine_wanted;
use wanted::{How, want_listed, wanted};

pub(super) const DESCRIPTION: Check =
    describe!("artifacts", CODES, Scope::Link(examine), Scope::Chain(examine_wanted));
const CHECK: &str = DESCRIPTION.name;
const THING: &str = "public/chain-of-trust.json";

const MATCH: Code = Code::passing(
    "artifacts-match",
    "Every artifact that is used of the task has the digests that its document lists.",
);
const NONE: Code = Code::passing("artifacts-none", "No artifact of the task is used.");
const ABSENT: Code =
    Code::passing("artifact-absent-optional", "An optional artifact does not exist, which is allowed.");
const GONE: Code = Code::passing(
    "artifact-gone",
    "An artifact that the target's document lists does not exist any more, so that nobody can use it.",
);
const COLLIDE: Code = Code::new(
    "artifact-names-collide",
    Class::Policy,
    "One artifact has the name of a directory of a second one, so both cannot exist as files.",
);
const NAME: Code = Code::new(
    "artifact-name",
    Class::Invalid,
    "The name of a wanted artifact could lead out of its directory.",
);
const RESERVED: Code = Code::new(
    "artifact-reserved",
    Class::Policy,
    "A wanted artifact has a name that only the worker itself writes.",
);
const UNLISTED: Code = Code::new(
    "artifact-unlisted",
    Class::Invalid,
    "The queue lists a wanted artifact that the document of the run does not name.",
);
const NOT_MADE: Code = Code::new(
    "artifact-not-made",
    Class::Invalid,
    "Neither the document nor the queue's list names a wanted artifact: the task did not make it.",
);
const NO_DIGEST: Code =
    Code::new("artifact-without-digest", Class::Invalid, "The document names an artifact without a digest.")
        .relaxable(Rule::ArtifactHash);
const WRONG_DIGEST: Code = Code::new(
    "artifact-digest-malformed",
    Class::Invalid,
    "The document's digest of an artifact has an unsupported algorithm or is malformed.",
);
const MISSING: Code = Code::new(
    "artifact-missing",
    Class::Policy,
    "The document names a wanted artifact that does not exist any more, for example because it has expired.",
);
const ALTERED: Code =
    Code::new("artifact-altered", Class::Tamper, "An artifact is not the one the worker made.");
const SIZE: Code = Code::new(
    "artifact-size-mismatched",
    Class::Invalid,
    "An artifact has the signed digest, but not the size in the record of custody.",
);
const OPTIONAL_ALTERED: Code = Code::new(
    "artifact-altered-optional",
    Class::Tamper,
    "An optional artifact exists and is not the one the worker made.",
)
.relaxable(Rule::OptionalArtifact);
const LISTED_ABSENT: Code = Code::new(
    "artifact-listed-absent",
    Class::Infra,
    "The queue lists an artifact that may be absent, but its storage does not have it.",
)
.relaxable(Rule::OptionalArtifact);
const LISTING: Code =
    Code::new("artifacts-listing-malformed", Class::Invalid, "The queue's list of artifacts is malformed.");
const ENDLESS: Code = Code::new(
    "artifacts-listing-endless",
    Class::Infra,
    "The queue's list of artifacts does not end within the pages that are read.",
);
const NO_LISTING: Code =
    Code::new("artifacts-listing-unknown", Class::Policy, "The queue has no list of artifacts for the run.");
const TOO_MANY: Code =
    Code::new("artifacts-too-many", Class::Policy, "More artifacts are wanted than the limit allows.");
const WANTED: Code = Code::passing(
    "artifacts-wanted",
    "Every task that artifacts are wanted from is a link of the chain that has run.",
);
const FOREIGN: Code = Code::new(
    "artifacts-foreign",
    Class::Invalid,
    "Artifacts are wanted of a task that is not a link of the chain, or has not run.",
);
const GLOB: Code = Code::new(
    "artifact-glob-mandatory",
    Class::Policy,
    "A pattern names artifacts that are not optional, although it could match none.",
);
const PATTERN: Code = Code::new(
    "artifact-pattern-too-long",
    Class::Policy,
    "A pattern for artifacts is longer than any artifact's name.",
);

const CODES: &[Code] = &[
    MATCH,
    NONE,
    ABSENT,
    GONE,
    COLLIDE,
    NAME,
    RESERVED,
    UNLISTED,
    NOT_MADE,
    NO_DIGEST,
    WRONG_DIGEST,
    MISSING,
    ALTERED,
    SIZE,
    OPTIONAL_ALTERED,
    LISTED_ABSENT,
    LISTING,
    ENDLESS,
    NO_LISTING,
    TOO_MANY,
    WANTED,
    FOREIGN,
    GLOB,
    PATTERN,
];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let none = |message: &str| {
        Ok(vec![Finding::new(CHECK, NONE, Disposition::Passed, link.task_id, message)].into())
    };
    if !link.has_run {
        return none("The task is about to run, so no file of it is used.");
    }
    let mut wanted = match wanted(cx, link)? {
        Ok(wanted) => wanted,
        Err(finding) => return Ok(vec![*finding].into()),
    };
    if link.is_target {
        want_listed(cx, &*accepted(cx, link)?, &mut wanted);
    }
    if wanted.is_empty() {
        return none("No file of the task is used.");
    }
    if wanted.len() > cx.evidence.limits.artifacts {
        let message = "More artifacts of the task are wanted than the limit allows.";
        let finding = Finding::new(CHECK, TOO_MANY, Disposition::Failed, link.task_id, message)
            .expected(Authority::Policy, format!("at most {}", cx.evidence.limits.artifacts))
            .actual(Authority::Task, wanted.len().to_string());
        return Ok(vec![finding].into());
    }
    let document = accepted(cx, link)?;
    let run_id = document.run_id;
    // All artifacts are requested before the first wait, so that they are fetched together.
    let judged = wanted.iter().map(|wanted| judge(cx, link, run_id, &document, wanted));
    let mut stopped = None;
    let mut examination = Examination::default();
    let (mut findings, mut absent) = (Findings::default(), Vec::new());
    for judgement in judged {
        match judgement {
            Ok(ArtifactResult::Verified(artifact)) => examination.artifacts.push(artifact),
            Ok(ArtifactResult::Absent(artifact)) => absent.push(*artifact),
            Ok(ArtifactResult::Found(finding)) => findings.push(*finding),
            Err(stop) => stopped = stopped.or(Some(stop)),
        }
    }
    if let Some(stop) = stopped {
        return Err(stop);
    }
    findings.extend(collision(link, &examination.artifacts));
    gone_or_listed(cx, link, absent, &mut examination, &mut findings)?;
    if findings.iter().all(|finding| finding.disposition == Disposition::Passed) {
        let message = matching(&examination.artifacts);
        findings.push(Finding::new(CHECK, MATCH, Disposition::Passed, link.task_id, message));
    }
    examination.findings = findings.into_vec();
    Ok(examination)
}

/// Artifacts that the document lists and storage does not have. If the queue does not list one either, nobody
/// can use it, and the verdict names its digest. If it does, either the queue or the storage is wrong.
fn gone_or_listed(
    cx: &CheckContext<'_>,
    link: &Link,
    absent: Vec<(VerifiedArtifact, String)>,
    examination: &mut Examination,
    findings: &mut Findings,
) -> Result<(), Stop> {
    if absent.is_empty() {
        return Ok(());
    }
    let names = match listing(cx, link)? {
        Ok(names) => names,
        Err(finding) => {
            findings.push(*finding);
            return Ok(());
        }
    };
    for (artifact, answer) in absent {
        let name = &artifact.name;
        let found = |code, disposition, message: String| {
            let path = Path::of(&["artifacts"]).key(name.as_str());
            Finding::new(CHECK, code, disposition, link.task_id, message).at(THING, Some(path))
        };
        if names.contains(name.as_str()) {
            let message = format!("The document and the queue list {name}, but it does not exist: {answer}");
            findings.push(found(LISTED_ABSENT, Disposition::Failed, message));
        } else {
            let message = format!("{name} does not exist any more, and the queue does not list it: {answer}");
            findings.push(found(GONE, Disposition::Passed, message));
            examination.artifacts.push(artifact);
        }
    }
    Ok(())
}

fn matching(artifacts: &[VerifiedArtifact]) -> String {
    let named = artifacts.iter().filter(|artifact| artifact.evidence == ArtifactEvidence::Named).count();
    let known = artifacts.len().saturating_sub(named);
    let rest = match named {
        0 => String::new(),
        named => format!("; {named} are named by their digests and were not measured"),
    };
    format!("{known} artifacts have the digests that the document lists{rest}.")
}

/// Two artifacts of one task that cannot both be files of one directory.
fn collision(link: &Link, artifacts: &[VerifiedArtifact]) -> Option<Finding> {
    let names: BTreeSet<&str> = artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    let directory = |name: &str| {
        let ends = name.match_indices('/').map(|(end, _)| end);
        ends.filter_map(|end| name.get(..end)).find(|parent| names.contains(parent)).map(str::to_owned)
    };
    let (name, parent) = names.iter().find_map(|name| Some((*name, directory(name)?)))?;
    let message = format!("{parent:?} is an artifact and a directory of {name:?}.");
    let path = Path::of(&["artifacts"]).key(parent.as_str());
    Some(Finding::new(CHECK, COLLIDE, Disposition::Failed, link.task_id, message).at(THING, Some(path)))
}

/// The need for one of the artifacts that a parent publishes, once its document is verified, and
/// the digests it must have.
fn published_need(
    cx: &CheckContext<'_>,
    link: &Link,
    name: &ArtifactName,
    how: How,
) -> Result<(Need, Vec<Digest>), Stop> {
    let document = accepted(cx, link)?;
    let Listing::Digests(digests) = document.listing(name.as_str()) else { return Err(Stop::Blocked) };
    let need = need(link.task_id, document.run_id, name, how, &digests, || graph_wants(cx, link.task_id))?;
    Ok((need, digests))
}

/// The verified bytes of a parent's `public/actions.json` or `public/parameters.yml`. The check on that link
/// reports what is wrong with them.
pub(crate) fn content<'a>(cx: &CheckContext<'a>, link: &Link, name: &ArtifactName) -> Result<&'a Body, Stop> {
    let (need, digests) = published_need(cx, link, name, How::Content)?;
    match cx.body(&need)? {
        Answer::Is(body) if mismatch(&digests, &body.measurement).is_none() => Ok(body),
        _ => Err(Stop::Blocked),
    }
}

/// The verified graph of a parent.
pub(crate) fn graph<'a>(cx: &CheckContext<'a>, link: &Link) -> Result<&'a GraphScan, Stop> {
    let (need, digests) = published_need(cx, link, &ArtifactName::task_graph(), How::Graph)?;
    match cx.graph(&need)? {
        Answer::Is(scan) if mismatch(&digests, &scan.measurement).is_none() => Ok(scan),
        _ => Err(Stop::Blocked),
    }
}
