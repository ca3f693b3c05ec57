//! Changes to a valid chain that leave it valid: variations by platforms, workers, hosts and people.

use super::{action, cron, finished, globs, mirrored, mobile, promotion, pull_request, push, tag};
use crate::change::{
    ACTIONS, ARTIFACT, GRAPH, add, build, document_of, edit, edit_at, first_build, first_decision, graft,
    graph, in_tree, inside, json, list, nth_build, only, pages, project, published, remove, replace_page,
    second_sources, set, target, template_of, text, upstream,
};
use catena_json::{Map, Value};
use catena_testbed::chain::{Builders, Images, Product, Scope};
use catena_testbed::{Artifact, Body, Chain, Page, Release, Trigger};
use sha2::{Digest as _, Sha512};
use std::fmt::Write as _;

/// A name, the release, and the change.
pub(super) type Changed = (&'static str, fn() -> Release, fn(&mut Chain) -> Option<()>);

const GECKO: &[&str] = &["payload", "env", "GECKO_HEAD_REPOSITORY"];

fn add_on() -> Release {
    Release::of(Product::XPI, Trigger::Push)
}

fn enterprise() -> Release {
    Release::of(Product::ENTERPRISE, Trigger::Push)
}

/// Lets the tree name the image of its decision and action tasks by a tag, as enterprise's does.
fn tagged_image(chain: &mut Chain) -> Option<()> {
    const TAGGED: &str = "mozillareleases/taskgraph:run-task-latest";
    let tagged = |text: &str| {
        let (before, rest) = text.split_once("image: ")?;
        let (_, after) = rest.split_once('\n')?;
        Some(format!("{before}image: {TAGGED}\n{after}"))
    };
    let decisions = chain.decisions.clone();
    decisions.iter().try_for_each(|id| template_of(chain, id, tagged))?;
    let parents: Vec<String> = chain.decisions.iter().chain(&chain.action).cloned().collect();
    parents.iter().try_for_each(|id| only(chain, id, |task| set(task, &["payload", "image"], TAGGED)))
}

fn thunderbird() -> Release {
    Release::of(Product::THUNDERBIRD, Trigger::Push)
}

pub(super) const CHANGED: &[Changed] = &[
    ("fewer dependencies than the graph", push, |c| {
        let id = c.target.clone();
        only(c, &id, |task| {
            inside(task, &["dependencies"])?.as_array_mut()?.pop()?;
            Some(())
        })
    }),
    ("no dependencies where the graph has some", mobile, |c| {
        let id = first_build(c)?;
        only(c, &id, |task| set(task, &["dependencies"], Vec::new()))
    }),
    ("dependency on the decision task", push, |c| {
        let (id, decision) = (first_build(c)?, first_decision(c)?);
        only(c, &id, |task| add(task, &["dependencies"], decision))
    }),
    ("priority raised by the platform", cron, |c| {
        let id = first_build(c)?;
        only(c, &id, |task| set(task, &["priority"], "highest"))
    }),
    ("priority lowered by the platform", tag, |c| {
        let id = c.images.first()?.clone();
        only(c, &id, |task| set(task, &["priority"], "very-low"))
    }),
    ("optional artifact absent", globs, |c| {
        optional_only(c)?;
        let id = first_build(c)?;
        c.artifacts_mut(&id)?.remove("public/build/target.langpack.xpi")?;
        reseal(c, &id)
    }),
    ("patterns that match nothing", globs, |c| {
        optional_only(c)?;
        target(c, |task| {
            let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
            entries.iter_mut().try_for_each(|entry| set(entry, &["paths"], list("public/nothing/*.here")))
        })
    }),
    ("optional set to false", push, |c| upstream(c, "optional", false)),
    ("upstream artifacts with other settings", tag, |c| {
        upstream(c, "formats", Vec::new())?;
        upstream(c, "authenticode_comment", "Browser")
    }),
    ("task used twice", push, |c| {
        target(c, |task| {
            let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
            let first = entries.first()?.clone();
            entries.push(first);
            Some(())
        })
    }),
    ("as deep as the policy allows", nine_rounds, |c| {
        target(c, |task| {
            inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?.pop()?;
            Some(())
        })?;
        let (id, other) = (nth_build(c, 0)?, nth_build(c, 1)?);
        edit_at(c, &id, &["extra", "chainOfTrust", "inputs", "build"], other)
    }),
    ("definitions in another order", push, |c| {
        for id in ids(c) {
            let definition = c.definition_mut(&id)?;
            *definition = reversed(definition);
        }
        Some(())
    }),
    ("documents in another order", tag, |c| {
        for id in ids(c) {
            if let Some(document) = c.document_mut(&id) {
                *document = reversed(document);
                c.resign(&id);
            }
        }
        Some(())
    }),
    ("graphs in another order", promotion, |c| {
        let parents: Vec<String> = c.decisions.iter().chain(&c.action).cloned().collect();
        parents.iter().try_for_each(|id| {
            graph(c, id, |graph| {
                *graph = reversed(graph);
                Some(())
            })
        })
    }),
    ("answers about sources in another order", tag, |c| {
        pages(c, "https://api.github.com/")?.try_for_each(|page| {
            page.body = reversed(&json(text(&page.body)?)?).to_pretty().into();
            Some(())
        })
    }),
    ("task of an earlier push as an input", push, |c| {
        let other = Release { seed: 7, ..push() }.build().ok()?;
        let earlier = other.builds.first()?.clone();
        graft(c, other);
        upstream(c, "taskId", earlier)
    }),
    ("task of an earlier release as an input", tag, |c| {
        let other = Release { seed: 7, ..mobile() }.build().ok()?;
        let earlier = other.builds.first()?.clone();
        graft(c, other);
        upstream(c, "taskId", earlier)
    }),
    ("pull request that has moved on", pull_request, |c| {
        pages(c, "/pulls/")?.try_for_each(|page| {
            let mut told = json(text(&page.body)?)?;
            set(&mut told, &["head", "sha"], "5".repeat(40))?;
            set(&mut told, &["base", "sha"], "6".repeat(40))?;
            set(&mut told, &["head", "updated_at"], "2026-08-13T09:00:00Z")?;
            page.body = told.to_string().into();
            Some(())
        })
    }),
    ("action without input", action, |c| started_with(c, "null")),
    ("image of a third graph", cron, |c| {
        let other = Release { seed: 7, images_from: Images::OwnGraph, ..push() }.build().ok()?;
        crate::change::image_of(c, other)
    }),
    ("number with a decimal point in the queue", push, |c| number(c, "7200.0")),
    ("number with an exponent in the queue", mobile, |c| number(c, "7.2e3")),
    ("number with a decimal point in the document", push, |c| {
        let id = first_build(c)?;
        crate::change::document_bytes(c, |bytes| {
            let text = String::from_utf8(bytes).ok()?;
            let from = "\"maxRunTime\": 7200";
            text.contains(from).then(|| text.replacen(from, "\"maxRunTime\": 7200.0", 1).into_bytes())
        })?;
        c.definition(&id).map(|_| ())
    }),
    ("number with a decimal point in the graph", cron, |c| {
        let decision = first_decision(c)?;
        published(c, &decision, GRAPH, |text| {
            Some(text.replace("\"maxRunTime\": 7200", "\"maxRunTime\": 7200.0"))
        })
    }),
    ("tasks without taskQueueId", push, |c| without(c, "taskQueueId")),
    ("GitHub's tasks without taskQueueId", tag, |c| without(c, "taskQueueId")),
    ("task of the project that its graph names", push, |c| {
        crate::change::graph_entry(c, &["projectId"], "gecko")?;
        crate::change::build_only(c, &["projectId"], "gecko")
    }),
    ("tasks without projectId", push, |c| without(c, "projectId")),
    ("promotion's tasks without projectId", promotion, |c| without(c, "projectId")),
    ("push log with additional members", push, |c| {
        replace_page(c, "json-pushes", "{\"lastpushid\"", "{\"obsoleted\":false,\"lastpushid\"")?;
        replace_page(c, "json-pushes", "\"tags\":[]", "\"tags\":[],\"phase\":\"public\",\"bookmarks\":[]")
    }),
    ("push of several changesets", push, |c| {
        pages(c, "json-pushes")?.try_for_each(|page| {
            let mut log = json(text(&page.body)?)?;
            let (_, push) = log.get_mut("pushes")?.as_object_mut()?.iter_mut().next()?;
            let changesets = inside(push, &["changesets"])?.as_array_mut()?;
            let tip = changesets.first_mut()?;
            let mut first = tip.clone();
            set(&mut first, &["node"], "5".repeat(40))?;
            set(tip, &["parents"], list("5".repeat(40)))?;
            changesets.insert(0, first);
            page.body = log.to_string().into();
            Some(())
        })
    }),
    ("GitHub's answers with more to tell", tag, |c| {
        pages(c, "https://api.github.com/repos/")?.for_each(|page| {
            if let Some(Value::Object(mut answer)) = text(&page.body).and_then(json) {
                answer.insert("custom_properties", Value::Object(Map::new()));
                page.body = Value::Object(answer).to_string().into();
            }
        });
        Some(())
    }),
    ("status with additional members", push, |c| {
        let id = first_build(c)?;
        let status = c.status_mut(&id)?;
        set(status, &["status", "taskQueueState"], "known")?;
        set(inside(status, &["status", "runs", "0"])?, &["reasonForHumans"], Value::Null)
    }),
    ("document with additional members", finished, |c| {
        let target = c.target.clone();
        for id in [first_build(c)?, target] {
            document_of(c, &id, |document| {
                set(document, &["workerVersion"], "99.0.0")?;
                set(document, &["environment", "spot"], true)
            })?;
        }
        Some(())
    }),
    ("document with two hashes of each artifact", mobile, |c| {
        let id = first_build(c)?;
        let published = c.task(&id)?.runs.values().next_back()?.clone();
        document_of(c, &id, |document| {
            published.iter().try_for_each(|(name, artifact)| {
                let Body::Bytes(bytes) = &artifact.body else { return None };
                set(document, &["artifacts", name, "sha512"], sha512(bytes))
            })
        })
    }),
    ("unused artifact", push, |c| {
        let id = first_build(c)?;
        c.artifacts_mut(&id)?
            .insert("private/build/target.zip".into(), Artifact::new("x", "application/zip"));
        reseal(c, &id)
    }),
    ("artifact that no document lists", mobile, |c| {
        let id = first_build(c)?;
        c.artifacts_mut(&id)?.insert("public/logs/live.log".into(), Artifact::new("x", "text/plain"));
        Some(())
    }),
    ("altered unused artifact", push, |c| {
        let id = first_build(c)?;
        c.artifact_mut(&id, "public/logs/certified.log")?.body = "cut off".into();
        Some(())
    }),
    ("graph with tasks that never ran", cron, |c| {
        let decision = first_decision(c)?;
        graph(c, &decision, |graph| {
            let entry = json("{\"label\":\"never\",\"kind\":\"never\",\"task\":{}}")?;
            set(graph, &[crate::change::NOBODY], entry)
        })
    }),
    ("graph entries with additional members", push, |c| {
        crate::change::entry(c, |entry| set(entry, &["estimated_duration"], 3.5_f64.to_string()))
    }),
    ("image from a registry with a port", prebuilt, |c| {
        let digest = "1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f53";
        build(c, &["payload", "image"], format!("registry.example.org:5000/team/debian@sha256:{digest}"))
    }),
    ("worker with another name", push, |c| {
        let id = first_build(c)?;
        document_of(c, &id, |document| {
            set(document, &["workerGroup"], "mdc1")?;
            set(document, &["workerId"], "t-linux64-ms-001.releng")
        })?;
        crate::change::run(c, "workerGroup", "mdc1")?;
        crate::change::run(c, "workerId", "t-linux64-ms-001.releng")
    }),
    ("source that is the repository itself", push, |c| {
        let (from, to) = ("source: ${repo}/raw-file/${push.revision}/.taskcluster.yml", "source: ${repo}");
        in_tree(c, from, to, |task| {
            let source =
                task.pointer(&["metadata", "source"])?.as_str()?.split_once("/raw-file/")?.0.to_owned();
            set(task, &["metadata", "source"], source)
        })
    }),
    ("template with Windows line endings", cron, |c| replace_page(c, "/raw-file/", "\n", "\r\n")),
    ("template with comments", push, |c| {
        replace_page(
            c,
            "/raw-file/",
            "version: 1\n",
            "# A comment: {$if: 'no'}\nversion: 1  # the only one\n",
        )
    }),
    ("template with anchors", push, |c| {
        let (from, to) = ("-checkouts-v3: /builds", "-checkouts-v3: &checkouts /builds");
        replace_page(c, "/raw-file/", from, to)?;
        let from = "TASKCLUSTER_CACHES: /builds/worker/checkouts\n";
        replace_page(c, "/raw-file/", from, "TASKCLUSTER_CACHES: *checkouts\n")
    }),
    ("template with another maximum run time", promotion, |c| {
        in_tree(c, "maxRunTime: 1800", "maxRunTime: 3600", |task| {
            set(task, &["payload", "maxRunTime"], 3600_i64)
        })
    }),
    ("release that is a prerelease", tag, |c| {
        replace_page(c, "releases/tags", "\"prerelease\":false", "\"prerelease\":true")
    }),
    ("commit made on GitHub's website", mobile, |c| {
        pages(c, "/commits/")?.try_for_each(|page| {
            let mut commit = json(text(&page.body)?)?;
            set(&mut commit, &["committer", "login"], "web-flow")?;
            page.body = commit.to_string().into();
            Some(())
        })
    }),
    ("pull request merged since", pull_request, |c| {
        replace_page(c, "/pulls/", "\"state\":\"open\"", "\"state\":\"closed\"")?;
        replace_page(c, "/pulls/", "\"merged\":false", "\"merged\":true")
    }),
    ("tag on the second page", tag, |c| {
        let url = c.pages.keys().find(|url| url.ends_with("/tags?per_page=100"))?.clone();
        let page = c.pages.get(&url)?.clone();
        let mut others = json(text(&page.body)?)?.as_array()?.first()?.clone();
        let many: Vec<Value> = (0..100)
            .map(|number| {
                set(&mut others, &["name"], format!("v1.{number}"))?;
                Some(others.clone())
            })
            .collect::<Option<_>>()?;
        c.pages.insert(format!("{url}&page=2"), page);
        c.pages.insert(url, Page::new(Value::from(many).to_string(), "application/json"));
        Some(())
    }),
    ("more projects than before", push, |c| {
        project(
            c,
            "new:\n  repo: https://github.com/mozilla/new\n  repo_type: git\n  default_branch: trunk\n  branches: []\n  trust_domain: new\n",
        )
    }),
    ("further actions without hooks", super::action, |c| {
        let decision = first_decision(c)?;
        published(c, &decision, ACTIONS, |text| {
            let mut actions = json(text)?;
            let other = "{\"kind\":\"task\",\"name\":\"old\",\"title\":\"Old\",\"description\":\"\",\"context\":[],\"task\":{}}";
            add(&mut actions, &["actions"], json(other)?)?;
            Some(actions.to_pretty())
        })
    }),
    ("words of every language", push, |c| {
        build(c, &["metadata", "description"], "Größe 測試 \u{1f600} \u{2028} <&>")
    }),
    ("other sources that are trusted", push, |c| {
        build(c, &["payload", "env", "COMM_HEAD_REPOSITORY"], "https://hg.mozilla.org/comm-central")
    }),
    ("repository with a trailing slash", cron, |c| {
        build(c, &["payload", "env", "GECKO_HEAD_REPOSITORY"], "https://hg.mozilla.org/mozilla-central/")
    }),
    ("repository with the suffix .git", mobile, |c| {
        build(
            c,
            &["payload", "env", "MOBILE_HEAD_REPOSITORY"],
            "https://github.com/mozilla-mobile/reference-browser.git",
        )
    }),
    ("repository with an ssh address", tag, |c| {
        build(
            c,
            &["payload", "env", "MOBILE_HEAD_REPOSITORY"],
            "git@github.com:mozilla-mobile/reference-browser.git",
        )
    }),
    ("task without a repository of its own", mirrored, |c| {
        let id = first_build(c)?;
        edit(c, &id, |task| {
            remove(task, &["payload", "env", "GECKO_HEAD_REPOSITORY"])?;
            remove(task, &["payload", "env", "GECKO_HEAD_REV"])
        })
    }),
    ("kind defined only by the tree", push, |c| build(c, &["tags", "kind"], "instrumented-build")),
    ("task without an implementation tag", promotion, |c| {
        let id = first_build(c)?;
        edit(c, &id, |task| remove(task, &["tags", "worker-implementation"]))
    }),
    ("interactive set to false", push, |c| {
        build(c, &["payload", "features", "interactive"], false)?;
        build(c, &["payload", "env", "TASKCLUSTER_INTERACTIVE"], "")
    }),
    ("broad scope without restricted scopes", push, |c| {
        target(c, |task| add(task, &["scopes"], "queue:route:index.gecko.v2.*"))
    }),
    ("scope of generic-worker's groups", mobile, |c| {
        let id = nth_build(c, 2)?;
        edit(c, &id, |task| {
            add(task, &["scopes"], "generic-worker:os-group:mobile-3/b-win2022/Administrators")
        })
    }),
    ("artifact with another content type", push, |c| {
        let id = first_build(c)?;
        c.artifact_mut(&id, ARTIFACT)?.content_type = "text/html".into();
        Some(())
    }),
    ("optional artifact deleted since", globs, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/build/target.langpack.xpi"))?;
        let id = first_build(c)?;
        c.artifacts_mut(&id)?.remove("public/build/target.langpack.xpi").map(|_| ())
    }),
    ("indexed images where prebuilt images are allowed, without restricted scopes", indexed, |_| Some(())),
    ("project that an older queue does not know", push, |c| {
        crate::change::entry(c, |entry| set(entry, &["task", "projectId"], "gecko"))
    }),
    ("worker's own document among optional ones", globs, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/chain-of-trust.json"))
    }),
    ("graph that leaves the scheduler to its decision task", push, |c| {
        crate::change::entry(c, |entry| remove(entry, &["task", "schedulerId"]))
    }),
    (
        "level of a project as a string",
        || Release::of(Product::MOBILE, Trigger::Cron),
        |c| replace_page(c, "projects.yml", "level: 3", "level: '3'"),
    ),
    ("pull request whose branch's repository has no full name", pull_request, |c| {
        answers(c, "/pulls/", |answer| remove(answer, &["head", "repo", "full_name"]))
    }),
    ("template answer without its address", mobile, |c| {
        answers(c, "contents/.taskcluster.yml", |answer| remove(answer, &["url"]))
    }),
    ("template's address without a reference", mobile, |c| {
        answers(c, "contents/.taskcluster.yml", |answer| {
            let url = answer.get("url")?.as_str()?.split_once("/contents/")?.0.to_owned();
            set(answer, &["url"], url)
        })
    }),
    ("push with a try line", push, |c| {
        crate::change::decision(c, &["payload", "env", "GECKO_COMMIT_MSG"], "try: -b do -p all")?;
        pages(c, "json-pushes")?.try_for_each(|page| {
            let mut log = json(text(&page.body)?)?;
            let (_, push) = log.get_mut("pushes")?.as_object_mut()?.iter_mut().next()?;
            let tip = inside(push, &["changesets"])?.as_array_mut()?.last_mut()?;
            set(tip, &["desc"], "Bug 1 - Words.\n\ntry: -b do -p all\nmore words")?;
            page.body = log.to_string().into();
            Some(())
        })
    }),
    ("actions without a schema", super::action, |c| {
        actions(c, |action| remove(action, &["schema"]))?;
        started_with(c, "{}")
    }),
    ("input of one alternative", super::action, |c| {
        let schema = json(r#"{"oneOf":[{"type":"null"},{"properties":{"tasks":{"type":"array"}}}]}"#)?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"tasks":[]}"#)
    }),
    ("input with an email address", super::action, |c| {
        let schema = json(r#"{"type":"object","properties":{"notify":{"type":"string","format":"email"}}}"#)?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"notify":"noreply@noreply.mozilla.org","tasks":[]}"#)
    }),
    ("input with numbers that JavaScript prints in another way", super::action, |c| {
        let schema = json(r#"{"type":"object","additionalProperties":{"type":"number"}}"#)?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"p":0.00001,"q":1e-7}"#)
    }),
    ("input with pattern properties", super::action, |c| {
        let schema = json(
            r#"{"type":"object","additionalProperties":false,"patternProperties":{"^tasks":{"type":"array"}}}"#,
        )?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"tasks":[]}"#)
    }),
    ("schema with an unused reference", super::action, |c| {
        let schema = json(r#"{"type":"object","properties":{"partial":{"$ref":"x"}}}"#)?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"tasks":[]}"#)
    }),
    ("schema with many annotations and few constraints", super::action, |c| {
        let schema = json(
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","title":"t","description":"d","default":{},"examples":[],"type":"object","not":{"required":["all"]}}"#,
        )?;
        actions(c, |action| set(action, &["schema"], schema.clone()))?;
        started_with(c, r#"{"tasks":[]}"#)
    }),
    ("actions whose schema is null", super::action, |c| {
        actions(c, |action| set(action, &["schema"], Value::Null))?;
        started_with(c, "null")
    }),
    ("permission stated by a generic hook", super::action, |c| {
        actions(c, |action| remove(action, &["extra", "actionPerm"]))
    }),
    ("permission stated by a hook's callback", promotion, |c| {
        actions(c, |action| remove(action, &["extra", "actionPerm"]))
    }),
    ("level of a hook's tree as a number", super::action, |c| {
        actions(c, |action| set(action, &["hookPayload", "decision", "repository", "level"], 3_i64))
    }),
    ("variables that are not sources", push, |c| build(c, &["payload", "env", "COMM_HEAD_REPOSITORY"], "")),
    ("decision image of enterprise that is named by its tag", enterprise, tagged_image),
    (
        "decision image of enterprise's cron job that is named by its tag",
        || Release::of(Product::ENTERPRISE, Trigger::Cron),
        tagged_image,
    ),
    (
        "decision image of enterprise's action that is named by its tag",
        || Release::of(Product::ENTERPRISE, Trigger::Action),
        tagged_image,
    ),
    ("sources of two repositories", enterprise, second_sources),
    (
        "sources of two repositories in a cron job",
        || Release::of(Product::ENTERPRISE, Trigger::Cron),
        second_sources,
    ),
    (
        "sources of two repositories in an action",
        || Release::of(Product::ENTERPRISE, Trigger::Action),
        second_sources,
    ),
    (
        "sources of two repositories in a promotion",
        || Release::of(Product::ENTERPRISE, Trigger::ReleasePromotion),
        second_sources,
    ),
    ("sources of two repositories, one of them over ssh", enterprise, |c| {
        second_sources(c)?;
        build(c, GECKO, "git@github.com:mozilla/enterprise-firefox.git")
    }),
    ("upstream browser from its git mirror", thunderbird, |c| {
        build(c, GECKO, "https://github.com/mozilla-firefox/firefox")?;
        build(c, &["payload", "env", "GECKO_HEAD_REF"], "main")
    }),
    ("upstream browser of another channel", thunderbird, |c| {
        build(c, GECKO, "https://hg.mozilla.org/releases/mozilla-esr140/")
    }),
    ("upstream browser over ssh", thunderbird, |c| build(c, GECKO, "ssh://hg.mozilla.org/mozilla-central")),
    ("add-on of the manifest's owner", add_on, |c| {
        build(
            c,
            &["payload", "env", "SEARCHENGINEDEVTOOLS_HEAD_REPOSITORY"],
            "https://github.com/mozilla-extensions/searchengine-devtools",
        )
    }),
    ("private add-on of the manifest's owner", add_on, |c| {
        build(
            c,
            &["payload", "env", "CPMANAGER_HEAD_REPOSITORY"],
            "git@github.com:mozilla-extensions/cpmanager.git",
        )
    }),
    ("library of another product", push, |c| {
        build(c, &["payload", "env", "LIBRARY_HEAD_REPOSITORY"], "https://github.com/mozilla/glean")
    }),
    ("address of something other than sources", push, |c| {
        build(c, &["payload", "env", "WORDS_HEAD_REPOSITORY_URL"], "none that one could ask")
    }),
    ("other sources of a proposal", pull_request, |c| {
        build(c, &["payload", "env", "GLEAN_HEAD_REPOSITORY"], "https://github.com/contributor/glean")
    }),
    ("scope that has another product's as a prefix", mobile, |c| {
        target(c, |task| add(task, &["scopes"], "project:releng:balrog:server:nightly-test"))
    }),
    ("scope that is a prefix of another product's", promotion, |c| {
        target(c, |task| add(task, &["scopes"], "project:xpi:signing:cert"))
    }),
    ("implementation tag that is null", push, |c| build(c, &["tags", "worker-implementation"], Value::Null)),
    ("commit on several branches", mobile, |c| {
        replace_page(
            c,
            "branch_commits",
            "</ul>",
            "<li class=\"branch\"><a href=\"/x\">releases</a></li></ul>",
        )
    }),
];

/// Two builds, each below nine rounds of signing and repackaging.
fn nine_rounds() -> Release {
    Release { depth: 9, builds: 2, builders: Builders::DockerWorker, ..push() }
}

fn indexed() -> Release {
    Release { images_from: Images::Indexed, scope: Scope::Unrestricted, ..mobile() }
}

fn prebuilt() -> Release {
    Release { images_from: Images::Prebuilt, ..Release::of(Product::MOBILE, Trigger::Push) }
}

/// Changes an API's answer.
fn answers(chain: &mut Chain, part: &str, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    pages(chain, part)?.try_for_each(|page| {
        let mut answer = json(text(&page.body)?)?;
        change(&mut answer)?;
        page.body = answer.to_string().into();
        Some(())
    })
}

/// Changes each action that the first decision task publishes.
fn actions(chain: &mut Chain, change: impl Fn(&mut Value) -> Option<()>) -> Option<()> {
    let decision = first_decision(chain)?;
    published(chain, &decision, ACTIONS, |text| {
        let mut all = json(text)?;
        inside(&mut all, &["actions"])?.as_array_mut()?.iter_mut().try_for_each(change)?;
        Some(all.to_pretty())
    })
}

/// Starts the action that made the target with another input.
fn started_with(chain: &mut Chain, input: &str) -> Option<()> {
    let (id, value) = (chain.action.clone()?, json(input)?);
    only(chain, &id, |task| {
        set(task, &["payload", "env", "ACTION_INPUT"], input)?;
        set(task, &["extra", "action", "context", "input"], value)
    })
}

fn ids(chain: &Chain) -> Vec<String> {
    chain.tasks.keys().cloned().collect()
}

fn reseal(chain: &mut Chain, id: &str) -> Option<()> {
    chain.reseal(id).ok()?.then_some(())
}

/// The same value with the members of every object reversed. The data here is not deep.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let members: Vec<(&String, &Value)> = map.iter().collect();
            members
                .into_iter()
                .rev()
                .map(|(key, value)| (key.clone(), reversed(value)))
                .collect::<Map>()
                .into()
        }
        Value::Array(items) => items.iter().map(reversed).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// The target lists only optional files.
pub(super) fn optional_only(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.retain(|entry| entry.get("optional").is_some());
        (!entries.is_empty()).then_some(())
    })
}

/// The queue writes a number of the first build in another notation.
fn number(chain: &mut Chain, written: &str) -> Option<()> {
    let id = first_build(chain)?;
    let task = chain.tasks.get_mut(&id)?;
    let text = task.definition.to_string();
    let other = text.replacen("\"maxRunTime\":7200", &format!("\"maxRunTime\":{written}"), 1);
    task.definition_text = (other != text).then_some(other);
    task.definition_text.as_ref().map(|_| ())
}

/// The queue omits a member of every task.
fn without(chain: &mut Chain, name: &str) -> Option<()> {
    for id in ids(chain) {
        only(chain, &id, |task| remove(task, &[name]))?;
        let status = chain.status_mut(&id)?;
        remove(status, &["status", name])?;
    }
    Some(())
}

fn sha512(bytes: &[u8]) -> String {
    Sha512::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
