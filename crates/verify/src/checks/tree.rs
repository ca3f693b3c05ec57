//! The chain goes back to trees that may do what the target asks for.
//!
//! Specification 9.3 to 9.14. Off-reference: a broad scope that satisfies a restricted one
//! is restricted; a repository is matched by whole path segments; what the target takes in is of its
//! tree, and all that it goes back to of its tree's level (`tree/inputs.rs`, `tree/levels.rs`).

mod inputs;
mod levels;

pub(crate) use levels::required_level;

mod foreign;
mod named;

use named::{Trust, named};

use super::notes::notes;
use super::source::source;
use super::target;
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Established, Examination, Examined, Link, Need, Scope, Stop};
use catena_json::Path;
use catena_model::source::{Revision, shown};
use catena_model::task::TaskId;
use catena_policy::{Product, Rule, ScopeRule};
use std::collections::BTreeMap;

pub(super) const DESCRIPTION: Check =
    describe!("tree", CODES, Scope::Chain(examine)).looking_ahead(look_ahead);
const CHECK: &str = DESCRIPTION.name;

const TRUSTED: Code =
    Code::passing("tree-trusted", "Every link comes from a tree that may use the target's scopes.");
const NO_TREE: Code = Code::passing(
    "tree-none",
    "The chain goes back to no trusted tree, and the target has no scope that needs one.",
);
const REQUIRED: Code = Code::new(
    "tree-required",
    Class::Policy,
    "The product requires a trusted tree, and the chain goes back to none.",
);
const SCOPE: Code =
    Code::new("tree-scope", Class::Policy, "The target has a restricted scope that its tree may not use.");
const BROAD: Code = Code::new(
    "tree-broad-scope",
    Class::Policy,
    "The target has a broad scope that satisfies a restricted scope that its tree may not use.",
)
.relaxable(Rule::BroadScope);
const FOREIGN: Code = Code::new(
    "tree-foreign-scope",
    Class::Policy,
    "The target has a scope that only other products of the policy know, and restrict.",
)
.relaxable(Rule::ForeignScope);
const AMBIGUOUS: Code = Code::new(
    "tree-scope-ambiguous",
    Class::Config,
    "A scope matches more than one restricted scope of the policy.",
);
const SIBLING: Code = Code::new(
    "tree-sibling",
    Class::Policy,
    "A link of the target's own graph does not come from the target's tree.",
);
const PARENT: Code = Code::new(
    "tree-parent",
    Class::Policy,
    "The target does not come from the tree of the task that made it, which is of a different graph.",
)
.relaxable(Rule::ParentTree);
const UNTRUSTED: Code = Code::new(
    "tree-untrusted",
    Class::Policy,
    "The target has restricted scopes, and a link of a different graph does not come from a trusted tree.",
);
const SEGMENTS: Code = Code::new(
    "tree-repository-prefix",
    Class::Policy,
    "A repository's name only begins like that of a trusted one.",
)
.relaxable(Rule::WholeSegments);

const OTHER_SOURCE: Code = Code::new(
    "tree-other-source",
    Class::Policy,
    "The target has restricted scopes, and a link uses sources of a tree that no product trusts.",
)
.relaxable(Rule::OtherSources);
const REVISION: Code = Code::new(
    "tree-sibling-revision",
    Class::Policy,
    "A link was not made from the revision of its graph's decision task.",
)
.relaxable(Rule::SiblingRevision);

const INPUT_TREE: Code = Code::new(
    "tree-input-tree",
    Class::Policy,
    "The target has restricted scopes, and uses an artifact of a different tree that is not an image.",
)
.relaxable(Rule::InputTree);
const INPUT_REVISION: Code = Code::new(
    "tree-input-revision",
    Class::Policy,
    "A promotion with restricted scopes uses an artifact of a revision that it does not promote.",
)
.relaxable(Rule::InputRevision);
const MIRROR_COMMIT: Code = Code::new(
    "tree-mirror-commit",
    Class::Policy,
    "Tasks of one graph use different commits of the git mirror.",
)
.relaxable(Rule::MirrorCommit);
const TREE_LEVEL: Code = Code::new(
    "tree-level",
    Class::Policy,
    "A link comes from, or uses, a tree of a lower level than the target's.",
)
.relaxable(Rule::TreeLevel);
const BRANCH_LEVEL: Code = Code::new(
    "tree-branch-level",
    Class::Policy,
    "A link ran for a branch of a lower level than the target's tree.",
)
.relaxable(Rule::BranchLevel);
const SCHEDULER_LEVEL: Code = Code::new(
    "tree-scheduler-level",
    Class::Policy,
    "A link's scheduler has a lower level than the target's tree.",
)
.relaxable(Rule::SchedulerLevel);
const PROJECTS: Code = Code::new(
    "tree-projects",
    Class::Infra,
    "The list of projects, which has the levels of trees, is missing or malformed.",
);

