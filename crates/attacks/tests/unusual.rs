//! Cases that no chain shows by itself: paged lists, unavailable facts, switches of the command line,
//! and policies for private repositories or the compare API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_attacks::valid::{action, cron, finished, globs, mobile, promotion, pull_request, push, tag};
use catena_attacks::{InMemorySource, NOW, Scenario, change, drive};
use catena_model::Limits;
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::{Chain, Release};
use catena_verify::verdict::{Disposition, Outcome, Verdict};
use catena_verify::verification::{Fact, Need, Switches};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Verifies with other answers than the chain's if `other` has one.
fn judge_with(chain: Chain, question: &Scenario, other: impl Fn(&Need, &Fact) -> Option<Fact>) -> Verdict {
    let memory = InMemorySource::new(chain.into_site(), question.limits().clone());
    let mut verification = question.verification();
    drive(&mut verification, |need| {
        let usual = memory.answer(need);
        other(need, &usual).unwrap_or(usual)
    });
    verification.conclude(NOW).into_verdict()
}

fn told(verdict: &Verdict) -> (Outcome, BTreeSet<&'static str>) {
    (verdict.outcome, verdict.failed().map(|finding| finding.code.name).collect())
}

fn judge(chain: Chain, policy: &str) -> Verdict {
    under(policy, &chain).judge(chain)
}

/// A chain under a policy over the shipped one.
fn under(policy: &str, chain: &Chain) -> Scenario {
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    let files = [("shipped:firefox-ci", FIREFOX_CI), ("test", policy)];
    let policy = Policy::load_all(&files, &nothing).unwrap();
    Scenario::under(&policy, chain).unwrap()
}

/// Verifies with these texts as the pages of every listing, the next page by the number in its token.
fn listed(pages: &[String]) -> (Outcome, BTreeSet<&'static str>) {
    let chain = globs().build().unwrap();
    let question = Scenario::of(&chain).unwrap();
    let verdict = judge_with(chain, &question, |need, usual| {
        let Need::Listing { continuation, .. } = need else { return None };
        let page = continuation.as_ref().map_or(0, |token| token.trim_start_matches('x').parse().unwrap());
        // The first answer is the queue's own if a page says so.
        let text = match pages.get(page) {
            Some(page) if page == "own" => return None,
            Some(page) => page.clone(),
            None => pages.last().unwrap().clone(),
        };
        let Fact::Body(body) = usual else { panic!("a listing") };
        Some(Fact::Body(catena_verify::verification::Body {
            bytes: text.into_bytes().into(),
            ..body.clone()
        }))
    });
    told(&verdict)
}

#[test]
fn lists_of_artifacts_are_read_over_all_pages() {
    let listing =
        |more: &str, token: &str| format!(r#"{{"artifacts": [{more}], "continuationToken": {token}}}"#);
    let refused = |pages: &[String]| {
        let (outcome, failed) = listed(pages);
        assert_eq!(outcome, Outcome::Rejected, "{pages:?}");
        failed.into_iter().collect::<Vec<_>>()
    };
    const MALFORMED: [&str; 1] = ["artifacts-listing-malformed"];
    assert_eq!(listed(&["own".to_owned()]).0, Outcome::Verified);
    let empty = listing("", "null");
    assert_eq!(listed(std::slice::from_ref(&empty)).0, Outcome::Verified);
    // The required artifact is on the third page.
    let altered = r#"{"name": "public/build/not-made.langpack.xpi"}"#;
    let long = "x".repeat(1023) + "2";
    let pages = [listing("", "\"1\""), listing("", &format!("{long:?}")), listing(altered, "null")];
    assert_eq!(listed(&pages).0, Outcome::Verified);
    for wrong in
        ["[", "[]", "{}", r#"{"artifacts": {}}"#, r#"{"artifacts": [{}]}"#, r#"{"artifacts": [{"name": 1}]}"#]
    {
        assert_eq!(refused(&[wrong.to_owned()]), MALFORMED, "{wrong}");
        assert_eq!(refused(&[listing("", "\"1\""), wrong.to_owned()]), MALFORMED, "{wrong}");
    }
    let longer = format!("{:?}", "x".repeat(1024) + "1");
    for token in ["\"\"", "7", "{}", &longer] {
        assert_eq!(refused(&[listing("", token), empty.clone()]), MALFORMED, "{token}");
    }
    // Endless.
    let (outcome, failed) = listed(&[listing("", "\"1\"")]);
    assert_eq!(outcome, Outcome::Undetermined);
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), ["artifacts-listing-endless"]);
}

