//! One run of the real binary against its own site, with its cost and the files that it left.

use crate::faults::{Laid, Place, When};
use crate::kinds::World;
use crate::support::{Catena, children, keys_file};
use catena_testbed::{Chain, Page, Site, Testbed};
use serde_json::{Value, json};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The time beyond its deadline after which a verifier counts as hanging. Only a verifier that hangs
/// takes that long, however busy the machine is.
const HANG: Duration = Duration::from_secs(60);

/// A served site.
pub(crate) struct Served {
    pub(crate) testbed: Testbed,
    pub(crate) room: TempDir,
    site: Site,
    target: String,
    /// The task that is fetched from, an artifact of it, and its content.
    build: String,
    wanted: (String, Vec<u8>),
    kind: String,
    product: String,
    policy: Option<PathBuf>,
}

/// Further arguments of the binary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimits {
    pub(crate) deadline: Duration,
    pub(crate) attempts: u64,
    pub(crate) stall: Duration,
    pub(crate) tls: bool,
}

/// The end of the run.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    /// Its peak memory, KiB; 0 if unknown.
    pub(crate) peak: u64,
}

impl Served {
    pub(crate) fn new(beside: &Testbed, world: World, chain: &Chain) -> Self {
        let room = tempfile::tempdir().unwrap();
        keys_file(room.path(), &chain.keys.public_keys_base64());
        let policy = world.policy().map(|text| {
            let file = room.path().join("policy.yml");
            std::fs::write(&file, text).unwrap();
            file
        });
        let Chain { target, kind, product, .. } = chain.clone();
        let mut site = chain.clone().into_site();
        let page = Page::new("nobody's bytes".to_owned(), "text/plain");
        site.pages.insert(crate::faults::ELSEWHERE.to_owned(), page);
        let build = chain.builds[0].clone();
        let indexed = json!({"namespace": crate::fetch::ROUTE, "taskId": build}).to_string();
        let index = format!("https://index/{}", crate::fetch::ROUTE);
        site.pages.insert(index, Page::new(indexed, "application/json"));
        let name = crate::kinds::artifact_name(chain);
        let mut content = Vec::new();
        let body = &site.tasks[&build].runs[&0].artifacts[&name].body;
        body.for_each(|chunk| io::Write::write_all(&mut content, chunk)).unwrap();
        let wanted = (name, content);
        let testbed = beside.start_beside(site.clone()).unwrap();
        Self { testbed, room, site, target, build, wanted, kind, product, policy }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) fn work_dir(&self) -> PathBuf {
        self.room.path().join("work")
    }

    /// Where an address of a kind is: paths are the queue's and its store's.
    pub(crate) fn place(&self, address: String, tls: bool) -> Place {
        let root = if tls { self.testbed.tls_root_url() } else { self.testbed.root_url() };
        let url = if address.starts_with('/') { format!("{root}{address}") } else { address.clone() };
        Place { pattern: address, url }
    }

    pub(crate) fn lay(&self, laid: Vec<Laid>, passing: bool) {
        for Laid { pattern, when, fault } in laid {
            match (when, passing) {
                (When::Always, true) => self.testbed.fault(&pattern, 1..=1, fault),
                (When::Always, false) => self.testbed.fault(&pattern, 1.., fault),
                (When::First, _) => self.testbed.fault(&pattern, 1..=1, fault),
                (When::Later, _) => self.testbed.fault(&pattern, 2.., fault),
            }
        }
    }

