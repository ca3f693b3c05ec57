//! Dishonest chains: an honest one, one thing changed, the code of the finding that names the cause.

use crate::honest::release;
use catena_json::{Limits, Map, Value, parse};
use catena_testbed::chain::{DOCUMENT, Images, Implementation, Scope};
use catena_testbed::{Artifact, Body, Chain, Page, Release, Trigger};

const GRAPH: &str = "public/task-graph.json";

/// One way to be dishonest.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    /// What is changed.
    pub(crate) release: fn() -> Release,
    pub(crate) make: fn(&mut Chain),
    /// The finding that names the cause.
    pub(crate) code: &'static str,
}

pub(crate) const fn change(
    name: &'static str,
    release: fn() -> Release,
    make: fn(&mut Chain),
    code: &'static str,
) -> Change {
    Change { name, release, make, code }
}

/// All of them: signatures, documents, artifacts, graphs, parents, images, workers, trees, the chain.
pub(crate) const CHANGES: &[Change] = &[
    change("signature bit", push, signature_bit, "signature-unknown-key"),
    change("signature cut off", push, |c| signature(c).truncate(63), "signature-truncated"),
    change("signature empty", push, |c| signature(c).clear(), "signature-empty"),
    change("key of another worker", push, other_key, "signature-other-implementation"),
    change(
        "document of another task",
        push,
        |c| document(c, &["taskId"], "AAAAAAAAQACAAAAAAAAAAA"),
        "document-of-another-task",
    ),
    change("document of another run", push, |c| document(c, &["runId"], 1_i64), "document-of-another-run"),
    change(
        "document of another worker",
        push,
        |c| document(c, &["workerId"], "i-0"),
        "document-of-another-worker",
    ),
    change(
        "document's task",
        push,
        |c| document(c, &["task", "payload", "maxRunTime"], 1_i64),
        "document-task-differs",
    ),
    change("document's version", push, |c| document(c, &["chainOfTrustVersion"], 2_i64), "document-version"),
    change(
        "document without artifacts",
        push,
        |c| document(c, &["artifacts"], Map::new()),
        "artifact-unlisted",
    ),
    change("document cut off", push, cut_document, "document-not-json"),
    change("artifact altered", push, alter_artifact, "artifact-altered"),
    change("artifact gone", push, remove_artifact, "artifact-missing"),
    change("optional artifact altered", globs, alter_optional, "artifact-altered-optional"),
    change(
        "graph: other scope",
        push,
        |c| graph_entry(c, &["scopes"], Vec::new()),
        "graph-definition-differs",
    ),
    change(
        "graph: other command",
        push,
        |c| graph_entry(c, &["payload", "command"], Vec::new()),
        "graph-definition-differs",
    ),
    change("graph: lacks the task", push, lack_entry, "graph-lacks-task"),
    change("graph: no object", push, |c| replace_graph(c, Value::from(Vec::new())), "graph-unreadable"),
    change("dependency added", push, add_dependency, "graph-dependencies-added"),
    change(
        "environment added",
        push,
        |c| build_only(c, &["payload", "env", "EXTRA"], "1"),
        "graph-definition-differs",
    ),
    change(
        "task route added",
        push,
        |c| build_only(c, &["routes"], vec![Value::from("index.x")]),
        "graph-definition-differs",
    ),
    change(
        "decision's command",
        push,
        |c| decision(c, &["payload", "command"], Vec::new()),
        "rebuild-differs",
    ),
    change("decision's image", push, |c| decision(c, &["payload", "image"], "debian:12"), "rebuild-differs"),
    change("decision's pool", push, decision_pool, "worker-pool-decision"),
    change(
        "decision for nothing known",
        push,
        |c| decision(c, &["extra", "tasks_for"], "hg-tag"),
        "rebuild-tasks-for",
    ),
    change(
        "decision's scopes",
        cron,
        |c| decision(c, &["scopes"], vec![Value::from("*")]),
        "rebuild-differs",
    ),
    change("cron job's arguments", cron, cron_arguments, "rebuild-differs"),
    change(
        "pushed by another",
        push,
        |c| replace_page(c, "json-pushes", "release-duty@", "somebody@"),
        "rebuild-differs",
    ),
    change("push unknown", push, |c| page_gone(c, "json-pushes"), "rebuild-unknown-to-vcs"),
    change("template gone", push, |c| page_gone(c, ".taskcluster.yml"), "rebuild-template-missing"),
    change(
        "template without tasks",
        push,
        |c| page_is(c, ".taskcluster.yml", "version: 1\ntasks: []\n"),
        "rebuild-no-tasks",
    ),
    change(
        "template not YAML",
        push,
        |c| page_is(c, ".taskcluster.yml", "tasks: ["),
        "rebuild-template-malformed",
    ),
    change(
        "release of another tag",
        tag,
        |c| replace_page(c, "releases/tags", "\"v151.0\"", "\"v150.0\""),
        "rebuild-answer-about-another",
    ),
    change(
        "pull request of another branch",
        pull_request,
        |c| replace_page(c, "/pulls/", "\"faster\"", "\"slower\""),
        "rebuild-differs",
    ),
    change(
        "action unknown",
        action,
        |c| parent(c, &["payload", "env", "ACTION_CALLBACK"], "other"),
        "rebuild-action-unknown",
    ),
    change(
        "action's input",
        action,
        |c| parent(c, &["payload", "env", "ACTION_INPUT"], "{}"),
        "rebuild-differs",
    ),
    change(
        "action's group",
        action,
        |c| parent(c, &["payload", "env", "ACTION_TASK_GROUP_ID"], "AAAAAAAAQACAAAAAAAAAAA"),
        "rebuild-action-group",
    ),
    change(
        "action's permission",
        action,
        |c| parent(c, &["scopes"], vec![Value::from("assume:*")]),
        "rebuild-differs",
    ),
    change("image pool", push, image_pool, "worker-pool-docker-image"),
    change("image of other bytes", push, other_image, "image-differs"),
    change(
        "image unsaid",
        push,
        |c| remove_member(c, &["environment"], "imageArtifactHash"),
        "image-hash-missing",
    ),
    change("image not declared", push, undeclared_image, "image-not-declared"),
    change("prebuilt image", prebuilt, |_| (), "image-prebuilt"),
    change("indexed image", indexed, |_| (), "image-indexed"),
    change(
        "interactive",
        push,
        |c| build(c, &["payload", "features", "interactive"], true),
        "interactive-found",
    ),
    change(
        "interactive by environment",
        push,
        |c| build(c, &["payload", "env", "TASKCLUSTER_INTERACTIVE"], "true"),
        "interactive-found",
    ),
    change("no features", push, no_features, "interactive-untold"),
    change(
        "two implementations",
        push,
        |c| build(c, &["payload", "osGroups"], Vec::new()),
        "worker-implementation-ambiguous",
    ),
    change(
        "implementation unknown",
        push,
        |c| build(c, &["tags", "worker-implementation"], "pigeon"),
        "worker-implementation-ambiguous",
    ),
    change("signed by a builder", push, |c| upstream_kind(c, "signing"), "kind-needs-scriptworker"),
    change("kind unknown", push, |c| upstream_kind(c, "mystery"), "kind-unknown"),
    change(
        "source elsewhere",
        push,
        |c| build(c, &["metadata", "source"], "https://example.org/mozilla-central/file/0/x"),
        "source-outside-repository",
    ),
    change("sibling of another tree", push, sibling, "tree-sibling"),
    change("scope of another tree", beta_scope, |_| (), "tree-scope"),
    change("everything from try", push, |c| everywhere(c, "mozilla-central", "try"), "tree-scope"),
    change("pull request with a release's scope", release_scope, |_| (), "pull-request-tasks-for"),
    change(
        "commit on no branch",
        mobile,
        |c| page_is(c, "branch_commits", "\n\n"),
        "pull-request-not-landed",
    ),
    change(
        "repository of somebody else",
        mobile,
        |c| everywhere(c, "mozilla-mobile", "somebody"),
        "tree-scope",
    ),
    change("too deep", || Release { depth: 11, builds: 1, ..push() }, |_| (), "chain-too-deep"),
    change("task unknown", push, task_unknown, "task-unknown"),
];

