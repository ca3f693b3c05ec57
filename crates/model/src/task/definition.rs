//! Task definitions, as the queue returns them.

use super::{TaskId, Trigger, WorkerPool};
use crate::found::found;
use catena_json::{Path, Value};
use std::collections::BTreeMap;

/// A task's definition. The parts that a Chain of Trust depends on have their types. The rest is kept
/// unchanged and compared as a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    value: Value,
    task_group_id: TaskId,
    parent: Option<TaskId>,
    dependencies: Vec<TaskId>,
    scopes: Vec<String>,
    worker_pool: WorkerPool,
    pool_contradiction: Option<String>,
    inputs: Vec<(String, TaskId)>,
    upstream_artifacts: Vec<UpstreamArtifacts>,
    /// For each task, the indices of its entries.
    upstream_places: BTreeMap<TaskId, Vec<usize>>,
}

/// One entry of `payload.upstreamArtifacts`: files of another task that this one uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamArtifacts {
    /// The task.
    pub task_id: TaskId,
    /// Its kind, as this task names it.
    pub task_type: String,
    /// Artifact names; one with a `*` is a pattern.
    pub paths: Vec<String>,
    /// Whether the files may be missing.
    pub optional: bool,
}

/// The contents of `payload.image` (specification 8.2 to 8.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageInput {
    /// No image.
    None,
    /// An image from a registry, by name.
    Prebuilt(String),
    /// An image built by a task.
    Task {
        /// The image task.
        task_id: TaskId,
        /// The artifact that is the image.
        path: String,
    },
    /// An image found through the index.
    Indexed {
        /// The index path.
        namespace: String,
    },
    /// An object of a different type, or a malformed one.
    Unknown(String),
}

/// Why a definition cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// No `payload`: the queue lost the definition, or never had it (specification 3.1).
    #[error("the task definition is empty")]
    Empty,
    /// A part is missing or has another type.
    #[error("{path} is {found} (expected {expected})")]
    Malformed {
        /// The place.
        path: Path,
        /// The expected value.
        expected: &'static str,
        /// The actual value, in words: `missing`, `null`, `a list`.
        found: String,
    },
}

impl Definition {
    /// Parses the queue's answer to `task/<id>`.
    ///
    /// # Errors
    /// Parts that the checks depend on are missing or mistyped.
    pub fn parse(value: Value) -> Result<Self, DefinitionError> {
        match Self::read(&value) {
            Ok(read) => Ok(Self { value, ..read }),
            Err(DefinitionError::Malformed { path, expected, .. }) => {
                let found = found(&value, &path);
                Err(DefinitionError::Malformed { path, expected, found })
            }
            Err(empty) => Err(empty),
        }
    }

    /// All of it but the value itself.
    fn read(value: &Value) -> Result<Self, DefinitionError> {
        let reader = Reader(value);
        if value.get("payload").is_none_or(Value::is_null) {
            return Err(DefinitionError::Empty);
        }
        for key in ["payload", "extra", "metadata"] {
            reader.object(&[key])?;
        }
        reader.text(&["metadata", "source"])?;
        reader.text(&["created"])?;
        reader.text(&["schedulerId"])?;
        reader.optional_object(&["tags"])?;
        reader.optional_texts(&["payload", "env"])?;
        reader.optional_object(&["payload", "features"])?;
        let upstream_artifacts = reader.upstream_artifacts()?;
        Ok(Self {
            task_group_id: reader.task_id(&["taskGroupId"])?,
            parent: reader.optional_task_id(&["extra", "parent"])?,
            dependencies: reader.task_ids("dependencies")?,
            scopes: reader.texts("scopes")?,
            worker_pool: reader.worker_pool()?,
            pool_contradiction: reader.pool_contradiction()?,
            inputs: reader.inputs()?,
            upstream_places: places_by_task(&upstream_artifacts),
            upstream_artifacts,
            value: Value::Null,
        })
    }

