//! A whole release whose tasks are run by worker processes, each with its own key: a decision task, an image,
//! builds that two workers of one pool share, and their signing. Catena and scriptworker judge what came out.

use super::reference::Word;
use super::support::daemon::{self, Daemon, resolved, write_made};
use super::{Bench, Both, Served};
use catena_testbed::chain::{Builders, Images, Release, Trigger};
use catena_testbed::{Chain, Queue, Testbed};
use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use tempfile::TempDir;

const BUILDS: usize = 4;
/// A script that makes again what the chain's task made.
const MAKE: &str = "set -e; cp -r SOURCE/$TASK_ID/. $ROOM/artifacts/";
/// A build waits until both workers of the pool have begun one.
const BUILD: &str = "set -e; touch SOURCE/begun-WORKER; \
    for i in {1..600}; do test -e SOURCE/begun-one -a -e SOURCE/begun-two && break; sleep 0.05; done; \
    cp -r SOURCE/$TASK_ID/. $ROOM/artifacts/";
const SIGN: &str = "set -e; cd $ROOM; mkdir -p artifacts/public/build; cat work/cot/*/public/build/* > artifacts/public/build/signed";

/// The workers of the release.
struct Workers {
    decision: Daemon,
    image: Daemon,
    builds: [Daemon; 2],
    signing: Daemon,
}

/// All of it.
pub(crate) fn is_verified_by_both(bench: &Bench) -> Result<(), Failed> {
    let chain = chain()?;
    let testbed = bench.testbed.start_beside(chain.clone().into_site())?;
    let source = tempfile::tempdir()?;
    for task in chain.tasks.keys() {
        write_made(&chain, task, &source.path().join(task));
    }
    let (mut workers, keys) = workers(&chain, &testbed, source.path());
    release(&chain, &testbed, &mut workers)?;
    let both = judged(bench, &chain, testbed, keys);
    if both.catena.status != 0 {
        return Err(both.fail("catena does not accept what its workers made"));
    }
    match &both.reference {
        None => Ok(()),
        Some(Word::Accepted { links }) => {
            let ids: BTreeSet<&str> = links.iter().map(|(_, id)| id.as_str()).collect();
            let all: BTreeSet<&str> = chain.tasks.keys().map(String::as_str).collect();
            if ids == all { Ok(()) } else { Err(both.fail("scriptworker does not follow all links")) }
        }
        Some(_) => Err(both.fail("scriptworker does not accept what the workers made")),
    }
}

/// A push with builds of generic-worker. The worker knows no image that a task runs in, so that a build takes the
/// image as an input of its chain and does not run in it.
fn chain() -> Result<Chain, Failed> {
    let release = Release::new("firefox", Trigger::Push)?;
    let mut chain = Release {
        builds: BUILDS,
        builders: Builders::GenericWorker,
        images_from: Images::OwnGraph,
        image_builder: false,
        ..release
    }
    .build()?;
    let (image, decision) = (chain.images[0].clone(), chain.decisions[0].clone());
    let graph = chain.artifact_mut(&decision, "public/task-graph.json").ok_or("no graph")?;
    let mut text = Vec::new();
    graph.body.for_each(|chunk| io::Write::write_all(&mut text, chunk))?;
    let mut value: Value = serde_json::from_slice(&text)?;
    let build = chain.builds[0].clone();
    let amend = |task: &mut Value| {
        task["dependencies"].as_array_mut().unwrap().push(json!(image));
        task["extra"]["chainOfTrust"] = json!({"inputs": {"docker-image": image}});
    };
    amend(&mut value[&build]["task"]);
    let mut task = definition(&chain, &build);
    amend(&mut task);
    let amended = catena_json::parse(task.to_string().as_bytes(), &catena_json::Limits::default())?;
    *chain.definition_mut(&build).ok_or("no build")? = amended;
    value[&build]["dependencies"]["image"] = json!(image);
    chain.artifact_mut(&decision, "public/task-graph.json").ok_or("no graph")?.body =
        value.to_string().into();
    Ok(chain)
}

fn definition(chain: &Chain, task: &str) -> Value {
    serde_json::from_str(&chain.tasks[task].definition.to_string()).unwrap()
}

/// A definition as it is when its task is made now: no task is older than the one that made it. All its times move
/// by the same span.
fn created_now(mut definition: Value) -> Value {
    let created: Timestamp = definition["created"].as_str().unwrap().parse().unwrap();
    let span = Timestamp::now().duration_since(created);
    move_times(&mut definition, span);
    definition
}

