//! A parent's definition is what the tree's own template says it must be.
//!
//! Specification 7.1 to 7.31. Off-reference: what the services answer must be about what was asked;
//! revisions are full hashes; values that only the task says have narrow forms; cron tasks are of jobs of
//! the tree; empty values that the template does not render may not be added.

mod action;
mod ahead;
mod answers;
mod context;
mod cron;
mod explain;
mod github;
mod hg;
mod inputs;
mod projects;
mod push_time;
mod sameness;
mod template;
mod trusted;

pub(crate) use ahead::look_ahead;
pub(crate) use template::{Loaded, Unreadable};

use super::source::source;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Evidence, Examined, Link, Scope, Stop};
use catena_json::{Path, Value};
use catena_model::task::{Definition, Trigger};
use catena_policy::{Rule, Vcs};

pub(super) const DESCRIPTION: Check =
    describe!("rebuild", CODES, Scope::Link(examine)).looking_ahead(look_ahead);
const CHECK: &str = DESCRIPTION.name;

const AGREES: Code = Code::passing("rebuild-agrees", "The parent is what the tree's template renders.");
const NOT_NEEDED: Code =
    Code::passing("rebuild-not-needed", "The task is not a parent: its parent's graph says what it must be.");
const NO_DECISION: Code = Code::new(
    "rebuild-decision-unknown",
    Class::Invalid,
    "The parent's decision task is not a decision or action task of the chain.",
);
const TASKS_FOR: Code =
    Code::new("rebuild-tasks-for", Class::Policy, "The product does not allow the parent's trigger.");
const VCS: Code = Code::new(
    "rebuild-vcs",
    Class::Policy,
    "The parent's tree is in a version control system that the product does not use.",
);
const HOST: Code =
    Code::new("rebuild-host", Class::Policy, "The tree is on a host from which no templates are fetched.");
const REPOSITORY: Code = Code::new(
    "rebuild-repository",
    Class::Invalid,
    "The decision task does not name its repository in the plain form.",
);
const TEMPLATE_REPOSITORY: Code = Code::new(
    "rebuild-template-repository",
    Class::Policy,
    "The template is not from a repository that the product trusts, while the task's source is.",
)
.relaxable(Rule::TemplateRepository);
const REVISION: Code = Code::new(
    "rebuild-revision",
    Class::Invalid,
    "The decision task does not name its revision as a full hash.",
)
.relaxable(Rule::RevisionForm);
const NO_TEMPLATE: Code = Code::new(
    "rebuild-template-missing",
    Class::Invalid,
    "The tree has no .taskcluster.yml at the revision.",
);
const TEMPLATE: Code =
    Code::new("rebuild-template-malformed", Class::Invalid, "The tree's .taskcluster.yml is malformed.");
const RENDER: Code = Code::new(
    "rebuild-template-fails",
    Class::Invalid,
    "The tree's .taskcluster.yml cannot be rendered for this task.",
);
const NO_TASKS: Code = Code::new(
    "rebuild-no-tasks",
    Class::Invalid,
    "The tree's .taskcluster.yml renders no task for this trigger.",
);
const DIFFERS: Code =
    Code::new("rebuild-differs", Class::Invalid, "The parent differs from what the tree's template renders.");
const EMPTIES: Code = Code::new(
    "rebuild-empty-values-added",
    Class::Invalid,
    "The parent has empty values that the tree's template does not render.",
)
.relaxable(Rule::EmptyValues);
const ANSWER: Code =
    Code::new("rebuild-answer-malformed", Class::Invalid, "A service's answer lacks a required member.");
