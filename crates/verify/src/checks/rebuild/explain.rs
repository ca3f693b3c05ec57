//! What made a value that a task does not have: the line of the template, and the inputs that it was rendered with.
//!
//! It is computed only where a task differs. A node of the template, or an input, made the value if another one in its
//! place makes another value. So no rendering has to keep a record of what it read.

use super::template::{Rendering, Template};
use crate::verification::{CheckContext, Stop};
use catena_json::{Path, Segment, Value};
use catena_model::source::Revision;
use catena_model::task::Trigger;
use std::cell::Cell;
use std::collections::HashSet;

/// Steps for one explanation, all renderings together: more than ten renderings of the most expensive real template.
const STEPS: u64 = 400_000;
/// Inputs that are tried, and places of the template.
const MOST_TRIED: usize = 64;
/// Inputs that are told.
const MOST_TOLD: usize = 5;

/// A value that a template renders, and how it can be rendered again.
pub(super) struct Explanation<'a> {
    pub(super) cx: &'a CheckContext<'a>,
    pub(super) template: &'a Template,
    pub(super) rendering: &'a Rendering,
    pub(super) trigger: Option<Trigger>,
    /// The tasks that were rendered, and which of them differs.
    pub(super) rendered: &'a [Value],
    pub(super) number: usize,
    /// Where in that task.
    pub(super) path: &'a Path,
    /// The form that tasks are compared in.
    pub(super) form: fn(&Value) -> Value,
}

impl Explanation<'_> {
    /// ` line 100, with cron.quoted_args from extra.cron`; empty where nothing can be told.
    pub(super) fn text(&self) -> Result<String, Stop> {
        let steps = Cell::new(STEPS);
        let line = self.line(&steps)?;
        let mut text = line.map(|line| format!(" line {line}")).unwrap_or_default();
        let inputs = self.inputs(&steps)?;
        let more = inputs.len().saturating_sub(MOST_TOLD);
        let told: Vec<String> = inputs.into_iter().take(MOST_TOLD).collect();
        if !told.is_empty() {
            let more = if more > 0 { format!(" and {more} more inputs") } else { String::new() };
            text.push_str(&format!(", with {}{more}", told.join(", ")));
        }
        Ok(text)
    }

    /// The line of the template that makes the value: where several may, the one that does.
    fn line(&self, steps: &Cell<u64>) -> Result<Option<usize>, Stop> {
        let places = self.template.places_of(self.path);
        if let [(line, _)] = places.as_slice() {
            return Ok(Some(*line));
        }
        let mut found = Vec::new();
        for (line, path) in places.into_iter().take(MOST_TRIED) {
            let mut template = self.template.value().clone();
            if replace(&mut template, &path, |_| Some("another value".into()))
                && self.is_changed_by(&template, self.rendering.context(), steps)?
            {
                found.push(line);
            }
        }
        let only = found.pop();
        Ok(only.filter(|_| found.is_empty()))
    }

    /// The inputs that make the value, each with the place that it comes from.
    fn inputs(&self, steps: &Cell<u64>) -> Result<Vec<String>, Stop> {
        let (template, context) = (self.template.value(), self.rendering.context());
        let wrapped = self.rendering.wrap(template);
        let words = words(&wrapped);
        let mut found = Vec::new();
        for path in candidates(context.values(), &words) {
            let Some((Segment::Key(name), inner)) = path.segments().split_first() else { continue };
            let Some(catena_jsone::Binding::Value(value)) = context.get(name) else { continue };
            let mut value = value.clone();
            if !replace_below(&mut value, inner, another) {
                continue;
            }
            let mut changed = context.clone();
            changed.set(name.as_str(), value);
            if self.is_changed_by(template, &changed, steps)? {
                let told = path.to_string();
                found.push(match source(&told, self.trigger) {
                    Some(source) => format!("{told} from {source}"),
                    None => told,
                });
            }
        }
        Ok(found)
    }

    /// Whether the value is another one with this template and context. What cannot be rendered, or renders other
    /// tasks, tells nothing.
    fn is_changed_by(
        &self,
        template: &Value,
        context: &catena_jsone::Context,
        steps: &Cell<u64>,
    ) -> Result<bool, Stop> {
        let limits = &self.cx.evidence.limits.template;
        let watch = |taken| {
            steps.set(steps.get().saturating_sub(taken));
            steps.get() > 0 && self.cx.spend(usize::try_from(taken).unwrap_or(usize::MAX)).is_ok()
        };
        if steps.get() == 0 {
            return Ok(false);
        }
        let wrapped = self.rendering.wrap(template);
        let result = catena_jsone::render_watched(&wrapped, context, limits, &watch);
        self.cx.spend(0)?;
        let Ok(result) = result else { return Ok(false) };
        let Some(tasks) = result.get("tasks").and_then(Value::as_array) else { return Ok(false) };
        if tasks.len() != self.rendered.len() {
            return Ok(false);
        }
        let at =
            |tasks: &[Value]| tasks.get(self.number).and_then(|task| part(&(self.form)(task), self.path));
        Ok(at(tasks) != at(self.rendered))
    }
}

