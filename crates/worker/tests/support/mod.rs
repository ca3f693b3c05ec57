//! Tests whose program is also the launcher of scripts.
#![allow(dead_code, unreachable_pub)]

use catena_worker::script::{COMMAND, adopt_orphans, launch};
use libtest_mimic::{Arguments, Failed, Trial};
use std::ffi::OsString;
use std::process::ExitCode;

/// One test.
pub type Test = fn();

/// Becomes a script if asked, or runs the tests one after the other: each of them ends all children of this
/// process.
pub fn run(tests: &[(&str, Test)]) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|word| word == COMMAND) {
        return ExitCode::from(launch(&arguments[2..]));
    }
    adopt_orphans();
    let mut options = Arguments::from_args();
    options.test_threads = Some(1);
    let trial = |(name, test): &(&str, Test)| {
        let test = *test;
        Trial::test(*name, move || std::panic::catch_unwind(test).map_err(failed))
    };
    libtest_mimic::run(&options, tests.iter().map(trial).collect()).exit_code()
}

fn failed(cause: Box<dyn std::any::Any + Send>) -> Failed {
    let text = cause.downcast_ref::<String>().cloned();
    let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Failed::from(text.unwrap_or_default())
}
