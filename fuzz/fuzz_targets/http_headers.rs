//! Any headers: no panic, and no reading of them that weakens what is asked next.
#![no_main]

use catena_http::headers;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use url::Url;

const NAMES: [&str; 6] = [
    "retry-after",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "content-length",
    "content-encoding",
    "location",
];

fuzz_target!(|input: (i64, u16, bool, Vec<(u8, Vec<u8>)>)| {
    let (now, status, tls, pairs) = input;
    let mut map = HeaderMap::new();
    for (name, value) in pairs.into_iter().take(32) {
        let name = NAMES[usize::from(name) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            map.append(HeaderName::from_static(name), value);
        }
    }
    let _ = (headers::retry_after(&map, now), headers::rate_limit(&map, now), headers::coding(&map));
    let _ = headers::content_length(&map);
    if let Ok(status) = StatusCode::from_u16(status) {
        let limited = headers::github_limited(status, &map, now).is_some();
        assert!(!limited || matches!(status.as_u16(), 403 | 429));
    }
    let from = if tls { "https://tc.example/api/x" } else { "http://127.0.0.1:8600/api/x" };
    let Ok(from) = Url::parse(from) else { return };
    if let Ok(to) = headers::location(&from, &map) {
        assert!(to.scheme() == "https" || (!tls && to.scheme() == "http"));
        assert!(to.username().is_empty() && to.password().is_none() && to.fragment().is_none());
        assert!(to.host().is_some());
    }
});
