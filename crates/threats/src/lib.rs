//! Attacks on a chain, each with the finding that refuses it, and valid chains that must stay accepted.
//!
//! An [`Attack`] takes a valid chain and changes one thing. [`THREATS`] lists them by the ten classes
//! of the threat model; [`honest::chains`] lists what must never be refused;
//! [`mistakes::all`] lists what honest operators do wrong, and what befalls them. [`Question`] judges a chain
//! without a network: [`Memory`] answers what an inquiry asks from what the testbed would serve.

pub mod attacks;
mod build;
pub mod change;
pub mod honest;
mod memory;
pub mod mistakes;
mod question;
mod told;

pub use attacks::{Attack, Attacker, Means, THREATS, Threat, Wire};
pub use build::Unbuilt;
pub use memory::{Memory, drive};
pub use question::{NOW, Question, Unasked};
