//! Recordings: all facts of a verification, in a directory, so that it can be replayed without a
//! network.
//!
//! `facts.json` contains each need with its fact, sorted; `bodies/<sha256>` contain the bytes of small
//! answers and of the wanted entries of task graphs. Of artifacts only the measurements are stored. A
//! recording is untrusted input: it is parsed strictly, and every body is measured again.

mod format;
mod recorder;
mod replay;

pub(crate) use format::NeedEntry;
pub use recorder::Recorder;
pub use replay::{RecordingError, Replay};

/// The index's name.
const INDEX: &str = "facts.json";
/// The directory of bodies.
const BODIES: &str = "bodies";
