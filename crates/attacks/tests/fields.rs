//! Every field of every document that is signed or compared is changed in turn, by the strongest
//! attacker for it: one who is consistent everywhere else. Each change prevents "verified", or the
//! field is on the list of those that may differ, with the reason. For answers and statuses, of which
//! little is read, the list contains what is read; the rest may differ.
//!
//! `CATENA_FIELDS=1` tries every change, which needs a release build (`cargo xtask fields`); `=7` tries
//! every seventh, and without it every 97th is tried.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at what it does not expect"
)]

#[path = "fields/exceptions.rs"]
mod exceptions;
#[path = "fields/mutation.rs"]
mod mutation;

use catena_attacks::{InMemorySource, NOW, Scenario, change, drive, valid};
use catena_json::{Map, Value};
use catena_testbed::chain::{DOCUMENT, Images, Product};
use catena_testbed::{Artifact, Body, Chain, Release, Trigger};
use catena_verify::verdict::Outcome;
use catena_verify::verification::{Need, TreeFile};
use exceptions::EXCEPTIONS;
use libtest_mimic::{Arguments, Failed, Trial};
use mutation::{How, Mutant, mutants};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What is changed, and who signs the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    /// A definition in the queue and in the worker's document.
    Definition,
    /// A definition in the queue alone.
    Queue,
    /// A worker's document, which it signs.
    Document,
    /// A worker's document, which it did not sign.
    Unsigned,
    /// A task's entry in its parent's graph, which the parent's worker signs.
    Graph,
    /// The queue's record of a task's runs.
    Status,
    /// A decision task's `public/actions.json`, which its worker signs.
    Actions,
    /// An answer of hg or GitHub.
    Answer,
    /// Any artifact's bytes, without a signature.
    Bytes,
}

impl Side {
    /// Whether most of it is never read.
    fn is_hardly_read(self) -> bool {
        matches!(self, Self::Status | Self::Actions | Self::Answer)
    }
}

/// The chains whose fields are changed: each is small, and together they cover every kind.
fn chains() -> Vec<(&'static str, Release)> {
    let small = |release: Release| Release { builds: 1, artifacts: 1, graph_size: 5, ..release };
    let own =
        |release: Release| Release { images_from: Images::OwnGraph, image_builder: false, ..small(release) };
    vec![
        ("hg push, finished", own(valid::finished())),
        ("hg cron, image of an earlier push", small(valid::cron())),
        ("hg action", own(valid::action())),
        ("hg promotion with globs", own(Release { optional_and_globs: true, ..valid::promotion() })),
        ("GitHub push", own(valid::mobile())),
        ("GitHub release", own(valid::tag())),
        ("GitHub pull request", own(valid::pull_request())),
        ("GitHub pull request of a fork", own(valid::fork())),
        ("GitHub action on a pull request", own(valid::pr_action())),
        ("Thunderbird", own(Release::of(Product::THUNDERBIRD, Trigger::Push))),
    ]
}

const SIDES: [Side; 9] = [
    Side::Definition,
    Side::Queue,
    Side::Document,
    Side::Unsigned,
    Side::Graph,
    Side::Status,
    Side::Actions,
    Side::Answer,
    Side::Bytes,
];

/// Shared state of all trials: which exceptions were needed, and how much was tried.
#[derive(Default)]
struct Tally {
    used: Mutex<BTreeSet<usize>>,
    /// Positions in rarely read documents whose change prevents "verified".
    read: Mutex<BTreeSet<(Side, String)>>,
    fields: AtomicUsize,
    changes: AtomicUsize,
}

