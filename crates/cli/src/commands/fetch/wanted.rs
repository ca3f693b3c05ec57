//! What is wanted: from the command line, from a file, from MOZ_FETCHES.

use super::arguments::FetchArgs;
use crate::failure::Failure;
use catena_download::{Extract, Wanted, is_pattern};
use catena_model::digest::Digest;

/// What the command line names, or the list it names.
pub(super) fn of_arguments(args: &FetchArgs) -> Result<Vec<Wanted>, Failure> {
    if let Some(file) = &args.from {
        let text = catena::TextFile::read(file)?.text;
        if text.trim().is_empty() {
            let what = format!("{} is empty", file.display());
            return Err(Failure::usage(what).next("write the list `[]` if nothing is to be fetched"));
        }
        return Wanted::of_list(&text).map_err(|error| {
            Failure::usage(format!("{}: {error}", file.display())).next(
                "it is a list of maps of task or index, artifact, and perhaps run, dest, extract, sha256",
            )
        });
    }
    let source = args.source.clone().ok_or_else(|| Failure::usage("no task is named"))?;
    let digest = args.sha256.as_deref().map(sha256).transpose()?;
    if digest.is_some() && (args.names.len() != 1 || args.names.iter().any(|name| is_pattern(name))) {
        return Err(Failure::usage("--sha256 is the digest of one file, and more than one is named")
            .next("name one artifact, or give digests in a list (--from)"));
    }
    let wanted = args.names.iter().map(|name| Wanted {
        source: source.clone(),
        name: name.clone(),
        is_pattern: is_pattern(name),
        directory: String::new(),
        file: None,
        extract: Extract::archives(args.extract),
        digest,
    });
    Ok(wanted.collect())
}

/// What MOZ_FETCHES names.
pub(super) fn of_moz_fetches(text: &str) -> Result<Vec<Wanted>, Failure> {
    Wanted::of_moz_fetches(text).map_err(|error| {
        Failure::usage(format!("MOZ_FETCHES: {error}"))
            .next("it is a JSON list of objects of artifact, task, extract, and perhaps dest, sha256")
    })
}

/// A SHA-256 as people write it: hexadecimal in either case.
pub(super) fn sha256(text: &str) -> Result<Digest, Failure> {
    Digest::parse("sha256", &text.to_ascii_lowercase())
        .map_err(|error| Failure::usage(error).next("a SHA-256 has 64 hexadecimal digits"))
}
