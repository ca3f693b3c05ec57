//! All mutants in one build: each test program is built once, and run once for each mutant.

use super::mutant::{Mutant, read};
use super::weave::{CHOICE, owners, weave};
use super::{Mutants, shared};
use crate::failure::Failure;
use crate::process::{Step, cargo, root, target_dir};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often mutants that do not compile are taken out before it is given up.
const ROUNDS: u32 = 40;
/// A run that takes longer, and longer than many runs of the unchanged code, never ends.
const LEAST_PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE: u32 = 8;

/// The class of attacks that a file is there against. What is not caught by these, and by some honest
/// chains, is tried with all.
const CLASSES: [(&str, &str); 23] = [
    ("checks/signature.rs", "1/"),
    ("checks/document.rs", "2/"),
    ("core/src/document/", "2/"),
    ("checks/run.rs", "2/"),
    ("checks/artifacts.rs", "3/"),
    ("src/digest.rs", "3/"),
    ("src/fnmatch.rs", "3/"),
    ("checks/task_graph.rs", "4/"),
    ("checks/definition.rs", "4/"),
    ("core/src/graph/", "4/"),
    ("checks/rebuild/", "5/"),
    ("src/schema.rs", "5/"),
    ("checks/image.rs", "6/"),
    ("checks/worker_implementation.rs", "7/"),
    ("checks/worker_pool.rs", "5/"),
    ("checks/worker_pool.rs", "6/"),
    ("checks/interactive.rs", "7/"),
    ("checks/kind.rs", "7/"),
    ("checks/tree.rs", "8/"),
    ("checks/source.rs", "8/"),
    ("checks/pull_request.rs", "8/"),
    ("checks/chain.rs", "9/"),
    ("inquiry/chain.rs", "9/"),
];
/// Some honest chains.
const HONEST: &str = "honest/mobile/";

/// Programs that take the names of their tests from a file; the others take them as arguments.
const BY_FILE: [&str; 2] = ["attacks-", "relaxed-"];
/// What a thread that has no name is called: nobody knows which test it is of.
const NAMELESS: &str = "?";
/// What is read once for all tests of a program, so that only the first of them comes to it.
const ONCE: &str = "core/src/policy/";

/// A program with tests, and the folder it runs in.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    folder: PathBuf,
    patience: Duration,
    /// The tests that come to where a mutant is. All others pass with it as they do without.
    reached: BTreeMap<u32, BTreeSet<String>>,
}

/// How the tests took a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Caught,
    Endless,
    Missed,
    /// Does not compile here: perhaps nowhere.
    Unwoven,
}

impl Taken {
    const ALL: [(Self, &str); 4] = [
        (Self::Caught, "caught"),
        (Self::Endless, "endless"),
        (Self::Missed, "missed"),
        (Self::Unwoven, "unwoven"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(taken, _)| *taken == self).map_or("", |(_, name)| name)
    }
}

/// What one run works with.
struct Run<'a> {
    wanted: &'a Mutants,
    mutants: Vec<Mutant>,
    /// The copy of the repository.
    tree: PathBuf,
    folder: PathBuf,
    unwoven: BTreeSet<u32>,
}

pub(super) fn run(wanted: &Mutants) -> Result<(), Failure> {
    let folder = target_dir().join("mutants");
    let list = cargo(wanted.selection()).args(["--list", "--json"]).output()?;
    let mutants =
        read(&list).map_err(|error| Failure::Unread { what: "cargo-mutants", why: error.to_string() })?;
    let mut run = Run { wanted, mutants, tree: folder.join("tree"), folder, unwoven: BTreeSet::new() };
    run.copy()?;
    run.weave_until_it_compiles()?;
    let programs = run.programs()?;
    let taken = run.judge(&programs)?;
    run.tell(&taken)
}

