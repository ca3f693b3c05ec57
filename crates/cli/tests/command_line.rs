//! The command line without a verification: help, errors, and the commands about data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use insta::assert_snapshot;
use std::path::PathBuf;
use std::process::Stdio;
use support::{Answer, Catena};

const TASK: &str = "IFn9x5gaQz-HXl2pa7Ny_w";

fn catena(arguments: &[&str]) -> Answer {
    Catena::new().args(arguments).run()
}

/// Two lines on standard error, none on standard output, status 2.
fn mistake(arguments: &[&str], words: &[&str]) {
    let answer = catena(arguments);
    assert_eq!(answer.status, 2, "{arguments:?}: {answer:?}");
    assert_eq!(answer.stdout, "", "{arguments:?}");
    for word in words {
        assert!(answer.stderr.contains(word), "{arguments:?}: {word:?} is not in\n{}", answer.stderr);
    }
}

#[test]
fn help_is_worth_reading() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_verify", &["verify", "--help"]),
        ("help_show", &["show", "--help"]),
        ("help_explain", &["explain", "--help"]),
        ("help_policy", &["policy", "--help"]),
        ("help_policy_check", &["policy", "check", "--help"]),
        ("help_policy_import", &["policy", "import", "--help"]),
        ("help_policy_show", &["policy", "show", "--help"]),
        ("help_demo", &["demo", "--help"]),
        ("help_keys", &["keys", "--help"]),
        ("help_keys_new", &["keys", "new", "--help"]),
        ("help_keys_agent", &["keys", "agent", "--help"]),
        ("help_keys_check", &["keys", "check", "--help"]),
        ("help_keys_rotate", &["keys", "rotate", "--help"]),
        ("help_keys_revoke", &["keys", "revoke", "--help"]),
        ("help_keys_audit", &["keys", "audit", "--help"]),
        ("help_shadow", &["shadow", "--help"]),
        ("help_sign", &["sign", "--help"]),
        ("help_worker", &["worker", "--help"]),
        ("help_completions", &["completions", "--help"]),
        ("help_man", &["man", "--help"]),
    ] {
        let answer = catena(arguments);
        assert_eq!((answer.status, answer.stderr.as_str()), (0, ""));
        assert_snapshot!(name, answer.stdout);
    }
}

#[test]
fn errors_say_what_where_and_what_next() {
    let room = tempfile::tempdir().unwrap();
    let keys = room.path().join("keys.yml");
    std::fs::write(&keys, "docker-worker:\n- AAAA\nelephant-worker: []\n").unwrap();
    let keys = keys.to_str().unwrap();
    let verify = |more: &[&'static str]| {
        [&["verify", TASK, "--task-type", "signing", "--product", "firefox"], more].concat()
    };
    mistake(&[], &["Usage"]);
    mistake(&["verify"], &["TASK_ID", "--task-type", "--product"]);
    mistake(
        &["verify", "no-task", "--task-type", "signing", "--product", "firefox"],
        &["no-task", "22 characters"],
    );
    mistake(&["verify", TASK, "--task-type", "Signing!", "--product", "firefox"], &["is not a kind"]);
    mistake(
        &["verify", TASK, "--task-type", "signing", "--product", "elephant"],
        &["elephant", "thunderbird", "next:"],
    );
    mistake(&verify(&["--policy", "/nowhere/policy.yml"]), &["/nowhere/policy.yml", "next:"]);
    mistake(&verify(&["--keys", "/nowhere/keys.yml"]), &["/nowhere/keys.yml", "next:"]);
    mistake(&verify(&["--root-url", "ftp://example.com"]), &["root URL", "next:"]);
    mistake(&verify(&["--root-url", "http://example.com"]), &["http://example.com", "--danger-allow-http"]);
    mistake(&verify(&["--credentials", "/nowhere/credentials.json"]), &["/nowhere/credentials.json"]);
    mistake(&verify(&["--ca-file", "/nowhere/ca.pem"]), &["/nowhere/ca.pem"]);
    mistake(&verify(&["--output", "/nowhere/verdict.json"]), &["/nowhere/verdict.json", "next:"]);
    mistake(&verify(&["--log", "/nowhere/catena.log"]), &["/nowhere/catena.log", "next:"]);
    mistake(&verify(&["--deadline", "soon"]), &["soon", "5m"]);
    mistake(&["demo", "--attacks", "elephant\u{1b}[2J"], &["elephant\\u{1b}", "catena demo --attacks"]);
    mistake(&["verify", "--replay", "/nowhere"], &["verification.json", "--record"]);
    mistake(&["verify", "--replay", "/nowhere", TASK], &["cannot be used with"]);
    mistake(&["show", TASK], &["TASK_ID, --task-type and --product are needed", "next:"]);
    mistake(&["show", "--batch", "tasks.txt"], &["--batch"]);
    mistake(&["verify", "--batch", "tasks.txt", "--tree"], &["cannot be used with"]);
    mistake(&["verify", "--batch", "tasks.txt", "--offline", "--cache", "c"], &["cannot be used with"]);
    mistake(
        &["verify", TASK, "--task-type", "signing", "--product", "firefox", "--keys", keys],
        &["keys.yml:2:", "keys.yml:3:", "elephant-worker"],
    );
}

