//! The nouns of a task: its ids, names, definition and status, as the queue returns them.

mod artifact_name;
mod definition;
mod id;
mod kind;
mod listing;
mod set;
mod status;
mod trigger;

pub use artifact_name::{ArtifactName, ArtifactNameError};
pub use definition::is_truthy;
pub use definition::{Definition, DefinitionError, ImageInput, UpstreamArtifacts};
pub use id::{RunId, TaskId, TaskIdError, WorkerPool, WorkerPoolError};
pub use kind::{Kind, KindError, LinkName, WorkerImplementation};
pub use listing::ListingSoFar;
pub use listing::{ListingError, ListingPage};
pub use set::TaskSet;
pub use status::{Run, RunState, Status, StatusError};
pub use trigger::Trigger;
