//! `cargo xtask dist`: the binary that is distributed, static, built twice and compared.

use crate::failure::Failure;
use crate::process::{Step, cargo, target_dir};
use std::fs;
use std::path::{Path, PathBuf};

/// The targets that make a static binary, the preferred one first.
const MUSL: &str = "x86_64-unknown-linux-musl";
/// glibc, linked statically: names of hosts are resolved by `/etc/resolv.conf` and `/etc/hosts` alone.
const GNU: &str = "x86_64-unknown-linux-gnu";

/// Builds the binary of the last commit twice, each time from nothing and in a directory of its own, and keeps it if
/// both are the same bytes.
/// With a key, its signature is beside it.
pub(crate) fn run(target: Option<&str>, once: bool, key: Option<&Path>) -> Result<(), Failure> {
    let target = match target {
        Some(target) => target.to_owned(),
        None if is_installed(MUSL)? => MUSL.to_owned(),
        None => {
            eprintln!("xtask: the standard library for {MUSL} is not installed (rustup target add {MUSL});");
            eprintln!("xtask: the binary is linked statically with glibc instead");
            GNU.to_owned()
        }
    };
    if !Step::new("git").args(["status", "--porcelain"]).output()?.is_empty() {
        eprintln!("xtask: the last commit is built; the changes that are not committed are not");
    }
    // Both builds are of one commit, whatever is committed meanwhile.
    let commit = Step::new("git").args(["rev-parse", "HEAD"]).output()?;
    let commit = commit.trim_end();
    let place = target_dir().join("dist");
    let first = build(&target, commit, &place.join("first"))?;
    if !once {
        let second = build(&target, commit, &place.join("second"))?;
        if read(&first)? != read(&second)? {
            return Err(Failure::NotReproducible { first, second });
        }
        eprintln!("xtask: both builds are the same bytes");
    }
    let binary = place.join(format!("catena-{target}"));
    fs::copy(&first, &binary).map_err(|cause| Failure::File { path: binary.clone(), cause })?;
    starts_in_an_empty_root(&binary, &place.join("empty"))?;
    let line = Step::new("sha256sum").arg(&binary).output()?;
    let digest = line.split(' ').next().unwrap_or_default();
    let sums = place.join(format!("catena-{target}.sha256"));
    fs::write(&sums, format!("{digest}  catena-{target}\n"))
        .map_err(|cause| Failure::File { path: sums.clone(), cause })?;
    if let Some(key) = key {
        let (command, key) = (Step::new(&binary).args(["keys", "sign", "--force", "--key"]), key.as_os_str());
        command.arg(key).arg(&binary).run()?;
    }
    println!("{digest}  {}", binary.display());
    Ok(())
}

/// Whether the standard library for a target is there.
fn is_installed(target: &str) -> Result<bool, Failure> {
    let directory = Step::new("rustc").args(["--print", "target-libdir", "--target", target]).output()?;
    let entries = fs::read_dir(directory.trim_end());
    Ok(entries.is_ok_and(|mut entries| entries.next().is_some()))
}

/// Builds a commit in a directory that is emptied first. Nothing in the binary says where it was built.
fn build(target: &str, commit: &str, place: &Path) -> Result<PathBuf, Failure> {
    let at = |cause| Failure::File { path: place.to_owned(), cause };
    if place.exists() {
        fs::remove_dir_all(place).map_err(at)?;
    }
    let (source, archive) = (place.join("source"), place.join("source.tar"));
    fs::create_dir_all(&source).map_err(at)?;
    Step::new("git").args(["archive", "--output"]).arg(&archive).arg(commit).run()?;
    Step::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&source).run()?;
    let mut flags = vec!["-Ctarget-feature=+crt-static".to_owned()];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let paths = [(Some(place.to_owned()), "/target"), (Some(source.clone()), "/catena"), (home, "/cargo")];
    for (path, name) in paths {
        if let Some(path) = path {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    cargo(["build", "--release", "--locked", "--package", "catena-cli", "--no-default-features"])
        .args(["--target", target])
        .arg("--target-dir")
        .arg(place)
        .at(&source)
        // A separator that no path has.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env("SOURCE_DATE_EPOCH", "0")
        .env("CARGO_INCREMENTAL", "0")
        .run()?;
    Ok(place.join(target).join("release/catena"))
}

/// A static binary needs no other file. Leaving the root takes a user namespace, or root.
fn starts_in_an_empty_root(binary: &Path, root: &Path) -> Result<(), Failure> {
    let at = |cause| Failure::File { path: root.to_owned(), cause };
    if root.exists() {
        fs::remove_dir_all(root).map_err(at)?;
    }
    fs::create_dir_all(root).map_err(at)?;
    fs::copy(binary, root.join("catena")).map_err(at)?;
    let in_root = format!("--root={}", root.display());
    let told = Step::new("unshare").args(["--user", "--map-root-user", &in_root, "/catena", "--version"]);
    let told = told.output()?;
    eprintln!("xtask: starts in an empty root: {}", told.trim_end());
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|cause| Failure::File { path: path.to_owned(), cause })
}
