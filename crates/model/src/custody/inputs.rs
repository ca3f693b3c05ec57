//! Pinned inputs: which artifacts of which runs a task consumed.

use super::CustodyError;
use super::members::{Members, object};
use crate::digest::Digest;
use crate::task::{ArtifactName, RunId, TaskId};
use catena_json::{Limits, Path, Value};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Inputs that one run may list.
const MOST: usize = 10_000;
/// Maximum bytes of an input file.
const LARGEST_FILE: usize = 8 << 20;

/// How far an input was verified before it was used, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Nothing was checked.
    None,
    /// The caller that requested it gave its digest.
    Hash,
    /// A trusted worker signed a document that names its digest.
    Signature,
    /// The chain of the task that made it was verified.
    Chain,
}

impl Trust {
    /// All of them, weakest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Hash, Self::Signature, Self::Chain];

    /// The word that records use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hash => "hash",
            Self::Signature => "signature",
            Self::Chain => "chain",
        }
    }

    /// Parses the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trust| trust.as_str() == text)
    }
}

/// An artifact that a task consumed, pinned to one run and its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinnedInput {
    /// The task that made it.
    pub task_id: TaskId,
    /// The run that made it.
    pub run_id: RunId,
    /// Its name.
    pub name: ArtifactName,
    /// SHA-256 of the decoded bytes.
    pub sha256: [u8; 32],
    /// Their number.
    pub size: u64,
    /// How far it was verified before it was used.
    pub verified: Trust,
}

/// The inputs of one run: by task, run and name, each once, at most 10,000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinnedInputs(Vec<PinnedInput>);

impl PinnedInputs {
    /// Sorts inputs. If one is listed twice with the same digest and size, the weaker verification
    /// counts.
    ///
    /// # Errors
    /// Two statements about one artifact that contradict each other; too many inputs; a size beyond 2^53 - 1.
    pub fn new(inputs: impl IntoIterator<Item = PinnedInput>) -> Result<Self, CustodyError> {
        let mut sorted = BTreeMap::new();
        for input in inputs {
            if input.size > super::LARGEST {
                return Err(CustodyError::malformed(Path::of(&["size"]), "an integer from 0 to 2^53 - 1"));
            }
            match sorted.entry((input.task_id, input.run_id, input.name.clone())) {
                Entry::Vacant(free) => drop(free.insert(input)),
                Entry::Occupied(mut known) => {
                    let known = known.get_mut();
                    if (known.sha256, known.size) != (input.sha256, input.size) {
                        return Err(CustodyError::Contradiction(input.shown()));
                    }
                    known.verified = known.verified.min(input.verified);
                }
            }
        }
        if sorted.len() > MOST {
            return Err(too_many());
        }
        Ok(Self(sorted.into_values().collect()))
    }

    /// Parses the file that a downloader writes and a signer reads.
    ///
    /// # Errors
    /// Text that is not exactly such a file.
    pub fn parse(text: &[u8]) -> Result<Self, CustodyError> {
        if text.len() > LARGEST_FILE {
            return Err(CustodyError::TooLarge {
                what: "the file of inputs",
                limit: LARGEST_FILE,
                of: "bytes",
            });
        }
        let value = catena_json::parse(text, &Limits::default()).map_err(CustodyError::Json)?;
        Self::from_claim(&value)
    }

    /// Parses `{"version": 1, "inputs": […]}`: such a file, or the member `claimedInputs` of a
    /// document.
    ///
    /// # Errors
    /// Another version, an unknown member, another order, or a member that is missing or malformed.
    pub fn from_claim(value: &Value) -> Result<Self, CustodyError> {
        Members::version(value, &Path::new())?;
        let members = Members::of(value, Path::new(), &["version", "inputs"])?;
        Self::from_list(members.required("inputs", "a list")?, &members.path("inputs"))
    }

    /// The file that a signer reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{}\n", self.to_claim().to_pretty())
    }

    /// The value of the member `claimedInputs`.
    #[must_use]
    pub fn to_claim(&self) -> Value {
        object([("version", Some(1_u64.into())), ("inputs", Some(self.to_list()))])
    }

    /// The inputs in their order.
    pub fn iter(&self) -> impl Iterator<Item = &PinnedInput> {
        self.0.iter()
    }

    /// The number of inputs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn from_list(value: &Value, path: &Path) -> Result<Self, CustodyError> {
        let Value::Array(items) = value else {
            return Err(CustodyError::malformed(path.clone(), "a list"));
        };
        if items.len() > MOST {
            return Err(too_many());
        }
        let read = |(number, item)| PinnedInput::from_value(item, path.index(number));
        let inputs: Vec<PinnedInput> = items.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let key = |input: &PinnedInput| (input.task_id, input.run_id, input.name.clone());
        match inputs.iter().zip(inputs.iter().skip(1)).position(|(one, next)| key(one) >= key(next)) {
            Some(number) => Err(CustodyError::malformed(
                path.index(number.saturating_add(1)),
                "behind the input before it, in the order of task, run and name",
            )),
            None => Ok(Self(inputs)),
        }
    }

    pub(super) fn to_list(&self) -> Value {
        self.0.iter().map(PinnedInput::to_value).collect::<Vec<_>>().into()
    }
}

