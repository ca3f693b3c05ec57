//! The life of tasks: a worker with a queue that plays a story. The program of these tests is also the launcher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_http::Secret;
use catena_keys::{Signature, SigningKey};
use catena_model::task::{RunId, TaskId};
use catena_signing::{DOCUMENT, LocalSigner, SIGNATURE, Signer, measure};
use catena_taskcluster::{ExceptionReason as Reason, Expiry, Resolution, TaskRun, TaskclusterCredentials};
use catena_upload::Snapshot;
use catena_worker::config::Config;
use catena_worker::gate::{Gate, Open, Permission, Refusal, Request};
use catena_worker::lease::Lease;
use catena_worker::log::Log;
use catena_worker::queue::{Claim, Queue, QueueError, Renewed, UploadFailure};
use catena_worker::script::Launcher;
use catena_worker::status::Status;
use catena_worker::worker::{Exit, Order, Worker};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;

fn main() -> ExitCode {
    support::run(&[
        ("b019_the_log_directory_is_kept", log_directory_is_kept),
        ("b021_and_b022_no_task_and_errors_are_waited_out", errors_are_waited_out),
        ("b023_after_a_task_the_next_is_claimed_at_once", next_at_once),
        ("b024_two_tasks_run_in_order_and_both_claims_are_kept", two_tasks),
        ("b026_told_to_end_an_idle_worker_ends", idle_ends),
        ("b027_told_to_end_a_script_is_stopped", script_is_stopped),
        ("b028_told_to_end_a_verification_is_stopped", verification_is_stopped),
        ("b029_told_to_end_an_upload_is_finished", upload_is_finished),
        ("b031_drained_a_task_is_finished", drained),
        ("b036_a_path_that_leads_out_never_runs", path_leads_out),
        ("b037_a_malformed_time_never_runs", malformed_time),
        ("b043_and_b044_a_task_that_works", works),
        ("b044_exit_codes_become_resolutions", exit_codes),
        ("b046_a_crash_is_a_failure", crash),
        ("b047_too_long_is_a_failure_without_a_document", too_long),
        ("b048_the_workers_limit_counts_too", workers_limit),
        ("b054_claims_are_renewed", renewed),
        ("b055_a_lost_claim_stops_the_script", lost_in_script),
        ("b056_a_claim_lost_in_verification_never_runs", lost_in_verification),
        ("b056_a_claim_lost_just_before_the_start_never_runs", lost_before_start),
        ("b057_renewals_that_fail_are_tried_until_the_claim_ends", renewals_fail),
        ("b058_claims_are_renewed_while_artifacts_are_uploaded", renewed_in_upload),
        ("b059_a_rejected_chain_is_told_in_both_logs", rejected),
        ("b062_an_undetermined_chain_runs_another_time", undetermined),
        ("b063_a_good_chain_is_told_and_its_log_is_signed", good),
        ("b067_a_failed_script_is_signed_too", failed_is_signed),
        ("b069_without_signing_there_is_no_signature", unsigned),
        ("b072_a_document_of_the_script_counts_for_nothing", stale_document),
        ("b082_a_link_that_leads_out_is_not_signed", link_leads_out),
        ("b083_a_conflict_when_reporting_is_nothing", report_conflict),
        ("b084_reports_that_fail_are_tried_again", report_fails),
        ("b085_the_next_task_finds_nothing_of_the_last", clean_start),
        ("b086_the_worse_status_counts", worse_status),
        ("a_worker_whose_policy_is_at_fault_claims_nothing_more", misconfigured),
        ("a_mode_that_does_not_enforce_runs_a_refused_task", unenforced),
        ("a_mode_that_does_not_enforce_runs_no_malformed_task", unenforced_malformed),
    ])
}

/// What the queue was told.
#[derive(Clone, Debug, PartialEq)]
enum Event {
    Claimed,
    Renewed(String),
    Uploaded(BTreeMap<String, Vec<u8>>),
    Resolved(String, Resolution),
}

type Claims = Result<Vec<Claim>, QueueError>;

