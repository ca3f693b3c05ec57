//! `catena worker`: the real binary with the loopback queue, from the claim to the verdict about what came out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod case;
mod configuration;
mod operations;
mod signals;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
mod tools;
