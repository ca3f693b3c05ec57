//! How far files are verified, by what, and what is refused.

use crate::case::{ARCHIVE, Case, sha256};
use crate::support::children;
use catena_testbed::{Artifact, Fault};

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