#[test]
fn a_list_of_artifacts_may_be_unknown() {
    let chain = globs().build().unwrap();
    let question = Scenario::of(&chain).unwrap();
    let verdict = judge_with(chain, &question, |need, _| {
        matches!(need, Need::Listing { .. }).then(|| Fact::Absent { status: 404, message: "none".to_owned() })
    });
    let (outcome, failed) = told(&verdict);
    assert_eq!(outcome, Outcome::Rejected);
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), ["artifacts-listing-unknown"]);
}

#[test]
fn a_private_artifact_wants_credentials() {
    let chain = push().build().unwrap();
    let question = Scenario::of(&chain).unwrap();
    let verdict = judge_with(chain, &question, |need, _| {
        let refused =
            || Fact::Refused { status: 403, message: "missing scope queue:get-artifact".to_owned() };
        matches!(need, Need::Artifact { .. }).then(refused)
    });
    assert_eq!(told(&verdict), (Outcome::Undetermined, BTreeSet::from(["availability-refused"])));
    let code = catena_verify::checks::code("availability-refused").unwrap();
    let hint = catena_report::code_advice(&code);
    assert!(hint.contains("credentials that may read this"), "{hint}");
}

#[test]
fn a_status_may_be_unknown() {
    let chain = push().build().unwrap();
    let build = change::first_build(&chain).unwrap();
    let question = Scenario::of(&chain).unwrap();
    let verdict = judge_with(chain, &question, |need, _| {
        let of_build = matches!(need, Need::Status { task_id } if task_id.as_str() == build);
        of_build.then(|| Fact::Absent { status: 404, message: "none".to_owned() })
    });
    assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["run-status-unknown"])));
}

#[test]
fn a_contradictory_status_hides_no_failure() {
    let judged = |state: &str| {
        let mut chain = push().build().unwrap();
        let build = change::first_build(&chain).unwrap();
        change::run_is(&mut chain, &build, state).unwrap();
        let status = chain.status_mut(&build).unwrap();
        change::set(status, &["status", "schedulerId"], "another").unwrap();
        let relaxed = "{relaxed: [{rule: status-definition, because: a test}]}";
        judge(chain, &format!("catena-policy: 1\nproducts: {{firefox: {relaxed}}}"))
    };
    assert_eq!(told(&judged("completed")), (Outcome::Verified, BTreeSet::new()));
    assert_eq!(told(&judged("failed")), (Outcome::Rejected, BTreeSet::from(["run-not-completed"])));
}

#[test]
fn a_graph_entry_that_is_a_time_is_not_the_task() {
    let mut chain = push().build().unwrap();
    let build = change::first_build(&chain).unwrap();
    change::only(&mut chain, &build, |task| change::set(task, &["dependencies"], Vec::new())).unwrap();
    let time = change::json(r#"{"relative-datestamp": "1 day"}"#).unwrap();
    change::entry(&mut chain, |entry| change::set(entry, &["task"], time)).unwrap();
    let relaxed = "{relaxed: [{rule: graph-additions, because: a test}]}";
    let verdict = judge(chain, &format!("catena-policy: 1\nproducts: {{firefox: {relaxed}}}"));
    assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["graph-definition-differs"])));
}

