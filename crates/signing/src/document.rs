//! The Chain of Trust document of one run.

use crate::beneath;
use crate::custody::image_members;
use crate::definition::{DefinitionError, TaskDefinition};
use crate::measure::Measured;
use crate::print::Printer;
use catena_json::{Limits, Map, ParseError, Value};
use catena_keys::Signature;
use catena_model::custody::{CUSTODY, Custody, ImageRecord};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

/// The name of the document among a task's artifacts.
pub const DOCUMENT: &str = "public/chain-of-trust.json";
/// The name of its signature.
pub const SIGNATURE: &str = "public/chain-of-trust.json.sig";

/// Which worker's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Go's `json.MarshalIndent`, in the order of generic-worker's structures.
    GenericWorker,
    /// Python's `json.dumps(indent=2, sort_keys=True)`.
    Scriptworker,
}

/// The run that the document is about, as the queue names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The task.
    pub task_id: String,
    /// The run's number.
    pub run_id: u32,
    /// The group of the worker.
    pub worker_group: String,
    /// The worker.
    pub worker_id: String,
    /// The worker type, which scriptworker writes beside the definition's.
    pub worker_type: String,
}

/// What a generic-worker says of its machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    members: BTreeMap<&'static str, String>,
    pub(crate) image: Option<ImageRecord>,
    pub(crate) additional: Option<Value>,
    /// The mode of the worker that ran the task without a clearance.
    uncleared: Option<&'static str>,
}

/// Why a document cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The task definition is not one.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A file of additional data or of the environment is not JSON.
    #[error("{what} is not JSON: {cause}")]
    Json {
        /// Which file.
        what: &'static str,
        /// What is wrong.
        cause: ParseError,
    },
    /// It is not an object with the members that generic-worker writes.
    #[error("{what} must be an object of strings named {ENVIRONMENT:?}; {found} is not one")]
    Environment {
        /// Which file.
        what: &'static str,
        /// What was found.
        found: String,
    },
    /// Additional data must be an object.
    #[error("the additional data must be a JSON object")]
    Additional,
    /// Only the worker writes the record of custody.
    #[error("the additional data must not have the member {CUSTODY:?}; only the worker writes it")]
    Reserved,
    /// Only the worker says which image ran.
    #[error(
        "environment.{0} stands in the additional data only, which a task can write; a task with a docker image needs \
         it in the worker's facts, as image.id (imageHash) or image.artifact (imageArtifactHash)"
    )]
    ClaimedImage(&'static str),
    /// Facts that cannot be recorded.
    #[error("the worker's facts cannot be recorded: {0}")]
    Facts(String),
}

/// The members of generic-worker's environment, in its order.
const ENVIRONMENT: [&str; 5] =
    ["publicIpAddress", "privateIpAddress", "instanceId", "instanceType", "region"];
const ENVIRONMENT_FILE: &str = "the environment";

impl Environment {
    /// Reads an object of generic-worker's members. What is missing is written as generic-worker writes
    /// what it was not configured with.
    ///
    /// # Errors
    /// Text that is not such an object.
    pub fn parse(text: &[u8]) -> Result<Self, DocumentError> {
        let value = catena_json::parse(text, &Limits::default())
            .map_err(|cause| DocumentError::Json { what: ENVIRONMENT_FILE, cause })?;
        let wrong =
            |found: &str| DocumentError::Environment { what: ENVIRONMENT_FILE, found: found.to_owned() };
        let Value::Object(map) = &value else { return Err(wrong("another value")) };
        let mut members = BTreeMap::new();
        for (key, value) in map {
            let known = ENVIRONMENT.iter().find(|name| *name == key).ok_or_else(|| wrong(key))?;
            let text = value.as_str().ok_or_else(|| wrong(key))?;
            members.insert(*known, text.to_owned());
        }
        Ok(Self { members, image: None, additional: None, uncleared: None })
    }

    /// Adds what generic-worker merges into the document from `chain-of-trust-additional-data.json`, such as
    /// the hashes of a docker image. The whole document is then written with sorted keys and every number
    /// as a float.
    ///
    /// # Errors
    /// Text that is not a JSON object, or one that holds a record of custody.
    pub fn with_additional_data(mut self, text: &[u8]) -> Result<Self, DocumentError> {
        let value = catena_json::parse(text, &Limits::default())
            .map_err(|cause| DocumentError::Json { what: "the additional data", cause })?;
        let Value::Object(members) = &value else { return Err(DocumentError::Additional) };
        if members.contains_key(CUSTODY) {
            return Err(DocumentError::Reserved);
        }
        self.additional = Some(value);
        Ok(self)
    }

