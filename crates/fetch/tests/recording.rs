//! Recordings replay, and anything else is refused.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena_attacks::{InMemorySource, NOW, Scenario, THREATS, drive, valid};
use catena_fetch::{Recorder, RecordingError, Replay};
use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::{GraphError, GraphScan};
use catena_model::source::{RepositoryUrl, Revision, TagName};
use catena_model::task::RunId;
use catena_verify::verification::{Body, Fact, Need, Reference, TreeFile};
use proptest::prelude::*;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::*;

fn measured(bytes: &[u8], sha512: bool) -> Measurement {
    Measurement {
        length: u64::try_from(bytes.len()).unwrap(),
        sha256: Sha256::digest(bytes).into(),
        sha512: sha512.then(|| Sha512::digest(bytes).into()),
    }
}

fn whole(bytes: &[u8]) -> Fact {
    Fact::Body(Body { bytes: Arc::from(bytes), measurement: measured(bytes, false) })
}

/// One of each need and of each fact.
fn facts() -> Vec<(Need, Fact)> {
    let (task_id, run_id) = (task_id(), RunId(3));
    let hg = RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap();
    let tag = TagName::parse("v1.0").unwrap();
    let entries = BTreeMap::from([(task_id, Arc::from(b"{\"task\": {}}".as_slice()))]);
    let scan = GraphScan { measurement: measured(b"graph", true), entries: Ok(entries) };
    let broken =
        GraphScan { measurement: measured(b"[]", false), entries: Err(GraphError::Malformed { offset: 7 }) };
    let unreadable = Need::TaskGraph { task_id, run_id, wanted: [].into(), sha512: false };
    let Need::Content { name, .. } = content("public/é b.yml") else { unreachable!() };
    let long = Need::Content { task_id, run_id, name, sha512: true };
    let long_fact = Fact::Body(Body { bytes: Arc::from(b"x".as_slice()), measurement: measured(b"x", true) });
    let github = |need: fn(_, _) -> Need| need(repository(), revision());
    vec![
        (Need::Definition { task_id }, whole(b"{}")),
        (Need::Status { task_id }, whole(b"{}")),
        (Need::Document { task_id, run_id }, whole(b"")),
        (Need::Signature { task_id, run_id }, whole(&[0, 255, 128])),
        (
            Need::Listing { task_id, run_id, continuation: None },
            Fact::Absent { status: 404, message: "no".to_owned() },
        ),
        (Need::Listing { task_id, run_id, continuation: Some("a\n".to_owned()) }, whole(b"[]")),
        (long, long_fact),
        (artifact("public/a"), Fact::Measured(measured(b"large", false))),
        (graph(), Fact::Graph(scan)),
        (unreadable, Fact::Graph(broken)),
        (
            Need::Projects { url: "https://x.example/".to_owned() },
            Fact::Refused { status: 403, message: "é".to_owned() },
        ),
        (
            Need::Push { repository: hg.clone(), revision: revision() },
            Fact::Unreachable { reason: "slow".to_owned(), attempts: 5 },
        ),
        (
            Need::HgFile {
                repository: hg.clone(),
                revision: Revision::relaxed(&tag),
                file: TreeFile::TaskclusterYml,
            },
            whole(b"version: 1"),
        ),
        (Need::HgFile { repository: hg, revision: revision(), file: TreeFile::CronYml }, whole(b"jobs: []")),
        (
            Need::GithubFile {
                repository: repository(),
                reference: Reference::Revision(revision()),
                file: TreeFile::CronYml,
            },
            whole(b"1"),
        ),
        (
            Need::GithubFile {
                repository: repository(),
                reference: Reference::Tag(tag.clone()),
                file: TreeFile::TaskclusterYml,
            },
            whole(b"2"),
        ),
        (Need::Repository { repository: repository() }, whole(b"3")),
        (github(|repository, revision| Need::Commit { repository, revision }), whole(b"4")),
        (Need::PullRequest { repository: repository(), number: u64::MAX }, whole(b"5")),
        (Need::Release { repository: repository(), tag }, whole(b"6")),
        (Need::Tags { repository: repository(), page: 2 }, whole(b"7")),
        (github(|repository, revision| Need::BranchCommits { repository, revision }), whole(b"8")),
        (
            Need::Compare { repository: repository(), branch: "main".to_owned(), revision: revision() },
            whole(b"9"),
        ),
    ]
}

