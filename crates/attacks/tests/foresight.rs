//! Look-ahead: for valid chains only needs that follow are foreseen, and look-ahead decides nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_attacks::valid::{
    action, cron, finished, fork, globs, mirrored, mobile, pr_action, promotion, pull_request, push, tag,
};
use catena_attacks::{InMemorySource, NOW, Scenario, change};
use catena_model::source::{GithubRepository, RepositoryUrl, Revision};
use catena_model::task::{RunId, TaskId};
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::chain::Scope;
use catena_testbed::{Chain, Release};
use catena_verify::verdict::{Outcome, Verdict};
use catena_verify::verification::{Fact, Need, TreeFile, Verification};
use std::collections::BTreeSet;

/// A verification and its fact source, step by step.
struct Steps {
    verification: Verification,
    memory: InMemorySource,
    needed: BTreeSet<Need>,
    foreseen: BTreeSet<Need>,
}

impl Steps {
    fn of(chain: &Chain) -> Self {
        Self::under(chain, &Scenario::of(chain).unwrap())
    }

    fn under(chain: &Chain, question: &Scenario) -> Self {
        let memory = InMemorySource::new(chain.clone().into_site(), question.limits().clone());
        let (needed, foreseen) = (BTreeSet::new(), BTreeSet::new());
        Self { verification: question.verification(), memory, needed, foreseen }
    }

    /// Newly foreseen needs.
    fn foresee(&mut self) -> BTreeSet<Need> {
        let foreseen: BTreeSet<Need> = self.verification.foreseen().into_iter().collect();
        assert!(self.foreseen.is_disjoint(&foreseen), "each is foreseen once");
        self.foreseen.extend(foreseen.iter().cloned());
        foreseen
    }

    /// New needs.
    fn ask(&mut self) -> BTreeSet<Need> {
        let needs: BTreeSet<Need> = self.verification.needs().into_iter().collect();
        self.needed.extend(needs.iter().cloned());
        needs
    }

    fn supply(&mut self, need: &Need) {
        let fact = self.memory.answer(need);
        self.verification.supply(need, fact);
    }

    /// Answers needs while there are any, except those that `withheld` selects.
    fn go_on(&mut self, withheld: impl Fn(&Need) -> bool) {
        loop {
            let needs = self.ask();
            if needs.is_empty() {
                return;
            }
            for need in needs.iter().filter(|need| !withheld(need)) {
                self.supply(need);
                self.foresee();
            }
        }
    }

    /// As far as the target's own definition.
    fn to_the_target(chain: &Chain, question: &Scenario) -> Self {
        let mut steps = Self::under(chain, question);
        steps.foresee();
        let definition = Need::Definition { task_id: id(&chain.target) };
        assert_eq!(steps.ask(), BTreeSet::from([definition.clone()]));
        steps.supply(&definition);
        steps
    }
}

fn id(text: &str) -> TaskId {
    TaskId::parse(text).unwrap()
}

/// The needs of a task that has run once.
fn of_task(task_id: TaskId) -> [Need; 4] {
    let run_id = RunId(0);
    [
        Need::Definition { task_id },
        Need::Status { task_id },
        Need::Document { task_id, run_id },
        Need::Signature { task_id, run_id },
    ]
}

/// The dependencies of a task: its parent and its inputs.
fn dependencies(chain: &Chain, task: &str) -> BTreeSet<TaskId> {
    let definition = chain.definition(task).unwrap();
    let inputs = definition.pointer(&["extra", "chainOfTrust", "inputs"]).and_then(|it| it.as_object());
    let inputs = inputs.into_iter().flatten().map(|(_, input)| id(input.as_str().unwrap()));
    let upstream = definition.pointer(&["payload", "upstreamArtifacts"]).and_then(|it| it.as_array());
    let upstream =
        upstream.into_iter().flatten().map(|entry| id(entry.get("taskId").unwrap().as_str().unwrap()));
    let parent = id(&change::parent_of(chain, task).unwrap());
    inputs.chain(upstream).chain([parent]).collect()
}

