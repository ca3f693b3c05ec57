//! The cache of several tasks.

use crate::case::{ARCHIVE, Case, sha256};
use crate::support::Catena;
use serde_json::Value;

/// What one task downloaded the next one has, and nothing that was altered meanwhile.
#[test]
fn the_cache_is_used_and_not_trusted() {
    let case = Case::new();
    let fetch = |more: &[&str]| {
        let task = case.task();
        let arguments =
            [&[task.as_str(), ARCHIVE, &case.name, "--keys", "keys.json", "--format", "json"], more];
        let answer = case
            .catena()
            .args(arguments.concat())
            .args(["--cache", "cache"])
            .arg("--dest")
            .arg(case.dest())
            .run();
        assert_eq!(answer.status, 0, "{}", answer.stderr);
        let told: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!(case.read(case.file()), case.content);
        std::fs::remove_dir_all(case.dest()).unwrap();
        told["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["cached"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    let cache = |command: &str, more: &[&str]| {
        let mut catena = Catena::new();
        catena.command().current_dir(case.room.path());
        catena.args(["cache", command, "--cache", "cache"]).args(more).run()
    };
    let environment = case.room.path().join("state");
    std::fs::create_dir(&environment).unwrap();
    assert_eq!(fetch(&["--extract", "--cache-key", "state/key"]), [false, false]);
    assert_eq!(fetch(&["--extract", "--cache-key", "state/key"]), [true, true]);
    let stored = || {
        let requests = case.testbed.requests().into_iter();
        requests
            .filter(|request| request.url.contains("_store") && request.url.contains("tools.tar.gz"))
            .count()
    };
    let before = stored();
    assert_eq!(fetch(&["--cache-links", "--cache-key", "state/key"]), [true, true]);
    assert_eq!(stored(), before);
    let answer = cache("verify", &[]);
    assert!(answer.stdout.contains("all as it was written"), "{answer:?}");

    let name = sha256(&case.content);
    let shelf: String = name.chars().take(2).collect();
    let blob = case.room.path().join("cache/v1/blobs").join(shelf).join(&name);
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, "altered").unwrap();
    assert_eq!(fetch(&["--cache-key", "state/key"]), [true, false]);
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, "altered").unwrap();
    let answer = cache("verify", &[]);
    assert!(answer.stdout.contains("1 not as written") && !blob.exists(), "{answer:?}");
    let answer = cache("prune", &["--size", "0"]);
    assert!(answer.stdout.contains("1 file removed"), "{answer:?}");
    assert_eq!(fetch(&["--cache-key", "state/key"]), [false, false]);
}