fn record(folder: &Path, facts: &[(Need, Fact)]) {
    let recorder = Recorder::new(folder).unwrap();
    recorder.write(facts.iter().map(|(need, fact)| (need, fact))).unwrap();
}

#[test]
fn recordings_replay() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), &facts());
    let replay = Replay::open(folder.path(), &Limits::default()).unwrap();
    for (need, fact) in facts() {
        assert_eq!(replay.answer(&need), fact, "{need}");
    }
    let other = Need::Document { task_id: task_id(), run_id: RunId(4) };
    assert_eq!(unreachable(&replay.answer(&other)), ("not in the recording".to_owned(), 0));
}

#[test]
fn a_recording_gives_the_verdict_that_the_world_gave() {
    let attacks = THREATS.iter().flat_map(|threat| threat.attacks()).step_by(9);
    let mut chains = vec![
        valid::push().build().unwrap(),
        valid::pr_action().build().unwrap(),
        catena_testbed::Release { optional_and_globs: true, ..valid::promotion() }.build().unwrap(),
    ];
    for attack in attacks.filter(|attack| attack.is_usual()) {
        if !attack.needs_server() {
            chains.push(attack.build().unwrap().0);
        }
    }
    for chain in chains {
        let scenario = Scenario::of(&chain).unwrap();
        let memory = InMemorySource::new(chain.into_site(), scenario.limits().clone());
        let (mut live, mut facts) = (scenario.verification(), Vec::new());
        drive(&mut live, |need| {
            let fact = memory.answer(need);
            facts.push((need.clone(), fact.clone()));
            fact
        });
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), &facts);
        let replay = Replay::open(folder.path(), &Limits::default()).unwrap();
        let mut again = scenario.verification();
        drive(&mut again, |need| replay.answer(need));
        assert_eq!(live.conclude(NOW).verdict(), again.conclude(NOW).verdict());
    }
}

#[test]
fn the_same_facts_make_the_same_recording() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut reversed = facts();
    reversed.reverse();
    record(one.path(), &facts());
    record(other.path(), &reversed);
    let index = |folder: &Path| fs::read_to_string(folder.join("facts.json")).unwrap();
    assert_eq!(index(one.path()), index(other.path()));
}

#[test]
fn a_changed_body_is_noticed() {
    for change in [b"other".as_slice(), b""] {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), &facts());
        let name = hex::encode(Sha256::digest(b"{}"));
        fs::write(folder.path().join("bodies").join(name), change).unwrap();
        let error = Replay::open(folder.path(), &Limits::default()).unwrap_err();
        assert!(matches!(error, RecordingError::Fact { position: 0, .. }), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), &facts());
    let limits = Limits { answer_bytes: 1, ..Limits::default() };
    assert!(matches!(Replay::open(folder.path(), &limits), Err(RecordingError::Fact { .. })));
    fs::remove_dir_all(folder.path().join("bodies")).unwrap();
    assert!(matches!(Replay::open(folder.path(), &Limits::default()), Err(RecordingError::Fact { .. })));
    assert!(matches!(
        Replay::open(&folder.path().join("none"), &Limits::default()),
        Err(RecordingError::Read { .. })
    ));
}

/// Reads an index whose bodies are all `{}`.
fn parse(index: &str) -> Result<Replay, RecordingError> {
    Replay::parse(index.as_bytes(), &mut |_, _| Ok(b"{}".to_vec()), &Limits::default())
}

