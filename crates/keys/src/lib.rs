//! Who signed: keys and signatures.
