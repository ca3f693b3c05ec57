//! What is wanted: patterns, routes of the index, lists.

use crate::case::{ARCHIVE, Case, sha256};
use crate::support::children;
use std::path::Path;

#[test]
fn patterns_mean_what_the_document_names() {
    let case = Case::new();
    let answer = case.fetch(&[&case.task(), "public/build/*.tar.gz", "--keys", "keys.json", "--extract"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tools/cc"), b"#!/bin/sh\n");
    assert_eq!(std::fs::read_link(case.dest().join("tools/cc")).unwrap(), Path::new("bin/cc"));
    assert_eq!(children(&case.dest()).len(), 1);
    let none = case.fetch(&[&case.task(), "public/none*", "--keys", "keys.json"]);
    assert_eq!(none.status, 1, "{}", none.stderr);
}

#[test]
fn a_route_of_the_index_is_pinned_and_told() {
    let case = Case::new();
    let answer = case.fetch(&["index:a.b", &case.name, "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let pinned = format!("{}/{}", case.build, case.run);
    assert!(
        answer.stderr.contains(&pinned) && answer.stdout.contains(&pinned),
        "{}{}",
        answer.stderr,
        answer.stdout
    );
    let absent = case.fetch(&["index:a.c", &case.name, "--keys", "keys.json"]);
    assert_eq!(absent.status, 3, "{}", absent.stderr);
}

#[test]
fn a_list_names_what_to_fetch() {
    let case = Case::new();
    let list = format!(
        "- task: {}\n  run: {}\n  artifact: {}\n  sha256: {}\n  dest: one\n- index: a.b\n  artifact: {ARCHIVE}\n  extract: true\n",
        case.build,
        case.run,
        case.name,
        sha256(&case.content)
    );
    std::fs::write(case.room.path().join("list.yml"), list).unwrap();
    let answer = case.fetch(&["--from", "list.yml", "--keys", "keys.json"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(children(&case.dest()).len(), 2);
    // The caller's digest and the document's contradict each other.
    let wrong = format!(
        "[{{\"task\": \"{}\", \"artifact\": \"{}\", \"sha256\": \"{}\"}}]",
        case.build,
        case.name,
        sha256(b"x")
    );
    std::fs::write(case.room.path().join("list.yml"), wrong).unwrap();
    let answer = case.fetch(&["--from", "list.yml", "--keys", "keys.json"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("fetch-digest-contradicts"), "{}", answer.stderr);
}

#[test]
fn what_is_wrong_in_the_call_is_said_before_anything_is_requested() {
    let case = Case::new();
    let requests = case.testbed.requests().len();
    let named = ["--keys", "keys.json"];
    let refused = |arguments: &[&str], told: &str| {
        let answer = case.fetch(&[arguments, &named].concat());
        assert!(answer.status == 2 && answer.stderr.contains(told), "{} {}", answer.status, answer.stderr);
    };
    refused(&[&case.task(), "../x"], "../x");
    std::fs::write(case.room.path().join("list.yml"), "\n").unwrap();
    refused(&["--from", "list.yml"], "list.yml is empty");
    std::fs::write(case.dest(), "a file").unwrap();
    refused(&[&case.task(), &case.name], "is not a directory");
    assert_eq!(case.testbed.requests().len(), requests);
}
