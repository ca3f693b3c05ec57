//! Ways to change answers about sources: revisions, templates, branches, levels.

use super::{first_decision, graph_everywhere, inside, json, pages, set, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_json::Value;
use catena_testbed::{Body, Chain, Page};

/// The name of a variable that ends with `name`, whatever the product's prefix is.
#[must_use]
pub fn variable_name(task: &Value, name: &str) -> Option<String> {
    let env = task.pointer(&["payload", "env"])?.as_object()?;
    // Thunderbird has its own and those of the repository that it builds on.
    let mut found = env.iter().map(|(key, _)| key).filter(|key| key.ends_with(name));
    found.next().cloned()
}

/// The revision, or a release's tag, that a task names in its environment.
#[must_use]
pub fn revision_of(chain: &Chain, id: &str) -> Option<String> {
    let task = chain.definition(id)?;
    let name = variable_name(task, "_HEAD_REV")?;
    Some(task.pointer(&["payload", "env", &name])?.as_str()?.to_owned())
}

/// The commit of a tag, in GitHub's list of tags.
#[must_use]
pub fn tagged(chain: &Chain, tag: &str) -> Option<String> {
    let (_, page) = chain.pages.iter().find(|(url, _)| url.ends_with("/tags?per_page=100"))?;
    let Body::Bytes(bytes) = &page.body else { return None };
    let tags = json(std::str::from_utf8(bytes).ok()?)?;
    let mut tags = tags.as_array()?.iter();
    let tag = tags.find(|entry| entry.get("name").and_then(Value::as_str) == Some(tag))?;
    Some(tag.pointer(&["commit", "sha"])?.as_str()?.to_owned())
}

/// Changes a file of the tree at the revision of a decision task; for a release, at the tag and its
/// commit.
pub fn file_of(
    chain: &mut Chain,
    id: &str,
    file: &str,
    change: impl Fn(&str) -> Option<String>,
) -> Option<()> {
    let revision = revision_of(chain, id)?;
    let commit = tagged(chain, &revision).unwrap_or_else(|| revision.clone());
    let mut found = false;
    for (url, page) in &mut chain.pages {
        if !url.contains(file) || !(url.contains(&revision) || url.contains(&commit)) {
            continue;
        }
        let before = text(&page.body)?;
        page.body = if url.starts_with("https://api.github.com/") {
            let mut answer = json(before)?;
            let content: String =
                inside(&mut answer, &["content"])?.as_str()?.split_ascii_whitespace().collect();
            let before = String::from_utf8(STANDARD.decode(content).ok()?).ok()?;
            set(&mut answer, &["content"], STANDARD.encode(change(&before)?))?;
            answer.to_string().into()
        } else {
            change(before)?.into()
        };
        found = true;
    }
    found.then_some(())
}

/// Changes the template at the revision of a decision task.
pub fn template_of(chain: &mut Chain, id: &str, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    file_of(chain, id, ".taskcluster.yml", change)
}

/// Changes the template at the revision of the target's decision task.
pub fn template(chain: &mut Chain, change: impl Fn(&str) -> Option<String>) -> Option<()> {
    let id = first_decision(chain)?;
    template_of(chain, &id, change)
}

/// Moves a graph on GitHub to a branch other than `main`: its decision task, its tasks, their
/// artifacts, and the template, which then renders decision tasks for pushes to that branch.
pub fn on_branch(chain: &mut Chain, decision: &str, name: &str) -> Option<()> {
    template_of(chain, decision, |text| {
        Some(text.replace("branch == \"main\"", &format!("branch == \"{name}\"")))
    })?;
    let graphs: Vec<String> =
        [Some(decision.to_owned()), chain.action.clone()].into_iter().flatten().collect();
    let mut found = false;
    for (from, to) in [("\"main\"", "\"NAME\""), ("'main'", "'NAME'"), (":branch:main", ":branch:NAME")] {
        for graph in &graphs {
            found |= graph_everywhere(chain, graph, from, &to.replace("NAME", name)).is_some();
        }
    }
    found.then_some(())
}

/// GitHub's list of the branches that a commit is on.
#[must_use]
pub fn listing(branches: &[&str]) -> String {
    let entry = |name: &&str| format!("<li class=\"branch\"><a href=\"/x\">{name}</a></li>");
    let entries: String = branches.iter().map(entry).collect();
    format!("<ul class=\"branches-list\">{entries}</ul>\n")
}

/// Replaces the page of the branches of a decision task's commit.
pub fn landed_page(chain: &mut Chain, decision: &str, page: String) -> Option<()> {
    let revision = revision_of(chain, decision)?;
    let commit = tagged(chain, &revision).unwrap_or(revision);
    let url = chain.pages.keys().find(|url| url.ends_with(&format!("/branch_commits/{commit}")))?.clone();
    chain.http_mut(&url)?.body = page.into();
    Some(())
}

/// Makes some branches the only ones with the target's commit, according to GitHub's page.
pub fn landed_on(chain: &mut Chain, branches: &[&str]) -> Option<()> {
    let id = first_decision(chain)?;
    landed_page(chain, &id, listing(branches))
}

/// Replaces `from` by `to` in the entry of one repository in `projects.yml`.
pub fn in_project(chain: &mut Chain, repository: &str, from: &str, to: &str) -> Option<()> {
    pages(chain, "projects.yml")?.try_for_each(|page| {
        let Body::Bytes(bytes) = &page.body else { return None };
        let text = std::str::from_utf8(bytes).ok()?;
        let start = text.find(&format!("  repo: {repository}\n"))?;
        let (before, rest) = text.split_at(start);
        // An entry ends before the next line without indentation.
        let end = rest
            .lines()
            .take_while(|line| line.starts_with(' '))
            .map(|line| line.len().saturating_add(1))
            .sum();
        let (entry, after) = rest.split_at_checked(end)?;
        page.body =
            format!("{before}{}{after}", entry.contains(from).then(|| entry.replace(from, to))?).into();
        Some(())
    })
}

/// Gives branches of a repository a level, before all other entries.
pub fn branch_level(chain: &mut Chain, repository: &str, name: &str, level: u8) -> Option<()> {
    let all = "    - name: '*'\n";
    in_project(chain, repository, all, &format!("    - name: '{name}'\n      level: {level}\n{all}"))
}

/// Answers the comparison of the target's commit with a branch.
pub fn compared(chain: &mut Chain, branch: &str, status: &str) -> Option<()> {
    let id = first_decision(chain)?;
    let revision = revision_of(chain, &id)?;
    let url = chain.pages.keys().find(|url| url.ends_with(&format!("/compare/main...{revision}")))?.clone();
    let page = Page::new(format!("{{\"status\":\"{status}\"}}"), "application/json");
    chain.pages.insert(url.replace("/main...", &format!("/{branch}...")), page);
    Some(())
}

/// Moves the graph of the image to another repository, whose name its tasks then have.
pub fn image_elsewhere(chain: &mut Chain, from: &str, to: &str) -> Option<()> {
    let decision = chain.decisions.get(1)?.clone();
    graph_everywhere(chain, &decision, from, to)?;
    let name = |repository: &str| repository.rsplit('/').next().map(str::to_owned);
    let (from, to) = (name(from)?, name(to)?);
    if from != to {
        // Not every graph contains the name, or both of its forms.
        let _ = graph_everywhere(chain, &decision, &from, &to);
        let _ = graph_everywhere(chain, &decision, &from.replace('-', "_"), &to.replace('-', "_"));
    }
    Some(())
}
