//! Several tasks at the same time: what each slot has of its own.

use super::file::File;
use super::problem::{Problems, Severity};
use catena_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What stands for the number of a slot.
const MARK: &str = "{slot}";
/// The most tasks at the same time; each has a process.
const MOST: u32 = 64;
/// The directories, of which each slot needs its own.
const DIRECTORIES: [&str; 4] = ["artifact_dir", "log_dir", "task_log_dir", "work_dir"];
/// Other keys whose value may have the number.
const OTHERS: [&str; 2] = ["task_script", "worker_id"];

/// Tasks at the same time, and the directories of the other slots. Where there are several, the number of the slot is
/// put in place of `{slot}`.
pub(super) fn capacity(file: &mut File, slot: u32, problems: &mut Problems) -> (u32, Vec<PathBuf>) {
    let number = file.whole("capacity");
    let capacity = u32::try_from(number).ok().filter(|capacity| (1..=MOST).contains(capacity));
    let Some(capacity) = capacity else {
        problems.error(file.mark("capacity"), format!("capacity: {number} is not from 1 to {MOST}"));
        return (1, Vec::new());
    };
    if capacity == 1 {
        return (1, Vec::new());
    }
    for name in DIRECTORIES {
        let is_own = file.text(name).is_none_or(|text| text.contains(MARK));
        if !is_own {
            let what =
                format!("{name}: with capacity {capacity} it needs {MARK}, so that each slot has its own");
            problems.error(file.mark(name), what);
        }
    }
    if file.value("task_script").is_some_and(|script| !script.to_string().contains(MARK)) {
        let what = format!(
            "task_script: it has no {MARK}: the scripts of all slots read one configuration, which can name the \
             work_dir of one slot only"
        );
        problems.add(Severity::Warning, file.mark("task_script"), what);
    }
    let others = (1..=capacity).filter(|other| *other != slot);
    let others = others.flat_map(|other| DIRECTORIES.map(|name| (name, other.to_string())));
    let others = others.filter_map(|(name, other)| Some(file.text(name)?.replace(MARK, &other).into()));
    let others = others.collect();
    for name in DIRECTORIES.into_iter().chain(OTHERS) {
        file.change(name, &|value| put_in(value, slot));
    }
    (capacity, others)
}

fn put_in(value: &mut Value, slot: u32) {
    match value {
        Value::String(text) => *text = text.replace(MARK, &slot.to_string()),
        Value::Array(items) => items.iter_mut().for_each(|item| put_in(item, slot)),
        _ => {}
    }
}

/// Where probes and metrics are answered: on this machine, unless the file says that others may ask.
pub(super) fn metrics_address(file: &File, slot: u32, problems: &mut Problems) -> Option<SocketAddr> {
    const KEY: &str = "metrics_address";
    let text = file.text(KEY).filter(|text| !text.is_empty())?;
    let shown: String = text.chars().take(100).collect();
    let Ok(first) = text.parse::<SocketAddr>() else {
        let what = format!("{KEY}: {shown:?} is not an address and a port, such as 127.0.0.1:9464");
        problems.error(file.mark(KEY), what);
        return None;
    };
    if !first.ip().is_loopback() && !file.truth("metrics_public") {
        let what = format!(
            "{KEY}: {first} is not on this machine only; use 127.0.0.1, or metrics_public: true, which lets \
             everybody who reaches the port read the metrics"
        );
        problems.error(file.mark(KEY), what);
        return None;
    }
    let before = u16::try_from(slot.saturating_sub(1)).unwrap_or(u16::MAX);
    let Some(port) = first.port().checked_add(before) else {
        problems.error(file.mark(KEY), format!("{KEY}: there is no port for slot {slot} after {first}"));
        return None;
    };
    Some(SocketAddr::new(first.ip(), port))
}
