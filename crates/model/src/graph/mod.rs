//! Task graphs, scanned once while they stream.

mod blocks;
mod datestamp;
mod grammar;
mod index;
mod scan;

pub use datestamp::{DatestampError, parse_time, print_time, resolve};
pub use index::{GraphIndex, Span};
pub use scan::{GraphError, GraphScan, Scanner};
