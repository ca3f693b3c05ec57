//! Serves a recorded case until standard input ends: `serve FOLDER TLS_DIR [name=value…]`.
//!
//! Names and values: queue, store, vcs (seconds before each answer of the queue, of the artifact store
//! behind its redirects, of hg and GitHub), page-size (entries of a listing's page), http2 (true: spoken
//! over TLS with clients that want it). A name that holds `/` or `*` is a pattern of addresses, and its
//! value the seconds that these wait on top: `'*/json-pushes*=2.5'`.
//!
//! Prints one line of JSON with the port (HTTP, TLS and proxy at once) and writes `ca.pem` to TLS_DIR.

use catena_testbed::{Fault, Options, Site, Testbed};
use std::error::Error;
use std::io::Read;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, tls, settings @ ..] = arguments.as_slice() else {
        return Err("usage: serve FOLDER TLS_DIR [name=value…]".into());
    };
    let (mut options, mut delays) = (Options::default(), Vec::new());
    for setting in settings {
        let (name, value) = setting.rsplit_once('=').ok_or("a setting is name=value")?;
        match name {
            "queue" => options.latency.queue = seconds(value)?,
            "store" => options.latency.store = seconds(value)?,
            "vcs" => options.latency.vcs = seconds(value)?,
            "page-size" => options.page_size = value.parse()?,
            "http2" => options.http2 = value.parse()?,
            pattern if pattern.contains(['/', '*']) => delays.push((pattern, seconds(value)?)),
            _ => return Err(format!("cannot set {name:?} to {value:?}").into()),
        }
    }
    let testbed = Testbed::start_blocking(Site::from_folder(folder)?, options)?;
    for (pattern, delay) in delays {
        testbed.fault(pattern, .., Fault::Delay(delay));
    }
    std::fs::create_dir_all(tls)?;
    std::fs::write(format!("{tls}/ca.pem"), testbed.ca_pem())?;
    let root = testbed.root_url();
    let port = root.rsplit(':').next().unwrap_or_default();
    println!("{{\"ready\": true, \"http\": {port}, \"https\": {port}}}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn seconds(text: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}
