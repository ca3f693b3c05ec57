//! Every real template loads to what `PyYAML` makes of it.
// Without the usual harness this counts as a program, where a missing file should end the run all the same.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use catena_yaml::{Limits, load};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let trials = match std::env::var_os("CATENA_SHARED") {
        None => {
            vec![
                Trial::test("templates_skipped_as_CATENA_SHARED_is_unset", || Ok(())).with_ignored_flag(true),
            ]
        }
        Some(shared) => templates(&PathBuf::from(shared).join("vectors/templates")),
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn templates(folder: &std::path::Path) -> Vec<Trial> {
    let mut trials: Vec<Trial> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("taskcluster.yml").is_file())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Trial::test(name, move || template(&path))
        })
        .collect();
    assert!(!trials.is_empty(), "no template in {}", folder.display());
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    trials
}

fn template(path: &std::path::Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path.join("taskcluster.yml"))?;
    let expected = std::fs::read(path.join("parsed.json"))?;
    let expected = catena_json::parse(&expected, &catena_json::Limits::default())?;
    let read = load(&text, &Limits::default())?.root.to_json()?;
    if read == expected { Ok(()) } else { Err(format!("read as {read}").into()) }
}
