//! Chains that are built to keep a verifier at work: its deadline, a signal and the other tasks of a list get
//! their turn all the same.
//!
//! The only tests that measure time. A verifier without bounds takes minutes for these chains; the bounds
//! here are generous, since the machine may be busy.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_json::Value;
use catena_testbed::chain::Images;
use catena_testbed::{Chain, Options, Release, Site, Testbed, Trigger};
use catena_threats::change::{add, json, replace_page, target};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Catena, children, keys_file};
use tempfile::TempDir;

/// How long after its deadline, or after a signal, a verifier has ended for certain.
const GRACE: Duration = Duration::from_secs(10);

/// Decision tasks that say of themselves what the first one does, each rendered with much work: together
/// somewhat less than the limit of steps.
const PARENTS: usize = 20;

/// A template that adds up many numbers, within the limit of one rendering.
const WORK: &str =
    "work: {$reduce: {$eval: 'range(0, 100000)'}, initial: 0, 'each(a, x)': {$eval: 'a + x'}}\n";

/// A small chain.
fn of_seed(seed: u64) -> Chain {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    Release { builds: 2, image_builder: false, images_from: Images::OwnGraph, seed, ..release }
        .build()
        .unwrap()
}

/// A chain whose target takes in many decision tasks of one laborious template.
fn laborious(mut chain: Chain) -> Chain {
    replace_page(&mut chain, "/raw-file/", "version: 1\n", &format!("version: 1\n{WORK}")).unwrap();
    for number in 0..PARENTS {
        let first = chain.decisions[0].get(..5).unwrap().to_owned();
        another_decision(&mut chain, &format!("{first}0{number:0>2}QACAAAAAAAAAAA")).unwrap();
    }
    chain
}

/// The decision task once more, under another id, among the target's upstream artifacts.
fn another_decision(chain: &mut Chain, id: &str) -> Option<()> {
    let first = chain.decisions.first()?.clone();
    let renamed = |value: &Value| json(&value.to_string().replace(&first, id));
    let mut task = chain.task(&first)?.clone();
    task.definition = renamed(&task.definition)?;
    task.status = renamed(&task.status)?;
    let document = task.document.as_mut()?;
    document.value = renamed(&document.value)?;
    chain.tasks.insert(id.to_owned(), task);
    chain.resign(id);
    let entry = json(&format!(r#"{{"taskId":"{id}","taskType":"decision","paths":[]}}"#))?;
    target(chain, |task| add(task, &["payload", "upstreamArtifacts"], entry.clone()))
}

/// What is being served, and who is asked about it.
struct Served {
    testbed: Testbed,
    room: TempDir,
}

impl Served {
    fn new(site: Site, keys_of: &Chain) -> Self {
        let room = tempfile::tempdir().unwrap();
        let keys = keys_of.keys.public_keys_base64().into_iter();
        let keys = keys.map(|(name, keys)| (name.to_owned(), serde_json::Value::from(keys)));
        keys_file(room.path(), &serde_json::Value::Object(keys.collect()));
        Self { testbed: Testbed::start_blocking(site, Options::default()).unwrap(), room }
    }

    fn verify(&self, deadline: &str) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.args(["verify", "--task-type", "signing", "--product", "firefox", "--no-check-task"]);
        catena.args(["--deadline", deadline, "--keys"]).arg(self.room.path().join("keys.json"));
        catena
    }

    fn work_dir(&self) -> PathBuf {
        self.room.path().join("work")
    }

    /// Waits until the template is there, and somewhat longer, until it is being rendered.
    fn wait_for_work(&self) {
        let began = Instant::now();
        while !self.testbed.requests().iter().any(|request| request.url.contains("/raw-file/")) {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody asks for the template");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// Waits for its end; how long that took.
fn ended(mut child: Child) -> (Option<i32>, Duration) {
    let began = Instant::now();
    let status = child.wait().unwrap();
    (status.code(), began.elapsed())
}

#[test]
fn a_deadline_ends_checks_that_are_at_work() {
    let chain = laborious(of_seed(1));
    let served = Served::new(chain.clone().into_site(), &chain);
    let began = Instant::now();
    let mut catena = served.verify("5s");
    let answer = catena.args(["--format", "json", "--", &chain.target]).run();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5) + GRACE, "{took:?}");
    assert_eq!(
        (answer.status, answer.codes()),
        (3, vec!["availability-cancelled".to_owned()]),
        "{}",
        answer.failed()
    );
}

#[test]
fn a_signal_ends_checks_that_are_at_work() {
    let chain = laborious(of_seed(1));
    let served = Served::new(chain.clone().into_site(), &chain);
    for signal in ["-TERM", "-INT"] {
        let mut catena = served.verify("10m");
        catena.arg("--work-dir").arg(served.work_dir()).args(["--", &chain.target]);
        let child = catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        served.wait_for_work();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let (status, took) = ended(child);
        assert!(status == Some(3) && took < GRACE, "{status:?} after {took:?}");
        assert!(children(&served.work_dir()).is_empty(), "{:?}", children(&served.work_dir()));
        served.testbed.reset_stats();
    }
}

/// More laborious tasks than there are processors, and all of them first in the list.
#[test]
fn laborious_tasks_of_a_list_do_not_hold_up_the_others() {
    let small = of_seed(1);
    let mut site = small.clone().into_site();
    let mut lines = String::new();
    for seed in 2..6 {
        let mut chain = of_seed(seed);
        // The same workers ran them.
        chain.keys = small.keys.clone();
        let ids: Vec<String> = chain.tasks.keys().cloned().collect();
        assert!(ids.iter().all(|id| chain.task(id).unwrap().document.is_none() || chain.resign(id)));
        let chain = laborious(chain);
        lines.push_str(&format!("{} signing\n", chain.target));
        site.merge(chain.into_site());
    }
    let others = [format!("{} signing", small.target), format!("{} build", small.builds[0])];
    lines.push_str(&others.join("\n"));
    let served = Served::new(site, &small);
    let file = served.room.path().join("tasks.txt");
    std::fs::write(&file, lines).unwrap();
    let answer = served.verify("30s").arg("--batch").arg(&file).run();
    let told: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(told.len(), 6, "{}{}", answer.stdout, answer.stderr);
    // The others come to their end later, or not in time.
    let first = [small.target.as_str(), small.builds[0].as_str()];
    let is_first = |line: &&&str| first.iter().any(|id| line.contains(id));
    assert!(told[..2].iter().all(|line| line.starts_with("verified ")), "{}", answer.stdout);
    assert_eq!(told[..2].iter().filter(is_first).count(), 2, "{}", answer.stdout);
}
