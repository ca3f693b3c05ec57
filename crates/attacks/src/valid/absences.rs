//! What a valid chain may lack: missing optional artifacts, and data on GitHub that is not public.

use super::changes::{Changed, optional_only};
use super::{globs, mobile, pull_request, push, tag};
use crate::change::{first_build, list, replace_page, upstream};
use catena_testbed::{Artifact, Chain, Release};

pub(super) const CHANGED: &[Changed] = &[
    ("optional artifact deleted since, on GitHub", globs_on_github, |c| {
        optional_only(c)?;
        gone(c)
    }),
    ("optional artifact deleted since, among many", many_globs, |c| {
        optional_only(c)?;
        gone(c)
    }),
    ("optional artifact that only a pattern stood for, deleted since", globs, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/build/*.xpi"))?;
        gone(c)
    }),
    ("optional artifact that only the queue names", globs, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/late.txt"))?;
        late(c)
    }),
    ("optional artifact that only the queue names, lost since", globs_on_github, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/late.txt"))?;
        late(c)?;
        let id = first_build(c)?;
        c.artifact_mut(&id, "public/late.txt")?.redirect = Some(format!("{id}/0/public/lost"));
        Some(())
    }),
    ("optional artifact that was never made", many_globs, |c| {
        optional_only(c)?;
        upstream(c, "paths", list("public/never.txt"))
    }),
    ("missing unused artifact", push, |c| {
        late(c)?;
        let id = first_build(c)?;
        c.artifact_mut(&id, "public/late.txt")?.redirect = Some(format!("{id}/0/public/lost"));
        Some(())
    }),
    ("private repository", mobile, private),
    ("private repository's release", tag, private),
    ("private repository's pull request", pull_request, private),
];

fn globs_on_github() -> Release {
    Release { optional_and_globs: true, ..mobile() }
}

fn many_globs() -> Release {
    Release { optional_and_globs: true, kind: Some("beetmover"), artifacts: 5, ..push() }
}

/// The queue and its store no longer have the optional artifact of the first build.
fn gone(chain: &mut Chain) -> Option<()> {
    let id = first_build(chain)?;
    chain.artifacts_mut(&id)?.remove("public/build/target.langpack.xpi").map(|_| ())
}

/// An artifact of the first build that its document does not name.
fn late(chain: &mut Chain) -> Option<()> {
    let id = first_build(chain)?;
    let artifact = Artifact::new("uploaded later", "text/plain");
    chain.artifacts_mut(&id)?.insert("public/late.txt".to_owned(), artifact);
    Some(())
}

/// GitHub says of each repository that it is private.
fn private(chain: &mut Chain) -> Option<()> {
    replace_page(chain, "/repos/", "\"private\":false", "\"private\":true")
}
