//! The written forms of what only the judged task says.
//!
//! A definition is rebuilt with values that are read from the task itself or from its decision task's
//! environment. Whatever they say, both sides render the same, and a template that puts them into a
//! shell command runs it. So each of them has a form in which it cannot be taken for more than it is.
//!
//! Specification 7.18. Off-reference: a rule of its own, `confirmed-values`.

use super::{Parent, Rebuild, VALUE};
use crate::verdict::{Authority, Finding};
use crate::verification::{CheckContext, Link};
use catena_json::{Path, Value};
use catena_model::source::Revision;
use catena_model::task::TaskId;
use catena_policy::Rule;

/// The most characters of a value that a finding shows.
const SHOWN: usize = 200;

/// How a value must be written. None of the forms holds white space, quotes, a backslash, or anything
/// else that a shell acts on, but for the brackets of `[bot]` and what client ids hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The full hash of a commit or changeset.
    Hash,
    /// The name of a branch or tag.
    Ref,
    /// A mail address.
    Mail,
    /// The login of an account on GitHub.
    Login,
    /// A time: RFC 3339, or seconds since 1970.
    Time,
    /// The id of a task.
    TaskId,
    /// The id of a Taskcluster client.
    ClientId,
    /// One word.
    Word,
}

impl Form {
    /// Whether text has this form.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Hash => Revision::parse(text).is_ok(),
            Self::Ref => is_ref(text),
            Self::Mail => is_mail(text),
            Self::Login => is_login(text),
            Self::Time => is_time(text),
            Self::TaskId => TaskId::parse(text).is_ok(),
            Self::ClientId => !text.is_empty() && text.bytes().all(is_of_client_ids),
            Self::Word => !text.is_empty() && text.chars().all(|character| is_of_words(character, "")),
        }
    }

    /// What is expected, in words.
    fn words(self) -> &'static str {
        match self {
            Self::Hash => "a full hash (40 lowercase hexadecimal digits)",
            Self::Ref => "the name of a branch or tag, without characters that a shell interprets",
            Self::Mail => "a mail address, without characters that a shell interprets",
            Self::Login => "a GitHub login",
            Self::Time => "a time (RFC 3339, or seconds since 1970)",
            Self::TaskId => "a task id",
            Self::ClientId => "a Taskcluster client id",
            Self::Word => "one word of letters, digits and @ % + = : , . / _ -",
        }
    }
}

/// A value that only a task says, where it stands.
pub(super) struct Told<'a> {
    thing: String,
    path: Path,
    text: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// A member of a task's definition, if it is text.
    pub(super) fn of(link: &'a Link, keys: &[&str]) -> Self {
        let thing = format!("the queue's definition of {}", link.name);
        Self { thing, path: Path::of(keys), text: link.definition.text(keys) }
    }

    /// The first of some variables of the decision task that is there; their names go without the
    /// product's prefix.
    pub(super) fn env(cx: &CheckContext<'_>, parent: Parent<'a>, names: &[&str]) -> Self {
        let variables =
            || names.iter().map(|name| format!("{}_{name}", cx.evidence.product.source_env_prefix));
        let told = variables().find(|variable| parent.decision.definition.env(variable).is_some());
        let variable = told.or_else(|| variables().next()).unwrap_or_default();
        Self::of(parent.decision, &["payload", "env", &variable])
    }

    /// As a template sees it: in the form, or null where it is missing.
    pub(super) fn value(self, cx: &CheckContext<'_>, parent: Parent<'_>, form: Form) -> Rebuild<Value> {
        let Some(text) = self.text else { return Ok(Value::Null) };
        if form.fits(text) || cx.evidence.relaxes(Rule::ConfirmedValues) {
            return Ok(Value::from(text));
        }
        Err(unconfirmed(parent, &self.thing, self.path, form.words(), &format!("{text:?}")).into())
    }

    /// The same; empty text stands for null, which a template writes so.
    pub(super) fn value_or_empty(
        self,
        cx: &CheckContext<'_>,
        parent: Parent<'_>,
        form: Form,
    ) -> Rebuild<Value> {
        if self.text == Some("") { Ok(Value::from("")) } else { self.value(cx, parent, form) }
    }
}

/// A member of what a parent says it was started with: null, missing, or text in the form.
pub(super) fn member(
    cx: &CheckContext<'_>,
    parent: Parent<'_>,
    path: Path,
    told: Option<&Value>,
    form: Form,
) -> Rebuild<Value> {
    match told {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(Value::String(text)) if form.fits(text) => Ok(text.as_str().into()),
        Some(other) if cx.evidence.relaxes(Rule::ConfirmedValues) => Ok(other.clone()),
        Some(other) => {
            let thing = format!("the queue's definition of {}", parent.link.name);
            Err(unconfirmed(parent, &thing, path, form.words(), &other.to_string()).into())
        }
    }
}

/// The finding about a value that nothing but the task itself says.
pub(super) fn unconfirmed(
    parent: Parent<'_>,
    thing: &str,
    path: Path,
    expected: &str,
    actual: &str,
) -> Finding {
    let message = "A value that only the task itself states does not have the required form.";
    parent
        .failed(VALUE, message)
        .at(thing, Some(path))
        .expected(Authority::Policy, expected)
        .actual(Authority::Queue, shown(actual))
}

/// As much of a value as a finding shows.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The characters of a word: letters and digits of any script, what `shlex.quote` leaves unquoted, and
/// those of `more`.
fn is_of_words(character: char, more: &str) -> bool {
    character.is_alphanumeric() || "@%+=:,./_-".contains(character) || more.contains(character)
}

