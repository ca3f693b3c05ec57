//! Chain of Trust documents as the workers write and sign them.

use super::value::{self, Layout, extend, merged, object, sorted};
use crate::body::Body;
use catena_json::{Map, Value};
use catena_keys::{Signature, SigningKey};
use std::io;

/// Name of the document among a task's artifacts.
pub const DOCUMENT: &str = "public/chain-of-trust.json";
/// Name of its signature.
pub const SIGNATURE: &str = "public/chain-of-trust.json.sig";

/// A document and a signature over what it was when it was signed.
#[derive(Clone, Debug)]
pub struct Document {
    /// What the document says.
    pub value: Value,
    /// How it is printed.
    pub layout: Layout,
    /// The detached signature: raw, 64 bytes.
    pub signature: Vec<u8>,
}

impl Document {
    /// The bytes that are published, and that [`Document::sign`] signs.
    pub fn bytes(&self) -> Vec<u8> {
        value::print(&self.value, self.layout).into_bytes()
    }

    /// Signs the document as it is now.
    pub fn sign(&mut self, key: &SigningKey) {
        let signature: Signature = key.sign(&self.bytes());
        self.signature = signature.as_bytes().to_vec();
    }
}

/// The machine a task ran on.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The run it ran.
    pub(super) run: u32,
    pub(super) id: String,
    /// The hash of the image artifact a container was made from.
    pub(super) image_artifact: Option<String>,
    /// The id of the container's image.
    pub(super) image: Option<String>,
}

/// What a document says, in the order its worker says it.
pub(super) fn write(
    id: &str,
    task: &Value,
    artifacts: Value,
    machine: &Machine,
    (layout, custody): (Layout, Option<Value>),
) -> Value {
    let custody = custody.map_or_else(|| object! {}, |custody| object! {"custody" => custody});
    if layout == Layout::Python {
        let document = object! {
            "artifacts" => artifacts, "chainOfTrustVersion" => 1_i64, "environment" => object! {}, "runId" => i64::from(machine.run),
            "task" => task.clone(), "taskId" => id, "workerGroup" => "us-central1", "workerId" => machine.id.as_str(),
            "workerType" => task.get("workerType").cloned().unwrap_or_default(),
        };
        return sorted(&merged([document, custody]));
    }
    let mut environment = object! {
        "publicIpAddress" => "192.0.2.7", "privateIpAddress" => "10.0.0.7", "instanceId" => machine.id.as_str(),
        "instanceType" => "n2-standard-8", "region" => "us-central1",
    };
    let hashes = [("imageHash", &machine.image), ("imageArtifactHash", &machine.image_artifact)];
    for (name, hash) in hashes {
        if let Some(hash) = hash {
            extend(&mut environment, object! {name => format!("sha256:{hash}")});
        }
    }
    let mut document = object! {
        "chainOfTrustVersion" => 1_i64, "artifacts" => artifacts, "task" => task.clone(), "taskId" => id,
        "runId" => i64::from(machine.run), "workerGroup" => "us-central1", "workerId" => machine.id.as_str(),
        "environment" => environment,
    };
    extend(&mut document, custody);
    // Additional data (an image's hashes) sends the whole document through a map: keys come out sorted.
    if layout == Layout::Go && machine.image.is_some() { sorted(&document) } else { document }
}

/// The member `artifacts`: SHA-256 by name.
pub(super) fn digests<'a>(bodies: impl Iterator<Item = (&'a str, &'a Body)>) -> io::Result<Value> {
    let entries: io::Result<Map> = bodies
        .map(|(name, body)| Ok((name.to_owned(), object! {"sha256" => hex::encode(body.sha256()?)})))
        .collect();
    Ok(Value::Object(entries?))
}
