//! Chains: the same bytes from the same seed, signed, and made from their templates.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // tests

use base64::Engine as _;
use catena_json::{Limits, Value, parse};
use catena_keys::Signature;
use catena_testbed::chain::{BuildError, Builders, DOCUMENT, Images, Layout, Product, SIGNATURE, Scope, Vcs};
use catena_testbed::{Body, Chain, Release, Site, Trigger};
use std::collections::BTreeMap;
use std::path::Path;

const TRIGGERS: [Trigger; 8] = [
    Trigger::Push,
    Trigger::Cron,
    Trigger::PullRequest,
    Trigger::PullRequestUntrusted,
    Trigger::Release,
    Trigger::Action,
    Trigger::PrAction,
    Trigger::ReleasePromotion,
];

/// Every product with every trigger in every place it has sources.
fn all() -> Vec<Release> {
    let mut all = Vec::new();
    for product in Product::all() {
        for trigger in TRIGGERS {
            for vcs in [Vcs::Hg, Vcs::Git].into_iter().filter(|vcs| product.has(*vcs)) {
                all.push(Release { vcs, ..Release::new(product.name, trigger).unwrap() });
            }
        }
    }
    all
}

fn built() -> Vec<Chain> {
    let built = all().into_iter().filter_map(|release| match release.build() {
        Ok(chain) => Some(chain),
        Err(BuildError::Unsupported { vcs: Vcs::Hg, .. }) => None,
        Err(error) => panic!("{release:?}: {error}"),
    });
    built.collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn written(chain: &Chain) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    chain.write_folder(folder.path()).unwrap();
    files(folder.path())
}

fn verifies(chain: &Chain, id: &str) -> bool {
    let task = chain.task(id).unwrap();
    let document = task.document.as_ref().unwrap();
    let signature = Signature::parse(&document.signature).unwrap();
    chain.keys.signing_key(task.implementation).public_key().verify(&document.bytes(), &signature)
}

#[test]
fn a_seed_decides_every_byte() {
    let release =
        Release { depth: 1, optional_and_globs: true, ..Release::new("mobile", Trigger::Action).unwrap() };
    let once = written(&release.build().unwrap());
    assert_eq!(once, written(&release.build().unwrap()));
    let other = Release { seed: 2, ..release }.build().unwrap();
    assert_ne!(once["chain.json"], written(&other)["chain.json"]);
}

#[test]
fn every_document_is_signed_and_hashes_what_is_served() {
    for chain in built() {
        for (id, task) in &chain.tasks {
            if *id == chain.target {
                assert!(task.document.is_none());
                continue;
            }
            assert!(verifies(&chain, id), "{}: {id}", chain.product);
            let document = &task.document.as_ref().unwrap().value;
            assert_eq!(document.get("task"), Some(&task.definition));
            assert_eq!(document.get("taskId").and_then(Value::as_str), Some(id.as_str()));
            for (name, artifact) in &task.runs[&0] {
                let digest = artifact.body.sha256().unwrap().map(|byte| format!("{byte:02x}")).concat();
                assert_eq!(
                    document.pointer(&["artifacts", name, "sha256"]).and_then(Value::as_str),
                    Some(&*digest)
                );
            }
        }
    }
}

/// Drops what a comparison does not look at.
fn comparable(task: &Value) -> Value {
    match task {
        Value::Object(map) => {
            let kept = map.iter().map(|(key, value)| (key.clone(), comparable(value)));
            Value::Object(kept.filter(|(_, value)| !empty(value)).collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(comparable).filter(|item| !empty(item)).collect())
        }
        other => other.clone(),
    }
}

fn empty(value: &Value) -> bool {
    value.is_null()
        || value.as_object().is_some_and(catena_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

fn text(value: &Value, path: &[&str]) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("no {path:?} in {value}")).to_owned()
}

