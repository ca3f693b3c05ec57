//! Messages to a service manager, as systemd's `sd_notify` sends them.
//!
//! One datagram to the socket that `NOTIFY_SOCKET` names. That is all of the protocol that a worker needs, which is
//! less than the crate `sd-notify` has to be trusted for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable that names the socket.
pub const VARIABLE: &str = "NOTIFY_SOCKET";
/// The service is up.
pub const READY: &str = "READY=1";
/// The service is about to end.
pub const STOPPING: &str = "STOPPING=1";

/// Where messages go; nowhere without a service manager.
#[derive(Clone, Debug, Default)]
pub struct Notifier(Option<OsString>);

impl Notifier {
    /// The socket that the environment names.
    #[must_use]
    pub fn from_environment() -> Self {
        Self(std::env::var_os(VARIABLE).filter(|name| !name.is_empty()))
    }

    /// The socket of this name. `@` begins an abstract name.
    #[must_use]
    pub fn to(name: impl Into<OsString>) -> Self {
        Self(Some(name.into()))
    }

    /// Sends a message. A service manager that does not listen is no reason to stop working.
    pub fn send(&self, message: &str) {
        if let Some(name) = &self.0
            && let Err(error) = send(name, message)
        {
            tracing::warn!("the service manager cannot be notified: {error}");
        }
    }
}

fn send(name: &OsStr, message: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.send_to_addr(message.as_bytes(), &address(name)?).map(drop)
}

fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(OsStr::from_bytes(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    }

    #[test]
    fn messages_arrive_at_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        Notifier::to(&path).send(READY);
        assert_eq!(received(&socket), "READY=1");
        drop(socket);
        // Nobody listens, and nothing happens.
        Notifier::to(&path).send(READY);
        Notifier::default().send(READY);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn messages_arrive_at_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("catena-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notifier::to(format!("@{name}")).send(STOPPING);
        assert_eq!(received(&socket), "STOPPING=1");
    }
}
