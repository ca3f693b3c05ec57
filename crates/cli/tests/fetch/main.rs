//! `catena fetch` against a loopback Taskcluster: how far files are verified, what is refused, what is left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod cache;
mod case;
mod command;
mod ends;
mod fetch_content;
mod git;
mod mounts;
mod page;
mod progress;
mod report;
mod static_url;
#[path = "../support/mod.rs"]
mod support;
mod toolchain;
mod trust;
mod wanted;
