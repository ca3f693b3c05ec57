//! The chain goes back to trees that may do what the target asks for.
//!
//! verification.md sections 9.2 to 9.5. Off-reference: a broad scope that satisfies a restricted one
//! is restricted; a repository is matched by whole path segments.

use super::source::source;
use super::{Examined, rules, target};
use crate::inquiry::{Cx, Link, Stop};
use crate::policy::{Product, ScopeRule};
use crate::source::{Revision, SourceUrl};
use crate::task::TaskId;
use crate::verdict::{Class, Code, Finding, Side, Standing};
use catena_json::{Path, Value};
use std::collections::BTreeMap;

const CHECK: &str = "tree";

const TRUSTED: Code =
    Code::passing("tree-trusted", "Every link comes from a tree that may do what the target asks for.");
const SCOPE: Code =
    Code::new("tree-scope", Class::Policy, "The target has a restricted scope that its tree may not use.");
const BROAD: Code = Code::new(
    "tree-broad-scope",
    Class::Policy,
    "The target has a broad scope that satisfies a restricted one its tree may not use.",
)
.relaxable(rules::BROAD_SCOPE);
const AMBIGUOUS: Code = Code::new(
    "tree-scope-ambiguous",
    Class::Config,
    "A scope matches more than one restricted scope of the policy.",
);
const SIBLING: Code = Code::new(
    "tree-sibling",
    Class::Policy,
    "A link of the target's own graph comes from another tree than the target.",
);
const PARENT: Code = Code::new(
    "tree-parent",
    Class::Policy,
    "The target comes from another tree than the task that made it, which is of another graph.",
)
.relaxable(rules::PARENT_TREE);
const UNTRUSTED: Code = Code::new(
    "tree-untrusted",
    Class::Policy,
    "The target has restricted scopes, and a link of another graph comes from no trusted tree.",
);
const SEGMENTS: Code = Code::new(
    "tree-part-of-a-name",
    Class::Policy,
    "A repository's name only begins like that of a trusted one.",
)
.relaxable(rules::WHOLE_SEGMENTS);

const OTHER_SOURCE: Code = Code::new(
    "tree-other-source",
    Class::Policy,
    "The target has restricted scopes, and a link takes in sources of a tree that no product trusts.",
)
.relaxable(rules::OTHER_SOURCES);
const REVISION: Code = Code::new(
    "tree-sibling-revision",
    Class::Policy,
    "A link was made from another revision than the decision task of its graph.",
)
.relaxable(rules::SIBLING_REVISION);

pub(crate) const CODES: &[Code] =
    &[TRUSTED, SCOPE, BROAD, AMBIGUOUS, SIBLING, PARENT, UNTRUSTED, SEGMENTS, OTHER_SOURCE, REVISION];

/// A scope of the target that is restricted, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Restricted<'a> {
    index: usize,
    scope: &'a str,
    rule: &'a ScopeRule,
    /// Whether it is a broad scope that satisfies the restricted one, rather than being it.
    broad: bool,
}

/// The restricted scopes among some scopes. A rule that ends in `*` stands for every scope that
/// begins so; a scope that ends in `*` satisfies every scope that begins so.
fn restricted<'a>(product: &'a Product, scopes: &'a [String]) -> Vec<Restricted<'a>> {
    let mut found = Vec::new();
    for (index, scope) in scopes.iter().enumerate() {
        for rule in &product.restricted_scopes {
            let restricted = rule.scope.strip_suffix('*');
            let is = restricted.map_or(*scope == rule.scope, |prefix| scope.starts_with(prefix));
            let satisfies = scope.strip_suffix('*').is_some_and(|prefix| rule.scope.starts_with(prefix));
            if is || satisfies {
                found.push(Restricted { index, scope, rule, broad: !is });
            }
        }
    }
    found
}

/// Whether the target has a restricted scope.
pub(crate) fn has_restricted_scopes(cx: &Cx<'_>) -> Result<bool, Stop> {
    let target = target(cx)?;
    // Asked for every link, and the same for all of them.
    Ok(*cx.case.restricted.get_or_init(|| {
        let found = restricted(&cx.case.product, target.definition.scopes());
        let relaxed = cx.case.relaxes(rules::BROAD_SCOPE);
        found.iter().any(|restricted| !(relaxed && restricted.broad))
    }))
}

