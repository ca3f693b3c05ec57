//! The queue subset, the artifact store behind it, and auth's GitHub tokens.

use super::Shared;
use super::answer::Answer;
use super::route::Asked;
use crate::body::Body;
use crate::site::{Artifact, Run, Task};
use hyper::Method;
use hyper::header::{CONTENT_ENCODING, CONTENT_RANGE, ETAG};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

/// What a path segment keeps as it is.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What a whole path keeps.
const PATH: AsciiSet = SEGMENT.remove(b'/');

/// The endings the store sends gzipped on a site that gzips.
const TEXT: [&str; 4] = [".json", ".yml", ".txt", ".log"];

/// Answers for the root URL's own services.
pub(super) fn taskcluster(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let (path, query) = asked.target.split_once('?').unwrap_or((asked.target, ""));
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let read = asked.method == Method::GET || asked.method == Method::HEAD;
    match segments.as_slice() {
        ["_stats"] => stats(shared),
        ["api", "queue", "v1", "task", id, rest @ ..] if read => task(shared, asked, id, rest, query),
        ["api", "index", "v1", "task", route] if read => indexed(shared, &decode(route)),
        ["api", "queue", "v1", "ping"] if read => Answer::json(200, &json!({"alive": true})),
        ["api", "auth", "v1", "github", app, owner, "repo-token"] if asked.method == Method::POST => {
            repo_token(shared, asked, app, owner)
        }
        _ => Answer::json(404, &json!({"code": "NotFound", "message": "no such route"})),
    }
}

/// Answers for the index: the page of the same address on the host `index`.
fn indexed(shared: &Shared, route: &str) -> Answer {
    match shared.site.pages.get(&format!("https://index/{route}")) {
        Some(page) => Answer::new(page.status, page.body.clone(), &page.content_type),
        None => Answer::error(
            404,
            "ResourceNotFound",
            "Indexed task not found",
            "findTask",
            &json!({"indexPath": route}),
        ),
    }
}

/// Answers for the store: `/_store/<taskId>/<runId>/<name>`.
pub(super) fn store(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let path = asked.target.split('?').next().unwrap_or_default();
    if let Some(answer) = put_before(shared, path.trim_start_matches("/_store/")) {
        return answer;
    }
    let Some((name, artifact)) = shared.site.object(path.trim_start_matches("/_store/")) else {
        return no_object();
    };
    let text = TEXT.iter().any(|ending| name.ends_with(ending));
    let (body, gzip) = match artifact.gzipped().filter(|_| shared.site.gzip && text) {
        Some(zipped) => (Body::from(zipped), true),
        None => (artifact.body.clone(), false),
    };
    let answer = object(asked, body, &artifact.content_type);
    if gzip { answer.header(CONTENT_ENCODING, "gzip") } else { answer }
}

/// An object as stores send it: with a tag, and from where on it is wanted. Only what is in memory has a tag.
fn object(asked: &Asked<'_>, body: Body, content_type: &str) -> Answer {
    let Body::Bytes(bytes) = &body else { return Answer::new(200, body, content_type) };
    let tag = format!(
        "\"{:x}\"",
        bytes.iter().fold(bytes.len() as u64, |hash, byte| {
            hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
        })
    );
    let range = asked.range.filter(|_| asked.if_range == Some(tag.as_str()));
    let answer = match range.and_then(|range| part(range, bytes.len())) {
        None => Answer::new(200, body, content_type),
        Some((from, to)) => {
            let range = format!("bytes {from}-{}/{}", to - 1, bytes.len());
            Answer::new(206, bytes.slice(from..to), content_type).header(CONTENT_RANGE, range)
        }
    };
    answer.header(ETAG, tag)
}

/// The first byte of a range and the byte after its last, if it is a part of so many bytes.
fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from = from.parse::<usize>().ok()?;
    let to = if last.is_empty() { length } else { last.parse::<usize>().ok()?.checked_add(1)?.min(length) };
    (from < to).then_some((from, to))
}

/// What a worker put to the store.
fn put_before(shared: &Shared, place: &str) -> Option<Answer> {
    let place = decode(place.strip_prefix("_object/t/").unwrap_or(place));
    let mut parts = place.splitn(3, '/');
    let (task, run, name) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let artifact = shared.queue.artifact(task, run, name)?;
    let Some(body) = artifact.body else { return Some(no_object()) };
    let answer = Answer::new(200, body, &artifact.content_type);
    Some(match artifact.encoding {
        Some(encoding) => answer.header(CONTENT_ENCODING, encoding),
        None => answer,
    })
}

