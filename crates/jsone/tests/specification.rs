//! The JSON-e project's own specification, one test for each case.
//!
//! The file belongs to that project; it is read from the directory `CATENA_SHARED` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken case is a failed test")]

use catena_json::Value;
use catena_jsone::{Context, Limits, render};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;

/// The time of every case, unless its context has another.
const NOW: &str = "2017-01-19T16:27:20.974Z";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match std::env::var_os("CATENA_SHARED") {
        Some(shared) => trials(&Path::new(&shared).join("vectors/json-e-specification.yml")),
        None => vec![Trial::test("skipped: CATENA_SHARED is not set", || Ok(())).with_ignored_flag(true)],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One trial for each case, and one for how many there are.
fn trials(path: &Path) -> Vec<Trial> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut section = String::new();
    let mut trials = Vec::new();
    // A stream of documents, separated by lines of three dashes. The first is the file's header.
    for document in text.split("\n---\n").skip(1) {
        let loaded = catena_yaml::load(document, &catena_yaml::Limits::default())
            .unwrap_or_else(|error| panic!("{document}\n{error}"));
        let case = loaded.root.to_json().unwrap_or_else(|error| panic!("{document}\n{error}"));
        if let Some(name) = case.get("section").and_then(Value::as_str) {
            name.clone_into(&mut section);
            continue;
        }
        let title = case.get("title").map(ToString::to_string).expect("a title");
        let name = format!("{section}: {title} #{}", trials.len());
        trials.push(Trial::test(name, move || compare(&case)));
    }
    let count = trials.len();
    trials.push(Trial::test("all are there", move || {
        if count == 1175 { Ok(()) } else { Err(Failed::from(format!("{count} cases"))) }
    }));
    trials
}

fn compare(case: &Value) -> Result<(), Failed> {
    let template = case.get("template").expect("a template");
    let Some(Value::Object(values)) = case.get("context") else { panic!("a context is an object") };
    let mut context = Context::from(values.clone());
    if context.get("now").is_none() {
        context.set("now", NOW);
    }
    match (render(template, &context, &Limits::default()), case.get("result"), case.get("error")) {
        (Ok(result), Some(expected), None) if result == *expected => Ok(()),
        (Err(_), None, Some(Value::Bool(true))) => Ok(()),
        (Err(error), None, Some(Value::String(message))) if error.message() == *message => Ok(()),
        (Ok(result), ..) => Err(format!("gave {result}\ninstead of {case}").into()),
        (Err(error), ..) => Err(format!("failed with {error}\ninstead of {case}").into()),
    }
}
