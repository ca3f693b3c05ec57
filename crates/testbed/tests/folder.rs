//! Folders in the layout of recorded cases.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use catena_testbed::{Body, FolderError, Site};
use std::fs;
use std::path::Path;

fn write(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn case(root: &Path) {
    write(
        root,
        &[
            ("chain.json", r#"{"gzip": true, "product": "firefox"}"#),
            (
                "queue/AAA.json",
                r#"{"task": {"a": 1}, "task_raw": "{\"a\": 1, \"a\": 2}",
                    "status": {"status": {"runs": [{"runId": 0}, {"runId": 1}]}},
                    "artifacts": [{"name":  "public/x"}], "redirects": {"public/x": "BBB/0/public%2Fy"}}"#,
            ),
            ("queue/BBB.json", r#"{"task": {}, "status": {"status": {"runs": []}}, "artifacts": []}"#),
            ("artifacts/AAA/0/public%2Fold", "old"),
            ("artifacts/AAA/1/public%2Fx", "x"),
            ("artifacts/BBB/0/public%2Fy", "y"),
            (
                "http/routes.json",
                r#"[{"url": "https://a/b?c=d", "file": "0", "type": "t/u"}, {"url": "https://a/e", "status": 410, "type": "t/u"}]"#,
            ),
            ("http/0", "page"),
        ],
    );
}

#[test]
fn a_folder_becomes_a_site() {
    let folder = tempfile::tempdir().unwrap();
    case(folder.path());
    let site = Site::from_folder(folder.path()).unwrap();
    assert!(site.gzip);
    let task = &site.tasks["AAA"];
    assert_eq!(task.definition, r#"{"a": 1, "a": 2}"#, "raw text wins and stays raw");
    assert_eq!(task.latest(), Some(1));
    let latest = &task.runs[&1];
    assert_eq!(latest.listing.as_deref(), Some([r#"{"name":  "public/x"}"#.to_owned()].as_slice()));
    assert_eq!(latest.artifacts["public/x"].redirect.as_deref(), Some("BBB/0/public%2Fy"));
    assert_eq!(task.runs[&0].artifacts["public/old"].body, Body::from("old"));
    assert_eq!(site.tasks["BBB"].runs[&0].artifacts["public/y"].body, Body::from("y"));
    assert_eq!(site.pages["https://a/b?c=d"].body, Body::from("page"));
    assert_eq!(site.pages["https://a/e"].status, 410);
}

/// The reference asks at the tag, and so recorded cases hold no more.
#[test]
fn a_release_has_its_template_at_the_commit_of_its_tag() {
    let folder = tempfile::tempdir().unwrap();
    case(folder.path());
    let routes = r#"[{"url": "https://api/o/r/tags?per_page=100", "file": "1", "type": "t/u"},
        {"url": "https://api/o/r/contents/.taskcluster.yml?ref=v1", "file": "2", "type": "t/u"},
        {"url": "https://api/o/r/contents/.taskcluster.yml?ref=c3", "file": "3", "type": "t/u"},
        {"url": "https://api/o/r/contents/.taskcluster.yml?ref=v3", "file": "2", "type": "t/u"}]"#;
    let tag = |name: &str, sha: &str| format!(r#"{{"name": "{name}", "commit": {{"sha": "{sha}"}}}}"#);
    let tags = format!("[{}, {}, {}]", tag("v1", "c1"), tag("v2", "c2"), tag("v3", "c3"));
    let template = r#"{"url": "https://api/o/r/contents/.taskcluster.yml?ref=v1", "content": "v1"}"#;
    write(
        folder.path(),
        &[("http/routes.json", routes), ("http/1", &tags), ("http/2", template), ("http/3", "own")],
    );
    let site = Site::from_folder(folder.path()).unwrap();
    let at = |name: &str| site.pages.get(&format!("https://api/o/r/contents/.taskcluster.yml?ref={name}"));
    assert_eq!(at("c1").unwrap().body, Body::from(template.replace("ref=v1", "ref=c1")));
    assert_eq!(at("v1").unwrap().body, Body::from(template));
    assert_eq!(at("c3").unwrap().body, Body::from("own"), "what is recorded stays");
    assert!(at("c2").is_none() && at("v2").is_none());
}

#[test]
fn large_bodies_stay_files() {
    let folder = tempfile::tempdir().unwrap();
    case(folder.path());
    let path = folder.path().join("artifacts/AAA/1/public%2Flarge");
    fs::write(&path, vec![0; 600 * 1024]).unwrap();
    let site = Site::from_folder(folder.path()).unwrap();
    assert_eq!(site.tasks["AAA"].runs[&1].artifacts["public/large"].body, Body::File(path));
}

#[test]
fn missing_and_malformed_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    case(folder.path());
    fs::write(folder.path().join("queue/BBB.json"), "{").unwrap();
    let error = Site::from_folder(folder.path()).unwrap_err();
    assert!(matches!(&error, FolderError::Json { path, .. } if path.ends_with("queue/BBB.json")), "{error}");
    fs::remove_file(folder.path().join("chain.json")).unwrap();
    let error = Site::from_folder(folder.path()).unwrap_err();
    assert!(matches!(&error, FolderError::Io { path, .. } if path.ends_with("chain.json")), "{error}");
}

/// Every recorded case can be served; which they are is for the directory named by CATENA_SHARED to say.
#[test]
fn recorded_cases_are_sites() {
    let Some(shared) = std::env::var_os("CATENA_SHARED") else {
        eprintln!("skipped: CATENA_SHARED is not set");
        return;
    };
    let mut read = 0;
    for kind in ["honest", "dishonest"] {
        for case in fs::read_dir(Path::new(&shared).join("samples").join(kind)).unwrap() {
            let path = case.unwrap().path();
            let site = Site::from_folder(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!site.pages.is_empty() && site.tasks.values().all(|task| !task.definition.is_empty()));
            read += 1;
        }
    }
    assert!(read > 0, "no recorded cases");
}
