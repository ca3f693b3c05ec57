//! The gate: a task runs only after its chain of trust is verified.

use crate::config::Trust;
use crate::status::Status;
use catena_core::Limits;
use catena_core::inquiry::{Cancel, Extent, Fact, Inquiry, Need, Switches, Target};
use catena_core::task::TaskId;
use catena_core::verdict::{Outcome, Verdict};
use catena_fetch::{Event, Fetcher, Options, Progress, Staging, investigate};
use catena_http::{Secret, Transport};
use catena_json::Value;
use catena_report::TextOptions;
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The permission to run one task and to sign what comes out. Only a gate gives it.
#[derive(Debug)]
pub struct Permission {
    task_id: TaskId,
    verdict: Option<Box<Verdict>>,
}

impl Permission {
    /// The task that may run.
    #[must_use]
    pub fn task_id(&self) -> TaskId {
        self.task_id
    }

    /// The verdict it rests on; none where the configuration has verification switched off.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_deref()
    }
}

/// Why a task does not run.
#[derive(Debug)]
pub struct Refusal {
    /// How the task ends.
    pub status: Status,
    /// Why, for people: the report of the verdict, or one line.
    pub report: String,
    /// The verdict, where there is one.
    pub verdict: Option<Box<Verdict>>,
    /// Whether the worker's own set-up is at fault, so that no other task could run either.
    pub is_misconfigured: bool,
}

impl Refusal {
    fn new(status: Status, report: impl Into<String>) -> Self {
        Self { status, report: report.into(), verdict: None, is_misconfigured: false }
    }
}

/// What is asked of a gate.
#[derive(Debug)]
pub struct Request<'a> {
    /// The task.
    pub task_id: TaskId,
    /// Its definition, as it was claimed and as the script will read it.
    pub task: &'a Value,
    /// Where verified artifacts go: `cot/<taskId>/<path>` below it.
    pub work_dir: &'a Path,
    /// When there must be an answer.
    pub deadline: Instant,
    /// What ends the verification early.
    pub cancel: Cancel,
}

/// Decides whether a task may run.
pub trait Gate: Send + Sync {
    /// Decides about one task.
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>>;
}

/// Lets every task run: the configuration says that chains are not verified.
#[derive(Debug)]
pub struct Open;

impl Gate for Open {
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>> {
        Box::pin(async move { Ok(Permission { task_id: request.task_id, verdict: None }) })
    }
}

/// Lets a task run whose chain is verified, and puts its verified inputs in place.
pub struct ChainGate {
    /// What chains are verified by.
    pub trust: Trust,
    /// Reaches the services.
    pub transport: Arc<dyn Transport>,
    /// Where Taskcluster is.
    pub root: RootUrl,
    /// Who the worker is to Taskcluster.
    pub credentials: TaskclusterCredentials,
    /// For GitHub.
    pub github_token: Option<Secret>,
    /// The bounds of fetching.
    pub options: Options,
}

impl Gate for ChainGate {
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>> {
        Box::pin(self.decide(request))
    }
}

impl ChainGate {
    async fn decide(&self, request: Request<'_>) -> Result<Permission, Refusal> {
        let staging = Staging::new(request.work_dir).map_err(|error| {
            let report = format!("{}: {error}", request.work_dir.display());
            Refusal::new(Status::RESOURCE_UNAVAILABLE, report)
        })?;
        let definition = Arc::new(Definition { task_id: request.task_id, seen: Mutex::new(None) });
        let verdict = self.verify(&request, &staging, &definition).await;
        let task_id = request.task_id;
        if verdict.outcome != Outcome::Verified {
            return Err(refusal(verdict));
        }
        if !definition.says_same(request.task) {
            let report = "The definition that was claimed is not the definition that was verified. \
                          The queue gave the worker two different definitions of the same task.";
            return Err(Refusal::new(Status::MALFORMED_PAYLOAD, report));
        }
        let publish = move || staging.publish(&verdict).map(|_| verdict);
        match tokio::task::spawn_blocking(publish).await {
            Ok(Ok(verdict)) => Ok(Permission { task_id, verdict: Some(Box::new(verdict)) }),
            Ok(Err(error)) => Err(Refusal::new(
                Status::RESOURCE_UNAVAILABLE,
                format!("The chain is verified, but its artifacts could not be kept: {error}"),
            )),
            Err(error) => Err(Refusal::new(Status::INTERNAL_ERROR, error.to_string())),
        }
    }

    async fn verify(
        &self,
        request: &Request<'_>,
        staging: &Arc<Staging>,
        definition: &Arc<Definition>,
    ) -> Verdict {
        let limits = Limits::default();
        let fetcher =
            Fetcher::new(Arc::clone(&self.transport), self.root.clone(), limits.clone(), self.options.clone())
                .with_taskcluster(Some(self.credentials.clone()))
                .with_github_token(self.github_token.clone())
                .with_staging(Some(Arc::clone(staging)))
                .with_progress(definition.clone());
        let target = Target {
            task_id: request.task_id,
            kind: self.trust.kind.clone(),
            check_task: false,
            extent: Extent::Listed,
        };
        let switches = Switches {
            danger_skip_signatures: !self.trust.signatures,
            danger_allow_http: self.options.danger_allow_http,
            offline: false,
        };
        let (product, keys) = (Arc::clone(&self.trust.product), self.trust.keys.clone());
        let mut inquiry = Inquiry::new(target, product, keys, limits, switches);
        inquiry.cancel_when(request.cancel.clone());
        let inquiry = investigate(inquiry, Arc::new(fetcher), request.deadline, definition.as_ref()).await;
        inquiry.conclude(&jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

/// A verdict other than verified, as the end of a task. Only a rejected chain is the task's fault; what could
/// not be determined may be another time.
fn refusal(verdict: Verdict) -> Refusal {
    let status = match verdict.outcome {
        Outcome::Rejected => Status::MALFORMED_PAYLOAD,
        Outcome::Undetermined => Status::INTERMITTENT_TASK,
        // A verified chain is no refusal; were it one, the worker would be at fault.
        Outcome::Misconfigured | Outcome::Verified => Status::INTERNAL_ERROR,
    };
    let report = catena_report::text(&verdict, &TextOptions::default());
    let is_misconfigured = verdict.outcome == Outcome::Misconfigured;
    Refusal { status, report, verdict: Some(Box::new(verdict)), is_misconfigured }
}

/// Keeps the definition of the target that was verified, to be compared with the one that was claimed.
struct Definition {
    task_id: TaskId,
    seen: Mutex<Option<Value>>,
}

impl Progress for Definition {
    fn event(&self, event: Event<'_>) {
        if let Event::Answered { need: Need::Definition { task_id }, fact: Fact::Body(body) } = event
            && *task_id == self.task_id
        {
            let value = catena_json::parse(&body.bytes, &Limits::default().json()).ok();
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = value;
        }
    }
}

impl Definition {
    fn says_same(&self, claimed: &Value) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(claimed)
    }
}
