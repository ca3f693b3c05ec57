//! Decision, cron and action tasks: what renders the in-tree template, and with what.

use super::BuildError;
use super::github::{self, COMMITTER};
use super::product::Vcs;
use super::template;
use super::time::Time;
use super::tree::{PUSHER, Tree, path};
use super::value::{extend, list, merged, object};
use catena_json::Value;
use catena_jsone::{Context, Limits};

/// What makes a decision task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Push,
    Cron,
    PullRequest { untrusted: bool },
    Release,
}

impl Event {
    pub(super) fn tasks_for(self, vcs: Vcs) -> &'static str {
        match (self, vcs) {
            (Event::Push, Vcs::Hg) => "hg-push",
            (Event::Push, Vcs::Git) => "github-push",
            (Event::Cron, _) => "cron",
            (Event::PullRequest { untrusted: false }, _) => "github-pull-request",
            (Event::PullRequest { untrusted: true }, _) => "github-pull-request-untrusted",
            (Event::Release, _) => "github-release",
        }
    }
}

/// Renders the decision task of an event.
pub(super) fn decision(tree: &Tree, event: Event, id: &str, created: Time) -> Result<Value, BuildError> {
    let mut context = Context::new();
    context.set("now", created.to_string());
    context.set("tasks_for", event.tasks_for(tree.vcs));
    context.set("ownTaskId", id);
    context.set("taskId", Value::Null);
    for (name, value) in names(tree, event) {
        context.set(name, value);
    }
    slugid(&mut context, id, id);
    render(&in_tree(tree)?, &context)
}

/// The names an event gives to the template.
fn names(tree: &Tree, event: Event) -> Vec<(&'static str, Value)> {
    match (event, tree.vcs) {
        (Event::Push | Event::Cron, Vcs::Hg) => {
            let cron = event == Event::Cron;
            let push = object! {
                "base_revision" => tree.base_revision.as_str(), "revision" => tree.revision.as_str(),
                "comment" => if cron { "" } else { " " }, "owner" => if cron { "cron" } else { PUSHER },
                "pushlog_id" => tree.pushlog_id.to_string(), "pushdate" => tree.pushed.seconds(),
            };
            let mut names = vec![("push", push), ("repository", repository(tree))];
            names.extend(cron.then(|| ("cron", cron_job())));
            names
        }
        (Event::Cron, Vcs::Git) => {
            let push = object! {"revision" => tree.revision.as_str(), "branch" => tree.branch.as_str()};
            vec![("push", push), ("repository", repository(tree)), ("cron", cron_job())]
        }
        (Event::PullRequest { .. }, _) => vec![("event", pull_request_event(tree))],
        (Event::Release, _) => vec![("event", release_event(tree))],
        (Event::Push, Vcs::Git) => vec![("event", push_event(tree))],
    }
}

/// A push as GitHub's webhook tells it: whole refs, no base.
fn push_event(tree: &Tree) -> Value {
    object! {
        "ref" => format!("refs/heads/{}", tree.branch), "base_ref" => Value::Null,
        "before" => tree.base_revision.as_str(), "after" => tree.revision.as_str(),
        "pusher" => object! {"name" => COMMITTER, "email" => PUSHER},
        "sender" => object! {"login" => COMMITTER},
        "repository" => event_repository(tree),
    }
}

fn pull_request_event(tree: &Tree) -> Value {
    let sender = tree.path().split('/').next().unwrap_or_default();
    object! {
        "action" => "opened",
        "pull_request" => github::pull_request(tree),
        "repository" => github::repository(path(&tree.base_repo), None),
        "sender" => object! {"login" => sender},
    }
}

fn release_event(tree: &Tree) -> Value {
    object! {
        "action" => "published",
        "release" => object! {
            "tag_name" => tree.revision.as_str(), "target_commitish" => tree.branch.as_str(),
            "published_at" => "2026-08-12T09:20:00Z",
        },
        "repository" => event_repository(tree),
        "sender" => object! {"login" => COMMITTER},
    }
}

fn event_repository(tree: &Tree) -> Value {
    object! {
        "full_name" => tree.path(), "name" => tree.project(), "html_url" => tree.repo.as_str(),
        "ssh_url" => format!("git@github.com:{}.git", tree.path()), "clone_url" => format!("{}.git", tree.repo),
    }
}

