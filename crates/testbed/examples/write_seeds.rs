//! Writes what fuzzing starts from, cut out of chains: `write_seeds FOLDER`.
//!
//! Each target of `fuzz/fuzz_targets` has its folder; files are named `seed-testbed-…`, and those of
//! an earlier run are removed. The same bytes every time.

use catena_json::Value;
use catena_testbed::chain::{Builders, DOCUMENT, Images, SIGNATURE, Vcs};
use catena_testbed::{Chain, Page, Release, Trigger};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Larger ones slow a fuzzer down more than they show it.
const LARGEST: usize = 12_000;
/// The tasks that the target of task graphs wants to find.
const WANTED: [&str; 2] = ["IFn9x5gaQz-HXl2pa7Ny_w", "B1Y7D4twTB620sjIgyd3lg"];

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    let folder = std::env::args().nth(1).ok_or("usage: write_seeds FOLDER")?;
    let mut seeds = Seeds { root: folder.into(), seen: BTreeSet::new() };
    seeds.remove_old()?;
    for (name, chain) in chains()? {
        write(&mut seeds, name, chain)?;
    }
    edits(&mut seeds)
}

/// Every shape of answer is in one of them.
fn chains() -> Result<Vec<(&'static str, Chain)>, Box<dyn Error>> {
    let small = |product: &str, trigger| {
        let release = Release::new(product, trigger)?;
        let images_from = Images::OwnGraph;
        let sizes = Release { builds: 1, artifacts: 1, artifact_size: 40, graph_size: 3, ..release };
        Ok::<_, Box<dyn Error>>(Release { images_from, image_builder: false, ..sizes })
    };
    let push = small("firefox", Trigger::Push)?;
    let git = Release { vcs: Vcs::Git, builders: Builders::D2g, finished: true, ..push.clone() };
    Ok(vec![
        ("push", push.build()?),
        ("git", git.build()?),
        ("cron", small("thunderbird", Trigger::Cron)?.build()?),
        ("action", Release { optional_and_globs: true, ..small("firefox", Trigger::Action)? }.build()?),
        ("release", small("mozillavpn", Trigger::Release)?.build()?),
        ("pull-request", small("xpi", Trigger::PullRequest)?.build()?),
    ])
}

fn write(seeds: &mut Seeds, chain_name: &str, chain: Chain) -> Done {
    for (id, task) in &chain.tasks {
        let what = task.definition.pointer(&["metadata", "name"]).and_then(Value::as_str).unwrap_or("task");
        let name = format!("{chain_name}-{}", plain(what));
        seeds.add("core_definition", &name, task.definition.to_string().as_bytes())?;
        if let Some(source) = task.definition.pointer(&["metadata", "source"]).and_then(Value::as_str) {
            seeds.add("core_names", &format!("{name}-source"), &pair(source, id))?;
        }
        if let Some(document) = &task.document {
            seeds.add("core_document", &name, &document.bytes())?;
        }
        seeds.add("json_parse", &format!("{name}-status"), task.status.to_string().as_bytes())?;
        for (artifact_name, artifact) in task.runs.values().flatten() {
            let mut bytes = Vec::new();
            artifact.body.for_each(|chunk| io::Write::write_all(&mut bytes, chunk))?;
            artifact_seeds(seeds, chain_name, &chain, artifact_name, &bytes)?;
        }
    }
    let keys = chain.keys.public_keys_base64().into_iter();
    let keys: String = keys.map(|(name, keys)| format!("{name}: [{}]\n", keys.join(", "))).collect();
    seeds.add("policy_keys", chain_name, keys.as_bytes())?;
    for (url, page) in &chain.pages {
        page_seeds(seeds, chain_name, url, page)?;
    }
    Ok(())
}

fn artifact_seeds(seeds: &mut Seeds, chain_name: &str, chain: &Chain, name: &str, bytes: &[u8]) -> Done {
    if !matches!(name, DOCUMENT | SIGNATURE) {
        seeds.add("core_names", &format!("{chain_name}-{}", plain(name)), &pair("public/*", name))?;
    }
    match name {
        "public/parameters.yml" => seeds.add("yaml_load", &format!("{chain_name}-parameters"), bytes),
        "public/actions.json" => {
            let actions = catena_json::parse(bytes, &catena_json::Limits::default())?;
            let task = actions.pointer(&["actions"]).and_then(Value::as_array).and_then(|all| all.first());
            let task = task.and_then(|action| action.pointer(&["hookPayload"]));
            let template = task.unwrap_or(&actions).to_string();
            seeds.add("jsone_template", &format!("{chain_name}-action"), template.as_bytes())?;
            seeds.add("json_parse", &format!("{chain_name}-actions"), bytes)
        }
        "public/task-graph.json" => {
            let mut text = String::from_utf8(bytes.to_vec())?;
            let known = chain.builds.iter().chain([&chain.target]);
            for (id, wanted) in known.zip(WANTED) {
                text = text.replace(id.as_str(), wanted);
            }
            // The first byte is the size of the chunks that the target cuts it in.
            seeds.add("core_graph_scan", chain_name, format!("@{text}").as_bytes())
        }
        _ => Ok(()),
    }
}

