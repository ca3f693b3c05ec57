//! Chains that are designed to keep a verifier busy: its deadline, a signal and the other tasks of a
//! list take effect nevertheless.
//!
//! The only tests that measure time. A verifier without limits takes minutes for these chains; the
//! bounds here are generous, since the machine may be busy.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_attacks::change::{add, json, replace_page, set, target};
use catena_json::Value;
use catena_testbed::chain::Images;
use catena_testbed::{Chain, Options, Release, Site, Testbed, Trigger};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Catena, children, keys_file};
use tempfile::TempDir;

/// The maximum time between its deadline, or a signal, and the end of a verifier.
const GRACE: Duration = Duration::from_secs(10);

/// Decision tasks that copy the first one's statements, each expensive to render: together slightly
/// below the limit of steps.
const PARENTS: usize = 20;

/// A template that adds many numbers, within the limit of one rendering.
const WORK: &str =
    "work: {$reduce: {$eval: 'range(0, 100000)'}, initial: 0, 'each(a, x)': {$eval: 'a + x'}}\n";

/// A small chain.
fn of_seed(seed: u64) -> Chain {
    let release = Release::new("firefox", Trigger::Push).unwrap();
    Release { builds: 2, image_builder: false, images_from: Images::OwnGraph, seed, ..release }
        .build()
        .unwrap()
}

/// A chain whose target uses many decision tasks of one expensive template.
fn laborious(mut chain: Chain) -> Chain {
    replace_page(&mut chain, "/raw-file/", "version: 1\n", &format!("version: 1\n{WORK}")).unwrap();
    more_decisions(&mut chain, PARENTS).unwrap();
    chain
}

/// A chain whose target uses very many decision tasks of one template.
fn of_many_parents(mut chain: Chain) -> Chain {
    more_decisions(&mut chain, 1_000).unwrap();
    chain
}

/// Adds this many copies of the decision task, under other ids, to the target's upstream artifacts.
fn more_decisions(chain: &mut Chain, count: usize) -> Option<()> {
    let first = chain.decisions.first()?.clone();
    let ids: Vec<String> = (0..count).map(|number| id_like(&first, number)).collect();
    ids.iter().try_for_each(|id| again(chain, &first, id, |_| Some(())))?;
    take_in(chain, &ids, "decision")
}

/// A chain whose target uses very many builds, each of which has the next as its input, and the last
/// the first.
fn ring(mut chain: Chain) -> Chain {
    let first = chain.builds[0].clone();
    let ids: Vec<String> = (0..2_400).map(|number| id_like(&first, number)).collect();
    for (id, next) in ids.iter().zip(ids.iter().cycle().skip(1)) {
        let in_a_ring =
            |task: &mut Value| set(task, &["extra", "chainOfTrust", "inputs", "build"], next.as_str());
        again(&mut chain, &first, id, in_a_ring).unwrap();
    }
    take_in(&mut chain, &ids, "build").unwrap();
    chain
}

/// An id that differs from another one in its number.
fn id_like(id: &str, number: usize) -> String {
    format!("{}{number:0>4}QACAAAAAAAAAAA", id.get(..4).unwrap())
}

/// A changed copy of a task under another id, run by the same worker.
fn again(
    chain: &mut Chain,
    first: &str,
    id: &str,
    change: impl FnOnce(&mut Value) -> Option<()>,
) -> Option<()> {
    let renamed = |value: &Value| json(&value.to_string().replace(first, id));
    let mut task = chain.task(first)?.clone();
    task.definition = renamed(&task.definition)?;
    change(&mut task.definition)?;
    task.status = renamed(&task.status)?;
    let document = task.document.as_mut()?;
    document.value = renamed(&document.value)?;
    chain.tasks.insert(id.to_owned(), task);
    chain.redocument(id).then_some(())
}

/// Adds tasks to the target's upstream artifacts.
fn take_in(chain: &mut Chain, ids: &[String], kind: &str) -> Option<()> {
    let entries =
        ids.iter().map(|id| json(&format!(r#"{{"taskId":"{id}","taskType":"{kind}","paths":[]}}"#)));
    let entries: Vec<Value> = entries.collect::<Option<_>>()?;
    target(chain, |task| {
        entries.iter().try_for_each(|entry| add(task, &["payload", "upstreamArtifacts"], entry.clone()))
    })
}

/// A served chain, and the verifier of it.
struct Served {
    testbed: Testbed,
    room: TempDir,
}

impl Served {
    fn new(site: Site, keys_of: &Chain) -> Self {
        let room = tempfile::tempdir().unwrap();
        keys_file(room.path(), &keys_of.keys.public_keys_base64());
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

    /// Waits until the template has arrived, and somewhat longer, until it is being rendered.
    fn wait_for_work(&self) {
        let began = Instant::now();
        while !self.testbed.requests().iter().any(|request| request.url.contains("/raw-file/")) {
            assert!(began.elapsed() < Duration::from_secs(60), "the template was never requested");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// Waits for its end; returns how long that took.
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

/// Whatever was found until then, and however much: it is reported, says that the deadline passed, and
/// is not verified.
#[test]
fn a_deadline_ends_the_verification_of_a_chain_of_very_many_links() {
    for chain in [ring(of_seed(1)), of_many_parents(of_seed(1))] {
        let served = Served::new(chain.clone().into_site(), &chain);
        let began = Instant::now();
        let answer = served.verify("2s").args(["--format", "json", "--", &chain.target]).run();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2) + GRACE, "{took:?}");
        assert!(matches!(answer.status, 1 | 3), "{}: {}", answer.status, answer.stderr);
        let failed = answer.failed();
        assert!(
            failed.contains("availability-cancelled") || failed.contains("the deadline passed"),
            "{failed}"
        );
    }
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

/// More expensive tasks than there are processors, all of them first in the list.
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
    // The others end later, or not in time.
    let first = [small.target.as_str(), small.builds[0].as_str()];
    let is_first = |line: &&&str| first.iter().any(|id| line.contains(id));
    assert!(told[..2].iter().all(|line| line.starts_with("verified ")), "{}", answer.stdout);
    assert_eq!(told[..2].iter().filter(is_first).count(), 2, "{}", answer.stdout);
}
