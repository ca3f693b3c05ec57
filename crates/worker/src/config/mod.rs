//! A worker's configuration: scriptworker's file, read into types.

mod credentials;
mod file;
mod mode;
mod problem;
mod settings;
mod slot;
mod trust;

pub use mode::Mode;
pub use problem::{Problem, Severity};
pub use trust::Trust;

use crate::log::LineFormat;
use crate::status::default_reversed;
use catena_http::Secret;
use catena_json::{Map, Value};
use catena_model::custody::WorkerRecord;
use catena_taskcluster::{ExceptionReason, RootUrl, TaskclusterCredentials};
use file::File;
use problem::Problems;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is read where none is named.
pub const DEFAULT_FILE: &str = "./scriptworker.yaml";

/// The reasons that the queue takes for an exception.
const REASONS: &str =
    "worker-shutdown, malformed-payload, resource-unavailable, internal-error, intermittent-task";

/// Who the worker is to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provisioner of its pool.
    pub provisioner_id: String,
    /// The worker type of its pool.
    pub worker_type: String,
    /// Its group.
    pub worker_group: String,
    /// Its own name in the group.
    pub worker_id: String,
}

/// The directories of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directories {
    /// What the script reads; emptied before each task.
    pub work: PathBuf,
    /// What the script writes; emptied before each task.
    pub artifacts: PathBuf,
    /// The logs of a task, usually below the artifacts; emptied before each task.
    pub task_logs: PathBuf,
    /// The worker's own log, which is kept.
    pub logs: PathBuf,
}

/// The worker's own log.
#[derive(Clone, Debug)]
pub struct WorkerLogOptions {
    /// How a line is written.
    pub format: LineFormat,
    /// Details too, and everything on standard error as well.
    pub verbose: bool,
    /// Reopen the file when another takes its place.
    pub watch: bool,
    /// Start a new file when it has so many bytes, and keep so many old ones; both 0 to go on for ever.
    pub rotation: Option<(u64, u32)>,
}

/// How a worker works. Only [`Config::read`] makes one, of a file without errors.
#[derive(Debug)]
pub struct Config {
    /// Where Taskcluster is.
    pub root_url: RootUrl,
    /// The same, as the file has it: the script gets this.
    pub root_url_text: String,
    /// Who the worker is.
    pub identity: Identity,
    /// What it claims tasks with.
    pub credentials: TaskclusterCredentials,
    /// Where it works.
    pub directories: Directories,
    /// The key that documents are signed with, where they are signed.
    pub private_key: Option<PathBuf>,
    /// The worker and its machine, for the record of custody; none where documents have no record.
    pub custody: Option<WorkerRecord>,
    /// The program that runs tasks, and its arguments.
    pub script: Vec<String>,
    /// The longest that a script may run.
    pub task_max_timeout: Duration,
    /// The status of a script that ran for longer.
    pub timeout_status: i32,
    /// How often a claim is renewed.
    pub reclaim_interval: Duration,
    /// How long the worker waits after it was given no task.
    pub poll_interval: Duration,
    /// How long an upload may make no progress.
    pub upload_stall: Duration,
    /// Exit codes that are reported as exceptions.
    pub reversed_statuses: BTreeMap<i32, ExceptionReason>,
    /// What chains are verified by; none where they are not verified.
    pub trust: Option<Trust>,
    /// What a verdict other than "verified" means for the task.
    pub mode: Mode,
    /// For GitHub, where Taskcluster has no token for a repository.
    pub github_token: Option<Secret>,
    /// The GitHub application that Taskcluster hands out tokens of.
    pub github_app: String,
    /// The worker's own log.
    pub log: WorkerLogOptions,
    /// Tasks that are run at the same time, each by a process of its own.
    pub capacity: u32,
    /// Directories of the other slots, where there are several tasks at the same time.
    pub other_slots: Vec<PathBuf>,
    /// Where probes and metrics are answered.
    pub metrics: Option<SocketAddr>,
}

/// A file that was read: what it says, if it can be used, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// None where there is an error.
    pub config: Option<Config>,
    /// The worst first.
    pub problems: Vec<Problem>,
    /// What the file says about trust, as a layer over the policy.
    pub layer: String,
}

