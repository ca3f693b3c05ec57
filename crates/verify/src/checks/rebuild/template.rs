//! The files of the tree that parents are rebuilt from: `.taskcluster.yml`, `.cron.yml`.

use super::context::{commit, github, repository_url, revision};
use super::{ANSWER, HOST, IDENTITY, NO_TEMPLATE, Parent, RENDER, Rebuild, TEMPLATE, action, answers};
use crate::checks::notes::notes;
use crate::verdict::Authority;
use crate::verification::{Answer, CheckContext, Need, Reference, TreeFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_json::{Path, Segment, Value};
use catena_model::source::{Revision, Scheme};
use catena_policy::Rule;
use std::borrow::Cow;
use std::sync::Arc;

/// A template as it was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    value: Value,
    document: catena_yaml::Document,
    /// Bytes of its text.
    bytes: usize,
}

/// Why a template cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum Unreadable {
    /// The answer that holds it is not base64.
    NotBase64,
    /// It is no YAML that a template can be, for this reason.
    Malformed(String),
}

/// A template and where it came from.
pub(super) struct Template {
    loaded: Arc<Loaded>,
    /// `.taskcluster.yml of <repository> at <revision>`
    pub(super) origin: String,
}

/// A file of a tree and where it came from.
pub(super) struct TreeText {
    need: Need,
    content: Content,
    /// `.cron.yml of <repository> at <revision>`
    pub(super) origin: String,
}

/// A file as the service sent it.
enum Content {
    Plain(Arc<[u8]>),
    Base64(String),
}

impl Content {
    fn bytes(&self) -> Result<Cow<'_, [u8]>, Unreadable> {
        match self {
            Self::Plain(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Base64(text) => {
                let text: String = text.split_ascii_whitespace().collect();
                STANDARD.decode(text).map(Cow::Owned).map_err(|_| Unreadable::NotBase64)
            }
        }
    }
}

