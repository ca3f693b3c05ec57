//! Key files, signers, and the Chain of Trust documents that workers sign.
//!
//! A worker that has run a task measures what the task made ([`measure`]), writes down what ran and what
//! came out ([`Document`]), and signs those bytes ([`Signer`]). The bytes are the ones that generic-worker
//! and scriptworker write, so that every verifier reads them.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod agent;
mod answer;
pub mod beneath;
mod content_type;
mod custody;
mod definition;
mod document;
mod facts;
mod key_file;
mod measure;
mod print;
mod signer;

pub use agent::{
    Agent, AgentEvent, AgentRequest, AgentSigner, SocketAccess, bind as bind_agent,
    parse_answer as parse_agent_answer,
};
pub use answer::{AnswerError, SignerAnswer};
pub use content_type::{content_type, is_compressible};
pub use definition::{DefinitionError, TaskDefinition};
pub use document::{DOCUMENT, Document, DocumentError, Environment, Run, SIGNATURE, Style, write_signed};
pub use facts::{Facts, Upload};
pub use key_file::{KeyFileError, KeyForm, read_key, write_key};
pub use measure::{MeasureError, Measured, artifact_name, measure};
pub use print::python_json;
pub use signer::{CommandSigner, LocalSigner, Signer, SignerError};
