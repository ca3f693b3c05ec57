//! Everyday commands.
fn main() {}