    /// The whole definition.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &Value {
        self.value.get("payload").unwrap_or(&Value::Null)
    }

    /// The decision task: by convention the id of the task group (specification 1.4).
    #[must_use]
    pub fn decision_task_id(&self) -> TaskId {
        self.task_group_id
    }

    /// The task that created this one: `extra.parent`, else the decision task.
    #[must_use]
    pub fn parent_task_id(&self) -> TaskId {
        self.parent.unwrap_or(self.task_group_id)
    }

    /// The tasks that this one depends on.
    #[must_use]
    pub fn dependencies(&self) -> &[TaskId] {
        &self.dependencies
    }

    /// Its scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Its worker pool.
    #[must_use]
    pub fn worker_pool(&self) -> &WorkerPool {
        &self.worker_pool
    }

    /// The pool that `taskQueueId` names, if it is a different one.
    #[must_use]
    pub fn pool_contradiction(&self) -> Option<&str> {
        self.pool_contradiction.as_deref()
    }

    /// `extra.chainOfTrust.inputs`: kind → task.
    #[must_use]
    pub fn inputs(&self) -> &[(String, TaskId)] {
        &self.inputs
    }

    /// `payload.upstreamArtifacts`.
    #[must_use]
    pub fn upstream_artifacts(&self) -> &[UpstreamArtifacts] {
        &self.upstream_artifacts
    }

    /// The entries of `payload.upstreamArtifacts` about one task.
    pub fn upstream_artifacts_of(&self, task_id: TaskId) -> impl Iterator<Item = &UpstreamArtifacts> {
        let places = self.upstream_places.get(&task_id).into_iter().flatten();
        places.filter_map(|place| self.upstream_artifacts.get(*place))
    }

    /// A variable of `payload.env`.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        self.payload().pointer(&["env", name]).and_then(Value::as_str)
    }

    /// A string at a path of keys.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<&str> {
        self.value.pointer(keys).and_then(Value::as_str)
    }

    /// `metadata.source`
    #[must_use]
    pub fn source(&self) -> &str {
        self.text(&["metadata", "source"]).unwrap_or_default()
    }

    /// `created`, as the queue writes it.
    #[must_use]
    pub fn created(&self) -> &str {
        self.text(&["created"]).unwrap_or_default()
    }

    /// `schedulerId`
    #[must_use]
    pub fn scheduler_id(&self) -> &str {
        self.text(&["schedulerId"]).unwrap_or_default()
    }

    /// The trigger of a parent, if it is a known one.
    #[must_use]
    pub fn trigger(&self) -> Option<Trigger> {
        Trigger::parse(self.tasks_for()?)
    }

    /// `extra.tasks_for`, the trigger of a parent, as text.
    #[must_use]
    pub fn tasks_for(&self) -> Option<&str> {
        self.text(&["extra", "tasks_for"])
    }

    /// Whether this is an action: it has an action's callback, or an `extra.action` (specification
    /// 2.4).
    #[must_use]
    pub fn is_action(&self) -> bool {
        self.env("ACTION_CALLBACK").is_some_and(|callback| !callback.is_empty())
            || self.value.pointer(&["extra", "action"]).is_some_and(is_truthy)
    }

    /// The contents of `payload.image`.
    #[must_use]
    pub fn image(&self) -> ImageInput {
        let image = match self.payload().get("image") {
            None | Some(Value::Null) => return ImageInput::None,
            Some(Value::String(name)) if name.is_empty() => return ImageInput::None,
            Some(Value::String(name)) => return ImageInput::Prebuilt(name.clone()),
            Some(image) => image,
        };
        let text = |key: &str| image.get(key).and_then(Value::as_str);
        let task_id = text("taskId").and_then(|id| TaskId::parse(id).ok());
        match (text("type"), task_id, text("path"), text("namespace")) {
            (Some("task-image"), Some(task_id), Some(path), _) => {
                ImageInput::Task { task_id, path: path.to_owned() }
            }
            (Some("indexed-image"), _, _, Some(namespace)) => {
                ImageInput::Indexed { namespace: namespace.to_owned() }
            }
            (kind, ..) => ImageInput::Unknown(kind.unwrap_or_else(|| image.kind()).to_owned()),
        }
    }
}