const CODES: &[Code] = &[
    TRUSTED,
    NO_TREE,
    REQUIRED,
    SCOPE,
    BROAD,
    FOREIGN,
    AMBIGUOUS,
    SIBLING,
    PARENT,
    UNTRUSTED,
    SEGMENTS,
    OTHER_SOURCE,
    REVISION,
    INPUT_TREE,
    INPUT_REVISION,
    MIRROR_COMMIT,
    TREE_LEVEL,
    BRANCH_LEVEL,
    SCHEDULER_LEVEL,
    PROJECTS,
];

/// A scope of the target that is restricted, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Restricted<'a> {
    index: usize,
    scope: &'a str,
    rule: &'a ScopeRule,
    /// Whether it is a broad scope that satisfies the restricted one, rather than being it.
    broad: bool,
}

/// The restricted scopes among some scopes.
fn restricted<'a>(product: &'a Product, scopes: &'a [String]) -> Vec<Restricted<'a>> {
    let mut found = Vec::new();
    for (index, scope) in scopes.iter().enumerate() {
        for rule in &product.restricted_scopes {
            if let Some(broad) = is_broad(&rule.scope, scope) {
                found.push(Restricted { index, scope, rule, broad });
            }
        }
    }
    found
}

/// Whether a scope is one that a rule restricts (`false`), or a broad one that satisfies it (`true`); else
/// none. A rule that ends in `*` stands for every scope that begins so; a scope that ends in `*` satisfies
/// every scope that begins so.
fn is_broad(rule: &str, scope: &str) -> Option<bool> {
    let is = rule.strip_suffix('*').map_or(scope == rule, |prefix| scope.starts_with(prefix));
    let satisfies = scope.strip_suffix('*').is_some_and(|prefix| rule.starts_with(prefix));
    (is || satisfies).then_some(!is)
}

/// Whether the target has a restricted scope.
pub(crate) fn has_restricted_scopes(cx: &CheckContext<'_>) -> Result<bool, Stop> {
    let target = target(cx)?;
    // Asked for every link, and the same for all of them.
    Ok(*notes(cx)?.restricted.get_or_init(|| {
        let found = restricted(&cx.evidence.product, target.definition.scopes());
        let relaxed = cx.evidence.relaxes(Rule::BroadScope);
        found.iter().any(|restricted| !(relaxed && restricted.broad))
    }))
}

/// Where the target has restricted scopes, levels will be compared.
fn look_ahead(cx: &CheckContext<'_>, link: &Link) {
    if link.is_target && has_restricted_scopes(cx) == Ok(true) {
        cx.foresee(Need::Projects { url: cx.evidence.product.projects_url.clone() });
    }
}

