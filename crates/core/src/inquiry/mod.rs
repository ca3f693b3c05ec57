//! The inquiry: a pure state machine from needs and facts to a verdict.
//!
//! Every check runs on every link it applies to. A check asks for what it looks at; what is not
//! known yet becomes a need, and the check is tried again when the fact is there. So the same code
//! decides what is asked and what is judged, and an incomplete case cannot pass: a check that is
//! still waiting, or that was blocked without another check having failed, keeps the verdict from
//! being "verified".

mod case;
mod chain;
mod clearance;
mod conclude;
mod cycle;
mod fact;
mod foresight;
mod memo;
mod need;
mod notes;
mod reader;
mod registry;
mod work;

pub(crate) use case::{Answer, Case, Cx, NoDefinition, Open, Stop};
pub use case::{Extent, Switches, Target};
pub(crate) use chain::{Chain, Link};
pub use clearance::{Clearance, ClearedTask, Conclusion};
pub(crate) use cycle::cycle;
pub use fact::{Body, Fact};
use foresight::Foresight;
pub(crate) use memo::Memo;
pub use need::{Need, Reference, Shape, TreeFile};
pub use reader::{Reader, Seen};
pub use registry::Check;
pub(crate) use registry::{Registry, Scope, Unresolved};
pub use work::Cancel;
pub(crate) use work::Halt;

use crate::policy::{KeyRing, Product};
use crate::task::{TaskId, WorkerImplementation};
use crate::verdict::{Finding, SignedDocument, Source, VerifiedArtifact};
use crate::{Limits, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What one examination came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Examination {
    /// What was found; at least one finding, passed or failed.
    pub(crate) findings: Vec<Finding>,
    /// Artifacts whose bytes it vouches for.
    pub(crate) artifacts: Vec<VerifiedArtifact>,
    /// What the verdict is to tell of it beside that.
    pub(crate) established: Vec<Established>,
}

/// What an examination comes to, or why it cannot go on.
pub(crate) type Examined = Result<Examination, Stop>;

/// Something a check has established that the verdict tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Established {
    /// What ran the link.
    Implementation(WorkerImplementation),
    /// The link's document, whose signature was verified.
    Document(Box<SignedDocument>),
    /// The run that the chain is about has completed, and nothing contradicts that.
    Completed,
    /// The trusted tree that the chain goes back to.
    Tree(String),
}

impl From<Vec<Finding>> for Examination {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}

