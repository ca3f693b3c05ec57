//! How each service states that a requested resource does not exist.
//!
//! A status alone is not enough: a proxy, an ingress or a captive portal answers 404 for a service that
//! it cannot find. So an answer counts as absence only in the form that the service itself uses.

use serde_json::Value;
use std::fmt;

/// The service that an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Responder {
    /// A service of Taskcluster.
    Taskcluster,
    /// The target of the queue's redirects for artifacts: S3 or Google Cloud Storage, perhaps behind a
    /// content delivery network, which passes on their answers.
    Store,
    /// hgweb's push log, which is JSON.
    HgPushLog,
    /// hgweb's files.
    HgFile,
    /// GitHub's API.
    GithubApi,
    /// GitHub's pages.
    GithubPage,
    /// A file that a policy names: raw.githubusercontent.com or hgweb.
    File,
}

impl fmt::Display for Responder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Taskcluster => "Taskcluster",
            Self::Store => "an artifact store",
            Self::HgPushLog => "hgweb's push log",
            Self::HgFile => "hgweb",
            Self::GithubApi => "GitHub's API",
            Self::GithubPage => "github.com",
            Self::File => "raw.githubusercontent.com or hgweb",
        })
    }
}

impl Responder {
    /// Whether an error is this service's own answer for a missing resource.
    pub(crate) fn lacks(self, status: u16, body: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(body) else { return false };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        match (self, status) {
            (Self::Taskcluster, 404) => has_code(text, "ResourceNotFound"),
            (Self::Taskcluster, 410) => has_code(text, "ResourceExpired"),
            (Self::Taskcluster, 424) => has_strings(text, &["reason", "message"]),
            (Self::Store, 404) => is_stores(text),
            (Self::HgPushLog, 404) => {
                serde_json::from_str::<String>(text).is_ok_and(|error| names_missing(&error))
            }
            (Self::HgFile, 404) => is_hgwebs(text),
            (Self::GithubApi, 404 | 410 | 422) => has_strings(text, &["message", "documentation_url"]),
            (Self::GithubPage, 404) => text == "Not Found" || title(text).is_some_and(is_githubs),
            (Self::File, 404) => text == "404: Not Found" || is_hgwebs(text),
            _ => false,
        }
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// An error of Taskcluster's: `{"code", "message", "requestInfo"}`.
fn has_code(text: &str, code: &str) -> bool {
    has_strings(text, &["code", "message"])
        && json(text).is_some_and(|json| json.get("code").and_then(Value::as_str) == Some(code))
}

/// A JSON object with these members, each a string.
fn has_strings(text: &str, names: &[&str]) -> bool {
    json(text).is_some_and(|json| names.iter().all(|name| json.get(name).is_some_and(Value::is_string)))
}

/// The error document of S3 and of Google's XML API, and that of Google's JSON API.
fn is_stores(text: &str) -> bool {
    if let Some(json) = json(text) {
        let code = json.pointer("/error/code").and_then(Value::as_u64);
        return code == Some(404) && json.pointer("/error/message").is_some_and(Value::is_string);
    }
    if text.starts_with("No such object: ") {
        return text.lines().count() == 1;
    }
    let text = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    };
    let inside = text.strip_prefix("<Error>").and_then(|rest| rest.strip_suffix("</Error>"));
    inside.is_some_and(|inside| inside.trim_start().starts_with("<Code>NoSuchKey</Code>"))
}

/// The messages of Mercurial and of its push log for missing resources.
const MISSING: [&str; 6] = [
    "not found in manifest",
    "path not found",
    "revision not found",
    "unknown revision",
    "hidden revision",
    "filtered revision",
];

fn names_missing(text: &str) -> bool {
    MISSING.iter().any(|missing| text.contains(missing))
}

/// hgweb's error in the style `raw` (a line) and in those for people (a page).
fn is_hgwebs(text: &str) -> bool {
    if let Some(error) = text.strip_prefix("error: ") {
        return names_missing(error) && error.lines().count() == 1;
    }
    let error = title(text).is_some_and(|title| title.to_ascii_lowercase().ends_with("error"));
    error && text.contains("An error occurred while processing your request") && names_missing(text)
}

/// The titles of GitHub's page for missing resources.
fn is_githubs(title: &str) -> bool {
    ["Page not found", "Page not found · GitHub", "Page not found &middot; GitHub"].contains(&title)
}

/// The title of a page of HTML.
pub(crate) fn title(text: &str) -> Option<&str> {
    let (_, rest) = text.strip_prefix('<')?.split_once("<title>")?;
    rest.split_once("</title>").map(|(title, _)| title.trim())
}

#[cfg(test)]
mod tests {
    use super::Responder::{File, GithubApi, GithubPage, HgFile, HgPushLog, Store, Taskcluster};

