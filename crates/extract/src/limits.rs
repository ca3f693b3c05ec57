//! What an archive may cost.

/// The most that one archive may hold. Every limit is far above what build inputs have today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Members. A checkout of Firefox has about 350,000.
    pub entries: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Decoded bytes for each byte of the archive, beyond `expansion_free`.
    pub expansion: u64,
    /// Decoded bytes that are not held against `expansion`: small archives of zeros are harmless.
    pub expansion_free: u64,
    /// Directories above a member.
    pub depth: usize,
    /// Bytes of one path.
    pub path_bytes: usize,
    /// Bytes of extended headers before one member, and of a zip archive's directory for each member.
    pub header_bytes: u64,
    /// Memory of a decompressor's window, as its exponent of two: zstd's `--long=27`.
    pub window_log: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            file_bytes: 32 << 30,
            total_bytes: 128 << 30,
            expansion: 200,
            expansion_free: 256 << 20,
            depth: 64,
            path_bytes: 4096,
            header_bytes: 64 << 10,
            window_log: 27,
        }
    }
}

/// How archives are extracted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What an archive may cost.
    pub limits: Limits,
    /// Whether names may differ in case or in the composition of their characters alone. A file system of
    /// macOS or Windows takes two such names for one; Linux's own headers have some.
    pub allow_case_collisions: bool,
}