fn main() {
    let arguments = Arguments::from_args();
    let stride = std::env::var("CATENA_FIELDS").map_or(97, |every| every.parse().unwrap());
    let tally = Arc::new(Tally::default());
    let mut trials = Vec::new();
    for (name, release) in chains() {
        for side in SIDES {
            let (release, tally) = (release.clone(), tally.clone());
            let run = move || every_change(&release, side, stride, &tally);
            trials.push(Trial::test(format!("{name}/{side:?}"), run));
        }
    }
    let whole = stride == 1 && arguments.filter.is_none() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    let (fields, changes) = (tally.fields.load(Ordering::Relaxed), tally.changes.load(Ordering::Relaxed));
    println!("{changes} changes of {fields} fields, {} exceptions", EXCEPTIONS.len());
    if whole {
        let used = tally.used.lock().unwrap();
        for (number, exception) in EXCEPTIONS.iter().enumerate().filter(|(number, _)| !used.contains(number))
        {
            println!("exception {number} is not needed: {:?} {}", exception.side, exception.place);
        }
        assert!(used.len() == EXCEPTIONS.len(), "exceptions that nothing needs");
        let read = tally.read.lock().unwrap();
        for (side, place) in read.iter().filter(|(side, place)| !exceptions::is_read(*side, place)) {
            println!("read, and not on the list: {side:?} {place}");
        }
        let listed =
            exceptions::READ.iter().flat_map(|(side, places)| places.iter().map(move |it| (*side, *it)));
        for (side, place) in listed.filter(|(side, place)| !read.contains(&(*side, (*place).to_owned()))) {
            println!("on the list, and not read: {side:?} {place}");
        }
        assert!(exceptions::are_read(&read), "what is read is not what the list says");
    }
    conclusion.exit();
}

/// A document that is changed.
struct Subject {
    /// The link, or the target if it has not run; a description if little of it is read.
    name: String,
    /// The task's id, or the page's address.
    id: String,
    value: Value,
    /// The action that the action task was made by, from a list of actions.
    used: Option<usize>,
}

fn every_change(release: &Release, side: Side, stride: usize, tally: &Tally) -> Result<(), Failed> {
    let chain = release.build()?;
    let question = Scenario::of(&chain)?;
    let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
    let (mut verification, mut asked) = (question.verification(), BTreeSet::new());
    drive(&mut verification, |need| {
        asked.insert(need.clone());
        memory.answer(need)
    });
    assert_eq!(verification.conclude(NOW).verdict().outcome, Outcome::Verified, "the chain is honest");
    let mut survivors = Vec::new();
    let mut number = 0;
    for subject in subjects(&chain, side, &asked) {
        let mut fields = BTreeSet::new();
        for mutant in mutants(&subject.value) {
            number += 1;
            if number % stride != 0 {
                continue;
            }
            let mut changed = chain.clone();
            if apply(&mut changed, side, &subject, &mutant).is_none() {
                continue;
            }
            fields.insert(mutant.place.clone());
            tally.changes.fetch_add(1, Ordering::Relaxed);
            let accepted = question.judge(changed).outcome == Outcome::Verified;
            let place = format!("{}: {}", subject.name, mutant.place);
            // A duplicate key makes any document malformed as a whole, and says nothing about the
            // field.
            let about_the_field = side.is_hardly_read() && mutant.how != How::Twice;
            // A line of text means nothing by itself; the result of the text is compared as a whole.
            let is_text =
                side == Side::Answer && subject.value.is_array() && !subject.id.contains("api.github.com");
            let place = exceptions::named(side, &place, subject.used);
            let read = || !mutant.adds && exceptions::is_read(side, &mutation::general(&place));
            match (accepted, exceptions::find(side, &place, mutant.how)) {
                (true, Some(number)) => drop(tally.used.lock().unwrap().insert(number)),
                (true, None) if is_text || about_the_field && !read() => {}
                (true, None) => survivors.push(format!("{place} {:?}", mutant.how)),
                (false, _) if about_the_field && !is_text => {
                    tally.read.lock().unwrap().insert((side, mutation::general(&place)));
                }
                (false, _) => {}
            }
        }
        tally.fields.fetch_add(fields.len(), Ordering::Relaxed);
    }
    if survivors.is_empty() {
        return Ok(());
    }
    Err(format!("{} changes of {number} are accepted:\n{}", survivors.len(), survivors.join("\n")).into())
}