/// A queue that answers what it was told to, and after that has no task.
#[derive(Default)]
struct Story {
    claims: Mutex<VecDeque<Claims>>,
    renewals: Mutex<VecDeque<Result<(), QueueError>>>,
    reports: Mutex<VecDeque<Result<(), QueueError>>>,
    artifacts: PathBuf,
    upload: Option<UploadFailure>,
    upload_takes: Duration,
    taken_for: Duration,
    events: Mutex<Vec<(Instant, Event)>>,
}

impl Story {
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push((Instant::now(), event));
    }

    fn taken_until(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::try_from(self.taken_for).unwrap()
    }
}

fn credentials(client: &str) -> TaskclusterCredentials {
    TaskclusterCredentials::new(client.to_owned(), Secret::new("t".to_owned()), None).unwrap()
}

impl Queue for Story {
    fn claim(&self) -> BoxFuture<'_, Claims> {
        Box::pin(async {
            self.note(Event::Claimed);
            let next = self.claims.lock().unwrap().pop_front();
            match next {
                Some(Ok(mut claims)) => {
                    claims.iter_mut().for_each(|claim| claim.taken_until = self.taken_until());
                    Ok(claims)
                }
                Some(other) => other,
                None => {
                    tokio::time::sleep(Duration::from_secs(20)).await;
                    Ok(Vec::new())
                }
            }
        })
    }

    fn reclaim<'a>(
        &'a self,
        claim: &'a Claim,
        _: &'a TaskclusterCredentials,
    ) -> BoxFuture<'a, Result<Renewed, QueueError>> {
        Box::pin(async {
            self.note(Event::Renewed(claim.run.task_id.to_string()));
            let next = self.renewals.lock().unwrap().pop_front();
            next.unwrap_or(Ok(()))?;
            Ok(Renewed { taken_until: self.taken_until(), credentials: credentials("renewed") })
        })
    }

    fn resolve<'a>(
        &'a self,
        claim: &'a Claim,
        _: &'a TaskclusterCredentials,
        resolution: Resolution,
    ) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            self.note(Event::Resolved(claim.run.task_id.to_string(), resolution));
            let next = self.reports.lock().unwrap().pop_front();
            next.unwrap_or(Ok(()))
        })
    }

    fn upload<'a>(
        &'a self,
        _: &'a Lease,
        snapshot: &'a Snapshot,
        _: &'a Expiry,
    ) -> BoxFuture<'a, Result<(), UploadFailure>> {
        Box::pin(async move {
            let mut left = BTreeMap::new();
            gather(&self.artifacts, &self.artifacts, &mut left);
            // What is uploaded, whose bytes are still there.
            let files = snapshot.measured().into_keys().map(|name| {
                let bytes = left.remove(&name).unwrap_or_else(|| panic!("{name} is only in the snapshot"));
                (name, bytes)
            });
            let files = files.collect();
            tokio::time::sleep(self.upload_takes).await;
            self.note(Event::Uploaded(files));
            self.upload.clone().map_or(Ok(()), Err)
        })
    }
}

fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
            continue;
        } else if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// A gate that takes its time, and may refuse.
#[derive(Default)]
struct Guard {
    takes: Duration,
    refuses: Option<(Status, bool)>,
}

impl Gate for Guard {
    fn admit<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Permission, Refusal>> {
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            match self.refuses {
                None => Open.admit(request).await,
                Some((status, is_misconfigured)) => {
                    Err(Refusal { is_misconfigured, ..Refusal::new(status, "REJECTED\nbecause of this") })
                }
            }
        })
    }
}

const ONE: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
const TWO: &str = "MrP01xxxQACAAAAAAAAAAA";

fn definition() -> Value {
    json!({
        "provisionerId": "scriptworker-k8s", "workerType": "gecko-3-signing", "schedulerId": "gecko-level-3",
        "taskQueueId": "scriptworker-k8s/gecko-3-signing", "taskGroupId": TWO, "dependencies": [TWO],
        "requires": "all-completed", "routes": [], "priority": "low", "retries": 5,
        "created": "2026-08-12T09:30:12.300Z", "deadline": "2026-08-13T09:30:12.345Z",
        "expires": "2027-08-12T11:30:12.345Z", "scopes": [], "payload": {"maxRunTime": 20},
        "metadata": {"name": "n", "owner": "o@x", "source": "https://s", "description": "d"}, "tags": {}, "extra": {}
    })
}

