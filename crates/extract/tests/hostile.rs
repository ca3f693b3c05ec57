//! Archives that were made to do harm, and their neighbours that are as they should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::arithmetic_side_effects)]

mod support;

use catena_extract::{ExtractError, Limits, Options};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use support::{Member, Outcome, Tar, Zip, extract, extract_with};

/// Extracts, and expects a refusal with this code that leaves nothing behind.
#[track_caller]
fn refused(archive: &[u8], code: &str) {
    let outcome = extract(archive);
    let error = outcome.result.as_ref().expect_err("it was extracted");
    assert_eq!(error.code(), code, "{error}");
    assert!(!outcome.tree.exists(), "something was left");
    assert_eq!(outcome.outside(), ["tree.victim"], "something was written elsewhere");
}

#[track_caller]
fn accepted(archive: &[u8]) -> Outcome {
    let outcome = extract(archive);
    if let Err(error) = &outcome.result {
        panic!("{error}");
    }
    assert_eq!(outcome.outside(), ["tree", "tree.victim"]);
    outcome
}

#[test]
fn what_an_archive_should_be() {
    let mut tar = Tar::new();
    tar.add(Member::directory("a").mode(0o750)).add(Member::file("a/b", b"content").mode(0o4775));
    tar.add(Member::symlink("a/link", "b")).add(Member::hard_link("a/hard", "a/b"));
    tar.add(Member::file("./c/d/e", b""))
        .add(Member::symlink("up", "a/../c"))
        .add(Member::file("ro", b"x").mode(0o444));
    for archive in tar.in_every_compression() {
        let outcome = accepted(&archive);
        let mode =
            |name: &str| fs::symlink_metadata(outcome.tree.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(
            (mode("a"), mode("a/b"), mode("c"), mode("c/d/e"), mode("ro")),
            (0o750, 0o755, 0o755, 0o644, 0o444)
        );
        assert_eq!(fs::read(outcome.tree.join("a/hard")).unwrap(), b"content");
        assert_eq!(fs::metadata(outcome.tree.join("a/b")).unwrap().nlink(), 2);
        assert_eq!(fs::metadata(outcome.tree.join("a/b")).unwrap().mtime(), 1_000_000_000);
        assert_eq!(fs::read_link(outcome.tree.join("a/link")).unwrap().to_str(), Some("b"));
        assert_eq!(
            fs::metadata(outcome.tree.join("a/b")).unwrap().uid(),
            fs::metadata(&outcome.tree).unwrap().uid()
        );
        let summary = outcome.result.unwrap();
        assert_eq!((summary.entries, summary.bytes), (7, 8));
    }
}

#[test]
fn names_that_lead_out() {
    for name in
        ["../out", "a/../../out", "/tmp/out", "a/..", "..", "a\\..\\out", "C:\\out", "a\u{202e}b", "a\nb"]
    {
        refused(&Tar::of(Member::file(name, b"x")), "archive-member-name");
        refused(&Tar::of(Member::symlink(name, "x")), "archive-member-name");
        refused(&Zip::of(Member::file(name, b"x")), "archive-member-name");
    }
    refused(&Tar::of(Member::directory("../out")), "archive-member-name");
    refused(&Tar::of(Member::file("a\u{0}b", b"x").pax()), "archive-member-name");
    refused(&Tar::of(Member::file(&"d/".repeat(65), b"").pax()), "archive-member-name");
    refused(&Tar::of(Member::file("", b"x").pax()), "archive-member-name");
}

#[test]
fn links_that_lead_out() {
    for target in ["../out", "/etc/passwd", "a/../../out", "", "a\nb"] {
        refused(&Tar::of(Member::symlink("link", target)), "archive-member-link");
        refused(&Zip::of(Member::symlink("link", target)), "archive-member-link");
    }
    refused(&Tar::of(Member::hard_link("link", "../tree.victim")), "archive-member-link");
    refused(&Tar::of(Member::hard_link("link", "absent")), "archive-member-link");
    let mut through = Tar::new();
    through.add(Member::symlink("s", "x")).add(Member::file("x", b"")).add(Member::hard_link("h", "s"));
    refused(&through.bytes(), "archive-member-link");
}

/// A link that leads up from another link leaves the tree, though it reads as if it did not.
#[test]
fn links_that_lead_up_from_links() {
    let mut tar = Tar::new();
    tar.add(Member::symlink("a/b/root", "../..")).add(Member::symlink("a/b/out", "root/../x"));
    refused(&tar.bytes(), "archive-member-link");
    let mut later = Tar::new();
    later.add(Member::symlink("a/b/out", "root/../x")).add(Member::symlink("a/b/root", "../.."));
    refused(&later.bytes(), "archive-member-link");
    refused(&Tar::of(Member::symlink("a/out", "absent/../x")), "archive-member-link");
}

#[test]
fn writing_through_a_link() {
    for target in [".", "elsewhere"] {
        let mut tar = Tar::new();
        tar.add(Member::symlink("link", target)).add(Member::file("link/file", b"x"));
        refused(&tar.bytes(), "archive-member-below");
        let mut tar = Tar::new();
        tar.add(Member::symlink("link", target)).add(Member::file("link", b"x"));
        refused(&tar.bytes(), "archive-member-duplicate");
        let mut tar = Tar::new();
        tar.add(Member::symlink("link", target)).add(Member::directory("link"));
        refused(&tar.bytes(), "archive-member-duplicate");
    }
    let mut tar = Tar::new();
    tar.add(Member::file("file", b"x")).add(Member::file("file/x", b"x"));
    refused(&tar.bytes(), "archive-member-below");
}

#[test]
fn names_that_stand_twice() {
    for other in ["a/file", "./a//file"] {
        let mut tar = Tar::new();
        tar.add(Member::file("a/file", b"one")).add(Member::file(other, b"two"));
        refused(&tar.bytes(), "archive-member-duplicate");
    }
    let mut zip = Zip::new();
    zip.add(Member::file("a", b"one")).add(Member::file("a", b"two"));
    refused(&zip.bytes(), "archive-member-duplicate");
    let mut directories = Tar::new();
    directories.add(Member::directory("a")).add(Member::file("a/x", b"")).add(Member::directory("a"));
    accepted(&directories.bytes());
}

#[test]
fn names_that_a_file_system_takes_for_one() {
    for (one, other) in [("README", "readme"), ("é", "e\u{301}"), ("straße", "STRASSE"), ("A/x", "a/y")] {
        let mut tar = Tar::new();
        tar.add(Member::file(one, b"1")).add(Member::file(other, b"2"));
        refused(&tar.bytes(), "archive-member-case");
        let options = Options { allow_case_collisions: true, ..Options::default() };
        assert!(extract_with(&tar.bytes(), &options).result.is_ok(), "{one} {other}");
    }
}

#[test]
fn what_is_neither_file_nor_directory_nor_link() {
    for kind in [b'3', b'4', b'6', b'S', b'V', b'M', b'D', b'?'] {
        refused(&Tar::of(Member::file("x", b"").kind(kind)), "archive-member-type");
    }
    refused(&Zip::of(Member::file("x", b"").zip_type(0o060_000)), "archive-member-type");
    refused(&Zip::of(Member::file("x", b"").zip_type(0o010_000)), "archive-member-type");
    refused(&Tar::of(Member::file("x", b"").record("GNU.sparse.major", "1")), "archive-unsupported");
}

#[test]
fn archives_that_break_off_or_go_on() {
    let mut tar = Tar::new();
    let whole = tar.add(Member::file("a", &[b'x'; 2000])).add(Member::file("b", b"y")).bytes();
    for length in [513, 1000, 2560, 2561, 3072, 3073, 3584, 4096, 4097] {
        refused(&whole[..length], "archive-malformed");
    }
    refused(&[whole.as_slice(), b"trailing"].concat(), "archive-malformed");
    accepted(&[whole.as_slice(), &[0; 4096]].concat());
    let mut gap = whole.clone();
    gap.splice(2560..2560, [0; 512]);
    refused(&gap, "archive-malformed");
    for packed in tar.in_every_compression().into_iter().skip(1) {
        for cut in [1, 4, 9] {
            refused(&packed[..packed.len() - cut], "archive-malformed");
        }
        refused(&[packed.as_slice(), b"trailing data"].concat(), "archive-malformed");
    }
    let mut changed = whole;
    changed[0] = b'z';
    let mut second = Tar::new().add(Member::file("first", b"")).bytes();
    second.truncate(512);
    refused(&[second, changed].concat(), "archive-malformed");
}

#[test]
fn bombs() {
    let small = Limits { expansion: 10, expansion_free: 1 << 20, ..Limits::default() };
    let options = Options { limits: small, ..Options::default() };
    let zeros = vec![0; 4 << 20];
    let over = |archive: &[u8]| {
        let outcome = extract_with(archive, &options);
        let code = outcome.result.as_ref().map_err(ExtractError::code).err();
        code == Some("archive-limit") && !outcome.tree.exists()
    };
    let mut tar = Tar::new();
    let packed = tar.add(Member::file("zeros", &zeros)).in_every_compression();
    assert!(packed.into_iter().skip(1).all(|archive| over(&archive)));
    assert!(over(&Zip::of(Member::file("zeros", &zeros).deflated())));
    assert!(extract_with(&Tar::of(Member::file("zeros", &zeros)), &options).result.is_ok());
}

#[test]
fn limits_of_members() {
    let with = |limits: Limits, archive: &[u8]| {
        let outcome = extract_with(archive, &Options { limits, ..Options::default() });
        outcome.result.map_err(|error| error.code()).map(|summary| summary.entries)
    };
    let mut tar = Tar::new();
    tar.add(Member::file("a", b"12345")).add(Member::file("b", b"12345"));
    let tar = tar.bytes();
    assert_eq!(with(Limits { entries: 1, ..Limits::default() }, &tar), Err("archive-limit"));
    assert_eq!(with(Limits { entries: 2, ..Limits::default() }, &tar), Ok(2));
    assert_eq!(with(Limits { file_bytes: 4, ..Limits::default() }, &tar), Err("archive-limit"));
    assert_eq!(with(Limits { total_bytes: 9, ..Limits::default() }, &tar), Err("archive-limit"));
    assert_eq!(with(Limits { total_bytes: 10, ..Limits::default() }, &tar), Ok(2));
    let long = Tar::of(Member::file(&"x/".repeat(30), b"").gnu_long());
    assert_eq!(with(Limits { header_bytes: 20, ..Limits::default() }, &long), Err("archive-limit"));
}

#[test]
fn long_names() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    for member in [Member::file(&long, b"x").gnu_long(), Member::file(&long, b"x").pax()] {
        assert!(accepted(&Tar::of(member)).tree.join(&long).is_file());
    }
    refused(&Tar::of(Member::file(&format!("../{long}"), b"x").gnu_long()), "archive-member-name");
    refused(&Tar::of(Member::file(&format!("../{long}"), b"x").pax()), "archive-member-name");
    refused(&Tar::of(Member::symlink("l", &format!("/{long}")).gnu_long()), "archive-member-link");
    refused(&Tar::of(Member::file("ok", b"x").record("path", "../out")), "archive-member-name");
    refused(&Tar::of(Member::symlink("ok", "x").record("linkpath", "/out")), "archive-member-link");
}

