//! The life of one task, from its claim to its resolution.

use crate::claimed::ClaimedTask;
use crate::custody::Knowledge;
use crate::gate::{Permission, Refusal, Request};
use crate::lease::Lease;
use crate::log::{CHAIN_FILE, LiveLog, TaskLogs, VERDICT_FILE};
use crate::metrics::{Phase, TASKS, UPLOADED};
use crate::queue::QueueError;
use crate::script::{Ended, Ran, Script, StartError, Stop};
use crate::signing::Signing;
use crate::status::Status;
use crate::worker::Worker;
use catena::CancellationToken;
use catena_signing::{Environment, Run};
use catena_taskcluster::{Expiry, Resolution};
use catena_upload::{Snapshot, SnapshotError, SnapshotLimits};
use jiff::Timestamp;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How long a verification may take; what takes longer could not be determined.
const VERIFICATION_LIMIT: Duration = Duration::from_secs(900);
/// Between attempts to report how a task ended.
const REPORT_PAUSE: Duration = Duration::from_secs(5);

/// Whether the worker may go on after a task. The largest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Next {
    /// It may claim the next task.
    GoOn,
    /// Its own set-up is at fault: every other task would end in the same way.
    Misconfigured,
    /// Processes of the script are left, which could read and change what belongs to the next task.
    Unclean,
}

/// How far a task came.
struct End {
    status: Status,
    next: Next,
    /// What was run, by whose permission: the script has ended by itself, and what it made can be signed.
    made: Option<(ClaimedTask, Permission)>,
    /// Whether the status stays though the logs cannot be uploaded: the task did not run, or the worker stopped it. A
    /// rejected chain stays rejected, and a task that was shut down is run again.
    is_final: bool,
}

impl End {
    fn early(status: Status) -> Self {
        Self { status, next: Next::GoOn, made: None, is_final: true }
    }

    /// The status after what came later, such as a failed upload.
    fn worst(&self, later: Status) -> Status {
        if self.is_final { self.status } else { self.status.worst(later) }
    }
}

/// One task at work.
pub(crate) struct Task<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) lease: &'a Lease,
}

