//! Faults: what can go wrong between a verifier and the services, for any URL.

use crate::body::Body;
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use std::ops::{Bound, RangeBounds};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One fault of an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Answer with this status instead, in the queue's error format, and ignore the request. A status
    /// for absence (404, 410, 422) has the form of the requested service, if it has one.
    Status(u16),
    /// Wait before answering; every delay that matches a request is added up.
    Delay(Duration),
    /// Accept the request and never answer.
    Silence,
    /// Reset the connection (RST) without an answer.
    HangUp,
    /// Answer with this status before anything of the request's body is read.
    Early(u16),
    /// Take this many bytes of the request's body, then reset the connection (RST).
    Abort {
        /// Bytes of the body taken first.
        after: u64,
    },
    /// Take this many bytes of the request's body, then stop reading, and never answer.
    Stall {
        /// Bytes of the body taken first.
        after: u64,
    },
    /// Take the request's body piece by piece, waiting after each.
    Sip {
        /// Time between pieces.
        every: Duration,
    },
    /// Send this many bytes of the body, then reset the connection (RST).
    Reset {
        /// Bytes of the body sent first.
        after: u64,
    },
    /// Announce the whole length, send this many bytes of the body, then close.
    Truncate {
        /// Bytes of the body sent.
        after: u64,
    },
    /// Redirect (303) to this address.
    Redirect(String),
    /// Send the body, then endless further data, chunked.
    Endless,
    /// Send the body this many bytes at a time, waiting in between.
    Drip {
        /// Bytes per piece.
        bytes: usize,
        /// Time between pieces.
        every: Duration,
    },
    /// Send instead a small gzip stream that unpacks to this many zero bytes.
    GzipBomb {
        /// Bytes after decompression.
        unpacked: u64,
    },
    /// Announce this `Content-Encoding` for a body that has none.
    Encoding(String),
    /// Send this body instead.
    Replace(Body),
    /// Announce this length, whatever the body's is: excess data is not sent, and a shorter body ends
    /// with the connection.
    Announce {
        /// `Content-Length`.
        length: u64,
    },
    /// Redirect (303) to the same address with one more `hop=1` in its query. The pattern must match
    /// these addresses too for an endless redirect.
    Wander,
    /// Send an empty page of a listing that points to a further page, with a new continuation token
    /// each time. The pattern must match the pages' addresses.
    EndlessListing,
    /// The same, where each page has this many distinct names of this many bytes.
    LongListing {
        /// Names on each page.
        names: u64,
        /// Bytes of each name, at least twenty.
        length: usize,
    },
    /// Send all of this instead.
    Instead {
        /// Status.
        status: u16,
        /// Headers, `Content-Length` apart.
        headers: Vec<(String, String)>,
        /// Body.
        body: Body,
    },
}

impl Fault {
    /// Whether it applies while the request's body is read.
    pub(crate) fn is_of_intake(&self) -> bool {
        matches!(self, Fault::Early(_) | Fault::Abort { .. } | Fault::Stall { .. } | Fault::Sip { .. })
    }

    /// The fault for an address: those that depend on it are resolved.
    pub(crate) fn at(self, url: &str) -> Fault {
        let more = |member: &str| format!("{url}{}{member}", if url.contains('?') { '&' } else { '?' });
        match self {
            Fault::Wander => Fault::Redirect(more("hop=1")),
            Fault::EndlessListing => endless_page(url, 0, 0),
            Fault::LongListing { names, length } => endless_page(url, names, length),
            other => other,
        }
    }
}

/// A page of an endless listing.
fn endless_page(url: &str, names: u64, length: usize) -> Fault {
    let page = url.split_once("continuationToken=page").map_or("0", |(_, number)| number);
    let page = page.parse::<u64>().unwrap_or(0);
    let name = |number| format!("{{\"name\":\"{:x<length$}\"}}", format!("public/{page}/{number}/"));
    let names: Vec<String> = (0..names).map(name).collect();
    let next = page + 1;
    Fault::Replace(
        format!("{{\"artifacts\":[{}],\"continuationToken\":\"page{next}\"}}", names.join(",")).into(),
    )
}

/// A fault, its pattern, and the attempts that it affects.
#[derive(Debug)]
struct Rule {
    pattern: String,
    attempts: (Bound<u64>, Bound<u64>),
    fault: Fault,
}

/// All faults of a site.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    pub(crate) fn add(&self, pattern: &str, attempts: impl RangeBounds<u64>, fault: Fault) {
        let attempts = (attempts.start_bound().cloned(), attempts.end_bound().cloned());
        let rule = Rule { pattern: pattern.to_owned(), attempts, fault };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The faults for this attempt (counted from 1), oldest first.
    pub(crate) fn striking(&self, url: &str, attempt: u64) -> Vec<Fault> {
        let rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let strikes = |rule: &&Rule| rule.attempts.contains(&attempt) && matches(&rule.pattern, url);
        rules.iter().filter(strikes).map(|rule| rule.fault.clone()).collect()
    }
}

