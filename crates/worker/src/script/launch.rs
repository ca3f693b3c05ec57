//! What becomes the script: a short-lived start of the worker's own program, which takes from itself what a
//! script must not have and then becomes the script.
//!
//! All of it could be done between `fork` and `exec` only by unsafe code; in a process of its own it is plain.
//! The process id stays the same, so that the worker's child is the script.

use super::restrict;
use rustix::process::{Pid, getppid, setsid};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// The first argument of a start that becomes a script. The second is an order in JSON, the others are the script.
pub const COMMAND: &str = "worker-launch";

/// What the worker wants of the launcher.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// The descriptor that is told why the script cannot be started. It is closed when the script starts.
    pub(super) report: RawFd,
    /// Descriptors that the script keeps, beside the first three.
    pub(super) keep: Vec<RawFd>,
    /// The worker's process id.
    pub(super) parent: i32,
    /// A file that the script must not be able to read.
    pub(super) hide: Option<PathBuf>,
    /// What belongs to others and that the script must not be able to change: it need not be there.
    pub(super) apart: Vec<PathBuf>,
    /// Only try: there is nothing to start.
    pub(super) is_trial: bool,
}

/// Becomes the script. Comes back only when that cannot be done; the exit status is for the caller to use.
#[must_use]
pub fn launch(arguments: &[OsString]) -> u8 {
    let Some(order) = arguments.first().and_then(|text| text.to_str()) else { return 2 };
    let Ok(order) = serde_json::from_str::<Order>(order) else { return 2 };
    // Through a name, since a number alone is no descriptor without unsafe code.
    let report = File::options().write(true).open(format!("/dev/fd/{}", order.report));
    match become_script(&order, arguments.get(1..).unwrap_or_default()) {
        Ok(()) => 0,
        Err(reason) => {
            if let Ok(mut report) = report {
                // Without a reader the worker is gone.
                let _ = report.write_all(reason.as_bytes());
            }
            127
        }
    }
}

fn become_script(order: &Order, words: &[OsString]) -> Result<(), String> {
    let failed = |what: &str, cause: &dyn std::fmt::Display| format!("{what}: {cause}");
    setsid().map_err(|cause| failed("cannot begin a session", &cause))?;
    end_with_parent(order.parent)?;
    // From here on nothing is inherited but what is kept. The worker's own descriptors close with `exec`
    // already; those that the worker itself was started with may not.
    let mut keep = order.keep.clone();
    keep.sort_unstable();
    close_fds::set_fds_cloexec(3, &keep);
    restrict::forbid_new_privileges().map_err(|cause| failed("cannot forbid new privileges", &cause))?;
    restrict::forbid_reading_others()
        .map_err(|cause| failed("cannot forbid reading other processes", &cause))?;
    hide(order)?;
    let Some((program, rest)) = words.split_first() else { return Err("there is no script".to_owned()) };
    if order.is_trial {
        return Ok(());
    }
    let cause = Command::new(program).args(rest).exec();
    Err(format!("cannot start {}: {cause}", PathBuf::from(program).display()))
}

/// Hides what the script must not reach, and proves it of the key.
fn hide(order: &Order) -> Result<(), String> {
    let paths: Vec<PathBuf> = order.hide.iter().chain(&order.apart).cloned().collect();
    if paths.is_empty() {
        return Ok(());
    }
    if let Some(key) = &order.hide {
        // What is not there cannot be hidden: it may be elsewhere.
        std::fs::metadata(key).map_err(|cause| {
            let file = key.display();
            format!("the signing key {file} cannot be hidden from the script: {cause}; restore it, or start the worker anew")
        })?;
    }
    let restricted = restrict::hide(&paths);
    if let Some(key) = order.hide.as_ref().filter(|key| File::open(key).is_ok()) {
        let why = restricted.err().map_or(String::new(), |why| format!(" ({why})"));
        return Err(format!("the script can read the signing key {}{why}", key.display()));
    }
    match restricted {
        Err(why) if !order.apart.is_empty() => {
            Err(format!("the script can change the directories of other slots ({why})"))
        }
        // The key is beyond reach by other means.
        _ => Ok(()),
    }
}

/// Ends the script when the worker ends, however that ends.
#[cfg(target_os = "linux")]
fn end_with_parent(parent: i32) -> Result<(), String> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|cause| format!("cannot be bound to the worker: {cause}"))?;
    alive(parent)
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(parent: i32) -> Result<(), String> {
    alive(parent)
}

/// The worker may have ended before this process asked to be told of it.
fn alive(parent: i32) -> Result<(), String> {
    let is_alive = getppid().map(Pid::as_raw_pid) == Some(parent);
    is_alive.then_some(()).ok_or_else(|| "the worker has ended".to_owned())
}
