//! What GitHub's API says about a repository, in the fields the real one has.

use super::time::Time;
use super::tree::{PULL_REQUEST, Tree, path};
use super::value::{list, merged, object};
use crate::site::Page;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const API: &str = "https://api.github.com";
const JSON: &str = "application/json; charset=utf-8";
/// Who commits.
pub(super) const COMMITTER: &str = "release-bot";

/// Everything about a revision a decision task was made from.
pub(super) fn pages(tree: &Tree, template: &str, pages: &mut BTreeMap<String, Page>) {
    repository_pages(tree, pages);
    commit_pages(tree, pages);
    let (repo, revision) = (tree.path(), &tree.revision);
    file_page(tree, ".taskcluster.yml", template, pages);
    let raw = format!("https://raw.githubusercontent.com/{repo}/{revision}/.taskcluster.yml");
    pages.insert(raw, Page::new(template.to_owned(), "text/plain"));
    if tree.tagged.is_some() {
        put(pages, &format!("{API}/repos/{repo}/releases/tags/{revision}"), &release(tree));
        for query in ["", "?per_page=100"] {
            put(pages, &format!("{API}/repos/{repo}/tags{query}"), &tags(tree));
        }
    }
}

/// A file of the tree.
pub(super) fn file_page(tree: &Tree, file: &str, text: &str, pages: &mut BTreeMap<String, Page>) {
    let repo = tree.path();
    // A release's is asked for at the commit of its tag; the reference asks at the tag.
    for revision in [Some(&tree.revision), tree.tagged.as_ref()].into_iter().flatten() {
        let url = format!("{API}/repos/{repo}/contents/{file}?ref={revision}");
        put(pages, &url, &contents(repo, revision, file, text));
    }
}

/// The repository, and its parent's if it is a fork.
pub(super) fn repository_pages(tree: &Tree, pages: &mut BTreeMap<String, Page>) {
    put(pages, &format!("{API}/repos/{}", tree.path()), &repository(tree.path(), fork_of(tree)));
    if tree.repo != tree.base_repo {
        let base = path(&tree.base_repo);
        put(pages, &format!("{API}/repos/{base}"), &repository(base, None));
    }
}

/// The pull request a decision task was made for, on the repository it was opened against.
pub(super) fn pull_request_page(tree: &Tree, pages: &mut BTreeMap<String, Page>) {
    let url = format!("{API}/repos/{}/pulls/{PULL_REQUEST}", path(&tree.base_repo));
    put(pages, &url, &pull_request(tree));
}

/// The commit, and which branches it is on: none for a fork's.
pub(super) fn commit_pages(tree: &Tree, pages: &mut BTreeMap<String, Page>) {
    let repo = tree.path();
    let revision = tree.tagged.as_ref().unwrap_or(&tree.revision);
    put(pages, &format!("{API}/repos/{repo}/commits/{revision}"), &commit(repo, revision, tree.pushed));
    let landed = match tree.fork {
        true => "\n\n".to_owned(),
        false => format!(
            "<ul class=\"branches-list\"><li class=\"branch\"><a href=\"/{repo}\">{}</a></li></ul>\n",
            tree.branch
        ),
    };
    let url = format!("https://github.com/{repo}/branch_commits/{revision}");
    pages.insert(url, Page::new(landed, "text/html; charset=utf-8"));
    let status = if tree.fork { "diverged" } else { "behind" };
    let compare =
        object! {"status" => status, "ahead_by" => 0_i64, "behind_by" => 3_i64, "total_commits" => 0_i64};
    put(pages, &format!("{API}/repos/{repo}/compare/main...{revision}"), &compare);
}

