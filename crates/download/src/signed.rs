//! What a trusted worker key signed: the document of a run, whatever became of the rest of its chain.

use crate::queue::{Queue, QueueError, TaskRun};
use catena_keys::{Invalid, Period, PublicKey, Signature, SignatureError, TrustedKey};
use catena_model::digest::Digest;
use catena_model::document::{Document, DocumentError, Listing};
use catena_model::task::{ArtifactName, Definition};
use catena_policy::{KeyRing, KeyUse};

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
    #[error("no trusted key signed the document of {0}")]
    UnknownKey(String),
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
        why: String,
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
            Self::UnknownKey(_) => "fetch-unknown-key",
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

/// The document of a run, held against the keys that are trusted.
///
/// # Errors
/// Anything but a document about this run that a trusted key signed while it was valid, for a task that it may
/// sign for. A key that is limited to products signs for none where no product is named.
pub async fn signed_document(
    queue: &Queue<'_>,
    run: TaskRun,
    keys: &KeyRing,
    product: Option<&str>,
) -> Result<SignedDocument, SignedError> {
    let document = queue.bytes(&queue.artifact(run, &ArtifactName::document())?, true).await?;
    let signature = queue.bytes(&queue.artifact(run, &ArtifactName::signature())?, true).await?;
    let shown = run.to_string();
    let signature =
        Signature::parse(&signature).map_err(|error| SignedError::Signature(shown.clone(), error))?;
    let signer = keys.iter().map(|(_, trusted)| trusted).find(|key| key.key.verify(&document, &signature));
    let signer = signer.ok_or_else(|| SignedError::UnknownKey(shown.clone()))?;
    let period = if signer.validity.is_limited() { ran(queue, run).await? } else { None };
    signer.validity.holds_over(period).map_err(|why| SignedError::NotValid { run: shown.clone(), why })?;
    let document = Document::parse(&document, &queue.limits.json())
        .map_err(|error| SignedError::Document(shown.clone(), error))?;
    permitted(keys, signer, &document, product)
        .map_err(|why| SignedError::NotPermitted { run: shown.clone(), why })?;
    let told = TaskRun { task_id: document.task_id, run_id: document.run_id };
    if told != run {
        return Err(SignedError::OtherRun { asked: shown, told: told.to_string() });
    }
    Ok(SignedDocument { run, document, signer: signer.key.clone() })
}

/// Whether a key may sign for the task that its document defines.
fn permitted(
    keys: &KeyRing,
    signer: &TrustedKey,
    document: &Document,
    product: Option<&str>,
) -> Result<(), String> {
    let Some(usage) = keys.usage(&signer.key) else { return Ok(()) };
    let task = Definition::parse(document.task.clone()).map_err(|error| error.to_string())?;
    let worker = (document.worker_group.as_str(), document.worker_id.as_str());
    let used = KeyUse::new(product.unwrap_or_default(), &task, Some(worker));
    usage.permits(&used).map_err(|refused| refused.to_string())
}

/// When a run happened, as the queue says.
async fn ran(queue: &Queue<'_>, run: TaskRun) -> Result<Option<Period>, SignedError> {
    let status = queue.status(run.task_id).await?;
    let found = status.runs.iter().find(|known| known.run_id == run.run_id);
    let found = found.ok_or(QueueError::OtherRun(run.task_id, run.run_id))?;
    let first = found.started.unwrap_or(found.scheduled);
    Ok(found.resolved.map(|last| Period { first, last: last.max(first) }))
}
