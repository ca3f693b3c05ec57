//! A worker whose key the policy trusts signed exactly these bytes.
//!
//! Specification 4.1 to 4.5 and 12.1 to 12.7. Each fault of a signature has its own code. An Ed25519 signature does not
//! name its key, so only evidence distinguishes "unknown key" from "other bytes": a document that contradicts the queue
//! about itself, or whose signature matches the same value in the form in which workers print it, was changed after
//! signing; any other document was signed with an unknown key.

use super::notes::notes;
use super::{document, run, worker_implementation};
use crate::verdict::{Authority, Claim, Class, Code, Disposition, Finding, SignedDocument};
use crate::verification::{
    Answer, Check, CheckContext, Established, Examination, Examined, Link, Need, Scope, Stop,
};
use catena_keys::{Invalid, Period, PublicKey, Signature, SignatureError, Signer, TrustedKey, Unverified};
use catena_model::digest::Digest;
use catena_model::document::Document;
use catena_model::task::{Run, WorkerImplementation};
use catena_policy::{KeyUse, NotPermitted, Rule};
use std::sync::Arc;

pub(super) const DESCRIPTION: Check = describe!("signature", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const VERIFIED: Code = Code::passing(
    "signature-verified",
    "A key that the policy trusts for the task's worker implementation signed the document.",
);
const SKIPPED: Code = Code::new(
    "signature-skipped",
    Class::Policy,
    "The signature was not verified, because the caller skipped it.",
);
const BEFORE: Code =
    Code::passing("signature-not-needed", "The target is about to run, so it has no document yet.");
const NO_DOCUMENT: Code =
    Code::new("signature-without-document", Class::Invalid, "The run has no Chain of Trust document.");
const MISSING: Code =
    Code::new("signature-missing", Class::Invalid, "The run has a document, but no signature for it.");
const EMPTY: Code = Code::new("signature-empty", Class::Invalid, "The signature has no bytes.");
const TRUNCATED: Code = Code::new("signature-truncated", Class::Invalid, "The signature is truncated.");
const TOO_LONG: Code = Code::new(
    "signature-too-long",
    Class::Invalid,
    "The signature is longer than signatures of its scheme, as if it were encoded as text.",
);
const OTHER_IMPLEMENTATION: Code = Code::new(
    "signature-other-implementation",
    Class::Invalid,
    "The document was signed with the key of a different worker implementation.",
);
const OTHER_BYTES: Code =
    Code::new("signature-other-bytes", Class::Tamper, "The document was changed after it was signed.");
const UNKNOWN_KEY: Code = Code::new(
    "signature-unknown-key",
    Class::Invalid,
    "No key of the policy made this signature over this document.",
);
const NO_KEYS: Code = Code::new(
    "signature-no-keys",
    Class::Policy,
    "The policy has no key for the task's worker implementation.",
);
const KEY_REVOKED: Code = Code::new(
    "signature-key-revoked",
    Class::Policy,
    "The key that signed the document was revoked when the run ended.",
);
const KEY_NOT_YET: Code = Code::new(
    "signature-key-not-yet-valid",
    Class::Policy,
    "The key that signed the document was not yet valid when the run began.",
);
const KEY_EXPIRED: Code = Code::new(
    "signature-key-expired",
    Class::Policy,
    "The key that signed the document had expired when the run ended.",
);
const KEY_NOT_PERMITTED: Code = Code::new(
    "signature-key-not-permitted",
    Class::Policy,
    "The key that signed the document may not sign for this product, worker pool, level or worker.",
);
const TIME_UNKNOWN: Code = Code::new(
    "signature-time-unknown",
    Class::Invalid,
    "The key that signed the document is valid for a limited time, and the queue does not state when the \
     run ended.",
);

const CODES: &[Code] = &[
    VERIFIED,
    SKIPPED,
    BEFORE,
    NO_DOCUMENT,
    MISSING,
    EMPTY,
    TRUNCATED,
    TOO_LONG,
    OTHER_IMPLEMENTATION,
    OTHER_BYTES,
    UNKNOWN_KEY,
    NO_KEYS,
    KEY_REVOKED,
    KEY_NOT_YET,
    KEY_EXPIRED,
    KEY_NOT_PERMITTED,
    TIME_UNKNOWN,
];

/// A document that a key the policy trusts has signed.
#[derive(Clone, Debug)]
pub(crate) struct Verified(Arc<Document>);

/// A document whose signature was not verified, because the caller skipped it.
#[derive(Clone, Debug)]
pub(crate) struct Skipped(Arc<Document>);

/// A document that may be built on: it is signed, or accepted without its signature; its shape is right, and
/// it is about the link's task and the run the chain is about. Only [`accepted`] makes one.
#[derive(Clone, Debug)]
pub(crate) enum Accepted {
    Verified(Verified),
    Skipped(Skipped),
}

impl std::ops::Deref for Accepted {
    type Target = Document;
    fn deref(&self) -> &Document {
        match self {
            Self::Verified(Verified(document)) | Self::Skipped(Skipped(document)) => document,
        }
    }
}

impl Accepted {
    /// The document alone.
    pub(super) fn into_document(self) -> Arc<Document> {
        match self {
            Self::Verified(Verified(document)) | Self::Skipped(Skipped(document)) => document,
        }
    }
}

/// The document of a link that has run, where it may be built on.
pub(crate) fn accepted(cx: &CheckContext<'_>, link: &Link) -> Result<Accepted, Stop> {
    if let Some(known) = notes(cx)?.accepted.borrow().get(&link.task_id) {
        return known.clone().ok_or(Stop::Blocked);
    }
    let document = match accept(cx, link) {
        Err(stop @ (Stop::Waiting | Stop::Halted)) => return Err(stop),
        Err(Stop::Blocked) => None,
        Ok(document) => document,
    };
    notes(cx)?.accepted.borrow_mut().insert(link.task_id, document.clone());
    document.ok_or(Stop::Blocked)
}

fn accept(cx: &CheckContext<'_>, link: &Link) -> Result<Option<Accepted>, Stop> {
    let Some(document) = signed(cx, link)? else { return Ok(None) };
    // A document of a different run proves nothing about this one; the document check reports it.
    let run = cx.run(link)?.run_id == document.run_id || cx.evidence.relaxes(Rule::DocumentRun);
    Ok(run.then_some(document))
}

/// The document of a link whose signature is right, or skipped, and that is about the link's task; what else
/// it says is for the document check.
pub(super) fn signed(cx: &CheckContext<'_>, link: &Link) -> Result<Option<Accepted>, Stop> {
    if !link.has_run {
        return Ok(None);
    }
    let accept = match *judged(cx, link)? {
        SignatureResult::Verified(_) => |document| Accepted::Verified(Verified(document)),
        SignatureResult::Skipped => |document| Accepted::Skipped(Skipped(document)),
        _ => return Ok(None),
    };
    Ok(match cx.unverified_document(link)? {
        Answer::Is(Ok(document)) if document.task_id == link.task_id => Some(accept(document)),
        _ => None,
    })
}

/// What became of a link's signature.
#[derive(Debug)]
pub(crate) enum SignatureResult {
    Verified(Box<Signer>),
    Skipped,
    NoDocument(String),
    Missing(String),
    Malformed(SignatureError),
    NoKeys,
    /// The right key at the wrong time.
    NotValid(Box<Signer>, Invalid),
    /// The right key for something that it may not sign for.
    NotPermitted(Box<Signer>, NotPermitted),
    OtherImplementation(WorkerImplementation, PublicKey),
    OtherBytes(String),
    UnknownKey,
}

/// What [`judge`] says, which is asked once for each link: nothing that it looks at can change.
fn judged(cx: &CheckContext<'_>, link: &Link) -> Result<Arc<SignatureResult>, Stop> {
    if let Some(known) = notes(cx)?.judged.borrow().get(&link.task_id) {
        return known.clone().ok_or(Stop::Blocked);
    }
    let judgement = match judge(cx, link) {
        Err(stop @ (Stop::Waiting | Stop::Halted)) => return Err(stop),
        Err(Stop::Blocked) => None,
        Ok(judgement) => Some(Arc::new(judgement)),
    };
    notes(cx)?.judged.borrow_mut().insert(link.task_id, judgement.clone());
    judgement.ok_or(Stop::Blocked)
}

/// In one sentence, what is known of the signature over a document that is malformed.
pub(super) fn standing(cx: &CheckContext<'_>, link: &Link) -> Result<&'static str, Stop> {
    let result = match judged(cx, link) {
        Err(stop @ (Stop::Waiting | Stop::Halted)) => return Err(stop),
        Err(Stop::Blocked) => return Ok("It is unknown whether its signature verifies."),
        Ok(result) => result,
    };
    Ok(match &*result {
        SignatureResult::Verified(_) => "Its signature verifies: the worker wrote it so.",
        SignatureResult::NotValid(..) | SignatureResult::NotPermitted(..) => {
            "Its signature is by a known key that must not sign it."
        }
        SignatureResult::OtherImplementation(..) => {
            "Its signature is by a key of a different worker implementation."
        }
        SignatureResult::Skipped => "Its signature was not verified.",
        SignatureResult::NoDocument(_) | SignatureResult::Missing(_) => "It has no signature.",
        SignatureResult::NoKeys => "The policy has no key for its signature.",
        SignatureResult::Malformed(_) | SignatureResult::OtherBytes(_) | SignatureResult::UnknownKey => {
            "Its signature does not verify."
        }
    })
}

/// The key that signed a link's document; none where the signature was not looked at.
pub(super) fn signer_of(cx: &CheckContext<'_>, link: &Link) -> Result<Option<PublicKey>, Stop> {
    Ok(match &*judged(cx, link)? {
        SignatureResult::Verified(signer) => Some(signer.trusted.key.clone()),
        _ => None,
    })
}

fn judge(cx: &CheckContext<'_>, link: &Link) -> Result<SignatureResult, Stop> {
    judge_run(cx, link, cx.run(link)?)
}

/// What becomes of the signature of one run of a task, which need not be a link.
pub(super) fn judge_run(cx: &CheckContext<'_>, link: &Link, last: &Run) -> Result<SignatureResult, Stop> {
    let implementation =
        worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
    let run_id = last.run_id;
    let document = cx.body(&Need::Document { task_id: link.task_id, run_id });
    if cx.evidence.switches.danger_skip_signatures {
        return Ok(match document? {
            Answer::Is(_) => SignatureResult::Skipped,
            Answer::Absent(answer) => SignatureResult::NoDocument(answer),
        });
    }
    let signature = cx.body(&Need::Signature { task_id: link.task_id, run_id });
    let (document, signature) = (document?, signature?);
    let document = match document {
        Answer::Is(body) => body,
        Answer::Absent(answer) => return Ok(SignatureResult::NoDocument(answer)),
    };
    let signature = match signature {
        Answer::Is(body) => body,
        Answer::Absent(answer) => return Ok(SignatureResult::Missing(answer)),
    };
    let signature = match Signature::parse(&signature.bytes) {
        Ok(signature) => signature,
        Err(error) => {
            cx.doubt(Need::Signature { task_id: link.task_id, run_id });
            return Ok(SignatureResult::Malformed(error));
        }
    };
    let keys = &cx.evidence.keys;
    if let Some(trusted) = signer(cx, implementation, &document.bytes, &signature) {
        return Ok(match trusted.valid_at(run::signed(link, last)) {
            Ok(signer) => permitted(cx, link, last, signer),
            Err(Unverified::NotValid(signer, invalid)) => SignatureResult::NotValid(signer, invalid),
            Err(Unverified::UnknownKey) => SignatureResult::UnknownKey,
        });
    }
    cx.doubt(Need::Document { task_id: link.task_id, run_id });
    cx.doubt(Need::Signature { task_id: link.task_id, run_id });
    let mut others = WorkerImplementation::ALL.into_iter().filter(|other| *other != implementation);
    let other = others.find_map(|other| Some((other, signer(cx, other, &document.bytes, &signature)?)));
    if let Some((other, trusted)) = other {
        return Ok(SignatureResult::OtherImplementation(other, trusted.key.clone()));
    }
    if keys.for_implementation(implementation).is_empty() {
        return Ok(SignatureResult::NoKeys);
    }
    Ok(changed(cx, link, &document.bytes, &signature, implementation)?
        .map_or(SignatureResult::UnknownKey, SignatureResult::OtherBytes))
}

/// Whether a valid key may sign for this run of a link.
fn permitted(cx: &CheckContext<'_>, link: &Link, run: &Run, signer: Signer) -> SignatureResult {
    let signer = Box::new(signer);
    let Some(usage) = cx.evidence.keys.usage(&signer.trusted.key) else {
        return SignatureResult::Verified(signer);
    };
    let worker = run.worker_group.as_deref().zip(run.worker_id.as_deref());
    match usage.permits(&KeyUse::new(&cx.evidence.product.name, &link.definition, worker)) {
        Ok(()) => SignatureResult::Verified(signer),
        Err(refused) => SignatureResult::NotPermitted(signer, refused),
    }
}

/// The first key of an implementation that made a signature. The one that made the last is tried before
/// the others: most workers of a push have the same. Which key is found does not depend on it, since no
/// signature is of two keys.
fn signer<'a>(
    cx: &CheckContext<'a>,
    implementation: WorkerImplementation,
    bytes: &[u8],
    signature: &Signature,
) -> Option<&'a TrustedKey> {
    let keys = cx.evidence.keys.set(implementation)?;
    let mut last = notes(cx).ok()?.last_signers.borrow_mut();
    let (place, trusted) = keys.find(signature, bytes, last.get(&implementation).copied())?;
    last.insert(implementation, place);
    Some(trusted)
}

