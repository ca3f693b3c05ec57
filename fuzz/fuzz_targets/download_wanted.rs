//! Any text as what a task wants: MOZ_FETCHES, a list, the mounts of a worker. No panic, nothing outside the
//! destination, no file that only its address vouches for, and no source that reads otherwise than it is written.
#![no_main]

use catena_download::{Mounts, Source, Wanted, is_pattern};
use libfuzzer_sys::fuzz_target;
use std::path::Component;

fn check(wanted: &Wanted) {
    assert!(!wanted.is_pattern || is_pattern(&wanted.name));
    let source = match &wanted.source {
        Source::Task(task, None) => format!("task:{task}"),
        Source::Task(task, Some(run)) => format!("task:{task}/{}", run.0),
        Source::Index(route) => {
            assert!(route.len() <= 255 && route.bytes().all(|byte| byte.is_ascii_graphic()));
            format!("index:{route}")
        }
    };
    assert_eq!(source.parse().as_ref(), Ok(&wanted.source));
}

fuzz_target!(|text: &str| {
    for read in [Wanted::of_moz_fetches(text), Wanted::of_list(text)] {
        read.iter().flatten().for_each(check);
    }
    let Ok(mounts) = Mounts::parse(text) else { return };
    mounts.artifacts.iter().for_each(check);
    for file in &mounts.files {
        assert!(!file.download.expected.digests.is_empty());
        assert!(file.download.credentials.is_none() && file.download.headers.is_empty());
        let path = file.place.path();
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
    }
});