impl Task<'_> {
    /// Runs the task to its resolution.
    pub(crate) async fn run(&self) -> Next {
        let (worker, claim) = (self.worker, self.lease.claim());
        worker.log.info(format!("Going to run taskId {} runId {}!", claim.run.task_id, claim.run.run_id));
        let (artifacts, mut logs) = match self.open() {
            Ok(open) => open,
            Err(error) => {
                worker.log.critical(format!("The log of the task cannot be made: {error}"));
                self.resolve(Status::RESOURCE_UNAVAILABLE).await;
                return Next::GoOn;
            }
        };
        let mut end = self.attempt(&mut logs).await;
        let metrics = &worker.metrics;
        let made = end.made.take();
        let mut uploadable = metrics.time(Phase::Sign, self.pack(&artifacts, &logs, made)).await;
        if let Err((worse, why)) = uploadable {
            worker.log.critical(&why);
            logs.live.line(&why);
            end.status = end.worst(worse);
            // What there is, without a document, and with the reason in the log.
            uploadable = self.pack(&artifacts, &logs, None).await;
        }
        match (uploadable, expires(&claim.task)) {
            (Ok(snapshot), Some(expires)) => {
                let uploading = self.upload(&snapshot, &expires);
                end.status = end.worst(metrics.time(Phase::Upload, uploading).await);
            }
            (Err((worse, why)), _) => {
                worker.log.critical(&why);
                end.status = end.worst(worse);
            }
            (Ok(_), None) => worker.log.critical("Nothing is uploaded: the task says no time until which."),
        }
        metrics.time(Phase::Resolve, self.resolve(end.status)).await;
        end.next
    }

    /// The artifact directory and the logs in it. The directory stays open: a script that puts another one, or a
    /// link, in its place must not choose what the worker reads.
    fn open(&self) -> std::io::Result<(Arc<File>, TaskLogs)> {
        let directories = &self.worker.config.directories;
        let artifacts = Arc::new(File::open(&directories.artifacts)?);
        Ok((artifacts, TaskLogs::begin(directories, &self.worker.temporary)?))
    }

    /// Verifies and runs the task.
    async fn attempt(&self, logs: &mut TaskLogs) -> End {
        let task = match ClaimedTask::parse(self.lease.claim()) {
            Ok(task) => task,
            Err(why) => return self.refuse(&mut logs.live, Status::MALFORMED_PAYLOAD, &why),
        };
        let claim = self.lease.claim();
        let written = self.worker.config.directories.write_task(task.definition.value(), claim.run);
        if let Err(error) = written {
            return self.refuse(&mut logs.live, Status::RESOURCE_UNAVAILABLE, &error.to_string());
        }
        let verifying = self.worker.metrics.time(Phase::Verify, self.verify(&task, logs));
        let permission = match verifying.await {
            Ok(permission) => permission,
            Err(refusal) => match self.overrule(&task, refusal, &mut logs.live).await {
                Ok(permission) => permission,
                Err(refusal) => return self.refused(&mut logs.live, &refusal),
            },
        };
        // The claim may have been lost, or the task cancelled, while its chain was verified.
        if let Err(error) = self.lease.renew().await {
            let status = match error {
                QueueError::Conflict(_) => Status::FAILURE,
                _ => Status::INTERMITTENT_TASK,
            };
            return self.refuse(
                &mut logs.live,
                status,
                &format!("The claim could not be confirmed before the start: {error}"),
            );
        }
        if let Some(why) = self.lease.stopped() {
            return self.stop(&mut logs.live, why);
        }
        self.run_script(task, permission, &mut logs.live).await
    }

    fn refuse(&self, live: &mut LiveLog, status: Status, why: &str) -> End {
        self.worker.log.critical(why);
        live.line("The task was not run:");
        why.lines().for_each(|line| live.line(line));
        End::early(status)
    }

    fn stop(&self, live: &mut LiveLog, why: Stop) -> End {
        match why {
            Stop::Shutdown => self.refuse(live, Status::WORKER_SHUTDOWN, "The worker is shutting down."),
            Stop::ClaimLost => self.refuse(
                live,
                Status::FAILURE,
                "The claim is lost: the task was cancelled, or is run elsewhere.",
            ),
        }
    }

    /// Asks the gate. Where nothing is verified, there is no log of a verification.
    async fn verify(&self, task: &ClaimedTask, logs: &mut TaskLogs) -> Result<Permission, Refusal> {
        if !self.worker.gate.verifies() {
            let answer = self.ask(task).await;
            self.worker.metrics.verdict(None, "off");
            return answer;
        }
        let (log, folder) = (&self.worker.log, &self.worker.config.directories.task_logs);
        if let Err(error) = log.begin_chain(folder) {
            return Err(Refusal::new(Status::RESOURCE_UNAVAILABLE, format!("{}: {error}", folder.display())));
        }
        log.info(format!("Running catena version {}", env!("CARGO_PKG_VERSION")));
        let answer = self.ask(task).await;
        match &answer {
            Ok(_) => log.info("Good."),
            Err(refusal) => {
                log.critical("Chain of Trust verification error!");
                log.critical(&refusal.report);
            }
        }
        logs.keep(CHAIN_FILE, log.end_chain());
        let verdict = match &answer {
            Ok(permission) => permission.verdict(),
            Err(refusal) => refusal.verdict.as_deref(),
        };
        self.worker.metrics.verdict(verdict, "missing");
        if let Some(verdict) = verdict {
            let text = catena_report::json(verdict);
            if let Err(error) = std::fs::write(folder.join(VERDICT_FILE), &text) {
                log.warning(format!("The verdict cannot be kept: {error}"));
            }
            logs.keep(VERDICT_FILE, text.into_bytes());
        }
        answer
    }

    async fn ask(&self, task: &ClaimedTask) -> Result<Permission, Refusal> {
        let mut stop = self.lease.subscribe();
        let cancellation = CancellationToken::new();
        // From another thread: the verification may be at work on this one for a while.
        let (mut stopped, cancel) = (stop.clone(), cancellation.clone());
        let watching = tokio::spawn(async move {
            if stopped.wait_for(Option::is_some).await.is_ok() {
                cancel.cancel();
            }
        });
        let request = self.request(task, cancellation);
        let answer = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => {
                Err(Refusal::new(Status::INTERMITTENT_TASK, "The verification was cancelled."))
            }
            answer = self.worker.gate.admit(request) => answer,
        };
        watching.abort();
        answer
    }

    /// What the gate needs to know of the task.
    pub(crate) fn request<'t>(
        &'t self,
        task: &'t ClaimedTask,
        cancellation: CancellationToken,
    ) -> Request<'t> {
        Request {
            task_id: self.lease.claim().run.task_id,
            task: task.definition.value(),
            work_dir: &self.worker.config.directories.work,
            limit: VERIFICATION_LIMIT,
            cancellation,
        }
    }

    fn refused(&self, live: &mut LiveLog, refusal: &Refusal) -> End {
        if let Some(why) = self.lease.stopped() {
            return self.stop(live, why);
        }
        let mut end = self.refuse(live, refusal.status, &refusal.report);
        if refusal.is_misconfigured {
            end.next = Next::Misconfigured;
        }
        end
    }

    /// Runs the script of a task that may run.
    async fn run_script(&self, task: ClaimedTask, permission: Permission, live: &mut LiveLog) -> End {
        let (worker, claim) = (self.worker, self.lease.claim());
        let descriptor = match self.lease.open_descriptor(&worker.temporary) {
            Ok(descriptor) => descriptor,
            Err(error) => {
                let why = format!("{}: {error}", worker.temporary.display());
                return self.refuse(live, Status::RESOURCE_UNAVAILABLE, &why);
            }
        };
        let limit = worker.config.task_max_timeout.min(task.max_run_time.unwrap_or(Duration::MAX));
        let variables = [
            ("TASK_ID", claim.run.task_id.to_string()),
            ("RUN_ID", claim.run.run_id.to_string()),
            ("TASKCLUSTER_ROOT_URL", worker.config.root_url_text.clone()),
            ("TASKCLUSTER_CREDENTIALS_FD", descriptor.number().to_string()),
        ];
        let script = Script {
            words: &worker.config.script,
            variables: &variables,
            descriptor: Some(&descriptor),
            limit,
        };
        let mut write = |line: &str| {
            // A flood must not fill the disk through the worker's log either.
            if live.script_line(line) {
                worker.log.info(line);
            }
        };
        let mut stop = self.lease.subscribe();
        let running = worker.launcher.run(&script, &mut stop, &mut write);
        let ended = worker.metrics.time(Phase::Run, running).await;
        let mut tell = |line: String| {
            worker.log.info(&line);
            live.line(&line);
        };
        let mut next = Next::GoOn;
        if ended.as_ref().is_ok_and(|ran| !ran.is_swept) {
            tell("Processes that the script started could not be ended.".to_owned());
            next = Next::Unclean;
        }
        let is_final = matches!(ended, Ok(Ran { ended: Ended::Stopped(_), .. }));
        let (status, is_done) = match ended.map(|ran| ran.ended) {
            Ok(Ended::Exited(code)) => {
                tell(format!("exit code: {code}"));
                (Status::of_exit(code), true)
            }
            Ok(Ended::Signaled(signal)) => {
                tell(format!("Automation Error: python exited with signal -{signal}"));
                (Status::FAILURE, true)
            }
            Ok(Ended::TimedOut) => {
                tell(format!("Exceeded max run time of {} seconds", limit.as_secs()));
                (Status::of_exit(worker.config.timeout_status), false)
            }
            Ok(Ended::Stopped(Stop::Shutdown)) => {
                tell("The worker is shutting down; the script was stopped.".to_owned());
                (Status::WORKER_SHUTDOWN, false)
            }
            Ok(Ended::Stopped(Stop::ClaimLost)) => {
                tell("The claim is lost; the script was stopped.".to_owned());
                (Status::FAILURE, false)
            }
            Err(error) => {
                tell(format!("The script was not started: {error}"));
                if matches!(error, StartError::Refused(_)) {
                    next = Next::Misconfigured;
                }
                (Status::INTERNAL_ERROR, false)
            }
        };
        End { status, next, made: is_done.then_some((task, permission)), is_final }
    }

    /// Copies what is to be uploaded: what the script left, and the worker's logs. With `made`, its document and
    /// the signature are added, and anything that cannot be an artifact is an error.
    async fn pack(
        &self,
        artifacts: &Arc<File>,
        logs: &TaskLogs,
        made: Option<(ClaimedTask, Permission)>,
    ) -> Result<Snapshot, (Status, String)> {
        let (directory, scratch) = (Arc::clone(artifacts), self.worker.temporary.clone());
        let key = self.worker.config.private_key.clone();
        let signed = made.map(|(task, permission)| self.signing(task, &permission)).transpose()?;
        let uncopied = |error: SnapshotError| {
            (Status::RESOURCE_UNAVAILABLE, format!("The artifacts cannot be copied: {error}"))
        };
        let logs = logs.own().map_err(|error| uncopied(SnapshotError::Scratch(error)))?;
        let pack = move || {
            // Looked for now: a script cannot have moved it.
            let key = key.and_then(|key| rustix::fs::stat(&key).ok());
            let secret = key.map(|key| (key.st_dev, key.st_ino));
            let mut limits = SnapshotLimits { secret, ..SnapshotLimits::default() };
            limits.reserved.extend(logs.reserved.iter().cloned());
            let copy = || {
                let root = directory.try_clone().map_err(SnapshotError::Directory)?;
                let mut snapshot = Snapshot::take_from(root.into(), &scratch, &limits)?;
                logs.add_to(&mut snapshot)?;
                Ok(snapshot)
            };
            let mut snapshot = copy().map_err(uncopied)?;
            if let Some(signing) = signed {
                signing.sign(&mut snapshot, &directory, Timestamp::now())?;
            }
            Ok(snapshot)
        };
        match tokio::task::spawn_blocking(pack).await {
            Ok(packed) => packed,
            Err(error) => Err((Status::INTERNAL_ERROR, error.to_string())),
        }
    }

    /// What it takes to sign what a task made, by whose permission it ran.
    fn signing(&self, task: ClaimedTask, permission: &Permission) -> Result<Signing, (Status, String)> {
        let (claim, identity) = (self.lease.claim(), &self.worker.config.identity);
        if permission.task_id() != claim.run.task_id {
            return Err((Status::INTERNAL_ERROR, "The permission is for another task.".to_owned()));
        }
        let run = Run {
            task_id: claim.run.task_id.to_string(),
            run_id: claim.run.run_id.0,
            worker_group: claim.worker_group.clone(),
            worker_id: identity.worker_id.clone(),
            worker_type: identity.worker_type.clone(),
        };
        let environment = permission.overruled().map_or_else(Environment::default, |overruled| {
            Environment::default().without_clearance(overruled.mode.as_str())
        });
        Ok(Signing {
            task: task.definition,
            run,
            environment,
            custody: self.knowledge(permission),
            signer: self.worker.signer.clone(),
            log: self.worker.log.clone(),
            limits: catena_model::Limits::default().json(),
        })
    }

    /// What is recorded beside the artifacts. A document without a record is valid too, so that a task never
    /// fails because of it.
    fn knowledge(&self, permission: &Permission) -> Option<Knowledge> {
        let worker = self.worker.config.custody.clone()?;
        let told = |error| self.worker.log.warning(format!("The document has no record of custody: {error}"));
        Knowledge::of(worker, permission).map_err(told).ok()
    }

    async fn upload(&self, snapshot: &Snapshot, expires: &Expiry) -> Status {
        match self.worker.queue.upload(self.lease, snapshot, expires).await {
            Ok(()) => {
                let bytes = snapshot.measured().values().map(|one| one.size).sum();
                self.worker.metrics.add(&UPLOADED, &[], bytes);
                Status::SUCCESS
            }
            Err(failure) => {
                self.worker.log.critical(format!("The artifacts could not be uploaded:\n{failure}"));
                failure.status
            }
        }
    }

    /// Tells the queue how the task ended, until it listens or the claim has ended.
    async fn resolve(&self, status: Status) {
        let (worker, claim) = (self.worker, self.lease.claim());
        let resolution = status.resolution(&worker.config.reversed_statuses);
        let (word, how) = match resolution {
            Resolution::Completed => ("completed", "completed".to_owned()),
            Resolution::Failed => ("failed", "failed".to_owned()),
            Resolution::Exception(reason) => (reason.as_str(), format!("exception {}", reason.as_str())),
        };
        worker.metrics.add(&TASKS, &[("resolution", word)], 1);
        worker.log.info(format!("Reporting {}: {how}", claim.run));
        loop {
            let credentials = self.lease.credentials();
            match worker.queue.resolve(claim, &credentials, resolution).await {
                Ok(()) => return,
                Err(QueueError::Conflict(why)) => {
                    return worker.log.warning(format!("409: not reporting {how}: {why}"));
                }
                Err(error @ QueueError::Refused(_)) => {
                    return worker.log.critical(format!("The task stays unresolved: {error}"));
                }
                Err(error) => {
                    worker.log.warning(format!("Reporting failed: {error}"));
                    if self.lease.remaining().is_zero() {
                        return worker.log.critical("The claim has ended; the task stays unresolved.");
                    }
                    sleep(REPORT_PAUSE).await;
                }
            }
        }
    }
}

/// When the artifacts of a task expire, as far as its definition can be read at all.
fn expires(task: &[u8]) -> Option<Expiry> {
    let value = catena_json::parse(task, &catena_json::Limits::default()).ok()?;
    Expiry::parse(value.get("expires")?.as_str()?).ok()
}