fn page_seeds(seeds: &mut Seeds, chain_name: &str, url: &str, page: &Page) -> Done {
    let mut bytes = Vec::new();
    page.body.for_each(|chunk| io::Write::write_all(&mut bytes, chunk))?;
    let repository = url.split("/raw-file/").next().unwrap_or(url);
    if repository != url {
        seeds.add("core_names", &format!("{chain_name}-repository"), &pair(repository, "mozilla"))?;
    }
    let name = format!("{chain_name}-{}", plain(url.rsplit("mozilla").next().unwrap_or(url)));
    let is_template =
        url.contains(".taskcluster.yml") && !url.starts_with("https://api.") && page.status == 200;
    if is_template {
        seeds.add("yaml_load", &format!("{chain_name}-template"), &bytes)?;
        let template = catena_yaml::load_bytes(&bytes, &catena_yaml::Limits::default())?.root.to_json()?;
        seeds.add("jsone_template", chain_name, template.to_string().as_bytes())?;
        let mut found = BTreeSet::new();
        expressions(&template, &mut found);
        for (number, expression) in found.iter().enumerate() {
            seeds.add("jsone_expression", &format!("{chain_name}-{number}"), expression.as_bytes())?;
        }
        Ok(())
    } else if url.ends_with(".yml") {
        seeds.add("yaml_load", &name, &bytes)
    } else if catena_json::parse(&bytes, &catena_json::Limits::default()).is_ok() {
        seeds.add("json_parse", &name, &bytes)
    } else {
        Ok(())
    }
}

/// What a template evaluates.
fn expressions(template: &Value, found: &mut BTreeSet<String>) {
    match template {
        Value::String(text) => {
            let parts = text.split("${").skip(1).filter_map(|part| part.split('}').next());
            found.extend(parts.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("$if" | "$eval", Value::String(text)) => _ = found.insert(text.clone()),
                    _ => expressions(member, found),
                }
            }
        }
        _ => {}
    }
}

/// One edit of each kind on answers of each chain that `core_case` knows: which chain, in which
/// order it is answered; which answer, what kind of edit, where, how long, what.
fn edits(seeds: &mut Seeds) -> Done {
    let put: [&[u8]; 7] = [b"{}", b"\x02", b"", b"\x01x", b"null", b"\x00", br#"{"added":1}"#];
    for chain in 0..13_u8 {
        seeds.add("core_case", &format!("{chain}-honest"), &[chain, 1])?;
        for (kind, put) in (0_u8..).zip(put) {
            let question = chain.wrapping_mul(5).wrapping_add(kind.wrapping_mul(4));
            let mut bytes = vec![chain, kind, question, kind, kind.wrapping_mul(9), 0, 255, 0];
            bytes.extend_from_slice(put);
            seeds.add("core_case", &format!("{chain}-{kind}"), &bytes)?;
        }
    }
    Ok(())
}

/// Two texts as the target of names takes them apart: the length of the first stands at the end.
fn pair(first: &str, second: &str) -> Vec<u8> {
    let length = u8::try_from(first.len()).unwrap_or_default();
    [first.as_bytes(), second.as_bytes(), &[length]].concat()
}

/// A name as files have it.
fn plain(text: &str) -> String {
    let kept = text.chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' });
    kept.take(40).collect::<String>().trim_matches('-').to_owned()
}

struct Seeds {
    root: PathBuf,
    seen: BTreeSet<(String, Vec<u8>)>,
}

impl Seeds {
    fn remove_old(&self) -> io::Result<()> {
        for folder in fs::read_dir(&self.root)? {
            for file in fs::read_dir(folder?.path())? {
                let path = file?.path();
                if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-testbed-")) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a seed, unless it is too large or the target has the same one.
    fn add(&mut self, target: &str, name: &str, bytes: &[u8]) -> Done {
        if bytes.len() <= LARGEST && self.seen.insert((target.to_owned(), bytes.to_vec())) {
            let folder = Path::new(&self.root).join(target);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("seed-testbed-{name}")), bytes)?;
        }
        Ok(())
    }
}
