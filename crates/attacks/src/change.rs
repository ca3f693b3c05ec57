//! Ways to change a chain. `None` means that the part to be changed is missing.

mod sources;

pub use sources::{
    branch_level, compared, file_of, image_elsewhere, in_project, landed_on, landed_page, listing, on_branch,
    revision_of, tagged, template, template_of, variable_name,
};

use catena_json::{Limits, Map, Value, parse};
use catena_testbed::chain::{DOCUMENT, Implementation, SIGNATURE};
use catena_testbed::{Artifact, Body, Chain, Page};

/// The graph that a decision or action task publishes.
pub const GRAPH: &str = "public/task-graph.json";
/// The actions that a decision task publishes.
pub const ACTIONS: &str = "public/actions.json";
/// The parameters that a decision task publishes.
pub const PARAMETERS: &str = "public/parameters.yml";
/// A build's first artifact, which the target lists.
pub const ARTIFACT: &str = "public/build/target.tar.xz";
/// An id that no task has.
pub const NOBODY: &str = "AAAAAAAAQACAAAAAAAAAAA";

/// A docker-worker's build, whose image another task made.
#[must_use]
pub fn first_build(chain: &Chain) -> Option<String> {
    chain.builds.first().cloned()
}

/// The first decision task: the target's own.
#[must_use]
pub fn first_decision(chain: &Chain) -> Option<String> {
    chain.decisions.first().cloned()
}

/// The task that made the target: an action task if there is one.
#[must_use]
pub fn target_parent(chain: &Chain) -> Option<String> {
    chain.action.clone().or_else(|| first_decision(chain))
}

/// The task that published a task's graph.
#[must_use]
pub fn parent_of(chain: &Chain, id: &str) -> Option<String> {
    let parent = chain.definition(id)?.pointer(&["extra", "parent"])?;
    Some(parent.as_str()?.to_owned())
}

/// Reads JSON text.
#[must_use]
pub fn json(text: &str) -> Option<Value> {
    parse(text.as_bytes(), &Limits::default()).ok()
}

/// A text as a list of one.
#[must_use]
pub fn list(item: impl Into<Value>) -> Value {
    Value::from(vec![item.into()])
}

/// The value at a path; steps into lists are numbers.
pub fn inside<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        other => other.get_mut(step),
    })
}

/// Sets a member, which may be new, or an item, which must exist; its parent must exist.
pub fn set(value: &mut Value, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let (last, parents) = path.split_last()?;
    match inside(value, parents)? {
        Value::Object(map) => drop(map.insert(*last, new.into())),
        Value::Array(items) => *items.get_mut(last.parse::<usize>().ok()?)? = new.into(),
        _ => return None,
    }
    Some(())
}

/// Removes an existing member.
pub fn remove(value: &mut Value, path: &[&str]) -> Option<()> {
    let (last, parents) = path.split_last()?;
    inside(value, parents)?.as_object_mut()?.remove(last)?;
    Some(())
}

/// Adds an item to a list.
pub fn add(value: &mut Value, path: &[&str], item: impl Into<Value>) -> Option<()> {
    inside(value, path)?.as_array_mut()?.push(item.into());
    Some(())
}

/// The signature over the first build's document.
pub fn signature(chain: &mut Chain) -> Option<&mut Vec<u8>> {
    let id = first_build(chain)?;
    chain.signature_mut(&id)
}

/// Changes the document of a task, and signs it with its worker's key.
pub fn document_of(chain: &mut Chain, id: &str, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    change(chain.document_mut(id)?)?;
    chain.resign(id).then_some(())
}

/// Sets a member of the first build's document, and signs it again.
pub fn document(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let id = first_build(chain)?;
    document_of(chain, &id, |document| set(document, path, new))
}

/// Removes a member of the first build's document, and signs it again.
pub fn undocument(chain: &mut Chain, path: &[&str]) -> Option<()> {
    let id = first_build(chain)?;
    document_of(chain, &id, |document| remove(document, path))
}