fn examine(cx: &CheckContext<'_>) -> Examined {
    let chain = cx.closed()?;
    let target = target(cx)?;
    let mut findings = Vec::new();
    let trees = trees(cx, chain.links(), &mut findings)?;
    let own = trees.get(&target.task_id).cloned().flatten();
    scopes(cx, target, own.as_deref(), &mut findings);
    siblings(cx, target, own.as_deref(), &trees, &mut findings)?;
    findings.extend(foreign::scopes(cx, target));
    if has_restricted_scopes(cx)? {
        findings.extend(chain.links().flat_map(|link| other_sources(cx, link)));
    }
    findings.extend(chain.links().filter_map(|link| revision(cx, link)));
    if has_restricted_scopes(cx)? {
        // Both ask before either waits.
        for judged in [inputs::examine(cx, target, &trees), levels::examine(cx, target, &trees)] {
            match judged {
                Ok(found) => findings.extend(found),
                // What is found already needs nothing that could not be known.
                Err(Stop::Blocked) if findings.iter().any(|one| one.disposition == Disposition::Failed) => {}
                Err(stop) => return Err(stop),
            }
        }
    }
    let origin = origin(cx, target, &trees)?;
    let established = origin.as_ref().ok().map(|tree| Established::Tree(tree.clone())).into_iter().collect();
    if let (Err(untrusted), true) = (&origin, cx.evidence.product.requires_trusted_tree) {
        let message = "The chain goes back to no trusted tree.";
        let finding = Finding::new(CHECK, REQUIRED, Disposition::Failed, untrusted.task_id, message);
        findings.push(
            finding
                .at("the queue's definition", Some(untrusted.place.clone()))
                .expected_by(Authority::Policy, cx.policy("trusted-tree"), "a trusted tree")
                .actual(Authority::Queue, untrusted.source.as_str()),
        );
    }
    if findings.is_empty() {
        let (code, message) = match origin {
            Ok(tree) => (TRUSTED, format!("The chain goes back to {tree}.")),
            Err(Untrusted { place, source, .. }) => (
                NO_TREE,
                format!(
                    "The chain goes back to no trusted tree ({place} is {source}), and the target has no \
                     scope that needs one."
                ),
            ),
        };
        findings.push(Finding::new(CHECK, code, Disposition::Passed, target.task_id, message));
    }
    Ok(Examination { established, ..findings.into() })
}

/// The trusted tree each link comes from, or none; a link whose tree is the declared mirror of its
/// parents' counts as of that tree (specification 9.4).
fn trees<'a>(
    cx: &CheckContext<'_>,
    links: impl Iterator<Item = &'a Link>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<TaskId, Option<String>>, Stop> {
    let links: Vec<&Link> = links.collect();
    let mut trees = BTreeMap::new();
    for link in &links {
        // The source check reports what is wrong with the source.
        let source = source(cx.evidence, &link.definition).map_err(|_| Stop::Blocked)?;
        let mut tree = cx.evidence.product.repository_path(&source);
        if tree.is_none()
            && let Some(partial) = cx.evidence.product.partial_repository_path(&source)
        {
            let message = format!(
                "The source looks like the trusted {partial}, but is a different \
                                   repository."
            );
            let finding = Finding::new(CHECK, SEGMENTS, Disposition::Failed, link.task_id, message);
            findings.push(
                finding
                    .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
                    .expected_by(
                        Authority::Policy,
                        cx.policy("repositories"),
                        format!("{partial}, or whole path segments below it"),
                    )
                    .actual(Authority::Queue, source.as_str()),
            );
            tree = Some(partial).filter(|_| cx.evidence.relaxes(Rule::WholeSegments));
        }
        trees.insert(link.task_id, tree);
    }
    let target = links.iter().find(|link| link.is_target).ok_or(Stop::Blocked)?;
    let decision = target.definition.decision_task_id();
    let parent = links.iter().find(|link| link.task_id == decision).unwrap_or(target);
    let of_parents = trees.get(&parent.task_id).cloned().flatten();
    let mirror = of_parents.as_ref().and_then(|tree| cx.evidence.product.hg_git_mirrors.get(tree));
    if let Some(mirror) = mirror {
        let siblings =
            links.iter().filter(|link| link.definition.decision_task_id() == decision && !link.is_parent());
        for link in siblings {
            if trees.get(&link.task_id).and_then(Option::as_ref) == Some(mirror) {
                trees.insert(link.task_id, of_parents.clone());
            }
        }
    }
    Ok(trees)
}

/// The decision task of a task that comes from the declared mirror of that task's tree, by the same rule
/// for every graph.
fn mirrored<'a>(cx: &CheckContext<'a>, link: &Link) -> Option<&'a Link> {
    let mirrors = &cx.evidence.product.hg_git_mirrors;
    if mirrors.is_empty() || link.is_parent() {
        return None;
    }
    let decision = cx.chain.link(link.definition.decision_task_id())?;
    let tree =
        |link: &Link| cx.evidence.product.repository_path(&source(cx.evidence, &link.definition).ok()?);
    (mirrors.get(&tree(decision)?) == Some(&tree(link)?)).then_some(decision)
}

