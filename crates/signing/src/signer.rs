//! Who signs: a key in this process, or another program that holds it.

use crate::answer::{AnswerError, SignerAnswer};
use catena_keys::{PublicKey, Signature, SigningKey};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The most that a command may answer: two lines of base64 have 133 bytes.
const LARGEST_ANSWER: u64 = 1024;
/// How often a command is looked at while it runs.
const PAUSE: Duration = Duration::from_millis(5);

/// Signs documents. What it returns verifies under the public key that comes with it.
pub trait Signer {
    /// The key that [`Signer::sign`] signs with, for documents that name it.
    ///
    /// # Errors
    /// The signer is not available, or does not do what it must.
    fn public_key(&self) -> Result<PublicKey, SignerError>;

    /// Signs exactly these bytes.
    ///
    /// # Errors
    /// The signer is not available, or does not do what it must.
    fn sign(&self, message: &[u8]) -> Result<(PublicKey, Signature), SignerError>;
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The command cannot be started, or its input or output breaks.
    #[error("cannot run the signer {program:?}: {cause}")]
    Io {
        /// What was to be run.
        program: OsString,
        /// Why not.
        cause: std::io::Error,
    },
    /// The command did not end in time and was killed.
    #[error("the signer {program:?} did not answer within {limit:?} and was stopped")]
    TimedOut {
        /// What was run.
        program: OsString,
        /// How long it had.
        limit: Duration,
    },
    /// The command ended with a status other than 0.
    #[error("the signer {program:?} failed: {status}; its standard error says why")]
    Failed {
        /// What was run.
        program: OsString,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command's answer is not text.
    #[error(
        "the signer {program:?} must write two lines of text, the public key and the signature in base64"
    )]
    NotText {
        /// What was run.
        program: OsString,
    },
    /// The command's answer is not two lines, the public key and the signature in base64, that belong together.
    #[error("the signer {program:?} must write two lines, the public key and the signature in base64: {why}")]
    Answer {
        /// What was run.
        program: OsString,
        /// What is wrong.
        why: AnswerError,
    },
    /// The agent cannot be reached, refuses, or answers something else.
    #[error("the agent at {} did not sign: {why}", path.display())]
    Agent {
        /// Its socket.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

/// A key in this process.
#[derive(Debug)]
pub struct LocalSigner(SigningKey);

impl LocalSigner {
    /// Signs with this key.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self(key)
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> Result<PublicKey, SignerError> {
        Ok(self.0.public_key())
    }

    fn sign(&self, message: &[u8]) -> Result<(PublicKey, Signature), SignerError> {
        Ok((self.0.public_key(), self.0.sign(message)))
    }
}

/// Another program that holds the key, such as a client of an HSM or of a key management service. It is
/// started without a shell, reads the message from standard input until its end, writes two lines to standard
/// output (the raw public key and the raw signature, each in base64), and exits with 0. What it writes to
/// standard error is passed on. An empty message asks for its public key; then the first line is enough.
#[derive(Clone, Debug)]
pub struct CommandSigner {
    program: OsString,
    arguments: Vec<OsString>,
    limit: Duration,
}

impl CommandSigner {
    /// Runs `program` with `arguments` for each signature; it is stopped when it takes longer than `limit`.
    #[must_use]
    pub fn new(program: impl Into<OsString>, arguments: Vec<OsString>, limit: Duration) -> Self {
        Self { program: program.into(), arguments, limit }
    }

    fn io(&self, cause: std::io::Error) -> SignerError {
        SignerError::Io { program: self.program.clone(), cause }
    }

    /// Feeds the message to the child and returns what it answers and how it ends.
    fn run(&self, message: &[u8]) -> Result<(Vec<u8>, ExitStatus), SignerError> {
        let mut command = Command::new(&self.program);
        // A process group of its own, so that nothing of it is left behind.
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|cause| self.io(cause))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        thread::scope(|scope| {
            // A signer may end without having read everything; its status says whether that was right.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(message)));
            let answer = scope.spawn(move || {
                let mut answer = Vec::new();
                stdout.map(|stdout| stdout.take(LARGEST_ANSWER).read_to_end(&mut answer)).transpose()?;
                Ok::<_, std::io::Error>(answer)
            });
            let status = self.wait(&mut child)?;
            let answer = answer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((answer.map_err(|cause| self.io(cause))?, status))
        })
    }

    /// Waits for the command's end, and ends what it has left behind: a process that still holds its output would
    /// keep it open.
    fn wait(&self, child: &mut Child) -> Result<ExitStatus, SignerError> {
        let started = Instant::now();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let has_ended = || -> rustix::io::Result<bool> {
            let Some(pid) = pid else { return Ok(true) };
            // It is not reaped yet, so that its number stays its own until its group has been ended.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            Ok(waitid(WaitId::Pid(pid), options)?.is_some())
        };
        let ended = loop {
            match has_ended() {
                Ok(false) if started.elapsed() < self.limit => thread::sleep(PAUSE),
                ended => break ended,
            }
        };
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let status = child.wait().map_err(|cause| self.io(cause))?;
        match ended {
            Ok(true) => Ok(status),
            Ok(false) => Err(SignerError::TimedOut { program: self.program.clone(), limit: self.limit }),
            Err(errno) => Err(self.io(errno.into())),
        }
    }

    fn wrong(&self, why: AnswerError) -> SignerError {
        SignerError::Answer { program: self.program.clone(), why }
    }

    /// Runs the command, which must exit with 0, and reads its answer.
    fn ask(&self, message: &[u8]) -> Result<SignerAnswer, SignerError> {
        let (answer, status) = self.run(message)?;
        if !status.success() {
            return Err(SignerError::Failed { program: self.program.clone(), status });
        }
        let not_text = |_| SignerError::NotText { program: self.program.clone() };
        let text = String::from_utf8(answer).map_err(not_text)?;
        SignerAnswer::parse(&text).map_err(|why| self.wrong(why))
    }
}

