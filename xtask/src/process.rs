//! Running other programs in the repository's directory.

use crate::failure::Failure;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's directory.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The directory of build results.
pub(crate) fn target_dir() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Prefixes of the environment variables that cargo sets for this package.
const OWN: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// One command, run in the repository's directory.
#[derive(Debug)]
pub(crate) struct Step(Command);

/// The cargo that runs this.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Step {
    // `cargo` and not `$CARGO`: only the former lets a rustup override choose the toolchain.
    Step::new("cargo").args(arguments)
}

impl Step {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        // What cargo tells this program about its package does not hold for what it starts; build scripts that
        // look at it (ring's) would run again, and all that depends on them be built again.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| OWN.iter().any(|own| name.starts_with(own))) {
                command.env_remove(name);
            }
        }
        Self(command)
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Another directory than the repository's.
    pub(crate) fn at(mut self, directory: &Path) -> Self {
        self.0.current_dir(directory);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it, and prints the command line on standard error.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        eprintln!("xtask: {}", self.line());
        let status = self.0.status().map_err(|cause| self.not_started(cause))?;
        if status.success() { Ok(()) } else { Err(Failure::Ended { command: self.line(), status }) }
    }

    /// Like [`Self::run`], for commands that run at the same time: prints what each wrote once it has ended.
    pub(crate) fn run_captured(mut self) -> Result<(), Failure> {
        let output = self.0.output().map_err(|cause| self.not_started(cause))?;
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        eprint!("xtask: {}\n{stdout}{stderr}", self.line());
        let status = output.status;
        if status.success() { Ok(()) } else { Err(Failure::Ended { command: self.line(), status }) }
    }

    /// Runs it without output; a missing program counts as a failure.
    pub(crate) fn succeeds(mut self) -> bool {
        self.0.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Runs it and returns what it prints.
    pub(crate) fn output(mut self) -> Result<String, Failure> {
        let output = self.0.stderr(Stdio::inherit()).output().map_err(|cause| self.not_started(cause))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(Failure::Ended { command: self.line(), status: output.status })
        }
    }

    fn not_started(&self, cause: std::io::Error) -> Failure {
        Failure::Start { program: self.0.get_program().to_string_lossy().into_owned(), cause }
    }

    fn line(&self) -> String {
        let words = std::iter::once(self.0.get_program()).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}