/// Whether a pattern matches a URL: `*` stands for any run of characters; a pattern that starts with
/// `/` is compared with path and query only.
fn matches(pattern: &str, url: &str) -> bool {
    let target = match url.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, path)) if pattern.starts_with('/') => format!("/{path}"),
        _ => url.to_owned(),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| target.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The pieces of a gzip stream of `unpacked` zeros and how often each is sent: one megabyte, packed
/// once and repeated, is enough for any size.
pub(crate) fn bomb(unpacked: u64) -> Vec<(Bytes, u64)> {
    const BLOCK: usize = 1 << 20;
    let (times, rest) = (unpacked / BLOCK as u64, usize::try_from(unpacked % BLOCK as u64).unwrap_or(0));
    let head = Bytes::from_static(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
    let mut crc = Crc::new();
    let mut block = Crc::new();
    block.update(&vec![0; BLOCK]);
    for _ in 0..times {
        crc.combine(&block);
    }
    crc.update(&vec![0; rest]);
    // An empty final block, the checksum, the length modulo 2^32.
    let mut tail = vec![0x03, 0x00];
    tail.extend(crc.sum().to_le_bytes());
    tail.extend(u32::try_from(unpacked & 0xffff_ffff).unwrap_or(0).to_le_bytes());
    vec![(head, 1), (zeros(BLOCK), times), (zeros(rest), 1), (tail.into(), 1)]
}

/// Raw deflate of `len` zeros ending on a byte boundary and referring to nothing before it.
fn zeros(len: usize) -> Bytes {
    let mut packed = Vec::with_capacity(8192);
    let mut deflate = Compress::new(Compression::best(), false);
    // Writing zeros into 8 KiB cannot fail or run out of room: a megabyte packs to one kilobyte.
    let _ = deflate.compress_vec(&vec![0; len], &mut packed, FlushCompress::Full);
    packed.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn patterns_match_whole_urls_or_paths() {
        let url = "http://127.0.0.1:8000/api/queue/v1/task/abc/status?x=1";
        for yes in ["*", "http://127.0.0.1:8000/*", "*/status?x=1", "/api/queue/v1/task/*", "/api/*/abc/*x=1"]
        {
            assert!(matches(yes, url), "{yes}");
        }
        for no in ["", "/", "/api/queue/v1/task/", "http://127.0.0.1/*", "*/status", "/task/*", "*abc*abc*"] {
            assert!(!matches(no, url), "{no}");
        }
        assert!(matches(url, url));
    }

    #[test]
    fn faults_can_depend_on_the_address() {
        assert_eq!(Fault::Wander.at("http://a/b"), Fault::Redirect("http://a/b?hop=1".into()));
        assert_eq!(Fault::Wander.at("http://a/b?hop=1"), Fault::Redirect("http://a/b?hop=1&hop=1".into()));
        let page = |number: u64| {
            Fault::Replace(format!("{{\"artifacts\":[],\"continuationToken\":\"page{number}\"}}").into())
        };
        assert_eq!(Fault::EndlessListing.at("http://a/artifacts"), page(1));
        assert_eq!(Fault::EndlessListing.at("http://a/artifacts?continuationToken=page41"), page(42));
        assert_eq!(Fault::Endless.at("http://a"), Fault::Endless);
        let names = r#"{"name":"public/7/0/xxxxxxxxx"},{"name":"public/7/1/xxxxxxxxx"}"#;
        let long = format!("{{\"artifacts\":[{names}],\"continuationToken\":\"page8\"}}");
        let fault = Fault::LongListing { names: 2, length: 20 };
        assert_eq!(fault.at("http://a/artifacts?continuationToken=page7"), Fault::Replace(long.into()));
    }

    #[test]
    fn attempts_are_ranges() {
        let faults = Faults::default();
        faults.add("*", 2..=3, Fault::Status(500));
        faults.add("*", 3.., Fault::Endless);
        let strikes: Vec<usize> = (1..=4).map(|attempt| faults.striking("x", attempt).len()).collect();
        assert_eq!(strikes, [0, 1, 2, 1]);
    }

    #[test]
    fn a_bomb_is_one_valid_gzip_member_of_the_promised_size() {
        for unpacked in [0, 1, 1 << 20, (5 << 20) + 123] {
            let mut packed = Vec::new();
            for (piece, times) in bomb(unpacked) {
                (0..times).for_each(|_| packed.extend_from_slice(&piece));
            }
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut out).unwrap();
            assert_eq!(out.len() as u64, unpacked);
            assert!(packed.len() as u64 <= unpacked / 500 + 100, "{} for {unpacked}", packed.len());
        }
    }
}
