//! The evidence of a verification, and how a check reads it.

use super::chain::{Chain, Link};
use super::notes::Notes;
use super::parser::{Parsed, ParsedFact};
use super::work::Work;
use super::{Body, Fact, Need};
use crate::verdict::ArtifactEvidence;
use catena_json::{ParseError, Value};
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::document::{Document, DocumentError};
use catena_model::graph::GraphScan;
use catena_model::projects::Projects;
use catena_model::task::{
    Definition, DefinitionError, Kind, ListingError, ListingPage, Run, RunId, Status, StatusError, TaskId,
};
use catena_policy::{KeyRing, Product, Rule};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The target of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The task.
    pub task_id: TaskId,
    /// The kind that it is verified as.
    pub kind: Kind,
    /// Whether it has run, so that its own document is verified too.
    pub check_task: bool,
    /// Which artifacts are measured beside the target's inputs.
    pub extent: Extent,
}

/// Which artifacts are measured beside the target's inputs and those that the verification itself
/// reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// Every artifact that the document of a finished target lists.
    #[default]
    Listed,
    /// No further ones: the verdict names the digests in the document of a finished target.
    Named,
    /// As `Listed`, and the inputs of every other link of the chain.
    All,
}

impl Extent {
    /// All extents.
    pub const ALL: [Self; 3] = [Self::Listed, Self::Named, Self::All];

    /// The word that the command line, recordings and reports use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Named => "named",
            Self::All => "all",
        }
    }

    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extent| extent.as_str() == text)
    }
}

/// Relaxations by the caller. They all appear in the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Accept documents without verifying their signatures.
    pub danger_skip_signatures: bool,
    /// Facts may arrive over plain http from any host. The verification only reports it.
    pub danger_allow_http: bool,
    /// No requests were made: mutable data comes from an earlier verification. The verification only
    /// reports it.
    pub offline: bool,
}

impl Switches {
    /// Whether anything is weakened.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }
}

/// Why a check cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Evidence is missing.
    Waiting,
    /// It depends on something that another check has rejected.
    Blocked,
    /// The verification has stopped: it was cancelled, or has exceeded its limit of steps.
    Halted,
}

/// The answer of a service, once available.
#[derive(Clone, Debug)]
pub(crate) enum Answer<T> {
    /// The answer.
    Is(T),
    /// The service states that the thing does not exist.
    Absent(String),
}

/// A JSON answer, or why it could not be parsed.
pub(crate) type Json = Result<Arc<Value>, ParseError>;

/// Why a link's definition cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoDefinition {
    /// The queue does not know the task.
    Absent(String),
    /// The queue's answer is not strict JSON.
    Json(ParseError),
    /// A required part is missing or malformed.
    Malformed(DefinitionError),
    /// It is unavailable; the finding comes with the fact.
    Unknown,
}

/// The inputs and facts of a verification.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) target: Target,
    pub(crate) product: Arc<Product>,
    pub(crate) keys: KeyRing,
    pub(crate) limits: Limits,
    pub(crate) switches: Switches,
    pub(crate) work: Work,
    facts: HashMap<Need, Fact>,
    definitions: BTreeMap<TaskId, Result<Arc<Definition>, NoDefinition>>,
    statuses: HashMap<TaskId, Result<Status, StatusError>>,
    /// Documents by their runs.
    documents: HashMap<(TaskId, RunId), ParsedDocument>,
    /// Pages of the queue's lists of artifacts.
    pages: HashMap<Need, Result<ListingPage, ListingError>>,
    /// The list of projects, of which there is one, or why it cannot be parsed.
    projects: Option<Result<Projects, String>>,
    /// All other JSON answers.
    parsed: HashMap<Need, Json>,
    /// Answers that do not have the form of an answer to their need.
    malformed: BTreeSet<Need>,
    /// What checks note down.
    notes: Notes,
}

/// A parsed document, or why it could not be parsed.
pub(crate) type ParsedDocument = Result<Arc<Document>, DocumentError>;

impl Evidence {
    pub(crate) fn new(
        target: Target,
        product: Arc<Product>,
        keys: KeyRing,
        limits: Limits,
        switches: Switches,
    ) -> Self {
        Self {
            target,
            product,
            keys,
            work: Work::new(limits.steps),
            limits,
            switches,
            facts: HashMap::new(),
            definitions: BTreeMap::new(),
            statuses: HashMap::new(),
            documents: HashMap::new(),
            pages: HashMap::new(),
            projects: None,
            parsed: HashMap::new(),
            malformed: BTreeSet::new(),
            notes: Notes::default(),
        }
    }

