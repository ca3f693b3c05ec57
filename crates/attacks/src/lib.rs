//! Attacks on a chain, each with the finding that rejects it, and valid chains that must stay verified.
//!
//! An [`Attack`] takes a valid chain and changes one thing. [`THREATS`] lists them by the ten classes
//! of the threat model; [`valid::chains`] lists chains that must never be rejected; [`mistakes::all`]
//! lists mistakes of operators and failures. [`Scenario`] verifies a chain without a network:
//! [`InMemorySource`] answers its needs with the testbed's data.

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
