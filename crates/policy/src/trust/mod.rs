//! The trust file: every trusted key, what it may sign for, and when.
//!
//! It is a policy file with the key `trusted-keys`, which only one file of a policy may have. If
//! present, nothing else adds a key: lists under `keys` and files for `--keys` can only narrow it
//! (specification 13.1 to 13.3).

mod audit;
mod edit;
mod read;

pub use audit::{AuditKind, AuditNote, audit};
pub use edit::{EditError, Revocation, Rotation};
pub(super) use read::read;

use super::diagnostic::{Diagnostic, Notes};
use super::document::{self, Node, Place, Unreadable};
use super::format::{FILE, TRUSTED_KEYS, conform};
use super::keys::KnownKeys;
use super::layers::{check_version, settle};
use super::usage::Usage;
use catena_keys::{KeyId, PublicKey, Revoked, TrustedKey, Validity};
use catena_model::task::WorkerImplementation;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One key of a trust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRecord {
    /// Its name.
    pub id: KeyId,
    /// The key.
    pub key: PublicKey,
    /// The worker implementations that it may sign for.
    pub worker_implementations: BTreeSet<WorkerImplementation>,
    /// Further limits on its use.
    pub usage: Usage,
    /// The first moment it is valid.
    pub not_before: Option<Timestamp>,
    /// The last moment it is valid.
    pub not_after: Option<Timestamp>,
    /// Whether it is revoked.
    pub revoked: Option<Revocation>,
    /// A note for people.
    pub comment: Option<String>,
}

impl TrustRecord {
    /// Its validity.
    #[must_use]
    pub fn validity(&self) -> Validity {
        Validity {
            not_before: self.not_before,
            not_after: self.not_after,
            revoked: self.revoked.as_ref().map(|revoked| revoked.compromised_from),
            because: self.revoked.as_ref().map(|revoked| revoked.reason.clone()),
        }
    }

    /// The key in the form that signatures are verified with.
    #[must_use]
    pub fn trusted(&self) -> TrustedKey {
        TrustedKey { id: Some(self.id.clone()), key: self.key.clone(), validity: self.validity() }
    }

    /// Whether a document signed at this moment is accepted.
    fn is_valid_at(&self, at: Timestamp) -> bool {
        let signed = catena_keys::Period { first: at, last: at };
        self.validity().holds_over(Some(signed)).is_ok()
    }
}

/// A trust file on its own, as the key tools read it.
#[derive(Clone, Debug)]
pub struct TrustFile {
    name: String,
    text: String,
    records: Vec<TrustRecord>,
    /// Where each record begins.
    places: Vec<Place>,
    warnings: Vec<Diagnostic>,
}

impl TrustFile {
    /// Reads a trust file. `name` is the file's, for diagnostics.
    ///
    /// # Errors
    /// All errors at once: not a policy file, `trusted-keys` missing, or an unusable key.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut notes = Notes::default();
        let list = trusted_keys(name, text, &mut notes);
        let records = list.as_ref().map(|list| read(list, &mut KnownKeys::default(), &mut notes));
        let warnings = notes.into_result()?;
        let places = list.iter().flat_map(Node::items).map(|item| item.place.clone()).collect();
        let (name, text) = (name.to_owned(), text.to_owned());
        Ok(Self { name, text, records: records.unwrap_or_default(), places, warnings })
    }

    /// The keys, in the order of the file.
    #[must_use]
    pub fn records(&self) -> &[TrustRecord] {
        &self.records
    }

    /// Warnings: they do not prevent the use of the file, but were probably not intended.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The list under `trusted-keys`.
fn trusted_keys(name: &str, text: &str, notes: &mut Notes) -> Option<Node> {
    let file = match document::read(name, text) {
        Ok(file) => file,
        Err(Unreadable { place, message }) => {
            notes.error(&place, message);
            return None;
        }
    };
    check_version(&file, notes);
    let file = conform(file, &FILE, notes)?;
    match file.get(TRUSTED_KEYS) {
        Some(list) => settle(list.clone(), notes),
        None => {
            let hint = Some(format!("a trust file is a policy file with `{TRUSTED_KEYS}`: a list of keys"));
            notes.error_with(&file.place, format!("this file has no `{TRUSTED_KEYS}`"), hint);
            None
        }
    }
}

/// Whether a key is revoked for all time.
fn is_never_valid(record: &TrustRecord) -> bool {
    record.revoked.as_ref().is_some_and(|revoked| revoked.compromised_from == Revoked::Always)
}