const IDENTITY: Code = Code::new(
    "rebuild-answer-about-another",
    Class::Invalid,
    "A service's answer is not about the requested object.",
)
.relaxable(Rule::AnswerIdentity);
const UNKNOWN: Code = Code::new(
    "rebuild-unknown-to-vcs",
    Class::Invalid,
    "A push, commit, pull request or release does not exist.",
);
const ENDLESS: Code = Code::new(
    "rebuild-tags-endless",
    Class::Infra,
    "A repository's list of tags does not end within the pages that are read, and they do not have the \
     release's tag.",
);
const DRAFT: Code = Code::new("rebuild-release-draft", Class::Policy, "The release is an unpublished draft.");
const COMMENT: Code = Code::new(
    "rebuild-push-comment",
    Class::Invalid,
    "The decision task's commit message is neither one space nor the try line of the push.",
);
const BEFORE_PUSH: Code =
    Code::new("rebuild-before-push", Class::Invalid, "The decision task was created before its push.")
        .relaxable(Rule::PushTime);
const OLD: Code = Code::new(
    "rebuild-push-old",
    Class::Policy,
    "The decision task's push is older than the product allows.",
);
const PROJECTS: Code = Code::new(
    "rebuild-projects",
    Class::Infra,
    "The list of projects, which has the parent's level, is missing or malformed.",
);
const PROJECT: Code = Code::new(
    "rebuild-project-unknown",
    Class::Policy,
    "The list of projects does not state the SCM level of the tree.",
);
const ENVIRONMENT: Code = Code::new(
    "rebuild-environment",
    Class::Invalid,
    "The decision task lacks a value that its trigger needs.",
);
const ACTIONS: Code = Code::new(
    "rebuild-actions-malformed",
    Class::Invalid,
    "The decision task's actions.json or parameters.yml is malformed.",
);
const NO_ACTION: Code = Code::new(
    "rebuild-action-unknown",
    Class::Invalid,
    "No action of the decision task has the parent's callback.",
);
const SEVERAL_ACTIONS: Code = Code::new(
    "rebuild-action-ambiguous",
    Class::Invalid,
    "Several actions of the decision task have the parent's callback.",
);
const ACTION_KIND: Code = Code::new("rebuild-action-kind", Class::Policy, "The action is not of kind hook.");
const ACTION_GROUP: Code = Code::new(
    "rebuild-action-group",
    Class::Invalid,
    "ACTION_TASK_GROUP_ID names neither the action nor its decision task.",
);
const ACTION_SOURCE: Code = Code::new(
    "rebuild-action-source",
    Class::Invalid,
    "The action is not for the tree and revision of its decision task.",
)
.relaxable(Rule::ActionSource);
const ACTION_INPUT: Code = Code::new(
    "rebuild-action-input",
    Class::Policy,
    "The action's input violates the action's own schema, or the two are too large to be checked.",
)
.relaxable(Rule::ActionInput);
const ACTION_SCHEMA: Code = Code::new(
    "rebuild-action-schema",
    Class::Policy,
    "The schema of the action's input has an unsupported keyword, so it is unknown whether the input is \
     valid.",
)
.relaxable(Rule::ActionSchema);
const ACTION_HOOK: Code = Code::new(
    "rebuild-action-hook",
    Class::Invalid,
    "The action's hook is not an in-tree hook, or its group, permission and level contradict each other or \
     its decision task.",
)
.relaxable(Rule::ActionHook);
const ACTION_PARAMETERS: Code = Code::new(
    "rebuild-action-parameters",
    Class::Invalid,
    "The action was not started with the parameters that its decision task published.",
)
.relaxable(Rule::ActionParameters);
const VALUE: Code = Code::new(
    "rebuild-value-unconfirmed",
    Class::Invalid,
    "A value that the definition is rebuilt with comes from the task itself and does not have the required \
     form.",
)
.relaxable(Rule::ConfirmedValues);
const CRON_MALFORMED: Code =
    Code::new("rebuild-cron-malformed", Class::Invalid, "The tree's .cron.yml is malformed.")
        .relaxable(Rule::CronJob);
const CRON_UNKNOWN: Code = Code::new(
    "rebuild-cron-job-unknown",
    Class::Invalid,
    "The tree's .cron.yml has no job of this name that makes decision tasks.",
)
.relaxable(Rule::CronJob);
const CRON_DIFFERS: Code = Code::new(
    "rebuild-cron-differs",
    Class::Invalid,
    "The cron task differs from its job in the tree's .cron.yml.",
)
.relaxable(Rule::CronJob);

