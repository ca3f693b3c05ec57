//! The run that made a recorded input, and its signed document.

use super::{INPUT_DOCUMENT, INPUT_RUN};
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
        Err(why) => return Ok(Maker::Wrong(INPUT_RUN, why)),
    };
    Ok(match signed(cx, &maker, run)? {
        Ok(document) => Maker::Signed(document),
        Err(why) => Maker::Wrong(INPUT_DOCUMENT, why),
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
fn run_of<'a>(cx: &CheckContext<'a>, maker: &Link, run_id: RunId) -> Result<Result<&'a Run, String>, Stop> {
    let status = match cx.status(maker)? {
        Answer::Is(Ok(status)) if status.task_id == maker.task_id => status,
        Answer::Is(Ok(other)) => return Ok(Err(format!("the queue's status is about {}.", other.task_id))),
        Answer::Is(Err(error)) => return Ok(Err(format!("{error}."))),
        Answer::Absent(answer) => return Ok(Err(format!("the queue has no status of its maker: {answer}"))),
    };
    let run = status.runs.iter().find(|run| run.run_id == run_id);
    Ok(match run {
        None => Err("the queue knows no such run of its maker.".to_owned()),
        Some(run) if run.state != RunState::Completed => {
            Err(format!("the run that made it is {}, not completed.", run.state.as_str()))
        }
        Some(run) => Ok(run),
    })
}

/// The run's document: a key that is trusted for the maker signed it, and it is about this run.
fn signed(cx: &CheckContext<'_>, maker: &Link, run: &Run) -> Result<Result<Arc<Document>, String>, Stop> {
    let wrong = |why: &str| Ok(Err(why.to_owned()));
    match signature::judge_run(cx, maker, run) {
        Ok(SignatureResult::Verified(_) | SignatureResult::Skipped) => {}
        Ok(SignatureResult::NoDocument(answer)) => {
            return wrong(&format!("its maker has no document: {answer}"));
        }
        Ok(SignatureResult::Missing(answer)) => {
            return wrong(&format!("the document has no signature: {answer}"));
        }
        Ok(SignatureResult::NotValid(signer, _)) => {
            return wrong(&format!("the key {} was not valid when the run was signed.", signer.trusted.key));
        }
        Ok(SignatureResult::NotPermitted(signer, _)) => {
            return wrong(&format!("the key {} may not sign for its maker.", signer.trusted.key));
        }
        Ok(_) => return wrong("the document is not signed by a key that is trusted for its maker."),
        // The worker implementation decides which keys count.
        Err(Stop::Blocked) if worker_implementation::of(&cx.evidence.product, &maker.definition).is_err() => {
            return wrong("no worker implementation can be told for its maker.");
        }
        Err(stop) => return Err(stop),
    }
    let document = match cx.document_of(maker.task_id, run.run_id)? {
        Answer::Is(Ok(document)) => document,
        Answer::Is(Err(error)) => return wrong(&format!("the document of its maker is malformed: {error}.")),
        Answer::Absent(answer) => return wrong(&format!("its maker has no document: {answer}")),
    };
    let same = (document.task_id, document.run_id) == (maker.task_id, run.run_id)
        && Some(&document.worker_group) == run.worker_group.as_ref()
        && Some(&document.worker_id) == run.worker_id.as_ref();
    if same { Ok(Ok(document)) } else { wrong("the document is about another run or another worker.") }
}