    pub(crate) fn command(&self, limits: &TimeLimits) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        if limits.tls {
            catena.env("TASKCLUSTER_ROOT_URL", self.testbed.tls_root_url());
        }
        catena.args(["verify", "--format", "json", "--task-type", &self.kind, "--product", &self.product]);
        catena.args(["--no-check-task", "--deadline", &format!("{}s", limits.deadline.as_secs())]);
        catena.args(["--attempts", &limits.attempts.to_string()]);
        catena.args(["--stall", &format!("{}s", limits.stall.as_secs())]);
        catena.arg("--keys").arg(self.room.path().join("keys.json"));
        if let Some(policy) = &self.policy {
            catena.arg("--policy").arg(policy);
        }
        catena
    }

    pub(crate) fn run(&self, limits: &TimeLimits, more: &[&str]) -> Ending {
        let mut catena = self.command(limits);
        catena.arg("--work-dir").arg(self.work_dir()).args(more).args(["--", &self.target]);
        self.end(&mut catena, limits)
    }

    /// Fetches an artifact of the build.
    pub(crate) fn fetch(&self, limits: &TimeLimits, is_indexed: bool, by_chain: bool) -> Ending {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        if limits.tls {
            catena.env("TASKCLUSTER_ROOT_URL", self.testbed.tls_root_url());
        }
        std::fs::create_dir(self.temporary_dir()).unwrap();
        catena.env("TMPDIR", self.temporary_dir());
        catena.arg("fetch").arg(match is_indexed {
            true => format!("index:{}", crate::fetch::ROUTE),
            false => format!("task:{}", self.build),
        });
        catena.arg(&self.wanted.0).arg("--keys").arg(self.room.path().join("keys.json"));
        if by_chain {
            catena.args(["--product", &self.product]);
        }
        catena.args(["--deadline", &format!("{}s", limits.deadline.as_secs())]);
        catena.args(["--attempts", &limits.attempts.to_string()]);
        catena.args(["--stall", &format!("{}s", limits.stall.as_secs())]);
        catena.arg("--dest").arg(self.work_dir());
        self.end(&mut catena, limits)
    }

    /// The artifact that is fetched, and its content.
    pub(crate) fn wanted(&self) -> (&str, &[u8]) {
        (&self.wanted.0, &self.wanted.1)
    }

    pub(crate) fn temporary_dir(&self) -> PathBuf {
        self.room.path().join("tmp")
    }

    /// Runs it to its end, or kills it if it hangs.
    fn end(&self, catena: &mut Catena, limits: &TimeLimits) -> Ending {
        let (out, err) = (self.room.path().join("out"), self.room.path().join("err"));
        let command = catena.command();
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).stdin(Stdio::null());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut peak = 0;
        let status = loop {
            peak = peak.max(peak_of(child.id()));
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if began.elapsed() > limits.deadline + HANG {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(4));
        };
        let elapsed = began.elapsed();
        let text = |file: &Path| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        let status = status.and_then(|status| status.code());
        Ending { status, stdout: text(&out), stderr: text(&err), elapsed, peak }
    }

    /// The number of requests of addresses that match a pattern.
    pub(crate) fn asked(&self, address: &str) -> u64 {
        let stats = self.testbed.stats();
        let of = |url: &str| {
            if !address.starts_with('/') {
                return url == address;
            }
            let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
            path.is_some_and(|(_, path)| path == address.trim_start_matches('/'))
        };
        stats.per_url.iter().filter(|(url, _)| of(url)).map(|(_, count)| count).sum()
    }

    /// The verdict without the parts that differ from run to run.
    pub(crate) fn timeless(&self, ending: &Ending) -> Value {
        let text = ending.stdout.replace(&self.testbed.tls_root_url(), "root");
        let text = text.replace(&self.testbed.root_url(), "root");
        let text = text.replace(&*self.room.path().to_string_lossy(), "room");
        let mut verdict: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Some(verdict) = verdict.as_object_mut() {
            verdict.remove("concluded");
        }
        verdict
    }
}

/// `VmHWM`: the most that was ever in memory, KiB. It is read until the process is gone, so that what
/// is missed grew within its last milliseconds.
fn peak_of(process: u32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return 0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// Every file below a directory, by its relative path.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in children(folder) {
            if entry.is_dir() { below(&entry, found) } else { found.push(entry) }
        }
    }
    let mut found = Vec::new();
    if folder.exists() {
        below(folder, &mut found);
    }
    found.iter().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
}
