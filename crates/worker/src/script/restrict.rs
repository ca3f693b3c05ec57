//! What is taken from a script before it starts. What only Linux has is chosen at run time.

use std::path::Path;

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

/// Takes from this process, and from all that it starts, the right to read one file, to write to it, and to move
/// or remove it or a directory above it: a script must neither destroy the file nor bring it to a place where the
/// next one, or the worker, reads it.
///
/// Landlock has rules that allow and none that forbid. So everything is allowed that is not on the way to the
/// file: what stands beside it, beside its directory, and so on up. A file that is later made directly in one of
/// the directories on the way cannot be read or written either, and what stands in them cannot be renamed or
/// removed.
#[cfg(target_os = "linux")]
pub(super) fn hide(file: &Path) -> Result<(), String> {
    use landlock::{
        AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _,
    };
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let file = file.canonicalize().map_err(|error| told(&error))?;
    // A file that moves to another directory takes rights with it, so moving is a right too, where the
    // kernel knows it. So is cutting a file off, which an older kernel lets pass by its path.
    let known = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::RemoveFile | AccessFs::RemoveDir;
    let newer = AccessFs::Refer | AccessFs::Truncate;
    let access = known | newer;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(known)
        .map_err(|error| told(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(newer)
        .map_err(|error| told(&error))?
        .create()
        .map_err(|error| told(&error))?;
    let identity = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    let hidden = rustix::fs::stat(&file).map(identity).map_err(|error| told(&error))?;
    for path in beside(&file)? {
        // What has gone meanwhile needs no rule.
        let Ok(open) = PathFd::new(&path) else { continue };
        // Rules are about files and not about names: one for another name of the file would open it. A script
        // can make such a name in the file's own directory.
        if rustix::fs::fstat(&open).map(identity) == Ok(hidden) {
            continue;
        }
        rules = rules.add_rule(PathBeneath::new(open, access)).map_err(|error| told(&error))?;
    }
    rules.restrict_self().map(drop).map_err(|error| told(&error))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn hide(_: &Path) -> Result<(), String> {
    Err("this system has no way to hide a file from a program of the same user".to_owned())
}

/// Everything that stands beside a path or beside a directory above it. Links are left out: where they lead,
/// there is a path of its own.
#[cfg(target_os = "linux")]
fn beside(file: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    /// A rule for each; whoever has more files beside the key should move it.
    const MOST: usize = 10_000;
    let mut found = Vec::new();
    let mut below = file;
    while let Some(directory) = below.parent() {
        let entries =
            std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", directory.display()))?;
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if entry.path() != below && !is_link {
                found.push(entry.path());
            }
            if found.len() > MOST {
                return Err(format!("more than {MOST} files stand beside the key or above it"));
            }
        }
        below = directory;
    }
    Ok(found)
}
