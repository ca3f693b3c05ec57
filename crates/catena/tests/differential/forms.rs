//! More dishonest chains: in the form of documents and addresses, the fate of runs, and where things
//! say they come from.

use crate::changes::{
    Change, action, build, build_only, change, decision, document, edit, first_build, globs, graph_entry,
    mobile, parent, push, replace_page, set, signature, tag, target_parent, upstream_entry,
};
use catena_json::{Limits, Value, parse};
use catena_testbed::chain::{DOCUMENT, Images, SIGNATURE, Scope};
use catena_testbed::{Artifact, Body, Chain, Page, Release};

const ACTIONS: &str = "public/actions.json";

pub(crate) const CHANGES: &[Change] = &[
    change("signature gone", push, |c| gone(c, SIGNATURE), "signature-missing"),
    change("signature as text", push, |c| signature(c).extend_from_slice(b"more"), "signature-too-long"),
    change("document gone", push, |c| gone(c, DOCUMENT), "signature-without-document"),
    change("document with a line more", push, spaced_document, "signature-other-bytes"),
    change("document with a key twice", push, |c| document_text(c, twice), "document-duplicate-key"),
    change("document's run as text", push, |c| document(c, &["runId"], "0"), "document-malformed"),
    change("document without a hash", push, |c| entry(c, "{}"), "artifact-without-digest"),
    change("document with a weak hash", push, |c| entry(c, r#"{"md5":"0"}"#), "artifact-digest-malformed"),
    change("document's group", push, |c| document(c, &["workerGroup"], "x"), "document-of-another-worker"),
    change("path that climbs", push, |c| upstream_entry(c, "paths", paths("public/../x")), "artifact-name"),
    change(
        "document as an input",
        push,
        |c| upstream_entry(c, "paths", paths(DOCUMENT)),
        "artifact-reserved",
    ),
    change("pattern that is not optional", globs, no_optional, "artifact-glob-mandatory"),
    change("run failed", push, |c| run(c, "state", "failed"), "run-not-completed"),
    change("run still running", push, |c| run(c, "state", "running"), "run-not-completed"),
    change("run by another worker", push, |c| run(c, "workerId", "x"), "document-of-another-worker"),
    change("status of another task", push, other_status, "run-status-of-another-task"),
    change("two pools", push, |c| build(c, &["taskQueueId"], "gecko-1/x"), "definition-pool-contradiction"),
    change(
        "environment of numbers",
        push,
        |c| build(c, &["payload", "env", "A"], 1_i64),
        "definition-malformed",
    ),
    change(
        "later deadline",
        push,
        |c| build_only(c, &["deadline"], "2030-01-01T00:00:00.000Z"),
        "graph-times-differ",
    ),
    change(
        "time in another form",
        push,
        |c| build_only(c, &["created"], "2026-08-12T09:30:12Z"),
        "graph-created-malformed",
    ),
    change(
        "other scheduler",
        push,
        |c| build_only(c, &["schedulerId"], "other"),
        "graph-definition-additions",
    ),
    change("graph entry empty", push, |c| graph_entry(c, &["task"], Value::Null), "graph-definition-differs"),
    change(
        "null argument",
        push,
        |c| decision(c, &["payload", "cache", "x"], Value::Null),
        "rebuild-empty-values-added",
    ),
    change(
        "commit message",
        push,
        |c| decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "x"),
        "rebuild-push-comment",
    ),
    change(
        "short revision",
        push,
        |c| decision(c, &["payload", "env", "GECKO_HEAD_REV"], "abcdef"),
        "rebuild-revision",
    ),
    change(
        "release that is a draft",
        tag,
        |c| replace_page(c, "releases/tags", "\"draft\":false", "\"draft\":true"),
        "rebuild-release-draft",
    ),
    change("action for another revision", action, other_revision, "rebuild-action-source"),
    change(
        "action of another level",
        action,
        |c| actions(c, |text| text.replace("in-tree-action-3-", "in-tree-action-1-")),
        "rebuild-action-hook",
    ),
    change(
        "action of another permission",
        action,
        |c| actions(c, |text| text.replace("in-tree-action-3-generic", "in-tree-action-3-other")),
        "rebuild-action-hook",
    ),
    change(
        "action that is no hook",
        action,
        |c| actions(c, |text| text.replace("\"hook\"", "\"task\"")),
        "rebuild-action-kind",
    ),
    change("action twice", action, twice_in_actions, "rebuild-action-ambiguous"),
    change("action's input breaks its schema", action, input_of_another_type, "rebuild-action-input"),
    change(
        "image by tag",
        decision_by_tag,
        |c| decision(c, &["payload", "image"], "debian:12"),
        "image-not-pinned",
    ),
    change(
        "image of no known type",
        push,
        |c| build(c, &["payload", "image", "type"], "x"),
        "image-unknown-type",
    ),
    change("remote desktop", push, |c| build(c, &["payload", "rdpInfo"], "x"), "interactive-found"),
    change(
        "declared as a repackage",
        push,
        |c| upstream_entry(c, "taskType", "repackage"),
        "kind-declared-otherwise",
    ),
    change(
        "source with dots",
        push,
        |c| build(c, &["metadata", "source"], "https://hg.mozilla.org/mozilla-central/../try"),
        "source-malformed",
    ),
    change(
        "repository with a user",
        push,
        |c| {
            build(c, &["payload", "env", "GECKO_HEAD_REPOSITORY"], "https://a@hg.mozilla.org/mozilla-central")
        },
        "source-repository-malformed",
    ),
    change("repository that begins alike", mobile, lookalike, "tree-part-of-a-name"),
    change(
        "other sources from try",
        push,
        |c| build(c, &["payload", "env", "COMM_HEAD_REPOSITORY"], "https://hg.mozilla.org/try-comm-central"),
        "tree-other-source",
    ),
    change(
        "sibling of another revision",
        push,
        |c| build(c, &["payload", "env", "GECKO_HEAD_REV"], "0".repeat(40)),
        "tree-sibling-revision",
    ),
    change("scope that is broad", broad_scope, |_| (), "tree-broad-scope"),
    change("input of itself", push, cycle, "chain-cyclic"),
];

fn decision_by_tag() -> Release {
    Release { images_from: Images::OwnGraph, ..push() }
}

fn broad_scope() -> Release {
    Release { scope: Scope::Exactly("project:releng:signing:cert:*".into()), ..push() }
}

fn gone(chain: &mut Chain, name: &str) {
    let id = first_build(chain);
    let task = chain.tasks.get_mut(&id).unwrap();
    let Some(written) = task.document.take() else { panic!("it has run") };
    let bytes = written.bytes();
    let signed = written.signature.clone();
    let artifacts = chain.artifacts_mut(&id).unwrap();
    for (other, bytes) in [(DOCUMENT, bytes), (SIGNATURE, signed)] {
        if other != name {
            artifacts.insert(other.into(), Artifact::new(bytes, "text/plain"));
        }
    }
}

/// Changes the text of the first build's document, and signs it again.
fn document_text(chain: &mut Chain, change: fn(String) -> String) {
    let id = first_build(chain);
    let task = chain.task(&id).unwrap();
    let key = chain.keys.signing_key(task.implementation);
    let text = String::from_utf8(task.document.as_ref().unwrap().bytes()).unwrap();
    let bytes = change(text).into_bytes();
    *chain.signature_mut(&id).unwrap() = key.sign(&bytes).as_bytes().to_vec();
    chain.artifacts_mut(&id).unwrap().insert(DOCUMENT.into(), Artifact::new(bytes, "text/plain"));
}

fn twice(text: String) -> String {
    text.replacen("\"runId\": 0", "\"runId\": 0, \"runId\": 0", 1)
}

fn spaced_document(chain: &mut Chain) {
    let id = first_build(chain);
    let mut bytes = chain.task(&id).unwrap().document.as_ref().unwrap().bytes();
    bytes.push(b'\n');
    chain.artifacts_mut(&id).unwrap().insert(DOCUMENT.into(), Artifact::new(bytes, "text/plain"));
}

fn entry(chain: &mut Chain, text: &str) {
    let value = parse(text.as_bytes(), &Limits::default()).unwrap();
    document(chain, &["artifacts", "public/build/target.tar.xz"], value);
}

fn paths(path: &str) -> Value {
    Value::from(vec![Value::from(path)])
}

fn no_optional(chain: &mut Chain) {
    let target = chain.target.clone();
    edit(chain, &target, |task| {
        let entries = task.get_mut("payload").unwrap().get_mut("upstreamArtifacts").unwrap();
        for entry in entries.as_array_mut().unwrap() {
            entry.as_object_mut().unwrap().remove("optional");
        }
    });
}

/// Changes what the queue says of the first build's run.
fn run(chain: &mut Chain, key: &str, new: &str) {
    let id = first_build(chain);
    let runs = chain.status_mut(&id).unwrap().get_mut("status").unwrap().get_mut("runs").unwrap();
    set(runs.as_array_mut().unwrap().last_mut().unwrap(), &[key], new);
}

fn other_status(chain: &mut Chain) {
    let (id, other) = (first_build(chain), chain.builds[1].clone());
    set(chain.status_mut(&id).unwrap(), &["status", "taskId"], other);
}

fn other_revision(chain: &mut Chain) {
    let id = target_parent(chain);
    let revision = chain.definition(&id).unwrap().pointer(&["payload", "env", "GECKO_HEAD_REV"]).unwrap();
    let (revision, other) = (revision.as_str().unwrap().to_owned(), "0".repeat(40));
    let text = chain.definition(&id).unwrap().to_string().replace(&revision, &other);
    *chain.definition_mut(&id).unwrap() = parse(text.as_bytes(), &Limits::default()).unwrap();
    chain.redocument(&id);
}

/// Changes the decision task's actions, which its document then vouches for.
fn actions(chain: &mut Chain, change: impl Fn(&str) -> String) {
    let id = chain.decisions[0].clone();
    let artifact = chain.artifact_mut(&id, ACTIONS).unwrap();
    let Body::Bytes(bytes) = &artifact.body else { panic!("not in memory") };
    let before = std::str::from_utf8(bytes).unwrap().to_owned();
    let after = change(&before);
    assert_ne!(before, after, "nothing was changed");
    artifact.body = after.into();
    chain.reseal(&id).unwrap();
}

fn twice_in_actions(chain: &mut Chain) {
    actions(chain, |text| {
        let mut value = parse(text.as_bytes(), &Limits::default()).unwrap();
        let list = value.get_mut("actions").unwrap().as_array_mut().unwrap();
        list.extend(list.clone());
        value.to_pretty()
    });
}

fn input_of_another_type(chain: &mut Chain) {
    parent(chain, &["extra", "action", "context", "input"], Value::from(vec![Value::Null]));
}

fn lookalike(chain: &mut Chain) {
    let id = first_build(chain);
    edit(chain, &id, |task| {
        let text = task
            .to_string()
            .replace("mozilla-mobile/reference-browser", "mozilla-mobile/reference-browser-git");
        *task = parse(text.as_bytes(), &Limits::default()).unwrap();
    });
    let mut more: Vec<(String, Page)> = Vec::new();
    for (url, page) in &chain.pages {
        more.push((url.replace("reference-browser", "reference-browser-git"), page.clone()));
    }
    chain.pages.extend(more);
}

fn cycle(chain: &mut Chain) {
    let (id, other) = (first_build(chain), chain.builds[1].clone());
    for (from, to) in [(&id, &other), (&other, &id)] {
        let to = Value::from(to.as_str());
        edit(chain, from, |task| set(task, &["extra", "chainOfTrust", "inputs", "build"], to.clone()));
    }
}
