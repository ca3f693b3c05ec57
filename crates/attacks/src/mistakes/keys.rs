//! Trust files that say too little or something else than was meant, and workers with the wrong key.

use super::{One, mistake};
use crate::change::{document_of, first_build, run_has, set, sign_as};
use crate::trust::trusted;
use crate::valid::{cron, finished, mobile, push, tag};
use catena_testbed::Chain;
use catena_testbed::chain::Implementation;
use catena_verify::verdict::Class::{Invalid, Policy};

pub(super) const ONES: &[(&str, One)] = &[
    (
        "worker pool that is new and not in the trust file",
        not_permitted(push).under(trusted!(", worker-pools: ['gecko-3/decision', 'gecko-3/images*']", "", "")),
    ),
    (
        "product that was forgotten in the trust file",
        not_permitted(mobile).under(trusted!(", products: [firefox, thunderbird]", "", "")),
    ),
    (
        "product that is misspelled in the trust file",
        not_permitted(push).under(trusted!(", products: [firefix]", "", "")),
    ),
    (
        "key of the lower levels on a machine of level 3",
        not_permitted(cron).under(trusted!(", levels: [1]", "", "")),
    ),
    (
        "worker that was renamed",
        mistake(
            push,
            |c| {
                let id = first_build(c)?;
                run_has(c, &id, "0", &[("workerId", "i-renamed")])?;
                document_of(c, &id, |document| set(document, &["workerId"], "i-renamed"))
            },
            "signature-key-not-permitted",
            Policy,
            "extend what the key may sign for",
        )
        .under(trusted!(", workers: ['*/i-0*']", "", "")),
    ),
    (
        "worker that kept its old key after the overlap",
        mistake(push, unchanged, "signature-key-expired", Policy, "still has an old key")
            .under(trusted!(", not-after: '2026-08-10T00:00:00Z'", "", "")),
    ),
    (
        "key that expired an hour before the signing of a release",
        mistake(finished, unchanged, "signature-key-expired", Policy, "correct the policy")
            .under(trusted!("", "", ", not-after: '2026-08-12T09:00:00Z'")),
    ),
    (
        "key whose window has the wrong year",
        mistake(tag, unchanged, "signature-key-expired", Policy, "correct the policy")
            .under(trusted!(", not-before: '2025-01-01T00:00:00Z', not-after: '2025-12-31T00:00:00Z'", "", "")),
    ),
    (
        "worker that got its new key before the overlap",
        mistake(cron, unchanged, "signature-key-not-yet-valid", Policy, "catena keys audit")
            .under(trusted!(", not-before: '2026-09-01T00:00:00Z'", "", "")),
    ),
    (
        "key that is valid from the minute of its rollout, by a clock that is fast",
        mistake(
            push,
            |c| {
                let id = first_build(c)?;
                run_has(c, &id, "0", &[("started", "2026-08-12T09:49:12.345Z")])
            },
            "signature-key-not-yet-valid",
            Policy,
            "catena keys audit",
        )
        .under(trusted!(", not-before: '2026-08-12T09:51:00Z'", "", "")),
    ),
    (
        "rotation with a gap where an overlap was meant",
        mistake(push, unchanged, "signature-key-not-yet-valid", Policy, "catena keys audit")
            .under(trusted!(", not-before: '2026-08-12T12:00:00Z'", "", "")),
    ),
    (
        "key that was revoked without the time of the compromise",
        mistake(push, unchanged, "signature-key-revoked", Policy, "from when the key is revoked")
            .under(trusted!(", revoked-at: '2026-08-12T09:00:00Z', reason: rotated", "", "")),
    ),
    (
        "key that was retired by revoking it always",
        mistake(tag, unchanged, "signature-key-revoked", Policy, "from when the key is revoked").under(
            trusted!(
                ", revoked-at: '2026-12-01T00:00:00Z', compromised-from: always, reason: retired",
                "",
                ""
            ),
        ),
    ),
    (
        "docker-worker with the key of the scriptworkers",
        mistake(
            push,
            |c| sign_as(c, Implementation::Scriptworker),
            "signature-other-implementation",
            Invalid,
            "has the wrong key",
        )
        .under(trusted!("", "", "")),
    ),
    (
        "key of another machine that was copied into the trust file",
        mistake(push, unchanged, "signature-unknown-key", Invalid, "ask the owner of the worker pool").under(
            "catena-policy: 1\ntrusted-keys:\n- {id: d, scheme: ed25519, key: KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=, worker-implementations: [docker-worker]}\n- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, worker-implementations: [docker-worker, generic-worker]}\n- {id: s, scheme: ed25519, key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, worker-implementations: [scriptworker]}\n",
        ),
    ),
    (
        "key under another implementation than the workers that have it",
        mistake(finished, unchanged, "signature-no-keys", Policy, "add the public keys").under(
            "catena-policy: 1\ntrusted-keys:\n- {id: d, scheme: ed25519, key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, worker-implementations: [docker-worker]}\n- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, worker-implementations: [docker-worker, generic-worker]}\n",
        ),
    ),
];

/// A key that may not sign for what it signed.
const fn not_permitted(release: fn() -> catena_testbed::Release) -> One {
    mistake(
        release,
        unchanged,
        "signature-key-not-permitted",
        Policy,
        "extend what the key may sign for in the trust file",
    )
}

/// The mistake is in the trust file alone.
fn unchanged(_: &mut Chain) -> Option<()> {
    Some(())
}
