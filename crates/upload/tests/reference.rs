//! Types and compression of many names, beside the installed scriptworker.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests

use catena_upload::{content_type, is_compressible};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Reads names, one a line; says type and encoding of each, by scriptworker's own function.
const PEER: &str = r#"
import json, mimetypes, sys
from scriptworker.artifacts import guess_content_type_and_encoding
names = sys.stdin.read().split("\n")
print(json.dumps([guess_content_type_and_encoding("/artifacts/" + name) for name in names]))
"#;

const EXTENSIONS: &str = "7z a aab aac ai aif apk appx asc avi bat bin bmp br bz2 c cab cfg conf cpp css csv dat deb \
    der dex diff dll dmg doc dot ear eml env epub exe flatpak gif gpg gz h heic hgignore htm html ico idx ini ipa iso \
    jar java jpeg jpg js json jsonl jsonld key ko ksh latex lock log lz4 lzma map mar md mht mjs mkv mov mp3 mp4 mpeg msi \
    msix o obj odt ogg orderfile otf p12 p7c patch pdf pem php pkg pl plist png pot ppt ps pub py pyc rb rdf rpm rs rst \
    rtf sdk sgml sh shar sig sln snap so sql srt svg svgz swf sym tar tar.bz2 tar.gz tar.xz tar.zst taz tbz2 tcl tex \
    text tgz tif tiff toml ts tsv ttf txt txz tz vcf wasm wav webm webp webmanifest whl woff woff2 wsdl xcf xht xhtml \
    xls xml xpi xsd xsl xz yaml yml z zip zst";

fn names() -> Vec<String> {
    let stems =
        ["target", "public/build/target", "public/.hidden/x", "a.b.c", "public/logs/live backing", "1.0"];
    let mut names: Vec<String> =
        ["none", "", ".txt", ".json", "x.", "x..json", "dir.txt/none", "dir.json/.x"]
            .map(String::from)
            .into();
    for extension in EXTENSIONS.split_whitespace() {
        names.extend(stems.iter().map(|stem| format!("{stem}.{extension}")));
        names.push(format!("x.{}", extension.to_uppercase()));
        names.extend(
            ["gz", "bz2", "xz", "br", "asc", "sig", "log"].map(|more| format!("x.{extension}.{more}")),
        );
    }
    names
}

/// With `CATENA_SCRIPTWORKER_PYTHON`, a Python with scriptworker 63.6.1: the same types and the same choice to
/// compress. Three differences are decided: what is compressed already has no encoding here and so another type;
/// a type that only this machine's tables know is unknown here; and one that only Catena's table knows is known
/// on every machine.
#[test]
fn b074_b076_b077_types_and_compression_are_the_references() {
    let Some(python) = std::env::var_os("CATENA_SCRIPTWORKER_PYTHON") else {
        eprintln!(
            "CATENA_SCRIPTWORKER_PYTHON is not set: content types are not compared with scriptworker's"
        );
        return;
    };
    let names = names();
    let mut peer =
        Command::new(python).args(["-c", PEER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    peer.stdin.take().unwrap().write_all(names.join("\n").as_bytes()).unwrap();
    let output = peer.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<(String, Option<String>)> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), names.len());
    let (mut same, mut decided) = (0, 0);
    for (name, (reference, encoding)) in names.iter().zip(&theirs) {
        let ours = content_type(name);
        let reference_compresses = encoding.is_none() && is_compressible(reference);
        assert_eq!(
            is_compressible(ours),
            reference_compresses,
            "{name}: {ours}, reference {reference} {encoding:?}"
        );
        if encoding.is_some() {
            assert!(!is_compressible(ours), "{name}");
            decided += 1;
        } else if ours == reference {
            same += 1;
        } else {
            let unknown = "application/binary";
            assert!(ours == unknown || reference == unknown, "{name}: {ours}, reference {reference}");
            decided += 1;
        }
    }
    eprintln!("{same} names have the reference's type, {decided} differ as decided");
    assert!(same > 1000, "{same}");
}
