//! The private CA and the certificate of the hosts this server stands for.

use crate::server::StartError;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;

/// Hosts the certificate is always good for.
const HOSTS: [&str; 6] =
    ["127.0.0.1", "localhost", "hg.mozilla.org", "raw.githubusercontent.com", "api.github.com", "github.com"];

/// The name of HTTP/2 in TLS (RFC 9113, section 3.1).
pub(crate) const HTTP2: &[u8] = b"h2";

/// What a TLS listener and its clients need.
#[derive(Clone)]
pub(crate) struct Authority {
    /// The CA certificate, PEM.
    pub(crate) ca_pem: String,
    /// The server's side.
    pub(crate) config: Arc<ServerConfig>,
}

impl Authority {
    /// A new CA and a certificate of it for [`HOSTS`] and `more`; whether HTTP/2 is offered too.
    pub(crate) fn new(more: &[String], http2: bool) -> Result<Self, StartError> {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "Catena testbed CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;

        let hosts: Vec<String> =
            HOSTS.iter().map(|host| (*host).to_owned()).chain(more.iter().cloned()).collect();
        let mut leaf = CertificateParams::new(hosts)?;
        leaf.distinguished_name.push(DnType::CommonName, "Catena testbed");
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&key, &ca)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)?;
        let offered: &[&[u8]] = if http2 { &[HTTP2, b"http/1.1"] } else { &[b"http/1.1"] };
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        Ok(Authority { ca_pem: ca.as_ref().pem(), config: Arc::new(config) })
    }
}
