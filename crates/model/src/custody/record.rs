//! The worker's own record of a run.

use super::members::{Members, digest_value, is_text, object};
use super::{CustodyError, PinnedInputs};
use crate::moment::parse_moment;
use catena_json::{Map, Path, Value};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Members of a document that a task may have written.
const MOST_CLAIMS: usize = 1_000;

/// What a worker knows about a run beyond the other members of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// SHA-256 of the raw public key that signs the document.
    pub key_id: [u8; 32],
    /// The time of signing, by the worker's clock, with milliseconds.
    pub signed_at: Timestamp,
    /// The worker and its machine.
    pub worker: WorkerRecord,
    /// The client that created the task, if the worker knows it.
    pub creator: Option<String>,
    /// The docker image that the task ran in, if it ran in one.
    pub image: Option<ImageRecord>,
    /// Every artifact that the document names.
    pub artifacts: BTreeMap<String, ArtifactRecord>,
    /// The inputs of the task.
    pub inputs: PinnedInputs,
    /// Members of the document that the task itself wrote, as JSON pointers (RFC 6901).
    pub claims: Vec<String>,
}

/// A worker and the machine it runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerRecord {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The machine's id in its cloud.
    pub instance_id: Option<String>,
    /// The image that the machine was started from.
    pub machine_image: Option<String>,
    /// The region.
    pub region: Option<String>,
}

/// A docker image that a task ran in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageRecord {
    /// The id of the image as it was loaded.
    pub id: Option<[u8; 32]>,
    /// SHA-256 of the artifact that it was loaded from.
    pub artifact: Option<[u8; 32]>,
}

/// One artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactRecord {
    /// Its decoded bytes.
    pub size: u64,
    /// Its content type, if the worker knows how it is uploaded.
    pub content_type: Option<String>,
    /// Its content encoding, `identity` for none, if the worker knows how it is uploaded.
    pub content_encoding: Option<String>,
}

impl Custody {
    /// Parses the member `custody` of a document.
    ///
    /// # Errors
    /// Another version, an unknown member, or one that is missing or malformed.
    pub fn parse(value: &Value) -> Result<Self, CustodyError> {
        Members::version(value, &Path::new())?;
        let known = [
            "version",
            "keyId",
            "signedAt",
            "worker",
            "creatorClientId",
            "image",
            "artifacts",
            "inputs",
            "taskClaims",
        ];
        let members = Members::of(value, Path::new(), &known)?;
        let worker = members.required("worker", "an object")?;
        let image = members.get("image").map(|image| ImageRecord::parse(image, members.path("image")));
        let inputs = members.required("inputs", "a list")?;
        Ok(Self {
            key_id: members.digest("keyId")?,
            signed_at: moment(&members)?,
            worker: WorkerRecord::parse(worker, members.path("worker"))?,
            creator: members.optional_text("creatorClientId")?.map(str::to_owned),
            image: image.transpose()?,
            artifacts: artifacts(&members)?,
            inputs: PinnedInputs::from_list(inputs, &members.path("inputs"))?,
            claims: claims(&members)?,
        })
    }

