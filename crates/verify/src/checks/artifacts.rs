//! Every file that goes in is one that a verified document names, byte for byte.
//!
//! Specification 5.1 to 5.16. Off-reference: an entry needs a digest; an optional artifact may be
//! absent but never wrong, and one whose bytes are not there is absent only if the queue does not list
//! it either; an artifact that is both optional and not is not optional; of a finished target every
//! artifact is measured that its document lists, or else the verdict names their digests; no name is a
//! directory of another.

use super::notes::notes;
use super::signature::{Accepted, accepted};
use super::target;
use crate::verdict::{
    ArtifactEvidence, Authority, Class, Code, Disposition, Finding, Findings, VerifiedArtifact,
};
use crate::verification::{
    Answer, Body, Check, CheckContext, Examination, Examined, Extent, Link, Need, Scope, Stop,
};
use catena_json::Path;
use catena_model::custody::CUSTODY;
use catena_model::digest::{Digest, Measurement};
use catena_model::document::{Document, Listing};
use catena_model::fnmatch::{LONGEST, Pattern};
use catena_model::task::{ArtifactName, RunId, TaskId, TaskSet, UpstreamArtifacts};
use catena_policy::{KindRole, Rule};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const DESCRIPTION: Check =
    describe!("artifacts", CODES, Scope::Link(examine), Scope::Chain(examine_wanted));
const CHECK: &str = DESCRIPTION.name;
const THING: &str = "public/chain-of-trust.json";

const MATCH: Code = Code::passing(
    "artifacts-match",
    "Every artifact that is taken from the task has the digests its document says.",
);
const NONE: Code = Code::passing("artifacts-none", "No artifact is taken from the task.");
const ABSENT: Code =
    Code::passing("artifact-absent-optional", "An optional artifact does not exist, which is fine.");
const GONE: Code = Code::passing(
    "artifact-gone",
    "An artifact that the target's document lists does not exist any more, so that nobody can use it.",
);
const COLLIDE: Code = Code::new(
    "artifact-names-collide",
    Class::Policy,
    "The name of an artifact is a directory of another one's, so that both cannot be kept as files.",
);
const NAME: Code =
    Code::new("artifact-name", Class::Invalid, "The name of a wanted artifact could leave its directory.");
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
const NO_DIGEST: Code = Code::new(
    "artifact-without-digest",
    Class::Invalid,
    "The document names an artifact without saying any digest.",
)
.relaxable(Rule::ArtifactHash);
const WRONG_DIGEST: Code = Code::new(
    "artifact-digest-malformed",
    Class::Invalid,
    "The document's digest of an artifact is of another algorithm or malformed.",
);
const MISSING: Code = Code::new(
    "artifact-missing",
    Class::Policy,
    "The document names a wanted artifact that does not exist any more, as after it has expired.",
);
const ALTERED: Code =
    Code::new("artifact-altered", Class::Tamper, "An artifact is not the one the worker made.");
const SIZE: Code = Code::new(
    "artifact-size-mismatched",
    Class::Invalid,
    "An artifact has the signed digest and another size than the record of custody says.",
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
    "The queue lists an artifact that may be absent, but it cannot be had.",
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
    "Artifacts are wanted of a task that is no link of the chain, or has not run.",
);
const GLOB: Code = Code::new(
    "artifact-glob-mandatory",
    Class::Policy,
    "A pattern stands for artifacts that are not optional, so that it could stand for none.",
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

/// The names of a run's artifacts.
type Names = Arc<BTreeSet<Arc<str>>>;

/// A file that is wanted of a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    name: String,
    optional: bool,
    how: How,
}

/// How a file is asked for: whole, measured, or scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Content,
    Measured,
    Graph,
    /// Measured, if it still exists: only the document of a finished target lists it.
    Listed,
    /// Not at all: the verdict names its digest.
    Named,
}