impl Signer for CommandSigner {
    fn public_key(&self) -> Result<PublicKey, SignerError> {
        Ok(self.ask(b"")?.key)
    }

    fn sign(&self, message: &[u8]) -> Result<(PublicKey, Signature), SignerError> {
        self.ask(message)?.signed(message).map_err(|why| self.wrong(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32])
    }

    /// A signer that is a script of the shell, for tests.
    fn script(text: &str, limit: u64) -> CommandSigner {
        let arguments = vec!["-c".into(), text.into()];
        CommandSigner::new("/bin/sh", arguments, Duration::from_secs(limit))
    }

    #[test]
    fn a_command_signs_what_it_reads() {
        let signature = key().sign(b"message").to_base64();
        let answer = format!("test \"$(cat)\" = message && echo {} && echo {signature}", key().public_key());
        let (public, made) = script(&answer, 60).sign(b"message").unwrap();
        assert_eq!((public.clone(), public.verify(b"message", &made)), (key().public_key(), true));
        let refused = script(&answer, 60).sign(b"other");
        assert!(matches!(refused, Err(SignerError::Failed { .. })), "{refused:?}");
    }

    #[test]
    fn a_command_tells_its_key_with_or_without_a_signature() {
        let public = key().public_key();
        let signature = key().sign(b"").to_base64();
        for answer in [format!("cat; echo {public}"), format!("cat; echo {public}; echo {signature}")] {
            assert_eq!(script(&answer, 60).public_key().unwrap(), public, "{answer}");
        }
        for answer in ["true", "echo x", "exit 1"] {
            assert!(script(answer, 60).public_key().is_err(), "{answer}");
        }
    }

    #[test]
    fn a_signature_over_other_bytes_is_refused() {
        let signature = key().sign(b"message").to_base64();
        let answer = format!("cat > /dev/null; echo {}; echo {signature}", key().public_key());
        let refused = script(&answer, 60).sign(b"other");
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("does not verify"), "{why}");
    }

    #[test]
    fn an_answer_is_two_lines() {
        let public = key().public_key();
        for answer in [
            "true".to_owned(),
            format!("echo {public}"),
            format!("echo {public}; echo x"),
            "echo x; echo y".to_owned(),
            "yes".to_owned(),
        ] {
            let refused = script(&answer, 60).sign(b"message");
            let expected = matches!(refused, Err(SignerError::Answer { .. } | SignerError::Failed { .. }));
            assert!(expected, "{answer}: {refused:?}");
        }
    }

    #[test]
    fn a_command_that_hangs_is_stopped() {
        for command in ["exec sleep 600", "sleep 600; true"] {
            let refused = script(command, 0).sign(b"message");
            assert!(matches!(refused, Err(SignerError::TimedOut { .. })), "{refused:?}");
        }
    }

    #[test]
    fn what_a_command_leaves_behind_is_ended() {
        let refused = script("sleep 600 & exit 3", 60).sign(b"message");
        assert!(matches!(refused, Err(SignerError::Failed { .. })), "{refused:?}");
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let refused =
            CommandSigner::new("/no/such/signer", vec![], Duration::from_secs(1)).sign(b"").unwrap_err();
        assert!(refused.to_string().contains("/no/such/signer"), "{refused}");
    }
}