fn move_times(value: &mut Value, span: SignedDuration) {
    match value {
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => {
            if let Ok(time) = text.parse::<Timestamp>() {
                *text = time.saturating_add(span).unwrap().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_times(item, span)),
        Value::Object(members) => members.values_mut().for_each(|member| move_times(member, span)),
        _ => {}
    }
}

/// The workers, and whose keys are trusted for what.
fn workers(chain: &Chain, testbed: &Testbed, source: &Path) -> (Workers, Value) {
    let source = source.to_str().unwrap();
    let new = |task: &str, id: &str, seed: u8, script: &str| {
        let definition = definition(chain, task);
        let pool = definition["taskQueueId"].as_str().unwrap();
        let script = script.replace("SOURCE", source).replace("WORKER", id);
        Daemon::new(testbed.queue(), &testbed.root_url(), pool, id, seed).with_script(&script)
    };
    let decision = new(&chain.decisions[0], "decision", 1, MAKE);
    let image = new(&chain.images[0], "image", 2, MAKE);
    let builds = [("one", 3), ("two", 4)].map(|(id, seed)| new(&chain.builds[0], id, seed, BUILD));
    let signing = new(&chain.target, "signing", 5, SIGN);
    let of = |workers: &[&Daemon]| workers.iter().map(|worker| worker.public_key()).collect::<Vec<_>>();
    let keys = json!({
        "docker-worker": of(&[&decision, &image]), "generic-worker": of(&[&builds[0], &builds[1]]),
        "scriptworker": of(&[&signing]),
    });
    let product = chain.product.as_str();
    let workers = Workers {
        // There is no chain before a decision task.
        decision,
        image: image.verifying(product, "docker-image", &keys),
        builds: builds.map(|worker| worker.verifying(product, "build", &keys)),
        signing: signing.verifying(product, &chain.kind, &keys),
    };
    (workers, keys)
}

/// Runs the tasks in the order of their dependencies.
fn release(chain: &Chain, testbed: &Testbed, workers: &mut Workers) -> Result<(), Failed> {
    let queue = testbed.queue();
    let Workers { decision, image, builds: [one, two], signing } = workers;
    for (worker, tasks) in [(decision, &chain.decisions), (image, &chain.images)] {
        worker.start(testbed);
        tasks.iter().try_for_each(|task| completed(chain, queue, worker, task))?;
        ended(worker)?;
    }
    one.start(testbed);
    two.start(testbed);
    chain.builds.iter().for_each(|task| queue.add_task(task, &created_now(definition(chain, task))));
    let mut ran = BTreeSet::new();
    for task in &chain.builds {
        let run = resolved(queue, one, task, 0);
        let (_, by) = run.worker.clone().ok_or("no worker")?;
        if run.state != "completed" || queue.runs(task) != 1 {
            return Err(format!("{task}: {run:?}\n{}{}", one.said(), two.said()).into());
        }
        ran.insert(by);
    }
    let expected = BTreeSet::from([one.id().to_owned(), two.id().to_owned()]);
    if ran != expected {
        return Err(format!("the load is not shared: {ran:?}").into());
    }
    ended(one)?;
    ended(two)?;
    signing.start(testbed);
    completed(chain, queue, signing, &chain.target)?;
    ended(signing)
}

fn completed(chain: &Chain, queue: &Queue, worker: &Daemon, task: &str) -> Result<(), Failed> {
    queue.add_task(task, &created_now(definition(chain, task)));
    let run = resolved(queue, worker, task, 0);
    if run.state != "completed" {
        return Err(format!("{task}: {run:?}\n{}", worker.said()).into());
    }
    daemon::check_run(queue, worker, task, 0)?.ok_or("no document")?;
    Ok(())
}

fn ended(worker: &mut Daemon) -> Result<(), Failed> {
    match worker.drained() {
        0 => Ok(()),
        status => Err(format!("exit status {status}: {}", worker.said()).into()),
    }
}

/// What both say of the signing task, its own document included.
fn judged(bench: &Bench, chain: &Chain, testbed: Testbed, keys: Value) -> Both {
    let room: TempDir = tempfile::tempdir().unwrap();
    let served = Served {
        testbed,
        room,
        target: chain.target.clone(),
        kind: chain.kind.clone(),
        product: chain.product.clone(),
        check_target: true,
        artifacts: "all",
        keys,
    };
    let reference = bench.reference.as_ref().map(|reference| reference.ask(&served.scenario()));
    let catena = served.under(None, &mut served.command()).run();
    Both { reference, catena }
}