    /// Says which docker image the task ran in, as the worker knows it. Generic-worker writes it in the way of
    /// additional data, so that the document is written as for [`Environment::with_additional_data`].
    #[must_use]
    pub fn with_image(mut self, image: ImageRecord) -> Self {
        self.image = Some(image);
        self
    }

    /// Says that the worker ran the task although its chain is not verified, and in which mode. The document
    /// then has `clearance` and `clearanceMode` in its environment, so that it cannot be taken for the document
    /// of a task that was cleared.
    #[must_use]
    pub fn without_clearance(mut self, mode: &'static str) -> Self {
        self.uncleared = Some(mode);
        self
    }

    fn clearance(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.uncleared.into_iter().flat_map(|mode| [("clearance", "none"), ("clearanceMode", mode)])
    }

    /// A member, if it is known.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.members.get(name).cloned()
    }

    /// What is merged below the document: additional data, and above it the image that the worker knows.
    fn merged_data(&self) -> Option<Value> {
        let Some(image) = &self.image else { return self.additional.clone() };
        let own: Value = Map::from_iter([("environment".to_owned(), image_members(image))]).into();
        Some(self.additional.as_ref().map_or_else(|| own.clone(), |additional| merged(additional, &own)))
    }

    /// The members in their order, as generic-worker writes them: an address that is not known is left out,
    /// or written as Go writes none.
    fn written(&self) -> Vec<(&'static str, &str)> {
        let member = |name: &&'static str| match (self.members.get(name), *name) {
            (Some(text), name) => Some((name, text.as_str())),
            (None, "publicIpAddress") => None,
            (None, "privateIpAddress") => Some(("privateIpAddress", "<nil>")),
            (None, name) => Some((name, "")),
        };
        let mut written: Vec<(&'static str, &str)> = ENVIRONMENT.iter().filter_map(member).collect();
        for (name, text) in self.clearance() {
            written.push((name, text));
        }
        written
    }
}

/// What a worker signs: which task ran, where, and what came out.
#[derive(Clone, Debug)]
pub struct Document {
    /// The definition that ran.
    pub task: TaskDefinition,
    /// The run.
    pub run: Run,
    /// What the run made.
    pub artifacts: BTreeMap<String, Measured>,
    /// The machine it ran on; scriptworker writes none.
    pub environment: Environment,
    /// The record of custody; without one the bytes are those of today's workers
    /// ([`Document::with_custody`]).
    pub custody: Option<Custody>,
}

impl Document {
    /// The bytes that are published and signed.
    #[must_use]
    pub fn to_bytes(&self, style: Style) -> Vec<u8> {
        let mut out = Printer::default();
        match (style, self.environment.merged_data()) {
            (Style::Scriptworker, _) => out.python(&self.scriptworker()),
            (Style::GenericWorker, None) => self.print_go(&mut out),
            (Style::GenericWorker, Some(data)) => out.go_map(&merged(&data, &self.own_value())),
        }
        out.finish().into_bytes()
    }

    /// What a generic-worker itself says, without additional data.
    pub(crate) fn own_value(&self) -> Value {
        let mut plain = Printer::default();
        self.print_go(&mut plain);
        let own = catena_json::parse(plain.finish().as_bytes(), &Limits::default());
        // What was printed here is JSON.
        let own = own.unwrap_or_default();
        let Some(image) = &self.environment.image else { return own };
        merged(&Map::from_iter([("environment".to_owned(), image_members(image))]).into(), &own)
    }

