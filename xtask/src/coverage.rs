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
}

/// Lines and branches of one file: how often each was run.
#[derive(Debug, Default, PartialEq, Eq)]
struct File {
    lines: BTreeMap<u32, u64>,
    /// By line, then by number of the condition, then by outcome.
    branches: BTreeMap<(u32, String, String), u64>,
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
    let report = Step::new(show)
        .args(["export", "--format=lcov", "--instr-profile"])
        .arg(&merged)
        .args(programs.iter().flat_map(|program| ["--object".as_ref(), program.as_os_str()]))
        .arg("--sources")
        .arg(root().join(&coverage.of))
        .output()?;
    let report_path = folder.join("lcov.info");
    std::fs::write(&report_path, &report).map_err(|cause| Failure::File { path: report_path, cause })?;
    for (path, file) in files(&report) {
        tell(&path, file)?;
    }
    Ok(())
}

/// Builds the tests so that they count, runs them, and says which programs they are.
fn test(coverage: &Coverage, counts: &Path) -> Result<Vec<PathBuf>, Failure> {
    let step = |more: &[&str]| {
        let packages = coverage.package.iter().flat_map(|package| ["--package", package]);
        cargo(["test", "--tests"])
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

/// Reads LLVM's report. What several programs ran is added up.
fn files(report: &str) -> BTreeMap<PathBuf, File> {
    let mut files: BTreeMap<PathBuf, File> = BTreeMap::new();
    let mut path = PathBuf::new();
    for line in report.lines() {
        let Some((kind, rest)) = line.split_once(':') else { continue };
        let file = files.entry(path.clone());
        let words: Vec<&str> = rest.split(',').collect();
        match (kind, &words[..]) {
            ("SF", _) => path = rest.into(),
            ("DA", [number, count, ..]) => {
                let total = file.or_default().lines.entry(number.parse().unwrap_or(0)).or_default();
                *total = total.saturating_add(count.parse().unwrap_or(0));
            }
            ("BRDA", [number, condition, outcome, count]) => {
                let key = (number.parse().unwrap_or(0), (*condition).to_owned(), (*outcome).to_owned());
                let total = file.or_default().branches.entry(key).or_default();
                *total = total.saturating_add(count.parse().unwrap_or(0));
            }
            _ => {}
        }
    }
    files
}

/// One line for the file, and one for each line of it that is not run, or not both ways.
fn tell(path: &Path, mut file: File) -> Result<(), Failure> {
    let source =
        std::fs::read_to_string(path).map_err(|cause| Failure::File { path: path.to_owned(), cause })?;
    // The file's own tests come last; whether all of them runs is not the question.
    let end = source.lines().position(|line| line == "mod tests {").unwrap_or(usize::MAX);
    let shipped = |number: &u32| usize::try_from(*number).is_ok_and(|number| number <= end);
    file.lines.retain(|number, _| shipped(number));
    file.branches.retain(|(number, ..), _| shipped(number));
    let missed: Vec<u32> =
        file.lines.iter().filter(|(_, count)| **count == 0).map(|(line, _)| *line).collect();
    let branches = file.branches.iter().filter(|(_, count)| **count == 0);
    let untaken: Vec<_> =
        branches.map(|((line, condition, outcome), _)| (*line, condition, outcome)).collect();
    println!(
        "{}: {} of {} lines, {} of {} branches",
        path.strip_prefix(root()).unwrap_or(path).display(),
        file.lines.len().saturating_sub(missed.len()),
        file.lines.len(),
        file.branches.len().saturating_sub(untaken.len()),
        file.branches.len()
    );
    let text = |number: u32| {
        let at = usize::try_from(number).unwrap_or(0).saturating_sub(1);
        source.lines().nth(at).unwrap_or_default().trim()
    };
    for number in missed {
        println!("  {number}: not run: {}", text(number));
    }
    for (number, condition, outcome) in untaken {
        let way = if outcome == "0" { "true" } else { "false" };
        println!("  {number}: condition {condition} is never {way}: {}", text(number));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_ran_is_added_up() {
        let report = "SF:/a.rs\nDA:1,0\nDA:2,3\nBRDA:2,0,0,3\nBRDA:2,0,1,-\nend_of_record\n\
            SF:/b.rs\nDA:1,1\nend_of_record\nSF:/a.rs\nDA:1,2\nBRDA:2,0,1,4\nend_of_record\n";
        let files = files(report);
        let a = &files[Path::new("/a.rs")];
        assert_eq!(a.lines, BTreeMap::from([(1, 2), (2, 3)]));
        assert_eq!(a.branches.values().copied().collect::<Vec<_>>(), [3, 4]);
        assert_eq!(files[Path::new("/b.rs")].lines, BTreeMap::from([(1, 1)]));
        assert_eq!(files.len(), 2);
    }
}
