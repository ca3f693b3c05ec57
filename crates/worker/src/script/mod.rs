//! Running a task's script.

mod launch;
mod restrict;
mod sweep;

pub use launch::{COMMAND, launch};
pub use sweep::adopt_orphans;

use crate::descriptor::Descriptor;
use crate::log::Lines;
use launch::Order;
use rustix::process::{Pid, Signal, getpid};
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// How long the launcher may take to become the script.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long output is read after everything that could write has ended.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Bytes that are read at once.
const BLOCK: usize = 64 << 10;
/// The worker's own credentials, which are never a script's, and its line to the service manager.
const OWN: [&str; 4] =
    ["TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN", "TASKCLUSTER_CERTIFICATE", crate::notify::VARIABLE];

/// Keeps other processes of the same user, scripts among them, from reading this process's memory, where the
/// signing key is. Only Linux can do that.
pub fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::warn!("the memory of this process cannot be hidden: {error}");
        }
    }
}

/// Tells this process to end when the one that started it ends. Only Linux can do that.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::TERM)) {
        tracing::warn!("this process is not bound to the one that started it: {error}");
    }
}

/// Why a script must end before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The worker was told to stop.
    Shutdown,
    /// The claim is lost: another worker may run the task.
    ClaimLost,
}

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal that the worker did not send.
    Signaled(i32),
    /// It ran for too long.
    TimedOut,
    /// The worker stopped it.
    Stopped(Stop),
}

/// A script that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Whether all that it started has ended too. If not, no other script may run beside what is left.
    pub is_swept: bool,
}

/// Why a script was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system cannot make a process.
    #[error("cannot start {}: {cause}", program.display())]
    Spawn {
        /// What was to be started.
        program: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The launcher says why: the program, the key or the system is not as a script needs it, nor will it be for the
    /// next one.
    #[error("{0}")]
    Refused(String),
    /// The launcher takes too long.
    #[error("the script did not start within {START_LIMIT:?}")]
    Slow,
}

/// What starts scripts, and under which conditions they run.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The worker's own program.
    pub program: PathBuf,
    /// A file that no script may read: the signing key.
    pub hide: Option<PathBuf>,
    /// Directories that belong to other workers of the same user, and that no script may change.
    pub apart: Vec<PathBuf>,
    /// How long a script has between TERM and KILL.
    pub grace: Duration,
    /// How long processes are killed that a script left behind. One that forks and ends again and again can escape
    /// for a while.
    pub sweep_limit: Duration,
    /// Whether scripts inherit standard input, as they do in scriptworker.
    pub inherit_stdin: bool,
}

/// One script.
#[derive(Debug)]
pub struct Script<'a> {
    /// The program and its arguments.
    pub words: &'a [String],
    /// What is added to the environment.
    pub variables: &'a [(&'static str, String)],
    /// The credentials of its task, which it inherits.
    pub descriptor: Option<&'a Descriptor>,
    /// How long it may run.
    pub limit: Duration,
}

impl Launcher {
    /// Proves that a script could start: the program can be run, and the file that is to be hidden cannot be
    /// read. The script itself is not started.
    ///
    /// # Errors
    /// What a script would run into.
    pub async fn try_out(&self, words: &[String]) -> Result<(), StartError> {
        let script = Script { words, variables: &[], descriptor: None, limit: Duration::ZERO };
        let mut child = self.start(&script, true).await?;
        // It ends by itself, and has nothing more to say.
        let _ = timeout(START_LIMIT, child.wait()).await;
        Ok(())
    }

