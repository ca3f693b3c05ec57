//! `catena fetch git-checkout-archive`: the files of a commit as an archive.
//!
//! Everything comes through git, which holds each object against its id: what fetch-content takes from GitHub's
//! archive service is held against nothing. The files are the same: those of `git archive` for a repository on GitHub
//! without submodules, and those of a checkout otherwise.

use super::arguments::GitArchiveArgs;
use super::lines::{Lines, Suite};
use super::network::{self, options, transport};
use super::order::{Origin, measure};
use super::repacking::only_tar_zst;
use super::report::Fetched;
use super::staged::{Staged, disk};
use super::{Done, interrupted};
use crate::commands::verify::block_on;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_download::{Delivered, Download, Downloader, Expected};
use catena_extract::{Options, Repacking, pack, repack};
use catena_model::custody::Trust;
use http::HeaderMap;
use serde::Deserialize;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use url::Url;
use zeroize::Zeroizing;

/// How often it is looked whether git has ended.
const LOOK: Duration = Duration::from_millis(20);
/// No secret is larger.
const LARGEST_SECRET: u64 = 1 << 20;

pub(super) fn run<'a>(args: &GitArchiveArgs, screen: &Screen) -> Result<Done<'a>, Failure> {
    let name = args.dest.file_name().and_then(OsStr::to_str).unwrap_or_default();
    only_tar_zst(name)?;
    let staged = Staged::of(&args.dest)?;
    let lines = Lines::new(Suite::StaticUrl, screen.clone());
    let checkout = Checkout::make(args, &staged, &lines)?;
    let archive = checkout.pack(args, &staged)?;
    let measured = measure(&archive)?;
    staged.place(&archive)?;
    let url = format!("{}@{}", shown(&args.repo), checkout.revision);
    // A branch is whatever the server says.
    let trust = if is_id(&args.commit) { Trust::Hash } else { Trust::None };
    let delivered = Delivered { measured, extracted: None, cached: false };
    let fetched = Fetched { origin: Origin::Url(url.clone()), url, place: name.into(), trust, delivered };
    Ok(Done { files: vec![fetched], exec: None })
}

/// A repository with a commit.
struct Checkout<'a> {
    git: Git<'a>,
    revision: String,
    /// When it was committed, in seconds since 1970.
    committed: u64,
}

impl<'a> Checkout<'a> {
    fn make(args: &'a GitArchiveArgs, staged: &Staged, lines: &'a Lines) -> Result<Self, Failure> {
        let deadline = Instant::now().checked_add(args.network.deadline.unwrap_or(network::DEADLINE));
        let directory = staged.directory("checkout")?;
        let ssh_key = args.ssh_key_secret.as_deref().map(|name| ssh_key(name, args, staged)).transpose()?;
        let git = Git { directory, ssh_key, deadline, lines };
        git.run(&["init", "--quiet"])?;
        git.run(&["remote", "add", "--", "origin", &args.repo])?;
        lines.say(&format!("cloning {} to {}", shown(&args.repo), git.directory.display()));
        // Not every server hands out a commit by its id.
        let alone = is_id(&args.commit)
            && git.run(&["fetch", "--quiet", "--depth", "1", "origin", &args.commit]).is_ok();
        if !alone {
            git.run(&["fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"])?;
        }
        let revision = git.resolve(&args.commit)?;
        if is_id(&args.commit) && !revision.eq_ignore_ascii_case(&args.commit) {
            let what = format!("git resolves {} to another commit, {revision}", args.commit);
            return Err(Failure::coded("fetch-mismatch", what).next("find out what the repository names so"));
        }
        lines.say(&format!("Fetching revision {revision}"));
        let committed = git.output(&["log", "-1", "--format=%ct", &revision])?.parse().unwrap_or(0);
        Ok(Self { git, revision, committed })
    }

    fn pack(&self, args: &GitArchiveArgs, staged: &Staged) -> Result<PathBuf, Failure> {
        let last = args.repo.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let prefix = format!("{}/", args.path_prefix.as_deref().filter(|it| !it.is_empty()).unwrap_or(last));
        let (path, file) = staged.file("archive")?;
        let is_github = args.repo.starts_with("https://github.com/");
        let submodules = self.git.output(&["ls-tree", "--name-only", &self.revision, ".gitmodules"])?;
        if is_github && submodules.is_empty() && !args.include_dot_git {
            self.archive(&prefix, &file, staged)?;
        } else {
            self.checkout(&prefix, args.include_dot_git, &file)?;
        }
        Ok(path)
    }

    /// What `git archive` makes, which heeds attributes such as `export-ignore`, as GitHub does.
    fn archive(&self, prefix: &str, to: &File, staged: &Staged) -> Result<(), Failure> {
        let path = staged.path("archive.tar");
        let output = format!("--output={}", path.display());
        let prefix = format!("--prefix={prefix}");
        // Nobody but the owner may write.
        let umask = ["-c", "tar.umask=0022"];
        let archive = ["archive", "--format=tar", &prefix, &output, &self.revision];
        self.git.run(&[&umask[..], &archive[..]].concat())?;
        let tar = File::open(&path).map_err(|error| disk(&path, &error))?;
        let scratch = staged.directory("extracted")?;
        let repacked = repack(tar, to, &scratch, &Repacking::default(), &Options::default(), &|| false);
        repacked.map(drop).map_err(|error| network::extract_failure(&path.display().to_string(), error))
    }