impl Run<'_> {
    /// Copies what git knows of, and leaves alone what is the same: it need not be built again. Code that
    /// is no longer there is taken away.
    fn copy(&self) -> Result<(), Failure> {
        let files = Step::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .output()?;
        for file in files.split_terminator('\0') {
            let from = root().join(file);
            if self.is_source(file) || !from.is_file() {
                continue;
            }
            let content = std::fs::read(&from).map_err(|cause| Failure::File { path: from, cause })?;
            write_if_changed(&self.tree.join(file), &content)?;
        }
        let known: BTreeSet<PathBuf> =
            files.split_terminator('\0').map(|file| self.tree.join(file)).collect();
        for gone in rust_files(&self.tree.join("crates"))?.iter().filter(|path| !known.contains(*path)) {
            std::fs::remove_file(gone).map_err(|cause| Failure::File { path: gone.clone(), cause })?;
        }
        Ok(())
    }

    /// Of the package that is changed?
    fn is_source(&self, file: &str) -> bool {
        file.ends_with(".rs") && file.starts_with(&self.sources())
    }

    fn sources(&self) -> String {
        format!("crates/{}/src/", self.wanted.package.trim_start_matches("catena-"))
    }

    fn weave_until_it_compiles(&mut self) -> Result<(), Failure> {
        for _ in 0..ROUNDS {
            self.weave()?;
            let wrong = self.wrong()?;
            if wrong.is_empty() {
                return Ok(());
            }
            eprintln!("xtask: {} mutants do not compile", wrong.len());
            self.unwoven.extend(wrong);
        }
        Err(Failure::Unread { what: "the compiler", why: "mutants never compile".to_owned() })
    }

    fn weave(&mut self) -> Result<(), Failure> {
        let sources = root().join(self.sources());
        for path in rust_files(&sources)? {
            let name = path.strip_prefix(root()).unwrap_or(&path).to_owned();
            let text = std::fs::read_to_string(&path)
                .map_err(|cause| Failure::File { path: path.clone(), cause })?;
            let of_file =
                |mutant: &&Mutant| Path::new(&mutant.file) == name && !self.unwoven.contains(&mutant.id);
            let mutants: Vec<&Mutant> = self.mutants.iter().filter(of_file).collect();
            let (mut woven, left) = weave(&text, &mutants).map_err(|error| Failure::Unread {
                what: "syn",
                why: format!("{}: {error}", name.display()),
            })?;
            if path == sources.join("lib.rs") {
                woven.push_str(CHOICE);
            }
            write_if_changed(&self.tree.join(&name), woven.as_bytes())?;
            self.unwoven.extend(left);
        }
        Ok(())
    }

    /// Which mutants the compiler takes offence at.
    fn wrong(&self) -> Result<BTreeSet<u32>, Failure> {
        let mut step =
            self.cargo(&["check", "--lib", "--message-format=json", "--package", &self.wanted.package]);
        let output = step.stderr(Stdio::null()).output();
        let output = output.map_err(|cause| Failure::Start { program: "cargo".to_owned(), cause })?;
        let mut wrong = BTreeSet::new();
        let mut untraced = String::new();
        for message in messages(&String::from_utf8_lossy(&output.stdout)) {
            if message.pointer("/message/level").and_then(Value::as_str) != Some("error") {
                continue;
            }
            let found = self.offenders(&message);
            if found.is_empty() && message.pointer("/message/spans/0").is_some() {
                let told = message.pointer("/message/rendered").and_then(Value::as_str);
                untraced.push_str(told.unwrap_or_default());
            }
            wrong.extend(found);
        }
        if wrong.is_empty() && !output.status.success() {
            return Err(Failure::Unread { what: "the compiler", why: untraced });
        }
        Ok(wrong)
    }

    /// The mutants that one message is about: those it points at, else all of the place.
    fn offenders(&self, message: &Value) -> Vec<u32> {
        let mut of_place = Vec::new();
        for span in message.pointer("/message/spans").and_then(Value::as_array).into_iter().flatten() {
            let file = span.get("file_name").and_then(Value::as_str).unwrap_or_default();
            let Ok(text) = std::fs::read_to_string(self.tree.join(file)) else { continue };
            let at = span.get("byte_start").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
            let (ids, exact) = owners(&text, at.unwrap_or(0));
            if exact {
                return ids;
            }
            if of_place.is_empty() {
                of_place = ids;
            }
        }
        of_place
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(words)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", target_dir())
            .env("CARGO_INCREMENTAL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        command
    }

    /// Builds the tests, and sees that the unchanged code passes them.
    fn programs(&self) -> Result<Vec<Program>, Failure> {
        let mut words = vec!["test", "--no-run", "--message-format=json", "--package", &self.wanted.package];
        words.extend(self.wanted.tests_of.iter().flat_map(|package| ["--package", package]));
        words.extend(self.wanted.arguments.iter().map(String::as_str));
        let mut command = self.cargo(&words);
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.map_err(|cause| Failure::Start { program: "cargo".to_owned(), cause })?;
        if !output.status.success() {
            return Err(Failure::Ended { command: "cargo test --no-run".to_owned(), status: output.status });
        }
        let mut programs = Vec::new();
        for message in messages(&String::from_utf8_lossy(&output.stdout)) {
            let text = |name| message.get(name).and_then(Value::as_str).map(PathBuf::from);
            let (Some(path), Some(manifest)) = (text("executable"), text("manifest_path")) else { continue };
            let folder = manifest.parent().unwrap_or(&self.tree).to_owned();
            let mut program = Program { path, folder, patience: Duration::MAX, reached: BTreeMap::new() };
            let begun = Instant::now();
            program.reach(&self.folder.join("reached.txt"))?;
            let took = begun.elapsed();
            eprintln!("xtask: {} takes {} ms", program.path.display(), took.as_millis());
            program.patience = took.saturating_mul(PATIENCE).max(LEAST_PATIENCE);
            programs.push((took, program));
        }
        // The quick ones first: most mutants need no other.
        programs.sort_by_key(|(took, _)| *took);
        Ok(programs.into_iter().map(|(_, program)| program).collect())
    }

    fn judge(&self, programs: &[Program]) -> Result<BTreeMap<u32, Taken>, Failure> {
        let path = self.folder.join("caught.txt");
        let known = if self.wanted.iterate {
            std::fs::read_to_string(&path).unwrap_or_default()
        } else {
            String::new()
        };
        let known: BTreeSet<&str> = known.lines().collect();
        let mut all = BTreeMap::new();
        // How many mutants of the file each program caught: what caught its neighbours is asked first.
        let mut catches: BTreeMap<(&str, usize), u32> = BTreeMap::new();
        for mutant in self.in_order() {
            let taken = if self.unwoven.contains(&mutant.id) {
                Taken::Unwoven
            } else if known.contains(mutant.name.as_str()) {
                Taken::Caught
            } else {
                let caught =
                    |number: usize| catches.get(&(mutant.file.as_str(), number)).copied().unwrap_or(0);
                let mut order: Vec<(usize, &Program)> = programs.iter().enumerate().collect();
                order.sort_by_key(|(number, _)| std::cmp::Reverse(caught(*number)));
                let mut taken = Taken::Missed;
                for (number, program) in order {
                    if let Some(failed) = self.fails(program, mutant)? {
                        let count = catches.entry((mutant.file.as_str(), number)).or_default();
                        *count = count.saturating_add(1);
                        taken = failed;
                        break;
                    }
                }
                taken
            };
            // Each as soon as it is known, for those who wait.
            println!("{}: {}", taken.name(), mutant.name);
            all.insert(mutant.id, taken);
        }
        Ok(all)
    }

    /// How a program takes a mutant, if it fails: at once where it can be told what to try first.
    fn fails(&self, program: &Program, mutant: &Mutant) -> Result<Option<Taken>, Failure> {
        let Some(reached) = program.reached.get(&mutant.id) else { return Ok(None) };
        let classes: Vec<&str> = CLASSES
            .iter()
            .filter(|(part, _)| program.is("attacks-") && mutant.file.contains(part))
            .map(|(_, class)| *class)
            .collect();
        if mutant.file.contains(ONCE) && !(program.is("attacks-") && self.wanted.quick) {
            return program.fails(mutant.id, &[NAMELESS], &self.folder);
        }
        let is_first = |name: &&str| {
            !classes.is_empty()
                && (name.starts_with(HONEST) || classes.iter().any(|class| name.starts_with(class)))
        };
        let (first, rest): (Vec<&str>, Vec<&str>) = reached.iter().map(String::as_str).partition(is_first);
        let rest = if program.is("attacks-") && self.wanted.quick { Vec::new() } else { rest };
        for names in [first, rest] {
            if !names.is_empty()
                && let Some(failed) = program.fails(mutant.id, &names, &self.folder)?
            {
                return Ok(Some(failed));
            }
        }
        Ok(None)
    }

    /// The mutants, those first that are wanted first.
    fn in_order(&self) -> impl Iterator<Item = &Mutant> {
        let first = |mutant: &&Mutant| self.wanted.first.iter().any(|part| mutant.file.contains(part));
        self.mutants.iter().filter(first).chain(self.mutants.iter().filter(move |mutant| !first(mutant)))
    }

    /// A file of names for each way to be taken, and a table of numbers.
    fn tell(&self, all: &BTreeMap<u32, Taken>) -> Result<(), Failure> {
        let mut table: BTreeMap<&str, BTreeMap<Taken, u32>> = BTreeMap::new();
        let mut names: BTreeMap<Taken, String> = BTreeMap::new();
        for mutant in &self.mutants {
            let Some(taken) = all.get(&mutant.id) else { continue };
            for file in [mutant.file.as_str(), "all"] {
                let number = table.entry(file).or_default().entry(*taken).or_default();
                *number = number.saturating_add(1);
            }
            _ = writeln!(names.entry(*taken).or_default(), "{}", mutant.name);
        }
        for (taken, name) in Taken::ALL {
            let names = names.get(&taken).map_or("", String::as_str);
            write_if_changed(&self.folder.join(format!("{name}.txt")), names.as_bytes())?;
        }
        for (file, numbers) in table {
            let number = |taken| numbers.get(&taken).copied().unwrap_or(0);
            let told = Taken::ALL.iter().map(|(taken, name)| format!("{} {name}", number(*taken)));
            println!("{file}: {}", told.collect::<Vec<_>>().join(", "));
        }
        Ok(())
    }
}