/// What parents publish for the verification itself (specification 5.1).
fn published(role: Option<KindRole>) -> Vec<(ArtifactName, How)> {
    match role {
        Some(KindRole::Decision) => vec![
            (ArtifactName::actions(), How::Content),
            (ArtifactName::parameters(), How::Content),
            (ArtifactName::task_graph(), How::Graph),
        ],
        Some(KindRole::Action) => vec![(ArtifactName::task_graph(), How::Graph)],
        _ => Vec::new(),
    }
}

/// The links whose `payload.upstreamArtifacts` are measured: the target, and with it every link that
/// has run if everything is to be measured.
fn takers<'a>(cx: &CheckContext<'a>) -> Result<Vec<&'a Link>, Stop> {
    let target = target(cx)?;
    let others = match cx.evidence.target.extent {
        Extent::All => Some(cx.closed()?.links().filter(|link| link.has_run && !link.is_target)),
        Extent::Listed | Extent::Named => None,
    };
    Ok(std::iter::once(target).chain(others.into_iter().flatten()).collect())
}

/// Every task that files are taken of is a link that has run. The chain is made so; this holds even if
/// it were not.
fn examine_wanted(cx: &CheckContext<'_>) -> Examined {
    cx.closed()?;
    let mut findings = Findings::default();
    for taker in takers(cx)? {
        examine_taker(cx, taker, &mut findings)?;
    }
    if findings.is_empty() {
        let message = "Every artifact is wanted of a task that has run in this chain.";
        findings.push(Finding::new(CHECK, WANTED, Disposition::Passed, target(cx)?.task_id, message));
    }
    Ok(findings.into_vec().into())
}

fn examine_taker(cx: &CheckContext<'_>, taker: &Link, findings: &mut Findings) -> Result<(), Stop> {
    let chain = cx.closed()?;
    let target_id = taker.task_id;
    let mut wanted = 0_usize;
    for (number, entry) in taker.definition.upstream_artifacts().iter().enumerate() {
        wanted = wanted.saturating_add(entry.paths.len());
        // Without a definition it is no link, and the definition check says why.
        let known = cx.evidence.definition(entry.task_id).is_some_and(|definition| definition.is_err());
        if !known && !chain.link(entry.task_id).is_some_and(|link| link.has_run) {
            let message =
                format!("Artifacts are wanted of task {}, which has not run in this chain.", entry.task_id);
            let place = Path::of(&["payload", "upstreamArtifacts"]).index(number).key("taskId");
            let finding = Finding::new(CHECK, FOREIGN, Disposition::Failed, target_id, message);
            findings.push(finding.at("the queue's definition", Some(place)));
        }
        let place = Path::of(&["payload", "upstreamArtifacts"]).index(number).key("paths");
        for (number, path) in entry.paths.iter().enumerate() {
            findings.extend(examine_path(target_id, path, entry, place.index(number)));
        }
    }
    if wanted > cx.evidence.limits.artifacts {
        findings.push(
            Finding::new(
                CHECK,
                TOO_MANY,
                Disposition::Failed,
                target_id,
                "The task wants too many artifacts.",
            )
            .expected(Authority::Policy, format!("at most {}", cx.evidence.limits.artifacts))
            .actual(Authority::Task, wanted.to_string()),
        );
    }
    Ok(())
}