pub(crate) fn push() -> Release {
    release("firefox", Trigger::Push)
}

fn cron() -> Release {
    release("firefox", Trigger::Cron)
}

pub(crate) fn action() -> Release {
    release("firefox", Trigger::Action)
}

pub(crate) fn mobile() -> Release {
    release("mobile", Trigger::Push)
}

pub(crate) fn tag() -> Release {
    release("mobile", Trigger::Release)
}

fn pull_request() -> Release {
    release("mobile", Trigger::PullRequest)
}

pub(crate) fn globs() -> Release {
    Release { optional_and_globs: true, ..push() }
}

fn prebuilt() -> Release {
    Release { images_from: Images::Prebuilt, ..push() }
}

fn indexed() -> Release {
    Release { images_from: Images::Indexed, ..push() }
}

fn beta_scope() -> Release {
    Release { scope: Scope::Exactly("project:releng:signing:cert:release-signing".into()), ..push() }
}

fn release_scope() -> Release {
    let scope = "project:mobile:reference-browser:releng:signing:cert:release-signing";
    Release { scope: Scope::Exactly(scope.into()), ..pull_request() }
}

/// A docker-worker's build, whose image another task made.
pub(crate) fn first_build(chain: &Chain) -> String {
    chain.builds[0].clone()
}

