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
mod fact;
mod foresight;
mod memo;
mod need;
mod notes;
mod parser;
mod registry;
mod work;

pub(crate) use chain::{Chain, Link};
pub use clearance::{Clearance, ClearedTask, Conclusion};
pub(crate) use cycle::cycle;
pub(crate) use evidence::{Answer, CheckContext, Evidence, NoDefinition, Open, Stop};
pub use evidence::{Extent, Switches, Target};
pub use fact::{Body, Fact};
use foresight::Foresight;
pub(crate) use memo::Memo;
pub use need::{Need, Reference, Shape, TreeFile};
pub use parser::{FactParser, ParsedFact};
pub use registry::Check;
pub(crate) use registry::{Registry, Scope, Unresolved};
pub use work::Cancel;
pub(crate) use work::{Halt, Work};

use crate::verdict::{Disposition, Finding, SignedDocument, Source, VerifiedArtifact};
use catena_model::task::{TaskId, WorkerImplementation};
use catena_model::{Limits, Timestamp};
use catena_policy::{KeyRing, Product};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The result of one examination.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Examination {
    /// The findings: at least one, passed or failed.
    pub(crate) findings: Vec<Finding>,
    /// Artifacts whose bytes it covers.
    pub(crate) artifacts: Vec<VerifiedArtifact>,
    /// Further statements for the verdict.
    pub(crate) established: Vec<Established>,
}

/// The result of an examination, or why it cannot continue.
pub(crate) type Examined = Result<Examination, Stop>;

/// A statement that a check has established, for the verdict.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Established {
    /// The worker implementation of the link.
    Implementation(WorkerImplementation),
    /// The link's document, whose signature was verified.
    Document(Box<SignedDocument>),
    /// The run that the chain is about has completed, without contradiction.
    Completed,
    /// The trusted tree that the chain is traced back to.
    Tree(String),
}

impl Examination {
    fn has_failed(&self) -> bool {
        self.findings.iter().any(|finding| finding.disposition == Disposition::Failed)
    }
}

impl From<Vec<Finding>> for Examination {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}

