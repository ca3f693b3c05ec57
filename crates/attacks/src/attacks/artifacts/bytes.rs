//! Attacks on the bytes of files, and on their entries in documents.

use super::super::documents::{action_task, artifacts_of};
use super::super::{Attack, Q, S, T, W, attack};
use super::{
    SECOND, add_hash, bytes, globs_on_github, gone, hashes, hex, only_optional, read, sha256, wanted,
};
use crate::change::{
    ACTIONS, ARTIFACT, GRAPH, PARAMETERS, add, alter, document, document_of, first_build, first_decision,
    inside, json, nth_build, remove, set, target,
};
use crate::valid::{
    action, cron, fork, globs, mobile, pr_action, promotion, pull_request, push, rounds, tag,
};
use catena_testbed::Artifact;
use sha2::{Digest as _, Sha256, Sha512};

pub(super) const ATTACKS: &[Attack] = &[
    // Other bytes.
    attack(
        "file altered",
        &[S, Q],
        "One bit of a build's file is flipped.",
        push,
        |c| alter(c, ARTIFACT),
        "artifact-altered",
    ),
    attack(
        "generic-worker's file altered",
        &[S, Q],
        "The last bit of a file from a generic-worker build is flipped.",
        tag,
        |c| {
            let id = nth_build(c, 2)?;
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
        "One bit of a file is flipped that was signed and repackaged before the target.",
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
        "A scope is added to the graph of a cron job's decision task after its worker signed it.",
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
        "graph with an extra line feed",
        &[S, Q],
        "A line feed, which changes no value, is added to the graph of an action task.",
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
        "The actions of a decision task are replaced by an empty list.",
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
        "A parameter is added to the parameters of a pull request's decision task.",
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
        "file truncated",
        &[S, Q],
        "A build's file lacks its last byte.",
        mobile,
        |c| {
            let id = first_build(c)?;
            bytes(c, &id, ARTIFACT, |bytes| bytes.pop().map(drop))
        },
        "artifact-altered",
    ),
    attack(
        "file with an extra byte",
        &[S, Q],
        "A byte is added to a build's file.",
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
        "A build's file has no bytes.",
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
        "file replaced by one of the same length",
        &[S, Q],
        "A build's file is replaced by another one of the same length.",
        pull_request,
        |c| {
            let id = nth_build(c, 1)?;
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
        "Two files of one build are swapped; its document names both.",
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
        "Files of the same name from two builds are swapped.",
        tag,
        |c| {
            let (id, other) = (first_build(c)?, nth_build(c, 2)?);
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
        "A decision task's graph is replaced by the genuine graph of an earlier push's decision task.",
        mobile,
        |c| {
            let (id, other) = (first_decision(c)?, c.decisions.get(1)?.clone());
            *c.artifact_mut(&id, GRAPH)? = c.artifact_mut(&other, GRAPH)?.clone();
            Some(())
        },
        "artifact-altered",
    ),
    // Missing files.
    attack(
        "file missing",
        &[S, Q],
        "A file that the build's document names is missing.",
        push,
        |c| {
            let id = first_build(c)?;
            gone(c, &id, ARTIFACT)
        },
        "artifact-missing",
    ),
    attack(
        "graph missing",
        &[S, Q],
        "The graph of a release's decision task is missing.",
        tag,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, GRAPH)
        },
        "artifact-missing",
    ),
    attack(
        "actions missing",
        &[S, Q],
        "The actions of a decision task are missing.",
        action,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, ACTIONS)
        },
        "artifact-missing",
    ),
    attack(
        "parameters missing",
        &[S, Q],
        "The parameters of a cron job's decision task are missing.",
        cron,
        |c| {
            let id = first_decision(c)?;
            gone(c, &id, PARAMETERS)
        },
        "artifact-missing",
    ),
    attack(
        "file missing from its document",
        &[S, W],
        "A file exists, and its build's document does not name it.",
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
        "graph missing from its document",
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
        "file named in uppercase",
        &[S, W],
        "A build's document names a listed file in uppercase.",
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
        "The target lists a file that was added to a build's files after its document was signed.",
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
        "A build's document names a file without any hash.",
        push,
        |c| hashes(c, "{}"),
        "artifact-without-digest",
    ),
    attack(
        "graph without a hash",
        &[W],
        "A decision task's document names its graph without any hash.",
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
        "file with a weak hash beside the correct one",
        &[W],
        "A build's document has a SHA-1 hash for a file beside the correct SHA-256.",
        pull_request,
        |c| add_hash(c, "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        "artifact-digest-malformed",
    ),
    attack(
        "file with a hash of an unknown algorithm",
        &[W],
        "A build's document has the correct hash for a file under an unknown algorithm name.",
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
        "A build's document has the first half of the correct hash for a file.",
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
        "file with a correct hash and a wrong one",
        &[S, W],
        "A build's document has the correct SHA-256 and a wrong SHA-512 for a file.",
        push,
        |c| add_hash(c, "sha512", &"0".repeat(128)),
        "artifact-altered",
    ),
    attack(
        "file with a wrong hash and a correct one",
        &[S, W],
        "A build's document has a wrong SHA-256 and the correct SHA-512 for a file.",
        tag,
        |c| {
            let right = hex(&Sha512::digest(read(c, ARTIFACT)?));
            add_hash(c, "sha512", &right)?;
            add_hash(c, "sha256", &"0".repeat(64))
        },
        "artifact-altered",
    ),
    attack(
        "file with the hash of empty input",
        &[W],
        "A build's document has the hash of an empty file for a file that is not empty.",
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
        "One bit of a file is flipped that only patterns and optional entries list.",
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
        "A file that only a pattern lists has no bytes.",
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
        "A file that only a pattern lists is replaced by the file of the same name of another build.",
        globs,
        |c| {
            only_optional(c)?;
            let (id, other) = (first_build(c)?, nth_build(c, 1)?);
            *c.artifact_mut(&id, SECOND)? = c.artifact_mut(&other, SECOND)?.clone();
            Some(())
        },
        "artifact-altered-optional",
    ),
    attack(
        "optional file without a hash",
        &[W],
        "A build's document names a file without any hash that only a pattern lists.",
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
        "A build's document has only an MD5 hash for a file that only a pattern lists.",
        globs_on_github,
        |c| {
            only_optional(c)?;
            let entry = json(r#"{"md5": "d41d8cd98f00b204e9800998ecf8427e"}"#)?;
            document(c, &["artifacts", SECOND], entry)
        },
        "artifact-digest-malformed",
    ),
    attack(
        "file both optional and required, missing",
        &[S],
        "A file is missing that one entry of the target marks as optional and another does not.",
        globs,
        |c| {
            let id = first_build(c)?;
            gone(c, &id, SECOND)
        },
        "artifact-missing",
    ),
    attack(
        "file both optional and required, altered",
        &[S, Q],
        "One bit of a file is flipped that one entry of the target marks as optional and another \
         does not.",
        globs_on_github,
        |c| alter(c, SECOND),
        "artifact-altered",
    ),
    attack(
        "file first optional and then required, missing",
        &[S],
        "A file is missing that the target's first entry marks as optional, and its last one does \
         not.",
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
];