    /// Runs a script to its end. `write` gets each line that it writes. Nothing that the script started is left
    /// when this returns, unless the answer says so.
    ///
    /// # Errors
    /// The script was not started.
    pub async fn run(
        &self,
        script: &Script<'_>,
        stop: &mut watch::Receiver<Option<Stop>>,
        write: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Ran, StartError> {
        let begun = Instant::now();
        let mut child = self.start(script, false).await?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let mut output = Output::of(&mut child);
        let deadline = begun.checked_add(script.limit);
        let (status, cause) = self.supervise(&mut child, group, &mut output, (deadline, stop), write).await;
        let mut is_swept = true;
        if let Some(group) = group {
            let swept = sweep::sweep(group, self.sweep_limit).await;
            is_swept = swept.is_complete;
            if swept.killed > 0 {
                tracing::warn!(
                    "{} processes of the script were still running, and were killed",
                    swept.killed
                );
            }
        }
        // Everybody who could write has ended; a pipe that stays open is held by something beyond reach.
        let _ = timeout(DRAIN_LIMIT, output.drain(write)).await;
        output.finish(write);
        Ok(Ran { ended: cause.unwrap_or_else(|| ended(status)), is_swept })
    }

    /// Follows a script until it has ended.
    async fn supervise(
        &self,
        child: &mut Child,
        group: Option<Pid>,
        output: &mut Output,
        (deadline, stop): (Option<Instant>, &mut watch::Receiver<Option<Stop>>),
        write: &mut (dyn FnMut(&str) + Send),
    ) -> (io::Result<ExitStatus>, Option<Ended>) {
        let mut cause = None;
        let mut kill_at: Option<Instant> = None;
        loop {
            let end = tokio::select! {
                biased;
                status = child.wait() => return (status, cause),
                () = at(kill_at), if kill_at.is_some() => {
                    kill_at = None;
                    group.into_iter().for_each(|group| sweep::signal(group, Signal::KILL));
                    continue;
                }
                why = stopped(stop), if cause.is_none() => Ended::Stopped(why),
                () = at(deadline), if cause.is_none() => Ended::TimedOut,
                () = output.read(write), if output.is_open() => continue,
            };
            cause = Some(end);
            kill_at = Instant::now().checked_add(self.grace);
            group.into_iter().for_each(|group| sweep::signal(group, Signal::TERM));
        }
    }

    /// Starts a launcher and waits until it has become the script.
    async fn start(&self, script: &Script<'_>, is_trial: bool) -> Result<Child, StartError> {
        let spawn = |cause: io::Error| StartError::Spawn { program: self.program.clone(), cause };
        let (reader, writer) = rustix::pipe::pipe().map_err(|errno| spawn(errno.into()))?;
        let cloexec = rustix::io::FdFlags::CLOEXEC;
        rustix::io::fcntl_setfd(reader.as_fd(), cloexec).map_err(|errno| spawn(errno.into()))?;
        let order = Order {
            report: writer.as_raw_fd(),
            keep: script.descriptor.map(Descriptor::number).into_iter().collect(),
            parent: getpid().as_raw_pid(),
            hide: self.hide.clone(),
            apart: self.apart.clone(),
            is_trial,
        };
        let order = serde_json::to_string(&order).map_err(|error| spawn(error.into()))?;
        let mut command = Command::new(&self.program);
        command.arg(COMMAND).arg(order).args(script.words.iter().map(OsString::from));
        for name in OWN {
            command.env_remove(name);
        }
        command.envs(script.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(if self.inherit_stdin { Stdio::inherit() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Only this child inherits the descriptor: nothing else is started meanwhile.
        script.descriptor.map_or(Ok(()), |descriptor| descriptor.inherit(true)).map_err(spawn)?;
        let child = command.spawn();
        script.descriptor.map_or(Ok(()), |descriptor| descriptor.inherit(false)).map_err(spawn)?;
        drop(writer);
        let mut child = child.map_err(spawn)?;
        match timeout(START_LIMIT, report(reader)).await {
            Ok(Ok(text)) if text.is_empty() => Ok(child),
            Ok(Ok(text)) => {
                let _ = child.wait().await;
                Err(StartError::Refused(text))
            }
            Ok(Err(cause)) => Err(spawn(cause)),
            Err(_) => {
                let _ = child.kill().await;
                Err(StartError::Slow)
            }
        }
    }
}

/// What the launcher reports until it has become the script: nothing, if all is well.
async fn report(reader: OwnedFd) -> io::Result<String> {
    const LONGEST: u64 = 4096;
    let read = move || {
        let mut text = Vec::new();
        std::fs::File::from(reader).take(LONGEST).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Waits for a reason to stop, if need be for ever.
async fn stopped(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    loop {
        if let Some(why) = *stop.borrow_and_update() {
            return why;
        }
        if stop.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn ended(status: io::Result<ExitStatus>) -> Ended {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Exited(code),
            (None, signal) => Ended::Signaled(signal.unwrap_or_default()),
        },
        // The system does not know how it ended, so it did not succeed.
        Err(_) => Ended::Exited(1),
    }
}

/// Both pipes of a script.
struct Output {
    out: Pipe<tokio::process::ChildStdout>,
    err: Pipe<tokio::process::ChildStderr>,
}

struct Pipe<P> {
    pipe: Option<P>,
    lines: Lines,
    block: Vec<u8>,
}

impl Output {
    fn of(child: &mut Child) -> Self {
        Self { out: Pipe::new(child.stdout.take()), err: Pipe::new(child.stderr.take()) }
    }

    fn is_open(&self) -> bool {
        self.out.pipe.is_some() || self.err.pipe.is_some()
    }

    /// Reads from whichever has something. Can be cancelled without losing anything.
    async fn read(&mut self, write: &mut (dyn FnMut(&str) + Send)) {
        let lines = tokio::select! {
            () = self.out.read(), if self.out.pipe.is_some() => &mut self.out.lines,
            () = self.err.read(), if self.err.pipe.is_some() => &mut self.err.lines,
            else => return,
        };
        while let Some(line) = lines.next_line() {
            write(&line);
        }
    }

    async fn drain(&mut self, write: &mut (dyn FnMut(&str) + Send)) {
        while self.is_open() {
            self.read(write).await;
        }
    }

    /// Lines that have no end.
    fn finish(&mut self, write: &mut (dyn FnMut(&str) + Send)) {
        for line in [self.out.lines.rest(), self.err.lines.rest()].into_iter().flatten() {
            write(&line);
        }
    }
}

impl<P: AsyncRead + Unpin> Pipe<P> {
    fn new(pipe: Option<P>) -> Self {
        Self { pipe, lines: Lines::default(), block: Vec::with_capacity(BLOCK) }
    }

    async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        self.block.clear();
        match pipe.read_buf(&mut self.block).await {
            Ok(count) if count > 0 => self.lines.push(&self.block),
            _ => self.pipe = None,
        }
    }
}
