//! One revision of one repository, and everything its tasks and its host say about it.

use super::github;
use super::product::{Product, Vcs};
use super::seed::Seed;
use super::template;
use super::time::Time;
use super::value::{list, object};
use crate::site::Page;
use catena_json::Value;
use std::collections::BTreeMap;

/// The number of the pull request chains are built for.
pub(super) const PULL_REQUEST: i64 = 1234;
/// Who pushes.
pub(super) const PUSHER: &str = "release-duty@example.org";

/// Where a decision task looks.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) product: &'static Product,
    pub(super) vcs: Vcs,
    /// URL of the repository, as tasks write it, without a trailing slash.
    pub(super) repo: String,
    /// URL of the repository it is based on: itself, or a fork's parent.
    pub(super) base_repo: String,
    pub(super) revision: String,
    pub(super) base_revision: String,
    pub(super) branch: String,
    /// SCM level.
    pub(super) level: u8,
    pub(super) pushlog_id: i64,
    pub(super) pushed: Time,
    /// The commit a release's tag stands for; `revision` is the tag then.
    pub(super) tagged: Option<String>,
    pub(super) fork: bool,
}

impl Tree {
    /// A Mercurial repository at some revision.
    pub(super) fn hg(product: &'static Product, path: &str, seed: &mut Seed, pushed: Time) -> Tree {
        Tree {
            product,
            vcs: Vcs::Hg,
            repo: format!("https://hg.mozilla.org/{path}"),
            base_repo: format!("https://hg.mozilla.org/{path}"),
            revision: seed.revision(),
            base_revision: seed.revision(),
            branch: "default".into(),
            level: product.level,
            pushlog_id: 40_000 + i64::try_from(seed.number() % 5000).unwrap_or(0),
            pushed,
            tagged: None,
            fork: false,
        }
    }

    /// A GitHub repository at some revision of its main branch.
    pub(super) fn git(product: &'static Product, path: &str, seed: &mut Seed, pushed: Time) -> Tree {
        let repo = format!("https://github.com/{path}");
        let hg = Tree::hg(product, path, seed, pushed);
        Tree { vcs: Vcs::Git, repo: repo.clone(), base_repo: repo, branch: "main".into(), ..hg }
    }

    /// The same repository, named as private ones are cloned.
    pub(super) fn over_ssh(mut self) -> Tree {
        for url in [&mut self.repo, &mut self.base_repo] {
            *url = url.replace("https://", "ssh://");
        }
        self
    }

    /// `owner/name`, or the path on hg.mozilla.org.
    pub(super) fn path(&self) -> &str {
        path(&self.repo)
    }

    /// The repository's own name.
    pub(super) fn project(&self) -> &str {
        path(&self.base_repo).rsplit('/').next().unwrap_or_default()
    }

    /// `metadata.source` of a task made by this revision.
    pub(super) fn source(&self, kind: &str) -> String {
        let verb = if self.vcs == Vcs::Hg { "file" } else { "blob" };
        format!("{}/{verb}/{}/taskcluster/kinds/{kind}", self.repo, self.revision)
    }

    /// What tasks that check out the sources have in their environment.
    pub(super) fn environment(&self) -> Value {
        let prefix = self.product.prefix;
        let mut env = object! {
            format!("{prefix}_BASE_REPOSITORY") => match self.vcs {
                Vcs::Hg if prefix == "GECKO" => "https://hg.mozilla.org/mozilla-unified",
                _ => self.base_repo.as_str(),
            },
            format!("{prefix}_HEAD_REPOSITORY") => self.repo.as_str(),
            format!("{prefix}_HEAD_REV") => self.revision.as_str(),
            format!("{prefix}_HEAD_REF") => if self.vcs == Vcs::Hg { &*self.revision } else { &*self.branch },
        };
        if prefix == "COMM" {
            let gecko = object! {
                "GECKO_BASE_REPOSITORY" => "https://hg.mozilla.org/mozilla-unified",
                "GECKO_HEAD_REPOSITORY" => "https://hg.mozilla.org/mozilla-central",
                "GECKO_HEAD_REF" => "default",
            };
            super::value::extend(&mut env, gecko);
        }
        env
    }

    /// Adds what hg or GitHub answers about this revision.
    pub(super) fn pages(&self, pages: &mut BTreeMap<String, Page>) {
        let template = template::text(self.product, self.vcs);
        match self.vcs {
            Vcs::Hg => {
                let url = format!("{}/raw-file/{}/.taskcluster.yml", self.repo, self.revision);
                pages.insert(url, Page::new(template, "text/plain"));
                let url = format!("{}/json-pushes?changeset={}&version=2&full=1", self.repo, self.revision);
                pages.insert(url, Page::new(self.pushlog().to_string(), "application/json"));
            }
            Vcs::Git => github::pages(self, &template, pages),
        }
    }

    /// Adds the cron jobs of this revision.
    pub(super) fn cron_page(&self, pages: &mut BTreeMap<String, Page>) {
        match self.vcs {
            Vcs::Hg => {
                let url = format!("{}/raw-file/{}/.cron.yml", self.repo, self.revision);
                pages.insert(url, Page::new(template::CRON, "text/plain"));
            }
            Vcs::Git => github::file_page(self, ".cron.yml", template::CRON, pages),
        }
    }

    /// Adds what GitHub answers about a commit that tasks name and no decision task was made from.
    pub(super) fn mirrored_pages(&self, pages: &mut BTreeMap<String, Page>) {
        github::repository_pages(self, pages);
        github::commit_pages(self, pages);
    }

    fn pushlog(&self) -> Value {
        let changeset = object! {
            "author" => "A Developer <developer@example.org>",
            "branch" => self.branch.as_str(),
            "desc" => "Bug 1234567 - Do less, faster. r=reviewer",
            "files" => list!["src/main.rs"],
            "node" => self.revision.as_str(),
            "parents" => list![self.base_revision.as_str()],
            "tags" => list![],
        };
        object! {
            "lastpushid" => self.pushlog_id + 17,
            "pushes" => object! {
                self.pushlog_id.to_string() => object! {
                    "changesets" => list![changeset],
                    "date" => self.pushed.seconds(),
                    "user" => PUSHER,
                },
            },
        }
    }
}

/// The path of a repository's URL, without its leading slash.
pub(super) fn path(url: &str) -> &str {
    url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path)
}
