//! The decoded bytes of an archive, within its limits.

use crate::error::ExtractError;
use std::io::{self, Read};

/// Reads decoded bytes, and stops where the archive expands too far or the caller cancels.
pub(crate) struct Meter<'a, R> {
    inner: R,
    read: u64,
    limit: u64,
    cancelled: &'a dyn Fn() -> bool,
}

/// What went wrong, on its way through `io::Error`.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("it expands to more than {0} bytes")]
    Expands(u64),
    #[error("cancelled")]
    Cancelled,
}

impl<'a, R: Read> Meter<'a, R> {
    /// Of an archive of `packed` bytes.
    pub(crate) fn new(
        inner: R,
        packed: u64,
        limits: &crate::Limits,
        cancelled: &'a dyn Fn() -> bool,
    ) -> Self {
        let limit = packed.saturating_mul(limits.expansion).saturating_add(limits.expansion_free);
        Self { inner, read: 0, limit, cancelled }
    }
}

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.cancelled)() {
            return Err(io::Error::other(Stop::Cancelled));
        }
        let read = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.read > self.limit {
            return Err(io::Error::other(Stop::Expands(self.limit)));
        }
        Ok(read)
    }
}

/// Why an archive could not be read.
pub(crate) fn failure(error: io::Error) -> ExtractError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()) {
        Some(Stop::Expands(limit)) => {
            return ExtractError::Limit(format!("it expands to more than {limit} bytes"));
        }
        Some(Stop::Cancelled) => return ExtractError::Cancelled,
        None => {}
    }
    match error.raw_os_error() {
        Some(_) => ExtractError::Read(error),
        None => ExtractError::Malformed(format!("its compressed data cannot be decoded: {error}")),
    }
}
