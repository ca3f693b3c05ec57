//! Playing a story to one of the two daemons.

use crate::stories::{Event, POOL, REJECTED, Story, VERIFIED, When};
use crate::support::Catena;
use crate::support::daemon::{Daemon, contents};
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::queue::StorageKind;
use catena_testbed::{Fault, Queue, Site, Testbed};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const LIVE: &str = "public/logs/live_backing.log";
const CHAIN: &str = "public/logs/chain_of_trust.log";
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/reference-driver.py");
/// What has not happened so long after the claim, or after the end of the run, does not happen.
const LONGEST: Duration = Duration::from_secs(60);
/// A daemon claims its task by then: Python takes a while to start on a machine with much else to do.
const START: Duration = Duration::from_secs(240);

/// What was seen: a fact and its value.
pub(crate) type Facts = Vec<(&'static str, String)>;

/// A story on its stage: the services, and a worker that is not started yet.
struct Stage {
    testbed: Testbed,
    worker: Daemon,
    task: String,
}

impl Stage {
    fn new(first: &Testbed, story: &Story) -> Self {
        let chain = story.chain.map(|chain| chain());
        let site = chain.clone().map_or_else(Site::new, catena_testbed::Chain::into_site);
        let testbed = first.start_beside(site).unwrap();
        let queue = testbed.queue();
        queue.set_long_poll(Duration::from_millis(300));
        let (task, definition) = story.task();
        let pool = if chain.is_some() { definition["taskQueueId"].as_str().unwrap() } else { POOL };
        let mut worker = Daemon::new(queue, &testbed.root_url(), pool, "the-worker", 7);
        let artifacts = worker.path("artifacts").to_str().unwrap().to_owned();
        let script = story.script.replace("A/", &format!("{artifacts}/"));
        worker = worker.with_script(&format!("touch $ROOM/begun; {script}"));
        worker.config["reclaim_interval"] = json!(1);
        if let Some(chain) = chain {
            let keys = json!(chain.keys.public_keys_base64());
            worker = worker.verifying(&chain.product, &chain.kind, &keys);
            // scriptworker refuses artifacts of other addresses; Catena takes none from elsewhere anyway.
            let path = r"^/api/queue/v1/task/(?P<taskId>[^/]+)(/runs/\d+)?/artifacts/(?P<filepath>.*)$";
            worker.config["valid_artifact_rules"] = json!([
                {"schemes": ["http"], "netlocs": [format!("127.0.0.1:{}", port(&testbed))], "path_regexes": [path]},
            ]);
        }
        if !story.has_key {
            std::fs::remove_file(worker.etc().join("key")).unwrap();
        }
        let stage = Self { testbed, worker, task };
        if story.is_offered() {
            stage.happen(story, Event::Offer);
        }
        stage
    }

    /// Whether the worker has done with its first task: it asks for the next one.
    fn is_settled(&self) -> bool {
        let events = self.testbed.queue().events();
        let claims = events.iter().filter(|event| event.call == "claimWork");
        claims.skip_while(|event| event.task.is_none()).nth(1).is_some()
    }

    fn is_time(&self, when: When, since_claim: Option<Duration>) -> bool {
        match when {
            When::Begun => self.worker.path("begun").exists(),
            When::Asked(part, times) => {
                self.testbed.stats().per_url.iter().any(|(url, count)| url.contains(part) && *count >= times)
            }
            When::Later(wait) => since_claim.is_some_and(|since| since >= wait),
        }
    }

    fn happen(&self, story: &Story, event: Event) {
        match event {
            Event::Offer => self.testbed.queue().add_task(&self.task, &story.task().1),
            Event::Renewals(status) => self.testbed.fault("*/reclaim", .., Fault::Status(status)),
            Event::Heal => self.testbed.clear_faults(),
            Event::Signal(signal) => self.worker.signal(signal),
            Event::Act(action) => self.testbed.queue().act(&self.task, action),
        }
    }

    /// The command that starts the reference with a configuration.
    fn reference(&self, python: &Path) -> Command {
        let ca_file = self.worker.path("reference-ca.pem");
        std::fs::write(&ca_file, self.testbed.ca_pem()).unwrap();
        let mut command = Command::new(python);
        command.arg(DRIVER).arg(ca_file).arg(port(&self.testbed));
        command
    }
}

fn port(testbed: &Testbed) -> String {
    testbed.root_url().rsplit(':').next().unwrap().to_owned()
}

/// Plays a story to Catena, or with a Python to scriptworker.
pub(crate) fn play(first: &Testbed, story: &Story, python: Option<&Path>) -> Facts {
    let mut stage = Stage::new(first, story);
    for (pattern, attempts, fault) in &story.faults {
        stage.testbed.fault(pattern, attempts.clone(), fault.clone());
    }
    if let Some((call, times, action)) = story.after {
        stage.testbed.queue().after(call, times, action);
    }
    let reference = python.map(|python| stage.reference(python));
    stage.worker.start_as(&stage.testbed, reference);
    follow(&mut stage, story);
    let process = stage.worker.exit_within(if story.ends() { LONGEST } else { Duration::ZERO });
    if python.is_some() && [VERIFIED, REJECTED].contains(&story.what) {
        let log = contents(stage.testbed.queue(), &stage.task, 0).remove(CHAIN);
        let log = log.unwrap_or_else(|| panic!("{}: no log: {}", story.what, stage.worker.said()));
        shadow_agrees(first, story, &log);
    }
    facts(&stage, process)
}

/// Follows a story until the worker has done with its task, or has ended.
fn follow(stage: &mut Stage, story: &Story) {
    let begun = Instant::now();
    let mut claimed: Option<Instant> = None;
    let mut events = story.events.iter().peekable();
    while stage.worker.is_running() && !stage.is_settled() {
        let since = claimed.map(|claimed| claimed.elapsed());
        if since.is_some_and(|since| since > LONGEST) {
            return;
        }
        if let Some((_, event)) = events.next_if(|(when, _)| stage.is_time(*when, since)) {
            stage.happen(story, *event);
        }
        let run = stage.testbed.queue().run(&stage.task, 0);
        if claimed.is_none() && run.is_some_and(|run| run.state != "pending") {
            claimed = Some(Instant::now());
        }
        assert!(
            claimed.is_some() || begun.elapsed() < START,
            "{}: not claimed: {}",
            story.what,
            stage.worker.said()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `catena shadow` reads what scriptworker wrote about a chain, and comes to the same result.
fn shadow_agrees(first: &Testbed, story: &Story, log: &[u8]) {
    // The task has not run yet, as for the scriptworker that wrote the log.
    let stage = Stage::new(first, story);
    let (config, file) = (stage.worker.write_config(), stage.worker.path("reference.log"));
    std::fs::write(&file, log).unwrap();
    let mut catena = Catena::through(&stage.testbed, &stage.worker.path(""));
    catena.args(["shadow", "--config"]).arg(config).arg("--reference-log").arg(file);
    let answer = catena.args(["--", &stage.task]).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let line: Value = serde_json::from_str(&answer.stdout).unwrap();
    let outcome = if story.what == VERIFIED { "verified" } else { "rejected" };
    assert_eq!(line["agreement"], "agree", "{line}");
    assert_eq!((&line["catena"]["outcome"], &line["disagreements"]), (&json!(outcome), &json!([])), "{line}");
}

/// What can be seen of a task and of the process that ran it.
fn facts(stage: &Stage, process: Option<i32>) -> Facts {
    let queue = stage.testbed.queue();
    let found = contents(queue, &stage.task, 0);
    let ran = if stage.worker.path("begun").exists() { "ran" } else { "did not run" };
    vec![
        ("run", run(queue, &stage.task)),
        ("process", process.map_or("runs on".to_owned(), |status| format!("exit {status}"))),
        ("script", ran.to_owned()),
        (
            "document",
            match (found.contains_key(DOCUMENT), found.contains_key(SIGNATURE)) {
                (true, true) => "signed",
                (true, false) => "unsigned",
                (false, _) => "none",
            }
            .to_owned(),
        ),
        ("end of the log", escaped(&end_of_log(stage))),
        ("artifacts", escaped(&artifacts(queue, &stage.task))),
    ]
}

fn run(queue: &Queue, task: &str) -> String {
    let run = queue.run(task, 0).unwrap();
    match (run.state.as_str(), run.reason.as_deref()) {
        ("exception", Some(reason)) => reason.to_owned(),
        (state, _) => state.to_owned(),
    }
}

fn end_of_log(stage: &Stage) -> String {
    let mut artifacts = stage.testbed.queue().artifacts(&stage.task, 0);
    let Some(live) = artifacts.remove(LIVE) else { return "no log".to_owned() };
    if live.kind == StorageKind::Link {
        return format!("a link to {}", live.target.unwrap_or_default());
    }
    let Some(bytes) = contents(stage.testbed.queue(), &stage.task, 0).remove(LIVE) else {
        return "no log".to_owned();
    };
    let text = String::from_utf8_lossy(&bytes).replace(&stage.testbed.root_url(), "ROOT");
    let lines: Vec<&str> = text.lines().collect();
    // What was not run says so, and why, in its first lines.
    let first = lines.first().is_some_and(|line| line.starts_with("The task was not run"));
    let shown = if first { lines.get(..2) } else { lines.get(lines.len().saturating_sub(2)..) };
    shown.unwrap_or(&lines).join(" / ")
}

/// All artifacts but the script's log, the document and its signature.
fn artifacts(queue: &Queue, task: &str) -> String {
    let own = [DOCUMENT, SIGNATURE, LIVE];
    let others = queue.artifacts(task, 0).into_iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let others: Vec<String> = others
        .map(|(name, artifact)| {
            let name = name.trim_start_matches("public/").to_owned();
            if artifact.kind == StorageKind::Error {
                return format!("{name} error");
            }
            format!("{name} {} {}", artifact.content_type, artifact.encoding.as_deref().unwrap_or("identity"))
        })
        .collect();
    if others.is_empty() { "none".to_owned() } else { others.join(", ") }
}

fn escaped(text: &str) -> String {
    text.replace('|', "/").replace('`', "'")
}
