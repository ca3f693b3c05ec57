//! `catena cache`: inspecting a cache, and reducing its size.

use crate::cache_options::CacheOptions;
use crate::failure::Failure;
use crate::output::{self, counted};
use catena_fetch::cache::check;
use catena_store::{Contents, DirectoryStore, Store as _, Swept};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::BinaryBytes;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

pub(crate) const EXAMPLES: &str = "\
Examples:
  catena cache info --cache ~/.cache/catena
      Show the size and the age of the contents.
  catena cache info --cache ~/.cache/catena --check
      Is all of it as it was written? Reads everything.
  catena cache verify --cache ~/.cache/catena
      The same, and what is not is removed.
  catena cache gc --cache ~/.cache/catena --size 2GiB
      Remove the entries that were not used for the longest time, until 2 GiB are left.
  catena cache clear --cache ~/.cache/catena
      Remove everything. Data is fetched again when needed.

`catena verify --cache DIR` and `catena fetch --cache DIR` fill it, and make room by themselves. CATENA_CACHE names it for all of them.";

/// The commands for a cache.
#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show the contents
    #[command(after_long_help = EXAMPLES)]
    Info(InfoArgs),
    /// Read everything that is kept, tell what is not as it was written, and remove that
    #[command(after_long_help = EXAMPLES)]
    Verify(InfoArgs),
    /// Remove everything that is kept
    #[command(after_long_help = EXAMPLES)]
    Clear(CacheOptions),
    /// Remove what was not used for longest, down to a size
    #[command(visible_alias = "prune", after_long_help = EXAMPLES)]
    Gc(GcArgs),
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    options: CacheOptions,
    /// Read everything, and report damaged entries
    #[arg(long)]
    check: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// The target size.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    #[command(flatten)]
    options: CacheOptions,
    /// Target size: 500MiB, 10GiB [default: the maximum size of the cache]
    #[arg(long, value_name = "SIZE", value_parser = crate::cache_options::size)]
    size: Option<u64>,
}

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
}

/// The output of `info`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    directory: String,
    entries: u64,
    entry_bytes: u64,
    artifacts: u64,
    artifact_bytes: u64,
    /// RFC 3339 in UTC; null when it is empty.
    oldest_use: Option<String>,
    bound: u64,
    /// The number of damaged entries; null without `--check`.
    broken: Option<u64>,
}

pub(crate) fn run(command: CacheCommand) -> Result<u8, Failure> {
    match command {
        CacheCommand::Info(args) => info(&args, args.check, false),
        CacheCommand::Verify(args) => info(&args, true, true),
        CacheCommand::Clear(options) => clear(&options),
        CacheCommand::Gc(args) => gc(args),
    }
}

fn info(args: &InfoArgs, check: bool, remove: bool) -> Result<u8, Failure> {
    let (directory, store) = args.options.existing()?;
    let contents = store.contents().map_err(|error| unreadable(directory, &error))?;
    let broken = match check {
        true => Some(broken(args, directory, &store, &contents, remove)?),
        false => None,
    };
    let info = Info::of(directory, &contents, args.options.bound(), broken);
    output::show(&match args.format {
        Format::Text => info.text(),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&info).map_err(Failure::undetermined)?;
            text.push('\n');
            text
        }
    })
}

/// How much is not as it was written; it is removed where that is asked for.
fn broken(
    args: &InfoArgs,
    directory: &Path,
    store: &DirectoryStore,
    contents: &Contents,
    remove: bool,
) -> Result<u64, Failure> {
    // Artifacts alone, as `catena fetch` keeps them, need no key.
    let key = if contents.entries == 0 { None } else { Some(args.options.key()?) };
    let broken = check(store, key.as_ref()).map_err(|error| unreadable(directory, &error))?;
    for name in broken.iter().filter(|_| remove) {
        store.remove(name).map_err(|error| unreadable(directory, &error))?;
    }
    Ok(u64::try_from(broken.len()).unwrap_or(u64::MAX))
}

fn clear(options: &CacheOptions) -> Result<u8, Failure> {
    let (directory, store) = options.existing()?;
    let swept = store.clear().map_err(|error| unreadable(directory, &error))?;
    output::show(&format!("{}: {}\n", directory.display(), told(&swept)))
}

fn gc(mut args: GcArgs) -> Result<u8, Failure> {
    args.options.cache_size = args.size.or(args.options.cache_size);
    let (directory, store) = args.options.existing()?;
    let swept = store.make_room().map_err(|error| unreadable(directory, &error))?;
    output::show(&format!("{}: {}\n", directory.display(), told(&swept)))
}

fn told(swept: &Swept) -> String {
    format!(
        "{} removed ({}), {} left",
        counted(swept.removed, "file", "files"),
        BinaryBytes(swept.freed),
        BinaryBytes(swept.left)
    )
}

fn unreadable(directory: &Path, error: &std::io::Error) -> Failure {
    Failure::undetermined(format!("{}: {error}", directory.display()))
        .next("check the directory and its permissions")
}

impl Info {
    fn of(directory: &Path, contents: &Contents, bound: u64, broken: Option<u64>) -> Self {
        Self {
            directory: directory.display().to_string(),
            entries: contents.entries,
            entry_bytes: contents.entry_bytes,
            artifacts: contents.blobs,
            artifact_bytes: contents.blob_bytes,
            oldest_use: contents.oldest.and_then(rfc3339),
            bound,
            broken,
        }
    }

    fn text(&self) -> String {
        let mut text = catena_report::escape::line(&self.directory).into_owned();
        let entries = counted(self.entries, "entry", "entries");
        let artifacts = counted(self.artifacts, "artifact", "artifacts");
        // Writing to text cannot fail.
        let _ = write!(text, "\n  {entries}, {}", BinaryBytes(self.entry_bytes));
        let _ = write!(text, "\n  {artifacts}, {}", BinaryBytes(self.artifact_bytes));
        let used = self.entry_bytes.saturating_add(self.artifact_bytes);
        let _ = write!(text, "\n  {} of {} in use", BinaryBytes(used), BinaryBytes(self.bound));
        if let Some(oldest) = &self.oldest_use {
            let _ = write!(text, "\n  unused for longest: since {oldest}");
        }
        match self.broken {
            None => {}
            Some(0) => text.push_str("\n  all as it was written"),
            Some(broken) => {
                let _ = write!(
                    text,
                    "\n  {broken} not as written with this key; each is dropped when it is asked for"
                );
            }
        }
        text.push('\n');
        text
    }
}

fn rfc3339(time: SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_output_shows_the_contents() {
        let contents = Contents {
            entries: 1,
            entry_bytes: 2048,
            blobs: 3,
            blob_bytes: 5 << 20,
            oldest: Some(SystemTime::UNIX_EPOCH),
        };
        let info = Info::of(Path::new("/c"), &contents, 10 << 30, Some(0));
        assert_eq!(
            info.text(),
            "/c\n  1 entry, 2.00 KiB\n  3 artifacts, 5.00 MiB\n  5.00 MiB of 10.00 GiB in use\n  \
             unused for longest: since 1970-01-01T00:00:00Z\n  all as it was written\n"
        );
        let empty = Info::of(Path::new("/c\u{1b}"), &Contents::default(), 1, Some(2)).text();
        assert!(empty.starts_with("/c\\u{1b}\n  0 entries") && empty.contains("2 not as written"), "{empty}");
    }
}
