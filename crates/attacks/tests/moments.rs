//! Valid chains under policies that limit keys and pushes: what was valid at its time stays verified.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use catena_attacks::valid::{cron, fork, mobile, promotion, push, retried, tag};
use catena_attacks::{Scenario, change};
use catena_policy::{FIREFOX_CI, Policy};
use catena_testbed::{Chain, Release};
use catena_verify::verdict::Outcome;

/// The keys that chains are signed with.
const DOCKER: &str = "S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=";
const GENERIC: &str = "gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=";
const SCRIPT: &str = "ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=";

/// A name, a policy over the shipped one, a chain, and its change.
type Valid = (&'static str, String, fn() -> Release, fn(&mut Chain) -> Option<()>);

fn limited(implementation: &str, key: &str, limits: &str) -> String {
    format!("{{keys: {{{implementation}: {{add: [{{key: {key}, {limits}}}]}}}}}}")
}

fn nothing(_: &mut Chain) -> Option<()> {
    Some(())
}

/// Builds start at 09:50:12.345, their decision tasks twenty minutes before, an action's tasks an hour
/// later.
fn chains() -> Vec<Valid> {
    let defaults = |rest: String| format!("defaults: {rest}");
    let age = |days: u16| format!("defaults: {{max-push-age: {days}}}");
    let window = "not-before: '2026-08-01T00:00:00Z', not-after: '2026-08-12T09:50:12.345Z'";
    vec![
        ("key until its last run ended", defaults(limited("generic-worker", GENERIC, window)), push, nothing),
        (
            "key that has expired since, under another implementation",
            defaults(limited("generic-worker", DOCKER, "not-after: '2026-08-12T23:00:00Z'")),
            promotion,
            nothing,
        ),
        (
            "key that was revoked since, for another product",
            format!(
                "products: {{xpi: {}}}",
                limited("docker-worker", DOCKER, "revoked: '2026-08-13T00:00:00Z'")
            ),
            tag,
            nothing,
        ),
        (
            "scriptworker's key from the moment of its first run",
            defaults(limited("scriptworker", SCRIPT, "not-before: '2026-08-12T09:50:12.345Z'")),
            || Release { finished: true, ..push() },
            nothing,
        ),
        (
            "key revoked a millisecond after the run ended",
            defaults(limited("generic-worker", GENERIC, "revoked: '2026-08-12T09:50:12.346Z'")),
            mobile,
            nothing,
        ),
        (
            "key that a run of an hour was within",
            defaults(limited("generic-worker", GENERIC, "not-after: '2026-08-12T11:00:00Z'")),
            push,
            |c| {
                let id = change::nth_build(c, 2)?;
                change::run_has(c, &id, "0", &[("resolved", "2026-08-12T10:50:12.345Z")])
            },
        ),
        (
            "key that a lost run was before",
            defaults(limited("generic-worker", GENERIC, "not-before: '2026-08-12T10:00:00Z'")),
            || Release { builders: catena_testbed::chain::Builders::GenericWorker, ..retried() },
            |c| {
                let builds = c.builds.clone();
                let time = "2026-08-12T10:10:00.000Z";
                builds.iter().try_for_each(|id| {
                    change::run_has(c, id, "1", &[("scheduled", time), ("started", time), ("resolved", time)])
                })
            },
        ),
        ("push of a day to the second", age(1), push, |c| change::everywhere(c, "1786526712", "1786440613")),
        ("cron job on a push of a month", age(30), cron, |c| {
            change::everywhere(c, "1786526712", "1783935100")
        }),
        ("promotion of a fresh push", age(1), promotion, nothing),
        ("release of a month", age(30), tag, |c| {
            change::replace_page(c, "releases/tags", "2026-08-12T09:20:00Z", "2026-07-13T09:31:00Z")
        }),
        ("fresh pull request", age(1), fork, nothing),
        (
            "old push where only its age is limited for another product",
            "products: {xpi: {max-push-age: 1}}".to_owned(),
            cron,
            |c| change::everywhere(c, "1786526712", "1754991012"),
        ),
    ]
}

#[test]
fn what_was_valid_in_its_time_stays_verified() {
    let nothing = |_: &str| Err("it extends nothing".to_owned());
    for (name, policy, release, change) in chains() {
        let mut chain = release().build().unwrap();
        change(&mut chain).unwrap_or_else(|| panic!("{name}: nothing to change"));
        let text = format!("catena-policy: 1\n{policy}\n");
        let files = [("shipped:firefox-ci", FIREFOX_CI), ("test", text.as_str())];
        let policy = Policy::load_all(&files, &nothing).unwrap();
        let verdict = Scenario::under(&policy, &chain).unwrap().judge(chain);
        let failed: Vec<_> = verdict.failed().map(|finding| (finding.code.name, &finding.message)).collect();
        assert_eq!(verdict.outcome, Outcome::Verified, "{name}: {failed:?}");
    }
}
