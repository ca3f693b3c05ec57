//! Which answers count as absence.
// Helpers of tests may panic like tests.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use catena_fetch::Options;
use catena_http::{Request, Secret};
use catena_model::Limits;
use catena_model::source::{RepositoryUrl, TagName};
use catena_verify::verification::{Fact, Need, Reference, TreeFile};
use support::*;

const NGINX: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<center>nginx</center></html>";
const GITHUBS: &str = r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}"#;
const QUEUES: &str = r#"{"code":"ResourceNotFound","message":"no such thing"}"#;
const STORES: &str = "<Error><Code>NoSuchKey</Code></Error>";
const HGS: &str = "error: .taskcluster.yml@0a: not found in manifest";

fn hg() -> RepositoryUrl {
    RepositoryUrl::parse("https://hg.mozilla.org/mozilla-central").unwrap()
}

fn branches() -> Need {
    Need::BranchCommits { repository: repository(), revision: revision() }
}

fn of_github() -> Vec<Need> {
    let repository = repository;
    vec![
        commit(),
        branches(),
        Need::GithubFile {
            repository: repository(),
            reference: Reference::Revision(revision()),
            file: TreeFile::TaskclusterYml,
        },
        Need::PullRequest { repository: repository(), number: 7 },
        Need::Release { repository: repository(), tag: TagName::parse("v1").unwrap() },
        Need::Tags { repository: repository(), page: 1 },
        Need::Compare { repository: repository(), branch: "main".to_owned(), revision: revision() },
    ]
}

/// Each kind of need, and its service's form of absence.
fn needs() -> Vec<(Need, &'static str)> {
    let projects =
        Need::Projects { url: "https://raw.githubusercontent.com/a/b/main/projects.yml".to_owned() };
    let mut needs = vec![
        (Need::Definition { task_id: task_id() }, QUEUES),
        (status(), QUEUES),
        (document(), QUEUES),
        (artifact("public/a"), QUEUES),
        (content("public/a"), QUEUES),
        (graph(), QUEUES),
        (projects, "404: Not Found"),
        (Need::Push { repository: hg(), revision: revision() }, "\"unknown revision\""),
        (Need::HgFile { repository: hg(), revision: revision(), file: TreeFile::CronYml }, HGS),
    ];
    needs.extend(of_github().into_iter().map(|need| (need.clone(), githubs(&need))));
    needs
}

fn githubs(need: &Need) -> &'static str {
    if *need == branches() { "Not Found" } else { GITHUBS }
}

/// Whether the repository itself is asked for.
fn is_repository(request: &Request) -> bool {
    request.url.path() == "/repos/mozilla-mobile/firefox-ios"
}