/// The documents of one kind that the verification of the chain requests.
fn subjects(chain: &Chain, side: Side, asked: &BTreeSet<Need>) -> Vec<Subject> {
    if side == Side::Answer {
        return asked.iter().filter_map(|need| answer(chain, need)).collect();
    }
    let mut subjects = Vec::new();
    for (name, id) in parts(chain) {
        let wanted = |need: &Need| is_about(need, side, &id);
        // Of all fetched files only the actions that an action task was made by are read.
        let wanted =
            asked.iter().any(wanted) && (side != Side::Actions || name.ends_with(":action:decision"));
        let Some(value) = value(chain, side, &id).filter(|_| wanted) else { continue };
        let value = if side == Side::Bytes { asked_bytes(&id, asked) } else { value };
        let name = match side {
            Side::Status => "status".to_owned(),
            Side::Actions => "actions".to_owned(),
            _ => name,
        };
        let used = if side == Side::Actions { used(chain, &value) } else { None };
        subjects.push(Subject { name, id, value, used });
    }
    subjects
}

/// The action that the chain's action task was made by.
fn used(chain: &Chain, actions: &Value) -> Option<usize> {
    let task = chain.definition(chain.action.as_ref()?)?;
    let callback = task.pointer(&["payload", "env", "ACTION_CALLBACK"])?;
    let of = |action: &Value| action.pointer(&["hookPayload", "decision", "action", "cb_name"]).cloned();
    actions.get("actions")?.as_array()?.iter().position(|action| of(action).as_ref() == Some(callback))
}

/// The answer of hg or GitHub to a need; text that is not JSON is a list of lines.
fn answer(chain: &Chain, need: &Need) -> Option<Subject> {
    let url = InMemorySource::url(need)?;
    let Body::Bytes(bytes) = &chain.pages.get(&url)?.body else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    let value = change::json(text).unwrap_or_else(|| lines(text));
    let name = match need {
        Need::Projects { .. } => "projects",
        Need::Push { .. } => "push",
        Need::HgFile { file: TreeFile::TaskclusterYml, .. } => "template on hg",
        Need::GithubFile { file: TreeFile::TaskclusterYml, .. } => "template on GitHub",
        Need::HgFile { file: TreeFile::CronYml, .. } => "cron jobs on hg",
        Need::GithubFile { file: TreeFile::CronYml, .. } => "cron jobs on GitHub",
        Need::Repository { .. } => "repository",
        Need::Commit { .. } => "commit",
        Need::PullRequest { .. } => "pull request",
        Need::Release { .. } => "release",
        Need::Tags { .. } => "tags",
        Need::BranchCommits { .. } => "branches of a commit",
        _ => "comparison",
    };
    Some(Subject { name: name.to_owned(), id: url, value, used: None })
}

/// Whether a need is answered with this document of a task.
fn is_about(need: &Need, side: Side, id: &str) -> bool {
    match (side, need) {
        (Side::Definition | Side::Queue, Need::Definition { task_id })
        | (Side::Graph, Need::Definition { task_id })
        | (Side::Status, Need::Status { task_id })
        | (Side::Document | Side::Unsigned, Need::Document { task_id, .. }) => task_id.as_str() == id,
        (Side::Actions, Need::Content { task_id, name, .. }) => {
            task_id.as_str() == id && name.as_str() == change::ACTIONS
        }
        (Side::Bytes, need) => need.artifact().is_some_and(|(task_id, _, _)| task_id.as_str() == id),
        _ => false,
    }
}

/// The names of the requested artifacts of a task.
fn asked_bytes(id: &str, asked: &BTreeSet<Need>) -> Value {
    let artifacts = asked.iter().filter_map(Need::artifact).filter(|(task_id, _, _)| task_id.as_str() == id);
    artifacts.map(|(_, _, name)| (name.as_str().to_owned(), Value::from(""))).collect::<Map>().into()
}

/// The links by name, and the target if it is not one: it has not run.
fn parts(chain: &Chain) -> Vec<(String, String)> {
    let mut parts: Vec<_> = chain.links().into_iter().map(|link| (link.name, link.task_id)).collect();
    if !parts.iter().any(|(_, id)| *id == chain.target) {
        parts.push(("target".to_owned(), chain.target.clone()));
    }
    parts
}

