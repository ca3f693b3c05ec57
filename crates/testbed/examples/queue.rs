//! Serves a queue that workers claim tasks of, until standard input ends: `queue STORY.json`.
//!
//! A story says which clients and tasks there are, what happens after which call, and which addresses fail
//! (`catena_testbed::queue::Story`). While it is served, `POST /_queue` tells more of it, and `GET /_queue` says what
//! became of the tasks. Prints one line of JSON with the root URL.

use catena_testbed::queue::Story;
use catena_testbed::{Options, Site, Testbed};
use std::error::Error;
use std::io::Read;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [story] = arguments.as_slice() else {
        return Err("usage: queue STORY.json".into());
    };
    let story = Story::parse(&std::fs::read(story)?)?;
    let testbed = Testbed::start_blocking(Site::new(), Options::default())?;
    testbed.tell(&story);
    println!("{{\"ready\": true, \"rootUrl\": \"{}\"}}", testbed.root_url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
