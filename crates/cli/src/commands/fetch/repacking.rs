//! Whether and how a download becomes another archive: by the rules of fetch-content, which go by names.

use super::network::extract_failure;
use super::staged::Staged;
use crate::failure::Failure;
use catena_extract::{Options, Repacking, repack};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Whether a download of one name is packed anew to become a file of another name.
pub(super) fn is_wanted(from: &str, to: &str, repacking: &Repacking) -> bool {
    if repacking.single.is_some() || repacking.strip_components > 0 || !repacking.prefix.is_empty() {
        return true;
    }
    let (from, to) = (suffixes(from), suffixes(to));
    if from == to {
        return false;
    }
    if is_tar_zst(&to) || from.last() != to.last() {
        return true;
    }
    // The same last suffix: the others may be a version, unless it is known for archives.
    let before_last = from.len().checked_sub(2).and_then(|at| from.get(at)).copied();
    before_last == Some(".tar") || matches!(from.last(), Some(&(".tgz" | ".zip")))
}

/// The name that a download has: that of the file it becomes if it has the same suffixes.
pub(super) fn name_of<'a>(url_path: &'a str, to: &'a str) -> &'a str {
    let base = url_path.rsplit('/').next().unwrap_or_default();
    if base.ends_with(&suffixes(to).concat()) || base.is_empty() { to } else { base }
}

/// Packs a download anew, as the file that is being made.
pub(super) fn pack_anew(
    staged: &Staged,
    from: &Path,
    to: &str,
    repacking: &Repacking,
    options: &Options,
) -> Result<PathBuf, Failure> {
    only_tar_zst(to)?;
    let archive = File::open(from).map_err(|error| super::staged::disk(from, &error))?;
    let (scratch, (path, file)) = (staged.directory("extracted")?, staged.file("repacked")?);
    let repacked = repack(archive, &file, &scratch, repacking, options, &|| false);
    repacked.map_err(|error| extract_failure(&from.display().to_string(), error))?;
    Ok(path)
}

/// No other archive can be made.
pub(super) fn only_tar_zst(name: &str) -> Result<(), Failure> {
    if is_tar_zst(&suffixes(name)) {
        return Ok(());
    }
    Err(Failure::usage(format!("{name:?}: only .tar.zst archives can be made"))
        .next("name a file that ends in .tar.zst"))
}

fn is_tar_zst(suffixes: &[&str]) -> bool {
    suffixes.ends_with(&[".tar", ".zst"])
}

/// The suffixes of a name, each with its dot, as Python's pathlib divides them.
fn suffixes(name: &str) -> Vec<&str> {
    if name.ends_with('.') {
        return Vec::new();
    }
    let mut rest = name.trim_start_matches('.');
    let mut found = Vec::new();
    while let Some(at) = rest.rfind('.') {
        let (before, suffix) = rest.split_at_checked(at).unwrap_or((rest, ""));
        found.push(suffix);
        rest = before;
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_those_of_pathlib() {
        for (name, expected) in [
            ("a.tar.zst", vec![".tar", ".zst"]),
            ("a", vec![]),
            (".hidden", vec![]),
            (".hidden.gz", vec![".gz"]),
            ("a.", vec![]),
            ("python-3.8.10-amd64.exe", vec![".8", ".10-amd64", ".exe"]),
        ] {
            assert_eq!(suffixes(name), expected, "{name}");
        }
    }

    #[test]
    fn names_decide_what_is_packed_anew() {
        let plain = Repacking::default();
        for (from, to, expected) in [
            ("a.tar.zst", "b.tar.zst", false),
            ("a.tar.gz", "b.tar.zst", true),
            ("a.zip", "b.tar.zst", true),
            ("python-3.8.10-amd64.exe", "python.exe", false),
            ("a-1.2.zip", "a.zip", true),
            ("a.tar.gz", "a.gz", true),
            ("a.bin", "a.exe", true),
            ("file", "other", false),
        ] {
            assert_eq!(is_wanted(from, to, &plain), expected, "{from} {to}");
        }
        let stripped = Repacking { strip_components: 1, ..Repacking::default() };
        assert!(is_wanted("a.tar.zst", "a.tar.zst", &stripped));
    }

    #[test]
    fn a_download_of_the_same_kind_has_the_name_of_what_it_becomes() {
        assert_eq!(name_of("/x/a-1.0.tar.zst", "a.tar.zst"), "a.tar.zst");
        assert_eq!(name_of("/x/a.tar.gz", "a.tar.zst"), "a.tar.gz");
        assert_eq!(name_of("/x/", "a.tar.zst"), "a.tar.zst");
        assert_eq!(name_of("/x/anything", "file"), "file");
    }
}