impl TreeText {
    /// Its bytes.
    pub(super) fn bytes(&self, parent: Parent<'_>) -> Rebuild<Cow<'_, [u8]>> {
        let malformed = |_| parent.failed(ANSWER, format!("The content of {} is not base64.", self.origin));
        Ok(self.content.bytes().map_err(malformed)?)
    }
}

/// The template of the decision task's tree at its revision (specification 7.3 to 7.5).
pub(super) fn fetch(cx: &CheckContext<'_>, parent: Parent<'_>) -> Rebuild<Template> {
    match tree_file(cx, parent, TreeFile::TaskclusterYml)? {
        Ok(text) => read(cx, parent, text),
        Err(absent) => {
            let variable = format!("{}_HEAD_REV", cx.evidence.product.source_env_prefix);
            Err(parent.in_decision(NO_TEMPLATE, absent, &["payload", "env", &variable]).into())
        }
    }
}

/// A file of the decision task's tree at its revision, or that there is none.
pub(super) fn tree_file(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    file: TreeFile,
) -> Rebuild<Result<TreeText, String>> {
    let url = repository_url(cx, parent, "HEAD_REPOSITORY")?;
    let origin = |reference: &str| format!("{} of {url} at {reference}", file.path());
    if url.host() == "github.com" {
        let repository = github(parent, &url)?;
        let revision = commit(cx, parent, &repository)?;
        let origin = origin(revision.as_str());
        from_github(cx, parent, &repository, revision, file, origin)
    } else if cx.evidence.product.is_hg(&url) && url.scheme() == Scheme::Https {
        let revision = revision(cx, parent)?;
        let origin = origin(revision.as_str());
        let need = Need::HgFile { repository: url.clone(), revision, file };
        Ok(match cx.body(&need)? {
            Answer::Is(body) => {
                Ok(TreeText { need, content: Content::Plain(Arc::clone(&body.bytes)), origin })
            }
            Answer::Absent(answer) => Err(format!("There is no {origin}: {answer}")),
        })
    } else {
        let hosts = cx.evidence.product.hg_hosts.iter().map(|host| format!("https://{host}"));
        let hosts = hosts.chain(std::iter::once("github.com".to_owned())).collect::<Vec<_>>().join(", ");
        let message = format!("Templates are not fetched from {url}.");
        let variable = format!("{}_HEAD_REPOSITORY", cx.evidence.product.source_env_prefix);
        Err(parent
            .in_decision(HOST, message, &["payload", "env", &variable])
            .expected_by(Authority::Policy, cx.policy("hg-hosts"), hosts)
            .actual(Authority::Queue, url.as_str())
            .into())
    }
}

/// Reads a template, once for all parents that are rendered from it.
fn read(cx: &CheckContext<'_>, parent: Parent<'_>, text: TreeText) -> Rebuild<Template> {
    let TreeText { need, content, origin } = text;
    match notes(cx)?.templates.of(need, || load(cx, &content.bytes()?).map(Arc::new)) {
        Ok(loaded) => {
            // Rendering reads all of it.
            cx.evidence.work.spend_bytes(loaded.bytes)?;
            Ok(Template { loaded, origin })
        }
        Err(Unreadable::NotBase64) => {
            Err(parent.failed(ANSWER, format!("The content of {origin} is not base64.")).into())
        }
        Err(Unreadable::Malformed(why)) => {
            let finding =
                parent.failed(TEMPLATE, format!("{} is malformed: {why}.", TreeFile::TaskclusterYml.path()));
            Err(finding.origin(origin).into())
        }
    }
}

fn load(cx: &CheckContext<'_>, bytes: &[u8]) -> Result<Loaded, Unreadable> {
    let malformed = |why: &dyn ToString| Unreadable::Malformed(why.to_string());
    let document =
        catena_yaml::load_bytes(bytes, &cx.evidence.limits.yaml).map_err(|error| malformed(&error))?;
    let value = document.root.to_json().map_err(|error| malformed(&error))?;
    if !value.is_object() {
        return Err(malformed(&"it is not a mapping"));
    }
    if value.get("version") == Some(&Value::from(0_i64)) {
        return Err(malformed(&"it is version 0 of the format; decision tasks are made from version 1"));
    }
    Ok(Loaded { value, document, bytes: bytes.len() })
}

/// The contents API's answer holds the file in base64.
fn from_github(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    repository: &catena_model::source::GithubRepository,
    revision: Revision,
    file: TreeFile,
    origin: String,
) -> Rebuild<Result<TreeText, String>> {
    let reference = Reference::Revision(revision);
    let need = Need::GithubFile { repository: repository.clone(), reference: reference.clone(), file };
    if let Answer::Absent(answer) = cx.body(&need)? {
        return Ok(Err(format!("There is no {need}: {answer}")));
    }
    let answer = answers::ask(cx, parent, need.clone())?;
    answer.is_about(cx, parent, &["path"], file.path())?;
    answer.is_at(cx, parent, &["url"], repository)?;
    let asked_at = answer.value().get("url").and_then(Value::as_str).and_then(|url| url.rsplit_once("?ref="));
    if let Some((_, told)) = asked_at
        && told != reference.as_str()
        && !cx.evidence.relaxes(Rule::AnswerIdentity)
    {
        let message = format!("The answer is {} at a different revision.", file.path());
        let finding = parent.failed(IDENTITY, message);
        return Err(finding
            .expected_by(Authority::Queue, "what was asked", reference.as_str())
            .actual(Authority::Vcs, told)
            .into());
    }
    if answer.text(parent, &["encoding"])? != "base64" {
        return Err(answer.malformed(parent, &["encoding"], "base64"));
    }
    let content = Content::Base64(answer.text(parent, &["content"])?.to_owned());
    Ok(Ok(TreeText { need, content, origin }))
}

/// What a template is rendered with: a plain context, or an action's.
pub(super) enum Rendering {
    Plain(catena_jsone::Context),
    Action(Box<action::Action>),
}

impl From<catena_jsone::Context> for Rendering {
    fn from(context: catena_jsone::Context) -> Self {
        Self::Plain(context)
    }
}

impl From<action::Action> for Rendering {
    fn from(action: action::Action) -> Self {
        Self::Action(Box::new(action))
    }
}

impl Rendering {
    pub(super) fn context(&self) -> &catena_jsone::Context {
        match self {
            Self::Plain(context) => context,
            Self::Action(action) => &action.context,
        }
    }

    /// The template as it is rendered: that of an action stands in a hook.
    pub(super) fn wrap<'a>(&self, template: &'a Value) -> Cow<'a, Value> {
        match self {
            Self::Plain(_) => Cow::Borrowed(template),
            Self::Action(action) => Cow::Owned(action.wrap(template.clone())),
        }
    }
}

impl Template {
    /// The template, as JSON.
    pub(super) fn value(&self) -> &Value {
        &self.loaded.value
    }

