//! Asking an agent.

use super::{LARGEST_ANSWER, Request};
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

    fn exchange(&self, request: Request, message: &[u8]) -> std::io::Result<String> {
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

    /// The lines of an answer that is no error.
    fn ask(&self, request: Request, message: &[u8]) -> Result<Vec<String>, SignerError> {
        let answer = self.exchange(request, message).map_err(|cause| self.failed(cause))?;
        let mut lines = answer.lines();
        match (lines.next(), answer.ends_with('\n')) {
            (Some("ok"), true) => Ok(lines.map(str::to_owned).collect()),
            (Some(first), true) => {
                Err(self.failed(first.strip_prefix("error ").unwrap_or("malformed answer")))
            }
            _ => Err(self.failed("the answer is cut off")),
        }
    }

    fn key(&self, text: &str) -> Result<PublicKey, SignerError> {
        PublicKey::parse_base64(text).map_err(|error| self.failed(format!("the public key is {error}")))
    }
}

impl Signer for AgentSigner {
    fn public_key(&self) -> Result<PublicKey, SignerError> {
        match self.ask(Request::PublicKey, b"")?.as_slice() {
            [key] => self.key(key),
            _ => Err(self.failed("malformed answer")),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<(PublicKey, Signature), SignerError> {
        let lines = self.ask(Request::Sign(message.len()), message)?;
        let [key, signature] = lines.as_slice() else { return Err(self.failed("malformed answer")) };
        let (key, signature) = (self.key(key)?, Signature::parse_base64(signature));
        let signature = signature.ok_or_else(|| self.failed("the signature is malformed"))?;
        if !key.verify(message, &signature) {
            return Err(self.failed("the signature does not verify under the agent's public key"));
        }
        Ok((key, signature))
    }
}
