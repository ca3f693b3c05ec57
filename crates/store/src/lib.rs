//! A store of bytes that is not trusted: a directory, and the authenticated form of its entries.
//!
//! A [`Store`] may lose, mix up and invent what it likes. Entries are authenticated with a [`Key`] that is kept
//! elsewhere ([`seal()`]), and blobs are hashed whenever they are used.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod directory;
mod key;
mod seal;
mod store;

pub use directory::{Contents, DirectoryError, DirectoryStore, Swept, share_blocks};
pub use key::{Key, KeyError};
pub use seal::{Broken, inspect, open, seal};
pub use store::{Name, Store};
