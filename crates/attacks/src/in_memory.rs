//! A fact source without a network: answers with the testbed's data.

use catena_model::Limits;
use catena_model::digest::Measurement;
use catena_model::graph::Scanner;
use catena_model::task::{ArtifactName, RunId, TaskId};
use catena_testbed::{Body as Sent, Page, Run, Site};
use catena_verify::verification::{Body, Fact, Need, Shape, TreeFile, Verification};
use sha2::{Digest as _, Sha256, Sha512};
use std::io;
use std::sync::Arc;

/// Bytes of a task graph that are scanned at a time: few, so that entries are split.
const PIECE: usize = 1000;

/// All answers of a chain, without a network.
#[derive(Debug)]
pub struct InMemorySource {
    site: Site,
    limits: Limits,
}

impl InMemorySource {
    /// Answers from `site`; answers longer than `limits` allow are unreachable.
    #[must_use]
    pub fn new(site: Site, limits: Limits) -> Self {
        Self { site, limits }
    }

    /// Answers until there are no more needs.
    pub fn investigate(&self, verification: &mut Verification) {
        drive(verification, |need| self.answer(need));
    }

    /// The fact for one need.
    #[must_use]
    pub fn answer(&self, need: &Need) -> Fact {
        match self.find(need) {
            Found::Body(body) => match self.fact(need, &body) {
                Fact::Body(body) if differs(need, &body.bytes) => {
                    unreachable("the answer is not of its form, though its status is 200")
                }
                fact => fact,
            },
            Found::Status(status @ (401 | 403 | 407), _) => {
                Fact::Refused { status, message: "refused".into() }
            }
            Found::Status(404, body) if is_missing(need, &body) => {
                let absent = Fact::Absent { status: 404, message: "not found".into() };
                self.hidden(need).unwrap_or(absent)
            }
            Found::Status(status @ (410 | 422), body) if is_githubs(need, &body) => {
                Fact::Absent { status, message: "not found".into() }
            }
            Found::Status(status, _) => unreachable(&format!("status {status}")),
        }
    }

    /// Why GitHub's 404 does not count: the repository itself is hidden, or not public.
    fn hidden(&self, need: &Need) -> Option<Fact> {
        let url = address(need);
        let starts = ["https://api.github.com/repos/", "https://github.com/"];
        let path = starts.iter().find_map(|start| url.strip_prefix(start))?;
        let repository: Vec<&str> = path.splitn(3, '/').take(2).collect();
        let api = format!("{}{}", starts.first()?, repository.join("/"));
        let refused = || Some(Fact::Refused { status: 404, message: "not shown".into() });
        match self.site.pages.get(&api).cloned().unwrap_or_else(|| Page::missing(&api)) {
            page if page.status == 200 => {
                let page = text(&page.body).replace(": ", ":");
                let private = !page.contains("\"private\":false");
                refused().filter(|_| private && matches!(need, Need::BranchCommits { .. }))
            }
            page if text(&page.body).contains("\"documentation_url\"") => refused(),
            page => Some(unreachable(&format!("status {} for the repository", page.status))),
        }
    }

    /// The address of a need at hg or GitHub; `None` for the queue's needs.
    #[must_use]
    pub fn url(need: &Need) -> Option<String> {
        Some(address(need)).filter(|address| !address.is_empty())
    }

    /// The page for one need, if there is one.
    #[must_use]
    pub fn body(&self, need: &Need) -> Option<Sent> {
        match self.find(need) {
            Found::Body(body) => Some(body),
            Found::Status(..) => None,
        }
    }

    /// The fact for a body, whatever its contents.
    #[must_use]
    pub fn fact(&self, need: &Need, body: &Sent) -> Fact {
        self.measured(need, body).unwrap_or_else(|error| unreachable(&error.to_string()))
    }

    fn measured(&self, need: &Need, body: &Sent) -> io::Result<Fact> {
        let limit = match need.shape() {
            Shape::Body => self.limits.answer_bytes,
            Shape::Measurement => self.limits.artifact_bytes,
            Shape::Graph => self.limits.graph_bytes,
        };
        if body.len()? > limit {
            return Ok(unreachable(&format!("longer than {limit} bytes")));
        }
        Ok(match need {
            Need::Artifact { sha512, .. } => Fact::Measured(measure(body, *sha512)?),
            Need::TaskGraph { wanted, sha512, .. } => {
                let mut scanner = Scanner::new(wanted.clone(), &self.limits);
                body.for_each(|chunk| {
                    chunk.chunks(PIECE).for_each(|piece| scanner.write(piece));
                    Ok(())
                })?;
                Fact::Graph(scanner.finish(measure(body, *sha512)?))
            }
            other => {
                let mut bytes = Vec::new();
                body.for_each(|chunk| {
                    bytes.extend_from_slice(chunk);
                    Ok(())
                })?;
                let sha512 = matches!(other, Need::Content { sha512: true, .. });
                Fact::Body(Body { measurement: measure(body, sha512)?, bytes: Arc::from(bytes) })
            }
        })
    }

    fn find(&self, need: &Need) -> Found {
        if let Some((task_id, run_id, name)) = need.artifact() {
            return self.artifact(task_id, run_id, &name).into();
        }
        let task = |task_id: &TaskId| {
            self.site.tasks.get(task_id.as_str()).filter(|task| !task.definition.is_empty())
        };
        match need {
            Need::Definition { task_id } => task(task_id).map(|task| task.definition.clone().into()).into(),
            Need::Status { task_id } => task(task_id).map(|task| task.status.clone().into()).into(),
            Need::Listing { task_id, run_id, .. } => self.listing(*task_id, *run_id).into(),
            other => match self.site.pages.get(&address(other)) {
                Some(page) if page.status == 200 => Found::Body(page.body.clone()),
                Some(page) => Found::Status(page.status, text(&page.body)),
                None => Found::Status(404, text(&Page::missing(&address(other)).body)),
            },
        }
    }

