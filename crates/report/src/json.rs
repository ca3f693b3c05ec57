//! A verdict as JSON, in the schema of `docs/verdict-json.md`.

use crate::causes::causes;
use crate::escape;
use crate::headline::headline;
use crate::hints::advice_text;
use crate::order::Links;
use catena_json::{Map, Value};
use catena_policy::{FORMAT_VERSION, KeysId, PolicyId};
use catena_verify::VERSION;
use catena_verify::verdict::{
    Authority, Claim, Difference, Disposition, Edge, Finding, LinkSummary, Location, Relaxed, SignedDocument,
    Verdict, VerifiedArtifact, Worker,
};

/// The schema's name and version. The version changes when a member is removed or changes its
/// meaning; members may be added within a version.
pub const SCHEMA: &str = "catena-verdict/1";

/// A verdict as JSON text: two spaces of indent, keys in the order of the schema, one line break at the
/// end. Characters that could deceive on a terminal are written as `\u…`.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    let mut text = escape::json(&json_value(verdict).to_pretty()).into_owned();
    text.push('\n');
    text
}

/// A verdict as JSON text in one line, as [`json()`] writes it, with one line break at the end.
#[must_use]
pub fn json_line(verdict: &Verdict) -> String {
    let mut text = escape::json(&json_value(verdict).to_string()).into_owned();
    text.push('\n');
    text
}

/// A verdict as a JSON value.
#[must_use]
pub fn json_value(verdict: &Verdict) -> Value {
    let links = Links::of(verdict);
    object([
        ("schema", SCHEMA.into()),
        ("program", object([("name", "catena".into()), ("version", VERSION.into())])),
        ("outcome", verdict.outcome.as_str().into()),
        ("exitStatus", u64::from(verdict.outcome.exit_status()).into()),
        (
            "target",
            object([
                ("taskId", verdict.task_id.as_str().into()),
                ("kind", verdict.kind.as_str().into()),
                ("checkTask", verdict.check_task.into()),
                ("artifacts", verdict.extent.as_str().into()),
            ]),
        ),
        ("product", verdict.product.as_str().into()),
        ("tree", or_null(verdict.tree.as_deref(), Value::from)),
        ("policy", policy(&verdict.policy)),
        ("keys", keys(&verdict.keys)),
        ("source", verdict.source.as_str().into()),
        ("concluded", verdict.concluded.to_string().into()),
        ("relaxed", list(&verdict.relaxed, relaxed)),
        ("links", list(&verdict.links, link)),
        ("findings", findings(verdict, &links)),
        ("artifacts", list(&verdict.artifacts, artifact)),
    ])
}

fn policy(policy: &PolicyId) -> Value {
    object([
        ("name", policy.name.as_str().into()),
        ("version", FORMAT_VERSION.into()),
        ("digest", policy.digest.to_string().into()),
        ("origin", if policy.is_shipped() { "shipped" } else { "files" }.into()),
        ("layers", list(&policy.layers, |layer| layer.as_str().into())),
    ])
}

fn keys(keys: &KeysId) -> Value {
    object([
        ("digest", keys.digest.to_string().into()),
        ("origin", if keys.file.is_some() { "file" } else { "policy" }.into()),
        ("file", or_null(keys.file.as_deref(), Value::from)),
        (
            "widened",
            list(&keys.widened, |(implementation, key)| {
                object([
                    ("workerImplementation", implementation.as_str().into()),
                    ("key", key.to_string().into()),
                ])
            }),
        ),
    ])
}

fn relaxed(relaxed: &Relaxed) -> Value {
    object([("rule", relaxed.as_str().into()), ("by", relaxed.by().as_str().into())])
}

fn link(link: &LinkSummary) -> Value {
    object([
        ("name", way(link)),
        ("taskId", link.task_id.as_str().into()),
        ("kind", link.kind.as_str().into()),
        ("runId", or_null(link.run_id, |run_id| u64::from(run_id.0).into())),
        ("runState", or_null(link.run_state, |state| state.as_str().into())),
        ("workerPool", link.worker_pool.as_str().into()),
        (
            "workerImplementation",
            or_null(link.worker_implementation, |implementation| implementation.as_str().into()),
        ),
        ("title", or_null(link.title.as_deref(), Value::from)),
        ("worker", or_null(link.worker.as_ref(), worker)),
        ("document", or_null(link.document.as_ref(), document)),
        ("edges", list(&link.edges, edge)),
        ("edgesLeftOut", number(link.edges_left_out)),
    ])
}

