//! In the place of mach.

use crate::case::{ARCHIVE, Case, archive, sha256};
use catena_testbed::Fault;
use serde_json::{Value, json};

#[test]
fn toolchains_of_tasks_and_of_tooltool() {
    let case = Case::new();
    std::fs::create_dir(case.dest()).unwrap();
    let digest = sha256(&case.content);
    let url = format!("{}/_store/{}/{}/{}", case.testbed.root_url(), case.build, case.run, case.name);
    case.testbed.fault("/tooltool/*", .., Fault::Redirect(url));
    let manifest = |digest: &str| {
        let entry =
            json!({"filename": "tool", "size": case.content.len(), "algorithm": "sha256", "digest": digest});
        std::fs::write(case.room.path().join("manifest.tt"), json!([entry]).to_string()).unwrap();
    };
    let run = || {
        let mut catena = case.catena();
        catena.command().current_dir(case.dest());
        let from = format!("{}:{ARCHIVE}", case.build);
        catena.args(["toolchain", "--from-task", &from, "--tooltool-manifest", "../manifest.tt"]);
        catena.arg("--tooltool-url").arg(format!("{}/tooltool", case.testbed.root_url()));
        catena.args(["--retry", "1", "--cache-dir", "../cache", "--cache-key", "../state/key"]);
        catena.args(["--artifact-manifest", "../toolchains.json", "-v"]);
        // The machine's cache is not that of a task that names its own.
        catena.env("CATENA_CACHE", case.room.path().join("machine"));
        catena.args(["--keys", "../keys.json"]).run()
    };
    std::fs::create_dir(case.room.path().join("state")).unwrap();
    manifest(&digest);
    let answer = run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(case.read("tool"), case.content);
    assert_eq!(case.read("tools/README"), b"read me\n");
    let written = std::fs::read_to_string(case.room.path().join("toolchains.json")).unwrap();
    let written: serde_json::Map<String, Value> = serde_json::from_str(&written).unwrap();
    assert_eq!(written.len(), 2);
    for (url, entry) in written {
        let expected = if url.ends_with(ARCHIVE) { sha256(&archive()) } else { digest.clone() };
        assert_eq!(entry, json!({"sha256": expected}), "{url}");
    }
    assert!(case.room.path().join("cache").is_dir() && !case.room.path().join("machine").exists());
    let mut older = case.catena();
    older.args(["toolchain", "--skip-cache", "--keys", "keys.json", "--no-unpack"]);
    let answer = older.env("MOZ_TOOLCHAINS", format!("{ARCHIVE}@{}", case.build)).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(std::fs::read(case.room.path().join("tools.tar.gz")).unwrap(), archive());
    let answer = case.catena().args(["toolchain", "--from-build", "linux64-clang"]).run();
    assert_eq!(answer.status, 2, "{}", answer.stderr);
    manifest(&sha256(b"x"));
    let answer = run();
    assert_eq!(answer.status, 1, "{}", answer.stderr);
}