/// The task that made the target: an action task if there is one.
pub(crate) fn target_parent(chain: &Chain) -> String {
    chain.action.clone().unwrap_or_else(|| chain.decisions[0].clone())
}

/// Sets a member, which may be new; its parent must be there.
pub(crate) fn set(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    let (last, parents) = path.split_last().unwrap();
    let place = parents.iter().fold(value, |value, key| value.get_mut(key).unwrap());
    place.as_object_mut().unwrap().insert(*last, new.into());
}

pub(crate) fn signature(chain: &mut Chain) -> &mut Vec<u8> {
    let id = first_build(chain);
    chain.signature_mut(&id).unwrap()
}

fn signature_bit(chain: &mut Chain) {
    signature(chain)[5] ^= 1;
}

fn other_key(chain: &mut Chain) {
    let id = first_build(chain);
    let key = chain.keys.clone();
    let document = chain.tasks.get_mut(&id).unwrap().document.as_mut().unwrap();
    document.sign(key.signing_key(Implementation::Scriptworker));
}

/// Changes what the first build's worker says.
pub(crate) fn document(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let id = first_build(chain);
    set(chain.document_mut(&id).unwrap(), path, new);
    chain.resign(&id);
}

fn remove_member(chain: &mut Chain, path: &[&str], name: &str) {
    let id = first_build(chain);
    let document = chain.document_mut(&id).unwrap();
    let place = path.iter().fold(document, |value, key| value.get_mut(key).unwrap());
    assert!(place.as_object_mut().unwrap().remove(name).is_some());
    chain.resign(&id);
}

fn cut_document(chain: &mut Chain) {
    let id = first_build(chain);
    let mut bytes = chain.task(&id).unwrap().document.as_ref().unwrap().bytes();
    bytes.truncate(bytes.len() / 2);
    let signature = chain.keys.signing_key(Implementation::DockerWorker).sign(&bytes);
    *chain.signature_mut(&id).unwrap() = signature.as_bytes().to_vec();
    let artifacts = chain.artifacts_mut(&id).unwrap();
    artifacts.insert(DOCUMENT.into(), Artifact::new(bytes, "text/plain"));
}

/// A build's first artifact, which the target wants.
const ARTIFACT: &str = "public/build/target.tar.xz";

fn alter_artifact(chain: &mut Chain) {
    alter(chain, ARTIFACT);
}

fn alter_optional(chain: &mut Chain) {
    // Wanted by nothing but patterns and the entries of optional paths.
    let target = chain.target.clone();
    edit(chain, &target, |task| {
        let entries = task.get_mut("payload").unwrap().get_mut("upstreamArtifacts").unwrap();
        let entries = entries.as_array_mut().unwrap();
        entries.retain(|entry| entry.get("optional").is_some());
    });
    alter(chain, "public/build/target.langpack.xpi");
}

