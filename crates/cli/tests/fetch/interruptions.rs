//! Faults and kills: all of the files or none.

use crate::case::{ARCHIVE, Case};
use crate::support::children;
use catena_testbed::Fault;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// Every fault at every phase: the right files, or none and a status that says why.
#[test]
fn faults_at_every_phase_leave_all_or_nothing() {
    let case = Case::new();
    let phases = [
        "*/status*",
        "/api/*chain-of-trust.json*",
        "/_store/*chain-of-trust.json.sig*",
        "/api/*tools.tar.gz*",
        "/_store/*tools.tar.gz*",
    ];
    let faults = [
        (Fault::Status(404), 3),
        (Fault::Status(403), 3),
        (Fault::HangUp, 3),
        (Fault::Truncate { after: 10 }, 3),
        (Fault::Encoding("br".into()), 3),
        (Fault::Redirect("ftp://127.0.0.1/".into()), 3),
        (Fault::Wander, 3),
        (Fault::Replace(b"{}".to_vec().into()), 0),
    ];
    for phase in phases {
        for (fault, status) in &faults {
            case.testbed.clear_faults();
            case.testbed.fault(phase, .., fault.clone());
            let answer = case.fetch(&[
                &case.task(),
                ARCHIVE,
                "--keys",
                "keys.json",
                "--extract",
                "--attempts",
                "2",
                "--stall",
                "1",
            ]);
            // A redirect whose body is broken is still a redirect.
            let redirects = phase.starts_with("/api");
            let harmless = redirects && matches!(fault, Fault::Truncate { .. } | Fault::Encoding(_));
            let wanted = if harmless { 0 } else { *status };
            let any = matches!(fault, Fault::Replace(_));
            assert!(any || answer.status == wanted, "{phase} {fault:?}: {}{}", answer.stdout, answer.stderr);
            if answer.status == 0 {
                assert_eq!(case.read("tools/README"), b"read me\n");
                std::fs::remove_dir_all(case.dest()).unwrap();
            }
            case.nothing_is_left();
        }
    }
}

/// Killed at any moment, nothing but whole files is in place, and the next one delivers all of them.
#[cfg(unix)]
#[test]
fn killed_and_run_again() {
    let case = Case::new();
    case.testbed.fault("/_store/*", .., Fault::Drip { bytes: 400, every: Duration::from_millis(4) });
    for wait in [20, 60, 120, 200, 400] {
        let mut catena = case.catena();
        catena
            .args([&case.task(), ARCHIVE, &case.name, "--keys", "keys.json", "--extract", "--dest"])
            .arg(case.dest());
        let mut child = catena.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = if case.dest().exists() { children(&case.dest()) } else { Vec::new() };
        for path in left.iter().filter(|path| path.is_file()) {
            assert_eq!(std::fs::read(path).unwrap(), case.content);
        }
    }
    case.testbed.clear_faults();
    let answer = case.fetch(&[&case.task(), ARCHIVE, &case.name, "--keys", "keys.json", "--extract"]);
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    let names: Vec<PathBuf> = children(&case.dest());
    assert_eq!(names.len(), 2, "{names:?}");
}
