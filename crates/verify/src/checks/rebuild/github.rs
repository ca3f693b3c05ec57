//! Contexts of trees on GitHub.

use super::answers;
use super::context::{env, github, object, repository_url, revision, tag};
use super::inputs::{Form, Told};
use super::{DRAFT, ENVIRONMENT, Parent, Rebuild, cron as jobs, projects};
use crate::verdict::Authority;
use crate::verification::{CheckContext, Need};
use catena_json::Value;
use catena_model::source::GithubRepository;

/// What GitHub calls nobody.
const UNKNOWN_LOGIN: &str = "@@@unknown@@@";

/// `github-push`: the event, made again from the commit and from what the task says.
pub(super) fn push(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let url = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let repository = github(parent, &url)?;
    let revision = revision(cx, parent)?;
    let need = Need::Commit { repository: repository.clone(), revision: revision.clone() };
    let commit = answers::ask(cx, parent, need)?;
    commit.is_about(cx, parent, &["sha"], revision.as_str())?;
    commit.is_at(cx, parent, &["url"], &repository)?;
    commit.is_at(cx, parent, &["html_url"], &repository)?;
    let html_url = html_url(url.as_str());
    let told = |names: &[&str]| Told::env(cx, parent, names);
    let owner = Told::of(parent.decision, &["metadata", "owner"]);
    context.set(
        "event",
        object([
            ("before", told(&["BASE_REV"]).value(cx, parent, Form::Hash)?),
            ("after", revision.as_str().into()),
            ("pusher", object([("email", owner.value_or_empty(cx, parent, Form::Mail)?)])),
            ("base_ref", told(&["BASE_BRANCH", "BASE_REF"]).value_or_empty(cx, parent, Form::Ref)?),
            ("ref", told(&["HEAD_BRANCH", "HEAD_REF"]).value(cx, parent, Form::Ref)?),
            (
                "repository",
                object([
                    ("full_name", repository.full_name().into()),
                    ("ssh_url", format!("git@github.com:{repository}.git").into()),
                    ("html_url", html_url.into()),
                    ("name", repository.name().into()),
                    ("pushed_at", told(&["PUSH_DATE_TIME"]).value(cx, parent, Form::Time)?),
                ]),
            ),
            ("sender", object([("login", committer(commit.value()))])),
        ]),
    );
    Ok(())
}

/// Who committed: GitHub's own `web-flow` is nobody, and neither is an account it does not know;
/// then it is the author.
fn committer(commit: &Value) -> Value {
    match commit.pointer(&["committer", "login"]) {
        Some(Value::String(login)) if login != "web-flow" => return Value::from(login.as_str()),
        _ => {}
    }
    let author =
        commit.pointer(&["author", "login"]).or_else(|| commit.pointer(&["commit", "author", "login"]));
    author.cloned().unwrap_or_else(|| UNKNOWN_LOGIN.into())
}

/// `github-pull-request` and its untrusted kind: the pull request as the API tells it now, with
/// what may have changed since taken from the task.
pub(super) fn pull_request(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let head = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let base = repository_url(cx, parent, "BASE_REPOSITORY")?;
    let number = pull_request_number(cx, parent)?;
    // GitHub tells whether the base is what a fork was made of; nearly always it is.
    if let Some(repository) = base.github() {
        cx.foresee(Need::PullRequest { repository, number });
    }
    let repository = pull_request_repository(cx, parent, &head, &base)?;
    let need = Need::PullRequest { repository: repository.clone(), number };
    let pull_request = answers::ask(cx, parent, need)?;
    pull_request.is_about(cx, parent, &["number"], &number.to_string())?;
    pull_request.is_of(cx, parent, &["base", "repo", "full_name"], &repository)?;
    // The branch that was asked to be pulled may be gone with its repository; then it tells nothing.
    if pull_request.value().pointer(&["head", "repo", "full_name"]).is_some() {
        pull_request.is_of(cx, parent, &["head", "repo", "full_name"], &github(parent, &head)?)?;
    }
    let mut told = pull_request.value().clone();
    let of_task = |name: &str, form| Told::env(cx, parent, &[name]).value(cx, parent, form);
    set(&mut told, "head", "updated_at", of_task("PUSH_DATE_TIME", Form::Time)?);
    set(&mut told, "base", "sha", of_task("BASE_REV", Form::Hash)?);
    set(&mut told, "head", "sha", revision(cx, parent)?.as_str().into());
    context.set(
        "event",
        object([
            ("action", "synchronize".into()),
            ("repository", pull_request.member(parent, &["base", "repo"])?.clone()),
            ("sender", object([("login", pull_request.text(parent, &["head", "user", "login"])?.into())])),
            ("pull_request", told),
        ]),
    );
    Ok(())
}

fn set(value: &mut Value, outer: &str, inner: &str, new: Value) {
    if let Some(object) = value.get_mut(outer).and_then(Value::as_object_mut) {
        object.insert(inner, new);
    }
}

