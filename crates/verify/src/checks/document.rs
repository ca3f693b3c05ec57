//! What the worker signed is about this task, this run, this worker, and this definition.
//!
//! Specification 4.6 to 4.11. Off-reference: run, worker and definition are compared as well.

use super::signature::{signed, standing};
use crate::compare::differences;
use crate::verdict::{Authority, Class, Code, Difference, DifferenceKind, Disposition, Finding};
use crate::verification::{Answer, Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::{ParseErrorKind, Path, Value};
use catena_model::document::{Document, DocumentError};
use catena_policy::Rule;

pub(super) const DESCRIPTION: Check = describe!("document", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;
const THING: &str = "public/chain-of-trust.json";

const AGREES: Code =
    Code::passing("document-agrees", "The document is about this task, run, worker and definition.");
const BEFORE: Code =
    Code::passing("document-not-needed", "The target is about to run, so it has no document yet.");
const NOT_JSON: Code = Code::new("document-not-json", Class::Invalid, "The document is not strict JSON.");
const DUPLICATE_KEY: Code = Code::new(
    "document-duplicate-key",
    Class::Tamper,
    "The document has a duplicate key, so that parsers disagree about its content.",
);
const VERSION: Code =
    Code::new("document-version", Class::Invalid, "The document's version is missing, mistyped or unknown.");
const MALFORMED: Code = Code::new(
    "document-malformed",
    Class::Invalid,
    "A part of the document is missing or has the wrong type.",
);
const TASK_ID: Code =
    Code::new("document-of-another-task", Class::Tamper, "The document is about a different task.");
const RUN: Code =
    Code::new("document-of-another-run", Class::Tamper, "The document is about a different run of the task.")
        .relaxable(Rule::DocumentRun);
const WORKER: Code = Code::new(
    "document-of-another-worker",
    Class::Invalid,
    "The document does not name the worker to which the queue gave the run.",
)
.relaxable(Rule::DocumentWorker);
const TASK: Code = Code::new(
    "document-task-differs",
    Class::Tamper,
    "The definition that the worker signed is not the queue's.",
)
.relaxable(Rule::DocumentTask);

const CODES: &[Code] =
    &[AGREES, BEFORE, NOT_JSON, DUPLICATE_KEY, VERSION, MALFORMED, TASK_ID, RUN, WORKER, TASK];

/// How many differences a finding lists.
const MOST_DIFFERENCES: usize = 20;

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if !link.has_run {
        let message = "The task is about to run, so it has no document yet.".to_owned();
        return Ok(vec![finding(BEFORE, Disposition::Passed, message)].into());
    }
    let document = match cx.unverified_document(link)? {
        // The signature check says so.
        Answer::Absent(_) => return Err(Stop::Blocked),
        Answer::Is(Err(error)) => {
            return Ok(vec![malformed(link, &error, standing(cx, link)?)].into());
        }
        Answer::Is(Ok(document)) => document,
    };
    if document.task_id != link.task_id {
        let finding =
            finding(TASK_ID, Disposition::Failed, "The document is about a different task.".to_owned())
                .at(THING, Some(Path::of(&["taskId"])))
                .expected(Authority::Queue, link.task_id.as_str())
                .actual(Authority::Worker, document.task_id.as_str());
        return Ok(vec![finding].into());
    }
    // Without a valid signature nobody vouches for the rest; the signature check has reported that.
    let Some(document) = signed(cx, link)? else { return Err(Stop::Blocked) };
    let mut findings = disagreements(cx, link, &document)?;
    if findings.is_empty() {
        let message = "Task, run, worker and definition are the queue's.".to_owned();
        findings.push(finding(AGREES, Disposition::Passed, message));
    }
    Ok(findings.into())
}

fn malformed(link: &Link, error: &DocumentError, signature: &str) -> Finding {
    let (code, path) = match error {
        DocumentError::Json(error) if matches!(error.kind, ParseErrorKind::DuplicateKey(_)) => {
            (DUPLICATE_KEY, None)
        }
        DocumentError::Json(_) => (NOT_JSON, None),
        DocumentError::Version(_) => (VERSION, Some(Path::of(&["chainOfTrustVersion"]))),
        DocumentError::Malformed { path, .. } => (MALFORMED, Some(path.clone())),
    };
    let message = format!("The document is malformed: {error}. {signature}");
    Finding::new(CHECK, code, Disposition::Failed, link.task_id, message).at(THING, path)
}

/// Where a document's own statements disagree with the queue's.
fn disagreements(cx: &CheckContext<'_>, link: &Link, document: &Document) -> Result<Vec<Finding>, Stop> {
    let run = cx.run(link)?;
    let failed = |code, message: &str, key: &str| {
        Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
            .at(THING, Some(Path::of(&[key])))
    };
    let mut findings = Vec::new();
    if document.run_id != run.run_id {
        findings.push(
            failed(RUN, "The document is about a different run of the task.", "runId")
                .expected(Authority::Queue, run.run_id.to_string())
                .actual(Authority::Worker, document.run_id.to_string()),
        );
    }
    for (key, queue, worker) in [
        ("workerGroup", &run.worker_group, &document.worker_group),
        ("workerId", &run.worker_id, &document.worker_id),
    ] {
        if queue.as_ref() != Some(worker) {
            findings.push(
                failed(WORKER, "The document does not name the worker to which the queue gave the run.", key)
                    .expected(Authority::Queue, queue.as_deref().unwrap_or("no worker"))
                    .actual(Authority::Worker, worker.as_str()),
            );
        }
    }
    let differences = task_differences(link.definition.value(), &document.task);
    if !differences.is_empty() {
        findings.push(
            failed(TASK, "The definition that the worker signed is not the queue's.", "task")
                .differing((Authority::Queue, Authority::Worker), differences),
        );
    }
    Ok(findings)
}

/// The first disagreement in words, for the signature check.
pub(super) fn contradiction(
    cx: &CheckContext<'_>,
    link: &Link,
    document: &Document,
) -> Result<Option<String>, Stop> {
    if document.task_id != link.task_id {
        return Ok(Some(format!("it is about task {}", document.task_id)));
    }
    let found = disagreements(cx, link, document)?;
    Ok(found.first().map(|finding| {
        let what = finding.differences.first().map(|difference| difference.path.to_string());
        let place = finding.location.as_ref().and_then(|place| place.path.as_ref()).map(ToString::to_string);
        format!("{} differs", what.or(place).unwrap_or_default())
    }))
}

/// Where the signed definition differs from the queue's. The platform may have changed `priority`
/// since, and an older worker did not know `projectId` and `taskQueueId`; nothing else may differ.
fn task_differences(queue: &Value, worker: &Value) -> Vec<Difference> {
    let mut all = differences(queue, worker, MOST_DIFFERENCES.saturating_add(4));
    all.retain(|difference| {
        let top = match difference.path.segments() {
            [catena_json::Segment::Key(key)] => key.as_str(),
            _ => return true,
        };
        match top {
            "priority" => difference.kind != DifferenceKind::Changed,
            "projectId" | "taskQueueId" => difference.kind != DifferenceKind::Missing,
            _ => true,
        }
    });
    all.truncate(MOST_DIFFERENCES);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    #[test]
    fn only_three_members_may_differ_and_only_so() {
        let differ = |queue: &str, worker: &str| {
            let read = |text: &str| parse(text.as_bytes(), &Limits::default()).unwrap();
            task_differences(&read(queue), &read(worker)).len()
        };
        assert_eq!(
            differ(r#"{"priority":"low","a":{"priority":1}}"#, r#"{"a":{"priority":1},"priority":"high"}"#),
            0
        );
        assert_eq!(differ(r#"{"projectId":"none","taskQueueId":"a/b"}"#, "{}"), 0);
        assert_eq!(differ(r#"{"priority":"low"}"#, "{}"), 1);
        assert_eq!(differ(r#"{"priority":"low"}"#, r#"{"priority":1}"#), 1);
        assert_eq!(differ("{}", r#"{"projectId":"none"}"#), 1);
        assert_eq!(differ(r#"{"projectId":"none"}"#, r#"{"projectId":"other"}"#), 1);
        assert_eq!(differ(r#"{"a":{"projectId":"none"}}"#, r#"{"a":{}}"#), 1);
        assert_eq!(differ(r#"{"retries":5}"#, "{}"), 1);
    }
}
