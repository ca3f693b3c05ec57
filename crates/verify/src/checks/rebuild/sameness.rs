//! Whether a task is one of those that a template renders.

use super::explain::Explanation;
use super::template::{Rendering, Template};
use super::{DIFFERS, EMPTIES, Parent, Rebuild};
use crate::compare::{differences, weight};
use crate::verdict::{Authority, Difference, DifferenceKind};
use crate::verification::CheckContext;
use catena_json::{Map, Path, Value};

pub(super) const MOST_DIFFERENCES: usize = 20;

/// The task equals one of the rendered ones, once both are brought into one form
/// (specification 7.29 to 7.31).
///
/// Off-reference: the task may lack an empty value that the template renders, and may not have one
/// that it does not render; a rule of its own, `empty-values`.
pub(super) fn compare(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    rendered: &[Value],
    template: &Template,
    rendering: &Rendering,
) -> Rebuild<()> {
    let actual = one_form(parent.link.definition.value());
    let (actual_weight, actual_kept) = (weight(&actual), without_empties(&actual));
    let mut differing: Vec<(usize, Vec<Difference>)> = Vec::new();
    let mut with_empties: Option<Vec<Difference>> = None;
    for (number, task) in rendered.iter().enumerate() {
        cx.spend(actual_weight.saturating_add(weight(task)))?;
        let expected = without_task_id(&one_form(task));
        let found = differences(&without_empties(&expected), &actual_kept, MOST_DIFFERENCES);
        if !found.is_empty() {
            differing.push((number, found));
            continue;
        }
        let added = added_empties(&expected, &actual);
        if added.is_empty() {
            return Ok(());
        }
        with_empties = Some(added);
    }
    let closest = differing.into_iter().min_by_key(|(_, found)| found.len());
    let (code, message, number, found) = match (with_empties, closest) {
        (Some(added), _) => {
            (EMPTIES, "The task has empty values that the tree's template does not render.", 0, added)
        }
        (None, closest) => {
            let (number, found) = closest.unwrap_or_default();
            (DIFFERS, "The task differs from what the tree's template renders.", number, found)
        }
    };
    let made_by = match found.first().filter(|first| first.expected.is_some()) {
        Some(Difference { path, .. }) => {
            let (trigger, form) = (parent.decision.definition.trigger(), compared);
            Explanation { cx, template, rendering, trigger, rendered, number, path, form }.text()?
        }
        None => String::new(),
    };
    let origin = format!("{}{made_by}", template.origin);
    let finding = parent
        .failed(code, message)
        .at("the queue's definition", found.first().map(|first| first.path.clone()));
    Err(finding.differing((Authority::Tree, Authority::Queue), found).origin(origin).into())
}

/// A rendered task as it is compared.
fn compared(task: &Value) -> Value {
    without_empties(&without_task_id(&one_form(task)))
}

/// `projectId` is there, and the pool is told as `taskQueueId`.
fn one_form(task: &Value) -> Value {
    let Value::Object(members) = task else { return task.clone() };
    let mut members = members.clone();
    if !members.contains_key("projectId") {
        members.insert("projectId", "none".into());
    }
    let pool = match (members.remove("provisionerId"), members.remove("workerType")) {
        (Some(Value::String(provisioner)), Some(Value::String(worker_type))) => {
            Some(format!("{provisioner}/{worker_type}"))
        }
        _ => None,
    };
    if let (false, Some(pool)) = (members.contains_key("taskQueueId"), pool) {
        members.insert("taskQueueId", pool.into());
    }
    Value::Object(members)
}

/// A rendered `taskId` is not part of a definition.
fn without_task_id(task: &Value) -> Value {
    let mut task = task.clone();
    if let Some(members) = task.as_object_mut() {
        members.remove("taskId");
    }
    task
}

/// What the reference drops: `{}`, `[]`, null and the string "null".
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text == "null",
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// Drops empty members and items at every depth; what becomes empty by that stays.
fn without_empties(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            Value::Array(items.iter().filter(|item| !is_empty(item)).map(without_empties).collect())
        }
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !is_empty(value));
            Value::Object(kept.map(|(key, value)| (key.clone(), without_empties(value))).collect::<Map>())
        }
        other => other.clone(),
    }
}

/// Empty members that the queue gives every task that was made without them.
const DEFAULTS: [&str; 5] = ["dependencies", "extra", "routes", "scopes", "tags"];

/// Where the task has an empty value that the template does not render, or another one.
fn added_empties(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(expected, actual, &Path::new(), &mut found);
    found.truncate(MOST_DIFFERENCES);
    found
}

