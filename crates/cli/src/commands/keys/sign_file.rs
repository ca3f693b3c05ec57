//! `catena keys sign`: a detached signature over one file, such as a program that is distributed.

use crate::commands::sign::{SignerArgs, read};
use crate::failure::{DONE, Failure};
use crate::output::show;
use clap::Args;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) const EXAMPLES: &str = "\
Example:
  catena keys sign catena-x86_64-unknown-linux-gnu --key release.key
  catena verify-ed25519-signature --pubkey release.pub catena-x86_64-unknown-linux-gnu \\
      catena-x86_64-unknown-linux-gnu.sig

The signature is the 64 bytes of Ed25519 over the whole file, in FILE.sig. Use a key of its own: a
worker's key that signed a Chain of Trust document this way would vouch for a run that never was.
JSON is refused for that reason.";

/// The largest file. Ed25519 reads a message twice, so that it is held in memory.
const LARGEST: u64 = 1 << 30;

/// A file to sign.
#[derive(Debug, Args)]
pub(crate) struct SignFileArgs {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Where the signature goes [default: FILE.sig]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a signature that is there already
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &SignFileArgs) -> Result<u8, Failure> {
    let signer = args.signer.open()?;
    let content = read(&args.file, LARGEST)?;
    if content.trim_ascii_start().starts_with(b"{") {
        return Err(Failure::usage(format!("{} may be a Chain of Trust document", args.file.display()))
            .next("sign a document with `catena sign`, and other JSON inside an archive"));
    }
    let output = args.output.clone().unwrap_or_else(|| {
        let mut name = OsString::from(&args.file);
        name.push(".sig");
        name.into()
    });
    let at = |cause| Failure::undetermined(format!("{}: {cause}", output.display()));
    if !args.force && output.exists() {
        return Err(Failure::usage(format!("{} exists already", output.display()))
            .next("name another file with --output, or replace it with --force"));
    }
    let (key, signature) = signer.sign(&content).map_err(Failure::undetermined)?;
    File::create(&output).and_then(|mut file| file.write_all(signature.as_bytes())).map_err(at)?;
    tracing::info!(file = %args.file.display(), %key, "signed a file");
    show(&format!("Signed {} with the key {key}: {}\n", args.file.display(), output.display()))?;
    Ok(DONE)
}
