//! `catena fetch toolchain`: what `mach artifact toolchain` is called with in tasks.

use super::arguments::ToolchainArgs;
use super::lines::{Lines, Suite};
use super::order::{Order, Origin};
use super::report::Fetched;
use super::{Done, artifacts, network};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Screen;
use catena_download::{Download, Expected, Extract, Input, Place, Source, Wanted};
use catena_http::Shown;
use catena_model::custody::Trust;
use catena_model::digest::Digest;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use url::Url;

impl ToolchainArgs {
    /// Says in our own options what mach's say.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if !self.from_build.is_empty() {
            return Err(Failure::usage("--from-build looks toolchains up by a tree, which is not supported")
                .next("name the artifacts of tasks with --from-task"));
        }
        let network = &mut self.common.network;
        if let Some(retry) = self.retry {
            network.attempts = NonZeroU32::MIN.checked_add(u32::from(retry));
        }
        if let Some(directory) = self.cache_dir.take() {
            network.cache.cache = Some(directory);
        }
        if self.skip_cache {
            network.cache.cache = None;
        }
        Ok(())
    }
}

pub(super) fn run<'a>(args: &'a ToolchainArgs, screen: &Screen) -> Result<Done<'a>, Failure> {
    let extract = Extract::archives(!args.no_unpack);
    let older = args.files.iter().filter(|text| !text.is_empty()).map(|text| from_older(text, extract));
    let wanted = args.from_task.iter().map(|text| from_task(text, extract)).chain(older);
    let wanted: Vec<Wanted> = wanted.collect::<Result<_, _>>()?;
    let tooltool = args.tooltool_manifest.as_deref().map(|file| tooltool(file, args)).transpose()?;
    let lines = Lines::new(Suite::Toolchain, screen.clone());
    let done = artifacts(&wanted, tooltool.unwrap_or_default(), Path::new("."), &args.common, &lines)?;
    if let Some(file) = args.artifact_manifest.as_ref().filter(|_| !done.files.is_empty()) {
        Output::File(file.clone()).write(&manifest(&done.files)?)?;
    }
    Ok(done)
}

/// The digests of all files by their addresses, as mach writes them.
fn manifest(files: &[Fetched]) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Entry {
        sha256: String,
    }
    let entry = |file: &Fetched| {
        let sha256 = hex::encode(file.delivered.measured.sha256);
        (file.url.clone(), Entry { sha256 })
    };
    let entries: BTreeMap<String, Entry> = files.iter().map(entry).collect();
    serde_json::to_string_pretty(&entries).map_err(Failure::undetermined)
}

/// `ARTIFACT@TASK_ID`, divided at the last `@`.
fn from_older(text: &str, extract: Extract) -> Result<Wanted, Failure> {
    match text.rsplit_once('@') {
        Some((artifact, task)) => from_task(&format!("{task}:{artifact}"), extract),
        None => Err(Failure::usage(format!("{text:?} names no task")).next("write it as ARTIFACT@TASK_ID")),
    }
}

/// `TASK_ID:ARTIFACT`, divided at the first colon.
fn from_task(text: &str, extract: Extract) -> Result<Wanted, Failure> {
    let wrong = |what: String| {
        Failure::usage(format!("--from-task {text:?}: {what}")).next("write it as TASK_ID:ARTIFACT")
    };
    let (task, artifact) = text.split_once(':').ok_or_else(|| wrong("it has no colon".to_owned()))?;
    let source: Source = task.parse().map_err(wrong)?;
    let name = artifact.to_owned();
    Ok(Wanted {
        source,
        name,
        is_pattern: false,
        directory: String::new(),
        file: None,
        extract,
        digest: None,
    })
}

/// An entry of a manifest of tooltool.
#[derive(Deserialize)]
struct Entry {
    filename: String,
    size: u64,
    algorithm: String,
    digest: String,
    #[serde(default)]
    unpack: bool,
}

/// The digests of a manifest are those of the tree it is in, so that they need no other proof.
fn tooltool(file: &Path, args: &ToolchainArgs) -> Result<Vec<Order>, Failure> {
    let text = catena::TextFile::read(file)?.text;
    let wrong = |what: String| {
        Failure::usage(format!("{}: {what}", file.display())).next(
            "a manifest is a JSON list of objects of filename, size, algorithm (sha512 or sha256), digest, \
             and perhaps unpack",
        )
    };
    let entries: Vec<Entry> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let (base, beside) = tooltool_url(args)?;
    let order = |entry: Entry| -> Result<Order, String> {
        let digest = Digest::parse(&entry.algorithm, &entry.digest).map_err(|error| error.to_string())?;
        let url = format!("{base}/{}/{}", digest.algorithm(), digest.to_hex());
        let url = Url::parse(&url).map_err(|error| error.to_string())?;
        let download = Download {
            url: url.clone(),
            credentials: None,
            headers: HeaderMap::new(),
            artifact: false,
            beside,
            expected: Expected { digests: vec![digest], length: Some(entry.size) },
            limit: entry.size,
        };
        let place = Place::new("", &entry.filename).map_err(|error| error.to_string())?;
        let extract = Extract::archives(entry.unpack && !args.no_unpack);
        let input = Input { download, place, extract };
        Ok(Order { origin: Origin::Url(Shown(&url).to_string()), trust: Trust::Hash, input })
    };
    entries.into_iter().map(|entry| order(entry).map_err(wrong)).collect()
}

/// Where tooltool is: in a task behind its proxy, which adds the task's credentials.
fn tooltool_url(args: &ToolchainArgs) -> Result<(String, bool), Failure> {
    let base = args.tooltool_url.trim_end_matches('/').to_owned();
    let host = base.strip_prefix("https://").map(str::to_owned);
    match (network::proxy()?, host) {
        (Some(proxy), Some(host)) => Ok((format!("{}/{host}", proxy.as_str()), true)),
        _ => Ok((base, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_artifacts_are_divided_at_the_first_colon() {
        let wanted = from_task("IFn9x5gaQz-HXl2pa7Ny_w:public/a:b.tar", Extract::Archives).unwrap();
        assert_eq!((wanted.name.as_str(), wanted.extract), ("public/a:b.tar", Extract::Archives));
        for wrong in ["", "IFn9x5gaQz-HXl2pa7Ny_w", "x:y"] {
            assert!(from_task(wrong, Extract::Archives).is_err(), "{wrong}");
        }
        assert_eq!(from_older("public/a:b.tar@IFn9x5gaQz-HXl2pa7Ny_w", Extract::Archives).unwrap(), wanted);
        assert!(from_older("public/a.tar", Extract::Archives).is_err());
    }
}
