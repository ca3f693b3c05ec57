//! What follows from another finding is folded below it, and gives no advice of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use catena_json::{Path, Value};
use catena_report::{TextOptions, json_value, text};
use catena_verify::checks::find_code;
use catena_verify::verdict::{Authority, Disposition, Finding, Outcome, Verdict};
use support::*;

fn of(code: &str, task_id: &str, message: &str) -> Finding {
    let (check, code) = find_code(code).unwrap();
    finding(check.name, *code, Disposition::Failed, task_id, message)
}

fn from(code: &str, task_id: &str, address: &str) -> Finding {
    let mut one = of(code, task_id, code);
    one.actual = claim(Authority::Queue, address);
    one.location = location("the queue's definition", Some(Path::of(&["metadata", "source"])));
    one
}

/// For each finding of a report the position of its cause.
fn causes(verdict: &Verdict) -> Vec<Option<u64>> {
    let report = json_value(verdict);
    let findings = report.get("findings").and_then(Value::as_array).unwrap();
    let failed = findings.iter().filter(|one| one.get("disposition") == Some(&Value::from("failed")));
    failed.map(|one| one.get("followsFrom").and_then(Value::as_u64)).collect()
}

/// Where the failed findings of a verdict begin.
fn first(verdict: &Verdict) -> u64 {
    let first = verdict.findings.iter().position(|one| one.disposition == Disposition::Failed).unwrap();
    u64::try_from(first).unwrap()
}

#[test]
fn a_graph_of_a_foreign_tree_is_one_cause() {
    let try_push = "https://hg.mozilla.org/try";
    let findings = vec![
        from("tree-scope", SIGNING, &format!("{try_push}/file/0a/x (in no trusted tree)")),
        from("tree-other-source", BUILD, try_push),
        from("tree-untrusted", IMAGE, &format!("{try_push}/file/0a/y (in no trusted tree)")),
        from("pull-request-try", DECISION, &format!("{try_push}/raw-file/0a/.taskcluster.yml")),
    ];
    let verdict = verdict(Outcome::Rejected, findings);
    let decision = first(&verdict) + 3;
    assert_eq!(causes(&verdict), [Some(decision), Some(decision), Some(decision), None]);
    let shown = text(&verdict, &TextOptions::default());
    assert!(shown.contains("3 findings of this cause"), "{shown}");
    assert_eq!(shown.matches("hint").count(), 1, "{shown}");
    // Each stands by itself where all is asked for.
    let verbose = text(&verdict, &TextOptions { verbose: true, ..TextOptions::default() });
    assert_eq!(verbose.matches("hint").count(), 4, "{verbose}");
}

#[test]
fn another_tree_is_another_cause() {
    let findings = vec![
        from("tree-other-source", BUILD, "https://hg.mozilla.org/try"),
        from("tree-other-source", IMAGE, "https://github.com/somebody/firefox"),
    ];
    let mut findings = findings;
    findings[1].message = "Another message.".to_owned();
    assert_eq!(causes(&verdict(Outcome::Rejected, findings)), [None, None]);
}

#[test]
fn a_pool_is_not_added_for_a_rewritten_definition() {
    let findings = vec![
        of("worker-pool-docker-image", IMAGE, "The pool is not one of the product's."),
        of("graph-definition-differs", IMAGE, "The task differs from its entry."),
        of("worker-pool-docker-image", BUILD, "Another task's pool is not one of the product's."),
    ];
    let verdict = verdict(Outcome::Rejected, findings);
    assert_eq!(causes(&verdict), [Some(first(&verdict) + 1), None, None]);
}

#[test]
fn tampering_never_stands_below_anything_else() {
    let findings = vec![
        of("document-of-another-task", BUILD, "The document is about a different task."),
        of("rebuild-differs", BUILD, "The task differs."),
        of("signature-unknown-key", BUILD, "No key made the signature."),
    ];
    assert_eq!(causes(&verdict(Outcome::Rejected, findings)), [None, None, None]);
    // Nor does what is known stand below what could not be known.
    let findings = vec![
        of("availability-unfinished", BUILD, "A check did not complete."),
        of("availability-unreachable", SIGNING, "No response."),
        of("tree-untrusted", BUILD, "The task comes from no trusted tree."),
    ];
    let verdict = verdict(Outcome::Rejected, findings);
    assert_eq!(causes(&verdict), [Some(first(&verdict) + 1), None, None]);
}
