//! Task graphs, scanned once while they stream.

mod blocks;
mod datestamp;
mod error;
mod grammar;
mod index;
mod scan;
mod state;

pub use datestamp::{DatestampError, parse_time, print_time, resolve};
pub use error::GraphError;
pub use index::{GraphIndex, Span};
pub use scan::{GraphScan, Scanner};
