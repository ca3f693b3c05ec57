//! The worker daemon: claims tasks, verifies their chains before anything of theirs runs, runs the script, signs
//! what came out, uploads and resolves.
//!
//! It takes the place of `scriptworker`: the same configuration, directories, environment, signals, statuses and
//! documents, so that neither scripts nor the queue see a difference. It never ends because of what a task or a
//! service sends.
//!
//! The parts, in the order of a task's life: [`config`] says how the worker works; [`worker`] claims; [`lease`]
//! keeps a claim alive; [`gate`] verifies and gives the [`gate::Permission`] without which nothing runs and
//! nothing is signed; [`script`] runs; the crate `catena-signing` signs; [`queue`] uploads and resolves.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod claimed;
pub mod config;
mod custody;
pub mod descriptor;
pub mod gate;
pub mod inputs;
pub mod lease;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod queue;
pub mod script;
pub mod signals;
mod signing;
pub mod startup;
pub mod status;
mod task;
mod unenforced;
pub mod work_dir;
pub mod worker;
