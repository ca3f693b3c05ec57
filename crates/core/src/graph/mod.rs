//! Task graphs, scanned once while they stream.

mod datestamp;
mod scan;

pub use datestamp::{DatestampError, parse_time, print_time, resolve};
pub use scan::{GraphError, GraphScan, Scanner};
