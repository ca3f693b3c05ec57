//! Chains: everything a verifier meets for one target task, as data that tests can bend.

mod build;
mod custody;
mod decision;
mod document;
mod folder;
mod github;
mod keyring;
mod links;
mod plan;
mod product;
mod projects;
mod release;
mod seed;
mod status;
mod template;
mod time;
mod tree;
mod value;

pub use document::{DOCUMENT, Document, SIGNATURE};
pub use keyring::{Implementation, Keyring};
pub use links::Link;
pub use product::{Product, Vcs};
pub use release::{Builders, Images, Release, Scope, Trigger};
pub use value::Layout;

use crate::site::{Artifact, Page, Run, Site, Task};
use catena_json::Value;
use std::collections::BTreeMap;
use std::io;

/// Why a chain could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No product has this name.
    #[error("no product is called {name:?}")]
    Product {
        /// The name asked for.
        name: String,
    },
    /// The product has no sources in this version control system, or the trigger does not exist there.
    #[error("{product} has no {trigger:?} on {vcs:?}")]
    Unsupported {
        /// The product.
        product: &'static str,
        /// What was to start the graph.
        trigger: Trigger,
        /// Where.
        vcs: Vcs,
    },
    /// A body could not be read for hashing.
    #[error("cannot hash a body: {0}")]
    Body(#[from] io::Error),
    /// An in-tree template is not YAML.
    #[error("in-tree template: {0}")]
    Yaml(#[from] catena_yaml::Error),
    /// An in-tree template does not render.
    #[error("in-tree template: {0}")]
    Render(#[from] catena_jsone::Error),
    /// An in-tree template renders to no task.
    #[error("the in-tree template makes no task")]
    Template,
}

/// One task of a chain.
#[derive(Clone, Debug)]
pub struct ChainTask {
    /// The definition.
    pub definition: Value,
    /// The definition as JSON text, sent in place of `definition` when set.
    pub definition_text: Option<String>,
    /// The queue's answer to `/status`. What it repeats of the definition is sent as the definition has it
    /// by then, unless it was changed here.
    pub status: Value,
    /// What the status repeated of the definition when it was made.
    pub(crate) repeated: Value,
    /// Artifacts of each run but for the latest run's document and signature.
    pub runs: BTreeMap<u32, BTreeMap<String, Artifact>>,
    /// The latest run's document; `None` while it has not finished.
    pub document: Option<Document>,
    /// The worker whose key signs for it.
    pub implementation: Implementation,
}

/// Everything a verifier meets for one target task.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Name of the product whose policy applies.
    pub product: String,
    /// Id of the task to verify.
    pub target: String,
    /// Ids of further tasks of the target's kind, made beside it.
    pub siblings: Vec<String>,
    /// The target's kind, the first part of every link's name.
    pub kind: String,
    /// Whether the target has finished and its own document is to be checked too.
    pub check_target: bool,
    /// Which artifacts are to be measured beside those the target takes in, as `--artifacts` has it.
    pub artifacts: &'static str,
    /// The decision task of the target, then those of tasks it depends on.
    pub decisions: Vec<String>,
    /// The action task that made the target, if one did.
    pub action: Option<String>,
    /// Ids of the build tasks.
    pub builds: Vec<String>,
    /// Ids of the image tasks that builds run in.
    pub images: Vec<String>,
    /// Tasks by id.
    pub tasks: BTreeMap<String, ChainTask>,
    /// Pages of hg and GitHub by URL.
    pub pages: BTreeMap<String, Page>,
    /// The workers' keys.
    pub keys: Keyring,
    /// Whether the store sends text gzipped.
    pub gzip: bool,
}

impl Chain {
    /// A small chain that every command can be shown with: a push of Firefox, a decision task, a docker
    /// image, two builds and their signing. Always the same bytes.
    ///
    /// # Errors
    /// None with the templates that this crate ships.
    pub fn demo() -> Result<Chain, BuildError> {
        let release = Release::new("firefox", Trigger::Push)?;
        Release { builds: 2, image_builder: false, images_from: Images::OwnGraph, ..release }.build()
    }

    /// A task.
    pub fn task(&self, id: &str) -> Option<&ChainTask> {
        self.tasks.get(id)
    }

    /// A task's definition, as the queue serves it.
    pub fn definition(&self, id: &str) -> Option<&Value> {
        self.tasks.get(id).map(|task| &task.definition)
    }

    /// A task's definition in the queue; its document and its task graph are not touched.
    pub fn definition_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.tasks.get_mut(id).map(|task| &mut task.definition)
    }

    /// The status as the queue reports it.
    pub fn status_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.tasks.get_mut(id).map(|task| &mut task.status)
    }

    /// The document; it stays signed as it was until [`Chain::resign`].
    pub fn document_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.tasks.get_mut(id)?.document.as_mut().map(|document| &mut document.value)
    }

    /// The signature over the document.
    pub fn signature_mut(&mut self, id: &str) -> Option<&mut Vec<u8>> {
        self.tasks.get_mut(id)?.document.as_mut().map(|document| &mut document.signature)
    }

    /// An artifact of the latest run; its hash in the document is not touched.
    pub fn artifact_mut(&mut self, id: &str, name: &str) -> Option<&mut Artifact> {
        self.artifacts_mut(id)?.get_mut(name)
    }

    /// All artifacts of the latest run, to add to or take from. One named as the document or its
    /// signature is sent in its place.
    pub fn artifacts_mut(&mut self, id: &str) -> Option<&mut BTreeMap<String, Artifact>> {
        self.tasks.get_mut(id)?.runs.values_mut().next_back()
    }

    /// What hg or GitHub answers at a URL.
    pub fn http_mut(&mut self, url: &str) -> Option<&mut Page> {
        self.pages.get_mut(url)
    }

    /// Signs a task's document as it is now, with the key of the worker that ran it.
    pub fn resign(&mut self, id: &str) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        let key = self.keys.signing_key(task.implementation);
        task.document.as_mut().map(|document| document.sign(key)).is_some()
    }

    /// Writes the hashes of a task's artifacts as they are now into its document and signs it.
    ///
    /// # Errors
    /// When a body is a file and cannot be read.
    pub fn reseal(&mut self, id: &str) -> io::Result<bool> {
        let Some(task) = self.tasks.get_mut(id) else { return Ok(false) };
        let bodies = task.runs.values().next_back().into_iter().flatten();
        let digests = document::digests(bodies.map(|(name, artifact)| (name.as_str(), &artifact.body)))?;
        let run = task.runs.values().next_back();
        let sizes = run.map(custody::artifacts).transpose()?.unwrap_or_default();
        if let Some(document) = &mut task.document {
            value::extend(&mut document.value, value::object! {"artifacts" => digests});
            if let Some(record) = document.value.get_mut("custody") {
                value::extend(record, value::object! {"artifacts" => sizes});
            }
        }
        Ok(self.resign(id))
    }

    /// Makes a task's document hold the queue's definition as it is now, and signs it.
    pub fn redocument(&mut self, id: &str) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        if let Some(document) = &mut task.document {
            value::extend(&mut document.value, value::object! {"task" => task.definition.clone()});
        }
        self.resign(id)
    }

    /// The links a verifier follows, by the rules of the chain, from the definitions as they are now.
    pub fn links(&self) -> Vec<Link> {
        links::follow(self)
    }

    /// What is served for this chain.
    pub fn into_site(self) -> Site {
        let tasks = self.tasks.into_iter().map(|(id, task)| (id, task.into_queue())).collect();
        let pages = self.pages.into_iter().collect();
        Site { tasks, pages, gzip: self.gzip, github_token: Some("testbed-token".into()) }
    }
}

