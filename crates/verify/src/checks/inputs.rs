//! Recorded inputs are what the signed documents of the runs that made them name.
//!
//! Specification 12.12 to 12.15. Off-reference: the reference knows no such record.
//!
//! A maker that is no link of the chain does not become one: its document is verified, and not its own chain
//! (decision 0021). All makers of the chain together are bounded by the limit of links.

mod maker;

use super::signature::{Accepted, accepted};
use crate::verdict::{Authority, Class, Code, Disposition, Finding, Findings};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::Path;
use catena_model::custody::{CLAIMED_INPUTS, CUSTODY, PinnedInput};
use catena_model::digest::Digest;
use catena_model::document::{Document, Listing};
use catena_model::task::{RunId, TaskId};
use catena_policy::Rule;
use maker::Maker;
use std::collections::BTreeMap;

pub(super) const DESCRIPTION: Check = describe!("inputs", CODES, Scope::Chain(examine));
const CHECK: &str = DESCRIPTION.name;
const THING: &str = "public/chain-of-trust.json";

const MATCH: Code = Code::passing(
    "inputs-match",
    "Every recorded input has the digest that the signed document of the run that made it names.",
);
const NO_INPUTS: Code = Code::passing("inputs-none", "No document of the chain records an input.");
const INPUT_RUN: Code = Code::new(
    "input-run",
    Class::Policy,
    "A recorded input is of a run that does not exist or did not complete.",
)
.relaxable(Rule::RecordedInput);
const INPUT_NOT_FINISHED: Code =
    Code::new("input-not-finished", Class::Infra, "The run that made a recorded input has not ended yet.");
const INPUT_DOCUMENT: Code = Code::new(
    "input-document",
    Class::Policy,
    "The run that made a recorded input has no document, or has none any more.",
)
.relaxable(Rule::RecordedInput);
const INPUT_SIGNATURE: Code = Code::new(
    "input-signature",
    Class::Invalid,
    "The document of the run that made a recorded input has no signature by a trusted key.",
)
.relaxable(Rule::RecordedInput);
const INPUT_KEY: Code = Code::new(
    "input-key",
    Class::Policy,
    "The policy does not trust the key that signed the document of a recorded input for that run.",
)
.relaxable(Rule::RecordedInput);
const INPUT_DOCUMENT_WRONG: Code = Code::new(
    "input-document-wrong",
    Class::Invalid,
    "The signed document of a recorded input is malformed, or is about a different run or worker.",
);
const INPUT_UNLISTED: Code = Code::new(
    "input-unlisted",
    Class::Invalid,
    "The document of the run that made a recorded input does not name it with a SHA-256 digest.",
);
const INPUT_MISMATCHED: Code = Code::new(
    "input-mismatched",
    Class::Tamper,
    "The digest that a worker recorded of an input is not that in the document of the run that made it.",
);
const INPUT_INCONSISTENT: Code = Code::new(
    "input-inconsistent",
    Class::Invalid,
    "The digest that the task itself recorded of an input is not that in the document of the run that made \
     it, perhaps by mistake; or only the recorded sizes differ.",
);
const TOO_MANY: Code = Code::new(
    "inputs-too-many",
    Class::Policy,
    "The recorded inputs of the chain come from more runs than the limit allows.",
);

const CODES: &[Code] = &[
    MATCH,
    NO_INPUTS,
    INPUT_RUN,
    INPUT_NOT_FINISHED,
    INPUT_DOCUMENT,
    INPUT_SIGNATURE,
    INPUT_KEY,
    INPUT_DOCUMENT_WRONG,
    INPUT_UNLISTED,
    INPUT_MISMATCHED,
    INPUT_INCONSISTENT,
    TOO_MANY,
];

/// Who says that an input was consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Worker,
    Task,
}

impl Word {
    fn authority(self) -> Authority {
        match self {
            Self::Worker => Authority::Worker,
            Self::Task => Authority::Task,
        }
    }

    fn path(self, number: usize) -> Path {
        let member = match self {
            Self::Worker => CUSTODY,
            Self::Task => CLAIMED_INPUTS,
        };
        Path::of(&[member, "inputs"]).index(number)
    }
}

type Makers = BTreeMap<(TaskId, RunId), Maker>;

/// Examines the inputs that all documents of the chain record.
fn examine(cx: &CheckContext<'_>) -> Examined {
    let Documents { usable: documents, blocked } = documents(cx)?;
    let mut wanted: BTreeMap<(TaskId, RunId), &Link> = BTreeMap::new();
    let mut count = 0_usize;
    for (link, document) in &documents {
        for (_, _, input) in recorded(document) {
            cx.spend(1)?;
            wanted.entry((input.task_id, input.run_id)).or_insert(link);
            count = count.saturating_add(1);
        }
    }
    let target = cx.evidence.target.task_id;
    if wanted.len() > cx.evidence.limits.links {
        let message = "The documents of the chain record inputs of too many runs.";
        let finding = Finding::new(CHECK, TOO_MANY, Disposition::Failed, target, message)
            .expected(Authority::Policy, format!("at most {} runs", cx.evidence.limits.links))
            .actual(Authority::Worker, wanted.len().to_string());
        return Ok(vec![finding].into());
    }
    let makers = makers(cx, wanted)?;
    let mut findings = Findings::default();
    for (link, document) in &documents {
        for (word, number, input) in recorded(document) {
            findings.extend(compare(link, word, number, input, &makers));
        }
    }
    if findings.is_empty() {
        if blocked || makers.values().any(|maker| matches!(maker, Maker::Unusable)) {
            return Err(Stop::Blocked);
        }
        let (code, message) = match count {
            0 => (NO_INPUTS, "No document of the chain records an input.".to_owned()),
            count => (
                MATCH,
                format!("{count} recorded inputs have the digests that {} runs signed.", makers.len()),
            ),
        };
        findings.push(Finding::new(CHECK, code, Disposition::Passed, target, message));
    }
    Ok(findings.into_vec().into())
}

