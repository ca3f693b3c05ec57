//! Actions: which one, on what, by which hook, with which input and parameters.

use super::ways::{act, actions, actions_text, alias_bomb, git_action, input, offer, parameters};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{
    NOBODY, first_build, first_decision, inside, json, only, parent, remove, replace_in, set, target_parent,
};
use crate::honest::{action, pr_action, promotion};
use catena_json::Value;
use catena_testbed::{Chain, Release};

const OTHER: &str = "0123456789012345678901234567890123456789";

/// Makes the offer of an action say `to` in the place of `from`.
fn offer_text(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    offer(chain, |offer| replace_in(offer, from, to))
}

/// Lets an action's schema say something of its input, and starts it with another input.
fn against(chain: &mut Chain, schema: &str, text: &str) -> Option<()> {
    let schema = json(schema)?;
    offer(chain, |offer| set(offer, &["schema"], schema))?;
    input(chain, text)
}

/// A schema of more choices than are looked at, of which the last is anything.
fn too_large() -> String {
    let mut schema = "false".to_owned();
    for _ in 0..16 {
        schema = format!("{{\"anyOf\":[{schema},{schema}]}}");
    }
    format!("{{\"anyOf\":[{schema},true]}}")
}

fn promotion_of_rounds() -> Release {
    Release { depth: 1, ..promotion() }
}

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
        "rebuild-differs",
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
                let mut inner = "\"${x}\"".to_owned();
                for _ in 0..9 {
                    inner = format!("{{\"$map\":[0,1,2,3,4,5,6,7,8,9],\"each(x)\":{inner}}}");
                }
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
        "hook of another level",
        &[T, W],
        "The offer of an action fires the hook of another level.",
        action,
        |c| offer_text(c, "in-tree-action-3-", "in-tree-action-1-"),
        "rebuild-action-hook",
    ),
    attack(
        "hook of another permission",
        &[T, W],
        "The offer of a harmless action fires the hook of release promotion.",
        action,
        |c| offer_text(c, "in-tree-action-3-generic", "in-tree-action-3-release-promotion"),
        "rebuild-action-hook",
    ),
    attack(
        "permission of another hook",
        &[T, W],
        "The offer of an action on GitHub states another permission than its hook's.",
        git_action,
        |c| offer(c, |offer| set(offer, &["extra", "actionPerm"], "release-promotion")),
        "rebuild-action-hook",
    ),
    attack(
        "promotion by a harmless hook",
        &[T, W],
        "The offer of a release promotion fires the hook of harmless actions.",
        promotion,
        |c| offer_text(c, "in-tree-action-3-release-promotion", "in-tree-action-3-generic"),
        "rebuild-action-hook",
    ),
    attack(
        "hook and payload of another level",
        &[T, W],
        "The offer of an action fires the hook of another level, and says so, unlike its decision task.",
        git_action,
        |c| {
            offer(c, |offer| {
                replace_in(offer, "in-tree-action-3-", "in-tree-action-1-")?;
                set(offer, &["hookPayload", "decision", "repository", "level"], "1")
            })
        },
        "rebuild-action-hook",
    ),
    attack(
        "pull request's hook of another level",
        &[T, W],
        "The offer of an action on a pull request fires the hook of the highest level.",
        pr_action,
        |c| {
            offer(c, |offer| {
                replace_in(offer, "in-tree-pr-action-1-", "in-tree-pr-action-3-")?;
                set(offer, &["hookPayload", "decision", "repository", "level"], "3")
            })
        },
        "rebuild-action-hook",
    ),
    attack(
        "hook of no tree",
        &[T, W],
        "The offer of an action fires a hook of the right group that was not generated for the tree.",
        action,
        |c| offer_text(c, "in-tree-action-3-generic/0f2c4e6a81", "cron-task-nightly/0f2c4e6a81"),
        "rebuild-action-hook",
    ),
    attack(
        "promotion's hook of a name like those of trees",
        &[T, W],
        "The offer of a release promotion fires a hook whose name lacks the template's hash, as somebody's own.",
        promotion,
        |c| {
            offer_text(
                c,
                "in-tree-action-3-release-promotion/0f2c4e6a81",
                "in-tree-action-3-release-promotion",
            )
        },
        "rebuild-action-hook",
    ),
    attack(
        "offer without a hook",
        &[T, W],
        "The offer of an action on GitHub does not say which hook it fires.",
        git_action,
        |c| offer(c, |offer| remove(offer, &["hookId"])),
        "rebuild-action-hook",
    ),
    attack(
        "hook of pull requests",
        &[T, W],
        "The offer of an action on a push fires the hook that pull requests may fire.",
        git_action,
        |c| offer_text(c, "in-tree-action-3-", "in-tree-pr-action-3-"),
        "rebuild-action-hook",
    ),
    attack(
        "pull request's action by the hook of pushes",
        &[T, W],
        "The offer of an action on a pull request fires the hook that only pushes may fire.",
        pr_action,
        |c| offer_text(c, "in-tree-pr-action-1-", "in-tree-action-1-"),
        "rebuild-action-hook",
    ),
    attack(
        "hook of another level whose payload tells none",
        &[T, W],
        "The offer of an action on GitHub fires the hook of the lowest level, and tells no level itself.",
        git_action,
        |c| {
            offer(c, |offer| {
                replace_in(offer, "in-tree-action-3-", "in-tree-action-1-")?;
                remove(offer, &["hookPayload", "decision", "repository", "level"])
            })
        },
        "rebuild-action-hook",
    ),
    attack(
        "hook of another group",
        &[T, W],
        "The offer of an action fires a hook of the same name in another project's group.",
        action,
        |c| offer(c, |offer| set(offer, &["hookGroupId"], "project-somebodys")),
        "rebuild-action-hook",
    ),
    attack(
        "promotion's hook of another product",
        &[T, W],
        "The offer of a release promotion of Firefox fires Thunderbird's hook.",
        promotion,
        |c| offer(c, |offer| set(offer, &["hookGroupId"], "project-comm")),
        "rebuild-action-hook",
    ),
    attack(
        "pull request's hook of another group",
        &[T, W],
        "The offer of an action on a pull request fires a hook whose group's name goes on after the project's.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookGroupId"], "project-translations-test")),
        "rebuild-action-hook",
    ),
    attack(
        "input of another type",
        &[T],
        "An action is started with a list, where its schema wants an object.",
        action,
        |c| input(c, "[1]"),
        "rebuild-action-input",
    ),
    attack(
        "input that is a text",
        &[T],
        "An action on a pull request is started with a text, where its schema wants an object.",
        pr_action,
        |c| input(c, "\"all\""),
        "rebuild-action-input",
    ),
    attack(
        "input outside a list of choices",
        &[T],
        "A release promotion is started with a flavour that its schema does not list.",
        promotion,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"release_promotion_flavor":{"enum":["promote","push"]}}}"#,
                r#"{"release_promotion_flavor":"ship"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input below its least",
        &[T],
        "A release promotion is started with a build number below the least that its schema allows.",
        promotion_of_rounds,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"build_number":{"type":"integer","minimum":1}}}"#,
                r#"{"build_number":0,"release_promotion_flavor":"promote"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input that lacks what it must have",
        &[T],
        "A release promotion is started without the build number that its schema requires.",
        promotion,
        |c| {
            against(
                c,
                r#"{"type":"object","required":["build_number"]}"#,
                r#"{"release_promotion_flavor":"promote","version":"151.0"}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input with a member more",
        &[T],
        "An action on GitHub is started with a member that its schema does not allow.",
        git_action,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"tasks":{"type":"array"}},"additionalProperties":false}"#,
                r#"{"skip":true,"tasks":[]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "input with an item that does not fit",
        &[T],
        "One label of an action's input is a number, where its schema wants texts.",
        action,
        |c| {
            against(
                c,
                r#"{"type":"object","properties":{"tasks":{"type":"array","items":{"type":"string"}}}}"#,
                r#"{"tasks":["a",1]}"#,
            )
        },
        "rebuild-action-input",
    ),
    attack(
        "schema too large to tell",
        &[T, W],
        "An action's schema is so large that nobody can tell whether its input fits.",
        action,
        |c| against(c, &too_large(), "{\"tasks\":[]}"),
        "rebuild-action-input",
    ),
    attack(
        "input too large to tell",
        &[T],
        "A release promotion is started with so long a list that nobody can tell whether it fits its schema.",
        promotion,
        |c| {
            let builds = (0..3_000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
            let schema = r#"{"type":"object","properties":{"builds":{"type":"array","uniqueItems":true}}}"#;
            against(c, schema, &format!("{{\"builds\":[{builds}],\"release_promotion_flavor\":\"promote\"}}"))
        },
        "rebuild-action-input",
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
];