/// Publishes other bytes as the first build's document, signed by its worker.
pub fn document_bytes(chain: &mut Chain, change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) -> Option<()> {
    let id = first_build(chain)?;
    let task = chain.task(&id)?;
    let (bytes, implementation) = (task.document.as_ref()?.bytes(), task.implementation);
    let bytes = change(bytes)?;
    let signature = chain.keys.signing_key(implementation).sign(&bytes).as_bytes().to_vec();
    *chain.signature_mut(&id)? = signature;
    chain.artifacts_mut(&id)?.insert(DOCUMENT.into(), Artifact::new(bytes, "text/plain; charset=utf-8"));
    Some(())
}

/// Replaces the first `from` by `to` in the first build's document, and signs it again.
pub fn document_text(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    document_bytes(chain, |bytes| {
        let text = String::from_utf8(bytes).ok()?;
        text.contains(from).then(|| text.replacen(from, to, 1).into_bytes())
    })
}

/// Signs the first build's document with the key of another implementation.
pub fn sign_as(chain: &mut Chain, implementation: Implementation) -> Option<()> {
    let id = first_build(chain)?;
    let keys = chain.keys.clone();
    let document = chain.tasks.get_mut(&id)?.document.as_mut()?;
    document.sign(keys.signing_key(implementation));
    Some(())
}

/// Removes the first build's document, its signature, or both.
pub fn unpublish(chain: &mut Chain, names: &[&str]) -> Option<()> {
    let id = first_build(chain)?;
    unpublish_from(chain, &id, names)
}

/// Removes a task's document, its signature, or both.
pub fn unpublish_from(chain: &mut Chain, id: &str, names: &[&str]) -> Option<()> {
    let written = chain.tasks.get_mut(id)?.document.take()?;
    let (bytes, signed) = (written.bytes(), written.signature);
    let artifacts = chain.artifacts_mut(id)?;
    for (name, bytes) in [(DOCUMENT, bytes), (SIGNATURE, signed)] {
        if !names.contains(&name) {
            artifacts.insert(name.into(), Artifact::new(bytes, "text/plain"));
        }
    }
    Some(())
}

/// Flips a bit of an artifact of the first build without changing its document.
pub fn alter(chain: &mut Chain, name: &str) -> Option<()> {
    bytes_of(chain, name, |bytes| {
        let middle = bytes.len().checked_div(2)?;
        *bytes.get_mut(middle)? ^= 1;
        Some(())
    })
}

/// Changes the bytes of an artifact of the first build without changing its document.
pub fn bytes_of(
    chain: &mut Chain,
    name: &str,
    change: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let id = first_build(chain)?;
    let artifact = chain.artifact_mut(&id, name)?;
    let Body::Bytes(bytes) = &artifact.body else { return None };
    let mut bytes = bytes.to_vec();
    change(&mut bytes)?;
    artifact.body = bytes.into();
    Some(())
}

