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

/// What looks like a way out in other encodings, or is one on other systems, is refused or is a plain name here.
#[test]
fn names_that_are_more_elsewhere() {
    let bytes = [b"\xc0\xae\xc0\xae/out".as_slice(), b"\xe0\x80\xae./out", b"\xff", b"caf\xe9"];
    for name in bytes {
        refused(&Tar::of(Member::file("", b"x").named(name)), "archive-member-name");
        refused(&Zip::of(Member::file("", b"x").named(name)), "archive-member-name");
    }
    let plain = [
        "\u{ff0e}\u{ff0e}\u{2215}out",
        "%2e%2e",
        "..%2fout",
        "CON",
        "nul.txt",
        "COM1",
        "C:",
        "a:stream",
        "~",
    ];
    let (mut tar, mut zip) = (Tar::new(), Zip::new());
    for name in plain {
        tar.add(Member::file(name, name.as_bytes()));
        zip.add(Member::file(name, name.as_bytes()));
    }
    for archive in [tar.bytes(), zip.bytes()] {
        let outcome = accepted(&archive);
        for name in plain {
            assert_eq!(fs::read(outcome.tree.join(name)).unwrap(), name.as_bytes());
        }
        assert_eq!(fs::read_dir(&outcome.tree).unwrap().count(), plain.len());
    }
}

