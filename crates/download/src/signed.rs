//! What a trusted worker key signed: the document of a run, whatever became of the rest of its chain.

use crate::queue::{Queue, QueueError, TaskRun};
use catena_keys::{Invalid, Period, PublicKey, Signature, SignatureError, TrustedKey};
use catena_model::digest::Digest;
use catena_model::document::{Document, DocumentError, Listing};
use catena_model::task::{ArtifactName, Definition, Run, WorkerImplementation};
use catena_policy::{KeyRing, KeyUse, NotPermitted, UnknownImplementation, worker_implementation};
use futures_util::future::join;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

/// A document that a trusted key signed, about exactly this run.
#[derive(Debug)]
pub struct SignedDocument {
    run: TaskRun,
    document: Document,
    signer: PublicKey,
}

/// Why a document is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// It could not be had.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The signature is malformed.
    #[error("the signature of {0} is malformed: {1}")]
    Signature(String, SignatureError),
    /// No trusted key made the signature.
    #[error("no trusted {implementation} key signed the document of {run}")]
    UnknownKey {
        /// The run.
        run: String,
        /// What ran it.
        implementation: WorkerImplementation,
    },
    /// It cannot be told which keys count.
    #[error("which worker implementation ran {run} is not known: {why}")]
    UnknownImplementation {
        /// The run.
        run: String,
        /// Why.
        why: UnknownImplementation,
    },
    /// The key is one of another worker implementation.
    #[error("a {signed} key signed the document of {run}, which {implementation} ran")]
    OtherImplementation {
        /// The run.
        run: String,
        /// What ran it.
        implementation: WorkerImplementation,
        /// Whose key signed.
        signed: WorkerImplementation,
    },
    /// The key does not count at the time of the run.
    #[error("the key that signed the document of {run} does not count for the time of its run: {why:?}")]
    NotValid {
        /// The run.
        run: String,
        /// Why.
        why: Invalid,
    },
    /// The key may not sign for such a task.
    #[error("the key that signed the document of {run} is not permitted for it: {why}")]
    NotPermitted {
        /// The run.
        run: String,
        /// Why.
        why: NotPermitted,
    },
    /// It is malformed, though it was signed.
    #[error("the signed document of {0} is malformed: {1}")]
    Document(String, DocumentError),
    /// It is about another run.
    #[error("the document of {asked} is about {told}")]
    OtherRun {
        /// What was asked for.
        asked: String,
        /// What it says.
        told: String,
    },
}

impl SignedError {
    /// A stable code, as findings have it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Queue(_) => "fetch-unreachable",
            Self::Signature(..) => "fetch-signature-malformed",
            Self::UnknownKey { .. } => "fetch-unknown-key",
            Self::UnknownImplementation { .. } => "fetch-unknown-implementation",
            Self::OtherImplementation { .. } => "fetch-other-implementation",
            Self::NotValid { .. } => "fetch-key-not-valid",
            Self::NotPermitted { .. } => "fetch-key-not-permitted",
            Self::Document(..) => "fetch-document-malformed",
            Self::OtherRun { .. } => "fetch-other-run",
        }
    }
}

impl std::fmt::Display for TaskRun {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.task_id, self.run_id)
    }
}

impl SignedDocument {
    /// The run it is about.
    #[must_use]
    pub fn run(&self) -> TaskRun {
        self.run
    }

    /// The key that signed it.
    #[must_use]
    pub fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// The artifacts it names.
    pub fn names(&self) -> impl Iterator<Item = ArtifactName> {
        self.document.artifacts.iter().filter_map(|(name, _)| ArtifactName::parse(name).ok())
    }

    /// The digest that it names for an artifact: its SHA-256, or else its SHA-512.
    #[must_use]
    pub fn digest(&self, name: &ArtifactName) -> Option<Digest> {
        let Listing::Digests(digests) = self.document.listing(name.as_str()) else { return None };
        digests.iter().find(|digest| matches!(digest, Digest::Sha256(_))).or(digests.first()).copied()
    }
}

/// Whose signatures count.
#[derive(Clone, Copy, Debug)]
pub struct Signers<'a> {
    /// The keys, each of a worker implementation.
    pub keys: &'a KeyRing,
    /// The product that the artifacts are for. A key that is limited to products signs for none without it.
    pub product: Option<&'a str>,
    /// The provisioners whose workers are scriptworkers: a definition need not say more of them.
    pub scriptworker_provisioners: &'a BTreeSet<String>,
}

