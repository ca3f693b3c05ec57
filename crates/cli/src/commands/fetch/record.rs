//! What was consumed, written down: for the worker that signs, and as the task's own claim.

use super::order::Origin;
use super::report::Fetched;
use crate::failure::Failure;
use crate::output::Output;
use catena_model::Limits;
use catena_model::custody::{PinnedInput, PinnedInputs};
use std::io::ErrorKind;
use std::path::Path;

/// The member of generic-worker's additional data that names what a task says it consumed.
const CLAIM: &str = "claimedInputs";

/// The inputs, in the form that documents have.
pub(super) fn inputs(fetched: &[Fetched]) -> Result<PinnedInputs, Failure> {
    let pinned = fetched.iter().filter_map(|one| {
        let measured = &one.delivered.measured;
        // Only what a run made can be held against a document.
        let Origin::Artifact { run, name } = &one.origin else { return None };
        Some(PinnedInput {
            task_id: run.task_id,
            run_id: run.run_id,
            name: name.clone(),
            sha256: measured.sha256,
            size: measured.length,
            verified: one.trust,
        })
    });
    PinnedInputs::new(pinned).map_err(|error| {
        Failure::undetermined(format!("what was fetched cannot be recorded: {error}"))
            .next("fetch less with one command, or without --record and --claim")
    })
}

/// Writes the file that `catena sign --inputs` reads.
pub(super) fn write(file: &Path, inputs: &PinnedInputs) -> Result<(), Failure> {
    Output::of(Some(file.to_owned())).write(&inputs.to_json())
}

/// Adds the inputs to a file of additional data, whose other members stay.
pub(super) fn claim(file: &Path, inputs: &PinnedInputs) -> Result<(), Failure> {
    let unusable = |what: String| {
        Failure::usage(format!("{}: {what}", file.display()))
            .next("name a file that is not there yet, or is a JSON object")
    };
    let text = match std::fs::symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        _ => catena::TextFile::read(file).map_err(|error| unusable(error.to_string()))?.text,
    };
    let value = catena_json::parse(text.as_bytes(), &Limits::default().json())
        .map_err(|error| unusable(error.to_string()))?;
    let catena_json::Value::Object(mut members) = value else {
        return Err(unusable("not a JSON object".to_owned()));
    };
    members.insert(CLAIM, inputs.to_claim());
    let mut text = catena_json::Value::Object(members).to_pretty();
    text.push('\n');
    Output::File(file.to_owned()).write(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_stands_beside_what_else_a_file_has() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chain-of-trust-additional-data.json");
        let inputs = PinnedInputs::default();
        claim(&file, &inputs).unwrap();
        std::fs::write(&file, r#"{"environment": {"x": 1}, "claimedInputs": 7}"#).unwrap();
        claim(&file, &inputs).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(
            read,
            serde_json::json!({"environment": {"x": 1}, "claimedInputs": {"version": 1, "inputs": []}})
        );
        std::fs::write(&file, "[]").unwrap();
        assert_eq!(claim(&file, &inputs).unwrap_err().status, crate::failure::USAGE);
    }
}
