//! Actions: which one, on which task, in which group, with which parameters, as offered.

use super::ways::{
    OTHER, act, actions, actions_text, alias_bomb, deep, git_action, offer, parameters, shallow, wrapped,
};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{
    NOBODY, first_build, first_decision, inside, json, only, parent, remove, replace_in, set, target_parent,
};
use crate::valid::{action, pr_action, promotion};
use catena_json::Value;

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "unknown action",
        &[T],
        "An action has a callback that its decision task does not offer.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "other"),
        "rebuild-action-unknown",
    ),
    attack(
        "action without a callback",
        &[T],
        "An action on a pull request names no callback.",
        pr_action,
        |c| act(c, |task| remove(task, &["payload", "env", "ACTION_CALLBACK"])),
        "rebuild-action-unknown",
    ),
    attack(
        "promotion not offered",
        &[T, W],
        "The decision task does not offer the release promotion that acts on it.",
        promotion,
        |c| {
            actions(c, |actions| {
                let offers = inside(actions, &["actions"])?.as_array_mut()?;
                offers.retain(|offer| offer.get("name").and_then(Value::as_str) != Some("release-promotion"));
                Some(())
            })
        },
        "rebuild-action-unknown",
    ),
    attack(
        "offer without a callback",
        &[T, W],
        "The offer of an action on GitHub names no callback.",
        git_action,
        |c| offer(c, |offer| remove(offer, &["hookPayload", "decision", "action", "cb_name"])),
        "rebuild-action-unknown",
    ),
    attack(
        "offer without a payload",
        &[T, W],
        "The offer of an action has no payload for its hook.",
        action,
        |c| offer(c, |offer| remove(offer, &["hookPayload"])),
        "rebuild-action-unknown",
    ),
    attack(
        "action with another callback",
        &[T],
        "An action has the callback of another offer of its decision task.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "retrigger"),
        "rebuild-differs",
    ),
    attack(
        "promotion declared as a harmless action",
        &[T],
        "A release promotion has the callback that adds jobs, with its own scopes.",
        promotion,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "add-new-jobs"),
        "rebuild-differs",
    ),
    attack(
        "actions offered twice",
        &[T, W],
        "The decision task offers the same actions twice.",
        action,
        |c| {
            actions(c, |actions| {
                let offers = inside(actions, &["actions"])?.as_array_mut()?;
                offers.extend(offers.clone());
                Some(())
            })
        },
        "rebuild-action-ambiguous",
    ),
    attack(
        "two hooks for one callback",
        &[T, W],
        "Two offers of a decision task have the same callback and hooks with different permissions.",
        pr_action,
        |c| {
            actions(c, |actions| {
                let offers = inside(actions, &["actions"])?.as_array_mut()?;
                let path = ["hookPayload", "decision", "action", "cb_name"];
                let mut second = offers
                    .iter()
                    .find(|offer| offer.pointer(&path).and_then(Value::as_str) == Some("add-new-jobs"))?
                    .clone();
                replace_in(
                    &mut second,
                    "in-tree-pr-action-1-generic",
                    "in-tree-pr-action-1-release-promotion",
                )?;
                offers.push(second);
                Some(())
            })
        },
        "rebuild-action-ambiguous",
    ),
    attack(
        "action without a hook",
        &[T, W],
        "The offer of an action has a kind that any user's task may have.",
        action,
        |c| offer(c, |offer| set(offer, &["kind"], "task")),
        "rebuild-action-kind",
    ),
    attack(
        "action without a kind",
        &[T, W],
        "The offer of a release promotion has no kind.",
        promotion,
        |c| offer(c, |offer| remove(offer, &["kind"])),
        "rebuild-action-kind",
    ),
    attack(
        "actions that are not JSON",
        &[T, W],
        "The list of actions that a decision task offers is truncated.",
        action,
        |c| actions_text(c, |text| text.get(..text.len() / 2).map(str::to_owned)),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions with a key twice",
        &[T, W],
        "The list of actions occurs twice in a decision task's offers.",
        git_action,
        |c| actions_text(c, |text| Some(text.replacen('{', "{\"actions\":[],", 1))),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions without a list",
        &[T, W],
        "A decision task's offers have no list of actions.",
        pr_action,
        |c| actions(c, |actions| remove(actions, &["actions"])),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions of nested lists",
        &[T, W],
        "A decision task's offers are ten thousand nested lists.",
        action,
        |c| actions_text(c, |_| Some(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters that are not YAML",
        &[T, W],
        "The parameters that a decision task publishes end within a string.",
        action,
        |c| parameters(c, |text| Some(format!("{text}more: \"x"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters of nested aliases",
        &[T, W],
        "Parameters of a few lines expand to a hundred billion items.",
        promotion,
        |c| parameters(c, |_| Some(alias_bomb("version"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters nested too deep",
        &[T, W],
        "The parameters have an unused part that is nested deeper than the limit.",
        action,
        |c| parameters(c, |text| Some(format!("{text}{}", deep()))),
        "rebuild-actions-malformed",
    )
    .within(shallow),
    attack(
        "parameters with a Python tag",
        &[T, W],
        "The parameters use a Python tag that calls a function.",
        action,
        |c| parameters(c, |text| Some(format!("{text}x: !!python/object/apply:os.getcwd []\n"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters of an action altered",
        &[T, W],
        "The parameters that a decision task publishes name a different level from the action's.",
        action,
        |c| parameters(c, |text| Some(text.replace("level: \"3\"", "level: \"1\""))),
        "rebuild-differs",
    ),
    attack(
        "parameters of a promotion altered",
        &[T, W],
        "The parameters that a decision task publishes name a different version from the promotion's.",
        promotion,
        |c| parameters(c, |text| Some(text.replace("version: \"151.0\"", "version: \"152.0\""))),
        "rebuild-differs",
    ),
    attack(
        "parameters written by the action",
        &[T],
        "An action runs with different parameters from those that its decision task published.",
        action,
        |c| {
            act(c, |task| {
                let env = inside(task, &["payload", "env", "ACTION_PARAMETERS"])?;
                *env = env.as_str()?.replace("\"default\"", "\"everything\"").into();
                set(task, &["extra", "action", "context", "parameters", "target_tasks_method"], "everything")
            })
        },
        "rebuild-differs",
    ),
    attack(
        "action's input emptied",
        &[T],
        "An action runs without an input, and its context names one.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_INPUT"], "{}"),
        "rebuild-differs",
    ),
    attack(
        "action's input altered",
        &[T],
        "An action on a pull request runs with a different input from the one in its context.",
        pr_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "input", "tasks"], Vec::new())),
        "rebuild-differs",
    ),
    attack(
        "promotion of another version",
        &[T],
        "A release promotion runs with a different version from the one in its context.",
        promotion,
        |c| {
            act(c, |task| {
                let env = inside(task, &["payload", "env", "ACTION_INPUT"])?;
                *env = env.as_str()?.replace("151.0", "152.0").into();
                Some(())
            })
        },
        "rebuild-differs",
    ),
    attack(
        "action on another task",
        &[T],
        "An action runs on a task, and its context names none.",
        action,
        |c| {
            let id = first_build(c)?;
            act(c, |task| set(task, &["payload", "env", "ACTION_TASK_ID"], format!("\"{id}\"")))
        },
        "rebuild-differs",
    ),
    attack(
        "action on a task named null",
        &[T],
        "An action's context names the task \"null\" in place of no task.",
        git_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "taskId"], "null")),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "action by another user",
        &[T],
        "An action's context names a different user from its description.",
        git_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "clientId"], "login/somebody")),
        "rebuild-differs",
    ),
    attack(
        "action without an input",
        &[T],
        "An action's context has no input.",
        action,
        |c| act(c, |task| remove(task, &["extra", "action", "context", "input"])),
        "rebuild-environment",
    ),
    attack(
        "action without a task",
        &[T],
        "An action on a pull request has no task in its context.",
        pr_action,
        |c| act(c, |task| remove(task, &["extra", "action", "context", "taskId"])),
        "rebuild-environment",
    ),
    attack(
        "action with a list as its context",
        &[T],
        "The context of a release promotion is a list.",
        promotion,
        |c| act(c, |task| set(task, &["extra", "action", "context"], Vec::new())),
        "rebuild-environment",
    ),
    attack(
        "action with an unknown group",
        &[T],
        "An action adds its tasks to a group that is neither its own nor its decision task's.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_TASK_GROUP_ID"], NOBODY),
        "rebuild-action-group",
    ),
    attack(
        "action with the group of another graph",
        &[T],
        "An action adds its tasks to the graph of an earlier push.",
        action,
        |c| {
            let id = c.decisions.get(1)?.clone();
            act(c, |task| set(task, &["payload", "env", "ACTION_TASK_GROUP_ID"], id))
        },
        "rebuild-action-group",
    ),
    attack(
        "action with the group of a build",
        &[T],
        "An action on GitHub adds its tasks to a group with the id of a build.",
        git_action,
        |c| {
            let id = first_build(c)?;
            act(c, |task| set(task, &["payload", "env", "ACTION_TASK_GROUP_ID"], id))
        },
        "rebuild-action-group",
    ),
    attack(
        "action without a group",
        &[T],
        "A release promotion does not name the group of its tasks.",
        promotion,
        |c| act(c, |task| remove(task, &["payload", "env", "ACTION_TASK_GROUP_ID"])),
        "rebuild-action-group",
    ),
    attack(
        "action of a build",
        &[T],
        "An action names a build of the chain as its decision task.",
        action,
        |c| {
            let (id, build) = (target_parent(c)?, first_build(c)?);
            only(c, &id, |task| set(task, &["taskGroupId"], build))
        },
        "rebuild-decision-unknown",
    ),
    attack(
        "action of an unknown decision task",
        &[T],
        "A release promotion names a decision task that is not in the chain.",
        promotion,
        |c| {
            let id = target_parent(c)?;
            only(c, &id, |task| set(task, &["taskGroupId"], NOBODY))
        },
        "rebuild-decision-unknown",
    ),
    attack(
        "action of a decision task of an earlier push",
        &[T],
        "An action on one push names the decision task of an earlier push.",
        action,
        |c| {
            let (id, from) = (target_parent(c)?, first_decision(c)?);
            let to = c.decisions.get(1)?.clone();
            only(c, &id, |task| replace_in(task, &from, &to))
        },
        "rebuild-action-source",
    ),
    attack(
        "offer for another group",
        &[T, W],
        "The offer of an action fires its hook for another task group.",
        action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "action", "taskGroupId"], NOBODY)),
        "rebuild-action-group",
    ),
    attack(
        "action for another revision",
        &[T],
        "An action runs on a different revision from its decision task.",
        action,
        |c| act(c, |task| set(task, &["payload", "env", "GECKO_HEAD_REV"], OTHER)),
        "rebuild-action-source",
    ),
    attack(
        "action for another tree",
        &[T],
        "A release promotion runs on a different tree from its decision task.",
        promotion,
        |c| {
            act(c, |task| {
                set(
                    task,
                    &["payload", "env", "GECKO_HEAD_REPOSITORY"],
                    "https://hg.mozilla.org/mozilla-central",
                )
            })
        },
        "rebuild-action-source",
    ),
    attack(
        "offer for another revision",
        &[T, W],
        "The offer of an action on a pull request fires its hook for another revision.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "push", "revision"], OTHER)),
        "rebuild-action-source",
    ),
    attack(
        "offer for another tree",
        &[T, W],
        "The offer of an action fires its hook for another tree.",
        action,
        |c| {
            offer(c, |offer| {
                set(
                    offer,
                    &["hookPayload", "decision", "repository", "url"],
                    "https://hg.mozilla.org/releases/mozilla-release",
                )
            })
        },
        "rebuild-action-source",
    ),
    attack(
        "offer for another branch",
        &[T, W],
        "The offer of an action on GitHub fires its hook for another branch.",
        git_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "push", "branch"], "release")),
        "rebuild-differs",
    ),
    attack(
        "offer by another user",
        &[T, W],
        "The offer of an action fires its hook for another owner.",
        action,
        |c| {
            offer(c, |offer| {
                set(offer, &["hookPayload", "decision", "push", "owner"], "somebody@example.org")
            })
        },
        "rebuild-differs",
    ),
    attack(
        "offer with another title",
        &[T, W],
        "The offer of a release promotion has another title in the hook's payload.",
        promotion,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "action", "title"], "Retrigger")),
        "rebuild-differs",
    ),
    attack(
        "offer with another input",
        &[T, W],
        "The offer of an action fires its hook with an input that no user chose.",
        action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "user", "input"], "x")),
        "rebuild-differs",
    ),
    attack(
        "offer with nested maps",
        &[T, W],
        "The payload of an action's hook nests `$map` over lists, a billion iterations in all.",
        action,
        |c| {
            offer(c, |offer| {
                let inner = wrapped("\"${x}\"", 9, |inner| {
                    format!("{{\"$map\":[0,1,2,3,4,5,6,7,8,9],\"each(x)\":{inner}}}")
                });
                set(offer, &["hookPayload", "user", "more"], json(&inner)?)
            })
        },
        "rebuild-template-fails",
    ),
    attack(
        "offer with an undefined name",
        &[T, W],
        "The payload of an action's hook uses a name that is not defined.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "user", "more"], "${secret}")),
        "rebuild-template-fails",
    ),
    attack(
        "hook without a level",
        &[W],
        "The payload of a decision task's hooks does not state the level of the tree.",
        promotion,
        |c| offer(c, |offer| remove(offer, &["hookPayload", "decision", "repository", "level"])),
        "rebuild-template-fails",
    ),
];
