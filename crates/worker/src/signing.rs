//! The document of what a task made, and its signature.

use crate::custody::Knowledge;
use crate::log::Log;
use crate::status::Status;
use catena_json::Limits;
use catena_model::task::ArtifactName;
use catena_signing::{Document, Environment, Run, Signer, Style, TaskDefinition, beneath};
use catena_upload::Snapshot;
use jiff::Timestamp;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::sync::Arc;

/// What a document is made of, and who signs it.
pub(crate) struct Signing {
    pub(crate) task: TaskDefinition,
    pub(crate) run: Run,
    pub(crate) environment: Environment,
    /// None where documents have no record of custody.
    pub(crate) custody: Option<Knowledge>,
    /// None where the configuration has signing switched off; the document is written all the same.
    pub(crate) signer: Option<Arc<dyn Signer + Send + Sync>>,
    pub(crate) log: Log,
    /// What verifiers read of a document.
    pub(crate) limits: Limits,
}

impl Signing {
    /// Adds the document of everything in the snapshot, and its signature.
    ///
    /// # Errors
    /// What cannot be signed, with the status that the task ends with.
    pub(crate) fn sign(
        mut self,
        snapshot: &mut Snapshot,
        artifacts: &File,
        now: Timestamp,
    ) -> Result<(), (Status, String)> {
        if let Some(refused) = snapshot.refused().first() {
            let why = format!("What the script left cannot be signed: {}: {}", refused.path, refused.reason);
            return Err((Status::FAILURE, why));
        }
        let bytes = self.document(snapshot, now)?;
        let signature =
            self.signer.map(|signer| signer.sign(&bytes)).transpose().map_err(|error| {
                (Status::INTERNAL_ERROR, format!("The document cannot be signed: {error}"))
            })?;
        let signature = signature.as_ref().map(|(_, signature)| signature.as_bytes());
        let add = |snapshot: &mut Snapshot, name: ArtifactName, bytes: &[u8]| {
            snapshot.add(name, bytes).map_err(|error| {
                (Status::RESOURCE_UNAVAILABLE, format!("The document cannot be kept: {error}"))
            })
        };
        add(snapshot, ArtifactName::document(), &bytes)?;
        if let Some(signature) = signature {
            add(snapshot, ArtifactName::signature(), signature)?;
        }
        if let Err(error) = leave(artifacts, &bytes, signature) {
            tracing::warn!("the document is uploaded, but not left in the artifact directory: {error}");
        }
        Ok(())
    }

    /// The document, with its record of custody if there is one. Verifiers have limits: a document that they do not
    /// read is not signed.
    fn document(&mut self, snapshot: &Snapshot, now: Timestamp) -> Result<Vec<u8>, (Status, String)> {
        let plain = Document {
            task: self.task.clone(),
            run: self.run.clone(),
            artifacts: snapshot.measured(),
            environment: self.environment.clone(),
            custody: None,
        };
        // Without a signature there is no key to name.
        if let (Some(custody), Some(signer)) = (self.custody.take(), &self.signer) {
            let recorded = custody.record(plain.clone(), snapshot, signer.as_ref(), now);
            let recorded = recorded.map_err(|error| error.to_string());
            match recorded.and_then(|recorded| readable(&recorded, &self.limits)) {
                Ok(bytes) => return Ok(bytes),
                Err(why) => self.log.warning(format!("The document has no record of custody: {why}")),
            }
        }
        readable(&plain, &self.limits).map_err(|why| {
            let why = format!(
                "What the script left cannot be signed: no verifier would read its document: {why}; \
                 leave fewer artifacts, or shorter names"
            );
            (Status::MALFORMED_PAYLOAD, why)
        })
    }
}