    /// A verification without any facts, about a task that has run, for tests.
    #[cfg(test)]
    pub(crate) fn sample(product: Product) -> Self {
        let (task_id, extent) = (Definition::sample_id(), Extent::default());
        let target = Target { task_id, kind: Kind::unknown(), check_task: true, extent };
        Self::new(target, Arc::new(product), KeyRing::default(), Limits::default(), Switches::default())
    }

    /// The same, with a task whose definition is [`Definition::SAMPLE`] with other text in some places.
    #[cfg(test)]
    pub(crate) fn knowing(mut self, task_id: TaskId, changes: &[(&str, &str)]) -> Self {
        let text = changes.iter().fold(Definition::SAMPLE.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let measurement = Measurement { length: 0, sha256: [0; 32], sha512: None };
        let body = Body { bytes: text.as_bytes().into(), measurement };
        let parser = super::FactParser::new(&self.limits);
        self.learn(parser.read(Need::Definition { task_id }, Fact::Body(body)));
        self
    }

    pub(crate) fn learn(&mut self, seen: ParsedFact) {
        if seen.is_malformed() {
            self.malformed.insert(seen.need().clone());
        }
        let (need, fact, reading) = seen.into_parts();
        match (&need, reading) {
            (Need::Definition { task_id }, Parsed::Definition(definition)) => {
                self.definitions.insert(*task_id, definition);
            }
            (Need::Status { task_id }, Parsed::Status(status)) => {
                self.statuses.insert(*task_id, status);
            }
            (Need::Document { task_id, run_id }, Parsed::Document(document)) => {
                self.documents.insert((*task_id, *run_id), document);
            }
            (_, Parsed::Listing(page)) => drop(self.pages.insert(need.clone(), page)),
            (_, Parsed::Projects(projects)) => self.projects = Some(projects),
            (_, Parsed::Json(json)) => drop(self.parsed.insert(need.clone(), json)),
            _ => {}
        }
        self.facts.insert(need, fact);
    }

    pub(crate) fn definition(&self, task_id: TaskId) -> Option<Result<Arc<Definition>, NoDefinition>> {
        self.definitions.get(&task_id).cloned()
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = (&Need, &Fact)> {
        self.facts.iter()
    }

    /// Answers that do not have the form of an answer to their need.
    pub(super) fn malformed(&self) -> impl Iterator<Item = &Need> {
        self.malformed.iter()
    }

    /// Whether bytes were seen for a need, and only once in this run.
    pub(super) fn is_seen_once(&self, need: &Need) -> bool {
        let fact = self.facts.get(need);
        fact.is_some_and(|fact| fact.measurement().is_some() && !matches!(fact, Fact::Confirmed(_)))
    }

    /// Whether the same bytes were seen twice for a need.
    pub(super) fn is_confirmed(&self, need: &Need) -> bool {
        matches!(self.facts.get(need), Some(Fact::Confirmed(_)))
    }

    /// All facts, for a case that begins anew.
    pub(super) fn into_facts(self) -> HashMap<Need, Fact> {
        self.facts
    }

    pub(crate) fn knows(&self, need: &Need) -> bool {
        self.facts.contains_key(need)
    }

    /// The evidence for the artifact of a need whose fact is available.
    pub(crate) fn evidence(&self, need: &Need) -> ArtifactEvidence {
        match self.facts.get(need) {
            Some(Fact::Recalled(_)) => ArtifactEvidence::Recalled,
            _ => ArtifactEvidence::Measured,
        }
    }

    /// Whether the policy relaxes a rule.
    pub(crate) fn relaxes(&self, rule: Rule) -> bool {
        self.product.relaxed.contains(&rule)
    }
}

/// The evidence that one check may read while it examines one link. Every request that cannot be
/// answered yet is remembered, so that what a check needs and what it reads are the same by
/// construction.
pub(crate) struct CheckContext<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) chain: &'a Chain,
    missing: RefCell<BTreeSet<Need>>,
    foreseen: RefCell<BTreeSet<Need>>,
    doubted: RefCell<BTreeSet<Need>>,
    confirmed: RefCell<BTreeSet<Need>>,
    waits_for_chain: Cell<bool>,
}

/// What an examination left open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// What it requested and did not get.
    pub(crate) missing: BTreeSet<Need>,
    /// What it will very probably request next.
    pub(crate) foreseen: BTreeSet<Need>,
    /// What a failure of it may rest on that a passing fault has altered.
    pub(crate) doubted: BTreeSet<Need>,
    /// What it looked at that was seen twice with the same bytes.
    pub(crate) confirmed: BTreeSet<Need>,
    /// Whether it waits until every link is known.
    pub(crate) waits_for_chain: bool,
}

