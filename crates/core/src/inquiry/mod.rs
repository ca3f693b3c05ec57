//! The inquiry: a pure state machine from needs and facts to a verdict.
//!
//! Every check runs on every link it applies to. A check asks for what it looks at; what is not
//! known yet becomes a need, and the check is tried again when the fact is there. So the same code
//! decides what is asked and what is judged, and an incomplete case cannot pass: a check that is
//! still waiting, or that was blocked without another check having failed, keeps the verdict from
//! being "verified".

mod case;
mod chain;
mod conclude;
mod fact;
mod foresight;
mod need;

pub(crate) use case::{Answer, Case, Cx, NoDefinition, Stop};
pub use case::{Switches, Target};
pub(crate) use chain::{Chain, Link, cycle};
pub(crate) use conclude::CODES as OUTSIDE_CODES;
pub use fact::{Body, Fact};
use foresight::Foresight;
pub use need::{Need, Reference, Shape};

use crate::Limits;
use crate::checks::{CHAIN_CHECKS, LINK_CHECKS};
use crate::policy::{KeyRing, Product};
use crate::task::TaskId;
use crate::verdict::{Finding, Verdict, VerifiedArtifact};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What one examination came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Examination {
    /// What was found; at least one finding, passed or failed.
    pub(crate) findings: Vec<Finding>,
    /// Artifacts whose bytes it vouches for.
    pub(crate) artifacts: Vec<VerifiedArtifact>,
}

impl From<Vec<Finding>> for Examination {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, artifacts: Vec::new() }
    }
}

/// A check on a link, or on the whole chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Link(TaskId, usize),
    Chain(usize),
}

#[derive(Clone, Debug)]
enum State {
    Waiting,
    Blocked,
    Done(Examination),
}

#[derive(Clone, Debug)]
struct Item {
    subject: Subject,
    state: State,
    /// How many things it waits for. It is examined again when the last of them is there, so that a
    /// check that asks for thousands of artifacts is not examined thousands of times.
    awaited: usize,
}

/// One case, from its target to its verdict.
#[derive(Debug)]
pub struct Inquiry {
    case: Case,
    chain: Chain,
    items: Vec<Item>,
    /// Which items wait for which need.
    waiting: HashMap<Need, Vec<usize>>,
    /// Items that wait for the chain to be closed.
    waiting_for_chain: Vec<usize>,
    handed_out: HashSet<Need>,
    outstanding: usize,
    ready: BTreeSet<Need>,
    foresight: Foresight,
}

impl Inquiry {
    /// Opens a case. Keys, policy and limits are separate inputs and none has a default: a verifier
    /// that was not told how to judge cannot be built.
    #[must_use]
    pub fn new(
        target: Target,
        product: Arc<Product>,
        keys: KeyRing,
        limits: Limits,
        switches: Switches,
    ) -> Self {
        let case = Case::new(target, product, keys, limits, switches);
        let chain = Chain::new(&case);
        let mut inquiry = Self {
            case,
            chain,
            items: Vec::new(),
            waiting: HashMap::new(),
            waiting_for_chain: Vec::new(),
            handed_out: HashSet::new(),
            outstanding: 0,
            ready: BTreeSet::new(),
            foresight: Foresight::default(),
        };
        for number in 0..CHAIN_CHECKS.len() {
            inquiry.add(Subject::Chain(number));
        }
        let awaited: Vec<TaskId> = inquiry.chain.awaited().collect();
        inquiry.ask_for_definitions(awaited);
        inquiry
    }

    /// What must be known next and was not handed out before. Each need is handed out once.
    pub fn needs(&mut self) -> Vec<Need> {
        let ready = std::mem::take(&mut self.ready);
        self.outstanding = self.outstanding.saturating_add(ready.len());
        self.handed_out.extend(ready.iter().cloned());
        ready.into_iter().collect()
    }

    /// What will almost surely be needed once more is known, so that it may be asked for already. Each
    /// need is foreseen once, and none that was handed out. It decides nothing: a fact for a need that
    /// is only foreseen is not looked at, and a driver that does not care for it comes to the same
    /// verdict.
    pub fn foreseen(&mut self) -> Vec<Need> {
        let Self { foresight, handed_out, .. } = self;
        foresight.take().into_iter().filter(|need| !handed_out.contains(need)).collect()
    }