/// The rules of `git check-ref-format` in characters that no shell acts on.
fn is_ref(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-', '#'])
            && !part.ends_with('.')
            && !part.ends_with(".lock")
            && part.chars().all(|character| character != ':' && is_of_words(character, "#"))
    };
    text.len() <= 250 && text != "@" && !text.contains("..") && text.split('/').all(is_part)
}

/// `local@domain`; an app's account has `[bot]` at the end of the local part.
fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local = local.strip_suffix("[bot]").unwrap_or(local);
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 254
        && !local.is_empty()
        && !local.starts_with('-')
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._%+=-".contains(&byte))
        && domain.split('.').all(is_label)
}

/// Letters, digits, hyphens and underscores; an app's account has `[bot]` at its end.
fn is_login(text: &str) -> bool {
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    (1..=100).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_time(text: &str) -> bool {
    let is_number = (1..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_characters_of_times =
        || text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.+TZ".contains(&byte));
    is_number || (in_characters_of_times() && text.parse::<jiff::Timestamp>().is_ok())
}

/// Taskcluster's own pattern: `^[A-Za-z0-9!@/:.+|_-]+$`.
fn is_of_client_ids(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no form may hold: each stands for a way to be taken for more than one word.
    const ACTIVE: [&str; 29] = [
        "$(id)",
        "`id`",
        "${IFS}",
        "'",
        "\"",
        "\\",
        ";",
        "&",
        "|x y",
        "<",
        ">",
        "(",
        ")",
        "{a,b}",
        "*",
        "?",
        "~",
        "^",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "\u{7f}",
        "\u{a0}",
        "\u{2028}",
        "\u{202e}",
        "[a-z]",
        "\u{1b}[0m",
    ];

    const FORMS: [Form; 8] = [
        Form::Hash,
        Form::Ref,
        Form::Mail,
        Form::Login,
        Form::Time,
        Form::TaskId,
        Form::ClientId,
        Form::Word,
    ];

    #[test]
    fn nothing_that_a_shell_acts_on_fits_a_form() {
        let good = [
            "61928a61f9ae0c558069103b34141bfee561812a",
            "main",
            "a@example.org",
            "release-bot",
            "2026-08-12T09:20:00Z",
            "IFn9x5gaQz-HXl2pa7Ny_w",
            "login/somebody",
            "nightly",
        ];
        for (form, good) in FORMS.into_iter().zip(good) {
            assert!(form.fits(good), "{form:?} {good}");
            assert!(!form.fits(""), "{form:?}");
            assert!(!form.words().is_empty());
            for active in ACTIVE {
                for text in [format!("{active}{good}"), format!("{good}{active}"), active.to_owned()] {
                    assert!(!form.fits(&text), "{form:?} {text:?}");
                }
            }
        }
    }

    #[test]
    fn refs_follow_gits_rules() {
        for good in [
            "refs/heads/main",
            "refs/tags/v151.0",
            "releases_v151",
            "dependabot/npm_and_yarn/@types/node-20.1",
            "größe",
            "測試/x",
            "fix/issue#12",
            "a+b=c,d%e",
        ] {
            assert!(Form::Ref.fits(good), "{good}");
        }
        let long = "a".repeat(251);
        for wrong in [
            "/main", "main/", "a//b", ".a", "a/.b", "a..b", "a.lock", "a.lock/b", "a.", "-a", "a/-b", "@",
            "a:b", "#1", &long,
        ] {
            assert!(!Form::Ref.fits(wrong), "{wrong}");
        }
        assert!(Form::Ref.fits(&"a".repeat(250)));
    }

    #[test]
    fn mail_addresses_and_logins_of_people_and_apps() {
        for good in [
            "49699333+dependabot[bot]@users.noreply.github.com",
            "cron@noreply.mozilla.org",
            "a.b+c@x.y",
            "somebody@localhost",
        ] {
            assert!(Form::Mail.fits(good), "{good}");
        }
        for wrong in
            ["a", "@x.y", "a@", "a@.y", "a@x..y", "-a@x.y", "a@-x.y", "a@b@x.y", "[bot]@x.y", "a[bot]b@x.y"]
        {
            assert!(!Form::Mail.fits(wrong), "{wrong}");
        }
        for good in ["TaskclusterHook", "release-bot", "renovate[bot]", "name_company"] {
            assert!(Form::Login.fits(good), "{good}");
        }
        for wrong in ["-a", "a.b", "[bot]", "a[bot]b", "a/b"] {
            assert!(!Form::Login.fits(wrong), "{wrong}");
        }
    }

    #[test]
    fn times_are_rfc_3339_or_numbers() {
        for good in ["2026-08-12T09:20:00Z", "2026-08-12T09:20:00.123+02:00", "1786526000", "0"] {
            assert!(Form::Time.fits(good), "{good}");
        }
        for wrong in [
            "2026-08-12",
            "2026-08-12 09:20:00Z",
            "2026-13-12T09:20:00Z",
            "-1",
            "12345678901234",
            "now",
            "T",
            "1.5",
        ] {
            assert!(!Form::Time.fits(wrong), "{wrong}");
        }
    }

    #[test]
    fn client_ids_and_words() {
        for good in
            ["mozilla-auth0/ad|Mozilla-LDAP|dev", "github/123|someone", "project/releng!x", "a@b.c/d:e+f_g"]
        {
            assert!(Form::ClientId.fits(good), "{good}");
        }
        for wrong in ["größe", "a b", "a#b", "a%b"] {
            assert!(!Form::ClientId.fits(wrong), "{wrong}");
        }
        for good in ["--target-tasks-method=nightly_all", "Größe", "https://x.y/z:1,2%20"] {
            assert!(Form::Word.fits(good), "{good}");
        }
        for wrong in ["a#b", "a!b", "a[0]", "\u{1f600}"] {
            assert!(!Form::Word.fits(wrong), "{wrong}");
        }
    }
}