#[test]
fn an_action_or_a_build_may_be_about_to_run() {
    type Case = (fn() -> Release, &'static str, fn(&Chain) -> Option<String>);
    let cases: [Case; 3] = [
        (action, "action", |chain| chain.action.clone()),
        (promotion, "action", |chain| chain.action.clone()),
        (push, "build", change::first_build),
    ];
    for (release, kind, of) in cases {
        let mut chain = release().build().unwrap();
        let id = of(&chain).unwrap();
        (chain.target, chain.kind, chain.check_target) = (id.clone(), kind.to_owned(), false);
        let question = Scenario::of(&chain).unwrap();
        let (verdict, needs) = asked(chain, &question);
        assert_eq!(told(&verdict), (Outcome::Verified, BTreeSet::new()), "{kind}");
        // Its artifacts and its image do not exist yet.
        let of_target = needs.iter().filter(|need| need.artifact().is_some_and(|(of, ..)| of.as_str() == id));
        assert_eq!(of_target.count(), 0, "{kind}");
    }
}

#[test]
fn unavailable_facts_are_undetermined() {
    for release in [action, cron, globs, mobile, promotion, pull_request, push, tag] {
        let ask = |other: &dyn Fn(&Need) -> Option<Fact>| {
            let chain = release().build().unwrap();
            let question = Scenario::of(&chain).unwrap();
            let mut needs = Vec::new();
            let seen = RefCell::new(&mut needs);
            let verdict = judge_with(chain, &question, |need, _| {
                seen.borrow_mut().push(need.clone());
                other(need)
            });
            (verdict, needs)
        };
        let (verdict, needs) = ask(&|_| None);
        assert_eq!(verdict.outcome, Outcome::Verified);
        // One need of each kind.
        let mut sorts = BTreeSet::new();
        for missing in needs {
            let sort = format!("{missing:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            if !sorts.insert(sort) {
                continue;
            }
            for (fact, code) in [
                (Fact::Unreachable { reason: "down".to_owned(), attempts: 3 }, "availability-unreachable"),
                (Fact::Refused { status: 403, message: "no".to_owned() }, "availability-refused"),
            ] {
                let (verdict, _) = ask(&|need| (*need == missing).then(|| fact.clone()));
                assert_eq!(told(&verdict), (Outcome::Undetermined, BTreeSet::from([code])), "{missing:?}");
            }
        }
    }
}

#[test]
fn signatures_are_skipped_by_name_only() {
    let skip = Switches { danger_skip_signatures: true, ..Switches::default() };
    let judged = |release: fn() -> Release, change: fn(&mut Chain) -> Option<()>, switches: Switches| {
        let mut chain = release().build().unwrap();
        change(&mut chain).unwrap();
        Scenario::of(&chain).unwrap().weakened(switches).judge(chain)
    };
    let disposition = |verdict: &Verdict, name: &str| {
        let mut found = verdict.findings.iter().filter(|finding| finding.code.name == name);
        found.next().map(|finding| finding.disposition)
    };
    for release in [push, tag, finished] {
        let flipped = |c: &mut Chain| change::signature(c)?.first_mut().map(|byte| *byte ^= 1);
        let verdict = judged(release, flipped, Switches::default());
        assert_eq!(verdict.outcome, Outcome::Rejected);
        assert_eq!(disposition(&verdict, "signature-skipped"), None);
        let verdict = judged(release, flipped, skip);
        assert_eq!(told(&verdict), (Outcome::Verified, BTreeSet::new()));
        assert_eq!(disposition(&verdict, "signature-skipped"), Some(Disposition::Relaxed));
        assert_eq!(disposition(&verdict, "signature-verified"), None);
        // All other checks still run.
        let verdict = judged(release, |c| change::unpublish(c, &["public/chain-of-trust.json"]), skip);
        assert!(told(&verdict).1.contains("signature-without-document"), "{:?}", told(&verdict));
        assert_eq!(verdict.outcome, Outcome::Rejected);
        let of_another = |c: &mut Chain| change::document(c, &["taskId"], change::NOBODY);
        let verdict = judged(release, of_another, skip);
        assert!(told(&verdict).1.contains("document-of-another-task"), "{:?}", told(&verdict));
        let verdict = judged(release, |c| change::alter(c, change::ARTIFACT), skip);
        assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["artifact-altered"])));
    }
}

/// A push to a commit that is on no branch.
fn not_landed() -> Chain {
    let mut chain = mobile().build().unwrap();
    change::page_is(&mut chain, "branch_commits", "\n").unwrap();
    change::replace_page(&mut chain, "/compare/", "\"behind\"", "\"diverged\"").unwrap();
    chain
}