/// The documents of runs, in their order, held against the keys that are trusted. Up to `at_once` of them are
/// requested at the same time.
///
/// The queue's definition of a task tells which worker implementation ran it, and only the keys of that one
/// count: what a document says of its own task is the word of the one who signed it.
///
/// # Errors
/// The first in the order of the runs that is anything but a document about this run that a trusted key of the
/// implementation that ran it signed while it was valid, for a task that it may sign for.
pub async fn signed_documents(
    queue: &Queue<'_>,
    runs: &[TaskRun],
    signers: Signers<'_>,
    at_once: NonZeroUsize,
) -> Result<Vec<SignedDocument>, SignedError> {
    let documents: Vec<_> = runs.iter().map(|run| signed_document(queue, *run, signers)).collect();
    stream::iter(documents).buffered(at_once.get()).try_collect().await
}

async fn signed_document(
    queue: &Queue<'_>,
    run: TaskRun,
    signers: Signers<'_>,
) -> Result<SignedDocument, SignedError> {
    let (pair, definition) = join(pair(queue, run, false), queue.parsed_definition(run.task_id)).await;
    let (pair, definition) = (pair?, definition?);
    let shown = run.to_string();
    let implementation = worker_implementation(&definition, signers.scriptworker_provisioners)
        .map_err(|why| SignedError::UnknownImplementation { run: shown.clone(), why })?;
    let (document, signer) = match signed(signers.keys, implementation, pair, &shown) {
        Ok(signed) => signed,
        Err(refused) => {
            // The page of a proxy, or a copy of one of the two that is older than the other.
            tracing::warn!("{refused}; both are fetched once more from their origin");
            signed(signers.keys, implementation, self::pair(queue, run, true).await?, &shown)?
        }
    };
    if signers.keys.usage(&signer.key).is_some() || signer.validity.is_limited() {
        may_sign(signers, signer, &definition, &known_run(queue, run).await?, &shown)?;
    }
    let document = Document::parse(&document, &queue.limits.json())
        .map_err(|error| SignedError::Document(shown.clone(), error))?;
    let told = TaskRun { task_id: document.task_id, run_id: document.run_id };
    if told != run {
        return Err(SignedError::OtherRun { asked: shown, told: told.to_string() });
    }
    Ok(SignedDocument { run, document, signer: signer.key.clone() })
}

/// A document and what should be its signature.
struct Pair {
    document: Vec<u8>,
    signature: Vec<u8>,
}

async fn pair(queue: &Queue<'_>, run: TaskRun, from_origin: bool) -> Result<Pair, SignedError> {
    let (document, signature) =
        (queue.artifact(run, &ArtifactName::document())?, queue.artifact(run, &ArtifactName::signature())?);
    let (document, signature) =
        join(queue.bytes(&document, true, from_origin), queue.bytes(&signature, true, from_origin)).await;
    Ok(Pair { document: document?, signature: signature? })
}

/// The document, and the key of an implementation that made its signature.
fn signed<'a>(
    keys: &'a KeyRing,
    implementation: WorkerImplementation,
    pair: Pair,
    run: &str,
) -> Result<(Vec<u8>, &'a TrustedKey), SignedError> {
    let signature =
        Signature::parse(&pair.signature).map_err(|error| SignedError::Signature(run.to_owned(), error))?;
    let signer = |of| keys.set(of).and_then(|keys| keys.find(&signature, &pair.document, None));
    if let Some((_, signer)) = signer(implementation) {
        return Ok((pair.document, signer));
    }
    let signed = WorkerImplementation::ALL.into_iter().find(|other| signer(*other).is_some());
    Err(match signed {
        Some(signed) => SignedError::OtherImplementation { run: run.to_owned(), implementation, signed },
        None => SignedError::UnknownKey { run: run.to_owned(), implementation },
    })
}

/// Whether a key may sign for a run of a task.
fn may_sign(
    signers: Signers<'_>,
    signer: &TrustedKey,
    definition: &Definition,
    known: &Run,
    run: &str,
) -> Result<(), SignedError> {
    let held = signer.validity.holds_over(period(known));
    held.map_err(|why| SignedError::NotValid { run: run.to_owned(), why })?;
    let Some(usage) = signers.keys.usage(&signer.key) else { return Ok(()) };
    let worker = known.worker_group.as_deref().zip(known.worker_id.as_deref());
    let used = KeyUse::new(signers.product.unwrap_or_default(), definition, worker);
    usage.permits(&used).map_err(|why| SignedError::NotPermitted { run: run.to_owned(), why })
}

/// A run, as the queue says.
async fn known_run(queue: &Queue<'_>, run: TaskRun) -> Result<Run, SignedError> {
    let status = queue.status(run.task_id).await?;
    let found = status.runs.into_iter().find(|known| known.run_id == run.run_id);
    Ok(found.ok_or(QueueError::OtherRun(run.task_id, run.run_id))?)
}

/// When a run happened; none where it has not ended.
fn period(run: &Run) -> Option<Period> {
    let first = run.started.unwrap_or(run.scheduled);
    run.resolved.map(|last| Period { first, last: last.max(first) })
}
