//! The arguments of `catena verify`.

use crate::cache_options::CacheOptions;
use catena_model::task::{Kind, TaskId};
use catena_verify::verification::Extent;
use clap::{Args, ValueEnum};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena verify TASK_ID --task-type signing --product firefox
      A finished task: its own document is verified too, and every artifact that it lists.
  catena verify TASK_ID --task-type signing --product firefox --no-check-task --work-dir work
      A task that is about to run. If it is verified, its inputs are in
      work/cot/<taskId>/<path>; otherwise no file is.
  catena verify TASK_ID --task-type signing --product firefox --tree --explain
      With the chain as a tree, and the pages of the checks that failed.
  catena verify TASK_ID --task-type signing --product firefox --format json -o verdict.json
      For machines (docs/verdict-json.md); `catena explain verdict.json` reads it.
  catena verify --batch tasks.txt --task-type signing --product firefox
      Many tasks, one per line: verdicts as they arrive, with shared data fetched once.
  catena verify TASK_ID --task-type signing --product firefox --record case
  catena verify --replay case
      The same verdict again, byte for byte and without a network.
  catena verify TASK_ID --task-type signing --product firefox --cache ~/.cache/catena
      Immutable data is cached for the next task of the same push.

A task id that starts with `-` is written after `--`.

Environment:
  TASKCLUSTER_ROOT_URL
      Like --root-url.
  TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN, TASKCLUSTER_CERTIFICATE
      Credentials, for artifacts that are not public.
  CATENA_GITHUB_TOKEN, GITHUB_TOKEN
      A token for GitHub's API, whose rate limit is low without one.
  CATENA_CACHE, CATENA_CACHE_KEY, CATENA_CACHE_SIZE
      Like --cache, --cache-key and --cache-size.
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE
      Proxies and trusted certificates.";

/// The target, how to verify it, and where its verdict goes.
#[derive(Debug, Args)]
pub(crate) struct ChainArgs {
    /// The task
    #[arg(value_name = "TASK_ID", value_parser = TaskId::parse)]
    pub(super) task_id: Option<TaskId>,
    /// The kind that it is verified as: signing, beetmover, build, …
    #[arg(long, value_name = "KIND", value_parser = Kind::parse)]
    pub(super) task_type: Option<Kind>,
    /// The product whose policy is applied
    #[arg(long, value_name = "NAME", visible_alias = "cot-product")]
    pub(super) product: Option<String>,
    /// Taskcluster's root URL [default: the policy's]
    #[arg(long, value_name = "URL", env = "TASKCLUSTER_ROOT_URL", hide_env_values = true)]
    pub(super) root_url: Option<String>,
    /// A policy file instead of the shipped one; later ones extend earlier ones
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Vec<PathBuf>,
    /// Public keys instead of the product's: a YAML or JSON map from worker implementation to a list of base64
    /// keys. An https address is asked for them; like a file it can only narrow a trust file, and needs one
    #[arg(long, value_name = "FILE|URL")]
    pub(super) keys: Option<PathBuf>,
    /// The task has run: verify its own document too (the default)
    #[arg(long, overrides_with = "no_check_task")]
    check_task: bool,
    /// The task is about to run: it has no document of its own yet
    #[arg(long, overrides_with = "check_task")]
    no_check_task: bool,
    /// Which artifacts are measured beside the task's inputs
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    pub(super) artifacts: Artifacts,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
    /// Write the verdict to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Deadline of the verification of a task: 90s, 5m, 1h [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) deadline: Option<Duration>,
    /// Maximum attempts per request [default: 5]
    #[arg(long, value_name = "NUMBER", help_heading = "Network")]
    pub(super) attempts: Option<NonZeroU32>,
    /// Retry a request if no data arrives for this long [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Network")]
    pub(super) stall: Option<Duration>,
    /// Record everything that the verdict depends on in DIR
    #[arg(long, value_name = "DIR", help_heading = "Recordings")]
    pub(super) record: Option<PathBuf>,
    /// Reproduce the verdict from a recording in DIR: target, product, policy, keys and time are those
    /// of the recording
    #[arg(long, value_name = "DIR", help_heading = "Recordings", conflicts_with_all = [
        "task_id", "task_type", "product", "policy", "keys", "check_task", "no_check_task", "artifacts", "record",
        "credentials", "ca_file", "deadline", "attempts", "stall", "danger_skip_signatures", "danger_allow_http",
    ])]
    pub(super) replay: Option<PathBuf>,
    /// Taskcluster credentials: a JSON object with clientId, accessToken and optionally certificate
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) credentials: Option<PathBuf>,
    /// Trust these certificate authorities too (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) cache: CacheOptions,
    /// Use the cache only; mutable data comes from the last successful verification of this task
    #[arg(long, help_heading = "Cache", requires = "cache")]
    #[arg(conflicts_with_all = ["replay", "danger_allow_http"])]
    pub(super) offline: bool,
    /// Allow plain http to other machines: any machine on the path can then answer for Taskcluster
    #[arg(long, help_heading = "Danger")]
    pub(super) danger_allow_http: bool,
    /// Accept documents without verifying their signatures; the verdict says so
    #[arg(long, help_heading = "Danger")]
    pub(super) danger_skip_signatures: bool,
}

