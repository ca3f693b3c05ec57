//! The gate: a task runs only after its chain of trust is verified.

use crate::config::Trust;
use crate::inputs::{Check, InputFetcher, InputsError};
use crate::status::Status;
use catena::{
    CancellationToken, Clearance, Conclusion, Control, Error, Event, Extent, Network, Outcome, Progress,
    Target, TargetSpec, TaskId, Verdict, Verifier,
};
use catena_json::Value;
use catena_model::Limits;
use catena_report::TextOptions;
use catena_verify::verification::{Fact, Need};
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The permission to run one task and to sign its artifacts. Only a gate of this module gives one, and
/// [`Refusal::overrule`], which is explicit about what is missing.
#[derive(Debug)]
pub struct Permission {
    task_id: TaskId,
    basis: Basis,
}

/// What a permission rests on.
#[derive(Debug)]
enum Basis {
    /// A conclusion that holds a clearance.
    Cleared(Box<Conclusion>),
    /// The configuration has verification switched off.
    Off,
    /// The chain is not verified, and the mode of the product lets the task run all the same.
    Overruled(Overruled),
}

/// A refusal that does not count, because the mode of the product does not enforce it. It is not a clearance, and
/// nothing turns it into one.
#[derive(Debug)]
pub struct Overruled {
    /// The mode.
    pub mode: Unenforced,
    /// Why the task would not have run.
    pub refusal: Refusal,
}

/// The modes that do not enforce a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unenforced {
    /// The task runs, and its own log warns.
    Warn,
    /// The task runs, and its own log does not mention it.
    Shadow,
}

impl Unenforced {
    /// Its name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Shadow => "shadow",
        }
    }
}

impl Permission {
    /// The permission that a clearance is. A configuration that accepts documents without signatures takes a
    /// clearance that is weakened by that.
    fn of(conclusion: Box<Conclusion>, signatures: bool) -> Result<Self, Box<Conclusion>> {
        let clearance =
            if signatures { conclusion.clearance() } else { conclusion.clearance_despite_switches() };
        match clearance.map(Clearance::task_id) {
            Some(task_id) => Ok(Self { task_id, basis: Basis::Cleared(conclusion) }),
            None => Err(conclusion),
        }
    }

    /// The task that may run.
    #[must_use]
    pub fn task_id(&self) -> TaskId {
        self.task_id
    }

    /// The verdict of the verification; missing where the configuration has verification switched off, and where
    /// a verification ended without one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        match &self.basis {
            Basis::Cleared(conclusion) => Some(conclusion.verdict()),
            Basis::Off => None,
            Basis::Overruled(overruled) => overruled.refusal.verdict.as_deref(),
        }
    }

    /// The clearance it rests on; none where verification is switched off and where a refusal was overruled.
    pub(crate) fn clearance(&self) -> Option<&Clearance> {
        match &self.basis {
            Basis::Cleared(conclusion) => conclusion.clearance_despite_switches(),
            Basis::Off | Basis::Overruled(_) => None,
        }
    }

    /// The refusal that was overruled, where the task runs in spite of one.
    #[must_use]
    pub fn overruled(&self) -> Option<&Overruled> {
        match &self.basis {
            Basis::Overruled(overruled) => Some(overruled),
            Basis::Cleared(_) | Basis::Off => None,
        }
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
    /// A refusal without a verdict.
    #[must_use]
    pub fn new(status: Status, report: impl Into<String>) -> Self {
        Self { status, report: report.into(), verdict: None, is_misconfigured: false }
    }

    /// Lets a task run in spite of this refusal. The permission keeps the refusal, and the document of the task
    /// says that it ran without a clearance.
    #[must_use]
    pub fn overrule(self, task_id: TaskId, mode: Unenforced) -> Permission {
        Permission { task_id, basis: Basis::Overruled(Overruled { mode, refusal: self }) }
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
    /// How long the verification may take.
    pub limit: Duration,
    /// What ends the verification early.
    pub cancellation: CancellationToken,
}

/// Decides whether a task may run.
pub trait Gate: Send + Sync {
    /// Decides about one task.
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>>;

    /// Whether it verifies at all.
    fn verifies(&self) -> bool {
        true
    }

    /// Puts the inputs of a refused task where its script expects them, unverified. Only modes that do not
    /// enforce a verdict call this; a gate without inputs does nothing.
    fn place_unverified<'a>(&'a self, _request: &'a Request<'a>) -> BoxFuture<'a, Result<(), InputsError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Lets every task run: the configuration says that chains are not verified.
#[derive(Debug)]
pub struct Open;

impl Gate for Open {
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>> {
        Box::pin(async move { Ok(Permission { task_id: request.task_id, basis: Basis::Off }) })
    }

    fn verifies(&self) -> bool {
        false
    }
}

/// Lets a task run whose chain is verified, and puts its verified inputs in place.
pub struct ChainGate {
    verifier: Verifier,
    trust: Trust,
    /// What fetches the inputs of a task that runs without a clearance.
    inputs: InputFetcher,
}

impl Gate for ChainGate {
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>> {
        Box::pin(self.decide(request))
    }

    fn place_unverified<'a>(&'a self, request: &'a Request<'a>) -> BoxFuture<'a, Result<(), InputsError>> {
        Box::pin(async move {
            let deadline = Instant::now().checked_add(request.limit).unwrap_or_else(Instant::now);
            let fetching = self.inputs.fetch(request.task, request.work_dir, Check::Nothing, deadline);
            fetching.await.map(drop)
        })
    }
}

