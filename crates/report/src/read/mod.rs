//! Parsing a verdict from its JSON report (`docs/verdict-json.md`).
//!
//! The result is a report and not a proof: anyone can write such a file. Unknown members are ignored,
//! as the schema requires of a reader; known ones must be present, have their type, and must not
//! contradict each other.

mod place;
mod text;

use catena_json::{Limits, Path};
use catena_keys::{PublicKey, Scheme};
use catena_model::Timestamp;
use catena_model::digest::Digest;
use catena_model::task::{
    ArtifactName, Kind, LinkName, RunId, RunState, TaskId, WorkerImplementation, WorkerPool,
};
use catena_verify::verdict::{
    ArtifactEvidence, Class, Disposition, Edge, LinkSummary, Outcome, RelaxedBy, SignedDocument, Source,
    VerifiedArtifact, Worker,
};
use catena_verify::verification::Extent;
use place::Place;

/// A verdict from a report.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadVerdict {
    /// The version of the program that wrote it.
    pub version: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The target task.
    pub task_id: TaskId,
    /// The kind that it was verified as.
    pub kind: Kind,
    /// Whether its own document was verified too.
    pub check_task: bool,
    /// Which artifacts were measured beside the target's inputs.
    pub extent: Extent,
    /// The product that it was verified for.
    pub product: String,
    /// The trusted tree that the chain is traced back to.
    pub tree: Option<String>,
    /// The policy that it was verified by.
    pub policy: ReadPolicy,
    /// The keys that signatures were verified with.
    pub keys: ReadKeys,
    /// The source of the facts.
    pub source: Source,
    /// The time of conclusion.
    pub concluded: Timestamp,
    /// What was weakened.
    pub relaxed: Vec<ReadRelaxed>,
    /// The links of the chain, the target first.
    pub links: Vec<LinkSummary>,
    /// Every finding.
    pub findings: Vec<ReadFinding>,
    /// The artifacts that the verdict covers.
    pub artifacts: Vec<VerifiedArtifact>,
}

/// The policy of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPolicy {
    /// The last named file, or `shipped:firefox-ci`.
    pub name: String,
    /// The version of the policy's format.
    pub version: String,
    /// The digest of the merged policy.
    pub digest: Digest,
    /// The files that it was read from, the lowest first.
    pub layers: Vec<String>,
}

/// The keys of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadKeys {
    /// The digest of the keys and their validity.
    pub digest: Digest,
    /// The file that they were read from; `None` if they are the policy's own.
    pub file: Option<String>,
    /// Keys that the policy does not trust for that implementation.
    pub widened: Vec<(WorkerImplementation, PublicKey)>,
}

/// A relaxation. A later version may have rules that are unknown here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRelaxed {
    /// The rule's name, or the switch.
    pub rule: String,
    /// Who weakened it.
    pub by: RelaxedBy,
}

/// A finding of a report. A later version may have codes that are unknown here.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadFinding {
    /// The check.
    pub check: String,
    /// The code.
    pub code: String,
    /// The meaning of a failure; `None` for a code that only reports success.
    pub class: Option<Class>,
    /// How it counts.
    pub disposition: Disposition,
    /// The task that the finding is about.
    pub task_id: TaskId,
    /// One sentence with the details.
    pub message: String,
    /// The fault of a failed finding in one line.
    pub headline: Option<String>,
    /// The position of the finding that it follows from; `None` for a cause.
    pub follows_from: Option<usize>,
}

/// Why a text is not a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not strict JSON, or larger than the limits allow.
    #[error("the verdict is not readable as JSON: {0}")]
    Json(catena_json::ParseError),
    /// A member is missing or malformed.
    #[error("the verdict is malformed at {path}: {expected} is expected")]
    Malformed {
        /// Its position.
        path: Path,
        /// The expected value.
        expected: &'static str,
    },
    /// It has an unsupported version of the schema.
    #[error("the verdict is of the schema {0:?}, which is unsupported; supported is catena-verdict/1")]
    Schema(String),
    /// Two of its statements contradict each other.
    #[error("the verdict contradicts itself: {0}")]
    Contradiction(&'static str),
}

