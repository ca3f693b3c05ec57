//! The chain of a verdict as a tree, as a reader sees it; and what a stored verdict says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod support;

use catena_json::Limits;
use catena_model::task::{Kind, LinkName, TaskId};
use catena_report::escape::is_deceptive;
use catena_report::{ReadVerdict, TextOptions, failed_codes, json, tree};
use catena_verify::verdict::{Class, Disposition, Edge, Finding, LinkSummary, Outcome, Verdict};
use insta::assert_snapshot;
use proptest::prelude::*;
use support::*;

const OTHER: &str = "B1Y7D4twTB620sjIgyd3lg";

fn plain() -> TextOptions {
    TextOptions { width: Some(100), ..TextOptions::default() }
}

fn edge(name: &str, task_id: &str) -> Edge {
    Edge { name: name.to_owned(), task_id: id(task_id) }
}

fn signed(task_id: &str) -> Finding {
    let message = "Signed by a key of its worker implementation.";
    finding("signature", passing("signature-verified"), Disposition::Passed, task_id, message)
}

/// A target, its decision task, two builds and the image of both.
fn chain(outcome: Outcome, mut findings: Vec<Finding>) -> Verdict {
    findings.extend([SIGNING, OTHER].map(signed));
    let mut verdict = verdict(outcome, findings);
    let mut other = LinkSummary { task_id: id(OTHER), ..verdict.links[2].clone() };
    other.title = Some("build-win64/opt".to_owned());
    verdict.links.insert(3, other);
    verdict.links[0].run_id = None;
    verdict.links[0].run_state = None;
    verdict.links[0].edges.extend([edge("build", BUILD), edge("build", OTHER)]);
    for build in &mut verdict.links[2..4] {
        build.edges.push(edge("docker-image", IMAGE));
    }
    verdict
}

/// The same with this many builds, the numbered task as one that is new.
fn wide(builds: usize, outcome: Outcome, findings: Vec<Finding>) -> Verdict {
    let mut verdict = chain(outcome, findings);
    for number in 2..builds {
        let task_id = numbered(number);
        let mut build = LinkSummary { task_id: id(&task_id), ..verdict.links[2].clone() };
        build.title = Some(format!("build-{number}/opt"));
        // Some have an image of their own.
        if number % 100 == 50 {
            let image = numbered(1000 + number);
            build.edges[1] = edge("docker-image", &image);
            let image = LinkSummary { task_id: id(&image), ..verdict.links[4].clone() };
            verdict.links.push(image);
            verdict.findings.push(signed(&numbered(1000 + number)));
        }
        verdict.links.push(build);
        verdict.links[0].edges.push(edge("build", &task_id));
        verdict.findings.push(signed(&task_id));
    }
    verdict
}

fn numbered(number: usize) -> String {
    format!("T{number:07}Q0C0000000000A")
}

fn about(task_id: &str, mut finding: Finding) -> Finding {
    finding.task_id = id(task_id);
    finding
}