#[test]
fn commits_of_private_repositories_are_taken_to_have_landed() {
    let verdict = judge(not_landed(), "catena-policy: 1");
    assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["pull-request-not-landed"])));
    let verdict = judge(not_landed(), "catena-policy: 1\nproducts: {mobile: {landed: assumed}}");
    assert_eq!(told(&verdict), (Outcome::Verified, BTreeSet::new()));
    let verdict = judge(not_landed(), "catena-policy: 1\nproducts: {mobile: {landed: compare}}");
    assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["pull-request-not-landed"])));
}

#[test]
fn a_commit_is_compared_with_the_branch_that_its_decision_task_names() {
    for default in ["main", "other", "no..branch"] {
        let mut chain = mobile().build().unwrap();
        let answer = format!("\"default_branch\":\"{default}\"");
        let part = "repos/mozilla-mobile/reference-browser";
        change::replace_page(&mut chain, part, "\"default_branch\":\"main\"", &answer).unwrap();
        let (verdict, branches) = compare(chain);
        assert_eq!(branches.into_iter().collect::<Vec<_>>(), ["main"], "the default branch does not count");
        // Some links name no branch themselves: it is their decision task's.
        assert_eq!(told(&verdict), (Outcome::Verified, BTreeSet::new()), "{default}");
    }
}

/// Verifies with the compare API, and returns the compared branches.
fn compare(chain: Chain) -> (Verdict, BTreeSet<String>) {
    let question = under("catena-policy: 1\nproducts: {mobile: {landed: compare}}", &chain);
    let branches = RefCell::new(BTreeSet::new());
    let verdict = judge_with(chain, &question, |need, _| {
        if let Need::Compare { branch, .. } = need {
            branches.borrow_mut().insert(branch.clone());
        }
        None
    });
    (verdict, branches.into_inner())
}