type Read<T> = Result<T, ReadError>;

impl ReadVerdict {
    /// Parses a report.
    ///
    /// # Errors
    /// Anything that is not a report in a supported version of the schema, or that contradicts itself.
    pub fn parse(text: &[u8], limits: &Limits) -> Read<Self> {
        let value = catena_json::parse(text, limits).map_err(ReadError::Json)?;
        let top = Place::top(&value);
        let schema = top.member("schema")?.text()?;
        if schema != crate::SCHEMA {
            return Err(ReadError::Schema(schema.chars().take(80).collect()));
        }
        let target = top.member("target")?;
        let read = Self {
            version: top.member("program")?.member("version")?.owned()?,
            outcome: top.member("outcome")?.parsed("an outcome", Outcome::parse)?,
            task_id: target.member("taskId")?.task_id()?,
            kind: target.member("kind")?.parsed("a kind", |text| Kind::parse(text).ok())?,
            check_task: target.member("checkTask")?.truth()?,
            extent: target.member("artifacts")?.parsed("listed, named or all", Extent::parse)?,
            product: top.member("product")?.owned()?,
            tree: top.member("tree")?.nullable(Place::owned)?,
            policy: policy(&top.member("policy")?)?,
            keys: keys(&top.member("keys")?)?,
            source: top.member("source")?.parsed("services or recording", Source::parse)?,
            concluded: top.member("concluded")?.parsed("a time", |text| text.parse().ok())?,
            relaxed: top.member("relaxed")?.each(relaxed)?,
            links: top.member("links")?.each(link)?,
            findings: top.member("findings")?.each(finding)?,
            artifacts: top.member("artifacts")?.each(artifact)?,
        };
        read.agrees_with_itself(top.member("exitStatus")?.number()?)?;
        Ok(read)
    }

    /// The findings that failed and count.
    pub fn failed(&self) -> impl Iterator<Item = &ReadFinding> {
        self.findings.iter().filter(|finding| finding.disposition == Disposition::Failed)
    }

    fn agrees_with_itself(&self, exit_status: u64) -> Read<()> {
        let contradiction = if exit_status != u64::from(self.outcome.exit_status()) {
            "exitStatus is not that of the outcome"
        } else if (self.outcome == Outcome::Verified) != self.failed().next().is_none() {
            "it is verified exactly if no finding failed"
        } else if self.failed().any(|finding| finding.class.is_none()) {
            "a finding failed with a code that only passes"
        } else if self.findings.iter().any(|finding| !self.has_its_cause(finding)) {
            "a finding follows from one that is not a cause"
        } else {
            return Ok(());
        };
        Err(ReadError::Contradiction(contradiction))
    }

    /// Only a failed finding follows from another, which failed too and follows from nothing.
    fn has_its_cause(&self, finding: &ReadFinding) -> bool {
        let Some(position) = finding.follows_from else { return true };
        let is_cause =
            |cause: &ReadFinding| cause.disposition == Disposition::Failed && cause.follows_from.is_none();
        finding.disposition == Disposition::Failed && self.findings.get(position).is_some_and(is_cause)
    }
}

fn policy(place: &Place<'_>) -> Read<ReadPolicy> {
    Ok(ReadPolicy {
        name: place.member("name")?.owned()?,
        version: place.member("version")?.owned()?,
        digest: place.member("digest")?.digest()?,
        layers: place.member("layers")?.each(Place::owned)?,
    })
}

fn keys(place: &Place<'_>) -> Read<ReadKeys> {
    let widened = |key: &Place<'_>| {
        Ok((implementation(&key.member("workerImplementation")?)?, key.member("key")?.key()?))
    };
    Ok(ReadKeys {
        digest: place.member("digest")?.digest()?,
        file: place.member("file")?.nullable(Place::owned)?,
        widened: place.member("widened")?.each(widened)?,
    })
}

