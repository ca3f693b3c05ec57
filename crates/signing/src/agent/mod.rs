//! A key that another user's process holds, behind a Unix socket.
//!
//! A connection carries one request and one answer. A request is a line, and for a signature the message:
//!
//! ```text
//! catena-agent 1 public-key
//! catena-agent 1 sign 1234        (1234 bytes follow)
//! ```
//!
//! The answer is `ok`, the raw public key in base64 and, for a signature, the raw signature in base64, each on a
//! line of its own; or one line, `error` and the reason.

mod client;
mod server;
mod socket;

use crate::answer::SignerAnswer;
pub use client::AgentSigner;
pub use server::{Agent, AgentEvent};
pub use socket::{SocketAccess, bind};

/// What every request starts with: the protocol and its version.
const PROTOCOL: &str = "catena-agent 1 ";
/// The longest first line of a request.
const LONGEST_LINE: usize = 64;
/// The largest message that is signed; no document is larger.
const LARGEST_MESSAGE: usize = 64 << 20;
/// The largest answer: an error is cut off before.
const LARGEST_ANSWER: usize = 1024;

/// What is asked of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentRequest {
    /// Its public key.
    PublicKey,
    /// A signature over so many bytes, which follow.
    Sign(usize),
}

impl AgentRequest {
    /// Reads the first line of a request, without its line break.
    ///
    /// # Errors
    /// Another protocol or version, an unknown request, or a message that is too large.
    pub fn parse(line: &str) -> Result<Self, &'static str> {
        let request = line.strip_prefix(PROTOCOL).ok_or("unsupported protocol; this is catena-agent 1")?;
        if request == "public-key" {
            return Ok(Self::PublicKey);
        }
        let length = request.strip_prefix("sign ").ok_or("unknown request; expected public-key or sign")?;
        let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|_| is_number).ok_or("invalid length of the message")?;
        if length > LARGEST_MESSAGE {
            Err("the message is larger than 64 MiB")
        } else {
            Ok(Self::Sign(length))
        }
    }

    /// The first line of the request, with its line break.
    #[must_use]
    pub fn line(self) -> String {
        match self {
            Self::PublicKey => format!("{PROTOCOL}public-key\n"),
            Self::Sign(length) => format!("{PROTOCOL}sign {length}\n"),
        }
    }
}

/// Reads the answer of an agent.
///
/// # Errors
/// What the agent says went wrong, or how the answer is malformed.
pub fn parse_answer(answer: &str) -> Result<SignerAnswer, String> {
    let Some((first, rest)) = answer.split_once('\n').filter(|_| answer.ends_with('\n')) else {
        return Err("the answer is cut off".to_owned());
    };
    match first {
        "ok" => SignerAnswer::parse(rest).map_err(|error| error.to_string()),
        other => Err(other.strip_prefix("error ").unwrap_or("malformed answer").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_one_form() {
        for request in [AgentRequest::PublicKey, AgentRequest::Sign(0), AgentRequest::Sign(LARGEST_MESSAGE)] {
            assert_eq!(AgentRequest::parse(request.line().trim_end()), Ok(request));
        }
        for wrong in [
            "",
            "public-key",
            "catena-agent 2 public-key",
            "catena-agent 1 Public-Key",
            "catena-agent 1 sign",
            "catena-agent 1 sign ",
            "catena-agent 1 sign +1",
            "catena-agent 1 sign -1",
            "catena-agent 1 sign 1 ",
            "catena-agent 1 sign 67108865",
            "catena-agent 1 sign 99999999999999999999999",
        ] {
            assert!(AgentRequest::parse(wrong).is_err(), "{wrong}");
        }
    }
}
