//! What is checked before the first task is claimed.

use crate::config::Config;
use crate::script::Launcher;
use crate::work_dir::without_links;
use catena_signing::{LocalSigner, read_key};
use rustix::fs::{Access, access};
use std::path::{Path, PathBuf};

/// Checks that everything is there which a task will need: the key, the directories, the script. Nothing is
/// changed.
///
/// # Errors
/// Everything that is wrong, in words for the administrator.
pub async fn check(config: &Config, launcher: &Launcher) -> Result<Option<LocalSigner>, Vec<String>> {
    let mut wrong = Vec::new();
    let signer = config.private_key.as_deref().map(read_key).transpose().unwrap_or_else(|error| {
        wrong.push(format!("ed25519_private_key_path: {error}"));
        None
    });
    let directories = &config.directories;
    for (name, path) in [
        ("work_dir", &directories.work),
        ("artifact_dir", &directories.artifacts),
        ("task_log_dir", &directories.task_logs),
        ("log_dir", &directories.logs),
    ] {
        if let Err(why) = check_directory(path) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    wrong.extend(emptied(config));
    if let Some(program) = config.script.first()
        && let Err(why) = find(program, std::env::var("PATH").ok().as_deref())
    {
        wrong.push(format!("task_script: {why}"));
    }
    if let Err(error) = launcher.try_out(&config.script).await {
        wrong.push(format!("task_script: {error}"));
    }
    if wrong.is_empty() { Ok(signer.map(LocalSigner::new)) } else { Err(wrong) }
}

/// What would be lost when the directories are emptied, because a link leads there: the names themselves were compared
/// when the configuration was read.
fn emptied(config: &Config) -> Vec<String> {
    let directories = &config.directories;
    let kept =
        [("ed25519_private_key_path", config.private_key.as_ref()), ("log_dir", Some(&directories.logs))];
    let mut wrong = Vec::new();
    for (name, path) in [
        ("work_dir", &directories.work),
        ("artifact_dir", &directories.artifacts),
        ("task_log_dir", &directories.task_logs),
    ] {
        let Ok(real) = without_links(path) else { continue };
        for (what, kept) in kept.iter().filter_map(|(what, kept)| Some((what, (*kept)?))) {
            if without_links(kept).is_ok_and(|kept| kept.starts_with(&real)) {
                let path = path.display();
                wrong.push(format!(
                    "{name}: {path} is emptied before each task and would take {what} with it"
                ));
            }
        }
    }
    wrong
}

/// Whether a directory is there and can be written to, or can be made.
fn check_directory(path: &Path) -> Result<(), String> {
    let mut existing = path;
    loop {
        match std::fs::metadata(existing) {
            Ok(metadata) if metadata.is_dir() => break,
            Ok(_) => return Err(format!("{} is not a directory", existing.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                existing = match existing.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent,
                    Some(_) => Path::new("."),
                    None => return Err(format!("{}: {error}", path.display())),
                };
            }
            Err(error) => return Err(format!("{}: {error}", existing.display())),
        }
    }
    access(existing, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|errno| format!("{} cannot be written to: {errno}", existing.display()))
}

/// The program of a name, as the system will look for it.
fn find(program: &str, path: Option<&str>) -> Result<PathBuf, String> {
    let runs = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.contains('/') {
        let file = PathBuf::from(program);
        return if runs(&file) {
            Ok(file)
        } else {
            Err(format!("{program} is not a program that can be run"))
        };
    }
    // Where there is no PATH, the C library looks here.
    let path = path.unwrap_or("/bin:/usr/bin");
    let mut places = path.split(':').map(|folder| Path::new(folder).join(program));
    places.find(|file| runs(file)).ok_or_else(|| format!("there is no program {program} in {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_as_the_system_finds_them() {
        assert!(
            find("/bin/sh", None).is_ok() && find("sh", None).is_ok() && find("sh", Some("/bin")).is_ok()
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sh"), "").unwrap();
        assert!(find("sh", folder.path().to_str()).is_err());
        assert!(find("/nowhere/script", None).unwrap_err().contains("/nowhere/script"));
        assert!(find("/bin", None).is_err());
    }

    #[test]
    fn directories_exist_or_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check_directory(&folder.path().join("a/b/c")), Ok(()));
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(check_directory(&folder.path().join("file/b")).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