fn value(chain: &Chain, side: Side, id: &str) -> Option<Value> {
    let task = chain.task(id)?;
    let artifact = |name: &str| {
        let Body::Bytes(bytes) = &task.runs.values().next_back()?.get(name)?.body else { return None };
        change::json(std::str::from_utf8(bytes).ok()?)
    };
    match side {
        Side::Definition | Side::Queue => Some(task.definition.clone()),
        Side::Document | Side::Unsigned => Some(task.document.as_ref()?.value.clone()),
        Side::Status => Some(task.status.clone()),
        Side::Actions => artifact(change::ACTIONS),
        Side::Graph => {
            let parent = change::parent_of(chain, id)?;
            let graph = chain.task(&parent)?.runs.values().next_back()?.get(change::GRAPH)?;
            let Body::Bytes(bytes) = &graph.body else { return None };
            Some(change::json(std::str::from_utf8(bytes).ok()?)?.get(id)?.clone())
        }
        Side::Bytes => Some(Value::Null),
        Side::Answer => None,
    }
}

/// Text that is not JSON is a list of lines.
fn lines(text: &str) -> Value {
    text.lines().map(Value::from).collect::<Vec<_>>().into()
}

fn apply(chain: &mut Chain, side: Side, subject: &Subject, mutant: &Mutant) -> Option<()> {
    let (id, text) = (subject.id.as_str(), mutant.text.as_str());
    match side {
        Side::Definition => match change::json(text) {
            Some(value) => change::only(chain, id, |task| replaced(task, value)),
            None => queue_text(chain, id, text),
        },
        Side::Queue => queue_text(chain, id, text),
        Side::Document => {
            let task = chain.task(id)?;
            let key = chain.keys.signing_key(task.implementation);
            let signature = key.sign(text.as_bytes()).as_bytes().to_vec();
            *chain.signature_mut(id)? = signature;
            publish_document(chain, id, text)
        }
        Side::Unsigned => publish_document(chain, id, text),
        Side::Status => {
            *chain.status_mut(id)? = change::json(text)?;
            Some(())
        }
        Side::Graph => {
            let parent = change::parent_of(chain, id)?;
            let marker = "\"the entry that is changed\"";
            change::published(chain, &parent, change::GRAPH, |graph| {
                let mut graph = change::json(graph)?;
                change::set(&mut graph, &[id], "the entry that is changed")?;
                Some(graph.to_string().replacen(marker, text, 1))
            })
        }
        Side::Actions => change::published(chain, id, change::ACTIONS, |_| Some(text.to_owned())),
        Side::Answer => {
            let page = chain.http_mut(id)?;
            page.body = match &subject.value {
                // Lines that became something else are not text.
                Value::Array(_) if !id.contains("api.github.com") => joined(&change::json(text)?)?.into(),
                _ => text.to_owned().into(),
            };
            Some(())
        }
        Side::Bytes => bytes(chain, id, mutant),
    }
}

fn replaced(task: &mut Value, value: Value) -> Option<()> {
    *task = value;
    Some(())
}

fn queue_text(chain: &mut Chain, id: &str, text: &str) -> Option<()> {
    chain.tasks.get_mut(id)?.definition_text = Some(text.to_owned());
    Some(())
}

fn publish_document(chain: &mut Chain, id: &str, text: &str) -> Option<()> {
    let artifact = Artifact::new(text.to_owned(), "text/plain; charset=utf-8");
    chain.artifacts_mut(id)?.insert(DOCUMENT.into(), artifact);
    Some(())
}

fn joined(lines: &Value) -> Option<String> {
    let lines = lines.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
    Some(format!("{}\n", lines.join("\n")))
}

/// The member with that name is an artifact: missing, with another byte, or another's bytes.
fn bytes(chain: &mut Chain, id: &str, mutant: &Mutant) -> Option<()> {
    let name = mutant.key.as_deref()?;
    let artifacts = chain.artifacts_mut(id)?;
    if mutant.how == How::Removed {
        return artifacts.remove(name).map(drop);
    }
    let artifact = artifacts.get_mut(name)?;
    let Body::Bytes(bytes) = &artifact.body else { return None };
    let mut bytes = bytes.to_vec();
    match mutant.how {
        How::Changed => *bytes.first_mut()? ^= 1,
        How::Retyped => bytes.clear(),
        How::Nulled => drop(bytes.pop()?),
        _ => bytes.push(b'\n'),
    }
    artifact.body = bytes.into();
    Some(())
}
