//! Retry, coding and redirect headers of an answer. They are claims of its sender: each parser is
//! total, and anything that it does not understand counts as missing.

use http::{HeaderMap, StatusCode, header};
use std::time::Duration;
use url::Url;

/// The coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Uncoded.
    Identity,
    /// One or more gzip members.
    Gzip,
}

/// The coding of a body, or the first unsupported coding, shortened.
///
/// # Errors
/// Anything but gzip, once, or identity.
pub fn coding(headers: &HeaderMap) -> Result<Coding, String> {
    let mut found = Coding::Identity;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for token in String::from_utf8_lossy(value.as_bytes()).split(',').map(str::trim) {
            match token.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if found == Coding::Identity => found = Coding::Gzip,
                _ => return Err(token.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()),
            }
        }
    }
    Ok(found)
}

/// The body's length on the wire, if exactly one is given.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let text = values.next()?.to_str().ok()?;
    if values.next().is_some() || text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// How long to wait, by `Retry-After`: seconds, or a date (RFC 9110 10.2.3). `now` is in seconds
/// since 1970.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(until(date.timestamp().as_second(), now))
}

/// The rest of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests left in this window.
    pub remaining: u64,
    /// The start of the next window, if given.
    pub reset: Option<Duration>,
}

/// GitHub's `x-ratelimit-remaining` and `x-ratelimit-reset`. `now` is in seconds since 1970.
#[must_use]
pub fn rate_limit(headers: &HeaderMap, now: i64) -> Option<RateLimit> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let remaining = number("x-ratelimit-remaining")?;
    let reset = number("x-ratelimit-reset").and_then(|at| i64::try_from(at).ok()).map(|at| until(at, now));
    Some(RateLimit { remaining, reset })
}

/// The longest wait that is accepted: a longer one exceeds every deadline.
const LONGEST: u64 = 366 * 24 * 3600;

fn until(at: i64, now: i64) -> Duration {
    let seconds = u64::try_from(at.saturating_sub(now)).unwrap_or(0);
    Duration::from_secs(seconds.min(LONGEST))
}

/// Whether GitHub answers with a rate limit in the form of a refusal, and how long it lasts: a 403 or
/// 429 with nothing remaining or a `Retry-After`. Without either, GitHub asks for a minute.
#[must_use]
pub fn github_limited(status: StatusCode, headers: &HeaderMap, now: i64) -> Option<Duration> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let limit = rate_limit(headers, now);
    match (retry_after(headers, now), limit) {
        (Some(wait), _) => Some(wait),
        (None, Some(RateLimit { remaining: 0, reset })) => Some(reset.unwrap_or(Duration::from_secs(60))),
        _ => None,
    }
}

/// Why a redirect cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// No `Location`, or not exactly one that is text.
    #[error("a redirect without a location")]
    Missing,
    /// Not an address.
    #[error("a redirect to a malformed address")]
    Unreadable,
    /// To a scheme other than http and https.
    #[error("a redirect to the scheme {0:?}")]
    Scheme(String),
    /// From https to http.
    #[error("a redirect from https to http")]
    Downgrade,
    /// With a user or password in it, which would be credentials chosen by the sender.
    #[error("a redirect to an address with user information")]
    User,
}

