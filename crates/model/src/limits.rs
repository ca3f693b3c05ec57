//! How much of anything is taken before the answer is "no" or "could not be determined".

/// The bounds of a verification. Each default leaves a valid chain ten times the room it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Links in one chain. The largest honest release task has a few hundred.
    pub links: usize,
    /// Upstream artifacts of the target, after globs. The largest honest task names thousands.
    pub artifacts: usize,
    /// Bytes of a definition, status, document, listing page or API answer.
    pub answer_bytes: u64,
    /// Memory that all answers which are held together may take, in bytes: their own, what the values in
    /// them take at most, kept entries of task graphs, and some for each answer. Everything is held until
    /// the verdict, and whoever answers for the queue could make thousands of answers as large as one may
    /// be. A chain of 300 links takes some 50 MiB by this count.
    pub held_bytes: u64,
    /// Bytes of one artifact. Debug symbols and emulator images reach several GiB.
    pub artifact_bytes: u64,
    /// Bytes of one task graph.
    pub graph_bytes: u64,
    /// How many times its size on the wire a body may decode to, beyond [`Limits::expansion_free`].
    /// gzip packs nothing tighter than 1,032 times, which takes a body of one byte repeated. Logs
    /// and task graphs reach 10 to 40 times; 200 leaves room for what repeats itself, and makes
    /// whoever wants to fill our disk with an artifact's worth of zeros send hundreds of megabytes.
    pub expansion: u64,
    /// Bytes that any body may decode to, however small it came: short bodies of one repeated line
    /// are honest, and cost nothing.
    pub expansion_free: u64,
    /// Bytes of one task's entry in a graph.
    pub graph_entry_bytes: usize,
    /// Lists and objects inside one another, in any JSON that is read.
    pub json_depth: usize,
    /// Values in any JSON that is read whole: documents and definitions have a few thousand, the
    /// document of a task with the most artifacts there may be 150,000.
    pub json_values: usize,
    /// Pages of a listing of artifacts (1,000 names each) or of tags (100 each).
    pub pages: u32,
    /// Steps of work that one verification may take: things looked at, edges followed, steps of rendering,
    /// values compared, 16 bytes read. A chain of 300 links takes under a million; twenty million take
    /// some ten seconds.
    pub steps: u64,
    /// Work the evaluation of one in-tree template may cost.
    pub template: catena_jsone::Limits,
    /// Size of in-tree templates and parameters.
    pub yaml: catena_yaml::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            links: 5_000,
            artifacts: 50_000,
            answer_bytes: 32 << 20,
            held_bytes: 224 << 20,
            artifact_bytes: 64 << 30,
            graph_bytes: 2 << 30,
            expansion: 200,
            expansion_free: 16 << 20,
            graph_entry_bytes: 4 << 20,
            json_depth: 96,
            json_values: 1 << 20,
            pages: 100,
            steps: 20_000_000,
            template: catena_jsone::Limits::default(),
            yaml: catena_yaml::Limits::default(),
        }
    }
}

impl Limits {
    /// Bytes of memory that one item of a list or one member of an object takes at most, its text apart.
    pub const VALUE: u64 = 64;

    /// Values in a graph's entry for one task. A task that takes in as many artifacts as there may be has
    /// half as many.
    pub const ENTRY_VALUES: usize = 1 << 17;

    /// The bounds for reading one JSON answer.
    #[must_use]
    pub fn json(&self) -> catena_json::Limits {
        catena_json::Limits {
            depth: self.json_depth,
            bytes: usize::try_from(self.answer_bytes).unwrap_or(usize::MAX),
            values: self.json_values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_within_these_bounds() {
        let limits = Limits { json_depth: 3, answer_bytes: 100, json_values: 7, ..Limits::default() };
        assert_eq!(limits.json(), catena_json::Limits { depth: 3, bytes: 100, values: 7 });
    }
}
