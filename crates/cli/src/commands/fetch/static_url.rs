//! `catena fetch static-url`: a file that is no artifact, held against a digest and a length.

use super::arguments::StaticUrlArgs;
use super::network::{self, deadline, options, transport};
use super::wanted::sha256;
use crate::commands::verify::unless_interrupted;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_download::{Delivery, Download, Downloader, Expected, Input, NoProgress, Place, deliver};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::path::Path;
use url::Url;

pub(super) fn run(args: &StaticUrlArgs, screen: &Screen) -> Result<(), Failure> {
    let url = Url::parse(&args.url).map_err(|error| {
        Failure::usage(format!("{:?} is not an address: {error}", args.url)).next("give an https:// address")
    })?;
    let name = args.dest.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let directory = args.dest.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let input = Input {
        download: Download {
            url: url.clone(),
            credentials: None,
            headers: headers(&args.headers)?,
            artifact: false,
            expected: Expected { digest: Some(sha256(&args.sha256)?), length: Some(args.size) },
            limit: args.size,
        },
        place: Place::new("", name).map_err(|error| Failure::usage(error).next("name the file it becomes"))?,
        extract: false,
    };
    let downloader = Downloader::new(transport(&args.network)?, options(&args.network));
    let delivery = super::delivery(&args.network, false);
    let delivered = unless_interrupted(
        async |_cancel| {
            let inputs = [input];
            deliver(&downloader, &inputs, directory, &delivery, &NoProgress)
                .await
                .map_err(|error| network::deliver_failure(&error))
        },
        || Err(Failure::undetermined("interrupted before it was there")),
    )?;
    for one in delivered {
        let (digest, length) = (hex::encode(one.measured.sha256), one.measured.length);
        screen.say(&format!("{url} resolved to {length} bytes with sha256 {digest}"));
    }
    Ok(())
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
