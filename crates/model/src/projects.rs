//! `projects.yml`: the projects of repositories, and the access levels of trees and branches.

use crate::source::{RepositoryUrl, SourceUrl};
use catena_json::Value;
use std::fmt;

/// The access level of a tree or a branch, by who may push to it: 1 is anyone with an account, 3 is for
/// releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u8);

/// Access groups whose names contain no level, and which fxci-config gives level 3.
const SYMBOLIC_GROUPS: [&str; 5] =
    ["scm_allow_direct_push", "scm_autoland", "scm_firefoxci", "scm_nss", "scm_versioncontrol"];

impl Level {
    /// The level of a tree to which anyone with an account may push.
    pub const LOWEST: Self = Self(1);

    /// One digit, from 1 to 3.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self(1)),
            "2" => Some(Self(2)),
            "3" => Some(Self(3)),
            _ => None,
        }
    }

    /// Its digit.
    pub fn digit(self) -> u8 {
        self.0
    }

    /// The level of a Mercurial tree's access group.
    fn of_access(access: &str) -> Option<Self> {
        match access.strip_prefix("scm_level_") {
            Some(digit) => Self::parse(digit),
            None => SYMBOLIC_GROUPS.contains(&access).then_some(Self(3)),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "level {}", self.0)
    }
}

/// The list of projects, in its own order.
#[derive(Clone, Debug)]
pub struct Projects(Vec<Project>);

/// One project of the list.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its key in the list.
    pub name: String,
    /// Its address as the list has it.
    repo: String,
    /// The same with its path, unless it is a pattern or not in the plain form.
    place: Option<(RepositoryUrl, String)>,
    trust: Trust,
}

/// Who may push, according to the list.
#[derive(Clone, Debug)]
enum Trust {
    /// The access group of a Mercurial tree.
    Access(String),
    /// The branches of a git tree.
    Branches { default: Option<String>, branches: Vec<Branch> },
    /// Missing or malformed.
    Unknown,
}

/// A branch of a git tree, or several by a name that ends in `*`.
#[derive(Clone, Debug)]
struct Branch {
    name: String,
    /// As the list writes it, as text or as a number.
    level: Option<String>,
}

impl Projects {
    /// Parses the list.
    ///
    /// # Errors
    /// It is not YAML within the limits, or no mapping.
    pub fn parse(bytes: &[u8], limits: catena_yaml::Limits) -> Result<Self, String> {
        let document = catena_yaml::load_bytes(bytes, &limits).map_err(|error| error.to_string())?;
        let value = document.root.to_json().map_err(|error| error.to_string())?;
        let Value::Object(projects) = &value else { return Err("it is not a mapping".to_owned()) };
        Ok(Self(projects.iter().filter_map(|(name, value)| Project::read(name, value)).collect()))
    }

