//! Fuzzing with rustc and a C++ compiler alone.
//!
//! `cargo fuzz` works on the same package; this passes the same flags to the toolchain that
//! everything else is built with. Without a sanitizer, because no code here is unsafe: what is
//! found is panics, overflows, broken promises, and too much time or memory.

use crate::failure::Failure;
use crate::process::{Step, cargo, root, target_dir};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Coverage of edges and comparisons, as libFuzzer reads it.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Seconds of wall time that one input may take. None takes one second, but a busy machine may
/// let nothing run for ten, and libFuzzer's alarm can come inside of `malloc` and then never ends.
const TIME_LIMIT: &str = "-timeout=60";
/// Megabytes that a target may take. Every limit it passes is far below.
const MEMORY: &str = "-rss_limit_mb=2048";

pub(crate) fn run(
    target: Option<&str>,
    seconds: u32,
    seed: Option<u32>,
    input: Option<&Path>,
) -> Result<(), Failure> {
    let all = targets()?;
    let chosen = match target {
        None => all,
        Some(name) if all.iter().any(|known| known == name) => vec![name.to_owned()],
        Some(name) => return Err(Failure::NoTarget { name: name.to_owned(), targets: all }),
    };
    let host = host()?;
    // A directory of its own: cargo would build both ways in turn otherwise.
    let folder = target_dir().join("fuzz");
    build(&chosen, &host, &folder)?;
    let programs = folder.join(&host).join("release");
    match input {
        Some(file) => chosen
            .iter()
            .try_for_each(|name| Step::new(programs.join(name)).args([TIME_LIMIT, MEMORY]).arg(file).run()),
        None => search_all(&chosen, |name| search(name, &programs.join(name), &folder, seconds, seed)),
    }
}

/// Runs as many targets at the same time as there are processors, since each uses one; starts no further one
/// after a failure.
fn search_all(
    targets: &[String],
    search: impl Fn(&str) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let waiting = Mutex::new(targets.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let stop = || *waiting.lock().unwrap_or_else(PoisonError::into_inner) = [].iter();
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        let work = || std::iter::from_fn(next).try_for_each(|name| search(name)).inspect_err(|_| stop());
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut ended = running.into_iter().map(|thread| thread.join());
        ended.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn build(targets: &[String], host: &str, folder: &Path) -> Result<(), Failure> {
    let bins = targets.iter().flat_map(|name| ["--bin", name]);
    cargo(["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", host])
        .args(bins)
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", FLAGS)
        .run()
}

/// What is new goes to the target's corpus (git keeps only its seeds), what breaks it beside the
/// builds.
fn search(name: &str, program: &Path, folder: &Path, seconds: u32, seed: Option<u32>) -> Result<(), Failure> {
    let corpus = root().join("fuzz/corpus").join(name);
    make(&corpus)?;
    let found = folder.join("found");
    make(&found)?;
    Step::new(program)
        .arg(&corpus)
        .arg(format!("-artifact_prefix={}/{name}-", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(seed.map(|seed| format!("-seed={seed}")))
        .args([TIME_LIMIT, MEMORY, "-print_final_stats=1", "-verbosity=0"])
        .run_captured()
}

fn make(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|cause| Failure::File { path: folder.to_owned(), cause })
}

fn targets() -> Result<Vec<String>, Failure> {
    let folder = root().join("fuzz/fuzz_targets");
    let failure = |cause| Failure::File { path: folder.clone(), cause };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.extension().is_some_and(|ending| ending == "rs")
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn host() -> Result<String, Failure> {
    let version = Step::new("rustc").arg("-vV").output()?;
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).ok_or(Failure::NoHost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_in_the_manifest() {
        let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(!targets.is_empty());
        for name in &targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
            let seeds = root().join("fuzz/corpus").join(name);
            let mut names = std::fs::read_dir(&seeds).unwrap().map(|entry| entry.unwrap().file_name());
            assert!(names.any(|seed| seed.to_string_lossy().starts_with("seed-")), "{name} has no seed");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    }
}