fn claim_of(task_id: &str, task: &Value) -> Claim {
    Claim {
        run: TaskRun { task_id: TaskId::parse(task_id).unwrap(), run_id: RunId(1) },
        worker_group: "group-of-the-claim".into(),
        taken_until: Timestamp::now(),
        task: task.to_string().into_bytes(),
        credentials: credentials("claimed"),
    }
}

fn claim() -> Claim {
    claim_of(ONE, &definition())
}

struct Case {
    folder: TempDir,
    story: Story,
    guard: Guard,
    script: String,
    more: String,
    signs: bool,
}

/// What was seen of one story.
struct Seen {
    events: Vec<(Instant, Event)>,
    exit: Exit,
    took: Duration,
    folder: TempDir,
}

impl Case {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("artifacts");
        let story = Story { taken_for: Duration::from_secs(1200), artifacts, ..Story::default() };
        story.claims.lock().unwrap().push_back(Ok(vec![claim()]));
        Self {
            folder,
            story,
            guard: Guard::default(),
            script: script.to_owned(),
            more: String::new(),
            signs: true,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> Config {
        let root = self.folder.path().display();
        let text = format!(
            "work_dir: {root}/work\nlog_dir: {root}/logs\nartifact_dir: {root}/artifacts\n\
             task_log_dir: {root}/artifacts/public/logs\ned25519_private_key_path: {root}/key\n\
             credentials: {{clientId: me, accessToken: t}}\nverbose: false\npoll_interval: 1\n\
             worker_id: the-worker\nworker_type: the-type\nsign_chain_of_trust: {}\n{}\n",
            self.signs, self.more
        );
        let text = text + "task_script: " + &json!(["/bin/bash", "-c", self.script]).to_string() + "\n";
        let checked = Config::read(Path::new("x.yaml"), text.as_bytes(), &[], &|_| None);
        checked.config.unwrap_or_else(|| panic!("{:?}", checked.problems))
    }

    /// Runs until `order` is given, which is when `until` says so.
    fn told(self, order: Order, until: impl Fn(&[(Instant, Event)]) -> bool) -> Seen {
        let Self { signs, .. } = self;
        let config = self.config();
        let log = Log::open(&config.directories.logs, config.log.clone()).unwrap();
        let signer = signs.then(|| Arc::new(LocalSigner::new(key())) as Arc<dyn Signer + Send + Sync>);
        let story = Arc::new(self.story);
        let launcher = Launcher {
            program: std::env::current_exe().unwrap(),
            hide: None,
            grace: Duration::from_millis(200),
            inherit_stdin: false,
        };
        let (queue, gate) = (story.clone(), Arc::new(self.guard));
        let (metrics, temporary) = (Arc::default(), std::env::temp_dir());
        let worker = Worker { config, queue, gate, launcher, signer, log, metrics, temporary };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let orders = watch::Sender::new(Order::Work);
        let begun = Instant::now();
        let (exit, took) = runtime.block_on(async {
            let telling = async {
                while !until(&story.events.lock().unwrap()) {
                    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", story.events.lock().unwrap());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let told = Instant::now();
                orders.send_replace(order);
                std::future::pending::<()>().await;
                told
            };
            let told = Mutex::new(None);
            let receiver = orders.subscribe();
            let mut watching = orders.subscribe();
            let noting = async {
                let _ = watching.wait_for(|order| *order != Order::Work).await;
                *told.lock().unwrap() = Some(Instant::now());
                std::future::pending::<()>().await;
            };
            let exit = tokio::select! {
                exit = worker.run(receiver) => exit,
                _ = telling => unreachable!(),
                () = noting => unreachable!(),
            };
            let told = told.lock().unwrap().unwrap_or(begun);
            (exit, told.elapsed())
        });
        let events = story.events.lock().unwrap().clone();
        Seen { events, exit, took, folder: self.folder }
    }

    /// Runs until the first task is resolved.
    fn run(self) -> Seen {
        self.told(Order::Drain, |events| resolved(events) >= 1)
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn resolved(events: &[(Instant, Event)]) -> usize {
    events.iter().filter(|(_, event)| matches!(event, Event::Resolved(..))).count()
}

impl Seen {
    fn resolutions(&self) -> Vec<Resolution> {
        let told = self.events.iter().filter_map(|(_, event)| match event {
            Event::Resolved(_, resolution) => Some(*resolution),
            _ => None,
        });
        told.collect()
    }

    fn uploaded(&self) -> &BTreeMap<String, Vec<u8>> {
        let found = self.events.iter().find_map(|(_, event)| match event {
            Event::Uploaded(files) => Some(files),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{:?}", self.events))
    }

    fn file(&self, name: &str) -> String {
        let bytes =
            self.uploaded().get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.uploaded().keys()));
        String::from_utf8(bytes.clone()).unwrap()
    }

    fn live(&self) -> String {
        self.file("public/logs/live_backing.log")
    }

    fn has(&self, name: &str) -> bool {
        self.uploaded().contains_key(name)
    }

    /// The document that was uploaded; its signature and the digests in it are right.
    fn document(&self) -> Value {
        let text = self.file(DOCUMENT);
        let signature = Signature::parse(&self.uploaded()[SIGNATURE]).unwrap();
        assert!(key().public_key().verify(text.as_bytes(), &signature));
        let document: Value = serde_json::from_str(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in self.uploaded() {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
        let measured = measure(folder.path()).unwrap();
        let listed = document["artifacts"].as_object().unwrap();
        assert_eq!(listed.len(), measured.len());
        for (name, found) in measured {
            let digest: String = found.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(listed[&name]["sha256"], digest, "{name}");
        }
        document
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("logs/worker.log")).unwrap()
    }
}

fn exception(reason: Reason) -> Vec<Resolution> {
    vec![Resolution::Exception(reason)]
}

fn log_directory_is_kept() {
    let case = Case::new("true");
    std::fs::create_dir_all(case.path("logs")).unwrap();
    std::fs::write(case.path("logs/kept"), "").unwrap();
    let seen = case.run();
    assert!(seen.folder.path().join("logs/kept").exists());
    assert_eq!(seen.exit, Exit::Told);
}

fn errors_are_waited_out() {
    let case = Case::new("true");
    {
        let mut claims = case.story.claims.lock().unwrap();
        claims.push_front(Ok(Vec::new()));
        claims.push_front(Err(QueueError::Unavailable("500".into())));
        claims.push_front(Err(QueueError::Refused("401".into())));
    }
    let seen = case.run();
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    let claimed: Vec<Instant> =
        seen.events.iter().filter(|(_, event)| *event == Event::Claimed).map(|(at, _)| *at).collect();
    for pair in claimed[..4].windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= Duration::from_millis(990) && pause < Duration::from_secs(3), "{pause:?}");
    }
    assert!(seen.log().contains("WARNING - claimWork failed: the queue refuses: 401"), "{}", seen.log());
}

fn next_at_once() {
    let case = Case::new("true");
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    let at = |wanted: &dyn Fn(&Event) -> bool| {
        seen.events.iter().filter(|(_, event)| wanted(event)).map(|(at, _)| *at).collect::<Vec<_>>()
    };
    let claimed = at(&|event| *event == Event::Claimed);
    let resolved = at(&|event| matches!(event, Event::Resolved(..)));
    assert!(claimed[1] - resolved[0] < Duration::from_millis(500));
}

fn two_tasks() {
    let case = Case::new("sleep 1.5");
    let both = vec![claim(), claim_of(TWO, &definition())];
    *case.story.claims.lock().unwrap() = [Ok(both)].into();
    let case = Case { more: "reclaim_interval: 1".into(), ..case };
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    let ended: Vec<&str> = seen
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Resolved(id, _) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [ONE, TWO]);
    let first_end = seen.events.iter().find(|(_, event)| matches!(event, Event::Resolved(..))).unwrap().0;
    assert!(seen.events.iter().any(|(at, event)| *event == Event::Renewed(TWO.into()) && *at < first_end));
}

fn idle_ends() {
    for order in [Order::ShutDown, Order::Drain] {
        let case = Case::new("true");
        case.story.claims.lock().unwrap().clear();
        let seen = case.told(order, |events| !events.is_empty());
        assert!(seen.took < Duration::from_secs(3), "{:?}", seen.took);
        assert_eq!(seen.exit, Exit::Told);
    }
}

/// A file that the script makes when it has begun.
fn begun(case: &Case) -> impl Fn(&[(Instant, Event)]) -> bool + use<> {
    let file = case.path("begun");
    move |_| file.exists()
}

fn beginning(script: &str) -> Case {
    let mut case = Case::new("");
    case.script = format!("touch {}; {script}", case.path("begun").display());
    case
}

fn script_is_stopped() {
    let case = beginning("trap 'echo told; sleep 0.05; exit 0' TERM; while true; do sleep 0.05; done");
    let until = begun(&case);
    let seen = case.told(Order::ShutDown, until);
    assert_eq!(seen.resolutions(), exception(Reason::WorkerShutdown));
    assert!(!seen.has(DOCUMENT), "b068: a script that was stopped is not signed");
    assert!(seen.live().contains("shutting down"), "{}", seen.live());
    assert!(seen.took < Duration::from_secs(5), "{:?}", seen.took);
}

fn verification_is_stopped() {
    let case = beginning("true");
    let case = Case { guard: Guard { takes: Duration::from_secs(50), refuses: None }, ..case };
    let began = case.path("begun");
    let seen = case.told(Order::ShutDown, {
        let started = Instant::now();
        move |events| !events.is_empty() && started.elapsed() > Duration::from_millis(500)
    });
    assert_eq!(seen.resolutions(), exception(Reason::WorkerShutdown));
    assert!(!began.exists() && seen.took < Duration::from_secs(5));
    assert!(seen.live().starts_with("The task was not run:\n"), "{}", seen.live());
}

fn upload_is_finished() {
    let mut case = beginning("true");
    case.story.upload_takes = Duration::from_secs(2);
    let logs = case.path(&format!("artifacts/{DOCUMENT}.sig"));
    let seen = case.told(Order::ShutDown, move |_| logs.exists());
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    seen.document();
}

fn drained() {
    let case = beginning("sleep 1");
    let until = begun(&case);
    let seen = case.told(Order::Drain, until);
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    seen.document();
    let claimed = seen.events.iter().filter(|(_, event)| *event == Event::Claimed);
    assert_eq!(claimed.count(), 1);
}

/// A task that never runs, with what its log says.
fn never_runs(change: impl Fn(&mut Value)) -> String {
    let case = beginning("true");
    let mut task = definition();
    change(&mut task);
    *case.story.claims.lock().unwrap() = [Ok(vec![claim_of(ONE, &task)])].into();
    let began = case.path("begun");
    let seen = case.run();
    assert_eq!(seen.resolutions(), exception(Reason::MalformedPayload));
    assert!(!began.exists() && !seen.has(DOCUMENT));
    seen.live()
}

fn path_leads_out() {
    let told = never_runs(|task| {
        task["payload"]["upstreamArtifacts"] =
            json!([{"taskId": TWO, "taskType": "build", "paths": ["../x"]}]);
    });
    assert!(told.contains("leads out"), "{told}");
}

fn malformed_time() {
    let told = never_runs(|task| task["payload"]["maxRunTime"] = json!("60"));
    assert!(told.contains("maxRunTime"), "{told}");
    let told = never_runs(|task| task["payload"] = json!(1));
    assert!(told.contains("payload"), "{told}");
    let told = never_runs(|task| drop(task.as_object_mut().unwrap().remove("metadata")));
    assert!(told.contains("metadata"), "{told}");
}

fn works() {
    let script = "set -e; cd $ROOT; cat work/task.json > artifacts/public/task.json; cp work/current_task_info.json artifacts/public/run.json; \
                  echo $TASK_ID $RUN_ID $TASKCLUSTER_ROOT_URL; echo oops >&2; \
                  python3 -c 'import os,json; print(json.loads(os.pread(int(os.environ[\"TASKCLUSTER_CREDENTIALS_FD\"]),9999,0))[\"clientId\"])'";
    let mut case = Case::new("");
    case.script = script.replace("$ROOT", case.folder.path().to_str().unwrap());
    let seen = case.run();
    let live = seen.live();
    assert_eq!(seen.resolutions(), [Resolution::Completed], "{live}");
    assert!(live.contains(&format!("{ONE} 1 https://firefox-ci-tc.services.mozilla.com/\n")), "{live}");
    assert!(
        live.contains("renewed\n") && live.contains("oops\n") && live.ends_with("exit code: 0\n"),
        "{live}"
    );
    let read: Value = serde_json::from_str(&seen.file("public/task.json")).unwrap();
    assert_eq!(read, definition());
    let document = seen.document();
    assert_eq!(
        (&document["task"], &document["runId"], &document["taskId"]),
        (&definition(), &json!(1), &json!(ONE))
    );
    let worker = ["workerGroup", "workerId", "workerType"].map(|key| document[key].as_str().unwrap());
    assert_eq!(worker, ["group-of-the-claim", "the-worker", "the-type"]);
    assert!(document["artifacts"].get("public/logs/live_backing.log").is_some());
}

fn exit_codes() {
    for (code, expected) in [
        (1, Resolution::Failed),
        (3, Resolution::Exception(Reason::MalformedPayload)),
        (7, Resolution::Exception(Reason::IntermittentTask)),
        (245, Resolution::Exception(Reason::IntermittentTask)),
    ] {
        let seen = Case::new(&format!("exit {code}")).run();
        assert_eq!(seen.resolutions(), [expected], "{code}");
        assert!(seen.live().ends_with(&format!("exit code: {code}\n")), "b049: {}", seen.live());
    }
}

fn crash() {
    let seen = Case::new("kill -SEGV $$").run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(seen.live().ends_with("Automation Error: python exited with signal -11\n"), "{}", seen.live());
    seen.document();
}

fn too_long() {
    let case = Case::new("echo begun; sleep 60");
    let mut task = definition();
    task["payload"]["maxRunTime"] = json!(1);
    *case.story.claims.lock().unwrap() = [Ok(vec![claim_of(ONE, &task)])].into();
    let seen = Case { more: "task_max_timeout_status: 7".into(), ..case }.run();
    assert_eq!(seen.resolutions(), exception(Reason::IntermittentTask));
    assert!(seen.live().ends_with("Exceeded max run time of 1 seconds\n"), "{}", seen.live());
    assert!(!seen.has(DOCUMENT));
}

fn workers_limit() {
    let seen = Case { more: "task_max_timeout: 1".into(), ..Case::new("sleep 60") }.run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(seen.live().contains("Exceeded max run time of 1 seconds"), "{}", seen.live());
}

fn renewals(seen: &Seen) -> usize {
    seen.events.iter().filter(|(_, event)| matches!(event, Event::Renewed(_))).count()
}

fn renewed() {
    let seen = Case { more: "reclaim_interval: 1".into(), ..Case::new("sleep 2.6") }.run();
    // Before the start, and each second.
    assert_eq!(renewals(&seen), 3);
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
}

fn conflict() -> Result<(), QueueError> {
    Err(QueueError::Conflict("409".into()))
}

fn lost_in_script() {
    let mut case = beginning("sleep 60; touch never");
    case.more = "reclaim_interval: 1".into();
    *case.story.renewals.lock().unwrap() = [Ok(()), conflict()].into();
    *case.story.reports.lock().unwrap() = [conflict()].into();
    let seen = case.run();
    assert!(seen.live().contains("claim is lost"), "{}", seen.live());
    assert!(!seen.has(DOCUMENT));
    assert_eq!(seen.resolutions().len(), 1, "reported once, and a conflict is nothing");
}

fn lost_in_verification() {
    let mut case = beginning("true");
    case.more = "reclaim_interval: 1".into();
    case.guard.takes = Duration::from_secs(30);
    *case.story.renewals.lock().unwrap() = [conflict()].into();
    let began = case.path("begun");
    let seen = case.run();
    assert!(!began.exists() && !seen.has(DOCUMENT));
    assert!(seen.live().contains("claim is lost"), "{}", seen.live());
}

fn lost_before_start() {
    let case = beginning("true");
    *case.story.renewals.lock().unwrap() = [conflict()].into();
    let began = case.path("begun");
    let seen = case.run();
    assert!(!began.exists() && !seen.has(DOCUMENT));
}

fn renewals_fail() {
    let unavailable = || Err(QueueError::Unavailable("500".into()));
    // They come back: the task goes on.
    let mut case = Case::new("sleep 3");
    case.more = "reclaim_interval: 1".into();
    *case.story.renewals.lock().unwrap() = [Ok(()), unavailable(), unavailable()].into();
    assert_eq!(case.run().resolutions(), [Resolution::Completed]);
    // They do not: the task ends with its claim.
    let mut case = Case::new("sleep 60");
    case.more = "reclaim_interval: 1".into();
    case.story.taken_for = Duration::from_secs(3);
    let failures = (0..60).map(|_| unavailable());
    *case.story.renewals.lock().unwrap() = [Ok(())].into_iter().chain(failures).collect();
    let seen = case.run();
    assert!(seen.live().contains("claim is lost") && renewals(&seen) >= 3, "{}", seen.live());
}

fn renewed_in_upload() {
    let mut case = Case::new("true");
    case.more = "reclaim_interval: 1".into();
    case.story.upload_takes = Duration::from_millis(2500);
    let seen = case.run();
    assert_eq!((seen.resolutions(), renewals(&seen)), (vec![Resolution::Completed], 3));
}

fn rejected() {
    let mut case = beginning("true");
    case.guard.refuses = Some((Status::MALFORMED_PAYLOAD, false));
    let began = case.path("begun");
    let seen = case.run();
    assert_eq!(seen.resolutions(), exception(Reason::MalformedPayload));
    assert!(!began.exists() && !seen.has(DOCUMENT));
    assert_eq!(seen.live(), "The task was not run:\nREJECTED\nbecause of this\n");
    let chain = seen.file("public/logs/chain_of_trust.log");
    let lines: Vec<&str> = chain.lines().collect();
    assert!(lines[0].contains("    INFO - Running catena version"), "{chain}");
    assert!(lines[1].ends_with("CRITICAL - Chain of Trust verification error!"), "{chain}");
    assert!(
        lines[2].ends_with("REJECTED") && lines[3].ends_with("because of this") && lines.len() == 4,
        "{chain}"
    );
}

fn undetermined() {
    let mut case = Case::new("true");
    case.guard.refuses = Some((Status::INTERMITTENT_TASK, false));
    assert_eq!(case.run().resolutions(), exception(Reason::IntermittentTask));
}

fn good() {
    let seen = Case::new("true").run();
    let chain = seen.file("public/logs/chain_of_trust.log");
    assert!(chain.ends_with("INFO - Good.\n"), "{chain}");
    assert!(seen.document()["artifacts"].get("public/logs/chain_of_trust.log").is_some());
}

fn failed_is_signed() {
    let seen = Case::new("exit 1").run();
    seen.document();
}

fn unsigned() {
    let mut case = Case::new("true");
    case.signs = false;
    let seen = case.run();
    assert!(seen.has(DOCUMENT) && !seen.has(SIGNATURE));
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
}

fn stale_document() {
    let leave = "mkdir -p $A/public; echo '{}' > $A/public/chain-of-trust.json; echo x > $A/public/chain-of-trust.json.sig";
    for (end, is_signed) in [("true", true), ("sleep 60", false)] {
        let mut case = Case::new("");
        let artifacts = case.path("artifacts").display().to_string();
        case.script = format!("A={artifacts}; {leave}; {end}");
        case.more = "task_max_timeout: 1".into();
        let seen = case.run();
        assert_eq!((seen.has(DOCUMENT), seen.has(SIGNATURE)), (is_signed, is_signed));
        if is_signed {
            let document = seen.document();
            assert!(document["artifacts"].get(DOCUMENT).is_none());
        }
    }
}

fn link_leads_out() {
    let mut case = Case::new("");
    case.script = format!("ln -s /etc/passwd {}/x.txt", case.path("artifacts").display());
    let seen = case.run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(!seen.has(DOCUMENT) && seen.live().contains("x.txt"), "{}", seen.live());
}

fn report_conflict() {
    let case = Case::new("true");
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    *case.story.reports.lock().unwrap() = [conflict()].into();
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert!(seen.log().contains("409: not reporting completed"), "{}", seen.log());
}

fn report_fails() {
    let case = Case::new("true");
    *case.story.reports.lock().unwrap() = [Err(QueueError::Unavailable("500".into()))].into();
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert_eq!(seen.resolutions(), [Resolution::Completed, Resolution::Completed]);
    // A refusal is final, and the worker lives.
    let case = Case::new("true");
    *case.story.reports.lock().unwrap() = [Err(QueueError::Refused("403".into()))].into();
    assert_eq!(case.run().exit, Exit::Told);
}

fn clean_start() {
    let mut case = Case::new("");
    let root = case.folder.path().display().to_string();
    case.script = format!(
        "set -e; test ! -e {root}/work/left; test ! -e {root}/artifacts/left; touch {root}/work/left {root}/artifacts/left"
    );
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let seen = case.told(Order::Drain, |events| resolved(events) == 2);
    assert_eq!(seen.resolutions(), [Resolution::Completed, Resolution::Completed]);
}

fn worse_status() {
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

fn misconfigured() {
    let mut case = Case::new("true");
    case.guard.refuses = Some((Status::INTERNAL_ERROR, true));
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let ended = Mutex::new(None);
    let seen = case.told(Order::ShutDown, move |events| {
        let mut ended = ended.lock().unwrap();
        resolved(events) == 1
            && ended.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(1500)
    });
    assert_eq!(seen.resolutions(), exception(Reason::InternalError));
    assert_eq!(seen.exit, Exit::Misconfigured);
    assert_eq!(seen.events.iter().filter(|(_, event)| *event == Event::Claimed).count(), 1);
}

fn unenforced() {
    for (mode, warns) in [("warn", true), ("shadow", false)] {
        let mut case = Case::new("echo ran");
        case.guard.refuses = Some((Status::MALFORMED_PAYLOAD, true));
        case.more = format!("cot_mode: {mode}");
        let seen = case.run();
        assert_eq!((seen.exit, seen.resolutions()), (Exit::Told, vec![Resolution::Completed]));
        let document = seen.document();
        assert_eq!(document["environment"], json!({"clearance": "none", "clearanceMode": mode}));
        let (live, chain) = (seen.live(), seen.file("public/logs/chain_of_trust.log"));
        assert!(live.ends_with("ran\nexit code: 0\n"), "{live}");
        assert_eq!(
            live.contains("RUNS WITHOUT A CLEARANCE") && live.contains("because of this"),
            warns,
            "{live}"
        );
        assert!(chain.contains("CRITICAL - because of this") && !chain.contains("Good."), "{chain}");
        let log = seen.log();
        assert!(log.contains(&format!("RUNS WITHOUT A CLEARANCE: cot_mode is {mode}")), "{log}");
    }
}

fn unenforced_malformed() {
    let mut task = definition();
    task["payload"]["upstreamArtifacts"] = json!([{"taskId": TWO, "taskType": "build", "paths": ["../a"]}]);
    let mut case = Case::new("touch $PWD/ran");
    case.more = "cot_mode: shadow".to_owned();
    *case.story.claims.lock().unwrap() = [Ok(vec![claim_of(ONE, &task)])].into();
    let seen = case.run();
    assert_eq!(seen.resolutions(), exception(Reason::MalformedPayload));
    assert!(!seen.has(DOCUMENT) && seen.live().starts_with("The task was not run:"), "{}", seen.live());
}