    fn print_go(&self, out: &mut Printer) {
        type Print<'a> = &'a dyn Fn(&mut Printer);
        let text = |text: &str| {
            let text = text.to_owned();
            move |out: &mut Printer| out.go_string(&text)
        };
        let artifacts = |out: &mut Printer| {
            out.group(('{', '}'), &self.artifacts, |out, (name, measured)| {
                out.go_string(name);
                out.push(": ");
                out.group(('{', '}'), [measured], |out, measured| {
                    out.push("\"sha256\": ");
                    out.go_string(&hex::encode(measured.sha256));
                });
            });
        };
        let environment = |out: &mut Printer| {
            out.group(('{', '}'), self.environment.written(), |out, (name, text)| {
                out.go_string(name);
                out.push(": ");
                out.go_string(text);
            });
        };
        let run = &self.run;
        let number = |out: &mut Printer| out.push(&run.run_id.to_string());
        let custody = self.custody.as_ref().map(Custody::to_value);
        let custody = |out: &mut Printer| custody.iter().for_each(|custody| out.go_value(custody));
        let members: [(&str, Print<'_>); 9] = [
            ("chainOfTrustVersion", &|out| out.push("1")),
            ("artifacts", &artifacts),
            ("task", &|out| self.task.print_go(out)),
            ("taskId", &text(&run.task_id)),
            ("runId", &number),
            ("workerGroup", &text(&run.worker_group)),
            ("workerId", &text(&run.worker_id)),
            ("environment", &environment),
            (CUSTODY, &custody),
        ];
        let count = if self.custody.is_some() { members.len() } else { members.len().saturating_sub(1) };
        out.group(('{', '}'), members.into_iter().take(count), |out, (name, print)| {
            out.go_string(name);
            out.push(": ");
            print(out);
        });
    }

    fn scriptworker(&self) -> Value {
        let digest = |measured: &Measured| {
            Value::Object([("sha256".to_owned(), hex::encode(measured.sha256).into())].into_iter().collect())
        };
        let artifacts: Map =
            self.artifacts.iter().map(|(name, measured)| (name.clone(), digest(measured))).collect();
        let environment =
            self.environment.clearance().map(|(name, text)| (name.to_owned(), text.into())).collect();
        let run = &self.run;
        let members: [(&str, Value); 9] = [
            ("artifacts", Value::Object(artifacts)),
            ("chainOfTrustVersion", 1_i64.into()),
            ("environment", Value::Object(environment)),
            ("runId", i64::from(run.run_id).into()),
            ("task", self.task.value().clone()),
            ("taskId", run.task_id.as_str().into()),
            ("workerGroup", run.worker_group.as_str().into()),
            ("workerId", run.worker_id.as_str().into()),
            ("workerType", run.worker_type.as_str().into()),
        ];
        let mut all: Map = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(custody) = &self.custody {
            all.insert(CUSTODY, custody.to_value());
        }
        Value::Object(all)
    }
}

/// Writes a document and its signature where a task's artifacts are. No link of the task leads them elsewhere.
///
/// # Errors
/// The directory cannot be written to, or `public` in it is not a directory.
pub fn write_signed(artifacts: &Path, document: &[u8], signature: &Signature) -> std::io::Result<()> {
    let root = File::open(artifacts)?;
    let public = beneath::make_directory(root.as_fd(), OsStr::new("public"))?;
    beneath::replace(public.as_fd(), "chain-of-trust.json", document)?;
    beneath::replace(public.as_fd(), "chain-of-trust.json.sig", signature.as_bytes())
}

/// `above` laid over `below`: objects are merged member by member, anything else of `above` counts.
fn merged(below: &Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            let mut map = below.clone();
            for (key, value) in above {
                let value = below.get(key).map_or_else(|| value.clone(), |below| merged(below, value));
                map.insert(key.clone(), value);
            }
            Value::Object(map)
        }
        (_, above) => above.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::definition::tests::TASK;

    /// The document of a run, without a record of custody.
    pub(crate) fn document(environment: Environment) -> Document {
        let run = Run {
            task_id: "IFn9x5gaQz-HXl2pa7Ny_w".to_owned(),
            run_id: 0,
            worker_group: "us-central1".to_owned(),
            worker_id: "i-1".to_owned(),
            worker_type: "b-linux".to_owned(),
        };
        let measured = Measured { size: 3, sha256: [0xab; 32] };
        let artifacts = [("public/b".to_owned(), measured), ("public/<a>".to_owned(), measured)].into();
        Document {
            task: TaskDefinition::parse(TASK.as_bytes()).unwrap(),
            run,
            artifacts,
            environment,
            custody: None,
        }
    }

    fn text(document: &Document, style: Style) -> String {
        String::from_utf8(document.to_bytes(style)).unwrap()
    }

