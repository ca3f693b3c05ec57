//! `catena keys`: private keys of workers, and the trust file.

mod agent;
mod audit;
mod sign_file;
mod trust;

use crate::failure::{DONE, Failure};
use crate::output::show;
use catena_keys::{PublicKey, SigningKey};
use catena_signing::{KeyFileError, KeyForm, read_key, write_key};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use zeroize::Zeroizing;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena keys new /etc/worker/signing.key
      Create a private key and print its public key, for the policy.
  catena keys public /etc/worker/signing.key
      Print the public key again.
  catena keys check trust.yml
      Find mistakes in a trust file: docs/keys.md walks through creation, rotation and revocation.

Key files have mode 0600. Files that users other than their owner may read are refused.";

/// What is done with a key.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a private key and print its public key
    New(NewArgs),
    /// Print the public key of a private key
    Public(FileArgs),
    /// Describe a key without showing its secret
    Inspect(InspectArgs),
    /// Hold a key in this process, and sign for others over a Unix socket
    #[command(after_long_help = agent::EXAMPLES)]
    Agent(agent::AgentArgs),
    /// Sign one file, such as a program that is distributed
    #[command(after_long_help = sign_file::EXAMPLES)]
    Sign(sign_file::SignFileArgs),
    /// Point at the mistakes in trust files, by line and column
    #[command(after_long_help = trust::CHECK_EXAMPLES)]
    Check(trust::CheckArgs),
    /// Write the next state of a trust file, in which a new key replaces one
    #[command(after_long_help = trust::ROTATE_EXAMPLES)]
    Rotate(trust::RotateArgs),
    /// Write the next state of a trust file, in which a key is revoked
    #[command(after_long_help = trust::REVOKE_EXAMPLES)]
    Revoke(trust::RevokeArgs),
    /// Report keys of a trust file that need attention
    #[command(after_long_help = audit::AUDIT_EXAMPLES)]
    Audit(audit::AuditArgs),
}

/// A new key.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The file to write, with mode 0600
    file: PathBuf,
    /// base64 (the seed, as generic-worker and scriptworker keep it) or pem (PKCS#8, as OpenSSL writes it)
    #[arg(long, value_enum, default_value_t, value_name = "FORM", hide_possible_values = true)]
    form: Form,
    /// Replace a key that is there already; it is lost
    #[arg(long)]
    force: bool,
}

/// A key that is there.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The file of a private key
    file: PathBuf,
}

/// A key that is described.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The file of a private key
    file: PathBuf,
    /// text or json
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    #[default]
    Base64,
    Pem,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

pub(crate) fn run(command: &KeysCommand) -> Result<u8, Failure> {
    match command {
        KeysCommand::New(arguments) => new(arguments),
        KeysCommand::Public(arguments) => show(&format!("{}\n", key(&arguments.file)?.public_key())),
        KeysCommand::Inspect(arguments) => {
            show(&described(&key(&arguments.file)?.public_key(), arguments.format))
        }
        KeysCommand::Agent(arguments) => agent::run(arguments),
        KeysCommand::Sign(arguments) => sign_file::run(arguments),
        KeysCommand::Check(arguments) => trust::check(arguments),
        KeysCommand::Rotate(arguments) => trust::rotate(arguments),
        KeysCommand::Revoke(arguments) => trust::revoke(arguments),
        KeysCommand::Audit(arguments) => audit::run(arguments),
    }
}

/// A new key.
pub(super) fn key_pair() -> Result<SigningKey, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|cause| Failure::undetermined(format!("the system gives no random bytes: {cause}")))?;
    Ok(SigningKey::from_seed(&seed))
}

fn new(arguments: &NewArgs) -> Result<u8, Failure> {
    let key = key_pair()?;
    let form = match arguments.form {
        Form::Base64 => KeyForm::Base64,
        Form::Pem => KeyForm::Pem,
    };
    write_key(&arguments.file, &key, form, arguments.force).map_err(|error| refused(&error))?;
    let public = key.public_key();
    tracing::info!(file = %arguments.file.display(), %public, "wrote a private key");
    show(&format!("{public}\n"))?;
    Ok(DONE)
}

/// The private key in a file.
pub(super) fn key(file: &std::path::Path) -> Result<SigningKey, Failure> {
    read_key(file).map_err(|error| refused(&error))
}

fn refused(error: &KeyFileError) -> Failure {
    match error {
        KeyFileError::Exists(_) => {
            Failure::usage(error).next("name another file, or replace the key with --force")
        }
        KeyFileError::Io { action: "write", .. } => {
            Failure::undetermined(error).next("name a file in a directory that you can write to")
        }
        _ => Failure::usage(error),
    }
}

fn described(key: &PublicKey, format: Format) -> String {
    let (scheme, fingerprint) = (key.scheme(), key.fingerprint_hex());
    match format {
        Format::Text => {
            format!("scheme       {scheme}\npublic key   {key}\nfingerprint  sha256:{fingerprint}\n")
        }
        Format::Json => {
            let value = serde_json::json!({
                "scheme": scheme.as_str(), "publicKey": key.to_string(), "fingerprint": format!("sha256:{fingerprint}"),
            });
            format!("{value:#}\n")
        }
    }
}
