//! Keys of a trust file that are used beyond their permissions, and keys that another place tries to
//! add to the trust file. The workers' keys are also in a key file, which adds nothing.

use crate::attacks::documents::signer;
use crate::attacks::{Attack, S, T, W, attack};
use crate::change::{first_build, first_decision};
use crate::trust::trusted;
use crate::valid::{action, cron, finished, fork, mobile, promotion, push, rounds, tag};
use catena_testbed::Chain;

const NOT_PERMITTED: &str = "signature-key-not-permitted";

fn unchanged(_: &mut Chain) -> Option<()> {
    Some(())
}

/// Changes the worker of a task in the queue and in the document.
fn ran_by(chain: &mut Chain, id: &str, worker: &str) -> Option<()> {
    crate::change::run_has(chain, id, "0", &[("workerId", worker)])?;
    crate::change::document_of(chain, id, |document| crate::change::set(document, &["workerId"], worker))
}

pub(super) const ATTACKS: &[Attack] = &[
    attack(
        "key of the trust file for another product",
        &[W],
        "The key that signed the images of a release belongs to the workers of another product.",
        push,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", products: [thunderbird, xpi]", "", "")),
    attack(
        "signing key of another product",
        &[W],
        "An earlier signing task's key is permitted for another product's signing tasks only.",
        rounds,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!("", "", ", products: [thunderbird]")),
    attack(
        "key for other worker pools",
        &[W],
        "The key that signed a build is permitted for worker pools of level 1 only.",
        cron,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", worker-pools: ['gecko-1/*', 'releng-*/*']", "", "")),
    attack(
        "key for decision tasks used for a build",
        &[W],
        "A key that is permitted for decision tasks only signed the document of a build.",
        mobile,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", worker-pools: ['*/decision']", "", "")),
    attack(
        "key for a worker pool with the same prefix",
        &[W],
        "A key is permitted for pools with one more letter in their name, and signed for the pools \
         without it.",
        action,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", worker-pools: ['gecko-3x*/*', 'xgecko-3/*']", "", "")),
    attack(
        "key for level 1",
        &[W, T],
        "The key that signed a release promotion's documents is permitted for tasks of level 1 only.",
        promotion,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", levels: [1]", "", "")),
    attack(
        "key for levels 1 and 2",
        &[W, T],
        "A key for the lower levels signed the document of a finished signing task of level 3.",
        finished,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!("", "", ", levels: [1, 2]")),
    attack(
        "key for the workers of another group",
        &[W],
        "A key is permitted for the workers of one group, and a worker of another group signed with \
         it.",
        tag,
        unchanged,
        NOT_PERMITTED,
    )
    .under(trusted!(", workers: ['elsewhere/*']", "", "")),
    attack(
        "key used by a second worker",
        &[W],
        "A key is permitted for one worker, and a worker whose name has that worker's name as a \
         prefix signed with it.",
        push,
        |c| {
            let ids = [first_decision(c)?, first_build(c)?];
            ids.iter().try_for_each(|id| ran_by(c, id, "the-worker-2"))
        },
        NOT_PERMITTED,
    )
    .under(trusted!(", workers: ['*/the-worker']", "", "")),
    attack(
        "key only in a key file",
        &[W, S],
        "A key file has the key that signed a build, and the trust file does not.",
        push,
        unchanged,
        "signature-unknown-key",
    )
    .under(
        "catena-policy: 1\ntrusted-keys:\n- {id: s, scheme: ed25519, key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, worker-implementations: [scriptworker]}\n- {id: o, scheme: ed25519, key: KO3FX9JnNga/XViTRBiUMHYnji9Fu3s332sU2lXjSwE=, worker-implementations: [docker-worker, generic-worker]}\n- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, worker-implementations: [docker-worker, generic-worker]}\n",
    ),
    attack(
        "key that a policy layer adds to the trust file",
        &[W, S],
        "A layer of the policy lists the key that signed an image, and the trust file does not.",
        fork,
        unchanged,
        "signature-unknown-key",
    )
    .under(
        "catena-policy: 1\ntrusted-keys:\n- {id: s, scheme: ed25519, key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, worker-implementations: [scriptworker]}\n- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, worker-implementations: [docker-worker, generic-worker]}\ndefaults: {keys: {docker-worker: [S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=]}}\n",
    ),
    attack(
        "key of the trust file for another implementation",
        &[W],
        "The trust file lists an earlier signing task's key for generic-worker only; a key file \
         lists it for scriptworker.",
        rounds,
        |c| signer(c).map(drop),
        "signature-no-keys",
    )
    .under(
        "catena-policy: 1\ntrusted-keys:\n- {id: d, scheme: ed25519, key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, worker-implementations: [docker-worker]}\n- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, worker-implementations: [docker-worker, generic-worker]}\n- {id: o, scheme: ed25519, key: jFmyvf3lQiiX0qIFxal5KgIIq6VpUBTQfAtD6hEi8Ms=, worker-implementations: [scriptworker]}\n- {id: s, scheme: ed25519, key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, worker-implementations: [generic-worker]}\n",
    ),
    attack(
        "key compromised before the run",
        &[W],
        "The trust file has a key that was revoked later, with a compromise before the run of a \
         build.",
        push,
        unchanged,
        "signature-key-revoked",
    )
    .under(trusted!(
        "",
        ", revoked-at: '2026-09-01T00:00:00Z', compromised-from: '2026-08-12T00:00:00Z', reason: stolen",
        ""
    )),
    attack(
        "key compromised from the start",
        &[S, W],
        "The trust file has a key that was compromised from the start.",
        promotion,
        unchanged,
        "signature-key-revoked",
    )
    .under(trusted!(", revoked-at: '2027-01-01T00:00:00Z', compromised-from: always, reason: shared", "", "")),
    attack(
        "key of the trust file that a list of keys limits",
        &[W],
        "The trust file has a key without limits, and a list under another implementation states \
         that it has expired.",
        push,
        unchanged,
        "signature-key-expired",
    )
    .under(concat!(
        trusted!("", "", ""),
        "defaults: {keys: {scriptworker: {add: [{key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, not-after: '2026-08-01T00:00:00Z'}]}}}\n"
    )),
    attack(
        "key of the trust file before its start",
        &[W],
        "A key of the trust file becomes valid a day after the release that it signed.",
        tag,
        unchanged,
        "signature-key-not-yet-valid",
    )
    .under(trusted!(", not-before: '2026-08-13T00:00:00Z'", "", "")),
];
