//! Actions: hook tasks whose payload the decision task's `actions.json` describes.

use super::context::{object, set_slugids};
use super::inputs::{self, Form, Told};
use super::sameness::MOST_DIFFERENCES;
use super::{
    ACTION_GROUP, ACTION_HOOK, ACTION_INPUT, ACTION_KIND, ACTION_PARAMETERS, ACTION_SCHEMA, ACTION_SOURCE,
    ACTIONS, ENVIRONMENT, NO_ACTION, Parent, RENDER, Rebuild, SEVERAL_ACTIONS, vcs,
};
use crate::checks::artifacts;
use crate::checks::notes::notes;
use crate::compare::differences;
use crate::schema::{self, SchemaError, Unsupported};
use crate::verdict::{Authority, Finding};
use crate::verification::{Body, CheckContext};
use catena_json::{Map, Path, Value};
use catena_jsone::Numbers;
use catena_model::task::{ArtifactName, Trigger};
use catena_policy::{Rule, Vcs};
use std::sync::Arc;

/// The context a hook renders the tree's template in. Worked backwards from what the action says of
/// itself: its entry in `actions.json` renders the hook's payload, and `wrap` makes of that what the
/// template sees.
pub(super) fn context(cx: &CheckContext<'_>, parent: Parent<'_>, trigger: Trigger) -> Rebuild<Action> {
    let actions = artifacts::content(cx, parent.decision, &ArtifactName::actions());
    let on_hg = vcs(cx, parent)? == Vcs::Hg;
    let parameters = artifacts::content(cx, parent.decision, &ArtifactName::parameters());
    let actions = read(cx, parent, ArtifactName::actions(), actions?, |bytes| {
        catena_json::parse(bytes, &cx.evidence.limits.json()).map_err(|error| error.to_string())
    })?;
    let mut told = own_context(cx, parent)?;
    if on_hg {
        told.insert("parameters", Value::clone(&*signed_parameters(cx, parent, parameters?)?));
    } else if told.get("parameters").is_some_and(|own| !own.is_null()) {
        let signed = signed_parameters(cx, parent, parameters?)?;
        check_parameters(cx, parent, &signed, &told)?;
    }
    let action = entry(parent, &actions)?;
    let payload = hook_payload(cx, parent, action, &told)?;
    check_input(cx, parent, action, &told)?;
    check_hook(cx, parent, action, &payload, trigger)?;
    check_source(cx, parent, &payload)?;
    let mut context = catena_jsone::Context::new();
    // The hooks service renders it, which is JavaScript, as who fires an action is (specification 7.22).
    context.print_numbers(Numbers::JavaScript);
    context.set("payload", payload);
    context.set("taskId", parent.link.task_id.as_str());
    context.set("now", Told::of(parent.link, &["created"]).value(cx, parent, Form::Time)?);
    context.set("clientId", told.get("clientId").cloned().unwrap_or(Value::Null));
    set_slugids(&mut context, parent);
    Ok(Action { context, permission: permission(action), trigger })
}

/// How an action's template is rendered.
pub(super) struct Action {
    pub(super) context: catena_jsone::Context,
    permission: String,
    trigger: Trigger,
}

impl Action {
    /// The template as it stands in the hook: with what the hook's own definition binds.
    pub(super) fn wrap(&self, template: Value) -> Value {
        let take =
            |name: &str| (name.to_owned(), Value::from(format!("${{payload.decision.action.{name}}}")));
        let mut action: Map = ["name", "title", "description", "taskGroupId", "symbol", "cb_name"]
            .into_iter()
            .map(take)
            .collect();
        let scope = format!(
            "assume:repo:${{payload.decision.repository.url[8:]}}:{}:{}",
            self.trigger, self.permission
        );
        action.insert("repo_scope", scope.into());
        action.insert("action_perm", self.permission.as_str().into());
        let eval = |expression: &str| object([("$eval", expression.into())]);
        let bound = object([
            ("tasks_for", self.trigger.as_str().into()),
            ("action", Value::Object(action)),
            ("push", eval("payload.decision.push")),
            ("repository", eval("payload.decision.repository")),
            ("input", eval("payload.user.input")),
            ("parameters", eval("payload.decision['parameters']")),
            ("taskId", eval("payload.user.taskId")),
            ("taskGroupId", eval("payload.user.taskGroupId")),
            ("ownTaskId", eval("taskId")),
        ]);
        object([("$let", bound), ("in", template)])
    }
}