/// Changes a published text of a task, with a signed digest.
pub fn published(
    chain: &mut Chain,
    id: &str,
    name: &str,
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<()> {
    let artifact = chain.artifact_mut(id, name)?;
    let Body::Bytes(bytes) = &artifact.body else { return None };
    let before = std::str::from_utf8(bytes).ok()?;
    let after = change(before)?;
    if after == before {
        return None;
    }
    artifact.body = after.into();
    chain.reseal(id).ok()?.then_some(())
}

/// Changes a parent's graph, with a signed digest.
pub fn graph(chain: &mut Chain, parent: &str, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let mut graph = None;
    published(chain, parent, GRAPH, |text| {
        let mut value = json(text)?;
        change(&mut value)?;
        Some(graph.insert(value).to_pretty())
    })
}

/// Changes the first build's entry in its graph, and nothing else.
pub fn entry(chain: &mut Chain, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let id = first_build(chain)?;
    let parent = parent_of(chain, &id)?;
    graph(chain, &parent, |graph| change(graph.get_mut(&id)?))
}

/// Sets a member of the first build's definition in its graph, and nowhere else.
pub fn graph_entry(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    entry(chain, |entry| set(entry.get_mut("task")?, path, new))
}

/// Changes a task in all places: the queue, its parent's graph, its own document.
pub fn edit(chain: &mut Chain, id: &str, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    only(chain, id, &change)?;
    let parent = parent_of(chain, id)?;
    graph(chain, &parent, |graph| change(graph.get_mut(id)?.get_mut("task")?))
}

/// Changes a task in the queue and in its own document, and not in its graph.
pub fn only(chain: &mut Chain, id: &str, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    change(chain.definition_mut(id)?)?;
    chain.redocument(id);
    Some(())
}

/// Replaces the paths of the target's first optional entry.
pub fn patterns(chain: &mut Chain, paths: impl Into<Value>) -> Option<()> {
    let paths = paths.into();
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        let entry = entries.iter_mut().find(|entry| entry.get("optional").is_some())?;
        set(entry, &["paths"], paths.clone())
    })
}

/// Replaces `from` by `to` in a task in all places.
pub fn edit_text(chain: &mut Chain, id: &str, from: &str, to: &str) -> Option<()> {
    edit(chain, id, |task| replace_in(task, from, to))
}

/// Replaces `from` by `to` in a value's text; it must be present.
pub fn replace_in(value: &mut Value, from: &str, to: &str) -> Option<()> {
    let text = value.to_string();
    if !text.contains(from) {
        return None;
    }
    *value = json(&text.replace(from, to))?;
    Some(())
}

/// Sets a member of the first build in all places.
pub fn build(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let (id, new) = (first_build(chain)?, new.into());
    edit(chain, &id, |task| set(task, path, new.clone()))
}

/// Removes a member of the first build in all places.
pub fn unbuild(chain: &mut Chain, path: &[&str]) -> Option<()> {
    let id = first_build(chain)?;
    edit(chain, &id, |task| remove(task, path))
}

/// Sets a member of the first build in the queue and its own document, and not in the graph.
pub fn build_only(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let id = first_build(chain)?;
    only(chain, &id, |task| set(task, path, new))
}

/// Sets a member of the first decision task in the queue and in its own document.
pub fn decision(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let id = first_decision(chain)?;
    only(chain, &id, |task| set(task, path, new))
}

/// Sets a member of the task that made the target in the queue and in its own document.
pub fn parent(chain: &mut Chain, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let id = target_parent(chain)?;
    only(chain, &id, |task| set(task, path, new))
}

/// Changes the target in all places.
pub fn target(chain: &mut Chain, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    let id = chain.target.clone();
    edit(chain, &id, change)
}

/// Makes another task of the chain the target, which has run.
pub fn ask_about(chain: &mut Chain, id: &str, kind: &str) -> Option<()> {
    chain.task(id)?.document.as_ref()?;
    (chain.target, chain.kind, chain.check_target) = (id.to_owned(), kind.to_owned(), true);
    Some(())
}

/// Adds a file to a task, with an entry in its signed document.
pub fn make(chain: &mut Chain, id: &str, name: &str) -> Option<()> {
    let artifact = Artifact::new(format!("made as {name}"), "application/octet-stream");
    chain.artifacts_mut(id)?.insert(name.to_owned(), artifact);
    chain.reseal(id).ok()?.then_some(())
}

/// Sets a member of the first entry of the target's upstream artifacts.
pub fn upstream(chain: &mut Chain, key: &str, new: impl Into<Value>) -> Option<()> {
    let new = new.into();
    target(chain, |task| set(task, &["payload", "upstreamArtifacts", "0", key], new.clone()))
}

/// Sets a member of the first build's latest run in the queue.
pub fn run(chain: &mut Chain, key: &str, new: impl Into<Value>) -> Option<()> {
    let id = first_build(chain)?;
    run_of(chain, &id, key, new)
}

