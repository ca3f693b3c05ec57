//! Uploads to the object service.

use crate::artifact::Expiry;
use crate::call::{Call, CallError, segment};
use crate::{Client, TaskclusterCredentials};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catena_http::Shown;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use tokio::time::Instant;
use url::Url;

/// The largest object whose bytes may be part of the request itself.
pub const LARGEST_INLINE: usize = 8192;
/// Headers that the service may require.
const MOST_HEADERS: usize = 32;

/// An upload that the queue has prepared: its credentials permit creating the object.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectUpload {
    name: String,
    project_id: String,
    upload_id: String,
    credentials: TaskclusterCredentials,
}

impl ObjectUpload {
    pub(crate) fn upload_id(&self) -> &str {
        &self.upload_id
    }
}

impl fmt::Debug for ObjectUpload {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "object {:?}", self.name)
    }
}

/// How an object's bytes are transferred to the service.
#[derive(Clone)]
pub enum UploadMethod {
    /// They were part of the request, and are complete.
    Inline,
    /// They must be uploaded to a URL, with these headers.
    Put {
        /// The URL.
        url: Url,
        /// The headers to send.
        headers: HeaderMap,
    },
}

impl fmt::Debug for UploadMethod {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline => out.write_str("inline"),
            Self::Put { url, .. } => write!(out, "put to {}", Shown(url)),
        }
    }
}

/// The object to upload.
#[derive(Clone, Copy, Debug)]
pub struct ObjectData<'a> {
    /// Its type.
    pub content_type: &'a str,
    /// Its length.
    pub length: u64,
    /// All its bytes, if they are few enough to be part of the request.
    pub inline: Option<&'a [u8]>,
}

/// Digests of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectHashes {
    /// SHA-256.
    pub sha256: [u8; 32],
    /// SHA-512.
    pub sha512: [u8; 64],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Uploading {
    upload_method: Methods,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Methods {
    #[serde(default)]
    data_inline: bool,
    #[serde(default)]
    put_url: Option<PutUrl>,
}

#[derive(Deserialize)]
struct PutUrl {
    url: String,
    headers: BTreeMap<String, String>,
}

impl PutUrl {
    /// The headers, except for the length, which the transport sets itself.
    fn headers(&self) -> Option<HeaderMap> {
        if self.headers.len() > MOST_HEADERS {
            return None;
        }
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            if name != header::CONTENT_LENGTH {
                map.insert(name, HeaderValue::from_str(value).ok()?);
            }
        }
        Some(map)
    }
}

const CREATE: &str = "createUpload";

impl Client {
    /// Starts an upload, or requests a new URL for one that was started.
    ///
    /// # Errors
    /// As of every call; no proposed method, headers that cannot be sent, or a URL that may not be
    /// requested.
    pub async fn create_upload(
        &self,
        upload: &ObjectUpload,
        data: &ObjectData<'_>,
        expires: &Expiry,
        deadline: Instant,
    ) -> Result<UploadMethod, CallError> {
        let mut proposed = json!({
            "putUrl": {"contentType": data.content_type, "contentLength": data.length},
        });
        if let (Some(bytes), Value::Object(methods)) = (data.inline, &mut proposed) {
            let inline = json!({"contentType": data.content_type, "objectData": STANDARD.encode(bytes)});
            methods.insert("dataInline".to_owned(), inline);
        }
        let body = json!({
            "projectId": upload.project_id, "uploadId": upload.upload_id, "expires": expires.as_str(),
            "proposedUploadMethods": proposed,
        });
        let call = Call::put(CREATE, format!("object/v1/upload/{}", segment(&upload.name)), &body);
        let client = self.with_credentials(upload.credentials.clone());
        let answer: Uploading = client.ask(call, deadline).await?;
        let malformed = |what: String| CallError::malformed(CREATE, what);
        match answer.upload_method {
            Methods { data_inline: true, put_url: None } if data.inline.is_some() => Ok(UploadMethod::Inline),
            Methods { data_inline: false, put_url: Some(put) } => {
                let headers =
                    put.headers().ok_or_else(|| malformed("headers that cannot be sent".to_owned()))?;
                match Url::parse(&put.url) {
                    Ok(url) if self.may_reach(&url) => Ok(UploadMethod::Put { url, headers }),
                    Ok(url) => Err(malformed(format!("the URL is not https: {}", Shown(&url)))),
                    Err(_) => Err(malformed("the URL is not one".to_owned())),
                }
            }
            _ => Err(malformed("not exactly one of the proposed methods".to_owned())),
        }
    }

    /// Finishes an upload. Afterwards the object cannot be changed.
    ///
    /// # Errors
    /// As of every call.
    pub async fn finish_upload(
        &self,
        upload: &ObjectUpload,
        hashes: &ObjectHashes,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let body = json!({
            "projectId": upload.project_id, "uploadId": upload.upload_id,
            "hashes": {"sha256": hex::encode(hashes.sha256), "sha512": hex::encode(hashes.sha512)},
        });
        let path = format!("object/v1/finish-upload/{}", segment(&upload.name));
        let call = Call::post("finishUpload", path, Some(&body)).unanswered();
        self.with_credentials(upload.credentials.clone()).answer(call, deadline).await.map(drop)
    }
}