/// What a check examines, and how.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Task(TaskId, fn(&CheckContext<'_>, TaskId) -> Examined),
    Link(TaskId, fn(&CheckContext<'_>, &Link) -> Examined),
    Chain(fn(&CheckContext<'_>) -> Examined),
}

#[derive(Clone, Debug)]
enum State {
    Waiting,
    Blocked,
    Done(Examination),
}

#[derive(Clone, Debug)]
struct Item {
    check: &'static Check,
    subject: Subject,
    state: State,
    /// The number of facts that it waits for. It runs again when the last of them is available, so that
    /// a check that requests thousands of artifacts does not run thousands of times.
    awaited: usize,
    /// Steps that its last examination took.
    steps: u64,
    /// What its failure rests on that a passing fault may have altered.
    doubted: BTreeSet<Need>,
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Class, Code, Disposition, Outcome, Verdict};
    use catena_model::digest::Measurement;
    use catena_model::task::{Definition, Kind};
    use catena_policy::{KindRole, Landed, Rule};

    const CODE: Code = Code::new("a-code", Class::Tamper, "Something.").relaxable(Rule::ActionHook);

    fn target() -> TaskId {
        Definition::sample_id()
    }

    /// A verification of a decision task, without any facts.
    fn opened() -> Verification {
        let kind = Kind::parse("decision").unwrap();
        let mut product = Product::empty("p");
        product.kinds.insert(kind.clone(), KindRole::Decision);
        let target = Target { task_id: target(), kind, check_task: true, extent: Extent::default() };
        let (keys, limits) = (KeyRing::default(), Limits::default());
        Verification::new(target, Arc::new(product), keys, limits, Switches::default())
    }

    fn body(text: &str) -> Fact {
        let measurement = Measurement { length: 0, sha256: [0; 32], sha512: None };
        Fact::Body(Body { bytes: text.as_bytes().into(), measurement })
    }

    /// The same once the task is known, which depends on nothing else.
    fn closed() -> Verification {
        let mut verification = opened();
        for need in verification.needs() {
            verification.supply(&need, body(Definition::SAMPLE));
        }
        verification
    }

    fn concluded(mut verification: Verification) -> Verdict {
        verification.conclude(Timestamp::UNIX_EPOCH).into_verdict()
    }

    fn finding(disposition: Disposition) -> Finding {
        Finding::new("a check", CODE, disposition, target(), "Something.")
    }

    /// The same, where every check has completed with this finding, and nothing is requested.
    fn ended(disposition: Disposition) -> Verification {
        let mut verification = closed();
        verification.handed_out.clear();
        verification.ready.clear();
        for item in &mut verification.items {
            item.state = State::Done(vec![finding(disposition)].into());
        }
        verification
    }

    #[test]
    fn each_need_is_handed_out_once_and_its_first_fact_stays() {
        let mut verification = opened();
        let definition = Need::Definition { task_id: target() };
        assert_eq!(verification.outstanding(), 0);
        let absent = |message: &str| Fact::Absent { status: 404, message: message.to_owned() };
        verification.supply(&definition, absent("said before it was asked"));
        assert!(!verification.evidence.knows(&definition));
        assert_eq!(verification.needs(), std::slice::from_ref(&definition));
        assert_eq!((verification.needs(), verification.outstanding()), (Vec::new(), 1));
        verification.supply(&definition, absent("first"));
        assert_eq!(verification.outstanding(), 0);
        verification.supply(&definition, absent("second"));
        assert_eq!(
            verification.evidence.facts().map(|(_, fact)| fact).collect::<Vec<_>>(),
            [&absent("first")]
        );
        assert_eq!(verification.needs(), []);
    }

    #[test]
    fn needs_of_a_finished_task_are_foreseen_once() {
        let mut verification = opened();
        let (task_id, run_id) = (target(), catena_model::task::RunId(0));
        let foreseen = verification.foreseen();
        for need in [
            Need::Status { task_id },
            Need::Document { task_id, run_id },
            Need::Signature { task_id, run_id },
        ] {
            assert!(foreseen.contains(&need), "{need}");
        }
        assert_eq!(verification.foreseen(), []);
    }

    #[test]
    fn links_are_named_by_their_paths() {
        assert_eq!(concluded(opened()).links, []);
        let links = concluded(closed()).links;
        let told: Vec<_> =
            links.iter().map(|link| (link.name.to_string(), link.task_id, link.run_id)).collect();
        assert_eq!(told, [("decision".to_owned(), target(), None)]);
    }

    /// A relaxed finding counts after all if another check did not complete, unless that is because
    /// evidence is missing.
    #[test]
    fn a_relaxed_finding_counts_if_another_check_depends_on_it() {
        let relaxing = |state: State| {
            let mut verification = ended(Disposition::Failed);
            Arc::make_mut(&mut verification.evidence.product).relaxed.insert(Rule::ActionHook);
            verification.items[1].state = state;
            verification
        };
        let judged = |verification: Verification| {
            let verdict = concluded(verification);
            let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
            let told =
                verdict.failed().all(|finding| finding.message.contains("The policy relaxes action-hook"));
            (verdict.outcome, failed.into_iter().collect::<Vec<_>>(), told)
        };
        let done = State::Done(vec![finding(Disposition::Passed)].into());
        assert_eq!(judged(relaxing(done)), (Outcome::Verified, vec![], true));
        assert_eq!(judged(relaxing(State::Blocked)), (Outcome::Rejected, vec!["a-code"], true));
        let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"], false);
        for state in [State::Waiting, State::Done(Examination::default())] {
            assert_eq!(judged(relaxing(state)), unfinished);
        }
        let mut open = relaxing(State::Blocked);
        open.chain = Chain::new(&open.evidence);
        assert_eq!(judged(open), unfinished);
        // Without such a finding, no check states the reason.
        let mut nobody = ended(Disposition::Relaxed);
        nobody.items[1].state = State::Blocked;
        assert_eq!(judged(nobody), unfinished);
    }

    #[test]
    fn errors_of_a_definition_are_reported() {
        let mut verification = opened();
        for need in verification.needs() {
            verification.supply(&need, Fact::Absent { status: 404, message: "no such task".to_owned() });
        }
        let verdict = concluded(verification);
        let failed: Vec<_> = verdict.failed().map(|finding| (finding.code.name, finding.task_id)).collect();
        assert_eq!(failed, [("task-unknown", target())]);
    }

    #[test]
    fn incomplete_evidence_prevents_verified() {
        let judged = |verification: Verification| {
            let verdict = concluded(verification);
            let failed = verdict.failed().map(|finding| finding.code.name).collect::<BTreeSet<_>>();
            (verdict.outcome, failed.into_iter().collect::<Vec<_>>())
        };
        let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"]);
        assert_eq!(judged(opened()), unfinished);
        for disposition in [Disposition::Passed, Disposition::Relaxed] {
            assert_eq!(judged(ended(disposition)), (Outcome::Verified, Vec::new()));
            for state in [State::Waiting, State::Blocked, State::Done(Examination::default())] {
                for number in 0..ended(disposition).items.len() {
                    let mut verification = ended(disposition);
                    verification.items[number].state = state.clone();
                    assert_eq!(judged(verification), unfinished, "{disposition:?} {state:?} {number}");
                }
            }
            let mut verification = ended(disposition);
            verification.chain = Chain::new(&verification.evidence);
            assert_eq!(judged(verification), unfinished);
            let mut verification = ended(disposition);
            verification.ready.insert(Need::Status { task_id: target() });
            assert_eq!(judged(verification), unfinished);
            let mut verification = ended(disposition);
            verification.handed_out.insert(Need::Status { task_id: target() });
            assert_eq!(judged(verification), unfinished);
        }
        assert_eq!(judged(ended(Disposition::Failed)), (Outcome::Rejected, vec!["a-code"]));
    }

    #[test]
    fn only_the_policy_relaxes_and_it_is_reported() {
        let relaxing = |rule: Rule| {
            let mut verification = ended(Disposition::Passed);
            let mut product = Product::empty("p");
            product.relaxed.insert(rule);
            verification.evidence.product = Arc::new(product);
            verification.evidence.switches.danger_allow_http = true;
            verification.items[0].state = State::Done(vec![finding(Disposition::Failed)].into());
            let verdict = concluded(verification);
            let relaxed = verdict.relaxed.iter().map(|one| format!("{} {}", one.as_str(), one.by().as_str()));
            (verdict.outcome, verdict.findings[0].disposition, relaxed.collect::<Vec<_>>())
        };
        let told = |rule: Rule| vec![format!("{rule} policy"), "danger-allow-http switch".to_owned()];
        assert_eq!(
            relaxing(Rule::ActionHook),
            (Outcome::Verified, Disposition::Relaxed, told(Rule::ActionHook))
        );
        assert_eq!(
            relaxing(Rule::ActionInput),
            (Outcome::Rejected, Disposition::Failed, told(Rule::ActionInput))
        );
    }

    #[test]
    fn only_a_verified_target_is_cleared() {
        let cleared = |mut verification: Verification| {
            verification.conclude(Timestamp::UNIX_EPOCH).clearance().is_some()
        };
        assert!(cleared(ended(Disposition::Passed)));
        for disposition in [Disposition::Failed, Disposition::Passed] {
            let mut verification = ended(disposition);
            // Any outcome but "verified": a failed check, then one that did not complete.
            if disposition == Disposition::Passed {
                verification.items[0].state = State::Waiting;
            }
            let conclusion = verification.conclude(Timestamp::UNIX_EPOCH);
            assert!(conclusion.clearance_despite_switches().is_none(), "{:?}", conclusion.verdict().outcome);
            assert!(conclusion.clearance().is_none());
        }
        let mut twice = ended(Disposition::Passed);
        assert!(twice.conclude(Timestamp::UNIX_EPOCH).clearance().is_some());
        assert!(twice.conclude(Timestamp::UNIX_EPOCH).clearance_despite_switches().is_none());
        let mut recorded = ended(Disposition::Passed);
        recorded.judge_recording();
        let conclusion = recorded.conclude(Timestamp::UNIX_EPOCH);
        assert_eq!(conclusion.verdict().outcome, Outcome::Verified);
        assert_eq!(conclusion.verdict().source, Source::Recording);
        assert!(conclusion.clearance_despite_switches().is_none());
    }

    #[test]
    fn a_clearance_lists_relaxations_and_a_switch_withholds_it() {
        let relaxing = || {
            let mut verification = ended(Disposition::Failed);
            Arc::make_mut(&mut verification.evidence.product).relaxed.insert(Rule::ActionHook);
            verification
        };
        let weakened = |clearance: &Clearance| {
            clearance.weakened().iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>()
        };
        let conclusion = relaxing().conclude(Timestamp::UNIX_EPOCH);
        let clearance = conclusion.clearance().unwrap();
        assert_eq!(
            (weakened(clearance), clearance.is_weakened_by_switch()),
            (vec!["action-hook".to_owned()], false)
        );
        assert_eq!((clearance.task_id(), clearance.product()), (target(), "p"));
        for switch in ["danger-allow-http", "danger-skip-signatures", "offline"] {
            let mut verification = relaxing();
            verification.evidence.switches = Switches {
                danger_allow_http: switch == "danger-allow-http",
                danger_skip_signatures: switch == "danger-skip-signatures",
                offline: switch == "offline",
            };
            let conclusion = verification.conclude(Timestamp::UNIX_EPOCH);
            assert!(conclusion.clearance().is_none(), "{switch}");
            let clearance = conclusion.clearance_despite_switches().unwrap();
            assert!(clearance.is_weakened_by_switch());
            assert_eq!(weakened(clearance), ["action-hook", switch]);
        }
    }

    #[test]
    fn assumptions_count_as_weakened() {
        let relaxed = |landed: Landed| {
            let mut verification = ended(Disposition::Passed);
            Arc::make_mut(&mut verification.evidence.product).landed = landed;
            let relaxed = concluded(verification).relaxed;
            relaxed
                .into_iter()
                .map(|one| format!("{} {}", one.as_str(), one.by().as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(relaxed(Landed::Assumed), ["landed-assumed policy"]);
        assert_eq!([relaxed(Landed::Compare), relaxed(Landed::BranchCommits)], [[""; 0]; 2]);
    }

    #[test]
    fn findings_are_ordered_by_link_and_failed_ones_come_first() {
        let mut verification = ended(Disposition::Passed);
        let other = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
        let said = |check, disposition, task_id, message: &str| {
            Finding::new(check, CODE, disposition, task_id, message)
        };
        let findings = vec![
            said("a", Disposition::Failed, other, "of no link"),
            said("b", Disposition::Passed, target(), "2"),
            said("b", Disposition::Passed, target(), "1"),
            said("a", Disposition::Passed, target(), "3"),
            said("c", Disposition::Relaxed, target(), "4"),
            said("d", Disposition::Failed, target(), "5"),
        ];
        verification.items.truncate(1);
        verification.items[0].state = State::Done(findings.into());
        let verdict = concluded(verification);
        let told = verdict.findings.iter().filter(|finding| finding.code == CODE);
        let told: Vec<_> = told.map(|finding| finding.message.as_str()).collect();
        assert_eq!(told, ["5", "4", "3", "1", "2", "of no link"]);
    }

    #[test]
    fn artifacts_are_listed_once_and_in_order() {
        let mut verification = ended(Disposition::Passed);
        let made = |name: &str, length| VerifiedArtifact {
            task_id: target(),
            run_id: catena_model::task::RunId(0),
            name: catena_model::task::ArtifactName::parse(name).unwrap(),
            digest: catena_model::digest::Digest::Sha256([0; 32]),
            length: Some(length),
            evidence: crate::verdict::ArtifactEvidence::Measured,
        };
        let artifacts = vec![made("public/b", 1), made("public/a", 2), made("public/b", 1)];
        verification.items[0].state = State::Done(Examination {
            findings: vec![finding(Disposition::Passed)],
            artifacts,
            ..Examination::default()
        });
        let told = concluded(verification).artifacts;
        assert_eq!(told, [made("public/a", 2), made("public/b", 1)]);
    }
}
