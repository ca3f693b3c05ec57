//! The definition of the task that ran, as the queue gave it to the worker.

use crate::print::Printer;
use catena_json::{Limits, ParseError, Value};
use jiff::{Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A task definition. Generic-worker writes it member by member, and scriptworker as the value that it is.
#[derive(Clone, Debug)]
pub struct TaskDefinition {
    text: String,
    value: Value,
}

/// Why text is not a task definition that can be signed.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The text is not strict JSON.
    #[error("the task definition is not JSON: {0}")]
    Json(#[from] ParseError),
    /// The text is not UTF-8, or a member is missing or has the wrong type.
    #[error("the task definition is malformed: {0}")]
    Malformed(String),
    /// A time is not an RFC 3339 time.
    #[error("the task definition's {member} is not an RFC 3339 time: {text:?}")]
    Time {
        /// Which of `created`, `deadline` and `expires`.
        member: &'static str,
        /// What it says.
        text: String,
    },
}

/// The members that generic-worker knows (client-go's `TaskDefinitionResponse`). It drops all others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    created: String,
    deadline: String,
    #[serde(default)]
    dependencies: Option<Vec<String>>,
    expires: String,
    #[serde(borrow)]
    extra: &'a RawValue,
    metadata: Metadata,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    project_id: String,
    #[serde(default)]
    provisioner_id: String,
    #[serde(default)]
    requires: String,
    #[serde(default)]
    retries: i64,
    #[serde(default)]
    routes: Option<Vec<String>>,
    #[serde(default)]
    scheduler_id: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    task_group_id: String,
    #[serde(default)]
    task_queue_id: String,
    #[serde(default)]
    worker_type: String,
}

#[derive(Deserialize)]
struct Metadata {
    description: String,
    name: String,
    owner: String,
    source: String,
}

impl TaskDefinition {
    /// Reads a definition, as the queue's `task` and `claimWork` have it.
    ///
    /// # Errors
    /// Text that is not strict JSON, or lacks what every definition has.
    pub fn parse(text: &[u8]) -> Result<Self, DefinitionError> {
        let malformed = |error: &dyn std::fmt::Display| DefinitionError::Malformed(error.to_string());
        let value = catena_json::parse(text, &Limits::default())?;
        let text = std::str::from_utf8(text).map_err(|error| malformed(&error))?.to_owned();
        let members: Members<'_> = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
        for (member, text) in members.times() {
            go_time(text).ok_or_else(|| DefinitionError::Time { member, text: text.to_owned() })?;
        }
        Ok(Self { text, value })
    }

    /// The definition as a value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Writes the definition as generic-worker does: the members it knows, in their order; payload and extra
    /// as they were written; times with milliseconds.
    pub(crate) fn print_go(&self, out: &mut Printer) {
        // It was read before.
        let Ok(members) = serde_json::from_str::<Members<'_>>(&self.text) else { return };
        out.group(('{', '}'), members.fields(), |out, (name, field)| {
            out.go_string(name);
            out.push(": ");
            field.print(out);
        });
    }
}

