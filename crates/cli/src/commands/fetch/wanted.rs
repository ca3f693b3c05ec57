//! What is wanted: from the command line, from a file, from MOZ_FETCHES.

use super::arguments::{FetchArgs, Source};
use crate::failure::Failure;
use catena_model::digest::Digest;
use catena_model::task::TaskId;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The most entries of one list.
const MOST: usize = 10_000;

/// One artifact that is wanted, or all that a pattern means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) source: Source,
    /// A name, or a pattern where that is asked for.
    pub(super) name: String,
    pub(super) is_pattern: bool,
    /// The directory below the destination.
    pub(super) directory: String,
    /// The name of the file there, where it is not that of the artifact.
    pub(super) file: Option<String>,
    pub(super) extract: bool,
    /// What the caller says of its digest.
    pub(super) digest: Option<Digest>,
}

impl Wanted {
    /// What the command line names, or the list it names.
    pub(super) fn of(args: &FetchArgs) -> Result<Vec<Self>, Failure> {
        if let Some(file) = &args.from {
            return listed(file);
        }
        let source = args.source.clone().ok_or_else(|| Failure::usage("no task is named"))?;
        let digest = args.sha256.as_deref().map(sha256).transpose()?;
        if digest.is_some() && (args.names.len() != 1 || args.names.iter().any(|name| is_pattern(name))) {
            return Err(Failure::usage("--sha256 is the digest of one file, and more than one is named")
                .next("name one artifact, or give digests in a list (--from)"));
        }
        let wanted = args.names.iter().map(|name| Self {
            source: source.clone(),
            name: name.clone(),
            is_pattern: is_pattern(name),
            directory: String::new(),
            file: None,
            extract: args.extract,
            digest,
        });
        Ok(wanted.collect())
    }

    /// What MOZ_FETCHES says. `extract` is required, what is not known is passed over, as fetch-content has it;
    /// unlike there a `sha256` counts.
    pub(super) fn of_moz_fetches(text: &str) -> Result<Vec<Self>, Failure> {
        let wrong = |what: String| {
            Failure::usage(format!("MOZ_FETCHES: {what}"))
                .next("it is a JSON list of objects of artifact, task, extract, and perhaps dest, sha256")
        };
        let list: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let entries = match list {
            Value::Array(entries) => entries,
            Value::Object(map) if map.is_empty() => Vec::new(),
            _ => return Err(wrong("not a list".to_owned())),
        };
        bounded(entries.len()).map_err(wrong)?;
        let entry = |(number, entry): (usize, Value)| {
            Self::of_fetch(&entry).map_err(|what| wrong(format!("entry {number}: {what}")))
        };
        entries.into_iter().enumerate().map(entry).collect()
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
            extract,
            digest: digest.transpose().map_err(|error| error.to_string())?,
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

fn listed(file: &Path) -> Result<Vec<Wanted>, Failure> {
    let text = catena::TextFile::read(file)?.text;
    let wrong = |what: String| {
        Failure::usage(format!("{}: {what}", file.display()))
            .next("it is a list of maps of task or index, artifact, and perhaps run, dest, extract, sha256")
    };
    let entries: Vec<Entry> = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    bounded(entries.len()).map_err(wrong)?;
    let entry = |(number, entry): (usize, Entry)| {
        read(entry).map_err(|what| wrong(format!("entry {number}: {what}")))
    };
    entries.into_iter().enumerate().map(entry).collect()
}

fn read(entry: Entry) -> Result<Wanted, String> {
    let source = match (&entry.task, &entry.index, entry.run) {
        (Some(task), None, None) => task.clone(),
        (Some(task), None, Some(run)) => format!("{task}/{run}"),
        (None, Some(route), None) => format!("index:{route}"),
        _ => return Err("exactly one of task and index is needed, and run only beside task".to_owned()),
    };
    let digest = entry.sha256.map(|text| Digest::parse("sha256", &text)).transpose();
    Ok(Wanted {
        source: source.parse()?,
        is_pattern: is_pattern(&entry.artifact),
        name: entry.artifact,
        directory: entry.dest,
        file: None,
        extract: entry.extract,
        digest: digest.map_err(|error| error.to_string())?,
    })
}

fn bounded(entries: usize) -> Result<(), String> {
    if entries > MOST { Err(format!("more than {MOST} entries")) } else { Ok(()) }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// A SHA-256 as people write it: hexadecimal in either case.
pub(super) fn sha256(text: &str) -> Result<Digest, Failure> {
    Digest::parse("sha256", &text.to_ascii_lowercase())
        .map_err(|error| Failure::usage(error).next("a SHA-256 has 64 hexadecimal digits"))
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
                extract: true,
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
            let failure = format!("{:?}", Wanted::of_moz_fetches(text).unwrap_err());
            assert!(failure.contains(what), "{text}: {failure}");
        }
    }

    #[test]
    fn lists_are_yaml_or_json() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.yml");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            listed(&file)
        };
        let yaml = read(&format!(
            "- task: {TASK}\n  run: 1\n  artifact: public/*.zip\n- index: a.b\n  artifact: x\n  extract: true\n"
        ));
        let yaml = yaml.unwrap();
        assert!(yaml[0].is_pattern && !yaml[1].is_pattern && yaml[1].extract);
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
