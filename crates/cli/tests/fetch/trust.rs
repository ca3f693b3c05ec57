//! How far files are verified, by what, and what is refused.

use crate::case::{ARCHIVE, Case, sha256};
use crate::support::children;
use catena_testbed::chain::Implementation;
use catena_testbed::{Artifact, Fault};
use serde_json::Value;
use std::time::Duration;

#[test]
fn the_strongest_trust_is_the_default_and_is_told() {
    let case = Case::new();
    let digest = sha256(&case.content);
    for (options, trust) in [
        (case.chain().to_vec(), "chain"),
        (vec!["--keys", "keys.json"], "signature"),
        (vec!["--sha256", &digest], "hash"),
        (vec!["--danger-unverified"], "none"),
        ([&case.chain()[..], &["--trust", "signature"]].concat(), "signature"),
    ] {
        let answer = case.fetch(&[&[case.task().as_str(), &case.name], options.as_slice()].concat());
        assert_eq!(answer.status, 0, "{options:?}: {}", answer.stderr);
        let told = format!("{trust:<9} sha256:{digest}");
        assert!(answer.stdout.starts_with(&told), "{options:?}: {}", answer.stdout);
        assert_eq!(case.read(case.file()), case.content);
        assert_eq!(children(&case.dest()).len(), 1);
        std::fs::remove_dir_all(case.dest()).unwrap();
    }
}

#[test]
fn without_anything_to_hold_files_against_nothing_is_fetched() {
    let case = Case::new();
    let answer = case.fetch(&[&case.task(), &case.name]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let answer = case.fetch(&[&case.task(), &case.name, "--trust", "chain", "--keys", "keys.json"]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let pattern = case.fetch(&[&case.task(), "public/*", "--danger-unverified"]);
    assert_eq!(pattern.status, 2, "{}", pattern.stderr);
    case.nothing_is_left();
    assert!(case.testbed.requests().iter().all(|request| !request.url.contains("_store")));
}

#[test]
fn an_altered_artifact_is_refused_with_both_digests() {
    let case = Case::new();
    case.testbed.fault("/_store/*", .., Fault::Replace(b"altered".to_vec().into()));
    let digest = sha256(&case.content);
    let answer = case.fetch(&[&case.task(), &case.name, "--sha256", &digest]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-mismatch"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains(&digest) && answer.stderr.contains(&sha256(b"altered")),
        "{}",
        answer.stderr
    );
    case.nothing_is_left();
}

#[test]
fn an_altered_artifact_of_a_verified_chain_is_refused() {
    let case = Case::bent(|chain, build| {
        chain.artifact_mut(build, ARCHIVE).unwrap().body = b"altered".to_vec().into();
    });
    let answer = case.fetch(&[&[case.task().as_str(), ARCHIVE, "--extract"], &case.chain()[..]].concat());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-mismatch"), "{}", answer.stderr);
    case.nothing_is_left();
}

#[test]
fn what_the_signed_document_does_not_name_is_refused() {
    let case = Case::bent(|chain, build| {
        let artifacts = chain.artifacts_mut(build).unwrap();
        artifacts.insert("public/unsigned".to_owned(), Artifact::new(b"x".to_vec(), "text/plain"));
    });
    for options in [case.chain().to_vec(), vec!["--keys", "keys.json"]] {
        let answer = case.fetch(&[&[case.task().as_str(), "public/unsigned"], options.as_slice()].concat());
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains("fetch-not-named"), "{}", answer.stderr);
        case.nothing_is_left();
    }
}

#[test]
fn a_document_that_no_trusted_key_signed_is_refused() {
    let case = Case::bent(|chain, build| chain.signature_mut(build).unwrap()[7] ^= 1);
    for (options, code) in
        [(case.chain().to_vec(), "signature-"), (vec!["--keys", "keys.json"], "fetch-unknown-key")]
    {
        let answer = case.fetch(&[&[case.task().as_str(), &case.name], options.as_slice()].concat());
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(code), "{}", answer.stderr);
        case.nothing_is_left();
    }
}

/// A signature says nothing of where the task came from; the chain does.
#[test]
fn a_chain_that_is_not_verified_is_refused_though_the_signature_is_right() {
    let case = Case::bent(|chain, build| {
        let definition = chain.definition_mut(build).unwrap();
        let env = definition.get_mut("payload").and_then(|payload| payload.get_mut("env")).unwrap();
        env.as_object_mut().unwrap().insert("EVIL", "1".into());
        chain.redocument(build);
    });
    let answer = case.fetch(&[&[case.task().as_str(), &case.name], &case.chain()[..]].concat());
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    case.nothing_is_left();
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
}

