//! What a worker itself knows of a run, to be recorded in its document.

use crate::content_type::{content_type, is_compressible};
use crate::document::DocumentError;
use catena_json::{Limits, Value};
use catena_model::custody::{ImageRecord, WorkerRecord};
use catena_model::digest::Digest;
use serde::Deserialize;
use std::collections::BTreeMap;

const FACTS_FILE: &str = "the worker's facts";

/// What a worker knows of a run beside the task, the run and the artifacts. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The worker and its machine.
    pub worker: Option<WorkerRecord>,
    /// The client that created the task.
    pub creator: Option<String>,
    /// The docker image that the task ran in.
    pub image: Option<ImageRecord>,
    /// How artifacts are uploaded, by their names.
    pub uploads: BTreeMap<String, Upload>,
}

/// How one artifact is uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upload {
    /// Its content type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Its content encoding; `identity` for none.
    #[serde(default)]
    pub content_encoding: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    #[serde(default)]
    worker: Option<Worker>,
    #[serde(default)]
    creator_client_id: Option<String>,
    #[serde(default)]
    image: Option<Image>,
    #[serde(default)]
    artifacts: BTreeMap<String, Upload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Worker {
    name: String,
    version: String,
    #[serde(default)]
    instance_id: Option<String>,
    #[serde(default)]
    machine_image: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    artifact: Option<String>,
}

impl Facts {
    /// Reads a file of facts: an object of the members `worker`, `creatorClientId`, `image` and `artifacts`,
    /// each as the record of custody has it, but that artifacts have no size.
    ///
    /// # Errors
    /// Text that is not such an object.
    pub fn parse(text: &[u8]) -> Result<Self, DocumentError> {
        // Strict first: serde would take the last of two members of one name.
        let value = catena_json::parse(text, &Limits::default())
            .map_err(|cause| DocumentError::Json { what: FACTS_FILE, cause })?;
        // And it would take a list for an object.
        if has_list(&value) {
            return Err(DocumentError::Facts("there is no list among them".to_owned()));
        }
        let File { worker, creator_client_id, image, artifacts } =
            serde_json::from_slice(text).map_err(|error| DocumentError::Facts(error.to_string()))?;
        Ok(Self {
            worker: worker.map(Worker::into_record),
            creator: creator_client_id,
            image: image.map(Image::into_record).transpose()?,
            uploads: artifacts,
        })
    }
}

impl Facts {
    /// Says of artifacts how scriptworker and Catena's worker upload them, where it is not said yet: with the type
    /// that their name has, and text compressed.
    #[must_use]
    pub fn with_usual_uploads<'a>(mut self, artifacts: impl IntoIterator<Item = &'a String>) -> Self {
        for name in artifacts {
            let upload = self.uploads.entry(name.clone()).or_default();
            let known = upload.content_type.get_or_insert_with(|| content_type(name).to_owned());
            let encoding = if is_compressible(known) { "gzip" } else { "identity" };
            upload.content_encoding.get_or_insert_with(|| encoding.to_owned());
        }
        self
    }
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(map) => map.values().any(has_list),
        _ => false,
    }
}

impl Worker {
    fn into_record(self) -> WorkerRecord {
        let Self { name, version, instance_id, machine_image, region } = self;
        WorkerRecord { name, version, instance_id, machine_image, region }
    }
}

impl Image {
    fn into_record(self) -> Result<ImageRecord, DocumentError> {
        let digest = |member: &str, text: Option<String>| match text.as_deref().map(Digest::parse_prefixed) {
            None => Ok(None),
            Some(Ok(Digest::Sha256(digest))) => Ok(Some(digest)),
            Some(_) => {
                Err(DocumentError::Facts(format!("image.{member} is not sha256:<64 hexadecimal digits>")))
            }
        };
        Ok(ImageRecord { id: digest("id", self.id)?, artifact: digest("artifact", self.artifact)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_strictly() {
        let hash = format!("sha256:{}", "ab".repeat(32));
        let text = format!(
            r#"{{"worker":{{"name":"w","version":"1","region":"r"}},"creatorClientId":"c","image":{{"artifact":"{hash}"}},
            "artifacts":{{"public/a":{{"contentType":"text/plain","contentEncoding":"gzip"}}}}}}"#
        );
        let facts = Facts::parse(text.as_bytes()).unwrap();
        assert_eq!(facts.worker.as_ref().and_then(|worker| worker.region.as_deref()), Some("r"));
        assert_eq!(facts.image, Some(ImageRecord { id: None, artifact: Some([0xab; 32]) }));
        assert_eq!(facts.uploads["public/a"].content_encoding.as_deref(), Some("gzip"));
        assert_eq!(Facts::parse(b"{}").unwrap(), Facts::default());
        for wrong in [
            "[]",
            r#"{"image":[]}"#,
            r#"{"creatorClientId":1}"#,
            r#"{"creator":"c"}"#,
            r#"{"worker":{"name":"w"}}"#,
            r#"{"image":{"artifact":"ab"}}"#,
            r#"{"image":{"digest":"ab"}}"#,
            r#"{"creatorClientId":"a","creatorClientId":"b"}"#,
            r#"{"artifacts":{"a":{"size":1}}}"#,
        ] {
            assert!(Facts::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn uploads_that_are_not_said_are_the_usual_ones() {
        let text = br#"{"artifacts":{"a.json":{"contentEncoding":"identity"},"b.bin":{"contentType":"text/plain"}}}"#;
        let names = ["a.json", "b.bin", "c.log", "d.zip"].map(str::to_owned);
        let facts = Facts::parse(text).unwrap().with_usual_uploads(&names);
        let said = |name: &str| {
            let Upload { content_type, content_encoding } = facts.uploads[name].clone();
            [content_type.unwrap(), content_encoding.unwrap()]
        };
        assert_eq!(said("a.json"), ["application/json", "identity"]);
        assert_eq!(said("b.bin"), ["text/plain", "gzip"]);
        assert_eq!(said("c.log"), ["text/plain", "gzip"]);
        assert_eq!(said("d.zip"), ["application/zip", "identity"]);
        assert_eq!(facts.uploads.len(), 4);
    }
}