/// What is wrong with a path as a task writes it, before anything is known of the artifact.
fn examine_path(target_id: TaskId, path: &str, entry: &UpstreamArtifacts, place: Path) -> Option<Finding> {
    let failed = |code, message: String| {
        let finding = Finding::new(CHECK, code, Disposition::Failed, target_id, message);
        Some(finding.at("the queue's definition", Some(place)).actual(Authority::Task, path))
    };
    if path.starts_with('/') || path.contains("..") {
        return failed(NAME, format!("A path of {} could leave its directory.", entry.task_id));
    }
    if path.contains('*') && path.len() > LONGEST {
        let length = path.len();
        return failed(PATTERN, format!("A pattern has {length} bytes, and at most {LONGEST} are matched."));
    }
    if path.contains('*') && !entry.optional {
        return failed(
            GLOB,
            format!("A pattern of {} is not optional, though it could stand for nothing.", entry.task_id),
        );
    }
    None
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let none = |message: &str| {
        Ok(vec![Finding::new(CHECK, NONE, Disposition::Passed, link.task_id, message)].into())
    };
    if !link.has_run {
        return none("The task is about to run, so nothing of it is used.");
    }
    let mut wanted = match wanted(cx, link)? {
        Ok(wanted) => wanted,
        Err(finding) => return Ok(vec![*finding].into()),
    };
    if link.is_target {
        want_listed(cx, &*accepted(cx, link)?, &mut wanted);
    }
    if wanted.is_empty() {
        return none("Nothing of the task is used as a file.");
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
    // Every artifact is asked for before any is judged, so that they are fetched together.
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

/// Adds what the document of a finished target lists and is not wanted yet.
fn want_listed(cx: &CheckContext<'_>, document: &Document, wanted: &mut Vec<Wanted>) {
    let how = match cx.evidence.target.extent {
        Extent::Listed | Extent::All => How::Listed,
        Extent::Named => How::Named,
    };
    let known: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).collect();
    let listed = document.artifacts.iter().filter(|(name, _)| !known.contains(name.as_str()));
    let listed: Vec<_> =
        listed.map(|(name, _)| Wanted { name: name.to_string(), optional: false, how }).collect();
    wanted.extend(listed);
}

/// Of the artifacts that a document lists and storage does not have, those that the queue does not list
/// either are gone: nobody can use them, and the verdict names their digests. Of others either the queue or
/// the storage is wrong.
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
    format!("{known} artifacts have the digests that the document says{rest}.")
}

/// Two artifacts of one task of which one would have to be a directory, so that no work directory could
/// hold both.
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

/// The files that are wanted of a link: what parents publish, and what the target names, or every link
/// where all is to be measured; or what is wrong with the list of artifacts that patterns are looked up in.
fn wanted(cx: &CheckContext<'_>, link: &Link) -> Result<Result<Vec<Wanted>, Box<Finding>>, Stop> {
    let mut names: BTreeMap<String, (bool, How)> = BTreeMap::new();
    for (name, how) in published(link.role) {
        names.insert(name.as_str().to_owned(), (false, how));
    }
    let takers = takers(cx)?;
    let entries = takers.iter().flat_map(|taker| taker.definition.upstream_artifacts_of(link.task_id));
    let mut listed: Option<Names> = None;
    for entry in entries {
        for path in &entry.paths {
            if !path.contains('*') {
                want(&mut names, path, entry.optional);
                continue;
            }
            if listed.is_none() {
                match listing(cx, link)? {
                    Ok(names) => listed = Some(names),
                    Err(finding) => return Ok(Err(finding)),
                }
            }
            // A pattern that is too long is a finding of its own.
            let Some(pattern) = Pattern::new(path) else { continue };
            for name in listed.iter().flat_map(|names| names.iter()).filter(|name| pattern.matches(name)) {
                want(&mut names, name, entry.optional);
            }
        }
    }
    let wanted = names.into_iter().map(|(name, (optional, how))| Wanted { name, optional, how });
    Ok(Ok(wanted.collect()))
}

fn want(names: &mut BTreeMap<String, (bool, How)>, name: &str, optional: bool) {
    names
        .entry(name.to_owned())
        .and_modify(|(still, _)| *still &= optional)
        .or_insert((optional, How::Measured));
}

