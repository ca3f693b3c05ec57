//! A task as it was claimed: what must be right about it before anything else is done.

use crate::queue::Claim;
use catena_json::Value;
use catena_model::task::Definition;
use catena_signing::TaskDefinition;
use std::collections::BTreeSet;
use std::time::Duration;

/// A claimed task that can be run.
#[derive(Debug)]
pub struct ClaimedTask {
    /// Its definition, as it is signed.
    pub definition: TaskDefinition,
    /// The longest that it may run, by its own payload.
    pub max_run_time: Option<Duration>,
}

impl ClaimedTask {
    /// Reads a claim.
    ///
    /// # Errors
    /// What is malformed, in words for the author of the task.
    pub fn parse(claim: &Claim) -> Result<Self, String> {
        let definition = TaskDefinition::parse(&claim.task).map_err(|error| error.to_string())?;
        let value = definition.value();
        let read =
            Definition::parse(value.clone()).map_err(|error| format!("the task definition: {error}"))?;
        for upstream in read.upstream_artifacts() {
            for path in &upstream.paths {
                check_path(path, upstream.optional).map_err(|why| {
                    format!("payload.upstreamArtifacts of {}: {path:?} {why}", upstream.task_id)
                })?;
            }
        }
        for list in ["scopes", "dependencies"] {
            check_unique(value, list)?;
        }
        let max_run_time = max_run_time(value)?;
        Ok(Self { definition, max_run_time })
    }
}

/// What `cot/<taskId>/<path>` may be made of.
pub(crate) fn check_path(path: &str, is_optional: bool) -> Result<(), &'static str> {
    if path.starts_with('/') {
        Err("is an absolute path")
    } else if path.split('/').any(|part| part == "..") {
        Err("leads out of the directory of its task")
    } else if path.contains('*') && !is_optional {
        Err("has a *, which only optional artifacts may have")
    } else {
        Ok(())
    }
}

/// A document with a member twice is malformed for every verifier.
fn check_unique(task: &Value, list: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let items = task.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    match items.iter().filter_map(Value::as_str).find(|item| !seen.insert(*item)) {
        Some(twice) => Err(format!("{list} has {twice:?} twice")),
        None => Ok(()),
    }
}

/// `payload.maxRunTime`: an integer, which JSON may also write as `1.0`.
fn max_run_time(task: &Value) -> Result<Option<Duration>, String> {
    let Some(value) = task.pointer(&["payload", "maxRunTime"]) else { return Ok(None) };
    let wrong = || format!("payload.maxRunTime: {} is not a whole number of seconds", shortened(value));
    let number = value.as_number().ok_or_else(wrong)?;
    let seconds = number.as_f64();
    if seconds.fract() != 0.0 || !seconds.is_finite() {
        return Err(wrong());
    }
    // A negative time is over at once, as 0 is; one that no clock has is as long as there is.
    Ok(Some(Duration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).unwrap_or_default()))
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_http::Secret;
    use catena_model::task::{RunId, TaskId};
    use catena_taskcluster::{TaskRun, TaskclusterCredentials};

    const TASK: &str = r#"{"provisionerId":"scriptworker-k8s","workerType":"gecko-3-signing","taskQueueId":"scriptworker-k8s/gecko-3-signing",
        "schedulerId":"gecko-level-3","taskGroupId":"MrP01xxxQACAAAAAAAAAAA","dependencies":["MrP01xxxQACAAAAAAAAAAA"],
        "requires":"all-completed","routes":[],"priority":"low","retries":5,"created":"2026-08-12T09:30:12.3Z",
        "deadline":"2026-08-13T09:30:12.345Z","expires":"2027-08-12T11:30:12.345Z","scopes":["a"],
        "payload":{"maxRunTime":60,"upstreamArtifacts":[{"taskId":"MrP01xxxQACAAAAAAAAAAA","taskType":"build","paths":["public/a"]}]},
        "metadata":{"name":"n","owner":"o@x","source":"https://s","description":"d"},"tags":{},"extra":{}}"#;

    fn parse(from: &str, to: &str) -> Result<ClaimedTask, String> {
        assert!(TASK.contains(from), "{from}");
        let credentials =
            TaskclusterCredentials::new("c".to_owned(), Secret::new(String::new()), None).unwrap();
        ClaimedTask::parse(&Claim {
            run: TaskRun { task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(), run_id: RunId(0) },
            worker_group: "g".into(),
            taken_until: jiff::Timestamp::UNIX_EPOCH,
            task: TASK.replacen(from, to, 1).into_bytes(),
            credentials,
        })
    }

    #[test]
    fn b036_paths_stay_in_the_directory_of_their_task() {
        for (path, part) in
            [("../a", "leads out"), ("a/../b", "leads out"), ("/a", "absolute"), ("a/*", "optional")]
        {
            let told = parse("public/a", path).unwrap_err();
            assert!(told.contains(part) && told.contains(path), "{told}");
        }
        assert!(parse("public/a", "public/a..b").is_ok());
        assert!(
            parse(
                r#""taskType":"build","paths":["public/a"]"#,
                r#""taskType":"build","paths":["a/*"],"optional":true"#
            )
            .is_ok()
        );
        for malformed in [
            r#"{"taskType":"build","paths":[]}"#,
            r#"{"taskId":"MrP01xxxQACAAAAAAAAAAA","taskType":"x"}"#,
            "1",
        ] {
            let whole = r#"{"taskId":"MrP01xxxQACAAAAAAAAAAA","taskType":"build","paths":["public/a"]}"#;
            assert!(parse(whole, malformed).unwrap_err().contains("upstreamArtifacts"), "{malformed}");
        }
    }

    #[test]
    fn b037_the_time_is_a_whole_number() {
        let time = |text: &str| parse(":60", &format!(":{text}")).map(|task| task.max_run_time);
        assert_eq!(time("60"), Ok(Some(Duration::from_secs(60))));
        assert_eq!(time("1.0"), Ok(Some(Duration::from_secs(1))));
        assert_eq!(time("-5"), Ok(Some(Duration::ZERO)));
        assert_eq!(time("1e300"), Ok(Some(Duration::from_secs(1_000_000_000))));
        for wrong in ["null", "\"60\"", "1.5", "[]", "true"] {
            assert!(time(wrong).unwrap_err().contains("maxRunTime"), "{wrong}");
        }
        assert_eq!(parse("\"maxRunTime\":60,", "").map(|task| task.max_run_time), Ok(None));
        assert!(parse(r#""payload":{"#, r#""payload":1,"other":{"#).is_err());
    }

    #[test]
    fn what_a_document_cannot_hold_is_told_before_anything_runs() {
        assert!(parse(r#""scopes":["a"]"#, r#""scopes":["a","b","a"]"#).unwrap_err().contains("\"a\" twice"));
        assert!(parse(r#""scopes":["a"]"#, r#""scopes":["a"],"scopes":["a"]"#).is_err());
    }
}