/// The credentials of a worker without a configuration: those of the first file or of the environment that has
/// any.
///
/// # Errors
/// A file or variables that hold something else, without their content.
pub fn found_credentials(
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<TaskclusterCredentials>, String> {
    credentials::find(None, &credentials::files(variable), variable)
}

impl Config {
    /// Reads a configuration. `name` is the file's, for messages; `policies` are names and texts of policy
    /// files between the one that ships and what the file itself says; `variable` reads the environment.
    /// Files of credentials are looked for where scriptworker does: `secrets.json` in the current directory
    /// and `.scriptworker` in the home directory.
    #[must_use]
    pub fn read(
        name: &Path,
        text: &[u8],
        policies: &[(String, String)],
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Checked {
        Self::read_slot(name, text, policies, variable, 1)
    }

    /// Reads a configuration as the slot of this number, from 1, reads it: where `capacity` is more than 1, the
    /// number stands in place of `{slot}`, and the port of `metrics_address` is counted up from the first slot.
    #[must_use]
    pub fn read_slot(
        name: &Path,
        text: &[u8],
        policies: &[(String, String)],
        variable: &dyn Fn(&str) -> Option<String>,
        slot: u32,
    ) -> Checked {
        let mut problems = Problems::new(name);
        let mut file = File::read(text, &mut problems);
        let (capacity, other_slots) = slot::capacity(&mut file, slot, &mut problems);
        let metrics = slot::metrics_address(&file, slot, &mut problems);
        let configured = file.take_value("credentials");
        let files = credentials::files(variable);
        let credentials = match credentials::find(configured.as_ref(), &files, variable) {
            Ok(Some(credentials)) => Some(credentials),
            Ok(None) => {
                problems.error(None, format!("{} credentials needs to be defined!", name.display()));
                None
            }
            Err(reason) => {
                problems.error(None, reason);
                None
            }
        };
        let (trust, layer) = trust::read(&file, policies, &mut problems);
        let mut draft =
            Draft { file: &file, problems: &mut problems, variable, capacity, other_slots, metrics };
        let config = draft.config(credentials, trust).filter(|_| !problems.has_errors());
        Checked { config, problems: problems.into_sorted(), layer }
    }
}

/// A configuration in the making.
struct Draft<'a> {
    file: &'a File,
    problems: &'a mut Problems,
    variable: &'a dyn Fn(&str) -> Option<String>,
    capacity: u32,
    other_slots: Vec<PathBuf>,
    metrics: Option<SocketAddr>,
}

impl Draft<'_> {
    /// A hidden key keeps scripts from making files directly in the directories above it.
    fn warn_of_a_key_below_home(&mut self, key: &Path) {
        let Some(home) = (self.variable)("HOME").map(PathBuf::from) else { return };
        if home.parent().is_some() && key.starts_with(&home) {
            let home = home.display();
            let what = format!(
                "ed25519_private_key_path: the key is below HOME, {home}, where scripts then cannot make, rename or \
                 remove files directly: keep it in a directory of its own elsewhere"
            );
            self.problems.add(Severity::Warning, self.file.mark("ed25519_private_key_path"), what);
        }
    }

    fn config(
        &mut self,
        credentials: Option<TaskclusterCredentials>,
        trust: Option<Trust>,
    ) -> Option<Config> {
        let identity = self.identity();
        let root = self.root_url();
        let script = self.script();
        let reversed_statuses = self.reversed_statuses();
        let seconds = |draft: &mut Self, name| draft.seconds(name);
        let times = ["task_max_timeout", "reclaim_interval", "poll_interval", "artifact_upload_timeout"]
            .map(|name| seconds(self, name));
        let timeout_status = self.status_number("task_max_timeout_status");
        let log = self.log();
        self.fixed();
        let mode = Mode::read(self.file, self.problems);
        let directories = self.directories();
        let private_key =
            self.path("ed25519_private_key_path").filter(|_| self.file.truth("sign_chain_of_trust"));
        if let Some(key) = &private_key {
            self.warn_of_a_key_below_home(key);
        }
        let custody = self.custody();
        let token = self.file.text("github_oauth_token").unwrap_or_default().trim().to_owned();
        let [task_max_timeout, reclaim_interval, poll_interval, upload_stall] = times;
        let (root_url, root_url_text) = root?;
        Some(Config {
            root_url,
            root_url_text,
            identity,
            credentials: credentials?,
            directories: directories?,
            private_key,
            custody,
            script,
            task_max_timeout,
            timeout_status,
            reclaim_interval: reclaim_interval.max(Duration::from_secs(1)),
            poll_interval,
            upload_stall,
            reversed_statuses,
            trust,
            mode,
            github_token: Some(token).filter(|token| !token.is_empty()).map(Secret::new),
            github_app: self.file.text("github_app_name").unwrap_or_default().to_owned(),
            log,
            capacity: self.capacity,
            other_slots: std::mem::take(&mut self.other_slots),
            metrics: self.metrics,
        })
    }

    /// The names that Taskcluster takes for a worker: 1 to 38 letters, digits, `-` and `_`.
    fn identity(&mut self) -> Identity {
        let environment = (self.variable)("SCRIPTWORKER_WORKER_ID").filter(|text| !text.is_empty());
        let mut name = |key: &str| {
            let given = environment.clone().filter(|_| key == "worker_id" && self.file.value(key).is_none());
            let text = given.unwrap_or_else(|| self.file.text(key).unwrap_or_default().to_owned());
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !(1..=38).contains(&text.len()) || !text.bytes().all(plain) {
                let what =
                    format!("{key} doesn't match \"^[a-zA-Z0-9-_]{{1,38}}$\" (required by Taskcluster)");
                self.problems.error(self.file.mark(key), what);
            }
            text
        };
        Identity {
            provisioner_id: name("provisioner_id"),
            worker_type: name("worker_type"),
            worker_group: name("worker_group"),
            worker_id: name("worker_id"),
        }
    }

    fn root_url(&mut self) -> Option<(RootUrl, String)> {
        let key = "taskcluster_root_url";
        let environment = (self.variable)("TASKCLUSTER_ROOT_URL").filter(|text| !text.is_empty());
        let given = environment.filter(|_| self.file.value(key).is_none());
        let text = given.unwrap_or_else(|| self.file.text(key).unwrap_or_default().to_owned());
        match RootUrl::parse(&text) {
            Ok(root) => Some((root, text)),
            Err(error) => {
                self.problems.error(self.file.mark(key), format!("{key}: {error}"));
                None
            }
        }
    }

    /// The worker and its machine, where they are recorded.
    fn custody(&mut self) -> Option<WorkerRecord> {
        const KEY: &str = "custody_machine";
        const MEMBERS: [&str; 3] = ["instanceId", "machineImage", "region"];
        const LONGEST: usize = 1024;
        let empty = Map::new();
        let map = self.file.value(KEY).and_then(Value::as_object).unwrap_or(&empty);
        let fits = |text: &&str| (1..=LONGEST).contains(&text.len()) && !text.contains(char::is_control);
        for (member, value) in map {
            if !MEMBERS.contains(&member.as_str()) || value.as_str().filter(fits).is_none() {
                let what = format!(
                    "{KEY}: {member}: only {} are supported, each a text of 1 to {LONGEST} bytes without control characters",
                    MEMBERS.join(", ")
                );
                self.problems.error(self.file.mark(KEY), what);
            }
        }
        let member = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
        self.file.truth("record_custody").then(|| WorkerRecord {
            name: "catena".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance_id: member("instanceId"),
            machine_image: member("machineImage"),
            region: member("region"),
        })
    }

    fn script(&mut self) -> Vec<String> {
        let key = "task_script";
        let Some(value) = self.file.value(key) else {
            self.problems
                .error(None, format!("{} {key} needs to be defined!", self.problems.file().display()));
            return Vec::new();
        };
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let words: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        match words {
            Some(words)
                if words.first().is_some_and(|program| !program.is_empty())
                    && words.iter().all(|word| !word.contains('\0')) =>
            {
                words
            }
            _ => {
                let what = format!("{key}: a list of texts is needed, the first of which names a program");
                self.problems.error(self.file.mark(key), what);
                Vec::new()
            }
        }
    }

    fn reversed_statuses(&mut self) -> BTreeMap<i32, ExceptionReason> {
        let key = "reversed_statuses";
        let Some(map) = self.file.value(key).and_then(Value::as_object) else { return default_reversed() };
        let mut reversed = BTreeMap::new();
        for (code, reason) in map {
            match (code.parse::<i32>(), reason.as_str().and_then(ExceptionReason::parse)) {
                (Ok(code), Some(reason)) => drop(reversed.insert(code, reason)),
                _ => {
                    let what =
                        format!("{key}: {code}: {reason}: an exit code and a reason of {REASONS} are needed");
                    self.problems.error(self.file.mark(key), what);
                }
            }
        }
        reversed
    }

    fn seconds(&mut self, key: &str) -> Duration {
        let number = self.file.whole(key);
        // A year is longer than anything that can be meant, and short enough for every clock.
        match u64::try_from(number).ok().filter(|seconds| *seconds <= 366 * 86_400) {
            Some(seconds) => Duration::from_secs(seconds),
            None => {
                self.problems
                    .error(self.file.mark(key), format!("{key}: {number} is not a number of seconds"));
                Duration::ZERO
            }
        }
    }

    fn status_number(&mut self, key: &str) -> i32 {
        let number = self.file.whole(key);
        i32::try_from(number).ok().filter(|status| (0..=255).contains(status)).unwrap_or_else(|| {
            self.problems
                .error(self.file.mark(key), format!("{key}: {number} is not a status from 0 to 255"));
            0
        })
    }

    fn log(&mut self) -> WorkerLogOptions {
        let text = |key| self.file.text(key).unwrap_or_default();
        let format = LineFormat::parse(text("log_fmt"), text("log_datefmt")).unwrap_or_else(|reason| {
            self.problems.error(self.file.mark("log_fmt").or(self.file.mark("log_datefmt")), reason);
            LineFormat::default()
        });
        let (bytes, backups) = (self.file.whole("log_max_bytes"), self.file.whole("log_max_backups"));
        let rotation = match (u64::try_from(bytes), u32::try_from(backups)) {
            (Ok(0), Ok(_)) | (Ok(_), Ok(0)) => None,
            (Ok(bytes), Ok(backups)) if backups <= 1000 => Some((bytes, backups)),
            _ => {
                let what = "log_max_bytes and log_max_backups: numbers of bytes and of files (at most 1000)";
                self.problems.error(self.file.mark("log_max_bytes"), what);
                None
            }
        };
        let (verbose, watch) = (self.file.truth("verbose"), self.file.truth("watch_log_file"));
        WorkerLogOptions { format, verbose, watch, rotation }
    }

    /// What is part of Catena and has no other value.
    fn fixed(&mut self) {
        let algorithm = self.file.text("chain_of_trust_hash_algorithm").unwrap_or_default();
        if algorithm != "sha256" {
            let what =
                format!("chain_of_trust_hash_algorithm: {algorithm} is not supported; documents have sha256");
            self.problems.error(self.file.mark("chain_of_trust_hash_algorithm"), what);
        }
        let pushlog = self.file.text("pushlog_url").unwrap_or_default();
        if pushlog != "{repo}/json-pushes?changeset={revision}&version=2&full=1" {
            self.problems.error(
                self.file.mark("pushlog_url"),
                "pushlog_url: another address of the push log is not supported; remove the key",
            );
        }
        if let Some(hashes) = self.file.value("valid_hash_algorithms").and_then(Value::as_array) {
            let mut hashes: Vec<&str> = hashes.iter().filter_map(Value::as_str).collect();
            hashes.sort_unstable();
            if hashes != ["sha256", "sha512"] {
                self.problems.error(
                    self.file.mark("valid_hash_algorithms"),
                    "valid_hash_algorithms: only [sha256, sha512] is supported; remove the key",
                );
            }
        }
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        self.file.text(key).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    /// The directories, which are emptied: none may hold another's, but for the task's logs, which may be among
    /// the artifacts.
    fn directories(&mut self) -> Option<Directories> {
        let names = ["work_dir", "artifact_dir", "task_log_dir", "log_dir"];
        for name in names {
            if self.file.text(name) == Some("") {
                self.problems
                    .error(self.file.mark(name), format!("{name}: the name of a directory is needed"));
            }
        }
        let [work, artifacts, task_logs, logs] = names.map(|name| self.path(name));
        let found = Directories { work: work?, artifacts: artifacts?, task_logs: task_logs?, logs: logs? };
        let emptied = [
            ("work_dir", &found.work),
            ("artifact_dir", &found.artifacts),
            ("task_log_dir", &found.task_logs),
        ];
        for (name, path) in emptied {
            let root = path.parent().is_none_or(|parent| parent.as_os_str().is_empty() && path.is_absolute());
            if root {
                self.problems.error(
                    self.file.mark(name),
                    format!("{name}: {} is emptied before each task", path.display()),
                );
            }
            let holds_logs = found.logs.starts_with(path);
            if holds_logs {
                let what = format!("{name}: it is emptied before each task and would take log_dir with it");
                self.problems.error(self.file.mark(name), what);
            }
        }
        let apart = |one: &Path, other: &Path| !one.starts_with(other) && !other.starts_with(one);
        if !apart(&found.work, &found.artifacts) || found.artifacts.starts_with(&found.task_logs) {
            let what =
                "work_dir, artifact_dir and task_log_dir: only the last may lie in another, artifact_dir";
            self.problems.error(self.file.mark("artifact_dir"), what);
        }
        if let Some(key) = self.path("ed25519_private_key_path")
            && emptied.iter().any(|(_, path)| key.starts_with(path))
        {
            let what =
                "ed25519_private_key_path: the key lies in a directory that is emptied before each task";
            self.problems.error(self.file.mark("ed25519_private_key_path"), what);
        }
        Some(found)
    }
}