/// The names of a run's artifacts, over all pages.
fn listing(cx: &CheckContext<'_>, link: &Link) -> Result<Result<Names, Box<Finding>>, Stop> {
    let run_id = cx.run(link)?.run_id;
    let failed = |code, message: String| {
        Ok(Err(Box::new(
            Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
                .at("the queue's list of artifacts", None),
        )))
    };
    let mut listings = notes(cx)?.listings.borrow_mut();
    let listing = listings.entry(link.task_id).or_default();
    while !listing.is_whole {
        if listing.pages >= cx.evidence.limits.pages {
            let message = format!("The list of artifacts has more than {} pages.", cx.evidence.limits.pages);
            return failed(ENDLESS, message);
        }
        let continuation = listing.continuation.clone();
        match cx.page(&Need::Listing { task_id: link.task_id, run_id, continuation })? {
            Answer::Is(Ok(page)) => listing.add(page),
            Answer::Is(Err(error)) => {
                return failed(LISTING, format!("The list of artifacts is malformed: {error}."));
            }
            Answer::Absent(answer) => {
                return failed(NO_LISTING, format!("There is no list of artifacts: {answer}"));
            }
        }
    }
    Ok(Ok(listing.names.clone()))
}

enum ArtifactResult {
    Verified(VerifiedArtifact),
    /// Listed by the document of a finished target, and not there; with the answer's own words.
    Absent(Box<(VerifiedArtifact, String)>),
    Found(Box<Finding>),
}

fn judge(
    cx: &CheckContext<'_>,
    link: &Link,
    run_id: RunId,
    document: &Accepted,
    wanted: &Wanted,
) -> Result<ArtifactResult, Stop> {
    let shown = &wanted.name;
    let found = |code, disposition, message: String| {
        let path = Path::of(&["artifacts"]).key(shown);
        Finding::new(CHECK, code, disposition, link.task_id, message).at(THING, Some(path))
    };
    let found_box = |finding: Finding| Ok(ArtifactResult::Found(Box::new(finding)));
    let name = match ArtifactName::parse(shown) {
        Ok(name) => name,
        Err(error) => {
            return found_box(found(
                NAME,
                Disposition::Failed,
                format!("The wanted artifact {shown:?} has no safe name: {error}."),
            ));
        }
    };
    if name.is_reserved() {
        let disposition = if wanted.optional { Disposition::Passed } else { Disposition::Failed };
        let code = if wanted.optional { ABSENT } else { RESERVED };
        return found_box(found(
            code,
            disposition,
            format!("{name} is the worker's own, and never an input."),
        ));
    }
    let digests = match document.listing(shown) {
        Listing::Digests(digests) => digests,
        Listing::Absent if wanted.optional => {
            return found_box(found(
                ABSENT,
                Disposition::Passed,
                format!("The optional {name} was not made."),
            ));
        }
        Listing::Absent => {
            return Ok(ArtifactResult::Found(match listing(cx, link)? {
                Err(finding) => finding,
                Ok(names) => Box::new(unnamed(link, &name, &names)),
            }));
        }
        Listing::NoDigest => {
            return found_box(
                found(
                    NO_DIGEST,
                    Disposition::Failed,
                    format!("The document names {name} without any digest."),
                )
                .expected(Authority::Policy, "sha256 or sha512")
                .actual(Authority::Worker, "none"),
            );
        }
        Listing::Wrong(error) => {
            return found_box(found(
                WRONG_DIGEST,
                Disposition::Failed,
                format!("The document's digest of {name} is not usable: {error}."),
            ));
        }
        Listing::Malformed => {
            return found_box(found(
                WRONG_DIGEST,
                Disposition::Failed,
                format!("The document's entry for {name} is not algorithms with digests."),
            ));
        }
    };
    let named = |name| named(link.task_id, run_id, name, &digests);
    if wanted.how == How::Named
        && let Some(artifact) = named(name.clone())
    {
        return Ok(ArtifactResult::Verified(artifact));
    }
    let need = need(link.task_id, run_id, &name, wanted.how, &digests, || graph_wants(cx, link.task_id))?;
    match cx.measurement(&need)? {
        Answer::Is(measurement) => match mismatch(&digests, &measurement) {
            None => match size_mismatch(link, document, &name, measurement.length) {
                Some(finding) => found_box(finding),
                None => Ok(ArtifactResult::Verified(VerifiedArtifact {
                    task_id: link.task_id,
                    run_id,
                    name,
                    digest: Digest::Sha256(measurement.sha256),
                    length: Some(measurement.length),
                    evidence: cx.evidence.evidence(&need),
                })),
            },
            Some((expected, actual)) => {
                let code = if wanted.optional { OPTIONAL_ALTERED } else { ALTERED };
                let message = format!("{name} is not the file that the worker made.");
                cx.doubt(need);
                found_box(
                    found(code, Disposition::Failed, message)
                        .expected(Authority::Worker, expected.to_string())
                        .actual(Authority::Storage, format!("{actual} ({} bytes)", measurement.length)),
                )
            }
        },
        Answer::Absent(answer) if wanted.optional => match listing(cx, link)? {
            Err(finding) => Ok(ArtifactResult::Found(finding)),
            // Either the queue or the storage is wrong, and which one is not known.
            Ok(names) if names.contains(name.as_str()) => found_box(found(
                LISTED_ABSENT,
                Disposition::Failed,
                format!("The queue lists the optional {name}, but it is not there: {answer}"),
            )),
            Ok(_) => found_box(found(
                ABSENT,
                Disposition::Passed,
                format!("The optional {name} does not exist, and the queue does not list it: {answer}"),
            )),
        },
        Answer::Absent(answer) => match named(name.clone()).filter(|_| wanted.how == How::Listed) {
            Some(artifact) => Ok(ArtifactResult::Absent(Box::new((artifact, answer)))),
            None => Ok(ArtifactResult::Found(match listing(cx, link)? {
                Err(finding) => finding,
                Ok(names) => Box::new(missing(link, &name, &names, &answer)),
            })),
        },
    }
}