fn stored(verdict: &Verdict) -> ReadVerdict {
    ReadVerdict::parse(json(verdict).as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn a_shared_image_is_drawn_once() {
    let verdict = chain(Outcome::Verified, Vec::new());
    let text = tree(&verdict, &plain());
    assert_snapshot!("shared", text);
    assert_eq!(text.matches("docker-image-debian12").count(), 1);
    assert_eq!(text.matches(IMAGE).count(), 2);
    assert_snapshot!("shared_ascii", tree(&verdict, &TextOptions { ascii: true, ..plain() }));
    assert!(tree(&verdict, &TextOptions { ascii: true, ..plain() }).replace('…', "").is_ascii());
    assert_snapshot!("shared_color", tree(&verdict, &TextOptions { color: true, ..plain() }));
}

#[test]
fn a_failed_link_is_marked_with_its_codes() {
    let verdict = chain(Outcome::Rejected, vec![unknown_key(), differing()]);
    let text = tree(&verdict, &plain());
    assert_snapshot!("failed", text);
    assert!(!text.contains("verified\n"), "{text}");
    assert_eq!(failed_codes(&verdict), ["graph-definition-differs", "signature-unknown-key"]);
}

#[test]
fn what_was_not_reached_is_marked() {
    let mut verdict = chain(Outcome::Undetermined, vec![about(IMAGE, unreachable())]);
    verdict.links.retain(|link| link.task_id != id(IMAGE));
    verdict.findings.retain(|finding| finding.task_id != id(OTHER));
    verdict.links[3].document = None;
    verdict.links[3].edges_left_out = 2;
    assert_snapshot!("unreached", tree(&verdict, &plain()));
    // Not even the definition of the target is known.
    verdict.links.clear();
    verdict.findings = vec![about(SIGNING, unreachable())];
    let text = tree(&verdict, &plain());
    assert_eq!(text, format!("signing  {SIGNING}  not reached: UNDETERMINED availability-unreachable\n"));
}

#[test]
fn a_relaxed_finding_is_not_hidden() {
    let mut verdict = chain(Outcome::Verified, vec![relaxed_finding()]);
    verdict.relaxed = weakened();
    assert!(tree(&verdict, &plain()).contains("  verified, weakened: artifact-without-digest\n"));
}

#[test]
fn similar_links_of_a_wide_chain_are_counted() {
    let verdict = wide(306, Outcome::Verified, Vec::new());
    let text = tree(&verdict, &plain());
    assert_snapshot!("wide", text);
    let all = tree(&verdict, &TextOptions { verbose: true, ..plain() });
    assert!(verdict.links.iter().all(|link| all.contains(link.task_id.as_str())));
}

/// What differs from its siblings, and what leads to something that does, is drawn.
#[test]
fn counting_hides_no_failure() {
    let found = vec![about(&numbered(77), differing()), about(&numbered(1150), unknown_key())];
    let verdict = wide(306, Outcome::Rejected, found);
    let text = tree(&verdict, &plain());
    assert_snapshot!("wide_failed", text);
    // One failure of all.
    let all = (2..306).map(|number| about(&numbered(number), unknown_key())).collect();
    let text = tree(&wide(306, Outcome::Rejected, all), &plain());
    assert!(text.contains("└─ and 296 more build tasks, FAILED signature-unknown-key"), "{text}");
    assert_eq!(text.matches("FAILED").count(), 9, "{text}");
}

/// A failure that all have below them is drawn once, and does not unfold them all.
#[test]
fn a_shared_failure_is_drawn_once() {
    let text = tree(&wide(306, Outcome::Rejected, vec![about(DECISION, differing())]), &plain());
    assert_eq!(text.matches("FAILED").count(), 1, "{text}");
    assert!(text.lines().count() < 40, "{text}");
}

#[test]
fn cycles_and_long_chains_end() {
    let mut verdict = chain(Outcome::Rejected, vec![unknown_key()]);
    let image = verdict.links.len() - 1;
    verdict.links[image].edges.extend([edge("docker-image", IMAGE), edge("build", BUILD)]);
    let text = tree(&verdict, &plain());
    assert_eq!(text.matches(&format!("docker-image  {IMAGE}  (above)")).count(), 2, "{text}");
    // A chain of images, deeper than a line is wide.
    let template = verdict.links[image].clone();
    verdict.links[image].edges = vec![edge("docker-image", &numbered(0))];
    for number in 0..200 {
        let edges = vec![edge("docker-image", &numbered(number + 1))];
        verdict.links.push(LinkSummary { task_id: id(&numbered(number)), edges, ..template.clone() });
    }
    let text = tree(&verdict, &plain());
    for number in 0..=200 {
        assert!(text.contains(&numbered(number)), "{number}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn long_names_lose_their_middle_on_narrow_terminals() {
    let mut verdict = chain(Outcome::Rejected, vec![unknown_key()]);
    verdict.links[2].title = Some(format!("build-{}/opt", "linux64-".repeat(20)));
    let text = tree(&verdict, &TextOptions { width: Some(40), ..plain() });
    assert_snapshot!("narrow", text);
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

#[test]
fn names_of_others_forge_nothing() {
    let mut verdict = chain(Outcome::Rejected, vec![unknown_key()]);
    verdict.links[2].title = Some("build\n└─ docker-image  verified\u{1b}[2J".to_owned());
    verdict.links[0].edges[1].name = "bu\u{202e}dli\r\nVERIFIED".to_owned();
    let forged = format!("build  {OTHER}  verified");
    verdict.links[0].edges.extend([edge("\u{1b}]0;x\u{7}", &numbered(1)), edge(&forged, &numbered(2))]);
    verdict.links[3].title = Some("├─ build  verified".to_owned());
    assert_snapshot!("hostile", tree(&verdict, &plain()));
}

#[test]
fn a_stored_verdict_is_not_verified_by_this_program() {
    let mut read = stored(&chain(Outcome::Verified, Vec::new()));
    assert_snapshot!("stored_verified", format!("{}\n{}", read.text(&plain()), read.tree(&plain())));
    read.product = "fire\u{1b}fox\nVERIFIED".to_owned();
    assert!(!read.text(&plain()).contains(['\u{1b}', '\r']));
    for text in [read.text(&plain()), read.tree(&plain())] {
        assert!(
            !text.lines().any(|line| line.starts_with("VERIFIED") || line.ends_with("  verified")),
            "{text}"
        );
    }
    let findings = vec![unreachable(), unknown_key(), differing()];
    let read = stored(&chain(Outcome::Rejected, findings));
    assert_snapshot!("stored_rejected", format!("{}\n{}", read.text(&plain()), read.tree(&plain())));
    assert_eq!(
        read.failed_codes(),
        ["graph-definition-differs", "signature-unknown-key", "availability-unreachable"]
    );
}

/// The JSON form carries what the tree shows.
#[test]
fn a_stored_verdict_has_the_same_tree() {
    let failed = chain(Outcome::Rejected, vec![unreachable(), unknown_key()]);
    for verdict in [failed, wide(306, Outcome::Rejected, vec![about(&numbered(9), differing())])] {
        assert_eq!(stored(&verdict).tree(&plain()), tree(&verdict, &plain()));
    }
}

fn anything() -> impl Strategy<Value = Verdict> {
    let names = prop_oneof![Just("parent".to_owned()), Just("build".to_owned()), any::<String>()];
    let edges = proptest::collection::vec((names, 0..14_usize), 0..6);
    let link = (edges, any::<Option<String>>(), 0..3_usize, 0..20_usize);
    proptest::collection::vec(link, 0..12).prop_map(|links| {
        let mut verdict = chain(Outcome::Rejected, vec![unknown_key()]);
        let template = verdict.links[2].clone();
        verdict.links.clear();
        for (number, (edges, title, left_out, failed)) in links.into_iter().enumerate() {
            let task_id = if number == 0 { id(SIGNING) } else { id(&numbered(number)) };
            let edge = |(name, number): (String, usize)| Edge { name, task_id: id(&numbered(number)) };
            let edges = edges.into_iter().map(edge).collect();
            let name = LinkName::target(&Kind::parse("signing").unwrap());
            let link =
                LinkSummary { name, task_id, title, edges, edges_left_out: left_out, ..template.clone() };
            verdict.links.push(link);
            if failed == 0 {
                verdict.findings.push(failed_at(task_id));
            }
        }
        verdict
    })
}

fn failed_at(task_id: TaskId) -> Finding {
    Finding { task_id, ..failed("tree", code("tree-scope", Class::Policy), SIGNING, "Not allowed.") }
}

proptest! {
    #[test]
    fn every_tree_is_safe_and_names_every_failure(
        verdict in anything(),
        verbose in any::<bool>(),
        width in 0..120_usize,
    ) {
        let text = tree(&verdict, &TextOptions { verbose, width: Some(width), ..plain() });
        prop_assert!(!text.chars().any(|character| character != '\n' && is_deceptive(character)), "{text:?}");
        for failed in verdict.failed() {
            prop_assert!(text.contains(failed.task_id.as_str()), "{text}");
        }
        // Each task is in full once.
        let signers = text.matches("ed25519").count();
        if verbose {
            prop_assert_eq!(signers, verdict.links.len(), "{}", text);
        }
        prop_assert!(signers <= verdict.links.len(), "{text}");
    }
}