#[cfg(any(test, feature = "samples"))]
#[expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a sample for tests")]
impl Definition {
    /// A decision task's definition that says as little as it may, for tests to add to.
    pub const SAMPLE: &str = r#"{"created":"2026-08-12T09:30:12.345Z","dependencies":[],"extra":{},
        "metadata":{"source":"https://hg.mozilla.org/mozilla-central/file/x"},"payload":{},
        "provisionerId":"gecko-3","workerType":"decision","taskQueueId":"gecko-3/decision",
        "schedulerId":"gecko-level-3","scopes":[],"taskGroupId":"fN1SbArXTPSVFUUvaOlinQ"}"#;

    /// The id of the task that [`Self::SAMPLE`] defines.
    pub fn sample_id() -> TaskId {
        TaskId::parse("fN1SbArXTPSVFUUvaOlinQ").unwrap()
    }

    /// [`Self::SAMPLE`] with other text in one place.
    pub fn sample(from: &str, to: &str) -> Self {
        assert!(Self::SAMPLE.contains(from), "{from}");
        let text = Self::SAMPLE.replacen(from, to, 1);
        Self::parse(catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap()).unwrap()
    }
}

/// What Python takes for true: not `null`, `false`, zero, or empty.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => *number != 0_i64.into(),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

struct Reader<'a>(&'a Value);

type Read<T> = Result<T, DefinitionError>;

fn malformed<T>(path: Path, expected: &'static str) -> Read<T> {
    Err(DefinitionError::Malformed { path, expected, found: String::new() })
}

impl<'a> Reader<'a> {
    fn object(&self, keys: &[&str]) -> Read<()> {
        match self.0.pointer(keys) {
            Some(Value::Object(_)) => Ok(()),
            _ => malformed(Path::of(keys), "an object"),
        }
    }

    fn optional_object(&self, keys: &[&str]) -> Read<()> {
        match self.0.pointer(keys) {
            None => Ok(()),
            Some(_) => self.object(keys),
        }
    }

    fn optional_texts(&self, keys: &[&str]) -> Read<()> {
        self.optional_object(keys)?;
        let members = self.0.pointer(keys).and_then(Value::as_object);
        match members.and_then(|members| members.iter().find(|(_, value)| value.as_str().is_none())) {
            Some((key, _)) => malformed(Path::of(keys).key(key), "a string"),
            None => Ok(()),
        }
    }

    fn text(&self, keys: &[&str]) -> Read<&'a str> {
        match self.0.pointer(keys) {
            Some(Value::String(text)) => Ok(text),
            _ => malformed(Path::of(keys), "a string"),
        }
    }

    fn texts(&self, key: &str) -> Read<Vec<String>> {
        let Some(Value::Array(items)) = self.0.get(key) else {
            return malformed(Path::of(&[key]), "a list of strings");
        };
        let read = |(index, item): (usize, &Value)| match item {
            Value::String(text) => Ok(text.clone()),
            _ => malformed(Path::of(&[key]).index(index), "a string"),
        };
        items.iter().enumerate().map(read).collect()
    }

    fn task_id(&self, keys: &[&str]) -> Read<TaskId> {
        let text = self.text(keys)?;
        TaskId::parse(text).or_else(|_| malformed(Path::of(keys), "a task id"))
    }

    fn optional_task_id(&self, keys: &[&str]) -> Read<Option<TaskId>> {
        match self.0.pointer(keys) {
            None => Ok(None),
            Some(_) => self.task_id(keys).map(Some),
        }
    }

    fn task_ids(&self, key: &str) -> Read<Vec<TaskId>> {
        let parse = |(index, text): (usize, String)| {
            TaskId::parse(&text).or_else(|_| malformed(Path::of(&[key]).index(index), "a task id"))
        };
        self.texts(key)?.into_iter().enumerate().map(parse).collect()
    }

    fn worker_pool(&self) -> Read<WorkerPool> {
        let joined = format!("{}/{}", self.text(&["provisionerId"])?, self.text(&["workerType"])?);
        WorkerPool::parse(&joined)
            .or_else(|_| malformed(Path::of(&["workerType"]), "the name of a worker pool"))
    }

    fn pool_contradiction(&self) -> Read<Option<String>> {
        if self.0.get("taskQueueId").is_none() {
            return Ok(None);
        }
        let queue = self.text(&["taskQueueId"])?;
        let pool = self.worker_pool()?;
        Ok((queue != pool.as_str()).then(|| queue.to_owned()))
    }

    fn inputs(&self) -> Read<Vec<(String, TaskId)>> {
        let keys = ["extra", "chainOfTrust", "inputs"];
        self.optional_object(&["extra", "chainOfTrust"])?;
        self.optional_object(&keys)?;
        let Some(inputs) = self.0.pointer(&keys).and_then(Value::as_object) else { return Ok(Vec::new()) };
        let read = |(kind, task_id): (&String, &Value)| {
            let parsed = task_id.as_str().and_then(|text| TaskId::parse(text).ok());
            match parsed {
                Some(task_id) => Ok((kind.clone(), task_id)),
                None => malformed(Path::of(&keys).key(kind), "a task id"),
            }
        };
        inputs.iter().map(read).collect()
    }

    fn upstream_artifacts(&self) -> Read<Vec<UpstreamArtifacts>> {
        let path = Path::of(&["payload", "upstreamArtifacts"]);
        match self.0.pointer(&["payload", "upstreamArtifacts"]) {
            None => Ok(Vec::new()),
            Some(Value::Array(entries)) => {
                entries.iter().enumerate().map(|(index, entry)| upstream(entry, &path.index(index))).collect()
            }
            Some(_) => malformed(path, "a list"),
        }
    }
}

