//! `catena fetch static-url`: a file that is no artifact, held against a digest and a length.

use super::arguments::StaticUrlArgs;
use super::lines::{Lines, Suite};
use super::network::{self, options, transport};
use super::order::{Order, Origin, deliver, delivery};
use super::repacking::{is_wanted, name_of, only_tar_zst, pack_anew};
use super::report::Fetched;
use super::staged::Staged;
use super::wanted::sha256;
use super::{Done, gpg};
use crate::commands::verify::block_on;
use crate::failure::Failure;
use crate::progress::Screen;
use catena_download::{Download, Downloader, Expected, Extract, Input, Place};
use catena_extract::{Options, Repacking};
use catena_http::Shown;
use catena_model::custody::Trust;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::path::PathBuf;
use tokio::time::Instant;
use url::Url;

/// The name of the download in the staging directory.
const DOWNLOAD: &str = "download";

pub(super) fn run<'a>(args: &StaticUrlArgs, screen: &Screen) -> Result<Done<'a>, Failure> {
    let url = Url::parse(&args.url).map_err(|error| {
        Failure::usage(format!("{:?} is not an address: {error}", args.url)).next("give an https:// address")
    })?;
    let file = args.dest.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Place::new("", file).map_err(|error| Failure::usage(error).next("name the file it becomes"))?;
    let path = url.path().to_owned();
    let name = name_of(&path, file);
    let repacking = repacking(args, name);
    let packs = is_wanted(name, file, &repacking);
    if packs {
        only_tar_zst(file)?;
    }
    let lines = Lines::new(Suite::StaticUrl, screen.clone()).showing(&args.dest);
    let (staged, deadline) = (Staged::of(&args.dest)?, network::deadline(&args.network));
    let mut files = download(args, url, &staged, deadline, &lines)?;
    let downloaded = staged.path(DOWNLOAD);
    if let Some(url) = &args.gpg_sig_url {
        gpg::verify(args, url, &downloaded, &staged, deadline, &lines)?;
    }
    let made = if packs {
        lines.say(&format!("Repacking {name} as {}", args.dest.display()));
        pack_anew(&staged, &downloaded, file, &repacking, &Options::default())?
    } else {
        downloaded
    };
    staged.place(&made)?;
    for fetched in &mut files {
        fetched.place = PathBuf::from(file);
    }
    Ok(Done { files, exec: None })
}

fn repacking(args: &StaticUrlArgs, name: &str) -> Repacking {
    Repacking {
        strip_components: args.strip_components,
        prefix: args.add_prefix.clone(),
        single: args.force_archive.then(|| name.to_owned()),
        ..Repacking::default()
    }
}

/// Downloads the file into the staging directory.
fn download(
    args: &StaticUrlArgs,
    url: Url,
    staged: &Staged,
    deadline: Instant,
    lines: &Lines,
) -> Result<Vec<Fetched>, Failure> {
    let place = Place::new("", DOWNLOAD).map_err(Failure::usage)?;
    let order = Order {
        origin: Origin::Url(Shown(&url).to_string()),
        trust: Trust::Hash,
        input: Input {
            download: Download {
                url,
                credentials: None,
                headers: headers(&args.headers)?,
                artifact: false,
                beside: false,
                expected: Expected { digests: vec![sha256(&args.sha256)?], length: Some(args.size) },
                limit: args.size,
            },
            place,
            extract: Extract::Never,
        },
    };
    let downloader = Downloader::new(transport(&args.network)?, options(&args.network));
    let directory = staged.path("");
    let delivery = delivery(&args.network, false, deadline)?;
    block_on(async |cancellation| {
        deliver(&downloader, vec![order], &directory, &delivery, lines, &cancellation).await
    })
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
