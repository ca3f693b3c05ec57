//! A queue with state: tasks wait, are claimed, reclaimed and resolved, and get artifacts.
//!
//! It behaves like the real queue: signatures, scopes and lifetimes of credentials, expiring claims,
//! conflicts, and limits on uploads. A test schedules events with [`Queue::after`] or triggers them
//! directly.

mod access;
mod artifact;
mod story;
mod task;

pub use artifact::{StorageKind, StoredArtifact};
pub use story::{Story, StoryError};
pub use task::RunView;

pub(crate) use artifact::{Intake, NewArtifact, Slot};
pub(crate) use task::Refusal;

use crate::site::Task;
use access::Clients;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use task::LiveTask;
use tokio::sync::Notify;

/// An event for a task, scheduled or immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The task is cancelled.
    Cancel,
    /// Its claim expires, and the queue creates a new run.
    ExpireClaim,
    /// Its deadline passes.
    ExceedDeadline,
    /// The temporary credentials of its run are no longer valid.
    ExpireCredentials,
}

/// How often waiters look at the time: a claim expires without any call.
const EXPIRY_POLL: Duration = Duration::from_millis(50);

/// One call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The queue's name for the call, such as `reclaimTask`.
    pub call: String,
    /// The task it was about, if any.
    pub task: Option<String>,
    /// The status of the answer.
    pub status: u16,
}

struct Trigger {
    call: String,
    times: u64,
    action: Action,
}

pub(crate) struct State {
    pub(crate) tasks: BTreeMap<String, LiveTask>,
    pub(crate) clients: Clients,
    pub(crate) slots: BTreeMap<String, Slot>,
    triggers: Vec<Trigger>,
    events: Vec<Event>,
    /// How often each call has succeeded: counting the events at each call would take quadratic time.
    successes: BTreeMap<String, u64>,
    claim_timeout: Duration,
    long_poll: Duration,
    /// What ids and secrets are made of; each is used once.
    counter: u64,
}

/// The queue. All methods may be called while it is served.
pub struct Queue {
    state: Mutex<State>,
    /// The state has changed, for waiters.
    changed: Notify,
}

