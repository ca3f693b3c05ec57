//! Serves a recorded case until standard input ends: `serve FOLDER TLS_DIR`.
//!
//! Prints one line of JSON with the port (HTTP, TLS and proxy at once) and writes `ca.pem` to TLS_DIR.

use catena_testbed::{Options, Site, Testbed};
use std::error::Error;
use std::io::Read;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(tls)) = (arguments.next(), arguments.next()) else {
        return Err("usage: serve FOLDER TLS_DIR".into());
    };
    let testbed = Testbed::start_blocking(Site::from_folder(folder)?, Options::default())?;
    std::fs::create_dir_all(&tls)?;
    std::fs::write(tls.join("ca.pem"), testbed.ca_pem())?;
    let root = testbed.root_url();
    let port = root.rsplit(':').next().unwrap_or_default();
    println!("{{\"ready\": true, \"http\": {port}, \"https\": {port}}}");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
