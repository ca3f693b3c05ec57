//! SIGKILL of a worker, of its script, of the queue and of the store, at moments that a seed chooses in every phase
//! of a task: its run is resolved or left to expire, never completed with a wrong or unsigned document, never with
//! an artifact that differs from its hash, and the next claim starts clean.
//!
//! `CATENA_KILLS` says which of the 200 seeds are tried: every N-th, 10 when unset.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::queue::Action;
use catena_testbed::{Chain, Options, Queue, Site, Testbed};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::daemon::{Daemon, check_run, has_ended, until};
use support::relay::{Part, Relay};
use support::splitmix;

const SEEDS: u64 = 200;
const POOL: &str = "scriptworker-k8s/gecko-3-signing";
const NEXT: &str = "AAAAAAAAQAKAAAAAAAAAAA";
/// A claim that a killed worker leaves behind runs out after so long.
const CLAIM: Duration = Duration::from_secs(6);
/// The script fails where anything of an earlier task is left.
const SCRIPT: &str = "cd $ROOM; echo $$ > pid; \
    test -z \"$(ls work | grep -vE '^(task.json|current_task_info.json|cot)$')\" || exit 9; \
    test -z \"$(ls artifacts | grep -v '^public$')\" -a \"$(ls artifacts/public)\" = logs || exit 9; \
    head -c 300000 /dev/urandom > artifacts/public/random; echo $RUN_ID > artifacts/public/text.txt; \
    touch work/left artifacts/left; sleep 0.1";

fn main() {
    let arguments = Arguments::from_args();
    let every =
        std::env::var("CATENA_KILLS").map_or(10, |text| text.parse().expect("CATENA_KILLS is a number"));
    let first = Arc::new(Testbed::start_blocking(Site::new(), Options::default()).unwrap());
    let trial = |seed| {
        let first = Arc::clone(&first);
        Trial::test(format!("seed {seed:03}"), move || Case::new(&first, seed).run())
    };
    let trials = (0..SEEDS).step_by(every.max(1)).map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Worker,
    Script,
    Queue,
    Store,
}

struct Case {
    victim: Victim,
    /// The requests after which it is killed, and how long after.
    requests: u64,
    later: Duration,
    /// How long the queue or the store is away.
    away: Duration,
    testbed: Testbed,
    relay: Relay,
    worker: Daemon,
    target: String,
}

impl Case {
    fn new(first: &Testbed, seed: u64) -> Self {
        let mut next = splitmix(seed);
        let victim = [Victim::Worker, Victim::Script, Victim::Queue, Victim::Store]
            [usize::try_from(next() % 4).unwrap()];
        let is_verifying = next().is_multiple_of(4);
        let (site, chain) = if is_verifying {
            let chain = Chain::demo().unwrap();
            (chain.clone().into_site(), Some(chain))
        } else {
            (Site::new(), None)
        };
        let testbed = first.start_beside(site).unwrap();
        let queue = testbed.queue();
        queue.set_claim_timeout(CLAIM);
        queue.set_long_poll(Duration::from_millis(200));
        let relay = Relay::start(&testbed.root_url());
        let (target, pool) = match &chain {
            Some(chain) => (chain.target.clone(), pool_of(chain)),
            None => ("HVGxJwoXRvyWl1smMWDf-g".to_owned(), POOL.to_owned()),
        };
        let mut worker = Daemon::new(queue, &relay.root_url(), &pool, "the-worker", 7).with_script(SCRIPT);
        if let Some(chain) = &chain {
            let keys = json!(chain.keys.public_keys_base64());
            worker = worker.verifying(&chain.product, &chain.kind, &keys);
            queue.add_task(&target, &definition(chain));
        } else {
            queue.add_task(&target, &Queue::definition(&pool, &json!({"maxRunTime": 20})));
        }
        // A run makes some 25 requests, and a verification 60 more.
        let requests = 1 + next() % if is_verifying { 85 } else { 25 };
        let milliseconds = |number: u64| Duration::from_millis(number);
        let (later, away) = (milliseconds(next() % 40), milliseconds(20 + next() % 400));
        Self { victim, requests, later, away, testbed, relay, worker, target }
    }

