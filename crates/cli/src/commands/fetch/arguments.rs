//! What can be said to `catena fetch`.

use crate::cache_options::CacheOptions;
use crate::commands::verify::duration;
use catena_download::Source;
use catena_model::task::Kind;
use clap::{Args, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena fetch TASK_ID public/build/target.tar.gz --dest fetches --product firefox
      One artifact, whose maker's chain of trust is verified back to its tree.
  catena fetch TASK_ID/0 'public/build/*.zip' --dest fetches --keys keys.json --extract
      What a trusted worker key signed the digests of, extracted.
  catena fetch index:gecko.v2.mozilla-central.latest.firefox.linux64-opt public/build/target.txt --product firefox
      The task that the index names now; it is pinned, and told.
  catena fetch task-artifacts --product firefox
      In the place of `fetch-content task-artifacts`: reads MOZ_FETCHES and MOZ_FETCHES_DIR.
  catena fetch task-artifacts --product firefox --offline-exec -- make
      The same, and then a build that has no network.

A task id that starts with `-` is written with `task:` before it.

How far a file was verified is told for each:
  chain      its maker's chain of trust was verified back to the tree (--product)
  signature  a trusted worker key signed the document that names its digest (--keys or --product)
  hash       it has the digest that the caller gave";

/// What is fetched.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct FetchArgs {
    #[command(subcommand)]
    pub(super) form: Option<Form>,
    /// The task, with its run where that is not the last one; or a route of the index
    #[arg(value_name = "TASK_ID[/RUN]|index:ROUTE", required_unless_present = "from")]
    pub(super) source: Option<Source>,
    /// Names of artifacts, or patterns of them, which may have * ? [ ]
    #[arg(value_name = "NAME_OR_GLOB", required_unless_present = "from")]
    pub(super) names: Vec<String>,
    /// Fetch what a YAML or JSON list says: maps of `task` or `index`, `artifact`, and perhaps `run`, `dest`,
    /// `extract`, `sha256`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "names", "sha256", "extract"])]
    pub(super) from: Option<PathBuf>,
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dest: PathBuf,
    /// The SHA-256 that the one file must have
    #[arg(long, value_name = "HEX")]
    pub(super) sha256: Option<String>,
    /// Extract archives
    #[arg(long)]
    pub(super) extract: bool,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl FetchArgs {
    /// How what was fetched is told.
    pub(super) fn format(&self) -> Format {
        match &self.form {
            None => self.common.report.format,
            Some(Form::TaskArtifacts(form)) => form.common.report.format,
            Some(Form::StaticUrl(form)) => form.report.format,
            Some(Form::GitCheckoutArchive(form)) => form.report.format,
            Some(Form::Toolchain(form)) => form.common.report.format,
            Some(Form::Mounts(_)) => Format::Json,
        }
    }
}

/// What tasks call today, by its name there.
#[derive(Debug, Subcommand)]
pub(super) enum Form {
    /// Fetch what MOZ_FETCHES names, as `fetch-content task-artifacts` does
    TaskArtifacts(TaskArtifactsArgs),
    /// Fetch a file that is not an artifact, as `fetch-content static-url` does
    StaticUrl(StaticUrlArgs),
    /// Make an archive of the files of a commit, as `fetch-content git-checkout-archive` does
    GitCheckoutArchive(GitArchiveArgs),
    /// Put the mounts of a task in place before it runs, as standard input says
    ///
    /// Standard input has a JSON object of taskId, runId and mounts, which are those of generic-worker's payload.
    /// The answer is JSON (docs/fetch.md).
    Mounts(MountsArgs),
    /// Fetch toolchains into the working directory, as `mach artifact toolchain` does
    Toolchain(ToolchainArgs),
}

/// As `mach artifact toolchain`.
#[derive(Debug, Args)]
pub(super) struct ToolchainArgs {
    /// Artifacts of tasks, as older trees name them
    #[arg(
        value_name = "ARTIFACT@TASK_ID",
        env = "MOZ_TOOLCHAINS",
        value_delimiter = ' ',
        hide_env_values = true
    )]
    #[arg(required_unless_present_any = ["from_task", "from_build", "tooltool_manifest"])]
    pub(super) files: Vec<String>,
    /// Artifacts of tasks
    #[arg(long, value_name = "TASK_ID:ARTIFACT", num_args = 1..)]
    pub(super) from_task: Vec<String>,
    /// Refused: a task names its toolchains by --from-task
    #[arg(long, value_name = "NAME", num_args = 1.., hide_short_help = true)]
    pub(super) from_build: Vec<String>,
    /// A manifest of tooltool, whose digests are trusted as the tree is that it is in
    #[arg(long, value_name = "FILE")]
    pub(super) tooltool_manifest: Option<PathBuf>,
    /// Where tooltool is
    #[arg(long, value_name = "URL", default_value = "https://tooltool.mozilla-releng.net")]
    pub(super) tooltool_url: String,
    /// Leave archives as they are
    #[arg(long)]
    pub(super) no_unpack: bool,
    /// Retry so many times after the first attempt, as --attempts of one more
    #[arg(long, value_name = "NUMBER", conflicts_with = "attempts")]
    pub(super) retry: Option<u16>,
    /// As --cache, and before it: CATENA_CACHE may be set for all tasks of a machine
    #[arg(long, value_name = "DIR")]
    pub(super) cache_dir: Option<PathBuf>,
    /// Use no cache
    #[arg(long)]
    pub(super) skip_cache: bool,
    /// Write the addresses of the files and their SHA-256 to a JSON file
    #[arg(long, value_name = "FILE")]
    pub(super) artifact_manifest: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// The mounts of a task.