#[test]
fn links_that_lead_out() {
    for target in ["../out", "/etc/passwd", "a/../../out", "", "a\nb"] {
        refused(&Tar::of(Member::symlink("link", target)), "archive-member-link");
        refused(&Zip::of(Member::symlink("link", target)), "archive-member-link");
    }
    refused(&Tar::of(Member::hard_link("link", "../tree.victim")), "archive-member-link");
    refused(&Tar::of(Member::hard_link("link", "absent")), "archive-member-link");
    for target in ["/dev/null", "\u{202e}x", "a\\b"] {
        refused(&Tar::of(Member::symlink("link", target)), "archive-member-link");
    }
    let mut directory = Tar::new();
    directory.add(Member::directory("d")).add(Member::hard_link("link", "d"));
    refused(&directory.bytes(), "archive-member-link");
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

/// Some links can only be looked at in the end. What is kept of them until then is bounded.
#[test]
fn links_that_must_be_kept() {
    let tar = |count: usize| {
        let mut tar = Tar::new();
        tar.add(Member::directory("d"));
        for number in 0..count {
            let target = "d/../".repeat(400) + "x";
            tar.add(Member::symlink(&format!("link-{number}"), "x").record("linkpath", &target));
        }
        tar.bytes()
    };
    accepted(&tar(100));
    refused(&tar(3000), "archive-limit");
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
    let mut above = Tar::new();
    above.add(Member::file("a/b", b"one")).add(Member::file("a", b"two"));
    refused(&above.bytes(), "archive-member-duplicate");
    let mut zip = Zip::new();
    zip.add(Member::symlink("link", "a")).add(Member::file("link/file", b"x"));
    refused(&zip.bytes(), "archive-member-below");
    let mut directories = Tar::new();
    directories.add(Member::directory("a")).add(Member::file("a/x", b"")).add(Member::directory("a"));
    accepted(&directories.bytes());
}

#[test]
fn names_that_a_file_system_takes_for_one() {
    for (one, other) in [
        ("README", "readme"),
        ("é", "e\u{301}"),
        ("straße", "STRASSE"),
        ("A/x", "a/y"),
        (".git", ".g\u{200c}it"),
    ] {
        let mut tar = Tar::new();
        tar.add(Member::file(one, b"1")).add(Member::file(other, b"2"));
        refused(&tar.bytes(), "archive-member-case");
        // The message names what is there already, down to where the two names part.
        let error = extract_with(&tar.bytes(), &Options::default()).result.unwrap_err().to_string();
        let there = format!("{:?}", one.split('/').next().unwrap());
        assert!(error.contains(&format!("differs from {there} only")), "{error}");
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

/// Only its owner may write to a file, and no bit changes who runs a program.
#[test]
fn permissions_that_are_taken_away() {
    let (mut tar, mut zip) = (Tar::new(), Zip::new());
    for (name, mode) in [("setuid", 0o4755), ("setgid", 0o2755), ("sticky", 0o1777), ("all", 0o666)] {
        tar.add(Member::file(name, b"x").mode(mode));
        zip.add(Member::file(name, b"x").mode(mode));
    }
    tar.add(Member::directory("d").mode(0o7777));
    zip.add(Member::directory("d").mode(0o7777));
    for archive in [tar.bytes(), zip.bytes()] {
        let outcome = accepted(&archive);
        let mode = |name: &str| fs::metadata(outcome.tree.join(name)).unwrap().permissions().mode() & 0o7777;
        let modes = ["setuid", "setgid", "sticky", "all", "d"].map(mode);
        assert_eq!(modes, [0o755, 0o755, 0o755, 0o644, 0o755]);
    }
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
    for long in ["n".repeat(256), "n/".repeat(2100), "n".repeat(60_000)] {
        refused(&Zip::of(Member::file(&long, b"x")), "archive-member-name");
        refused(&Tar::of(Member::file(&long, b"x").gnu_long()), "archive-member-name");
    }
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
fn two_names() {
    for member in [
        Member::file("short", b"x").record("path", "one").record("path", "two"),
        Member::symlink("link", "x").record("linkpath", "one").record("linkpath", "two"),
        Member::file("one", b"x").gnu_long().record("path", "two"),
        Member::file("x", b"12345").record("size", "5").record("size", "5"),
    ] {
        refused(&Tar::of(member), "archive-unsupported");
    }
    refused(
        &Zip::new().add(Member::file("one", b"x")).extra(&unicode_name("two")).bytes(),
        "archive-malformed",
    );
    accepted(&Zip::new().add(Member::file("one", b"x")).extra(&unicode_name("one")).bytes());
}

/// The extra field of zip archives that names a member a second time.
fn unicode_name(name: &str) -> Vec<u8> {
    let length = u16::try_from(name.len() + 5).unwrap().to_le_bytes();
    [b"\x75\x70".as_slice(), &length, b"\x01\0\0\0\0", name.as_bytes()].concat()
}

/// Sizes of 64 bits, of which the directory has one where the local header has another.
#[test]
fn sizes_of_64_bits() {
    let zip = |length: u64, packed: u64| {
        let mut zip = Zip::new();
        zip.add(Member::file("name", b"content")).central(20, &[0xff; 8]);
        let fields = [b"\x01\0\x10\0".as_slice(), &length.to_le_bytes(), &packed.to_le_bytes()].concat();
        zip.extra(&fields).bytes()
    };
    assert_eq!(fs::read(accepted(&zip(7, 7)).tree.join("name")).unwrap(), b"content");
    for (length, packed) in [(8, 7), (7, 8), (7, u64::MAX), (u64::MAX, 7)] {
        let outcome = extract(&zip(length, packed));
        assert!(outcome.result.is_err() && !outcome.tree.exists(), "{length} {packed}");
    }
    let mut cut = Zip::new();
    cut.add(Member::file("name", b"content")).central(20, &[0xff; 8]);
    refused(&cut.extra(b"\x01\0\x08\0\x07\0\0\0\0\0\0\0").bytes(), "archive-malformed");
    // A size in binary, as GNU tar writes large ones.
    let mut tar = Tar::of(Member::file("x", b"12345"));
    tar[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
    tar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    refused(&tar, "archive-limit");
}

/// Both headers say less than what the data decodes to.
#[test]
fn data_that_goes_on_after_its_size() {
    for deflated in [false, true] {
        let member = Member::file("name", &[b'x'; 1000]);
        let mut zip = Zip::new();
        zip.add(if deflated { member.deflated() } else { member });
        let length = 999_u32.to_le_bytes();
        zip.central(24, &length).local(22, &length);
        refused(&zip.bytes(), "archive-malformed");
    }
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

/// An archive in several parts of a compressed stream is an archive; one that is compressed twice is not.
#[test]
fn streams_of_several_parts() {
    let tar = Tar::of(Member::file("a", &[b'x'; 3000]));
    let parts = [support::gzip(&tar[..1000]), support::gzip(&tar[1000..])].concat();
    assert!(accepted(&parts).tree.join("a").is_file());
    let trailing = [support::gzip(&tar), support::gzip(b"more")].concat();
    refused(&trailing, "archive-malformed");
    assert_eq!(support::detected(&support::gzip(&support::gzip(&tar))), None);
    let inner = Zip::of(Member::file("../out", b"x"));
    let outcome = accepted(&Tar::of(Member::file("inner.zip", &inner)));
    assert_eq!(fs::read(outcome.tree.join("inner.zip")).unwrap(), inner);
    // A window that takes more memory than is given to it.
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    zstd.window_log(28).unwrap();
    std::io::Write::write_all(&mut zstd, &tar).unwrap();
    assert_eq!(support::detected(&zstd.finish().unwrap()), None);
}

#[test]
fn what_is_no_archive() {
    let text = b"PK is how this text begins, and it goes on".repeat(20);
    let gzip = support::gzip(&text);
    for bytes in [b"".as_slice(), b"PK", &text, &gzip, &[0; 1024], b"\x1f\x8b broken", &[b'x'; 600]] {
        assert_eq!(support::detected(bytes), None);
    }
}
