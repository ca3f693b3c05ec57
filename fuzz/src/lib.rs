//! What several targets share: valid chains, what may happen to their answers, and scripts of answers.

mod edit;
mod script;
mod world;

pub use edit::{Edit, Fault, Told};
pub use script::{Answer, End, Script};
pub use world::{ValidChain, honest, place};
