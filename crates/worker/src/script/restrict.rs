//! What is taken from a script before it starts. What only Linux has is chosen at run time.

#[cfg(target_os = "linux")]
use crate::work_dir::without_links;
#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::path::PathBuf;

/// Forbids that set-user-id programs give the script more than the worker has.
#[cfg(target_os = "linux")]
pub(super) fn forbid_new_privileges() -> std::io::Result<()> {
    Ok(rustix::thread::set_no_new_privs(true)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forbid_new_privileges() -> std::io::Result<()> {
    Ok(())
}

/// Takes from this process, and from all that it starts, the capabilities by which root reads the memory and the
/// environment of other processes. New privileges are forbidden already, so that no program brings them back.
///
/// # Errors
/// The system refuses.
#[cfg(target_os = "linux")]
pub(super) fn forbid_reading_others() -> std::io::Result<()> {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let readers = CapabilitySet::SYS_PTRACE | CapabilitySet::PERFMON | CapabilitySet::SYS_ADMIN;
    let mut sets = capabilities(None)?;
    if !sets.permitted.intersects(readers) {
        return Ok(());
    }
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
        set.remove(readers);
    }
    Ok(set_capabilities(None, sets)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn forbid_reading_others() -> std::io::Result<()> {
    Ok(())
}

/// Takes from this process, and from all that it starts, the right to read some files and directories, to write to
/// them, and to move or remove them or a directory above them: a script must neither change them nor bring them to a
/// place where the next one, or the worker, reads them. Where the kernel knows how, it also takes the right to signal
/// other processes, the worker's among them.
///
/// Landlock has rules that allow and none that forbid. So everything is allowed that is not on the way to what is
/// hidden: what stands beside it, beside its directory, and so on up. In the directories on the way nothing can be
/// made, renamed or removed.
#[cfg(target_os = "linux")]
pub(super) fn hide(paths: &[PathBuf]) -> Result<(), String> {
    use landlock::{
        AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, Scope,
    };
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let hidden: BTreeSet<PathBuf> = paths
        .iter()
        .map(|path| without_links(path))
        .collect::<Result<_, _>>()
        .map_err(|error| told(&error))?;
    let make = AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSym
        | AccessFs::MakeFifo
        | AccessFs::MakeSock
        | AccessFs::MakeChar
        | AccessFs::MakeBlock;
    let remove = AccessFs::RemoveFile | AccessFs::RemoveDir;
    let known = AccessFs::ReadFile | AccessFs::WriteFile | make | remove;
    // A file that moves to another directory takes rights with it, so moving is a right too, where the
    // kernel knows it. So is cutting a file off, which an older kernel lets pass by its path.
    let newer = AccessFs::Refer | AccessFs::Truncate;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(known)
        .map_err(|error| told(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(newer)
        .map_err(|error| told(&error))?
        .scope(Scope::Signal)
        .map_err(|error| told(&error))?
        .create()
        .map_err(|error| told(&error))?;
    let identity = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    let identities: BTreeSet<_> =
        hidden.iter().filter_map(|path| rustix::fs::stat(path).ok()).map(identity).collect();
    for path in beside(&hidden)? {
        // What has gone meanwhile needs no rule.
        let Ok(open) = PathFd::new(&path) else { continue };
        // Rules are about files and not about names: one for another name of a hidden file would open it.
        if rustix::fs::fstat(&open).is_ok_and(|stat| identities.contains(&identity(stat))) {
            continue;
        }
        rules = rules.add_rule(PathBeneath::new(open, known | newer)).map_err(|error| told(&error))?;
    }
    rules.restrict_self().map(drop).map_err(|error| told(&error))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn hide(_: &[PathBuf]) -> Result<(), String> {
    Err("this system has no way to hide files from a program of the same user".to_owned())
}

/// Everything that stands beside one of the paths or beside a directory above one. Links are left out: where they
/// lead, there is a path of its own.
#[cfg(target_os = "linux")]
fn beside(hidden: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, String> {
    /// A rule for each; whoever has more files beside the key should move it.
    const MOST: usize = 10_000;
    let above: BTreeSet<&Path> = hidden.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    let mut found = Vec::new();
    for directory in &above {
        let told = |error: std::io::Error| format!("{}: {error}", directory.display());
        let entries = match std::fs::read_dir(directory) {
            // What it will hold is hidden as soon as it is there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.map_err(told)?,
        };
        for entry in entries {
            let entry = entry.map_err(told)?;
            let (path, is_link) = (entry.path(), entry.file_type().is_ok_and(|kind| kind.is_symlink()));
            if !is_link && !hidden.contains(&path) && !above.contains(path.as_path()) {
                found.push(path);
            }
            if found.len() > MOST {
                return Err(format!("more than {MOST} files stand beside the key or above it"));
            }
        }
    }
    Ok(found)
}
