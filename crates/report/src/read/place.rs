//! A value of a report and its position.

use super::{Read, ReadError};
use catena_json::{Path, Value};
use catena_keys::PublicKey;
use catena_model::digest::Digest;
use catena_model::task::TaskId;

pub(super) struct Place<'a> {
    value: &'a Value,
    path: Path,
}

impl<'a> Place<'a> {
    pub(super) fn top(value: &'a Value) -> Self {
        Self { value, path: Path::new() }
    }

    pub(super) fn wrong(&self, expected: &'static str) -> ReadError {
        ReadError::Malformed { path: self.path.clone(), expected }
    }

    /// A required member.
    pub(super) fn member(&self, name: &str) -> Read<Self> {
        let path = self.path.key(name);
        match self.value.get(name) {
            Some(value) => Ok(Self { value, path }),
            None => Err(ReadError::Malformed { path, expected: "a member" }),
        }
    }

    /// The value here, or `None` for null.
    pub(super) fn nullable<T>(&self, read: impl FnOnce(&Self) -> Read<T>) -> Read<Option<T>> {
        if self.value.is_null() { Ok(None) } else { read(self).map(Some) }
    }

    /// Every item of a list.
    pub(super) fn each<T>(&self, read: impl Fn(&Self) -> Read<T>) -> Read<Vec<T>> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        let place = |(index, value)| Self { value, path: self.path.index(index) };
        items.iter().enumerate().map(|item| read(&place(item))).collect()
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong("text"))
    }

    pub(super) fn owned(&self) -> Read<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn truth(&self) -> Read<bool> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn number(&self) -> Read<u64> {
        self.value.as_u64().ok_or_else(|| self.wrong("a count"))
    }

    /// A string with its own format.
    pub(super) fn parsed<T>(&self, expected: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Read<T> {
        read(self.text()?).ok_or_else(|| self.wrong(expected))
    }

    pub(super) fn task_id(&self) -> Read<TaskId> {
        self.parsed("a task's id", |text| TaskId::parse(text).ok())
    }

    pub(super) fn digest(&self) -> Read<Digest> {
        self.parsed("sha256: or sha512: and lowercase hexadecimal", |text| Digest::parse_prefixed(text).ok())
    }

    pub(super) fn key(&self) -> Read<PublicKey> {
        self.parsed("a public key in base64", |text| PublicKey::parse_base64(text).ok())
    }
}