fn page(chain: &Chain, url: &str) -> String {
    let page = chain.pages.get(url).unwrap_or_else(|| panic!("no page {url}"));
    let Body::Bytes(bytes) = &page.body else { panic!("{url} is not in memory") };
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(bytes: impl AsRef<[u8]>) -> Value {
    parse(bytes.as_ref(), &Limits::default()).unwrap()
}

fn rebuilt(template: &str, mut context: catena_jsone::Context, task: &Value, id: &str) -> Value {
    let template = catena_yaml::load(template, &catena_yaml::Limits::default()).unwrap();
    context.set("now", text(task, &["created"])).set("ownTaskId", id).set("taskId", Value::Null);
    context.set("tasks_for", text(task, &["extra", "tasks_for"]));
    let own = id.to_owned();
    context.set_function("as_slugid", move |_| Ok(Value::from(own.as_str())));
    let template = template.root.to_json().unwrap();
    let rendered = catena_jsone::render(&template, &context, &catena_jsone::Limits::default()).unwrap();
    let mut task = rendered.get("tasks").unwrap().as_array().unwrap()[0].clone();
    let pool = format!("{}/{}", text(&task, &["provisionerId"]), text(&task, &["workerType"]));
    let members = task.as_object_mut().unwrap();
    members.remove("taskId");
    members.insert("projectId", "none".into());
    members.insert("taskQueueId", pool.into());
    comparable(&task)
}

fn object(pairs: &[(&str, Value)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

#[test]
fn an_hg_decision_follows_from_its_template_and_pushlog() {
    let chain = Release::new("firefox", Trigger::Push).unwrap().build().unwrap();
    assert_eq!(chain.decisions.len(), 2);
    for id in &chain.decisions {
        let task = chain.definition(id).unwrap();
        let repo = text(task, &["payload", "env", "GECKO_HEAD_REPOSITORY"]);
        let revision = text(task, &["payload", "env", "GECKO_HEAD_REV"]);
        let pushes = json(page(&chain, &format!("{repo}/json-pushes?changeset={revision}&version=2&full=1")));
        let (number, push) = pushes.get("pushes").unwrap().as_object().unwrap().iter().next().unwrap();
        let base = &push.get("changesets").unwrap().as_array().unwrap()[0].get("parents").unwrap();
        let mut context = catena_jsone::Context::new();
        context.set(
            "push",
            object(&[
                ("base_revision", base.as_array().unwrap()[0].clone()),
                ("revision", revision.as_str().into()),
                ("comment", " ".into()),
                ("owner", push.get("user").unwrap().clone()),
                ("pushlog_id", number.as_str().into()),
                ("pushdate", push.get("date").unwrap().clone()),
            ]),
        );
        let repository =
            [("url", repo.as_str().into()), ("level", "3".into()), ("project", "mozilla-central".into())];
        context.set("repository", object(&repository));
        let template = page(&chain, &format!("{repo}/raw-file/{revision}/.taskcluster.yml"));
        assert_eq!(rebuilt(&template, context, task, id), comparable(task));
    }
}

#[test]
fn a_github_decision_follows_from_its_own_environment_and_the_commit() {
    let chain = Release::new("mobile", Trigger::Push).unwrap().build().unwrap();
    let id = &chain.decisions[0];
    let task = chain.definition(id).unwrap();
    let env = |name: &str| text(task, &["payload", "env", &format!("MOBILE_{name}")]);
    let (repo, revision) = (env("HEAD_REPOSITORY"), env("HEAD_REV"));
    let path = repo.strip_prefix("https://github.com/").unwrap();
    let commit = json(page(&chain, &format!("https://api.github.com/repos/{path}/commits/{revision}")));
    let repository = object(&[
        ("full_name", path.into()),
        ("html_url", repo.as_str().into()),
        ("name", path.rsplit('/').next().unwrap().into()),
    ]);
    let event = object(&[
        ("before", env("BASE_REV").into()),
        ("after", revision.as_str().into()),
        ("pusher", object(&[("email", text(task, &["metadata", "owner"]).into())])),
        ("base_ref", env("BASE_REF").into()),
        ("ref", env("HEAD_REF").into()),
        ("repository", repository),
        ("sender", object(&[("login", text(&commit, &["committer", "login"]).into())])),
    ]);
    let mut context = catena_jsone::Context::new();
    context.set("event", event);
    let url = format!("https://api.github.com/repos/{path}/contents/.taskcluster.yml?ref={revision}");
    let encoded = text(&json(page(&chain, &url)), &["content"]).replace('\n', "");
    let template = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    assert_eq!(rebuilt(&String::from_utf8(template).unwrap(), context, task, id), comparable(task));
}

#[test]
fn every_task_is_in_the_graph_of_its_parent() {
    for chain in built() {
        for (id, task) in &chain.tasks {
            let Some(parent) = task.definition.pointer(&["extra", "parent"]).and_then(Value::as_str) else {
                continue;
            };
            if chain.action.as_ref() == Some(id) {
                continue;
            }
            let Body::Bytes(graph) = &chain.task(parent).unwrap().runs[&0]["public/task-graph.json"].body
            else {
                panic!("a graph is in memory");
            };
            let graph = json(graph);
            let entry = graph.get(id).unwrap_or_else(|| panic!("{id} is not in the graph of {parent}"));
            for unchanging in ["payload.env", "scopes", "metadata", "extra", "workerType"] {
                let path: Vec<&str> = unchanging.split('.').collect();
                let published = entry.get("task").unwrap().pointer(&path);
                assert_eq!(published, task.definition.pointer(&path), "{unchanging} of {id}");
            }
        }
    }
}

#[test]
fn sizes_are_as_requested() {
    let release = Release {
        builds: 5,
        artifacts: 4,
        artifact_size: 2 << 20,
        images: 2,
        graph_size: 400,
        depth: 2,
        ..Release::new("firefox", Trigger::Push).unwrap()
    };
    let chain = release.build().unwrap();
    assert_eq!((chain.builds.len(), chain.images.len()), (5, 2));
    let build = &chain.task(&chain.builds[0]).unwrap().runs[&0];
    let large = build.values().filter(|artifact| artifact.body.len().unwrap() == 2 << 20);
    assert_eq!(large.filter(|artifact| matches!(artifact.body, Body::Generated { .. })).count(), 4);
    let Body::Bytes(graph) =
        &chain.task(&chain.decisions[0]).unwrap().runs[&0]["public/task-graph.json"].body
    else {
        panic!("a graph is in memory");
    };
    assert_eq!(json(graph).as_object().unwrap().len(), 400);
    let deepest =
        chain.links().into_iter().map(|link| link.name).max_by_key(|name| name.matches(':').count());
    assert_eq!(deepest.unwrap(), "signing:repackage:signing:repackage:signing:build");
}

#[test]
fn one_push_may_have_many_targets() {
    let release = Release { targets: 5, ..Release::new("firefox", Trigger::Push).unwrap() };
    let chain = release.build().unwrap();
    let alone = Release { targets: 1, ..release }.build().unwrap();
    assert_eq!((chain.target.as_str(), chain.links()), (alone.target.as_str(), alone.links()));
    assert_eq!((chain.siblings.len(), alone.siblings.len()), (4, 0));
    let Body::Bytes(graph) =
        &chain.task(&chain.decisions[0]).unwrap().runs[&0]["public/task-graph.json"].body
    else {
        panic!("a graph is in memory");
    };
    let graph = json(graph);
    for (i, id) in chain.siblings.iter().enumerate() {
        let task = chain.task(id).unwrap();
        assert!(task.document.is_none() && graph.get(id).is_some());
        let of = |id: &str| text(chain.definition(id).unwrap(), &["taskGroupId"]);
        assert_eq!(of(id), of(&chain.target));
        let upstream =
            task.definition.pointer(&["payload", "upstreamArtifacts"]).unwrap().as_array().unwrap();
        let signed: Vec<_> = upstream.iter().map(|entry| text(entry, &["taskId"])).collect();
        assert_eq!(signed, [chain.builds[i % 3].clone()]);
    }
}

#[test]
fn links_are_named_by_their_path_from_the_target() {
    let chain = Chain::demo().unwrap();
    let links: Vec<(String, String)> =
        chain.links().into_iter().map(|link| (link.name, link.task_id)).collect();
    let mut builds = chain.builds.clone();
    builds.sort();
    let mut expected = vec![("signing:decision".to_owned(), chain.decisions[0].clone())];
    for (i, build) in builds.into_iter().enumerate() {
        expected.push(("signing:build".to_owned(), build));
        if i == 0 {
            expected.push(("signing:build:docker-image".to_owned(), chain.images[0].clone()));
        }
    }
    assert_eq!(links, expected);
    let action = Release::new("firefox", Trigger::ReleasePromotion).unwrap().build().unwrap();
    assert_eq!(action.links()[0].name, "signing:action");
    assert_eq!(action.links()[1].name, "signing:action:decision");
    let finished =
        Release { finished: true, ..Release::new("firefox", Trigger::Push).unwrap() }.build().unwrap();
    assert_eq!(finished.links()[0].task_id, finished.target);
    assert!(verifies(&finished, &finished.target));
}

#[test]
fn each_worker_writes_and_signs_its_own_format() {
    let of = |builders| Release { builders, builds: 1, ..Release::new("firefox", Trigger::Push).unwrap() };
    let layouts = [Builders::DockerWorker, Builders::D2g, Builders::GenericWorker].map(|builders| {
        let chain = of(builders).build().unwrap();
        let document = chain.task(&chain.builds[0]).unwrap().document.clone().unwrap();
        let first = document.value.as_object().unwrap().keys().next().unwrap().to_owned();
        let text = String::from_utf8(document.bytes()).unwrap();
        assert!(!text.ends_with('\n'));
        let image = document.value.pointer(&["environment", "imageArtifactHash"]).is_some();
        (document.layout, first, image, text.contains("\\u003cwindows \\u0026"))
    });
    assert_eq!(
        layouts,
        [
            (Layout::JavaScript, "chainOfTrustVersion".to_owned(), true, false),
            (Layout::Go, "artifacts".to_owned(), true, false),
            (Layout::Go, "chainOfTrustVersion".to_owned(), false, true),
        ]
    );
}

#[test]
fn restricted_scopes_go_where_they_may() {
    let scope = |release: Release| {
        let chain = release.build().unwrap();
        text(
            &chain.definition(&chain.target).unwrap().get("scopes").unwrap().as_array().unwrap()[0].clone(),
            &[],
        )
    };
    let new = |product, trigger| Release::new(product, trigger).unwrap();
    assert_eq!(scope(new("firefox", Trigger::Push)), "project:releng:signing:cert:nightly-signing");
    assert_eq!(
        scope(new("firefox", Trigger::ReleasePromotion)),
        "project:releng:signing:cert:release-signing"
    );
    assert_eq!(scope(new("xpi", Trigger::PullRequest)), "project:xpi:releng:signing:cert:dep-signing");
    let git = Release { vcs: Vcs::Git, ..new("firefox", Trigger::Push) };
    assert_eq!(scope(git), "project:gecko:releng:signing:cert:dep-signing");
    let own = Release { scope: Scope::Exactly("any".into()), ..new("xpi", Trigger::PullRequest) };
    assert_eq!(scope(own), "any");
}

#[test]
fn images_come_from_the_requested_source() {
    let image = |images_from| {
        let release = Release { images_from, ..Release::new("mobile", Trigger::Push).unwrap() };
        let chain = release.build().unwrap();
        let image =
            chain.definition(&chain.builds[0]).unwrap().pointer(&["payload", "image"]).unwrap().clone();
        (image.get("type").and_then(Value::as_str).map(str::to_owned), chain.decisions.len())
    };
    assert_eq!(image(Images::OwnGraph), (Some("task-image".into()), 1));
    assert_eq!(image(Images::EarlierGraph), (Some("task-image".into()), 2));
    assert_eq!(image(Images::Indexed), (Some("indexed-image".into()), 1));
    assert_eq!(image(Images::Prebuilt), (None, 1));
}

#[test]
fn a_retried_task_counts_by_its_second_run() {
    let release = Release { retried: true, ..Release::new("firefox", Trigger::Push).unwrap() };
    let chain = release.build().unwrap();
    let task = chain.task(&chain.builds[0]).unwrap();
    let runs = task.status.pointer(&["status", "runs"]).unwrap().as_array().unwrap();
    let states: Vec<String> = runs.iter().map(|run| text(run, &["state"])).collect();
    assert_eq!(states, ["exception", "completed"]);
    assert_eq!(task.document.as_ref().unwrap().value.get("runId").unwrap().as_i64(), Some(1));
    assert!(!task.runs[&0].contains_key("public/build/target.tar.xz"));
    assert!(task.runs[&1].contains_key("public/build/target.tar.xz"));
    assert!(verifies(&chain, &chain.builds[0]));
}

#[test]
fn exactly_one_thing_can_be_changed() {
    let honest = Chain::demo().unwrap();
    let build = honest.builds[0].clone();
    let changed = |bend: &dyn Fn(&mut Chain)| -> Vec<String> {
        let mut chain = honest.clone();
        bend(&mut chain);
        let (before, after) = (written(&honest), written(&chain));
        after
            .into_iter()
            .filter(|(name, bytes)| before.get(name) != Some(bytes))
            .map(|(name, _)| name)
            .collect()
    };
    let name = "public/build/target.tar.xz";
    let file = |name: &str| format!("artifacts/{build}/0/{}", name.replace('/', "%2F"));

    let body = changed(&|chain| chain.artifact_mut(&build, name).unwrap().body = "other".into());
    assert_eq!(body, [file(name)]);
    let resealed = changed(&|chain| {
        chain.artifact_mut(&build, name).unwrap().body = "other".into();
        assert!(chain.reseal(&build).unwrap());
        assert!(verifies(chain, &build));
    });
    assert_eq!(resealed, [file(name), file(DOCUMENT), file(SIGNATURE)]);
    let definition = changed(&|chain| {
        let task = chain.definition_mut(&build).unwrap();
        task.as_object_mut().unwrap().insert("priority", "highest".into());
    });
    assert_eq!(definition, [format!("queue/{build}.json")]);
    let document = changed(&|chain| {
        chain.document_mut(&build).unwrap().as_object_mut().unwrap().insert("runId", 1_i64.into());
        assert!(!verifies(chain, &build), "not signed yet");
    });
    assert_eq!(document, [file(DOCUMENT)]);
    let resigned = changed(&|chain| {
        chain.document_mut(&build).unwrap().as_object_mut().unwrap().insert("runId", 1_i64.into());
        assert!(chain.resign(&build) && verifies(chain, &build));
    });
    assert_eq!(resigned, [file(DOCUMENT), file(SIGNATURE)]);
    let url = honest.pages.keys().find(|url| url.contains("json-pushes")).unwrap();
    let http = changed(&|chain| chain.http_mut(url).unwrap().body = "{}".into());
    assert_eq!(http.len(), 1);
    assert!(http[0].starts_with("http/"), "{http:?}");
}

#[test]
fn a_written_chain_is_the_site_it_would_be_in_memory() {
    let chain =
        Release { gzip: true, ..Release::new("thunderbird", Trigger::Cron).unwrap() }.build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    chain.write_folder(folder.path()).unwrap();
    let read = Site::from_folder(folder.path()).unwrap();
    let made = chain.into_site();
    assert!(read.gzip && made.gzip);
    assert_eq!(read.pages, made.pages);
    assert!(read.tasks.keys().eq(made.tasks.keys()));
    for (id, task) in &made.tasks {
        assert_eq!(json(&task.definition), json(&read.tasks[id].definition));
        assert_eq!(json(&task.status), json(&read.tasks[id].status));
        let digests = |task: &catena_testbed::Task| -> BTreeMap<String, [u8; 32]> {
            let artifacts = task.runs.values().flat_map(|run| &run.artifacts);
            artifacts.map(|(name, artifact)| (name.clone(), artifact.body.sha256().unwrap())).collect()
        };
        assert_eq!(digests(task), digests(&read.tasks[id]));
    }
}