pub(crate) fn examine(cx: &Cx<'_>) -> Examined {
    let chain = cx.closed()?;
    let target = target(cx)?;
    let mut findings = Vec::new();
    let trees = trees(cx, chain.links(), &mut findings)?;
    let own = trees.get(&target.task_id).cloned().flatten();
    scopes(cx, target, own.as_deref(), &mut findings);
    siblings(cx, target, own.as_deref(), &trees, &mut findings)?;
    if has_restricted_scopes(cx)? {
        chain.links().for_each(|link| other_sources(cx, link, &mut findings));
    }
    findings.extend(chain.links().filter_map(|link| revision(cx, link)));
    if findings.iter().all(|finding| finding.standing == Standing::Passed) {
        let message = match &own {
            Some(tree) => format!("The chain goes back to {tree}."),
            None => "The chain goes back to no trusted tree, and the target asks for nothing that needs one."
                .to_owned(),
        };
        findings.push(Finding::new(CHECK, TRUSTED, Standing::Passed, target.task_id, message));
    }
    Ok(findings.into())
}

/// The trusted tree each link comes from, or none; a link whose tree is the declared mirror of its
/// parents' counts as of that tree (verification.md section 9.3).
fn trees<'a>(
    cx: &Cx<'_>,
    links: impl Iterator<Item = &'a Link>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<TaskId, Option<String>>, Stop> {
    let links: Vec<&Link> = links.collect();
    let mut trees = BTreeMap::new();
    for link in &links {
        // What is wrong with the source is the source check's to say.
        let source = source(cx.case, &link.definition).map_err(|_| Stop::Blocked)?;
        let mut tree = cx.case.product.repository_path(&source);
        if tree.is_none()
            && let Some(partial) = cx.case.product.partial_repository_path(&source)
        {
            let message = format!("{} only begins like the trusted {partial}.", source.as_str());
            let finding = Finding::new(CHECK, SEGMENTS, Standing::Failed, link.task_id, message);
            findings.push(
                finding
                    .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
                    .expected(Side::Policy, format!("{partial} and whole path segments below it"))
                    .actual(Side::Queue, source.path()),
            );
            tree = Some(partial).filter(|_| cx.case.relaxes(rules::WHOLE_SEGMENTS));
        }
        trees.insert(link.task_id, tree);
    }
    let target = links.iter().find(|link| link.is_target).ok_or(Stop::Blocked)?;
    let decision = target.definition.decision_task_id();
    let parent = links.iter().find(|link| link.task_id == decision).unwrap_or(target);
    let of_parents = trees.get(&parent.task_id).cloned().flatten();
    let mirror = of_parents.as_ref().and_then(|tree| cx.case.product.hg_git_mirrors.get(tree));
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

fn scopes(cx: &Cx<'_>, target: &Link, own: Option<&str>, findings: &mut Vec<Finding>) {
    let product = &cx.case.product;
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
        let failed =
            |code, message: String| at(Finding::new(CHECK, code, Standing::Failed, target.task_id, message));
        let exact = exact_at.get(&one.index).copied().unwrap_or_default();
        if exact > 1 && !one.broad {
            let message = format!("The scope {} matches {exact} restricted scopes of the policy.", one.scope);
            findings.push(failed(AMBIGUOUS, message).actual(Side::Policy, one.rule.scope.as_str()));
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
                    "The scope {} satisfies {}, which the target's tree may not use.",
                    one.scope, one.rule.scope
                ),
            )
        } else {
            (SCOPE, format!("The target's tree may not use the scope {}.", one.scope))
        };
        findings.push(
            failed(code, message)
                .expected(Side::Policy, format!("{} ({trees})", one.rule.trees))
                .actual(Side::Queue, own.unwrap_or("no trusted tree")),
        );
    }
}

fn siblings(
    cx: &Cx<'_>,
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
            Finding::new(CHECK, code, Standing::Failed, link.task_id, message)
                .at("the queue's definition", Some(Path::of(&["metadata", "source"])))
                .actual(Side::Queue, tree.unwrap_or("no trusted tree"))
        };
        if link.definition.decision_task_id() == decision {
            if tree != own {
                let finding = failed(SIBLING, "The task comes from another tree than the target.");
                findings.push(finding.expected(Side::Task, own.unwrap_or("no trusted tree")));
            }
        } else if link.task_id == parent && tree != own {
            // Off-reference: a promotion's tasks are a group of their own, which the action that made
            // them is not in; a rule of its own, `parent-tree`.
            let finding = failed(PARENT, "The target comes from another tree than this task, which made it.");
            findings.push(finding.expected(Side::Task, own.unwrap_or("no trusted tree")));
        } else if restricted && tree.is_none() {
            let finding = failed(
                UNTRUSTED,
                "The target has restricted scopes, and this task comes from no trusted tree.",
            );
            findings.push(finding.expected(Side::Policy, "a tree of the policy"));
        }
    }
    Ok(())
}

