//! Ways to change what parents state about themselves, wherever the tree's template renders it, so that
//! both sides of a rebuild stay equal.

use crate::change::{file_of, first_decision, inside, json, only, remove, set, text, variable_name};
use catena_json::Value;
use catena_testbed::Chain;

/// Replaces `from` by `to` in every string of a value; returns whether any contains it.
fn in_texts(value: &mut Value, from: &str, to: &str) -> bool {
    match value {
        Value::String(text) if text.contains(from) => {
            *text = text.replace(from, to);
            true
        }
        // All of them are changed, without short-circuiting.
        Value::Array(items) => {
            items.iter_mut().filter_map(|item| in_texts(item, from, to).then_some(())).count() > 0
        }
        Value::Object(members) => {
            members.iter_mut().filter_map(|(_, member)| in_texts(member, from, to).then_some(())).count() > 0
        }
        _ => false,
    }
}

/// Replaces `from` by `to` in all strings of a task.
pub(crate) fn says(chain: &mut Chain, id: &str, from: &str, to: &str) -> Option<()> {
    only(chain, id, |task| in_texts(task, from, to).then_some(()))
}

/// The same in the target's decision task.
pub(crate) fn decision_says(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let id = first_decision(chain)?;
    says(chain, &id, from, to)
}

/// Sets another value in the target's decision task, in its variable and in an option of its command.
pub(crate) fn option_says(chain: &mut Chain, names: &[&str], options: &[&str], new: &str) -> Option<()> {
    let id = first_decision(chain)?;
    only(chain, &id, |task| {
        for (name, option) in names.iter().zip(options) {
            let key = variable_name(task, name)?;
            let old = task.pointer(&["payload", "env", &key])?.as_str()?.to_owned();
            set(task, &["payload", "env", &key], new)?;
            let command = inside(task, &["payload", "command"])?;
            in_texts(command, &format!("--{option}='{old}'"), &format!("--{option}='{new}'")).then_some(())?;
        }
        Some(())
    })
}

/// Adds a variable from an expression to the template, and its value to the decision task.
pub(crate) fn variable_says(chain: &mut Chain, name: &str, expression: &str, new: &str) -> Option<()> {
    let id = first_decision(chain)?;
    let line = "_REPOSITORY_TYPE: git\n";
    let key = variable_name(chain.definition(&id)?, "_REPOSITORY_TYPE")?.replace("REPOSITORY_TYPE", name);
    let more = format!("{line}                  {key}: {{$eval: '{expression}'}}\n");
    file_of(chain, &id, ".taskcluster.yml", |text| text.contains(line).then(|| text.replace(line, &more)))?;
    only(chain, &id, |task| set(task, &["payload", "env", &key], new))
}

/// Changes the cron context of the target's decision task.
fn cron(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_decision(chain)?;
    only(chain, &id, |task| {
        let mut cron = json(task.pointer(&["extra", "cron"])?.as_str()?)?;
        change(&mut cron)?;
        set(task, &["extra", "cron"], cron.to_string())
    })
}

/// Changes a member of the cron context of the target's decision task, wherever its template renders
/// it. A new member is appended, where its name must sort.
pub(crate) fn job_says(chain: &mut Chain, member: &str, new: impl Into<Value>) -> Option<()> {
    let (id, new) = (first_decision(chain)?, new.into());
    let mut old = None;
    cron(chain, |cron| {
        old = cron.get(member).and_then(Value::as_str).map(str::to_owned);
        set(cron, &[member], new.clone())
    })?;
    let (Some(old), Some(new)) = (old, new.as_str()) else { return Some(()) };
    only(chain, &id, |task| {
        let places: &[&[&str]] = match member {
            "job_name" => &[&["metadata", "name"], &["routes"], &["scopes"]],
            "job_symbol" => &[&["extra", "treeherder"]],
            "quoted_args" => &[&["payload", "command"]],
            "task_id" => &[&["metadata", "description"]],
            _ => &[],
        };
        for place in places {
            if let Some(place) = inside(task, place) {
                in_texts(place, &old, new);
            }
        }
        Some(())
    })
}

/// Removes a member of the cron context of the target's decision task.
pub(crate) fn job_lacks(chain: &mut Chain, member: &str) -> Option<()> {
    cron(chain, |cron| remove(cron, &[member]))
}

/// Replaces `from` by `to` in the tree's cron jobs.
pub(crate) fn jobs_say(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let id = first_decision(chain)?;
    file_of(chain, &id, ".cron.yml", |text| text.contains(from).then(|| text.replace(from, to)))
}

/// Replaces the text of the tree's cron jobs.
pub(crate) fn jobs_are(chain: &mut Chain, text: &str) -> Option<()> {
    let id = first_decision(chain)?;
    file_of(chain, &id, ".cron.yml", |_| Some(text.to_owned()))
}

/// Adds the parameters to an action on GitHub: those that its decision task published, with a change.
pub(crate) fn parameters_say(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let (decision, action) = (first_decision(chain)?, chain.action.clone()?);
    let line = "clientId: {$eval: clientId}\n";
    let more = format!("{line}                        parameters: {{$eval: parameters}}\n");
    file_of(chain, &decision, ".taskcluster.yml", |text| {
        text.contains(line).then(|| text.replace(line, &more))
    })?;
    let actions = text(&chain.artifact_mut(&decision, crate::change::ACTIONS)?.body).and_then(json)?;
    let mut parameters = actions.pointer(&["variables", "parameters"])?.clone();
    change(&mut parameters)?;
    only(chain, &action, |task| set(task, &["extra", "action", "context", "parameters"], parameters))
}