/// Reads a file of the decision task, once for all its actions.
fn read(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    name: ArtifactName,
    body: &Body,
    parse: impl FnOnce(&[u8]) -> Result<Value, String>,
) -> Rebuild<Arc<Value>> {
    // Each action reads all of it.
    cx.evidence.work.spend_bytes(body.bytes.len())?;
    let key = (parent.decision.task_id, name.clone());
    let value = notes(cx)?.contents.of(key, || parse(&body.bytes).map(Arc::new));
    value.map_err(|why| malformed(parent, name.as_str(), &why))
}

fn malformed(parent: Parent<'_>, name: &str, why: &str) -> super::Fail {
    let message = format!("{name} of {} is malformed: {why}.", parent.decision.name);
    parent.failed(ACTIONS, message).at(format!("{name} of {}", parent.decision.task_id), None).into()
}

/// `extra.action.context`: what the action says it was started with. Its input is held against the schema
/// of the action, its parameters against those of the decision task.
fn own_context(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Map> {
    let keys = ["extra", "action", "context"];
    let path = Path::of(&keys);
    let Some(Value::Object(context)) = parent.link.definition.value().pointer(&keys) else {
        return Err(parent
            .failed(ENVIRONMENT, "The action does not state its parameters: extra.action.context is missing.")
            .at("the queue's definition", Some(path))
            .into());
    };
    for (name, form) in [("taskId", Form::TaskId), ("clientId", Form::ClientId)] {
        inputs::member(cx, parent, path.key(name), context.get(name), form)?;
    }
    Ok(context.clone())
}

/// `public/parameters.yml` of the decision task.
fn signed_parameters(cx: &CheckContext<'_>, parent: Parent<'_>, body: &Body) -> Rebuild<Arc<Value>> {
    read(cx, parent, ArtifactName::parameters(), body, |bytes| {
        let document =
            catena_yaml::load_bytes(bytes, &cx.evidence.limits.yaml).map_err(|error| error.to_string())?;
        document.root.to_json().map_err(|error| error.to_string())
    })
}

/// On GitHub an action says itself which parameters it was started with: they are those that its decision
/// task published.
///
/// Off-reference: a rule of its own, `action-parameters`.
fn check_parameters(cx: &CheckContext<'_>, parent: Parent<'_>, signed: &Value, told: &Map) -> Rebuild<()> {
    let own = told.get("parameters").unwrap_or(&Value::Null);
    if signed == own || cx.evidence.relaxes(Rule::ActionParameters) {
        return Ok(());
    }
    let message = "The action was not started with the parameters that its decision task published.";
    let path = Path::of(&["extra", "action", "context", "parameters"]);
    let finding = parent.failed(ACTION_PARAMETERS, message).at("the queue's definition", Some(path));
    Err(finding
        .differing((Authority::Worker, Authority::Queue), differences(signed, own, MOST_DIFFERENCES))
        .into())
}

/// The entry of `actions.json` with the action's callback. There must be one, of the kind hook.
fn entry<'a>(parent: Parent<'_>, actions: &'a Value) -> Rebuild<&'a Value> {
    let callback = parent.link.definition.env("ACTION_CALLBACK").unwrap_or_default();
    let at = |finding: Finding| {
        finding
            .at("the queue's definition", Some(Path::of(&["payload", "env", "ACTION_CALLBACK"])))
            .expected_by(
                Authority::Worker,
                format!("public/actions.json of {}", parent.decision.task_id),
                "the callback of exactly one action",
            )
            .actual(Authority::Queue, callback)
    };
    let entries = actions.get("actions").and_then(Value::as_array);
    let Some(entries) = entries else {
        return Err(malformed(parent, "public/actions.json", "the list of actions is missing"));
    };
    let of_callback = |entry: &&Value| {
        entry.pointer(&["hookPayload", "decision", "action", "cb_name"]).and_then(Value::as_str)
            == Some(callback)
    };
    let mut found = entries.iter().filter(of_callback);
    let Some(entry) = found.next() else {
        return Err(at(
            parent.failed(NO_ACTION, format!("{} has no action {callback:?}.", parent.decision.name))
        )
        .into());
    };
    if found.next().is_some() {
        let message = format!("{} has several actions {callback:?}.", parent.decision.name);
        return Err(at(parent.failed(SEVERAL_ACTIONS, message)).into());
    }
    match entry.get("kind").and_then(Value::as_str) {
        Some("hook") => Ok(entry),
        other => {
            let message = format!("The action {callback:?} is not of kind hook.");
            let finding = parent.failed(ACTION_KIND, message).expected(Authority::Policy, "hook");
            let place = format!("public/actions.json of {}", parent.decision.task_id);
            let finding = finding.at(place, Some(Path::of(&["actions", "kind"])));
            Err(finding.actual(Authority::Worker, other.unwrap_or("missing")).into())
        }
    }
}

fn hook_payload(cx: &CheckContext<'_>, parent: Parent<'_>, action: &Value, told: &Map) -> Rebuild<Value> {
    let needed = |name: &str| -> Rebuild<Value> {
        told.get(name).cloned().ok_or_else(|| {
            let path = Path::of(&["extra", "action", "context"]).key(name);
            let finding = parent.failed(ENVIRONMENT, format!("The action does not state its {name}."));
            finding.at("the queue's definition", Some(path)).into()
        })
    };
    let mut context = catena_jsone::Context::new();
    context.print_numbers(Numbers::JavaScript);
    context.set("input", needed("input")?);
    context.set("taskId", needed("taskId")?);
    context.set("parameters", told.get("parameters").cloned().unwrap_or(Value::Null));
    context.set("taskGroupId", parent.decision.task_id.as_str());
    let template = action.get("hookPayload").cloned().unwrap_or(Value::Null);
    let watch = |steps| cx.spend(usize::try_from(steps).unwrap_or(usize::MAX)).is_ok();
    let rendered = catena_jsone::render_watched(&template, &context, &cx.evidence.limits.template, &watch);
    // An interrupted rendering says nothing of the action.
    cx.spend(0)?;
    Ok(rendered.map_err(|error| {
        let message = format!("The action's hookPayload cannot be rendered: {}.", error.message());
        parent
            .failed(RENDER, message)
            .at(format!("public/actions.json of {}", parent.decision.task_id), Some(error.path))
    })?)
}

/// The input is one that the action's own schema allows, as the hooks service checks before it fires.
///
/// Off-reference: rules of their own, `action-input` and `action-schema`.
fn check_input(cx: &CheckContext<'_>, parent: Parent<'_>, action: &Value, told: &Map) -> Rebuild<()> {
    let input = told.get("input").unwrap_or(&Value::Null);
    // An action that takes no input is fired with none, whatever its schema.
    if input.is_null() || cx.evidence.relaxes(Rule::ActionInput) {
        return Ok(());
    }
    let Some(schema) = action.get("schema").filter(|schema| !schema.is_null()) else {
        // Without a schema it takes no input, and some who fire it send an empty one.
        if input.as_object().is_some_and(Map::is_empty) {
            return Ok(());
        }
        let path = Path::of(&["extra", "action", "context", "input"]);
        let message = "The action has an input, but no schema in actions.json.";
        let finding = parent.failed(ACTION_INPUT, message).at("the queue's definition", Some(path));
        return Err(finding
            .expected(Authority::Worker, "null or {}")
            .actual(Authority::Queue, "an input")
            .into());
    };
    let unsupported =
        if cx.evidence.relaxes(Rule::ActionSchema) { Unsupported::Ignored } else { Unsupported::Refused };
    let mut paid = Ok(());
    let misfit = schema::misfit(schema, input, unsupported, &mut |steps| {
        paid = cx.spend(steps);
        paid.is_ok()
    });
    paid?;
    misfit.map_or(Ok(()), |misfit| Err(misfitting(parent, &misfit).into()))
}

/// What is to be said of an input that does not fit its schema, as far as that can be told.
fn misfitting(parent: Parent<'_>, misfit: &SchemaError) -> Finding {
    let in_input = |inner: &Path| {
        let mut path = Path::of(&["extra", "action", "context", "input"]);
        inner.segments().iter().cloned().for_each(|segment| path.push(segment));
        path
    };
    let (code, path, message) = match misfit {
        SchemaError::Breach { path, .. } => {
            (ACTION_INPUT, in_input(path), format!("The action's input violates its schema: {misfit}."))
        }
        SchemaError::Unsupported { path, .. } => {
            let message = format!("It is unknown whether the action's input is valid: {misfit}.");
            (ACTION_SCHEMA, in_input(path), message)
        }
        SchemaError::BudgetExceeded => {
            let message = format!("It is unknown whether the action's input is valid: {misfit}.");
            (ACTION_INPUT, in_input(&Path::new()), message)
        }
    };
    parent.failed(code, message).at("the queue's definition", Some(path))
}

/// What the name of an action's hook tells: `in-tree-action-<level>-<permission>/<hash>`, or
/// `in-tree-pr-action-` for what pull requests may fire. Who generates the hooks of a tree names them all
/// so; a hook of any other name is not generated for a tree.
struct Hook<'a> {
    of_pull_requests: bool,
    level: &'a str,
    permission: &'a str,
}