impl ChainTask {
    /// All artifacts of all runs, document and signature among them.
    fn published(&self) -> BTreeMap<u32, BTreeMap<String, Artifact>> {
        let mut runs = self.runs.clone();
        let latest = runs.values_mut().next_back();
        if let (Some(document), Some(latest)) = (&self.document, latest) {
            let text = || Artifact::new(document.bytes(), "text/plain; charset=utf-8");
            latest.entry(DOCUMENT.to_owned()).or_insert_with(text);
            let signature = || Artifact::new(document.signature.clone(), "application/octet-stream");
            latest.entry(SIGNATURE.to_owned()).or_insert_with(signature);
        }
        runs
    }

    /// The status as the queue sends it: made of the same record as the definition.
    fn sent_status(&self) -> Value {
        let mut sent = self.status.clone();
        for (key, made) in self.repeated.as_object().into_iter().flatten() {
            if let Some(now) = self.definition.get(key)
                && let Some(Value::Object(status)) = sent.get_mut("status")
                && status.get(key) == Some(made)
            {
                status.insert(key.as_str(), now.clone());
            }
        }
        sent
    }

    fn into_queue(self) -> Task {
        let runs = self.published().into_iter();
        let status = self.sent_status().to_string();
        let text = self.definition_text.unwrap_or_else(|| self.definition.to_string());
        Task {
            definition: text.into(),
            status: status.into(),
            runs: runs.map(|(number, artifacts)| (number, Run { listing: None, artifacts })).collect(),
        }
    }
}