/// A part of a value.
fn part(value: &Value, path: &Path) -> Option<Value> {
    let mut part = value;
    for segment in path.segments() {
        part = match segment {
            Segment::Key(key) => part.get(key)?,
            Segment::Index(index) => part.as_array()?.get(*index)?,
        };
    }
    Some(part.clone())
}

/// Puts another value in place of a part; whether there is such a part that can be another.
fn replace(value: &mut Value, path: &Path, other: impl FnOnce(&Value) -> Option<Value>) -> bool {
    replace_below(value, path.segments(), other)
}

fn replace_below(value: &mut Value, path: &[Segment], other: impl FnOnce(&Value) -> Option<Value>) -> bool {
    let mut part = value;
    for segment in path {
        let inner = match segment {
            Segment::Key(key) => part.get_mut(key),
            Segment::Index(index) => part.as_array_mut().and_then(|items| items.get_mut(*index)),
        };
        let Some(inner) = inner else { return false };
        part = inner;
    }
    match other(part) {
        Some(other) => *part = other,
        None => return false,
    }
    true
}

/// Another value of the same kind, which a template can be rendered with as well.
fn another(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => "x".into(),
        Value::Bool(value) => Value::Bool(!value),
        Value::Number(_) if value.as_i64() == Some(7) => Value::from(8_i64),
        Value::Number(_) => Value::from(7_i64),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "2001-02-03T04:05:06.789Z".into(),
        Value::String(text) if Revision::parse(text).is_ok() => "0123456789".repeat(4).into(),
        Value::String(text) => format!("{text}x").into(),
        Value::Array(items) => {
            Value::Array(items.iter().cloned().chain(std::iter::once("x".into())).collect())
        }
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("x", "x".into());
            Value::Object(members)
        }
    })
}

/// Every name in the texts and keys of a template.
fn words(template: &Value) -> HashSet<&str> {
    let is_apart = |character: char| !character.is_ascii_alphanumeric() && character != '_';
    let (mut words, mut todo) = (HashSet::new(), vec![template]);
    while let Some(value) = todo.pop() {
        match value {
            Value::String(text) => words.extend(text.split(is_apart)),
            Value::Array(items) => todo.extend(items),
            Value::Object(members) => {
                for (key, value) in members {
                    words.extend(key.split(is_apart));
                    todo.push(value);
                }
            }
            _ => {}
        }
    }
    words
}

/// The parts of the inputs that a template names, as deep as it does.
fn candidates<'a>(inputs: impl Iterator<Item = (&'a str, &'a Value)>, words: &HashSet<&str>) -> Vec<Path> {
    let named = inputs.filter(|(name, _)| words.contains(name));
    let mut todo: Vec<(Path, &Value)> = named.map(|(name, value)| (Path::of(&[name]), value)).collect();
    todo.reverse();
    let mut found = Vec::new();
    while let Some((path, value)) = todo.pop() {
        let inner: Vec<_> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| words.contains(key.as_str()))
            .map(|(key, value)| (path.key(key), value))
            .collect();
        if inner.is_empty() {
            found.push(path);
        }
        todo.extend(inner.into_iter().rev());
        if found.len() >= MOST_TRIED {
            break;
        }
    }
    found
}