#[test]
fn codes_are_explained() {
    let list = catena(&["explain"]);
    assert_eq!((list.status, list.stderr.as_str()), (0, ""));
    let codes: Vec<&str> = list
        .stdout
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let page = catena(&["explain", code]);
        assert_eq!(page.status, 0, "{code}");
        assert!(page.stdout.starts_with(code) && page.stdout.contains("\n# "), "{}", page.stdout);
    }
    assert!(catena(&["explain", "signature"]).stdout.starts_with("# signature"));
    mistake(&["explain", "signature-mising"], &["did you mean signature-missing"]);
    mistake(&["explain", "\u{1b}[2Jelephant"], &["\\u{1b}", "catena explain"]);
}

#[test]
fn the_policy_that_ships_is_good() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("policy.yml");
    std::fs::write(&file, catena(&["policy", "show"]).stdout).unwrap();
    let answer = catena(&["policy", "check", file.to_str().unwrap()]);
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{}", answer.stdout);
    assert!(answer.stdout.contains("valid: 11 products, 4 warnings"), "{}", answer.stdout);

    let products = catena(&["policy", "show", "--policy", file.to_str().unwrap()]);
    assert_eq!(products.stdout.lines().count(), 11);
    for product in products.stdout.lines() {
        let shown = catena(&["policy", "show", "--product", product]);
        assert_eq!(shown.status, 0, "{product}");
        assert!(shown.stdout.contains("tasks-for:"), "{}", shown.stdout);
    }
    assert_snapshot!(
        "policy_show_thunderbird",
        catena(&["policy", "show", "--product", "thunderbird"]).stdout
    );
}

#[test]
fn errors_in_a_policy_have_positions() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("policy.yml");
    std::fs::write(&file, "catena-policy: 1\nextends: shipped:firefox-ci\nproducs: {}\n").unwrap();
    let answer = Catena::new()
        .args(["policy", "check", "policy.yml"])
        .command()
        .current_dir(room.path())
        .output()
        .unwrap();
    assert_eq!(answer.status.code(), Some(2));
    let text = String::from_utf8(answer.stdout).unwrap();
    assert!(text.contains("policy.yml:3:1: error") && text.contains("products"), "{text}");
}

#[test]
fn files_overlay_one_another_on_request() {
    let room = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = room.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let base = write("base.yml", "catena-policy: 1\nextends: shipped:firefox-ci\n");
    let ours = write("ours.yml", "catena-policy: 1\nproducts: {firefox: {max-chain-length: 7}}\n");
    assert_eq!(catena(&["policy", "check", "--together", &base, &ours]).status, 0);
    assert_eq!(catena(&["policy", "check", &base, &ours]).status, 2);
    let shown = catena(&["policy", "show", "--product", "firefox", "--policy", &base, "--policy", &ours]);
    assert!(shown.stdout.contains("max-chain-length: 7"), "{}", shown.stdout);
}

#[test]
fn scriptworkers_defaults_make_the_policy_that_ships() {
    let Some(shared) = std::env::var_os("CATENA_SHARED").map(PathBuf::from) else {
        eprintln!("CATENA_SHARED is not set: skipped");
        return;
    };
    let defaults = shared.join("reference/scriptworker-63.6.1-defaults.json");
    let mut import = Catena::new();
    let answer = import.args(["policy", "import", "--of", "scriptworker 63.6.1"]).arg(defaults).run();
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert_eq!(answer.stdout, catena(&["policy", "show"]).stdout);
}

#[test]
fn unsupported_settings_are_reported() {
    mistake(&["policy", "import"], &["SOURCE"]);
    mistake(&["policy", "import", "/nowhere.json"], &["/nowhere.json", "next:"]);
    mistake(&["policy", "import", "--installed", "/nowhere/python"], &["/nowhere/python", "next:"]);
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("defaults.json");
    std::fs::write(&file, "{}").unwrap();
    mistake(&["policy", "import", file.to_str().unwrap()], &["is missing"]);
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = catena(&["completions", shell]);
        assert_eq!(answer.status, 0);
        assert!(answer.stdout.contains("verify") && answer.stdout.contains("work-dir"), "{shell}");
    }
    assert!(catena(&["man"]).stdout.contains(".TH catena 1"));
    let room = tempfile::tempdir().unwrap();
    assert_eq!(catena(&["man", room.path().to_str().unwrap()]).status, 0);
    for page in
        ["catena", "catena-verify", "catena-show", "catena-policy", "catena-policy-check", "catena-demo"]
    {
        let text = std::fs::read_to_string(room.path().join(format!("{page}.1"))).unwrap();
        assert!(text.contains(&format!(".TH {page} 1")), "{page}");
    }
    mistake(&["man", "/nowhere"], &["/nowhere", "next:"]);
}

/// A closed pipe is neither an error nor a panic.
#[test]
fn a_closed_pipe_is_not_an_error() {
    for arguments in [&["explain"][..], &["policy", "show"], &["completions", "bash"], &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut catena = Catena::new();
        let output = catena.args(arguments).command().stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Catena::new().arg("explain").command().stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("catena: standard output: "));
}
