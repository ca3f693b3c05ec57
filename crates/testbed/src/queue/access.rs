//! Who may ask: clients, their scopes, and signatures (Hawk).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How far the clocks of client and server may be apart, as the real service has it.
const SKEW: Duration = Duration::from_secs(15 * 60);

struct Client {
    access_token: String,
    scopes: Vec<String>,
    /// Temporary credentials have a certificate, and end.
    certificate: Option<Value>,
    until: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Clients(BTreeMap<String, Vec<Client>>);

/// The client, once its signature has been verified.
#[derive(Debug)]
pub(crate) struct Caller {
    id: String,
    scopes: Vec<String>,
}

/// Why somebody may not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Clients {
    pub(super) fn add(&mut self, id: &str, access_token: &str, scopes: Vec<String>) {
        let client = Client { access_token: access_token.to_owned(), scopes, certificate: None, until: None };
        self.0.insert(id.to_owned(), vec![client]);
    }

    /// Makes temporary credentials; older ones of the same name stay good for their time.
    pub(super) fn issue(&mut self, id: &str, token: &str, scopes: Vec<String>, until: Timestamp) -> Value {
        let certificate = json!({
            "version": 1, "scopes": scopes, "start": Timestamp::now().as_millisecond() - 60_000,
            "expiry": until.as_millisecond(), "seed": token, "signature": "made by the testbed",
        });
        let credentials =
            json!({"clientId": id, "accessToken": token, "certificate": certificate.to_string()});
        let certificate = Some(certificate);
        let client = Client { access_token: token.to_owned(), scopes, certificate, until: Some(until) };
        self.0.entry(id.to_owned()).or_default().push(client);
        credentials
    }

    /// Ends all credentials whose id begins so.
    pub(super) fn expire(&mut self, prefix: &str) {
        let ended = self.0.iter_mut().filter(|(id, _)| id.starts_with(prefix));
        for client in ended.flat_map(|(_, clients)| clients) {
            client.until = Some(Timestamp::UNIX_EPOCH);
        }
    }

    /// Who signed a request.
    pub(crate) fn caller(
        &self,
        method: &str,
        url: &str,
        authorization: Option<&str>,
    ) -> Result<Caller, Denied> {
        let failed = |message: &str| Denied { status: 401, message: message.to_owned() };
        let Some(text) = authorization else {
            let id = "static/taskcluster/anonymous".to_owned();
            return Ok(Caller { id, scopes: Vec::new() });
        };
        let header = text.strip_prefix("Hawk ").and_then(|rest| rest.parse::<hawk::Header>().ok());
        let header = header.ok_or_else(|| failed("Invalid header syntax"))?;
        let id = header.id.clone().unwrap_or_default();
        let known = self.0.get(&id).ok_or_else(|| failed("Client ID not found"))?;
        let said = header.ext.as_deref().and_then(certificate);
        let url: url::Url = url.parse().map_err(|_| failed("Invalid URL"))?;
        let request =
            hawk::RequestBuilder::from_url(method, &url).map_err(|_| failed("Invalid URL"))?.request();
        let signed = known.iter().find(|client| {
            let key = hawk::Key::new(client.access_token.as_bytes(), hawk::SHA256);
            key.is_ok_and(|key| request.validate_header(&header, &key, SKEW))
        });
        let client = signed.ok_or_else(|| failed("Bad mac"))?;
        if client.certificate != said {
            return Err(failed("ext.certificate.signature is not valid"));
        }
        if client.until.is_some_and(|until| until <= Timestamp::now()) {
            return Err(failed("ext.certificate.expiry < now"));
        }
        Ok(Caller { id, scopes: client.scopes.clone() })
    }
}

impl Caller {
    /// Whether it has all these scopes.
    pub(crate) fn must_have(&self, wanted: &[String]) -> Result<(), Denied> {
        let satisfied = |wanted: &&String| {
            self.scopes.iter().any(|scope| {
                scope.strip_suffix('*').map_or(scope == *wanted, |prefix| wanted.starts_with(prefix))
            })
        };
        match wanted.iter().find(|scope| !satisfied(scope)) {
            None => Ok(()),
            Some(missing) => Err(Denied {
                status: 403,
                message: format!(
                    "Client ID {} does not have sufficient scopes and is missing the following scopes:\n\n```\n{missing}\n```",
                    self.id
                ),
            }),
        }
    }
}

/// The certificate that stands in the `ext` of a header.
fn certificate(ext: &str) -> Option<Value> {
    let bytes = STANDARD.decode(ext).ok()?;
    let mut value: Value = serde_json::from_slice(&bytes).ok()?;
    value.get_mut("certificate").map(Value::take)
}