#[test]
fn a_commit_is_not_compared_with_itself() {
    let asked = |name: &str| {
        let mut chain = not_landed();
        change::decision(&mut chain, &["payload", "env", "MOBILE_HEAD_REF"], name).unwrap();
        let (verdict, branches) = compare(chain);
        assert!(told(&verdict).1.contains("pull-request-not-landed"), "{name}");
        branches.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(asked("refs/heads/releases/v151"), ["main", "releases/v151"]);
    for name in ["0123456789012345678901234567890123456789", "0123456", "pull/7/head", "refs/tags/v151"] {
        assert_eq!(asked(name), ["main"], "{name}");
    }
}

#[test]
fn duplicate_inputs_are_reported_once() {
    let forks = |change: fn(&mut Chain) -> Option<()>| {
        let mut chain = mobile().build().unwrap();
        change(&mut chain).unwrap();
        let decision = change::first_decision(&chain).unwrap();
        let verdict = Scenario::of(&chain).unwrap().judge(chain);
        let of_decision = |finding: &&catena_verify::verdict::Finding| {
            finding.code.name == "pull-request-fork" && finding.task_id.as_str() == decision
        };
        verdict.failed().filter(of_decision).count()
    };
    assert_eq!(forks(|c| change::everywhere(c, "mozilla-mobile/", "somebody/")), 1);
    assert_eq!(
        forks(|c| {
            change::everywhere(c, "mozilla-mobile/", "somebody/")?;
            let name = ["payload", "env", "MOBILE_HEAD_REPOSITORY"];
            change::decision(c, &name, "https://github.com/another/reference-browser")
        }),
        2
    );
    assert_eq!(forks(|_| Some(())), 0);
}

/// The one finding with a code that a change to a push causes.
fn finding_of(name: &str, change: fn(&mut Chain) -> Option<()>) -> catena_verify::verdict::Finding {
    let mut chain = push().build().unwrap();
    change(&mut chain).unwrap();
    let verdict = Scenario::of(&chain).unwrap().judge(chain);
    verdict.failed().find(|finding| finding.code.name == name).unwrap().clone()
}

#[test]
fn findings_state_the_observed_values() {
    let seen = |change| {
        let finding = finding_of("run-not-completed", change);
        finding.actual.iter().map(|told| format!("{told:?}")).collect::<String>()
    };
    let told = seen(|c| {
        let id = change::first_build(c)?;
        change::run_is(c, &id, "exception")?;
        change::run(c, "reasonResolved", "claim-expired")
    });
    assert!(told.contains("exception (claim-expired)"), "{told}");
    let told = seen(|c| {
        let id = change::first_build(c)?;
        change::run_is(c, &id, "failed")
    });
    assert!(told.contains("failed") && !told.contains("(failed)"), "{told}");
    let finding = finding_of("run-status-contradicts", |c| {
        let id = change::first_build(c)?;
        change::set(c.status_mut(&id)?, &["status", "taskQueueId"], "gecko-1/b-linux")
    });
    assert_eq!(finding.actual.map(|told| told.text).as_deref(), Some("gecko-1/b-linux"));
    let finding = finding_of("signature-truncated", |c| {
        change::signature(c)?.pop();
        Some(())
    });
    assert!(finding.message.starts_with(char::is_uppercase), "{}", finding.message);
    assert!(finding.message.ends_with('.') && finding.message.contains("63"), "{}", finding.message);
    let finding = finding_of("signature-other-bytes", |c| {
        let signed = change::signature(c)?.clone();
        change::document_bytes(c, |mut bytes| {
            bytes.push(b'\n');
            Some(bytes)
        })?;
        *change::signature(c)? = signed;
        Some(())
    });
    assert!(finding.message.contains("white space around it"), "{}", finding.message);
}

#[test]
fn nothing_is_read_of_a_document_that_is_not_signed() {
    let asked = |change: fn(&mut Chain) -> Option<()>| {
        let mut chain = push().build().unwrap();
        change(&mut chain).unwrap();
        let build = change::first_build(&chain).unwrap();
        let question = Scenario::of(&chain).unwrap();
        let files = RefCell::new(0);
        judge_with(chain, &question, |need, _| {
            if matches!(need, Need::Artifact { task_id, .. } if task_id.as_str() == build) {
                *files.borrow_mut() += 1;
            }
            None
        });
        files.into_inner()
    };
    assert!(asked(|_| Some(())) > 0);
    assert_eq!(asked(|c| change::signature(c)?.first_mut().map(|byte| *byte ^= 1)), 0);
    assert_eq!(asked(|c| change::document(c, &["taskId"], change::NOBODY)), 0);
}

#[test]
fn the_status_of_another_task_causes_no_requests() {
    let asked = |change: fn(&mut Chain) -> Option<()>| {
        let mut chain = push().build().unwrap();
        change(&mut chain).unwrap();
        let build = change::first_build(&chain).unwrap();
        let question = Scenario::of(&chain).unwrap();
        let documents = RefCell::new(0);
        judge_with(chain, &question, |need, _| {
            if matches!(need, Need::Document { task_id, .. } if task_id.as_str() == build) {
                *documents.borrow_mut() += 1;
            }
            None
        });
        documents.into_inner()
    };
    assert_eq!(asked(|_| Some(())), 1);
    let of_another = |c: &mut Chain| {
        let build = change::first_build(c)?;
        change::set(c.status_mut(&build)?, &["status", "taskId"], change::NOBODY)
    };
    assert_eq!(asked(of_another), 0);
}

/// The needs of a chain's verification.
fn asked(chain: Chain, question: &Scenario) -> (Verdict, Vec<Need>) {
    let needs = RefCell::new(Vec::new());
    let verdict = judge_with(chain, question, |need, _| {
        needs.borrow_mut().push(need.clone());
        None
    });
    (verdict, needs.into_inner())
}

#[test]
fn the_artifact_limit_is_exact() {
    type Change = fn(&mut Limits);
    let cases: [(Change, Outcome); 2] = [
        (|limits| limits.artifacts = 6, Outcome::Verified),
        (|limits| limits.artifacts = 5, Outcome::Rejected),
    ];
    for (limits, outcome) in cases {
        let chain = push().build().unwrap();
        let target = chain.definition(&chain.target).unwrap();
        let entries = target.pointer(&["payload", "upstreamArtifacts"]).unwrap().as_array().unwrap();
        let paths = entries.iter().map(|entry| entry.get("paths").unwrap().as_array().unwrap().len());
        assert_eq!(paths.sum::<usize>(), 6);
        let verdict = Scenario::of(&chain).unwrap().within(limits).judge(chain);
        assert_eq!(verdict.outcome, outcome);
        let too_many = told(&verdict).1.contains("artifacts-too-many");
        assert_eq!(too_many, outcome == Outcome::Rejected);
    }
}

#[test]
fn a_graph_is_scanned_only_for_its_own_tasks() {
    for release in [push, promotion, action] {
        let chain = release().build().unwrap();
        let parents: BTreeSet<String> = chain.decisions.iter().chain(&chain.action).cloned().collect();
        let links = chain.links().into_iter().map(|link| link.task_id);
        let links: BTreeSet<String> = links.chain([chain.target.clone()]).collect();
        let made = |parent: &str| -> BTreeSet<String> {
            let of_parent = |id: &&String| change::parent_of(&chain, id).as_deref() == Some(parent);
            links.iter().filter(of_parent).filter(|id| !parents.contains(*id)).cloned().collect()
        };
        let question = Scenario::of(&chain).unwrap();
        let (verdict, needs) = asked(chain.clone(), &question);
        assert_eq!(verdict.outcome, Outcome::Verified);
        let mut graphs = 0;
        for need in needs {
            if let Need::TaskGraph { task_id, wanted, .. } = need {
                let wanted: BTreeSet<String> = wanted.iter().map(ToString::to_string).collect();
                assert_eq!(wanted, made(task_id.as_str()));
                graphs += 1;
            }
        }
        assert_eq!(graphs, parents.len());
    }
}

#[test]
fn nothing_is_read_of_an_artifact_that_was_altered() {
    for (name, text) in [(change::GRAPH, "{}"), (change::ACTIONS, "{}"), (change::PARAMETERS, "a: b\n")] {
        let mut chain = action().build().unwrap();
        let decision = change::first_decision(&chain).unwrap();
        chain.artifact_mut(&decision, name).unwrap().body = text.into();
        let verdict = Scenario::of(&chain).unwrap().judge(chain);
        assert_eq!(told(&verdict), (Outcome::Rejected, BTreeSet::from(["artifact-altered"])), "{name}");
    }
}

#[test]
fn tags_are_requested_page_by_page() {
    let pages = |needs: Vec<Need>| -> BTreeSet<u32> {
        let page = |need: &Need| if let Need::Tags { page, .. } = need { Some(*page) } else { None };
        needs.iter().filter_map(page).collect()
    };
    let mut chain = tag().build().unwrap();
    change::replace_page(&mut chain, "/tags?per_page", "\"v151.0\"", "\"v150.9\"").unwrap();
    let question = Scenario::of(&chain).unwrap();
    let (verdict, needs) = asked(chain, &question);
    assert!(told(&verdict).1.contains("pull-request-tag-unknown"));
    assert_eq!(pages(needs), BTreeSet::from([1]), "a page that is not full is the last");
    // A full page without the tag, and the tag on the next one.
    let mut chain = tag().build().unwrap();
    let url = chain.pages.keys().find(|url| url.ends_with("/tags?per_page=100")).unwrap().clone();
    let page = chain.pages.remove(&url).unwrap();
    let others = (0..100).map(|number| format!("{{\"name\": \"a{number}\"}}")).collect::<Vec<_>>();
    let mut first = page.clone();
    first.body = format!("[{}]", others.join(",")).into();
    chain.pages.insert(format!("{url}&page=2"), page);
    chain.pages.insert(url, first);
    let (verdict, needs) = asked(chain, &question);
    assert_eq!(told(&verdict), (Outcome::Verified, BTreeSet::new()));
    assert_eq!(pages(needs), BTreeSet::from([1, 2]));
}

#[test]
fn a_task_without_required_files_is_reported() {
    let chain = push().build().unwrap();
    let image = chain.images.first().unwrap().clone();
    let verdict = Scenario::of(&chain).unwrap().judge(chain);
    let of_image = verdict.findings.iter().filter(|finding| finding.task_id.as_str() == image);
    let told: Vec<_> =
        of_image.filter(|finding| finding.check == "artifacts").map(|finding| finding.code.name).collect();
    assert_eq!(told, ["artifacts-none"]);
}
