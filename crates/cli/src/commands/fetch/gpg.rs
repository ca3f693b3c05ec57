//! The OpenPGP signature of a download, verified by gpg.
//!
//! gpg's exit status is 0 for an expired and for a revoked key. What it says on its status channel tells them apart,
//! and that is what counts here (`doc/DETAILS` of GnuPG).

use super::arguments::StaticUrlArgs;
use super::interrupted;
use super::lines::Lines;
use super::network::{self, options, transport};
use super::staged::{Staged, disk};
use crate::commands::verify::block_on;
use crate::failure::Failure;
use catena_download::{Download, Downloader, Expected};
use http::HeaderMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::time::Instant;
use url::Url;

/// No signature is larger.
const LARGEST_SIGNATURE: u64 = 64 << 10;
/// No block of keys is larger.
const LARGEST_KEYS: u64 = 1 << 20;

/// What gpg says of the signatures of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// A key that may sign made one of them, over the bytes of the file.
    Good(String),
    /// A given key made one, and may not sign.
    Unfit(String, &'static str),
    /// One is by a digest that does not count, or not over the bytes of a file.
    Weak,
    /// None is by a given key over this file.
    Unknown,
    /// There is no signature.
    Malformed,
}

/// Verifies a file by the signature at an address, and the keys that the options name.
pub(super) fn verify(
    args: &StaticUrlArgs,
    url: &str,
    file: &Path,
    staged: &Staged,
    deadline: Instant,
    lines: &Lines,
) -> Result<(), Failure> {
    let keys = keys(args)?;
    let signature = signature(args, url, staged, deadline)?;
    let home = home(staged)?;
    lines.say("Importing GPG key...");
    let imported = gpg(&home, &["--import"], &[], &keys)?;
    if !imported.lines().any(|line| line.starts_with("[GNUPG:] IMPORT_OK ")) {
        return Err(Failure::usage("there is no OpenPGP key in what --gpg-key-env or --gpg-key-path names")
            .next("give the armored keys of whoever may sign the file"));
    }
    lines.say("Verifying GPG signature...");
    let said = said(&gpg(&home, &["--verify", "--"], &[&signature, file], &[])?);
    match said {
        Said::Good(key) => {
            lines.say(&format!("GPG signature verified! It is by the key {key}"));
            Ok(())
        }
        said => Err(refused(&said)),
    }
}

/// Reads the status channel. Names of users, which anybody can choose, are never at the beginning of a line there.
fn said(status: &str) -> Said {
    let mut good = false;
    let mut worst = Said::Malformed;
    for line in status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")) {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let found = match word(0) {
            "NEWSIG" => {
                good = false;
                continue;
            }
            "GOODSIG" => {
                good = true;
                continue;
            }
            // The fingerprint, the digest and the type of a signature that was good.
            "VALIDSIG" if good => {
                if matches!(word(8), "8" | "9" | "10") && word(9) == "00" {
                    return Said::Good(word(1).to_owned());
                }
                Said::Weak
            }
            "EXPKEYSIG" => Said::Unfit(word(1).to_owned(), "has expired"),
            "REVKEYSIG" => Said::Unfit(word(1).to_owned(), "is revoked"),
            "EXPSIG" => Said::Unfit(word(1).to_owned(), "made a signature that has expired"),
            // It may be by a digest that gpg itself does not accept any more.
            "ERRSIG" if matches!(word(3), "1" | "2" | "3") => Said::Weak,
            "ERRSIG" | "BADSIG" => Said::Unknown,
            _ => continue,
        };
        if worst == Said::Malformed || matches!(found, Said::Unfit(..)) {
            worst = found;
        }
    }
    worst
}

fn refused(said: &Said) -> Failure {
    match said {
        Said::Unfit(key, why) => {
            Failure::coded("fetch-gpg-key", format!("the key {key}, which signed the file, {why}"))
                .next("get the current key of its owner; use nothing that a revoked key signed")
        }
        Said::Weak => Failure::coded(
            "fetch-gpg-malformed",
            "the signature is not over the bytes of a file, or by a digest other than SHA-256, SHA-384, SHA-512",
        )
        .next("find out whether the signer publishes another one"),
        Said::Malformed => Failure::coded("fetch-gpg-malformed", "there is no OpenPGP signature")
            .next("look at what is at --gpg-sig-url"),
        Said::Unknown | Said::Good(_) => {
            Failure::coded("fetch-gpg-unknown-key", "no given key made the signature over this file")
                .next("find out who signed the file; give that key only if it may sign it")
        }
    }
}

/// A home of gpg for us alone, with nothing in it.
fn home(staged: &Staged) -> Result<PathBuf, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let home = staged.directory("gpg")?;
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).map_err(|error| disk(&home, &error))?;
    home.canonicalize().map_err(|error| disk(&home, &error))
}

