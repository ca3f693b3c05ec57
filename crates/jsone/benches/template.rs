//! Rendering a `.taskcluster.yml` of real size, as happens for every decision and action task.
#![allow(clippy::unwrap_used, reason = "a bench of what it made itself")]

use catena_json::{Value, parse};
use catena_jsone::{Context, Limits, render};
use divan::Bencher;

const TEMPLATE: &str = include_str!("taskcluster.yml");
const ID: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

fn main() {
    divan::main();
}

fn template() -> Value {
    let document = catena_yaml::load(TEMPLATE, &catena_yaml::Limits::default()).unwrap();
    document.root.to_json().unwrap()
}

/// What Mozilla's hg reports about a push, and its cron and action hooks about themselves.
fn context(tasks_for: &str) -> Context {
    let text = include_str!("context.json");
    let Value::Object(values) = parse(text.as_bytes(), &catena_json::Limits::default()).unwrap() else {
        unreachable!("a context is an object")
    };
    let mut context = Context::from(values);
    context.set("tasks_for", tasks_for);
    context.set_function("as_slugid", |_| Ok(Value::from(ID)));
    context
}

#[divan::bench(args = ["hg-push", "cron", "action"])]
fn rendered(bencher: Bencher<'_, '_>, tasks_for: &str) {
    let (template, context, limits) = (template(), context(tasks_for), Limits::default());
    bencher.bench(|| {
        let made = render(divan::black_box(&template), &context, &limits).unwrap();
        assert!(made.pointer(&["tasks"]).unwrap().as_array().unwrap().len() == 1);
        made
    });
}
