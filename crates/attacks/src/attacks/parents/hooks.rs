//! Actions with a hook of another tree, level or permission.

use super::ways::{git_action, offer};
use crate::attacks::{Attack, T, W, attack};
use crate::change::{remove, replace_in, set};
use crate::valid::{action, pr_action, promotion};
use catena_testbed::Chain;

/// Replaces `from` by `to` in the offer of an action.
fn offer_text(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    offer(chain, |offer| replace_in(offer, from, to))
}

pub(super) const ATTACKS: &[Attack] = &[
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
        "The offer of an action on GitHub states a different permission from its hook's.",
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
        "The offer of an action fires the hook of another level and states that level, unlike its \
         decision task.",
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
        "hook generated for no tree",
        &[T, W],
        "The offer of an action fires a hook of the right group that was not generated for the tree.",
        action,
        |c| offer_text(c, "in-tree-action-3-generic/0f2c4e6a81", "cron-task-nightly/0f2c4e6a81"),
        "rebuild-action-hook",
    ),
    attack(
        "promotion's hook with a name like those of trees",
        &[T, W],
        "The offer of a release promotion fires a hook whose name lacks the template's hash, like a \
         manually created one.",
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
        "The offer of an action on GitHub does not name its hook.",
        git_action,
        |c| offer(c, |offer| remove(offer, &["hookId"])),
        "rebuild-action-hook",
    ),
    attack(
        "hook of pull requests",
        &[T, W],
        "The offer of an action on a push fires the hook for pull requests.",
        git_action,
        |c| offer_text(c, "in-tree-action-3-", "in-tree-pr-action-3-"),
        "rebuild-action-hook",
    ),
    attack(
        "pull request's action with the hook of pushes",
        &[T, W],
        "The offer of an action on a pull request fires the hook for pushes.",
        pr_action,
        |c| offer_text(c, "in-tree-pr-action-1-", "in-tree-action-1-"),
        "rebuild-action-hook",
    ),
    attack(
        "hook of another level without a level in its payload",
        &[T, W],
        "The offer of an action on GitHub fires the hook of the lowest level and states no level \
         itself.",
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
        "payload of another level",
        &[T, W],
        "The offer of an action fires its own hook with a payload that states another level.",
        git_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "repository", "level"], "1")),
        "rebuild-action-hook",
    ),
    attack(
        "payload of another level as a number",
        &[T, W],
        "The offer of an action on a pull request has a payload that states the highest level as a \
         number.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookPayload", "decision", "repository", "level"], 3_i64)),
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
        "The offer of an action on a pull request fires a hook whose group's name continues after \
         the project's.",
        pr_action,
        |c| offer(c, |offer| set(offer, &["hookGroupId"], "project-translations-test")),
        "rebuild-action-hook",
    ),
];
