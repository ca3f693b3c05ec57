//! `docs/fetch.md`: every command and every file of it works.

use crate::case::{ARCHIVE, Case, archive, sha256};
use crate::command::namespaces;
use crate::git::repository;
use catena_download::{Mounts, Wanted};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const PAGE: &str = include_str!("../../../../docs/fetch.md");

/// Blocks of the page in a language, without the space before a step's.
fn blocks(language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let starts = PAGE.split(&start).skip(1);
    let block = |rest: &str| rest.split("```").next().unwrap().to_owned();
    starts.map(block).collect()
}

/// What the words of the page stand for.
fn meaning(case: &Case, commit: &str, word: &str) -> String {
    let url = format!("{}/_store/{}/{}/{ARCHIVE}", case.testbed.root_url(), case.build, case.run);
    match word {
        "TASK_ID" => case.task(),
        "TASK_ID/RUN" => format!("{}/{}", case.task(), case.run),
        "TASK_ID:ARTIFACT" => format!("{}:{ARCHIVE}", case.build),
        "index:ROUTE" => "index:a.b".to_owned(),
        "NAME_OR_GLOB" => "public/build/*.gz".to_owned(),
        "DIR" => "fetches".to_owned(),
        "URL" => url,
        "DEST" => "fetches/tools.tar.zst".to_owned(),
        "HEX" => sha256(&archive()),
        "BYTES" => archive().len().to_string(),
        "REPO" => case.room.path().join("outer").display().to_string(),
        "COMMIT" => commit.to_owned(),
        word => {
            assert!(word.chars().any(|letter| !letter.is_ascii_uppercase()), "{word} has no meaning");
            word.to_owned()
        }
    }
}

#[test]
fn the_commands_of_the_page_work() {
    let case = Case::new();
    let room = case.room.path();
    let (_, [commit, _]) = repository(room);
    let artifact = json!({"taskId": case.build, "artifact": ARCHIVE});
    let mounts = json!([{"directory": "deps", "format": "tar.gz", "content": artifact}]);
    let request = json!({"taskId": case.build, "runId": 0, "mounts": mounts});
    fs::write(room.join("request.json"), request.to_string()).unwrap();
    fs::write(room.join("inputs.yml"), format!("- task: {}\n  artifact: {ARCHIVE}\n", case.build)).unwrap();
    for folder in ["bin", "src"] {
        fs::create_dir(room.join(folder)).unwrap();
    }
    // The build: it has its inputs.
    let make = room.join("bin/make");
    fs::write(&make, format!("#!/bin/sh\ntest -f {}/fetches/tools/README\n", room.display())).unwrap();
    fs::set_permissions(&make, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::join_paths(
        [room.join("bin")].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let blocks = blocks("sh").join("\n");
    let commands: Vec<&str> = blocks.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let (words, input) =
            command.split_once(" < ").map_or((command, None), |(words, file)| (words, Some(file)));
        let words = words.trim().strip_prefix("catena fetch ").unwrap_or_else(|| panic!("{command}"));
        let (words, then) =
            words.split_once(" -- ").map_or((words, None), |(words, then)| (words, Some(then)));
        let mut catena = case.catena();
        catena.args(words.split(' ').map(|word| meaning(&case, &commit, word)));
        // The shipped policy has the keys of others.
        if words.contains("--product") {
            catena.args(["--keys", "keys.json"]);
        }
        if let Some(file) = input {
            catena.command().stdin(fs::File::open(room.join(file)).unwrap());
        }
        catena.args(then.into_iter().flat_map(|then| ["--", then]));
        let fetches = json!([{"artifact": ARCHIVE, "extract": true, "task": case.build}]);
        catena.env("MOZ_FETCHES", fetches.to_string()).env("MOZ_FETCHES_DIR", room.join("fetches"));
        let answer = catena.env("PATH", path.as_ref().unwrap()).run();
        let wanted = if then.is_some() && !namespaces() { 2 } else { 0 };
        assert_eq!(answer.status, wanted, "{command}: {}{}", answer.stdout, answer.stderr);
        let _ = fs::remove_dir_all(room.join("fetches"));
    }
    assert!(fs::read_to_string(room.join("inputs.json")).unwrap().contains(&case.build));
    assert!(room.join("deps/tools/README").exists());
}

#[test]
fn the_files_of_the_page_can_be_read() {
    let lists = blocks("yaml");
    assert_eq!(lists.len(), 1);
    assert_eq!(Wanted::of_list(&lists[0]).unwrap().len(), 2);
    let requests = blocks("json");
    assert_eq!(requests.len(), 1);
    assert_eq!(Mounts::parse(&requests[0]).unwrap().artifacts.len(), 2);
}
