//! Archives of commits.

use crate::case::{Case, listed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with a submodule, and its commits: with the submodule and before it.
pub(crate) fn repository(room: &Path) -> (PathBuf, [String; 2]) {
    let git = |directory: &Path, arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(directory)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let (inner, outer) = (room.join("inner"), room.join("outer"));
    for (directory, file) in [(&inner, "in"), (&outer, "out")] {
        std::fs::create_dir(directory).unwrap();
        git(directory, &["init", "--quiet"]);
        std::fs::write(directory.join(file), format!("{file}\n")).unwrap();
        git(directory, &["add", "."]);
        git(directory, &["commit", "--quiet", "-m", "x"]);
    }
    std::os::unix::fs::symlink("out", outer.join("link")).unwrap();
    git(&outer, &["add", "."]);
    git(&outer, &["commit", "--quiet", "-m", "link"]);
    let before = git(&outer, &["rev-parse", "HEAD"]);
    git(&outer, &["submodule", "--quiet", "add", inner.to_str().unwrap(), "sub"]);
    git(&outer, &["commit", "--quiet", "-m", "sub"]);
    let after = git(&outer, &["rev-parse", "HEAD"]);
    (outer, [before, after])
}

#[test]
fn an_archive_of_a_commit() {
    let case = Case::new();
    let (repository, [before, after]) = repository(case.room.path());
    let config = case.room.path().join("gitconfig");
    std::fs::write(&config, "[protocol \"file\"]\n\tallow = always\n").unwrap();
    let run = |commit: &str, more: &[&str]| {
        let mut catena = case.catena();
        catena.env("PATH", std::env::var_os("PATH").unwrap()).env("GIT_CONFIG_GLOBAL", &config);
        catena
            .arg("git-checkout-archive")
            .arg(&repository)
            .args([commit, "fetches/a.tar.zst"])
            .args(more)
            .run()
    };
    let archive = case.dest().join("a.tar.zst");
    let answer = run(&before, &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("hash "), "{}", answer.stdout);
    assert_eq!(listed(&archive), ["outer/link -> out", "outer/out: out"]);
    let first = std::fs::read(&archive).unwrap();
    assert_eq!(run(&before, &[]).status, 0);
    assert_eq!(std::fs::read(&archive).unwrap(), first);

    let answer = run(&after, &["--path-prefix", "p"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let names = listed(&archive);
    assert!(
        names.contains(&"p/sub/in: in".to_owned()) && names.contains(&"p/out: out".to_owned()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.contains(".git/") || name.contains("sub/.git")), "{names:?}");

    let answer = run("main", &[]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("none "), "{}", answer.stdout);
    std::fs::remove_dir_all(case.dest()).unwrap();
    for wrong in ["0123456789012345678901234567890123456789", "no-branch"] {
        let answer = run(wrong, &[]);
        assert_eq!(answer.status, 3, "{}", answer.stderr);
        assert!(answer.stderr.contains("fetch-git"), "{}", answer.stderr);
        case.nothing_is_left();
    }
}
