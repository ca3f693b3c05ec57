//! A verdict that was read from a file, for people.

use super::{ReadFinding, ReadVerdict};
use crate::diff::middle;
use crate::escape;
use crate::page::{Page, Paint};
use crate::proof::count;
use crate::text::TextOptions;
use catena_model::task::TaskId;
use catena_verify::verdict::{LinkSummary, Source};
use std::collections::{HashMap, HashSet};

/// Characters of the fault of a finding, and of names.
const FAULT: usize = 600;
/// Findings that are reported.
const FINDINGS: usize = 20;

impl ReadVerdict {
    /// What a verdict from a file says: the outcome that it reports, and each failed finding in one line,
    /// causes first. It says that nothing was verified now. All text from outside is escaped.
    #[must_use]
    pub fn text(&self, options: &TextOptions) -> String {
        let mut page = Page::new(options.color, options.width);
        let intro = "A verdict from a file. Nothing was verified now, and anyone can write such a file.";
        page.words(&[(Some(Paint::Unsure), intro)]);
        let says =
            format!("{}: {} task {} for {}", self.outcome.as_str(), self.kind, self.task_id, self.product);
        page.labelled(2, "reports", &middle(&says, FAULT));
        let source = if self.source == Source::Recording { ", from a recording" } else { "" };
        page.labelled(
            2,
            "concluded",
            &middle(&format!("{} by catena {}{source}", self.concluded, self.version), FAULT),
        );
        let number = self.failed().count();
        page.labelled(2, "failed", &format!("{number} of {}", count(self.findings.len(), "finding")));
        if !self.relaxed.is_empty() {
            let rules: Vec<&str> = self.relaxed.iter().map(|relaxed| relaxed.rule.as_str()).collect();
            page.labelled(2, "weakened", &middle(&rules.join(", "), FAULT));
        }
        let policy = format!("{} ({})", self.policy.name, self.policy.digest);
        page.labelled(2, "policy", &middle(&policy, FAULT));
        self.findings_in(&mut page, options);
        page.into_text()
    }

    /// The codes of the failed findings, each once, the one that decides first.
    #[must_use]
    pub fn failed_codes(&self) -> Vec<&str> {
        let mut known = HashSet::new();
        let codes = self.in_order().into_iter().map(|finding| finding.code.as_str());
        codes.filter(|code| known.insert(*code)).collect()
    }

    fn findings_in(&self, page: &mut Page, options: &TextOptions) {
        let failed = self.in_order();
        let most = if options.verbose { usize::MAX } else { FINDINGS };
        let names: HashMap<TaskId, &LinkSummary> =
            self.links.iter().rev().map(|link| (link.task_id, link)).collect();
        for (position, finding) in failed.iter().take(most).enumerate() {
            let way = names.get(&finding.task_id).map_or_else(String::new, |link| format!("{}  ", link.name));
            let class = finding.class.map_or("", |class| class.as_str());
            page.gap();
            page.words(&[
                (
                    Some(Paint::Bold),
                    &format!(
                        "{}. {}",
                        position.saturating_add(1),
                        middle(&escape::word(&finding.code), FAULT)
                    ),
                ),
                (Some(Paint::Bad), &format!(" [{class}]")),
                (None, &format!("  {}", middle(&way, FAULT))),
                (Some(Paint::Dim), finding.task_id.as_str()),
            ]);
            let fault = finding.headline.as_deref().unwrap_or(&finding.message);
            page.paragraph(3, &middle(fault, FAULT));
        }
        let more = failed.len().saturating_sub(most);
        if more > 0 {
            page.gap();
            page.paragraph(0, &format!("and {} (-v lists all)", count(more, "more finding")));
        }
    }

    /// The failed findings: causes before what follows from them, then by class and the order of the chain.
    fn in_order(&self) -> Vec<&ReadFinding> {
        let mut places: HashMap<TaskId, usize> = HashMap::new();
        for (place, link) in self.links.iter().enumerate() {
            places.entry(link.task_id).or_insert(place);
        }
        let mut failed: Vec<&ReadFinding> = self.failed().collect();
        let place = |task_id| places.get(&task_id).copied().unwrap_or(usize::MAX);
        failed.sort_by_key(|finding| (finding.follows_from.is_some(), finding.class, place(finding.task_id)));
        failed
    }
}
