//! Documents: what is signed, and what is not.

use super::harness::{Case, beginning};
use catena_signing::{DOCUMENT, SIGNATURE};
use catena_taskcluster::Resolution;
use catena_worker::worker::Order;
use std::time::Duration;

pub(crate) fn upload_is_finished() {
    let mut case = beginning("true");
    case.story.upload_takes = Duration::from_secs(2);
    let logs = case.path(&format!("artifacts/{DOCUMENT}.sig"));
    let seen = case.told(Order::ShutDown, move |_| logs.exists());
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
    seen.document();
}

pub(crate) fn failed_is_signed() {
    let seen = Case::new("exit 1").run();
    seen.document();
}

pub(crate) fn unsigned() {
    let mut case = Case::new("true");
    case.signs = false;
    let seen = case.run();
    assert!(seen.has(DOCUMENT) && !seen.has(SIGNATURE));
    assert_eq!(seen.resolutions(), [Resolution::Completed]);
}

pub(crate) fn stale_document() {
    let leave = "mkdir -p $A/public; echo '{}' > $A/public/chain-of-trust.json; echo x > $A/public/chain-of-trust.json.sig";
    for (end, is_signed) in [("true", true), ("sleep 60", false)] {
        let mut case = Case::new("");
        let artifacts = case.path("artifacts").display().to_string();
        case.script = format!("A={artifacts}; {leave}; {end}");
        case.more = "task_max_timeout: 1".into();
        let seen = case.run();
        assert_eq!((seen.has(DOCUMENT), seen.has(SIGNATURE)), (is_signed, is_signed));
        if is_signed {
            let document = seen.document();
            assert!(document["artifacts"].get(DOCUMENT).is_none());
        }
    }
}

pub(crate) fn link_leads_out() {
    let mut case = Case::new("");
    case.script = format!("ln -s /etc/passwd {}/x.txt", case.path("artifacts").display());
    let seen = case.run();
    assert_eq!(seen.resolutions(), [Resolution::Failed]);
    assert!(!seen.has(DOCUMENT) && seen.live().contains("x.txt"), "{}", seen.live());
}
