//! What is wanted: as MOZ_FETCHES says it, and as lists of artifacts say it.

use crate::deliver::Extract;
use catena_model::digest::Digest;
use catena_model::task::{RunId, TaskId};
use serde::Deserialize;
use serde_json::Value;
use std::str::FromStr;

/// The most entries of one list.
const MOST: usize = 10_000;

/// What is wrong with a list of what is wanted, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WantedError(String);

impl WantedError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Where artifacts are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A task, and perhaps one of its runs.
    Task(TaskId, Option<RunId>),
    /// A route of the index.
    Index(String),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(route) = text.strip_prefix("index:") {
            let plain = (1..=255).contains(&route.len()) && route.bytes().all(|byte| byte.is_ascii_graphic());
            return plain.then(|| Self::Index(route.to_owned())).ok_or_else(|| "not a route".to_owned());
        }
        let text = text.strip_prefix("task:").unwrap_or(text);
        let (task, run) = match text.split_once('/') {
            Some((task, run)) => (task, Some(run)),
            None => (text, None),
        };
        let run = run.map(|run| {
            run.parse::<u32>().map(RunId).map_err(|_| format!("{run:?} is not the number of a run"))
        });
        Ok(Self::Task(TaskId::parse(task).map_err(|error| error.to_string())?, run.transpose()?))
    }
}

/// One artifact that is wanted, or all that a pattern means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which task made it.
    pub source: Source,
    /// A name, or a pattern where that is asked for.
    pub name: String,
    /// Which of the two it is.
    pub is_pattern: bool,
    /// The directory below the destination.
    pub directory: String,
    /// The name of the file there, where it is not that of the artifact.
    pub file: Option<String>,
    /// Whether it is extracted there.
    pub extract: Extract,
    /// What the caller says of its digest.
    pub digest: Option<Digest>,
}

impl Wanted {
    /// What MOZ_FETCHES says. `extract` is required, what is not known is passed over, as fetch-content has it;
    /// unlike there a `sha256` counts.
    ///
    /// # Errors
    /// Text that is not a list of such objects, or more than 10,000 of them.
    pub fn of_moz_fetches(text: &str) -> Result<Vec<Self>, WantedError> {
        let list: Value = serde_json::from_str(text).map_err(|error| WantedError::new(error.to_string()))?;
        let entries = match list {
            Value::Array(entries) => entries,
            Value::Object(map) if map.is_empty() => Vec::new(),
            _ => return Err(WantedError::new("not a list")),
        };
        each(entries, |entry| Self::of_fetch(&entry))
    }

    /// What a YAML or JSON list says (`--from`).
    ///
    /// # Errors
    /// Text that is not a list of such maps, or more than 10,000 of them.
    pub fn of_list(text: &str) -> Result<Vec<Self>, WantedError> {
        let entries: Vec<Entry> =
            serde_saphyr::from_str(text).map_err(|error| WantedError::new(error.to_string()))?;
        each(entries, Self::of_entry)
    }

    fn of_fetch(entry: &Value) -> Result<Self, String> {
        let text = |key: &str| match entry.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("{key} is not a text")),
        };
        let needed = |key: &str| text(key)?.ok_or_else(|| format!("{key} is missing"));
        let task = needed("task")?;
        let extract = match entry.get("extract") {
            Some(Value::Bool(extract)) => *extract,
            Some(_) => return Err("extract is neither true nor false".to_owned()),
            None => return Err("extract is missing".to_owned()),
        };
        let digest = text("sha256")?.map(|text| Digest::parse("sha256", &text));
        Ok(Self {
            source: Source::Task(TaskId::parse(&task).map_err(|error| error.to_string())?, None),
            name: needed("artifact")?,
            is_pattern: false,
            directory: text("dest")?.unwrap_or_default(),
            file: None,
            extract: Extract::archives(extract),
            digest: digest.transpose().map_err(|error| error.to_string())?,
        })
    }

    fn of_entry(entry: Entry) -> Result<Self, String> {
        let source = match (&entry.task, &entry.index, entry.run) {
            (Some(task), None, None) => task.clone(),
            (Some(task), None, Some(run)) => format!("{task}/{run}"),
            (None, Some(route), None) => format!("index:{route}"),
            _ => return Err("exactly one of task and index is needed, and run only beside task".to_owned()),
        };
        let digest = entry.sha256.map(|text| Digest::parse("sha256", &text)).transpose();
        Ok(Self {
            source: source.parse()?,
            is_pattern: is_pattern(&entry.artifact),
            name: entry.artifact,
            directory: entry.dest,
            file: None,
            extract: Extract::archives(entry.extract),
            digest: digest.map_err(|error| error.to_string())?,
        })
    }
}

