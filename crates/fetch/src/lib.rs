//! Drivers that turn needs into facts.
