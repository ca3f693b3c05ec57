//! Trust files over the keys of the testbed's workers.

/// A trust file with the keys of the three workers, each with what else limits it.
macro_rules! trusted {
    ($docker:literal, $generic:literal, $script:literal) => {
        concat!(
            "catena-policy: 1\ntrusted-keys:\n",
            "- {id: d, scheme: ed25519, key: S7Z13k9jdqthc3Az1wFWDkQ0vh1nNlYq4puINbdjzSQ=, ",
            "worker-implementations: [docker-worker]",
            $docker,
            "}\n",
            "- {id: g, scheme: ed25519, key: gQ+U2JA57uEdkn9x4qnkVQy9owbUzY5az2AgiF7TgaE=, ",
            "worker-implementations: [docker-worker, generic-worker]",
            $generic,
            "}\n",
            "- {id: s, scheme: ed25519, key: ADoRIVFV9NRFqmMCtF+XkHm/O04IfJiWhw4JirZ5zMk=, ",
            "worker-implementations: [scriptworker]",
            $script,
            "}\n",
        )
    };
}

pub(crate) use trusted;