    fn artifact(&self, task_id: TaskId, run_id: RunId, name: &ArtifactName) -> Option<Sent> {
        let artifact = self.run(task_id, run_id)?.artifacts.get(name.as_str())?;
        match &artifact.redirect {
            Some(place) => Some(self.site.object(place)?.1.body.clone()),
            None => Some(artifact.body.clone()),
        }
    }

    fn listing(&self, task_id: TaskId, run_id: RunId) -> Option<Sent> {
        let entries = self.run(task_id, run_id)?.entries();
        Some(format!("{{\"artifacts\":[{}]}}", entries.join(",")).into())
    }

    fn run(&self, task_id: TaskId, run_id: RunId) -> Option<&Run> {
        self.site.tasks.get(task_id.as_str())?.runs.get(&run_id.0)
    }
}

/// Answers each need until there are no more.
pub fn drive(verification: &mut Verification, mut answer: impl FnMut(&Need) -> Fact) {
    loop {
        let needs = verification.needs();
        if needs.is_empty() {
            return;
        }
        for need in needs {
            let fact = answer(&need);
            verification.supply(&need, fact);
        }
    }
}

/// The page at an address.
enum Found {
    Body(Sent),
    Status(u16, String),
}

impl From<Option<Sent>> for Found {
    fn from(body: Option<Sent>) -> Self {
        body.map_or_else(|| Self::Status(404, String::new()), Self::Body)
    }
}

fn unreachable(reason: &str) -> Fact {
    Fact::Unreachable { reason: reason.to_owned(), attempts: 1 }
}

fn text(body: &Sent) -> String {
    let mut bytes = Vec::new();
    // Pages are held in memory.
    let _ = body.for_each(|chunk| {
        bytes.extend_from_slice(chunk);
        Ok(())
    });
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether an error has the form of the requested service. Implemented independently of `fetch`, like
/// the addresses.
fn is_missing(need: &Need, body: &str) -> bool {
    let hg = || {
        let page = body.contains("rror</title>") && body.contains("while processing your request");
        let pushes = matches!(need, Need::Push { .. });
        (if pushes { body.starts_with('"') } else { page || body.starts_with("error: ") })
            && ["unknown revision", "not found in manifest"].iter().any(|words| body.contains(words))
    };
    match need {
        Need::Push { .. } | Need::HgFile { .. } => hg(),
        Need::Projects { .. } => body == "404: Not Found" || hg(),
        Need::BranchCommits { .. } => {
            body == "Not Found"
                || body.contains("<title>Page not found</title>")
                || body.contains("<title>Page not found · GitHub</title>")
        }
        // The queue and its store.
        _ if address(need).is_empty() => true,
        _ => is_githubs(need, body),
    }
}

/// Whether an error has the form of GitHub's API, the only service here with errors other than 404.
fn is_githubs(need: &Need, body: &str) -> bool {
    address(need).starts_with("https://api.github.com/")
        && body.starts_with('{')
        && ["\"message\":", "\"documentation_url\":"].iter().all(|member| body.contains(member))
}

/// Whether an answer is not the service's: not JSON where JSON is served, a complete HTML page where
/// text is. Implemented independently of `fetch`, like the addresses.
fn differs(need: &Need, body: &[u8]) -> bool {
    let text = body.trim_ascii();
    if need.is_json_answer() {
        let (begins, ends) = (text.first(), text.last());
        return !matches!((begins, ends), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')));
    }
    let text = String::from_utf8_lossy(text).to_lowercase();
    let page = ["<!doctype", "<html", "<head", "<body", "<?xml"];
    need.is_text_answer()
        && page.iter().any(|start| text.trim_start_matches('\u{feff}').trim_start().starts_with(start))
}

fn measure(body: &Sent, sha512: bool) -> io::Result<Measurement> {
    let (mut length, mut short, mut long) = (0_u64, Sha256::new(), Sha512::new());
    body.for_each(|chunk| {
        length = length.saturating_add(chunk.len() as u64);
        short.update(chunk);
        if sha512 {
            long.update(chunk);
        }
        Ok(())
    })?;
    let sha512 = sha512.then(|| long.finalize().into());
    Ok(Measurement { length, sha256: short.finalize().into(), sha512 })
}

/// Where hg and GitHub are asked: specification 11.12. Written again, and not taken
/// from `fetch`, so that an address that `fetch` gets wrong is an address where nothing is.
fn address(need: &Need) -> String {
    let api = "https://api.github.com/repos";
    let path = |file| match file {
        TreeFile::TaskclusterYml => ".taskcluster.yml",
        TreeFile::CronYml => ".cron.yml",
    };
    match need {
        Need::Projects { url } => url.clone(),
        Need::Push { repository, revision } => {
            format!("{repository}/json-pushes?changeset={revision}&version=2&full=1")
        }
        Need::HgFile { repository, revision, file } => {
            format!("{repository}/raw-file/{revision}/{}", path(*file))
        }
        Need::GithubFile { repository, reference, file } => {
            format!("{api}/{repository}/contents/{}?ref={}", path(*file), reference.as_str())
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
        // The queue's needs are answered above.
        _ => String::new(),
    }
}
