//! What a reader sees of every kind of verdict.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod support;

use catena_report::{TextOptions, json, line, text};
use catena_verify::verdict::{ArtifactEvidence, Authority, Class, Outcome, Source};
use catena_verify::verification::Extent;
use insta::assert_snapshot;
use std::time::Duration;
use support::*;

fn plain() -> TextOptions {
    TextOptions { width: Some(100), ..TextOptions::default() }
}

#[test]
fn verified() {
    let mut verdict = verdict(Outcome::Verified, Vec::new());
    assert_snapshot!("verified", text(&verdict, &plain()));
    assert_snapshot!("verified_json", json(&verdict));
    verdict.check_task = true;
    let options = TextOptions { elapsed: Some(Duration::from_millis(4_260)), ..plain() };
    assert_snapshot!("verified_finished_task", text(&verdict, &options));
}

#[test]
fn unmeasured_artifacts_are_named() {
    let mut verdict = verdict(Outcome::Verified, Vec::new());
    (verdict.check_task, verdict.extent) = (true, Extent::Named);
    let mut named = verdict.artifacts[1].clone();
    (named.task_id, named.length, named.evidence) = (verdict.task_id, None, ArtifactEvidence::Named);
    verdict.artifacts[0].evidence = ArtifactEvidence::Recalled;
    verdict.artifacts.push(named);
    assert_snapshot!("named", text(&verdict, &plain()));
    assert_snapshot!("named_verbose", text(&verdict, &TextOptions { verbose: true, ..plain() }));
    assert_snapshot!("named_json", json(&verdict));
}

#[test]
fn verified_without_a_trusted_tree() {
    let mut verdict = verdict(Outcome::Verified, Vec::new());
    verdict.tree = None;
    let told = text(&verdict, &plain());
    let first = "VERIFIED, but the chain goes back to no trusted tree:  signing task ";
    assert!(told.starts_with(first), "{told}");
    assert!(line(&verdict).ends_with("  firefox  but the chain goes back to no trusted tree"));
    assert!(json(&verdict).contains("\n  \"tree\": null,\n"));
    verdict.tree = Some("/mozilla-central".to_owned());
    assert!(text(&verdict, &plain()).starts_with("VERIFIED  signing task "));
    assert!(!line(&verdict).contains("tree"));
}

#[test]
fn verified_with_a_relaxed_rule() {
    let mut verdict = verdict(Outcome::Verified, vec![relaxed_finding()]);
    verdict.relaxed = weakened();
    assert_snapshot!("relaxed", text(&verdict, &plain()));
    assert_snapshot!("relaxed_json", json(&verdict));
}

#[test]
fn verified_from_a_recording_with_other_keys() {
    let mut verdict = verdict(Outcome::Verified, Vec::new());
    verdict.source = Source::Recording;
    verdict.keys = widened();
    assert_snapshot!("recording", text(&verdict, &plain()));
    let json = catena_report::json_value(&verdict);
    assert_eq!(json.get("source").and_then(|source| source.as_str()), Some("recording"));
    assert_snapshot!("recording_keys", json.get("keys").unwrap().to_pretty());
    assert!(catena_report::line(&verdict).ends_with("  firefox  from a recording  keys widened: 1"));
}

#[test]
fn rejected_for_a_signature() {
    assert_snapshot!("signature", text(&verdict(Outcome::Rejected, vec![unknown_key()]), &plain()));
}

#[test]
fn rejected_for_a_definition() {
    let verdict = verdict(Outcome::Rejected, vec![differing()]);
    assert_snapshot!("definition", text(&verdict, &plain()));
    assert_snapshot!("definition_json", json(&verdict));
    assert_snapshot!("definition_verbose", text(&verdict, &TextOptions { verbose: true, ..plain() }));
}

#[test]
fn severe_findings_come_first_then_the_order_of_the_chain() {
    let findings = vec![unreachable(), unconfigured(), not_allowed(), unknown_key(), missing_artifact(1)];
    assert_snapshot!("order", text(&verdict(Outcome::Rejected, findings), &plain()));
}

#[test]
fn many_findings_of_one_code_are_grouped() {
    let findings = (0..200).map(missing_artifact).chain([unknown_key()]).collect();
    let verdict = verdict(Outcome::Rejected, findings);
    let short = text(&verdict, &plain());
    assert_snapshot!("many", short);
    let all = json(&verdict);
    for number in 0..200 {
        assert!(all.contains(&format!("part-{number}.tar.xz")), "{number}");
    }
}

#[test]
fn undetermined() {
    assert_snapshot!("undetermined", text(&verdict(Outcome::Undetermined, vec![unreachable()]), &plain()));
    assert_snapshot!("incomplete", text(&verdict(Outcome::Undetermined, Vec::new()), &plain()));
}

/// Not even the target's definition is known, so there is no chain.
#[test]
fn nothing_known() {
    let mut found = unreachable();
    found.task_id = id(SIGNING);
    let mut verdict = verdict(Outcome::Undetermined, Vec::new());
    verdict.findings = vec![found];
    (verdict.links, verdict.artifacts) = (Vec::new(), Vec::new());
    assert_snapshot!("nothing_known", text(&verdict, &plain()));
}

#[test]
fn misconfigured() {
    assert_snapshot!("misconfigured", text(&verdict(Outcome::Misconfigured, vec![unconfigured()]), &plain()));
}

#[test]
fn colours() {
    let options = TextOptions { color: true, ..plain() };
    assert_snapshot!("colours", text(&verdict(Outcome::Rejected, vec![differing()]), &options));
}

#[test]
fn the_outcome_is_in_the_first_ten_lines() {
    let mut found = unknown_key();
    found.message = "a very long word after another ".repeat(100);
    let mut verdict = verdict(Outcome::Rejected, vec![found]);
    verdict.relaxed = weakened();
    let text = text(&verdict, &TextOptions { width: Some(80), ..plain() });
    let answer: Vec<&str> = text.lines().take(10).collect();
    let answer = answer.join("\n");
    for part in [
        "REJECTED",
        "signing task",
        SIGNING,
        "firefox",
        "1 of 5 findings",
        "signing → build",
        "signature-unknown-key",
        "exit status 1",
        "artifact-hash",
    ] {
        assert!(answer.contains(part), "{part} is not in:\n{answer}");
    }
}

#[test]
fn text_of_others_forges_nothing() {
    let mut found = failed(
        "signature",
        code("signature-unknown-key", Class::Invalid),
        BUILD,
        "first line\nVERIFIED  signing task\r\u{1b}[2J\u{202e}gnihton",
    );
    found.expected = claim(Authority::Queue, "\u{1b}]0;title\u{7}");
    found.actual = claim(Authority::Worker, "a\u{200b}b\u{9b}1m");
    found.location = location("\u{2066}thing\n", None);
    found.origin = Some("x\u{8}\u{8}y".to_owned());
    let mut verdict = verdict(Outcome::Rejected, vec![found]);
    verdict.product = "fire\u{1b}[1mfox".to_owned();
    if let Some(link) = verdict.links.first_mut() {
        link.title = Some("\u{1b}c".to_owned());
    }
    assert_snapshot!("hostile", text(&verdict, &TextOptions { verbose: true, ..plain() }));
    assert_snapshot!("hostile_json", json(&verdict));
}
