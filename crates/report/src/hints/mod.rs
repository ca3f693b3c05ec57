//! What to do about a failed finding. Advice is a matter of presentation, so it stands here and not
//! with the checks.
//!
//! A code has its causes in the order of their likelihood, those without bad intent first where the
//! class allows. Each has one command that confirms or excludes it, as far as a command can.

use catena_model::source::RepositoryUrl;
use catena_verify::verdict::{Class, Code, Finding, Verdict};

/// A code by its name; a name that no code has does not compile.
macro_rules! code {
    ($name:literal) => {
        const {
            #[allow(clippy::panic, reason = "it stops the compiler, and is never run")]
            match catena_verify::checks::code($name) {
                Some(code) => code,
                None => panic!(concat!("no code is named ", $name)),
            }
        }
    };
}
pub(crate) use code;

mod parents;
mod signed;
mod sources;
mod tasks;

/// Commands that confirm or exclude a cause. Words in capitals are filled in from the finding: see [`fill`].
mod commands {
    pub(super) const ARTIFACTS: &str = "curl -s ROOT/api/queue/v1/task/TASK/artifacts";
    pub(super) const COMMITS: &str = "curl -sIL REPOSITORY/commits/REVISION";
    pub(super) const DEFINITION: &str = "curl -s ROOT/api/queue/v1/task/TASK";
    pub(super) const DOCUMENT: &str =
        "curl -sL ROOT/api/queue/v1/task/TASK/artifacts/public/chain-of-trust.json";
    pub(super) const LOG: &str =
        "curl -sL ROOT/api/queue/v1/task/TASK/artifacts/public/logs/live_backing.log";
    pub(super) const PING: &str = "curl -s ROOT/api/queue/v1/ping";
    pub(super) const POLICY: &str = "catena policy show --product PRODUCT POLICY";
    pub(super) const PROJECTS: &str = "catena policy show --product PRODUCT POLICY | grep projects-url";
    pub(super) const RECORD: &str =
        "catena verify TARGET --task-type KIND --product PRODUCT POLICY CHECKS --record evidence";
    pub(super) const REFERENCES: &str = "git ls-remote REPOSITORY";
    pub(super) const REPOSITORY: &str = "curl -sIL REPOSITORY";
    pub(super) const TEMPLATE: &str = "curl -sL REPOSITORY/RAW/REVISION/.taskcluster.yml";
    pub(super) const STATUS: &str = "curl -s ROOT/api/queue/v1/task/TASK/status";
    pub(super) const TARGET: &str = "curl -s ROOT/api/queue/v1/task/TARGET";
    pub(super) const VERIFY: &str = "catena verify TARGET --task-type KIND --product PRODUCT POLICY CHECKS";
    pub(super) const VERIFY_LONGER: &str =
        "catena verify TARGET --task-type KIND --product PRODUCT POLICY CHECKS --deadline 15m";
}

/// The advice for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The code.
    pub code: Code,
    /// Its causes, the likeliest first.
    pub causes: &'static [Cause],
}

/// A cause, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// In words.
    pub text: &'static str,
    /// A command that confirms or excludes it, if one can. `TASK` and other words in capitals stand for parts of
    /// the finding.
    pub command: Option<&'static str>,
}

const fn hint(code: Code, causes: &'static [Cause]) -> Hint {
    Hint { code, causes }
}

/// A cause with its command.
const fn show(text: &'static str, command: &'static str) -> Cause {
    Cause { text, command: Some(command) }
}

/// A cause that no command confirms.
const fn say(text: &'static str) -> Cause {
    Cause { text, command: None }
}

/// The advice for every code that can fail.
pub fn hints() -> impl Iterator<Item = &'static Hint> {
    [signed::HINTS, tasks::HINTS, parents::HINTS, sources::HINTS].into_iter().flatten()
}

/// The causes of a code: its own, or those of its class.
#[must_use]
pub fn causes(code: &Code) -> &'static [Cause] {
    hints().find(|hint| hint.code == *code).map_or_else(|| of_class(code.class), |hint| hint.causes)
}

fn of_class(class: Class) -> &'static [Cause] {
    const TAMPER: &[Cause] = &[show(
        "do not retry. Keep the evidence, and call the people responsible for the release and its security.",
        commands::RECORD,
    )];
    const INVALID: &[Cause] = &[show(
        "find out who made the task or file named above, and how, before you use anything of it.",
        commands::DEFINITION,
    )];
    const POLICY: &[Cause] = &[show(
        "the product's policy does not allow this. Change the task in its tree, or the policy after review.",
        commands::POLICY,
    )];
    const CONFIG: &[Cause] = &[show(
        "our own policy or keys do not suffice. Complete them (--policy, --keys) and verify again.",
        commands::POLICY,
    )];
    const INFRA: &[Cause] =
        &[show("retry; if it persists, check the service that is named above.", commands::VERIFY)];
    match class {
        Class::Tamper => TAMPER,
        Class::Invalid => INVALID,
        Class::Policy => POLICY,
        Class::Config => CONFIG,
        Class::Infra => INFRA,
    }
}

/// The causes of a finding: each in words, and its command as it can be run.
pub(crate) fn advice(verdict: &Verdict, finding: &Finding) -> Vec<(&'static str, Option<String>)> {
    let causes = causes(&finding.code).iter();
    causes.map(|cause| (cause.text, cause.command.map(|command| fill(command, verdict, finding)))).collect()
}

