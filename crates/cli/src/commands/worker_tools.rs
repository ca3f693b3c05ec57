//! scriptworker's other commands, under their old names and with their old arguments.

use super::keys::key_pair;
use super::sign::read;
use crate::failure::{DONE, Failure};
use catena_keys::{PublicKey, Signature};
use catena_policy::Policy;
use catena_signing::{KeyForm, write_key};
use clap::Args;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A signature that is not valid, or a chain that is not verified: the old status for it.
pub(crate) const NOT_VALID: u8 = 1;
/// The names of commands that are also found by the name of a link.
const LINKS: [&str; 4] = ["create-test-workdir", "gen-ed25519-key", "verify-cot", "verify-ed25519-signature"];
/// No file is larger that somebody signs or checks by hand.
const LARGEST: u64 = 1 << 30;

/// The arguments, with the command put in where the program is called by a link of its name.
pub(crate) fn by_link(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().and_then(|program| Path::new(program).file_stem()).and_then(OsStr::to_str);
    let name = name.map(|name| name.replace('_', "-"));
    if let Some(command) = LINKS.into_iter().find(|command| Some(*command) == name.as_deref()) {
        arguments.insert(1, command.into());
    }
    arguments
}

/// A new key pair.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// What the names of the files begin with: PREFIX_private_key, PREFIX_public_key
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,
}

/// Writes a new key pair into the current directory.
pub(crate) fn generate(args: &GenerateArgs) -> Result<u8, Failure> {
    let named = |name: &str| match &args.prefix {
        Some(prefix) => PathBuf::from(format!("{prefix}_{name}")),
        None => PathBuf::from(name),
    };
    let key = key_pair()?;
    let public = named("public_key");
    if public.exists() {
        return Err(
            Failure::usage(format!("{} exists already", public.display())).next("name another PREFIX")
        );
    }
    write_key(&named("private_key"), &key, KeyForm::Base64, false)
        .map_err(|error| Failure::usage(error).next("name another PREFIX"))?;
    File::create_new(&public)
        .and_then(|mut file| file.write_all(key.public_key().to_string().as_bytes()))
        .map_err(|cause| Failure::undetermined(format!("{}: {cause}", public.display())))?;
    Ok(DONE)
}

/// A file and its signature.
#[derive(Debug, Args)]
pub(crate) struct SignatureArgs {
    /// The only key that counts, base64; without it, the scriptworker keys of the policy that ships
    #[arg(long, value_name = "FILE")]
    pubkey: Option<PathBuf>,
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its signature, 64 bytes
    #[arg(value_name = "SIGNATURE")]
    signature: PathBuf,
}

/// Says by which key a file is signed.
pub(crate) fn verify_signature(args: &SignatureArgs) -> Result<u8, Failure> {
    let message = read(&args.file, LARGEST)?;
    let Ok(signature) = Signature::parse(&read(&args.signature, LARGEST)?) else { return Ok(not_valid()) };
    for (owner, key) in keys(args.pubkey.as_deref())? {
        if key.verify(&message, &signature) {
            eprintln!("Verified good with {owner} seed {key} !");
            return Ok(DONE);
        }
    }
    Ok(not_valid())
}

fn not_valid() -> u8 {
    eprintln!("This is not a valid signature!");
    NOT_VALID
}

fn keys(file: Option<&Path>) -> Result<Vec<(String, PublicKey)>, Failure> {
    if let Some(file) = file {
        let text = String::from_utf8(read(file, LARGEST)?).unwrap_or_default();
        let key = PublicKey::parse_base64(text.trim())
            .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
        return Ok(vec![("given".to_owned(), key)]);
    }
    let policy = Policy::shipped()
        .map_err(|diagnostics| Failure::diagnostics("the policy cannot be used:", &diagnostics))?;
    let mut keys = Vec::new();
    for product in policy.products() {
        let ring = policy.keys(product).map_err(Failure::usage)?;
        keys.extend(ring.iter().map(|(owner, trusted)| (owner.to_string(), trusted.key.clone())));
    }
    Ok(keys)
}

/// What is to be verified.
#[derive(Debug, Args)]
pub(crate) struct VerifyCotArgs {
    /// The task
    #[arg(value_name = "TASK_ID")]
    task_id: String,
    /// The kind of the task
    #[arg(long, value_name = "KIND")]
    task_type: String,
    /// The product
    #[arg(long, value_name = "NAME", default_value = "firefox")]
    cot_product: String,
    /// Accept documents only with a signature
    #[arg(long)]
    verify_sigs: bool,
    /// Do not check the document of the task itself
    #[arg(long)]
    no_check_task: bool,
    /// Nothing: artifacts are not kept
    #[arg(long)]
    cleanup: bool,
}

impl VerifyCotArgs {
    /// The same as arguments of `catena verify`.
    pub(crate) fn as_verify(&self, verbose: u8) -> Vec<OsString> {
        let mut words =
            vec!["catena", "verify", "--task-type", &self.task_type, "--product", &self.cot_product];
        words.push(if self.no_check_task { "--no-check-task" } else { "--check-task" });
        if !self.verify_sigs {
            words.push("--danger-skip-signatures");
        }
        words.extend((0..verbose).map(|_| "-v"));
        words.extend(["--", &self.task_id]);
        words.into_iter().map(OsString::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_names_the_command() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let with = by_link(words(&["/usr/bin/verify_cot", "x"]));
        assert_eq!(with, words(&["/usr/bin/verify_cot", "verify-cot", "x"]));
        assert_eq!(
            by_link(words(&["gen_ed25519_key.py"])),
            words(&["gen_ed25519_key.py", "gen-ed25519-key"])
        );
        assert_eq!(by_link(words(&["catena", "x"])), words(&["catena", "x"]));
        assert_eq!(by_link(Vec::new()), words(&[]));
    }
}