impl PinnedInput {
    fn from_value(value: &Value, path: Path) -> Result<Self, CustodyError> {
        let members = Members::of(value, path, &["taskId", "runId", "name", "sha256", "size", "verified"])?;
        let wrong = |key: &str, expected| CustodyError::malformed(members.path(key), expected);
        let run_id = members.required("runId", "the number of a run")?.as_u64();
        let sha256 = match Digest::parse("sha256", members.text("sha256")?) {
            Ok(Digest::Sha256(sha256)) => sha256,
            _ => return Err(wrong("sha256", "64 lowercase hexadecimal digits")),
        };
        Ok(Self {
            task_id: TaskId::parse(members.text("taskId")?).map_err(|_| wrong("taskId", "a task id"))?,
            run_id: RunId(
                run_id
                    .and_then(|run| u32::try_from(run).ok())
                    .ok_or_else(|| wrong("runId", "the number of a run"))?,
            ),
            name: ArtifactName::parse(members.text("name")?)
                .map_err(|_| wrong("name", "the name of an artifact"))?,
            sha256,
            size: members.size("size")?,
            verified: Trust::parse(members.text("verified")?)
                .ok_or_else(|| wrong("verified", "none, hash, signature or chain"))?,
        })
    }

    fn to_value(&self) -> Value {
        object([
            ("taskId", Some(self.task_id.as_str().into())),
            ("runId", Some(u64::from(self.run_id.0).into())),
            ("name", Some(self.name.as_str().into())),
            ("sha256", Some(Digest::Sha256(self.sha256).to_hex().into())),
            ("size", Some(self.size.into())),
            ("verified", Some(self.verified.as_str().into())),
        ])
    }

    /// The artifact in words.
    pub fn shown(&self) -> String {
        format!("{} of run {} of {}", self.name, self.run_id, self.task_id)
    }
}

fn too_many() -> CustodyError {
    CustodyError::TooLarge { what: "the list of inputs", limit: MOST, of: "entries" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(run: u32, name: &str, verified: Trust) -> PinnedInput {
        PinnedInput {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            run_id: RunId(run),
            name: ArtifactName::parse(name).unwrap(),
            sha256: [0xab; 32],
            size: 3,
            verified,
        }
    }

    #[test]
    fn inputs_are_sorted_and_read_again() {
        let all = [input(1, "public/a", Trust::Chain), input(0, "public/b", Trust::None)];
        let inputs = PinnedInputs::new(all.clone()).unwrap();
        assert_eq!(inputs.iter().cloned().collect::<Vec<_>>(), [all[1].clone(), all[0].clone()]);
        assert_eq!(PinnedInputs::parse(inputs.to_json().as_bytes()), Ok(inputs));
        assert_eq!(PinnedInputs::parse(b"{\"version\":1,\"inputs\":[]}"), Ok(PinnedInputs::default()));
    }

    #[test]
    fn of_two_statements_the_weaker_counts_and_contradictions_are_refused() {
        let twice = [input(0, "a", Trust::Chain), input(0, "a", Trust::Hash)];
        assert_eq!(PinnedInputs::new(twice.clone()).unwrap().0, [input(0, "a", Trust::Hash)]);
        let mut other = twice;
        other[1].size = 4;
        assert!(matches!(PinnedInputs::new(other), Err(CustodyError::Contradiction(_))));
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let good = PinnedInputs::new([input(0, "a", Trust::Hash), input(0, "b", Trust::Hash)]).unwrap();
        let good = good.to_json();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"version\": 1", "\"version\": \"1\""),
            ("\"version\": 1,", ""),
            ("\"version\": 1", "\"x\": 0, \"version\": 1"),
            ("\"name\": \"a\"", "\"name\": \"../a\""),
            ("\"name\": \"a\"", "\"name\": \"c\""),
            ("\"name\": \"b\"", "\"name\": \"a\""),
            ("\"runId\": 0", "\"runId\": \"0\""),
            ("\"runId\": 0", "\"runId\": 4294967296"),
            ("\"runId\": 0", "\"runId\": 0, \"x\": 1"),
            ("\"size\": 3", "\"size\": 9007199254740992"),
            ("\"size\": 3", "\"size\": 3.0"),
            ("\"size\": 3,", ""),
            ("\"sha256\": \"ab", "\"sha256\": \"AB"),
            ("\"verified\": \"hash\"", "\"verified\": \"yes\""),
            ("\"inputs\": [", "\"inputs\": [7,"),
        ] {
            let wrong = good.replacen(from, to, 1);
            assert_ne!(wrong, good);
            assert!(PinnedInputs::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(matches!(
            PinnedInputs::parse(&good.replacen(": 1", ": 2", 1).into_bytes()),
            Err(CustodyError::Version(version)) if version == "2"
        ));
    }

    #[test]
    fn lists_are_bounded() {
        let many = (0..=10_000).map(|run| input(run, "a", Trust::Hash));
        assert!(matches!(PinnedInputs::new(many), Err(CustodyError::TooLarge { .. })));
        let large = [b"{".as_slice(), &vec![b' '; 8 << 20]].concat();
        assert!(matches!(PinnedInputs::parse(&large), Err(CustodyError::TooLarge { .. })));
    }
}