fn index(facts: &str) -> String {
    format!(r#"{{"format": "catena-recording", "version": 1, "facts": [{facts}]}}"#)
}

const STATUS: &str = r#"{"kind": "status", "taskId": "IFn9x5gaQz-HXl2pa7Ny_w"}"#;
const ABSENT: &str = r#"{"kind": "absent", "status": 404, "message": ""}"#;
/// SHA-256 of `{}`.
const EMPTY: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn an_index_is_read_strictly() {
    assert!(parse(&index(&format!(r#"{{"need": {STATUS}, "fact": {ABSENT}}}"#))).is_ok());
    let good = format!(r#"{{"kind": "body", "measured": {{"length": 2, "sha256": "{EMPTY}"}}}}"#);
    assert!(parse(&index(&format!(r#"{{"need": {STATUS}, "fact": {good}}}"#))).is_ok());
    for (need, fact) in [
        (STATUS, good.replace("44136f", "54136f")),
        (STATUS, good.replace("44136f", "44136F")),
        (STATUS, good.replace("44136f", "../../")),
        (STATUS, good.replace("\"length\": 2", "\"length\": 3")),
        (STATUS, good.replace("}}", ", \"sha512\": \"00\"}}")),
        (STATUS, good.replace("\"body\"", "\"measured\"")),
        (
            STATUS,
            format!(
                r#"{{"kind": "graph", "measured": {{"length": 2, "sha256": "{EMPTY}"}}, "entries": {{}}}}"#
            ),
        ),
        (&STATUS.replace("IFn9", "../x"), ABSENT.to_owned()),
        (
            r#"{"kind": "artifact", "taskId": "IFn9x5gaQz-HXl2pa7Ny_w", "runId": 0, "name": "../x", "sha512": false}"#,
            ABSENT.to_owned(),
        ),
        (
            r#"{"kind": "commit", "owner": "a", "name": "..", "revision": "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}"#,
            ABSENT.to_owned(),
        ),
    ] {
        let result = parse(&index(&format!(r#"{{"need": {need}, "fact": {fact}}}"#)));
        assert!(matches!(result, Err(RecordingError::Fact { position: 0, .. })), "{need} {fact}: {result:?}");
    }
    let twice = format!(r#"{{"need": {STATUS}, "fact": {ABSENT}}}, {{"need": {STATUS}, "fact": {ABSENT}}}"#);
    assert!(matches!(parse(&index(&twice)), Err(RecordingError::Fact { position: 1, .. })));
    for wrong in [
        String::new(),
        "[]".to_owned(),
        index("").replace("\"facts\"", "\"more\": 1, \"facts\""),
        index(&format!(r#"{{"need": {STATUS}, "fact": {ABSENT}, "more": 1}}"#)),
        index(&format!(r#"{{"need": {}, "fact": {ABSENT}}}"#, STATUS.replace('}', ", \"more\": 1}"))),
        index(&format!(r#"{{"need": {STATUS}, "fact": {}}}"#, ABSENT.replace('}', ", \"status\": 404}"))),
        index(&format!(r#"{{"need": {STATUS}, "fact": {{"kind": "guess"}}}}"#)),
        index("") + "x",
    ] {
        assert!(matches!(parse(&wrong), Err(RecordingError::Index { .. })), "{wrong}");
    }
    for wrong in [index("").replace(": 1", ": 2"), index("").replace("catena-", "other-")] {
        assert!(matches!(parse(&wrong), Err(RecordingError::Version { .. })), "{wrong}");
    }
}

#[test]
fn unwanted_entries_are_refused() {
    let need = r#"{"kind": "task-graph", "taskId": "IFn9x5gaQz-HXl2pa7Ny_w", "runId": 0, "wanted": ["WANTED"], "sha512": false}"#;
    let fact = format!(
        r#"{{"kind": "graph", "measured": {{"length": 9, "sha256": "{EMPTY}"}}, "entries": {{"{TASK}": "{EMPTY}"}}}}"#
    );
    let with = |wanted: &str| {
        parse(&index(&format!(r#"{{"need": {}, "fact": {fact}}}"#, need.replace("WANTED", wanted))))
    };
    assert!(with(TASK).is_ok());
    assert!(matches!(with("B1Y7D4twTB620sjIgyd3lg"), Err(RecordingError::Fact { .. })));
}

proptest! {
    #[test]
    fn no_index_panics(text in ".{0,200}", cut in 0_usize..400) {
        let _ = parse(&text);
        let whole = index(&format!(r#"{{"need": {STATUS}, "fact": {ABSENT}}}"#));
        let _ = parse(&whole.chars().take(cut).collect::<String>());
    }
}
