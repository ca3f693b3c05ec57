//! `catena worker probe`: a probe for containers that have no client of HTTP.

use super::{DEFAULT_FILE, SetupArgs};
use crate::failure::{DONE, Failure, REJECTED};
use clap::Args;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// The time limit of each step.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const LARGEST: u64 = 4096;

/// Which worker is asked.
#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    /// The configuration of the worker, which has metrics_address
    #[arg(value_name = "CONFIG", default_value = DEFAULT_FILE)]
    config: PathBuf,
    /// Ask whether the worker takes tasks, not only whether it is healthy
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    setup: SetupArgs,
}

/// Asks each slot.
pub(super) fn run(args: &ProbeArgs) -> Result<u8, Failure> {
    let mut slot = 1;
    loop {
        let (config, lines) = args.setup.read(&args.config, slot)?;
        let config = config.ok_or_else(|| Failure::usage(lines.join("\n")))?;
        let address = config.metrics.ok_or_else(|| {
            Failure::usage(format!("{} has no metrics_address", args.config.display()))
                .next("set metrics_address: 127.0.0.1:9464")
        })?;
        let path = if args.ready { "/readyz" } else { "/healthz" };
        let answer = ask(address, path);
        let answer = answer.unwrap_or_else(|cause| cause.to_string());
        if !answer.starts_with("HTTP/1.1 200 ") {
            let why = answer.rsplit("\r\n").next().unwrap_or_default().trim();
            return Err(Failure::with_status(REJECTED, format!("slot {slot} at {address}{path}: {why}")));
        }
        if slot >= config.capacity {
            return Ok(DONE);
        }
        slot = slot.saturating_add(1);
    }
}

fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&reachable(address), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// An address that listens everywhere is asked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