/// A wanted artifact that the document does not name: whether the task made it after all shows in the queue's
/// list.
fn unnamed(link: &Link, name: &ArtifactName, names: &BTreeSet<Arc<str>>) -> Finding {
    let (code, message) = if names.contains(name.as_str()) {
        (UNLISTED, format!("The queue lists {name}, and the document does not name it."))
    } else {
        (
            NOT_MADE,
            format!("The task did not make {name}: neither its document nor the queue's list names it."),
        )
    };
    Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
        .at(THING, Some(Path::of(&["artifacts"]).key(name.as_str())))
}

/// A wanted artifact that the document names and that does not exist any more.
fn missing(link: &Link, name: &ArtifactName, names: &BTreeSet<Arc<str>>, answer: &str) -> Finding {
    let message = if names.contains(name.as_str()) {
        format!("The document and the queue name {name}, but its storage does not have it: {answer}")
    } else {
        let expires = link.definition.text(&["expires"]).unwrap_or("an unknown time");
        format!("{name} has expired or was deleted (the task expires at {expires}): {answer}")
    };
    Finding::new(CHECK, MISSING, Disposition::Failed, link.task_id, message)
        .at(THING, Some(Path::of(&["artifacts"]).key(name.as_str())))
}

/// An artifact whose bytes have the signed digest has the recorded size too.
fn size_mismatch(link: &Link, document: &Document, name: &ArtifactName, measured: u64) -> Option<Finding> {
    let Some(Ok(custody)) = &document.custody else { return None };
    let recorded = custody.artifacts.get(name.as_str())?.size;
    (recorded != measured).then(|| {
        let message = format!("{name} has the signed digest, and the record of custody another size.");
        let path = Path::of(&[CUSTODY, "artifacts"]).key(name.as_str()).key("size");
        Finding::new(CHECK, SIZE, Disposition::Failed, link.task_id, message)
            .at(THING, Some(path))
            .expected(Authority::Storage, format!("{measured} bytes"))
            .actual(Authority::Worker, format!("{recorded} bytes"))
    })
}