/// The target of a redirect.
///
/// # Errors
/// Anything except exactly one http or https address that is not weaker than its origin.
pub fn location(from: &Url, headers: &HeaderMap) -> Result<Url, RedirectError> {
    let mut values = headers.get_all(header::LOCATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(RedirectError::Missing) };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| RedirectError::Unreadable)?;
    let mut url = from.join(text).map_err(|_| RedirectError::Unreadable)?;
    match (from.scheme(), url.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => return Err(RedirectError::Downgrade),
        (_, other) => return Err(RedirectError::Scheme(other.chars().take(20).collect())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectError::User);
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn codings() {
        assert_eq!(coding(&headers(&[])), Ok(Coding::Identity));
        assert_eq!(coding(&headers(&[("content-encoding", "identity")])), Ok(Coding::Identity));
        assert_eq!(coding(&headers(&[("content-encoding", "GZip")])), Ok(Coding::Gzip));
        for wrong in ["br", "deflate", "gzip, gzip", "gzip, br", "zstd"] {
            assert!(coding(&headers(&[("content-encoding", wrong)])).is_err(), "{wrong}");
        }
        assert!(coding(&headers(&[("content-encoding", "gzip"), ("content-encoding", "gzip")])).is_err());
    }

    #[test]
    fn lengths() {
        assert_eq!(content_length(&headers(&[("content-length", "12")])), Some(12));
        for wrong in ["", "-1", "+1", "1, 1", "99999999999999999999", "0x1"] {
            assert_eq!(content_length(&headers(&[("content-length", wrong)])), None, "{wrong}");
        }
        assert_eq!(content_length(&headers(&[("content-length", "1"), ("content-length", "2")])), None);
    }

    #[test]
    fn waits_are_seconds_or_dates() {
        let wait =
            |text: &str, now| retry_after(&headers(&[("retry-after", text)]), now).map(|wait| wait.as_secs());
        assert_eq!(wait("7", 0), Some(7));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(7));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_800), Some(0));
        assert_eq!(wait("Thu, 31 Dec 9998 23:59:59 GMT", 0), Some(LONGEST));
        for wrong in ["", "soon", "-5", "99999999999", "1.5"] {
            assert_eq!(wait(wrong, 0), None, "{wrong}");
        }
    }

    #[test]
    fn githubs_rate_limit_is_not_a_refusal() {
        let spent = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "130")]);
        let limited =
            |status, headers: &HeaderMap| github_limited(status, headers, 100).map(|wait| wait.as_secs());
        assert_eq!(limited(StatusCode::FORBIDDEN, &spent), Some(30));
        assert_eq!(limited(StatusCode::OK, &spent), None);
        assert_eq!(limited(StatusCode::NOT_FOUND, &spent), None);
        let secondary = headers(&[("retry-after", "9"), ("x-ratelimit-remaining", "4000")]);
        assert_eq!(limited(StatusCode::TOO_MANY_REQUESTS, &secondary), Some(9));
        let refused = headers(&[("x-ratelimit-remaining", "10"), ("x-ratelimit-reset", "130")]);
        assert_eq!(limited(StatusCode::FORBIDDEN, &refused), None);
        assert_eq!(limited(StatusCode::FORBIDDEN, &headers(&[("x-ratelimit-remaining", "0")])), Some(60));
    }

    #[test]
    fn redirects_never_weaken() {
        let to =
            |from: &str, text: &str| location(&Url::parse(from).unwrap(), &headers(&[("location", text)]));
        let from = "https://tc.example/api/x";
        assert_eq!(to(from, "https://s3.example/a?sig=1#f").unwrap().as_str(), "https://s3.example/a?sig=1");
        assert_eq!(to(from, "../y").unwrap().as_str(), "https://tc.example/y");
        assert_eq!(to(from, "//s3.example/y").unwrap().as_str(), "https://s3.example/y");
        assert_eq!(to(from, "http://s3.example/"), Err(RedirectError::Downgrade));
        assert_eq!(to(from, "file:///etc/passwd"), Err(RedirectError::Scheme("file".to_owned())));
        assert_eq!(to("http://127.0.0.1/", "data:,x"), Err(RedirectError::Scheme("data".to_owned())));
        assert_eq!(to(from, "https://user@s3.example/"), Err(RedirectError::User));
        assert_eq!(to(from, "https://"), Err(RedirectError::Unreadable));
        assert!(to("http://127.0.0.1/", "http://127.0.0.1:1/").is_ok());
        assert_eq!(location(&Url::parse(from).unwrap(), &HeaderMap::new()), Err(RedirectError::Missing));
    }

    proptest! {
        #[test]
        fn no_header_panics(value in prop::collection::vec(any::<u8>(), 0..60), now in any::<i64>()) {
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            let mut map = HeaderMap::new();
            for name in ["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "content-length", "content-encoding", "location"] {
                map.insert(HeaderName::from_static(name), value.clone());
            }
            let _ = (retry_after(&map, now), rate_limit(&map, now), content_length(&map), coding(&map));
            if let Ok(url) = location(&Url::parse("https://a.example/").unwrap(), &map) {
                prop_assert_eq!(url.scheme(), "https");
            }
        }
    }
}