impl<'a> CheckContext<'a> {
    pub(crate) fn new(evidence: &'a Evidence, chain: &'a Chain) -> Self {
        Self {
            evidence,
            chain,
            missing: RefCell::default(),
            foreseen: RefCell::default(),
            doubted: RefCell::default(),
            confirmed: RefCell::default(),
            waits_for_chain: Cell::new(false),
        }
    }

    pub(crate) fn into_open(self) -> Open {
        Open {
            missing: self.missing.into_inner(),
            foreseen: self.foreseen.into_inner(),
            doubted: self.doubted.into_inner(),
            confirmed: self.confirmed.into_inner(),
            waits_for_chain: self.waits_for_chain.get(),
        }
    }

    /// Notes of checks in this verification.
    pub(crate) fn notes<T: Default + Send + 'static>(&self) -> Result<&'a T, Stop> {
        self.evidence.notes.of()
    }

    /// Declares that something will very probably be requested, which cannot be requested yet.
    pub(crate) fn foresee(&self, need: Need) {
        self.foreseen.borrow_mut().insert(need);
    }

    /// Says that a failure rests on the bytes that were seen for a need, which a passing fault may have altered.
    /// They are requested again before the failure counts (specification 11.11).
    pub(crate) fn doubt(&self, need: Need) {
        self.doubted.borrow_mut().insert(need);
    }

    /// Foresees all that `look` would ask for if it came to its turn now.
    pub(crate) fn foresee_all(&self, look: impl FnOnce(&Self)) {
        let probe = Self::new(self.evidence, self.chain);
        look(&probe);
        let open = probe.into_open();
        self.foreseen.borrow_mut().extend(open.missing.into_iter().chain(open.foreseen));
    }

