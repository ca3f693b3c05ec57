//! Recordings: everything a verification was told, in a folder, to be told again without a network.
//!
//! `facts.json` holds each need with its fact, sorted; `bodies/<sha256>` hold the bytes of small
//! answers and of the wanted entries of task graphs. Of artifacts only the measurements are kept.
//! A recording is input like any other: it is read strictly, and every body is measured again.

mod format;
mod recorder;
mod replay;

pub(crate) use format::NeedEntry;
pub use recorder::Recorder;
pub use replay::{RecordingError, Replay};

/// The index's name.
const INDEX: &str = "facts.json";
/// The folder of bodies.
const BODIES: &str = "bodies";
