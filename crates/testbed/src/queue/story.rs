//! Stories: the initial state and the events of a queue, as JSON.

use super::{Action, Queue};
use crate::fault::Fault;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The script of a queue: clients, tasks, faults and events.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Story {
    /// Clients by id.
    clients: BTreeMap<String, ClientEntry>,
    /// Definitions of tasks that wait, by id.
    tasks: BTreeMap<String, Value>,
    /// Seconds that a claim lasts.
    claim_timeout: Option<f64>,
    /// Seconds that a claim waits for tasks.
    long_poll: Option<f64>,
    /// What happens after calls.
    after: Vec<Event>,
    /// What happens at once: the name of an action, by the id of its task.
    now: BTreeMap<String, ActionName>,
    /// Faults over addresses.
    faults: Vec<FaultEntry>,
}

/// A story is not one.
#[derive(Debug, thiserror::Error)]
#[error("not a story: {0}")]
pub struct StoryError(#[from] serde_json::Error);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientEntry {
    access_token: String,
    scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    call: String,
    times: u64,
    action: ActionName,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionName {
    Cancel,
    ExpireClaim,
    ExceedDeadline,
    ExpireCredentials,
}

impl From<ActionName> for Action {
    fn from(name: ActionName) -> Action {
        match name {
            ActionName::Cancel => Action::Cancel,
            ActionName::ExpireClaim => Action::ExpireClaim,
            ActionName::ExceedDeadline => Action::ExceedDeadline,
            ActionName::ExpireCredentials => Action::ExpireCredentials,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultEntry {
    pattern: String,
    /// The first attempt and the last, from 1.
    #[serde(default = "every")]
    attempts: (u64, u64),
    fault: FaultName,
}

fn every() -> (u64, u64) {
    (1, u64::MAX)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FaultName {
    Status(u16),
    Early(u16),
    Delay(f64),
    Silence,
    HangUp,
    Reset(u64),
    Abort(u64),
    Stall(u64),
}

impl FaultName {
    fn fault(&self) -> Fault {
        match *self {
            FaultName::Status(status) => Fault::Status(status),
            FaultName::Early(status) => Fault::Early(status),
            FaultName::Delay(seconds) => Fault::Delay(duration(seconds)),
            FaultName::Silence => Fault::Silence,
            FaultName::HangUp => Fault::HangUp,
            FaultName::Reset(after) => Fault::Reset { after },
            FaultName::Abort(after) => Fault::Abort { after },
            FaultName::Stall(after) => Fault::Stall { after },
        }
    }
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

impl Story {
    /// Reads a story.
    ///
    /// # Errors
    /// Text that is not JSON or says something else than stories do.
    pub fn parse(text: &[u8]) -> Result<Self, StoryError> {
        Ok(serde_json::from_slice(text)?)
    }

    /// Tells it to a queue; answers the faults, which are laid over addresses of the whole server.
    pub(crate) fn tell(&self, queue: &Queue) -> Vec<(String, (u64, u64), Fault)> {
        for (id, client) in &self.clients {
            let scopes: Vec<&str> = client.scopes.iter().map(String::as_str).collect();
            queue.add_client(id, &client.access_token, &scopes);
        }
        if let Some(seconds) = self.claim_timeout {
            queue.set_claim_timeout(duration(seconds));
        }
        if let Some(seconds) = self.long_poll {
            queue.set_long_poll(duration(seconds));
        }
        for event in &self.after {
            queue.after(&event.call, event.times, event.action.into());
        }
        for (id, definition) in &self.tasks {
            queue.add_task(id, definition);
        }
        for (id, action) in &self.now {
            queue.act(id, (*action).into());
        }
        self.faults.iter().map(|entry| (entry.pattern.clone(), entry.attempts, entry.fault.fault())).collect()
    }
}