const CODES: &[Code] = &[
    AGREES,
    NOT_NEEDED,
    NO_DECISION,
    TASKS_FOR,
    VCS,
    HOST,
    REPOSITORY,
    TEMPLATE_REPOSITORY,
    REVISION,
    NO_TEMPLATE,
    TEMPLATE,
    RENDER,
    NO_TASKS,
    DIFFERS,
    EMPTIES,
    ANSWER,
    IDENTITY,
    UNKNOWN,
    ENDLESS,
    DRAFT,
    COMMENT,
    BEFORE_PUSH,
    OLD,
    PROJECTS,
    PROJECT,
    ENVIRONMENT,
    ACTIONS,
    NO_ACTION,
    SEVERAL_ACTIONS,
    ACTION_KIND,
    ACTION_GROUP,
    ACTION_SOURCE,
    ACTION_INPUT,
    ACTION_SCHEMA,
    ACTION_HOOK,
    ACTION_PARAMETERS,
    VALUE,
    CRON_MALFORMED,
    CRON_UNKNOWN,
    CRON_DIFFERS,
];

/// Why a definition cannot be rebuilt: it has to wait, something else has failed, or this was found.
#[derive(Debug)]
enum Fail {
    Stop(Stop),
    Found(Box<Finding>),
}

impl From<Stop> for Fail {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<Finding> for Fail {
    fn from(finding: Finding) -> Self {
        Self::Found(Box::new(finding))
    }
}

type Rebuild<T> = Result<T, Fail>;

/// A parent, and the decision task that its tree, revision and trigger are read from: itself, or
/// for an action the one it acts on.
#[derive(Clone, Copy)]
struct Parent<'a> {
    link: &'a Link,
    decision: &'a Link,
}

impl Parent<'_> {
    fn failed(&self, code: Code, message: impl Into<String>) -> Finding {
        Finding::new(CHECK, code, Disposition::Failed, self.link.task_id, message)
    }

    /// A finding about the decision task's definition.
    fn in_decision(&self, code: Code, message: impl Into<String>, keys: &[&str]) -> Finding {
        self.failed(code, message)
            .at(format!("the queue's definition of {}", self.decision.name), Some(Path::of(keys)))
    }
}

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if !link.is_parent() {
        let message = "The task is not a parent; its parent's graph says what it must be.".to_owned();
        return Ok(vec![finding(NOT_NEEDED, Disposition::Passed, message)].into());
    }
    let decision_id = link.definition.decision_task_id();
    let Some(decision) = cx.link(decision_id)? else {
        if cx.evidence.definition(decision_id).is_some() {
            return Err(Stop::Blocked);
        }
        let message = "Its decision task is not in the chain.".to_owned();
        let finding = finding(NO_DECISION, Disposition::Failed, message);
        let place = Some(Path::of(&["taskGroupId"]));
        let finding =
            finding.at("the queue's definition", place).actual(Authority::Queue, decision_id.as_str());
        return Ok(vec![finding].into());
    };
    if !decision.is_parent() {
        let message = format!("Its decision task {decision_id} is a {} in this chain.", decision.kind);
        return Ok(vec![finding(NO_DECISION, Disposition::Failed, message)].into());
    }
    let parent = Parent { link, decision };
    match rebuild(cx, parent) {
        Ok(origin) => {
            let message = format!("The definition is what {origin} renders.");
            Ok(vec![finding(AGREES, Disposition::Passed, message).origin(origin)].into())
        }
        Err(Fail::Found(finding)) => Ok(vec![*finding].into()),
        Err(Fail::Stop(stop)) => Err(stop),
    }
}