fn walk(expected: &Value, actual: &Value, path: &Path, found: &mut Vec<Difference>) {
    let differs = |path: &Path, expected: Option<&Value>, actual: Option<&Value>| Difference {
        path: path.clone(),
        kind: if expected.is_some() { DifferenceKind::Changed } else { DifferenceKind::Added },
        expected: expected.cloned(),
        actual: actual.cloned(),
    };
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, value) in there {
                let at = path.key(key);
                match wanted.get(key) {
                    Some(wanted) if is_empty(value) && wanted != value => {
                        found.push(differs(&at, Some(wanted), Some(value)))
                    }
                    Some(wanted) => walk(wanted, value, &at, found),
                    None if path.segments().is_empty()
                        && DEFAULTS.contains(&key.as_str())
                        && !value.is_null() => {}
                    None => found.push(differs(&at, None, Some(value))),
                }
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            for (index, (wanted, there)) in wanted.iter().zip(there).enumerate() {
                if is_empty(there) && wanted != there {
                    found.push(differs(&path.index(index), Some(wanted), Some(there)));
                } else {
                    walk(wanted, there, &path.index(index), found);
                }
            }
        }
        // The lengths differ by what is empty. Fewer items than rendered is what a service that
        // drops empty items makes of them.
        (Value::Array(wanted), Value::Array(there)) => {
            let kept: Vec<&Value> = wanted.iter().filter(|item| !is_empty(item)).collect();
            for (index, item) in there.iter().enumerate().filter(|(_, item)| is_empty(item)) {
                found.push(differs(&path.index(index), None, Some(item)));
            }
            let there = there.iter().enumerate().filter(|(_, item)| !is_empty(item));
            for ((index, item), wanted) in there.zip(kept) {
                walk(wanted, item, &path.index(index), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    fn read(text: &str) -> Value {
        parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn added(expected: &str, actual: &str) -> Vec<String> {
        let (expected, actual) = (read(expected), read(actual));
        assert_eq!(
            without_empties(&expected),
            without_empties(&actual),
            "but for empty values they are the same"
        );
        added_empties(&expected, &actual).iter().map(|difference| difference.path.to_string()).collect()
    }

    #[test]
    fn the_platform_may_drop_what_is_empty_and_add_its_defaults() {
        assert_eq!(
            added(r#"{"a":null,"b":[],"c":{"d":"null","e":1}}"#, r#"{"c":{"e":1}}"#),
            Vec::<String>::new()
        );
        assert_eq!(added(r#"{"a":["x",null,"y"]}"#, r#"{"a":["x","y"]}"#), Vec::<String>::new());
        assert_eq!(
            added("{}", r#"{"routes":[],"tags":{},"extra":{},"scopes":[],"dependencies":[]}"#),
            Vec::<String>::new()
        );
        assert_eq!(added(r#"{"e":{"ID":"null"}}"#, r#"{"e":{"ID":"null"}}"#), Vec::<String>::new());
        assert_eq!(added(r#"{"a":[[],"x"]}"#, r#"{"a":[[],"x"]}"#), Vec::<String>::new());
    }

    #[test]
    fn nobody_may_add_what_is_empty() {
        assert_eq!(
            added(r#"{"p":{"command":["a"]}}"#, r#"{"p":{"command":["a","null"]}}"#),
            ["p.command[1]"]
        );
        assert_eq!(added(r#"{"p":{"x":1}}"#, r#"{"p":{"x":1,"cache":{}}}"#), ["p.cache"]);
        assert_eq!(added(r#"{"p":{"a":null,"x":1}}"#, r#"{"p":{"a":"null","x":1}}"#), ["p.a"]);
        assert_eq!(added("{}", r#"{"routes":null}"#), ["routes"]);
        assert_eq!(added("{}", r#"{"requires":"null"}"#), ["requires"]);
        assert_eq!(added(r#"{"c":[null,{"a":1}]}"#, r#"{"c":[{"a":1,"b":[]}]}"#), ["c[0].b"]);
        assert_eq!(added(r#"{"c":[{"a":1}]}"#, r#"{"c":[null,{"a":1,"b":[]}]}"#), ["c[0]", "c[1].b"]);
        assert_eq!(added(r#"{"c":["a",null]}"#, r#"{"c":["null","a"]}"#), ["c[0]"]);
    }

    #[test]
    fn pools_are_told_in_one_way() {
        let task = one_form(&read(r#"{"provisionerId":"a","workerType":"b"}"#));
        assert_eq!(task, read(r#"{"projectId":"none","taskQueueId":"a/b"}"#));
        let both =
            one_form(&read(r#"{"provisionerId":"a","workerType":"b","taskQueueId":"c/d","projectId":"x"}"#));
        assert_eq!(both, read(r#"{"projectId":"x","taskQueueId":"c/d"}"#));
        let no_pool = one_form(&read(r#"{"provisionerId":"a","projectId":"x"}"#));
        assert_eq!(no_pool, read(r#"{"projectId":"x"}"#));
        let told = one_form(&read(r#"{"taskQueueId":"c/d","projectId":"x"}"#));
        assert_eq!(told, read(r#"{"projectId":"x","taskQueueId":"c/d"}"#));
        assert_eq!(without_task_id(&read(r#"{"taskId":"x","a":1}"#)), read(r#"{"a":1}"#));
    }
}
