//! Keys with a validity period; those of the chains are constant.

use crate::attacks::documents::action_task;
use crate::attacks::{Attack, Q, S, W, attack};
use crate::change::{inside, nth_build, remove};
use crate::valid::{cron, finished, mobile, pr_action, promotion, push, rounds, tag};

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "expired key",
        &[W],
        "A build is signed with a key that expired a millisecond before.",
        push,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-after: '2026-08-12T09:50:12.344Z'}]}}}\n"),
    attack(
        "action's expired key",
        &[W],
        "A release promotion is signed with a key that expired between the push and the promotion.",
        promotion,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2026-08-12T10:00:00Z'}]}}}\n"),
    attack(
        "finished target's expired key",
        &[W],
        "A finished target is signed with a key that expired the day before.",
        finished,
        |_| Some(()),
        "signature-key-expired",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, not-before: '2025-08-12T00:00:00Z', not-after: '2026-08-11T00:00:00Z'}]}}}\n"),
    attack(
        "key not yet valid",
        &[W],
        "A decision task is signed with a key that becomes valid some minutes later.",
        mobile,
        |_| Some(()),
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-before: '2026-08-12T11:50:00+02:00'}]}}}\n"),
    attack(
        "scriptworker's key not yet valid",
        &[W],
        "An earlier signing task is signed with a key that becomes valid the next day.",
        rounds,
        |_| Some(()),
        "signature-key-not-yet-valid",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, not-before: '2026-08-13T00:00:00Z', not-after: '2027-08-13T00:00:00Z'}]}}}\n"),
    attack(
        "key revoked before the run ended",
        &[W],
        "A build is signed with a key that was revoked at the end of the run.",
        tag,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, revoked: '2026-08-12T09:50:12.345Z', because: stolen}]}}}\n"),
    attack(
        "key revoked from the start",
        &[S, W],
        "An earlier signing task is signed with a key that the policy lists as never valid.",
        rounds,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {scriptworker: {add: [{key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, revoked: always, because: stolen}]}}}\n"),
    attack(
        "cron job's key revoked",
        &[W],
        "The decision task of a cron job is signed with a key that was revoked an hour before.",
        cron,
        |_| Some(()),
        "signature-key-revoked",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-08-12T08:30:00Z'}]}}}\n"),
    attack(
        "run without a time, and an expired key",
        &[Q],
        "The queue does not state when a build ended, and its key has long expired.",
        push,
        |c| {
            let id = nth_build(c, 2)?;
            let runs = inside(c.status_mut(&id)?, &["status", "runs"])?;
            remove(runs, &["0", "resolved"])
        },
        "signature-time-unknown",
    )
    .under("catena-policy: 1\ndefaults: {keys: {generic-worker: {add: [{key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, not-after: '2026-08-12T09:50:12.345Z'}]}}}\n"),
    attack(
        "run without a time, and a revoked key",
        &[Q],
        "The queue does not state when an action task ended, and its key has since been revoked.",
        pr_action,
        |c| {
            let id = action_task(c)?;
            let runs = inside(c.status_mut(&id)?, &["status", "runs"])?;
            remove(runs, &["0", "resolved"])
        },
        "signature-time-unknown",
    )
    .under("catena-policy: 1\ndefaults: {keys: {docker-worker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, revoked: '2026-12-01T00:00:00Z'}]}}}\n"),
];
