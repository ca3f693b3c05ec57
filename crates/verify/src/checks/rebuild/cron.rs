//! What a cron task says of its job, compared with the tree's own `.cron.yml`.
//!
//! Specification 7.19. Off-reference: rules of their own, `cron-job` and `confirmed-values`.

use super::inputs::{Form, member, shown, unconfirmed};
use super::template::{TreeText, tree_file};
use super::{CRON_DIFFERS, CRON_MALFORMED, CRON_UNKNOWN, ENVIRONMENT, Parent, Rebuild};
use crate::verdict::{Authority, Finding};
use crate::verification::{CheckContext, TreeFile};
use catena_json::{Map, Path, Value};
use catena_policy::Rule;

/// The members of `extra.cron`. `input` came later than the others.
const MEMBERS: [&str; 5] = ["input", "job_name", "job_symbol", "quoted_args", "task_id"];

/// `extra.cron`, which is JSON in a string, as a template may see it.
pub(super) fn context(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Value> {
    // Asked for first, so that it is on its way with the rest.
    let file = if cx.evidence.relaxes(Rule::CronJob) {
        Ok(None)
    } else {
        tree_file(cx, parent, TreeFile::CronYml).map(|file| file.ok())
    };
    let cron = Cron::read(cx, parent)?;
    cron.check_members(cx)?;
    match file? {
        Some(file) => cron.check_job(cx, &file)?,
        None => cron.check_words(cx)?,
    }
    Ok(Value::Object(cron.members))
}

/// What a cron task says of its job.
struct Cron<'a> {
    parent: Parent<'a>,
    members: Map,
}