/// The verified documents of all links that have run.
struct Documents<'a> {
    usable: Vec<(&'a Link, Accepted)>,
    /// Whether one of them cannot be used; another check says why.
    blocked: bool,
}

fn documents<'a>(cx: &CheckContext<'a>) -> Result<Documents<'a>, Stop> {
    let (mut usable, mut blocked, mut stopped) = (Vec::new(), false, None);
    for link in cx.closed()?.links().filter(|link| link.has_run) {
        match accepted(cx, link) {
            Ok(document) => usable.push((link, document)),
            Err(Stop::Blocked) => blocked = true,
            Err(stop) => stopped = stopped.or(Some(stop)),
        }
    }
    stopped.map_or(Ok(Documents { usable, blocked }), Err)
}

/// The inputs that a document records: the worker's word, then the task's.
fn recorded(document: &Document) -> impl Iterator<Item = (Word, usize, &PinnedInput)> {
    let own = document.custody.iter().flatten().flat_map(|custody| custody.inputs.iter().enumerate());
    let claimed = document.claimed_inputs.iter().flatten().flat_map(|inputs| inputs.iter().enumerate());
    let own = own.map(|(number, input)| (Word::Worker, number, input));
    own.chain(claimed.map(|(number, input)| (Word::Task, number, input)))
}

/// Every maker is asked for before any is judged, so that they are fetched together.
fn makers(cx: &CheckContext<'_>, wanted: BTreeMap<(TaskId, RunId), &Link>) -> Result<Makers, Stop> {
    let (mut makers, mut stopped) = (Makers::new(), None);
    for ((task_id, run_id), consumer) in wanted {
        match maker::find(cx, consumer, task_id, run_id) {
            Ok(maker) => drop(makers.insert((task_id, run_id), maker)),
            Err(Stop::Blocked) => drop(makers.insert((task_id, run_id), Maker::Unusable)),
            Err(stop) => stopped = stopped.or(Some(stop)),
        }
    }
    stopped.map_or(Ok(makers), Err)
}

fn compare(link: &Link, word: Word, number: usize, input: &PinnedInput, makers: &Makers) -> Option<Finding> {
    let found = |code, message: String| {
        let finding = Finding::new(CHECK, code, Disposition::Failed, link.task_id, message);
        finding.at(THING, Some(word.path(number)))
    };
    let document = match makers.get(&(input.task_id, input.run_id))? {
        Maker::Signed(document) => document,
        Maker::Wrong(code, why) => return Some(found(*code, format!("{}: {why}", input.shown()))),
        // Another check says why.
        Maker::Unusable => return None,
    };
    let signed = match document.listing(input.name.as_str()) {
        Listing::Digests(digests) => digests.into_iter().find(|digest| matches!(digest, Digest::Sha256(_))),
        Listing::Absent | Listing::NoDigest | Listing::Wrong(_) | Listing::Malformed => None,
    };
    let consumed = Digest::Sha256(input.sha256);
    let Some(signed) = signed else {
        let message = format!("The document of its maker does not name {} with a SHA-256.", input.shown());
        return Some(found(INPUT_UNLISTED, message).actual(word.authority(), consumed.to_string()));
    };
    let size = size_of(document, input);
    let (code, expected, actual) = if signed != consumed {
        // A worker measures what it downloads; the script of a task may have measured something else.
        let code = if word == Word::Worker { INPUT_MISMATCHED } else { INPUT_INCONSISTENT };
        (code, signed.to_string(), consumed.to_string())
    } else if let Some(size) = size.filter(|size| *size != input.size) {
        // Bytes of one digest have one size: a worker counted wrongly.
        (INPUT_INCONSISTENT, format!("{size} bytes"), format!("{} bytes", input.size))
    } else {
        return None;
    };
    let message = format!("{} is not what was consumed.", input.shown());
    let maker = format!("the document of {}", input.task_id);
    let finding = found(code, message).expected_by(Authority::Worker, maker, expected);
    Some(finding.actual(word.authority(), actual))
}

/// The size that the maker recorded, if it did.
fn size_of(document: &Document, input: &PinnedInput) -> Option<u64> {
    let Some(Ok(custody)) = &document.custody else { return None };
    Some(custody.artifacts.get(input.name.as_str())?.size)
}