/// Sets a member of a task's latest run in the queue.
pub fn run_of(chain: &mut Chain, id: &str, key: &str, new: impl Into<Value>) -> Option<()> {
    let runs = inside(chain.status_mut(id)?, &["status", "runs"])?.as_array_mut()?;
    set(runs.last_mut()?, &[key], new)
}

/// Sets the state of a task's latest run, and everything in the queue that follows from it.
pub fn run_is(chain: &mut Chain, id: &str, state: &str) -> Option<()> {
    let status = inside(chain.status_mut(id)?, &["status"])?;
    set(status, &["state"], state)?;
    let run = inside(status, &["runs"])?.as_array_mut()?.last_mut()?.as_object_mut()?;
    run.insert("state", state.into());
    let gone: &[&str] = match state {
        "pending" => &["started", "workerGroup", "workerId", "takenUntil", "resolved", "reasonResolved"],
        "running" => &["resolved", "reasonResolved"],
        _ => &[],
    };
    gone.iter().for_each(|key| drop(run.remove(key)));
    if gone.is_empty() {
        let reason = if state == "exception" { "internal-error" } else { state };
        run.insert("reasonResolved", reason.into());
    }
    Some(())
}

/// Replaces `from` by `to` in everything that the queue states about a task, and in its document. Times
/// in this form are its creation, its deadline and expiry on other days, and those of its runs.
pub fn retimed(chain: &mut Chain, id: &str, from: &str, to: &str) -> Option<()> {
    only(chain, id, |task| replace_in(task, from, to))?;
    replace_in(chain.status_mut(id)?, from, to)
}

/// Sets members of one of a task's runs in the queue.
pub fn run_has(chain: &mut Chain, id: &str, run: &str, members: &[(&str, &str)]) -> Option<()> {
    let run = inside(chain.status_mut(id)?, &["status", "runs", run])?;
    members.iter().try_for_each(|(key, value)| set(run, &[key], *value))
}

/// Makes both runs of the docker-image task of a chain that was [retried](crate::valid::retried) completed ones.
pub fn completed_twice(chain: &mut Chain) -> Option<()> {
    let id = chain.images.first()?.clone();
    run_has(chain, &id, "0", &[("state", "completed"), ("reasonResolved", "completed")])?;
    run_has(chain, &id, "1", &[("reasonCreated", "rerun")])
}

/// Pages whose address contains `part`; `None` if there are none.
pub fn pages<'a>(chain: &'a mut Chain, part: &'a str) -> Option<impl Iterator<Item = &'a mut Page>> {
    let mut found = chain.pages.iter_mut().filter(move |(url, _)| url.contains(part)).peekable();
    found.peek().is_some().then(|| found.map(|(_, page)| page))
}

/// Replaces the text of pages.
pub fn page_is(chain: &mut Chain, part: &str, text: &'static str) -> Option<()> {
    pages(chain, part)?.for_each(|page| page.body = text.into());
    Some(())
}

/// Makes hosts answer, each in its own form, that pages do not exist.
pub fn page_missing(chain: &mut Chain, part: &str) -> Option<()> {
    pages(chain, part).is_some().then_some(())?;
    for (url, page) in chain.pages.iter_mut().filter(|(url, _)| url.contains(part)) {
        *page = Page::missing(url);
    }
    Some(())
}

/// Makes another service answer in place of pages, with a status and a body.
pub fn page_answers(chain: &mut Chain, part: &str, status: u16, body: &'static str) -> Option<()> {
    pages(chain, part)?.for_each(|page| *page = Page { body: body.into(), ..Page::status(status) });
    Some(())
}

/// Replaces `from` by `to` in pages; at least one must contain it.
pub fn replace_page(chain: &mut Chain, part: &str, from: &str, to: &str) -> Option<()> {
    let mut found = false;
    pages(chain, part)?.for_each(|page| found |= replace(&mut page.body, from, to));
    found.then_some(())
}

