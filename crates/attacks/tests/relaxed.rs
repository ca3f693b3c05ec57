//! A relaxed rule: its findings are reported and do not count, and what other rules reject stays
//! rejected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

mod trials;

use catena_attacks::{Attack, Scenario, THREATS};
use catena_policy::{FIREFOX_CI, Policy, Rule};
use catena_testbed::Chain;
use catena_verify::checks::find_code;
use catena_verify::verdict::{Disposition, Finding, Outcome};
use libtest_mimic::{Arguments, Failed};
use std::collections::BTreeSet;
use trials::{run, trial};

/// Attacks that violate more than one rule, and what then rejects them: possibly the same rule, if
/// other checks depend on it.
const STILL: &[(&str, &str)] = &[
    ("action of a pull request declared as an action", "rebuild-differs"),
    ("permission of another hook", "rebuild-differs"),
    ("input outside a list of choices", "rebuild-differs"),
    ("action for another revision", "rebuild-differs"),
    ("action for another tree", "rebuild-differs"),
    ("offer for another revision", "rebuild-differs"),
    ("offer for another tree", "rebuild-differs"),
    ("action of a decision task of an earlier push", "graph-definition-additions"),
    ("pull request of another number", "rebuild-differs"),
    ("pull request into another repository", "rebuild-differs"),
    ("graph without a hash", "artifact-without-digest"),
    ("decision task made by its own build", "rebuild-differs"),
    ("action that is its own grandparent", "rebuild-differs"),
    ("image task that runs in its own image", "image-differs"),
    ("image of a build that uses it before either has run", "chain-cyclic"),
    ("docker-worker's build, document about another run", "artifact-missing"),
    ("build by d2g, document about another run", "artifact-missing"),
    ("generic-worker's build, document about another run", "artifact-missing"),
    ("build on GitHub, document about another run", "artifact-missing"),
    ("decision task, document about another run", "artifact-missing"),
    ("cron job's decision task, document about another run", "artifact-missing"),
    ("action task, document about another run", "artifact-missing"),
    ("finished target, document about another run", "artifact-listed-absent"),
    ("later run hidden", "artifact-missing"),
    ("group of another push", "tree-sibling-revision"),
    ("later creation", "graph-definition-differs"),
    ("source with dot segments", "source-outside-repository"),
    ("source with encoded dots", "source-malformed"),
    ("source with an encoded slash", "source-malformed"),
    ("source with user information", "source-outside-repository"),
    ("source with a query", "pull-request-source"),
    ("unencrypted source", "source-malformed"),
    ("source with a backslash", "source-outside-repository"),
    ("empty source", "source-malformed"),
    ("source with a line feed", "source-malformed"),
    ("target's source with dot segments", "tree-scope"),
    ("repository with dot segments", "pull-request-try"),
    ("repository with a query", "pull-request-source"),
    ("repository with a fragment", "pull-request-source"),
    ("repository with a space", "pull-request-source"),
    ("release declared as a push", "rebuild-unknown-to-vcs"),
    ("decision task with a short revision", "rebuild-template-missing"),
    ("decision task with a branch as its revision", "pull-request-tag-unknown"),
    ("decision task with the tip as its revision", "rebuild-template-missing"),
    ("decision task with a revision in uppercase", "rebuild-template-missing"),
    ("action on a task named null", "rebuild-differs"),
    ("cron job with other arguments", "rebuild-differs"),
    ("cron job with another name", "rebuild-differs"),
    ("time of creation with a command", "rebuild-template-fails"),
    ("cron task with a command after its arguments", "rebuild-value-unconfirmed"),
    ("cron task with a command within its arguments", "rebuild-value-unconfirmed"),
    ("cron task with an argument over two lines", "rebuild-value-unconfirmed"),
    ("cron task with a quoted argument", "rebuild-value-unconfirmed"),
    ("cron task whose symbol is a command", "rebuild-value-unconfirmed"),
    ("cron task whose job is a command", "rebuild-value-unconfirmed"),
    ("cron task whose job is a pattern", "rebuild-value-unconfirmed"),
    ("input for a cron job that takes none", "rebuild-value-unconfirmed"),
    ("input for a cron job on GitHub that takes none", "rebuild-value-unconfirmed"),
    ("cron task without its symbol", "rebuild-cron-differs"),
    ("image task with two pools", "worker-pool-docker-image"),
    ("decision task with two pools", "worker-pool-decision"),
    ("release made for a branch of level 1", "pull-request-not-landed"),
    ("branch named like a truncated commit", "pull-request-not-landed"),
    ("build of another branch", "pull-request-not-landed"),
    ("build of another branch beside the correct one", "pull-request-not-landed"),
    ("build of a branch by its full reference", "pull-request-not-landed"),
    ("mirrored build of a branch of level 1", "pull-request-not-landed"),
    ("scheduler of another level", "tree-scheduler-level"),
    ("input of the nightly tree in a promotion", "tree-input-revision"),
    ("input of another trusted repository on GitHub", "rebuild-differs"),
    ("other sources from try", "tree-level"),
    ("other sources from a user", "tree-level"),
    ("other sources from another host", "tree-level"),
    ("upstream browser from try", "tree-level"),
    ("other sources from a fork", "tree-level"),
    ("target of a graph of its own", "tree-input-tree"),
    ("promoted target of another tree", "tree-input-tree"),
    ("repackage of another revision", "tree-input-revision"),
    ("image from a tree of level 1", "rebuild-differs"),
    ("image from a tree of level 2", "rebuild-differs"),
    ("image from a tree missing from the projects", "rebuild-project-unknown"),
    ("image from a tree of a group without a level", "rebuild-differs"),
    ("image from a repository of level 2 on GitHub", "tree-branch-level"),
    ("image of a promotion from a repository of level 2", "tree-branch-level"),
    ("repository with the same prefix", "tree-level"),
    ("repository with the same prefix in a release", "tree-level"),
    ("repository with the same prefix in a cron job", "tree-level"),
    ("promoted build with an environment of another revision", "tree-sibling-revision"),
    ("mirrored build with an environment of another commit", "pull-request-not-landed"),
    ("promoted signing task of another mirror commit", "pull-request-not-landed"),
    ("image from a tree of a group without level 3", "rebuild-differs"),
    ("image of level 2 for a target of the git mirror of level 1", "rebuild-differs"),
    ("scope for everything", "tree-foreign-scope"),
    ("broad scope on the git mirror", "tree-foreign-scope"),
    ("pending run", "document-of-another-worker"),
    ("pending upstream signing task", "document-of-another-worker"),
    // Restricted scopes need a repository that can be read and that is trusted.
    ("untrusted first sources beside trusted second ones", "pull-request-fork"),
    ("first sources of another product beside trusted second ones", "pull-request-fork"),
    ("repository with an encoded letter", "tree-other-source"),
    ("unencrypted repository", "tree-other-source"),
    ("repository on a disk", "tree-other-source"),
    ("repository of generic-worker's build with an encoded slash", "tree-other-source"),
    ("decision task of a look-alike host", "tree-other-source"),
    ("user's repository below a tree", "tree-other-source"),
    ("user's repository below a tree, in a cron job", "tree-other-source"),
    ("user's repository below a tree, in an action", "tree-other-source"),
    ("user's repository below a tree, in a promotion", "tree-other-source"),
    ("user's repository below another product's tree", "tree-other-source"),
    ("image of a user's repository below a tree", "tree-other-source"),
    ("image of a cron job from below a tree", "tree-other-source"),
    ("directory of a repository on GitHub", "tree-other-source"),
    ("image of a promotion from below a tree", "tree-other-source"),
    ("owner in place of a repository", "tree-other-source"),
    ("owner in place of a repository, in a cron job", "tree-other-source"),
    ("owner in place of a repository, in a release", "tree-other-source"),
    ("directory of repositories in place of one", "tree-other-source"),
    ("directory of repositories in place of the image's", "tree-other-source"),
    ("look-alike repository", "source-outside-repository"),
    ("untrusted template beside trusted second sources, in an action", "rebuild-differs"),
    ("untrusted template beside trusted second sources, in a promotion", "tree-other-source"),
    ("template of another repository beside trusted second sources", "tree-other-source"),
    ("template of a repository in uppercase beside trusted second sources", "rebuild-differs"),
    ("second sources above their repository", "rebuild-differs"),
    ("head branch that is a command", "tree-branch-level"),
    ("head branch with double quotes", "tree-branch-level"),
    ("head branch with a semicolon", "tree-branch-level"),
    ("head branch with a bar", "tree-branch-level"),
    ("head branch with an ampersand", "tree-branch-level"),
    ("head branch with braces", "tree-branch-level"),
    ("head branch with a redirection", "tree-branch-level"),
    ("head branch with an escape", "tree-branch-level"),
    ("head branch with a tilde", "tree-branch-level"),
    ("head branch with a right-to-left override", "tree-branch-level"),
    ("target that names untrusted other sources", "tree-level"),
    ("other sources below their tree", "tree-level"),
    ("other sources above their tree", "tree-level"),
    ("other sources from a look-alike", "tree-level"),
    ("other sources of a third product", "tree-branch-level"),
    ("upstream browser from below its tree", "tree-level"),
    ("upstream browser from a fork of the mirror", "tree-level"),
    ("other sources of a mirrored build", "tree-level"),
    ("one foreign source among several", "tree-level"),
    ("other sources below a project", "tree-other-source"),
    ("library of level 1", "tree-other-source"),
];