    /// Renders the template; what goes wrong is told with the line it stands on.
    pub(super) fn render(
        &self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        rendering: &Rendering,
    ) -> Rebuild<Value> {
        let limits = &cx.evidence.limits.template;
        let watch = |steps| cx.spend(usize::try_from(steps).unwrap_or(usize::MAX)).is_ok();
        let template = rendering.wrap(&self.loaded.value);
        let wrapped = matches!(template, Cow::Owned(_));
        let result = catena_jsone::render_watched(&template, rendering.context(), limits, &watch);
        // An interrupted rendering says nothing of the template.
        cx.spend(0)?;
        Ok(result.map_err(|error| {
            let path = within(&error.path, wrapped);
            let line = path.as_ref().and_then(|path| self.loaded.document.position(path));
            let place = line.map(|mark| format!(" line {}", mark.line)).unwrap_or_default();
            let message = format!(
                "{}{place} cannot be rendered: {}.",
                TreeFile::TaskclusterYml.path(),
                error.message()
            );
            parent
                .failed(RENDER, message)
                .at(".taskcluster.yml", path)
                .origin(format!("{}{place}", self.origin))
        })?)
    }

    /// The places of the template that may make a part of a task, as far as can be told from their keys, which end
    /// like the part's path: each with its line.
    pub(super) fn places_of(&self, path: &Path) -> Vec<(usize, Path)> {
        let keys: Vec<&str> = path
            .segments()
            .iter()
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .collect();
        let mut found = Vec::new();
        if let Some(root) = self.loaded.document.root.get("tasks") {
            find(root, &Path::of(&["tasks"]), &keys, 0, &mut found);
        }
        found
    }
}

/// The path inside the template, without the wrapping of an action.
fn within(path: &Path, wrapped: bool) -> Option<Path> {
    if !wrapped {
        return Some(path.clone());
    }
    let (first, rest) = path.segments().split_first()?;
    (*first == Segment::Key("in".to_owned())).then(|| {
        let mut inner = Path::new();
        rest.iter().cloned().for_each(|segment| inner.push(segment));
        inner
    })
}

/// Looks for the keys of a path on the way down, passing through operators and lists.
fn find(
    node: &catena_yaml::Node,
    path: &Path,
    keys: &[&str],
    matched: usize,
    found: &mut Vec<(usize, Path)>,
) {
    if matched == keys.len() {
        found.push((node.mark.line, path.clone()));
        return;
    }
    match &node.value {
        catena_yaml::NodeValue::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                find(item, &path.index(index), keys, matched, found);
            }
        }
        catena_yaml::NodeValue::Mapping(pairs) => {
            for (key, value) in pairs {
                let catena_yaml::NodeValue::String(name) = &key.value else { continue };
                let path = path.key(name);
                if keys.get(matched) == Some(&name.as_str()) {
                    find(value, &path, keys, matched.saturating_add(1), found);
                } else if name.starts_with('$') || ["in", "then", "else", "each(x)"].contains(&name.as_str())
                {
                    find(value, &path, keys, matched, found);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_may_make_a_part_are_found() {
        let text = [
            "version: 1",
            "payload: {env: {A: elsewhere}}",
            "tasks:",
            "  $let: {level: {$eval: '3'}}",
            "  in:",
            "    - $if: 'level == 3'",
            "      then:",
            "        payload:",
            "          env:",
            "            A: a",
            "            B: b",
            "      else:",
            "        payload:",
            "          env:",
            "            B: c",
            "    - other: {payload: {env: {C: c}}}",
            "      7: {payload: {env: {F: f}}}",
            "      $flattenDeep:",
            "        - - extra:",
            "              D: d",
        ];
        let text = text.join("\n");
        let document = catena_yaml::load_bytes(text.as_bytes(), &catena_yaml::Limits::default()).unwrap();
        let loaded = Arc::new(Loaded { value: Value::Null, document, bytes: 0 });
        let template = Template { loaded, origin: String::new() };
        let lines =
            |path: &Path| template.places_of(path).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        let line = |keys: &[&str]| lines(&Path::of(keys));
        assert_eq!(line(&["payload", "env", "A"]), [10]);
        assert_eq!(lines(&Path::of(&["extra"]).index(0).key("D")), [20]);
        assert_eq!(line(&["payload", "env", "B"]), [11, 15], "it stands in two places");
        assert_eq!(line(&["payload", "env", "C"]), [0; 0], "it stands below another key");
        assert_eq!(line(&["payload", "env", "E"]), [0; 0]);
        assert_eq!(line(&["payload", "env", "F"]), [0; 0], "it stands below a key that is no text");
    }

    #[test]
    fn a_path_in_a_hook_is_told_as_the_trees_own() {
        let path = Path::of(&["in", "tasks", "in"]);
        assert_eq!(within(&path, true), Some(Path::of(&["tasks", "in"])));
        assert_eq!(within(&path, false), Some(path));
        assert_eq!(within(&Path::of(&["$let", "tasks"]), true), None);
        assert_eq!(within(&Path::new(), true), None);
    }
}
