//! The verification: a pure state machine from needs and facts to a verdict.
//!
//! Every check runs on every link that it applies to. A check requests the evidence that it reads;
//! missing evidence becomes a need, and the check runs again when the fact is available. So the same
//! code determines what is requested and what is verified, and incomplete evidence cannot pass: a check
//! that is still waiting, or that was blocked without another check having failed, keeps the verdict
//! from being "verified".

mod chain;
mod clearance;
mod conclude;
mod cycle;
mod doubt;
mod evidence;
mod examination;
mod fact;
mod foresight;
mod item;
mod memo;
mod need;
mod notes;
mod parser;
mod registry;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use chain::{Chain, Link};
pub use clearance::{Clearance, ClearedTask, Conclusion};
pub(crate) use cycle::cycle;
pub(crate) use evidence::{Answer, CheckContext, Evidence, NoDefinition, Open, Stop};
pub use evidence::{Extent, Switches, Target};
pub(crate) use examination::{Established, Examination, Examined};
pub use fact::{Body, Fact};
use foresight::Foresight;
use item::{Item, State, Subject};
pub(crate) use memo::Memo;
pub use need::{Need, Reference, Shape, TreeFile};
pub use parser::{FactParser, ParsedFact};
pub use registry::Check;
pub(crate) use registry::{Registry, Scope, Unresolved};
pub use work::Cancel;
pub(crate) use work::{Halt, Work};

use crate::verdict::Source;
use catena_model::task::TaskId;
use catena_model::{Limits, Timestamp};
use catena_policy::{KeyRing, Product};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One verification, from its target to its verdict.
#[derive(Debug)]
pub struct Verification {
    registry: &'static Registry,
    evidence: Evidence,
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
    source: Source,
    root_url: Option<String>,
    repeats: doubt::Repeats,
}

impl Verification {
    /// Starts a verification with these checks.
    pub(crate) fn judged_by(
        registry: &'static Registry,
        target: Target,
        product: Arc<Product>,
        keys: KeyRing,
        limits: Limits,
        switches: Switches,
    ) -> Self {
        let evidence = Evidence::new(target, product, keys, limits, switches);
        let chain = Chain::new(&evidence);
        let mut verification = Self {
            registry,
            evidence,
            chain,
            items: Vec::new(),
            waiting: HashMap::new(),
            waiting_for_chain: Vec::new(),
            handed_out: HashSet::new(),
            outstanding: 0,
            ready: BTreeSet::new(),
            foresight: Foresight::default(),
            source: Source::Services,
            root_url: None,
            repeats: doubt::Repeats::default(),
        };
        verification.add_all(|scope| match scope {
            Scope::Chain(examine) => Some(Subject::Chain(*examine)),
            _ => None,
        });
        let awaited: Vec<TaskId> = verification.chain.awaited().collect();
        verification.ask_for_definitions(awaited);
        verification
    }

    /// Taskcluster's root URL, which the verdict repeats. It decides nothing.
    pub fn named_root(&mut self, root_url: impl Into<String>) {
        self.root_url = Some(root_url.into());
    }

    /// Stops once this is set, in the middle of work if necessary, keeping earlier findings. What was
    /// not examined by then keeps the verdict from being "verified".
    pub fn cancel_when(&mut self, cancel: Cancel) {
        self.evidence.work.cancel_when(cancel);
    }

