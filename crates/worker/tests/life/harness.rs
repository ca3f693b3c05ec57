//! A queue that plays a story, a gate, and a worker between them.

use catena_http::Secret;
use catena_keys::{Signature, SigningKey};
use catena_model::task::{RunId, TaskId};
use catena_signing::{DOCUMENT, LocalSigner, SIGNATURE, Signer, measure};
use catena_taskcluster::{ExceptionReason, Expiry, Resolution, TaskRun, TaskclusterCredentials};
use catena_testbed::seeds::SearchedDir;
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
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What the queue was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Claimed,
    Renewed(String),
    Uploaded(BTreeMap<String, Vec<u8>>),
    Resolved(String, Resolution),
}

pub(crate) type Claims = Result<Vec<Claim>, QueueError>;

/// A queue that answers what it was told to, and after that has no task.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) claims: Mutex<VecDeque<Claims>>,
    pub(crate) renewals: Mutex<VecDeque<Result<(), QueueError>>>,
    /// What is not in `renewals` is never answered.
    pub(crate) renewals_hang: bool,
    pub(crate) reports: Mutex<VecDeque<Result<(), QueueError>>>,
    pub(crate) artifacts: PathBuf,
    pub(crate) upload: Option<UploadFailure>,
    pub(crate) upload_takes: Duration,
    pub(crate) taken_for: Duration,
    pub(crate) events: Mutex<Vec<(Instant, Event)>>,
}

impl Story {
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push((Instant::now(), event));
    }

    fn taken_until(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::try_from(self.taken_for).unwrap()
    }
}

