//! The codes of `catena fetch`: what each means, and by that the exit status.
//!
//! Their pages are in `docs/fetch-codes.md`; tests hold the list, the pages and the code that prints them together.

use crate::failure::{REJECTED, UNDETERMINED, USAGE};
use catena_verify::verdict::Class;

/// A stable name of something that keeps inputs from being delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FetchCode {
    /// Kebab-case, never reused: `fetch-mismatch`.
    pub(crate) name: &'static str,
    /// What it means for what happens next, as in verdicts.
    pub(crate) class: Class,
    /// One sentence for lists of codes.
    pub(crate) summary: &'static str,
}

/// The pages, a section of the second level for each code.
const PAGES: &str = include_str!("../../../../../docs/fetch-codes.md");

const fn code(name: &'static str, class: Class, summary: &'static str) -> FetchCode {
    FetchCode { name, class, summary }
}

/// All of them, sorted by name.
pub(crate) const CODES: &[FetchCode] = &[
    code("archive-cancelled", Class::Infra, "The extraction was cancelled."),
    code("archive-disk", Class::Infra, "The archive cannot be read, or its members cannot be written."),
    code("archive-limit", Class::Policy, "The archive is over a limit."),
    code("archive-malformed", Class::Invalid, "The archive breaks the rules of its format."),
    code("archive-member-below", Class::Invalid, "A member stands below something that is not a directory."),
    code("archive-member-case", Class::Policy, "Two names differ only in case or composition."),
    code("archive-member-duplicate", Class::Invalid, "A name is in the archive twice."),
    code("archive-member-link", Class::Invalid, "A link leads out of the archive, or to nothing in it."),
    code("archive-member-name", Class::Invalid, "A name is absolute, has `..` in it, or is unusable."),
    code("archive-member-type", Class::Policy, "A member is a device, a named pipe, or of an unknown type."),
    code("archive-unsupported", Class::Policy, "The archive uses an unsupported part of its format."),
    code("fetch-absent", Class::Infra, "The file does not exist at its address."),
    code("fetch-answer-malformed", Class::Infra, "An answer of the queue or the index is malformed."),
    code("fetch-chain-misconfigured", Class::Config, "Our policy or keys do not suffice to judge a maker."),
    code("fetch-chain-rejected", Class::Policy, "The chain of trust of a maker is rejected."),
    code("fetch-chain-undetermined", Class::Infra, "The chain of trust of a maker could not be determined."),
    code(
        "fetch-conflict",
        Class::Config,
        "A directory of one input stands where a file of another would go.",
    ),
    code("fetch-deadline", Class::Infra, "The deadline passed before everything was downloaded."),
    code("fetch-digest-contradicts", Class::Invalid, "The caller's digest differs from the signed one."),
    code("fetch-disk", Class::Infra, "A file cannot be written."),
    code("fetch-document-malformed", Class::Invalid, "A signed document is malformed."),
    code("fetch-git", Class::Infra, "git failed, or the repository has no such commit."),
    code(
        "fetch-gpg-key",
        Class::Policy,
        "The key of an OpenPGP signature may not sign: it has expired, say.",
    ),
    code("fetch-gpg-malformed", Class::Invalid, "An OpenPGP signature is malformed or unsupported."),
    code("fetch-gpg-unknown-key", Class::Policy, "No given OpenPGP key signed the file."),
    code("fetch-impossible", Class::Infra, "The download failed in a way that a retry does not help."),
    code("fetch-interrupted", Class::Infra, "A signal ended the command before everything was in place."),
    code("fetch-key-not-permitted", Class::Policy, "The signing key may not sign for such a task."),
    code("fetch-key-not-valid", Class::Policy, "The signing key was not valid at the time of the run."),
    code("fetch-mismatch", Class::Tamper, "A file has another digest or length than it must have."),
    code("fetch-no-run", Class::Infra, "The task has no such run, or no run yet."),
    code("fetch-not-named", Class::Policy, "The signed document does not name the file."),
    code(
        "fetch-other-implementation",
        Class::Invalid,
        "A key of another worker implementation signed the document.",
    ),
    code("fetch-other-run", Class::Invalid, "A document or a chain is about another run."),
    code("fetch-refused", Class::Infra, "The service refuses access to the file."),
    code("fetch-signature-malformed", Class::Invalid, "The signature of a document is malformed."),
    code(
        "fetch-unknown-implementation",
        Class::Invalid,
        "The definition does not tell in one way which worker implementation ran the task.",
    ),
    code("fetch-unknown-key", Class::Policy, "No trusted key signed the document."),
    code("fetch-unreachable", Class::Infra, "Every attempt failed in a way that may pass."),
];

impl FetchCode {
    /// The code of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        CODES.iter().find(|code| code.name == name)
    }

    /// The exit status that its class means.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.class {
            Class::Tamper | Class::Invalid | Class::Policy => REJECTED,
            Class::Config => USAGE,
            Class::Infra => UNDETERMINED,
        }
    }

    /// What its page says: the section below the heading of its name.
    pub(crate) fn page(&self) -> &'static str {
        let heading = format!("\n## {}\n", self.name);
        let section = PAGES.split_once(heading.as_str()).map_or("", |(_, rest)| rest);
        section.split("\n## ").next().unwrap_or_default().trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Names of codes in the literals of a Rust file, or of all below a directory, but for this file.
    fn named(path: &Path, found: &mut BTreeSet<String>) {
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|entry| named(&entry.unwrap().path(), found));
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("codes.rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let literals = code.lines().flat_map(|line| line.split('"').skip(1).step_by(2));
            let names = literals.filter(|it| it.starts_with("fetch-") || it.starts_with("archive-"));
            found.extend(names.filter(|it| !it.contains([' ', '{', '.'])).map(str::to_owned));
        }
    }

    #[test]
    fn the_list_is_what_the_code_names() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = BTreeSet::new();
        for sources in ["download/src", "extract/src", "cli/src/commands/fetch", "cli/src/commands/fetch.rs"]
        {
            named(&crates.join(sources), &mut found);
        }
        // Names of programs, and no codes.
        found.retain(|name| name != "fetch-content");
        let listed: BTreeSet<String> = CODES.iter().map(|code| code.name.to_owned()).collect();
        assert_eq!(found, listed);
        assert!(CODES.is_sorted_by_key(|code| code.name));
    }

    #[test]
    fn every_code_has_a_page_of_its_class() {
        for code in CODES {
            let class = format!("Class `{}`, exit status {}.", code.class.as_str(), code.exit_status());
            assert!(code.page().starts_with(&class), "{}: {}", code.name, code.page());
            assert!(code.page().len() > class.len() + 40, "{}", code.name);
        }
        let headings = PAGES.lines().filter_map(|line| line.strip_prefix("## "));
        for heading in headings {
            assert!(FetchCode::find(heading).is_some(), "{heading}");
        }
    }
}