    /// The member `custody` of a document.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let artifact = |(name, record): (&String, &ArtifactRecord)| (name.clone(), record.to_value());
        let artifacts: Map = self.artifacts.iter().map(artifact).collect();
        let claims: Vec<Value> = self.claims.iter().map(|claim| claim.as_str().into()).collect();
        object([
            ("version", Some(1_u64.into())),
            ("keyId", Some(digest_value(self.key_id))),
            ("signedAt", Some(written(self.signed_at).into())),
            ("worker", Some(self.worker.to_value())),
            ("creatorClientId", self.creator.as_deref().map(Value::from)),
            ("image", self.image.as_ref().map(ImageRecord::to_value)),
            ("artifacts", Some(artifacts.into())),
            ("inputs", Some(self.inputs.to_list())),
            ("taskClaims", Some(claims.into())),
        ])
    }

    /// Whether the task itself wrote a member of the document, or an object that contains it.
    #[must_use]
    pub fn is_claim(&self, pointer: &str) -> bool {
        self.claims.iter().any(|claim| {
            let rest = pointer.strip_prefix(claim.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl WorkerRecord {
    fn parse(value: &Value, path: Path) -> Result<Self, CustodyError> {
        let known = ["name", "version", "instanceId", "machineImage", "region"];
        let members = Members::of(value, path, &known)?;
        let optional = |key| Ok::<_, CustodyError>(members.optional_text(key)?.map(str::to_owned));
        Ok(Self {
            name: members.text("name")?.to_owned(),
            version: members.text("version")?.to_owned(),
            instance_id: optional("instanceId")?,
            machine_image: optional("machineImage")?,
            region: optional("region")?,
        })
    }

    fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        object([
            ("name", Some(self.name.as_str().into())),
            ("version", Some(self.version.as_str().into())),
            ("instanceId", text(&self.instance_id)),
            ("machineImage", text(&self.machine_image)),
            ("region", text(&self.region)),
        ])
    }
}

impl ImageRecord {
    fn parse(value: &Value, path: Path) -> Result<Self, CustodyError> {
        let members = Members::of(value, path, &["id", "artifact"])?;
        Ok(Self { id: members.optional_digest("id")?, artifact: members.optional_digest("artifact")? })
    }

    fn to_value(&self) -> Value {
        object([("id", self.id.map(digest_value)), ("artifact", self.artifact.map(digest_value))])
    }
}

impl ArtifactRecord {
    fn parse(value: &Value, path: Path) -> Result<Self, CustodyError> {
        let members = Members::of(value, path, &["size", "contentType", "contentEncoding"])?;
        Ok(Self {
            size: members.size("size")?,
            content_type: members.optional_text("contentType")?.map(str::to_owned),
            content_encoding: members.optional_text("contentEncoding")?.map(str::to_owned),
        })
    }

    fn to_value(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        object([
            ("size", Some(self.size.into())),
            ("contentType", text(&self.content_type)),
            ("contentEncoding", text(&self.content_encoding)),
        ])
    }
}

fn artifacts(members: &Members<'_>) -> Result<BTreeMap<String, ArtifactRecord>, CustodyError> {
    const EXPECTED: &str = "an object";
    let path = members.path("artifacts");
    let Value::Object(map) = members.required("artifacts", EXPECTED)? else {
        return Err(CustodyError::malformed(path, EXPECTED));
    };
    let read =
        |(name, value): (&String, &Value)| Ok((name.clone(), ArtifactRecord::parse(value, path.key(name))?));
    map.iter().map(read).collect()
}

/// The pointers, in byte order, without duplicates.
fn claims(members: &Members<'_>) -> Result<Vec<String>, CustodyError> {
    let path = members.path("taskClaims");
    let wrong = |path: Path, expected| Err(CustodyError::malformed(path, expected));
    let Value::Array(items) = members.required("taskClaims", "a list")? else {
        return wrong(path, "a list");
    };
    if items.len() > MOST_CLAIMS {
        return Err(CustodyError::TooLarge { what: "taskClaims", limit: MOST_CLAIMS, of: "entries" });
    }
    let mut claims: Vec<String> = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let claim = item.as_str().filter(|claim| claim.starts_with('/') && is_text(claim));
        match claim {
            Some(claim) if claims.last().is_none_or(|last| last.as_str() < claim) => {
                claims.push(claim.to_owned());
            }
            _ => return wrong(path.index(number), "a JSON pointer behind the one before it"),
        }
    }
    Ok(claims)
}

/// A time in its only written form.
fn moment(members: &Members<'_>) -> Result<Timestamp, CustodyError> {
    let text = members.text("signedAt")?;
    let moment = parse_moment(text).filter(|moment| written(*moment) == text);
    moment.ok_or_else(|| {
        CustodyError::malformed(members.path("signedAt"), "a time like 2026-08-12T09:30:12.345Z")
    })
}

fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{PinnedInput, Trust};
    use super::*;
    use crate::task::{ArtifactName, RunId, TaskId};
    use catena_json::{Limits, parse};
    use proptest::prelude::*;

    fn sample() -> Custody {
        let input = PinnedInput {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            run_id: RunId(0),
            name: ArtifactName::parse("public/a").unwrap(),
            sha256: [3; 32],
            size: 7,
            verified: Trust::Chain,
        };
        let artifact = ArtifactRecord {
            size: 5,
            content_type: Some("text/plain".to_owned()),
            content_encoding: Some("gzip".to_owned()),
        };
        Custody {
            key_id: [1; 32],
            signed_at: "2026-08-12T09:30:12.345Z".parse().unwrap(),
            worker: WorkerRecord {
                name: "catena".to_owned(),
                version: "0.1.0".to_owned(),
                instance_id: Some("i-1".to_owned()),
                machine_image: Some("image-7".to_owned()),
                region: Some("us-central1".to_owned()),
            },
            creator: Some("project/releng/x".to_owned()),
            image: Some(ImageRecord { id: Some([4; 32]), artifact: Some([5; 32]) }),
            artifacts: [("public/b".to_owned(), artifact)].into(),
            inputs: PinnedInputs::new([input]).unwrap(),
            claims: vec!["/claimedInputs".to_owned(), "/environment/x".to_owned()],
        }
    }

    fn changed(from: &str, to: &str) -> Result<Custody, CustodyError> {
        let text = sample().to_value().to_string();
        let other = text.replacen(from, to, 1);
        assert_ne!(text, other, "{from} is not in {text}");
        Custody::parse(&parse(other.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        assert_eq!(Custody::parse(&sample().to_value()), Ok(sample()));
        let mut least = sample();
        (least.creator, least.image) = (None, None);
        least.worker = WorkerRecord { name: "w".to_owned(), version: "1".to_owned(), ..Default::default() };
        least.artifacts.values_mut().for_each(|record| record.content_type = None);
        least.inputs = PinnedInputs::default();
        least.claims.clear();
        assert_eq!(Custody::parse(&least.to_value()), Ok(least));
    }

    #[test]
    fn every_member_has_its_form() {
        for (from, to) in [
            (r#""version":1"#, r#""version":1.0"#),
            (r#""version":1,"#, ""),
            (r#""keyId":"sha256:01"#, r#""keyId":"sha256:0G"#),
            (r#""keyId":"sha256:"#, r#""keyId":"sha512:"#),
            ("12.345Z", "12.3450Z"),
            ("12.345Z", "12Z"),
            ("12.345Z", "12.345+00:00"),
            (r#""name":"catena","#, ""),
            (r#""name":"catena""#, r#""name":"""#),
            (r#""name":"catena""#, r#""name":"a\nb""#),
            (r#""instanceId":"i-1""#, r#""instanceId":null"#),
            (r#""region""#, r#""regions""#),
            (r#""creatorClientId":"project/releng/x""#, r#""creatorClientId":1"#),
            (r#""image":{"#, r#""image":{"x":1,"#),
            (r#""size":5"#, r#""size":-5"#),
            (r#""contentType":"text/plain""#, r#""contentType":["text/plain"]"#),
            (r#""inputs":["#, r#""inputs":[1,"#),
            (r#""/claimedInputs""#, r#""claimedInputs""#),
            (r#""/claimedInputs""#, r#""/z""#),
            (r#""taskClaims":"#, r#""unknown":1,"taskClaims":"#),
        ] {
            let refused = changed(from, to);
            assert!(matches!(refused, Err(CustodyError::Malformed { .. })), "{to}: {refused:?}");
        }
        assert_eq!(changed(r#""version":1"#, r#""version":2"#), Err(CustodyError::Version("2".to_owned())));
    }

    #[test]
    fn task_claims_cover_everything_below_them() {
        let mut custody = sample();
        custody.claims = vec!["/environment/imageHash".to_owned(), "/x".to_owned()];
        for claim in ["/x", "/x/y", "/environment/imageHash"] {
            assert!(custody.is_claim(claim), "{claim}");
        }
        for own in ["/environment", "/xy", "/environment/imageHashes", ""] {
            assert!(!custody.is_claim(own), "{own}");
        }
    }

    proptest! {
        #[test]
        fn any_record_is_read_as_it_was_written(
            millisecond in 0_i64..4_102_444_800_000,
            size in 0_u64..=super::super::LARGEST,
            text in "[^\\p{Cc}]{1,40}",
        ) {
            let mut custody = sample();
            custody.signed_at = Timestamp::from_millisecond(millisecond).unwrap();
            custody.worker.version = text.clone();
            custody.artifacts.insert(text, ArtifactRecord { size, content_type: None, content_encoding: None });
            prop_assert_eq!(Custody::parse(&custody.to_value()), Ok(custody));
        }
    }
}
