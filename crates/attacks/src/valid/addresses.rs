//! Repositories as git writes them, and broad scopes, in valid chains.

use super::changes::Changed;
use super::mobile;
use crate::change::{add, build, replace_in, target};
use catena_testbed::chain::{Product, Scope};
use catena_testbed::{Release, Trigger};

const REPOSITORY: &[&str] = &["payload", "env", "MOBILE_HEAD_REPOSITORY"];
const BROWSER: &str = "https://github.com/mozilla-mobile/reference-browser.git";

pub(super) const CHANGED: &[Changed] = &[
    ("build of a repository as git names it", mobile, |c| build(c, REPOSITORY, BROWSER)),
    ("target whose source has .git, and that names no repository", mobile, |c| {
        target(c, |task| {
            replace_in(task.get_mut("metadata")?, "/reference-browser/", "/reference-browser.git/")
        })
    }),
    (
        "broad scope of a product's own",
        || Release {
            scope: Scope::Exactly("project:mozilla:glean:*".into()),
            ..Release::of(Product::GLEAN, Trigger::Push)
        },
        |_| Some(()),
    ),
    (
        "scope of a product's own beside a broad one",
        || Release { finished: true, ..Release::of(Product::ADHOC, Trigger::Push) },
        |c| target(c, |task| add(task, &["scopes"], "project:adhoc:*")),
    ),
];
