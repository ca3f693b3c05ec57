//! What the worker knows of a run, for the record of custody in the document that it signs
//! (specification, page 12).

use crate::gate::Permission;
use catena_model::custody::{CustodyError, PinnedInput, PinnedInputs, Trust, WorkerRecord};
use catena_model::digest::Digest;
use catena_signing::{Document, DocumentError, Facts, Signer, SignerError, Upload};
use catena_upload::{Artifact, Snapshot};
use catena_verify::verdict::{ArtifactEvidence, VerifiedArtifact};
use jiff::Timestamp;

/// What a record is made of, beside the artifacts.
#[derive(Debug)]
pub(crate) struct Knowledge {
    worker: WorkerRecord,
    inputs: PinnedInputs,
}

/// Why a document has no record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The inputs do not fit into a record.
    #[error("the inputs cannot be recorded: {0}")]
    Inputs(#[from] CustodyError),
    /// The key is unknown.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The record cannot hold something.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Knowledge {
    /// What the worker knows of a task that ran by this permission.
    pub(crate) fn of(worker: WorkerRecord, permission: &Permission) -> Result<Self, RecordError> {
        Ok(Self { worker, inputs: PinnedInputs::new(inputs(permission))? })
    }

    /// The document with its record.
    pub(crate) fn record(
        self,
        document: Document,
        snapshot: &Snapshot,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<Document, RecordError> {
        let uploads =
            snapshot.artifacts().iter().map(|artifact| (artifact.name.to_string(), upload(artifact)));
        let facts = Facts { worker: Some(self.worker), uploads: uploads.collect(), ..Facts::default() };
        Ok(document.with_custody(&facts, self.inputs, &signer.public_key()?, now)?)
    }
}

/// The verified artifacts that the task found in `cot/`: those whose bytes this verification has measured.
fn inputs(permission: &Permission) -> impl Iterator<Item = PinnedInput> {
    let clearance = permission.clearance();
    // Without signatures a document proves nothing about the digests that it names.
    let is_signed = clearance.is_some_and(|clearance| !clearance.is_weakened_by_switch());
    let verified = if is_signed { Trust::Chain } else { Trust::None };
    let artifacts = clearance.into_iter().flat_map(|clearance| clearance.artifacts());
    artifacts.filter_map(move |artifact| pinned(artifact, verified))
}

fn pinned(artifact: &VerifiedArtifact, verified: Trust) -> Option<PinnedInput> {
    let VerifiedArtifact { task_id, run_id, name, digest, length, evidence } = artifact;
    match (digest, length, evidence) {
        (Digest::Sha256(sha256), Some(size), ArtifactEvidence::Measured) => Some(PinnedInput {
            task_id: *task_id,
            run_id: *run_id,
            name: name.clone(),
            sha256: *sha256,
            size: *size,
            verified,
        }),
        _ => None,
    }
}

fn upload(artifact: &Artifact) -> Upload {
    let encoding = if artifact.is_compressed { "gzip" } else { "identity" };
    Upload {
        content_type: Some(artifact.content_type.to_owned()),
        content_encoding: Some(encoding.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_model::task::{ArtifactName, RunId, TaskId};

    #[test]
    fn an_input_is_what_was_measured() {
        let artifact = |evidence, length| VerifiedArtifact {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            run_id: RunId(2),
            name: ArtifactName::parse("public/a").unwrap(),
            digest: Digest::Sha256([7; 32]),
            length,
            evidence,
        };
        let input = pinned(&artifact(ArtifactEvidence::Measured, Some(5)), Trust::Chain).unwrap();
        assert_eq!((input.run_id, input.sha256, input.size), (RunId(2), [7; 32], 5));
        assert_eq!(pinned(&artifact(ArtifactEvidence::Named, None), Trust::Chain), None);
        assert_eq!(pinned(&artifact(ArtifactEvidence::Recalled, Some(5)), Trust::Chain), None);
        let other = VerifiedArtifact {
            digest: Digest::Sha512([7; 64]),
            ..artifact(ArtifactEvidence::Measured, Some(5))
        };
        assert_eq!(pinned(&other, Trust::Chain), None);
    }
}