impl Program {
    fn is(&self, start: &str) -> bool {
        self.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
    }

    /// Runs all tests of the unchanged code, and learns which of them come to which mutant.
    fn reach(&mut self, note: &Path) -> Result<(), Failure> {
        write_if_changed(note, b"")?;
        let mut command = self.command(0);
        if self.take(command.env("CATENA_REACHED", note))?.is_some() {
            let why = format!("{} fails without any change", self.path.display());
            return Err(Failure::Unread { what: "a test", why });
        }
        let text =
            std::fs::read_to_string(note).map_err(|cause| Failure::File { path: note.to_owned(), cause })?;
        for (id, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            if let Ok(id) = id.parse() {
                self.reached.entry(id).or_default().insert(name.to_owned());
            }
        }
        Ok(())
    }

    /// How some of its tests fail while a mutant is alive, if they do.
    fn fails(&self, id: u32, names: &[&str], folder: &Path) -> Result<Option<Taken>, Failure> {
        let mut command = self.command(id);
        if names.contains(&NAMELESS) {
            // All of them.
        } else if BY_FILE.iter().any(|start| self.is(start)) {
            let list = folder.join("trials.txt");
            write_if_changed(&list, names.join("\n").as_bytes())?;
            command.env("CATENA_TRIALS", list);
        } else {
            command.arg("--exact").args(names);
        }
        self.take(&mut command)
    }