impl ChainGate {
    /// A gate that verifies by the configuration's trust.
    ///
    /// # Errors
    /// A deployment that may not be asked.
    pub fn new(trust: Trust, root_url: &str, network: Network, inputs: InputFetcher) -> Result<Self, Error> {
        let verifier = Verifier::new(trust.trust_config.clone(), Some(root_url), network)?
            .danger_skip_signatures(!trust.signatures);
        Ok(Self { verifier, trust, inputs })
    }

    /// Verifies a task as [`Gate::admit`] does, and keeps nothing of it.
    ///
    /// # Errors
    /// A verification that ends without a verdict.
    pub async fn judge(&self, task_id: TaskId, limit: Duration) -> Result<Verdict, Error> {
        let request = catena::Request::new(self.target(task_id))
            .with_control(Control { deadline: limit, ..Control::default() });
        Ok(self.verifier.verify(&request).await?.conclusion.into_verdict())
    }

    async fn decide(&self, request: Request<'_>) -> Result<Permission, Refusal> {
        let definition = Arc::new(Definition { task_id: request.task_id, seen: Mutex::new(None) });
        let ended = self.verifier.verify(&self.request(&request, definition.clone())).await;
        let conclusion = Box::new(ended.map_err(|error| failed(&error))?.conclusion);
        let permission = Permission::of(conclusion, self.trust.signatures);
        let permission = permission.map_err(|conclusion| refusal(*conclusion))?;
        if !definition.says_same(request.task) {
            let report = "The definition that was claimed is not the definition that was verified. \
                          The queue gave the worker two different definitions of the same task.";
            return Err(Refusal::new(Status::MALFORMED_PAYLOAD, report));
        }
        Ok(permission)
    }

    fn request(&self, request: &Request<'_>, progress: Arc<dyn Progress>) -> catena::Request {
        let cancellation = request.cancellation.clone();
        catena::Request::new(self.target(request.task_id))
            .with_work_dir(request.work_dir)
            .with_control(Control { deadline: request.limit, progress, cancellation })
    }

    fn target(&self, task_id: TaskId) -> TargetSpec {
        let (kind, product) = (self.trust.kind.clone(), self.trust.product.name.clone());
        let target = Target { task_id, kind, check_task: false, extent: Extent::Listed };
        TargetSpec { target, product }
    }
}

/// A verification that came to no verdict, or a verified chain whose artifacts could not be kept.
fn failed(error: &Error) -> Refusal {
    let status = if error.is_usage() { Status::INTERNAL_ERROR } else { Status::INTERMITTENT_TASK };
    Refusal { is_misconfigured: error.is_usage(), ..Refusal::new(status, error.to_string()) }
}

/// A verdict that gives no permission, as the end of a task. Only a rejected chain is the task's fault; what
/// could not be determined may be another time.
fn refusal(conclusion: Conclusion) -> Refusal {
    let verdict = conclusion.into_verdict();
    let status = match verdict.outcome {
        Outcome::Rejected => Status::MALFORMED_PAYLOAD,
        Outcome::Undetermined => Status::INTERMITTENT_TASK,
        // Verified, and no clearance: weakened in a way that the configuration does not say.
        Outcome::Misconfigured | Outcome::Verified => Status::INTERNAL_ERROR,
    };
    let report = catena_report::text(&verdict, &TextOptions::default());
    let is_misconfigured = status == Status::INTERNAL_ERROR;
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
