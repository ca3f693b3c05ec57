//! What is told of what was fetched, on standard output.

use super::order::Origin;
use crate::failure::Failure;
use crate::output::Output;
use catena_download::{Delivered, Measured};
use catena_model::custody::Trust;
use catena_report::escape;
use catena_verify::verdict::Class;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The form of the JSON object and its version; docs/fetch.md describes it.
const SCHEMA: &str = "catena-fetch/1";

/// One file that was fetched.
pub(super) struct Fetched {
    pub(super) origin: Origin,
    /// Where it was downloaded from.
    pub(super) url: String,
    /// Below the destination.
    pub(super) place: PathBuf,
    /// How far it is verified.
    pub(super) trust: Trust,
    pub(super) delivered: Delivered,
}

/// A line for each file: how far it is verified, its digest and length, whose it is, and where it is.
pub(super) fn text(fetched: &[Fetched]) -> Result<(), Failure> {
    let mut text = String::new();
    for one in fetched {
        let Measured { sha256, length, .. } = &one.delivered.measured;
        let place = match &one.delivered.extracted {
            Some(summary) => format!("{} members in {}", summary.entries, directory(&one.place).display()),
            None => one.place.display().to_string(),
        };
        let origin = match &one.origin {
            Origin::Artifact { run, name } => format!("{run} {}", name.as_str()),
            Origin::Url(url) => url.clone(),
        };
        let line = format!(
            "{:<9} sha256:{} {length:>12} {origin} -> {place}",
            one.trust.as_str(),
            hex::encode(sha256)
        );
        let _ = writeln!(text, "{}", escape::line(&line));
    }
    Output::Stdout.write(&text)
}

fn directory(place: &Path) -> &Path {
    place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The whole answer as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    schema: &'static str,
    program: Program,
    outcome: &'static str,
    exit_status: u8,
    files: Vec<File>,
    error: Option<Problem>,
}

#[derive(Serialize)]
struct Program {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    verified: &'static str,
    task_id: Option<String>,
    run_id: Option<u32>,
    name: Option<String>,
    url: Option<String>,
    sha256: String,
    size: u64,
    place: String,
    extracted: Option<Extracted>,
    cached: bool,
}

#[derive(Serialize)]
struct Extracted {
    entries: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Problem {
    code: Option<&'static str>,
    class: &'static str,
    message: String,
    action: Option<String>,
}

/// One JSON object: every file that was fetched, or why nothing was.
pub(super) fn json(fetched: Result<&[Fetched], &Failure>) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(&Report::of(fetched)).map_err(Failure::undetermined)?;
    text.push('\n');
    Output::Stdout.write(&text)
}

impl Report {
    fn of(fetched: Result<&[Fetched], &Failure>) -> Self {
        let (outcome, exit_status, files, error) = match fetched {
            Ok(files) => {
                let unverified = files.iter().any(|file| file.trust == Trust::None);
                let outcome = if unverified { "unverified" } else { "verified" };
                (outcome, crate::failure::DONE, files.iter().map(File::of).collect(), None)
            }
            Err(failure) => (outcome(failure.status), failure.status, Vec::new(), Some(Problem::of(failure))),
        };
        let program = Program { name: "catena", version: env!("CARGO_PKG_VERSION") };
        Self { schema: SCHEMA, program, outcome, exit_status, files, error }
    }
}

impl File {
    fn of(fetched: &Fetched) -> Self {
        let Fetched { origin, place, trust, delivered, .. } = fetched;
        let (run, name, url) = match origin {
            Origin::Artifact { run, name } => (Some(*run), Some(name.as_str().to_owned()), None),
            Origin::Url(url) => (None, None, Some(url.clone())),
        };
        let place = if delivered.extracted.is_some() { directory(place) } else { place };
        Self {
            verified: trust.as_str(),
            task_id: run.map(|run| run.task_id.to_string()),
            run_id: run.map(|run| run.run_id.0),
            name,
            url,
            sha256: hex::encode(delivered.measured.sha256),
            size: delivered.measured.length,
            place: place.display().to_string(),
            extracted: delivered
                .extracted
                .map(|summary| Extracted { entries: summary.entries, bytes: summary.bytes }),
            cached: delivered.cached,
        }
    }
}

impl Problem {
    fn of(failure: &Failure) -> Self {
        let class = match failure.status {
            crate::failure::REJECTED => Class::Policy,
            crate::failure::USAGE => Class::Config,
            _ => Class::Infra,
        };
        Self {
            code: failure.code().map(|code| code.name),
            class: failure.code().map_or(class, |code| code.class).as_str(),
            message: failure.message().to_owned(),
            action: failure.action().map(str::to_owned),
        }
    }
}

/// The outcome that an exit status means, in the words of verdicts.
fn outcome(status: u8) -> &'static str {
    match status {
        crate::failure::REJECTED => "rejected",
        crate::failure::USAGE => "misconfigured",
        _ => "undetermined",
    }
}
