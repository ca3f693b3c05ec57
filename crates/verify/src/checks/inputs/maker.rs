//! The run that made a recorded input, and its signed document.

use super::{
    INPUT_DOCUMENT, INPUT_DOCUMENT_WRONG, INPUT_KEY, INPUT_NOT_FINISHED, INPUT_RUN, INPUT_SIGNATURE,
};
use crate::checks::signature::{self, SignatureResult};
use crate::checks::worker_implementation;
use crate::verdict::Code;
use crate::verification::{Answer, CheckContext, Link, Stop};
use catena_model::document::Document;
use catena_model::task::{Definition, Kind, Run, RunId, RunState, TaskId};
use std::sync::Arc;

/// What became of the maker of an input.
#[derive(Debug)]
pub(super) enum Maker {
    /// A trusted worker signed this document of exactly the run.
    Signed(Arc<Document>),
    /// The run or its document cannot vouch for anything, and why.
    Wrong(Code, String),
    /// Another check says why nothing is known of it.
    Unusable,
}

/// What a run or its document lacks, and why.
type Unproven = (Code, String);

/// Finds the signed document of a run. Of a link of the chain it is the one that was verified; of any other
/// run it is verified here by the same rules (specification 12.12).
pub(super) fn find(
    cx: &CheckContext<'_>,
    consumer: &Link,
    task_id: TaskId,
    run_id: RunId,
) -> Result<Maker, Stop> {
    if let Some(link) = cx.closed()?.link(task_id).filter(|link| link.has_run) {
        let document = signature::accepted(cx, link)?;
        if document.run_id == run_id {
            return Ok(Maker::Signed(document.into_document()));
        }
    }
    let maker = as_link(consumer, task_id, cx.definition(task_id)?);
    let run = match run_of(cx, &maker, run_id)? {
        Ok(run) => run,
        Err((code, why)) => return Ok(Maker::Wrong(code, why)),
    };
    Ok(match signed(cx, &maker, run)? {
        Ok(document) => Maker::Signed(document),
        Err((code, why)) => Maker::Wrong(code, why),
    })
}

/// A maker in the form in which runs and signatures are judged. It is no link of the chain.
fn as_link(consumer: &Link, task_id: TaskId, definition: Arc<Definition>) -> Link {
    Link {
        name: consumer.name.dependency("input"),
        task_id,
        kind: Kind::unknown(),
        role: None,
        definition,
        is_target: false,
        has_run: true,
    }
}

/// The run, which must have completed.
fn run_of<'a>(cx: &CheckContext<'a>, maker: &Link, run_id: RunId) -> Result<Result<&'a Run, Unproven>, Stop> {
    let none = |why: String| Ok(Err((INPUT_RUN, why)));
    let status = match cx.status(maker)? {
        Answer::Is(Ok(status)) if status.task_id == maker.task_id => status,
        Answer::Is(Ok(other)) => return none(format!("the queue's status is about {}.", other.task_id)),
        Answer::Is(Err(error)) => return none(format!("{error}.")),
        Answer::Absent(answer) => return none(format!("the queue has no status of its maker: {answer}")),
    };
    let Some(run) = status.runs.iter().find(|run| run.run_id == run_id) else {
        return none("the queue knows no such run of its maker.".to_owned());
    };
    let state = run.state.as_str();
    Ok(match run.state {
        RunState::Completed => Ok(run),
        RunState::Pending | RunState::Running => {
            Err((INPUT_NOT_FINISHED, format!("the run that made it is {state}.")))
        }
        RunState::Failed | RunState::Exception => {
            Err((INPUT_RUN, format!("the run that made it is {state}, not completed.")))
        }
    })
}

/// The run's document: a key that is trusted for the maker signed it, and it is about this run.
fn signed(cx: &CheckContext<'_>, maker: &Link, run: &Run) -> Result<Result<Arc<Document>, Unproven>, Stop> {
    let wrong = |code, why: &str| Ok(Err((code, why.to_owned())));
    match signature::judge_run(cx, maker, run) {
        Ok(SignatureResult::Verified(_) | SignatureResult::Skipped) => {}
        Ok(SignatureResult::NoDocument(answer)) => {
            return wrong(INPUT_DOCUMENT, &format!("its maker has no document: {answer}"));
        }
        Ok(SignatureResult::Missing(answer)) => {
            return wrong(INPUT_SIGNATURE, &format!("the document of its maker has no signature: {answer}"));
        }
        Ok(SignatureResult::NotValid(signer, _)) => {
            let key = &signer.trusted.key;
            return wrong(
                INPUT_KEY,
                &format!("the key {key} was not valid when its maker's run was signed."),
            );
        }
        Ok(SignatureResult::NotPermitted(signer, _)) => {
            return wrong(INPUT_KEY, &format!("the key {} may not sign for its maker.", signer.trusted.key));
        }
        Ok(SignatureResult::NoKeys) => {
            return wrong(INPUT_KEY, "the policy has no key for the workers that ran its maker.");
        }
        Ok(
            SignatureResult::Malformed(_)
            | SignatureResult::OtherImplementation(..)
            | SignatureResult::OtherBytes(_)
            | SignatureResult::UnknownKey,
        ) => {
            let why = "the signature over its maker's document does not verify under any key that is trusted for it.";
            return wrong(INPUT_SIGNATURE, why);
        }
        // The worker implementation decides which keys count.
        Err(Stop::Blocked) if worker_implementation::of(&cx.evidence.product, &maker.definition).is_err() => {
            return wrong(INPUT_KEY, "the worker implementation of its maker is not known.");
        }
        Err(stop) => return Err(stop),
    }
    let document = match cx.document_of(maker.task_id, run.run_id)? {
        Answer::Is(Ok(document)) => document,
        Answer::Is(Err(error)) => {
            return wrong(INPUT_DOCUMENT_WRONG, &format!("the document of its maker is malformed: {error}."));
        }
        Answer::Absent(answer) => {
            return wrong(INPUT_DOCUMENT, &format!("its maker has no document: {answer}"));
        }
    };
    let same = (document.task_id, document.run_id) == (maker.task_id, run.run_id)
        && Some(&document.worker_group) == run.worker_group.as_ref()
        && Some(&document.worker_id) == run.worker_id.as_ref();
    if same {
        Ok(Ok(document))
    } else {
        wrong(INPUT_DOCUMENT_WRONG, "the document of its maker is about a different run or worker.")
    }
}
