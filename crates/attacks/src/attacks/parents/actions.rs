//! Actions: which one, on what, in which group, with which parameters, as they were offered.

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
        "action unknown",
        &[T],
        "An action calls back what its decision task does not offer.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "other"),
        "rebuild-action-unknown",
    ),
    attack(
        "action without a callback",
        &[T],
        "An action on a pull request does not say what it calls back.",
        pr_action,
        |c| act(c, |task| remove(task, &["payload", "env", "ACTION_CALLBACK"])),
        "rebuild-action-unknown",
    ),
    attack(
        "promotion that is not offered",
        &[T, W],
        "The decision task does not offer the release promotion that was made of it.",
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
        "The offer of an action on GitHub does not say what it calls back.",
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
        "action of another callback",
        &[T],
        "An action calls back something else that its decision task offers.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "retrigger"),
        "rebuild-differs",
    ),
    attack(
        "promotion by a harmless action",
        &[T],
        "A release promotion calls back what adds jobs, with its own scopes.",
        promotion,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "add-new-jobs"),
        "rebuild-differs",
    ),
    attack(
        "action offered twice",
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
        "Two offers of a decision task call back the same, by hooks of different permissions.",
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
        "action that is no hook",
        &[T, W],
        "The offer of an action is of a kind that anybody's task may be.",
        action,
        |c| offer(c, |offer| set(offer, &["kind"], "task")),
        "rebuild-action-kind",
    ),
    attack(
        "action of no kind",
        &[T, W],
        "The offer of a release promotion does not say of which kind it is.",
        promotion,
        |c| offer(c, |offer| remove(offer, &["kind"])),
        "rebuild-action-kind",
    ),
    attack(
        "actions that are no JSON",
        &[T, W],
        "The list of actions that a decision task offers is cut off.",
        action,
        |c| actions_text(c, |text| text.get(..text.len() / 2).map(str::to_owned)),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions with a key twice",
        &[T, W],
        "The list of actions stands twice in what a decision task offers.",
        git_action,
        |c| actions_text(c, |text| Some(text.replacen('{', "{\"actions\":[],", 1))),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions without a list",
        &[T, W],
        "What a decision task offers has no list of actions.",
        pr_action,
        |c| actions(c, |actions| remove(actions, &["actions"])),
        "rebuild-actions-malformed",
    ),
    attack(
        "actions of lists in lists",
        &[T, W],
        "What a decision task offers is ten thousand lists inside one another.",
        action,
        |c| actions_text(c, |_| Some(format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters that are no YAML",
        &[T, W],
        "The parameters that a decision task publishes are cut off within a text.",
        action,
        |c| parameters(c, |text| Some(format!("{text}more: \"x"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters of aliases of aliases",
        &[T, W],
        "Parameters of a few lines stand for a hundred billion items.",
        promotion,
        |c| parameters(c, |_| Some(alias_bomb("version"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters deeper than the limit",
        &[T, W],
        "The parameters have a part that nothing is made of, deeper than our own limits.",
        action,
        |c| parameters(c, |text| Some(format!("{text}{}", deep()))),
        "rebuild-actions-malformed",
    )
    .within(shallow),
    attack(
        "parameters with a tag of Python's",
        &[T, W],
        "The parameters ask whoever reads them to call a function.",
        action,
        |c| parameters(c, |text| Some(format!("{text}x: !!python/object/apply:os.getcwd []\n"))),
        "rebuild-actions-malformed",
    ),
    attack(
        "parameters of an action altered",
        &[T, W],
        "The parameters that a decision task publishes name another level than the action was started with.",
        action,
        |c| parameters(c, |text| Some(text.replace("level: \"3\"", "level: \"1\""))),
        "rebuild-differs",
    ),
    attack(
        "parameters of a promotion altered",
        &[T, W],
        "The parameters that a decision task publishes name another version than the promotion was started with.",
        promotion,
        |c| parameters(c, |text| Some(text.replace("version: \"151.0\"", "version: \"152.0\""))),
        "rebuild-differs",
    ),
    attack(
        "parameters of the action's own",
        &[T],
        "An action runs with other parameters than its decision task published.",
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
        "An action runs with no input, and says that it was started with one.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_INPUT"], "{}"),
        "rebuild-differs",
    ),
    attack(
        "action's input altered",
        &[T],
        "An action on a pull request says that it was started with another input than it runs with.",
        pr_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "input", "tasks"], Vec::new())),
        "rebuild-differs",
    ),
    attack(
        "promotion of another version",
        &[T],
        "A release promotion runs with another version than it was started with.",
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
        "An action runs on one task, and says that it was started on none.",
        action,
        |c| {
            let id = first_build(c)?;
            act(c, |task| set(task, &["payload", "env", "ACTION_TASK_ID"], format!("\"{id}\"")))
        },
        "rebuild-differs",
    ),
    attack(
        "action on a text",
        &[T],
        "An action says that it was started on the task of the name null, and not on none.",
        git_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "taskId"], "null")),
        "rebuild-value-unconfirmed",
    ),
    attack(
        "action asked for by somebody else",
        &[T],
        "An action says that somebody else asked for it than its description tells.",
        git_action,
        |c| act(c, |task| set(task, &["extra", "action", "context", "clientId"], "login/somebody")),
        "rebuild-differs",
    ),
    attack(
        "action without an input",
        &[T],
        "An action does not say which input it was started with.",
        action,
        |c| act(c, |task| remove(task, &["extra", "action", "context", "input"])),
        "rebuild-environment",
    ),
    attack(
        "action without a task",
        &[T],
        "An action on a pull request does not say whether it was started on a task.",
        pr_action,
        |c| act(c, |task| remove(task, &["extra", "action", "context", "taskId"])),
        "rebuild-environment",
    ),
    attack(
        "action started with a list",
        &[T],
        "What a release promotion was started with is a list.",
        promotion,
        |c| act(c, |task| set(task, &["extra", "action", "context"], Vec::new())),
        "rebuild-environment",
    ),
    attack(
        "action's group unknown",
        &[T],
        "An action adds its tasks to a group that is neither its own nor its decision task's.",
        action,
        |c| parent(c, &["payload", "env", "ACTION_TASK_GROUP_ID"], NOBODY),
        "rebuild-action-group",
    ),
    attack(
        "action's group of another graph",
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
        "action's group of a build",
        &[T],
        "An action on GitHub adds its tasks to a group of a build's name.",
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
        "A release promotion does not say which group its tasks are in.",
        promotion,
        |c| act(c, |task| remove(task, &["payload", "env", "ACTION_TASK_GROUP_ID"])),
        "rebuild-action-group",
    ),
    attack(
        "action of a build",
        &[T],
        "An action says that its decision task is a build of the chain.",
        action,
        |c| {
            let (id, build) = (target_parent(c)?, first_build(c)?);
            only(c, &id, |task| set(task, &["taskGroupId"], build))
        },
        "rebuild-decision-unknown",
    ),
    attack(
        "action of no decision task",
        &[T],
        "A release promotion says that its decision task is one that is not in the chain.",
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
        "An action on one push says that it was made by the decision task of an earlier one.",
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
        "An action runs on another revision than its decision task.",
        action,
        |c| act(c, |task| set(task, &["payload", "env", "GECKO_HEAD_REV"], OTHER)),
        "rebuild-action-source",
    ),
    attack(
        "action for another tree",
        &[T],
        "A release promotion runs on another tree than its decision task.",
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
        "offer by somebody else",
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
        "The offer of a release promotion has another title in what it fires its hook with.",
        promotion,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "action", "title"], "Retrigger")),
        "rebuild-differs",
    ),
    attack(
        "offer with another input",
        &[T, W],
        "The offer of an action fires its hook with an input that nobody chose.",
        action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "user", "input"], "x")),
        "rebuild-differs",
    ),
    attack(
        "offer that maps over maps",
        &[T, W],
        "The payload of an action's hook goes through lists inside of lists, a billion times in all.",
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
        "offer with a name that nothing has",
        &[T, W],
        "The payload of an action's hook uses a name that there is not.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "user", "more"], "${secret}")),
        "rebuild-template-fails",
    ),
    attack(
        "hook that tells no level",
        &[W],
        "The payload of a decision task's hooks does not tell the level of the tree.",
        promotion,
        |c| offer(c, |offer| remove(offer, &["hookPayload", "decision", "repository", "level"])),
        "rebuild-template-fails",
    ),
];
