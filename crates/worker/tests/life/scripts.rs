//! Scripts: run, limited, stopped, and those that never run.

use super::harness::{Case, Event, ONE, TWO, beginning, begun, claim_of, definition, exception, resolved};
use catena_signing::DOCUMENT;
use catena_taskcluster::{ExceptionReason as Reason, Resolution};
use catena_worker::worker::{Exit, Order};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn script_is_stopped() {
    let case = beginning("trap 'echo told; sleep 0.05; exit 0' TERM; while true; do sleep 0.05; done");
    let until = begun(&case);
    let seen = case.told(Order::ShutDown, until);
    assert_eq!(seen.resolutions(), exception(Reason::WorkerShutdown));
    assert!(!seen.has(DOCUMENT), "b068: a script that was stopped is not signed");
    assert!(seen.live().contains("shutting down"), "{}", seen.live());
    assert!(seen.took < Duration::from_secs(30), "{:?}", seen.took);
}

pub(crate) fn drained() {
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

pub(crate) fn path_leads_out() {
    let told = never_runs(|task| {
        task["payload"]["upstreamArtifacts"] =
            json!([{"taskId": TWO, "taskType": "build", "paths": ["../x"]}]);
    });
    assert!(told.contains("leads out"), "{told}");
}

pub(crate) fn malformed_time() {
    let told = never_runs(|task| task["payload"]["maxRunTime"] = json!("60"));
    assert!(told.contains("maxRunTime"), "{told}");
    let told = never_runs(|task| task["payload"] = json!(1));
    assert!(told.contains("payload"), "{told}");
    let told = never_runs(|task| drop(task.as_object_mut().unwrap().remove("metadata")));
    assert!(told.contains("metadata"), "{told}");
}

pub(crate) fn works() {
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

/// The script's program has gone: the next task would fail in the same way.
pub(crate) fn cannot_start() {
    let mut case = Case::new("");
    case.program = Some("/nowhere/script".to_owned());
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let stands = std::sync::Mutex::new(None);
    let seen = case.told(Order::ShutDown, move |events| {
        let mut stands = stands.lock().unwrap();
        resolved(events) == 1
            && stands.get_or_insert_with(std::time::Instant::now).elapsed() > Duration::from_millis(1500)
    });
    assert_eq!(seen.resolutions(), exception(Reason::InternalError));
    assert_eq!(seen.exit, Exit::Misconfigured);
    assert!(
        seen.live().contains("The script was not started: cannot start /nowhere/script"),
        "{}",
        seen.live()
    );
}

pub(crate) fn left_behind() {
    let mut case = Case::new("for i in 1 2 3 4 5 6 7 8 9; do setsid sleep 300 & done; echo ended");
    case.sweep_limit = Duration::ZERO;
    case.story.claims.lock().unwrap().push_back(Ok(vec![claim_of(TWO, &definition())]));
    let seen = case.told(Order::Drain, |_| false);
    assert_eq!(seen.exit, Exit::Unclean);
    // The task itself ended well.
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    assert!(
        seen.live().contains("ended\nProcesses that the script started could not be ended.\n"),
        "{}",
        seen.live()
    );
    assert!(seen.log().contains("The worker ends: processes of a script are left"), "{}", seen.log());
    assert_eq!(seen.events.iter().filter(|(_, event)| *event == Event::Claimed).count(), 1);
}

pub(crate) fn exit_codes() {
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

pub(crate) fn crash() {
    let seen = Case::new("kill -SEGV $$").run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(seen.live().ends_with("Automation Error: python exited with signal -11\n"), "{}", seen.live());
    seen.document();
}

pub(crate) fn too_long() {
    let case = Case::new("echo begun; sleep 60");
    let mut task = definition();
    task["payload"]["maxRunTime"] = json!(1);
    *case.story.claims.lock().unwrap() = [Ok(vec![claim_of(ONE, &task)])].into();
    let seen = Case { more: "task_max_timeout_status: 7".into(), ..case }.run();
    assert_eq!(seen.resolutions(), exception(Reason::IntermittentTask));
    assert!(seen.live().ends_with("Exceeded max run time of 1 seconds\n"), "{}", seen.live());
    assert!(!seen.has(DOCUMENT));
}

pub(crate) fn workers_limit() {
    let seen = Case { more: "task_max_timeout: 1".into(), ..Case::new("sleep 60") }.run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(seen.live().contains("Exceeded max run time of 1 seconds"), "{}", seen.live());
}
