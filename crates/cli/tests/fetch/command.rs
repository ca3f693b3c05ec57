//! The command that is run once everything is there.

use crate::case::Case;
use std::process::Command;

/// Whether this kernel gives a process a network of its own; where it does not, that must be said.
pub(crate) fn namespaces() -> bool {
    Command::new("unshare").args(["--user", "--net", "true"]).status().is_ok_and(|status| status.success())
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_runs_without_any_network() {
    let case = Case::new();
    let port = case.testbed.root_url();
    let port = port.rsplit(':').next().unwrap();
    // Loopback is up, but it is another one: the testbed cannot be reached there.
    let script = format!(
        "cat fetches/{} >/dev/null && echo \"$SAID in $(pwd)\" && \
         ! (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && grep -q lo: /proc/net/dev && \
         [ $(grep -c : /proc/net/dev) = 1 ] && exit 7",
        case.file()
    );
    let answer = case
        .catena()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .args([&case.task(), &case.name, "--keys", "keys.json", "--dest", "fetches"])
        .args(["--offline-exec", "--env", "SAID=hello", "--cd"])
        .arg(case.room.path())
        .args(["--", "bash", "-c", &script])
        .run();
    if namespaces() {
        assert_eq!(answer.status, 7, "{}{}", answer.stdout, answer.stderr);
        assert!(answer.stdout.contains("hello in "), "{}", answer.stdout);
    } else {
        assert_eq!(answer.status, 2, "{}", answer.stderr);
        assert!(answer.stderr.contains("user.max_user_namespaces"), "{}", answer.stderr);
    }
}
