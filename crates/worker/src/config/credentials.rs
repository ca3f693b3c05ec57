//! Where the worker's own credentials come from: the configuration, two files, or the environment; the first
//! that has any.

use catena_http::Secret;
use catena_json::{Limits, Value};
use catena_taskcluster::TaskclusterCredentials;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a file of credentials.
const MAX_BYTES: u64 = 64 << 10;
const KEY: &str = "credentials";

/// The files that may hold credentials, in their order.
pub(super) fn files(variable: &dyn Fn(&str) -> Option<String>) -> [PathBuf; 2] {
    let home = variable("HOME").filter(|home| !home.is_empty()).map_or("/etc".into(), PathBuf::from);
    ["secrets.json".into(), home.join(".scriptworker")]
}

/// The credentials that `configured` says, or those of the first file or of the environment that has any.
pub(super) fn find(
    configured: Option<&Value>,
    files: &[PathBuf],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<TaskclusterCredentials>, String> {
    if let Some(value) = configured.filter(|value| !is_empty(value)) {
        return credentials(value).map(Some).map_err(|reason| format!("{KEY}: {reason}"));
    }
    for file in files {
        if let Some(found) = of_file(file)? {
            return Ok(Some(found));
        }
    }
    TaskclusterCredentials::from_environment(variable).map_err(|error| error.to_string())
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(|map| map.is_empty())
}

/// None where there is no file, or none of the key in it.
fn of_file(path: &Path) -> Result<Option<TaskclusterCredentials>, String> {
    let told = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&error)),
    };
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut text).map_err(|error| told(&error))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(told(&"it is too large to hold credentials"));
    }
    // What the parser says may quote the file, whose content is secret.
    let value = catena_json::parse(&text, &Limits::default()).map_err(|_| told(&"it is not JSON"))?;
    match value.get(KEY).filter(|value| !is_empty(value)) {
        Some(value) => credentials(value).map(Some).map_err(|reason| told(&format!("{KEY}: {reason}"))),
        None => Ok(None),
    }
}

/// `{clientId, accessToken, certificate?}`; the certificate as text or as the object itself.
fn credentials(value: &Value) -> Result<TaskclusterCredentials, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(client_id), Some(token)) = (text("clientId"), text("accessToken")) else {
        return Err("an object of clientId, accessToken and perhaps certificate must stand here".to_owned());
    };
    let certificate = match value.get("certificate") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(Secret::new(text.clone())),
        Some(object) => Some(Secret::new(object.to_string())),
    };
    TaskclusterCredentials::new(client_id.to_owned(), Secret::new(token.to_owned()), certificate)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &dyn Fn(&str) -> Option<String> = &|_| None;

    fn object(client: &str) -> String {
        format!(r#"{{"clientId":"{client}","accessToken":"t"}}"#)
    }

    fn value(text: &str) -> Value {
        catena_json::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn client(found: Result<Option<TaskclusterCredentials>, String>) -> Option<String> {
        found.unwrap().map(|found| found.client_id().to_owned())
    }

    #[test]
    fn b012_b013_and_b014_the_first_place_counts() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["secrets.json", ".scriptworker"].map(|name| folder.path().join(name));
        let variable = |name: &str| match name {
            "TASKCLUSTER_CLIENT_ID" => Some("environment".to_owned()),
            "TASKCLUSTER_ACCESS_TOKEN" => Some("t".to_owned()),
            _ => None,
        };
        assert_eq!(client(find(None, &files, &variable)).as_deref(), Some("environment"));
        std::fs::write(&files[1], format!(r#"{{"credentials":{}}}"#, object("home"))).unwrap();
        assert_eq!(client(find(None, &files, &variable)).as_deref(), Some("home"));
        // A file without the key is passed over.
        std::fs::write(&files[0], r#"{"other":1}"#).unwrap();
        assert_eq!(client(find(None, &files, &variable)).as_deref(), Some("home"));
        std::fs::write(&files[0], format!(r#"{{"credentials":{}}}"#, object("secrets"))).unwrap();
        assert_eq!(client(find(None, &files, &variable)).as_deref(), Some("secrets"));
        let configured = value(&object("config"));
        assert_eq!(client(find(Some(&configured), &files, &variable)).as_deref(), Some("config"));
        assert_eq!(client(find(Some(&value("{}")), &files, &variable)).as_deref(), Some("secrets"));
    }

    #[test]
    fn b015_there_may_be_none() {
        assert_eq!(client(find(None, &[], NONE)), None);
    }

    #[test]
    fn an_unreadable_file_is_told_of_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.json");
        std::fs::write(&file, "{\"credentials\": hidden}").unwrap();
        let told = find(None, std::slice::from_ref(&file), NONE).unwrap_err();
        assert!(told.ends_with("it is not JSON") && !told.contains("hidden"), "{told}");
        std::fs::write(&file, r#"{"credentials":{"clientId":"me"}}"#).unwrap();
        assert!(find(None, &[file], NONE).unwrap_err().contains("accessToken"));
    }

    #[test]
    fn a_certificate_is_text_or_an_object() {
        for certificate in [r#""{\"version\":1}""#, r#"{"version":1}"#, "null", r#""""#] {
            let text = format!(r#"{{"clientId":"me","accessToken":"t","certificate":{certificate}}}"#);
            assert_eq!(client(find(Some(&value(&text)), &[], NONE)).as_deref(), Some("me"), "{certificate}");
        }
    }
}
