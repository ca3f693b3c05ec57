//! Each of the worker's behaviours has a test that names its number: `b017_…`, or a story.

use crate::stories::stories;
use std::collections::BTreeSet;
use std::path::Path;

/// Their numbers are those of docs/worker-behaviours.md.
const BEHAVIOURS: u32 = 86;

#[test]
fn every_behaviour_has_a_test() {
    let mut numbers: BTreeSet<u32> = BTreeSet::new();
    in_files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &mut numbers);
    let of_stories = stories();
    let of_stories = of_stories.iter().flat_map(|story| story.numbers.split(", "));
    numbers.extend(of_stories.map(|number| number.parse::<u32>().unwrap()));
    let missing: Vec<u32> = (1..=BEHAVIOURS).filter(|number| !numbers.contains(number)).collect();
    let unknown: Vec<&u32> = numbers.iter().filter(|number| !(1..=BEHAVIOURS).contains(*number)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "no test: {missing:?}; no behaviour: {unknown:?}");
}

/// The numbers in the names of tests, in all files below a directory.
fn in_files(folder: &Path, numbers: &mut BTreeSet<u32>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_files(&path, numbers);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // A function, or the name of a test without the usual harness.
            let names = ["fn b", "(\"b"].into_iter().flat_map(|before| text.split(before).skip(1));
            names.for_each(|name| numbers.extend(in_name(name)));
        }
    }
}

/// The numbers at the beginning of a name such as `017_and_b018_…`, without its first letter.
fn in_name(name: &str) -> impl Iterator<Item = u32> {
    let parts = name.split('_').filter(|part| *part != "and");
    parts.map_while(|part| {
        let digits = part.trim_start_matches('b');
        (digits.len() == 3).then(|| digits.parse().ok()).flatten()
    })
}