    /// The fact for a need. Unavailable evidence blocks the check; the finding comes with the fact.
    fn fact(&self, need: &Need) -> Result<Answer<&'a Fact>, Stop> {
        match self.evidence.facts.get(need) {
            None => {
                self.missing.borrow_mut().insert(need.clone());
                Err(Stop::Waiting)
            }
            Some(Fact::Unreachable { .. } | Fact::Refused { .. }) => Err(Stop::Blocked),
            Some(Fact::Absent { message, .. }) => Ok(Answer::Absent(message.clone())),
            Some(fact) => {
                if let Fact::Confirmed(_) = fact {
                    self.confirmed.borrow_mut().insert(need.clone());
                } else if need.is_unproven_file() {
                    self.doubt(need.clone());
                }
                Ok(Answer::Is(fact.observed()))
            }
        }
    }

    /// Pays for work before it is done; no more work is done once the verification has stopped.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Stop> {
        self.evidence.work.spend(steps)
    }

    /// A small answer.
    pub(crate) fn body(&self, need: &Need) -> Result<Answer<&'a Body>, Stop> {
        match self.fact(need)? {
            Answer::Is(Fact::Body(body)) => Ok(Answer::Is(body)),
            Answer::Is(_) => Err(Stop::Blocked),
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// A JSON answer. It has a cost, since a check may read hundreds of pages for every link.
    pub(crate) fn json(&self, need: &Need) -> Result<Answer<Json>, Stop> {
        self.spend(1)?;
        match self.fact(need)? {
            Answer::Is(_) => self.evidence.parsed.get(need).cloned().map(Answer::Is).ok_or(Stop::Blocked),
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// A page of the queue's list of artifacts.
    pub(crate) fn page(&self, need: &Need) -> Result<Answer<&'a Result<ListingPage, ListingError>>, Stop> {
        match self.fact(need)? {
            Answer::Is(_) => self.evidence.pages.get(need).map(Answer::Is).ok_or(Stop::Blocked),
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// The list of projects that the policy names, or why it cannot be parsed.
    pub(crate) fn projects(&self) -> Result<Answer<Result<&'a Projects, &'a str>>, Stop> {
        match self.fact(&Need::Projects { url: self.evidence.product.projects_url.clone() })? {
            Answer::Is(_) => {
                let projects = self.evidence.projects.as_ref().ok_or(Stop::Blocked)?;
                Ok(Answer::Is(projects.as_ref().map_err(String::as_str)))
            }
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// The measurement of an artifact.
    pub(crate) fn measurement(&self, need: &Need) -> Result<Answer<Measurement>, Stop> {
        self.spend(1)?;
        match self.fact(need)? {
            Answer::Is(Fact::Measured(measurement)) => Ok(Answer::Is(*measurement)),
            Answer::Is(Fact::Body(body)) => Ok(Answer::Is(body.measurement)),
            Answer::Is(Fact::Graph(scan)) => Ok(Answer::Is(scan.measurement)),
            Answer::Is(_) => Err(Stop::Blocked),
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// A scanned graph.
    pub(crate) fn graph(&self, need: &Need) -> Result<Answer<&'a GraphScan>, Stop> {
        self.spend(1)?;
        match self.fact(need)? {
            Answer::Is(Fact::Graph(scan)) => Ok(Answer::Is(scan)),
            Answer::Is(_) => Err(Stop::Blocked),
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// Waits until every link of the chain is known.
    pub(crate) fn closed(&self) -> Result<&'a Chain, Stop> {
        if self.chain.is_closed() {
            Ok(self.chain)
        } else {
            self.waits_for_chain.set(true);
            Err(Stop::Waiting)
        }
    }

    /// The link of a task, as soon as it is known; `None` if the closed chain does not have it.
    pub(crate) fn link(&self, task_id: TaskId) -> Result<Option<&'a Link>, Stop> {
        match self.chain.link(task_id) {
            Some(link) => Ok(Some(link)),
            None => self.closed().map(|_| None),
        }
    }

    /// The status of a link's task.
    pub(crate) fn status(&self, link: &Link) -> Result<Answer<Result<&'a Status, &'a StatusError>>, Stop> {
        match self.fact(&Need::Status { task_id: link.task_id })? {
            Answer::Is(_) => {
                let status = self.evidence.statuses.get(&link.task_id).ok_or(Stop::Blocked)?;
                Ok(Answer::Is(status.as_ref()))
            }
            Answer::Absent(message) => Ok(Answer::Absent(message)),
        }
    }

    /// The run that the chain is about: the last one. Everything else is requested for exactly this
    /// run. While it has not ended, its output is not final, and nothing else of it is checked.
    pub(crate) fn run(&self, link: &Link) -> Result<&'a Run, Stop> {
        let run = self.latest_run(link)?;
        let is_judged = run.state.has_ended() || self.evidence.relaxes(Rule::RunState);
        if is_judged { Ok(run) } else { Err(Stop::Blocked) }
    }

    /// Who says what a key of the product's policy says: the policy, and the line of it.
    pub(crate) fn policy(&self, key: &str) -> String {
        policy_line(self.evidence.product.places.key(key))
    }

    /// The same for an entry of a key.
    pub(crate) fn policy_entry(&self, key: &str, entry: &str) -> String {
        policy_line(self.evidence.product.places.entry(key, entry))
    }

    /// All runs of a link's task, the first one first.
    pub(crate) fn runs(&self, link: &Link) -> Result<&'a [Run], Stop> {
        match self.status(link)? {
            Answer::Is(Ok(status)) if status.task_id == link.task_id => Ok(&status.runs),
            _ => Err(Stop::Blocked),
        }
    }

    /// The last run of a link's task, whether or not it has ended.
    pub(crate) fn latest_run(&self, link: &Link) -> Result<&'a Run, Stop> {
        match self.status(link)? {
            Answer::Is(Ok(status)) if status.task_id == link.task_id => status.latest().ok_or(Stop::Blocked),
            _ => Err(Stop::Blocked),
        }
    }

    /// A link's parsed document, regardless of its signature.
    pub(crate) fn unverified_document(&self, link: &Link) -> Result<Answer<ParsedDocument>, Stop> {
        self.document_of(link.task_id, self.run(link)?.run_id)
    }

    /// The parsed document of any run, regardless of its signature.
    pub(crate) fn document_of(&self, task_id: TaskId, run_id: RunId) -> Result<Answer<ParsedDocument>, Stop> {
        if let Answer::Absent(message) = self.body(&Need::Document { task_id, run_id })? {
            return Ok(Answer::Absent(message));
        }
        self.evidence.documents.get(&(task_id, run_id)).cloned().map(Answer::Is).ok_or(Stop::Blocked)
    }

    /// The definition of any task. If it cannot be used, the check `definition` reports why.
    pub(crate) fn definition(&self, task_id: TaskId) -> Result<Arc<Definition>, Stop> {
        self.fact(&Need::Definition { task_id })?;
        match self.evidence.definition(task_id) {
            Some(Ok(definition)) => Ok(definition),
            _ => Err(Stop::Blocked),
        }
    }
}
fn policy_line(line: Option<&catena_policy::PolicyLine>) -> String {
    line.map_or_else(|| "the policy".to_owned(), |line| format!("the policy, {line}"))
}
