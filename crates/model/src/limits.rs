//! How much input is accepted before the outcome is "rejected" or "undetermined".

/// The limits of a verification. Each default is ten times what a valid chain needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Links in one chain. The largest valid release task has a few hundred.
    pub links: usize,
    /// Upstream artifacts of the target, after patterns are resolved. The largest valid task names
    /// thousands.
    pub artifacts: usize,
    /// Bytes of a definition, status, document, listing page or API answer.
    pub answer_bytes: u64,
    /// Memory for all answers that are held together, in bytes: their own size, the maximum size of the
    /// values in them, kept entries of task graphs, and a fixed amount for each answer. Everything is
    /// held until the verdict, and an attacker who answers for the queue could send thousands of
    /// answers of the maximum size. A chain of 300 links takes some 50 MiB by this count.
    pub held_bytes: u64,
    /// Bytes of one artifact. Debug symbols and emulator images reach several GiB.
    pub artifact_bytes: u64,
    /// Bytes of one task graph.
    pub graph_bytes: u64,
    /// How many times its size on the wire a body may decode to, beyond [`Limits::expansion_free`].
    /// gzip compresses at most 1,032 times, for a body of one repeated byte. Logs and task graphs reach
    /// 10 to 40 times. With 200, an attacker has to send hundreds of megabytes to fill a disk with an
    /// artifact of zeros.
    pub expansion: u64,
    /// Bytes that any body may decode to, however small it was: short bodies of one repeated line are
    /// valid, and cost nothing.
    pub expansion_free: u64,
    /// Bytes of one task's entry in a graph.
    pub graph_entry_bytes: usize,
    /// Nesting of lists and objects in any JSON that is parsed.
    pub json_depth: usize,
    /// Values in any JSON that is parsed as a whole: documents and definitions have a few thousand, the
    /// document of a task with the maximum number of artifacts may have 150,000.
    pub json_values: usize,
    /// Pages of a listing of artifacts (1,000 names each) or of tags (100 each).
    pub pages: u32,
    /// Steps of work for one verification: items examined, edges followed, steps of rendering, values
    /// compared, 16 bytes read. A chain of 300 links takes under a million; twenty million take some
    /// ten seconds.
    pub steps: u64,
    /// Work for the evaluation of one in-tree template.
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
    /// Maximum memory in bytes for one item of a list or one member of an object, without its strings.
    pub const VALUE: u64 = 64;

    /// Values in a graph's entry for one task. A task with the maximum number of artifacts has half as
    /// many.
    pub const ENTRY_VALUES: usize = 1 << 17;

    /// The limits for parsing one JSON answer.
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
