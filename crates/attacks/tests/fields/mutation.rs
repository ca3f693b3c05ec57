//! Every way to change one field of a JSON value.

use catena_json::{Map, Value};

/// How a field is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// Removed.
    Removed,
    /// Another value of the same type; in an object or a list, something added.
    Changed,
    /// A value of another type.
    Retyped,
    /// `null`.
    Nulled,
    /// A duplicate key with another value.
    Twice,
}

/// A value with one field changed.
pub(crate) struct Mutant {
    /// The path, as steps with dots in between.
    pub(crate) place: String,
    /// The last step, if it is a key.
    pub(crate) key: Option<String>,
    pub(crate) how: How,
    /// Whether it only adds a member or an item.
    pub(crate) adds: bool,
    /// The whole value as JSON text.
    pub(crate) text: String,
}

/// A placeholder for the duplicate key; no document has it.
const AGAIN: &str = "the key that is there already";

/// One step into a value.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Item(usize),
}

/// All of them.
pub(crate) fn mutants(value: &Value) -> Vec<Mutant> {
    let mut ways = Vec::new();
    walk(value, &mut Vec::new(), &mut ways);
    let mut mutants = vec![mutant(value, &[], How::Changed, change)];
    for way in &ways {
        mutants.push(mutant(value, way, How::Removed, |_| ()));
        mutants.push(mutant(value, way, How::Changed, change));
        mutants.push(mutant(value, way, How::Retyped, retype));
        mutants.push(mutant(value, way, How::Nulled, |value| *value = Value::Null));
        if matches!(way.last(), Some(Step::Key(_))) {
            mutants.push(mutant(value, way, How::Twice, change));
        }
    }
    let same = value.to_string();
    mutants.retain(|mutant| mutant.text != same);
    mutants
}

/// A position in any list: indices are `N`.
pub(crate) fn general(place: &str) -> String {
    let (name, place) = place.split_once(": ").unwrap_or(("", place));
    let steps = place.split('.').map(|step| if step.parse::<usize>().is_ok() { "N" } else { step });
    format!("{name}: {}", steps.collect::<Vec<_>>().join("."))
}

/// The paths to every value within.
fn walk(value: &Value, way: &mut Vec<Step>, ways: &mut Vec<Vec<Step>>) {
    let children: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (Step::Key(key.clone()), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, value)| (Step::Item(i), value)).collect(),
        _ => return,
    };
    for (step, child) in children {
        way.push(step);
        ways.push(way.clone());
        walk(child, way, ways);
        way.pop();
    }
}

fn mutant(value: &Value, way: &[Step], how: How, change: fn(&mut Value)) -> Mutant {
    let mut root = value.clone();
    let adds = how == How::Changed
        && !matches!(
            inside(&mut root, way),
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null
        );
    let key = match way.last() {
        Some(Step::Key(key)) => Some(key.clone()),
        _ => None,
    };
    match (way.split_last(), how) {
        (None, _) => change(&mut root),
        (Some((last, parents)), How::Removed) => remove(inside(&mut root, parents), last),
        (Some((last, parents)), How::Twice) => twice(inside(&mut root, parents), last, change),
        _ => change(inside(&mut root, way)),
    }
    let mut text = root.to_string();
    if let Some(key) = key.as_ref().filter(|_| how == How::Twice) {
        text = text.replacen(&Value::from(AGAIN).to_string(), &Value::from(key.as_str()).to_string(), 1);
    }
    let steps = way.iter().map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Item(i) => i.to_string(),
    });
    Mutant { place: steps.collect::<Vec<_>>().join("."), key, how, adds, text }
}

fn inside<'a>(value: &'a mut Value, way: &[Step]) -> &'a mut Value {
    way.iter().fold(value, |value, step| match (value, step) {
        (Value::Object(map), Step::Key(key)) => map.get_mut(key).unwrap(),
        (Value::Array(items), Step::Item(i)) => &mut items[*i],
        _ => unreachable!("ways lead somewhere"),
    })
}

fn remove(parent: &mut Value, step: &Step) {
    match (parent, step) {
        (Value::Object(map), Step::Key(key)) => drop(map.remove(key)),
        (Value::Array(items), Step::Item(i)) => drop(items.remove(*i)),
        _ => unreachable!("ways lead somewhere"),
    }
}

fn twice(parent: &mut Value, step: &Step, change: fn(&mut Value)) {
    let (Value::Object(map), Step::Key(key)) = (parent, step) else { return };
    let mut other = map.get(key).unwrap().clone();
    change(&mut other);
    map.insert(AGAIN, other);
}

/// Another value of the same type, as similar as possible.
fn change(value: &mut Value) {
    match value {
        Value::Null => *value = Value::from(""),
        Value::Bool(truth) => *truth = !*truth,
        Value::Number(number) => *value = Value::from(number.as_i64().unwrap_or(0) + 1),
        Value::String(text) => text.push('x'),
        Value::Array(items) => items.push(Value::from("x")),
        Value::Object(map) => drop(map.insert("x-beside", Value::from("x"))),
    }
}

/// A value of another type, as similar as possible.
fn retype(value: &mut Value) {
    *value = match &*value {
        Value::Null => Value::Bool(false),
        Value::Bool(truth) => Value::from(i64::from(*truth)),
        Value::Number(number) => Value::from(number.to_string()),
        Value::String(text) => Value::from(vec![Value::from(text.as_str())]),
        Value::Array(_) => Value::Object(Map::new()),
        Value::Object(_) => Value::from(Vec::new()),
    };
}
