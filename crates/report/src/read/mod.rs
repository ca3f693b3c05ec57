//! A verdict read back from its JSON report (`docs/verdict-json.md`).
//!
//! What is read is a report and no proof: whoever wrote the file says it. Members that are not known here are
//! passed over, as the schema asks of a reader; what is known must be there, of its type, and must not
//! contradict itself.

mod place;

use catena_json::{Limits, Path};
use catena_keys::{PublicKey, Scheme};
use catena_model::Timestamp;
use catena_model::digest::Digest;
use catena_model::task::{ArtifactName, Kind, LinkName, RunId, TaskId, WorkerImplementation};
use catena_verify::verdict::{
    ArtifactEvidence, Class, Disposition, Edge, LinkSummary, Outcome, RelaxedBy, SignedDocument, Source,
    VerifiedArtifact, Worker,
};
use catena_verify::verification::Extent;
use place::Place;

/// A verdict as a report tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadVerdict {
    /// The version of the program that wrote it.
    pub version: String,
    /// The answer.
    pub outcome: Outcome,
    /// The task it is about.
    pub task_id: TaskId,
    /// The kind it was judged as.
    pub kind: Kind,
    /// Whether its own document was checked too.
    pub check_task: bool,
    /// Which artifacts were to be measured beside those it takes in.
    pub extent: Extent,
    /// The product it was judged for.
    pub product: String,
    /// The trusted tree that the chain goes back to.
    pub tree: Option<String>,
    /// The policy it was judged by.
    pub policy: ReadPolicy,
    /// The keys that signatures were held against.
    pub keys: ReadKeys,
    /// Where the facts came from.
    pub source: Source,
    /// When it was concluded.
    pub concluded: Timestamp,
    /// What was weakened.
    pub relaxed: Vec<ReadRelaxed>,
    /// The links of the chain, the target first.
    pub links: Vec<LinkSummary>,
    /// Every finding.
    pub findings: Vec<ReadFinding>,
    /// The artifacts that the answer is about.
    pub artifacts: Vec<VerifiedArtifact>,
}

/// The policy of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPolicy {
    /// The file that was named last, or `shipped:firefox-ci`.
    pub name: String,
    /// The version of the policy's format.
    pub version: String,
    /// Of what it says.
    pub digest: Digest,
    /// The files it was read from, the lowest first.
    pub layers: Vec<String>,
}

/// The keys of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadKeys {
    /// Of the keys and when they count.
    pub digest: Digest,
    /// The file they were read from; none where they are the policy's own.
    pub file: Option<String>,
    /// Keys that the policy does not trust for that implementation.
    pub widened: Vec<(WorkerImplementation, PublicKey)>,
}

/// Something that was weakened. A later version may know rules that are not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRelaxed {
    /// The rule's name, or the switch.
    pub rule: String,
    /// Who weakened it.
    pub by: RelaxedBy,
}

/// A finding of a report. A later version may know codes that are not known here.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadFinding {
    /// The check.
    pub check: String,
    /// What was found.
    pub code: String,
    /// What a failure means; none for a code that only tells that something passed.
    pub class: Option<Class>,
    /// How it counts.
    pub disposition: Disposition,
    /// The task it is about.
    pub task_id: TaskId,
    /// One sentence with the particulars.
    pub message: String,
}

/// Why something is not a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not strict JSON, or larger than the limits allow.
    #[error("the verdict is not readable as JSON: {0}")]
    Json(catena_json::ParseError),
    /// A member is missing or of another type or form.
    #[error("the verdict is malformed at {path}: {expected} is expected")]
    Malformed {
        /// The place.
        path: Path,
        /// What must stand there.
        expected: &'static str,
    },
    /// It is of a version of the schema that is not known here.
    #[error("the verdict is of the schema {0:?}, which is unsupported; supported is catena-verdict/1")]
    Schema(String),
    /// It says two things that cannot both be.
    #[error("the verdict contradicts itself: {0}")]
    Contradiction(&'static str),
}

type Read<T> = Result<T, ReadError>;

impl ReadVerdict {
    /// Reads a report.
    ///
    /// # Errors
    /// Anything that is not a report in a version of the schema that is known here, or that contradicts
    /// itself.
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
        } else {
            return Ok(());
        };
        Err(ReadError::Contradiction(contradiction))
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
    })
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
