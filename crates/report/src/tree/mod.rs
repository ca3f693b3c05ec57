//! A chain as a tree: each task in full at one place, and wherever other tasks depend on it too, a reference.

mod draw;
mod graph;
mod state;

use crate::read::{ReadFinding, ReadVerdict};
use crate::text::TextOptions;
use catena_model::task::{Kind, TaskId};
use catena_verify::verdict::{Class, Disposition, Finding, LinkSummary, Outcome, Verdict};

/// The chain of a verdict as a tree, the target at the root: for each link its kind, task, worker
/// implementation, worker pool, run, signer and name, and whether it is verified or which codes failed. A
/// dependency that is not a link is marked as not reached. Similar siblings are counted unless the options
/// are verbose. All text from outside is escaped.
#[must_use]
pub fn tree(verdict: &Verdict, options: &TextOptions) -> String {
    let chain = Chain {
        target: verdict.task_id,
        kind: &verdict.kind,
        check_task: verdict.check_task,
        outcome: verdict.outcome,
        is_stored: false,
        links: &verdict.links,
        marks: verdict.findings.iter().map(Mark::of).collect(),
    };
    draw::draw(&chain, options)
}

impl ReadVerdict {
    /// The chain as a tree, as [`tree()`] draws it. It says `reported verified`: only a verification
    /// establishes that a link is verified.
    #[must_use]
    pub fn tree(&self, options: &TextOptions) -> String {
        let chain = Chain {
            target: self.task_id,
            kind: &self.kind,
            check_task: self.check_task,
            outcome: self.outcome,
            is_stored: true,
            links: &self.links,
            marks: self.findings.iter().map(Mark::of_read).collect(),
        };
        draw::draw(&chain, options)
    }
}

/// What a tree shows of a verdict, whether it was concluded now or read from a file.
struct Chain<'a> {
    target: TaskId,
    kind: &'a Kind,
    check_task: bool,
    outcome: Outcome,
    is_stored: bool,
    links: &'a [LinkSummary],
    marks: Vec<Mark<'a>>,
}

/// What a tree shows of a finding.
struct Mark<'a> {
    task_id: TaskId,
    code: &'a str,
    class: Class,
    disposition: Disposition,
}

impl<'a> Mark<'a> {
    fn of(finding: &'a Finding) -> Self {
        let Finding { task_id, code, disposition, .. } = finding;
        Self { task_id: *task_id, code: code.name, class: code.class, disposition: *disposition }
    }

    fn of_read(finding: &'a ReadFinding) -> Self {
        let ReadFinding { task_id, code, class, disposition, .. } = finding;
        // Only codes that cannot fail have no class.
        let class = class.unwrap_or(Class::Invalid);
        Self { task_id: *task_id, code, class, disposition: *disposition }
    }
}
