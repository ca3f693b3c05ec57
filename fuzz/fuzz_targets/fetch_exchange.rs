//! A question, and a script of answers to it: no panic, an end before the deadline and within the
//! number of attempts, no secret to anybody else, and only what was measured.
//!
//! The input is text but for its first three bytes (which question, whose credentials, the size of
//! chunks): a script.
#![no_main]

use catena_fetch::{Fetcher, Options};
use catena_fuzz::{Answer, End, Script};
use catena_http::{Request, Secret};
use catena_model::Limits;
use catena_model::source::{GithubRepository, RepositoryUrl, Revision};
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_taskcluster::{RootUrl, TaskclusterCredentials};
use catena_verify::verification::{Fact, Need, Reference, Shape, TreeFile};
use http::{StatusCode, header};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256, Sha512};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ROOT: &str = "https://tc.example";
const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
/// Three attempts and five waits for a rate limit, each with three redirects, for the question, for a
/// token to ask it with, and for the repository it is about.
const MOST_REQUESTS: usize = (3 + 5) * 4 * 3;

/// What every request must keep to, wherever an answer sent it.
fn watch(request: &Request) {
    assert_eq!(request.url.scheme(), "https", "{request:?}");
    assert!(request.url.username().is_empty() && request.url.password().is_none(), "{request:?}");
    let known = matches!(request.url.host_str(), Some("tc.example" | "api.github.com"));
    let authorized = request.headers.contains_key(header::AUTHORIZATION);
    assert!(!authorized || (known && request.url.port().is_none()), "{request:?}");
}

fn need(number: u8) -> Need {
    let task_id = TaskId::parse(TASK).unwrap();
    let run_id = RunId(0);
    let name = ArtifactName::parse("public/build/a b.zip").unwrap();
    let revision = Revision::parse(&"0a".repeat(20)).unwrap();
    let repository = GithubRepository::parse("mozilla", "firefox-ios").unwrap();
    let hg = RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap();
    match number % 15 {
        0 => Need::Definition { task_id },
        1 => Need::Status { task_id },
        2 => Need::Signature { task_id, run_id },
        3 => Need::Listing { task_id, run_id, continuation: Some("a b/c?".to_owned()) },
        4 => Need::Content { task_id, run_id, name, sha512: true },
        5 => Need::Artifact { task_id, run_id, name, sha512: true },
        6 => Need::TaskGraph { task_id, run_id, wanted: [task_id].into(), sha512: false },
        7 => Need::Projects { url: "https://raw.githubusercontent.com/a/b/main/projects.yml".to_owned() },
        8 => Need::Push { repository: hg, revision },
        9 => Need::HgFile { repository: hg, revision, file: TreeFile::TaskclusterYml },
        10 => {
            Need::GithubFile { repository, reference: Reference::Revision(revision), file: TreeFile::CronYml }
        }
        11 => Need::Commit { repository, revision },
        12 => Need::BranchCommits { repository, revision },
        13 => Need::Compare { repository, branch: "releases/v1".to_owned(), revision },
        _ => Need::Tags { repository, page: 2 },
    }
}

fn limits() -> Limits {
    Limits { answer_bytes: 1 << 12, artifact_bytes: 1 << 13, graph_bytes: 1 << 13, ..Limits::default() }
}

fn fetcher(script: &Arc<Script>, who: u8) -> Fetcher {
    let options = Options { attempts: 3, redirects: 3, ..Options::default() };
    let secret = || Secret::new("secret".to_owned());
    let credentials = (who & 1 != 0)
        .then(|| TaskclusterCredentials::new("project/releng".to_owned(), secret(), None).unwrap());
    Fetcher::new(script.clone(), RootUrl::parse(ROOT).unwrap(), limits(), options)
        .with_taskcluster(credentials)
        .with_github_token((who & 2 != 0).then(secret))
}

/// A fact is of the need's shape, within its limit, measured rightly, and of the last answer.
fn judge(need: &Need, fact: &Fact, last: Option<&Answer>) {
    let status = last.map(|answer| answer.status.as_u16());
    match fact {
        Fact::Body(body) => {
            assert_eq!(need.shape(), Shape::Body);
            assert!(body.bytes.len() as u64 <= limits().answer_bytes);
            assert_eq!(body.measurement.length, body.bytes.len() as u64);
            assert_eq!(body.measurement.sha256[..], Sha256::digest(&body.bytes)[..]);
            let sha512 = Sha512::digest(&body.bytes);
            assert!(body.measurement.sha512.is_none_or(|measured| measured[..] == sha512[..]));
            let last = last.unwrap();
            assert!(matches!(last.end, End::Whole | End::Drips) && last.status == StatusCode::OK);
            if !last.headers.contains_key(header::CONTENT_ENCODING) {
                assert_eq!(*body.bytes, last.body[..]);
            }
        }
        Fact::Measured(measurement) => {
            assert_eq!(need.shape(), Shape::Measurement);
            assert!(measurement.length <= limits().artifact_bytes && measurement.sha512.is_some());
        }
        Fact::Graph(scan) => {
            assert_eq!(need.shape(), Shape::Graph);
            assert!(scan.measurement.length <= limits().graph_bytes);
        }
        Fact::Confirmed(_) => panic!("nothing was requested twice"),
        Fact::Recalled(_) => panic!("no memory is in use here"),
        Fact::Absent { status: told, message } => {
            // Whether GitHub shows the repository was asked after it.
            let shown = *told == 404 && status == Some(200);
            assert!(matches!(told, 404 | 410 | 422 | 424) && (Some(*told) == status || shown));
            assert!(message.chars().count() <= 200 && !message.contains(char::is_control));
        }
        Fact::Refused { status: told, .. } => {
            assert!(matches!(told, 401 | 403 | 407) && Some(*told) == status || *told == 404);
        }
        Fact::Unreachable { reason, attempts } => assert!(!reason.is_empty() && *attempts <= 3),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(([number, who, chunk], text)) = input.split_first_chunk() else { return };
    let script = Arc::new(Script::read(text, *chunk, watch));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let need = need(*number);
        let fetcher = fetcher(&script, *who);
        let deadline = Instant::now() + Duration::from_secs(300);
        let fact = fetcher.answer(&need, deadline).await;
        assert!(Instant::now() <= deadline + Duration::from_secs(1));
        assert!(script.requests() <= MOST_REQUESTS);
        judge(&need, &fact, script.last().as_ref());
        // What was counted of a graph depends on what was wanted of it.
        if need.shape() != Shape::Graph {
            let asked = script.requests();
            assert_eq!(fetcher.answer(&need, deadline).await, fact, "the same answer again");
            assert_eq!(script.requests(), asked, "without asking again");
        }
    });
});
