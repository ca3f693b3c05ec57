//! Writing a chain in the layout of recorded cases.

use super::value::{list, object};
use super::{Chain, ChainTask};
use crate::site::Artifact;
use catena_json::{Map, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// What file names keep of artifact names.
const FILE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Chain {
    /// Writes the chain to a folder, which is made if missing, in the layout [`crate::Site::from_folder`]
    /// reads.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_folder(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let root = path.as_ref();
        for folder in ["queue", "artifacts", "http"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(root.join("chain.json"), self.manifest().to_pretty())?;
        for (id, task) in &self.tasks {
            task.write(root, id)?;
        }
        let mut routes = Vec::new();
        for (i, (url, page)) in self.pages.iter().enumerate() {
            let mut route = object! {"url" => url.as_str(), "type" => page.content_type.as_str()};
            let how = if page.status == 200 {
                let mut file = fs::File::create(root.join("http").join(i.to_string()))?;
                page.body.for_each(|chunk| file.write_all(chunk))?;
                object! {"file" => i.to_string()}
            } else {
                object! {"status" => i64::from(page.status)}
            };
            super::value::extend(&mut route, how);
            routes.push(route);
        }
        fs::write(root.join("http/routes.json"), Value::Array(routes).to_pretty())
    }

    /// `chain.json`.
    fn manifest(&self) -> Value {
        let keys: Map = self
            .keys
            .public_keys_base64()
            .into_iter()
            .map(|(name, keys)| (name.to_owned(), super::value::strings(keys)))
            .collect();
        let links = self.links().into_iter().map(|link| list![link.name, link.task_id]).collect::<Vec<_>>();
        object! {
            "product" => self.product.as_str(), "task_id" => self.target.as_str(), "task_type" => self.kind.as_str(),
            "siblings" => super::value::strings(self.siblings.clone()), "check_task" => self.check_target, "gzip" => self.gzip,
            "decision" => self.decisions.first().map_or(Value::Null, |id| Value::from(id.as_str())),
            "decisions" => super::value::strings(self.decisions.clone()),
            "action" => self.action.as_deref().map_or(Value::Null, Value::from),
            "builds" => super::value::strings(self.builds.clone()),
            "images" => super::value::strings(self.images.clone()),
            "links" => links, "ed25519_public_keys" => keys, "config" => object! {}, "tamper" => Value::Null,
            "expect" => "accept",
        }
    }
}

impl ChainTask {
    fn write(&self, root: &Path, id: &str) -> io::Result<()> {
        let runs = self.published();
        let expires = self.definition.get("expires").cloned().unwrap_or_default();
        let listing =
            runs.values().next_back().map(|artifacts| listing(artifacts, &expires)).unwrap_or_default();
        let mut redirects = Map::new();
        for (number, artifacts) in &runs {
            let folder = root.join("artifacts").join(id).join(number.to_string());
            fs::create_dir_all(&folder)?;
            for (name, artifact) in artifacts {
                let mut file = fs::File::create(folder.join(utf8_percent_encode(name, &FILE).to_string()))?;
                artifact.body.for_each(|chunk| file.write_all(chunk))?;
                if let Some(redirect) = &artifact.redirect {
                    redirects.insert(name.as_str(), Value::from(redirect.as_str()));
                }
            }
        }
        let mut queue = object! {
            "task" => self.definition.clone(), "status" => self.sent_status(), "artifacts" => listing,
        };
        if let Some(text) = &self.definition_text {
            super::value::extend(&mut queue, object! {"task_raw" => text.as_str()});
        }
        if !redirects.is_empty() {
            super::value::extend(&mut queue, object! {"redirects" => redirects});
        }
        fs::write(root.join("queue").join(format!("{id}.json")), queue.to_pretty())
    }
}

fn listing(artifacts: &BTreeMap<String, Artifact>, expires: &Value) -> Vec<Value> {
    let entry = |(name, artifact): (&String, &Artifact)| {
        object! {
            "storageType" => "s3", "name" => name.as_str(), "expires" => expires.clone(),
            "contentType" => artifact.content_type.as_str(),
        }
    };
    artifacts.iter().map(entry).collect()
}
