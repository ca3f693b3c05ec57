//! Credentials for Taskcluster.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use catena_http::{Secret, sensitive};
use http::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use url::Url;
use zeroize::Zeroizing;

/// Taskcluster credentials: permanent, or temporary ones with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Handed")]
pub struct TaskclusterCredentials {
    client_id: String,
    access_token: Secret,
    certificate: Option<Secret>,
}

/// Why credentials cannot be used. No variant contains any part of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Only one of client id and access token is set.
    #[error("TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN must be set together")]
    Incomplete,
    /// The certificate is not a JSON object.
    #[error("the Taskcluster certificate is not a JSON object")]
    Certificate,
    /// A client id that is not valid in a header.
    #[error("the Taskcluster client id contains an invalid character")]
    ClientId,
    /// The file cannot be read.
    #[error("cannot read Taskcluster credentials from {path}: {reason}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's message.
        reason: String,
    },
    /// The file is malformed.
    #[error("{path} is not a JSON object of clientId, accessToken and optionally certificate (line {line}, column {column})", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The line of the error.
        line: usize,
        /// The column of the error.
        column: usize,
    },
}

/// The file: `{"clientId", "accessToken", "certificate"?}`; the certificate as a string or as an
/// object, since both are in use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    client_id: String,
    access_token: Secret,
    #[serde(default)]
    certificate: Option<Box<RawValue>>,
}

/// The form that services issue: the same, with additional members of newer versions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handed {
    client_id: String,
    access_token: Secret,
    #[serde(default)]
    certificate: Option<Box<RawValue>>,
}

impl TryFrom<Handed> for TaskclusterCredentials {
    type Error = CredentialsError;

    fn try_from(handed: Handed) -> Result<Self, CredentialsError> {
        Self::new(handed.client_id, handed.access_token, certificate(handed.certificate))
    }
}

/// The text of a certificate that is given as a string or as an object.
fn certificate(raw: Option<Box<RawValue>>) -> Option<Secret> {
    let text =
        raw.map(|raw| serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned()));
    text.filter(|text| !matches!(text.trim(), "" | "null")).map(Secret::new)
}

/// Larger than any credentials.
const LARGEST_FILE: usize = 64 << 10;

impl TaskclusterCredentials {
    /// Credentials from their parts. The certificate is the JSON text that Taskcluster issues.
    ///
    /// # Errors
    /// A certificate that is not a JSON object; a malformed client id.
    pub fn new(
        client_id: String,
        access_token: Secret,
        certificate: Option<Secret>,
    ) -> Result<Self, CredentialsError> {
        // Taskcluster's own rule: https://docs.taskcluster.net, `clientId` of the auth service.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&byte);
        if client_id.is_empty() || !client_id.bytes().all(plain) {
            return Err(CredentialsError::ClientId);
        }
        if let Some(certificate) = &certificate {
            let parsed: Result<serde_json::Map<String, serde_json::Value>, _> =
                serde_json::from_str(certificate.expose());
            parsed.map_err(|_| CredentialsError::Certificate)?;
        }
        Ok(Self { client_id, access_token, certificate })
    }

    /// Reads `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` and `TASKCLUSTER_CERTIFICATE`. A
    /// variable that is empty counts as not set.
    ///
    /// # Errors
    /// Only one of the first two is set; a malformed certificate.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, CredentialsError> {
        let set = |name| variable(name).filter(|text| !text.trim().is_empty());
        match (set("TASKCLUSTER_CLIENT_ID"), set("TASKCLUSTER_ACCESS_TOKEN")) {
            (None, None) => Ok(None),
            (Some(client_id), Some(token)) => {
                let certificate = set("TASKCLUSTER_CERTIFICATE").map(Secret::new);
                Self::new(client_id, Secret::new(token), certificate).map(Some)
            }
            _ => Err(CredentialsError::Incomplete),
        }
    }

    /// Reads a file of credentials.
    ///
    /// # Errors
    /// A file that cannot be read or is not exactly such an object.
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let unreadable = |reason: String| CredentialsError::Read { path: path.to_owned(), reason };
        let bytes = Zeroizing::new(std::fs::read(path).map_err(|error| unreadable(error.to_string()))?);
        if bytes.len() > LARGEST_FILE {
            return Err(unreadable("it is too large to hold credentials".to_owned()));
        }
        // The error's message may quote the file; only the position is kept.
        let file: File = serde_json::from_slice(&bytes).map_err(|error| CredentialsError::File {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        let certificate = certificate(file.certificate);
        Self::new(file.client_id, file.access_token, certificate)
    }

    /// The client id; not a secret.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The access token, for passing the credentials on.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The certificate of temporary credentials, the JSON text that Taskcluster issues.
    #[must_use]
    pub fn certificate(&self) -> Option<&Secret> {
        self.certificate.as_ref()
    }

    /// The `Authorization` header of one request (Hawk). `None` if the request cannot be signed; it is
    /// then sent unsigned, and refused if a signature is required.
    #[must_use]
    pub fn authorization(&self, method: &http::Method, url: &Url) -> Option<HeaderValue> {
        let key = hawk::Key::new(self.access_token.expose(), hawk::SHA256).ok()?;
        let credentials = hawk::Credentials { id: self.client_id.clone(), key };
        let ext = self.certificate.as_ref().map(|certificate| {
            STANDARD
                .encode(Zeroizing::new(format!("{{\"certificate\":{}}}", certificate.expose())).as_bytes())
        });
        let request =
            hawk::RequestBuilder::from_url(method.as_str(), url).ok()?.ext(ext.as_deref()).request();
        let header = request.make_header(&credentials).ok()?;
        sensitive(&format!("Hawk {header}"))
    }
}