/// Evidence that the bytes are not those that were signed, in words.
fn changed(
    cx: &CheckContext<'_>,
    link: &Link,
    bytes: &[u8],
    signature: &Signature,
    implementation: WorkerImplementation,
) -> Result<Option<String>, Stop> {
    let trimmed = bytes.trim_ascii();
    if trimmed != bytes && signer(cx, implementation, trimmed, signature).is_some() {
        return Ok(Some("the signature matches the document without the white space around it".to_owned()));
    }
    let limits = cx.evidence.limits.json();
    let parsed = match Document::parse(bytes, &limits) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Some(format!("it is not a document: {error}"))),
    };
    let pretty = catena_json::parse(bytes, &limits).map(|value| value.to_pretty());
    if pretty.is_ok_and(|text| signer(cx, implementation, text.as_bytes(), signature).is_some()) {
        return Ok(Some(
            "the signature matches the same value in the form in which workers print \
                        it"
            .to_owned(),
        ));
    }
    Ok(document::contradiction(cx, link, &parsed)?
        .map(|what| format!("it contradicts the queue about its own run: {what}")))
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if !link.has_run {
        let message = "The task is about to run, so it has no document yet.".to_owned();
        return Ok(vec![finding(BEFORE, Disposition::Passed, message)].into());
    }
    let failed = |code, message: String| {
        finding(code, Disposition::Failed, message).at("public/chain-of-trust.json.sig", None)
    };
    let implementation =
        worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
    let expected = || format!("a signature by one of the policy's {implementation} keys");
    let judgement = judged(cx, link)?;
    let finding = match &*judgement {
        SignatureResult::Verified(signer) => {
            finding(VERIFIED, Disposition::Passed, signed_by(implementation, signer))
        }
        SignatureResult::Skipped => finding(
            SKIPPED,
            Disposition::Relaxed,
            "The signature was not verified (--danger-skip-signatures).".to_owned(),
        ),
        SignatureResult::NoDocument(answer) => {
            failed(NO_DOCUMENT, format!("The run has no Chain of Trust document: {answer}"))
                .at("public/chain-of-trust.json", None)
        }
        SignatureResult::Missing(answer) => {
            failed(MISSING, format!("The document has no signature: {answer}"))
        }
        SignatureResult::Malformed(SignatureError::Empty) => {
            failed(EMPTY, "The signature is empty.".to_owned())
        }
        SignatureResult::Malformed(error @ SignatureError::Truncated { .. }) => {
            failed(TRUNCATED, sentence(error))
        }
        SignatureResult::Malformed(error @ SignatureError::TooLong { .. }) => {
            failed(TOO_LONG, sentence(error))
        }
        SignatureResult::OtherImplementation(other, key) => failed(
            OTHER_IMPLEMENTATION,
            format!("The document was signed with a {other} key, but the task was run by {implementation}."),
        )
        .expected(Authority::Policy, expected())
        .actual(Authority::Worker, format!("a signature by the {other} key {key}")),
        SignatureResult::OtherBytes(why) => {
            failed(OTHER_BYTES, format!("The document was changed after it was signed: {why}."))
                .expected(Authority::Policy, expected())
                .actual(Authority::Storage, "a signature over different bytes")
        }
        SignatureResult::UnknownKey => {
            failed(UNKNOWN_KEY, "No key of the policy made this signature over this document.".to_owned())
                .expected(Authority::Policy, expected())
                .actual(Authority::Storage, "a signature that no known key of any implementation made")
        }
        SignatureResult::NotValid(signer, invalid) => not_valid(failed, signer, *invalid),
        SignatureResult::NotPermitted(signer, refused) => not_permitted(failed, signer, refused),
        SignatureResult::NoKeys => failed(NO_KEYS, format!("The policy has no key for {implementation}."))
            .expected(Authority::Policy, format!("at least one key for {implementation}")),
    };
    let finding = naming_the_keys(cx, finding);
    let established = signed_document(cx, link, &judgement)?
        .map(|document| Established::Document(Box::new(document)))
        .into_iter()
        .collect();
    Ok(Examination { established, ..vec![finding].into() })
}

