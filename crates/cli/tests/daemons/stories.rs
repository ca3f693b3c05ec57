//! The stories: tasks, and what happens while they are at work.

use crate::support::altered;
use catena_testbed::queue::Action;
use catena_testbed::{Chain, Fault, Queue};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The pool of the tasks that have no chain.
pub(crate) const POOL: &str = "scriptworker-k8s/gecko-3-signing";
const TASK: &str = "HVGxJwoXRvyWl1smMWDf-g";

/// One story: a task, its script, and what happens meanwhile.
pub(crate) struct Story {
    /// The numbers of the behaviours that it shows.
    pub(crate) numbers: &'static str,
    pub(crate) what: &'static str,
    /// What the task runs, after it has noted that it has begun. `A` is the directory of its artifacts.
    pub(crate) script: &'static str,
    payload: Value,
    /// The chain whose target it runs. Verification is switched on with it.
    pub(crate) chain: Option<fn() -> Chain>,
    /// Faults of the services, by address and attempt.
    pub(crate) faults: Vec<(&'static str, RangeInclusive<u64>, Fault)>,
    /// What happens to the task after a call has succeeded so many times.
    pub(crate) after: Option<(&'static str, u64, Action)>,
    /// What else happens, in this order, and when.
    pub(crate) events: Vec<(When, Event)>,
    /// Whether the worker has its key.
    pub(crate) has_key: bool,
}

/// When something happens.
#[derive(Clone, Copy)]
pub(crate) enum When {
    /// Once the script has begun.
    Begun,
    /// Once an address that contains this was asked for so often.
    Asked(&'static str, u64),
    /// So long after the claim.
    Later(Duration),
}

/// What happens.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// The worker gets a signal.
    Signal(Signal),
    /// The queue does something to the task.
    Act(Action),
    /// The task is there. Without this it is from the beginning.
    Offer,
    /// Renewals of the claim have this status from now on.
    Renewals(u16),
    /// No service has a fault any more.
    Heal,
}

/// Every attempt.
const EACH: RangeInclusive<u64> = 1..=u64::MAX;
const CLAIMS: &str = "/api/queue/v1/claim-work/*";
const TEMPLATE: &str = "*/.taskcluster.yml*";
/// The store, and the queue's call before it. scriptworker encodes the slash.
const STORE: &str = "*/_store/*x.bin";
const CREATE: &str = "*/artifacts/public*x.bin";
/// Waits until the credentials of the task are others than at its start.
const RENEWED: &str = r#"exec python3 -c '
import json, os, time
read = lambda: json.loads(os.pread(int(os.environ["TASKCLUSTER_CREDENTIALS_FD"]), 65536, 0))["accessToken"]
first = read()
for _ in range(300):
    time.sleep(0.1)
    if read() != first:
        break
print("new credentials" if read() != first else "old credentials")'"#;

fn story(numbers: &'static str, what: &'static str, script: &'static str) -> Story {
    Story {
        numbers,
        what,
        script,
        payload: json!({"maxRunTime": 30}),
        chain: None,
        faults: Vec::new(),
        after: None,
        events: Vec::new(),
        has_key: true,
    }
}

impl Story {
    /// The task: its id and its definition.
    pub(crate) fn task(&self) -> (String, Value) {
        match self.chain {
            Some(chain) => {
                let chain = chain();
                let definition = chain.tasks[&chain.target].definition.to_string();
                (chain.target, serde_json::from_str(&definition).unwrap())
            }
            None => {
                let mut task = Queue::definition(POOL, &self.payload);
                task["retries"] = json!(0);
                (TASK.to_owned(), task)
            }
        }
    }

    fn with(self, payload: Value) -> Self {
        Self { payload, ..self }
    }

    fn limited(self, seconds: u64) -> Self {
        self.with(json!({"maxRunTime": seconds}))
    }

    fn of(self, chain: fn() -> Chain) -> Self {
        Self { chain: Some(chain), ..self }
    }

    fn fault(mut self, pattern: &'static str, attempts: RangeInclusive<u64>, fault: Fault) -> Self {
        self.faults.push((pattern, attempts, fault));
        self
    }

    fn when(mut self, when: When, event: Event) -> Self {
        self.events.push((when, event));
        self
    }

    /// Whether the task is there from the beginning.
    pub(crate) fn is_offered(&self) -> bool {
        !self.events.iter().any(|(_, event)| matches!(event, Event::Offer))
    }

    /// Whether the worker is told to end.
    pub(crate) fn ends(&self) -> bool {
        self.events.iter().any(|(_, event)| matches!(event, Event::Signal(_)))
    }
}

fn push() -> Chain {
    Chain::demo().unwrap()
}

/// All of them.
pub(crate) fn stories() -> Vec<Story> {
    // What takes longest is first, so that nothing waits for it alone.
    [renewals(), uploads(), chains(), reports(), orders(), claims(), scripts(), artifacts()]
        .into_iter()
        .flatten()
        .collect()
}

fn scripts() -> Vec<Story> {
    let upstream = json!([{"taskId": TASK, "taskType": "build", "paths": ["../x"]}]);
    vec![
        story("36", "a path that leads out", "true")
            .with(json!({"maxRunTime": 20, "upstreamArtifacts": upstream})),
        story("37", "a time limit that is text", "true").with(json!({"maxRunTime": "20"})),
        story("44, 49", "exit 0", "echo text"),
        story("44, 67", "exit 1", "exit 1"),
        story("44", "exit 2", "exit 2"),
        story("44", "exit 3", "exit 3"),
        story("44", "exit 4", "exit 4"),
        story("44", "exit 5", "exit 5"),
        story("45", "exit 6", "exit 6"),
        story("44", "exit 7", "exit 7"),
        story("44", "exit 245", "exit 245"),
        story("46", "a crash", "kill -SEGV $$"),
        story("47, 68", "a script that runs too long", "sleep 1000").limited(1),
        story("49", "a last line without its end", "printf 'no end'"),
        story("51", "bytes that are not UTF-8", "printf 'caf\\xe9\\n'"),
        story("52", "a child that holds the pipes for longer than the limit", "sleep 6 & true").limited(3),
        story("53", "closed pipes", "exec >&- 2>&-; sleep 4").limited(1),
    ]
}

fn artifacts() -> Vec<Story> {
    vec![
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
        story("82", "a link to nothing", "mkdir -p A/public; ln -s nothing A/public/x.bin"),
        Story { has_key: false, ..story("71", "no key", "echo text") },
    ]
}

fn orders() -> Vec<Story> {
    let slow =
        || story("29", "SIGTERM while artifacts are uploaded", "mkdir -p A/public; echo > A/public/x.bin");
    vec![
        story("27, 68", "SIGTERM while the script runs", "sleep 1000")
            .when(When::Begun, Event::Signal(Signal::TERM)),
        story("31", "SIGUSR1 while the script runs", "sleep 1")
            .when(When::Begun, Event::Signal(Signal::USR1)),
        slow()
            .fault(STORE, EACH, Fault::Delay(Duration::from_secs(2)))
            .when(When::Asked("x.bin", 1), Event::Signal(Signal::TERM)),
    ]
}

fn claims() -> Vec<Story> {
    let html = || Fault::Instead {
        status: 200,
        headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
        body: "<html>Sign in</html>".into(),
    };
    // A queue that answers so has not given the task to the worker.
    let faulty = |what, fault, times| {
        let story = story("21, 22", what, "true").fault(CLAIMS, 1..=times, fault);
        story.when(When::Asked("/claim-work/", times + 1), Event::Offer)
    };
    vec![
        faulty("a claim with status 500", Fault::Status(500), 8),
        faulty("a claim with status 401", Fault::Status(401), 2),
        faulty("a claim with a page of HTML", html(), 1),
        faulty("a claim with half of its JSON", Fault::Replace("{\"tasks\":".into()), 1),
        faulty("a claim with an empty answer", Fault::Replace("".into()), 1),
    ]
}

fn renewals() -> Vec<Story> {
    vec![
        story("42, 54", "a claim that is renewed while the script runs", RENEWED),
        story("55", "a task that is cancelled while the script runs", "sleep 1000")
            .when(When::Begun, Event::Act(Action::Cancel)),
        story("57", "renewals with status 404", "sleep 3").when(When::Begun, Event::Renewals(404)),
        story("57", "renewals with status 500 for a while", RENEWED)
            .limited(50)
            .when(When::Begun, Event::Renewals(500))
            .when(When::Later(Duration::from_secs(7)), Event::Heal),
    ]
}

fn uploads() -> Vec<Story> {
    let large = "mkdir -p A/public; head -c 1000000 /dev/zero > A/public/x.bin";
    vec![
        story("79", "a store that is unavailable once", large).fault(STORE, 1..=1, Fault::Status(503)),
        story("80", "a connection to the store that breaks once", large).fault(
            STORE,
            1..=1,
            Fault::Abort { after: 100_000 },
        ),
        story("81", "an artifact that the queue refuses", large).fault(CREATE, EACH, Fault::Status(403)),
        Story {
            after: Some(("createArtifact", 1, Action::Cancel)),
            ..story("58", "a task that is cancelled while artifacts are uploaded", large)
        },
    ]
}

fn reports() -> Vec<Story> {
    vec![
        Story {
            after: Some(("createArtifact", 3, Action::Cancel)),
            ..story("83", "a task that is cancelled before its report", "true")
        },
        story("84", "reports with status 500 twice", "true").fault("*/completed", 1..=2, Fault::Status(500)),
        story("84", "reports with status 500 for a while", "true").fault(
            "*/completed",
            1..=8,
            Fault::Status(500),
        ),
    ]
}

fn chains() -> Vec<Story> {
    let slow = |numbers, what| {
        story(numbers, what, "true").of(push).fault(TEMPLATE, 1..=1, Fault::Delay(Duration::from_secs(4)))
    };
    vec![
        story("63", VERIFIED, "true").of(push),
        story("59, 61", REJECTED, "true").of(|| altered(push())),
        story("60", "a rejected chain, and a log that the queue refuses", "true")
            .of(|| altered(push()))
            .fault("*/artifacts/public*live_backing.log", EACH, Fault::Status(403)),
        story("62", "a chain that cannot be determined", "true").of(push).fault(
            TEMPLATE,
            EACH,
            Fault::Status(403),
        ),
        slow("56", "a task that is cancelled while its chain is verified")
            .when(When::Asked(".taskcluster.yml", 1), Event::Act(Action::Cancel)),
        slow("28", "SIGTERM while a chain is verified")
            .when(When::Asked(".taskcluster.yml", 1), Event::Signal(Signal::TERM)),
    ]
}

/// The stories whose logs `catena shadow` reads.
pub(crate) const VERIFIED: &str = "a verified chain";
pub(crate) const REJECTED: &str = "a rejected chain";