    /// The project whose address a text is, or is below: the first that says so.
    pub fn by_text(&self, source: &str) -> Option<&Project> {
        self.0.iter().find(|project| {
            let rest = source.strip_prefix(&project.repo);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The project of that name.
    pub fn by_name(&self, name: &str) -> Option<&Project> {
        self.0.iter().find(|project| project.name == name)
    }

    /// The project whose repository a source lies in.
    pub fn by_source(&self, source: &SourceUrl) -> Option<&Project> {
        let place = source.path();
        self.at(|url, path| place.starts_with(path) && source.is_of(url))
    }

    /// The project of a repository, by its host and its whole path.
    pub fn by_repository(&self, repository: &RepositoryUrl) -> Option<&Project> {
        let place = repository.path();
        self.at(|url, path| path == place && url.host() == repository.host())
    }

    fn at(&self, is_it: impl Fn(&RepositoryUrl, &str) -> bool) -> Option<&Project> {
        self.0.iter().find(|project| project.place.as_ref().is_some_and(|(url, path)| is_it(url, path)))
    }
}

impl Project {
    /// An entry without an address matches nothing.
    fn read(name: &str, value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let repo = text("repo")?.to_owned();
        let trust = match text("repo_type") {
            Some("hg") => text("access").map_or(Trust::Unknown, |access| Trust::Access(access.to_owned())),
            Some("git") => Trust::Branches {
                default: match value.get("default_branch") {
                    None => Some("main".to_owned()),
                    Some(default) => default.as_str().map(str::to_owned),
                },
                branches: value
                    .get("branches")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Branch::read)
                    .collect(),
            },
            _ => Trust::Unknown,
        };
        let place = RepositoryUrl::parse(&repo).ok().map(|url| (url.clone(), url.path()));
        Some(Self { name: name.to_owned(), repo, place, trust })
    }

    /// The SCM level as the reference hands it to templates: of a Mercurial tree its access group's, of
    /// a git tree that of the entry with its default branch's very name.
    pub fn level_text(&self) -> Option<String> {
        match &self.trust {
            Trust::Access(access) => Some(access.replace("scm_level_", "")),
            Trust::Branches { default, branches } => {
                let default = default.as_deref()?;
                branches.iter().find(|branch| branch.name == default)?.level.clone()
            }
            Trust::Unknown => None,
        }
    }

    /// The level of the tree: of a git tree that of its default branch.
    pub fn level(&self) -> Option<Level> {
        match &self.trust {
            Trust::Access(access) => Level::of_access(access),
            Trust::Branches { default, .. } => self.branch_level(default.as_deref()?),
            Trust::Unknown => None,
        }
    }

    /// The level of a branch. Mercurial trees have one for all. Of a git tree the entry with the
    /// branch's very name counts, else the first whose name ends in `*` and that it begins like.
    pub fn branch_level(&self, name: &str) -> Option<Level> {
        let Trust::Branches { branches, .. } = &self.trust else { return self.level() };
        let exact = branches.iter().find(|branch| branch.name == name);
        let begins =
            |branch: &&Branch| branch.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix));
        exact.or_else(|| branches.iter().find(begins))?.level.as_deref().and_then(Level::parse)
    }

    /// Whether it is a git tree, whose branches have levels of their own.
    pub fn is_git(&self) -> bool {
        matches!(self.trust, Trust::Branches { .. })
    }
}

