//! `catena offline-exec`: a command without any network except loopback.
//!
//! A process can enter its own network namespace only while it has one thread, so
//! `catena fetch --offline-exec` executes this command first.

use crate::failure::Failure;
use clap::Args;
use std::ffi::OsString;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct OfflineExecArgs {
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Replaces this process by the command. Returns only on failure.
#[cfg(target_os = "linux")]
pub(crate) fn run(args: &OfflineExecArgs) -> Result<u8, Failure> {
    use std::os::unix::process::CommandExt as _;
    let (program, arguments) = args
        .command
        .split_first()
        .ok_or_else(|| Failure::usage("no command is named").next("name one after `--`"))?;
    linux::leave_network()?;
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(Failure::usage(format!("{}: {error}", program.display())).next("name a command that can be run"))
}

/// Other systems have no such namespaces.
#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_args: &OfflineExecArgs) -> Result<u8, Failure> {
    Err(Failure::usage("a command can run without a network only on Linux")
        .next("run it without --offline-exec"))
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::failure::Failure;
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
    use rustix::net::{netdevice, recv, send, socket_with};
    use rustix::process::{getegid, geteuid};
    use rustix::thread::UnshareFlags;
    use std::fs;
    use std::io;

    /// Moves the process into its own network namespace, in which only loopback is up.
    pub(super) fn leave_network() -> Result<(), Failure> {
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        // Only `UnshareFlags::FILES` could make this unsound, and it is not used here.
        #[allow(deprecated)]
        let left = rustix::thread::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET);
        left.map_err(|error| refused(&error.into()))?;
        // The command keeps its user.
        let maps = [
            ("/proc/self/setgroups", "deny".to_owned()),
            ("/proc/self/uid_map", format!("{user} {user} 1")),
            ("/proc/self/gid_map", format!("{group} {group} 1")),
        ];
        for (file, text) in maps {
            fs::write(file, text).map_err(|error| failed(&format!("{file}: {error}")))?;
        }
        loopback_up().map_err(|error| failed(&format!("loopback cannot be brought up: {error}")))
    }

    fn refused(error: &io::Error) -> Failure {
        Failure::usage(format!("the kernel refuses a separate network namespace for the command: {error}")).next(
            "allow user namespaces: sysctl user.max_user_namespaces above 0 and, where there are these, \
             kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; in a container, a \
             seccomp profile that allows unshare",
        )
    }

    fn failed(what: &str) -> Failure {
        Failure::undetermined(format!("the command cannot be isolated from the network: {what}")).next(
            "run it without --offline-exec, or find out why namespaces cannot be set up on this machine",
        )
    }

    /// Sets one flag of one interface, by a message of rtnetlink(7).
    fn loopback_up() -> io::Result<()> {
        const RTM_NEWLINK: u16 = 16;
        const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
        const LENGTH: u32 = 32;
        const UP: u32 = 1;
        let (family, flags) = (AddressFamily::NETLINK, SocketFlags::CLOEXEC);
        // The protocol for routes and interfaces is not numbered.
        let socket = socket_with(family, SocketType::RAW, flags, None)?;
        let index = netdevice::name_to_index(&socket, "lo")?;
        let mut message = Vec::with_capacity(32);
        message.extend(LENGTH.to_ne_bytes());
        message.extend(RTM_NEWLINK.to_ne_bytes());
        message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
        // Sequence and port; then family, padding and type of the interface.
        message.extend([0; 12]);
        message.extend(index.to_ne_bytes());
        message.extend(UP.to_ne_bytes());
        message.extend(UP.to_ne_bytes());
        send(&socket, &message, SendFlags::empty())?;
        let mut answer = [0; 4096];
        let (_, read) = recv(&socket, &mut answer, RecvFlags::empty())?;
        // An acknowledgement is an error whose number is 0.
        match answer
            .get(..read)
            .and_then(|answer| answer.get(16..20))
            .and_then(|code| <[u8; 4]>::try_from(code).ok())
        {
            Some([0, 0, 0, 0]) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(code).saturating_neg())),
            None => Err(io::Error::other("no acknowledgement")),
        }
    }
}
