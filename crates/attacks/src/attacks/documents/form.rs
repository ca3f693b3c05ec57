//! Attacks on the form of a document: versions, types, numbers, text, and what a task may add.

use super::super::{Attack, S, T, W, attack};
use super::{action_task, replaced};
use crate::change::{
    NOBODY, add, document, document_bytes, document_of, document_text, first_build, json, list, nth_build,
    set, undocument,
};
use crate::valid::{action, cron, fork, mobile, pull_request, push, tag};
use catena_json::Number;

pub(super) const ATTACKS: &[Attack] = &[
    // Its form.
    attack(
        "document of version 2",
        &[W],
        "A signed document has an unknown version.",
        push,
        |c| document(c, &["chainOfTrustVersion"], 2_i64),
        "document-version",
    ),
    attack(
        "document without a version",
        &[W],
        "A signed document has no version.",
        mobile,
        |c| undocument(c, &["chainOfTrustVersion"]),
        "document-version",
    ),
    attack(
        "document's version as a string",
        &[W],
        "The version of a signed document is a string.",
        tag,
        |c| document(c, &["chainOfTrustVersion"], "1"),
        "document-version",
    ),
    attack(
        "document's version as a float",
        &[W],
        "The version of a signed document is 1.0.",
        cron,
        |c| document(c, &["chainOfTrustVersion"], Number::from_f64(1.0)?),
        "document-version",
    ),
    attack(
        "document's version is true",
        &[W],
        "The version of an action task's signed document is true.",
        action,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| set(document, &["chainOfTrustVersion"], true))
        },
        "document-version",
    ),
    attack(
        "document's run as a string",
        &[W],
        "The run of a signed document is a string.",
        push,
        |c| document(c, &["runId"], "0"),
        "document-malformed",
    ),
    attack(
        "document's run as a float",
        &[W],
        "The run of a signed document is 0.0.",
        tag,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 0.0"),
        "document-malformed",
    ),
    attack(
        "document's run is false",
        &[W],
        "The run of a signed document is false.",
        fork,
        |c| document(c, &["runId"], false),
        "document-malformed",
    ),
    attack(
        "document's run is negative",
        &[W],
        "The run of a signed document is below zero.",
        push,
        |c| document(c, &["runId"], -1_i64),
        "document-malformed",
    ),
    attack(
        "document's run overflows 32 bits",
        &[W],
        "The run of a signed document is 0 to a reader that keeps 32 bits of it.",
        mobile,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 4294967296"),
        "document-malformed",
    ),
    attack(
        "document's run overflows 64 bits",
        &[W],
        "The run of a signed document is 0 to a reader that keeps 64 bits of it.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 18446744073709551616"),
        "document-malformed",
    ),
    attack(
        "document without a run",
        &[W],
        "A signed document does not name its run.",
        pull_request,
        |c| undocument(c, &["runId"]),
        "document-malformed",
    ),
    attack(
        "document's worker as a number",
        &[W],
        "The worker of a signed document is a number.",
        push,
        |c| document(c, &["workerId"], 0_i64),
        "document-malformed",
    ),
    attack(
        "document's files as a list",
        &[W],
        "The files of a signed document are a list.",
        cron,
        |c| document(c, &["artifacts"], list("public/build/target.tar.xz")),
        "document-malformed",
    ),
    attack(
        "document's definition as a string",
        &[W],
        "The definition in a signed document is text that holds the definition.",
        tag,
        |c| {
            let id = first_build(c)?;
            let text = c.definition(&id)?.to_string();
            document(c, &["task"], text)
        },
        "document-malformed",
    ),
    attack(
        "document without an environment",
        &[W],
        "A signed document does not describe the environment of the task.",
        push,
        |c| undocument(c, &["environment"]),
        "document-malformed",
    ),
    attack(
        "document that is a list",
        &[W],
        "A signed document is a list that holds the document.",
        push,
        |c| document_bytes(c, |bytes| Some([b"[".as_slice(), &bytes, b"]"].concat())),
        "document-malformed",
    ),
    attack(
        "document that is null",
        &[W],
        "A worker signs null.",
        mobile,
        |c| document_bytes(c, |_| Some(b"null".to_vec())),
        "document-malformed",
    ),
    attack(
        "empty document, signed",
        &[W],
        "A worker signs an empty document.",
        cron,
        |c| document_bytes(c, |_| Some(Vec::new())),
        "document-not-json",
    ),
    attack(
        "document cut off",
        &[W],
        "A worker signs the first half of its document.",
        push,
        |c| {
            document_bytes(c, |mut bytes| {
                bytes.truncate(bytes.len().checked_div(2)?);
                Some(bytes)
            })
        },
        "document-not-json",
    ),
    attack(
        "HTML page as a document",
        &[S, W],
        "A worker signs a page of HTML.",
        tag,
        |c| document_bytes(c, |_| Some(b"<!doctype html><title>503</title>".to_vec())),
        "document-not-json",
    ),
    attack(
        "document followed by another",
        &[W],
        "A second document follows the one that a worker signs.",
        push,
        |c| document_bytes(c, |bytes| Some([bytes.clone(), bytes].concat())),
        "document-not-json",
    ),
    attack(
        "document followed by a zero byte",
        &[W],
        "A zero byte follows a signed document.",
        mobile,
        |c| document_bytes(c, |bytes| Some([bytes, vec![0]].concat())),
        "document-not-json",
    ),
    attack(
        "document with a byte order mark",
        &[W],
        "A signed document begins with a byte order mark.",
        fork,
        |c| document_bytes(c, |bytes| Some([b"\xef\xbb\xbf".to_vec(), bytes].concat())),
        "document-not-json",
    ),
    attack(
        "document in UTF-16",
        &[W],
        "A signed document is written in UTF-16.",
        push,
        |c| document_bytes(c, |bytes| Some(bytes.into_iter().flat_map(|byte| [byte, 0]).collect())),
        "document-not-json",
    ),
    attack(
        "document with a broken character",
        &[W],
        "A signed document holds a byte that is not UTF-8.",
        action,
        |c| document_bytes(c, |bytes| replaced(bytes, b"us-central1", b"us-central\xff")),
        "document-not-json",
    ),
    attack(
        "document with half a character",
        &[W],
        "A signed document holds half of a surrogate pair.",
        push,
        |c| document_text(c, "us-central1", "us-central\\ud800"),
        "document-not-json",
    ),
    attack(
        "document's run is NaN",
        &[W],
        "The run of a signed document is NaN.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": NaN"),
        "document-not-json",
    ),
    attack(
        "document's run is infinite",
        &[W],
        "The run of a signed document is Infinity.",
        cron,
        |c| document_text(c, "\"runId\": 0", "\"runId\": -Infinity"),
        "document-not-json",
    ),
    attack(
        "document's run is too large",
        &[W],
        "The run of a signed document is a float larger than any that computers represent.",
        tag,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 1e999"),
        "document-not-json",
    ),
    attack(
        "document's run with a leading zero",
        &[W],
        "The run of a signed document has a leading zero.",
        mobile,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 00"),
        "document-not-json",
    ),
    attack(
        "document's run has too many digits",
        &[W],
        "The run of a signed document has five thousand digits.",
        push,
        |c| document_text(c, "\"runId\": 0", &format!("\"runId\": 1{}", "0".repeat(5_000))),
        "document-not-json",
    ),
    attack(
        "document with a comment",
        &[W],
        "A signed document holds a comment.",
        push,
        |c| document_text(c, "{", "{ // nothing to see"),
        "document-not-json",
    ),
    attack(
        "document with a trailing comma",
        &[W],
        "A comma follows the last member of a signed document.",
        tag,
        |c| document_text(c, "\"runId\": 0,", "\"runId\": 0,,"),
        "document-not-json",
    ),
    attack(
        "document with a deep member",
        &[W],
        "A signed document holds ten thousand nested lists.",
        push,
        |c| {
            let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            document_text(c, "\"runId\": 0", &format!("\"runId\": 0, \"x\": {deep}"))
        },
        "document-not-json",
    ),
    attack(
        "oversized document",
        &[S, W],
        "A signed document is padded beyond the size limit.",
        push,
        |c| document_bytes(c, |bytes| Some([bytes, vec![b' '; 3 << 20]].concat())),
        "availability-unreachable",
    )
    .within(|limits| limits.answer_bytes = 2 << 20),
    attack(
        "document with two runs",
        &[W],
        "A signed document names its run twice.",
        push,
        |c| document_text(c, "\"runId\": 0", "\"runId\": 0, \"runId\": 1"),
        "document-duplicate-key",
    ),
    attack(
        "document with a key twice, once escaped",
        &[W],
        "A signed document names its task twice, once with an escape in the key.",
        mobile,
        |c| document_text(c, "\"taskId\"", &format!("\"task\\u0049d\": \"{NOBODY}\", \"taskId\"")),
        "document-duplicate-key",
    ),
    attack(
        "document with a hash twice",
        &[W],
        "A signed document has two hashes of one file under the same key.",
        cron,
        |c| {
            let zeros = "0".repeat(64);
            document_text(c, "\"sha256\":", &format!("\"sha256\": \"{zeros}\", \"sha256\":"))
        },
        "document-duplicate-key",
    ),
    attack(
        "document with a variable twice",
        &[T, W],
        "A variable occurs twice in the definition in a signed document.",
        tag,
        |c| document_text(c, "\"env\": {", "\"env\": {\"A\": \"1\", \"A\": \"2\","),
        "document-duplicate-key",
    ),
    // Members that a task may have added to its own document.
    attack(
        "definition extended by the task",
        &[T],
        "A task adds to the definition in its own document, through the data a worker merges into it.",
        mobile,
        |c| {
            let id = nth_build(c, 2)?;
            document_of(c, &id, |document| set(document, &["task", "extra", "approved"], true))
        },
        "document-task-differs",
    ),
    attack(
        "hash added by the task",
        &[T],
        "A task adds a second, wrong hash to a file's entry in its own document.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            let path = ["artifacts", "public/build/target.tar.xz", "sha512"];
            document_of(c, &id, |document| set(document, &path, "0".repeat(128)))
        },
        "artifact-altered",
    ),
    attack(
        "file added by the task",
        &[T],
        "A task adds an entry to its own document for a file that its worker never had.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| {
                let entry = json(&format!("{{\"sha256\": \"{}\"}}", "0".repeat(64)))?;
                set(document, &["artifacts", "public/build/target.mar"], entry)
            })?;
            let wanted = ["payload", "upstreamArtifacts", "0", "paths"];
            crate::change::target(c, |task| add(task, &wanted, "public/build/target.mar"))
        },
        "artifact-missing",
    ),
];
