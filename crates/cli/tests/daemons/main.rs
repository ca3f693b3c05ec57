//! The same stories played to `catena worker` and to the daemon of scriptworker: one queue, one configuration, one
//! script. docs/worker-behaviours.md is what was seen of both.
//!
//! `CATENA_SCRIPTWORKER_PYTHON` names a Python with scriptworker 63.6.1; without it only Catena is held against the
//! page. `CATENA_DAEMONS=write` writes the page anew, and needs both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::queue::StorageKind;
use catena_testbed::{Options, Queue, Site, Testbed};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::daemon::{Daemon, contents, has_ended};

const POOL: &str = "scriptworker-k8s/gecko-3-signing";
const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";
const LIVE: &str = "public/logs/live_backing.log";
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/worker-behaviours.md");
/// Stories that are played at the same time.
const AT_ONCE: usize = 6;
/// What has not happened so long after the claim, or after the end of the run, does not happen.
const LONGEST: Duration = Duration::from_secs(60);
/// A daemon claims its task by then: Python takes a while to start on a machine with much else to do.
const START: Duration = Duration::from_secs(240);

/// One story: a task and its script.
struct Story {
    /// The numbers of the behaviours that it shows.
    numbers: &'static str,
    what: &'static str,
    script: &'static str,
    payload: Value,
    /// What happens to the worker once the script has begun.
    signal: Option<Signal>,
    /// Whether the worker has its key.
    has_key: bool,
}

fn story(numbers: &'static str, what: &'static str, script: &'static str) -> Story {
    Story { numbers, what, script, payload: json!({"maxRunTime": 20}), signal: None, has_key: true }
}

fn stories() -> Vec<Story> {
    let limited = |story: Story, seconds: u64| Story { payload: json!({"maxRunTime": seconds}), ..story };
    let upstream = json!([{"taskId": TASK, "taskType": "build", "paths": ["../x"]}]);
    vec![
        Story {
            payload: json!({"maxRunTime": 20, "upstreamArtifacts": upstream}),
            ..story("36", "a path that leads out", "true")
        },
        Story { payload: json!({"maxRunTime": "20"}), ..story("37", "a time limit that is text", "true") },
        story("44, 49, 63", "exit 0", "echo text"),
        story("44, 67", "exit 1", "exit 1"),
        story("44", "exit 2", "exit 2"),
        story("44", "exit 3", "exit 3"),
        story("44", "exit 4", "exit 4"),
        story("44", "exit 5", "exit 5"),
        story("45", "exit 6", "exit 6"),
        story("44", "exit 7", "exit 7"),
        story("44", "exit 245", "exit 245"),
        story("46", "a crash", "kill -SEGV $$"),
        limited(story("47, 68", "a script that runs too long", "sleep 1000"), 1),
        story("49", "a last line without its end", "printf 'no end'"),
        story("51", "bytes that are no text", "printf 'caf\\xe9\\n'"),
        limited(story("52", "a child that holds the pipes for longer than the limit", "sleep 6 & true"), 3),
        limited(story("53", "closed pipes", "exec >&- 2>&-; sleep 4"), 1),
        story(
            "65, 73, 75",
            "hidden files, empty directories and files",
            "mkdir -p A/public/empty; touch A/public/.hidden A/public/empty.txt",
        ),
        story(
            "74, 76",
            "compressed files and texts",
            "mkdir -p A/public; cd A/public; echo x > a.txt; echo x > a.json; echo x > a.tar.gz; echo x > a.tar.xz; echo x > a.json.gz",
        ),
        story(
            "72",
            "a document that the script left",
            "mkdir -p A/public; echo x > A/public/chain-of-trust.json; echo x > A/public/chain-of-trust.json.sig",
        ),
        story("82", "a link to a file elsewhere", "mkdir -p A/public; ln -s /etc/hostname A/public/x.bin"),
        Story {
            signal: Some(Signal::TERM),
            ..story("27, 68", "SIGTERM while the script runs", "touch A/../begun; sleep 1000")
        },
        Story {
            signal: Some(Signal::USR1),
            ..story("31", "SIGUSR1 while the script runs", "touch A/../begun; sleep 1")
        },
        Story { has_key: false, ..story("71", "no key", "echo text") },
    ]
}

/// What was seen: a fact and its value.
type Facts = Vec<(&'static str, String)>;

#[test]
fn both_daemons_do_what_the_page_says() {
    let python = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON").map(PathBuf::from);
    let reference = python.map(|python| python.with_file_name("scriptworker"));
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let mut rows = Vec::new();
    let known: Vec<Vec<String>> = page.lines().filter_map(cells).collect();
    let stories = stories();
    let play_both = |story: &Story| {
        let theirs = reference.as_deref().map(|program| play(&testbed, story, Some(program)));
        (play(&testbed, story, None), theirs)
    };
    let mut played = Vec::new();
    for some in stories.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|story| scope.spawn(|| play_both(story))).collect();
            played.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        });
    }
    for (story, (ours, theirs)) in stories.iter().zip(played) {
        for (number, (fact, ours)) in ours.into_iter().enumerate() {
            let theirs = match &theirs {
                Some(theirs) => theirs[number].1.clone(),
                // As the page has it, where it has the row.
                None => known
                    .iter()
                    .find(|row| row[1] == story.what && row[2] == fact)
                    .map_or(String::new(), |row| row[3].clone()),
            };
            let ours = if ours == theirs { "=".to_owned() } else { ours };
            rows.push([story.numbers.to_owned(), story.what.to_owned(), fact.to_owned(), theirs, ours]);
        }
    }
    let made = written(&rows);
    if std::env::var("CATENA_DAEMONS").is_ok_and(|what| what == "write") {
        assert!(reference.is_some(), "CATENA_SCRIPTWORKER_PYTHON is not set");
        std::fs::write(PAGE, &made).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    let missing: Vec<&str> = made.lines().filter(|line| !page.lines().any(|known| known == *line)).collect();
    assert!(missing.is_empty() && made.len() == page.len(), "the page says otherwise: {missing:#?}");
}