    fn command(&self, id: u32) -> Command {
        let mut command = Command::new(&self.path);
        command
            .arg("--quiet")
            .current_dir(&self.folder)
            .env("CATENA_MUTANT", id.to_string())
            .env("CATENA_FAIL_FAST", "1")
            .env("INSTA_UPDATE", "no")
            .envs(shared())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs it to its end, or as long as there is patience for.
    fn take(&self, command: &mut Command) -> Result<Option<Taken>, Failure> {
        let started = |cause| Failure::Start { program: self.path.display().to_string(), cause };
        let mut child = command.spawn().map_err(started)?;
        let begun = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait().map_err(started)? {
                return Ok((!status.success()).then_some(Taken::Caught));
            }
            if begun.elapsed() > self.patience {
                child.kill().map_err(started)?;
                child.wait().map_err(started)?;
                return Ok(Some(Taken::Endless));
            }
            std::thread::sleep(pause);
            pause = pause.saturating_mul(2).min(Duration::from_millis(50));
        }
    }
}

fn messages(output: &str) -> impl Iterator<Item = Value> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |cause| Failure::File { path: folder.to_owned(), cause };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn write_if_changed(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if std::fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let failure = |cause| Failure::File { path: path.to_owned(), cause };
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(failure)?;
    std::fs::write(path, content).map_err(failure)
}