    const GITHUB: &str = r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}"#;
    const HG_PAGE: &str = "<!DOCTYPE html><html><head><title>mozilla-central: Error</title></head><body>\
        <i>An error occurred while processing your request</i><br/>\n.cron.yml@0a0a: not found in manifest\n\
        </body></html>";
    const NGINX: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
        <center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>";

    #[test]
    fn each_service_has_its_form_of_absence() {
        for (responder, status, body) in [
            (Taskcluster, 404, r#"{"code":"ResourceNotFound","message":"no","requestInfo":{}}"#),
            (Taskcluster, 410, r#"{"code":"ResourceExpired","message":"no"}"#),
            (Taskcluster, 424, r#"{"reason":"file-missing-on-worker","message":"no"}"#),
            (Store, 404, "<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"),
            (
                Store,
                404,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The \
                 specified key does not exist.</Message><Key>a/0/b</Key></Error>",
            ),
            (Store, 404, "No such object: bucket/a/0/b"),
            (Store, 404, r#"{"error":{"code":404,"message":"No such object: bucket/a/0/b"}}"#),
            (HgPushLog, 404, "\"unknown revision\""),
            (HgPushLog, 404, "\"unknown revision '0a0a'\""),
            (HgFile, 404, "\nerror: .cron.yml@0a0a: not found in manifest\n"),
            (HgFile, 404, "error: revision not found: 0a0a"),
            (HgFile, 404, HG_PAGE),
            (File, 404, HG_PAGE),
            (File, 404, "404: Not Found"),
            (GithubApi, 404, GITHUB),
            (GithubApi, 410, GITHUB),
            (GithubApi, 422, GITHUB),
            (GithubPage, 404, "Not Found"),
            (GithubPage, 404, "<!DOCTYPE html><html><head><title>Page not found</title></head></html>"),
            (
                GithubPage,
                404,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>Page not found &middot; GitHub</title>",
            ),
        ] {
            assert!(responder.lacks(status, body.as_bytes()), "{responder}: {body}");
        }
    }

    #[test]
    fn answers_of_intermediaries_are_not_absence() {
        let all = [Taskcluster, Store, HgPushLog, HgFile, GithubApi, GithubPage, File];
        for body in [
            "",
            " \n",
            "{}",
            "[]",
            "null",
            "404",
            "\"\"",
            "not found",
            "404 page not found\n",
            "no such page",
            "default backend - 404",
            NGINX,
            "<!DOCTYPE html><title>Log in</title>An error occurred while processing your request",
            "<html><head><title>Error</title></head>not found in manifest</html>",
            r#"{"code":"NotFound","message":"no such route"}"#,
            r#"{"code":404,"message":"no Route matched with those values"}"#,
            r#"{"message":"Not Found"}"#,
            r#"{"error":"not_found"}"#,
            "<Error><Code>NoSuchBucket</Code></Error>",
            "<Error><Message>NoSuchKey</Message></Error>",
            "<html><Error><Code>NoSuchKey</Code></Error></html>",
            "No such object: a\n<html>",
            "error: no healthy upstream",
            "\u{fffd}\u{0}",
        ] {
            for (responder, status) in all.iter().flat_map(|one| [404, 410, 422, 424].map(|it| (one, it))) {
                assert!(!responder.lacks(status, body.as_bytes()), "{responder} {status}: {body}");
            }
        }
        // The form of one service does not count for another, and another status is another answer.
        for (responder, status, body) in [
            (Taskcluster, 404, GITHUB),
            (Taskcluster, 404, r#"{"code":"ResourceExpired","message":""}"#),
            (Taskcluster, 424, r#"{"code":"InputError","message":""}"#),
            (Store, 404, r#"{"code":"ResourceNotFound","message":""}"#),
            (Store, 410, "<Error><Code>NoSuchKey</Code></Error>"),
            (HgFile, 404, "404: Not Found"),
            (HgFile, 404, "\"unknown revision\""),
            (HgPushLog, 404, HG_PAGE),
            (HgPushLog, 404, "error: unknown revision"),
            (HgFile, 404, GITHUB),
            (HgFile, 410, HG_PAGE),
            (GithubApi, 404, "Not Found"),
            (GithubApi, 404, r#"{"code":"ResourceNotFound","message":""}"#),
            (GithubPage, 404, GITHUB),
            (GithubPage, 404, HG_PAGE),
            (File, 404, "Not Found"),
        ] {
            assert!(!responder.lacks(status, body.as_bytes()), "{responder} {status}: {body}");
        }
    }
}
