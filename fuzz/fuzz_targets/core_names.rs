//! Any text as each kind of name: no panic; what is read reads again as itself, and a second
//! reader (the system's paths, the `url` crate) sees the same in it.
#![no_main]

use catena_model::fnmatch::{LONGEST, Pattern};
use catena_model::source::{RepositoryUrl, Revision, SourceUrl, TagName};
use catena_model::task::{ArtifactName, TaskId, WorkerPool};
use libfuzzer_sys::fuzz_target;
use std::path::{Component, Path};
use url::{Host, Url};

fn artifact(text: &str) {
    let Ok(name) = ArtifactName::parse(text) else { return };
    assert_eq!(name.as_str(), text);
    let path = Path::new("top").join(name.as_str());
    assert!(path.starts_with("top"));
    assert!(path.components().all(|component| matches!(component, Component::Normal(_))));
    assert_eq!(path.components().count(), text.split('/').count() + 1);
}

/// Hosts of digits alone are addresses to a second reader; no rule of a policy names one.
fn same_to_another_reader(address: &str, host: &str) -> Option<Url> {
    let url = Url::parse(address).ok()?;
    match url.host() {
        Some(Host::Domain(domain)) => assert_eq!(domain, host),
        // The scheme `ssh` has no rules for hosts in the `url` crate.
        other => assert!(matches!(other, Some(Host::Ipv4(_))), "{address}"),
    }
    assert!(url.username().is_empty() && url.password().is_none() && url.port().is_none());
    assert!(url.query().is_none() && url.fragment().is_none());
    Some(url)
}

fn repository(text: &str) {
    if let Ok(repository) = RepositoryUrl::parse(text) {
        assert_eq!(RepositoryUrl::parse(repository.as_str()).as_ref(), Ok(&repository));
        let segments: Vec<&str> = repository.segments().collect();
        assert!(segments.iter().all(|segment| !matches!(*segment, "" | "." | "..")), "{text}");
        if !repository.as_str().starts_with("git@")
            && let Some(url) = same_to_another_reader(repository.as_str(), repository.host())
        {
            let path = url.path();
            assert_eq!(path.strip_suffix(".git").unwrap_or(path), repository.path());
        }
    }
    if let Ok(relaxed) = RepositoryUrl::relaxed(text) {
        assert_eq!(RepositoryUrl::parse(relaxed.as_str()), Ok(relaxed));
    }
}

fn source(text: &str) {
    if let Ok(source) = SourceUrl::parse(text) {
        assert_eq!(source.as_str(), text);
        let url = same_to_another_reader(text, source.host());
        if let (Some(url), true) =
            (url, text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/:.-".contains(&byte)))
        {
            assert_eq!(url.path(), source.path());
        }
    }
    if let Ok(relaxed) = SourceUrl::relaxed(text) {
        assert_eq!(SourceUrl::parse(relaxed.as_str()), Ok(relaxed));
    }
}

fn words(text: &str) {
    if let Ok(id) = TaskId::parse(text) {
        assert_eq!((id.as_str(), text.len()), (text, 22));
    }
    if let Ok(pool) = WorkerPool::parse(text) {
        assert!(text.starts_with(pool.provisioner_id()) && text.matches('/').count() == 1);
    }
    if let Ok(revision) = Revision::parse(text) {
        assert!(revision.as_str() == text && text.len() == 40);
    }
    if let Ok(tag) = TagName::parse(text) {
        assert!(tag.as_str() == text && !text.contains(".."));
        assert!(!text.contains(['?', '#', '%', '\\', ' ', ':', '\n']));
    }
}

fn pattern(pattern: &str, name: &str) {
    let matches =
        |pattern: &str, name: &str| Pattern::new(pattern).is_some_and(|pattern| pattern.matches(name));
    let short = |text: &str| text.len() <= LONGEST;
    let found = matches(pattern, name);
    if !pattern.contains(['*', '?', '[']) {
        assert_eq!(found, pattern == name && short(name));
    }
    let (before, after) = (format!("before{name}"), format!("{name}after"));
    let (ending, beginning) = (format!("*{pattern}"), format!("{pattern}*"));
    if found {
        assert!(matches(&ending, &before) || !short(&ending) || !short(&before));
        assert!(matches(&beginning, &after) || !short(&beginning) || !short(&after));
    }
    let literal: String =
        name.chars().map(|one| if "*?[".contains(one) { format!("[{one}]") } else { one.into() }).collect();
    assert!(matches(&literal, name) || !short(&literal));
}

fuzz_target!(|input: (&str, &str)| {
    let (first, second) = input;
    if first.len() > 3000 || second.len() > 3000 {
        return;
    }
    for text in [first, second] {
        artifact(text);
        repository(text);
        source(text);
        words(text);
    }
    pattern(first, second);
});
