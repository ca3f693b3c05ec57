//! Everything that can go wrong with an answer, and its effect on each kind of need.

use crate::kinds::{ENDLESS_LISTING, ENDLESS_TAGS, Kind, NO_LISTING, Proof, REFUSED, Said, UNREACHABLE, YES};
use catena_testbed::{Body, Fault};
use std::time::Duration;

/// A fault, in the form that `laid` applies to an address.
pub(crate) struct Trouble {
    pub(crate) name: String,
    /// The address of the fault, relative to the kind's; the whole address as the client writes it.
    laid: fn(&Place) -> Vec<Laid>,
    /// Its effect.
    pub(crate) effect: Effect,
    /// Only of these kinds; of all when empty.
    of: &'static [&'static str],
    /// Whether the queue uses TLS.
    pub(crate) tls: bool,
    /// Text that a finding must contain, to show which fault had an effect.
    pub(crate) words: &'static str,
}

/// The place of a fault.
pub(crate) struct Place {
    /// The kind's address: whole, or its path where the queue and its store are.
    pub(crate) pattern: String,
    /// The whole address.
    pub(crate) url: String,
}

/// A fault for a pattern, and the attempts that it affects.
pub(crate) struct Laid {
    pub(crate) pattern: String,
    pub(crate) when: When,
    pub(crate) fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// On every affected attempt.
    Always,
    /// On the first attempt only.
    First,
    /// From the second attempt on.
    Later,
}

/// The effect of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// No effect.
    None,
    /// Retried until the attempts are used up; then unavailable.
    Again,
    /// Unavailable, and a retry would not help.
    Lasting,
    /// The service requires authentication.
    Refused,
    /// Absent.
    Absent,
    /// Different data. Its verification decides.
    Other,
    /// Data arrives until the deadline or the limit.
    Endless,
}

/// The expected end of the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) said: Said,
    /// The number of requests of the address; unset if time decides.
    pub(crate) requests: Option<u64>,
    /// Whether the fault is over if it affects the first attempt alone.
    pub(crate) passes: bool,
    /// The deadline ends it.
    pub(crate) deadline: bool,
}

/// The maximum attempts per request.
pub(crate) const ATTEMPTS: u64 = 2;

const HTML: &str =
    "<!DOCTYPE html>\n<html><head><title>We'll be back soon</title></head><body></body></html>\n";

/// The effect of a fault on a kind of need. This is the whole table.
pub(crate) fn expected(kind: &Kind, trouble: &Trouble) -> Expected {
    let asked = |said, requests| Expected { said, requests: Some(requests), passes: false, deadline: false };
    let again = Expected { passes: true, ..asked(UNREACHABLE, ATTEMPTS) };
    match trouble.effect {
        Effect::None => asked(YES, 1),
        Effect::Again => again,
        Effect::Lasting => asked(UNREACHABLE, 1),
        Effect::Refused => asked(REFUSED, 1),
        Effect::Absent => asked(kind.absent, 1),
        Effect::Endless if kind.bulk => {
            Expected { said: UNREACHABLE, requests: None, passes: false, deadline: true }
        }
        Effect::Endless => asked(UNREACHABLE, 1),
        Effect::Other => other(kind, &trouble.name).unwrap_or(again),
    }
}