fn implementation(place: &Place<'_>) -> Read<WorkerImplementation> {
    place.parsed("a worker implementation", WorkerImplementation::parse)
}

fn relaxed(place: &Place<'_>) -> Read<ReadRelaxed> {
    let by = place.member("by")?.parsed("policy or switch", RelaxedBy::parse)?;
    Ok(ReadRelaxed { rule: place.member("rule")?.owned()?, by })
}

fn link(place: &Place<'_>) -> Read<LinkSummary> {
    let name = place.member("name")?;
    let parts = name.each(Place::owned)?;
    let left_out = place.member("edgesLeftOut")?;
    Ok(LinkSummary {
        name: LinkName::of(parts).ok_or_else(|| name.wrong("at least one kind"))?,
        task_id: place.member("taskId")?.task_id()?,
        kind: place.member("kind")?.parsed("a kind", |text| Kind::parse(text).ok())?,
        run_id: place.member("runId")?.nullable(run_id)?,
        run_state: place
            .member("runState")?
            .nullable(|state| state.parsed("the state of a run", RunState::parse))?,
        worker_pool: place
            .member("workerPool")?
            .parsed("provisionerId/workerType", |text| WorkerPool::parse(text).ok())?,
        worker: place.member("worker")?.nullable(worker)?,
        worker_implementation: place.member("workerImplementation")?.nullable(implementation)?,
        title: place.member("title")?.nullable(Place::owned)?,
        document: place.member("document")?.nullable(document)?,
        edges: place.member("edges")?.each(edge)?,
        edges_left_out: usize::try_from(left_out.number()?).map_err(|_| left_out.wrong("a count"))?,
    })
}

fn run_id(place: &Place<'_>) -> Read<RunId> {
    let number = place.number()?;
    u32::try_from(number).map(RunId).map_err(|_| place.wrong("the number of a run"))
}

fn worker(place: &Place<'_>) -> Read<Worker> {
    Ok(Worker { group: place.member("group")?.owned()?, id: place.member("id")?.owned()? })
}

fn document(place: &Place<'_>) -> Read<SignedDocument> {
    let signer = place.member("signer")?;
    let scheme = signer.member("scheme")?.parsed("a supported scheme", Scheme::parse)?;
    let key = |text: &str| PublicKey::parse(scheme, text).ok();
    let signer = signer.member("key")?.parsed("a public key", key)?;
    Ok(SignedDocument { digest: place.member("digest")?.digest()?, signer })
}

fn edge(place: &Place<'_>) -> Read<Edge> {
    Ok(Edge { name: place.member("name")?.owned()?, task_id: place.member("taskId")?.task_id()? })
}

fn finding(place: &Place<'_>) -> Read<ReadFinding> {
    let class = |class: &Place<'_>| class.parsed("a class", Class::parse);
    Ok(ReadFinding {
        check: place.member("check")?.owned()?,
        code: place.member("code")?.owned()?,
        class: place.member("class")?.nullable(class)?,
        disposition: place.member("disposition")?.parsed("passed, failed or relaxed", Disposition::parse)?,
        task_id: place.member("taskId")?.task_id()?,
        message: place.member("message")?.owned()?,
        headline: place.member("headline")?.nullable(Place::owned)?,
        follows_from: place.member("followsFrom")?.nullable(position)?,
    })
}

fn position(place: &Place<'_>) -> Read<usize> {
    usize::try_from(place.number()?).map_err(|_| place.wrong("a position"))
}

fn artifact(place: &Place<'_>) -> Read<VerifiedArtifact> {
    Ok(VerifiedArtifact {
        task_id: place.member("taskId")?.task_id()?,
        run_id: run_id(&place.member("runId")?)?,
        name: place.member("name")?.parsed("an artifact's name", |text| ArtifactName::parse(text).ok())?,
        digest: place.member("digest")?.digest()?,
        length: place.member("length")?.nullable(Place::number)?,
        evidence: place.member("evidence")?.parsed("measured, recalled or named", ArtifactEvidence::parse)?,
    })
}
