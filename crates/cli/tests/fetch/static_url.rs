//! Files that no task made.

use crate::case::{ARCHIVE, Case, archive, listed, sha256};
use catena_testbed::Artifact;
use std::path::Path;
use std::process::Command;

#[test]
fn a_static_file_is_held_against_digest_and_length() {
    let case = Case::new();
    let url = format!("{}/_store/{}/{}/{}", case.testbed.root_url(), case.build, case.run, case.name);
    let run = |digest: &str, size: usize| {
        let size = size.to_string();
        case.catena()
            .args(["static-url", &url, "fetches/file", "--sha256", digest, "--size", &size, "-H", "x: a:b"])
            .run()
    };
    let digest = sha256(&case.content);
    let answer = run(&digest, case.content.len());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("file"), case.content);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for (digest, size) in [
        (sha256(b"x"), case.content.len()),
        (digest.clone(), case.content.len() - 1),
        (digest, case.content.len() + 1),
    ] {
        let answer = run(&digest, size);
        assert_eq!(answer.status, 1, "{}", answer.stderr);
        case.nothing_is_left();
    }
}

#[test]
fn a_static_archive_is_packed_anew() {
    let case = Case::new();
    let url = format!("{}/_store/{}/{}/{ARCHIVE}", case.testbed.root_url(), case.build, case.run);
    let (digest, size) = (sha256(&archive()), archive().len().to_string());
    let run = |dest: &str, more: &[&str]| {
        case.catena().args(["static-url", &url, dest, "--sha256", &digest, "--size", &size]).args(more).run()
    };
    let answer = run("fetches/tools.tar.zst", &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let members = ["tools/README: read me", "tools/bin/cc: #!/bin/sh", "tools/cc -> bin/cc"];
    assert_eq!(listed(&case.dest().join("tools.tar.zst")), members);
    let answer = run("fetches/tools.tar.zst", &["--strip-components", "1", "--add-prefix", "new/"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let members = ["new/README: read me", "new/bin/cc: #!/bin/sh", "new/cc -> bin/cc"];
    assert_eq!(listed(&case.dest().join("tools.tar.zst")), members);
    // What has no archive's name is not made an archive of, and a refusal leaves nothing.
    std::fs::remove_dir_all(case.dest()).unwrap();
    let answer = run("fetches/tools.zip", &[]);
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    let answer = run("fetches/tools.tar.zst", &["--strip-components", "3"]);
    assert_eq!(answer.status, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("archive-unsupported"), "{}", answer.stderr);
    case.nothing_is_left();
}

/// The key must be fit to sign now; gpg itself ends with 0 for the expired and the revoked one.
#[test]
fn a_static_file_is_signed_by_a_key_that_may() {
    if Command::new("gpg").arg("--version").output().is_err() {
        eprintln!("gpg is not installed: no signature is verified");
        return;
    }
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/openpgp"));
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let case = Case::bent(|chain, build| {
        let artifacts = chain.artifacts_mut(build).unwrap();
        for name in ["file", "good.sig", "expiring.sig", "revoked.sig", "sha1.sig", "subkey.sig", "other.sig"]
        {
            artifacts.insert(format!("public/{name}"), Artifact::new(read(name), "application/octet-stream"));
        }
    });
    let url =
        |name: &str| format!("{}/_store/{}/{}/public/{name}", case.testbed.root_url(), case.build, case.run);
    let (digest, size) = (sha256(&read("file")), read("file").len().to_string());
    let run = |signature: &str, key: &str| {
        let mut catena = case.catena();
        catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
        catena.env("PATH", std::env::var_os("PATH").unwrap());
        catena.args(["--gpg-sig-url", &url(signature), "--gpg-key-path"]).arg(data.join(key)).run()
    };
    let answer = run("good.sig", "good.key");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("GPG signature verified!"), "{}", answer.stderr);
    // Its owner extended the key.
    let answer = run("expiring.sig", "extended.key");
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for (signature, key, code) in [
        ("expiring.sig", "expiring.key", "fetch-gpg-key"),
        ("revoked.sig", "revoked.key", "fetch-gpg-key"),
        ("subkey.sig", "subkey-revoked.key", "fetch-gpg-key"),
        ("subkey.sig", "subkey.key", "fetch-gpg-key"),
        ("good.sig", "revoked.key", "fetch-gpg-unknown-key"),
        ("other.sig", "good.key", "fetch-gpg-unknown-key"),
        ("sha1.sig", "good.key", "fetch-gpg-malformed"),
        ("file", "good.key", "fetch-gpg-malformed"),
    ] {
        let answer = run(signature, key);
        assert_eq!(answer.status, 1, "{signature}: {}", answer.stderr);
        assert!(answer.stderr.contains(code), "{signature}: {}", answer.stderr);
        case.nothing_is_left();
    }
    let mut catena = case.catena();
    catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
    catena.args(["--gpg-sig-url", &url("good.sig"), "--gpg-key-env", "KEY"]);
    catena.env("PATH", std::env::var_os("PATH").unwrap());
    let answer = catena.env("KEY", String::from_utf8(read("good.key")).unwrap()).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(!answer.stderr.contains("BEGIN PGP"), "{}", answer.stderr);
    // One without the other.
    let mut catena = case.catena();
    catena.args(["static-url", &url("file"), "fetches/file", "--sha256", &digest, "--size", &size]);
    assert_eq!(catena.args(["--gpg-sig-url", &url("good.sig")]).run().status, 2);
}