/// Every worker implementation has keys of its own, and no key vouches for what another implementation ran.
#[test]
fn a_key_of_another_worker_implementation_is_refused() {
    let case = Case::bent(|chain, build| {
        let other = chain.keys.signing_key(Implementation::Scriptworker);
        chain.tasks.get_mut(build).unwrap().document.as_mut().unwrap().sign(other);
    });
    for (options, code) in [
        (case.chain().to_vec(), "signature-other-implementation"),
        (vec!["--keys", "keys.json"], "fetch-other-implementation"),
        ([&case.chain()[..], &["--trust", "signature"]].concat(), "fetch-other-implementation"),
    ] {
        let answer = case.fetch(&[&[case.task().as_str(), &case.name], options.as_slice()].concat());
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        assert!(answer.stderr.contains(code), "{code}: {}", answer.stderr);
        case.nothing_is_left();
    }
}

/// What a document says of its own task is the word of the one who signed it.
#[test]
fn a_document_does_not_choose_whose_keys_count() {
    let case = Case::bent(|chain, build| {
        let other = chain.keys.signing_key(Implementation::Scriptworker);
        let document = chain.tasks.get_mut(build).unwrap().document.as_mut().unwrap();
        let task = document.value.get_mut("task").and_then(|task| task.as_object_mut()).unwrap();
        for (key, value) in [("provisionerId", "scriptworker-k8s"), ("workerType", "gecko-3-signing")] {
            task.insert(key, value.into());
        }
        task.insert("payload", catena_json::Value::Object(catena_json::Map::default()));
        task.insert("tags", catena_json::Value::Object(catena_json::Map::default()));
        document.sign(other);
    });
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-other-implementation"), "{}", answer.stderr);
    case.nothing_is_left();
}

/// Several documents: requested at the same time, and judged in the order of the list, whichever comes first.
#[test]
fn documents_are_requested_at_once_and_judged_in_order() {
    let mut builds = Vec::new();
    let case = Case::bent(|chain, _| {
        builds.clone_from(&chain.builds);
        builds.iter().for_each(|build| chain.signature_mut(build).unwrap()[7] ^= 1);
    });
    // Not in the order of their ids.
    builds.sort_by(|one, other| other.cmp(one));
    let slow = |build: &str, milliseconds| {
        let address = format!("/api/queue/v1/task/{build}/runs/*/public/chain-of-trust.json");
        case.testbed.fault(&address, .., Fault::Delay(Duration::from_millis(milliseconds)));
    };
    slow(&builds[0], 2000);
    slow(&builds[1], 1000);
    let list = builds.iter().map(|build| format!("- {{task: {build}, artifact: public/x}}\n"));
    std::fs::write(case.room.path().join("list.yml"), list.collect::<String>()).unwrap();
    for (jobs, are_at_once) in [("2", true), ("1", false)] {
        let before = case.testbed.requests().len();
        let answer = case.fetch(&["--from", "list.yml", "--keys", "keys.json", "--jobs", jobs]);
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        let refused = format!("signed the document of {}/0", builds[0]);
        assert!(answer.stderr.contains(&refused), "{refused}: {}", answer.stderr);
        let requests = case.testbed.requests().into_iter().skip(before).map(|request| request.url);
        let documents: Vec<String> = requests.filter(|url| url.ends_with("chain-of-trust.json")).collect();
        let both = documents[..2].iter().all(|url| url.contains("/api/"));
        assert_eq!(both, are_at_once, "{documents:?}");
        case.nothing_is_left();
    }
}

/// What the document says in one algorithm says nothing of what the caller says in another: both count.
#[test]
fn a_digest_of_another_algorithm_than_the_documents_counts() {
    let mut name = String::new();
    let case = Case::bent(|chain, build| {
        let mut names = chain.artifacts_mut(build).unwrap().keys();
        name.clone_from(names.find(|name| name.starts_with("public/build/") && *name != ARCHIVE).unwrap());
        let body = &chain.artifact_mut(build, &name).unwrap().body;
        let mut content = Vec::new();
        body.for_each(|chunk| {
            content.extend_from_slice(chunk);
            Ok(())
        })
        .unwrap();
        let digest = hex::encode(<sha2::Sha512 as sha2::Digest>::digest(&content));
        let digest = catena_json::parse(
            format!("{{\"sha512\":\"{digest}\"}}").as_bytes(),
            &catena_json::Limits::default(),
        );
        let artifacts = chain.document_mut(build).unwrap().get_mut("artifacts").unwrap();
        artifacts.as_object_mut().unwrap().insert(name.as_str(), digest.unwrap());
        assert!(chain.resign(build));
    });
    assert_eq!(case.name, name);
    let (right, wrong) = (sha256(&case.content), sha256(b"x"));
    for trust in ["signature", "chain"] {
        let fetch = |digest: &str| {
            let asked = [case.task(), case.name.clone()];
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            case.fetch(&[&asked[..], &case.chain()[..], &["--trust", trust, "--sha256", digest]].concat())
        };
        let answer = fetch(&wrong);
        assert_eq!(answer.status, 1, "{trust}: {}", answer.stdout);
        assert!(answer.stderr.contains("fetch-mismatch"), "{trust}: {}", answer.stderr);
        case.nothing_is_left();
        let answer = fetch(&right);
        assert_eq!(answer.status, 0, "{trust}: {}", answer.stderr);
        std::fs::remove_dir_all(case.dest()).unwrap();
    }
}

