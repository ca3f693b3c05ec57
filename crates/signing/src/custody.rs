//! Adding the record of custody to a document.

use crate::document::{Document, DocumentError};
use crate::facts::Facts;
use catena_json::Value;
use catena_keys::PublicKey;
use catena_model::custody::{ArtifactRecord, Custody, ImageRecord, PinnedInputs, WorkerRecord};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Document {
    /// Adds the record of custody: what the worker knows, what the task consumed, and with which key and when
    /// the document is about to be signed. Of additional data the record says that the task wrote it.
    ///
    /// # Errors
    /// Facts about artifacts that are not there; text that the record cannot hold; the digest of an image that
    /// only additional data has, since no verifier takes the task's word for it (specification 12.11).
    pub fn with_custody(
        mut self,
        facts: &Facts,
        inputs: PinnedInputs,
        key: &PublicKey,
        signed_at: Timestamp,
    ) -> Result<Self, DocumentError> {
        let custody = Custody {
            key_id: key.fingerprint(),
            signed_at: to_millisecond(signed_at),
            worker: self.worker(facts),
            creator: facts.creator.clone(),
            image: self.environment.image.clone(),
            artifacts: self.records(facts)?,
            inputs,
            claims: self.claims(),
        };
        if let Some(member) = self.claimed_image(&custody) {
            return Err(DocumentError::ClaimedImage(member));
        }
        // What is signed is what a verifier reads.
        match Custody::parse(&custody.to_value()) {
            Ok(read) if read == custody => self.custody = Some(custody),
            Ok(_) => {
                return Err(DocumentError::Facts(
                    "the record is read differently from how it was written".into(),
                ));
            }
            Err(error) => return Err(DocumentError::Facts(error.to_string())),
        }
        Ok(self)
    }

    /// The worker, by default this program; its machine by default as the environment has it.
    fn worker(&self, facts: &Facts) -> WorkerRecord {
        let mut worker = facts.worker.clone().unwrap_or_else(|| WorkerRecord {
            name: "catena".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..WorkerRecord::default()
        });
        worker.instance_id = worker.instance_id.or_else(|| self.environment.get("instanceId"));
        worker.region = worker.region.or_else(|| self.environment.get("region"));
        worker
    }

    fn records(&self, facts: &Facts) -> Result<BTreeMap<String, ArtifactRecord>, DocumentError> {
        if let Some(name) = facts.uploads.keys().find(|name| !self.artifacts.contains_key(*name)) {
            return Err(DocumentError::Facts(format!("there is no artifact {name:?}")));
        }
        let record = |(name, measured): (&String, &crate::measure::Measured)| {
            let upload = facts.uploads.get(name).cloned().unwrap_or_default();
            let (content_type, content_encoding) = (upload.content_type, upload.content_encoding);
            (name.clone(), ArtifactRecord { size: measured.size, content_type, content_encoding })
        };
        Ok(self.artifacts.iter().map(record).collect())
    }

    /// The digest of the image of a docker-worker payload, of which the record says that the task wrote it. With
    /// d2g it is generic-worker that writes the additional data, but a signer cannot tell it from the task's.
    fn claimed_image(&self, custody: &Custody) -> Option<&'static str> {
        self.task.value().pointer(&["payload", "image"])?;
        let mut members = ["imageHash", "imageArtifactHash"].into_iter();
        members.find(|member| custody.is_claim(&format!("/environment/{member}")))
    }

    /// What the task wrote: all of its additional data that the worker does not say itself.
    fn claims(&self) -> Vec<String> {
        let Some(additional) = &self.environment.additional else { return Vec::new() };
        let mut claims = Vec::new();
        collect_claims(additional, &self.own_value(), "", &mut claims);
        claims.sort();
        claims
    }
}

/// The places of `theirs` that `own` does not have, as JSON pointers.
fn collect_claims(theirs: &Value, own: &Value, place: &str, claims: &mut Vec<String>) {
    let (Value::Object(theirs), Value::Object(own)) = (theirs, own) else { return };
    for (key, value) in theirs {
        let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
        match own.get(key) {
            Some(own) => collect_claims(value, own, &pointer, claims),
            None => claims.push(pointer),
        }
    }
}

fn to_millisecond(moment: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment)
}

