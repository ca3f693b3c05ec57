//! What, beside the facts, a verdict is made from: `inquiry.json` in a recording.

use crate::failure::Failure;
use crate::policy_files::PolicyTexts;
use catena_core::Timestamp;
use catena_core::inquiry::{Extent, Target};
use catena_core::task::{Kind, TaskId};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file's name in the folder of a recording.
const FILE: &str = "inquiry.json";
/// The version of the format.
const VERSION: u32 = 1;

/// The question a recording answers, and what it was judged by. The facts stand beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RecordedInquiry {
    /// The version of this format.
    catena_inquiry: u32,
    /// The version of catena that made it.
    made_by: String,
    /// The target's id.
    task_id: String,
    /// The target's kind.
    task_type: String,
    /// Whether the target's own document was checked too.
    check_task: bool,
    /// Which artifacts were measured beside those that the target takes in. Recordings from before this
    /// hold none of the others.
    #[serde(default = "before_this")]
    artifacts: String,
    /// The product.
    pub(crate) product: String,
    /// Where Taskcluster was.
    pub(crate) root_url: String,
    /// Whether documents were believed without their signatures.
    pub(crate) danger_skip_signatures: bool,
    /// Whether facts could come over plain http.
    pub(crate) danger_allow_http: bool,
    /// Whether nobody was asked. Not written where somebody was, as in all recordings before this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) offline: bool,
    /// The policy.
    pub(crate) policy: PolicyTexts,
    /// The text of the file that stands in for the product's keys.
    pub(crate) keys: Option<KeysText>,
    /// When it was concluded, RFC 3339.
    pub(crate) concluded: String,
}

/// A file of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeysText {
    /// The file's name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
}

impl RecordedInquiry {
    /// A question about a target, not concluded yet.
    pub(crate) fn about(target: &Target, product: String) -> Self {
        Self {
            catena_inquiry: VERSION,
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            task_id: target.task_id.to_string(),
            task_type: target.kind.to_string(),
            check_task: target.check_task,
            artifacts: target.extent.as_str().to_owned(),
            product,
            root_url: String::new(),
            danger_skip_signatures: false,
            danger_allow_http: false,
            offline: false,
            policy: PolicyTexts::default(),
            keys: None,
            concluded: String::new(),
        }
    }

    /// The target.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        let task_id = TaskId::parse(&self.task_id).map_err(|error| broken(&error))?;
        let kind = Kind::parse(&self.task_type).map_err(|error| broken(&error))?;
        let extent = Extent::parse(&self.artifacts);
        let extent = extent.ok_or_else(|| broken(&format!("{:?} are no artifacts", self.artifacts)))?;
        Ok(Target { task_id, kind, check_task: self.check_task, extent })
    }

    /// When it was concluded.
    pub(crate) fn concluded(&self) -> Result<Timestamp, Failure> {
        self.concluded.parse().map_err(|_| broken(&format!("{:?} is not a time", self.concluded)))
    }

    /// Reads it from the folder of a recording.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(|cause| {
            Failure::usage(format!("{}: {cause}", file.display())).next("name a folder that --record filled")
        })?;
        let read: Self = serde_json::from_str(&text)
            .map_err(|cause| Failure::usage(format!("{}: {cause}", file.display())).next(MADE_WHOLE))?;
        if read.catena_inquiry != VERSION {
            let what = format!("{}: version {} is not known here", file.display(), read.catena_inquiry);
            return Err(
                Failure::usage(what).next(format!("it was made by catena {}; use that", read.made_by))
            );
        }
        Ok(read)
    }

    /// Makes sure that a folder holds no recording: evidence is not written over.
    pub(crate) fn make_room(folder: &Path) -> Result<(), Failure> {
        let file = folder.join(FILE);
        if file.exists() {
            let what = format!("{} holds a recording already", folder.display());
            return Err(Failure::usage(what).next("name another folder, or remove this one first"));
        }
        Ok(())
    }

    /// Writes it into the folder of a recording.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(self).map_err(Failure::undetermined)?;
        text.push('\n');
        crate::output::Output::File(folder.join(FILE)).write(&text)
    }
}

fn before_this() -> String {
    Extent::Named.as_str().to_owned()
}

const MADE_WHOLE: &str = "a recording is only good as it was made; make it again";

fn broken(cause: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{FILE}: {cause}")).next(MADE_WHOLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            kind: Kind::parse("signing").unwrap(),
            check_task: true,
            extent: Extent::All,
        };
        let mut asked = RecordedInquiry::about(&target, "firefox".to_owned());
        asked.concluded = "2026-05-04T03:02:01Z".to_owned();
        asked.write(folder.path()).unwrap();
        let read = RecordedInquiry::read(folder.path()).unwrap();
        assert_eq!(read, asked);
        assert_eq!(read.target().unwrap(), target);
        assert!(RecordedInquiry::make_room(folder.path()).is_err());
        assert!(RecordedInquiry::make_room(&folder.path().join("new")).is_ok());
    }

    #[test]
    fn a_recording_from_before_holds_no_artifacts_of_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            kind: Kind::parse("signing").unwrap(),
            check_task: true,
            extent: Extent::All,
        };
        RecordedInquiry::about(&target, "firefox".to_owned()).write(folder.path()).unwrap();
        let file = folder.path().join(FILE);
        let text = std::fs::read_to_string(&file).unwrap();
        let line = "  \"artifacts\": \"all\",\n";
        assert!(text.contains(line), "{text}");
        std::fs::write(&file, text.replace(line, "")).unwrap();
        let read = RecordedInquiry::read(folder.path()).unwrap();
        assert_eq!(read.target().unwrap().extent, Extent::Named);
        std::fs::write(&file, text.replace(line, "  \"artifacts\": \"some\",\n")).unwrap();
        assert!(RecordedInquiry::read(folder.path()).unwrap().target().is_err());
    }

    #[test]
    fn another_version_says_who_made_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RecordedInquiry::read(folder.path()).unwrap_err().status, crate::failure::USAGE);
        let target = Target {
            task_id: TaskId::parse("IFn9x5gaQz-HXl2pa7Ny_w").unwrap(),
            kind: Kind::parse("signing").unwrap(),
            check_task: true,
            extent: Extent::All,
        };
        let mut asked = RecordedInquiry::about(&target, "firefox".to_owned());
        asked.catena_inquiry = 2;
        asked.write(folder.path()).unwrap();
        assert!(RecordedInquiry::read(folder.path()).is_err());
    }
}
