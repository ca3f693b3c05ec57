//! The checks: one file each, of the same name as its page in `docs/checks/` and its attacks.
//!
//! A check on a link gets the link and may ask for anything; it answers with at least one finding,
//! passed or failed, or says that it must wait or that another check has already said why it
//! cannot go on.

pub(crate) mod artifacts;
mod branch;
pub(crate) mod chain;
pub(crate) mod custody;
pub(crate) mod definition;
pub(crate) mod document;
pub(crate) mod image;
pub(crate) mod inputs;
pub(crate) mod interactive;
pub(crate) mod kind;
pub(crate) mod pull_request;
pub(crate) mod rebuild;
pub(crate) mod run;
pub(crate) mod signature;
pub(crate) mod source;
mod tags;
pub(crate) mod task_graph;
pub(crate) mod tree;
pub(crate) mod worker_implementation;
pub(crate) mod worker_pool;

use crate::inquiry::{Cx, Examination, Link, Stop};
use crate::verdict::Code;

/// What an examination comes to, or why it cannot go on.
pub(crate) type Examined = Result<Examination, Stop>;

/// The target, as soon as it is a link. It stays none when its definition cannot be used, and the
/// definition check says why.
fn target<'a>(cx: &Cx<'a>) -> Result<&'a Link, Stop> {
    cx.link(cx.case.target.task_id)?.ok_or(Stop::Blocked)
}

