//! Tasks that were made to break a worker: artifact trees and scripts, one after the other through one worker
//! process, which lives on. The table in docs/worker.md says the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects, clippy::print_stdout)]

mod support;

use catena_testbed::chain::DOCUMENT;
use catena_testbed::{Options, Queue, Site, Testbed};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};
use support::daemon::{Daemon, check_run, contents, has_ended, resolved};

const POOL: &str = "scriptworker-k8s/gecko-3-signing";
const LIVE: &str = "public/logs/live_backing.log";

/// One task.
struct Hostile {
    name: &'static str,
    /// What it runs, in the directory that holds `artifacts`.
    script: &'static str,
    /// How its run ends.
    state: &'static str,
    /// A part of its log.
    told: &'static str,
    /// What must be among its artifacts, beside the log, and what must not.
    made: &'static [&'static str],
    not_made: &'static [&'static str],
    /// How long it may run.
    seconds: u64,
}

const fn hostile(
    name: &'static str,
    script: &'static str,
    state: &'static str,
    told: &'static str,
) -> Hostile {
    Hostile { name, script, state, told, made: &[], not_made: &[], seconds: 60 }
}

const REFUSED: &str = "What the script left cannot be signed: ";
/// What scripts write in place of the worker's logs.
const FORGED: &str = "forged by the script";