    fn run(mut self) -> Result<(), Failed> {
        self.worker.start(&self.testbed);
        self.strike();
        self.settle(&self.target);
        self.judge()?;
        // The next claim starts clean.
        let queue = self.testbed.queue();
        queue.add_task(NEXT, &Queue::definition(&self.worker.pool(), &json!({"maxRunTime": 20})));
        self.settle(NEXT);
        let last = queue.runs(NEXT) - 1;
        let is_verifying = self.worker.config.get("cot_product").is_some();
        for number in 0..=last {
            check_run(queue, &self.worker, NEXT, number).map_err(|why| self.told(&why))?;
            let run = queue.run(NEXT, number).unwrap();
            let good = match run.reason.as_deref() {
                // Given to the worker that was killed while it waited for a task.
                Some("claim-expired") => number < last,
                Some("malformed-payload") => is_verifying,
                _ => run.state == "completed" && !is_verifying,
            };
            if !good {
                return Err(self.told(&format!("the next task: {run:?}")).into());
            }
        }
        if self.worker.drained() != 0 || self.worker.said().contains("panicked") {
            return Err(self.told("the worker did not end well").into());
        }
        Ok(())
    }

    /// Kills the victim when its moment has come, or when the task is over before.
    fn strike(&mut self) {
        let begun = Instant::now();
        let over = || self.testbed.queue().run(&self.target, 0).is_some_and(|run| has_ended(&run));
        if self.victim == Victim::Script {
            while !self.worker.path("pid").exists() && !over() && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(1));
            }
        } else {
            while self.testbed.stats().requests < self.requests
                && !over()
                && begun.elapsed() < Duration::from_secs(60)
            {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(self.later);
        match self.victim {
            Victim::Worker => self.kill_worker(),
            Victim::Script => self.kill_script(),
            Victim::Queue => self.relay.kill(Part::Queue, self.away),
            Victim::Store => self.relay.kill(Part::Store, self.away),
        }
    }

    /// The script is killed with its worker. What is left of the claim runs out, sooner here.
    fn kill_worker(&mut self) {
        self.worker.kill();
        if let Some(script) = self.script() {
            until(&|| "the script outlives its worker".to_owned(), || !is_alive(script));
        }
        self.testbed.queue().act(&self.target, Action::ExpireClaim);
        self.worker.start(&self.testbed);
    }

    fn kill_script(&self) {
        if let Some(script) = self.script().filter(|script| is_alive(*script)) {
            let _ = kill_process(script, Signal::KILL);
        }
    }

    fn script(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.worker.path("pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// Waits until no run of the task is pending or running.
    fn settle(&self, task: &str) {
        let queue = self.testbed.queue();
        until(&|| self.told("a run is not resolved"), || {
            let runs = queue.runs(task);
            queue.run(task, runs - 1).is_some_and(|run| has_ended(&run))
        });
    }

    fn judge(&self) -> Result<(), Failed> {
        let (queue, target) = (self.testbed.queue(), self.target.as_str());
        let runs = queue.runs(target);
        for number in 0..runs {
            let run = queue.run(target, number).unwrap();
            check_run(queue, &self.worker, target, number).map_err(|why| self.told(&why))?;
            let good = match (run.state.as_str(), run.reason.as_deref()) {
                ("completed", _) => true,
                ("failed", _) => self.victim == Victim::Script,
                // Given back, or left to expire; the queue makes another run of both.
                (_, Some("claim-expired" | "intermittent-task")) => number + 1 < runs,
                _ => false,
            };
            let live = support::daemon::contents(queue, target, number);
            let live = live
                .get("public/logs/live_backing.log")
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            if !good || live.is_some_and(|live| live.contains("exit code: 9")) {
                return Err(self.told(&format!("run {number}: {run:?}")).into());
            }
        }
        Ok(())
    }

    fn told(&self, why: &str) -> String {
        let Self { victim, requests, later, away, .. } = self;
        let when = format!("{victim:?} killed after {requests} requests and {later:?}, away for {away:?}");
        format!("{why}: {when}\n{}\n{}", self.testbed.queue().to_json(), self.worker.said())
    }
}

/// Whether a process is there and has not ended.
fn is_alive(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn definition(chain: &Chain) -> Value {
    serde_json::from_str(&chain.tasks[&chain.target].definition.to_string()).unwrap()
}

fn pool_of(chain: &Chain) -> String {
    definition(chain)["taskQueueId"].as_str().unwrap().to_owned()
}