/// The repository and the revision that a task's environment names.
fn tree(chain: &Chain, task: &str, prefix: &str) -> (RepositoryUrl, Revision) {
    let env = |name: &str| {
        let key = format!("{prefix}_{name}");
        let text = chain.definition(task)?.pointer(&["payload", "env", &key])?.as_str()?;
        Some(text.to_owned())
    };
    let (repository, revision) = (env("HEAD_REPOSITORY").unwrap(), env("HEAD_REV").unwrap());
    (RepositoryUrl::parse(&repository).unwrap(), Revision::parse(&revision).unwrap())
}

#[test]
fn look_ahead_requests_nothing_unneeded_for_valid_chains() {
    let releases = [
        action,
        cron,
        finished,
        fork,
        globs,
        mirrored,
        mobile,
        pr_action,
        promotion,
        pull_request,
        push,
        tag,
    ];
    for release in releases {
        let mut steps = Steps::of(&release().build().unwrap());
        steps.go_on(|_| false);
        let surplus: Vec<_> = steps.foreseen.difference(&steps.needed).collect();
        assert!(surplus.is_empty(), "{:?}: {surplus:?}", release());
        assert!(steps.foreseen.len() > steps.needed.len() / 2, "{:?}", release());
        assert_eq!(steps.verification.conclude(NOW).verdict().outcome, Outcome::Verified);
    }
}

#[test]
fn look_ahead_assumes_the_first_run() {
    let mut steps = Steps::of(&Release { retried: true, ..push() }.build().unwrap());
    steps.go_on(|_| false);
    let mut surplus = steps.foreseen.difference(&steps.needed).peekable();
    assert!(surplus.peek().is_some());
    for need in surplus {
        let (Need::Document { task_id, run_id } | Need::Signature { task_id, run_id }) = need else {
            panic!("{need:?}")
        };
        assert_eq!(*run_id, RunId(0));
        assert!(steps.needed.contains(&Need::Document { task_id: *task_id, run_id: RunId(1) }), "{need:?}");
    }
    assert_eq!(steps.verification.conclude(NOW).verdict().outcome, Outcome::Verified);
}

#[test]
fn the_targets_definition_names_its_dependencies() {
    let chain = push().build().unwrap();
    let mut steps = Steps::to_the_target(&chain, &Scenario::of(&chain).unwrap());
    let mut expected: BTreeSet<Need> =
        dependencies(&chain, &chain.target).into_iter().flat_map(of_task).collect();
    // All of a graph is made from one revision, at which its decision task will be rebuilt.
    let (repository, revision) = tree(&chain, &change::first_decision(&chain).unwrap(), "GECKO");
    let file = TreeFile::TaskclusterYml;
    expected.insert(Need::HgFile { repository: repository.clone(), revision: revision.clone(), file });
    expected.insert(Need::Push { repository, revision });
    // It has a restricted scope, so that levels will be compared.
    let url = Policy::shipped().unwrap().product("firefox").unwrap().projects_url;
    expected.insert(Need::Projects { url });
    assert_eq!(steps.foresee(), expected);
    assert_eq!(steps.foresee(), BTreeSet::new());
}

#[test]
fn only_the_definition_of_a_pending_task_is_foreseen() {
    for (release, has_run) in [(push(), false), (finished(), true)] {
        let chain = release.build().unwrap();
        let of_target = of_task(id(&chain.target));
        let foreseen = Steps::of(&chain).foresee();
        let expected = if has_run { of_target.as_slice() } else { &of_target[..1] };
        assert_eq!(foreseen, expected.iter().cloned().collect());
    }
}

#[test]
fn dependencies_are_foreseen_before_the_level_is_complete() {
    let chain = push().build().unwrap();
    let build = change::first_build(&chain).unwrap();
    let mut steps = Steps::to_the_target(&chain, &Scenario::of(&chain).unwrap());
    steps.foresee();
    assert!(steps.ask().contains(&Need::Definition { task_id: id(&build) }));
    steps.supply(&Need::Definition { task_id: id(&build) });
    let image: Vec<TaskId> =
        dependencies(&chain, &build).difference(&dependencies(&chain, &chain.target)).copied().collect();
    assert_eq!(image.len(), 1, "a build in an image that a task made");
    let expected: BTreeSet<Need> = image.into_iter().flat_map(of_task).collect();
    assert_eq!(steps.foresee(), expected);
    let asked = steps.ask();
    assert!(asked.is_disjoint(&expected), "the level of the chain is not known yet");
}

