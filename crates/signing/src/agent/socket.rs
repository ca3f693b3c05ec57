//! The socket of an agent.

use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Who may connect to the socket. The agent asks the kernel for the user besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketAccess {
    /// The agent's own user: mode 0600.
    #[default]
    Owner,
    /// The socket's group too: mode 0660.
    Group,
}

impl SocketAccess {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
        }
    }
}

/// Listens at a path. The socket has its mode before it can be reached: it is made in a directory of its own
/// and moved into place. An existing socket is replaced if no process listens on it.
///
/// # Errors
/// Somebody listens there, or something else stands there; others can write to the directory, so that they
/// could put a socket of their own in its place; what the system refuses.
pub fn bind(path: &Path, access: SocketAccess) -> io::Result<UnixListener> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    check_directory(directory)?;
    check_place(path)?;
    let temp = tempfile::Builder::new().prefix(".agent").rand_bytes(6).tempdir_in(directory)?;
    let made = temp.path().join("s");
    let listener = UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(access.mode()))?;
    std::fs::rename(&made, path)?;
    Ok(listener)
}

fn check_directory(directory: &Path) -> io::Result<()> {
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o022;
    let mode = std::fs::metadata(directory)?.mode();
    if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        let shown = directory.display();
        let why = format!("others can write to {shown} and replace the socket; chmod go-w {shown}");
        return Err(io::Error::new(ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

/// The path does not exist, or is a socket on which no process listens.
fn check_place(path: &Path) -> io::Result<()> {
    let kind = match std::fs::symlink_metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        known => known?.file_type(),
    };
    if !kind.is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "it exists and is not a socket"));
    }
    match UnixStream::connect(path) {
        Err(cause) if cause.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(cause) => Err(cause),
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another agent listens there")),
    }
}
