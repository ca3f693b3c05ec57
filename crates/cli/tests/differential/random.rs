//! Random changes: one value of one document, with any effect.

use catena_attacks::change::{graph, parent_of};
use catena_attacks::valid;
use catena_json::Value;
use catena_testbed::{Chain, Release};

/// A random number generator with a seed (Steele, Lea, Flood: SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// A small chain with one value changed, and a description of the change.
pub(crate) fn changed(seed: u64) -> (Chain, String) {
    let mut numbers = Numbers(seed);
    let releases = [
        valid::push(),
        Release { optional_and_globs: true, finished: true, ..valid::cron() },
        valid::action(),
        Release { depth: 1, builds: 1, ..valid::promotion() },
        valid::pull_request(),
        valid::tag(),
    ];
    let release = &releases[numbers.below(releases.len())];
    let mut chain = Release { seed: 1 + seed % 7, ..release.clone() }.build().unwrap();
    let links = chain.links();
    let mut ids: Vec<String> = links.into_iter().map(|link| link.task_id).collect();
    ids.push(chain.target.clone());
    let id = ids[numbers.below(ids.len())].clone();
    let made_by_parent =
        chain.definition(&id).unwrap().pointer(&["payload", "env", "ACTION_CALLBACK"]).is_none()
            && chain.definition(&id).unwrap().pointer(&["extra", "parent"]).is_some();
    let finished = chain.document_mut(&id).is_some();
    let (place, what) = match numbers.below(3) {
        0 if finished => {
            let what = change(chain.document_mut(&id).unwrap(), &mut numbers);
            chain.resign(&id);
            ("its document", what)
        }
        1 if made_by_parent => {
            let (parent, mut what) = (parent_of(&chain, &id).unwrap(), String::new());
            graph(&mut chain, &parent, |graph| {
                what = change(graph.get_mut(&id)?, &mut numbers);
                Some(())
            })
            .unwrap();
            ("its entry in the graph", what)
        }
        _ => {
            let what = change(chain.definition_mut(&id).unwrap(), &mut numbers);
            chain.redocument(&id);
            ("its definition", what)
        }
    };
    let change = format!("{:?} of {}, {place} ({id}): {what}", release.trigger, release.product.name);
    (chain, change)
}

/// Changes one value somewhere within; returns which and how.
fn change(value: &mut Value, numbers: &mut Numbers) -> String {
    let mut places = Vec::new();
    walk(value, &mut Vec::new(), &mut places);
    let place = &places[numbers.below(places.len())];
    let (last, parents) = place.split_last().unwrap();
    let parent = parents.iter().fold(value, |value, step| inside(value, step).unwrap());
    if numbers.below(4) == 0 {
        match parent {
            Value::Object(map) => drop(map.remove(last)),
            Value::Array(items) => drop(items.remove(last.parse().unwrap())),
            _ => unreachable!("places are members"),
        }
        return format!("{} removed", place.join("."));
    }
    let value = inside(parent, last).unwrap();
    let before = value.to_string();
    *value = other(value, numbers);
    format!("{} from {before} to {value}", place.join("."))
}

fn inside<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        other => other.get_mut(step),
    }
}

/// The paths to every value within.
fn walk(value: &Value, way: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
        _ => return,
    };
    for (step, child) in children {
        way.push(step);
        places.push(way.clone());
        walk(child, way, places);
        way.pop();
    }
}

/// Another value in its place: similar to it, or of another type.
fn other(value: &Value, numbers: &mut Numbers) -> Value {
    match (numbers.below(4), value) {
        (0, _) => Value::Null,
        (1, Value::String(_)) => Value::from(Vec::new()),
        (1, _) => Value::from("x"),
        (_, Value::String(text)) => Value::from(format!("{text}x")),
        (_, Value::Bool(truth)) => Value::Bool(!truth),
        (_, Value::Number(number)) => Value::from(number.as_i64().unwrap_or(0) + 1),
        (_, Value::Array(items)) => {
            Value::from(items.iter().cloned().chain([Value::from("x")]).collect::<Vec<_>>())
        }
        (_, Value::Object(map)) => {
            let mut map = map.clone();
            map.insert("x", Value::from("x"));
            Value::Object(map)
        }
        (_, Value::Null) => Value::Bool(true),
    }
}