/// Replaces `from` by `to`; bodies that are not text, or do not contain it, stay unchanged.
fn replace(body: &mut Body, from: &str, to: &str) -> bool {
    if let Body::Bytes(bytes) = &*body
        && let Ok(text) = std::str::from_utf8(bytes)
        && text.contains(from)
    {
        *body = text.replace(from, to).into();
        return true;
    }
    false
}

/// Replaces `from` by `to` in all data, and signs every document again.
pub fn everywhere(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let ids: Vec<String> = chain.tasks.keys().cloned().collect();
    for id in ids {
        let definition = chain.definition_mut(&id)?;
        *definition = json(&definition.to_string().replace(from, to))?;
        for artifact in chain.artifacts_mut(&id)?.values_mut() {
            replace(&mut artifact.body, from, to);
        }
        chain.redocument(&id);
        chain.reseal(&id).ok()?;
    }
    for (url, mut page) in std::mem::take(&mut chain.pages) {
        replace(&mut page.body, from, to);
        chain.pages.insert(url.replace(from, to), page);
    }
    Some(())
}

/// An empty object.
#[must_use]
pub fn empty() -> Value {
    Value::Object(Map::new())
}

/// The first link of a kind, in the order of the chain.
#[must_use]
pub fn link_of(chain: &Chain, kind: &str) -> Option<String> {
    let links = chain.links().into_iter();
    links.filter(|link| link.name.rsplit(':').next() == Some(kind)).map(|link| link.task_id).next()
}

/// A build: 0 is docker-worker's, 1 generic-worker's with docker-worker's payload, 2 generic-worker's own.
#[must_use]
pub fn nth_build(chain: &Chain, number: usize) -> Option<String> {
    chain.builds.get(number).cloned()
}

/// Sets a member of a task in all places.
pub fn edit_at(chain: &mut Chain, id: &str, path: &[&str], new: impl Into<Value>) -> Option<()> {
    let new = new.into();
    edit(chain, id, |task| set(task, path, new.clone()))
}

/// Removes a member of a task in all places.
pub fn edit_out(chain: &mut Chain, id: &str, path: &[&str]) -> Option<()> {
    edit(chain, id, |task| remove(task, path))
}

/// Moves a task to another worker pool, in all places.
pub fn pool(chain: &mut Chain, id: &str, provisioner: &str, worker_type: &str) -> Option<()> {
    edit(chain, id, |task| in_pool(task, provisioner, worker_type))
}

/// Names another worker pool in a definition.
pub fn in_pool(task: &mut Value, provisioner: &str, worker_type: &str) -> Option<()> {
    set(task, &["provisionerId"], provisioner)?;
    set(task, &["workerType"], worker_type)?;
    set(task, &["taskQueueId"], format!("{provisioner}/{worker_type}"))
}

/// Replaces `from` by `to` in the in-tree templates on Mercurial, and changes every task that was
/// rendered from them accordingly.
pub fn in_tree(
    chain: &mut Chain,
    from: &str,
    to: &str,
    change: impl Fn(&mut Value) -> Option<()>,
) -> Option<()> {
    replace_page(chain, "/raw-file/", from, to)?;
    let parents: Vec<String> = chain.decisions.iter().chain(&chain.action).cloned().collect();
    parents.iter().try_for_each(|id| only(chain, id, &change))
}

/// Copies pages to the addresses and texts with `to` in place of `from`, so that both exist.
pub fn mirror_pages(chain: &mut Chain, from: &str, to: &str) {
    let copied = chain.pages.iter().filter(|(url, _)| url.contains(from)).map(|(url, page)| {
        let mut page = page.clone();
        replace(&mut page.body, from, to);
        (url.replace(from, to), page)
    });
    let copied: Vec<(String, Page)> = copied.collect();
    chain.pages.extend(copied);
}