fn scopes(cx: &CheckContext<'_>, target: &Link, own: Option<&str>, findings: &mut Vec<Finding>) {
    let product = &cx.evidence.product;
    let found = restricted(product, target.definition.scopes());
    let mut exact_at: BTreeMap<usize, usize> = BTreeMap::new();
    for one in found.iter().filter(|one| !one.broad) {
        let count = exact_at.entry(one.index).or_default();
        *count = count.saturating_add(1);
    }
    for one in &found {
        let at = |finding: Finding| {
            finding.at("the queue's definition", Some(Path::of(&["scopes"]).index(one.index)))
        };
        let failed = |code, message: String| {
            at(Finding::new(CHECK, code, Disposition::Failed, target.task_id, message))
        };
        let exact = exact_at.get(&one.index).copied().unwrap_or_default();
        if exact > 1 && !one.broad {
            let message = format!("The scope {} matches {exact} restricted scopes of the policy.", one.scope);
            findings.push(failed(AMBIGUOUS, message).actual_by(
                Authority::Policy,
                cx.policy_entry("restricted-scopes", &one.rule.scope),
                one.rule.scope.as_str(),
            ));
        }
        let allowed = product.trees.get(&one.rule.trees);
        if own.is_some_and(|tree| allowed.is_some_and(|allowed| allowed.contains(tree))) {
            continue;
        }
        let trees = allowed.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (code, message) = if one.broad {
            (
                BROAD,
                format!(
                    "scopes[{}], {}, satisfies {}, which the target's tree may not use.",
                    one.index, one.scope, one.rule.scope
                ),
            )
        } else {
            (SCOPE, format!("The target's tree may not use scopes[{}], {}.", one.index, one.scope))
        };
        findings.push(
            failed(code, message)
                .expected_by(
                    Authority::Policy,
                    cx.policy_entry("restricted-scopes", &one.rule.scope),
                    format!("{} ({trees})", one.rule.trees),
                )
                .actual_by(Authority::Queue, "the target's source", origin_of(target, own)),
        );
    }
}

/// Where a task comes from: its trusted tree, or its source, which lies in none.
fn origin_of(link: &Link, tree: Option<&str>) -> String {
    tree.map_or_else(|| format!("{} (in no trusted tree)", shown(link.definition.source())), str::to_owned)
}

fn siblings(
    cx: &CheckContext<'_>,
    target: &Link,
    own: Option<&str>,
    trees: &BTreeMap<TaskId, Option<String>>,
    findings: &mut Vec<Finding>,
) -> Result<(), Stop> {
    let restricted = has_restricted_scopes(cx)?;
    let (decision, parent) = (target.definition.decision_task_id(), target.definition.parent_task_id());
    for link in cx.closed()?.links() {
        let tree = trees.get(&link.task_id).and_then(|tree| tree.as_deref());
        let failed = |code, message: &str| {
            Finding::new(CHECK, code, Disposition::Failed, link.task_id, message)
                .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
                .actual(Authority::Queue, origin_of(link, tree))
        };
        if link.definition.decision_task_id() == decision {
            if tree != own {
                let finding = failed(SIBLING, "The task does not come from the target's tree.");
                findings.push(finding.expected_by(Authority::Task, "the target", origin_of(target, own)));
            }
        } else if link.task_id == parent && tree != own {
            // Off-reference: a promotion's tasks are a group of their own, which the action that made
            // them is not in; a rule of its own, `parent-tree`.
            let finding =
                failed(PARENT, "The target does not come from the tree of this task, which made it.");
            findings.push(finding.expected_by(Authority::Task, "the target", origin_of(target, own)));
        } else if restricted && tree.is_none() {
            let finding = failed(
                UNTRUSTED,
                "The target has restricted scopes, and this task does not come from a trusted tree.",
            );
            findings.push(finding.expected_by(
                Authority::Policy,
                cx.policy("repositories"),
                "a trusted tree",
            ));
        }
    }
    Ok(())
}