fn alter(chain: &mut Chain, name: &str) {
    let id = first_build(chain);
    let artifact = chain.artifact_mut(&id, name).unwrap();
    let Body::Bytes(bytes) = &artifact.body else { panic!("{name} is not in memory") };
    let mut bytes = bytes.to_vec();
    bytes[7] ^= 1;
    artifact.body = bytes.into();
}

fn remove_artifact(chain: &mut Chain) {
    let id = first_build(chain);
    chain.artifacts_mut(&id).unwrap().remove(ARTIFACT).unwrap();
}

fn json(body: &Body) -> Value {
    let Body::Bytes(bytes) = body else { panic!("not in memory") };
    parse(bytes, &Limits::default()).unwrap()
}

/// The parent that has the task in its graph.
pub(crate) fn parent_of(chain: &Chain, id: &str) -> String {
    let parent = chain.definition(id).unwrap().pointer(&["extra", "parent"]).unwrap();
    parent.as_str().unwrap().to_owned()
}

/// Changes a parent's graph, which its document then vouches for.
pub(crate) fn graph(chain: &mut Chain, parent: &str, change: impl FnOnce(&mut Value)) {
    let artifact = chain.artifact_mut(parent, GRAPH).unwrap();
    let mut graph = json(&artifact.body);
    change(&mut graph);
    artifact.body = graph.to_pretty().into();
    chain.reseal(parent).unwrap();
}

pub(crate) fn graph_entry(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let id = first_build(chain);
    let parent = parent_of(chain, &id);
    graph(chain, &parent, |graph| set(graph.get_mut(&id).unwrap().get_mut("task").unwrap(), path, new));
}

fn lack_entry(chain: &mut Chain) {
    let id = first_build(chain);
    let parent = parent_of(chain, &id);
    graph(chain, &parent, |graph| drop(graph.as_object_mut().unwrap().remove(&id).unwrap()));
}

fn replace_graph(chain: &mut Chain, value: Value) {
    let parent = parent_of(chain, &first_build(chain));
    graph(chain, &parent, |graph| *graph = value);
}

/// Changes a task wherever it is told of: the queue, its parent's graph, its own document.
pub(crate) fn edit(chain: &mut Chain, id: &str, change: impl Fn(&mut Value)) {
    change(chain.definition_mut(id).unwrap());
    chain.redocument(id);
    let parent = parent_of(chain, id);
    graph(chain, &parent, |graph| change(graph.get_mut(id).unwrap().get_mut("task").unwrap()));
}

/// Changes the first build everywhere.
pub(crate) fn build(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let (id, new) = (first_build(chain), new.into());
    edit(chain, &id, |task| set(task, path, new.clone()));
}

/// Changes the first build in the queue and its own document, and not in the graph.
pub(crate) fn build_only(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let id = first_build(chain);
    definition(chain, &id, path, new);
}

fn definition(chain: &mut Chain, id: &str, path: &[&str], new: impl Into<Value>) {
    set(chain.definition_mut(id).unwrap(), path, new);
    chain.redocument(id);
}

fn add_dependency(chain: &mut Chain) {
    let (id, other) = (first_build(chain), chain.builds[1].clone());
    let dependencies = chain.definition_mut(&id).unwrap().get_mut("dependencies").unwrap();
    dependencies.as_array_mut().unwrap().push(other.into());
    chain.redocument(&id);
}

pub(crate) fn decision(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let id = chain.decisions[0].clone();
    definition(chain, &id, path, new);
}

pub(crate) fn parent(chain: &mut Chain, path: &[&str], new: impl Into<Value>) {
    let id = target_parent(chain);
    definition(chain, &id, path, new);
}

fn decision_pool(chain: &mut Chain) {
    decision(chain, &["workerType"], "b-linux-gcp");
    decision(chain, &["taskQueueId"], "gecko-3/b-linux-gcp");
}