/// The repository as the API tells it; with its parent when it is a fork.
pub(super) fn repository(repo: &str, parent: Option<&str>) -> Value {
    let (owner, name) = repo.split_once('/').unwrap_or(("", repo));
    let api = format!("{API}/repos/{repo}");
    let html = format!("https://github.com/{repo}");
    let mut urls = Map::new();
    for (key, tail) in REPOSITORY_URLS {
        urls.insert(format!("{key}_url"), Value::from(format!("{api}/{tail}")));
    }
    let mut all = merged([
        Value::Object(urls),
        object! {
            "id" => 11_i64, "node_id" => "R_11", "name" => name, "full_name" => repo,
            "owner" => user(owner), "private" => false, "html_url" => html.as_str(),
            "description" => "Sources", "fork" => parent.is_some(), "url" => api.as_str(),
            "git_url" => format!("git://github.com/{repo}.git"), "ssh_url" => format!("git@github.com:{repo}.git"),
            "clone_url" => format!("{html}.git"), "svn_url" => html.as_str(), "mirror_url" => Value::Null,
            "homepage" => Value::Null, "language" => "Rust", "license" => Value::Null,
            "created_at" => "2015-01-01T00:00:00Z", "updated_at" => "2026-08-01T00:00:00Z",
            "pushed_at" => "2026-08-12T00:00:00Z", "default_branch" => "main", "size" => 1_i64,
            "forks_count" => 1_i64, "stargazers_count" => 1_i64, "watchers_count" => 1_i64,
            "open_issues_count" => 0_i64, "network_count" => 1_i64, "subscribers_count" => 1_i64,
            "has_issues" => true, "has_projects" => true, "has_downloads" => true, "has_wiki" => false,
            "has_pages" => false, "archived" => false, "disabled" => false,
        },
    ]);
    if let Some(parent) = parent {
        super::value::extend(
            &mut all,
            object! {"parent" => repository(parent, None), "source" => repository(parent, None)},
        );
    }
    all
}

const REPOSITORY_URLS: [(&str, &str); 37] = [
    ("archive", "{archive_format}{/ref}"),
    ("assignees", "assignees{/user}"),
    ("blobs", "git/blobs{/sha}"),
    ("branches", "branches{/branch}"),
    ("collaborators", "collaborators{/collaborator}"),
    ("comments", "comments{/number}"),
    ("commits", "commits{/sha}"),
    ("compare", "compare/{base}...{head}"),
    ("contents", "contents/{+path}"),
    ("contributors", "contributors"),
    ("deployments", "deployments"),
    ("downloads", "downloads"),
    ("events", "events"),
    ("forks", "forks"),
    ("git_commits", "git/commits{/sha}"),
    ("git_refs", "git/refs{/sha}"),
    ("git_tags", "git/tags{/sha}"),
    ("hooks", "hooks"),
    ("issue_comment", "issues/comments{/number}"),
    ("issue_events", "issues/events{/number}"),
    ("issues", "issues{/number}"),
    ("keys", "keys{/key_id}"),
    ("labels", "labels{/name}"),
    ("languages", "languages"),
    ("merges", "merges"),
    ("milestones", "milestones{/number}"),
    ("notifications", "notifications{?since,all,participating}"),
    ("pulls", "pulls{/number}"),
    ("releases", "releases{/id}"),
    ("stargazers", "stargazers"),
    ("statuses", "statuses/{sha}"),
    ("subscribers", "subscribers"),
    ("subscription", "subscription"),
    ("tags", "tags"),
    ("teams", "teams"),
    ("trees", "git/trees{/sha}"),
    ("merge_upstream", "merge-upstream"),
];

/// An account.
fn user(login: &str) -> Value {
    let api = format!("{API}/users/{login}");
    object! {
        "login" => login, "id" => 7_i64, "node_id" => "U_7", "gravatar_id" => "", "type" => "User",
        "site_admin" => false, "url" => api.as_str(), "html_url" => format!("https://github.com/{login}"),
        "avatar_url" => "https://avatars.githubusercontent.com/u/7?v=4",
        "events_url" => format!("{api}/events{{/privacy}}"), "followers_url" => format!("{api}/followers"),
        "following_url" => format!("{api}/following{{/other_user}}"), "gists_url" => format!("{api}/gists{{/gist_id}}"),
        "organizations_url" => format!("{api}/orgs"), "received_events_url" => format!("{api}/received_events"),
        "repos_url" => format!("{api}/repos"), "starred_url" => format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url" => format!("{api}/subscriptions"),
    }
}

