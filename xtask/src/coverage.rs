//! Which lines and branches of a folder the tests run.
//!
//! The counts are LLVM's; the tools that read them come with the toolchain (`rustup component add
//! llvm-tools`) or with the system, whose version need not be the compiler's but has to know the format.

use crate::failure::Failure;
use crate::process::{Step, cargo, root, target_dir};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The first version of LLVM that reads the counts of this compiler.
const OLDEST: u32 = 19;
/// The newest version of LLVM that is looked for.
const NEWEST: u32 = 30;

/// What to measure, and with which tests.
#[derive(Debug, Args)]
pub(crate) struct Coverage {
    /// The folder or file to tell of
    #[arg(long, value_name = "PATH", default_value = "crates/core/src/checks")]
    of: PathBuf,
    /// Run the tests of these packages
    #[arg(long, value_name = "NAME", default_values = ["catena-core"])]
    package: Vec<String>,
    /// Given to `cargo test`, instead of all tests: --lib, --test NAME
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Lines and branches of one file: how often each was run.
#[derive(Debug, Default, PartialEq, Eq)]
struct File {
    lines: BTreeMap<u64, u64>,
    /// Conditions by line and column: how often each was true, and how often false.
    branches: BTreeMap<(u64, u64), (u64, u64)>,
}

pub(crate) fn run(coverage: &Coverage) -> Result<(), Failure> {
    let (merge, show) = (tool("llvm-profdata")?, tool("llvm-cov")?);
    let folder = target_dir().join("coverage");
    let counts = folder.join("counts");
    let failure = |cause| Failure::File { path: counts.clone(), cause };
    if counts.exists() {
        std::fs::remove_dir_all(&counts).map_err(failure)?;
    }
    std::fs::create_dir_all(&counts).map_err(failure)?;
    let programs = test(coverage, &counts)?;
    let merged = folder.join("merged.profdata");
    Step::new(merge).args(["merge", "--sparse", "--output"]).arg(&merged).arg(&counts).run()?;
    let export = |format: &str| {
        Step::new(show.as_path())
            .args(["export", format, "--skip-expansions", "--skip-functions", "--instr-profile"])
            .arg(&merged)
            .args(programs.iter().flat_map(|program| ["--object".as_ref(), program.as_os_str()]))
            .arg("--sources")
            .arg(root().join(&coverage.of))
            .output()
    };
    let lines = export("--format=lcov")?;
    let mut files = run_lines(&lines);
    add_branches(&mut files, &export("--format=text")?);
    let lcov = folder.join("lcov.info");
    std::fs::write(&lcov, &lines).map_err(|cause| Failure::File { path: lcov, cause })?;
    for (path, file) in files {
        tell(&path, file)?;
    }
    Ok(())
}

/// Builds the tests so that they count, runs them, and says which programs they are.
fn test(coverage: &Coverage, counts: &Path) -> Result<Vec<PathBuf>, Failure> {
    let step = |more: &[&str]| {
        let packages = coverage.package.iter().flat_map(|package| ["--package", package]);
        let all = coverage.arguments.is_empty().then_some("--tests");
        cargo(["test"])
            .args(all)
            .args(&coverage.arguments)
            .args(packages)
            .args(more)
            .env("RUSTC_WORKSPACE_WRAPPER", root().join("scripts/rustc-with-coverage"))
            .env("LLVM_PROFILE_FILE", counts.join("%p-%m.profraw"))
    };
    let built = step(&["--no-run", "--message-format=json"]).output()?;
    step(&[]).run()?;
    let programs = built.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    Ok(programs.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from)).collect())
}

/// The toolchain's tool, or the system's.
fn tool(name: &str) -> Result<PathBuf, Failure> {
    let sysroot = Step::new("rustc").args(["--print", "sysroot"]).output()?;
    let libraries = Path::new(sysroot.trim()).join("lib/rustlib");
    let hosts = std::fs::read_dir(&libraries).into_iter().flatten().flatten();
    let own = hosts.map(|host| host.path().join("bin").join(name));
    let system = (OLDEST..=NEWEST).rev().map(|version| PathBuf::from(format!("{name}-{version}")));
    own.chain(system).find(|path| Step::new(path).arg("--version").succeeds()).ok_or(Failure::Missing {
        what: "LLVM's reader of coverage",
        remedy: "rustup component add llvm-tools, or apt-get install llvm-19",
    })
}