/// The bytes of a document, if verifiers can read them.
fn readable(document: &Document, limits: &Limits) -> Result<Vec<u8>, String> {
    let bytes = document.to_bytes(Style::Scriptworker);
    match catena_model::document::Document::parse(&bytes, limits) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// Leaves the document beside the artifacts, as scriptworker does. What is uploaded is not read from there.
fn leave(artifacts: &File, document: &[u8], signature: Option<&[u8]>) -> std::io::Result<()> {
    let public = beneath::make_directory(artifacts.as_fd(), OsStr::new("public"))?;
    beneath::replace(public.as_fd(), "chain-of-trust.json", document)?;
    signature
        .map_or(Ok(()), |signature| beneath::replace(public.as_fd(), "chain-of-trust.json.sig", signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WorkerLogOptions;
    use crate::gate::{Gate as _, Open, Request};
    use crate::log::LineFormat;
    use catena::CancellationToken;
    use catena_keys::SigningKey;
    use catena_model::custody::WorkerRecord;
    use catena_model::task::TaskId;
    use catena_signing::{DOCUMENT, LocalSigner, SIGNATURE};
    use std::path::Path;
    use std::time::Duration;

    const ID: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const TASK: &str = r#"{"provisionerId":"p","workerType":"w","taskQueueId":"p/w","schedulerId":"s",
        "taskGroupId":"MrP01xxxQACAAAAAAAAAAA","dependencies":[],"requires":"all-completed","routes":[],
        "priority":"low","retries":5,"created":"2026-08-12T09:30:12.300Z","deadline":"2026-08-13T09:30:12.345Z",
        "expires":"2027-08-12T11:30:12.345Z","scopes":[],"payload":{},"tags":{},"extra":{},
        "metadata":{"name":"n","owner":"o@x","source":"https://s","description":"d"}}"#;

    /// Signs for two artifacts where verifiers read so many bytes: the lengths of the document and the signature, and
    /// what the log says.
    async fn signed(bytes: usize) -> (Result<Vec<(String, u64)>, Status>, String) {
        let folder = tempfile::tempdir().unwrap();
        let task = TaskDefinition::parse(TASK.as_bytes()).unwrap();
        let request = Request {
            task_id: TaskId::parse(ID).unwrap(),
            task: task.value(),
            work_dir: Path::new("/nowhere"),
            limit: Duration::ZERO,
            cancellation: CancellationToken::new(),
        };
        let permission = Open.admit(request).await.unwrap();
        let worker = WorkerRecord { name: "w".into(), version: "1".into(), ..WorkerRecord::default() };
        let options =
            WorkerLogOptions { format: LineFormat::default(), verbose: false, watch: false, rotation: None };
        let signing = Signing {
            task: task.clone(),
            run: Run {
                task_id: ID.to_owned(),
                run_id: 0,
                worker_group: "g".into(),
                worker_id: "i".into(),
                worker_type: "w".into(),
            },
            environment: Environment::default(),
            custody: Some(Knowledge::of(worker, &permission).unwrap()),
            signer: Some(Arc::new(LocalSigner::new(SigningKey::from_seed(&[7; 32])))),
            log: Log::open(folder.path(), options).unwrap(),
            limits: Limits { bytes, ..Limits::default() },
        };
        let mut snapshot = Snapshot::new(folder.path()).unwrap();
        for name in ["public/a", "public/b"] {
            snapshot.add(ArtifactName::parse(name).unwrap(), b"abc").unwrap();
        }
        let artifacts = File::open(folder.path()).unwrap();
        let ended = signing.sign(&mut snapshot, &artifacts, Timestamp::UNIX_EPOCH);
        let added = snapshot.artifacts().iter().skip(2);
        let added = added.map(|one| (one.name.as_str().to_owned(), one.size)).collect();
        (
            ended.map(|()| added).map_err(|(status, _)| status),
            std::fs::read_to_string(folder.path().join("worker.log")).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_document_that_no_verifier_reads_is_not_signed() {
        let (whole, told) = signed(1 << 20).await;
        let whole = whole.unwrap();
        assert_eq!((whole[0].0.as_str(), whole[1].0.as_str(), told.as_str()), (DOCUMENT, SIGNATURE, ""));
        let largest = usize::try_from(whole[0].1).unwrap();
        assert_eq!(signed(largest).await.0.unwrap(), whole);
        // The record of custody is left out first.
        let (plain, told) = signed(largest - 1).await;
        let plain = plain.unwrap();
        assert!(plain[0].1 < whole[0].1 && plain[1] == whole[1], "{plain:?}");
        assert!(told.contains("The document has no record of custody"), "{told}");
        let smallest = usize::try_from(plain[0].1).unwrap();
        assert_eq!(signed(smallest).await.0.unwrap(), plain);
        assert_eq!(signed(smallest - 1).await.0, Err(Status::MALFORMED_PAYLOAD));
    }
}