/// An artifact that was not measured, by the digest that the document names.
fn named(task_id: TaskId, run_id: RunId, name: ArtifactName, digests: &[Digest]) -> Option<VerifiedArtifact> {
    let sha256 = digests.iter().find(|digest| matches!(digest, Digest::Sha256(_)));
    let digest = *sha256.or(digests.first())?;
    Some(VerifiedArtifact { task_id, run_id, name, digest, length: None, evidence: ArtifactEvidence::Named })
}

/// The need for an artifact. SHA-512 is only measured where the document says it.
fn need(
    task_id: TaskId,
    run_id: RunId,
    name: &ArtifactName,
    how: How,
    digests: &[Digest],
    graph_wants: impl FnOnce() -> Result<TaskSet, Stop>,
) -> Result<Need, Stop> {
    let sha512 = digests.iter().any(|digest| matches!(digest, Digest::Sha512(_)));
    let name = name.clone();
    Ok(match how {
        How::Content => Need::Content { task_id, run_id, name, sha512 },
        How::Measured | How::Listed | How::Named => Need::Artifact { task_id, run_id, name, sha512 },
        How::Graph => Need::TaskGraph { task_id, run_id, wanted: graph_wants()?, sha512 },
    })
}

/// The links whose entries in a parent's graph are looked at: known once the chain is.
fn graph_wants(cx: &CheckContext<'_>, parent: TaskId) -> Result<TaskSet, Stop> {
    Ok(cx.closed()?.made_by(parent))
}

/// The first digest that the bytes do not have.
fn mismatch(digests: &[Digest], measurement: &Measurement) -> Option<(Digest, Digest)> {
    digests.iter().find_map(|expected| {
        // A digest that was not measured is not known to be right.
        let actual = measurement.like(expected).unwrap_or(Digest::Sha256(measurement.sha256));
        (actual != *expected).then_some((*expected, actual))
    })
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

/// The verified bytes of a parent's `public/actions.json` or `public/parameters.yml`. The check on
/// that link says what is wrong with them.
pub(crate) fn content<'a>(cx: &CheckContext<'a>, link: &Link, name: &ArtifactName) -> Result<&'a Body, Stop> {
    let (need, digests) = published_need(cx, link, name, How::Content)?;
    match cx.body(&need)? {
        Answer::Is(body) if mismatch(&digests, &body.measurement).is_none() => Ok(body),
        _ => Err(Stop::Blocked),
    }
}

/// The verified graph of a parent.
pub(crate) fn graph<'a>(
    cx: &CheckContext<'a>,
    link: &Link,
) -> Result<&'a catena_model::graph::GraphScan, Stop> {
    let (need, digests) = published_need(cx, link, &ArtifactName::task_graph(), How::Graph)?;
    match cx.graph(&need)? {
        Answer::Is(scan) if mismatch(&digests, &scan.measurement).is_none() => Ok(scan),
        _ => Err(Stop::Blocked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_must_match() {
        let measured = Measurement { length: 1, sha256: [1; 32], sha512: Some([2; 64]) };
        let (right, wrong) = (Digest::Sha256([1; 32]), Digest::Sha256([9; 32]));
        let (right512, wrong512) = (Digest::Sha512([2; 64]), Digest::Sha512([9; 64]));
        assert_eq!(mismatch(&[right, right512], &measured), None);
        assert_eq!(mismatch(&[right, wrong512], &measured), Some((wrong512, right512)));
        assert_eq!(mismatch(&[wrong, right512], &measured), Some((wrong, right)));
        let unmeasured = Measurement { sha512: None, ..measured };
        assert!(mismatch(&[right512], &unmeasured).is_some(), "what was not measured is not right");
    }

    #[test]
    fn wanted_twice_is_optional_only_if_both_say_so() {
        let mut names = BTreeMap::new();
        want(&mut names, "a", true);
        want(&mut names, "a", false);
        want(&mut names, "b", true);
        want(&mut names, "b", true);
        assert_eq!(names.get("a"), Some(&(false, How::Measured)));
        assert_eq!(names.get("b"), Some(&(true, How::Measured)));
    }
}