/// All tasks of a graph are made from one revision of its tree: where a task names the repository of
/// its decision task, it names its revision too. A mirror has revisions of its own.
///
/// Off-reference: a rule of its own, `sibling-revision`.
fn revision(cx: &Cx<'_>, link: &Link) -> Option<Finding> {
    let decision = cx.chain.link(link.definition.decision_task_id())?;
    let variable = |name: &str| format!("{}_{name}", cx.case.product.source_env_prefix);
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
            Standing::Failed,
            link.task_id,
            "The task was made from another revision than its graph.",
        )
        .at("the queue's definition", Some(Path::of(&["payload", "env", &revision])))
        .expected(Side::Queue, theirs)
        .actual(Side::Queue, own)
    })
}

/// Some tasks are made from more than one tree: `COMM_HEAD_REPOSITORY` beside
/// `GECKO_HEAD_REPOSITORY`. The other one must be trusted too: by this product, or by one whose tasks
/// name their trees with that prefix; one that no product uses must at least not be a try push.
///
/// Off-reference: a rule of its own, `other-sources`.
fn other_sources(cx: &Cx<'_>, link: &Link, findings: &mut Vec<Finding>) {
    let product = &cx.case.product;
    let env = link.definition.payload().get("env").and_then(Value::as_object);
    for (variable, value) in env.into_iter().flatten() {
        let Some(prefix) = variable.strip_suffix("_HEAD_REPOSITORY") else { continue };
        let text = value.as_str().unwrap_or_default();
        if prefix == product.source_env_prefix || text.is_empty() {
            continue;
        }
        let trusted = match (product.repositories_by_prefix.get(prefix), SourceUrl::of_repository(text)) {
            (Some(rules), Ok(source)) => {
                let mut rules = rules.iter().chain(&product.repositories);
                rules.any(|rule| rule.repository_path(&source).is_some())
            }
            (Some(_), Err(_)) => false,
            (None, Ok(source)) => !source.segments().first().is_some_and(|first| first.contains("try")),
            (None, Err(_)) => true,
        };
        if !trusted {
            let message = format!("The task takes in sources of {text}, which no product trusts.");
            let finding = Finding::new(CHECK, OTHER_SOURCE, Standing::Failed, link.task_id, message);
            findings.push(
                finding
                    .at("the queue's definition", Some(Path::of(&["payload", "env", variable])))
                    .expected(Side::Policy, "a repository that a product trusts")
                    .actual(Side::Queue, text),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inquiry::{Case, Chain};
    use crate::policy::{KindRole, RepositoryRule};
    use crate::task::{Definition, Kind};

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
    fn judged<T>(product: Product, tasks: &[(&str, &[(&str, &str)])], judge: impl FnOnce(&Cx<'_>) -> T) -> T {
        let case = tasks.iter().fold(Case::sample(product), |case, (id, changes)| {
            case.knowing(TaskId::parse(id).unwrap(), changes)
        });
        let chain = Chain::of(&case);
        assert!(chain.is_closed());
        judge(&Cx::new(&case, &chain))
    }

    #[test]
    fn a_broad_scope_counts_unless_the_policy_relaxes_that() {
        let own = Definition::sample_id();
        let restricted = |relaxed: bool, scope: &str| {
            let mut product = Product::empty("p");
            product.restricted_scopes.push(ScopeRule { scope: "a:b".to_owned(), trees: "t".to_owned() });
            product.relaxed.extend(relaxed.then(|| rules::BROAD_SCOPE.to_owned()));
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
    fn sources_beside_the_own_are_trusted_too() {
        let own = Definition::sample_id();
        let refused = |variable: &str, url: &str| {
            let mut product = product();
            product.repositories_by_prefix.insert("Q".to_owned(), vec![]);
            let payload = format!(r#""payload":{{"env":{{"{variable}":"{url}"}}}}"#);
            judged(product, &[(own.as_str(), &[(r#""payload":{}"#, &payload)])], |cx| {
                let mut findings = Vec::new();
                other_sources(cx, cx.chain.link(own).unwrap(), &mut findings);
                !findings.is_empty()
            })
        };
        for (variable, url, expected) in [
            ("P_HEAD_REPOSITORY", "https://host/other", false),
            ("Q_HEAD_REPOSITORY", "", false),
            ("Q_HEAD_REPOSITORY", "https://host/hg", false),
            ("Q_HEAD_REPOSITORY", "https://host/other", true),
            ("Q_HEAD_REPOSITORY", "no address", true),
            ("R_HEAD_REPOSITORY", "https://host/other", false),
            ("R_HEAD_REPOSITORY", "https://host/try-other", true),
            ("R_HEAD_REPOSITORY", "no address", false),
            ("Q_BASE_REPOSITORY", "https://host/other", false),
        ] {
            assert_eq!(refused(variable, url), expected, "{variable} {url}");
        }
    }
}