/// What the verdict tells of a document whose signature was verified.
fn signed_document(
    cx: &CheckContext<'_>,
    link: &Link,
    judgement: &SignatureResult,
) -> Result<Option<SignedDocument>, Stop> {
    let SignatureResult::Verified(signer) = judgement else { return Ok(None) };
    let need = Need::Document { task_id: link.task_id, run_id: cx.run(link)?.run_id };
    Ok(match cx.body(&need)? {
        Answer::Is(body) => Some(SignedDocument {
            digest: Digest::Sha256(body.measurement.sha256),
            signer: signer.trusted.key.clone(),
        }),
        Answer::Absent(_) => None,
    })
}

/// Who signed; of a key with limits also the time that it was held against, and how far that is known.
fn signed_by(implementation: WorkerImplementation, signer: &Signer) -> String {
    let Signer { trusted, signed } = signer;
    let who = format!("The document was signed with the {implementation} key {}", trusted.name());
    match signed.filter(|_| trusted.validity.is_limited()) {
        None => format!("{who}."),
        Some(Period { first, last }) => format!(
            "{who}, between {first} and {last}, when the key was valid ({}). These times are the queue's; \
             nothing that is signed confirms them.",
            trusted.validity
        ),
    }
}

/// What the keys say, as the word of the file and line that they come from.
fn naming_the_keys(cx: &CheckContext<'_>, mut finding: Finding) -> Finding {
    if let Some(expected) = finding.expected.as_mut().filter(|claim| claim.authority == Authority::Policy) {
        let speaker = cx.evidence.keys.id().file.unwrap_or_else(|| cx.policy("keys"));
        *expected = Claim::new(Authority::Policy, std::mem::take(&mut expected.text)).by(speaker);
    }
    finding
}