/// Readers of tar archives do not agree on which of two sizes counts, and so on where the next member begins.
#[test]
fn two_sizes() {
    refused(&Tar::of(Member::file("x", b"12345").record("size", "512")), "archive-unsupported");
    refused(&Tar::of(Member::file("x", b"12345").record("size", "-1")), "archive-malformed");
    accepted(&Tar::of(Member::file("x", b"12345").record("size", "5")));
    refused(&Tar::of(Member::file("x", b"12345").global("size", "512")), "archive-unsupported");
    refused(&Tar::of(Member::file("x", b"12345").global("path", "y")), "archive-unsupported");
    accepted(&Tar::of(Member::file("x", b"12345").global("comment", "a revision")));
}

#[test]
fn links_with_content() {
    let mut tar = Tar::new();
    tar.add(Member::symlink("link", "target").content(b"target")).add(Member::file("after", b"x"));
    assert!(accepted(&tar.bytes()).tree.join("after").is_file());
    refused(&Tar::of(Member::symlink("link", "target").content(b"other")), "archive-unsupported");
    refused(&Tar::of(Member::directory("d").content(b"x")), "archive-unsupported");
}

#[test]
fn what_a_zip_archive_should_be() {
    let mut zip = Zip::new();
    zip.add(Member::directory("a")).add(Member::file("a/b", b"content").mode(0o755).deflated());
    zip.add(Member::symlink("link", "a/b")).add(Member::file("dos", b"x").mode(0));
    let outcome = accepted(&zip.bytes());
    let mode =
        |name: &str| fs::symlink_metadata(outcome.tree.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("a/b"), mode("dos")), (0o755, 0o644));
    assert_eq!(fs::read(outcome.tree.join("link")).unwrap(), b"content");
    accepted(&Zip::new().bytes());
}