impl<'a> Hook<'a> {
    fn parse(id: &'a str) -> Option<Self> {
        let (of_pull_requests, rest) = match id.strip_prefix("in-tree-pr-action-") {
            Some(rest) => (true, rest),
            None => (false, id.strip_prefix("in-tree-action-")?),
        };
        let (name, hash) = rest.split_once('/')?;
        let (level, permission) = name.split_once('-')?;
        let is_level = !level.is_empty() && level.bytes().all(|byte| byte.is_ascii_digit());
        let is_hash = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_level && is_hash && !permission.is_empty()).then_some(Self {
            of_pull_requests,
            level,
            permission,
        })
    }
}

/// The hook of an action is one that is generated for its tree: its permission is the action's, its level
/// that of the tree, which the payload and the decision task's scheduler tell too, and the action was made
/// for what it fires. Its group is `project-<trust domain>`, of the trust domain whose pool the decision
/// task ran in.
///
/// Off-reference: a rule of its own, `action-hook`.
fn check_hook(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    action: &Value,
    payload: &Value,
    trigger: Trigger,
) -> Rebuild<()> {
    if cx.evidence.relaxes(Rule::ActionHook) {
        return Ok(());
    }
    let refused = |what: &str, expected: &str, actual: &str| -> super::Fail {
        let finding =
            parent.failed(ACTION_HOOK, format!("The action's {what} does not match its decision task."));
        let finding = finding
            .at(format!("public/actions.json of {}", parent.decision.task_id), Some(Path::of(&["actions"])));
        finding.expected(Authority::Queue, expected).actual(Authority::Worker, actual).into()
    };
    let id = action.get("hookId").and_then(Value::as_str).unwrap_or_default();
    let Some(hook) = Hook::parse(id) else {
        return Err(refused("hook", "in-tree-action-<level>-<permission>/<hash>", id));
    };
    if hook.of_pull_requests != (trigger == Trigger::PrAction) {
        return Err(refused("hook", &format!("a hook that makes tasks for {trigger}"), id));
    }
    let permission = permission(action);
    if hook.permission != permission {
        let actual = format!("a hook for {}", hook.permission);
        return Err(refused("hook", &format!("a hook for {permission}"), &actual));
    }
    let level = match payload.pointer(&["decision", "repository", "level"]) {
        Some(Value::String(level)) => Some(level.clone()),
        Some(Value::Number(level)) => Some(level.to_string()),
        _ => None,
    };
    if let Some(level) = level.filter(|level| level != hook.level) {
        let actual = format!("a hook of level {}", hook.level);
        return Err(refused("hook", &format!("a hook of level {level}"), &actual));
    }
    let group = action.get("hookGroupId").and_then(Value::as_str).unwrap_or_default();
    let domain = parent.decision.definition.worker_pool().trust_domain();
    if let Some(domain) = domain.filter(|domain| group.strip_prefix("project-") != Some(*domain)) {
        return Err(refused("hook's group", &format!("project-{domain}"), group));
    }
    let scheduler = parent.decision.definition.scheduler_id().rsplit_once("-level-").map(|(_, level)| level);
    if let Some(scheduler) = scheduler.filter(|scheduler| *scheduler != hook.level) {
        let expected = format!("level {scheduler}, as of its decision task");
        return Err(refused("level", &expected, &format!("level {}", hook.level)));
    }
    Ok(())
}

