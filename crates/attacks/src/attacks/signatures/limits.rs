//! Limits of keys that are stated elsewhere than in a product's list of keys, and runs that were
//! backdated to when a key was still valid. The keys of the chains are constant, and come from a key
//! file.

use crate::attacks::documents::action_task;
use crate::attacks::{Attack, Q, S, W, attack};
use crate::change::{first_decision, nth_build, run_has};
use crate::valid::{cron, finished, mobile, pr_action, promotion, push, rounds, tag};
use catena_testbed::Chain;

/// Shortens a task's run to a moment.
fn put_back(chain: &mut Chain, id: &str, time: &str) -> Option<()> {
    run_has(chain, id, "0", &[("scheduled", time), ("started", time), ("resolved", time)])
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "key revoked for another implementation",
        &[W],
        "A build is signed with docker-worker's key, which the policy lists as never valid under \
         generic-worker.",
        push,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: always}]}}}\n"),
    attack(
        "key revoked for another product",
        &[W],
        "A build of Firefox is signed with a key that the policy revokes for Thunderbird.",
        cron,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\nproducts: {thunderbird: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: always}]}}}}\n"),
    attack(
        "revoked key in a list that replaces the default's",
        &[W],
        "The defaults revoke a key, and the product's own list has it without a limit.",
        push,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: always}]}}}\nproducts: {firefox: {keys: {docker-worker: [S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=]}}}\n"),
    attack(
        "revoked key of a removed implementation",
        &[W],
        "The defaults revoke a scriptworker's key, the product trusts no scriptworker, and a key \
         file has the key nevertheless.",
        rounds,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, revoked: always}]}}}\nproducts: {firefox: {keys: {scriptworker: []}}}\n"),
    attack(
        "key that expires for another implementation",
        &[W],
        "A build is signed with generic-worker's key, which has expired according to its entry \
         under docker-worker.",
        push,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-after: '2026-08-12T09:00:00Z'}]}}}\n"),
    attack(
        "key that expires earlier for another product",
        &[W],
        "A key expires next year for the product, and has expired for another one.",
        tag,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\nproducts: {mobile: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2027-08-12T09:00:00Z'}]}}}, xpi: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2026-08-12T09:00:00Z'}]}}}}\n"),
    attack(
        "key valid later for another product",
        &[W],
        "A key is already valid for the product, and from the next day for another one.",
        mobile,
        |_| Some(()),
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\nproducts: {mobile: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-before: '2020-08-12T09:00:00Z'}]}}}, xpi: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-before: '2026-08-13T09:00:00Z'}]}}}}\n"),
    attack(
        "key revoked earlier for another product",
        &[W],
        "A key is revoked next year for the product, and was revoked an hour before for another one.",
        pr_action,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\nproducts: {translations: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2027-08-12T09:00:00Z'}]}}}, xpi: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-08-12T08:30:00Z'}]}}}}\n"),
    attack(
        "finished target's key revoked for another implementation",
        &[S, W],
        "A finished target is signed with a key that the policy revokes under docker-worker.",
        finished,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, revoked: always, because: stolen}]}}}\n"),
    attack(
        "key revoked, and the run backdated",
        &[Q, W],
        "The queue backdates a build's run to before its key was revoked, within the allowed clock \
         skew.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            put_back(c, &id, "2026-08-12T09:40:00Z")
        },
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, revoked: '2026-08-12T09:45:00Z'}]}}}\n"),
    attack(
        "key revoked, and the end backdated",
        &[Q, W],
        "The queue backdates the end of a run to before its key was revoked, and leaves its start.",
        promotion,
        |c| {
            let id = action_task(c)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T10:00:00Z")])
        },
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-08-12T10:15:00Z'}]}}}\n"),
    attack(
        "key expired, and the run backdated",
        &[Q, W],
        "The queue backdates a decision task's run to before its key expired, within the allowed \
         clock skew.",
        cron,
        |c| {
            let id = first_decision(c)?;
            put_back(c, &id, "2026-08-12T09:16:00Z")
        },
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2026-08-12T09:20:00Z'}]}}}\n"),
    attack(
        "key valid only at the end of the run",
        &[W],
        "A build started an hour before its key became valid, and ended after.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            run_has(c, &id, "0", &[("resolved", "2026-08-12T11:50:00Z")])
        },
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-before: '2026-08-12T10:50:00Z'}]}}}\n"),
];
