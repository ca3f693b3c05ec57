//! Attacks on files: other bytes, none, no hash, a name that leads elsewhere, another place.

use super::documents::{action_task, artifacts_of, later_run, second_build, third_build};
use super::{Attack, Q, S, T, W, Wire, attack, wire};
use crate::change::{
    ACTIONS, ARTIFACT, GRAPH, PARAMETERS, add, alter, document, document_of, first_build, first_decision,
    inside, json, list, remove, set, target, upstream,
};
use crate::honest::{action, cron, fork, globs, mobile, pr_action, promotion, pull_request, push, tag};
use catena_json::Value;
use catena_testbed::chain::{DOCUMENT, SIGNATURE};
use catena_testbed::{Artifact, Body, Chain, Fault, Release};
use sha2::{Digest as _, Sha256, Sha512};

/// A build's second artifact, which patterns stand for too.
const SECOND: &str = "public/build/target.langpack.xpi";
/// The log of a run, which its document names.
const LOG: &str = "public/logs/certified.log";

pub(super) const ATTACKS: &[Attack] = &[
    // Other bytes.
    attack(
        "file altered",
        &[S, Q],
        "One bit of a file that a build made is flipped.",
        push,
        |c| alter(c, ARTIFACT),
        "artifact-altered",
    ),
    attack(
        "generic-worker's file altered",
        &[S, Q],
        "The last bit of a file of a build that generic-worker ran is flipped.",
        tag,
        |c| {
            let id = third_build(c)?;
            bytes(c, &id, SECOND, |bytes| {
                *bytes.last_mut()? ^= 1;
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "signed file altered",
        &[S, Q],
        "One bit of a file that was signed and repackaged before the target is flipped.",
        rounds,
        |c| {
            let (id, name) = wanted(c)?;
            bytes(c, &id, &name, |bytes| {
                *bytes.first_mut()? ^= 0x80;
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "graph altered",
        &[S, Q],
        "A scope is put into the graph of a cron job's decision task after its worker had signed it.",
        cron,
        |c| {
            let id = first_decision(c)?;
            bytes(c, &id, GRAPH, |bytes| {
                *bytes.iter_mut().find(|byte| **byte == b':')? = b' ';
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "graph with a line more",
        &[S, Q],
        "A line end is added to the graph of an action task, which means the same.",
        promotion,
        |c| {
            let id = action_task(c)?;
            bytes(c, &id, GRAPH, |bytes| {
                bytes.push(b'\n');
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "actions altered",
        &[S, Q],
        "The actions of a decision task are replaced by none.",
        action,
        |c| {
            let id = first_decision(c)?;
            bytes(c, &id, ACTIONS, |bytes| {
                *bytes = br#"{"version": 1, "variables": {}, "actions": []}"#.to_vec();
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "parameters altered",
        &[S, Q],
        "A parameter is added to those of a pull request's decision task.",
        pr_action,
        |c| {
            let id = first_decision(c)?;
            bytes(c, &id, PARAMETERS, |bytes| {
                bytes.extend_from_slice(b"extra: true\n");
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "file cut off",
        &[S, Q],
        "A file that a build made lacks its last byte.",
        mobile,
        |c| {
            let id = first_build(c)?;
            bytes(c, &id, ARTIFACT, |bytes| bytes.pop().map(drop))
        },
        "artifact-altered",
    ),
    attack(
        "file with a byte more",
        &[S, Q],
        "A byte is added to a file that a build made.",
        fork,
        |c| {
            let id = first_build(c)?;
            bytes(c, &id, ARTIFACT, |bytes| {
                bytes.push(0);
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "file emptied",
        &[S, Q],
        "A file that a build made has no bytes.",
        push,
        |c| {
            let id = first_build(c)?;
            bytes(c, &id, ARTIFACT, |bytes| {
                bytes.clear();
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "file of other bytes of the same length",
        &[S, Q],
        "A file that a build made is replaced by another one of the same length.",
        pull_request,
        |c| {
            let id = second_build(c)?;
            bytes(c, &id, ARTIFACT, |bytes| {
                bytes.fill(b'x');
                Some(())
            })
        },
        "artifact-altered",
    ),
    attack(
        "two files swapped",
        &[S, Q],
        "Two files of one build, which its document names both, are swapped.",
        push,
        |c| {
            let id = first_build(c)?;
            let artifacts = artifacts_of(c, &id)?;
            let (first, second) = (artifacts.get(ARTIFACT)?.clone(), artifacts.get(SECOND)?.clone());
            artifacts.insert(ARTIFACT.into(), second);
            artifacts.insert(SECOND.into(), first);
            Some(())
        },
        "artifact-altered",
    ),
    attack(
        "files of two builds swapped",
        &[S, Q],
        "The files of the same name of two builds are swapped.",
        tag,
        |c| {
            let (id, other) = (first_build(c)?, third_build(c)?);
            let first = c.artifact_mut(&id, ARTIFACT)?.clone();
            let second = std::mem::replace(c.artifact_mut(&other, ARTIFACT)?, first);
            *c.artifact_mut(&id, ARTIFACT)? = second;
            Some(())
        },
        "artifact-altered",
    ),
    attack(
        "graph of an earlier push",
        &[S, Q],
        "A decision task has the genuine graph of an earlier push's decision task.",
        mobile,
        |c| {
            let (id, other) = (first_decision(c)?, c.decisions.get(1)?.clone());
            *c.artifact_mut(&id, GRAPH)? = c.artifact_mut(&other, GRAPH)?.clone();
            Some(())
        },
        "artifact-altered",
    ),
    // None.
    attack(
        "file gone",
        &[S, Q],
        "A file that a build made and its document names is not there.",
        push,
        |c| {
            let id = first_build(c)?;
            gone(c, &id, ARTIFACT)
        },
        "artifact-missing",
    ),
    attack(
        "graph gone",
        &[S, Q],
        "The graph of a release's decision task is not there.",
        tag,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, GRAPH)
        },
        "artifact-missing",
    ),
    attack(
        "actions gone",
        &[S, Q],
        "The actions of a decision task are not there.",
        action,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, ACTIONS)
        },
        "artifact-missing",
    ),
    attack(
        "parameters gone",
        &[S, Q],
        "The parameters of a cron job's decision task are not there.",
        cron,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, PARAMETERS)
        },
        "artifact-missing",
    ),
    attack(
        "file unnamed by its document",
        &[S, W],
        "A file is there, and its build's document does not name it.",
        push,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| remove(document, &["artifacts", ARTIFACT]))
        },
        "artifact-unlisted",
    ),
    attack(
        "document without files",
        &[W],
        "A build's document names no file.",
        mobile,
        |c| document(c, &["artifacts"], crate::change::empty()),
        "artifact-unlisted",
    ),
    attack(
        "graph unnamed by its document",
        &[W],
        "The document of an action task does not name the graph that it published.",
        promotion,
        |c| {
            let id = action_task(c)?;
            document_of(c, &id, |document| remove(document, &["artifacts", GRAPH]))
        },
        "artifact-unlisted",
    ),
    attack(
        "file named in another case",
        &[S, W],
        "A build's document names a wanted file in capital letters.",
        fork,
        |c| {
            let id = first_build(c)?;
            document_of(c, &id, |document| {
                let artifacts = inside(document, &["artifacts"])?.as_object_mut()?;
                let entry = artifacts.remove(ARTIFACT)?;
                artifacts.insert(ARTIFACT.to_uppercase(), entry);
                Some(())
            })
        },
        "artifact-unlisted",
    ),
    attack(
        "file added after the run",
        &[S, T],
        "The target wants a file that was put beside a build's own after its document was signed.",
        tag,
        |c| {
            let id = first_build(c)?;
            let name = "public/build/target.mar";
            let artifact = Artifact::new("added", "application/octet-stream");
            artifacts_of(c, &id)?.insert(name.into(), artifact);
            target(c, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], name))
        },
        "artifact-unlisted",
    ),
    // Hashes.
    attack(
        "file without a hash",
        &[W],
        "A build's document names a file with no hash at all.",
        push,
        |c| hashes(c, "{}"),
        "artifact-without-digest",
    ),
    attack(
        "graph without a hash",
        &[W],
        "A decision task's document names its graph with no hash at all.",
        cron,
        |c| {
            let id = first_decision(c)?;
            document_of(c, &id, |document| set(document, &["artifacts", GRAPH], crate::change::empty()))
        },
        "artifact-without-digest",
    ),
    attack(
        "file whose entry is null",
        &[W],
        "A build's document has null for a file's hashes.",
        mobile,
        |c| hashes(c, "null"),
        "artifact-digest-malformed",
    ),
    attack(
        "file whose hash is null",
        &[W],
        "A build's document has null for a file's hash.",
        tag,
        |c| hashes(c, r#"{"sha256": null}"#),
        "artifact-digest-malformed",
    ),
    attack(
        "file with a weak hash",
        &[W],
        "A build's document has only an MD5 hash for a file.",
        push,
        |c| hashes(c, r#"{"md5": "d41d8cd98f00b204e9800998ecf8427e"}"#),
        "artifact-digest-malformed",
    ),
    attack(
        "file with a weak hash beside the right one",
        &[W],
        "A build's document has a SHA-1 hash for a file beside the right SHA-256.",
        pull_request,
        |c| add_hash(c, "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        "artifact-digest-malformed",
    ),
    attack(
        "file with a hash of another name",
        &[W],
        "A build's document has a right hash for a file under a name that no algorithm has.",
        push,
        |c| {
            let hash = sha256(c)?;
            hashes(c, &format!("{{\"SHA256\": \"{hash}\"}}"))
        },
        "artifact-digest-malformed",
    ),
    attack(
        "file with half a hash",
        &[W],
        "A build's document has the first half of the right hash for a file.",
        mobile,
        |c| {
            let mut hash = sha256(c)?;
            hash.truncate(32);
            hashes(c, &format!("{{\"sha256\": \"{hash}\"}}"))
        },
        "artifact-digest-malformed",
    ),
    attack(
        "file with an empty hash",
        &[W],
        "A build's document has an empty hash for a file.",
        cron,
        |c| hashes(c, r#"{"sha256": ""}"#),
        "artifact-digest-malformed",
    ),
    attack(
        "file with the right hash and a wrong one",
        &[S, W],
        "A build's document has the right SHA-256 for a file and a wrong SHA-512.",
        push,
        |c| add_hash(c, "sha512", &"0".repeat(128)),
        "artifact-altered",
    ),
    attack(
        "file with a wrong hash and the right one",
        &[S, W],
        "A build's document has a wrong SHA-256 for a file and the right SHA-512.",
        tag,
        |c| {
            let right = hex(&Sha512::digest(read(c, ARTIFACT)?));
            add_hash(c, "sha512", &right)?;
            add_hash(c, "sha256", &"0".repeat(64))
        },
        "artifact-altered",
    ),
    attack(
        "file with the hash of nothing",
        &[W],
        "A build's document has the hash of an empty file for a file that is not.",
        fork,
        |c| {
            let hash = hex(&Sha256::digest(b""));
            add_hash(c, "sha256", &hash)
        },
        "artifact-altered",
    ),
    // Optional files.
    attack(
        "optional file altered",
        &[S, Q],
        "One bit of a file is flipped that is wanted by patterns and optional entries alone.",
        globs,
        |c| {
            only_optional(c)?;
            alter(c, SECOND)
        },
        "artifact-altered-optional",
    ),
    attack(
        "optional file emptied",
        &[S, Q],
        "A file that is wanted by a pattern alone has no bytes.",
        globs_on_github,
        |c| {
            only_optional(c)?;
            let id = first_build(c)?;
            bytes(c, &id, SECOND, |bytes| {
                bytes.clear();
                Some(())
            })
        },
        "artifact-altered-optional",
    ),
    attack(
        "optional file of another build",
        &[S, Q],
        "A file that is wanted by a pattern alone is the one of the same name of another build.",
        globs,
        |c| {
            only_optional(c)?;
            let (id, other) = (first_build(c)?, second_build(c)?);
            *c.artifact_mut(&id, SECOND)? = c.artifact_mut(&other, SECOND)?.clone();
            Some(())
        },
        "artifact-altered-optional",
    ),
    attack(
        "optional file without a hash",
        &[W],
        "A build's document names a file with no hash at all that is wanted by a pattern alone.",
        globs,
        |c| {
            only_optional(c)?;
            document(c, &["artifacts", SECOND], crate::change::empty())
        },
        "artifact-without-digest",
    ),
    attack(
        "optional file with a weak hash",
        &[W],
        "A build's document has only an MD5 hash for a file that is wanted by a pattern alone.",
        globs_on_github,
        |c| {
            only_optional(c)?;
            let entry = json(r#"{"md5": "d41d8cd98f00b204e9800998ecf8427e"}"#)?;
            document(c, &["artifacts", SECOND], entry)
        },
        "artifact-digest-malformed",
    ),
    attack(
        "file that is both optional and not, gone",
        &[S],
        "A file is not there that one entry of the target calls optional and another one does not.",
        globs,
        |c| {
            let id = first_build(c)?;
            gone(c, &id, SECOND)
        },
        "artifact-missing",
    ),
    attack(
        "file that is both optional and not, altered",
        &[S, Q],
        "One bit of a file is flipped that one entry of the target calls optional and another does not.",
        globs_on_github,
        |c| alter(c, SECOND),
        "artifact-altered",
    ),
    attack(
        "file that is first optional and then not, gone",
        &[S],
        "A file is not there that the target's first entry calls optional, and its last one does not.",
        globs,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                entries.reverse();
                Some(())
            })?;
            let id = first_build(c)?;
            gone(c, &id, SECOND)
        },
        "artifact-missing",
    ),
    // Names.
    attack(
        "path that climbs",
        &[T],
        "The target wants a file by a path that climbs out of its directory.",
        push,
        |c| upstream(c, "paths", list("public/../../x")),
        "artifact-name",
    ),
    attack(
        "path from the root",
        &[T],
        "The target wants a file by an absolute path.",
        mobile,
        |c| upstream(c, "paths", list("/etc/passwd")),
        "artifact-name",
    ),
    attack(
        "path with a zero byte",
        &[T],
        "The target wants a file by a path with a zero byte in it.",
        tag,
        |c| named(c, "public/build/target.tar.xz\0.asc"),
        "artifact-name",
    ),
    attack(
        "path with a backslash",
        &[T],
        "The target wants a file by a path that climbs on another system.",
        action,
        |c| named(c, "public\\.\\x"),
        "artifact-name",
    ),
    attack(
        "path with a line end",
        &[T],
        "The target wants a file by a path with a line end in it, and a worker made that file.",
        push,
        |c| named(c, "public/build/target.tar.xz\n"),
        "artifact-name",
    ),
    attack(
        "path that stays in place",
        &[T],
        "The target wants a file by a second spelling of its path, with a dot for a segment.",
        cron,
        |c| named(c, "public/./build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path with an empty segment",
        &[T],
        "The target wants a file by a second spelling of its path, with two slashes for one.",
        fork,
        |c| named(c, "public//build/target.tar.xz"),
        "artifact-name",
    ),
    attack(
        "path of a directory",
        &[T],
        "The target wants a file by a path that ends in a slash.",
        mobile,
        |c| named(c, "public/build/"),
        "artifact-name",
    ),
    attack(
        "path that is empty",
        &[T],
        "The target wants a file whose path is empty.",
        push,
        |c| named(c, ""),
        "artifact-name",
    ),
    attack(
        "path that no file system has room for",
        &[T],
        "The target wants a file by a path with a segment of 300 bytes.",
        tag,
        |c| {
            let name = format!("public/{}", "x".repeat(300));
            named(c, &name)
        },
        "artifact-name",
    ),
    attack(
        "pattern that climbs",
        &[T],
        "The target wants files by a pattern that climbs out of its directory.",
        globs,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                let entry = entries.iter_mut().find(|entry| entry.get("optional").is_some())?;
                set(entry, &["paths"], list("public/../*"))
            })
        },
        "artifact-name",
    ),
    attack(
        "file that climbs, found by a pattern",
        &[T, W],
        "A worker made and signed a file whose name climbs, and a pattern of the target stands for it.",
        globs,
        |c| {
            let id = first_build(c)?;
            let artifact = Artifact::new("x", "application/octet-stream");
            artifacts_of(c, &id)?.insert("public/build/s/../../../x".into(), artifact);
            c.reseal(&id).ok()?.then_some(())
        },
        "artifact-name",
    ),
    attack(
        "file with a backslash, found by a pattern",
        &[T, W],
        "A worker made and signed a file whose name climbs on another system, and a pattern finds it.",
        globs_on_github,
        |c| {
            let id = first_build(c)?;
            let artifact = Artifact::new("x", "application/octet-stream");
            artifacts_of(c, &id)?.insert("public/build/s\\..\\x".into(), artifact);
            c.reseal(&id).ok()?.then_some(())
        },
        "artifact-name",
    ),
    attack(
        "document as an input",
        &[T],
        "The target wants a build's Chain of Trust document.",
        push,
        |c| upstream(c, "paths", list(DOCUMENT)),
        "artifact-reserved",
    ),
    attack(
        "signature as an input",
        &[T],
        "The target wants the signature over a build's document.",
        tag,
        |c| upstream(c, "paths", list(SIGNATURE)),
        "artifact-reserved",
    ),
    attack(
        "document as an input, in another case",
        &[T, W],
        "The target wants a file that a worker signed and that a disk may take for the document.",
        mobile,
        |c| named(c, "public/Chain-of-Trust.JSON"),
        "artifact-reserved",
    ),
    attack(
        "pattern that is not optional",
        &[T],
        "A pattern of the target is not optional, so that it may stand for no file.",
        globs,
        |c| {
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                remove(entries.last_mut()?, &["optional"])
            })
        },
        "artifact-glob-mandatory",
    ),
    attack(
        "pattern that stands for nothing",
        &[T],
        "The target's only path of a build is a pattern that no file fits.",
        pull_request,
        |c| upstream(c, "paths", list("public/build/*.nothing")),
        "artifact-glob-mandatory",
    ),
    attack(
        "files of the target itself",
        &[T],
        "The target wants a file of its own, which it has not made.",
        push,
        |c| {
            let id = c.target.clone();
            target(c, |task| {
                let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
                let mut entry = entries.first()?.clone();
                set(&mut entry, &["taskId"], id.as_str())?;
                entries.push(entry);
                Some(())
            })
        },
        "artifacts-foreign",
    ),
    attack(
        "too many files",
        &[T],
        "The target wants more files than any may.",
        tag,
        |c| {
            let paths: Vec<Value> = (0..600).map(|n| Value::from(format!("public/build/{n}"))).collect();
            upstream(c, "paths", paths)
        },
        "artifacts-too-many",
    )
    .within(|limits| limits.artifacts = 500),
    attack(
        "too many files for a pattern",
        &[T, S],
        "A pattern of the target stands for more files than any task may want.",
        globs,
        |c| {
            let id = first_build(c)?;
            for n in 0..60 {
                let artifact = Artifact::new(format!("{n}"), "application/octet-stream");
                artifacts_of(c, &id)?.insert(format!("public/build/t{n}"), artifact);
            }
            c.reseal(&id).ok()?.then_some(())
        },
        "artifacts-too-many",
    )
    .within(|limits| limits.artifacts = 50),
    // Other places.
    attack(
        "file redirected to another task's",
        &[S, Q],
        "The queue sends readers of a build's file to the file of the same name of another build.",
        push,
        |c| {
            let (id, other) = (first_build(c)?, second_build(c)?);
            redirect(c, &id, ARTIFACT, &format!("{other}/0/{ARTIFACT}"))
        },
        "artifact-altered",
    ),
    attack(
        "file redirected to another file",
        &[S, Q],
        "The queue sends readers of a build's file to the log of the same run.",
        mobile,
        |c| {
            let id = first_build(c)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/0/{LOG}"))
        },
        "artifact-altered",
    ),
    attack(
        "file redirected to an earlier run's",
        &[S, Q],
        "The queue sends readers of a file of a build's second run to the file of its first run.",
        tag,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "completed")?;
            bytes(c, &id, ARTIFACT, |bytes| {
                bytes.reverse();
                Some(())
            })?;
            c.reseal(&id).ok()?.then_some(())?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))?;
            redirect(c, &id, ARTIFACT, &format!("{id}/0/{ARTIFACT}"))
        },
        "artifact-altered",
    ),
    attack(
        "graph redirected to another task's",
        &[S, Q],
        "The queue sends readers of an action task's graph to the graph of its decision task.",
        promotion,
        |c| {
            let (id, other) = (action_task(c)?, first_decision(c)?);
            redirect(c, &id, GRAPH, &format!("{other}/0/{GRAPH}"))
        },
        "artifact-altered",
    ),
    attack(
        "optional file redirected to another task's",
        &[S, Q],
        "The queue sends readers of an optional file to that of another build.",
        globs,
        |c| {
            only_optional(c)?;
            let (id, other) = (first_build(c)?, third_build(c)?);
            redirect(c, &id, SECOND, &format!("{other}/0/{SECOND}"))
        },
        "artifact-altered-optional",
    ),
    attack(
        "file redirected to nowhere",
        &[S, Q],
        "The queue sends readers of a build's file to a place in the store where nothing is.",
        push,
        |c| {
            let id = first_build(c)?;
            redirect(c, &id, ARTIFACT, &format!("{id}/9/{ARTIFACT}"))
        },
        "artifact-missing",
    ),
    attack(
        "files of the run before",
        &[S, Q],
        "The document is of a build's second run, and its file is still the one of the first run.",
        cron,
        |c| {
            let id = first_build(c)?;
            later_run(c, &id, "completed")?;
            let before = c.artifact_mut(&id, ARTIFACT)?.clone();
            bytes(c, &id, ARTIFACT, |bytes| {
                bytes.reverse();
                Some(())
            })?;
            c.reseal(&id).ok()?.then_some(())?;
            document_of(c, &id, |document| set(document, &["runId"], 1_i64))?;
            *c.artifact_mut(&id, ARTIFACT)? = before;
            Some(())
        },
        "artifact-altered",
    ),
    // On the wire.
    wire(
        "file from another host",
        &[S, Q],
        "The queue sends readers of a build's file to a page of another host.",
        push,
        |c| {
            let page = c.pages.keys().find(|url| url.contains("/raw-file/"))?.clone();
            on_the_wire(c, Fault::Redirect(page))
        },
        "artifact-altered",
    ),
    wire(
        "file over plain http",
        &[S, Q],
        "The queue sends readers of a build's file to an address that is not encrypted.",
        mobile,
        |c| on_the_wire(c, Fault::Redirect("http://example.org/target.tar.xz".to_owned())),
        "outside-unreachable",
    ),
    wire(
        "file on the verifier's disk",
        &[S, Q],
        "The queue sends readers of a build's file to a file of the machine that verifies.",
        tag,
        |c| on_the_wire(c, Fault::Redirect("file:///etc/hostname".to_owned())),
        "outside-unreachable",
    ),
    wire(
        "file shorter than announced",
        &[S, Q],
        "The store announces the whole of a build's file and sends half of it.",
        push,
        |c| in_store(c, Fault::Truncate { after: 1500 }),
        "outside-unreachable",
    ),
    wire(
        "file in a coding that it does not have",
        &[S, Q],
        "The store says that a build's file is compressed, which it is not.",
        push,
        |c| in_store(c, Fault::Encoding("gzip".to_owned())),
        "outside-unreachable",
    ),
    wire(
        "file in a coding that nobody asked for",
        &[S, Q],
        "The store says that a build's file is in a coding that no reader asked for.",
        mobile,
        |c| in_store(c, Fault::Encoding("br".to_owned())),
        "outside-unreachable",
    ),
    wire(
        "file in two codings",
        &[S, Q],
        "The store says that a build's file was compressed twice.",
        cron,
        |c| in_store(c, Fault::Encoding("gzip, gzip".to_owned())),
        "outside-unreachable",
    ),
    wire(
        "file that unpacks to another",
        &[S, Q],
        "The store sends a small compressed file in place of a build's, which unpacks to zeros.",
        tag,
        |c| in_store(c, Fault::GzipBomb { unpacked: 3000 }),
        "artifact-altered",
    ),
    wire(
        "list of files that is none",
        &[Q],
        "The queue's list of the files of a build has no files in it.",
        globs,
        |c| listing(c, Fault::Replace("{}".into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files with a file without a name",
        &[Q],
        "The queue's list of the files of a build has one without a name.",
        globs_on_github,
        |c| listing(c, Fault::Replace(r#"{"artifacts": [{"storageType": "s3"}]}"#.into())),
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files without end",
        &[Q],
        "Every page of the queue's list of the files of a build says that there is another one.",
        globs,
        |c| {
            let page = r#"{"artifacts": [], "continuationToken": "1"}"#;
            listing(c, Fault::Replace(page.into()))
        },
        "artifacts-listing-endless",
    ),
    wire(
        "list of files with a token that is none",
        &[Q],
        "The token for the next page of the queue's list of files is a number.",
        globs_on_github,
        |c| {
            let page = r#"{"artifacts": [], "continuationToken": 1}"#;
            listing(c, Fault::Replace(page.into()))
        },
        "artifacts-listing-malformed",
    ),
    wire(
        "list of files gone",
        &[Q],
        "The queue has no list of the files of a build that patterns of the target are about.",
        globs,
        |c| listing(c, Fault::Status(404)),
        "artifacts-listing-unknown",
    ),
];

/// A release with a signing of its own before the target's.
fn rounds() -> Release {
    Release { depth: 1, ..push() }
}

/// A release on GitHub whose target has optional paths and patterns.
fn globs_on_github() -> Release {
    Release { optional_and_globs: true, ..tag() }
}

/// Changes the bytes of a task's artifact, which its document does not know.
fn bytes(
    chain: &mut Chain,
    id: &str,
    name: &str,
    change: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let artifact = chain.artifact_mut(id, name)?;
    let Body::Bytes(bytes) = &artifact.body else { return None };
    let mut bytes = bytes.to_vec();
    change(&mut bytes)?;
    artifact.body = bytes.into();
    Some(())
}

/// The bytes of an artifact of the first build.
fn read(chain: &mut Chain, name: &str) -> Option<Vec<u8>> {
    let id = first_build(chain)?;
    match &chain.artifact_mut(&id, name)?.body {
        Body::Bytes(bytes) => Some(bytes.to_vec()),
        _ => None,
    }
}

fn gone(chain: &mut Chain, id: &str, name: &str) -> Option<()> {
    chain.artifacts_mut(id)?.remove(name).map(drop)
}

/// Sends readers of an artifact to another place in the store.
fn redirect(chain: &mut Chain, id: &str, name: &str, place: &str) -> Option<()> {
    chain.artifact_mut(id, name)?.redirect = Some(place.to_owned());
    Some(())
}

/// The first file that the target wants: of which task, and its name.
fn wanted(chain: &Chain) -> Option<(String, String)> {
    let entries = chain.definition(&chain.target)?.pointer(&["payload", "upstreamArtifacts"])?;
    let entry = entries.as_array()?.first()?;
    let name = entry.get("paths")?.as_array()?.first()?.as_str()?;
    Some((entry.get("taskId")?.as_str()?.to_owned(), name.to_owned()))
}

/// Lets the first build make a file of this name, sign it, and the target want it.
fn named(chain: &mut Chain, name: &str) -> Option<()> {
    let id = first_build(chain)?;
    let artifact = Artifact::new("made for its name", "application/octet-stream");
    chain.artifacts_mut(&id)?.insert(name.to_owned(), artifact);
    chain.reseal(&id).ok()?.then_some(())?;
    target(chain, |task| add(task, &["payload", "upstreamArtifacts", "0", "paths"], name))
}

/// Takes out what the target wants of the first build without calling it optional.
fn only_optional(chain: &mut Chain) -> Option<()> {
    target(chain, |task| {
        let entries = inside(task, &["payload", "upstreamArtifacts"])?.as_array_mut()?;
        entries.retain(|entry| entry.get("optional").is_some());
        Some(())
    })
}

/// Puts other hashes of its first file into the first build's document.
fn hashes(chain: &mut Chain, text: &str) -> Option<()> {
    let entry = json(text)?;
    document(chain, &["artifacts", ARTIFACT], entry)
}

/// Puts a hash of its first file into the first build's document, beside or in place of what is there.
fn add_hash(chain: &mut Chain, algorithm: &str, hash: &str) -> Option<()> {
    document(chain, &["artifacts", ARTIFACT, algorithm], hash)
}

/// What the first build's document says of its first file.
fn sha256(chain: &Chain) -> Option<String> {
    let document = chain.task(&first_build(chain)?)?.document.as_ref()?;
    Some(document.value.pointer(&["artifacts", ARTIFACT, "sha256"])?.as_str()?.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A fault wherever the first build's first file is asked for.
fn on_the_wire(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/api/queue/v1/task/{id}/*target.tar.xz"), fault }])
}

/// A fault wherever the store has the first build's first file.
fn in_store(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    Some(vec![Wire { pattern: format!("/_store/{id}/*target.tar.xz"), fault }])
}

/// A fault wherever the list of the first build's files is asked for.
fn listing(chain: &Chain, fault: Fault) -> Option<Vec<Wire>> {
    let id = first_build(chain)?;
    let list = format!("/api/queue/v1/task/{id}/runs/0/artifacts");
    let pages = Wire { pattern: format!("{list}?*"), fault: fault.clone() };
    Some(vec![Wire { pattern: list, fault }, pages])
}