/// A complete answer with different data; unset where it is not an answer.
fn other(kind: &Kind, trouble: &str) -> Option<Expected> {
    let said = |said| Some(Expected { said, requests: Some(1), passes: false, deadline: false });
    match (kind.proof, trouble) {
        // A maintenance notice, a login, a proxy's page: not the service's answer.
        (Proof::Json | Proof::Text, "html") => None,
        // One answer alone would take more memory than all may.
        (_, "many-values" | "too-many-values") if !kind.bulk => said(UNREACHABLE),
        // Two attempts are never put together; the first that is whole is requested once more, and counts.
        (_, "changed-after-a-break") => {
            Some(Expected { said: kind.other, requests: Some(3), passes: false, deadline: false })
        }
        // JSON services never send an empty or truncated answer.
        (Proof::Json, "empty" | "shorter-than-it-is") => None,
        // Nor one beyond the limits: a service that does is broken.
        (Proof::Json, "deep") => said(UNREACHABLE),
        // GitHub's form for a commit on no branch.
        (Proof::Text, "empty") if kind.need == "branch-commits" => said(kind.absent),
        // An endless answer is not known to lack anything.
        (_, "endless-listing" | "same-page-again") => said(ENDLESS_LISTING),
        (_, "endless-tags") => said(ENDLESS_TAGS),
        // Only a list of branches states the branches.
        (Proof::Text, "shorter-than-it-is" | "deep") if kind.need == "branch-commits" => said(NO_LISTING),
        (Proof::Text, _) if kind.need == "branch-commits" => said(kind.other),
        // What cannot be what was asked for is requested again before it counts.
        _ => Some(Expected { said: kind.other, requests: Some(2), passes: true, deadline: false }),
    }
}

fn whole(fault: Fault) -> Vec<Laid> {
    vec![Laid { pattern: String::new(), when: When::Always, fault }]
}

fn trouble(name: &str, effect: Effect, laid: fn(&Place) -> Vec<Laid>) -> Trouble {
    Trouble { name: name.to_owned(), laid, effect, of: &[], tls: false, words: "" }
}

impl Trouble {
    pub(crate) fn strikes(&self, kind: &Kind) -> bool {
        let bends_a_body = matches!(
            self.name.as_str(),
            "drip"
                | "reset-before-the-body"
                | "reset-in-the-body"
                | "truncated"
                | "shorter-than-it-is"
                | "longer-than-it-is"
                | "endless"
                | "html"
                | "empty"
                | "not-utf8"
                | "deep"
                | "gigabytes"
                | "many-values"
                | "too-many-values"
                | "changed-after-a-break"
                | "not-gzip"
                | "identity"
                | "coded-br"
                | "coded-twice"
        );
        // The body of the queue's 303 is not used.
        if kind.name == "way-to-an-artifact" && bends_a_body {
            return false;
        }
        self.of.is_empty() || self.of.contains(&kind.name)
    }

    /// Whether it ends only with the verifier's time limit.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.name.as_str(), "silence" | "drip")
    }

    /// The faults, each for its whole pattern.
    pub(crate) fn laid(&self, place: &Place) -> Vec<Laid> {
        let mut laid = (self.laid)(place);
        for one in &mut laid {
            one.pattern = format!("{}{}", place.pattern, one.pattern);
        }
        laid
    }
}

macro_rules! statuses {
    ($($status:literal => $effect:expr),* $(,)?) => {
        vec![$(trouble(concat!("status-", $status), $effect, |_| whole(Fault::Status($status)))),*]
    };
}

fn statuses() -> Vec<Trouble> {
    use Effect::{Absent, Again, Lasting, Refused};
    statuses! {
        204 => Again, 303 => Lasting, 400 => Lasting, 401 => Refused, 403 => Refused, 404 => Absent,
        407 => Refused, 408 => Again, 418 => Lasting, 429 => Again, 500 => Again,
        502 => Again, 503 => Again, 504 => Again,
    }
}

/// Further faults, of one kind of need at each service.
fn other_statuses() -> Vec<Trouble> {
    use Effect::{Again, Lasting};
    let statuses = statuses! {
        206 => Again, 300 => Lasting, 304 => Lasting, 402 => Lasting, 405 => Lasting, 409 => Lasting,
        421 => Again, 425 => Again, 451 => Lasting, 501 => Again, 505 => Again, 599 => Again,
    };
    let of = &["definition", "artifact", "push", "commit"];
    statuses.into_iter().map(|trouble| Trouble { of, ..trouble }).collect()
}