/// One member as Go writes it.
enum Field<'a> {
    Text(&'a str),
    Time(&'a str),
    Number(i64),
    Raw(&'a RawValue),
    List(Option<&'a [String]>),
    Map(Option<&'a BTreeMap<String, String>>),
    Metadata(&'a Metadata),
}

impl Field<'_> {
    fn print(&self, out: &mut Printer) {
        let pair = |out: &mut Printer, (key, value): (&str, &str)| {
            out.go_string(key);
            out.push(": ");
            out.go_string(value);
        };
        match self {
            Self::Text(text) => out.go_string(text),
            Self::Time(text) => out.go_string(&go_time(text).unwrap_or_default()),
            Self::Number(number) => out.push(&number.to_string()),
            Self::Raw(raw) => out.go_raw(raw.get()),
            Self::List(Some(items)) => out.group(('[', ']'), *items, |out, item| out.go_string(item)),
            Self::Map(Some(map)) => {
                out.group(('{', '}'), map.iter().map(|(key, value)| (key.as_str(), value.as_str())), pair);
            }
            Self::List(None) | Self::Map(None) => out.push("null"),
            Self::Metadata(Metadata { description, name, owner, source }) => {
                let members: [(&str, &str); 4] =
                    [("description", description), ("name", name), ("owner", owner), ("source", source)];
                out.group(('{', '}'), members, pair);
            }
        }
    }
}

impl Members<'_> {
    fn times(&self) -> [(&'static str, &str); 3] {
        [("created", &self.created), ("deadline", &self.deadline), ("expires", &self.expires)]
    }

    fn fields(&self) -> Vec<(&'static str, Field<'_>)> {
        let mut fields = vec![
            ("created", Field::Time(&self.created)),
            ("deadline", Field::Time(&self.deadline)),
            ("dependencies", Field::List(self.dependencies.as_deref())),
            ("expires", Field::Time(&self.expires)),
            ("extra", Field::Raw(self.extra)),
            ("metadata", Field::Metadata(&self.metadata)),
            ("payload", Field::Raw(self.payload)),
            ("priority", Field::Text(&self.priority)),
        ];
        if !self.project_id.is_empty() {
            fields.push(("projectId", Field::Text(&self.project_id)));
        }
        fields.extend([
            ("provisionerId", Field::Text(&self.provisioner_id)),
            ("requires", Field::Text(&self.requires)),
            ("retries", Field::Number(self.retries)),
            ("routes", Field::List(self.routes.as_deref())),
            ("schedulerId", Field::Text(&self.scheduler_id)),
            ("scopes", Field::List(self.scopes.as_deref())),
            ("tags", Field::Map(self.tags.as_ref())),
            ("taskGroupId", Field::Text(&self.task_group_id)),
            ("taskQueueId", Field::Text(&self.task_queue_id)),
            ("workerType", Field::Text(&self.worker_type)),
        ]);
        fields
    }
}

/// A time as client-go writes it: UTC with milliseconds, further digits cut off.
fn go_time(text: &str) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A definition with members in another order, one that generic-worker does not know, and text that
    /// both workers write in their own way.
    pub(crate) const TASK: &str = r#"{"workerType":"b-linux","provisionerId":"gecko-3","taskQueueId":"gecko-3/b-linux",
        "schedulerId":"gecko-level-3","projectId":"none","taskGroupId":"MrP01xxxQACAAAAAAAAAAA","dependencies":["MrP01xxxQACAAAAAAAAAAA"],
        "requires":"all-completed","routes":[],"priority":"low","retries":5,"created":"2026-08-12T09:30:12.3Z",
        "deadline":"2026-08-13T09:30:12.345Z","expires":"2027-08-12T11:30:12.345678+02:00","scopes":[],
        "payload":{"command":["echo","<a>&\u00fc"],"maxRunTime":1.0e3},
        "metadata":{"name":"n","owner":"o@x","source":"https://s","description":"d\u2028"},
        "tags":{"b":"2","a":"1"},"extra":{},"newerThanThisWorker":true}"#;

    #[test]
    fn generic_worker_writes_the_members_it_knows() {
        let mut out = Printer::default();
        TaskDefinition::parse(TASK.as_bytes()).unwrap().print_go(&mut out);
        assert_eq!(
            out.finish(),
            r#"{
  "created": "2026-08-12T09:30:12.300Z",
  "deadline": "2026-08-13T09:30:12.345Z",
  "dependencies": [
    "MrP01xxxQACAAAAAAAAAAA"
  ],
  "expires": "2027-08-12T09:30:12.345Z",
  "extra": {},
  "metadata": {
    "description": "d\u2028",
    "name": "n",
    "owner": "o@x",
    "source": "https://s"
  },
  "payload": {
    "command": [
      "echo",
      "\u003ca\u003e\u0026\u00fc"
    ],
    "maxRunTime": 1.0e3
  },
  "priority": "low",
  "projectId": "none",
  "provisionerId": "gecko-3",
  "requires": "all-completed",
  "retries": 5,
  "routes": [],
  "schedulerId": "gecko-level-3",
  "scopes": [],
  "tags": {
    "a": "1",
    "b": "2"
  },
  "taskGroupId": "MrP01xxxQACAAAAAAAAAAA",
  "taskQueueId": "gecko-3/b-linux",
  "workerType": "b-linux"
}"#
        );
    }

    #[test]
    fn what_two_readers_read_differently_is_not_signed() {
        let refused =
            |from: &str, to: &str| TaskDefinition::parse(TASK.replacen(from, to, 1).as_bytes()).err();
        assert!(matches!(
            refused(r#""retries":5"#, r#""retries":5,"retries":6"#),
            Some(DefinitionError::Json(_))
        ));
        assert!(matches!(refused(r#""retries":5"#, r#""retries":"5""#), Some(DefinitionError::Malformed(_))));
        assert!(matches!(refused(r#""payload""#, r#""payloads""#), Some(DefinitionError::Malformed(_))));
        let time = refused("2026-08-12T09:30:12.3Z", "yesterday");
        assert!(matches!(time, Some(DefinitionError::Time { member: "created", .. })));
    }
}