fn cron_job() -> Value {
    object! {
        "job_name" => "nightly", "job_symbol" => "N", "quoted_args" => "--target-tasks-method=nightly",
        "task_id" => "b7yVvZ2nTVu2jLrpQmWcYg", "input" => object! {},
    }
}

fn repository(tree: &Tree) -> Value {
    object! {
        "url" => tree.repo.as_str(), "project" => tree.project(), "level" => tree.level.to_string(),
        "type" => if tree.vcs == Vcs::Hg { "hg" } else { "git" },
    }
}

/// An action that can be asked for on a decision task's graph.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    symbol: &'static str,
    /// Which hook, and so which scopes.
    permission: &'static str,
    pub(super) input: Value,
}

/// The actions every decision task here offers.
pub(super) fn actions() -> [Action; 4] {
    let generic = |name, title, description, symbol| Action {
        name,
        title,
        description,
        symbol,
        permission: "generic",
        input: object! {},
    };
    [
        generic("retrigger", "Retrigger", "Make a copy of the task.", "rt"),
        generic("cancel-all", "Cancel All", "Cancel everything that has not finished.", "cAll"),
        Action {
            input: object! {"tasks" => list!["build-signing-linux64/opt"]},
            ..generic("add-new-jobs", "Add new jobs", "Add jobs to the graph by label.", "add-new")
        },
        Action {
            symbol: "${input.release_promotion_flavor}",
            permission: "release-promotion",
            input: object! {
                "release_promotion_flavor" => "promote", "build_number" => 1_i64, "version" => "151.0",
                "partial_updates" => object! {"150.0" => object! {"buildNumber" => 2_i64, "locales" => list!["de", "ja"]}},
            },
            ..generic("release-promotion", "Release Promotion", "Promote a release.", "")
        },
    ]
}

/// `public/actions.json` of a decision task. What is offered on a pull request has hooks of its own.
pub(super) fn actions_json(tree: &Tree, decision: &str, parameters: &Value, event: Event) -> Value {
    let pr = if matches!(event, Event::PullRequest { .. }) { "pr-" } else { "" };
    let entries: Vec<Value> =
        actions().iter().map(|action| action_entry(tree, decision, action, pr)).collect();
    object! {"version" => 1_i64, "variables" => object! {"parameters" => parameters.clone()}, "actions" => entries}
}

fn action_entry(tree: &Tree, decision: &str, action: &Action, pr: &str) -> Value {
    let level = tree.level;
    object! {
        "kind" => "hook", "name" => action.name, "title" => action.title, "description" => action.description,
        "context" => list![],
        "schema" => object! {"type" => "object", "properties" => object! {}},
        "hookGroupId" => format!("project-{}", tree.product.domain),
        "hookId" => format!("in-tree-{pr}action-{level}-{}/0f2c4e6a81", action.permission),
        "extra" => object! {"actionPerm" => action.permission},
        "hookPayload" => hook_payload(tree, decision, action),
    }
}

/// What firing the hook sends; rendered with the user's choices.
fn hook_payload(tree: &Tree, decision: &str, action: &Action) -> Value {
    let push = object! {
        "owner" => PUSHER, "pushlog_id" => tree.pushlog_id.to_string(), "revision" => tree.revision.as_str(),
        "base_revision" => tree.base_revision.as_str(), "branch" => tree.branch.as_str(), "base_branch" => "main",
    };
    let mut repository = repository(tree);
    extend(&mut repository, object! {"base_url" => tree.base_repo.as_str()});
    let eval = |name: &str| object! {"$eval" => name};
    object! {
        "decision" => object! {
            "action" => object! {
                "name" => action.name, "title" => action.title, "description" => action.description,
                "taskGroupId" => decision, "symbol" => action.symbol, "cb_name" => action.name,
            },
            "push" => push, "repository" => repository, "parameters" => eval("parameters"),
        },
        "user" => object! {
            "input" => eval("input"), "taskId" => eval("taskId"), "taskGroupId" => eval("taskGroupId"),
        },
    }
}