    /// How many needs are handed out and have no fact yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Takes what was seen for a need. Facts may come in any order; the first fact for a need
    /// stays, and one for a need that was never handed out is not looked at.
    pub fn supply(&mut self, need: &Need, fact: Fact) {
        if !self.handed_out.contains(need) || self.case.knows(need) {
            return;
        }
        self.case.learn(need, fact);
        self.outstanding = self.outstanding.saturating_sub(1);
        if let Need::Definition { task_id } = need {
            if let Some(Ok(definition)) = self.case.definition(*task_id) {
                self.foresight.dependencies_of(&definition, self.case.limits.links);
            }
            self.advance(*task_id);
        }
        for item in self.waiting.remove(need).unwrap_or_default() {
            self.arrived(item);
        }
    }

    /// The way to a task of the chain, such as `signing → build`.
    #[must_use]
    pub fn link_name(&self, task_id: TaskId) -> Option<String> {
        self.chain.name(task_id).map(ToString::to_string)
    }

    /// How many links are known.
    #[must_use]
    pub fn links(&self) -> usize {
        self.chain.links().count()
    }

    /// Concludes. `now` is the time of conclusion, RFC 3339, as the report is to say it. What is
    /// not known by now keeps the verdict from being "verified".
    #[must_use]
    pub fn conclude(self, now: &str) -> Verdict {
        conclude::conclude(&self, now)
    }

    fn ask_for_definitions(&mut self, tasks: Vec<TaskId>) {
        for task_id in tasks {
            let will_have_run = task_id != self.case.target.task_id || self.case.target.check_task;
            self.foresight.task(task_id, will_have_run, self.case.limits.links);
            self.ask(Need::Definition { task_id });
        }
    }

    /// A definition is known.
    fn advance(&mut self, task_id: TaskId) {
        let was_closed = self.chain.is_closed();
        let (asked, joined) = self.chain.advance(&self.case, task_id);
        self.ask_for_definitions(asked);
        for task_id in joined {
            for number in 0..LINK_CHECKS.len() {
                self.add(Subject::Link(task_id, number));
            }
        }
        if !was_closed && self.chain.is_closed() {
            for item in std::mem::take(&mut self.waiting_for_chain) {
                self.arrived(item);
            }
        }
    }

    /// One of the things an item waits for is there.
    fn arrived(&mut self, number: usize) {
        let Some(item) = self.items.get_mut(number) else { return };
        item.awaited = item.awaited.saturating_sub(1);
        if item.awaited == 0 {
            self.examine(number);
        }
    }

    fn add(&mut self, subject: Subject) {
        let number = self.items.len();
        self.items.push(Item { subject, state: State::Waiting, awaited: 0 });
        self.examine(number);
    }

    fn examine(&mut self, number: usize) {
        let Some(item) = self.items.get(number) else { return };
        if !matches!(item.state, State::Waiting) {
            return;
        }
        let cx = Cx::new(&self.case, &self.chain);
        let result = match item.subject {
            Subject::Chain(check) => CHAIN_CHECKS.get(check).map(|check| check(&cx)),
            Subject::Link(task_id, check) => match (LINK_CHECKS.get(check), self.chain.link(task_id)) {
                (Some(check), Some(link)) => Some(check(&cx, link)),
                _ => None,
            },
        };
        let (missing, waits_for_chain) = cx.into_missing();
        let state = match result {
            Some(Ok(examination)) => State::Done(examination),
            Some(Err(Stop::Blocked)) | None => State::Blocked,
            Some(Err(Stop::Waiting)) => State::Waiting,
        };
        let waits = matches!(state, State::Waiting);
        if let Some(item) = self.items.get_mut(number) {
            item.awaited = missing.len().saturating_add(usize::from(waits_for_chain));
            item.state = state;
        }
        if waits {
            self.wait(number, missing, waits_for_chain);
        }
    }

    fn wait(&mut self, number: usize, missing: BTreeSet<Need>, waits_for_chain: bool) {
        if waits_for_chain {
            self.waiting_for_chain.push(number);
        }
        for need in missing {
            self.waiting.entry(need.clone()).or_default().push(number);
            self.ask(need);
        }
    }

    fn ask(&mut self, need: Need) {
        if !self.handed_out.contains(&need) && !self.case.knows(&need) {
            self.ready.insert(need);
        }
    }
}