/// The cells of a row of the page.
fn cells(line: &str) -> Option<Vec<String>> {
    let row = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<String> = row.split(" | ").map(|cell| cell.trim_matches('`').to_owned()).collect();
    (cells.len() == 5).then_some(cells)
}

fn written(rows: &[[String; 5]]) -> String {
    let differing = rows.iter().filter(|row| row[4] != "=").count();
    let mut page = format!(
        "# The worker beside scriptworker\n\n\
         What the daemon of scriptworker 63.6.1 and `catena worker` do with the same queue, configuration, task and script,\n\
         without verification: {} facts, {differing} of them different. `=` is the same as scriptworker. The numbers are those of\n\
         the worker's behaviours, as in the names of tests. [worker.md](worker.md#differences-to-scriptworker) has the reasons.\n\n\
         A test plays the stories and holds this page against what it sees (`crates/cli/tests/daemons.rs`);\n\
         `CATENA_DAEMONS=write` makes it anew.\n\n\
         | behaviours | story | seen | scriptworker | Catena |\n|---|---|---|---|---|\n",
        rows.len(),
    );
    for [numbers, what, fact, theirs, ours] in rows {
        let code = |text: &str| if text == "=" { text.to_owned() } else { format!("`{text}`") };
        writeln!(page, "| {numbers} | {what} | {fact} | {} | {} |", code(theirs), code(ours)).unwrap();
    }
    page
}

/// Plays a story to Catena, or to another program that takes the same configuration.
fn play(first: &Testbed, story: &Story, program: Option<&Path>) -> Facts {
    let testbed = first.start_beside(Site::new()).unwrap();
    let queue = testbed.queue();
    queue.set_long_poll(Duration::from_millis(300));
    let mut worker = Daemon::new(queue, &testbed.root_url(), POOL, "the-worker", 7);
    let artifacts = worker.path("artifacts").to_str().unwrap().to_owned();
    worker = worker.with_script(&story.script.replace("A/", &format!("{artifacts}/")));
    if !story.has_key {
        std::fs::remove_file(worker.etc().join("key")).unwrap();
    }
    let mut task = Queue::definition(POOL, &story.payload);
    task["retries"] = json!(0);
    queue.add_task(TASK, &task);
    worker.start_as(&testbed, program);
    let begun = Instant::now();
    while worker.is_running() && queue.run(TASK, 0).is_some_and(|run| run.state == "pending") {
        assert!(begun.elapsed() < START, "the task is not claimed: {}", worker.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    let claimed = Instant::now();
    let mut is_told = false;
    let is_resolved = || queue.run(TASK, 0).is_some_and(|run| has_ended(&run));
    while !is_resolved() && worker.is_running() && claimed.elapsed() < LONGEST {
        if let Some(signal) = story.signal.filter(|_| !is_told && worker.path("begun").exists()) {
            worker.signal(signal);
            is_told = true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let process = if story.signal.is_some() {
        worker.exit_within(LONGEST)
    } else {
        worker.exit_within(Duration::from_millis(500))
    };
    facts(queue, process)
}

/// What can be seen of a task and of the process that ran it.
fn facts(queue: &Queue, process: Option<i32>) -> Facts {
    let run = queue.run(TASK, 0).unwrap();
    let found = contents(queue, TASK, 0);
    let run = match (run.state.as_str(), run.reason.as_deref()) {
        ("exception", Some(reason)) => reason.to_owned(),
        (state, _) => state.to_owned(),
    };
    let process = process.map_or("runs on".to_owned(), |status| format!("exit {status}"));
    let signed = match (found.contains_key(DOCUMENT), found.contains_key(SIGNATURE)) {
        (true, true) => "signed",
        (true, false) => "unsigned",
        (false, _) => "none",
    };
    let live = found.get(LIVE).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let last = live.as_deref().map_or("no log".to_owned(), |text| {
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        last.into_iter().rev().collect::<Vec<_>>().join(" / ")
    });
    let own = [DOCUMENT, SIGNATURE, LIVE];
    let others = queue
        .artifacts(TASK, 0)
        .into_iter()
        .filter(|(name, _)| !own.contains(&name.as_str()) && !name.starts_with("public/logs/"));
    let others: Vec<String> = others
        .map(|(name, artifact)| {
            let name = name.trim_start_matches("public/").to_owned();
            if artifact.kind == StorageKind::Error {
                return format!("{name} error");
            }
            format!("{name} {} {}", artifact.content_type, artifact.encoding.as_deref().unwrap_or("identity"))
        })
        .collect();
    let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    let escaped = |text: String| text.replace('|', "/").replace('`', "'");
    vec![
        ("run", run),
        ("process", process),
        ("document", signed.to_owned()),
        ("end of the log", escaped(last)),
        ("artifacts", escaped(others)),
    ]
}