/// A commit.
fn commit(repo: &str, revision: &str, pushed: Time) -> Value {
    let api = format!("{API}/repos/{repo}/commits/{revision}");
    let person = object! {"name" => "Release Bot", "email" => "release-bot@example.org", "date" => pushed.to_the_second()};
    object! {
        "sha" => revision, "node_id" => "C_1", "url" => api.as_str(), "comments_url" => format!("{api}/comments"),
        "html_url" => format!("https://github.com/{repo}/commit/{revision}"),
        "author" => user(COMMITTER), "committer" => user(COMMITTER), "parents" => list![], "files" => list![],
        "stats" => object! {"total" => 1_i64, "additions" => 1_i64, "deletions" => 0_i64},
        "commit" => object! {
            "author" => person.clone(), "committer" => person, "comment_count" => 0_i64,
            "message" => "Bug 1234567 - Do less, faster. r=reviewer",
            "url" => format!("{API}/repos/{repo}/git/commits/{revision}"),
            "tree" => object! {"sha" => revision, "url" => format!("{API}/repos/{repo}/git/trees/{revision}")},
            "verification" => object! {
                "verified" => false, "reason" => "unsigned", "signature" => Value::Null, "payload" => Value::Null,
            },
        },
    }
}

/// A file, base64 in lines as GitHub sends it.
fn contents(repo: &str, revision: &str, file: &str, text: &str) -> Value {
    let encoded: Vec<char> = STANDARD.encode(text).chars().collect();
    let lines: Vec<String> = encoded.chunks(60).map(|line| line.iter().collect()).collect();
    let sha = hex::encode(Sha256::digest(text)).chars().take(40).collect::<String>();
    let api = format!("{API}/repos/{repo}/contents/{file}?ref={revision}");
    let html = format!("https://github.com/{repo}/blob/{revision}/{file}");
    let git = format!("{API}/repos/{repo}/git/blobs/{sha}");
    object! {
        "type" => "file", "name" => file, "path" => file, "sha" => sha,
        "size" => text.len() as u64, "encoding" => "base64", "content" => lines.join("\n") + "\n",
        "url" => api.as_str(), "html_url" => html.as_str(), "git_url" => git.as_str(),
        "download_url" => format!("https://raw.githubusercontent.com/{repo}/{revision}/{file}"),
        "_links" => object! {"self" => api.as_str(), "git" => git.as_str(), "html" => html.as_str()},
    }
}

fn release(tree: &Tree) -> Value {
    let (repo, tag) = (tree.path(), &tree.revision);
    let api = format!("{API}/repos/{repo}/releases/21");
    object! {
        "id" => 21_i64, "node_id" => "RE_21", "tag_name" => tag.as_str(), "name" => tag.as_str(), "body" => "",
        "draft" => false, "prerelease" => false, "target_commitish" => tree.branch.as_str(), "author" => user(COMMITTER),
        "created_at" => "2026-08-12T09:10:00Z", "published_at" => "2026-08-12T09:20:00Z", "assets" => list![],
        "assets_url" => format!("{api}/assets"),
        "upload_url" => format!("https://uploads.github.com/repos/{repo}/releases/21/assets{{?name,label}}"),
        "html_url" => format!("https://github.com/{repo}/releases/tag/{tag}"),
        "tarball_url" => format!("{API}/repos/{repo}/tarball/{tag}"),
        "zipball_url" => format!("{API}/repos/{repo}/zipball/{tag}"),
        "url" => api,
    }
}