/// Reads the lines from LLVM's report in the format of lcov. What several programs ran is added up.
fn run_lines(report: &str) -> BTreeMap<PathBuf, File> {
    let mut files: BTreeMap<PathBuf, File> = BTreeMap::new();
    let mut path = PathBuf::new();
    for line in report.lines() {
        match line.split_once(':') {
            Some(("SF", name)) => path = name.into(),
            Some(("DA", rest)) => {
                let mut numbers = rest.split(',').map(|number| number.parse().unwrap_or(0));
                let (line, count) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                let total = files.entry(path.clone()).or_default().lines.entry(line).or_default();
                *total = count.saturating_add(*total);
            }
            _ => {}
        }
    }
    files
}

/// Adds the branches from LLVM's report in JSON: unlike lcov's it has columns, by which one condition
/// in several programs is known for the same.
fn add_branches(files: &mut BTreeMap<PathBuf, File>, report: &str) {
    let report: serde_json::Value = serde_json::from_str(report).unwrap_or_default();
    for told in report.pointer("/data/0/files").and_then(|files| files.as_array()).into_iter().flatten() {
        let name = told.get("filename").and_then(|name| name.as_str()).unwrap_or_default();
        let Some(file) = files.get_mut(Path::new(name)) else { continue };
        for branch in told.get("branches").and_then(|branches| branches.as_array()).into_iter().flatten() {
            // Line and column of the beginning, of the end, then how often it was true and false.
            let number = |at| branch.get(at).and_then(serde_json::Value::as_u64).unwrap_or(0);
            let (yes, no) = file.branches.entry((number(0), number(1))).or_default();
            *yes = yes.saturating_add(number(4));
            *no = no.saturating_add(number(5));
        }
    }
}

/// One line for the file, and one for each line of it that is not run, or not both ways.
fn tell(path: &Path, mut file: File) -> Result<(), Failure> {
    let source =
        std::fs::read_to_string(path).map_err(|cause| Failure::File { path: path.to_owned(), cause })?;
    // The file's own tests come last; whether all of them runs is not the question.
    let end = source.lines().position(|line| line == "mod tests {").unwrap_or(usize::MAX);
    let shipped = |number: &u64| usize::try_from(*number).is_ok_and(|number| number <= end);
    file.lines.retain(|number, _| shipped(number));
    file.branches.retain(|(number, _), _| shipped(number));
    let run = file.lines.values().filter(|count| **count > 0).count();
    let taken = file.branches.values().flat_map(|(yes, no)| [*yes, *no]).filter(|count| *count > 0).count();
    println!(
        "{}: {run} of {} lines, {} of {} branches",
        path.strip_prefix(root()).unwrap_or(path).display(),
        file.lines.len(),
        taken,
        file.branches.len().saturating_mul(2),
    );
    let text = |number: u64| {
        let at = usize::try_from(number).unwrap_or(0).saturating_sub(1);
        source.lines().nth(at).unwrap_or_default().trim()
    };
    for (number, _) in file.lines.iter().filter(|(_, count)| **count == 0) {
        println!("  {number}: not run: {}", text(*number));
    }
    for ((number, column), (yes, no)) in file.branches {
        let never = match (yes, no) {
            (0, 0) => continue, // the line is told of
            (0, _) => "true",
            (_, 0) => "false",
            _ => continue,
        };
        println!("  {number}:{column}: never {never}: {}", text(number));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_ran_is_added_up() {
        let report = "SF:/a.rs\nDA:1,0\nDA:2,3\nBRDA:2,0,0,3\nend_of_record\n\
            SF:/b.rs\nDA:1,1\nend_of_record\nSF:/a.rs\nDA:1,2\nend_of_record\n";
        let mut files = run_lines(report);
        assert_eq!(files[Path::new("/a.rs")].lines, BTreeMap::from([(1, 2), (2, 3)]));
        assert_eq!(files[Path::new("/b.rs")].lines, BTreeMap::from([(1, 1)]));
        let branches = r#"{"data": [{"files": [{"filename": "/a.rs", "branches": [
            [2, 5, 2, 9, 3, 0, 0, 0, 4], [2, 13, 2, 20, 0, 1, 0, 0, 4], [2, 5, 2, 9, 1, 4, 0, 0, 4]]}]}]}"#;
        add_branches(&mut files, branches);
        assert_eq!(files[Path::new("/a.rs")].branches, BTreeMap::from([((2, 5), (4, 4)), ((2, 13), (0, 1))]));
        assert_eq!(files.len(), 2);
    }
}