impl Branch {
    fn read(value: &Value) -> Option<Self> {
        let level = match value.get("level") {
            Some(Value::Number(level)) => Some(level.to_string()),
            Some(Value::String(level)) => Some(level.clone()),
            _ => None,
        };
        Some(Self { name: value.get("name")?.as_str()?.to_owned(), level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects(text: &str) -> Projects {
        Projects::parse(text.as_bytes(), catena_yaml::Limits::default()).unwrap()
    }

    const LIST: &str = "
none: {}
a: {repo: https://host/a, repo_type: hg, access: scm_level_3}
ab: {repo: https://host/ab, repo_type: hg, access: scm_nss}
again: {repo: https://host/a, repo_type: hg, access: scm_level_1}
low: {repo: https://host/low, repo_type: hg, access: scm_level_9}
git:
  repo: https://github.com/o/git
  repo_type: git
  branches:
    - {name: main, level: 3}
    - {name: 'release/*', level: '3'}
    - {name: release/old, level: 2}
    - {name: 'rel*', level: 1}
    - {name: wrong, level: high}
    - {name: half, level: 2.5}
    - {name: nothing}
any: {repo: https://github.com/o/any, repo_type: git, default_branch: trunk, branches: [{name: '*', level: 1}]}
all: {repo: 'https://github.com/o/*', repo_type: git, branches: [{name: main, level: 3}]}
";

    /// A list of production, where `CATENA_SHARED` says where it is.
    #[test]
    fn a_real_list_is_read_whole() {
        let Some(shared) = std::env::var_os("CATENA_SHARED") else {
            println!("skipped: CATENA_SHARED is not set");
            return;
        };
        let path = std::path::Path::new(&shared).join("field/projects.yml");
        let projects = projects(&std::fs::read_to_string(path).unwrap());
        assert_eq!(projects.0.len(), 80);
        assert!(projects.0.iter().all(|project| !matches!(project.trust, Trust::Unknown)));
        let level = |project: &str, branch: &str| {
            let project = projects.by_name(project).unwrap();
            project.branch_level(branch).map(Level::digit)
        };
        assert_eq!(level("enterprise-firefox", "enterprise-main"), Some(3));
        assert_eq!(level("enterprise-firefox", "mine"), Some(1));
        assert_eq!(level("enterprise-firefox-try", "enterprise-main"), Some(1));
        assert_eq!(
            (level("firefox", "FIREFOX_ESR_140_1_X_RELBRANCH"), level("firefox", "mine")),
            (Some(3), None)
        );
    }

    #[test]
    fn a_source_lies_in_the_first_project_whose_repository_it_is_or_is_below() {
        let projects = projects(LIST);
        for (source, name) in [
            ("https://host/a", Some("a")),
            ("https://host/a/", Some("a")),
            ("https://host/a/raw-file/0/x", Some("a")),
            ("https://host/ab", Some("ab")),
            ("https://host/ab/x", Some("ab")),
            ("https://host/abc", None),
            ("https://host/", None),
            ("", None),
        ] {
            assert_eq!(projects.by_text(source).map(|project| &*project.name), name, "{source}");
        }
        let by_source = |text: &str| {
            let source = SourceUrl::parse(text).unwrap();
            projects.by_source(&source).map(|project| project.name.clone())
        };
        assert_eq!(by_source("ssh://github.com/o/git/blob/0/x").as_deref(), Some("git"));
        assert_eq!(by_source("https://github.com/o/gitter/blob/0/x"), None);
        assert_eq!(by_source("https://github.com/o/other/blob/0/x"), None, "no pattern counts");
    }

    #[test]
    fn a_repository_is_a_project_by_its_whole_path() {
        let projects = projects(LIST);
        let of = |text: &str| {
            let url = RepositoryUrl::parse(text).unwrap();
            projects.by_repository(&url).map(|project| project.name.clone())
        };
        assert_eq!(of("git@github.com:o/git.git").as_deref(), Some("git"));
        assert_eq!(of("https://github.com/o/git/").as_deref(), Some("git"));
        for other in ["https://github.com/o/git/x", "https://host/o/git", "https://github.com/O/git"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn branches_have_the_level_of_their_name_or_of_the_first_pattern() {
        let projects = projects(LIST);
        let git = projects.by_name("git").unwrap();
        for (branch, level) in [
            ("main", Some(3)),
            ("main2", None),
            ("Main", None),
            ("release/v1", Some(3)),
            ("release/", Some(3)),
            ("release/old", Some(2)),
            ("release", Some(1)),
            ("re", None),
            ("wrong", None),
            ("half", None),
            ("nothing", None),
            ("", None),
        ] {
            assert_eq!(git.branch_level(branch), level.map(Level), "{branch}");
        }
        assert_eq!(git.level(), Some(Level(3)));
        let any = projects.by_name("any").unwrap();
        assert_eq!((any.level(), any.level_text()), (Some(Level(1)), None));
        assert_eq!(any.branch_level("main"), Some(Level(1)));
    }

    #[test]
    fn a_mercurial_tree_has_the_level_of_its_group() {
        let projects = projects(LIST);
        let of = |name: &str| {
            let project = projects.by_name(name).unwrap();
            (project.level(), project.level_text(), project.branch_level("default"))
        };
        assert_eq!(of("a"), (Some(Level(3)), Some("3".to_owned()), Some(Level(3))));
        assert_eq!(of("ab"), (Some(Level(3)), Some("scm_nss".to_owned()), Some(Level(3))));
        assert_eq!(of("low"), (None, Some("9".to_owned()), None));
        for text in ["0", "4", "01", "3 ", "+3", "", "three", "３"] {
            assert_eq!(Level::parse(text), None, "{text:?}");
        }
        assert!(Level::LOWEST < Level(2) && Level(2) < Level(3));
    }

    #[test]
    fn anything_else_than_a_mapping_is_refused() {
        for text in ["- a", "a", "a: [", ""] {
            assert!(Projects::parse(text.as_bytes(), catena_yaml::Limits::default()).is_err(), "{text:?}");
        }
    }
}