/// Where a trigger's inputs come from: those that begin so.
const SOURCES: &[(Option<Trigger>, &str, &str)] = &[
    (None, "clientId", "extra.action.context"),
    (None, "cron", "extra.cron"),
    (None, "now", "created"),
    (None, "ownTaskId", "the task's id"),
    (None, "payload.user", "extra.action.context"),
    (None, "payload", "public/actions.json"),
    (None, "repository.level", "projects.yml"),
    (None, "repository.project", "projects.yml"),
    (None, "repository", "payload.env"),
    (None, "taskId", "the task's id"),
    (None, "taskcluster_root_url", "the policy"),
    (None, "tasks_for", "extra.tasks_for"),
    (None, "push.branch", "payload.env"),
    (None, "push.comment", "payload.env.GECKO_COMMIT_MSG"),
    (None, "push.revision", "payload.env"),
    (None, "push", "the push log"),
    (Some(Trigger::Cron), "event", "payload.env"),
    (Some(Trigger::GithubPush), "event.pusher.email", "metadata.owner"),
    (Some(Trigger::GithubPush), "event.sender", "the commit at GitHub"),
    (Some(Trigger::GithubPush), "event", "payload.env"),
    (Some(Trigger::GithubPullRequest), "event", "the pull request at GitHub"),
    (Some(Trigger::GithubPullRequestUntrusted), "event", "the pull request at GitHub"),
    (Some(Trigger::GithubRelease), "event.repository", "payload.env"),
    (Some(Trigger::GithubRelease), "event", "the release at GitHub"),
];

fn source(input: &str, trigger: Option<Trigger>) -> Option<&'static str> {
    let begins =
        |start: &str| input.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let found =
        SOURCES.iter().find(|(of, start, _)| of.is_none_or(|of| Some(of) == trigger) && begins(start));
    found.map(|(_, _, source)| *source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        catena_json::parse(text.as_bytes(), &catena_json::Limits::default()).unwrap()
    }

    #[test]
    fn inputs_are_looked_at_as_deep_as_the_template_names_them() {
        let template = read(r#"{"$let":{"x":"${cron.input}"},"in":"${push['owner']} ${len(parameters)}"}"#);
        let context = read(
            r#"{"cron":{"input":{"a":1},"task_id":"T"},"push":{"owner":"o","comment":"c"},"parameters":[1],"now":"n"}"#,
        );
        let inputs = context.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value));
        let found = candidates(inputs, &words(&template));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["cron.input", "push.owner", "parameters"]);
    }

    #[test]
    fn another_value_is_another_of_the_same_kind() {
        let values = [
            "null",
            "true",
            "7",
            "1.5",
            r#""text""#,
            r#""2026-08-12T09:30:12.345Z""#,
            r#""61928a61f9ae0c558069103b34141bfee561812a""#,
            "[]",
            "{}",
        ];
        for value in values.map(read) {
            let other = another(&value).unwrap();
            assert_ne!(other, value);
            assert!(value.is_null() || other.kind() == value.kind(), "{other}");
        }
        let time = another(&read(r#""2026-08-12T09:30:12.345Z""#)).unwrap();
        assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn parts_are_replaced_where_there_are_any() {
        let mut value = read(r#"{"a":[{"b":1}]}"#);
        let path = Path::of(&["a"]).index(0).key("b");
        assert!(replace(&mut value, &path, another));
        assert_eq!(part(&value, &path), Some(read("7")));
        assert!(!replace(&mut value, &Path::of(&["a", "b"]), another));
        assert_eq!(part(&value, &Path::of(&["c"])), None);
    }

    #[test]
    fn inputs_have_sources() {
        let hg = Some(Trigger::HgPush);
        assert_eq!(source("cron.quoted_args", Some(Trigger::Cron)), Some("extra.cron"));
        assert_eq!(source("push.comment", hg), Some("payload.env.GECKO_COMMIT_MSG"));
        assert_eq!(source("push.owner", hg), Some("the push log"));
        assert_eq!(source("pushed", hg), None, "only whole names count");
        assert_eq!(
            source("event.release.tag_name", Some(Trigger::GithubRelease)),
            Some("the release at GitHub")
        );
    }
}
