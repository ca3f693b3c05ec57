//! Ending what a script leaves behind.

use rustix::process::{Pid, Signal, kill_process_group};
use std::time::Duration;

/// Takes over processes whose parents have ended, so that nothing a script starts gets away by leaving its
/// process group. Only Linux can do that; elsewhere the process group has to do.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::warn!("orphans of scripts cannot be taken over: {error}");
    }
}

/// Sends a signal to a process group; one that is gone is well.
pub(super) fn signal(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

/// How often and how long it is looked for children; a process that was killed takes a moment to end.
#[cfg(target_os = "linux")]
const ROUNDS: u32 = 500;
const PAUSE: Duration = Duration::from_millis(2);

/// Kills a script's process group, and every child of this process: after its script has ended, a worker has
/// none but those that it took over. Returns how many had to be killed.
pub(super) async fn sweep(group: Pid) -> usize {
    signal(group, Signal::KILL);
    #[cfg(target_os = "linux")]
    return linux::sweep().await;
    #[cfg(not(target_os = "linux"))]
    {
        tokio::time::sleep(PAUSE).await;
        0
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{PAUSE, ROUNDS};
    use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
    use std::collections::BTreeSet;

    pub(super) async fn sweep() -> usize {
        let mut killed = BTreeSet::new();
        for _ in 0..ROUNDS {
            let children = children();
            if children.is_empty() {
                break;
            }
            for child in children {
                // Ended already, perhaps; then only its status has to be fetched.
                let _ = kill_process(child, Signal::KILL);
                let _ = waitpid(Some(child), WaitOptions::NOHANG);
                killed.insert(child.as_raw_pid());
            }
            tokio::time::sleep(PAUSE).await;
        }
        killed.len()
    }

    /// The children of this process. One that ends while it is looked for may be missed.
    fn children() -> Vec<Pid> {
        let own = getpid().as_raw_pid();
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        numbers.filter(|number| parent(*number) == Some(own)).filter_map(Pid::from_raw).collect()
    }

    /// The parent, from `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where the name may hold anything.
    fn parent(number: i32) -> Option<i32> {
        let text = std::fs::read(format!("/proc/{number}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        let (_, after) = text.rsplit_once(')')?;
        after.split_whitespace().nth(1)?.parse().ok()
    }
}