/// Renders the task of an action the way its hook does.
pub(super) fn action(
    tree: &Tree,
    decision: &str,
    action: &Action,
    parameters: &Value,
    id: &str,
    created: Time,
    pull_request: bool,
) -> Result<Value, BuildError> {
    let mut choices = Context::new();
    choices.set("input", action.input.clone()).set("parameters", parameters.clone());
    choices.set("taskId", Value::Null).set("taskGroupId", decision);
    let payload = catena_jsone::render(&hook_payload(tree, decision, action), &choices, &Limits::default())?;
    let mut context = Context::new();
    context.set("payload", payload).set("taskId", id).set("now", created.to_string());
    context.set("clientId", "login/some-ldap/release-duty");
    slugid(&mut context, decision, id);
    let tasks_for = if pull_request { "pr-action" } else { "action" };
    let mut task = render(&hook(in_tree(tree)?, action.permission, tasks_for), &context)?;
    if action.name == "release-promotion" {
        // Promotion makes a task group of its own and says so when it is fired.
        if let Some(env) = task.get_mut("payload").and_then(|payload| payload.get_mut("env")) {
            extend(env, object! {"ACTION_TASK_GROUP_ID" => id});
        }
    }
    Ok(task)
}

/// The hook's own template around the in-tree one.
fn hook(in_tree: Value, permission: &str, tasks_for: &str) -> Value {
    let eval = |name: &str| object! {"$eval" => name};
    let copied = |name: &str| format!("${{payload.decision.action.{name}}}");
    object! {
        "$let" => object! {
            "tasks_for" => tasks_for,
            "action" => object! {
                "name" => copied("name"), "title" => copied("title"), "description" => copied("description"),
                "symbol" => copied("symbol"), "taskGroupId" => copied("taskGroupId"), "cb_name" => copied("cb_name"),
                "action_perm" => permission,
                "repo_scope" => format!("assume:repo:${{payload.decision.repository.url[8:]}}:{tasks_for}:{permission}"),
            },
            "push" => eval("payload.decision.push"), "repository" => eval("payload.decision.repository"),
            "parameters" => eval("payload.decision.parameters"), "input" => eval("payload.user.input"),
            "taskId" => eval("payload.user.taskId"), "taskGroupId" => eval("payload.user.taskGroupId"),
            "ownTaskId" => eval("taskId"),
        },
        "in" => in_tree,
    }
}

fn slugid(context: &mut Context, decision: &str, own: &str) {
    let (decision, own) = (decision.to_owned(), own.to_owned());
    context.set_function("as_slugid", move |arguments| {
        let name = arguments.first().and_then(Value::as_str);
        Ok(Value::from(if name == Some("decision") { decision.as_str() } else { own.as_str() }))
    });
}

fn in_tree(tree: &Tree) -> Result<Value, BuildError> {
    let text = template::text(tree.product, tree.vcs);
    let document = catena_yaml::load(&text, &catena_yaml::Limits::default())?;
    document.root.to_json().map_err(|_| BuildError::Template)
}

/// Renders the only task there is and adds what the queue adds.
fn render(template: &Value, context: &Context) -> Result<Value, BuildError> {
    let rendered = catena_jsone::render(template, context, &Limits::default())?;
    let tasks = rendered.get("tasks").and_then(Value::as_array).and_then(|tasks| tasks.first());
    let mut task = tasks.cloned().ok_or(BuildError::Template)?;
    if let Some(members) = task.as_object_mut() {
        members.remove("taskId");
    }
    let text = |name: &str| task.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pool = format!("{}/{}", text("provisionerId"), text("workerType"));
    Ok(merged([task, object! {"projectId" => "none", "taskQueueId" => pool}]))
}

/// What `public/parameters.yml` of a decision task holds.
pub(super) fn parameters(tree: &Tree, tasks_for: &str) -> Value {
    object! {
        "app_version" => "151.0", "base_repository" => tree.base_repo.as_str(),
        "base_rev" => tree.base_revision.as_str(), "build_date" => tree.pushed.seconds(), "build_number" => 1_i64,
        "do_not_optimize" => list![], "existing_tasks" => object! {}, "filters" => list!["target_tasks_method"],
        "head_ref" => tree.branch.as_str(), "head_repository" => tree.repo.as_str(),
        "head_rev" => tree.revision.as_str(), "level" => tree.level.to_string(), "message" => "",
        "moz_build_date" => "20260812093012", "next_version" => Value::Null, "optimize_target_tasks" => true,
        "owner" => PUSHER, "project" => tree.project(), "pushdate" => tree.pushed.seconds(),
        "pushlog_id" => tree.pushlog_id.to_string(), "target_tasks_method" => "default", "tasks_for" => tasks_for,
        "version" => "151.0",
    }
}

/// The same as YAML: one parameter a line, strings always quoted.
pub(super) fn parameters_yml(parameters: &Value) -> String {
    let Some(members) = parameters.as_object() else { return String::new() };
    members.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
