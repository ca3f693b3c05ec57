//! Attacks on a chain, each with the finding that refuses it, and valid chains that must stay accepted.
//!
//! An [`Attack`] takes a valid chain and changes one thing. [`THREATS`] lists them by the ten classes
//! of the threat model; [`valid::chains`] lists what must never be refused;
//! [`mistakes::all`] lists what honest operators do wrong, and what befalls them. [`Scenario`] judges a chain
//! without a network: [`InMemorySource`] answers what a verification asks from what the testbed would serve.

pub mod attacks;
mod build;
pub mod change;
mod in_memory;
pub mod mistakes;
mod scenario;
mod subject;
mod told;
mod trust;
pub mod valid;

pub use attacks::{Attack, Attacker, Mutation, THREATS, Threat, Wire};
pub use build::AttackError;
pub use in_memory::{InMemorySource, drive};
pub use scenario::{NOW, Scenario, ScenarioError};
pub use subject::Subject;
