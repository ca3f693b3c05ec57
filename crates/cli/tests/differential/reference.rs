//! scriptworker, asked through `scripts/reference-driver.py`.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use tempfile::NamedTempFile;

/// scriptworker's result for a chain.
#[derive(Debug)]
pub(crate) enum Word {
    /// It may run; the links by name and task.
    Accepted { links: Vec<(String, String)> },
    /// Refused, with one of scriptworker's own errors.
    Rejected {
        #[allow(dead_code)] // printed
        cause: String,
    },
    /// Another exception was raised.
    Crashed {
        #[allow(dead_code)] // printed
        cause: String,
    },
}

/// The running drivers; one is started whenever all others are busy.
pub(crate) struct Reference {
    python: PathBuf,
    ca_file: NamedTempFile,
    idle: Mutex<Vec<Driver>>,
}

struct Driver {
    process: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Reference {
    pub(crate) fn new(python: PathBuf, ca_pem: &str) -> Self {
        let mut ca_file = NamedTempFile::new().unwrap();
        ca_file.write_all(ca_pem.as_bytes()).unwrap();
        Self { python, ca_file, idle: Mutex::default() }
    }

    /// Asks one driver; blocks until it answers.
    pub(crate) fn ask(&self, question: &Value) -> Word {
        let idle = self.idle.lock().unwrap().pop();
        let mut driver = idle.unwrap_or_else(|| Driver::start(&self.python, self.ca_file.path()));
        let word = driver.ask(question);
        self.idle.lock().unwrap().push(driver);
        word
    }
}

impl Driver {
    fn start(python: &Path, ca_file: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/reference-driver.py");
        let mut command = Command::new(python);
        command.arg(script).arg(ca_file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().unwrap_or_else(|cause| panic!("{}: {cause}", python.display()));
        let (asks, answers) = (process.stdin.take(), process.stdout.take().unwrap());
        Self { process, asks, answers: BufReader::new(answers) }
    }

    fn ask(&mut self, question: &Value) -> Word {
        writeln!(self.asks.as_mut().unwrap(), "{question}").expect("scriptworker's driver runs");
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("scriptworker's driver answers");
        let cause = || answer["cause"].as_str().unwrap().to_owned();
        match answer["outcome"].as_str().unwrap() {
            "accepted" => Word::Accepted { links: serde_json::from_value(answer["links"].clone()).unwrap() },
            "rejected" => Word::Rejected { cause: cause() },
            _ => Word::Crashed { cause: cause() },
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.asks = None;
        let _ = self.process.wait();
    }
}
