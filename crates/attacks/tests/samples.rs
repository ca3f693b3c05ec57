//! Every recorded case, through the public API: valid ones are verified, attacks are rejected with the
//! finding that names the cause, and the recorded real decision tasks are rendered from their
//! templates.
//!
//! The cases are read from `$CATENA_SHARED/samples`; without it no case runs, and the test says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at what it does not expect"
)]

use catena_attacks::{InMemorySource, NOW, drive};
use catena_json::{Value, parse};
use catena_model::Limits;
use catena_model::task::{Kind, TaskId};
use catena_policy::{KeyRing, Policy};
use catena_testbed::{Body, Site};
use catena_verify::verdict::{Disposition, Outcome, Verdict};
use catena_verify::verification::{Extent, Fact, Need, Switches, Target, TreeFile, Verification};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The code that each attack must be rejected with.
const CAUSES: &[(&str, &str)] = &[
    ("action-parameters-altered", "rebuild-differs"),
    ("action-payload-revision", "rebuild-action-source"),
    ("artifact-bad-sha", "artifact-altered"),
    ("beetmover-optional-glob-bad-sha", "artifact-altered-optional"),
    ("cot-hash-none", "artifact-without-digest"),
    ("cot-nan", "document-not-json"),
    ("cot-of-another-task", "document-of-another-task"),
    ("cot-task-differs", "document-task-differs"),
    ("decision-command-altered", "rebuild-differs"),
    ("github-not-landed", "pull-request-not-landed"),
    ("graph-duplicate-task", "graph-unreadable"),
    ("image-sha-mismatch", "image-differs"),
    ("interactive-docker-env", "interactive-found"),
    ("mirror-lookalike-repo", "tree-repository-prefix"),
    ("optional-artifact-bad-sha", "artifact-altered-optional"),
    ("release-api-other-tag", "rebuild-answer-about-another"),
    ("replay-first-run", "document-of-another-run"),
    ("repo-dot-segments", "source-repository-malformed"),
    ("scope-release-on-central", "tree-scope"),
    ("sig-bit-flip", "signature-unknown-key"),
    ("sig-other-impl-key", "signature-other-implementation"),
    ("target-cot-task-differs", "document-task-differs"),
    ("task-scope-added", "graph-definition-differs"),
    ("thunderbird-gecko-from-try", "tree-other-source"),
    ("url-env-userinfo", "source-repository-malformed"),
];

fn main() {
    let arguments = Arguments::from_args();
    let Some(shared) = std::env::var_os("CATENA_SHARED") else {
        eprintln!("recorded cases: not run, because CATENA_SHARED is not set");
        libtest_mimic::run(&arguments, Vec::new()).exit();
    };
    let samples = PathBuf::from(shared).join("samples");
    let mut trials = Vec::new();
    for (group, check) in [
        ("honest", honest as fn(&Path) -> Result<(), Failed>),
        ("dishonest", dishonest),
        ("rebuild", rebuilt),
    ] {
        let folders = std::fs::read_dir(samples.join(group)).expect("the recorded cases are there");
        for folder in folders {
            let folder = folder.expect("the folder can be read").path();
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trials.push(Trial::test(format!("{group}/{name}"), move || check(&folder)));
        }
    }
    assert!(trials.len() >= 48, "fewer recorded cases than there were");
    libtest_mimic::run(&arguments, trials).exit();
}

fn honest(folder: &Path) -> Result<(), Failed> {
    let verdict = verify(folder);
    if verdict.outcome == Outcome::Verified { Ok(()) } else { Err(told(&verdict).into()) }
}

fn dishonest(folder: &Path) -> Result<(), Failed> {
    let verdict = verify(folder);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let cause = CAUSES.iter().find(|(case, _)| *case == name).map(|(_, code)| *code);
    let found = verdict.failed().any(|finding| cause.is_none_or(|cause| finding.code.name == cause));
    match (verdict.outcome, found) {
        (Outcome::Rejected, true) => Ok(()),
        _ => Err(format!("expected {cause:?}\n{}", told(&verdict)).into()),
    }
}

fn told(verdict: &Verdict) -> String {
    let failed =
        verdict.failed().map(|finding| format!("{}: {} {finding:?}", finding.code.name, finding.message));
    format!("{:?}\n{}", verdict.outcome, failed.collect::<Vec<_>>().join("\n"))
}

fn verify(root: &Path) -> Verdict {
    let manifest = read_json(&root.join("chain.json"));
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).expect("the manifest has it");
    let keys = KeyRing::parse("keys", &manifest.get("ed25519_public_keys").expect("keys").to_string())
        .expect("keys");
    let target = Target {
        task_id: TaskId::parse(text("task_id")).expect("a task id"),
        kind: Kind::parse(text("task_type")).expect("a kind"),
        check_task: manifest.get("check_task").and_then(Value::as_bool).unwrap_or(false),
        extent: Extent::default(),
    };
    let policy = Policy::shipped().expect("the shipped policy is sound");
    let product = Arc::new(policy.product(text("product")).expect("a product"));
    let memory =
        InMemorySource::new(Site::from_folder(root).expect("the case can be read"), Limits::default());
    let mut verification = Verification::new(target, product, keys, Limits::default(), Switches::default());
    memory.investigate(&mut verification);
    verification.conclude(NOW).into_verdict()
}

fn read_json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&bytes, &catena_json::Limits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A real decision task of 2018. Its workers and its document no longer exist, so only the check that
/// rebuilds it is examined.
fn rebuilt(root: &Path) -> Result<(), Failed> {
    let task = read_json(&root.join("task.json"));
    let task_id = task.get("taskGroupId").and_then(Value::as_str).expect("a group");
    let target = Target {
        task_id: TaskId::parse(task_id).expect("a task id"),
        kind: Kind::parse("decision").expect("a kind"),
        check_task: true,
        extent: Extent::default(),
    };
    let policy = Policy::shipped().expect("the shipped policy is sound");
    let product = Arc::new(policy.product("firefox").expect("a product"));
    let keys = policy.keys("firefox").expect("keys");
    let mut verification = Verification::new(target, product, keys, Limits::default(), Switches::default());
    let nothing = InMemorySource::new(Site::default(), Limits::default());
    drive(&mut verification, |need| {
        let name = match need {
            Need::Definition { .. } => "task.json",
            Need::Projects { .. } => "projects.yml",
            Need::Push { .. } => "pushlog.json",
            Need::HgFile { file: TreeFile::TaskclusterYml, .. } => "taskcluster.yml",
            _ => return Fact::Absent { status: 404, message: "long gone".to_owned() },
        };
        nothing.fact(need, &Body::File(root.join(name)))
    });
    let verdict = verification.conclude(NOW).into_verdict();
    let findings: Vec<_> = verdict.findings.iter().filter(|finding| finding.check == "rebuild").collect();
    match findings.as_slice() {
        [finding] if finding.disposition == Disposition::Passed => Ok(()),
        other => Err(format!("{other:?}\n{}", told(&verdict)).into()),
    }
}