impl<'a> Cron<'a> {
    fn read(cx: &CheckContext<'_>, parent: Parent<'a>) -> Rebuild<Self> {
        let malformed = |why: &str| {
            let message = format!("extra.cron is not an object of JSON in a string: {why}.");
            parent.in_decision(ENVIRONMENT, message, &["extra", "cron"])
        };
        let text = parent.link.definition.text(&["extra", "cron"]).ok_or_else(|| malformed("no string"))?;
        match catena_json::parse(text.as_bytes(), &cx.evidence.limits.json()) {
            Ok(Value::Object(members)) => Ok(Self { parent, members }),
            Ok(other) => Err(malformed(&format!("it is {}", other.kind())).into()),
            Err(error) => Err(malformed(&error.to_string()).into()),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn path(name: &str) -> Path {
        Path::of(&["extra", "cron"]).key(name)
    }

    fn thing(&self) -> String {
        format!("the queue's definition of {}", self.parent.link.name)
    }

    fn unconfirmed(&self, path: Path, expected: &str, actual: &str) -> Finding {
        unconfirmed(self.parent, &self.thing(), path, expected, actual)
    }

    /// What holds of every cron task, whatever its tree says: which members there are, and what they are.
    fn check_members(&self, cx: &CheckContext<'_>) -> Rebuild<()> {
        if cx.evidence.relaxes(Rule::ConfirmedValues) {
            return Ok(());
        }
        if let Some((name, value)) = self.members.iter().find(|(name, _)| !MEMBERS.contains(&name.as_str())) {
            let expected = format!("no members but {}", MEMBERS.join(", "));
            return Err(self.unconfirmed(Self::path(name), &expected, &value.to_string()).into());
        }
        for name in ["job_name", "job_symbol", "quoted_args", "task_id"] {
            if self.members.get(name).and_then(Value::as_str).is_none() {
                let told = self.members.get(name).map_or_else(|| "nothing".to_owned(), Value::to_string);
                return Err(self.unconfirmed(Self::path(name), "text", &told).into());
            }
        }
        member(cx, self.parent, Self::path("task_id"), self.members.get("task_id"), Form::TaskId)?;
        match self.members.get("input") {
            None | Some(Value::Null) => Ok(()),
            Some(input @ Value::Object(_)) => self.check_input(input),
            Some(other) => Err(self.unconfirmed(Self::path("input"), "an object", &other.to_string()).into()),
        }
    }

    /// The user who triggers the hook of a job chooses the input, which no file states. Its shape is free; each
    /// key and text in it is one word, because a template may put it anywhere.
    fn check_input(&self, input: &Value) -> Rebuild<()> {
        let mut todo = vec![input];
        while let Some(value) = todo.pop() {
            let wrong = match value {
                Value::String(text) if !text.is_empty() && !Form::Word.fits(text) => Some(text),
                Value::Object(members) => {
                    todo.extend(members.iter().map(|(_, value)| value));
                    members.iter().map(|(key, _)| key).find(|key| !Form::Word.fits(key))
                }
                Value::Array(items) => {
                    todo.extend(items);
                    None
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                let expected = "keys and texts of letters, digits and @ % + = : , . / _ -";
                return Err(self.unconfirmed(Self::path("input"), expected, &format!("{wrong:?}")).into());
            }
        }
        Ok(())
    }

    /// The job is one of the tree's, and the task says of it what build-decision makes of that.
    fn check_job(&self, cx: &CheckContext<'_>, file: &TreeText) -> Rebuild<()> {
        let name = self.text("job_name");
        let job = Job::find(cx, self.parent, file, name)?;
        let input =
            self.input().filter(|_| !job.includes_input).map_or_else(|| "{}".to_owned(), Value::to_string);
        for (member, expected, actual) in [
            ("job_symbol", job.symbol.as_str(), self.text("job_symbol")),
            ("quoted_args", &job.arguments, self.text("quoted_args")),
            ("input", "{}", &input),
        ] {
            if expected != actual {
                let message = format!("extra.cron.{member} is not that of the tree's job {name:?}.");
                let finding = self.parent.failed(CRON_DIFFERS, message).origin(file.origin.as_str());
                let finding = finding.at(self.thing(), Some(Self::path(member)));
                return Err(finding
                    .expected(Authority::Tree, expected)
                    .actual(Authority::Queue, shown(actual))
                    .into());
            }
        }
        Ok(())
    }

    /// Where the tree does not tell its jobs: what can only be one word is one, and the arguments are
    /// some that build-decision writes. An input is for jobs that include one.
    fn check_words(&self, cx: &CheckContext<'_>) -> Rebuild<()> {
        if cx.evidence.relaxes(Rule::ConfirmedValues) {
            return Ok(());
        }
        for name in ["job_name", "job_symbol"] {
            member(cx, self.parent, Self::path(name), self.members.get(name), Form::Word)?;
        }
        let arguments = self.text("quoted_args");
        if !arguments.is_empty() && !arguments.split(' ').all(is_argument) {
            let expected =
                format!("arguments of {}, each one word", OPTIONS.map(|option| option.0).join(", "));
            return Err(self
                .unconfirmed(Self::path("quoted_args"), &expected, &format!("{arguments:?}"))
                .into());
        }
        if let Some(input) = self.input() {
            let expected = "{}, because no job is known to include an input";
            return Err(self.unconfirmed(Self::path("input"), expected, &input.to_string()).into());
        }
        Ok(())
    }

    /// The input, if there is one. A job that includes none is given an empty one.
    fn input(&self) -> Option<&Value> {
        let is_none = |input: &Value| input.is_null() || input.as_object().is_some_and(Map::is_empty);
        self.members.get("input").filter(|input| !is_none(input))
    }
}

/// The arguments that build-decision makes of a job, and whether they have a value.
const OPTIONS: [(&str, bool); 4] = [
    ("--target-tasks-method", true),
    ("--optimize-target-tasks", true),
    ("--include-push-tasks", false),
    ("--rebuild-kind", true),
];

fn is_argument(text: &str) -> bool {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    OPTIONS.contains(&(name, value.is_some())) && value.is_none_or(|value| Form::Word.fits(value))
}

/// A job of a tree, as build-decision hands it on.
#[derive(Debug, PartialEq)]
struct Job {
    symbol: String,
    arguments: String,
    includes_input: bool,
}

impl Job {
    /// The job of a name in `.cron.yml`; of several the last counts.
    fn find(cx: &CheckContext<'_>, parent: Parent<'_>, file: &TreeText, name: &str) -> Rebuild<Self> {
        let failed = |code, message: String| parent.failed(code, message).origin(file.origin.as_str());
        let malformed = |why: String| failed(CRON_MALFORMED, format!("{} is malformed: {why}.", file.origin));
        let bytes = file.bytes(parent)?;
        // Each cron task walks over all of it.
        cx.evidence.work.spend_bytes(bytes.len())?;
        let document = catena_yaml::load_bytes(&bytes, &cx.evidence.limits.yaml)
            .map_err(|error| malformed(error.to_string()))?;
        let value = document.root.to_json().map_err(|error| malformed(error.to_string()))?;
        let Some(jobs) = value.get("jobs").and_then(Value::as_array) else {
            return Err(malformed("the list of jobs is missing".to_owned()).into());
        };
        let of_name = |job: &&Value| job.get("name").and_then(Value::as_str) == Some(name);
        let job = jobs.iter().rev().find(of_name).and_then(|job| job.get("job"));
        let makes_decision_tasks =
            |job: &&Value| job.get("type").and_then(Value::as_str) == Some("decision-task");
        let Some(job) = job.filter(makes_decision_tasks) else {
            let message = format!("{} has no job {name:?} that makes decision tasks.", file.origin);
            let finding = failed(CRON_UNKNOWN, message);
            let finding = finding.at("the queue's definition", Some(Cron::path("job_name")));
            return Err(finding
                .expected(Authority::Tree, "a job of the tree")
                .actual(Authority::Queue, name)
                .into());
        };
        Ok(Self::read(job)
            .map_err(|member| malformed(format!("{member} of the job {name:?} is mistyped")))?)
    }

    /// As `cron/decision.py` of build-decision reads it (mozilla-releng/fxci-config).
    fn read(job: &Value) -> Result<Self, &'static str> {
        let text = |name: &'static str| match job.get(name) {
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            None => Ok(None),
            Some(_) => Err(name),
        };
        let flag = |name: &'static str| match job.get(name) {
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(name),
        };
        let mut arguments = Vec::new();
        if let Some(method) = text("target-tasks-method")? {
            arguments.push(format!("--target-tasks-method={method}"));
        }
        if let Some(optimize) = flag("optimize-target-tasks")? {
            arguments.push(format!("--optimize-target-tasks={optimize}"));
        }
        // There or not is what counts, whatever it says.
        if job.get("include-push-tasks").is_some() {
            arguments.push("--include-push-tasks".to_owned());
        }
        match job.get("rebuild-kinds") {
            None => {}
            Some(Value::Array(kinds)) => {
                for kind in kinds {
                    let kind = kind.as_str().ok_or("rebuild-kinds")?;
                    arguments.push(format!("--rebuild-kind={kind}"));
                }
            }
            Some(_) => return Err("rebuild-kinds"),
        }
        let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        Ok(Self {
            symbol: text("treeherder-symbol")?.ok_or("treeherder-symbol")?.to_owned(),
            arguments: arguments.join(" "),
            includes_input: flag("include-cron-input")?.unwrap_or(false),
        })
    }
}