/// In the order of docs/worker.md.
fn tasks() -> Vec<Hostile> {
    vec![
        Hostile {
            made: &["public/good.txt"],
            ..hostile(
                "names that no artifact can have",
                r"touch artifacts/public/$'new\nline' artifacts/public/$'back\\slash' artifacts/public/$'\xff'; echo > artifacts/public/good.txt",
                "exception",
                "its name is not that of an artifact",
            )
        },
        Hostile {
            not_made: &["public/passwd"],
            ..hostile(
                "a link to a file elsewhere",
                "ln -s /etc/passwd artifacts/public/passwd",
                "exception",
                REFUSED,
            )
        },
        Hostile {
            not_made: &["public/etc/passwd"],
            ..hostile(
                "a link to a directory elsewhere",
                "ln -s /etc artifacts/public/etc",
                "exception",
                REFUSED,
            )
        },
        hostile("links in a circle", "ln -s b artifacts/a; ln -s a artifacts/b", "exception", REFUSED),
        hostile("a FIFO", "mkfifo artifacts/public/fifo", "exception", "it is a socket, a FIFO or a device"),
        hostile(
            "a sparse file of 1 TiB",
            "truncate -s 1T artifacts/public/sparse",
            "exception",
            "are left of what all artifacts together may have",
        ),
        Hostile {
            seconds: 600,
            ..hostile(
                "more than 100,000 files",
                "mkdir artifacts/many; cd artifacts/many; seq 100001 | sed 's/^/é/' | xargs touch",
                "exception",
                REFUSED,
            )
        },
        hostile(
            "directories nested 70 deep",
            "d=artifacts; for i in {1..70}; do d=$d/d; done; mkdir -p $d; touch $d/x",
            "exception",
            "nested deeper",
        ),
        Hostile {
            made: &["public/good.txt"],
            not_made: &["key"],
            ..hostile(
                "a link to the directory of the key in place of the artifacts",
                "echo > artifacts/public/good.txt; mv artifacts old; ln -s $ETC artifacts",
                "completed",
                "exit code: 0",
            )
        },
        hostile("a hard link to the key", "ln $ETC/key artifacts/public/key", "failed", "exit code: 1"),
        hostile(
            "the key moved among the artifacts",
            "mv $ETC/key artifacts/public/key",
            "failed",
            "exit code: 1",
        ),
        hostile("the key moved aside", "mv $ETC/key $ETC/other", "failed", "exit code: 1"),
        hostile("the directory of the key moved aside", "mv $ETC $ETC-other", "failed", "exit code: 1"),
        hostile("the key removed", "rm -f $ETC/key", "failed", "exit code: 1"),
        hostile("the key written over", "echo forged > $ETC/key", "failed", "exit code: 1"),
        hostile("a second name of the key beside it", "ln $ETC/key $ETC/second", "failed", "exit code: 1"),
        hostile(
            "nothing in place of the directories",
            "rm -rf artifacts work; ln -s nowhere artifacts; touch work",
            "completed",
            "exit code: 0",
        ),
        hostile("directories without permissions", "chmod 0 artifacts work", "completed", "exit code: 0"),
        hostile(
            "its logs removed",
            "echo before; sleep 0.2; rm -r artifacts/public/logs; echo after",
            "completed",
            "before\nafter\nexit code: 0\n",
        ),
        hostile(
            "a log of its own written over the worker's",
            "echo before; sleep 0.2; echo 'forged by the script' > artifacts/public/logs/live_backing.log; echo after",
            "completed",
            "before\nafter\nexit code: 0\n",
        ),
        Hostile {
            not_made: &["public/logs/chain_of_trust.log", "public/logs/chain_of_trust.json"],
            ..hostile(
                "logs of a verification that was not made",
                "cd artifacts/public/logs; echo 'forged by the script' | tee chain_of_trust.log > chain_of_trust.json",
                "completed",
                "exit code: 0",
            )
        },
        hostile(
            "links and directories in place of its logs",
            "cd artifacts/public/logs; ln -sf /etc/passwd live_backing.log; mkdir -p chain_of_trust.log; echo 'forged by the script' > chain_of_trust.log/x",
            "completed",
            "exit code: 0",
        ),
        hostile(
            "200 daemons in sessions of their own",
            "for i in {1..200}; do setsid bash -c 'echo $$ >> $ROOM/pids; exec sleep 1000' & done; while test $(wc -l < $ROOM/pids) -lt 200; do sleep 0.05; done",
            "completed",
            "exit code: 0",
        ),
        hostile(
            "processes that fork and end again and again",
            "python3 -c \"import os; all(os.fork() for _ in range(4)) and os._exit(0)\nwhile True:\n  open('$ROOM/pids', 'a').write(f'{os.getpid()}\\n')\n  if os.fork(): os._exit(0)\n  os.setsid()\"; until test -s $ROOM/pids; do sleep 0.05; done",
            "completed",
            "exit code: 0",
        ),
        hostile(
            "a daemon that holds the pipes",
            "sleep 1000 & echo $! >> $ROOM/pids",
            "completed",
            "exit code: 0",
        ),
        Hostile {
            seconds: 1,
            ..hostile(
                "pipes that are closed while the script goes on",
                "exec >&- 2>&-; sleep 1000",
                "failed",
                "Exceeded max run time of 1 seconds",
            )
        },
        hostile(
            "a flood of output",
            "yes $(printf x%.0s {1..1000}) | head -c 10000000",
            "completed",
            "exit code: 0",
        ),
        hostile("a line of 5 MB", "head -c 5000000 /dev/zero | tr '\\0' x", "completed", "exit code: 0"),
        hostile(
            "a signal to its own group",
            "kill -9 0",
            "failed",
            "Automation Error: python exited with signal -9",
        ),
        hostile(
            "a signal to the worker",
            // A kernel before Linux 6.12 lets it pass.
            "kill -0 $PPID 2>/dev/null || ! kill -KILL $PPID",
            "completed",
            "exit code: 0",
        ),
        Hostile {
            made: &["public/logs/live_backing.log"],
            ..hostile(
                "a document of its own",
                "echo '{}' | tee artifacts/public/chain-of-trust.json > artifacts/public/chain-of-trust.json.sig",
                "completed",
                "exit code: 0",
            )
        },
        hostile("nothing hostile", "echo good > artifacts/public/good.txt", "completed", "exit code: 0"),
    ]
}

fn task_id(number: usize) -> String {
    format!("{number:08}QAKAAAAAAAAAAA")
}

#[test]
fn a_worker_outlives_what_tasks_do() {
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let queue = testbed.queue();
    let script = "cd $ROOM; mkdir -p artifacts/public; source scripts/$TASK_ID";
    let mut worker = Daemon::new(queue, &testbed.root_url(), POOL, "the-worker", 7).with_script(script);
    std::fs::create_dir(worker.path("scripts")).unwrap();
    let room = worker.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let tasks = tasks();
    for (number, task) in tasks.iter().enumerate() {
        let script = task.script.replace("$ROOM", &room).replace("$ETC", worker.etc().to_str().unwrap());
        std::fs::write(worker.path("scripts").join(task_id(number)), script).unwrap();
    }
    let seed = worker.key.to_base64().to_string();
    worker.start(&testbed);
    let mut wrong = Vec::new();
    for (number, task) in tasks.iter().enumerate() {
        let id = task_id(number);
        let _ = std::fs::remove_dir_all(worker.path("old"));
        queue.add_task(&id, &Queue::definition(POOL, &json!({"maxRunTime": task.seconds})));
        let run = resolved(queue, &worker, &id, 0);
        let found = contents(queue, &id, 0);
        wrong.extend(
            judged(task, &run.state, &found, &seed).into_iter().map(|why| format!("{}: {why}", task.name)),
        );
        if let Err(why) = check_run(queue, &worker, &id, 0) {
            wrong.push(format!("{}: {why}", task.name));
        }
    }
    assert_eq!(worker.drained(), 0);
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", worker.said());
    let pids = std::fs::read_to_string(worker.path("pids")).unwrap();
    let alive: Vec<&str> =
        pids.lines().filter(|pid| std::path::Path::new("/proc").join(pid).exists()).collect();
    assert!(pids.lines().count() > 200 && alive.is_empty(), "{alive:?}");
    assert!(!worker.said().contains("panicked"), "{}", worker.said());
}

