//! The same stories played to `catena worker` and to the daemon of scriptworker: one queue, one configuration, one
//! script. docs/worker-behaviours.md is what was seen of both.
//!
//! `CATENA_SCRIPTWORKER_PYTHON` names a Python with scriptworker 63.6.1; without it only Catena is held against the
//! page. `CATENA_DAEMONS=write` writes the page anew, and needs both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod behaviours;
mod play;
mod stories;
#[path = "../support/mod.rs"]
mod support;

use catena_testbed::{Options, Site, Testbed};
use play::{Facts, play};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use stories::{Story, stories};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/worker-behaviours.md");
/// Stories that are played at the same time.
const AT_ONCE: usize = 8;
/// What is not on the page where both do it.
const USUAL: [(&str, &str); 3] = [("process", "runs on"), ("script", "ran"), ("artifacts", "none")];

/// What was seen of Catena, and of scriptworker.
type Both = (Facts, Option<Facts>);

#[test]
fn both_daemons_do_what_the_page_says() {
    let python = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON").map(PathBuf::from);
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    let testbed = Testbed::start_blocking(Site::new(), Options::default()).unwrap();
    let known: Vec<Vec<String>> = page.lines().filter_map(cells).collect();
    let stories = stories();
    let played = at_once(&stories, |story| {
        let theirs = python.as_deref().map(|python| play(&testbed, story, Some(python)));
        (play(&testbed, story, None), theirs)
    });
    let mut rows = Vec::new();
    for (story, (ours, theirs)) in stories.iter().zip(played) {
        for (number, (fact, ours)) in ours.into_iter().enumerate() {
            let theirs = match &theirs {
                Some(theirs) => theirs[number].1.clone(),
                None => on_page(&known, story.what, fact),
            };
            if ours == theirs && USUAL.contains(&(fact, ours.as_str())) {
                continue;
            }
            let ours = if ours == theirs { "=".to_owned() } else { ours };
            rows.push([story.numbers.to_owned(), story.what.to_owned(), fact.to_owned(), theirs, ours]);
        }
    }
    let made = written(&rows, stories.len());
    if std::env::var("CATENA_DAEMONS").is_ok_and(|what| what == "write") {
        assert!(python.is_some(), "CATENA_SCRIPTWORKER_PYTHON is not set");
        std::fs::write(PAGE, &made).unwrap();
    }
    let page = std::fs::read_to_string(PAGE).unwrap_or_default();
    let missing: Vec<&str> = made.lines().filter(|line| !page.lines().any(|known| known == *line)).collect();
    assert!(missing.is_empty() && made.len() == page.len(), "the page says otherwise: {missing:#?}");
}

/// Plays all stories, some at the same time; what was seen in their order.
fn at_once(stories: &[Story], play: impl Fn(&Story) -> Both + Sync) -> Vec<Both> {
    let waiting = Mutex::new(stories.iter().enumerate());
    let next = || waiting.lock().unwrap().next();
    let mut played = Vec::new();
    std::thread::scope(|scope| {
        let player = || {
            let mut own = Vec::new();
            while let Some((number, story)) = next() {
                own.push((number, play(story)));
            }
            own
        };
        let players: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(player)).collect();
        played.extend(players.into_iter().flat_map(|player| player.join().unwrap()));
    });
    played.sort_by_key(|(number, _)| *number);
    played.into_iter().map(|(_, both)| both).collect()
}

/// What the page says of scriptworker. Where it says nothing, that is what is usual.
fn on_page(known: &[Vec<String>], what: &str, fact: &str) -> String {
    let row = known.iter().find(|row| row[1] == what && row[2] == fact).map(|row| row[3].clone());
    let usual = || USUAL.iter().find(|(name, _)| *name == fact).map(|(_, value)| (*value).to_owned());
    row.or_else(usual).unwrap_or_default()
}

/// The cells of a row of the page.
fn cells(line: &str) -> Option<Vec<String>> {
    let row = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<String> = row.split(" | ").map(|cell| cell.trim_matches('`').to_owned()).collect();
    (cells.len() == 5).then_some(cells)
}

fn written(rows: &[[String; 5]], stories: usize) -> String {
    let differing = rows.iter().filter(|row| row[4] != "=").count();
    let mut page = format!(
        "# The worker beside scriptworker\n\n\
         What the daemon of scriptworker 63.6.1 and `catena worker` do with the same queue, configuration, task and script:\n\
         {} facts of {stories} stories, {differing} of them different. `=` is the same as scriptworker. The numbers are those of the\n\
         worker's behaviours, as in the names of tests. [worker.md](worker.md#differences-to-scriptworker) has the reasons.\n\n\
         Not listed where both do it: the process runs on, the script ran, and there are no artifacts beside the script's log,\n\
         the document and its signature. Stories about chains have verification switched on. scriptworker is started by\n\
         `scripts/reference-driver.py`, which takes away its waits before it uploads or downloads again.\n\n\
         A test plays the stories and compares this page with what it sees (`crates/cli/tests/daemons`);\n\
         `CATENA_DAEMONS=write` makes it anew.\n\n\
         | behaviours | story | seen | scriptworker | Catena |\n|---|---|---|---|---|\n",
        rows.len(),
    );
    for [numbers, what, fact, theirs, ours] in rows {
        let code = |text: &str| if text == "=" { text.to_owned() } else { format!("`{text}`") };
        writeln!(page, "| {numbers} | {what} | {fact} | {} | {} |", code(theirs), code(ours)).unwrap();
    }
    page
}