/// What to verify, and what to print beside the verdict.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(super) chain: ChainArgs,
    /// Verify every task of a list: one TASK_ID [KIND [PRODUCT]] per line; defaults come from
    /// --task-type and --product; `#` starts a comment. Results are printed as they become available
    #[arg(long, value_name = "FILE", conflicts_with_all = ["task_id", "work_dir", "output", "record", "replay", "offline"])]
    pub(super) batch: Option<PathBuf>,
    /// With --batch: verify this many tasks in parallel [default: 16]
    #[arg(long, value_name = "NUMBER", requires = "batch")]
    pub(super) jobs: Option<NonZeroU32>,
    /// The directory for verified artifacts
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    #[arg(help = "Leave each verified artifact at DIR/cot/<taskId>/<path>, and nothing unverified")]
    pub(super) work_dir: Option<PathBuf>,
    /// Print the chain as a tree below the verdict. JSON has its links and edges in any case
    #[arg(long, conflicts_with = "batch")]
    pub(super) tree: bool,
    /// Print below the verdict the page of each check that failed, the deciding one first
    #[arg(long, conflicts_with = "batch")]
    pub(super) explain: bool,
    /// Accepted for compatibility with verify_cot; signatures are always verified
    #[arg(long, hide_short_help = true)]
    verify_sigs: bool,
    /// Accepted for compatibility with verify_cot; nothing is left behind to clean up
    #[arg(long, hide_short_help = true)]
    cleanup: bool,
}

/// Which artifacts are measured beside the target's inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Artifacts {
    /// All that the document of a finished task lists
    #[default]
    Listed,
    /// No further ones: the verdict names their digests, and covers nothing else
    Named,
    /// All that the document of a finished task lists, and the inputs of every link of the chain
    All,
}

impl From<Artifacts> for Extent {
    fn from(artifacts: Artifacts) -> Self {
        match artifacts {
            Artifacts::Listed => Self::Listed,
            Artifacts::Named => Self::Named,
            Artifacts::All => Self::All,
        }
    }
}

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For machines, in a documented and versioned schema
    Json,
}

impl ChainArgs {
    /// Whether the target's own document is verified too.
    pub(super) fn checks_task(&self) -> bool {
        !self.no_check_task
    }
}

/// `90s`, `5m`, `1h30m`; a number alone is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time such as 90s, 5m or 1h30m");
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = after.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters).ok_or_else(wrong)?;
        let seconds = match unit {
            "s" | "" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(seconds).map(Duration::from_secs);
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    // A deadline of a year is rejected too.
    if total.is_zero() || total > Duration::from_secs(365 * 24 * 3600) { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_people_write() {
        for (text, seconds) in
            [("90s", 90), ("5m", 300), ("5min", 300), ("1h30m", 5400), ("1h 30m", 5400), ("45", 45)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "0", "m", "5x", "-5m", "5m-", "99999999999999999999h", "9999999999h", "1.5h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