fn worker(worker: &Worker) -> Value {
    object([("group", worker.group.as_str().into()), ("id", worker.id.as_str().into())])
}

fn document(document: &SignedDocument) -> Value {
    let scheme = document.signer.scheme().as_str();
    let signer = object([("scheme", scheme.into()), ("key", document.signer.to_string().into())]);
    object([("digest", document.digest.to_string().into()), ("signer", signer)])
}

fn edge(edge: &Edge) -> Value {
    object([("name", edge.name.as_str().into()), ("taskId", edge.task_id.as_str().into())])
}

fn number(number: usize) -> Value {
    u64::try_from(number).unwrap_or(u64::MAX).into()
}

fn findings(verdict: &Verdict, links: &Links<'_>) -> Value {
    let causes = causes(verdict, links);
    let findings = verdict.findings.iter().zip(causes);
    Value::Array(findings.map(|(found, cause)| finding(verdict, found, cause, links)).collect())
}

/// A finding, and the position of the one that it follows from.
fn finding(verdict: &Verdict, finding: &Finding, cause: Option<usize>, links: &Links<'_>) -> Value {
    let headline = (finding.disposition == Disposition::Failed).then(|| headline(finding));
    let class = (!finding.code.passes).then(|| finding.code.class.as_str());
    let hint = (finding.disposition == Disposition::Failed).then(|| advice_text(verdict, finding));
    object([
        ("check", finding.check.into()),
        ("code", finding.code.name.into()),
        ("class", or_null(class, Value::from)),
        ("disposition", finding.disposition.as_str().into()),
        ("rule", or_null(finding.code.rule, |rule| rule.as_str().into())),
        ("taskId", finding.task_id.as_str().into()),
        ("link", or_null(links.link(finding.task_id), way)),
        ("message", finding.message.as_str().into()),
        ("headline", or_null(headline, Value::from)),
        ("followsFrom", or_null(cause, number)),
        ("location", or_null(finding.location.as_ref(), location)),
        ("expected", or_null(finding.expected.as_ref(), claim)),
        ("actual", or_null(finding.actual.as_ref(), claim)),
        ("authorities", or_null(finding.authorities, authorities)),
        ("differences", list(&finding.differences, difference)),
        ("origin", or_null(finding.origin.as_deref(), Value::from)),
        ("hint", or_null(hint, Value::from)),
    ])
}

fn location(location: &Location) -> Value {
    object([
        ("document", location.document.as_str().into()),
        ("path", or_null(location.path.as_ref(), |path| path.to_string().into())),
    ])
}

fn claim(claim: &Claim) -> Value {
    object([
        ("authority", claim.authority.as_str().into()),
        ("speaker", or_null(claim.speaker.as_deref(), Value::from)),
        ("text", claim.text.as_str().into()),
    ])
}

fn authorities((expected, actual): (Authority, Authority)) -> Value {
    object([("expected", expected.as_str().into()), ("actual", actual.as_str().into())])
}

/// A side without a value omits its member, because `null` may be the value.
fn difference(difference: &Difference) -> Value {
    let mut members = Map::new();
    members.insert("path", difference.path.to_string().into());
    members.insert("kind", difference.kind.as_str().into());
    for (name, value) in [("expected", &difference.expected), ("actual", &difference.actual)] {
        if let Some(value) = value {
            members.insert(name, value.clone());
        }
    }
    Value::Object(members)
}

fn artifact(artifact: &VerifiedArtifact) -> Value {
    object([
        ("taskId", artifact.task_id.as_str().into()),
        ("runId", u64::from(artifact.run_id.0).into()),
        ("name", artifact.name.as_str().into()),
        ("digest", artifact.digest.to_string().into()),
        ("length", or_null(artifact.length, Value::from)),
        ("evidence", artifact.evidence.as_str().into()),
    ])
}

fn way(link: &LinkSummary) -> Value {
    Value::Array(link.name.parts().iter().map(|part| part.as_str().into()).collect())
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(write).collect())
}

fn or_null<T>(item: Option<T>, write: impl FnOnce(T) -> Value) -> Value {
    item.map_or(Value::Null, write)
}
