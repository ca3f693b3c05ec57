//! Trials by the name of an attack or of a valid chain, as mutation testing needs them.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;

/// A trial in a thread with its name, so that tools can attribute reached code to trials. With
/// `CATENA_FAIL_FAST` set, the first failure ends all trials.
pub(crate) fn trial(name: String, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name.clone(), move || {
        let thread = std::thread::Builder::new().name(name).spawn(test)?;
        let result = thread.join().unwrap_or_else(|_| Err("it panicked".into()));
        if let Err(failed) = &result
            && std::env::var_os("CATENA_FAIL_FAST").is_some()
        {
            eprintln!("{}", failed.message().unwrap_or_default());
            std::process::exit(101);
        }
        result
    })
}

/// Runs trials; if `CATENA_TRIALS` names a file, only those whose names are lines of it.
pub(crate) fn run(arguments: &Arguments, mut trials: Vec<Trial>) -> ! {
    if let Some(path) = std::env::var_os("CATENA_TRIALS") {
        let text = std::fs::read_to_string(path).unwrap();
        let names: BTreeSet<&str> = text.lines().collect();
        trials.retain(|trial| names.contains(trial.name()));
    }
    libtest_mimic::run(arguments, trials).exit()
}
