//! Reads one text a line, each written as a JSON string, and answers with what it is read as, a line each;
//! `null` for a text that is refused. scripts/yaml-golden.py compares the answers with `PyYAML`.

#[path = "../tests/golden/encode.rs"]
mod encode;

use std::io::{self, BufRead, Write};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let limits = catena_json::Limits::default();
        let text = catena_json::parse(line?.as_bytes(), &limits).map_err(io::Error::other)?;
        let text = text.as_str().unwrap_or_default();
        match catena_yaml::load(text, &catena_yaml::Limits::default()) {
            Ok(document) => writeln!(out, "{}", encode::encode(&document.root))?,
            Err(_) => writeln!(out, "null")?,
        }
    }
    Ok(())
}