/// All tasks of a graph are made from one revision of its tree: where a task names the repository of
/// its decision task, it names its revision too. A mirror has revisions of its own.
///
/// Off-reference: a rule of its own, `sibling-revision`.
fn revision(cx: &CheckContext<'_>, link: &Link) -> Option<Finding> {
    let decision = cx.chain.link(link.definition.decision_task_id())?;
    let variable = |name: &str| format!("{}_{name}", cx.evidence.product.source_env_prefix);
    let (repository, revision) = (variable("HEAD_REPOSITORY"), variable("HEAD_REV"));
    let same_tree = link.definition.env(&repository)?.trim_end_matches('/')
        == decision.definition.env(&repository)?.trim_end_matches('/');
    let (own, theirs) = (link.definition.env(&revision)?, decision.definition.env(&revision)?);
    // A release's decision task names a tag, and its tasks may name the commit.
    let both_hashes = Revision::parse(theirs).is_ok();
    (same_tree && both_hashes && own != theirs).then(|| {
        Finding::new(
            CHECK,
            REVISION,
            Disposition::Failed,
            link.task_id,
            "The task was not made from the revision of its graph.",
        )
        .at("the queue's definition", Some(Path::of(&["payload", "env", &revision])))
        .expected_by(Authority::Queue, format!("its decision task {}", decision.task_id), theirs)
        .actual_by(Authority::Queue, "the task", own)
    })
}

/// Some tasks are made from more than one tree: `COMM_HEAD_REPOSITORY` beside
/// `GECKO_HEAD_REPOSITORY`. Each must be trusted, and be exactly the repository that a rule yields.
///
/// Off-reference: a rule of its own, `other-sources`.
fn other_sources(cx: &CheckContext<'_>, link: &Link) -> Vec<Finding> {
    let untrusted = named(cx.evidence, link).into_iter().filter(|named| named.trust == Trust::Untrusted);
    let findings = untrusted.map(|named| {
        let text = shown(named.text);
        let message = "The task uses sources of a repository that no product trusts.";
        Finding::new(CHECK, OTHER_SOURCE, Disposition::Failed, link.task_id, message)
            .at("the queue's definition", Some(Path::of(&["payload", "env", named.variable])))
            .expected_by(
                Authority::Policy,
                cx.policy("repositories"),
                format!("a trusted repository for {}", named.prefix),
            )
            .actual(Authority::Queue, text)
    });
    findings.collect()
}

/// A source that is in no trusted tree, and where a task names it.
struct Untrusted {
    task_id: TaskId,
    place: Path,
    source: String,
}