/// The members of `environment` that say which image ran, as generic-worker writes them.
pub(crate) fn image_members(image: &ImageRecord) -> Value {
    let member = |name: &str, digest: Option<[u8; 32]>| {
        Some((name.to_owned(), Value::from(format!("sha256:{}", hex::encode(digest?)))))
    };
    let members = [member("imageHash", image.id), member("imageArtifactHash", image.artifact)];
    Value::Object(members.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::tests::TASK;
    use crate::document::tests::document;
    use crate::facts::Upload;
    use crate::{Environment, Style, TaskDefinition};
    use catena_json::{Limits, parse};
    use catena_keys::SigningKey;

    fn recorded(environment: Environment, facts: &Facts) -> Result<Document, DocumentError> {
        let key = SigningKey::from_seed(&[7; 32]).public_key();
        let time = "2026-08-12T09:30:12.345678Z".parse().unwrap();
        document(environment).with_custody(facts, PinnedInputs::default(), &key, time)
    }

    fn read(document: &Document, style: Style) -> Custody {
        let value = parse(&document.to_bytes(style), &Limits::default()).unwrap();
        Custody::parse(value.get("custody").unwrap()).unwrap()
    }

    #[test]
    fn the_record_stands_beside_what_workers_write_today() {
        let plain = Environment::parse(br#"{"instanceId":"i-1","region":"r"}"#).unwrap();
        let sorted = plain.clone().with_additional_data(br#"{"x":1}"#).unwrap();
        for environment in [plain, sorted] {
            for style in [Style::GenericWorker, Style::Scriptworker] {
                let with = recorded(environment.clone(), &Facts::default()).unwrap();
                let mut value = parse(&with.to_bytes(style), &Limits::default()).unwrap();
                let custody = value.as_object_mut().unwrap().remove("custody").unwrap();
                let today =
                    parse(&document(environment.clone()).to_bytes(style), &Limits::default()).unwrap();
                assert_eq!(value, today);
                assert_eq!(Custody::parse(&custody).as_ref(), Ok(with.custody.as_ref().unwrap()));
            }
        }
    }

    #[test]
    fn generic_workers_members_stay_in_their_order() {
        let text =
            recorded(Environment::default(), &Facts::default()).unwrap().to_bytes(Style::GenericWorker);
        let text = String::from_utf8(text).unwrap();
        let today =
            String::from_utf8(document(Environment::default()).to_bytes(Style::GenericWorker)).unwrap();
        let start = today.strip_suffix("\n}").unwrap();
        assert!(text.starts_with(&format!("{start},\n  \"custody\": {{\n    \"artifacts\": {{\n")), "{text}");
        assert!(text.contains("\"public/\\u003ca\\u003e\": {\n        \"size\": 3\n"), "{text}");
    }

    #[test]
    fn what_the_task_wrote_is_told_apart() {
        let data =
            br#"{"environment":{"imageHash":"sha256:1","region":"other"},"a/b~c":{"d":1},"taskId":"other"}"#;
        let environment = Environment::parse(br#"{"region":"r"}"#).unwrap();
        let environment = environment.with_additional_data(data).unwrap();
        let custody = read(&recorded(environment, &Facts::default()).unwrap(), Style::GenericWorker);
        assert_eq!(custody.claims, ["/a~1b~0c", "/environment/imageHash"]);
        assert_eq!(custody.worker.region.as_deref(), Some("r"));
    }

    #[test]
    fn the_digest_of_an_image_is_not_taken_from_additional_data() {
        let task = TASK.replacen(r#""payload":{"#, r#""payload":{"image":"debian@sha256:1","#, 1);
        let record = |task: &str, image: Option<ImageRecord>, data: &str| {
            let environment =
                image.map_or_else(Environment::default, |image| Environment::default().with_image(image));
            let mut document = document(environment.with_additional_data(data.as_bytes()).unwrap());
            document.task = TaskDefinition::parse(task.as_bytes()).unwrap();
            let key = SigningKey::from_seed(&[7; 32]).public_key();
            document.with_custody(&Facts::default(), PinnedInputs::default(), &key, Timestamp::UNIX_EPOCH)
        };
        let both = r#"{"environment":{"imageHash":"x","imageArtifactHash":"y"}}"#;
        for (image, member) in [
            (None, "imageHash"),
            (Some(ImageRecord { id: Some([1; 32]), artifact: None }), "imageArtifactHash"),
        ] {
            let refused = record(&task, image, both);
            assert!(
                matches!(refused, Err(DocumentError::ClaimedImage(told)) if told == member),
                "{refused:?}"
            );
        }
        let told = ImageRecord { id: Some([1; 32]), artifact: Some([2; 32]) };
        assert!(record(&task, Some(told), both).is_ok());
        assert!(record(&task, None, r#"{"environment":{"other":"x"}}"#).is_ok());
        // A task of generic-worker may say what it likes of its own containers.
        assert!(record(TASK, None, both).is_ok());
    }

    #[test]
    fn the_workers_word_on_an_image_stands_where_generic_worker_writes_it() {
        let image = ImageRecord { id: Some([1; 32]), artifact: Some([2; 32]) };
        let data = br#"{"environment":{"imageHash":"x","y":1},"claimedInputs":{}}"#;
        let environment = Environment::default().with_image(image.clone());
        let environment = environment.with_additional_data(data).unwrap();
        let document = recorded(environment, &Facts::default()).unwrap();
        let custody = read(&document, Style::GenericWorker);
        assert_eq!(custody.image, Some(image));
        assert_eq!(custody.claims, ["/claimedInputs", "/environment/y"]);
        let value = parse(&document.to_bytes(Style::GenericWorker), &Limits::default()).unwrap();
        let hash = value.pointer(&["environment", "imageHash"]).and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(hash, format!("sha256:{}", "01".repeat(32)));
    }

    #[test]
    fn facts_are_recorded_or_refused() {
        let mut facts = Facts { creator: Some("client".to_owned()), ..Facts::default() };
        let upload = Upload { content_type: Some("text/plain".to_owned()), content_encoding: None };
        facts.uploads.insert("public/<a>".to_owned(), upload);
        let custody = read(&recorded(Environment::default(), &facts).unwrap(), Style::Scriptworker);
        assert_eq!(custody.creator.as_deref(), Some("client"));
        assert_eq!(custody.artifacts["public/<a>"].content_type.as_deref(), Some("text/plain"));
        assert_eq!(
            (custody.worker.name.as_str(), custody.signed_at.to_string()),
            ("catena", "2026-08-12T09:30:12.345Z".to_owned())
        );
        facts.uploads.insert("public/other".to_owned(), Upload::default());
        assert!(matches!(recorded(Environment::default(), &facts), Err(DocumentError::Facts(_))));
        let facts = Facts { creator: Some("two\nlines".to_owned()), ..Facts::default() };
        assert!(matches!(recorded(Environment::default(), &facts), Err(DocumentError::Facts(_))));
    }
}
