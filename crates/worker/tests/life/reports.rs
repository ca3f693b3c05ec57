//! Reports: what the queue hears of a task.

use super::harness::{Case, TWO, claim_of, conflict, definition, resolved};
use catena_taskcluster::{ExceptionReason as Reason, Resolution};
use catena_worker::queue::{QueueError, UploadFailure};
use catena_worker::status::Status;
use catena_worker::worker::{Exit, Order};

pub(crate) fn report_conflict() {
    let case = Case::new("true");
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    *case.story.reports.lock().unwrap() = [conflict()].into();
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert!(seen.log().contains("409: not reporting completed"), "{}", seen.log());
}

pub(crate) fn report_fails() {
    let case = Case::new("true");
    *case.story.reports.lock().unwrap() = [Err(QueueError::Unavailable("500".into()))].into();
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert_eq!(seen.resolutions(), [Resolution::Completed, Resolution::Completed]);
    // A refusal is final, and the worker lives.
    let case = Case::new("true");
    *case.story.reports.lock().unwrap() = [Err(QueueError::Refused("403".into()))].into();
    assert_eq!(case.run().exit, Exit::Told);
}

pub(crate) fn worse_status() {
    for (code, upload, expected) in [
        (0, Status::RESOURCE_UNAVAILABLE, Resolution::Exception(Reason::ResourceUnavailable)),
        (5, Status::RESOURCE_UNAVAILABLE, Resolution::Exception(Reason::InternalError)),
        (1, Status::INTERMITTENT_TASK, Resolution::Exception(Reason::IntermittentTask)),
    ] {
        let mut case = Case::new(&format!("exit {code}"));
        case.story.upload = Some(UploadFailure { status: upload, message: "no".into() });
        assert_eq!(case.run().resolutions(), [expected]);
    }
}