/// A signature by a key of the policy for something that it may not sign for.
fn not_permitted(
    failed: impl Fn(Code, String) -> Finding,
    signer: &Signer,
    refused: &NotPermitted,
) -> Finding {
    let NotPermitted { what, permitted, used } = refused;
    let key = signer.trusted.name();
    failed(KEY_NOT_PERMITTED, format!("The key {key} may not sign for this {what}."))
        .expected(Authority::Policy, permitted.as_str())
        .actual(Authority::Queue, used.as_str())
}

/// A signature by a key of the policy at a time when it is not valid.
fn not_valid(failed: impl Fn(Code, String) -> Finding, signer: &Signer, invalid: Invalid) -> Finding {
    let Signer { trusted, signed } = signer;
    let (code, what) = match invalid {
        Invalid::Revoked => (KEY_REVOKED, "which is revoked"),
        Invalid::NotYet => (KEY_NOT_YET, "which was not valid yet when the run began"),
        Invalid::Expired => (KEY_EXPIRED, "which had expired when the run ended"),
        Invalid::TimeUnknown => (
            TIME_UNKNOWN,
            "which is valid for a limited time, and the queue does not state when the run \
                            ended",
        ),
    };
    let when = signed.map_or_else(
        || "no time of the run".to_owned(),
        |Period { first, last }| format!("signed between {first} and {last}"),
    );
    failed(code, format!("The document was signed with the key {}, {what}.", trusted.name()))
        .expected(Authority::Policy, trusted.validity.to_string())
        .actual(Authority::Queue, when)
}

fn sentence(error: &SignatureError) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(std::iter::once('.')).collect()
}