fn cron_arguments(chain: &mut Chain) {
    let id = chain.decisions[0].clone();
    let cron = chain.definition(&id).unwrap().pointer(&["extra", "cron"]).unwrap();
    let cron = cron.as_str().unwrap().replace("nightly", "weekly");
    decision(chain, &["extra", "cron"], cron);
}

/// Pages whose address has `part` in it.
fn pages<'a>(chain: &'a mut Chain, part: &'a str) -> impl Iterator<Item = &'a mut Page> {
    let mut found = chain.pages.iter_mut().filter(move |(url, _)| url.contains(part)).peekable();
    assert!(found.peek().is_some(), "no page has {part} in its address");
    found.map(|(_, page)| page)
}

fn page_is(chain: &mut Chain, part: &str, text: &'static str) {
    pages(chain, part).for_each(|page| page.body = text.into());
}

fn page_gone(chain: &mut Chain, part: &str) {
    pages(chain, part).for_each(|page| *page = Page::status(404));
}

pub(crate) fn replace_page(chain: &mut Chain, part: &str, from: &str, to: &str) {
    pages(chain, part).for_each(|page| replace(&mut page.body, from, to));
}

/// Puts `to` in place of `from`; bodies that are no text stay.
fn replace(body: &mut Body, from: &str, to: &str) {
    if let Body::Bytes(bytes) = &*body
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        *body = text.replace(from, to).into();
    }
}

fn image_pool(chain: &mut Chain) {
    let id = chain.images[0].clone();
    edit(chain, &id, |task| {
        set(task, &["workerType"], "b-linux-gcp");
        if task.get("taskQueueId").is_some() {
            set(task, &["taskQueueId"], "gecko-3/b-linux-gcp");
        }
    });
}

fn other_image(chain: &mut Chain) {
    let digest = format!("sha256:{}", "0".repeat(64));
    document(chain, &["environment", "imageArtifactHash"], digest);
}

fn undeclared_image(chain: &mut Chain) {
    let other = chain.builds[1].clone();
    build(chain, &["payload", "image", "taskId"], other);
}

fn no_features(chain: &mut Chain) {
    let id = first_build(chain);
    edit(chain, &id, |task| {
        drop(task.get_mut("payload").unwrap().as_object_mut().unwrap().remove("features"));
    });
}

fn upstream_kind(chain: &mut Chain, kind: &'static str) {
    upstream_entry(chain, "taskType", kind);
}

/// Changes the first entry of the target's upstream artifacts.
pub(crate) fn upstream_entry(chain: &mut Chain, key: &str, new: impl Into<Value>) {
    let (target, new) = (chain.target.clone(), new.into());
    edit(chain, &target, |task| {
        let entries = task.get_mut("payload").unwrap().get_mut("upstreamArtifacts").unwrap();
        set(&mut entries.as_array_mut().unwrap()[0], &[key], new.clone());
    });
}

/// A build of the target's graph that says its sources are another tree's.
fn sibling(chain: &mut Chain) {
    let id = first_build(chain);
    edit(chain, &id, |task| {
        let text = task
            .to_string()
            .replace("hg.mozilla.org/mozilla-central", "hg.mozilla.org/releases/mozilla-beta");
        *task = parse(text.as_bytes(), &Limits::default()).unwrap();
    });
}

/// Puts `to` in place of `from` in all that is told, and lets every worker vouch for it.
fn everywhere(chain: &mut Chain, from: &str, to: &str) {
    let ids: Vec<String> = chain.tasks.keys().cloned().collect();
    for id in ids {
        let definition = chain.definition_mut(&id).unwrap();
        let text = definition.to_string().replace(from, to);
        *definition = parse(text.as_bytes(), &Limits::default()).unwrap();
        for artifact in chain.artifacts_mut(&id).unwrap().values_mut() {
            replace(&mut artifact.body, from, to);
        }
        chain.redocument(&id);
        chain.reseal(&id).unwrap();
    }
    for (url, mut page) in std::mem::take(&mut chain.pages) {
        replace(&mut page.body, from, to);
        chain.pages.insert(url.replace(from, to), page);
    }
}

fn task_unknown(chain: &mut Chain) {
    let id = first_build(chain);
    chain.tasks.remove(&id);
}
