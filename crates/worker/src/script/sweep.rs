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

/// A process that was killed takes a moment to end.
const PAUSE: Duration = Duration::from_millis(2);

/// What was left of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swept {
    /// Processes that were killed.
    pub(super) killed: usize,
    /// Whether all have ended.
    pub(super) is_complete: bool,
}

/// Kills a script's process group, and every child of this process: after its script has ended, a worker has
/// none but those that it took over. Gives up after `limit`.
pub(super) async fn sweep(group: Pid, limit: Duration) -> Swept {
    signal(group, Signal::KILL);
    #[cfg(target_os = "linux")]
    return linux::sweep(limit).await;
    #[cfg(not(target_os = "linux"))]
    {
        tokio::time::sleep(PAUSE.min(limit)).await;
        Swept { killed: 0, is_complete: true }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{PAUSE, Swept};
    use rustix::io::Errno;
    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, waitid, waitpid,
    };
    use std::collections::BTreeSet;
    use std::time::Duration;
    use tokio::time::Instant;

    pub(super) async fn sweep(limit: Duration) -> Swept {
        let begun = Instant::now();
        let mut killed = BTreeSet::new();
        loop {
            if has_none() {
                return Swept { killed: killed.len(), is_complete: true };
            }
            let mut found_more = false;
            for child in children() {
                // Ended already, perhaps; then only its status has to be fetched.
                let _ = kill_process(child, Signal::KILL);
                let _ = waitpid(Some(child), WaitOptions::NOHANG);
                found_more |= killed.insert(child.as_raw_pid());
            }
            if begun.elapsed() >= limit {
                return Swept { killed: killed.len(), is_complete: has_none() };
            }
            // Processes that fork and end to get away must be found before they have done it again.
            if found_more {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Whether this process has no children. Unlike lists of them, this answer is never out of date: a process that
    /// ends hands over its children before it can be waited for.
    fn has_none() -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::All, options).is_err_and(|errno| errno == Errno::CHILD)
    }

    /// The children of this process. One that is made or ends meanwhile may be missed.
    fn children() -> Vec<Pid> {
        listed().unwrap_or_else(scanned)
    }

    /// The kernel's lists of the children of each thread, where it keeps them: much faster than to look at all
    /// processes of the machine.
    fn listed() -> Option<Vec<Pid>> {
        let mut found = Vec::new();
        for thread in std::fs::read_dir("/proc/self/task").ok()? {
            // A thread may have ended.
            let Ok(thread) = thread else { continue };
            match std::fs::read_to_string(thread.path().join("children")) {
                Ok(text) => {
                    found.extend(text.split_whitespace().filter_map(|number| number.parse::<i32>().ok()));
                }
                Err(_) if !thread.path().exists() => {}
                Err(_) => return None,
            }
        }
        Some(found.into_iter().filter_map(Pid::from_raw).collect())
    }

    fn scanned() -> Vec<Pid> {
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

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::process::Command;

        #[tokio::test]
        async fn children_are_found_in_both_ways() {
            let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
            let pid = i32::try_from(child.id()).unwrap();
            let has = |found: Vec<Pid>| found.iter().any(|found| found.as_raw_pid() == pid);
            assert!(has(scanned()) && listed().is_none_or(has) && !has_none());
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!has(children()));
        }
    }
}
