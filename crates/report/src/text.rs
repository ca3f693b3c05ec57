//! A verdict as text: the answer, then every failed finding.

use crate::diff::{excerpt, excerpts, middle, tell};
use crate::headline::{authority_name, headline, name};
use crate::hints::{advice, code};
use crate::order::{Group, Links, groups};
use crate::page::{Page, Paint};
use crate::proof::{Proof, count};
use catena_model::digest::Digest;
use catena_verify::verdict::{
    ArtifactEvidence, Authority, Class, Difference, Disposition, Finding, Outcome, Source, Verdict,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Characters of the leading cause in the answer.
const LEAD: usize = 330;
/// Characters of one claim or message, and of a side of a difference where lines may be of any length.
const CLAIM: usize = 600;
/// Differences of one finding.
const DIFFERENCES: usize = 12;
/// Characters of a digest: its algorithm and twelve digits.
const DIGEST: usize = 19;
/// Findings reported in one line each: others of a group, and relaxed ones.
const LINES: usize = 8;

/// How a verdict is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// With ANSI colours.
    pub color: bool,
    /// Columns to wrap at; none leaves lines as long as they are.
    pub width: Option<usize>,
    /// Every finding by itself and in full length, the links, and what passed.
    pub verbose: bool,
    /// The lines of a tree in ASCII, for terminals that show nothing else.
    pub ascii: bool,
    /// How long it took, where that is to be shown.
    pub elapsed: Option<Duration>,
}

/// A verdict for people: the answer in the first ten lines (outcome, target, product, how many
/// findings failed, the leading cause, what the exit status means, what was weakened), then each
/// failed finding, the alarming ones first. All text from outside is escaped.
#[must_use]
pub fn text(verdict: &Verdict, options: &TextOptions) -> String {
    let links = Links::of(verdict);
    let report = Report { verdict, proof: Proof::of(verdict), links, options };
    let mut page = Page::new(options.color, options.width);
    let groups = groups(verdict, &report.links, options.verbose);
    report.answer(&mut page, &groups);
    for (position, group) in groups.iter().enumerate() {
        page.gap();
        report.group(&mut page, position.saturating_add(1), group);
    }
    report.relaxed_findings(&mut page);
    if options.verbose {
        report.chain(&mut page);
        report.by_digest(&mut page);
        report.passed(&mut page);
    }
    if !groups.is_empty() {
        page.gap();
        page.paragraph(0, "`catena explain CODE` prints what a code means and what to do.");
    }
    page.into_text()
}

struct Report<'a> {
    verdict: &'a Verdict,
    links: Links<'a>,
    proof: Proof,
    options: &'a TextOptions,
}

