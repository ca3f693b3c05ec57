//! `catena keys agent`: a key in a process of its own.

use super::key;
use crate::failure::Failure;
use crate::output::show;
use catena_signing::{Agent, AgentEvent, SocketAccess, bind_agent};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const EXAMPLES: &str = "\
Example:
  catena keys agent --key /etc/agent/signing.key --socket /run/catena/agent.sock \\
      --mode 660 --allow-user 1001
      Hold the key as the user of this process, and sign for user 1001. Its worker says
      --signer unix:/run/catena/agent.sock

The public key is printed once the agent listens. Every signature is logged to standard error.";

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// An agent that holds a key.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// The file of the private key; it is read once
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to listen; a socket that nobody listens on is replaced
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Who may connect: 600 (this user) or 660 (the group of the socket too)
    #[arg(long, value_enum, default_value_t, value_name = "MODE", hide_possible_values = true)]
    mode: Mode,
    /// Sign for processes of this user id, in place of this user's; may be given several times
    #[arg(long, value_name = "UID")]
    allow_user: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Mode {
    #[default]
    #[value(name = "600")]
    Owner,
    #[value(name = "660")]
    Group,
}

pub(super) fn run(arguments: &AgentArgs) -> Result<u8, Failure> {
    let key = key(&arguments.key)?;
    keep_from_debuggers()?;
    let public = key.public_key();
    let access = match arguments.mode {
        Mode::Owner => SocketAccess::Owner,
        Mode::Group => SocketAccess::Group,
    };
    let listener = bind_agent(&arguments.socket, access)
        .map_err(|cause| Failure::usage(format!("{}: {cause}", arguments.socket.display())))?;
    let users = match arguments.allow_user.as_slice() {
        [] => BTreeSet::from([rustix::process::geteuid().as_raw()]),
        named => named.iter().copied().collect(),
    };
    show(&format!("{public}\n"))?;
    serve(&Agent::new(key, users, LIMIT), &listener)
}

fn serve(agent: &Agent, listener: &UnixListener) -> Result<u8, Failure> {
    agent.serve(listener, &|event| {
        let line = match event {
            AgentEvent::Signed { user, process, length, sha256 } => {
                let digest: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("signed {length} bytes, sha256:{digest}, for user {user}, process {process}")
            }
            AgentEvent::Told { user } => format!("sent the public key to user {user}"),
            AgentEvent::Refused(why) => format!("refused a request: {why}"),
        };
        tracing::info!("{line}");
        // A log that nobody reads any more is no reason to stop signing.
        let _ =
            std::io::Write::write_all(&mut std::io::stderr().lock(), format!("catena: {line}\n").as_bytes());
    });
    Err(Failure::undetermined("the agent has ended"))
}

/// Other processes of the same user can neither trace this one nor read its memory, and no core is dumped.
#[cfg(target_os = "linux")]
fn keep_from_debuggers() -> Result<(), Failure> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|cause| Failure::undetermined(format!("cannot protect the key's memory: {cause}")))
}

#[cfg(not(target_os = "linux"))]
fn keep_from_debuggers() -> Result<(), Failure> {
    Ok(())
}