/// The checks on a link.
pub(crate) const LINK_CHECKS: &[fn(&Cx<'_>, &Link) -> Examined] = &[
    kind::examine,
    worker_implementation::examine,
    worker_pool::examine,
    interactive::examine,
    run::examine,
    signature::examine,
    document::examine,
    custody::examine,
    artifacts::examine,
    task_graph::examine,
    rebuild::examine,
    image::examine,
    source::examine,
];

/// The checks on the chain as a whole.
pub(crate) const CHAIN_CHECKS: &[fn(&Cx<'_>) -> Examined] =
    &[chain::examine, artifacts::examine_wanted, inputs::examine, tree::examine, pull_request::examine];

/// What is foreseen of a link as soon as it is known, and not only when a check comes to it.
pub(crate) const LOOKS_AHEAD: &[fn(&Cx<'_>, &Link)] =
    &[rebuild::look_ahead, tree::look_ahead, pull_request::look_ahead];

/// A check as people read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckInfo {
    /// The name of its file, its page and its attacks.
    pub name: &'static str,
    /// Its page.
    pub page: &'static str,
    /// What it can find.
    pub codes: &'static [Code],
}

macro_rules! checks {
    ($($name:literal => $codes:expr),* $(,)?) => {
        /// Every check there is, in the order of the verification.
        pub const ALL: &[CheckInfo] = &[$(CheckInfo {
            name: $name,
            page: include_str!(concat!("../../../../docs/checks/", $name, ".md")),
            codes: $codes,
        }),*];
    };
}

checks! {
    "definition" => definition::CODES,
    "chain" => chain::CODES,
    "kind" => kind::CODES,
    "worker-implementation" => worker_implementation::CODES,
    "worker-pool" => worker_pool::CODES,
    "interactive" => interactive::CODES,
    "run" => run::CODES,
    "signature" => signature::CODES,
    "document" => document::CODES,
    "custody" => custody::CODES,
    "inputs" => inputs::CODES,
    "artifacts" => artifacts::CODES,
    "task-graph" => task_graph::CODES,
    "rebuild" => rebuild::CODES,
    "image" => image::CODES,
    "source" => source::CODES,
    "tree" => tree::CODES,
    "pull-request" => pull_request::CODES,
    "outside" => crate::inquiry::OUTSIDE_CODES,
}

/// The rules beyond the reference that a product may relax, by the names its policy uses.
pub const RULES: &[&str] = &[
    rules::ACTION_HOOK,
    rules::ACTION_INPUT,
    rules::ACTION_PARAMETERS,
    rules::ACTION_SOURCE,
    rules::ANSWER_IDENTITY,
    rules::ARTIFACT_HASH,
    rules::BRANCH_LEVEL,
    rules::BROAD_SCOPE,
    rules::CHAIN_CYCLE,
    rules::CONFIRMED_VALUES,
    rules::CRON_JOB,
    rules::CUSTODY_TIME,
    rules::DOCUMENT_RUN,
    rules::DOCUMENT_TASK,
    rules::DOCUMENT_WORKER,
    rules::EMPTY_VALUES,
    rules::FOREIGN_SCOPE,
    rules::GRAPH_ADDITIONS,
    rules::GRAPH_TIMES,
    rules::IMAGE_PINNED,
    rules::INPUT_REVISION,
    rules::INPUT_TREE,
    rules::KIND_TAG,
    rules::MIRROR_COMMIT,
    rules::OPTIONAL_ARTIFACT,
    rules::OTHER_SOURCES,
    rules::PARENT_TREE,
    rules::PUSH_TIME,
    rules::RECORDED_INPUT,
    rules::REPOSITORY_FORM,
    rules::REVISION_FORM,
    rules::RUN_STATE,
    rules::SCHEDULER_LEVEL,
    rules::SIBLING_REVISION,
    rules::STATUS_DEFINITION,
    rules::TEMPLATE_REPOSITORY,
    rules::TREE_LEVEL,
    rules::WHOLE_SEGMENTS,
    rules::WORKER_POOL,
];

/// Names of rules.
pub(crate) mod rules {
    pub(crate) const ACTION_HOOK: &str = "action-hook";
    pub(crate) const ACTION_INPUT: &str = "action-input";
    pub(crate) const ACTION_PARAMETERS: &str = "action-parameters";
    pub(crate) const ACTION_SOURCE: &str = "action-source";
    pub(crate) const ANSWER_IDENTITY: &str = "answer-identity";
    pub(crate) const ARTIFACT_HASH: &str = "artifact-hash";
    pub(crate) const BRANCH_LEVEL: &str = "branch-level";
    pub(crate) const BROAD_SCOPE: &str = "broad-scope";
    pub(crate) const CHAIN_CYCLE: &str = "chain-cycle";
    pub(crate) const CONFIRMED_VALUES: &str = "confirmed-values";
    pub(crate) const CRON_JOB: &str = "cron-job";
    pub(crate) const CUSTODY_TIME: &str = "custody-time";
    pub(crate) const DOCUMENT_RUN: &str = "document-run";
    pub(crate) const DOCUMENT_TASK: &str = "document-task";
    pub(crate) const DOCUMENT_WORKER: &str = "document-worker";
    pub(crate) const EMPTY_VALUES: &str = "empty-values";
    pub(crate) const FOREIGN_SCOPE: &str = "foreign-scope";
    pub(crate) const GRAPH_ADDITIONS: &str = "graph-additions";
    pub(crate) const GRAPH_TIMES: &str = "graph-times";
    pub(crate) const IMAGE_PINNED: &str = "image-pinned";
    pub(crate) const INPUT_REVISION: &str = "input-revision";
    pub(crate) const INPUT_TREE: &str = "input-tree";
    pub(crate) const KIND_TAG: &str = "kind-tag";
    pub(crate) const MIRROR_COMMIT: &str = "mirror-commit";
    pub(crate) const OPTIONAL_ARTIFACT: &str = "optional-artifact";
    pub(crate) const OTHER_SOURCES: &str = "other-sources";
    pub(crate) const PARENT_TREE: &str = "parent-tree";
    pub(crate) const PUSH_TIME: &str = "push-time";
    pub(crate) const RECORDED_INPUT: &str = "recorded-input";
    pub(crate) const REPOSITORY_FORM: &str = "repository-form";
    pub(crate) const REVISION_FORM: &str = "revision-form";
    pub(crate) const RUN_STATE: &str = "run-state";
    pub(crate) const SCHEDULER_LEVEL: &str = "scheduler-level";
    pub(crate) const SIBLING_REVISION: &str = "sibling-revision";
    pub(crate) const STATUS_DEFINITION: &str = "status-definition";
    pub(crate) const TEMPLATE_REPOSITORY: &str = "template-repository";
    pub(crate) const TREE_LEVEL: &str = "tree-level";
    pub(crate) const WHOLE_SEGMENTS: &str = "whole-segments";
    pub(crate) const WORKER_POOL: &str = "worker-pool";
}

/// The check and the code of that name.
#[must_use]
pub fn find_code(name: &str) -> Option<(&'static CheckInfo, &'static Code)> {
    ALL.iter().find_map(|check| Some((check, check.codes.iter().find(|code| code.name == name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_kebab_case_and_on_their_check_page() {
        let mut seen = BTreeSet::new();
        for check in ALL {
            assert!(check.page.starts_with(&format!("# {}", check.name)), "page of {}", check.name);
            for code in check.codes {
                assert!(seen.insert(code.name), "{} twice", code.name);
                assert!(
                    code.name
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                    "{}",
                    code.name
                );
                assert!(
                    check.page.contains(&format!("`{}`", code.name)),
                    "{} is not on the page of {}",
                    code.name,
                    check.name
                );
                if let Some(rule) = code.rule {
                    assert!(RULES.contains(&rule), "{rule}");
                    assert!(
                        check.page.contains(&format!("`{rule}`")),
                        "rule {rule} is not on the page of {}",
                        check.name
                    );
                }
            }
        }
        for rule in RULES {
            assert!(
                ALL.iter().flat_map(|check| check.codes).any(|code| code.rule == Some(rule)),
                "{rule} relaxes nothing"
            );
        }
    }

    /// The sections of a page, in order: heading and text.
    fn sections(page: &str) -> Vec<(&str, &str)> {
        let parts = page.split("\n## ").skip(1);
        parts.filter_map(|part| part.split_once('\n')).collect()
    }

    #[test]
    fn every_page_has_its_sections() {
        const SECTIONS: [&str; 7] = [
            "What it stops",
            "What it looks at",
            "What it finds",
            "Example",
            "Fixing an honest failure",
            "Relaxing it",
            "Reference",
        ];
        for check in ALL {
            let (name, sections) = (check.name, sections(check.page));
            assert_eq!(sections.iter().map(|(heading, _)| *heading).collect::<Vec<_>>(), SECTIONS, "{name}");
            for (heading, text) in &sections {
                assert!(text.trim().len() > 20, "{name}: {heading}");
            }
            let text = |wanted: &str| sections.iter().find(|(heading, _)| *heading == wanted).unwrap().1;
            assert!(text("What it stops").contains("ttacker"), "{name} does not say whom it stops");
            findings_are_listed(check, text("What it finds"));
            an_example_is_shown(check, text("Example"));
            relaxing_is_told(check, text("Relaxing it"));
            let reference = text("Reference");
            let (clause, beyond) = ("Implements: specification ", "Goes beyond the reference in: ");
            let mut lines = reference.lines();
            assert!(lines.any(|line| line.starts_with(clause) || line.starts_with(beyond)), "{name}");
        }
    }

    /// Each code once, with its class, or that it passes, and what it means.
    fn findings_are_listed(check: &CheckInfo, text: &str) {
        let listed = text.lines().filter_map(|line| line.strip_prefix("- `"));
        let listed: BTreeSet<&str> =
            listed.filter_map(|line| line.split_once(" - ")).map(|(code, _)| code).collect();
        let codes = check.codes.iter().map(|code| format!("{}` ({})", code.name, code.meaning()));
        let codes: BTreeSet<String> = codes.collect();
        let codes: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
        assert_eq!(listed, codes, "{}", check.name);
    }

    /// A finding as the report shows it, of one of the check's codes and in its class.
    fn an_example_is_shown(check: &CheckInfo, text: &str) {
        let shown = text.lines().find_map(|line| line.strip_prefix("    1. "));
        let Some(shown) = shown else { panic!("{} has no example", check.name) };
        let code = check.codes.iter().find(|code| {
            let start = format!("{} [{}]  ", code.name, code.class.as_str());
            shown.starts_with(&start)
        });
        assert!(code.is_some(), "{}: {shown}", check.name);
    }

    /// Every rule with what it relaxes, or that there is none.
    fn relaxing_is_told(check: &CheckInfo, text: &str) {
        let rules: Vec<_> = check.codes.iter().filter_map(|code| Some((code.name, code.rule?))).collect();
        for (code, rule) in &rules {
            for name in [code, rule] {
                assert!(text.contains(&format!("`{name}`")), "{} does not tell of {name}", check.name);
            }
        }
        let none =
            ["It cannot be relaxed.", "No policy can relax it."].iter().any(|none| text.contains(none));
        assert_eq!(none, rules.is_empty(), "{}", check.name);
    }

    #[test]
    fn codes_are_found_by_name() {
        assert_eq!(find_code("signature-missing").map(|(check, _)| check.name), Some("signature"));
        assert_eq!(find_code("no-such-code"), None);
    }
}