impl Report<'_> {
    fn answer(&self, page: &mut Page, groups: &[Group<'_>]) {
        let verdict = self.verdict;
        let (word, paint) = outcome_word(verdict);
        let source = if verdict.source == Source::Recording { ", from a recording" } else { "" };
        let target = format!("  {} task {} for {}{source}", verdict.kind, verdict.task_id, verdict.product);
        page.words(&[(Some(paint), word), (None, &target)]);
        let leading = groups.first().map(|group| group.first);
        if let Some(leading) = leading {
            let fault = middle(&headline(leading), LEAD);
            let way = self.links.way(leading.task_id);
            let because = format!("{fault} ({}), in {way} {}", leading.code.name, leading.task_id);
            page.labelled(2, "because", &because);
            page.labelled(2, "failed", &self.tally(groups));
        } else {
            page.labelled(2, "proven", &self.proven());
        }
        if !verdict.relaxed.is_empty() {
            page.labelled(2, "weakened", &self.weakened());
        }
        page.labelled(2, "action", &meaning(verdict, leading));
        page.labelled(2, "policy", &self.policy());
        page.labelled(2, "keys", &self.keys());
        if let Some(elapsed) = self.options.elapsed {
            page.labelled(2, "took", &format!("{:.1} s", elapsed.as_secs_f64()));
        }
    }

    fn proven(&self) -> String {
        if self.verdict.outcome == Outcome::Verified {
            return format!("{}; {} passed", self.proof.sentence(), count(self.proof.passed, "finding"));
        }
        format!(
            "nothing failed, but the verification is incomplete ({} passed)",
            count(self.proof.passed, "finding")
        )
    }

    /// `3 of 40 findings, on 2 of 6 links: 1 tamper, 2 policy; 1 cause`.
    fn tally(&self, groups: &[Group<'_>]) -> String {
        let mut classes: BTreeMap<Class, usize> = BTreeMap::new();
        let mut tasks = std::collections::BTreeSet::new();
        let failed: Vec<&Finding> = self.verdict.failed().collect();
        for finding in &failed {
            let number = classes.entry(finding.code.class).or_default();
            *number = number.saturating_add(1);
            tasks.insert(finding.task_id);
        }
        let classes: Vec<String> =
            classes.iter().map(|(class, number)| format!("{number} {}", class.as_str())).collect();
        let mut text = format!("{} of {}", failed.len(), count(self.verdict.findings.len(), "finding"));
        if !self.verdict.links.is_empty() {
            text.push_str(&format!(", on {} of {}", tasks.len(), count(self.verdict.links.len(), "link")));
        }
        let causes = if groups.len() < failed.len() {
            format!("; {} below", count(groups.len(), "cause"))
        } else {
            String::new()
        };
        format!("{text}: {}{causes}", classes.join(", "))
    }

    /// `ours.yml over shipped:firefox-ci (sha256:0123456789ab…)`.
    fn policy(&self) -> String {
        let policy = &self.verdict.policy;
        let layers: Vec<&str> = policy.layers.iter().rev().map(String::as_str).collect();
        format!("{} ({})", excerpt(&layers.join(" over "), 0, CLAIM), self.digest(&policy.digest))
    }

    fn keys(&self) -> String {
        let keys = &self.verdict.keys;
        let digest = self.digest(&keys.digest);
        let Some(file) = &keys.file else { return format!("the policy's ({digest})") };
        let mut text = format!("{} instead of the policy's ({digest})", excerpt(file, 0, CLAIM));
        if !keys.widened.is_empty() {
            let shown = if self.options.verbose { usize::MAX } else { LINES };
            let widened = keys.widened.iter().take(shown);
            let widened: Vec<String> = widened.map(|(owner, key)| format!("{owner} {key}")).collect();
            let more = keys.widened.len().saturating_sub(shown);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            text.push_str(&format!("; the policy does not trust: {}{more}", widened.join(", ")));
        }
        text
    }

    /// A digest; the beginning is enough to see whether two are the same.
    fn digest(&self, digest: &Digest) -> String {
        let text = digest.to_string();
        match text.get(..DIGEST).filter(|_| !self.options.verbose) {
            Some(start) => format!("{start}…"),
            None => text,
        }
    }

    fn weakened(&self) -> String {
        let names: Vec<String> = self
            .verdict
            .relaxed
            .iter()
            .map(|relaxed| format!("{} (by {})", relaxed.as_str(), relaxed.by().as_str()))
            .collect();
        names.join(", ")
    }

    /// A finding in full, and a line for each other of its group.
    fn group(&self, page: &mut Page, number: usize, group: &Group<'_>) {
        let finding = group.first;
        let code = finding.code;
        let way = self.links.way(finding.task_id);
        page.words(&[
            (Some(Paint::Bold), &format!("{number}. {}", code.name)),
            (Some(class_paint(code.class)), &format!(" [{}]", code.class.as_str())),
            (None, &format!("  {way}")),
            (Some(Paint::Dim), &format!("  {}", finding.task_id)),
        ]);
        self.particulars(page, finding);
        if !group.others.is_empty() {
            let more = group.others.len();
            let is_alike = group.others.iter().all(|other| other.code == code);
            let (label, what) = if is_alike { ("also", "more finding") } else { ("follows", "finding") };
            page.labelled(3, label, &format!("{} of this cause", count(more, what)));
            self.one_liners(page, &group.others, finding);
        }
        self.hints(page, finding);
    }

    /// What to do, each cause with its command on a line of its own, which is never wrapped.
    fn hints(&self, page: &mut Page, finding: &Finding) {
        let mut label = "hint";
        for (text, command) in advice(self.verdict, finding) {
            page.labelled(3, std::mem::take(&mut label), text);
            if let Some(command) = command {
                page.words(&[(None, "             $ "), (None, &command)]);
            }
        }
    }

    fn particulars(&self, page: &mut Page, finding: &Finding) {
        let most = if self.options.verbose { usize::MAX } else { CLAIM };
        page.paragraph(3, &excerpt(&finding.message, 0, most));
        if let Some(place) = &finding.location {
            page.labelled(3, "where", &place.to_string());
        }
        self.claims(page, finding, most);
        self.differences(page, finding);
        if let Some(origin) = &finding.origin {
            page.labelled(3, "from", &excerpt(origin, 0, most));
        }
    }

    /// What was expected and what was there, long texts around their first difference.
    fn claims(&self, page: &mut Page, finding: &Finding, most: usize) {
        let claims = (finding.expected.as_ref(), finding.actual.as_ref());
        let texts = match claims {
            (Some(expected), Some(actual)) => {
                let (expected, actual) = excerpts(&expected.text, &actual.text, most);
                (Some(expected), Some(actual))
            }
            (expected, actual) => (
                expected.map(|claim| excerpt(&claim.text, 0, most)),
                actual.map(|claim| excerpt(&claim.text, 0, most)),
            ),
        };
        for (label, claim, text) in [("expected", claims.0, texts.0), ("actual", claims.1, texts.1)] {
            if let (Some(claim), Some(text)) = (claim, text) {
                page.labelled(3, label, &format!("({}) {text}", name(claim)));
            }
        }
    }

    fn differences(&self, page: &mut Page, finding: &Finding) {
        if finding.differences.is_empty() {
            return;
        }
        let (expected, actual) = finding.authorities.unwrap_or((Authority::Tree, Authority::Queue));
        let authorities =
            format!("- is what {} says, + is what {} says", authority_name(expected), authority_name(actual));
        page.labelled(3, "differs", &authorities);
        let shown = if self.options.verbose { usize::MAX } else { DIFFERENCES };
        for difference in finding.differences.iter().take(shown) {
            self.difference(page, difference, expected, actual);
        }
        let more = finding.differences.len().saturating_sub(shown);
        if more > 0 {
            page.paragraph(5, &format!("and {} more (--format json has all)", count(more, "difference")));
        }
    }

    fn difference(&self, page: &mut Page, difference: &Difference, expected: Authority, actual: Authority) {
        let budget = if self.options.verbose { usize::MAX } else { page.room(22, CLAIM) };
        let told = tell(difference, budget);
        let path = excerpt(&difference.path.to_string(), 0, CLAIM);
        page.words(&[(None, "     "), (Some(Paint::Bold), &path), (None, &format!(": {}", told.what))]);
        if let Some(text) = told.expected {
            page.side(7, Paint::Expected, "-", expected.as_str(), &text);
        }
        if let Some(text) = told.actual {
            page.side(7, Paint::Actual, "+", actual.as_str(), &text);
        }
    }

    /// A line each; what was said already is not said again.
    fn one_liners(&self, page: &mut Page, findings: &[&Finding], said: &Finding) {
        let room = page.room(5, CLAIM);
        for finding in findings.iter().take(LINES) {
            let mut text = String::new();
            if finding.code != said.code {
                text.push_str(&format!("{}  ", finding.code.name));
            }
            text.push_str(&format!("{}  {}", self.links.way(finding.task_id), finding.task_id));
            let actual = |finding: &Finding| finding.actual.as_ref().map(|claim| claim.text.clone());
            if finding.message != said.message {
                let message = finding.message.lines().next().unwrap_or_default();
                text.push_str(&format!(": {message}"));
            } else if let Some(there) = actual(finding).filter(|_| actual(finding) != actual(said)) {
                text.push_str(&format!(": {there}"));
            }
            page.words(&[(None, "     "), (None, &excerpt(&text, 0, room))]);
        }
        let more = findings.len().saturating_sub(LINES);
        if more > 0 {
            page.paragraph(5, &format!("and {more} more (--verbose or --format json has all)"));
        }
    }

    fn relaxed_findings(&self, page: &mut Page) {
        let relaxed: Vec<&Finding> = self
            .verdict
            .findings
            .iter()
            .filter(|finding| finding.disposition == Disposition::Relaxed)
            .collect();
        if relaxed.is_empty() {
            return;
        }
        page.gap();
        let text =
            format!("{} would have failed, but for what was weakened:", count(relaxed.len(), "finding"));
        page.words(&[(Some(Paint::Unsure), &text)]);
        let room = page.room(5, CLAIM);
        for finding in relaxed.iter().take(if self.options.verbose { usize::MAX } else { LINES }) {
            let message = finding.message.lines().next().unwrap_or_default();
            let way = self.links.way(finding.task_id);
            let text = format!("{}  {way} {}: {message}", finding.code.name, finding.task_id);
            page.words(&[(None, "     "), (None, &excerpt(&text, 0, room))]);
        }
        let more = relaxed.len().saturating_sub(LINES);
        if more > 0 && !self.options.verbose {
            page.paragraph(5, &format!("and {more} more (--verbose or --format json has all)"));
        }
    }

    fn chain(&self, page: &mut Page) {
        page.gap();
        page.words(&[(Some(Paint::Bold), "The chain")]);
        for link in &self.verdict.links {
            let mut text = format!("{}  {}", link.name, link.task_id);
            if let Some(run_id) = link.run_id {
                text.push_str(&format!(" run {run_id}"));
            }
            if let Some(implementation) = link.worker_implementation {
                text.push_str(&format!("  {implementation}"));
            }
            if let Some(title) = &link.title {
                text.push_str(&format!("  {}", excerpt(title, 0, 80)));
            }
            page.words(&[(None, "   "), (None, &text)]);
            if let Some(document) = &link.document {
                let text = format!("document {}, signed with the key {}", document.digest, document.signer);
                page.paragraph(5, &text);
            }
        }
    }

    /// The artifacts that were not measured in this run, with the digests that the answer is about.
    fn by_digest(&self, page: &mut Page) {
        let unmeasured =
            self.verdict.artifacts.iter().filter(|one| one.evidence != ArtifactEvidence::Measured);
        let mut unmeasured = unmeasured.peekable();
        if unmeasured.peek().is_none() {
            return;
        }
        page.gap();
        page.words(&[(Some(Paint::Bold), "By digest only")]);
        for artifact in unmeasured {
            let why = match artifact.evidence {
                ArtifactEvidence::Recalled => "measured in an earlier run",
                _ => "not measured",
            };
            let text = format!("{}  {}  {} ({why})", artifact.task_id, artifact.name, artifact.digest);
            page.paragraph(3, &text);
        }
    }

    fn passed(&self, page: &mut Page) {
        page.gap();
        page.words(&[(Some(Paint::Bold), "What passed")]);
        for finding in
            self.verdict.findings.iter().filter(|finding| finding.disposition == Disposition::Passed)
        {
            let text = format!("{}  {}: {}", finding.check, self.links.way(finding.task_id), finding.message);
            page.paragraph(3, &text);
        }
    }
}

fn outcome_word(verdict: &Verdict) -> (&'static str, Paint) {
    match verdict.outcome {
        Outcome::Verified if verdict.tree.is_none() => {
            ("VERIFIED, but the chain goes back to no trusted tree:", Paint::Unsure)
        }
        Outcome::Verified => ("VERIFIED", Paint::Good),
        Outcome::Rejected => ("REJECTED", Paint::Bad),
        Outcome::Undetermined => ("UNDETERMINED", Paint::Unsure),
        Outcome::Misconfigured => ("MISCONFIGURED", Paint::Unsure),
    }
}

fn class_paint(class: Class) -> Paint {
    match class {
        Class::Tamper | Class::Invalid | Class::Policy => Paint::Bad,
        Class::Config | Class::Infra => Paint::Unsure,
    }
}

/// Whether the verdict covers artifacts of the target that were not measured in this run.
fn unlooked_at(verdict: &Verdict) -> bool {
    let of_target = verdict.artifacts.iter().filter(|artifact| artifact.task_id == verdict.task_id);
    of_target.into_iter().any(|artifact| artifact.evidence != ArtifactEvidence::Measured)
}

/// What the exit status, and the class of what leads, mean for what happens next.
fn meaning(verdict: &Verdict, leading: Option<&Finding>) -> String {
    let words = match (verdict.outcome, verdict.check_task) {
        (Outcome::Verified, true) if unlooked_at(verdict) => {
            "what this task made may be used if it has the digests of this verdict (--verbose or --format json \
             has all): some artifacts were not measured"
        }
        (Outcome::Verified, true) => "what this task made may be used",
        (Outcome::Verified, false) => "this task may run",
        (Outcome::Rejected, _) => match leading.map(|finding| finding.code.class) {
            Some(Class::Tamper) => {
                "do not run this task, and do not use what it made. This does not happen by itself: treat it as \
                 tampering, do not retry, and keep the evidence"
            }
            Some(Class::Invalid) => {
                "do not run this task, and do not use what it made. The evidence does not show the cause: find \
                 out who made the task or file named above, and how"
            }
            _ => {
                "do not run this task, and do not use what it made. The policy does not allow it; a retry gives \
                 the same result"
            }
        },
        (Outcome::Undetermined, _) if leading.is_some_and(is_unfinished) => {
            "not finished yet. Nothing is verified; wait for the run to end, then verify again"
        }
        (Outcome::Undetermined, _) => {
            "incomplete: required data was not available. Nothing is verified; retry"
        }
        (Outcome::Misconfigured, _) => {
            "our own policy or keys do not suffice. Nothing is verified; complete them, then verify again"
        }
    };
    format!("exit status {}: {words}.", verdict.outcome.exit_status())
}

/// Whether a finding says that a run is yet to end.
fn is_unfinished(finding: &Finding) -> bool {
    [code!("run-none"), code!("run-not-finished")].contains(&finding.code)
}
