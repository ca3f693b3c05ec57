//! Answers needs from a folder in the layout of the recorded cases, without any network.

use catena_core::Limits;
use catena_core::digest::Measurement;
use catena_core::graph::Scanner;
use catena_core::inquiry::{Body, Fact, Need, Shape};
use catena_core::task::{RunId, TaskId};
use catena_json::{Value, parse};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256, Sha512};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) fn read_json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&bytes, &catena_json::Limits::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn measure(bytes: &[u8]) -> Measurement {
    Measurement {
        length: bytes.len() as u64,
        sha256: Sha256::digest(bytes).into(),
        sha512: Some(Sha512::digest(bytes).into()),
    }
}

pub(crate) fn body(bytes: Vec<u8>) -> Fact {
    Fact::Body(Body { measurement: measure(&bytes), bytes: Arc::from(bytes) })
}

pub(crate) struct Folder {
    root: PathBuf,
    routes: HashMap<String, Option<PathBuf>>,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Self {
        let mut routes = HashMap::new();
        for route in read_json(&root.join("http/routes.json")).as_array().unwrap() {
            let url = route.get("url").and_then(Value::as_str).unwrap().to_owned();
            let file = route.get("file").and_then(Value::as_str).map(|file| root.join("http").join(file));
            routes.insert(url, file);
        }
        Self { root: root.to_owned(), routes }
    }

    pub(crate) fn answer(&self, need: &Need) -> Fact {
        let Some(bytes) = self.bytes(need) else {
            return Fact::Absent { status: 404, message: "not here".to_owned() };
        };
        let measurement = measure(&bytes);
        match (need.shape(), need) {
            (Shape::Measurement, _) => Fact::Measured(measurement),
            (_, Need::TaskGraph { wanted, .. }) => {
                let mut scanner = Scanner::new(wanted.clone(), &Limits::default());
                bytes.chunks(1000).for_each(|chunk| scanner.write(chunk));
                Fact::Graph(scanner.finish(measurement))
            }
            _ => body(bytes),
        }
    }

    fn bytes(&self, need: &Need) -> Option<Vec<u8>> {
        if let Some((task_id, run_id, name)) = need.artifact() {
            return self.artifact(task_id, run_id, name.as_str());
        }
        match need {
            Need::Definition { task_id } => {
                let queue = self.queue(*task_id)?;
                let raw = queue.get("task_raw").and_then(Value::as_str).map(str::to_owned);
                Some(raw.unwrap_or_else(|| queue.get("task").unwrap().to_string()).into_bytes())
            }
            Need::Status { task_id } => {
                Some(self.queue(*task_id)?.get("status").unwrap().to_string().into_bytes())
            }
            Need::Listing { task_id, .. } => {
                let artifacts = self.queue(*task_id)?.get("artifacts").unwrap().clone();
                Some(format!("{{\"artifacts\":{artifacts}}}").into_bytes())
            }
            other => {
                let file = self.routes.get(&address(other)).cloned().flatten()?;
                Some(std::fs::read(file).unwrap())
            }
        }
    }

    fn queue(&self, task_id: TaskId) -> Option<Value> {
        let path = self.root.join(format!("queue/{task_id}.json"));
        path.exists().then(|| read_json(&path))
    }

    fn artifact(&self, task_id: TaskId, run_id: RunId, name: &str) -> Option<Vec<u8>> {
        const KEPT: AsciiSet = CONTROLS.add(b'/').add(b'%').add(b' ');
        let queue = self.queue(task_id)?;
        let moved = queue.get("redirects").and_then(|redirects| redirects.get(name)).and_then(Value::as_str);
        let (folder, name) = match moved {
            Some(moved) => {
                let mut parts = moved.splitn(3, '/');
                let folder = format!("{}/{}", parts.next()?, parts.next()?);
                (folder, percent_decode_str(parts.next()?).decode_utf8().unwrap().into_owned())
            }
            None => (format!("{task_id}/{run_id}"), name.to_owned()),
        };
        let file = utf8_percent_encode(&name, &KEPT).to_string();
        std::fs::read(self.root.join("artifacts").join(folder).join(file)).ok()
    }
}

/// verification.md section 7, "Addresses".
fn address(need: &Need) -> String {
    let api = "https://api.github.com/repos";
    match need {
        Need::Projects { url } => url.clone(),
        Need::Push { repository, revision } => {
            format!("{repository}/json-pushes?changeset={revision}&version=2&full=1")
        }
        Need::HgTemplate { repository, revision } => {
            format!("{repository}/raw-file/{revision}/.taskcluster.yml")
        }
        Need::GithubTemplate { repository, reference } => {
            format!("{api}/{repository}/contents/.taskcluster.yml?ref={}", reference.as_str())
        }
        Need::Repository { repository } => format!("{api}/{repository}"),
        Need::Commit { repository, revision } => format!("{api}/{repository}/commits/{revision}"),
        Need::PullRequest { repository, number } => format!("{api}/{repository}/pulls/{number}"),
        Need::Release { repository, tag } => format!("{api}/{repository}/releases/tags/{tag}"),
        Need::Tags { repository, page: 1 } => format!("{api}/{repository}/tags?per_page=100"),
        Need::Tags { repository, page } => format!("{api}/{repository}/tags?per_page=100&page={page}"),
        Need::BranchCommits { repository, revision } => {
            format!("https://github.com/{repository}/branch_commits/{revision}")
        }
        Need::Compare { repository, branch, revision } => {
            format!("{api}/{repository}/compare/{branch}...{revision}")
        }
        other => panic!("{other} has no address"),
    }
}
