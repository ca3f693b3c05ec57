//! Any address of a set of keys, and a script of answers: no panic, only https and this machine are asked, without
//! credentials, no redirect is followed, and what is read is text of a limited size.
//!
//! The input is a line with the address, and then a script.
#![no_main]

use catena::KeySetUrl;
use catena_fuzz::Script;
use catena_http::{Request, is_loopback};
use http::{Method, StatusCode, header};
use libfuzzer_sys::fuzz_target;

fn watch(request: &Request) {
    let url = &request.url;
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    assert!(request.method == Method::GET && !request.headers.contains_key(header::AUTHORIZATION));
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (address, script) = input.split_at(end);
    let Ok(address) = std::str::from_utf8(address) else { return };
    let _ = KeySetUrl::is_meant(address);
    let Ok(url) = KeySetUrl::parse(address) else { return };
    let script = Script::read(script.get(1..).unwrap_or_default(), 7, watch);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        if let Ok(file) = url.fetch(&script).await {
            let last = script.last().unwrap();
            assert_eq!((last.status, file.text.as_bytes()), (StatusCode::OK, last.body.as_slice()));
            assert!(!file.name.contains('?'), "{}", file.name);
        }
        assert!(script.requests() <= 5);
    });
});