/// Rebuilds the definition and compares; answers where the template came from.
fn rebuild(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<String> {
    let trigger = trigger(cx, parent)?;
    trusted::repositories(cx, parent)?;
    // Asked for together: neither depends on the other.
    let template = template::fetch(cx, parent);
    let context: Rebuild<template::Rendering> = if trigger.is_action() {
        action::context(cx, parent, trigger).map(Into::into)
    } else {
        trigger_context(cx, parent, trigger).map(Into::into)
    };
    let pushed = push_time::fetch(cx, parent, trigger);
    let (template, context) = (template?, context?);
    let mut rendered = template.render(cx, parent, &context)?;
    let mut tasks = match rendered.as_object_mut().and_then(|rendered| rendered.remove("tasks")) {
        Some(Value::Array(tasks)) if !tasks.is_empty() => tasks,
        _ => {
            let message = format!("{} renders no task for {trigger}.", template.origin);
            return Err(parent.failed(NO_TASKS, message).origin(template.origin).into());
        }
    };
    if trigger.is_action() {
        action::check_task_group(parent, &mut tasks)?;
    }
    sameness::compare(cx, parent, &tasks, &template, &context)?;
    push_time::check(cx, parent, pushed?)?;
    Ok(template.origin)
}

fn trigger(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Trigger> {
    let allowed = &cx.evidence.product.tasks_for;
    let definition = &parent.link.definition;
    let message = match (definition.trigger(), definition.tasks_for()) {
        (Some(trigger), _) => format!("{trigger} is a trigger that the product does not allow."),
        (None, Some(other)) => {
            format!("{:?} is a trigger that this version of Catena does not know.", inputs::shown(other))
        }
        (None, None) => "The task does not state its trigger.".to_owned(),
    };
    match definition.trigger() {
        Some(trigger) if allowed.contains(&trigger) => Ok(trigger),
        _ => Err(parent
            .failed(TASKS_FOR, message)
            .at("the queue's definition", Some(Path::of(&["extra", "tasks_for"])))
            .expected_by(
                Authority::Policy,
                cx.policy("tasks-for"),
                allowed.iter().map(|trigger| trigger.as_str()).collect::<Vec<_>>().join(", "),
            )
            .actual(Authority::Queue, parent.link.definition.tasks_for().unwrap_or("no trigger"))
            .into()),
    }
}

/// Which version control system the decision task's tree lives in.
fn vcs(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Vcs> {
    let product = &cx.evidence.product;
    let detected = if is_github(cx.evidence, &parent.decision.definition) { Vcs::Github } else { Vcs::Hg };
    let mut kinds = product.vcs.iter();
    match (kinds.next(), kinds.next()) {
        (Some(only), None) => Ok(*only),
        _ if product.vcs.contains(&detected) => Ok(detected),
        _ => Err(parent
            .failed(
                VCS,
                format!("The product does not use the version control system of {}.", parent.decision.name),
            )
            .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
            .expected_by(
                Authority::Policy,
                cx.policy("vcs"),
                product.vcs.iter().map(Vcs::as_str).collect::<Vec<_>>().join(", "),
            )
            .actual(Authority::Queue, parent.decision.definition.source())
            .into()),
    }
}

/// Whether a task has to do with GitHub (specification 7.6).
pub(crate) fn is_github(case: &Evidence, definition: &Definition) -> bool {
    let text = definition.source();
    definition.scheduler_id() == "taskcluster-github"
        || definition.tasks_for().is_some_and(|tasks_for| tasks_for.starts_with("github-"))
        || text.starts_with("https://github.com/")
        || text.starts_with("ssh://github.com/")
        || source(case, definition).is_ok_and(|source| source.host() == "github.com")
}

fn trigger_context(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    trigger: Trigger,
) -> Rebuild<catena_jsone::Context> {
    let mut context = context::common(cx, parent, trigger)?;
    match (vcs(cx, parent)?, trigger) {
        (Vcs::Hg, Trigger::HgPush) => hg::push(cx, parent, &mut context)?,
        (Vcs::Hg, Trigger::Cron) => hg::cron(cx, parent, &mut context)?,
        (Vcs::Github, Trigger::GithubPush) => github::push(cx, parent, &mut context)?,
        (Vcs::Github, Trigger::GithubPullRequest | Trigger::GithubPullRequestUntrusted) => {
            github::pull_request(cx, parent, &mut context)?;
        }
        (Vcs::Github, Trigger::GithubRelease) => github::release(cx, parent, &mut context)?,
        (Vcs::Github, Trigger::Cron) => github::cron(cx, parent, &mut context)?,
        (vcs, other) => {
            let message = format!("{other} is not made from {} trees.", vcs.as_str());
            return Err(parent
                .failed(TASKS_FOR, message)
                .at("the queue's definition", Some(Path::of(&["extra", "tasks_for"])))
                .into());
        }
    }
    Ok(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::Chain;
    use catena_policy::Product;

    /// What is said of a decision task on GitHub, or of one that is not, where the product uses some
    /// version control systems.
    fn judged<T>(
        uses: &[Vcs],
        on_github: bool,
        judge: impl Fn(&CheckContext<'_>, Parent<'_>) -> Rebuild<T>,
    ) -> Result<T, String> {
        let mut product = Product::empty("p");
        product.vcs.extend(uses);
        let (case, chain) = (Evidence::sample(product), Chain::default());
        let scheduler = if on_github { "taskcluster-github" } else { "gecko-level-3" };
        let link = Link::sample(Definition::sample_id(), Definition::sample("gecko-level-3", scheduler));
        judge(&CheckContext::new(&case, &chain), Parent { link: &link, decision: &link }).map_err(|fail| {
            match fail {
                Fail::Found(finding) => format!("{}: {}", finding.code.name, finding.message),
                Fail::Stop(stop) => format!("{stop:?}"),
            }
        })
    }

    #[test]
    fn the_task_decides_only_where_there_is_a_choice() {
        for on_github in [true, false] {
            for only in [Vcs::Hg, Vcs::Github] {
                assert_eq!(judged(&[only], on_github, vcs), Ok(only));
            }
            let detected = if on_github { Vcs::Github } else { Vcs::Hg };
            assert_eq!(judged(&[Vcs::Hg, Vcs::Github], on_github, vcs), Ok(detected));
            let refused = judged(&[], on_github, vcs).unwrap_err();
            assert!(refused.starts_with("rebuild-vcs: "), "{refused}");
        }
    }

    #[test]
    fn triggers_belong_to_a_version_control_system() {
        for (uses, trigger, name) in [
            (Vcs::Hg, Trigger::GithubPush, "hg"),
            (Vcs::Hg, Trigger::Action, "hg"),
            (Vcs::Github, Trigger::HgPush, "github"),
        ] {
            let told = judged(&[uses], false, |cx, parent| trigger_context(cx, parent, trigger).map(|_| ()));
            assert_eq!(told, Err(format!("rebuild-tasks-for: {trigger} is not made from {name} trees.")));
        }
    }

    #[test]
    fn one_sign_of_github_is_enough() {
        let mut product = Product::empty("p");
        let strict = Evidence::sample(product.clone());
        product.relaxed.insert(Rule::RepositoryForm);
        let relaxed = Evidence::sample(product);
        let told = |from: &str, to: &str| {
            let definition = Definition::sample(from, to);
            (is_github(&strict, &definition), is_github(&relaxed, &definition))
        };
        let (hg, extra) = ("https://hg.mozilla.org/mozilla-central/file/x", r#""extra":{}"#);
        assert_eq!(told("", ""), (false, false));
        assert_eq!(told("gecko-level-3", "taskcluster-github"), (true, true));
        assert_eq!(told(extra, r#""extra":{"tasks_for":"github-push"}"#), (true, true));
        assert_eq!(told(extra, r#""extra":{"tasks_for":"cron"}"#), (false, false));
        // Addresses that are in no plain form, so that only how they begin tells.
        assert_eq!(told(hg, "https://github.com/a%20b"), (true, true));
        assert_eq!(told(hg, "ssh://github.com/a%20b"), (true, true));
        assert_eq!(told(hg, "https://github.com.example/a/b"), (false, false));
        assert_eq!(told(hg, "https://user@github.com/a/b"), (false, true));
    }
}