/// The same as one text: each command in backticks behind its cause.
pub(crate) fn advice_text(verdict: &Verdict, finding: &Finding) -> String {
    joined(advice(verdict, finding).into_iter())
}

/// The causes of a code without a finding: each in words, and its command with words in capitals to fill in.
#[must_use]
pub fn code_causes(code: &Code) -> Vec<(&'static str, Option<String>)> {
    let without_options = |command: &str| command.replace(" POLICY", "").replace(" CHECKS", "");
    causes(code).iter().map(|cause| (cause.text, cause.command.map(without_options))).collect()
}

/// The same as one text.
#[must_use]
pub fn code_advice(code: &Code) -> String {
    joined(code_causes(code).into_iter())
}

fn joined(causes: impl Iterator<Item = (&'static str, Option<String>)>) -> String {
    let texts = causes.map(|(text, command)| match command {
        Some(command) => format!("{text} `{command}`"),
        None => text.to_owned(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// A command with the parts of a finding in place of its words in capitals. A part that is not known, or that a
/// shell could take for more than one word, leaves its word.
fn fill(command: &str, verdict: &Verdict, finding: &Finding) -> String {
    let parts = Parts { verdict, finding };
    let words = command.split(' ').filter_map(|word| parts.word(word));
    words.collect::<Vec<_>>().join(" ")
}

struct Parts<'a> {
    verdict: &'a Verdict,
    finding: &'a Finding,
}

impl Parts<'_> {
    fn word(&self, word: &str) -> Option<String> {
        let Verdict { policy, check_task, .. } = self.verdict;
        match word {
            "POLICY" => {
                let name = if is_plain(&policy.name) { policy.name.as_str() } else { "FILE" };
                (!policy.is_shipped()).then(|| format!("--policy {name}"))
            }
            "CHECKS" => (!check_task).then(|| "--no-check-task".to_owned()),
            word => Some(self.filled(word)),
        }
    }

    fn filled(&self, word: &str) -> String {
        let root = self.verdict.root_url.as_deref().map(|root| root.trim_end_matches('/'));
        let known = [
            ("ROOT", Some(root.filter(|root| is_plain(root)).unwrap_or("$TASKCLUSTER_ROOT_URL").to_owned())),
            ("REPOSITORY", self.repository()),
            ("RAW", Some(self.raw().to_owned())),
            ("REVISION", self.revision().map(str::to_owned)),
            ("TARGET", Some(self.verdict.task_id.to_string())),
            ("PARENT", self.edge("parent")),
            ("IMAGE", self.edge("docker-image")),
            ("TASK", Some(self.finding.task_id.to_string())),
            ("KIND", Some(self.verdict.kind.to_string()).filter(|kind| is_plain(kind))),
            ("PRODUCT", Some(self.verdict.product.clone()).filter(|product| is_plain(product))),
        ];
        // One name in a word: what is filled in is never searched again.
        let found = known.into_iter().find(|(name, _)| word.contains(name));
        match found {
            Some((name, Some(value))) => match word.split_once(name) {
                Some((before, after)) => format!("{before}{value}{}", self.filled(after)),
                None => word.to_owned(),
            },
            _ => word.to_owned(),
        }
    }

    /// The task that the finding's link depends on by this name.
    fn edge(&self, name: &str) -> Option<String> {
        let link = self.verdict.links.iter().find(|link| link.task_id == self.finding.task_id)?;
        link.edges.iter().find(|edge| edge.name == name).map(|edge| edge.task_id.to_string())
    }

    /// What the finding says, the most exact first.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let Finding { actual, expected, message, location, origin, .. } = self.finding;
        let actual = actual.as_ref().map(|claim| claim.text.as_str());
        let expected = expected.as_ref().map(|claim| claim.text.as_str());
        let place = location.as_ref().map(|place| place.document.as_str());
        [actual, Some(message.as_str()), place, origin.as_deref(), expected].into_iter().flatten()
    }

    /// The first repository that the finding names, without what stands below it.
    fn repository(&self) -> Option<String> {
        self.texts().find_map(|text| {
            text.split(|character: char| !is_of_addresses(character)).find_map(|word| {
                let word = word.trim_end_matches(['.', ':']);
                let bare = word.strip_prefix("https://").unwrap_or(word);
                if let Some(path) = bare.strip_prefix("github.com/") {
                    let mut parts = path.split('/').filter(|part| !part.is_empty());
                    return Some(format!("https://github.com/{}/{}", parts.next()?, parts.next()?));
                }
                let end = ["/file/", "/rev/", "/raw-file/"].iter().filter_map(|below| word.find(below)).min();
                let url = RepositoryUrl::parse(word.get(..end.unwrap_or(word.len()))?).ok()?;
                // An address of the API is that of an answer.
                (url.host() != "api.github.com").then(|| url.as_str().to_owned())
            })
        })
    }

    /// What stands before a revision in the address of a file.
    fn raw(&self) -> &'static str {
        let is_github = self.repository().is_some_and(|one| one.starts_with("https://github.com/"));
        if is_github { "raw" } else { "raw-file" }
    }

    /// The first full hash that the finding names.
    fn revision(&self) -> Option<&str> {
        let is_hash = |word: &&str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let words = |text| str::split(text, |character: char| !character.is_ascii_alphanumeric());
        self.texts().find_map(|text| words(text).find(is_hash))
    }
}

fn is_of_addresses(character: char) -> bool {
    character.is_ascii_alphanumeric() || ":/._-".contains(character)
}

/// Whether a shell takes text for one word, and for nothing else.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && text.chars().all(is_of_addresses)
}
