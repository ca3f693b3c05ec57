//! The tools of scriptworker under their old names.

use super::case::{Case, altered, push};
use super::support::Catena;
use catena_testbed::seeds::SearchedDir;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

#[test]
fn the_old_tools_are_there_and_also_by_their_links() {
    let room = SearchedDir::new().unwrap();
    let link = |name: &str| {
        let link = room.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_catena"), &link).unwrap();
        let mut command = Command::new(link);
        command.current_dir(room.path());
        command
    };
    let generated = link("gen_ed25519_key").arg("x").output().unwrap();
    assert!(generated.status.success() && generated.stdout.is_empty(), "{generated:?}");
    let private = room.path().join("x_private_key");
    assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
    let public = std::fs::read_to_string(room.path().join("x_public_key")).unwrap();
    assert_eq!(public.len(), 44);
    // A key is never overwritten.
    let again =
        Catena::new().args(["gen-ed25519-key", "x"]).command().current_dir(room.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(2));

    let seed = std::fs::read_to_string(&private).unwrap();
    let key = catena_keys::SigningKey::parse_base64(&seed).unwrap();
    std::fs::write(room.path().join("file"), "content").unwrap();
    std::fs::write(room.path().join("file.sig"), key.sign(b"content").as_bytes()).unwrap();
    let mut verify = link("verify_ed25519_signature");
    let good = verify.args(["--pubkey", "x_public_key", "file", "file.sig"]).output().unwrap();
    let expected = format!("Verified good with given seed {public} !\n");
    assert_eq!((good.status.code(), String::from_utf8(good.stderr).unwrap()), (Some(0), expected));
    let verify = |arguments: &[&str]| {
        let mut catena = Catena::new();
        catena.arg("verify-ed25519-signature").args(arguments).command().current_dir(room.path());
        catena.run()
    };
    let bad = verify(&["file", "file.sig"]);
    assert_eq!((bad.status, bad.stderr.as_str()), (1, "This is not a valid signature!\n"));
    std::fs::write(room.path().join("file"), "other").unwrap();
    assert_eq!(verify(&["--pubkey", "x_public_key", "file", "file.sig"]).status, 1);
}

#[test]
fn a_test_directory_has_the_inputs_that_their_documents_name() {
    let case = Case::new(push());
    let path = |name: &str| case.path(name).to_str().unwrap().to_owned();
    let create = |more: &[&str]| {
        let mut catena = case.catena();
        catena.args(["create-test-workdir", &case.target]).args(more).run()
    };
    let answer = create(&[]);
    assert_eq!((answer.status, answer.stdout.as_str()), (0, ""), "{}", answer.stderr);
    assert!(answer.stderr.ends_with("Done.\n"), "{}", answer.stderr);
    let task: Value =
        serde_json::from_str(&std::fs::read_to_string(path("work/task.json")).unwrap()).unwrap();
    let mut inputs = 0;
    for upstream in task["payload"]["upstreamArtifacts"].as_array().unwrap() {
        for name in upstream["paths"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            if upstream["optional"] != json!(true) {
                let below = format!("work/cot/{}/{name}", upstream["taskId"].as_str().unwrap());
                assert!(case.path(&below).is_file(), "{below}");
                inputs += 1;
            }
        }
    }
    assert!(inputs > 0);
    let answer = create(&[]);
    assert_eq!(answer.status, 1);
    assert!(answer.stderr.contains("--overwrite"), "{}", answer.stderr);
    std::fs::write(path("work/old"), "").unwrap();
    assert_eq!(create(&["--overwrite", "--path", &path("work")]).status, 0);
    assert!(!case.path("work/old").exists());
}

#[test]
fn a_test_directory_with_an_altered_input_is_not_made() {
    let (chain, _, name) = altered();
    let case = Case::new(chain);
    std::fs::create_dir(case.path("work")).unwrap();
    let link = case.path("create_test_workdir");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_catena"), &link).unwrap();
    let mut catena = case.catena();
    let command = catena.args([&case.target, "--overwrite"]).command();
    let (arguments, variables): (Vec<_>, Vec<_>) = (
        command.get_args().collect(),
        command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect(),
    );
    let answer = Command::new(link)
        .args(arguments)
        .env_clear()
        .envs(variables)
        .current_dir(case.path(""))
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(1));
    let told = String::from_utf8(answer.stderr).unwrap();
    assert!(told.contains("the SHA-256") && told.contains(&name), "{told}");
    // The old directory is still there, and nothing else.
    assert_eq!(std::fs::read_dir(case.path("work")).unwrap().count(), 0);
    let entries = std::fs::read_dir(case.path("")).unwrap();
    assert!(entries.flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with(".tmp")));
}

#[test]
fn verify_cot_has_its_old_arguments_and_statuses() {
    let case = Case::new(push());
    let verify = |more: &[&str]| {
        let mut catena = case.catena();
        catena.args([
            "verify-cot",
            &case.target,
            "--task-type",
            &case.kind,
            "--cot-product",
            &case.product,
            "--no-check-task",
        ]);
        catena.args(more).run()
    };
    // Without --verify-sigs signatures do not count; with it the keys that ship do not know the testbed's.
    assert_eq!(verify(&[]).status, 0);
    assert_eq!(verify(&["--verify-sigs", "--cleanup", "-v"]).status, 1);
    assert_eq!(case.catena().args(["verify-cot", &case.target]).run().status, 2);
}
