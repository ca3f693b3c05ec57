//! What several targets share: valid chains, and what may happen to their answers.

mod edit;
mod world;

pub use edit::{Edit, Fault, Told};
pub use world::{ValidChain, honest, place};
