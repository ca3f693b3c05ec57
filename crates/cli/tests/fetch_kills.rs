//! Several `catena fetch` at once over one cache and one destination, and SIGKILL at moments that a seed chooses:
//! what is in place is whole and right, the survivors deliver all of it, and the next run leaves nothing of the
//! killed ones.
//!
//! `CATENA_KILLS` says which of the 100 seeds are tried: every N-th, 10 when unset.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_testbed::{Artifact, Chain, Fault, Options, Testbed};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use support::{Catena, keys_file, splitmix};
use tempfile::TempDir;

const SEEDS: u64 = 100;
/// Fetchers at the same time: two with one destination, and one with another.
const FETCHERS: usize = 3;
/// Times that fetchers are started and some of them killed.
const ROUNDS: usize = 2;
/// Fewer bytes than the artifacts have together, so that room must be made.
const BOUND: u64 = 900_000;
const LARGEST: usize = 400_000;
/// A fetch takes some 200 ms on a machine with nothing else to do.
const LATEST: u64 = 400;

fn main() {
    let arguments = Arguments::from_args();
    let every =
        std::env::var("CATENA_KILLS").map_or(10, |text| text.parse().expect("CATENA_KILLS is a number"));
    let served = Arc::new(Served::new());
    let trial = |seed| {
        let served = Arc::clone(&served);
        Trial::test(format!("seed {seed:03}"), move || Case::new(&served, seed).run())
    };
    let trials = (0..SEEDS).step_by(every.max(1)).map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// One task with files of several sizes and an archive.
struct Served {
    testbed: Testbed,
    task: String,
    keys: Value,
    /// What is in a destination at the end of a fetch of each artifact.
    files: BTreeMap<String, BTreeMap<PathBuf, Vec<u8>>>,
}

impl Served {
    fn new() -> Self {
        let mut chain = Chain::demo().unwrap();
        let task = chain.builds[0].clone();
        let mut next = splitmix(1);
        let mut noise = |length: usize| -> Vec<u8> { (0..length).map(|_| next() as u8).collect() };
        let mut files = BTreeMap::new();
        let mut add = |name: &str, content: Vec<u8>, made: BTreeMap<PathBuf, Vec<u8>>| {
            let artifact = Artifact::new(content, "application/octet-stream");
            chain.artifacts_mut(&task).unwrap().insert(name.to_owned(), artifact);
            files.insert(name.to_owned(), made);
        };
        for (name, length) in [("a", LARGEST), ("b", 300_000), ("c", 200_000), ("d", 0), ("e", 70_000)] {
            let content = noise(length);
            add(&format!("public/{name}"), content.clone(), [(PathBuf::from(name), content)].into());
        }
        let members: BTreeMap<PathBuf, Vec<u8>> =
            (0..40).map(|number| (format!("tree/{}/{number}", number % 5).into(), noise(2_000))).collect();
        add("public/tree.tar", tar_of(&members), members);
        chain.reseal(&task).unwrap();
        let keys = json!(chain.keys.public_keys_base64());
        let testbed = Testbed::start_blocking(chain.into_site(), Options::default()).unwrap();
        // So that it is on its way for a while.
        let slowly = Fault::Drip { bytes: 20_000, every: Duration::from_millis(4) };
        testbed.fault(&format!("/_store/{task}/*/public/a"), .., slowly);
        Self { testbed, task, keys, files }
    }
}

fn tar_of(members: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// One fetcher: what it fetches, and where to.
struct Fetcher {
    names: Vec<String>,
    dest: &'static str,
    links: bool,
}

struct Case {
    served: Arc<Served>,
    room: TempDir,
    fetchers: Vec<Fetcher>,
    /// For each round the moments at which each fetcher is killed, if it is.
    kills: Vec<Vec<Option<Duration>>>,
}

impl Case {
    fn new(served: &Arc<Served>, seed: u64) -> Self {
        let mut next = splitmix(seed + 1000);
        let names: Vec<&String> = served.files.keys().collect();
        let fetchers = (0..FETCHERS).map(|number| {
            // The first fetches everything, and the others at least one each.
            let chosen = names.iter().filter(|_| number == 0 || next().is_multiple_of(2));
            let mut chosen: Vec<String> = chosen.map(|name| (*name).clone()).collect();
            if chosen.is_empty() {
                chosen.push(names[usize::try_from(next()).unwrap() % names.len()].clone());
            }
            Fetcher {
                names: chosen,
                dest: if number < 2 { "one" } else { "other" },
                links: next().is_multiple_of(3),
            }
        });
        let fetchers = fetchers.collect();
        let kills = (0..ROUNDS).map(|_| {
            let certain = usize::try_from(next()).unwrap() % FETCHERS;
            let moments = (0..FETCHERS).map(|number| {
                let (is_killed, moment) = (number == certain || next().is_multiple_of(3), next() % LATEST);
                is_killed.then(|| Duration::from_millis(moment))
            });
            moments.collect()
        });
        let kills = kills.collect();
        let room = tempfile::tempdir().unwrap();
        keys_file(room.path(), &served.keys);
        for folder in ["tmp", "state"] {
            fs::create_dir(room.path().join(folder)).unwrap();
        }
        Self { served: Arc::clone(served), room, fetchers, kills }
    }

    fn run(&self) -> Result<(), Failed> {
        for (number, kills) in self.kills.iter().enumerate() {
            self.round(kills).map_err(|why| self.told(&format!("round {number}: {why}")))?;
        }
        self.settle().map_err(|why| self.told(&why))?;
        Ok(())
    }

    /// Starts all of them and kills some; what is left running delivers.
    fn round(&self, kills: &[Option<Duration>]) -> Result<(), String> {
        let mut running: Vec<Child> = (0..FETCHERS).map(|number| self.start(number)).collect();
        let mut moments: Vec<(Duration, usize)> = Vec::new();
        moments.extend(kills.iter().enumerate().filter_map(|(number, moment)| Some(((*moment)?, number))));
        moments.sort();
        let mut passed = Duration::ZERO;
        for (moment, number) in moments {
            std::thread::sleep(moment - passed);
            passed = moment;
            // It may have ended before.
            running[number].kill().unwrap();
            self.nothing_wrong()?;
        }
        for (number, mut child) in running.into_iter().enumerate() {
            let status = child.wait().unwrap();
            if kills[number].is_none() && status.code() != Some(0) {
                let told = fs::read_to_string(self.log(number)).unwrap();
                return Err(format!("fetcher {number}: {status}\n{told}"));
            }
        }
        self.nothing_wrong()
    }

    /// Each fetcher alone, and with nothing that disturbs it: everything is in place, and nothing else is left.
    fn settle(&self) -> Result<(), String> {
        self.age_unclaimed();
        for number in 0..FETCHERS {
            let status = self.start(number).wait().unwrap();
            if status.code() != Some(0) {
                let told = fs::read_to_string(self.log(number)).unwrap();
                return Err(format!("afterwards, fetcher {number}: {status}\n{told}"));
            }
        }
        for dest in ["one", "other"] {
            let of = self.fetchers.iter().filter(|fetcher| fetcher.dest == dest);
            let wanted: BTreeSet<&PathBuf> = of
                .flat_map(|fetcher| &fetcher.names)
                .flat_map(|name| self.served.files[name].keys())
                .collect();
            let found = files(&self.room.path().join(dest));
            if found.iter().collect::<BTreeSet<_>>() != wanted {
                return Err(format!("{dest} has {found:?}, and not {wanted:?}"));
            }
        }
        self.nothing_wrong()?;
        let left = [files(&self.room.path().join("tmp")), files(&self.cache().join("v1/new"))].concat();
        if !left.is_empty() {
            return Err(format!("left over: {left:?}"));
        }
        self.cache_is_right()
    }

    /// Every file has the content of its name, whichever process was killed.
    fn nothing_wrong(&self) -> Result<(), String> {
        let known: BTreeMap<&PathBuf, &Vec<u8>> = self.served.files.values().flatten().collect();
        for dest in ["one", "other"] {
            let dest = self.room.path().join(dest);
            for path in files(&dest).into_iter().filter(|path| !is_staged(path)) {
                if fs::read(dest.join(&path)).ok().as_ref() != known.get(&path).copied() {
                    return Err(format!("{} is wrong", path.display()));
                }
            }
        }
        Ok(())
    }

    fn cache_is_right(&self) -> Result<(), String> {
        let blobs = self.cache().join("v1/blobs");
        let bytes: u64 = files(&blobs).iter().map(|path| fs::metadata(blobs.join(path)).unwrap().len()).sum();
        if bytes == 0 || bytes > BOUND {
            return Err(format!("the cache has {bytes} bytes"));
        }
        let mut catena = Catena::new();
        catena.command().current_dir(self.room.path());
        let answer = catena.args(["cache", "verify", "--cache", "cache"]).run();
        if answer.status == 0 && answer.stdout.contains("all as it was written") {
            Ok(())
        } else {
            Err(format!("{answer:?}"))
        }
    }

    /// A process that is killed between two system calls leaves a directory without a claim, which is removed
    /// once it is an hour old.
    fn age_unclaimed(&self) {
        for parent in ["one", "other", "tmp"] {
            let Ok(entries) = fs::read_dir(self.room.path().join(parent)) else { continue };
            for entry in entries.map(|entry| entry.unwrap().path()) {
                if is_staged(Path::new(entry.file_name().unwrap())) && !entry.join("lock").exists() {
                    let then = SystemTime::now() - Duration::from_secs(7200);
                    fs::File::open(entry).unwrap().set_modified(then).unwrap();
                }
            }
        }
    }

    fn start(&self, number: usize) -> Child {
        let Fetcher { names, dest, links } = &self.fetchers[number];
        let mut catena = Catena::through(&self.served.testbed, self.room.path());
        catena.env("TMPDIR", self.room.path().join("tmp"));
        let list: Vec<Value> = names
            .iter()
            .map(|name| json!({"task": self.served.task, "artifact": name, "extract": true}))
            .collect();
        let file = self.room.path().join(format!("list-{number}"));
        fs::write(&file, Value::from(list).to_string()).unwrap();
        catena.arg("fetch").arg("--from").arg(file).args(["--dest", dest, "--keys", "keys.json"]);
        catena.args(["--cache", "cache", "--cache-key", "state/key", "--cache-size", &BOUND.to_string()]);
        if *links {
            catena.arg("--cache-links");
        }
        let log = fs::File::create(self.log(number)).unwrap();
        let command = catena.command().current_dir(self.room.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.room.path().join("cache")
    }

    fn log(&self, number: usize) -> PathBuf {
        self.room.path().join(format!("log-{number}"))
    }

    fn told(&self, why: &str) -> String {
        let fetchers: Vec<_> = self
            .fetchers
            .iter()
            .map(|it| format!("{:?} to {}, links: {}", it.names, it.dest, it.links))
            .collect();
        format!("{why}\n{}\nkilled at {:?}", fetchers.join("\n"), self.kills)
    }
}

/// Whether a path is in a directory that nothing uses before it is verified.
fn is_staged(path: &Path) -> bool {
    path.iter().next().is_some_and(|first| first.to_string_lossy().starts_with(".catena-"))
}

/// The paths of all files below a directory, as far as others do not remove them meanwhile, and of staging
/// directories themselves.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = left.pop() {
        let entries = fs::read_dir(&next).into_iter().flatten().filter_map(Result::ok);
        for path in entries.map(|entry| entry.path()) {
            let below = path.strip_prefix(folder).unwrap().to_owned();
            match path.is_dir() && !is_staged(&below) {
                true => left.push(path),
                false => found.push(below),
            }
        }
    }
    found
}
