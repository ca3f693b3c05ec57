//! What is downloaded, and what is known of it beforehand.

use catena_model::digest::Digest;
use catena_taskcluster::TaskclusterCredentials;
use http::HeaderMap;
use url::Url;

/// One thing to download.
#[derive(Clone, Debug)]
pub struct Download {
    /// Where it is. Redirects are followed from there.
    pub url: Url,
    /// Who asks, of that one address and of no address that it redirects to.
    pub credentials: Option<TaskclusterCredentials>,
    /// Further headers, for that one address and for no address that it redirects to.
    pub headers: HeaderMap,
    /// Whether the queue answers there: it redirects to a store, and can be asked to leave out the CDN.
    pub artifact: bool,
    /// Whether that one address is a proxy beside us, which may be asked over plain http.
    pub beside: bool,
    /// What is known of it.
    pub expected: Expected,
    /// The most bytes that are taken, decoded.
    pub limit: u64,
}

/// What is known of a body before it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its digests, each of which it must have.
    pub digests: Vec<Digest>,
    /// Its length, decoded.
    pub length: Option<u64>,
}
