//! What will be asked about a tree, foreseen before the decision task that names it is known.

use super::Parent;
use super::context::{repository_url, revision};
use crate::checks::source::source;
use crate::verification::{CheckContext, Evidence, Link, Need, Reference, TreeFile};
use catena_model::source::{GithubRepository, RepositoryUrl, Revision, Scheme, TagName};
use catena_model::task::{Definition, Trigger};
use catena_policy::Rule;

/// What a task says of its source tells where the tree is that its decision task comes from, before
/// that task is known: nearly always the same repository and revision.
pub(crate) fn look_ahead(cx: &CheckContext<'_>, link: &Link) {
    let is_cron = link.is_parent() && link.definition.trigger() == Some(Trigger::Cron);
    if is_cron && !cx.evidence.relaxes(Rule::CronJob) {
        cron_jobs(cx, link);
    }
    if let Some((repository, revision)) = told_by_source(cx.evidence, &link.definition) {
        let file = TreeFile::TaskclusterYml;
        cx.foresee(Need::HgFile { repository: repository.clone(), revision: revision.clone(), file });
        cx.foresee(Need::Push { repository, revision });
    }
    if let Some(repository) = of_a_tag(cx.evidence, &link.definition) {
        cx.foresee(Need::Tags { repository, page: 1 });
    }
}

/// The repository of `https://github.com/<owner>/<name>/blob/<tag>/…`: a release's, whose template is
/// asked for at the commit of its tag.
fn of_a_tag(case: &Evidence, definition: &Definition) -> Option<GithubRepository> {
    let source = source(case, definition).ok()?;
    let [owner, name, _, tag, ..] = source.segments() else { return None };
    let is_tag = Revision::parse(tag).is_err() && TagName::parse(tag).is_ok();
    let repository = GithubRepository::parse(owner, name).ok()?;
    (source.host() == "github.com" && is_tag).then_some(repository)
}

/// A cron task is compared with the jobs of its tree, which are asked for beside the template.
fn cron_jobs(cx: &CheckContext<'_>, link: &Link) {
    let parent = Parent { link, decision: link };
    let (Ok(repository), Ok(revision)) =
        (repository_url(cx, parent, "HEAD_REPOSITORY"), revision(cx, parent))
    else {
        return;
    };
    let file = TreeFile::CronYml;
    if let Some(repository) = repository.github() {
        cx.foresee(Need::GithubFile { repository, reference: Reference::Revision(revision), file });
    } else if cx.evidence.product.is_hg(&repository) && repository.scheme() == Scheme::Https {
        cx.foresee(Need::HgFile { repository, revision, file });
    }
}

/// `https://<host>/<repository>/file/<revision>/…` on a host of Mercurial's.
fn told_by_source(case: &Evidence, definition: &Definition) -> Option<(RepositoryUrl, Revision)> {
    let source = source(case, definition).ok()?;
    let place = source.segments().iter().position(|segment| segment == "file")?;
    let path = source.segments().get(..place)?.join("/");
    let revision = Revision::parse(source.segments().get(place.checked_add(1)?)?).ok()?;
    let repository =
        RepositoryUrl::parse(&format!("https://{}/{}", source.host(), path.trim_end_matches('/'))).ok()?;
    (case.product.is_hg(&repository) && source.scheme() == Scheme::Https).then_some((repository, revision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use catena_policy::Product;

    #[test]
    fn a_source_tells_the_tree_and_its_revision() {
        let mut product = Product::empty("p");
        product.hg_hosts.insert("hg.mozilla.org".to_owned());
        let case = Evidence::sample(product);
        let told = |url: &str| {
            let definition = Definition::sample("https://hg.mozilla.org/mozilla-central/file/x", url);
            let (repository, revision) = told_by_source(&case, &definition)?;
            Some(format!("{repository} {revision}"))
        };
        let revision = "0123456789abcdef0123456789abcdef01234567";
        let expected = Some(format!("https://hg.mozilla.org/releases/mozilla-beta {revision}"));
        for path in ["/file/REV/taskcluster/kinds/build", "//file/REV/a", "/file/REV"] {
            let path = path.replace("REV", revision);
            assert_eq!(told(&format!("https://hg.mozilla.org/releases/mozilla-beta{path}")), expected);
        }
        for other in [
            format!("https://github.com/mozilla/gecko/file/{revision}/a"),
            format!("ssh://hg.mozilla.org/mozilla-central/file/{revision}/a"),
            format!("https://hg.mozilla.org/file/{revision}"),
            "https://hg.mozilla.org/mozilla-central/file/default/a".to_owned(),
            "https://hg.mozilla.org/mozilla-central".to_owned(),
        ] {
            assert_eq!(told(&other), None, "{other}");
        }
    }

    #[test]
    fn a_source_at_a_tag_tells_of_a_release() {
        let case = Evidence::sample(Product::empty("p"));
        let told = |url: &str| {
            let definition = Definition::sample("https://hg.mozilla.org/mozilla-central/file/x", url);
            of_a_tag(&case, &definition).map(|repository| repository.to_string())
        };
        assert_eq!(told("https://github.com/o/r/blob/v1.0/a").as_deref(), Some("o/r"));
        assert_eq!(told("ssh://github.com/o/r/raw/v1.0/a").as_deref(), Some("o/r"));
        for other in
            ["https://github.com/o/r", "https://host/o/r/blob/v1.0/a", "https://github.com/o/r/blob/-v/a"]
        {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told(&format!("https://github.com/o/r/blob/{}/a", "0a".repeat(20))), None);
    }
}