#[derive(Debug, Args)]
pub(super) struct MountsArgs {
    /// The directory of the task
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dest: PathBuf,
    /// Download nothing: verify the files that a worker has put in place
    #[arg(long)]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// As `fetch-content git-checkout-archive`.
#[derive(Debug, Args)]
pub(super) struct GitArchiveArgs {
    /// Where the repository is
    #[arg(value_name = "REPO")]
    pub(super) repo: String,
    /// The commit: its id; of a branch or tag nothing is proven
    #[arg(value_name = "COMMIT")]
    pub(super) commit: String,
    /// The archive: a name that ends in .tar.zst
    #[arg(value_name = "DEST")]
    pub(super) dest: PathBuf,
    /// The directory that all files are in [default: the last part of REPO]
    #[arg(long, value_name = "PREFIX")]
    pub(super) path_prefix: Option<String>,
    /// A secret of Taskcluster with an SSH key in its `ssh_privkey`
    #[arg(long, value_name = "NAME")]
    pub(super) ssh_key_secret: Option<String>,
    /// Keep the .git directories
    #[arg(long)]
    pub(super) include_dot_git: bool,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    #[command(flatten)]
    pub(super) network: NetworkArgs,
}

/// As `fetch-content task-artifacts`.
#[derive(Debug, Args)]
pub(super) struct TaskArtifactsArgs {
    /// Where the files go
    #[arg(short, long, value_name = "DIR", env = "MOZ_FETCHES_DIR", hide_env_values = true)]
    pub(super) dest: PathBuf,
    /// The list
    #[arg(long, value_name = "JSON", env = "MOZ_FETCHES", hide_env_values = true, hide_short_help = true)]
    pub(super) moz_fetches: String,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// As `fetch-content static-url`.
#[derive(Debug, Args)]
pub(super) struct StaticUrlArgs {
    /// Where it is
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// The file it becomes
    #[arg(value_name = "DEST")]
    pub(super) dest: PathBuf,
    /// The SHA-256 it must have
    #[arg(long, value_name = "HEX")]
    pub(super) sha256: String,
    /// The length it must have
    #[arg(long, value_name = "BYTES")]
    pub(super) size: u64,
    /// A further header for that address, and for none that it redirects to
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// Remove so many leading components of the names in the archive
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) strip_components: usize,
    /// Begin all names in the archive with this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) add_prefix: String,
    /// Make an archive of a file that is none
    #[arg(long)]
    pub(super) force_archive: bool,
    /// Where a detached OpenPGP signature of the download is
    #[arg(long, value_name = "URL", requires = "gpg_key")]
    pub(super) gpg_sig_url: Option<String>,
    /// The variable that has the keys, one of which must have made the signature and be neither expired nor revoked
    #[arg(long, value_name = "NAME", group = "gpg_key", requires = "gpg_sig_url")]
    pub(super) gpg_key_env: Option<String>,
    /// The file that has them
    #[arg(long, value_name = "FILE", group = "gpg_key", requires = "gpg_sig_url")]
    pub(super) gpg_key_path: Option<PathBuf>,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    #[command(flatten)]
    pub(super) network: NetworkArgs,
}

/// What holds for all forms that fetch artifacts.
#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    /// How far each file must be verified [default: chain with --product, signature with --keys alone, else hash]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(super) trust: Option<Trust>,
    /// The product whose policy and keys the makers are judged by
    #[arg(long, value_name = "NAME", env = "CATENA_PRODUCT", hide_env_values = true)]
    pub(super) product: Option<String>,
    /// The kind the makers are judged as
    #[arg(long, value_name = "KIND", value_parser = Kind::parse, default_value = "build")]
    pub(super) task_type: Kind,
    /// A policy file instead of the one that ships; later ones extend earlier ones
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Vec<PathBuf>,
    /// Public keys instead of the product's: a YAML or JSON map from worker implementation to a list of base64
    /// keys. An https address is asked for them; like a file it can only narrow a trust file, and needs one
    #[arg(long, value_name = "FILE|URL")]
    pub(super) keys: Option<PathBuf>,
    /// Take what the queue answers, as fetch-content does: nothing is proven, and that is told
    #[arg(long, help_heading = "Danger", conflicts_with_all = ["trust", "keys"])]
    pub(super) danger_unverified: bool,
    /// Extract archives with names that differ only in case or in the composition of their characters
    #[arg(long)]
    pub(super) allow_case_collisions: bool,
    /// Write down what was fetched, and how far it was verified: the form that `catena sign --inputs` reads
    #[arg(long, value_name = "FILE", help_heading = "Recordings")]
    pub(super) record: Option<PathBuf>,
    /// The same as a member of FILE, which generic-worker merges into the document it signs:
    /// chain-of-trust-additional-data.json in the directory of the task
    #[arg(long, value_name = "FILE", help_heading = "Recordings")]
    pub(super) claim: Option<PathBuf>,
    #[command(flatten)]
    pub(super) exec: ExecArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    #[command(flatten)]
    pub(super) network: NetworkArgs,
}