impl Default for Queue {
    fn default() -> Self {
        let state = State {
            tasks: BTreeMap::new(),
            clients: Clients::default(),
            slots: BTreeMap::new(),
            triggers: Vec::new(),
            events: Vec::new(),
            successes: BTreeMap::new(),
            claim_timeout: Duration::from_secs(20 * 60),
            long_poll: Duration::from_secs(20),
            counter: 0,
        };
        Queue { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl Queue {
    /// A definition that the real queue would accept, of a task that was created now and expires in a
    /// year. `pool` is `provisionerId/workerType`.
    pub fn definition(pool: &str, payload: &Value) -> Value {
        let (provisioner, worker_type) = pool.split_once('/').unwrap_or((pool, pool));
        let now = Timestamp::now();
        let later = |span: Span| timestamp(now.checked_add(span).unwrap_or(now));
        json!({
            "provisionerId": provisioner, "workerType": worker_type, "taskQueueId": pool,
            "schedulerId": "testbed", "projectId": "none", "taskGroupId": "AAAAAAAAQAKAAAAAAAAAAA",
            "dependencies": [], "requires": "all-completed", "routes": [], "priority": "lowest", "retries": 5,
            "created": timestamp(now), "deadline": later(Span::new().hours(24)),
            "expires": later(Span::new().hours(24 * 365)),
            "scopes": [], "payload": payload, "tags": {}, "extra": {},
            "metadata": {
                "name": "a task of the testbed", "description": "", "owner": "nobody@example.com",
                "source": "https://example.com",
            },
        })
    }

    /// Adds a pending task. Its pool is that of its definition.
    pub fn add_task(&self, id: &str, definition: &Value) {
        let mut state = self.state();
        state.tasks.insert(id.to_owned(), LiveTask::new(id, definition));
        self.changed.notify_waiters();
    }

    /// Makes claims of a task return a different definition from the one that everything else returns.
    pub fn claim_as(&self, id: &str, definition: &Value) {
        if let Some(task) = self.state().tasks.get_mut(id) {
            task.claimed = Some(definition.clone());
        }
    }

    /// Adds a client with these scopes; one that ends in `*` stands for all that begin so.
    pub fn add_client(&self, id: &str, access_token: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.state().clients.add(id, access_token, scopes);
    }

    /// The duration of a claim: twenty minutes by default.
    pub fn set_claim_timeout(&self, timeout: Duration) {
        self.state().claim_timeout = timeout;
    }

    /// How long `claimWork` waits for a task: twenty seconds by default.
    pub fn set_long_poll(&self, wait: Duration) {
        self.state().long_poll = wait;
    }

    /// Triggers an event for a task now.
    pub fn act(&self, id: &str, action: Action) {
        self.state().act(id, action);
        self.changed.notify_waiters();
    }

    /// Triggers an event right after this call has succeeded this many times (from 1), for the task of
    /// the call.
    pub fn after(&self, call: &str, times: u64, action: Action) {
        self.state().triggers.push(Trigger { call: call.to_owned(), times, action });
    }

    /// Every call so far, in the order of the answers.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// How often a call of this name was answered with this status.
    pub fn count(&self, call: &str, status: u16) -> usize {
        let is = |event: &&Event| event.call == call && event.status == status;
        self.state().events.iter().filter(is).count()
    }

    /// A run as the queue knows it now.
    pub fn run(&self, id: &str, run: usize) -> Option<RunView> {
        self.current().tasks.get(id)?.runs.get(run).map(RunView::of)
    }

    /// How many runs a task has had.
    pub fn runs(&self, id: &str) -> usize {
        self.current().tasks.get(id).map_or(0, |task| task.runs.len())
    }

    /// A run's artifacts.
    pub fn artifacts(&self, id: &str, run: usize) -> BTreeMap<String, StoredArtifact> {
        let state = self.current();
        state
            .tasks
            .get(id)
            .and_then(|task| task.runs.get(run))
            .map(|run| run.artifacts.clone())
            .unwrap_or_default()
    }

    /// One artifact of a run.
    pub fn artifact(&self, id: &str, run: usize, name: &str) -> Option<StoredArtifact> {
        self.current().tasks.get(id)?.runs.get(run)?.artifacts.get(name).cloned()
    }

    /// Waits until a run is neither pending nor running, and returns its state.
    pub async fn resolved(&self, id: &str, run: usize) -> RunView {
        loop {
            let changed = self.changed.notified();
            if let Some(view) = self.run(id, run)
                && !matches!(view.state.as_str(), "pending" | "running")
            {
                return view;
            }
            let _ = tokio::time::timeout(EXPIRY_POLL, changed).await;
        }
    }

    /// Its whole state, as JSON: for external programs.
    pub fn to_json(&self) -> Value {
        let state = self.current();
        let tasks: serde_json::Map<String, Value> =
            state.tasks.iter().map(|(id, task)| (id.clone(), task.to_json())).collect();
        let events: Vec<Value> = state
            .events
            .iter()
            .map(|event| json!({"call": event.call, "task": event.task, "status": event.status}))
            .collect();
        json!({"tasks": tasks, "events": events})
    }

    /// A task as a site has it, so that it is served as one.
    pub(crate) fn task(&self, id: &str) -> Option<Task> {
        self.current().tasks.get(id).map(LiveTask::to_site)
    }

    /// Why there is no artifact of this name, and a message for people.
    pub(crate) fn error(&self, id: &str, run: u32, name: &str) -> Option<(String, String)> {
        let artifact = self.artifact(id, usize::try_from(run).ok()?, name)?;
        let is_error = artifact.kind == StorageKind::Error;
        is_error.then(|| (artifact.target.unwrap_or_default(), artifact.message.unwrap_or_default()))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // The state stays usable after a panic elsewhere: each change is made whole under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, after what time has brought about.
    pub(crate) fn current(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.pass_time(Timestamp::now());
        state
    }

    /// Records a call, and triggers the events scheduled after it.
    pub(crate) fn note(&self, call: &str, task: Option<&str>, status: u16) {
        let mut state = self.state();
        state.events.push(Event { call: call.to_owned(), task: task.map(str::to_owned), status });
        let has_acted = status < 300 && state.trigger(call, task);
        drop(state);
        // Only these calls change what waiters wait for, and a run can have 100,000 others.
        if has_acted || call.starts_with("report") {
            self.changed.notify_waiters();
        }
    }

    /// Claims pending tasks, waiting as long as the real queue does.
    pub(crate) async fn claim(&self, pool: &str, worker: (&str, &str), most: usize) -> Vec<Value> {
        let long_poll = self.state().long_poll;
        let until = tokio::time::Instant::now() + long_poll;
        loop {
            let changed = self.changed.notified();
            let claims = self.current().claim(pool, worker, most);
            let now = tokio::time::Instant::now();
            if !claims.is_empty() || now >= until {
                return claims;
            }
            let _ = tokio::time::timeout_at(until.min(now + EXPIRY_POLL), changed).await;
        }
    }
}

impl State {
    fn act(&mut self, id: &str, action: Action) {
        let now = Timestamp::now();
        let Some(task) = self.tasks.get_mut(id) else { return };
        match action {
            Action::Cancel => task.end("exception", "canceled", now),
            Action::ExceedDeadline => task.end("exception", "deadline-exceeded", now),
            Action::ExpireClaim => task.expire_claim(now),
            Action::ExpireCredentials => self.clients.expire(&format!("task-client/{id}/")),
        }
    }

    /// Whether the call had consequences.
    fn trigger(&mut self, call: &str, task: Option<&str>) -> bool {
        let successes = self.successes.entry(call.to_owned()).or_default();
        *successes += 1;
        let is_due = |trigger: &&Trigger| trigger.call == call && trigger.times == *successes;
        let due: Vec<Action> = self.triggers.iter().filter(is_due).map(|trigger| trigger.action).collect();
        let Some(task) = task else { return false };
        due.iter().for_each(|action| self.act(task, *action));
        !due.is_empty()
    }

    fn pass_time(&mut self, now: Timestamp) {
        for task in self.tasks.values_mut() {
            if task.is_taken_until_before(now) {
                task.expire_claim(now);
            }
        }
    }

    fn claim(&mut self, pool: &str, worker: (&str, &str), most: usize) -> Vec<Value> {
        let pending = self.tasks.iter().filter(|(_, task)| task.pool == pool && task.is_pending());
        let mut pending: Vec<_> = pending.map(|(id, task)| (task.waiting_since(), id.clone())).collect();
        pending.sort();
        pending.truncate(most);
        let now = Timestamp::now();
        let until = now.checked_add(self.claim_timeout).unwrap_or(now);
        let mut claims = Vec::new();
        for (_, id) in pending {
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            let run = task.take(worker, now, until);
            claims.push(self.taken(&id, run, true));
        }
        claims
    }

    /// Extends a claim.
    pub(crate) fn reclaim(&mut self, id: &str, run: usize) -> Result<Value, Refusal> {
        let now = Timestamp::now();
        let until = now.checked_add(self.claim_timeout).unwrap_or(now);
        let task = self.tasks.get_mut(id).ok_or_else(Refusal::no_task)?;
        task.running(run)?.taken_until = Some(until);
        Ok(self.taken(id, run, false))
    }

    /// What the queue says of a run that is taken, with new credentials.
    fn taken(&mut self, id: &str, run: usize, with_task: bool) -> Value {
        let secret = self.secret();
        let Some((task, taken)) = self.tasks.get(id).and_then(|task| Some((task, task.runs.get(run)?)))
        else {
            return Value::Null;
        };
        let until = taken.taken_until.unwrap_or(Timestamp::UNIX_EPOCH);
        let (group, worker) = taken.worker.clone().unwrap_or_default();
        let client = format!("task-client/{id}/{run}/on/{group}/{worker}/until/{}", until.as_second());
        let mut scopes: Vec<String> = ["reclaim-task", "resolve-task", "create-artifact"]
            .iter()
            .map(|what| format!("queue:{what}:{id}/{run}"))
            .collect();
        scopes.extend(task.scopes());
        let mut claim = json!({
            "status": task.status(), "runId": run, "workerGroup": group, "workerId": worker,
            "takenUntil": until.to_string().replace('Z', "+00:00"),
        });
        if with_task {
            set(&mut claim, "task", task.claimed.as_ref().unwrap_or(&task.definition).clone());
        }
        let credentials = self.clients.issue(&client, &secret, scopes, until);
        set(&mut claim, "credentials", credentials);
        claim
    }

    /// A new secret. It need not be random: only loopback clients can connect.
    pub(crate) fn secret(&mut self) -> String {
        use base64::Engine as _;
        use sha2::Digest as _;
        self.counter += 1;
        let digest = sha2::Sha256::digest(format!("testbed {}", self.counter));
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest)
    }
}

/// Sets a member of an object.
fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

/// A time as Taskcluster writes it.
pub(crate) fn timestamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
