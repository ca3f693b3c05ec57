//! Which tasks belong to a chain, and what they are called in it.

use super::Chain;
use catena_json::Value;

/// Links deeper than this are not followed.
const DEEPEST: usize = 20;

/// A task with its name in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Colon path from the target's kind, such as `signing:build:docker-image`.
    pub name: String,
    /// The task.
    pub task_id: String,
}

/// Parent first, then inputs and upstream tasks by name and id, each task once, depth first.
pub(super) fn follow(chain: &Chain) -> Vec<Link> {
    let mut links = Vec::new();
    if chain.check_target {
        links.push(Link { name: chain.kind.clone(), task_id: chain.target.clone() });
    }
    visit(chain, &chain.kind, &chain.target, &mut links);
    links
}

fn visit(chain: &Chain, name: &str, id: &str, links: &mut Vec<Link>) {
    let Some(task) = chain.definition(id) else { return };
    for (kind, dependency) in dependencies(chain, task, id) {
        let seen = dependency == chain.target || links.iter().any(|link| link.task_id == dependency);
        if seen || name.matches(':').count() >= DEEPEST {
            continue;
        }
        let name = format!("{name}:{kind}");
        links.push(Link { name: name.clone(), task_id: dependency.clone() });
        visit(chain, &name, &dependency, links);
    }
}

fn dependencies(chain: &Chain, task: &Value, id: &str) -> Vec<(String, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let own_group = || task.get("taskGroupId");
    let parent = text(task.pointer(&["extra", "parent"]).or_else(own_group));
    let mut rest = Vec::new();
    if let Some(inputs) = task.pointer(&["extra", "chainOfTrust", "inputs"]).and_then(Value::as_object) {
        rest.extend(inputs.iter().filter_map(|(kind, id)| Some((kind.clone(), text(Some(id))?))));
    }
    if let Some(upstream) = task.pointer(&["payload", "upstreamArtifacts"]).and_then(Value::as_array) {
        let pair = |entry: &Value| Some((text(entry.get("taskType"))?, text(entry.get("taskId"))?));
        rest.extend(upstream.iter().filter_map(pair));
    }
    rest.sort();
    rest.dedup();
    let parent = parent.filter(|parent| parent != id).map(|parent| {
        let action =
            chain.definition(&parent).is_some_and(|task| task.pointer(&["extra", "action"]).is_some());
        (if action { "action" } else { "decision" }.to_owned(), parent)
    });
    parent.into_iter().chain(rest).collect()
}