#[test]
fn github_requests_are_foreseen_where_they_will_be_needed() {
    let of_github = |need: &Need| {
        matches!(
            need,
            Need::BranchCommits { .. } | Need::Tags { .. } | Need::Repository { .. } | Need::Compare { .. }
        )
    };
    let foreseen = |release: Release, policy: &str| -> Vec<Need> {
        let chain = release.build().unwrap();
        let question = under(policy, &chain);
        let first = Steps::to_the_target(&chain, &question).foresee();
        let mut steps = Steps::under(&chain, &question);
        steps.go_on(|_| false);
        let first: Vec<Need> = first.into_iter().filter(of_github).collect();
        assert!(first.iter().all(|need| steps.needed.contains(need)), "{first:?}");
        assert_eq!(first.is_empty(), !steps.needed.iter().any(of_github));
        first
    };
    let chain = mobile().build().unwrap();
    let (url, revision) = tree(&chain, &change::first_decision(&chain).unwrap(), "MOBILE");
    let repository: GithubRepository = url.github().unwrap();
    let usual = "catena-policy: 1";
    let compare = "catena-policy: 1\nproducts: {mobile: {landed: compare}}";
    assert_eq!(foreseen(mobile(), usual), [Need::BranchCommits { repository: repository.clone(), revision }]);
    assert_eq!(foreseen(mobile(), compare), [Need::Repository { repository: repository.clone() }]);
    assert_eq!(foreseen(tag(), usual), [Need::Tags { repository, page: 1 }]);
    assert_eq!(foreseen(Release { scope: Scope::Unrestricted, ..mobile() }, usual), []);
    assert_eq!(foreseen(push(), usual), []);
}

/// A chain under a policy over the shipped one.
fn under(policy: &str, chain: &Chain) -> Scenario {
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    let files = [("shipped:firefox-ci", FIREFOX_CI), ("test", policy)];
    let policy = Policy::load_all(&files, &nothing).unwrap();
    Scenario::under(&policy, chain).unwrap()
}

#[test]
fn a_forks_pull_request_is_foreseen_before_the_fork_is_known() {
    let chain = fork().build().unwrap();
    let mut steps = Steps::of(&chain);
    steps.go_on(|need| matches!(need, Need::Repository { .. }));
    let pull_requests = |needs: &BTreeSet<Need>| -> Vec<Need> {
        needs.iter().filter(|need| matches!(need, Need::PullRequest { .. })).cloned().collect()
    };
    assert_eq!(pull_requests(&steps.needed), []);
    let foreseen = pull_requests(&steps.foreseen);
    let mut whole = Steps::of(&chain);
    whole.go_on(|_| false);
    assert_eq!(foreseen, pull_requests(&whole.needed));
    assert_eq!(foreseen.len(), 1);
}

#[test]
fn look_ahead_decides_nothing() {
    let judged = |chain: &Chain, early: bool| -> Verdict {
        let mut steps = Steps::of(chain);
        loop {
            if early {
                for need in steps.foresee() {
                    let nothing = Fact::Absent { status: 404, message: "not yet".to_owned() };
                    if !steps.needed.contains(&need) {
                        steps.verification.supply(&need, nothing);
                    }
                }
            }
            let needs = steps.ask();
            if needs.is_empty() {
                return steps.verification.conclude(NOW).into_verdict();
            }
            needs.iter().for_each(|need| steps.supply(need));
        }
    };
    for release in [push, fork] {
        let chain = release().build().unwrap();
        assert_eq!(judged(&chain, false).outcome, Outcome::Verified);
        assert_eq!(judged(&chain, true), judged(&chain, false));
    }
}
