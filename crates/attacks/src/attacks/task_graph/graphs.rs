//! Graphs that lack a task, are malformed, or differ from the parent's.

use crate::attacks::{Attack, T, W, attack};
use crate::change::{
    GRAPH, empty, entry, first_build, first_decision, graph, graph_entry, inside, json, only, parent_of,
    published, set, target_parent,
};
use crate::valid::{action, cron, fork, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::{Map, Value};
use catena_testbed::{Artifact, Chain};

/// Removes a task from its parent's graph.
fn lack(chain: &mut Chain, id: &str) -> Option<()> {
    let parent = parent_of(chain, id)?;
    graph(chain, &parent, |graph| graph.as_object_mut()?.remove(id).map(drop))
}

/// Changes the text of the first build's graph, with a signed digest.
pub(super) fn text(chain: &mut Chain, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let parent = parent_of(chain, &first_build(chain)?)?;
    published(chain, &parent, GRAPH, change)
}

/// Publishes other bytes as the first build's graph.
pub(super) fn bytes(chain: &mut Chain, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Option<()> {
    let parent = parent_of(chain, &first_build(chain)?)?;
    let artifact = chain.artifact_mut(&parent, GRAPH)?;
    let catena_testbed::Body::Bytes(before) = &artifact.body else { return None };
    artifact.body = change(before.to_vec()).into();
    chain.reseal(&parent).ok()?.then_some(())
}

/// Replaces the first build's entry.
fn entry_is(chain: &mut Chain, new: impl Into<Value>) -> Option<()> {
    entry(chain, |entry| {
        *entry = new.into();
        Some(())
    })
}

/// A copy of the first build's entry in another task's graph, which the build names.
fn claimed(chain: &mut Chain, other: &str) -> Option<()> {
    let id = first_build(chain)?;
    let parent = parent_of(chain, &id)?;
    let mut copy = None;
    graph(chain, &parent, |graph| {
        copy = Some(graph.get(&id)?.clone());
        set(graph, &[&id, "label"], "copied")
    })?;
    let mut copy = copy?;
    set(&mut copy, &["task", "extra", "parent"], other)?;
    let forged = match chain.artifact_mut(other, GRAPH) {
        Some(artifact) => {
            let catena_testbed::Body::Bytes(bytes) = &artifact.body else { return None };
            let mut graph = json(std::str::from_utf8(bytes).ok()?)?;
            set(&mut graph, &[&id], copy)?;
            graph
        }
        None => {
            let mut graph = empty();
            set(&mut graph, &[&id], copy)?;
            graph
        }
    };
    let artifact = Artifact::new(forged.to_string(), "application/json");
    chain.artifacts_mut(other)?.insert(GRAPH.into(), artifact);
    chain.reseal(other).ok()?;
    only(chain, &id, |task| set(task, &["extra", "parent"], other))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "build missing from the graph",
        &[T],
        "A build is missing from the graph of its push.",
        push,
        |c| {
            let id = first_build(c)?;
            lack(c, &id)
        },
        "graph-lacks-task",
    ),
    attack(
        "target missing from the graph",
        &[T],
        "The signing task is missing from the graph of its release.",
        tag,
        |c| {
            let id = c.target.clone();
            lack(c, &id)
        },
        "graph-lacks-task",
    ),
    attack(
        "image missing from the graph",
        &[T],
        "An image task is missing from the graph of its earlier push.",
        mobile,
        |c| {
            let id = c.images.first()?.clone();
            lack(c, &id)
        },
        "graph-lacks-task",
    ),
    attack(
        "target only in the push's graph",
        &[T],
        "The signing task is in the push's graph, and not in that of the action that it names.",
        action,
        |c| {
            let (id, decision, action) = (c.target.clone(), first_decision(c)?, target_parent(c)?);
            let mut moved = None;
            graph(c, &action, |graph| {
                moved = graph.as_object_mut()?.remove(&id);
                Some(())
            })?;
            graph(c, &decision, |graph| set(graph, &[&id], moved?))
        },
        "graph-lacks-task",
    ),
    attack(
        "target only in another push's graph",
        &[T],
        "The signing task is in the graph of an earlier push, and not in that of the promotion that \
         it names.",
        promotion,
        |c| {
            let (id, other, action) = (c.target.clone(), c.decisions.get(1)?.clone(), target_parent(c)?);
            let mut moved = None;
            graph(c, &action, |graph| {
                moved = graph.as_object_mut()?.remove(&id);
                Some(())
            })?;
            graph(c, &other, |graph| set(graph, &[&id], moved?))
        },
        "graph-lacks-task",
    ),
    attack(
        "build with its id in another case",
        &[T],
        "The graph has a build's definition under an id that differs in case.",
        cron,
        |c| {
            let id = first_build(c)?;
            text(c, |text| {
                Some(text.replace(&format!("\"{id}\": "), &format!("\"{}\": ", id.to_lowercase())))
            })
        },
        "graph-lacks-task",
    ),
    attack(
        "graph without tasks",
        &[T],
        "The graph of a pull request is empty.",
        pull_request,
        |c| text(c, |_| Some("{}".to_owned())),
        "graph-lacks-task",
    ),
    attack(
        "build nested in another entry",
        &[T],
        "The graph has the build's entry nested in another task's entry.",
        push,
        |c| {
            let id = first_build(c)?;
            let parent = parent_of(c, &id)?;
            graph(c, &parent, |graph| {
                let mut inner = Map::new();
                inner.insert(id.as_str(), graph.as_object_mut()?.remove(&id)?);
                set(graph, &["attributes"], inner)
            })
        },
        "graph-lacks-task",
    ),
    attack(
        "graph that is a list",
        &[T],
        "The graph is an empty list.",
        push,
        |c| text(c, |_| Some("[]".to_owned())),
        "graph-unreadable",
    ),
    attack(
        "truncated graph",
        &[T],
        "The graph of a release is truncated.",
        tag,
        |c| text(c, |text| text.trim_end().strip_suffix('}').map(str::to_owned)),
        "graph-unreadable",
    ),
    attack(
        "graph followed by a second graph",
        &[T],
        "A second graph follows the graph of an action on a pull request.",
        pr_action,
        |c| text(c, |text| Some(format!("{text}{text}"))),
        "graph-unreadable",
    ),
    attack(
        "graph with a task twice",
        &[T],
        "The graph has a build twice, first as it is and then altered.",
        push,
        |c| {
            let id = first_build(c)?;
            text(c, |text| {
                let end = text.trim_end().strip_suffix('}')?;
                Some(format!("{end},\"{id}\":{{\"task\":{{}}}}}}"))
            })
        },
        "graph-unreadable",
    ),
    attack(
        "graph with a task twice, once escaped",
        &[T],
        "The graph has a build twice, the second time with an escape in its id.",
        fork,
        |c| {
            let id = first_build(c)?;
            let (first, rest) = (id.chars().next()?, id.get(1..)?.to_owned());
            text(c, |text| {
                let end = text.trim_end().strip_suffix('}')?;
                Some(format!("{end},\"\\u{:04x}{rest}\":{{\"task\":{{}}}}}}", u32::from(first)))
            })
        },
        "graph-unreadable",
    ),
    attack(
        "graph that is a web page",
        &[W],
        "A decision task's graph is a web page.",
        cron,
        |c| text(c, |_| Some("<!DOCTYPE html>\n".to_owned())),
        "graph-unreadable",
    ),
    attack(
        "empty graph",
        &[W],
        "A decision task's graph has no bytes.",
        mobile,
        |c| bytes(c, |_| Vec::new()),
        "graph-unreadable",
    ),
    attack(
        "graph of nested lists",
        &[W],
        "An unused part of the graph is ten thousand nested lists.",
        push,
        |c| {
            text(c, |text| {
                Some(text.replacen('{', &format!("{{\"x\":{}{},", "[".repeat(10_000), "]".repeat(10_000)), 1))
            })
        },
        "graph-beyond-limits",
    ),
    attack(
        "entry that is too long",
        &[W],
        "The graph's entry for a build has a description of five million characters.",
        mobile,
        |c| entry(c, |entry| set(entry, &["description"], "x".repeat(5_000_000))),
        "graph-beyond-limits",
    ),
    attack(
        "entry beyond a small limit",
        &[T],
        "An entry of a promotion's graph is longer than a limit that was set for entries.",
        promotion,
        |_| Some(()),
        "graph-beyond-limits",
    )
    .within(|limits| limits.graph_entry_bytes = 500),
    attack(
        "empty entry",
        &[T],
        "The graph's entry for a build is empty.",
        push,
        |c| entry_is(c, empty()),
        "graph-entry-malformed",
    ),
    attack(
        "entry of an empty task",
        &[T],
        "The task in the graph's entry for a build of a release is empty.",
        tag,
        |c| entry(c, |entry| set(entry, &["task"], empty())),
        "graph-entry-malformed",
    ),
    attack(
        "entry that is a list",
        &[T],
        "The graph's entry for a build is a list.",
        mobile,
        |c| entry_is(c, Vec::new()),
        "graph-entry-malformed",
    ),
    attack(
        "entry that is null",
        &[T],
        "The graph's entry for a build of a pull request is null.",
        pull_request,
        |c| entry_is(c, Value::Null),
        "graph-entry-malformed",
    ),
    attack(
        "entry whose task is a string",
        &[T],
        "The task in the graph's entry for a build is a string that holds its definition.",
        cron,
        |c| {
            entry(c, |entry| {
                let task = inside(entry, &["task"])?;
                *task = task.to_string().into();
                Some(())
            })
        },
        "graph-entry-malformed",
    ),
    attack(
        "entry whose task is a relative time",
        &[T, W],
        "The task in the graph's entry for a build is a relative time, as one of its members may be.",
        push,
        |c| entry(c, |entry| set(entry, &["task"], json(r#"{"relative-datestamp":"1 day"}"#)?)),
        "graph-definition-differs",
    ),
    attack(
        "entry with its task twice",
        &[T],
        "The graph's entry for a build has two tasks under the same key.",
        push,
        |c| {
            let id = first_build(c)?;
            text(c, |text| {
                let start = format!("\"{id}\": {{");
                text.contains(&start).then(|| text.replacen(&start, &format!("{start}\"task\": {{}}, "), 1))
            })
        },
        "graph-entry-malformed",
    ),
    attack(
        "entry with an out-of-range time",
        &[T],
        "The graph sets the expiry of a build after the end of the calendar.",
        push,
        |c| graph_entry(c, &["expires"], json(r#"{"relative-datestamp":"999999999 years"}"#)?),
        "graph-entry-malformed",
    ),
    attack(
        "entry with a malformed time",
        &[T],
        "The graph sets the deadline of a build to \"soon\".",
        action,
        |c| graph_entry(c, &["deadline"], json(r#"{"relative-datestamp":"soon"}"#)?),
        "graph-entry-malformed",
    ),
    attack(
        "entry with a fractional time",
        &[T],
        "The graph sets the deadline of a build to a day and a half.",
        mobile,
        |c| graph_entry(c, &["deadline"], json(r#"{"relative-datestamp":"1.5 days"}"#)?),
        "graph-entry-malformed",
    ),
    attack(
        "graph of a build",
        &[T, W],
        "A build publishes a graph with another build that names it as its decision task.",
        push,
        |c| {
            let other = c.builds.get(1)?.clone();
            claimed(c, &other)
        },
        "graph-parent-makes-no-tasks",
    ),
    attack(
        "graph of a build on GitHub",
        &[T, W],
        "A build on GitHub publishes a graph with another build that names it as its decision task.",
        mobile,
        |c| {
            let other = c.builds.get(2)?.clone();
            claimed(c, &other)
        },
        "graph-parent-makes-no-tasks",
    ),
    attack(
        "build claimed by an earlier push",
        &[T, W],
        "A build names the decision task of an earlier push, whose graph contains it too, and keeps \
         its group.",
        push,
        |c| {
            let other = c.decisions.get(1)?.clone();
            claimed(c, &other)
        },
        "graph-definition-additions",
    ),
];