/// A GitHub token from the environment: the first of `CATENA_GITHUB_TOKEN`, `GITHUB_TOKEN` and
/// `SCRIPTWORKER_GITHUB_OAUTH_TOKEN` that is set and not empty.
#[must_use]
pub fn github_token_from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Secret> {
    ["CATENA_GITHUB_TOKEN", "GITHUB_TOKEN", "SCRIPTWORKER_GITHUB_OAUTH_TOKEN"]
        .into_iter()
        .filter_map(variable)
        .map(|text| text.trim().to_owned())
        .find(|text| !text.is_empty())
        .map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TOKEN: &str = "GBEQTf20RJ-4HCLo8Y6fvgLyNzREdhRZSuRyc7VAgXHw";

    fn environment(pairs: &[(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn from_the_environment() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            TaskclusterCredentials::from_environment(environment(pairs))
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("TASKCLUSTER_CLIENT_ID", ""), ("TASKCLUSTER_ACCESS_TOKEN", "")]), Ok(None));
        assert_eq!(read(&[("TASKCLUSTER_CLIENT_ID", "me")]), Err(CredentialsError::Incomplete));
        assert_eq!(read(&[("TASKCLUSTER_ACCESS_TOKEN", "t")]), Err(CredentialsError::Incomplete));
        let both = [("TASKCLUSTER_CLIENT_ID", "me"), ("TASKCLUSTER_ACCESS_TOKEN", TOKEN)];
        assert_eq!(read(&both).unwrap().unwrap().client_id(), "me");
        let certificate = [both[0], both[1], ("TASKCLUSTER_CERTIFICATE", "[1]")];
        assert_eq!(read(&certificate), Err(CredentialsError::Certificate));
        assert_eq!(read(&[("TASKCLUSTER_CLIENT_ID", "a\"b"), both[1]]), Err(CredentialsError::ClientId));
    }

    #[test]
    fn from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            TaskclusterCredentials::from_file(&path)
        };
        let object =
            read(r#"{"clientId": "me", "accessToken": "t", "certificate": {"version": 1}}"#).unwrap();
        let text =
            read(r#"{"clientId": "me", "accessToken": "t", "certificate": "{\"version\": 1}"}"#).unwrap();
        assert_eq!(object, text);
        assert_eq!(
            read(r#"{"clientId": "me", "accessToken": "t", "certificate": null}"#).unwrap().certificate,
            None
        );
        let wrong = read(r#"{"clientId": "me", "accessTokens": "hidden-token"}"#).unwrap_err();
        assert!(matches!(wrong, CredentialsError::File { .. }));
        assert!(!format!("{wrong} {wrong:?}").contains("hidden-token"));
        assert!(matches!(
            TaskclusterCredentials::from_file(&folder.path().join("none")),
            Err(CredentialsError::Read { .. })
        ));
    }

    #[test]
    fn a_server_accepts_a_signed_request() {
        let certificate = Secret::new(r#"{"version":1}"#.to_owned());
        let credentials =
            TaskclusterCredentials::new("me".to_owned(), Secret::new(TOKEN.to_owned()), Some(certificate))
                .unwrap();
        let url = Url::parse("https://tc.example/api/queue/v1/task/x?continuationToken=1").unwrap();
        let header = credentials.authorization(&http::Method::GET, &url).unwrap();
        assert!(header.is_sensitive());
        let text = header.to_str().unwrap();
        assert!(!text.contains(TOKEN));
        let parsed: hawk::Header = text.strip_prefix("Hawk ").unwrap().parse().unwrap();
        assert_eq!(parsed.ext.as_deref(), Some(STANDARD.encode(r#"{"certificate":{"version":1}}"#).as_str()));
        let key = hawk::Key::new(TOKEN, hawk::SHA256).unwrap();
        let server = |url: &Url| {
            let request = hawk::RequestBuilder::from_url("GET", url).unwrap().request();
            request.validate_header(&parsed, &key, Duration::from_secs(60))
        };
        assert!(server(&url));
        assert!(!server(&Url::parse("https://tc.example/api/queue/v1/task/y").unwrap()));
    }

    #[test]
    fn secrets_do_not_show() {
        let credentials =
            TaskclusterCredentials::new("me".to_owned(), Secret::new(TOKEN.to_owned()), None).unwrap();
        assert!(!format!("{credentials:?}").contains(TOKEN));
        let token = github_token_from_environment(environment(&[
            ("CATENA_GITHUB_TOKEN", " "),
            ("GITHUB_TOKEN", "ghp_x\n"),
        ]));
        assert_eq!(token.as_ref().map(Secret::expose), Some("ghp_x"));
        let header = catena_http::bearer(&token.unwrap()).unwrap();
        assert!(!format!("{header:?}").contains("ghp_x"));
    }
}
