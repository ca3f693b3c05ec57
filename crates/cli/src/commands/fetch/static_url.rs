//! `catena fetch static-url`: a file that is no artifact, held against a digest and a length.

use super::arguments::StaticUrlArgs;
use super::toolchain;
use super::wanted::sha256;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_download::{Download, Expected, Input, Place};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::path::Path;
use url::Url;

pub(super) fn run(args: &StaticUrlArgs, screen: &Screen) -> Result<(), Failure> {
    let url = Url::parse(&args.url).map_err(|error| {
        Failure::usage(format!("{:?} is not an address: {error}", args.url)).next("give an https:// address")
    })?;
    let name = args.dest.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let directory =
        args.dest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let input = Input {
        download: Download {
            url,
            credentials: None,
            headers: headers(&args.headers)?,
            artifact: false,
            beside: false,
            expected: Expected { digest: Some(sha256(&args.sha256)?), length: Some(args.size) },
            limit: args.size,
        },
        place: Place::new("", name)
            .map_err(|error| Failure::usage(error).next("name the file it becomes"))?,
        extract: false,
    };
    toolchain::fetch(&[input], directory, &args.network, screen)
}

/// Headers, each `Name: value`. The value may have colons in it.
fn headers(lines: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let parsed = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        });
        // The value may be a secret, so that only the name is told.
        let (name, value) = parsed.ok_or_else(|| {
            let name = line.split(':').next().unwrap_or_default();
            Failure::usage(format!("the header {name:?} is not written as a header is"))
                .next("write it as 'Name: value'")
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_kept_secret() {
        let read = headers(&["Authorization: Bearer a:b".to_owned(), "x:".to_owned()]).unwrap();
        assert_eq!(read["authorization"], "Bearer a:b");
        assert!(read["authorization"].is_sensitive());
        let failure = format!("{:?}", headers(&["a b: secret".to_owned()]).unwrap_err());
        assert!(failure.contains("a b") && !failure.contains("secret"), "{failure}");
    }
}
