//! What a worker recorded of a run's custody agrees with the run, the document and the signature.
//!
//! Specification 12.1 to 12.11. Off-reference: the reference ignores the record. A document without one is
//! accepted; a record never makes anything pass that would fail without it.

use super::run::signed as signing_period;
use super::signature::{accepted, signer_of};
use super::worker_implementation;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::{Path, Segment};
use catena_model::custody::{CLAIMED_INPUTS, CUSTODY, Custody, CustodyError};
use catena_model::digest::Digest;
use catena_model::document::Document;
use catena_model::task::WorkerImplementation;
use catena_policy::Rule;
use jiff::SignedDuration;

pub(super) const DESCRIPTION: Check = describe!("custody", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;
const THING: &str = "public/chain-of-trust.json";
/// How far a worker's clock may be from the queue's.
const DRIFT: SignedDuration = SignedDuration::from_mins(15);

const AGREES: Code = Code::passing(
    "custody-agrees",
    "The record of custody agrees with the run, the document and the key that signed it.",
);
const ABSENT: Code = Code::passing("custody-absent", "The document has no record of custody.");
const BEFORE: Code =
    Code::passing("custody-not-needed", "The target is about to run, so it has no document yet.");
const UNSUPPORTED: Code = Code::new(
    "custody-unsupported",
    Class::Policy,
    "The record of custody has a version that this release does not read.",
);
const MALFORMED: Code = Code::new(
    "custody-malformed",
    Class::Invalid,
    "A member of the record of custody is missing, unknown or malformed.",
);
const KEY: Code = Code::new(
    "custody-key-mismatched",
    Class::Invalid,
    "The record of custody does not name the key that signed the document.",
);
const TIME: Code = Code::new(
    "custody-time-implausible",
    Class::Policy,
    "The recorded time of signing is not within the run.",
)
.relaxable(Rule::CustodyTime);
const ARTIFACTS: Code = Code::new(
    "custody-artifacts-mismatched",
    Class::Invalid,
    "The record of custody and the document do not name the same artifacts.",
);
const ENVIRONMENT: Code = Code::new(
    "custody-environment-mismatched",
    Class::Invalid,
    "The record of custody and the document's environment contradict each other.",
);
const CLAIMED_IMAGE: Code = Code::new(
    "custody-image-claimed",
    Class::Policy,
    "The digest of the docker image was written by the task itself, so it is no evidence.",
);

const CODES: &[Code] =
    &[AGREES, ABSENT, BEFORE, UNSUPPORTED, MALFORMED, KEY, TIME, ARTIFACTS, ENVIRONMENT, CLAIMED_IMAGE];

/// Examines the record of one link; its inputs are for the check of that name.
fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let passed = |code, message: &str| {
        Ok(vec![Finding::new(CHECK, code, Disposition::Passed, link.task_id, message)].into())
    };
    if !link.has_run {
        return passed(BEFORE, "The task is about to run, so it has no document yet.");
    }
    let document = accepted(cx, link)?;
    let mut findings = Vec::new();
    if let Some(Err(error)) = &document.claimed_inputs {
        findings.push(unreadable(link, CLAIMED_INPUTS, error));
    }
    match &document.custody {
        None => {}
        Some(Err(error)) => findings.push(unreadable(link, CUSTODY, error)),
        Some(Ok(custody)) => {
            findings.extend(key(cx, link, custody)?);
            findings.extend(time(cx, link, custody)?);
            findings.extend(artifacts(link, &document, custody));
            findings.extend(environment(link, &document, custody, runs_in_image(cx, link)?));
        }
    }
    if !findings.is_empty() {
        return Ok(findings.into());
    }
    match document.custody {
        None => passed(ABSENT, "The document has no record of custody."),
        Some(_) => passed(AGREES, "The record of custody agrees with the run, the document and its key."),
    }
}

fn failed(link: &Link, code: Code, path: Path, message: impl Into<String>) -> Finding {
    Finding::new(CHECK, code, Disposition::Failed, link.task_id, message).at(THING, Some(path))
}

fn unreadable(link: &Link, member: &str, error: &CustodyError) -> Finding {
    let code = if matches!(error, CustodyError::Version(_)) { UNSUPPORTED } else { MALFORMED };
    let inside = error.path().map_or(&[] as &[Segment], Path::segments);
    let path = inside.iter().fold(Path::of(&[member]), |path, step| path.child(step.clone()));
    failed(link, code, path, format!("The document's member {member} cannot be used: {error}."))
}

