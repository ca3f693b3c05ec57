//! `catena keys audit`: what an administrator should look at in a trust file.

use super::Format;
use super::trust::{moment, now, read};
use crate::failure::{DONE, Failure};
use crate::output::{counted, show};
use catena_fetch::Replay;
use catena_keys::{KeyId, KeySet, Signature};
use catena_model::Limits;
use catena_model::document::Document;
use catena_model::task::{Definition, RunId, TaskId};
use catena_policy::{AuditNote, KeyUse, TrustFile, audit};
use catena_report::escape;
use catena_verify::verification::{Fact, Need};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const AUDIT_EXAMPLES: &str = "\
Examples:
  catena keys audit trust.yml
      Keys that end soon, never end, or have the same permissions as others.
  catena keys audit trust.yml --recording cases/one --recording cases/two
      Also keys that signed nothing in these recordings, or may sign for more than they did.

Exit status: 0 when nothing must be done, 1 when there are problems, 2 when the file or a recording is unusable.";

/// Problems were found.
const PROBLEMS: u8 = 1;

/// What is audited.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The trust file
    file: PathBuf,
    /// A folder that `catena verify --record` filled; may be given several times
    #[arg(long, value_name = "DIR")]
    recording: Vec<PathBuf>,
    /// The time to judge at [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// Days within which a key that ends is reported
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    within: u16,
    /// text or json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: Format,
}

pub(super) fn run(args: &AuditArgs) -> Result<u8, Failure> {
    let file = read(&args.file)?;
    let mut uses = Vec::new();
    for folder in &args.recording {
        uses.extend(recorded(folder, &file)?);
    }
    let uses = (!args.recording.is_empty()).then_some(uses.as_slice());
    let at = args.at.unwrap_or_else(now);
    let soon = SignedDuration::from_hours(i64::from(args.within).saturating_mul(24));
    let notes = audit(&file, uses, at, soon);
    show(&match args.format {
        Format::Text => text(&args.file, &notes),
        Format::Json => json(&args.file, at, &notes),
    })?;
    Ok(if notes.iter().any(|note| note.is_problem) { PROBLEMS } else { DONE })
}

fn text(file: &Path, notes: &[AuditNote]) -> String {
    let line = |note: &AuditNote| {
        let severity = if note.is_problem { "problem" } else { "note" };
        format!("{severity}: {}: {}: {}\n", note.id, note.kind.as_str(), escape::line(&note.message))
    };
    let problems = notes.iter().filter(|note| note.is_problem).count();
    let name = file.display().to_string();
    let summary = format!(
        "{}: {}, {}\n",
        escape::line(&name),
        counted(problems, "problem", "problems"),
        counted(notes.len().saturating_sub(problems), "note", "notes")
    );
    notes.iter().map(line).chain([summary]).collect()
}

fn json(file: &Path, at: Timestamp, notes: &[AuditNote]) -> String {
    let notes = notes.iter().map(|note| {
        json!({
            "key": note.id.as_str(), "kind": note.kind.as_str(), "problem": note.is_problem,
            "message": note.message,
        })
    });
    let value = json!({
        "file": file.display().to_string(), "at": at.to_string(), "notes": notes.collect::<Vec<_>>(),
    });
    format!("{}\n", escape::json(&format!("{value:#}")))
}

/// The signatures of a recording that keys of the file made.
fn recorded(folder: &Path, file: &TrustFile) -> Result<Vec<(KeyId, KeyUse)>, Failure> {
    let product = catena::recorded_target(folder)?.product;
    let limits = Limits::default();
    let replay = Replay::open(folder, &limits)
        .map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    let mut keys = KeySet::default();
    file.records().iter().for_each(|record| keys.push(record.trusted()));
    let recording = Recording { replay: &replay, limits: &limits, keys: &keys, product: &product };
    let documents = replay.needs().filter_map(|need| match need {
        Need::Document { task_id, run_id } => Some((*task_id, *run_id)),
        _ => None,
    });
    Ok(documents.filter_map(|(task_id, run_id)| recording.signed(task_id, run_id)).collect())
}

struct Recording<'a> {
    replay: &'a Replay,
    limits: &'a Limits,
    keys: &'a KeySet,
    product: &'a str,
}

impl Recording<'_> {
    /// Which key signed the document of a run, and for what; none where it was no key of the file. Only
    /// what is signed is looked at.
    fn signed(&self, task_id: TaskId, run_id: RunId) -> Option<(KeyId, KeyUse)> {
        let document = self.body(&Need::Document { task_id, run_id })?;
        let signature = Signature::parse(&self.body(&Need::Signature { task_id, run_id })?).ok()?;
        let (_, signer) = self.keys.find(&signature, &document, None)?;
        let document = Document::parse(&document, &self.limits.json()).ok()?;
        let task = Definition::parse(document.task).ok()?;
        let worker = (document.worker_group.as_str(), document.worker_id.as_str());
        Some((signer.id.clone()?, KeyUse::new(self.product, &task, Some(worker))))
    }

    fn body(&self, need: &Need) -> Option<Arc<[u8]>> {
        match self.replay.answer(need) {
            Fact::Body(body) => Some(body.bytes),
            _ => None,
        }
    }
}