/// The trusted tree that the target comes from, where every link comes from one and names no repository
/// that is not trusted; else what does not.
fn origin(
    cx: &CheckContext<'_>,
    target: &Link,
    trees: &BTreeMap<TaskId, Option<String>>,
) -> Result<Result<String, Untrusted>, Stop> {
    let untrusted = |link: &Link, keys: &[&str], source: &str| {
        Err(Untrusted { task_id: link.task_id, place: Path::of(keys), source: shown(source) })
    };
    for link in cx.closed()?.links() {
        if trees.get(&link.task_id).is_none_or(Option::is_none) {
            return Ok(untrusted(link, &["metadata", "source"], link.definition.source()));
        }
        let named = named(cx.evidence, link);
        if let Some(named) = named.iter().find(|named| named.trust == Trust::Untrusted) {
            return Ok(untrusted(link, &["payload", "env", named.variable], named.text));
        }
    }
    let own = trees.get(&target.task_id).cloned().flatten();
    Ok(own.map_or_else(|| untrusted(target, &["metadata", "source"], target.definition.source()), Ok))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::{Chain, Evidence};
    use catena_model::task::{Definition, Kind};
    use catena_policy::{KindRole, RepositoryRule};

    fn matched(rule: &str, scope: &str) -> Option<bool> {
        let mut product = Product::empty("p");
        product.restricted_scopes.push(ScopeRule { scope: rule.to_owned(), trees: "t".to_owned() });
        restricted(&product, &[scope.to_owned()]).first().map(|found| found.broad)
    }

    #[test]
    fn scopes_match_exactly_by_prefix_and_by_being_broad() {
        assert_eq!(matched("a:b", "a:b"), Some(false));
        assert_eq!(matched("a:b", "a:bc"), None);
        assert_eq!(matched("a:b*", "a:bc"), Some(false));
        assert_eq!(matched("a:b*", "a:b"), Some(false));
        assert_eq!(matched("a:b", "a:*"), Some(true));
        assert_eq!(matched("a:b", "*"), Some(true));
        assert_eq!(matched("a:b", "a:b*"), Some(true));
        assert_eq!(matched("a:b*", "a:*"), Some(true));
        assert_eq!(matched("a:b*", "a:bc*"), Some(false));
        assert_eq!(matched("a:b", "b:*"), None);
        assert_eq!(matched("a:b", "a"), None);
    }

    const A: &str = "IFn9x5gaQz-HXl2pa7Ny_w";
    const B: &str = "B1Y7D4twTB620sjIgyd3lg";
    const SOURCE: &str = "https://hg.mozilla.org/mozilla-central/file/x";

    /// A product with two trees, of which the second mirrors the first.
    fn product() -> Product {
        let mut product = Product::empty("p");
        product.kinds.insert(Kind::parse("decision").unwrap(), KindRole::Decision);
        product.hg_git_mirrors.insert("/hg".to_owned(), "/git".to_owned());
        product.repositories.push(RepositoryRule {
            schemes: ["https".to_owned()].into(),
            hosts: ["host".to_owned()].into(),
            paths: vec![regex_lite::Regex::new("^(?P<path>/hg|/git)").unwrap()],
        });
        product
    }

    /// What is said of a chain of the target and other tasks.
    fn judged<T>(
        product: Product,
        tasks: &[(&str, &[(&str, &str)])],
        judge: impl FnOnce(&CheckContext<'_>) -> T,
    ) -> T {
        let case = tasks.iter().fold(Evidence::sample(product), |case, (id, changes)| {
            case.knowing(TaskId::parse(id).unwrap(), changes)
        });
        let chain = Chain::of(&case);
        assert!(chain.is_closed());
        judge(&CheckContext::new(&case, &chain))
    }

    #[test]
    fn a_broad_scope_counts_unless_the_policy_relaxes_that() {
        let own = Definition::sample_id();
        let restricted = |relaxed: bool, scope: &str| {
            let mut product = Product::empty("p");
            product.restricted_scopes.push(ScopeRule { scope: "a:b".to_owned(), trees: "t".to_owned() });
            product.relaxed.extend(relaxed.then_some(Rule::BroadScope));
            let scopes = format!(r#""scopes":["x","{scope}"]"#);
            judged(product, &[(own.as_str(), &[(r#""scopes":[]"#, &scopes)])], has_restricted_scopes)
        };
        assert_eq!([restricted(false, "a:b"), restricted(true, "a:b")], [Ok(true), Ok(true)]);
        assert_eq!([restricted(false, "a:*"), restricted(true, "a:*")], [Ok(true), Ok(false)]);
        assert_eq!([restricted(false, "a:c"), restricted(true, "a:c")], [Ok(false), Ok(false)]);
    }

    #[test]
    fn two_rules_for_one_scope_are_ambiguous() {
        let own = Definition::sample_id();
        let codes = |rules: &[&str], listed: &str| {
            let mut product = Product::empty("p");
            let rule = |scope: &&str| ScopeRule { scope: (*scope).to_owned(), trees: "t".to_owned() };
            product.restricted_scopes.extend(rules.iter().map(rule));
            product.trees.insert("t".to_owned(), ["/hg".to_owned()].into());
            let listed = format!(r#""scopes":[{listed}]"#);
            judged(product, &[(own.as_str(), &[(r#""scopes":[]"#, &listed)])], |cx| {
                let mut findings = Vec::new();
                scopes(cx, cx.chain.link(own).unwrap(), Some("/hg"), &mut findings);
                findings.iter().map(|finding| finding.code.name).collect::<Vec<_>>()
            })
        };
        const AMBIGUOUS: &str = "tree-scope-ambiguous";
        assert_eq!(codes(&["a", "b"], r#""a","b""#), [""; 0]);
        assert_eq!(codes(&["a:b", "a:b*", "c"], r#""c","a:b""#), [AMBIGUOUS; 2]);
        assert_eq!(codes(&["a:b", "a:c"], r#""a:*""#), [""; 0]);
        assert_eq!(codes(&["a:b*", "a:b", "a:bc"], r#""a:b*""#), [""; 0]);
        assert_eq!(codes(&["a:b*", "a:*", "a:b"], r#""a:b*""#), [AMBIGUOUS; 2]);
    }

    #[test]
    fn the_mirror_of_the_decision_tasks_tree_counts_as_that_tree() {
        let own = Definition::sample_id();
        let sources = |target: &str, decision: &str, input: &str, group_of_input: &str| {
            let inputs = format!(r#""extra":{{"chainOfTrust":{{"inputs":{{"b":"{B}"}}}}}}"#);
            let tasks: [(&str, &[(&str, &str)]); 3] = [
                (own.as_str(), &[(SOURCE, target), (own.as_str(), A), (r#""extra":{}"#, &inputs)]),
                (A, &[(SOURCE, decision), (own.as_str(), A)]),
                (B, &[(SOURCE, input), (own.as_str(), group_of_input)]),
            ];
            judged(product(), &tasks, |cx| {
                let trees = trees(cx, cx.chain.links(), &mut Vec::new()).unwrap();
                let tree = |id: &str| trees[&TaskId::parse(id).unwrap()].clone().unwrap_or_default();
                [tree(own.as_str()), tree(A), tree(B)]
            })
        };
        let (hg, git, other) = ("https://host/hg/x", "https://host/git/x", "https://host/other/x");
        assert_eq!(sources(hg, hg, git, A), ["/hg", "/hg", "/hg"]);
        assert_eq!(sources(git, hg, git, A), ["/hg", "/hg", "/hg"]);
        assert_eq!(sources(git, git, hg, A), ["/git", "/git", "/hg"]);
        assert_eq!(sources(hg, git, git, A), ["/hg", "/git", "/git"]);
        assert_eq!(sources(git, hg, git, own.as_str()), ["/hg", "/hg", "/git"], "an input of another graph");
        assert_eq!(sources(git, hg, other, A), ["/hg", "/hg", ""]);
        assert_eq!(sources(hg, hg, git, B), ["/hg", "/hg", "/git"], "a decision task of its own");
    }

    #[test]
    fn tasks_of_one_tree_have_one_revision() {
        let own = Definition::sample_id();
        let payload = |repository: &str, revision: &str| {
            let env = format!(r#""P_HEAD_REPOSITORY":"{repository}","P_HEAD_REV":"{revision}""#);
            format!(r#""payload":{{"env":{{{env}}}}}"#)
        };
        let differs = |target: (&str, &str), decision: (&str, &str)| {
            let (target, decision) = (payload(target.0, target.1), payload(decision.0, decision.1));
            let tasks: [(&str, &[(&str, &str)]); 2] = [
                (own.as_str(), &[(r#""payload":{}"#, &target), (own.as_str(), A)]),
                (A, &[(r#""payload":{}"#, &decision), (own.as_str(), A)]),
            ];
            judged(product(), &tasks, |cx| revision(cx, cx.chain.link(own).unwrap()).is_some())
        };
        let (one, other) = ("1".repeat(40), "2".repeat(40));
        assert!(!differs(("https://host/hg", &one), ("https://host/hg/", &one)));
        assert!(differs(("https://host/hg/", &other), ("https://host/hg", &one)));
        assert!(differs(("https://host/hg", "v1"), ("https://host/hg", &one)));
        assert!(!differs(("https://host/hg", &other), ("https://host/hg", "v1")), "a tag's commit");
        assert!(!differs(("https://host/git", &other), ("https://host/hg", &one)), "a mirror's own");
    }

    #[test]
    fn a_chain_goes_back_to_a_tree_with_all_that_its_links_name() {
        let own = Definition::sample_id();
        let origin_of = |source: &str, input: &str, repository: &str| {
            let env = format!(r#""payload":{{"env":{{"P_HEAD_REPOSITORY":"{repository}"}}}}"#);
            let inputs = format!(r#""extra":{{"chainOfTrust":{{"inputs":{{"b":"{B}"}}}}}}"#);
            let tasks: [(&str, &[(&str, &str)]); 2] = [
                (own.as_str(), &[(SOURCE, source), (r#""extra":{}"#, &inputs), (r#""payload":{}"#, &env)]),
                (B, &[(SOURCE, input)]),
            ];
            judged(product(), &tasks, |cx| {
                let trees = trees(cx, cx.closed().ok()?.links(), &mut Vec::new()).ok()?;
                origin(cx, target(cx).ok()?, &trees).ok()?.ok()
            })
        };
        let (hg, git, other) = ("https://host/hg/x", "https://host/git/x", "https://host/other/x");
        assert_eq!(origin_of(hg, hg, "https://host/hg").as_deref(), Some("/hg"));
        assert_eq!(origin_of(git, hg, "").as_deref(), Some("/git"));
        assert_eq!(origin_of(other, hg, ""), None);
        assert_eq!(origin_of(hg, other, ""), None);
        assert_eq!(origin_of(hg, hg, "https://host/hg/below"), None);
        assert_eq!(origin_of(hg, hg, "https://host/other"), None);
    }
}