fn pull_request_number(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<u64> {
    let variable = format!("{}_PULL_REQUEST_NUMBER", cx.evidence.product.source_env_prefix);
    let text = env(cx, parent, "PULL_REQUEST_NUMBER").unwrap_or_default();
    let number = (text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| {
        let message = format!("{variable} is not the number of a pull request.");
        parent
            .in_decision(ENVIRONMENT, message, &["payload", "env", &variable])
            .actual(Authority::Queue, text)
            .into()
    })
}

/// The repository the pull request was made to: the base of the fork it comes from, else the
/// repository itself.
fn pull_request_repository(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    head: &catena_model::source::RepositoryUrl,
    base: &catena_model::source::RepositoryUrl,
) -> Rebuild<GithubRepository> {
    let head_repository = github(parent, head)?;
    if head == base {
        return Ok(head_repository);
    }
    let answer = answers::ask(cx, parent, Need::Repository { repository: head_repository.clone() })?;
    answer.is_of(cx, parent, &["full_name"], &head_repository)?;
    match answer.member(parent, &["fork"])?.as_bool() {
        Some(true) => {}
        Some(false) => return Ok(head_repository),
        None => return Err(answer.malformed(parent, &["fork"], "a boolean")),
    }
    let owner = answer.text(parent, &["parent", "owner", "login"])?;
    let name = answer.text(parent, &["parent", "name"])?;
    GithubRepository::parse(owner, name).map_err(|_| answer.malformed(parent, &["parent"], "a repository"))
}

/// `github-release`: the event, made again from the release.
pub(super) fn release(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let url = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let repository = github(parent, &url)?;
    let tag = tag(cx, parent)?;
    let release =
        answers::ask(cx, parent, Need::Release { repository: repository.clone(), tag: tag.clone() })?;
    release.is_about(cx, parent, &["tag_name"], tag.as_str())?;
    release.is_at(cx, parent, &["url"], &repository)?;
    release.is_at(cx, parent, &["html_url"], &repository)?;
    match release.member(parent, &["draft"])?.as_bool() {
        Some(false) => {}
        Some(true) => return Err(parent.failed(DRAFT, format!("The release {tag} is a draft.")).into()),
        None => return Err(release.malformed(parent, &["draft"], "a boolean")),
    }
    context.set(
        "event",
        object([
            ("action", "published".into()),
            (
                "repository",
                object([
                    ("clone_url", format!("{url}.git").into()),
                    ("full_name", repository.full_name().into()),
                    ("html_url", url.as_str().into()),
                    ("name", repository.name().into()),
                ]),
            ),
            (
                "release",
                object([
                    ("tag_name", tag.as_str().into()),
                    ("target_commitish", release.member(parent, &["target_commitish"])?.clone()),
                    ("published_at", release.member(parent, &["published_at"])?.clone()),
                ]),
            ),
            ("sender", object([("login", release.text(parent, &["author", "login"])?.into())])),
        ]),
    );
    Ok(())
}

/// `cron` on GitHub: shaped both like a release's event and like hg's cron, from the task itself.
pub(super) fn cron(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    context: &mut catena_jsone::Context,
) -> Rebuild<()> {
    let url = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let repository = github(parent, &url)?;
    let revision = revision(cx, parent)?;
    let projects = projects::fetch(cx, parent);
    let cron = jobs::context(cx, parent);
    let level = projects?.level(cx, parent, repository.name())?;
    context.set("cron", cron?);
    let told = |names: &[&str]| Told::env(cx, parent, names);
    let branch = told(&["HEAD_BRANCH", "HEAD_REF"]).value(cx, parent, Form::Ref)?;
    let login = match told(&["TRIGGERED_BY"]).value(cx, parent, Form::Login)? {
        Value::Null => "TaskclusterHook".into(),
        login => login,
    };
    context.set(
        "event",
        object([
            (
                "repository",
                object([
                    ("clone_url", url.as_str().into()),
                    ("full_name", repository.full_name().into()),
                    ("html_url", url.as_str().into()),
                    ("name", repository.name().into()),
                ]),
            ),
            (
                "release",
                object([
                    ("tag_name", revision.as_str().into()),
                    ("target_commitish", branch.clone()),
                    ("published_at", told(&["PUSH_DATE_TIME"]).value(cx, parent, Form::Time)?),
                ]),
            ),
            ("sender", object([("login", login)])),
        ]),
    );
    context.set(
        "repository",
        object([
            ("url", url.as_str().into()),
            ("project", repository.name().into()),
            ("level", level.into()),
            ("type", "git".into()),
        ]),
    );
    context.set("push", object([("revision", revision.as_str().into()), ("branch", branch)]));
    Ok(())
}

/// `git@github.com:owner/name` as the reference hands it to templates.
fn html_url(url: &str) -> String {
    url.strip_prefix("git@github.com:")
        .map_or_else(|| url.to_owned(), |path| format!("ssh://github.com/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_json::{Limits, parse};

    #[test]
    fn committers_fall_back_to_authors() {
        let login = |text: &str| committer(&parse(text.as_bytes(), &Limits::default()).unwrap()).to_string();
        assert_eq!(login(r#"{"committer":{"login":"a"},"author":{"login":"b"}}"#), "\"a\"");
        assert_eq!(login(r#"{"committer":{"login":"web-flow"},"author":{"login":"b"}}"#), "\"b\"");
        assert_eq!(login(r#"{"committer":null,"author":{"login":"b"}}"#), "\"b\"");
        assert_eq!(login(r#"{"committer":{},"author":null}"#), "\"@@@unknown@@@\"");
    }
}