/// How what was fetched is told.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// How the files that were fetched, or the reason why not, are written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) format: Format,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A line for each file
    #[default]
    Text,
    /// One JSON object, in a documented and versioned form (docs/fetch.md)
    Json,
}

/// What is run once everything is there.
#[derive(Debug, Args)]
pub(super) struct ExecArgs {
    /// Once everything is there, run the command without any network but loopback
    #[arg(long, help_heading = "Command", requires = "command")]
    pub(super) offline_exec: bool,
    /// Set a variable for the command
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Command", requires = "offline_exec")]
    pub(super) env: Vec<String>,
    /// Run the command in DIR
    #[arg(long, value_name = "DIR", help_heading = "Command", requires = "offline_exec")]
    pub(super) cd: Option<PathBuf>,
    /// The command and its arguments, after `--`
    #[arg(last = true, value_name = "COMMAND", requires = "offline_exec")]
    pub(super) command: Vec<OsString>,
}

/// How to reach the network.
#[derive(Debug, Args)]
pub(super) struct NetworkArgs {
    /// Where Taskcluster is [default: what the policy says]
    #[arg(long, value_name = "URL", env = "TASKCLUSTER_ROOT_URL", hide_env_values = true)]
    pub(super) root_url: Option<String>,
    /// Give up after this long: 90s, 5m, 1h [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Network")]
    pub(super) deadline: Option<Duration>,
    /// Maximum attempts per request [default: 5]
    #[arg(long, value_name = "NUMBER", help_heading = "Network")]
    pub(super) attempts: Option<NonZeroU32>,
    /// Ask again where nothing arrives for this long [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Network")]
    pub(super) stall: Option<Duration>,
    /// Download this many files at the same time [default: 16]
    #[arg(long, value_name = "NUMBER", help_heading = "Network")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Taskcluster credentials: a JSON object of clientId, accessToken and perhaps certificate
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) credentials: Option<PathBuf>,
    /// Trust these certificate authorities too (PEM)
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(super) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) cache: CacheOptions,
    /// Put files in place as hard links to the cache, without permission to write. Whoever writes to one
    /// nevertheless changes it in every place
    #[arg(long, help_heading = "Cache", requires = "cache")]
    pub(super) cache_links: bool,
    /// Let plain http leave this machine: anybody on the way may then answer for Taskcluster
    #[arg(long, help_heading = "Danger")]
    pub(super) danger_allow_http: bool,
}

/// How far a file must be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Trust {
    /// It has the digest that the caller gave
    Hash,
    /// A trusted worker key signed the document that names its digest
    Signature,
    /// Its maker's chain of trust is verified back to the tree
    Chain,
}