fn places_by_task(entries: &[UpstreamArtifacts]) -> BTreeMap<TaskId, Vec<usize>> {
    let mut places: BTreeMap<TaskId, Vec<usize>> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        places.entry(entry.task_id).or_default().push(place);
    }
    places
}

fn upstream(entry: &Value, path: &Path) -> Read<UpstreamArtifacts> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let Some(task_id) = text("taskId").and_then(|id| TaskId::parse(id).ok()) else {
        return malformed(path.key("taskId"), "a task id");
    };
    let Some(task_type) = text("taskType") else { return malformed(path.key("taskType"), "a string") };
    let optional = match entry.get("optional") {
        None | Some(Value::Bool(false) | Value::Null) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return malformed(path.key("optional"), "a boolean"),
    };
    let Some(Value::Array(paths)) = entry.get("paths") else {
        return malformed(path.key("paths"), "a list of strings");
    };
    let read = |(index, item): (usize, &Value)| match item.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => malformed(path.key("paths").index(index), "a string"),
    };
    let paths = paths.iter().enumerate().map(read).collect::<Read<_>>()?;
    Ok(UpstreamArtifacts { task_id, task_type: task_type.to_owned(), paths, optional })
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    const ID: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

    fn base() -> Value {
        let text = format!(
            r#"{{"created":"2026-08-12T09:30:12.345Z","dependencies":["{ID}"],"extra":{{"chainOfTrust":{{"inputs":{{"docker-image":"{ID}"}}}}}},
            "metadata":{{"source":"https://hg.mozilla.org/mozilla-central/file/x"}},"payload":{{"image":"a","env":{{"A":"b"}},
            "upstreamArtifacts":[{{"taskId":"{ID}","taskType":"build","paths":["public/a"],"optional":true}}]}},
            "provisionerId":"gecko-3","workerType":"b-linux","taskQueueId":"gecko-3/b-linux","schedulerId":"gecko-level-3","scopes":["a"],"taskGroupId":"{ID}"}}"#
        );
        parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn with(keys: &[&str], value: Option<Value>) -> Result<Definition, DefinitionError> {
        let mut whole = base();
        let (last, way) = keys.split_last().unwrap();
        let mut at = &mut whole;
        for key in way {
            at = at.get_mut(key).unwrap();
        }
        let object = at.as_object_mut().unwrap();
        match value {
            Some(value) => drop(object.insert(*last, value)),
            None => drop(object.remove(last)),
        }
        Definition::parse(whole)
    }

    #[test]
    fn the_parts_are_read() {
        let definition = Definition::parse(base()).unwrap();
        assert_eq!(definition.parent_task_id().as_str(), ID);
        assert_eq!(definition.worker_pool().as_str(), "gecko-3/b-linux");
        assert_eq!(definition.inputs().len(), 1);
        assert!(definition.upstream_artifacts()[0].optional);
        assert_eq!(definition.env("A"), Some("b"));
        assert!(!definition.is_action());
        assert_eq!(definition.image(), ImageInput::Prebuilt("a".to_owned()));
    }

    #[test]
    fn missing_and_mistyped_parts_are_named() {
        assert_eq!(with(&["payload"], None), Err(DefinitionError::Empty));
        for keys in [
            &["extra"][..],
            &["metadata"],
            &["metadata", "source"],
            &["created"],
            &["schedulerId"],
            &["taskGroupId"],
            &["dependencies"],
            &["scopes"],
            &["provisionerId"],
            &["workerType"],
        ] {
            for value in [None, Some(Value::Bool(true)), Some(Value::from("x y"))] {
                let text_is_fine = ["source", "created", "schedulerId"].contains(keys.last().unwrap());
                if value.as_ref().and_then(Value::as_str).is_some() && text_is_fine {
                    continue;
                }
                assert!(matches!(with(keys, value), Err(DefinitionError::Malformed { .. })), "{keys:?}");
            }
        }
        for keys in [
            &["extra", "parent"][..],
            &["extra", "chainOfTrust"],
            &["extra", "chainOfTrust", "inputs"],
            &["extra", "chainOfTrust", "inputs", "docker-image"],
            &["payload", "env"],
            &["payload", "features"],
            &["payload", "env", "A"],
            &["payload", "upstreamArtifacts"],
            &["tags"],
        ] {
            let error = with(keys, Some(Value::from(1_i64))).unwrap_err();
            assert!(
                matches!(&error, DefinitionError::Malformed { path, .. } if path.to_string().starts_with(keys[0])),
                "{keys:?}: {error}"
            );
        }
    }

    #[test]
    fn truth_values_are_python_s() {
        let truthy = |text: &str| is_truthy(&parse(text.as_bytes(), &Limits::default()).unwrap());
        for truth in ["true", "1", "-0.5", "\"0\"", "[null]", r#"{"a":null}"#] {
            assert!(truthy(truth), "{truth}");
        }
        for other in ["null", "false", "0", "0.0", "\"\"", "[]", "{}"] {
            assert!(!truthy(other), "{other}");
        }
    }

    #[test]
    fn actions_are_marked_in_one_of_two_ways() {
        let action = |keys: &[&str], text: &str| {
            with(keys, Some(parse(text.as_bytes(), &Limits::default()).unwrap())).unwrap().is_action()
        };
        assert!(action(&["payload", "env", "ACTION_CALLBACK"], "\"retrigger\""));
        assert!(!action(&["payload", "env", "ACTION_CALLBACK"], "\"\""));
        assert!(action(&["extra", "action"], r#"{"name":"a"}"#));
        assert!(!action(&["extra", "action"], "{}"));
    }

    #[test]
    fn an_artifact_is_optional_only_if_stated() {
        let optional = |value: Option<&str>| {
            let value = value.map_or_else(String::new, |value| format!(r#","optional":{value}"#));
            let text = format!(r#"[{{"taskId":"{ID}","taskType":"build","paths":[]{value}}}]"#);
            let entries = parse(text.as_bytes(), &Limits::default()).unwrap();
            let read = with(&["payload", "upstreamArtifacts"], Some(entries));
            read.ok().map(|read| read.upstream_artifacts()[0].optional)
        };
        assert_eq!(optional(None), Some(false));
        assert_eq!(
            [optional(Some("false")), optional(Some("null")), optional(Some("true"))],
            [Some(false), Some(false), Some(true)]
        );
        for wrong in ["1", "\"true\"", "{}"] {
            assert_eq!(optional(Some(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_contradicting_queue_is_named() {
        let other = with(&["taskQueueId"], Some(Value::from("gecko-1/b-linux"))).unwrap();
        assert_eq!(other.pool_contradiction(), Some("gecko-1/b-linux"));
        assert_eq!(with(&["taskQueueId"], None).unwrap().pool_contradiction(), None);
        assert_eq!(Definition::parse(base()).unwrap().pool_contradiction(), None);
    }

    #[test]
    fn images_have_three_valid_forms() {
        let image = |text: &str| {
            with(&["payload", "image"], Some(parse(text.as_bytes(), &Limits::default()).unwrap()))
                .unwrap()
                .image()
        };
        assert!(matches!(
            image(&format!(r#"{{"type":"task-image","taskId":"{ID}","path":"public/image"}}"#)),
            ImageInput::Task { .. }
        ));
        assert!(matches!(
            image(r#"{"type":"indexed-image","namespace":"a.b","path":"p"}"#),
            ImageInput::Indexed { .. }
        ));
        assert_eq!(
            image(r#"{"type":"docker-image","name":"x"}"#),
            ImageInput::Unknown("docker-image".to_owned())
        );
        assert_eq!(
            image(r#"{"type":"task-image","taskId":"x","path":"p"}"#),
            ImageInput::Unknown("task-image".to_owned())
        );
        assert_eq!(image("\"\""), ImageInput::None);
    }
}