    /// A checkout with its submodules.
    fn checkout(&self, prefix: &str, include_dot_git: bool, to: &File) -> Result<(), Failure> {
        self.git.run(&["checkout", "--quiet", "--detach", &self.revision])?;
        let depth: &[&str] = if include_dot_git { &["--depth", "1"] } else { &[] };
        self.git.run(&[&["submodule", "--quiet", "update", "--init"], depth].concat())?;
        let repacking = Repacking {
            prefix: prefix.to_owned(),
            left_out: (!include_dot_git).then(|| ".git".to_owned()),
            modified: Some(self.committed),
            ..Repacking::default()
        };
        let packed = pack(&self.git.directory, to, &repacking);
        packed.map(drop).map_err(|error| network::extract_failure("the checkout", error))
    }
}

/// git in a directory, until a deadline.
struct Git<'a> {
    directory: PathBuf,
    ssh_key: Option<PathBuf>,
    deadline: Option<Instant>,
    lines: &'a Lines,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Neither hooks of templates nor remote helpers that run programs.
        command.args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"]);
        command.args(arguments).current_dir(&self.directory).stdin(Stdio::null());
        command.env("GIT_TERMINAL_PROMPT", "0").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        if let Some(key) = &self.ssh_key {
            let ssh = format!("ssh -o 'StrictHostKeyChecking no' -i '{}'", key.display());
            command.env("GIT_SSH_COMMAND", ssh);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        self.output(arguments).map(drop)
    }

    /// What git writes to standard output, without the last line break.
    fn output(&self, arguments: &[&str]) -> Result<String, Failure> {
        let unusable = |error: io::Error| {
            Failure::usage(format!("git cannot be started: {error}")).next("install git, or add it to PATH")
        };
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().map_err(unusable)?;
        let stdout = child.stdout.take();
        // What is asked for is a few bytes; git waits for nobody to read more.
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.map(|stdout| stdout.take(1 << 16).read_to_string(&mut text));
            read.map(|_| text).unwrap_or_default()
        });
        let status = loop {
            match child.try_wait().map_err(unusable)? {
                Some(status) => break status,
                None if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Failure::coded("fetch-deadline", "git did not end before the deadline")
                        .next("retry, perhaps with a longer --deadline"));
                }
                None => std::thread::sleep(LOOK),
            }
        };
        let text = reading.join().unwrap_or_default();
        if status.success() {
            return Ok(text.trim_end().to_owned());
        }
        let what = format!("git {} ended with {status}", arguments.first().copied().unwrap_or_default());
        Err(Failure::coded("fetch-git", what).next("see what git says above"))
    }

    /// The commit that a name stands for: an id, a branch or a tag.
    fn resolve(&self, name: &str) -> Result<String, Failure> {
        if name.starts_with('-') {
            return Err(Failure::usage(format!("{name:?} is not a commit")).next("name a commit by its id"));
        }
        let candidates = [format!("refs/remotes/origin/{name}^{{commit}}"), format!("{name}^{{commit}}")];
        let found =
            candidates.iter().find_map(|it| self.output(&["rev-parse", "--verify", "--quiet", it]).ok());
        found.ok_or_else(|| {
            self.lines.say(&format!("{name} is not a commit of the repository"));
            let what = format!("the repository has no commit {name}");
            Failure::coded("fetch-git", what).next("name a commit that can be reached from a branch or a tag")
        })
    }
}

/// The private key of a secret, in a file for us alone.
fn ssh_key(name: &str, args: &GitArchiveArgs, staged: &Staged) -> Result<PathBuf, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        secret: Secret,
    }
    #[derive(Deserialize)]
    struct Secret {
        ssh_privkey: String,
    }
    let proxy = network::proxy()?.ok_or_else(|| {
        Failure::usage("--ssh-key-secret needs the proxy of a task").next("set TASKCLUSTER_PROXY_URL")
    })?;
    let url = format!("{}/api/secrets/v1/secret/{name}", proxy.as_str());
    let url = Url::parse(&url).map_err(|error| Failure::usage(error).next("name a secret of Taskcluster"))?;
    let download = Download {
        url,
        credentials: None,
        headers: HeaderMap::new(),
        artifact: false,
        beside: true,
        expected: Expected::default(),
        limit: LARGEST_SECRET,
    };
    let downloader = Downloader::new(transport(&args.network)?, options(&args.network));
    let (answer, deadline) = (staged.path("secret"), network::deadline(&args.network));
    block_on(async |cancellation| {
        let downloaded = downloader.download(&download, &answer, deadline, &|_, _| {});
        match cancellation.run_until_cancelled(downloaded).await {
            Some(downloaded) => downloaded.map(drop).map_err(|error| network::download_failure(&error)),
            None => Err(interrupted()),
        }
    })?;
    let text = Zeroizing::new(fs::read(&answer).map_err(|error| disk(&answer, &error))?);
    fs::remove_file(&answer).map_err(|error| disk(&answer, &error))?;
    let parsed: Answer = serde_json::from_slice(&text).map_err(|_| {
        // What is wrong with it may have a part of it in it.
        Failure::coded("fetch-answer-malformed", format!("the secret {name:?} has no secret.ssh_privkey"))
            .next("name a secret with an SSH key")
    })?;
    let key = Zeroizing::new(parsed.secret.ssh_privkey);
    let (path, file) = staged.file("ssh-key")?;
    write_private(&file, key.as_bytes()).map_err(|error| disk(&path, &error))?;
    path.canonicalize().map_err(|error| disk(&path, &error))
}

fn write_private(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    io::Write::write_all(&mut file, bytes)
}

/// Whether a commit is named by the digest that is its id.
fn is_id(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A repository's address without the password in it.
fn shown(repo: &str) -> String {
    Url::parse(repo).map_or_else(|_| repo.to_owned(), |url| catena_http::Shown(&url).to_string())
}