#[test]
fn zip_archives_of_two_minds() {
    let mut zip = Zip::new();
    let whole = zip.add(Member::file("name", b"content")).add(Member::file("more", b"content")).bytes();
    let central = whole.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let changed = |at: usize, byte: u8| {
        let mut archive = whole.clone();
        archive[at] = byte;
        refused(&archive, "archive-malformed");
    };
    // The local header's name, method, length and checksum; the content; the directory's length and checksum.
    for at in [30, 8, 22, 14, 34, central + 24, central + 16] {
        changed(at, 0x7f);
    }
    // Its offset: two members of one content.
    changed(central + 50 + 42, 0);
    refused(&[b"prefix".as_slice(), &whole].concat(), "archive-malformed");
    refused(&[whole.as_slice(), b"suffix"].concat(), "archive-malformed");
    for length in 4..whole.len() {
        refused(&whole[..length], "archive-malformed");
    }
    let mut encrypted = whole.clone();
    encrypted[6] = 1;
    encrypted[central + 8] = 1;
    refused(&encrypted, "archive-unsupported");
}

/// Members that share bytes make a small archive a large tree.
#[test]
fn zip_archives_whose_members_overlap() {
    refused(&Zip::nested("outer", Member::file("inner", b"content")), "archive-malformed");
}

#[test]
fn a_caller_can_cancel() {
    let archive = Tar::of(Member::file("x", b"x"));
    let outcome = support::extract_cancelled(&archive);
    assert!(matches!(outcome.result, Err(ExtractError::Cancelled)) && !outcome.tree.exists());
}

#[test]
fn what_is_no_archive() {
    let text = b"PK is how this text begins, and it goes on".repeat(20);
    let gzip = support::gzip(&text);
    for bytes in [b"".as_slice(), b"PK", &text, &gzip, &[0; 1024], b"\x1f\x8b broken", &[b'x'; 600]] {
        assert_eq!(support::detected(bytes), None);
    }
}