/// What the store answers for what it does not have.
pub(super) fn no_object() -> Answer {
    Answer::new(404, "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "application/xml")
}

fn task(shared: &Shared, asked: &Asked<'_>, id: &str, rest: &[&str], query: &str) -> Answer {
    let method = match rest {
        [] => "task",
        ["status"] => "status",
        ["artifacts"] => "listLatestArtifacts",
        ["artifacts", ..] => "getLatestArtifact",
        ["runs", _, "artifacts"] => "listArtifacts",
        ["runs", ..] => "getArtifact",
        _ => "latestArtifactInfo",
    };
    let live = shared.queue.task(id);
    let Some(task) =
        live.as_ref().or_else(|| shared.site.tasks.get(id)).filter(|task| !task.definition.is_empty())
    else {
        let hint = format!(
            "`{id}` does not correspond to a task that exists.\nAre you sure this task has already been submitted?"
        );
        return Answer::error(404, "ResourceNotFound", &hint, method, &json!({"taskId": id}));
    };
    let (number, run, rest) = match rest {
        [] => return Answer::json_text(task.definition.clone()),
        ["status"] => return Answer::json_text(task.status.clone()),
        ["runs", number, rest @ ..] => {
            let number = number.parse().ok();
            (number, number.and_then(|number| task.runs.get(&number)), rest)
        }
        rest => (task.latest(), latest(task), rest),
    };
    let (Some(number), Some(run)) = (number, run) else {
        let params = json!({"taskId": id, "runId": number});
        return Answer::error(404, "ResourceNotFound", "Run not found", method, &params);
    };
    match rest {
        ["artifacts"] => list(run, query, shared.options.page_size),
        [kind @ ("artifacts" | "artifact-info" | "artifact-content"), name @ ..] => {
            let wanted = Wanted { id, number, name: decode(&name.join("/")), method };
            if let Some((reason, message)) = shared.queue.error(id, number, &wanted.name) {
                return Answer::json(424, &json!({"reason": reason, "message": message}));
            }
            artifact(asked, run, &wanted, kind, query)
        }
        _ => Answer::json(404, &json!({"code": "NotFound", "message": "no such route"})),
    }
}

fn latest(task: &Task) -> Option<&Run> {
    task.runs.last_key_value().map(|(_, run)| run)
}

struct Wanted<'a> {
    id: &'a str,
    number: u32,
    name: String,
    method: &'a str,
}

fn artifact(asked: &Asked<'_>, run: &Run, wanted: &Wanted<'_>, kind: &str, query: &str) -> Answer {
    let params = json!({"taskId": wanted.id, "runId": wanted.number, "name": wanted.name});
    let signed = asked.authorization.is_some() || query.split('&').any(|pair| pair.starts_with("bewit="));
    if !wanted.name.starts_with("public/") && !signed {
        let message = format!(
            "Client ID static/taskcluster/anonymous does not have sufficient scopes and is missing the following scopes:\n\n```\nqueue:get-artifact:{}\n```",
            wanted.name
        );
        return Answer::error(403, "InsufficientScopes", &message, wanted.method, &params);
    }
    let Some(artifact) = run.artifacts.get(&wanted.name) else {
        return Answer::error(404, "ResourceNotFound", "Artifact not found", wanted.method, &params);
    };
    let url = location(asked, artifact, wanted);
    match kind {
        "artifact-info" => Answer::json(200, &artifact.entry(&wanted.name)),
        "artifact-content" => Answer::json(200, &json!({"storageType": "s3", "url": url})),
        _ => Answer::see_other(&url),
    }
}

/// Where the body is. Dots that a client would resolve away are kept from it by escaping all slashes.
fn location(asked: &Asked<'_>, artifact: &Artifact, wanted: &Wanted<'_>) -> String {
    let place = artifact.redirect.clone().unwrap_or_else(|| {
        let set = if wanted.name.contains("..") { &SEGMENT } else { &PATH };
        format!("{}/{}/{}", wanted.id, wanted.number, utf8_percent_encode(&wanted.name, set))
    });
    format!("{}://{}/_store/{place}", asked.scheme, asked.authority)
}

fn list(run: &Run, query: &str, page_size: usize) -> Answer {
    let number = |name: &str| -> Option<usize> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok())
    };
    let entries = run.entries();
    let start = number("continuationToken").unwrap_or(0);
    let limit = number("limit").unwrap_or(page_size).clamp(1, page_size.max(1));
    let page: Vec<&str> = entries.iter().skip(start).take(limit).map(String::as_str).collect();
    let mut text = format!("{{\"artifacts\":[{}]", page.join(","));
    if start.saturating_add(limit) < entries.len() {
        text.push_str(&format!(",\"continuationToken\":\"{}\"", start + limit));
    }
    text.push('}');
    Answer::json_text(text.into())
}

fn repo_token(shared: &Shared, asked: &Asked<'_>, app: &str, owner: &str) -> Answer {
    let params = json!({"appName": app, "owner": owner});
    match &shared.site.github_token {
        Some(token) if asked.authorization.is_some() => Answer::json(200, &json!({"token": token})),
        _ => {
            let message = format!(
                "Client ID static/taskcluster/anonymous does not have sufficient scopes and is missing the following scopes:\n\n```\nauth:github:repo-token:{app}:{owner}\n```"
            );
            Answer::error(403, "InsufficientScopes", &message, "githubRepoToken", &params)
        }
    }
}

fn stats(shared: &Shared) -> Answer {
    let stats = shared.ledger.stats();
    let arrivals = shared.ledger.arrivals().into_iter();
    let asked: Vec<_> = arrivals.map(|(at, url)| json!([at.as_secs_f64(), url])).collect();
    let (requests, bytes, per_url) = (stats.requests, stats.bytes, stats.per_url);
    Answer::json(200, &json!({"requests": requests, "bytes": bytes, "per_url": per_url, "asked": asked}))
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