pub(crate) fn credentials(client: &str) -> TaskclusterCredentials {
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
            if next.is_none() && self.renewals_hang {
                std::future::pending::<()>().await;
            }
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

pub(crate) fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
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
pub(crate) struct Guard {
    pub(crate) takes: Duration,
    pub(crate) refuses: Option<(Status, bool)>,
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

pub(crate) const ONE: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
pub(crate) const TWO: &str = "MrP01xxxQACAAAAAAAAAAA";

pub(crate) fn definition() -> Value {
    json!({
        "provisionerId": "scriptworker-k8s", "workerType": "gecko-3-signing", "schedulerId": "gecko-level-3",
        "taskQueueId": "scriptworker-k8s/gecko-3-signing", "taskGroupId": TWO, "dependencies": [TWO],
        "requires": "all-completed", "routes": [], "priority": "low", "retries": 5,
        "created": "2026-08-12T09:30:12.300Z", "deadline": "2026-08-13T09:30:12.345Z",
        "expires": "2027-08-12T11:30:12.345Z", "scopes": [], "payload": {"maxRunTime": 20},
        "metadata": {"name": "n", "owner": "o@x", "source": "https://s", "description": "d"}, "tags": {}, "extra": {}
    })
}

pub(crate) fn claim_of(task_id: &str, task: &Value) -> Claim {
    Claim {
        run: TaskRun { task_id: TaskId::parse(task_id).unwrap(), run_id: RunId(1) },
        worker_group: "group-of-the-claim".into(),
        taken_until: Timestamp::now(),
        task: task.to_string().into_bytes(),
        credentials: credentials("claimed"),
    }
}

pub(crate) fn claim() -> Claim {
    claim_of(ONE, &definition())
}

pub(crate) struct Case {
    pub(crate) folder: SearchedDir,
    pub(crate) story: Story,
    pub(crate) guard: Guard,
    pub(crate) script: String,
    pub(crate) more: String,
    pub(crate) signs: bool,
    pub(crate) sweep_limit: Duration,
    /// Instead of a shell that runs `script`.
    pub(crate) program: Option<String>,
}

/// What was seen of one story.
pub(crate) struct Seen {
    pub(crate) events: Vec<(Instant, Event)>,
    pub(crate) exit: Exit,
    pub(crate) took: Duration,
    pub(crate) folder: SearchedDir,
}

impl Case {
    pub(crate) fn new(script: &str) -> Self {
        let folder = SearchedDir::new().unwrap();
        folder.remember(&key());
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
            sweep_limit: Duration::from_secs(10),
            program: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> Config {
        let root = self.folder.path().display();
        let text = format!(
            "work_dir: {root}/work\nlog_dir: {root}/logs\nartifact_dir: {root}/artifacts\n\
             task_log_dir: {root}/artifacts/public/logs\ned25519_private_key_path: {root}/key\n\
             credentials: {{clientId: me, accessToken: t}}\nverbose: false\npoll_interval: 1\n\
             worker_id: the-worker\nworker_type: the-type\nsign_chain_of_trust: {}\n{}\n",
            self.signs, self.more
        );
        let words = match &self.program {
            Some(program) => json!([program]),
            None => json!(["/bin/bash", "-c", self.script]),
        };
        let text = text + "task_script: " + &words.to_string() + "\n";
        let checked = Config::read(Path::new("x.yaml"), text.as_bytes(), &[], &|_| None);
        checked.config.unwrap_or_else(|| panic!("{:?}", checked.problems))
    }

    /// Runs until `order` is given, which is when `until` says so.
    pub(crate) fn told(self, order: Order, until: impl Fn(&[(Instant, Event)]) -> bool) -> Seen {
        let Self { signs, .. } = self;
        let config = self.config();
        let log = Log::open(&config.directories.logs, config.log.clone()).unwrap();
        let signer = signs.then(|| Arc::new(LocalSigner::new(key())) as Arc<dyn Signer + Send + Sync>);
        let story = Arc::new(self.story);
        let launcher = Launcher {
            program: std::env::current_exe().unwrap(),
            hide: None,
            apart: Vec::new(),
            grace: Duration::from_millis(200),
            sweep_limit: self.sweep_limit,
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
    pub(crate) fn run(self) -> Seen {
        self.told(Order::Drain, |events| resolved(events) >= 1)
    }
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

pub(crate) fn resolved(events: &[(Instant, Event)]) -> usize {
    events.iter().filter(|(_, event)| matches!(event, Event::Resolved(..))).count()
}

/// Whatever a test is about: nothing that was uploaded shows the key. Its folder is searched besides.
impl Drop for Seen {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let uploads = self.events.iter().filter_map(|(_, event)| match event {
            Event::Uploaded(files) => Some(files),
            _ => None,
        });
        let uploads: Vec<_> =
            uploads.flatten().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let leaks = self.folder.leaks(&uploads);
        assert!(leaks.is_empty(), "the worker's key is shown by {leaks:?}");
    }
}

impl Seen {
    pub(crate) fn resolutions(&self) -> Vec<Resolution> {
        let told = self.events.iter().filter_map(|(_, event)| match event {
            Event::Resolved(_, resolution) => Some(*resolution),
            _ => None,
        });
        told.collect()
    }

    pub(crate) fn uploaded(&self) -> &BTreeMap<String, Vec<u8>> {
        let found = self.events.iter().find_map(|(_, event)| match event {
            Event::Uploaded(files) => Some(files),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{:?}", self.events))
    }

    pub(crate) fn file(&self, name: &str) -> String {
        let bytes =
            self.uploaded().get(name).unwrap_or_else(|| panic!("no {name}: {:?}", self.uploaded().keys()));
        String::from_utf8(bytes.clone()).unwrap()
    }

    pub(crate) fn live(&self) -> String {
        self.file("public/logs/live_backing.log")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.uploaded().contains_key(name)
    }

    /// The document that was uploaded; its signature and the digests in it are right.
    pub(crate) fn document(&self) -> Value {
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

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("logs/worker.log")).unwrap()
    }
}

pub(crate) fn exception(reason: ExceptionReason) -> Vec<Resolution> {
    vec![Resolution::Exception(reason)]
}

/// A file that the script makes when it has begun.
pub(crate) fn begun(case: &Case) -> impl Fn(&[(Instant, Event)]) -> bool + use<> {
    let file = case.path("begun");
    move |_| file.exists()
}

pub(crate) fn beginning(script: &str) -> Case {
    let mut case = Case::new("");
    case.script = format!("touch {}; {script}", case.path("begun").display());
    case
}

pub(crate) fn renewals(seen: &Seen) -> usize {
    seen.events.iter().filter(|(_, event)| matches!(event, Event::Renewed(_))).count()
}

pub(crate) fn conflict() -> Result<(), QueueError> {
    Err(QueueError::Conflict("409".into()))
}