/// Statuses with a meaning for some needs only.
fn particular_statuses() -> Vec<Trouble> {
    const QUEUE: &[&str] = &["way-to-an-artifact"];
    const OTHERS: &[&str] = &[
        "definition",
        "status",
        "listing",
        "document",
        "artifact",
        "optional-artifact",
        "task-graph",
        "projects",
        "push",
        "commit",
        "tags",
    ];
    // Expired, or taken down.
    const GONE: &[&str] = &[
        "definition",
        "status",
        "listing",
        "way-to-an-artifact",
        "github-template",
        "commit",
        "compare",
        "pull-request",
        "release",
        "tags",
    ];
    const NEVER_GONE: &[&str] = &[
        "document",
        "signature",
        "artifact",
        "optional-artifact",
        "task-graph",
        "projects",
        "push",
        "hg-template",
        "branch-commits",
    ];
    let of = |of, trouble| Trouble { of, ..trouble };
    vec![
        of(GONE, trouble("status-410", Effect::Absent, |_| whole(Fault::Status(410)))),
        of(NEVER_GONE, trouble("status-410", Effect::Again, |_| whole(Fault::Status(410)))),
        // The queue's status for an artifact that its task failed to make.
        of(QUEUE, trouble("status-424", Effect::Absent, |_| whole(Fault::Status(424)))),
        of(OTHERS, trouble("status-424", Effect::Lasting, |_| whole(Fault::Status(424)))),
        // GitHub's status for a commit that is in no repository.
        of(&["commit"], trouble("status-422", Effect::Absent, |_| whole(Fault::Status(422)))),
        of(
            &["definition", "artifact", "tags"],
            trouble("status-422", Effect::Lasting, |_| whole(Fault::Status(422))),
        ),
    ]
}

fn instead(status: u16, headers: &[(&str, &str)], body: &'static str) -> Vec<Laid> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    whole(Fault::Instead { status, headers, body: body.into() })
}

fn rate_limited(_: &Place) -> Vec<Laid> {
    instead(403, &[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "4102444800")], "")
}

fn slowness() -> Vec<Trouble> {
    const GITHUB_API: &[&str] =
        &["github-template", "commit", "compare", "repository", "pull-request", "release", "tags"];
    const OTHERS: &[&str] = &["definition", "status", "document", "artifact", "push", "branch-commits"];
    vec![
        trouble("silence", Effect::Again, |_| whole(Fault::Silence)),
        trouble("drip", Effect::Again, |_| {
            whole(Fault::Drip { bytes: 1, every: Duration::from_millis(400) })
        }),
        // A `Retry-After` of a year ends the attempts at once.
        trouble("retry-after-a-year", Effect::Lasting, |_| instead(503, &[("Retry-After", "31536000")], "")),
        // GitHub's form of a rate limit is every other service's form of a refusal.
        Trouble { of: GITHUB_API, ..trouble("rate-limited", Effect::Lasting, rate_limited) },
        Trouble { of: OTHERS, ..trouble("rate-limited", Effect::Refused, rate_limited) },
    ]
}