/// Replaces `from` by `to` in one graph: its decision task, its tasks, their artifacts, and the answers
/// about its sources.
pub fn graph_everywhere(chain: &mut Chain, decision: &str, from: &str, to: &str) -> Option<()> {
    let in_group = |task: &Value| task.get("taskGroupId").and_then(Value::as_str) == Some(decision);
    let ids = chain.tasks.iter().filter(|(_, task)| in_group(&task.definition));
    let ids: Vec<String> = ids.map(|(id, _)| id.clone()).collect();
    let mut found = false;
    for id in ids {
        let definition = chain.definition_mut(&id)?;
        found |= replace_in(definition, from, to).is_some();
        for artifact in chain.artifacts_mut(&id)?.values_mut() {
            replace(&mut artifact.body, from, to);
        }
        chain.redocument(&id);
        chain.reseal(&id).ok()?;
    }
    mirror_pages(chain, from, to);
    found.then_some(())
}

/// Adds a project to `projects.yml`.
pub fn project(chain: &mut Chain, text: &str) -> Option<()> {
    for page in pages(chain, "projects.yml")? {
        let Body::Bytes(bytes) = &page.body else { return None };
        page.body = format!("{}{text}", std::str::from_utf8(bytes).ok()?).into();
    }
    Some(())
}

/// Adds all tasks and pages of another chain; the same workers ran them.
pub fn graft(chain: &mut Chain, other: Chain) {
    let ids: Vec<String> = other.tasks.keys().cloned().collect();
    chain.tasks.extend(other.tasks);
    for (url, page) in other.pages {
        chain.pages.entry(url).or_insert(page);
    }
    for id in ids {
        chain.resign(&id);
    }
}

/// Makes the first build run in an image of another chain, which is added.
pub fn image_of(chain: &mut Chain, mut other: Chain) -> Option<()> {
    let (id, image) = (first_build(chain)?, other.images.first()?.clone());
    let path = &["artifacts", "public/image.tar.zst", "sha256"];
    let hash = format!("sha256:{}", inside(other.document_mut(&image)?, path)?.as_str()?);
    graft(chain, other);
    edit(chain, &id, |task| {
        set(task, &["payload", "image", "taskId"], image.as_str())?;
        set(task, &["extra", "chainOfTrust", "inputs", "docker-image"], image.as_str())
    })?;
    document_of(chain, &id, |document| set(document, &["environment", "imageArtifactHash"], hash))
}

/// The text of a body, if it is one.
#[must_use]
pub fn text(body: &Body) -> Option<&str> {
    let Body::Bytes(bytes) = body else { return None };
    std::str::from_utf8(bytes).ok()
}

/// The repository of enterprise's second sources.
const COMM: &str = "https://github.com/thunderbird/thunderbird-desktop";

/// Makes a chain of enterprise one of its second product: everything is made from two repositories, of
/// which the one with the second prefix contains the sources, and the other one the template.
pub fn second_sources(chain: &mut Chain) -> Option<()> {
    const GECKO: &str = "https://github.com/mozilla/enterprise-firefox";
    mirror_pages(chain, "mozilla/enterprise-firefox", "thunderbird/thunderbird-desktop");
    for id in chain.decisions.clone() {
        template_of(chain, &id, |text| {
            let (source, env) = ("source: ${repo}/raw/", "  GECKO_REPOSITORY_TYPE: git\n");
            let both = text.contains(source) && text.contains(env);
            let text = text.replace(source, &format!("source: {COMM}/raw/"));
            let more = format!("  COMM_HEAD_REPOSITORY: {COMM}\n                {env}");
            both.then(|| text.replace(env, &more))
        })?;
    }
    for part in ["/blob/", "/raw/"] {
        everywhere(chain, &format!("{GECKO}{part}"), &format!("{COMM}{part}"))?;
    }
    for colon in [":", ": "] {
        let names = format!("\"GECKO_HEAD_REPOSITORY\"{colon}\"{GECKO}\"");
        everywhere(chain, &names, &format!("\"COMM_HEAD_REPOSITORY\"{colon}\"{COMM}\",{names}"))?;
    }
    Some(())
}