    /// Whether it has stopped early: it was cancelled, or has exceeded its limit of steps. Then nothing
    /// more is needed and nothing more is examined.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.evidence.work.halted().is_some()
    }

    /// The steps of work so far ([`Limits::steps`]); the same in whatever order facts arrive.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.evidence.work.steps()
    }

    /// Needs that were not handed out before. Each need is handed out once.
    pub fn needs(&mut self) -> Vec<Need> {
        let ready = std::mem::take(&mut self.ready);
        self.outstanding = self.outstanding.saturating_add(ready.len());
        self.handed_out.extend(ready.iter().cloned());
        ready.into_iter().collect()
    }

    /// Needs that will very probably follow, so that they can be requested early. Each is foreseen
    /// once, and none that was handed out. Look-ahead decides nothing: a fact for a need that is only
    /// foreseen is not read, and a caller that ignores look-ahead gets the same verdict.
    pub fn foreseen(&mut self) -> Vec<Need> {
        let Self { foresight, handed_out, .. } = self;
        foresight.take().into_iter().filter(|need| !handed_out.contains(need)).collect()
    }

    /// The number of needs that were handed out and have no fact yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Takes the fact for a need. Facts may arrive in any order; the first fact for a need is final,
    /// and one for a need that was never handed out is ignored.
    pub fn supply(&mut self, need: &Need, fact: Fact) {
        self.take(self.parser().read(need.clone(), fact));
    }

    /// The parser of facts for this verification.
    #[must_use]
    pub fn parser(&self) -> FactParser {
        FactParser::new(&self.evidence.limits)
    }

    /// Takes the result of its [`parser`](Self::parser); otherwise like [`supply`](Self::supply).
    pub fn take(&mut self, seen: ParsedFact) {
        let need = seen.need().clone();
        if !self.handed_out.contains(&need) || self.evidence.knows(&need) {
            return;
        }
        self.evidence.learn(seen);
        self.outstanding = self.outstanding.saturating_sub(1);
        if self.evidence.work.poll().is_err() {
            return;
        }
        if let Need::Definition { task_id } = need {
            // The dependencies of an input's producer are not part of the chain.
            let is_place = self.chain.place_of(task_id).is_some();
            if let Some(Ok(definition)) = self.evidence.definition(task_id).filter(|_| is_place) {
                self.foresight.dependencies_of(&definition, self.evidence.limits.links);
            }
            self.advance(task_id);
        }
        for item in self.waiting.remove(&need).unwrap_or_default() {
            self.arrived(item);
        }
    }

    /// Concludes. `now` is the time of conclusion in the report. Evidence that is missing by now keeps
    /// the verdict from being "verified". The conclusion takes the findings: a second one is never
    /// "verified".
    #[must_use]
    pub fn conclude(&mut self, now: Timestamp) -> Conclusion {
        let verdict = conclude::conclude(self, now);
        Conclusion::of(self, verdict)
    }

    /// The facts come from a recording. The verdict says so, and gives no clearance: a recording is not
    /// evidence of the present, and only its keeper can vouch for it.
    pub fn judge_recording(&mut self) {
        self.source = Source::Recording;
    }

    /// Every fact that it has taken, in no order.
    pub fn facts(&self) -> impl Iterator<Item = (&Need, &Fact)> {
        self.evidence.facts()
    }

    /// The examinations that have ended.
    fn examinations(&self) -> impl Iterator<Item = &Examination> {
        self.items.iter().filter_map(|item| match &item.state {
            State::Done(examination) => Some(examination),
            State::Waiting | State::Blocked => None,
        })
    }

    fn ask_for_definitions(&mut self, tasks: Vec<TaskId>) {
        for task_id in tasks {
            let will_have_run = task_id != self.evidence.target.task_id || self.evidence.target.check_task;
            self.foresight.task(task_id, will_have_run, self.evidence.limits.links);
            self.ask(Need::Definition { task_id });
        }
    }

    /// A definition is known.
    fn advance(&mut self, task_id: TaskId) {
        let (asked, joined) = self.chain.advance(&self.evidence, task_id);
        self.ask_for_definitions(asked);
        self.add_all(|scope| match scope {
            Scope::Task(examine) => Some(Subject::Task(task_id, *examine)),
            _ => None,
        });
        for task_id in joined {
            self.look_ahead(task_id);
            self.add_all(|scope| match scope {
                Scope::Link(examine) => Some(Subject::Link(task_id, *examine)),
                _ => None,
            });
        }
        if self.chain.is_closed() {
            for item in std::mem::take(&mut self.waiting_for_chain) {
                self.arrived(item);
            }
        }
    }

    /// Needs that checks will have when more of the chain is known can be requested early.
    fn look_ahead(&mut self, task_id: TaskId) {
        let cx = CheckContext::new(&self.evidence, &self.chain);
        if let Some(link) = self.chain.link(task_id) {
            let look_ahead = self.registry.checks.iter().filter_map(|check| check.look_ahead);
            look_ahead.for_each(|look| look(&cx, link));
        }
        let foreseen = cx.into_open().foreseen;
        self.foresee(foreseen);
    }

    fn foresee(&mut self, foreseen: BTreeSet<Need>) {
        let unknown = foreseen.into_iter().filter(|need| !self.evidence.knows(need));
        unknown.for_each(|need| self.foresight.need(need));
    }

    /// One of the facts that an item waits for is available.
    fn arrived(&mut self, number: usize) {
        let Some(item) = self.items.get_mut(number) else { return };
        item.awaited = item.awaited.saturating_sub(1);
        if item.awaited == 0 {
            self.examine(number);
        }
    }

    /// Runs every check on those of its scopes that `subject` maps to an item.
    fn add_all(&mut self, subject: impl Fn(&Scope) -> Option<Subject>) {
        for check in self.registry.checks {
            for subject in check.scopes.iter().filter_map(&subject) {
                self.add(check, subject);
            }
        }
    }

    fn add(&mut self, check: &'static Check, subject: Subject) {
        let number = self.items.len();
        self.items.push(Item {
            check,
            subject,
            state: State::Waiting,
            awaited: 0,
            steps: 0,
            doubted: BTreeSet::new(),
        });
        self.examine(number);
    }

    fn examine(&mut self, number: usize) {
        let Some(item) = self.items.get(number) else { return };
        if !matches!(item.state, State::Waiting) || self.evidence.work.begin(item.steps).is_err() {
            return;
        }
        let subject = item.subject;
        let cx = CheckContext::new(&self.evidence, &self.chain);
        let result = match subject {
            Subject::Chain(examine) => examine(&cx),
            Subject::Task(task_id, examine) => examine(&cx, task_id),
            Subject::Link(task_id, examine) => {
                self.chain.link(task_id).map_or(Err(Stop::Blocked), |link| examine(&cx, link))
            }
        };
        let Open { missing, foreseen, doubted, confirmed, waits_for_chain } = cx.into_open();
        let steps = self.evidence.work.end();
        if self.has_stopped() {
            return;
        }
        self.foresee(foreseen);
        let state = match result {
            Ok(mut examination) => {
                self.tell_confirmed(subject, &confirmed, &mut examination);
                State::Done(examination)
            }
            Err(Stop::Blocked) => State::Blocked,
            Err(Stop::Waiting | Stop::Halted) => State::Waiting,
        };
        let waits = matches!(state, State::Waiting);
        // Only a failure is doubted: thousands of checks that passed need not remember what they rest on.
        let doubted =
            matches!(&state, State::Done(examination) if examination.has_failed()).then_some(doubted);
        if let Some(item) = self.items.get_mut(number) {
            item.awaited = missing.len().saturating_add(usize::from(waits_for_chain));
            item.steps = steps;
            item.state = state;
            item.doubted = doubted.unwrap_or_default();
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
        // Known needs were handed out before.
        if !self.handed_out.contains(&need) {
            self.ready.insert(need);
        }
    }
}
