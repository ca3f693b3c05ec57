//! The checks: one file each, of the same name as its page in `docs/checks/` and its attacks.
//!
//! A check on a link gets the link and may request any evidence. It returns at least one finding, passed or
//! failed, or says that it must wait, or that a different check has already reported why it cannot continue.

/// Describes a check by its name, which is also that of its page.
macro_rules! describe {
    ($name:literal, $codes:expr, $($scope:expr),+) => {
        $crate::verification::Check {
            name: $name,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks/", $name, ".md")),
            codes: $codes,
            scopes: &[$($scope),+],
            look_ahead: None,
        }
    };
}

mod artifacts;
mod availability;
mod branch;
mod chain;
mod custody;
mod definition;
mod document;
mod image;
mod inputs;
mod interactive;
mod kind;
mod notes;
mod pull_request;
mod rebuild;
mod run;
mod signature;
mod source;
mod tags;
mod task_graph;
mod tree;
mod worker_implementation;
mod worker_pool;

use crate::verdict::Code;
pub use crate::verification::Check;
use crate::verification::{CheckContext, Link, Registry, Stop, Switches, Target, Verification};
use catena_model::Limits;
use catena_policy::{KeyRing, Product};
use std::sync::Arc;

/// Every check there is, in the order of the verification.
pub const ALL: &[Check] = &[
    definition::DESCRIPTION,
    chain::DESCRIPTION,
    kind::DESCRIPTION,
    worker_implementation::DESCRIPTION,
    worker_pool::DESCRIPTION,
    interactive::DESCRIPTION,
    run::DESCRIPTION,
    signature::DESCRIPTION,
    document::DESCRIPTION,
    custody::DESCRIPTION,
    inputs::DESCRIPTION,
    artifacts::DESCRIPTION,
    task_graph::DESCRIPTION,
    rebuild::DESCRIPTION,
    image::DESCRIPTION,
    source::DESCRIPTION,
    tree::DESCRIPTION,
    pull_request::DESCRIPTION,
    availability::DESCRIPTION,
];

static REGISTRY: Registry = Registry { checks: ALL, unfinished: availability::unfinished };

impl Verification {
    /// Starts a verification with every check. Keys, policy and limits are separate inputs without defaults, so
    /// that no verification can start without them.
    #[must_use]
    pub fn new(
        target: Target,
        product: Arc<Product>,
        keys: KeyRing,
        limits: Limits,
        switches: Switches,
    ) -> Self {
        Self::judged_by(&REGISTRY, target, product, keys, limits, switches)
    }
}

/// The target, as soon as it is a link. Blocked if its definition is unusable; the definition check reports why.
fn target<'a>(cx: &CheckContext<'a>) -> Result<&'a Link, Stop> {
    cx.link(cx.evidence.target.task_id)?.ok_or(Stop::Blocked)
}

/// The check and the code of that name.
#[must_use]
pub fn find_code(name: &str) -> Option<(&'static Check, &'static Code)> {
    ALL.iter().find_map(|check| Some((check, check.codes.iter().find(|code| code.name == name)?)))
}

/// The code of that name, also at compile time, so that an unknown name does not compile.
#[must_use]
pub const fn code(name: &str) -> Option<Code> {
    let mut checks = ALL;
    while let [check, rest @ ..] = checks {
        let mut codes = check.codes;
        while let [code, rest @ ..] = codes {
            if is_same(code.name.as_bytes(), name.as_bytes()) {
                return Some(*code);
            }
            codes = rest;
        }
        checks = rest;
    }
    None
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    while let ([left, one_rest @ ..], [right, other_rest @ ..]) = (one, other) {
        if *left != *right {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_policy::Rule;
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
                    assert!(
                        check.page.contains(&format!("`{rule}`")),
                        "rule {rule} is not on the page of {}",
                        check.name
                    );
                }
            }
        }
        for rule in Rule::ALL {
            assert!(
                ALL.iter().flat_map(|check| check.codes).any(|code| code.rule == Some(*rule)),
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
            "Fixing a benign failure",
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
    fn findings_are_listed(check: &Check, text: &str) {
        let listed = text.lines().filter_map(|line| line.strip_prefix("- `"));
        let listed: BTreeSet<&str> =
            listed.filter_map(|line| line.split_once(" - ")).map(|(code, _)| code).collect();
        let codes = check.codes.iter().map(|code| format!("{}` ({})", code.name, code.meaning()));
        let codes: BTreeSet<String> = codes.collect();
        let codes: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
        assert_eq!(listed, codes, "{}", check.name);
    }

    /// A finding as the report shows it, of one of the check's codes and in its class.
    fn an_example_is_shown(check: &Check, text: &str) {
        let shown = text.lines().find_map(|line| line.strip_prefix("    1. "));
        let Some(shown) = shown else { panic!("{} has no example", check.name) };
        let code = check.codes.iter().find(|code| {
            let start = format!("{} [{}]  ", code.name, code.class.as_str());
            shown.starts_with(&start)
        });
        assert!(code.is_some(), "{}: {shown}", check.name);
    }

    /// Every rule with what it relaxes, or that there is none.
    fn relaxing_is_told(check: &Check, text: &str) {
        let rules: Vec<_> =
            check.codes.iter().filter_map(|code| Some((code.name, code.rule?.as_str()))).collect();
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
        assert!(find_code("no-such-code").is_none());
        for found in ALL.iter().flat_map(|check| check.codes) {
            assert_eq!(code(found.name), Some(*found));
        }
        assert!(code("no-such-code").is_none() && code("").is_none() && code("signature-missin").is_none());
    }
}
