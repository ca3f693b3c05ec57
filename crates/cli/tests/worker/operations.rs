//! Operations: probes, metrics, the service manager, and several tasks at the same time.

use super::case::{Case, Running, SECOND, push, until, unverified};
use catena_testbed::Queue;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;

/// A port that nothing listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn probes_and_metrics_are_answered_on_this_machine() {
    let case = Case::new(push());
    let address = format!("127.0.0.1:{}", free_port());
    let config = case.config("printf 12345 > $ROOM/artifacts/a.bin", |config| {
        config["metrics_address"] = json!(address);
    });
    let probe =
        |arguments: &[&str]| case.catena().args(["worker", "probe"]).args(arguments).arg(&config).run();
    assert_eq!(probe(&[]).status, 1);
    let mut worker = case.start_with(&config);
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not ready", || probe(&["--ready"]).status == 0);
    assert_eq!(probe(&[]).status, 0);
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut metrics = String::new();
    std::io::Read::read_to_string(&mut stream, &mut metrics).unwrap();
    let value = |name: &str| {
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse::<f64>().unwrap()
    };
    assert_eq!(value("catena_worker_claims_total"), 1.0);
    assert_eq!(value("catena_worker_verdicts_total{outcome=\"verified\",class=\"\"}"), 1.0);
    assert_eq!(value("catena_worker_tasks_total{resolution=\"completed\"}"), 1.0);
    assert!(value("catena_worker_uploaded_bytes_total") > 5.0);
    assert!(value("catena_worker_received_bytes_total") > 1000.0);
    for phase in ["verify", "run", "sign", "upload", "resolve"] {
        assert_eq!(value(&format!("catena_worker_phases_total{{phase=\"{phase}\"}}")), 1.0);
        assert!(value(&format!("catena_worker_phase_seconds_total{{phase=\"{phase}\"}}")) > 0.0);
    }
    assert_eq!(worker.drained(), 0);
    let answer = probe(&["--ready"]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains(&address), "{}", answer.stderr);
}

/// The messages that a service manager has got.
fn messages(socket: &std::os::unix::net::UnixDatagram) -> Vec<String> {
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut found = Vec::new();
    let mut bytes = [0; 64];
    while let Ok(count) = socket.recv(&mut bytes) {
        found.push(String::from_utf8(bytes[..count].to_vec()).unwrap());
    }
    found
}

#[test]
fn several_tasks_run_at_the_same_time_each_in_its_slot() {
    let case = Case::new(push());
    let config = case.config(
        "env > $ROOM/env-{slot}; read -r _ _ _ parent _ < /proc/$PPID/stat; \
         cat /proc/$parent/environ > $ROOM/parent-{slot}; touch $ROOM/ran-{slot}; \
         until test -e $ROOM/ran-1 -a -e $ROOM/ran-2; do sleep 0.02; done; echo slot {slot}; sleep 60 &",
        |config| slots(&case, config),
    );
    case.testbed.queue().add_task(SECOND, &Queue::definition(&case.pool, &json!({})));
    let socket = std::os::unix::net::UnixDatagram::bind(case.path("notify")).unwrap();
    let mut catena = case.catena();
    catena.env("NOTIFY_SOCKET", case.path("notify").to_str().unwrap());
    let log = std::fs::File::create(case.path("stderr")).unwrap();
    // Landlock would keep scripts from other processes too.
    let command = catena.args(["worker", "--danger-expose-key"]).arg(&config).command();
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let mut worker = Running { case: &case, child };
    // Each script ends only once the other runs.
    assert_eq!(worker.resolved(0).state, "completed");
    until(&case, "not resolved", || {
        case.testbed.queue().run(SECOND, 0).is_some_and(|run| run.state == "completed")
    });
    assert_eq!(messages(&socket), ["READY=1"]);
    assert_eq!(worker.drained(), 0);
    assert_eq!(messages(&socket), ["STOPPING=1"]);
    for slot in [1, 2] {
        let log = std::fs::read_to_string(case.path(&format!("{slot}/logs/worker.log"))).unwrap();
        assert!(log.contains(&format!("INFO - slot {slot}")), "{log}");
        assert!(log.contains("WARNING - 1 processes of the script were still running"), "{log}");
        let env = std::fs::read_to_string(case.path(&format!("env-{slot}"))).unwrap();
        assert!(env.contains("TASK_ID=") && !env.contains("NOTIFY_SOCKET"), "{env}");
        // The environment of the process that starts the slots may have the worker's credentials. Root's scripts
        // have too few capabilities to read it; those of other users could.
        assert_eq!(std::fs::read_to_string(case.path(&format!("parent-{slot}"))).unwrap(), "");
    }
}

#[test]
fn a_script_cannot_reach_what_another_slot_works_with() {
    let case = Case::new(push());
    // Both run when each tries to reach the directories of both.
    let config = case.config(
        "touch $ROOM/{slot}/ran; until test -e $ROOM/1/ran -a -e $ROOM/2/ran; do sleep 0.02; done; \
         for slot in 1 2; do echo x > $ROOM/$slot/artifacts/made; grep -q payload $ROOM/$slot/work/task.json && echo read; done; \
         sleep 0.5; true",
        |config| slots(&case, config),
    );
    case.testbed.queue().add_task(SECOND, &Queue::definition(&case.pool, &json!({})));
    let mut worker = case.start_with(&config);
    assert_eq!(worker.resolved(0).state, "completed", "{}", case.said());
    until(&case, "not resolved", || {
        case.testbed.queue().run(SECOND, 0).is_some_and(|run| run.state == "completed")
    });
    assert_eq!(worker.drained(), 0);
    for slot in [1, 2] {
        let log = std::fs::read_to_string(case.path(&format!("{slot}/logs/worker.log"))).unwrap();
        assert_eq!(log.matches("INFO - read").count(), 1, "{log}");
        assert_eq!(log.matches("Permission denied").count(), 2, "{log}");
    }
}

/// Two slots, each with directories of its own.
fn slots(case: &Case, config: &mut Value) {
    unverified(config);
    let path = |name: &str| json!(case.path("{slot}").join(name).to_str().unwrap());
    config["capacity"] = json!(2);
    for (key, name) in [
        ("work_dir", "work"),
        ("log_dir", "logs"),
        ("artifact_dir", "artifacts"),
        ("task_log_dir", "artifacts/public/logs"),
    ] {
        config[key] = path(name);
    }
}

#[test]
fn a_slot_that_does_not_start_drains_the_others() {
    let case = Case::new(push());
    // The port of the second slot is taken.
    let (first, taken) = loop {
        let first = free_port();
        if let Ok(taken) = std::net::TcpListener::bind(("127.0.0.1", first + 1)) {
            break (first, taken);
        }
    };
    let config = case.config("true", |config| {
        slots(&case, config);
        config["metrics_address"] = json!(format!("127.0.0.1:{first}"));
    });
    let answer = case.catena().arg("worker").arg(&config).run();
    drop(taken);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("slot 2 does not start"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains(&format!("metrics_address: 127.0.0.1:{}", first + 1)),
        "{}",
        answer.stderr
    );
}