/// An entry of a list (`--from`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    task: Option<String>,
    run: Option<u32>,
    index: Option<String>,
    artifact: String,
    #[serde(default)]
    dest: String,
    #[serde(default)]
    extract: bool,
    sha256: Option<String>,
}

/// Reads each entry of a list that is not too long.
fn each<T>(entries: Vec<T>, read: impl Fn(T) -> Result<Wanted, String>) -> Result<Vec<Wanted>, WantedError> {
    if entries.len() > MOST {
        return Err(WantedError::new(format!("more than {MOST} entries")));
    }
    let entry =
        |(number, entry)| read(entry).map_err(|what| WantedError::new(format!("entry {number}: {what}")));
    entries.into_iter().enumerate().map(entry).collect()
}

/// Whether a name is a pattern.
#[must_use]
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

    #[test]
    fn moz_fetches_is_read_as_fetch_content_reads_it() {
        let text = format!(
            r#"[{{"artifact":"public/a b.tar","dest":"x","extract":true,"task":"{TASK}","verify-hash":true,"other":1}}]"#
        );
        let wanted = Wanted::of_moz_fetches(&text).unwrap();
        assert_eq!(
            wanted,
            [Wanted {
                source: Source::Task(TaskId::parse(TASK).unwrap(), None),
                name: "public/a b.tar".to_owned(),
                is_pattern: false,
                directory: "x".to_owned(),
                file: None,
                extract: Extract::Archives,
                digest: None,
            }]
        );
        for empty in ["[]", "{}"] {
            assert_eq!(Wanted::of_moz_fetches(empty).unwrap(), [], "{empty}");
        }
    }

    #[test]
    fn what_moz_fetches_lacks_is_told() {
        for (text, what) in [
            ("", "EOF"),
            ("null", "not a list"),
            ("[1]", "task is missing"),
            (r#"[{"artifact":"a","task":"IFn9x5gaQz-HXl2pa7Ny_w"}]"#, "extract is missing"),
            (r#"[{"artifact":"a","extract":true}]"#, "task is missing"),
            (r#"[{"task":"IFn9x5gaQz-HXl2pa7Ny_w","extract":true}]"#, "artifact is missing"),
            (r#"[{"artifact":"a","task":"x","extract":true}]"#, "entry 0"),
            (r#"[{"artifact":"a","task":"IFn9x5gaQz-HXl2pa7Ny_w","extract":true,"sha256":"00"}]"#, "digest"),
        ] {
            let error = Wanted::of_moz_fetches(text).unwrap_err().to_string();
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn lists_are_yaml_or_json() {
        let read = Wanted::of_list;
        let yaml = read(&format!(
            "- task: {TASK}\n  run: 1\n  artifact: public/*.zip\n- index: a.b\n  artifact: x\n  extract: true\n"
        ));
        let yaml = yaml.unwrap();
        assert!(yaml[0].is_pattern && !yaml[1].is_pattern);
        assert_eq!((yaml[0].extract, yaml[1].extract), (Extract::Never, Extract::Archives));
        assert_eq!(yaml[1].source, Source::Index("a.b".to_owned()));
        assert_eq!(read(&format!(r#"[{{"task":"{TASK}","artifact":"x"}}]"#)).unwrap().len(), 1);
        for wrong in [
            "- artifact: x",
            "- task: a\n  artifact: x",
            "x: 1",
            "- index: a\n  run: 1\n  artifact: x",
            "- index: a\n  artifact: x\n  more: 1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