#[tokio::test(start_paused = true)]
async fn only_the_service_itself_states_absence() {
    for (need, own) in needs() {
        let (fact, _) = ask(&need, move |request, _| {
            if is_repository(request) { body(200, r#"{"private": false}"#) } else { body(404, own) }
        })
        .await;
        assert!(matches!(fact, Fact::Absent { status: 404, .. }), "{need}: {fact:?}");
        let others = [NGINX, "", "404 page not found", "{}", GITHUBS, QUEUES, STORES, HGS, "Not Found"];
        let is_file = matches!(need, Need::Projects { .. });
        for other in others.into_iter().filter(|other| *other != own && !(is_file && *other == HGS)) {
            for code in [404, 410] {
                if code == 410 && other == GITHUBS && githubs(&need) == GITHUBS && of_github().contains(&need)
                {
                    continue;
                }
                let (fact, requests) = ask(&need, move |_, _| body(code, other)).await;
                let (reason, attempts) = unreachable(&fact);
                assert_eq!((requests, attempts), (5, 5), "{need}: {other}");
                assert!(reason.starts_with(&format!("status {code} in a form that ")), "{reason}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn other_answers_are_described() {
    for (answer, told) in [
        (NGINX, "Taskcluster does not use: a page titled \"404 Not Found\""),
        ("", "Taskcluster does not use: nothing"),
        ("default backend - 404", "Taskcluster does not use: \"default backend - 404\""),
        (r#"{"message": "no Route"}"#, "Taskcluster does not use: \"no Route\""),
        ("<p>", "Taskcluster does not use: a page, or data without a message"),
    ] {
        let (fact, _) = ask(&status(), move |_, _| body(404, answer)).await;
        assert_eq!(unreachable(&fact).0, format!("status 404 in a form that {told}"));
    }
}

/// A store's form differs from the queue's, wherever it is.
#[tokio::test(start_paused = true)]
async fn each_service_needs_its_own_form() {
    for place in ["https://s3.example/a", "/_store/a"] {
        for (answer, absent) in
            [(STORES, true), (QUEUES, false), (NGINX, false), ("No such object: b/a", true)]
        {
            let script = move |request: &Request, _: u32| match request.url.path() {
                "/a" | "/_store/a" => body(404, answer),
                _ => redirect(place),
            };
            let (fact, _) = ask(&content("public/a"), script).await;
            assert_eq!(matches!(fact, Fact::Absent { .. }), absent, "{place}: {fact:?}");
        }
    }
    // And the queue does not use a store's form.
    let (fact, _) = ask(&content("public/a"), |_, _| body(404, STORES)).await;
    assert_eq!(unreachable(&fact).1, 5);
}

#[tokio::test(start_paused = true)]
async fn a_recovered_service_is_used() {
    let (fact, requests) =
        ask(&status(), |_, times| if times < 3 { body(404, NGINX) } else { body(200, "{}") }).await;
    assert_eq!((text(&fact).as_str(), requests), ("{}", 3));
}

#[tokio::test(start_paused = true)]
async fn what_github_hides_is_refused() {
    for need in of_github() {
        for token in [None, Some(Secret::new("ghp_x".to_owned()))] {
            let own = githubs(&need);
            let told = if token.is_some() && need != branches() {
                "the token does not see"
            } else {
                "without a token"
            };
            let transport = Scripted::new(move |request, _| {
                body(404, if is_repository(request) { GITHUBS } else { own })
            });
            let fetcher =
                with(&transport, Options::default(), Limits::default()).with_github_token(token.clone());
            let fact = fetcher.answer(&need, soon()).await;
            let Fact::Refused { status: 404, message } = &fact else { panic!("{need}: {fact:?}") };
            assert!(token.is_some() || message.contains(told), "{need}: {message}");
            assert_eq!(transport.count(), 2);
        }
    }
    let (fact, requests) =
        ask(&Need::Repository { repository: repository() }, |_, _| body(404, GITHUBS)).await;
    assert!(matches!(fact, Fact::Refused { status: 404, .. }), "{fact:?}");
    assert_eq!(requests, 1);
}

/// Pages take no token, so those of a private repository are never visible.
#[tokio::test(start_paused = true)]
async fn a_page_of_a_private_repository_is_refused() {
    for (repository, absent) in
        [(r#"{"private": false}"#, true), (r#"{"private": true}"#, false), ("{}", false)]
    {
        let script = move |request: &Request, _: u32| {
            if is_repository(request) { body(200, repository) } else { body(404, "Not Found") }
        };
        let (fact, _) = ask(&branches(), script).await;
        assert_eq!(matches!(fact, Fact::Absent { .. }), absent, "{fact:?}");
        assert_eq!(matches!(fact, Fact::Refused { status: 404, .. }), !absent, "{fact:?}");
        let script = move |request: &Request, _: u32| {
            if is_repository(request) { body(200, repository) } else { body(404, GITHUBS) }
        };
        assert!(matches!(ask(&commit(), script).await.0, Fact::Absent { .. }), "the API takes a token");
    }
}

#[tokio::test(start_paused = true)]
async fn repository_visibility_is_requested_once_and_may_be_unknown() {
    let transport = Scripted::new(|request, _| {
        if is_repository(request) { body(200, r#"{"private": false}"#) } else { body(404, GITHUBS) }
    });
    let fetcher = fetcher(&transport);
    for need in of_github().into_iter().filter(|need| *need != branches()) {
        assert!(matches!(fetcher.answer(&need, soon()).await, Fact::Absent { .. }), "{need}");
    }
    assert_eq!(transport.sent().iter().filter(|request| is_repository(request)).count(), 1);
    let script = |request: &Request, _: u32| body(if is_repository(request) { 503 } else { 404 }, GITHUBS);
    let (reason, _) = unreachable(&ask(&commit(), script).await.0);
    assert!(reason.contains("whether the repository") && reason.contains("status 503"), "{reason}");
}