/// Python's `shlex.quote`.
fn quoted(text: &str) -> String {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(text: &str) -> Result<(String, String, bool), &'static str> {
        let document = catena_yaml::load(text, &catena_yaml::Limits::default()).unwrap();
        let job = Job::read(&document.root.to_json().unwrap())?;
        Ok((job.symbol, job.arguments, job.includes_input))
    }

    #[test]
    fn arguments_are_those_of_build_decision() {
        let told = |arguments: &str| Ok(("N".to_owned(), arguments.to_owned(), false));
        for (text, arguments) in [
            ("treeherder-symbol: N", ""),
            ("{treeherder-symbol: N, target-tasks-method: a}", "--target-tasks-method=a"),
            (
                "{rebuild-kinds: [a, b c], include-push-tasks: false, optimize-target-tasks: true, treeherder-symbol: N, target-tasks-method: a}",
                "--target-tasks-method=a --optimize-target-tasks=true --include-push-tasks --rebuild-kind=a '--rebuild-kind=b c'",
            ),
            ("{treeherder-symbol: N, optimize-target-tasks: false}", "--optimize-target-tasks=false"),
            ("{treeherder-symbol: N, optimize-target-tasks: null}", ""),
        ] {
            assert_eq!(job(text), told(arguments), "{text}");
        }
        let input = "{treeherder-symbol: N, include-cron-input: true}";
        assert_eq!(job(input), Ok(("N".to_owned(), String::new(), true)));
        for (text, member) in [
            ("target-tasks-method: a", "treeherder-symbol"),
            ("{treeherder-symbol: 1}", "treeherder-symbol"),
            ("{treeherder-symbol: N, target-tasks-method: 1}", "target-tasks-method"),
            ("{treeherder-symbol: N, optimize-target-tasks: 1}", "optimize-target-tasks"),
            ("{treeherder-symbol: N, rebuild-kinds: a}", "rebuild-kinds"),
            ("{treeherder-symbol: N, rebuild-kinds: [1]}", "rebuild-kinds"),
            ("{treeherder-symbol: N, include-cron-input: 1}", "include-cron-input"),
        ] {
            assert_eq!(job(text), Err(member), "{text}");
        }
    }

    #[test]
    fn quoting_is_pythons() {
        for (text, expected) in [
            ("", "''"),
            ("a_B-1@%+=:,./", "a_B-1@%+=:,./"),
            ("a b", "'a b'"),
            ("it's", "'it'\"'\"'s'"),
            ("é", "'é'"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn only_arguments_that_build_decision_writes_are_arguments() {
        for good in [
            "--target-tasks-method=nightly_all",
            "--optimize-target-tasks=false",
            "--include-push-tasks",
            "--rebuild-kind=docker-image",
        ] {
            assert!(is_argument(good), "{good}");
        }
        for wrong in [
            "",
            "--target-tasks-method",
            "--target-tasks-method=",
            "--include-push-tasks=true",
            "--head-repository=https://x",
            "nightly",
            "--rebuild-kind=$(id)",
        ] {
            assert!(!is_argument(wrong), "{wrong}");
        }
    }
}
