//! Asking an agent.

use super::{AgentRequest, LARGEST_ANSWER, parse_answer};
use crate::answer::SignerAnswer;
use crate::signer::{Signer, SignerError};
use catena_keys::{PublicKey, Signature};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// A key that an agent holds. Each request is a connection of its own.
#[derive(Clone, Debug)]
pub struct AgentSigner {
    path: PathBuf,
    limit: Duration,
}

impl AgentSigner {
    /// Asks the agent at a socket; each step of a request (connecting, writing, reading) may take as long as
    /// `limit`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, limit: Duration) -> Self {
        Self { path: path.into(), limit }
    }

    fn failed(&self, why: impl ToString) -> SignerError {
        SignerError::Agent { path: self.path.clone(), why: why.to_string() }
    }

    /// The limit holds from the start: a socket whose agent is stopped would keep `connect` waiting.
    fn connect(&self) -> std::io::Result<UnixStream> {
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        for timeout in [sockopt::Timeout::Send, sockopt::Timeout::Recv] {
            sockopt::set_socket_timeout(&socket, timeout, Some(self.limit))?;
        }
        rustix::net::connect(&socket, &SocketAddrUnix::new(&self.path)?)?;
        Ok(UnixStream::from(socket))
    }

    fn exchange(&self, request: AgentRequest, message: &[u8]) -> std::io::Result<String> {
        let mut stream = self.connect()?;
        // An agent that refuses closes early and has said why.
        let sent = stream.write_all(request.line().as_bytes()).and_then(|()| stream.write_all(message));
        let mut answer = String::new();
        let limit = u64::try_from(LARGEST_ANSWER).unwrap_or(u64::MAX);
        let read = stream.take(limit).read_to_string(&mut answer);
        if answer.is_empty() {
            sent?;
        }
        read.map(|_| answer)
    }

    fn ask(&self, request: AgentRequest, message: &[u8]) -> Result<SignerAnswer, SignerError> {
        let answer = self.exchange(request, message).map_err(|cause| self.failed(cause))?;
        parse_answer(&answer).map_err(|why| self.failed(why))
    }
}

impl Signer for AgentSigner {
    fn public_key(&self) -> Result<PublicKey, SignerError> {
        match self.ask(AgentRequest::PublicKey, b"")? {
            SignerAnswer { key, signature: None } => Ok(key),
            SignerAnswer { .. } => Err(self.failed("malformed answer")),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<(PublicKey, Signature), SignerError> {
        let answer = self.ask(AgentRequest::Sign(message.len()), message)?;
        answer.signed(message).map_err(|why| self.failed(why))
    }
}