fn breaks() -> Vec<Trouble> {
    vec![
        trouble("reset-at-once", Effect::Again, |_| whole(Fault::HangUp)),
        trouble("reset-before-the-body", Effect::Again, |_| whole(Fault::Reset { after: 0 })),
        trouble("reset-in-the-body", Effect::Again, |_| whole(Fault::Reset { after: 9 })),
        trouble("truncated", Effect::Again, |_| whole(Fault::Truncate { after: 9 })),
        trouble("longer-than-it-is", Effect::Again, |_| whole(Fault::Announce { length: 1_000_000 })),
        trouble("shorter-than-it-is", Effect::Other, |_| whole(Fault::Announce { length: 10 })),
        trouble("html-502", Effect::Again, |_| instead(502, &[("Content-Type", "text/html")], HTML)),
        // The answer is not the service's own.
        trouble("html-404", Effect::Again, |_| instead(404, &[("Content-Type", "text/html")], HTML)),
        trouble("html-410", Effect::Again, |_| instead(410, &[("Content-Type", "text/html")], HTML)),
        trouble("empty-404", Effect::Again, |_| instead(404, &[], "")),
        trouble("text-404", Effect::Again, |_| instead(404, &[], "404 page not found\n")),
        trouble("json-404", Effect::Again, |_| instead(404, &[], r#"{"message":"no Route matched"}"#)),
    ]
}

fn codings() -> Vec<Trouble> {
    vec![
        trouble("not-gzip", Effect::Again, |_| whole(Fault::Encoding("gzip".to_owned()))),
        trouble("coded-br", Effect::Lasting, |_| whole(Fault::Encoding("br".to_owned()))),
        trouble("coded-twice", Effect::Lasting, |_| whole(Fault::Encoding("gzip, gzip".to_owned()))),
        trouble("identity", Effect::None, |_| whole(Fault::Encoding("identity".to_owned()))),
        Trouble {
            words: "times its size on the wire",
            ..trouble("gzip-bomb", Effect::Lasting, |_| whole(Fault::GzipBomb { unpacked: 1 << 37 }))
        },
    ]
}

fn redirects() -> Vec<Trouble> {
    vec![
        trouble("redirect-to-itself", Effect::Lasting, |place| whole(Fault::Redirect(place.url.clone()))),
        trouble("redirect-on-and-on", Effect::Lasting, |place| {
            let more = if place.url.contains('?') { "&hop=*" } else { "?hop=*" };
            let further = Laid { pattern: more.to_owned(), when: When::Always, fault: Fault::Wander };
            whole(Fault::Wander).into_iter().chain([further]).collect()
        }),
        trouble("redirect-to-a-file", Effect::Lasting, |_| {
            whole(Fault::Redirect("file:///etc/passwd".to_owned()))
        }),
        trouble("redirect-with-a-user", Effect::Lasting, |place| {
            whole(Fault::Redirect(place.url.replacen("://", "://user:password@", 1)))
        }),
        trouble("redirect-to-plain-http", Effect::Lasting, |_| {
            whole(Fault::Redirect("http://elsewhere.example/page".to_owned()))
        }),
        Trouble {
            tls: true,
            ..trouble("redirect-down", Effect::Lasting, |place| {
                whole(Fault::Redirect(place.url.replacen("https://", "http://", 1)))
            })
        },
    ]
}

/// A redirect that only artifacts may follow: the queue redirects to a store.
fn redirects_elsewhere() -> Vec<Trouble> {
    const ARTIFACTS: &[&str] = &[
        "document",
        "signature",
        "actions.json",
        "parameters.yml",
        "artifact",
        "way-to-an-artifact",
        "optional-artifact",
        "task-graph",
    ];
    const QUEUE: &[&str] = &["definition", "status", "listing"];
    const OTHERS: &[&str] = &[
        "definition",
        "status",
        "listing",
        "push",
        "hg-template",
        "github-template",
        "commit",
        "branch-commits",
        "compare",
        "repository",
        "pull-request",
        "release",
        "tags",
    ];
    let page = |_: &Place| whole(Fault::Redirect(ELSEWHERE.to_owned()));
    let port = |_: &Place| whole(Fault::Redirect("http://127.0.0.1:1/page".to_owned()));
    vec![
        Trouble { of: ARTIFACTS, ..trouble("redirect-to-another-host", Effect::Other, page) },
        Trouble { of: OTHERS, ..trouble("redirect-to-another-host", Effect::Lasting, page) },
        Trouble { of: ARTIFACTS, ..trouble("redirect-to-another-port", Effect::Again, port) },
        Trouble { of: QUEUE, ..trouble("redirect-to-another-port", Effect::Lasting, port) },
    ]
}

/// A page of another host, with unrelated bytes.
pub(crate) const ELSEWHERE: &str = "https://raw.githubusercontent.com/elsewhere";

fn contents() -> Vec<Trouble> {
    vec![
        trouble("html", Effect::Other, |_| whole(Fault::Replace(HTML.into()))),
        trouble("empty", Effect::Other, |_| whole(Fault::Replace("".into()))),
        trouble("not-utf8", Effect::Other, |_| whole(Fault::Replace(b"{\"a\": \"\xff\"}".to_vec().into()))),
        trouble("deep", Effect::Other, |_| whole(Fault::Replace(Body::nested(100_000)))),
        trouble("many-values", Effect::Other, |_| {
            // More than the limit, and few enough for memory.
            let lists = vec![("{\"a\":[".into(), 1), ("[],".repeat(1100).into(), 1000), ("[]]}".into(), 1)];
            whole(Fault::Replace(Body::Repeated(lists)))
        }),
        trouble("too-many-values", Effect::Other, |_| {
            // As many as fit in an answer.
            let lists = "[],".repeat(1 << 14).into();
            let lists = vec![("{\"a\":[".into(), 1), (lists, 10 << 6), ("[]]}".into(), 1)];
            whole(Fault::Replace(Body::Repeated(lists)))
        }),
        trouble("gigabytes", Effect::Endless, |_| whole(Fault::Replace(Body::long_json(64 << 30)))),
        trouble("endless", Effect::Endless, |_| whole(Fault::Endless)),
        // Each address is requested once, so that an attacker cannot show one answer first and another
        // later.
        trouble("changed-later", Effect::None, |_| {
            vec![Laid { pattern: String::new(), when: When::Later, fault: Fault::Replace("other".into()) }]
        }),
    ]
}

/// Half of one answer, and then another.
fn mixtures() -> Vec<Trouble> {
    let of =
        &["document", "signature", "actions.json", "parameters.yml", "artifact", "task-graph", "hg-template"];
    let mixture = trouble("changed-after-a-break", Effect::Other, |_| {
        let first = Laid { pattern: String::new(), when: When::First, fault: Fault::Truncate { after: 9 } };
        let other = Fault::Replace("nobody's bytes".into());
        vec![first, Laid { pattern: String::new(), when: When::Later, fault: other }]
    });
    vec![Trouble { of, ..mixture }]
}

/// Endless listings.
fn listings() -> Vec<Trouble> {
    const SAME: &str = "{\"artifacts\":[],\"continuationToken\":\"again\"}";
    vec![
        Trouble {
            of: &["listing"],
            ..trouble("endless-listing", Effect::Other, |_| {
                let further = Laid {
                    pattern: "?continuationToken=*".to_owned(),
                    when: When::Always,
                    fault: Fault::EndlessListing,
                };
                whole(Fault::EndlessListing).into_iter().chain([further]).collect()
            })
        },
        Trouble {
            of: &["listing"],
            ..trouble("same-page-again", Effect::Other, |_| {
                let further = Laid {
                    pattern: "?continuationToken=again".to_owned(),
                    when: When::Always,
                    fault: Fault::Replace(SAME.into()),
                };
                whole(Fault::Replace(SAME.into())).into_iter().chain([further]).collect()
            })
        },
        Trouble {
            of: &["tags"],
            ..trouble("endless-tags", Effect::Other, |_| {
                let tags = format!("[{}]", vec!["{\"name\":\"x\"}"; 100].join(","));
                // There is no second page that could be replaced.
                let page = Fault::Instead { status: 200, headers: vec![], body: tags.clone().into() };
                let further = Laid { pattern: "&page=*".to_owned(), when: When::Always, fault: page };
                whole(Fault::Replace(tags.into())).into_iter().chain([further]).collect()
            })
        },
    ]
}

/// All faults.
pub(crate) fn troubles() -> Vec<Trouble> {
    let parts = [
        statuses(),
        other_statuses(),
        particular_statuses(),
        slowness(),
        breaks(),
        codings(),
        redirects(),
        redirects_elsewhere(),
        contents(),
        mixtures(),
        listings(),
    ];
    parts.into_iter().flatten().collect()
}