    #[test]
    fn a_document_without_clearance_says_so() {
        let plain = document(Environment::default());
        let marked = document(Environment::default().without_clearance("warn"));
        for style in [Style::Scriptworker, Style::GenericWorker] {
            assert!(!text(&plain, style).contains("clearance"), "{style:?}");
            let value = catena_json::parse(&marked.to_bytes(style), &Limits::default()).unwrap();
            let member = |name| value.pointer(&["environment", name]).and_then(Value::as_str);
            assert_eq!((member("clearance"), member("clearanceMode")), (Some("none"), Some("warn")));
        }
    }

    #[test]
    fn generic_worker_writes_its_members_in_their_order() {
        let environment = Environment::parse(br#"{"region":"r","instanceId":"i"}"#).unwrap();
        let text = text(&document(environment), Style::GenericWorker);
        let hash = "ab".repeat(32);
        let start = format!(
            "{{\n  \"chainOfTrustVersion\": 1,\n  \"artifacts\": {{\n    \"public/\\u003ca\\u003e\": {{\n      \
             \"sha256\": \"{hash}\"\n    }},\n    \"public/b\": {{\n      \"sha256\": \"{hash}\"\n    }}\n  }},\n  \
             \"task\": {{\n    \"created\": \"2026-08-12T09:30:12.300Z\",\n"
        );
        assert!(text.starts_with(&start), "{text}");
        let end = "    \"workerType\": \"b-linux\"\n  },\n  \"taskId\": \"IFn9x5gaQz-HXl2pa7Ny_w\",\n  \"runId\": 0,\n  \
             \"workerGroup\": \"us-central1\",\n  \"workerId\": \"i-1\",\n  \"environment\": {\n    \
             \"privateIpAddress\": \"\\u003cnil\\u003e\",\n    \"instanceId\": \"i\",\n    \"instanceType\": \"\",\n    \
             \"region\": \"r\"\n  }\n}";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn additional_data_sorts_the_document_and_never_replaces_what_the_worker_says() {
        let data = br#"{"environment":{"imageHash":"sha256:1","region":"other"},"taskId":"other","x":{"b":1,"a":2.50}}"#;
        let environment =
            Environment::parse(br#"{"region":"r"}"#).unwrap().with_additional_data(data).unwrap();
        let text = text(&document(environment), Style::GenericWorker);
        assert!(text.starts_with("{\n  \"artifacts\": {\n    \"public/\\u003ca\\u003e\""), "{text}");
        let end = "  \"workerGroup\": \"us-central1\",\n  \"workerId\": \"i-1\",\n  \"x\": {\n    \"a\": 2.5,\n    \"b\": 1\n  }\n}";
        assert!(text.ends_with(end), "{text}");
        for part in
            ["\"imageHash\": \"sha256:1\"", "\"region\": \"r\"", "\"maxRunTime\": 1000", "\"taskId\": \"IFn9"]
        {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn scriptworker_writes_the_definition_as_it_is() {
        let text = text(&document(Environment::default()), Style::Scriptworker);
        assert!(text.starts_with("{\n  \"artifacts\": {\n    \"public/<a>\": {\n"), "{text}");
        for part in [
            "\"newerThanThisWorker\": true",
            "\"<a>&\\u00fc\"",
            "\"maxRunTime\": 1000.0",
            "\"environment\": {},",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.ends_with("  \"workerId\": \"i-1\",\n  \"workerType\": \"b-linux\"\n}"), "{text}");
    }

    #[test]
    fn a_signed_document_is_written_whole_and_where_it_belongs() {
        let folder = tempfile::tempdir().unwrap();
        let signature = catena_keys::SigningKey::from_seed(&[7; 32]).sign(b"{}");
        for _ in 0..2 {
            write_signed(folder.path(), b"{}", &signature).unwrap();
            assert_eq!(std::fs::read(folder.path().join(DOCUMENT)).unwrap(), b"{}");
            assert_eq!(std::fs::read(folder.path().join(SIGNATURE)).unwrap(), signature.as_bytes());
        }
        assert_eq!(std::fs::read_dir(folder.path().join("public")).unwrap().count(), 2);
        let (linked, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), linked.path().join("public")).unwrap();
        assert!(write_signed(linked.path(), b"{}", &signature).is_err());
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_environment_has_the_members_of_generic_worker() {
        for text in ["[]", r#"{"imageHash":"x"}"#, r#"{"region":1}"#, "{"] {
            assert!(Environment::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Environment::default().with_additional_data(b"[]").is_err());
        let reserved = Environment::default().with_additional_data(br#"{"custody":{}}"#);
        assert!(matches!(reserved, Err(DocumentError::Reserved)));
    }
}