/// Runs gpg, and returns what it says on its status channel, whatever its exit status is.
fn gpg(home: &Path, arguments: &[&str], files: &[&Path], input: &[u8]) -> Result<String, Failure> {
    let unusable = |error: std::io::Error| {
        Failure::usage(format!("gpg cannot be started: {error}")).next("install GnuPG, or add it to PATH")
    };
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(home).args(["--batch", "--no-tty", "--no-options", "--no-autostart"]);
    command.args(["--no-auto-key-retrieve", "--trust-model", "always", "--status-fd", "1"]);
    command.args(arguments).args(files);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(unusable)?;
    let stdin = child.stdin.take();
    let input = input.to_vec();
    // It may write before it has read everything.
    let writing = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().map_err(unusable)?;
    // What it has not read it does not need.
    let _ = writing.join();
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn keys(args: &StaticUrlArgs) -> Result<Vec<u8>, Failure> {
    let unusable =
        |what: String| Failure::usage(what).next("give the armored keys of whoever may sign the file");
    match (&args.gpg_key_env, &args.gpg_key_path) {
        (Some(name), _) => std::env::var(name)
            .map(String::into_bytes)
            .map_err(|error| unusable(format!("the variable {name} has no keys: {error}"))),
        (None, Some(path)) => {
            if fs::metadata(path).is_ok_and(|found| found.len() > LARGEST_KEYS) {
                return Err(unusable(format!("{} is too large for keys", path.display())));
            }
            fs::read(path).map_err(|error| unusable(format!("{}: {error}", path.display())))
        }
        (None, None) => Err(unusable("no keys are named for the signature".to_owned())),
    }
}

fn signature(
    args: &StaticUrlArgs,
    url: &str,
    staged: &Staged,
    deadline: Instant,
) -> Result<PathBuf, Failure> {
    let url = Url::parse(url).map_err(|error| {
        Failure::usage(format!("{url:?} is not an address: {error}")).next("give an https:// address")
    })?;
    let download = Download {
        url,
        credentials: None,
        headers: HeaderMap::new(),
        artifact: false,
        beside: false,
        expected: Expected::default(),
        limit: LARGEST_SIGNATURE,
    };
    let downloader = Downloader::new(transport(&args.network)?, options(&args.network));
    let path = staged.path("signature");
    block_on(async |cancellation| {
        let downloaded = downloader.download(&download, &path, deadline, &|_, _| {});
        match cancellation.run_until_cancelled(downloaded).await {
            Some(downloaded) => downloaded.map(drop).map_err(|error| network::download_failure(&error)),
            None => Err(interrupted()),
        }
    })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "[GNUPG:] VALIDSIG F937 2024-06-01 1717200000 0 4 0 22 8 00 F937";

    fn judged(lines: &[&str]) -> Said {
        said(&lines.join("\n"))
    }

    #[test]
    fn only_a_good_signature_by_a_digest_that_counts_is_good() {
        let good = ["[GNUPG:] NEWSIG", "[GNUPG:] GOODSIG AB a <a@b>", VALID];
        assert_eq!(judged(&good), Said::Good("F937".to_owned()));
        for (digest, kind) in [("2", "00"), ("1", "00"), ("11", "00"), ("8", "01")] {
            let valid = VALID.replace(" 8 00 ", &format!(" {digest} {kind} "));
            assert_eq!(judged(&["[GNUPG:] GOODSIG AB a", &valid]), Said::Weak, "{digest} {kind}");
        }
        // gpg says this of expired and revoked keys too, after another word.
        for (word, why) in [("EXPKEYSIG", "has expired"), ("REVKEYSIG", "is revoked")] {
            let line = format!("[GNUPG:] {word} AB a <a@b>");
            let unfit = Said::Unfit("AB".to_owned(), why);
            assert_eq!(judged(&["[GNUPG:] NEWSIG", &line, VALID]), unfit);
            // Of several signatures one good one suffices, and the good one must be the one that is valid.
            assert_eq!(judged(&["[GNUPG:] GOODSIG AB a", "[GNUPG:] NEWSIG", &line, VALID]), unfit);
            assert_eq!(judged(&[&line, VALID, good[0], good[1], good[2]]), Said::Good("F937".to_owned()));
        }
        assert_eq!(judged(&["[GNUPG:] BADSIG AB a"]), Said::Unknown);
        assert_eq!(judged(&["[GNUPG:] ERRSIG AB 22 8 00 1 9"]), Said::Unknown);
        assert_eq!(judged(&["[GNUPG:] ERRSIG AB 22 2 00 1 5"]), Said::Weak);
        assert_eq!(judged(&["[GNUPG:] NODATA 4", "GOODSIG", VALID]), Said::Malformed);
    }
}
