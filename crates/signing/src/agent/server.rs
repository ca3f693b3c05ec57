//! The process that holds the key.

use super::{AgentRequest, LARGEST_ANSWER, LONGEST_LINE};
use catena_keys::SigningKey;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

/// Requests that are served at the same time; others wait.
const AT_ONCE: usize = 4;
/// Bytes that are read at once.
const BLOCK: usize = 64 << 10;
/// How long a refusal may take after the request has ended.
const GRACE: Duration = Duration::from_secs(1);
/// How long the agent waits before it accepts again after the system refused it.
const PAUSE: Duration = Duration::from_millis(100);

/// Signs for the processes of some users.
#[derive(Debug)]
pub struct Agent {
    key: SigningKey,
    users: BTreeSet<u32>,
    limit: Duration,
}

/// What an agent did, for its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    /// It signed a message.
    Signed {
        /// For which user.
        user: u32,
        /// For which process.
        process: i32,
        /// Bytes of the message.
        length: usize,
        /// SHA-256 of the message.
        sha256: [u8; 32],
    },
    /// It told its public key.
    Told {
        /// To which user.
        user: u32,
    },
    /// It refused a request, or the connection broke.
    Refused(String),
}

/// A connection, and the moment at which it must have ended.
struct Connection {
    stream: UnixStream,
    deadline: Instant,
}

impl Agent {
    /// An agent for the processes of `users`. A request may take as long as `limit` from its first byte to
    /// the last of its answer.
    #[must_use]
    pub fn new(key: SigningKey, users: BTreeSet<u32>, limit: Duration) -> Self {
        Self { key, users, limit }
    }

    /// Serves requests, four at the same time, for as long as the process lives.
    pub fn serve(&self, listener: &UnixListener, log: &(dyn Fn(&AgentEvent) + Sync)) {
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        match listener.accept() {
                            Ok((stream, _)) => log(&self.answer(stream)),
                            Err(cause) => {
                                log(&AgentEvent::Refused(format!("cannot accept a connection: {cause}")));
                                std::thread::sleep(PAUSE);
                            }
                        }
                    }
                });
            }
        });
    }

    /// Answers the one request of a connection.
    pub(super) fn answer(&self, stream: UnixStream) -> AgentEvent {
        let now = Instant::now();
        let deadline = now.checked_add(self.limit).unwrap_or(now);
        let mut connection = Connection { stream, deadline };
        match self.serve_one(&mut connection) {
            Ok(event) => event,
            Err(cause) => {
                let why = cause.to_string();
                let shown: String = why.chars().filter(|letter| !letter.is_control()).take(200).collect();
                connection.refuse(&format!("error {shown}\n"));
                AgentEvent::Refused(shown)
            }
        }
    }

    fn serve_one(&self, connection: &mut Connection) -> io::Result<AgentEvent> {
        let (user, process) = peer(&connection.stream)?;
        if !self.users.contains(&user) {
            return Err(io::Error::other(format!("user {user} may not use this agent")));
        }
        let key = self.key.public_key();
        match AgentRequest::parse(&connection.line()?).map_err(io::Error::other)? {
            AgentRequest::PublicKey => {
                connection.write(format!("ok\n{key}\n").as_bytes())?;
                Ok(AgentEvent::Told { user })
            }
            AgentRequest::Sign(length) => {
                let message = connection.message(length)?;
                let signature = self.key.sign(&message).to_base64();
                connection.write(format!("ok\n{key}\n{signature}\n").as_bytes())?;
                Ok(AgentEvent::Signed { user, process, length, sha256: Sha256::digest(&message).into() })
            }
        }
    }
}

impl Connection {
    /// The time that is left, to be given to the system before each step.
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the request took too long"))
        } else {
            Ok(left)
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(Some(self.left()?))?;
            match self.stream.read(into) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the request is cut off")),
                Err(cause) if is_momentary(&cause) => {}
                read => return read,
            }
        }
    }

    /// The first line, byte by byte: what follows it belongs to the message.
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < LONGEST_LINE {
            self.read(&mut byte)?;
            match byte {
                [b'\n'] => {
                    return String::from_utf8(line).map_err(|_| io::Error::other("the request is not text"));
                }
                [other] => line.push(other),
            }
        }
        Err(io::Error::other("the first line of the request is too long"))
    }

    /// The message, which takes memory only as it arrives.
    fn message(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        let mut block = vec![0; BLOCK];
        while message.len() < length {
            let most = length.saturating_sub(message.len()).min(BLOCK);
            let read = self.read(block.get_mut(..most).unwrap_or_default())?;
            message.extend_from_slice(block.get(..read).unwrap_or_default());
        }
        Ok(message)
    }

    /// Says why nothing is signed. A connection that is closed while some of its request is unread loses the
    /// answer, so that the rest is read first, for a moment.
    fn refuse(&mut self, answer: &str) {
        let now = Instant::now();
        self.deadline = now.checked_add(GRACE).unwrap_or(now);
        let told = self.write(answer.as_bytes()).and_then(|()| self.stream.shutdown(Shutdown::Write));
        let mut block = vec![0; BLOCK];
        while told.is_ok() && self.read(&mut block).is_ok() {}
    }

    fn write(&mut self, answer: &[u8]) -> io::Result<()> {
        // It fits into the socket's buffer, so that it is written at once.
        debug_assert!(answer.len() <= LARGEST_ANSWER, "an answer is short");
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write_all(answer)
    }
}

/// Whether a read is to be tried again; its time limit is looked at then.
fn is_momentary(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

/// The user and the process on the other side, as the kernel tells.
#[cfg(target_os = "linux")]
fn peer(stream: &UnixStream) -> io::Result<(u32, i32)> {
    let peer = rustix::net::sockopt::socket_peercred(stream)?;
    Ok((peer.uid.as_raw(), peer.pid.as_raw_nonzero().get()))
}

#[cfg(not(target_os = "linux"))]
fn peer(_: &UnixStream) -> io::Result<(u32, i32)> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the agent cannot tell who asks on this system"))
}
