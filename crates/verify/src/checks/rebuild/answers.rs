//! What services answer, and that it is about what was asked.

use super::{ANSWER, Fail, IDENTITY, Parent, Rebuild, UNKNOWN};
use crate::verdict::Authority;
use crate::verification::{Answer, CheckContext, Need};
use catena_json::{Path, Value};
use catena_model::found::found;
use catena_model::source::GithubRepository;
use catena_policy::Rule;
use std::sync::Arc;

/// The JSON answer to a need, with the need for messages about it.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    need: Need,
    value: Arc<Value>,
}

/// Requests an answer; absence, and an answer that is not JSON, are findings.
pub(super) fn ask(cx: &CheckContext<'_>, parent: Parent<'_>, need: Need) -> Rebuild<Answered> {
    match cx.json(&need)? {
        Answer::Is(Ok(value)) => Ok(Answered { need, value }),
        Answer::Is(Err(error)) => Err(parent
            .failed(ANSWER, format!("The answer for {need} is not JSON: {error}."))
            .at(need.to_string(), None)
            .into()),
        Answer::Absent(answer) => {
            let name = match need {
                Need::Repository { .. } => "HEAD_REPOSITORY",
                Need::PullRequest { .. } => "PULL_REQUEST_NUMBER",
                _ => "HEAD_REV",
            };
            let variable = format!("{}_{name}", cx.evidence.product.source_env_prefix);
            let message = format!("There is no {}: {answer}", bare(&need));
            Err(parent.in_decision(UNKNOWN, message, &["payload", "env", &variable]).into())
        }
    }
}

/// A need without its article.
fn bare(need: &Need) -> String {
    let text = need.to_string();
    text.strip_prefix("the ").map(str::to_owned).unwrap_or(text)
}

impl Answered {
    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// A string that the answer must have.
    pub(super) fn text(&self, parent: Parent<'_>, keys: &[&str]) -> Rebuild<&str> {
        self.value
            .pointer(keys)
            .and_then(Value::as_str)
            .ok_or_else(|| self.malformed(parent, keys, "a string"))
    }

    /// A value that the answer must have.
    pub(super) fn member(&self, parent: Parent<'_>, keys: &[&str]) -> Rebuild<&Value> {
        self.value.pointer(keys).ok_or_else(|| self.malformed(parent, keys, "a value"))
    }

    pub(super) fn malformed(&self, parent: Parent<'_>, keys: &[&str], expected: &str) -> Fail {
        let path = Path::of(keys);
        let there = found(&self.value, &path);
        let message = format!("{path} is {there} (expected {expected}) in the answer for {}.", self.need);
        parent.failed(ANSWER, message).at(self.need.to_string(), Some(path)).into()
    }

    /// The answer says of itself what was asked for, as a string or as a number.
    pub(super) fn is_about(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        keys: &[&str],
        asked: &str,
    ) -> Rebuild<()> {
        let told = match self.member(parent, keys)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.malformed(parent, keys, "a string or a number")),
        };
        self.same(cx, parent, keys, asked, &told, told == asked)
    }

    /// The answer says of itself that it is about a repository, which GitHub names in any case.
    pub(super) fn is_of(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        keys: &[&str],
        asked: &GithubRepository,
    ) -> Rebuild<()> {
        let told = self.text(parent, keys)?;
        let asked = asked.full_name();
        self.same(cx, parent, keys, &asked, told, told.eq_ignore_ascii_case(&asked))
    }

    /// An address in the answer, if there is one, begins as that of the repository that was asked.
    pub(super) fn is_at(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        keys: &[&str],
        asked: &GithubRepository,
    ) -> Rebuild<()> {
        let Some(told) = self.value.pointer(keys).and_then(Value::as_str) else { return Ok(()) };
        let full_name = asked.full_name().to_ascii_lowercase();
        let lower = told.to_ascii_lowercase();
        let at = ["https://api.github.com/repos/", "https://github.com/"].iter().any(|start| {
            let rest = lower.strip_prefix(start).and_then(|rest| rest.strip_prefix(&full_name));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        self.same(cx, parent, keys, &full_name, told, at)
    }

    fn same(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        keys: &[&str],
        asked: &str,
        told: &str,
        same: bool,
    ) -> Rebuild<()> {
        if same || cx.evidence.relaxes(Rule::AnswerIdentity) {
            return Ok(());
        }
        let path = Path::of(keys);
        let message = format!(
            "The answer is about a different object: {path} is {told:?}, not {asked:?}, for {}.",
            self.need
        );
        Err(parent
            .failed(IDENTITY, message)
            .at(self.need.to_string(), Some(Path::of(keys)))
            .expected_by(Authority::Queue, "what was asked", asked)
            .actual(Authority::Vcs, told)
            .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_is_told_without_its_article() {
        let repository = GithubRepository::parse("owner", "name").unwrap();
        let pull_request = Need::PullRequest { repository: repository.clone(), number: 7 };
        assert_eq!(bare(&pull_request), "pull request 7 of github.com/owner/name");
        assert_eq!(bare(&Need::Repository { repository }), "repository github.com/owner/name");
    }
}