/// An action is for the tree and revision of its decision task: so says its own environment, and so
/// says the payload its hook is fired with.
///
/// Off-reference: a rule of its own, `action-source`.
fn check_source(cx: &CheckContext<'_>, parent: Parent<'_>, payload: &Value) -> Rebuild<()> {
    if cx.evidence.relaxes(Rule::ActionSource) {
        return Ok(());
    }
    let variable = |name: &str| format!("{}_{name}", cx.evidence.product.source_env_prefix);
    for (name, what, keys) in [
        ("HEAD_REPOSITORY", "tree", ["decision", "repository", "url"]),
        ("HEAD_REV", "revision", ["decision", "push", "revision"]),
    ] {
        let variable = variable(name);
        let expected = parent.decision.definition.env(&variable).unwrap_or_default().trim_end_matches('/');
        let own = parent
            .link
            .definition
            .env(&variable)
            .map(|text| (Authority::Queue, format!("payload.env.{variable}"), text));
        let fired = payload.pointer(&keys).and_then(Value::as_str);
        let fired = fired.map(|text| (Authority::Worker, format!("hookPayload.{}", keys.join(".")), text));
        for (authority, place, told) in own.into_iter().chain(fired) {
            if told.trim_end_matches('/') != expected {
                let message = format!("The action is not for the {what} of its decision task.");
                return Err(parent
                    .failed(ACTION_SOURCE, message)
                    .at("the queue's definition", Some(Path::of(&["payload", "env", &variable])))
                    .expected_by(Authority::Queue, format!("its decision task's {variable}"), expected)
                    .actual_by(authority, place, told)
                    .into());
            }
        }
    }
    Ok(())
}