/// Rules that are checked together with their subject, so that no finding remains.
const SILENT: &[Rule] = &[
    Rule::ActionHook,
    Rule::ActionInput,
    Rule::ActionParameters,
    Rule::ActionSchema,
    Rule::ActionSource,
    Rule::AnswerIdentity,
    Rule::ConfirmedValues,
    Rule::CronJob,
    Rule::TemplateRepository,
];

fn main() {
    let arguments = Arguments::from_args();
    let attacks = || THREATS.iter().flat_map(|threat| threat.attacks());
    let mut trials = Vec::new();
    for rule in Rule::ALL.iter().copied() {
        for attack in attacks().filter(|attack| is_against(attack, rule)) {
            let name = format!("{rule}/{}", attack.name);
            trials.push(trial(name, move || is_let_through(attack, rule)));
        }
    }
    run(&arguments, trials);
}

fn is_against(attack: &Attack, rule: Rule) -> bool {
    let found = find_code(attack.code).and_then(|(_, code)| code.rule) == Some(rule);
    found && !attack.needs_server()
}

fn is_let_through(attack: &Attack, rule: Rule) -> Result<(), Failed> {
    let (chain, _) = attack.build()?;
    let verdict = relaxing(attack, rule, &chain)?.judge(chain);
    let failed: BTreeSet<&str> = verdict.failed().map(|finding| finding.code.name).collect();
    let still = STILL.iter().find(|(name, _)| *name == attack.name).map(|(_, code)| *code);
    let told = verdict
        .findings
        .iter()
        .any(|finding| finding.code.name == attack.code && finding.disposition == Disposition::Relaxed);
    let right = match still {
        Some(code) => failed.contains(code) && verdict.outcome != Outcome::Verified,
        None => verdict.outcome == Outcome::Verified && told != SILENT.contains(&rule),
    };
    // A relaxed finding is not reported as passed as well.
    let relaxed = verdict.findings.iter().filter(|finding| finding.disposition == Disposition::Relaxed);
    let twice = relaxed.filter(|finding| finding.check == "source").any(|relaxed| {
        let same = |finding: &&Finding| finding.check == "source" && finding.task_id == relaxed.task_id;
        verdict.findings.iter().filter(same).any(|finding| finding.disposition == Disposition::Passed)
    });
    let is_told_of_alone = !failed.contains(attack.code) || still == Some(attack.code);
    if right && !twice && is_told_of_alone {
        return Ok(());
    }
    Err(format!("{:?}, told: {told}, {failed:?}", verdict.outcome).into())
}

/// The scenario of a chain under a policy that relaxes the rule.
fn relaxing(attack: &Attack, rule: Rule, chain: &Chain) -> Result<Scenario, Failed> {
    let product = &chain.product;
    let without = format!(
        "catena-policy: 1\nproducts: {{{product}: {{relaxed: [{{rule: {rule}, because: a test}}]}}}}"
    );
    let mut files = vec![("shipped:firefox-ci", FIREFOX_CI)];
    files.extend(attack.policy.map(|text| ("attack", text)));
    files.push(("relaxed", &without));
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    let policy = Policy::load_all(&files, &nothing).map_err(|found| format!("{found:?}"))?;
    let question = Scenario::under(&policy, chain)?;
    Ok(attack.limits.map_or_else(|| question.clone(), |limits| question.clone().within(limits)))
}