/// With plain http anybody on the way may have answered for the tree: no chain is proven.
#[test]
fn a_chain_over_plain_http_is_not_told_as_one() {
    let case = Case::new();
    let record = case.room.path().join("inputs.json");
    let more = ["--danger-allow-http", "--record", record.to_str().unwrap()];
    let fetch = |trust: &[&str]| {
        case.fetch(&[&[case.task().as_str(), &case.name], &case.chain()[..], &more, trust].concat())
    };
    let answer = fetch(&[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("signature "), "{}", answer.stdout);
    let recorded = std::fs::read_to_string(&record).unwrap();
    assert!(recorded.contains("\"signature\"") && !recorded.contains("\"chain\""), "{recorded}");
    std::fs::remove_dir_all(case.dest()).unwrap();
    let answer = fetch(&["--trust", "chain"]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    case.nothing_is_left();
}

/// The policy knows which provisioners are scriptworker's; without it such a definition tells nothing.
#[test]
fn whose_keys_count_is_told_by_the_definition_and_the_policy() {
    let bend = |provisioner: &'static str| {
        Case::bent(move |chain, build| {
            let definition = chain.definition_mut(build).unwrap().as_object_mut().unwrap();
            definition.insert("provisionerId", provisioner.into());
            definition.insert("taskQueueId", format!("{provisioner}/gecko-3-signing").as_str().into());
            definition.insert("workerType", "gecko-3-signing".into());
            definition.insert("scopes", catena_json::Value::Array(Vec::new()));
            for member in ["payload", "tags"] {
                definition.insert(member, catena_json::Value::Object(catena_json::Map::default()));
            }
            chain.tasks.get_mut(build).unwrap().implementation = Implementation::Scriptworker;
            assert!(chain.redocument(build));
        })
    };
    let case = bend("scriptworker-k8s");
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let case = bend("elsewhere");
    let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-unknown-implementation"), "{}", answer.stderr);
    case.nothing_is_left();
}

/// A key that is limited signs for the pool and the worker that the queue names, whatever its document says.
#[test]
fn a_limited_key_signs_for_what_the_queue_says() {
    let case = Case::bent(|chain, build| {
        let document = chain.document_mut(build).unwrap();
        let task = document.get_mut("task").and_then(|task| task.as_object_mut()).unwrap();
        for (key, value) in [("provisionerId", "lower"), ("workerType", "w"), ("taskQueueId", "lower/w")] {
            task.insert(key, value.into());
        }
        document.as_object_mut().unwrap().insert("workerId", "another".into());
        assert!(chain.resign(build));
    });
    let keys: Value =
        serde_json::from_slice(&std::fs::read(case.room.path().join("keys.json")).unwrap()).unwrap();
    let fetch = |limit: &str| {
        let mut file = "catena-policy: 1\ntrusted-keys:\n".to_owned();
        let implementations = "[docker-worker, generic-worker]";
        for (number, key) in keys["docker-worker"].as_array().unwrap().iter().enumerate() {
            file +=
                &format!("  - id: key-{number}\n    scheme: ed25519\n    key: {}\n", key.as_str().unwrap());
            file += &format!("    worker-implementations: {implementations}\n    {limit}\n");
        }
        std::fs::write(case.room.path().join("trust.yml"), file).unwrap();
        let policy = "catena-policy: 1\nextends: [shipped:firefox-ci, trust.yml]\n";
        std::fs::write(case.room.path().join("policy.yml"), policy).unwrap();
        let answer = case.fetch(&[&case.task(), &case.name, "--keys", "keys.json", "--policy", "policy.yml"]);
        (answer.status, answer.stderr)
    };
    for limit in ["worker-pools: ['lower/*']", "workers: ['*/another']"] {
        let (status, told) = fetch(limit);
        assert!(status == 1 && told.contains("fetch-key-not-permitted"), "{limit}: {told}");
        case.nothing_is_left();
    }
    for limit in ["worker-pools: ['*/*']", "workers: ['*/*']"] {
        let (status, told) = fetch(limit);
        assert_eq!(status, 0, "{limit}: {told}");
    }
}