/// The action's permission: stated, or told by its hook's name (specification 7.24).
fn permission(action: &Value) -> String {
    let stated = action.pointer(&["extra", "actionPerm"]).or_else(|| action.get("actionPerm"));
    match stated.and_then(Value::as_str) {
        Some(permission) => permission.to_owned(),
        None if action.get("hookId").and_then(Value::as_str).is_none_or(|id| id.contains("generic/")) => {
            "generic".to_owned()
        }
        None => {
            let callback = action.pointer(&["hookPayload", "decision", "action", "cb_name"]);
            callback.and_then(Value::as_str).unwrap_or_default().to_owned()
        }
    }
}

/// Some actions open a task group under their own id, which the template cannot know. Both the
/// rendered and the actual id must be the action's or its decision task's; then the actual counts.
///
/// Off-reference: both are looked at.
pub(super) fn check_task_group(parent: Parent<'_>, tasks: &mut [Value]) -> Rebuild<()> {
    const KEYS: [&str; 3] = ["payload", "env", "ACTION_TASK_GROUP_ID"];
    let acceptable = [parent.link.task_id.as_str(), parent.decision.task_id.as_str()];
    let refused = |authority, told: Option<&str>| -> super::Fail {
        let message = "ACTION_TASK_GROUP_ID names neither the action nor its decision task.";
        let finding =
            parent.failed(ACTION_GROUP, message).at("the queue's definition", Some(Path::of(&KEYS)));
        let finding = finding.expected_by(Authority::Queue, "the chain", acceptable.join(" or "));
        finding.actual(authority, told.unwrap_or("nothing")).into()
    };
    let first = tasks.first_mut();
    let rendered = first.and_then(|task| KEYS.iter().try_fold(task, |value, key| value.get_mut(key)));
    let rendered = match rendered {
        Some(Value::String(told)) if acceptable.contains(&told.as_str()) => told,
        other => return Err(refused(Authority::Tree, other.and_then(|told| told.as_str()))),
    };
    match parent.link.definition.env(KEYS[2]) {
        Some(actual) if acceptable.contains(&actual) => actual.clone_into(rendered),
        other => return Err(refused(Authority::Queue, other)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_trees_are_named_in_one_form() {
        let told = |id: &'static str| {
            Hook::parse(id).map(|hook| (hook.of_pull_requests, hook.level, hook.permission))
        };
        assert_eq!(told("in-tree-action-3-generic/0f2c4e6a81"), Some((false, "3", "generic")));
        assert_eq!(told("in-tree-action-1-release-promotion/a"), Some((false, "1", "release-promotion")));
        assert_eq!(told("in-tree-pr-action-1-generic/0f2c4e6a81"), Some((true, "1", "generic")));
        for other in [
            "",
            "release-promotion",
            "cron-task-mozilla-central/nightly",
            "in-tree-action-3-generic",
            "in-tree-action-3-generic/",
            "in-tree-action-3-generic/a/b",
            "in-tree-action-3/a",
            "in-tree-action-3-/a",
            "in-tree-action--generic/a",
            "in-tree-action-x-generic/a",
            "in-tree-pr-action-generic/a",
            "my-in-tree-action-3-generic/a",
            "In-Tree-Action-3-generic/a",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