/// As many artifacts as a task can have take the worker some memory, and nothing else. `CATENA_HOSTILE_FILES` is their
/// number, 5,000 when unset and 99,990 at most. What was measured is printed (`--nocapture`).
#[test]
fn a_worker_uploads_as_many_files_as_a_task_may_leave() {
    let files: usize = std::env::var("CATENA_HOSTILE_FILES")
        .map_or(5_000, |text| text.parse().expect("CATENA_HOSTILE_FILES is a number"));
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let queue = testbed.queue();
    let script = format!(
        "cd $ROOM/artifacts; mkdir many; seq {files} | split -a 5 -d -l 1 - many/; date +%s%N > $ROOM/ended"
    );
    let mut worker = Daemon::new(queue, &testbed.root_url(), POOL, "the-worker", 7).with_script(&script);
    worker.config["verbose"] = json!(false);
    let id = task_id(0);
    queue.add_task(&id, &Queue::definition(POOL, &json!({"maxRunTime": 1200})));
    worker.start(&testbed);
    let mut descriptors = 0;
    let begun = Instant::now();
    while queue.run(&id, 0).is_none_or(|run| !has_ended(&run)) {
        assert!(begun.elapsed() < Duration::from_secs(1200), "{}", worker.said());
        descriptors = descriptors.max(worker.descriptors().unwrap_or_default());
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let script = std::fs::read_to_string(worker.path("ended")).unwrap();
    let took = ended.as_secs_f64() - script.trim().parse::<f64>().unwrap() / 1e9;
    let peak = worker.status("VmHWM:");
    println!("{files} files: {took:.1} s from the script's end, peak {peak} KiB, {descriptors} descriptors");
    assert_eq!(queue.run(&id, 0).unwrap().state, "completed", "{}", worker.said());
    let document = check_run(queue, &worker, &id, 0).unwrap().unwrap();
    assert_eq!(document["artifacts"].as_object().unwrap().len(), files + 1);
    // Some kilobytes for each file: its name, its digests, and its part of the document.
    assert!(peak < (64 << 10) + 4 * u64::try_from(files).unwrap(), "{peak} KiB");
    assert!(descriptors < 100, "{descriptors} descriptors");
    // Some disks take minutes to remove so many files.
    while worker.path("artifacts/many").exists() {
        assert!(begun.elapsed() < Duration::from_secs(1200), "the directories are not emptied");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(worker.drained(), 0);
}

/// What is not as it should be.
fn judged(task: &Hostile, state: &str, found: &BTreeMap<String, Vec<u8>>, seed: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let live = found.get(LIVE).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    let end: String = live.chars().rev().take(600).collect::<Vec<_>>().into_iter().rev().collect();
    if state != task.state || !live.contains(task.told) {
        wrong.push(format!("{state}: {end}"));
    }
    let has_document = found.contains_key(DOCUMENT);
    // A script that ended by itself is signed for, unless it left what no document can name.
    if has_document != (live.contains("exit code: ") || live.contains("signal -")) && !live.contains(REFUSED)
    {
        wrong.push(format!("document: {has_document}: {end}"));
    }
    if has_document && live.contains(REFUSED) {
        wrong.push("a document of what cannot be signed".to_owned());
    }
    wrong
        .extend(task.made.iter().filter(|name| !found.contains_key(**name)).map(|name| format!("no {name}")));
    wrong.extend(
        task.not_made.iter().filter(|name| found.contains_key(**name)).map(|name| format!("{name} is there")),
    );
    let forged = found.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(FORGED));
    wrong.extend(forged.map(|(name, _)| format!("{name} is the script's")));
    let leaks = found.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(seed));
    wrong.extend(leaks.map(|(name, _)| format!("{name} has the signing key")));
    wrong
}