/// What a check is examined on, and how.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Task(TaskId, fn(&Cx<'_>, TaskId) -> Examined),
    Link(TaskId, fn(&Cx<'_>, &Link) -> Examined),
    Chain(fn(&Cx<'_>) -> Examined),
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
    /// How many things it waits for. It is examined again when the last of them is there, so that a
    /// check that asks for thousands of artifacts is not examined thousands of times.
    awaited: usize,
    /// Steps that its last examination took.
    steps: u64,
}

/// One case, from its target to its verdict.
#[derive(Debug)]
pub struct Inquiry {
    registry: &'static Registry,
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
    source: Source,
}

impl Inquiry {
    /// Opens a case that these checks judge.
    pub(crate) fn judged_by(
        registry: &'static Registry,
        target: Target,
        product: Arc<Product>,
        keys: KeyRing,
        limits: Limits,
        switches: Switches,
    ) -> Self {
        let case = Case::new(target, product, keys, limits, switches);
        let chain = Chain::new(&case);
        let mut inquiry = Self {
            registry,
            case,
            chain,
            items: Vec::new(),
            waiting: HashMap::new(),
            waiting_for_chain: Vec::new(),
            handed_out: HashSet::new(),
            outstanding: 0,
            ready: BTreeSet::new(),
            foresight: Foresight::default(),
            source: Source::Services,
        };
        inquiry.add_all(|scope| match scope {
            Scope::Chain(examine) => Some(Subject::Chain(*examine)),
            _ => None,
        });
        let awaited: Vec<TaskId> = inquiry.chain.awaited().collect();
        inquiry.ask_for_definitions(awaited);
        inquiry
    }

    /// Stops, in the midst of work if need be, once this is set, besides what was said before. What was
    /// not examined by then keeps the verdict from being "verified".
    pub fn cancel_when(&mut self, cancel: Cancel) {
        self.case.work.cancel_when(cancel);
    }

    /// Whether it has stopped before its end: it was cancelled, or has taken more steps than its limit.
    /// Then nothing more is needed and nothing more is examined.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.case.work.halted().is_some()
    }

    /// The steps of work that it has taken ([`Limits::steps`]); the same in whatever order facts arrive.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.case.work.steps()
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
        self.take(self.reader().read(need.clone(), fact));
    }

    /// Who reads facts for this inquiry.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(&self.case.limits)
    }

    /// Takes what its [`reader`](Self::reader) has read; the same as [`supply`](Self::supply).
    pub fn take(&mut self, seen: Seen) {
        let need = seen.need().clone();
        if !self.handed_out.contains(&need) || self.case.knows(&need) {
            return;
        }
        self.case.learn(seen);
        self.outstanding = self.outstanding.saturating_sub(1);
        if self.case.work.poll().is_err() {
            return;
        }
        if let Need::Definition { task_id } = need {
            // What the maker of an input depends on is nobody's business.
            let is_place = self.chain.place_of(task_id).is_some();
            if let Some(Ok(definition)) = self.case.definition(task_id).filter(|_| is_place) {
                self.foresight.dependencies_of(&definition, self.case.limits.links);
            }
            self.advance(task_id);
        }
        for item in self.waiting.remove(&need).unwrap_or_default() {
            self.arrived(item);
        }
    }

    /// Concludes. `now` is the time of conclusion, as the report is to say it. What is not known by now
    /// keeps the verdict from being "verified".
    #[must_use]
    pub fn conclude(&self, now: Timestamp) -> Conclusion {
        Conclusion::of(self, conclude::conclude(self, now))
    }

    /// The facts come from a recording. The verdict says so, and gives no clearance: a recording is no
    /// evidence of the present, and nobody but whoever keeps it vouches for it.
    pub fn judge_recording(&mut self) {
        self.source = Source::Recording;
    }

    /// Every fact that it was told and has taken, in no order.
    pub fn facts(&self) -> impl Iterator<Item = (&Need, &Fact)> {
        self.case.facts()
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
            let will_have_run = task_id != self.case.target.task_id || self.case.target.check_task;
            self.foresight.task(task_id, will_have_run, self.case.limits.links);
            self.ask(Need::Definition { task_id });
        }
    }

    /// A definition is known.
    fn advance(&mut self, task_id: TaskId) {
        let (asked, joined) = self.chain.advance(&self.case, task_id);
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

    /// What checks will ask when more of the chain is known can be on its way before.
    fn look_ahead(&mut self, task_id: TaskId) {
        let cx = Cx::new(&self.case, &self.chain);
        if let Some(link) = self.chain.link(task_id) {
            let look_ahead = self.registry.checks.iter().filter_map(|check| check.look_ahead);
            look_ahead.for_each(|look| look(&cx, link));
        }
        let foreseen = cx.into_open().foreseen;
        self.foresee(foreseen);
    }

    fn foresee(&mut self, foreseen: BTreeSet<Need>) {
        let unknown = foreseen.into_iter().filter(|need| !self.case.knows(need));
        unknown.for_each(|need| self.foresight.need(need));
    }

    /// One of the things an item waits for is there.
    fn arrived(&mut self, number: usize) {
        let Some(item) = self.items.get_mut(number) else { return };
        item.awaited = item.awaited.saturating_sub(1);
        if item.awaited == 0 {
            self.examine(number);
        }
    }

    /// Examines every check on those of its scopes that `subject` makes something of.
    fn add_all(&mut self, subject: impl Fn(&Scope) -> Option<Subject>) {
        for check in self.registry.checks {
            for subject in check.scopes.iter().filter_map(&subject) {
                self.add(check, subject);
            }
        }
    }

    fn add(&mut self, check: &'static Check, subject: Subject) {
        let number = self.items.len();
        self.items.push(Item { check, subject, state: State::Waiting, awaited: 0, steps: 0 });
        self.examine(number);
    }

    fn examine(&mut self, number: usize) {
        let Some(item) = self.items.get(number) else { return };
        if !matches!(item.state, State::Waiting) || self.case.work.begin(item.steps).is_err() {
            return;
        }
        let cx = Cx::new(&self.case, &self.chain);
        let result = match item.subject {
            Subject::Chain(examine) => examine(&cx),
            Subject::Task(task_id, examine) => examine(&cx, task_id),
            Subject::Link(task_id, examine) => {
                self.chain.link(task_id).map_or(Err(Stop::Blocked), |link| examine(&cx, link))
            }
        };
        let Open { missing, foreseen, waits_for_chain } = cx.into_open();
        let steps = self.case.work.end();
        if self.has_stopped() {
            return;
        }
        self.foresee(foreseen);
        let state = match result {
            Ok(examination) => State::Done(examination),
            Err(Stop::Blocked) => State::Blocked,
            Err(Stop::Waiting | Stop::Halted) => State::Waiting,
        };
        let waits = matches!(state, State::Waiting);
        if let Some(item) = self.items.get_mut(number) {
            item.awaited = missing.len().saturating_add(usize::from(waits_for_chain));
            item.steps = steps;
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
        // What is known was handed out before.
        if !self.handed_out.contains(&need) {
            self.ready.insert(need);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Measurement;
    use crate::policy::{KindRole, Landed, Rule};
    use crate::task::{Definition, Kind};
    use crate::verdict::{Class, Code, Outcome, Standing, Verdict};

    const CODE: Code = Code::new("a-code", Class::Tamper, "Something.").relaxable(Rule::ActionHook);

    fn target() -> TaskId {
        Definition::sample_id()
    }

    /// A case about a decision task, of which nothing is known yet.
    fn opened() -> Inquiry {
        let kind = Kind::parse("decision").unwrap();
        let mut product = Product::empty("p");
        product.kinds.insert(kind.clone(), KindRole::Decision);
        let target = Target { task_id: target(), kind, check_task: true, extent: Extent::default() };
        let (keys, limits) = (KeyRing::default(), Limits::default());
        Inquiry::new(target, Arc::new(product), keys, limits, Switches::default())
    }

    fn body(text: &str) -> Fact {
        let measurement = Measurement { length: 0, sha256: [0; 32], sha512: None };
        Fact::Body(Body { bytes: text.as_bytes().into(), measurement })
    }

    /// The same once the task is known, which depends on nothing else.
    fn closed() -> Inquiry {
        let mut inquiry = opened();
        for need in inquiry.needs() {
            inquiry.supply(&need, body(Definition::SAMPLE));
        }
        inquiry
    }

    fn concluded(inquiry: &Inquiry) -> Verdict {
        inquiry.conclude(Timestamp::UNIX_EPOCH).into_verdict()
    }

    fn finding(standing: Standing) -> Finding {
        Finding::new("a check", CODE, standing, target(), "Something.")
    }

    /// The same, where every check has come to an end with this finding, and nothing is asked for.
    fn ended(standing: Standing) -> Inquiry {
        let mut inquiry = closed();
        inquiry.handed_out.clear();
        inquiry.ready.clear();
        for item in &mut inquiry.items {
            item.state = State::Done(vec![finding(standing)].into());
        }
        inquiry
    }

    #[test]
    fn each_need_is_handed_out_once_and_its_first_fact_stays() {
        let mut inquiry = opened();
        let definition = Need::Definition { task_id: target() };
        assert_eq!(inquiry.outstanding(), 0);
        let absent = |message: &str| Fact::Absent { status: 404, message: message.to_owned() };
        inquiry.supply(&definition, absent("said before it was asked"));
        assert!(!inquiry.case.knows(&definition));
        assert_eq!(inquiry.needs(), std::slice::from_ref(&definition));
        assert_eq!((inquiry.needs(), inquiry.outstanding()), (Vec::new(), 1));
        inquiry.supply(&definition, absent("first"));
        assert_eq!(inquiry.outstanding(), 0);
        inquiry.supply(&definition, absent("second"));
        assert_eq!(inquiry.case.facts().map(|(_, fact)| fact).collect::<Vec<_>>(), [&absent("first")]);
        assert_eq!(inquiry.needs(), []);
    }

    #[test]
    fn what_a_task_that_has_run_will_need_is_foreseen_once() {
        let mut inquiry = opened();
        let (task_id, run_id) = (target(), crate::task::RunId(0));
        let foreseen = inquiry.foreseen();
        for need in [
            Need::Status { task_id },
            Need::Document { task_id, run_id },
            Need::Signature { task_id, run_id },
        ] {
            assert!(foreseen.contains(&need), "{need}");
        }
        assert_eq!(inquiry.foreseen(), []);
    }

    #[test]
    fn links_are_told_by_their_names() {
        assert_eq!(concluded(&opened()).links, []);
        let links = concluded(&closed()).links;
        let told: Vec<_> =
            links.iter().map(|link| (link.name.to_string(), link.task_id, link.run_id)).collect();
        assert_eq!(told, [("decision".to_owned(), target(), None)]);
    }

    /// What a relaxed rule has found counts after all where another check came to no end, unless that is
    /// because something is not known.
    #[test]
    fn what_is_relaxed_counts_where_a_check_cannot_do_without_it() {
        let relaxing = |state: State| {
            let mut inquiry = ended(Standing::Failed);
            Arc::make_mut(&mut inquiry.case.product).relaxed.insert(Rule::ActionHook);
            inquiry.items[1].state = state;
            inquiry
        };
        let judged = |inquiry: Inquiry| {
            let verdict = concluded(&inquiry);
            let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
            let told =
                verdict.failed().all(|finding| finding.message.contains("The policy relaxes action-hook"));
            (verdict.outcome, failed.into_iter().collect::<Vec<_>>(), told)
        };
        let done = State::Done(vec![finding(Standing::Passed)].into());
        assert_eq!(judged(relaxing(done)), (Outcome::Verified, vec![], true));
        assert_eq!(judged(relaxing(State::Blocked)), (Outcome::Rejected, vec!["a-code"], true));
        let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"], false);
        for state in [State::Waiting, State::Done(Examination::default())] {
            assert_eq!(judged(relaxing(state)), unfinished);
        }
        let mut open = relaxing(State::Blocked);
        open.chain = Chain::new(&open.case);
        assert_eq!(judged(open), unfinished);
        // Without such a finding there is nobody to say why.
        let mut nobody = ended(Standing::Relaxed);
        nobody.items[1].state = State::Blocked;
        assert_eq!(judged(nobody), unfinished);
    }

    #[test]
    fn what_is_wrong_with_a_definition_is_told() {
        let mut inquiry = opened();
        for need in inquiry.needs() {
            inquiry.supply(&need, Fact::Absent { status: 404, message: "no such task".to_owned() });
        }
        let verdict = concluded(&inquiry);
        let failed: Vec<_> = verdict.failed().map(|finding| (finding.code.name, finding.task_id)).collect();
        assert_eq!(failed, [("task-unknown", target())]);
    }

    #[test]
    fn an_incomplete_case_is_no_yes() {
        let judged = |inquiry: Inquiry| {
            let verdict = concluded(&inquiry);
            let failed = verdict.failed().map(|finding| finding.code.name).collect::<BTreeSet<_>>();
            (verdict.outcome, failed.into_iter().collect::<Vec<_>>())
        };
        let unfinished = (Outcome::Undetermined, vec!["availability-unfinished"]);
        assert_eq!(judged(opened()), unfinished);
        for standing in [Standing::Passed, Standing::Relaxed] {
            assert_eq!(judged(ended(standing)), (Outcome::Verified, Vec::new()));
            for state in [State::Waiting, State::Blocked, State::Done(Examination::default())] {
                for number in 0..ended(standing).items.len() {
                    let mut inquiry = ended(standing);
                    inquiry.items[number].state = state.clone();
                    assert_eq!(judged(inquiry), unfinished, "{standing:?} {state:?} {number}");
                }
            }
            let mut inquiry = ended(standing);
            inquiry.chain = Chain::new(&inquiry.case);
            assert_eq!(judged(inquiry), unfinished);
            let mut inquiry = ended(standing);
            inquiry.ready.insert(Need::Status { task_id: target() });
            assert_eq!(judged(inquiry), unfinished);
            let mut inquiry = ended(standing);
            inquiry.handed_out.insert(Need::Status { task_id: target() });
            assert_eq!(judged(inquiry), unfinished);
        }
        assert_eq!(judged(ended(Standing::Failed)), (Outcome::Rejected, vec!["a-code"]));
    }

    #[test]
    fn only_the_policy_relaxes_and_that_is_told() {
        let relaxing = |rule: Rule| {
            let mut inquiry = ended(Standing::Passed);
            let mut product = Product::empty("p");
            product.relaxed.insert(rule);
            inquiry.case.product = Arc::new(product);
            inquiry.case.switches.danger_allow_http = true;
            inquiry.items[0].state = State::Done(vec![finding(Standing::Failed)].into());
            let verdict = concluded(&inquiry);
            let relaxed = verdict.relaxed.iter().map(|one| format!("{} {}", one.as_str(), one.by().as_str()));
            (verdict.outcome, verdict.findings[0].standing, relaxed.collect::<Vec<_>>())
        };
        let told = |rule: Rule| vec![format!("{rule} policy"), "danger-allow-http switch".to_owned()];
        assert_eq!(
            relaxing(Rule::ActionHook),
            (Outcome::Verified, Standing::Relaxed, told(Rule::ActionHook))
        );
        assert_eq!(
            relaxing(Rule::ActionInput),
            (Outcome::Rejected, Standing::Failed, told(Rule::ActionInput))
        );
    }

    #[test]
    fn only_a_verified_target_is_cleared() {
        let cleared = |inquiry: &Inquiry| inquiry.conclude(Timestamp::UNIX_EPOCH).clearance().is_some();
        assert!(cleared(&ended(Standing::Passed)));
        for standing in [Standing::Failed, Standing::Passed] {
            let mut inquiry = ended(standing);
            // Any outcome but "verified": a failed check, then one that came to no end.
            if standing == Standing::Passed {
                inquiry.items[0].state = State::Waiting;
            }
            assert!(!cleared(&inquiry), "{:?}", concluded(&inquiry).outcome);
            assert!(inquiry.conclude(Timestamp::UNIX_EPOCH).clearance_despite_switches().is_none());
        }
        let mut recorded = ended(Standing::Passed);
        recorded.judge_recording();
        let conclusion = recorded.conclude(Timestamp::UNIX_EPOCH);
        assert_eq!(conclusion.verdict().outcome, Outcome::Verified);
        assert_eq!(conclusion.verdict().source, Source::Recording);
        assert!(conclusion.clearance_despite_switches().is_none());
    }

    #[test]
    fn a_clearance_says_what_was_weakened_and_a_switch_withholds_it() {
        let mut inquiry = ended(Standing::Failed);
        Arc::make_mut(&mut inquiry.case.product).relaxed.insert(Rule::ActionHook);
        let weakened = |clearance: &Clearance| {
            clearance.weakened().iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>()
        };
        let conclusion = inquiry.conclude(Timestamp::UNIX_EPOCH);
        let clearance = conclusion.clearance().unwrap();
        assert_eq!(
            (weakened(clearance), clearance.is_weakened_by_switch()),
            (vec!["action-hook".to_owned()], false)
        );
        assert_eq!((clearance.task_id(), clearance.product()), (target(), "p"));
        for switch in ["danger-allow-http", "danger-skip-signatures", "offline"] {
            inquiry.case.switches = Switches {
                danger_allow_http: switch == "danger-allow-http",
                danger_skip_signatures: switch == "danger-skip-signatures",
                offline: switch == "offline",
            };
            let conclusion = inquiry.conclude(Timestamp::UNIX_EPOCH);
            assert!(conclusion.clearance().is_none(), "{switch}");
            let clearance = conclusion.clearance_despite_switches().unwrap();
            assert!(clearance.is_weakened_by_switch());
            assert_eq!(weakened(clearance), ["action-hook", switch]);
        }
    }

    #[test]
    fn what_nobody_asks_counts_as_weakened() {
        let relaxed = |landed: Landed| {
            let mut inquiry = ended(Standing::Passed);
            Arc::make_mut(&mut inquiry.case.product).landed = landed;
            let relaxed = concluded(&inquiry).relaxed;
            relaxed
                .into_iter()
                .map(|one| format!("{} {}", one.as_str(), one.by().as_str()))
                .collect::<Vec<_>>()
        };
        assert_eq!(relaxed(Landed::Assumed), ["landed-assumed policy"]);
        assert_eq!([relaxed(Landed::Compare), relaxed(Landed::BranchCommits)], [[""; 0]; 2]);
    }

    #[test]
    fn findings_stand_in_the_order_of_the_links_and_failed_ones_first() {
        let mut inquiry = ended(Standing::Passed);
        let other = TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap();
        let said =
            |check, standing, task_id, message: &str| Finding::new(check, CODE, standing, task_id, message);
        let findings = vec![
            said("a", Standing::Failed, other, "of no link"),
            said("b", Standing::Passed, target(), "2"),
            said("b", Standing::Passed, target(), "1"),
            said("a", Standing::Passed, target(), "3"),
            said("c", Standing::Relaxed, target(), "4"),
            said("d", Standing::Failed, target(), "5"),
        ];
        inquiry.items.truncate(1);
        inquiry.items[0].state = State::Done(findings.into());
        let verdict = concluded(&inquiry);
        let told = verdict.findings.iter().filter(|finding| finding.code == CODE);
        let told: Vec<_> = told.map(|finding| finding.message.as_str()).collect();
        assert_eq!(told, ["5", "4", "3", "1", "2", "of no link"]);
    }

    #[test]
    fn artifacts_are_told_once_and_in_order() {
        let mut inquiry = ended(Standing::Passed);
        let made = |name: &str, length| VerifiedArtifact {
            task_id: target(),
            run_id: crate::task::RunId(0),
            name: crate::task::ArtifactName::parse(name).unwrap(),
            digest: crate::digest::Digest::Sha256([0; 32]),
            length: Some(length),
            evidence: crate::verdict::Evidence::Measured,
        };
        let artifacts = vec![made("public/b", 1), made("public/a", 2), made("public/b", 1)];
        inquiry.items[0].state = State::Done(Examination {
            findings: vec![finding(Standing::Passed)],
            artifacts,
            ..Examination::default()
        });
        let told = concluded(&inquiry).artifacts;
        assert_eq!(told, [made("public/a", 2), made("public/b", 1)]);
    }
}
