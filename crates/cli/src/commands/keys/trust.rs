//! `catena keys check`, `rotate` and `revoke`: the trust file, and its next state.

use super::Format;
use crate::failure::{DONE, Failure, USAGE};
use crate::output::{Output, counted, show};
use catena::TextFile;
use catena_keys::{KeyId, PublicKey, Revoked, Scheme};
use catena_policy::{Diagnostic, EditError, Revocation, Rotation, TrustFile};
use catena_report::escape;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use similar::TextDiff;
use std::path::{Path, PathBuf};

pub(crate) const CHECK_EXAMPLES: &str = "\
Examples:
  catena keys check trust.yml
  catena keys check --format json trust.yml

Exit status: 0 when every file can be used (there may be warnings), 2 otherwise.";

pub(crate) const ROTATE_EXAMPLES: &str = "\
Examples:
  catena keys rotate trust.yml --key gecko-2026 --new-id gecko-2027 --public-key KEY
      Show what changes: the old key ends in a week, the new one begins now.
  catena keys rotate trust.yml --key gecko-2026 --new-id gecko-2027 --public-key KEY --write
      Change the file.

KEY is what `catena keys new` prints. Commit the changed file before a worker signs with the new key.";

pub(crate) const REVOKE_EXAMPLES: &str = "\
Examples:
  catena keys revoke trust.yml --key gecko-2026 --compromised-from 2026-11-01T00:00:00Z --reason 'stolen (bug 1)'
      Show what changes: what was signed from that time on is rejected, and what was signed before is not.
  catena keys revoke trust.yml --key gecko-2026 --compromised-from always --reason 'made by somebody else' --write
      Nothing that the key signed is accepted.";

/// The trust files to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Trust files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// text or json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: Format,
}

/// A key and the one that replaces it.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// The trust file
    file: PathBuf,
    /// The id of the key that ends
    #[arg(long, value_name = "ID", value_parser = key_id)]
    key: KeyId,
    /// The id of the new key
    #[arg(long, value_name = "ID", value_parser = key_id)]
    new_id: KeyId,
    /// The new public key, as `catena keys public` prints it; its scheme is that of the old key
    #[arg(long, value_name = "KEY")]
    public_key: String,
    /// When the new key begins [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// Days for which both keys are valid
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    overlap: u16,
    /// When the new key ends [default: it has no end]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    not_after: Option<Timestamp>,
    /// Change the file, too
    #[arg(long)]
    write: bool,
}

/// A key that is not trusted any more.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The trust file
    file: PathBuf,
    /// The id of the key
    #[arg(long, value_name = "ID", value_parser = key_id)]
    key: KeyId,
    /// The time from which somebody else may have used the key, or `always`
    #[arg(long, value_name = "TIME", value_parser = revoked)]
    compromised_from: Revoked,
    /// Why, in one line
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// When it was decided [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
    /// Change the file, too
    #[arg(long)]
    write: bool,
}

pub(super) fn check(args: &CheckArgs) -> Result<u8, Failure> {
    let mut checked = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        checked.push((TrustFile::parse(&name, &TextFile::read(path)?.text), name));
    }
    let usable = checked.iter().all(|(file, _)| file.is_ok());
    let told = checked.iter().map(|(file, name)| match args.format {
        Format::Text => checked_text(name, file),
        Format::Json => format!("{}\n", escape::json(&checked_json(name, file).to_string())),
    });
    show(&told.collect::<String>())?;
    Ok(if usable { DONE } else { USAGE })
}

type Checked = Result<TrustFile, Vec<Diagnostic>>;

fn diagnostics(file: &Checked) -> &[Diagnostic] {
    match file {
        Ok(file) => file.warnings(),
        Err(diagnostics) => diagnostics,
    }
}

fn checked_text(name: &str, file: &Checked) -> String {
    let told = diagnostics(file);
    let summary = match file {
        Ok(file) => {
            let keys = counted(file.records().len(), "key", "keys");
            format!("valid: {keys}, {}", counted(told.len(), "warning", "warnings"))
        }
        Err(_) => format!("cannot be used: {}", counted(told.len(), "error", "errors")),
    };
    let lines = told.iter().map(ToString::to_string).chain([format!("{name}: {summary}")]);
    lines
        .flat_map(|text| text.lines().map(|line| format!("{}\n", escape::line(line))).collect::<Vec<_>>())
        .collect()
}

fn checked_json(name: &str, file: &Checked) -> Value {
    let diagnostics = diagnostics(file).iter().map(|diagnostic| {
        json!({
            "severity": diagnostic.severity.as_str(), "line": diagnostic.line, "column": diagnostic.column,
            "path": diagnostic.path, "message": diagnostic.message, "hint": diagnostic.hint,
        })
    });
    json!({
        "file": name, "usable": file.is_ok(), "keys": file.as_ref().map(|file| file.records().len()).ok(),
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    })
}

pub(super) fn rotate(args: &RotateArgs) -> Result<u8, Failure> {
    let file = read(&args.file)?;
    let at = args.at.unwrap_or_else(now);
    let old = file.records().iter().find(|record| record.id == args.key);
    let scheme = old.map_or(Scheme::Ed25519, |record| record.key.scheme());
    let key = PublicKey::parse(scheme, &args.public_key).map_err(|error| {
        Failure::usage(format!("--public-key: {error}")).next("give what `catena keys public FILE` prints")
    })?;
    let days = SignedDuration::from_hours(i64::from(args.overlap).saturating_mul(24));
    let old_until = at.checked_add(days).map_err(|_| Failure::usage("--overlap: that is too long"))?;
    let (old, new) = (args.key.clone(), args.new_id.clone());
    let rotation = Rotation { old, new, key, at, old_until, new_until: args.not_after };
    changed(&args.file, &file, file.rotated(&rotation), args.write)
}

pub(super) fn revoke(args: &RevokeArgs) -> Result<u8, Failure> {
    let file = read(&args.file)?;
    let (at, reason) = (args.at.unwrap_or_else(now), args.reason.clone());
    let revocation = Revocation { at, compromised_from: args.compromised_from, reason };
    changed(&args.file, &file, file.revoked(&args.key, &revocation), args.write)
}

/// Shows the difference, and writes the new text if that is wanted.
fn changed(
    path: &Path,
    file: &TrustFile,
    text: Result<String, EditError>,
    write: bool,
) -> Result<u8, Failure> {
    let name = path.display().to_string();
    let text = text.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let diff = TextDiff::from_lines(file.text(), &text);
    let diff = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    if write {
        Output::File(path.to_owned()).write(&text)?;
        tracing::info!(file = name, change = diff, "changed a trust file");
    }
    show(&diff.lines().map(|line| format!("{}\n", escape::line(line))).collect::<String>())
}

/// The trust file at a path.
pub(super) fn read(path: &Path) -> Result<TrustFile, Failure> {
    let name = path.display().to_string();
    TrustFile::parse(&name, &TextFile::read(path)?.text).map_err(|diagnostics| {
        Failure::diagnostics("the trust file is unusable:", &diagnostics)
            .next("correct these; `catena keys check FILE` reads it again")
    })
}

/// Now, in whole seconds.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).ok_or("an id has 1 to 64 of a-z 0-9 - _ . and starts with a letter or digit")
}

pub(super) fn moment(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "a time is written 2026-08-12T09:30:00Z")
}

fn revoked(text: &str) -> Result<Revoked, &'static str> {
    if text == "always" { Ok(Revoked::Always) } else { moment(text).map(Revoked::At) }
}
