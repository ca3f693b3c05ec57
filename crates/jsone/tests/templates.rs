//! Real `.taskcluster.yml` files, rendered for every trigger as the reference renders them.
//!
//! The files belong to other projects; they are read from the directory `CATENA_SHARED` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken case is a failed test")]

use catena_json::{Map, Value};
use catena_jsone::{Context, Limits, render};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match std::env::var_os("CATENA_SHARED") {
        Some(shared) => trials(&Path::new(&shared).join("vectors/templates")),
        None => vec![Trial::test("skipped: CATENA_SHARED is not set", || Ok(())).with_ignored_flag(true)],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn read(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let limits = catena_json::Limits::default();
    catena_json::parse(&bytes, &limits).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

/// One trial for each template and trigger, and one for how many there are.
fn trials(folder: &Path) -> Vec<Trial> {
    let contexts = read(&folder.join("contexts.json"));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the directory of templates")
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let mut trials = Vec::new();
    let mut errors = 0_usize;
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let template = read(&folder.join("parsed.json"));
        let cases = read(&folder.join("cases.json"));
        for (trigger, expected) in cases.get("cases").and_then(Value::as_object).expect("cases") {
            errors = errors.saturating_add(usize::from(expected.get("error").is_some()));
            let context = context(&contexts, &cases, trigger);
            let (template, expected) = (template.clone(), expected.clone());
            trials.push(Trial::test(format!("{name} {trigger}"), move || {
                compare(&template, &context, &expected)
            }));
        }
    }
    let counted = (trials.len(), errors);
    trials.push(Trial::test("all are there", move || {
        if counted == (384, 83) { Ok(()) } else { Err(Failed::from(format!("{counted:?}"))) }
    }));
    trials
}

fn context(contexts: &Value, cases: &Value, trigger: &str) -> Context {
    let by_trigger = contexts.get("by tasks_for, for owner OWNER and repository NAME").expect("contexts");
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).expect("a string").to_owned();
    let (owner, name) = (text(cases, "owner"), text(cases, "name"));
    let Value::Object(values) = replaced(by_trigger.get(trigger).expect("its context"), &owner, &name) else {
        panic!("a context is an object");
    };
    let mut context = Context::from(values);
    context.set("tasks_for", trigger);
    let (own, decision) = (text(contexts, "ownTaskId"), text(contexts, "decisionTaskId"));
    context.set_function("as_slugid", move |arguments| match arguments {
        [Value::String(label)] if label == "decision" => Ok(Value::from(decision.as_str())),
        [Value::String(_)] => Ok(Value::from(own.as_str())),
        _ => Err("expects one string".to_owned()),
    });
    context
}

/// The value with the words OWNER and NAME replaced.
fn replaced(value: &Value, owner: &str, name: &str) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace("OWNER", owner).replace("NAME", name)),
        Value::Array(items) => Value::Array(items.iter().map(|item| replaced(item, owner, name)).collect()),
        Value::Object(members) => {
            let replaced = members.iter().map(|(key, member)| (key.clone(), replaced(member, owner, name)));
            Value::Object(replaced.collect::<Map>())
        }
        other => other.clone(),
    }
}

/// Results must be equal and print the same but for the order of keys; messages must be equal.
fn compare(template: &Value, context: &Context, expected: &Value) -> Result<(), Failed> {
    match (render(template, context, &Limits::default()), expected.get("result"), expected.get("error")) {
        (Ok(result), Some(expected), None) if sorted(&result) == sorted(expected) => Ok(()),
        (Err(error), None, Some(Value::String(message))) if error.message() == *message => Ok(()),
        (Ok(result), ..) => Err(format!("gave {result}\ninstead of {expected}").into()),
        (Err(error), ..) => Err(format!("failed with {error}\ninstead of {expected}").into()),
    }
}

/// The value's text with keys in order: tells 1 from 1.0.
fn sorted(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let members = members.sorted();
            let texts =
                members.iter().map(|(key, member)| format!("{}:{}", Value::from(*key), sorted(member)));
            format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