/// The recorded key is the one that signed the document.
fn key(cx: &CheckContext<'_>, link: &Link, custody: &Custody) -> Result<Option<Finding>, Stop> {
    // Without a look at the signature (--danger-skip-signatures) the signer is not known.
    let Some(signer) = signer_of(cx, link)? else { return Ok(None) };
    let (signer, recorded) = (signer.fingerprint(), custody.key_id);
    Ok((signer != recorded).then(|| {
        let path = Path::of(&[CUSTODY, "keyId"]);
        failed(link, KEY, path, "The record of custody does not name the key that signed the document.")
            .expected_by(Authority::Worker, "the document's signature", Digest::Sha256(signer).to_string())
            .actual_by(Authority::Worker, "its record of custody", Digest::Sha256(recorded).to_string())
    }))
}

/// The document was signed while the run went on, as far as two clocks can agree.
fn time(cx: &CheckContext<'_>, link: &Link, custody: &Custody) -> Result<Option<Finding>, Stop> {
    let Some(period) = signing_period(link, cx.run(link)?) else { return Ok(None) };
    let early = period.first.duration_since(custody.signed_at) > DRIFT;
    let late = custody.signed_at.duration_since(period.last) > DRIFT;
    Ok((early || late).then(|| {
        let path = Path::of(&[CUSTODY, "signedAt"]);
        let expected = format!("from {} to {}, give or take 15 minutes", period.first, period.last);
        failed(link, TIME, path, "The recorded time of signing is not within the run.")
            .expected(Authority::Queue, expected)
            .actual(Authority::Worker, custody.signed_at.to_string())
    }))
}

/// Both name the same artifacts; the first that only one of them names is shown.
fn artifacts(link: &Link, document: &Document, custody: &Custody) -> Option<Finding> {
    let unrecorded = document.artifacts.keys().find(|name| !custody.artifacts.contains_key(*name));
    let unlisted = custody.artifacts.keys().find(|name| !document.artifacts.contains_key(name));
    let (name, message) = match (unrecorded, unlisted) {
        (Some(name), _) => (name, format!("The record of custody does not name the artifact {name:?}.")),
        (None, Some(name)) => {
            (name.as_str(), format!("The record of custody names {name:?}, and the document does not."))
        }
        (None, None) => return None,
    };
    Some(failed(link, ARTIFACTS, Path::of(&[CUSTODY, "artifacts"]).key(name), message))
}

/// What both the record and the document's environment say is the same.
fn environment(link: &Link, document: &Document, custody: &Custody, runs_in_image: bool) -> Vec<Finding> {
    let image = custody.image.as_ref();
    let digest = |digest: Option<[u8; 32]>| digest.map(|digest| Digest::Sha256(digest).to_string());
    let pairs = [
        ("instanceId", ["worker", "instanceId"], custody.worker.instance_id.clone()),
        ("region", ["worker", "region"], custody.worker.region.clone()),
        ("imageHash", ["image", "id"], image.and_then(|image| digest(image.id))),
        ("imageArtifactHash", ["image", "artifact"], image.and_then(|image| digest(image.artifact))),
    ];
    let mut findings = Vec::new();
    for (member, place, recorded) in pairs {
        let Some(told) = document.environment.get(member) else { continue };
        let told = told.as_str().map_or_else(|| told.to_string(), str::to_owned);
        let is_claimed_image =
            member.starts_with("image") && custody.is_claim(&format!("/environment/{member}"));
        if is_claimed_image && runs_in_image {
            let path = Path::of(&["environment", member]);
            let message = format!("The task itself wrote environment.{member}.");
            findings.push(failed(link, CLAIMED_IMAGE, path, message).actual(Authority::Task, told));
        } else if let Some(recorded) = recorded.filter(|recorded| *recorded != told) {
            let path = Path::of(&[CUSTODY, place[0], place[1]]);
            let message = format!("The record of custody and environment.{member} contradict each other.");
            let teller = if is_claimed_image { Authority::Task } else { Authority::Worker };
            let finding = failed(link, ENVIRONMENT, path, message);
            let told_by = format!("environment.{member}");
            let finding = finding.expected_by(teller, told_by, told);
            findings.push(finding.actual_by(Authority::Worker, "its record of custody", recorded));
        }
    }
    findings
}

/// Whether the image is evidence of what ran: the worker started it for a docker-worker payload, itself or by
/// d2g. A task of generic-worker that starts containers itself proves nothing by naming one, and the check
/// `image` does not look at what it names.
fn runs_in_image(cx: &CheckContext<'_>, link: &Link) -> Result<bool, Stop> {
    let implementation =
        worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
    Ok(implementation == WorkerImplementation::DockerWorker)
}
