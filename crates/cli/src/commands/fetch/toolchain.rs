//! `catena fetch toolchain`: what `mach artifact toolchain` is called with in tasks.

use super::arguments::{NetworkArgs, Source, ToolchainArgs};
use super::network::{self, options, transport};
use super::report::Lines;
use super::wanted::Wanted;
use super::{Style, artifacts};
use crate::commands::verify::block_on;
use crate::failure::{DONE, Failure};
use crate::progress::Screen;
use catena_download::{Download, Downloader, Expected, Input, Place, deliver};
use catena_model::digest::Digest;
use http::HeaderMap;
use serde::Deserialize;
use std::path::Path;
use url::Url;

pub(super) fn run(args: &ToolchainArgs, screen: &Screen) -> Result<u8, Failure> {
    let wanted: Vec<Wanted> =
        args.from_task.iter().map(|text| from_task(text, !args.no_unpack)).collect::<Result<_, _>>()?;
    let tooltool = args.tooltool_manifest.as_deref().map(|file| tooltool(file, args)).transpose()?;
    if let Some(inputs) = tooltool.filter(|inputs| !inputs.is_empty()) {
        fetch(&inputs, Path::new("."), &args.common.network, screen)?;
    }
    if wanted.is_empty() {
        Ok(DONE)
    } else {
        artifacts(&wanted, Path::new("."), &args.common, Style::Own, screen)
    }
}

/// `TASK_ID:ARTIFACT`, divided at the first colon.
fn from_task(text: &str, extract: bool) -> Result<Wanted, Failure> {
    let wrong = |what: String| {
        Failure::usage(format!("--from-task {text:?}: {what}")).next("write it as TASK_ID:ARTIFACT")
    };
    let (task, artifact) = text.split_once(':').ok_or_else(|| wrong("it has no colon".to_owned()))?;
    let source: Source = task.parse().map_err(wrong)?;
    let name = artifact.to_owned();
    Ok(Wanted { source, name, is_pattern: false, directory: String::new(), extract, digest: None })
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
fn tooltool(file: &Path, args: &ToolchainArgs) -> Result<Vec<Input>, Failure> {
    let text = catena::TextFile::read(file)?.text;
    let wrong = |what: String| {
        Failure::usage(format!("{}: {what}", file.display())).next(
            "a manifest is a JSON list of objects of filename, size, algorithm (sha512 or sha256), digest, \
             and perhaps unpack",
        )
    };
    let entries: Vec<Entry> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let (base, beside) = tooltool_url(args)?;
    let input = |entry: Entry| -> Result<Input, String> {
        let digest = Digest::parse(&entry.algorithm, &entry.digest).map_err(|error| error.to_string())?;
        let url = format!("{base}/{}/{}", digest.algorithm(), digest.to_hex());
        Ok(Input {
            download: Download {
                url: Url::parse(&url).map_err(|error| error.to_string())?,
                credentials: None,
                headers: HeaderMap::new(),
                artifact: false,
                beside,
                expected: Expected { digest: Some(digest), length: Some(entry.size) },
                limit: entry.size,
            },
            place: Place::new("", &entry.filename).map_err(|error| error.to_string())?,
            extract: entry.unpack && !args.no_unpack,
        })
    };
    entries.into_iter().map(|entry| input(entry).map_err(wrong)).collect()
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

/// Delivers inputs whose digests are known, and tells of each.
pub(super) fn fetch(inputs: &[Input], to: &Path, args: &NetworkArgs, screen: &Screen) -> Result<(), Failure> {
    let downloader = Downloader::new(transport(args)?, options(args));
    let delivery = super::delivery(args, false);
    let lines = Lines::new(true, screen.clone());
    lines.begin(inputs);
    let delivered = block_on(async |cancellation| {
        let delivered = deliver(&downloader, inputs, to, &delivery, &lines);
        match cancellation.run_until_cancelled(delivered).await {
            Some(delivered) => delivered.map_err(|error| network::deliver_failure(&error)),
            None => Err(super::interrupted()),
        }
    });
    delivered.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_and_artifacts_are_divided_at_the_first_colon() {
        let wanted = from_task("IFn9x5gaQz-HXl2pa7Ny_w:public/a:b.tar", true).unwrap();
        assert_eq!((wanted.name.as_str(), wanted.extract), ("public/a:b.tar", true));
        for wrong in ["", "IFn9x5gaQz-HXl2pa7Ny_w", "x:y"] {
            assert!(from_task(wrong, true).is_err(), "{wrong}");
        }
    }
}
