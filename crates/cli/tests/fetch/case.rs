//! What is served, and where it is fetched to.

use crate::support::{Answer, Catena, children, keys_file};
use catena_testbed::{Artifact, Chain, Options, Page, Testbed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A chain that is being served, whose first build made an archive too.
pub(crate) struct Case {
    pub(crate) testbed: Testbed,
    pub(crate) room: TempDir,
    pub(crate) build: String,
    pub(crate) run: u32,
    /// An artifact of the build, and its content.
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) product: String,
}

pub(crate) const ARCHIVE: &str = "public/build/tools.tar.gz";

pub(crate) fn archive() -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content, mode) in
        [("tools/bin/cc", "#!/bin/sh\n", 0o755), ("tools/README", "read me\n", 0o644)]
    {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    builder.append_link(&mut link, "tools/cc", "bin/cc").unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

impl Case {
    pub(crate) fn new() -> Self {
        Self::bent(|_, _| {})
    }

    /// After the build's artifacts are sealed, `bend` changes the chain.
    pub(crate) fn bent(bend: impl FnOnce(&mut Chain, &str)) -> Self {
        let mut chain = Chain::demo().unwrap();
        let build = chain.builds[0].clone();
        chain
            .artifacts_mut(&build)
            .unwrap()
            .insert(ARCHIVE.to_owned(), Artifact::new(archive(), "application/gzip"));
        chain.reseal(&build).unwrap();
        bend(&mut chain, &build);
        let run = *chain.task(&build).unwrap().runs.keys().next_back().unwrap();
        let room = tempfile::tempdir().unwrap();
        let keys = chain.keys.public_keys_base64().into_iter();
        keys_file(
            room.path(),
            &Value::Object(keys.map(|(name, keys)| (name.to_owned(), Value::from(keys))).collect()),
        );
        let artifacts = chain.artifacts_mut(&build).unwrap();
        let (name, artifact) =
            artifacts.iter().find(|(name, _)| name.starts_with("public/build/") && *name != ARCHIVE).unwrap();
        let mut content = Vec::new();
        artifact
            .body
            .for_each(|chunk| {
                content.extend_from_slice(chunk);
                Ok(())
            })
            .unwrap();
        let (name, product) = (name.clone(), chain.product.clone());
        let mut site = chain.into_site();
        let indexed = json!({"namespace": "a.b", "taskId": build}).to_string();
        site.pages.insert("https://index/a.b".to_owned(), Page::new(indexed, "application/json"));
        let testbed = Testbed::start_blocking(site, Options::default()).unwrap();
        Self { testbed, room, build, run, name, content, product }
    }

    pub(crate) fn dest(&self) -> PathBuf {
        self.room.path().join("fetches")
    }

    pub(crate) fn task(&self) -> String {
        format!("task:{}", self.build)
    }

    pub(crate) fn catena(&self) -> Catena {
        let mut catena = Catena::through(&self.testbed, self.room.path());
        catena.command().current_dir(self.room.path());
        catena.arg("fetch");
        catena
    }

    /// Fetches with these options into the destination.
    pub(crate) fn fetch(&self, arguments: &[&str]) -> Answer {
        self.catena().args(arguments).arg("--dest").arg(self.dest()).run()
    }

    pub(crate) fn chain(&self) -> [&str; 4] {
        ["--product", &self.product, "--keys", "keys.json"]
    }

    /// The destination is empty or missing.
    #[track_caller]
    pub(crate) fn nothing_is_left(&self) {
        assert!(!self.dest().exists() || children(&self.dest()).is_empty(), "{:?}", children(&self.dest()));
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.dest().join(name)).unwrap()
    }

    pub(crate) fn file(&self) -> &str {
        self.name.rsplit('/').next().unwrap()
    }
}

pub(crate) fn sha256(content: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names and contents of a .tar.zst archive, as tar lists them.
pub(crate) fn listed(archive: &Path) -> Vec<String> {
    let extracted = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(extracted.path());
    assert!(tar.status().unwrap().success());
    let mut found = Vec::new();
    let mut left = vec![extracted.path().to_owned()];
    while let Some(folder) = left.pop() {
        for path in children(&folder) {
            let name = path.strip_prefix(extracted.path()).unwrap().display().to_string();
            match std::fs::read_link(&path) {
                Ok(target) => found.push(format!("{name} -> {}", target.display())),
                Err(_) if path.is_dir() => left.push(path),
                Err(_) => {
                    found.push(format!("{name}: {}", std::fs::read_to_string(&path).unwrap().trim_end()))
                }
            }
        }
    }
    found.sort();
    found
}