fn tags(tree: &Tree) -> Value {
    let repo = tree.path();
    let tag = |name: &str, sha: &str| {
        object! {
            "name" => name, "node_id" => "T_1",
            "commit" => object! {"sha" => sha, "url" => format!("{API}/repos/{repo}/commits/{sha}")},
            "tarball_url" => format!("{API}/repos/{repo}/tarball/refs/tags/{name}"),
            "zipball_url" => format!("{API}/repos/{repo}/zipball/refs/tags/{name}"),
        }
    };
    let tagged = tree.tagged.as_deref().unwrap_or_default();
    list![tag("v150.0", &tree.base_revision), tag(&tree.revision, tagged)]
}

fn fork_of(tree: &Tree) -> Option<&str> {
    tree.fork.then(|| path(&tree.base_repo))
}

/// The pull request, as the API and the event tell it.
pub(super) fn pull_request(tree: &Tree) -> Value {
    let (base, head) = (path(&tree.base_repo), tree.path());
    let api = format!("{API}/repos/{base}/pulls/{PULL_REQUEST}");
    let html = format!("https://github.com/{base}/pull/{PULL_REQUEST}");
    let issue = format!("{API}/repos/{base}/issues/{PULL_REQUEST}");
    let owner = |repo: &str| repo.split('/').next().unwrap_or_default().to_owned();
    let side = |repo: &str, branch: &str, sha: &str, parent: Option<&str>| {
        object! {
            "label" => format!("{}:{branch}", owner(repo)), "ref" => branch, "sha" => sha,
            "user" => user(&owner(repo)), "repo" => repository(repo, parent),
        }
    };
    let link = |href: &str| object! {"href" => href};
    object! {
        "id" => 31_i64, "node_id" => "PR_31", "number" => PULL_REQUEST, "state" => "open", "locked" => false,
        "title" => "Do less, faster", "body" => "", "body_html" => "", "body_text" => "", "draft" => false,
        "user" => user(&owner(head)), "url" => api.as_str(), "html_url" => html.as_str(),
        "diff_url" => format!("{html}.diff"), "patch_url" => format!("{html}.patch"), "issue_url" => issue.as_str(),
        "commits_url" => format!("{api}/commits"), "review_comments_url" => format!("{api}/comments"),
        "review_comment_url" => format!("{API}/repos/{base}/pulls/comments{{/number}}"),
        "comments_url" => format!("{issue}/comments"),
        "statuses_url" => format!("{API}/repos/{base}/statuses/{}", tree.revision),
        "created_at" => "2026-08-11T09:00:00Z", "updated_at" => "2026-08-12T09:00:00Z",
        "closed_at" => Value::Null, "merged_at" => Value::Null, "merge_commit_sha" => Value::Null,
        "assignee" => Value::Null, "assignees" => list![], "requested_reviewers" => list![],
        "requested_teams" => list![], "labels" => list![], "milestone" => Value::Null,
        "head" => side(head, &tree.branch, &tree.revision, fork_of(tree)),
        "base" => side(base, "main", &tree.base_revision, None),
        "_links" => object! {"self" => link(&api), "html" => link(&html), "issue" => link(&issue)},
        "author_association" => "CONTRIBUTOR", "auto_merge" => Value::Null, "active_lock_reason" => Value::Null,
        "merged" => false, "mergeable" => true, "rebaseable" => true, "mergeable_state" => "clean",
        "merged_by" => Value::Null, "comments" => 0_i64, "review_comments" => 0_i64,
        "maintainer_can_modify" => false, "commits" => 1_i64, "additions" => 1_i64, "deletions" => 0_i64,
        "changed_files" => 1_i64,
    }
}

fn put(pages: &mut BTreeMap<String, Page>, url: &str, value: &Value) {
    pages.insert(url.to_owned(), Page::new(value.to_string(), JSON));
}
