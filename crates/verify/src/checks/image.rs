//! A docker-worker task ran in the image that its chain made, or in one its kind may use.
//!
//! Specification 8.1 to 8.7.

use super::signature::accepted;
use super::{tree, worker_implementation};
use crate::verdict::{Authority, Class, Code, Disposition, Finding};
use crate::verification::{Check, CheckContext, Examined, Link, Scope, Stop};
use catena_json::{Path, Value};
use catena_model::digest::Digest;
use catena_model::document::Listing;
use catena_model::task::{ImageInput, RunId, RunState, TaskId, WorkerImplementation};
use catena_policy::{KindRole, Rule};

pub(super) const DESCRIPTION: Check = describe!("image", CODES, Scope::Link(examine));
const CHECK: &str = DESCRIPTION.name;

const NOT_NEEDED: Code =
    Code::passing("image-not-needed", "The task does not run in a docker image, or is about to run.");
const MATCHES: Code =
    Code::passing("image-matches", "The task ran in the image that the docker-image task of the chain made.");
const ALLOWED: Code =
    Code::passing("image-allowed", "The task's kind may use an image that no task of the chain made.");
const PREBUILT: Code =
    Code::new("image-prebuilt", Class::Policy, "The task's kind may not use a prebuilt image.");
const UNPINNED: Code = Code::new(
    "image-not-pinned",
    Class::Policy,
    "The task's prebuilt image is named by a tag, which can be moved to a different image.",
)
.relaxable(Rule::ImagePinned);
const INDEXED: Code = Code::new(
    "image-indexed",
    Class::Policy,
    "The task may not use an indexed image: of its kind, or because of the target's restricted scopes.",
);
const UNKNOWN: Code =
    Code::new("image-unknown-type", Class::Policy, "The task's image is of an unsupported type.");
const NOT_DECLARED: Code = Code::new(
    "image-not-declared",
    Class::Invalid,
    "The task's image is not the one that it declares as its input.",
);
const NOT_AN_IMAGE: Code = Code::new(
    "image-of-another-kind",
    Class::Invalid,
    "The task's image was made by a task that is not a docker-image task of the chain.",
);
const NO_HASH: Code =
    Code::new("image-hash-missing", Class::Invalid, "The worker does not state which image it ran.");
const HASH: Code =
    Code::new("image-hash-malformed", Class::Invalid, "The image that the worker states is not a digest.");
const UNLISTED: Code = Code::new(
    "image-unlisted",
    Class::Invalid,
    "The docker-image task's document does not name the image, or has no digest of that algorithm.",
);
const RERUN: Code = Code::new(
    "image-rerun",
    Class::Invalid,
    "The task did not run in the image that the last run of the docker-image task made, and an earlier run \
     of it completed too.",
);
const DIFFERS: Code = Code::new(
    "image-differs",
    Class::Tamper,
    "The task did not run in the image that the docker-image task made, and no other run of that task \
     completed.",
);

const CODES: &[Code] = &[
    NOT_NEEDED,
    MATCHES,
    ALLOWED,
    PREBUILT,
    UNPINNED,
    INDEXED,
    UNKNOWN,
    NOT_DECLARED,
    NOT_AN_IMAGE,
    NO_HASH,
    HASH,
    UNLISTED,
    RERUN,
    DIFFERS,
];

fn examine(cx: &CheckContext<'_>, link: &Link) -> Examined {
    let implementation =
        worker_implementation::of(&cx.evidence.product, &link.definition).map_err(|_| Stop::Blocked)?;
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    if implementation != WorkerImplementation::DockerWorker || !link.has_run {
        let message = "No docker image was run.".to_owned();
        return Ok(vec![finding(NOT_NEEDED, Disposition::Passed, message)].into());
    }
    let place = Path::of(&["payload", "image"]);
    let failed = |code, message: String| {
        finding(code, Disposition::Failed, message).at("the queue's definition", Some(place.clone()))
    };
    let allowed = cx.evidence.product.prebuilt_image_kinds.allow(&link.kind);
    let one = match link.definition.image() {
        ImageInput::Task { task_id, path } => built(cx, link, task_id, &path)?,
        ImageInput::Indexed { namespace } if tree::has_restricted_scopes(cx)? => {
            let message = format!(
                "The image is found through the index ({namespace}), and the target has restricted scopes."
            );
            failed(INDEXED, message)
                .expected(Authority::Policy, "an image that a task of the chain made")
                .actual(Authority::Queue, shown_image(link))
        }
        ImageInput::Indexed { namespace } if !allowed => {
            failed(INDEXED, format!("{} tasks may not use an indexed image ({namespace}).", link.kind))
                .expected_by(
                    Authority::Policy,
                    cx.policy("prebuilt-image-kinds"),
                    "an image that a docker-image task of the chain made",
                )
                .actual(Authority::Queue, shown_image(link))
        }
        ImageInput::Prebuilt(_) | ImageInput::None if !allowed => {
            failed(PREBUILT, format!("{} tasks may not use a prebuilt image.", link.kind))
                .expected_by(
                    Authority::Policy,
                    cx.policy("prebuilt-image-kinds"),
                    "an image that a docker-image task of the chain made",
                )
                .actual(Authority::Queue, shown_image(link))
        }
        ImageInput::Prebuilt(name) if !is_pinned(&name) => {
            failed(UNPINNED, "The prebuilt image is not named by its sha256 digest.".to_owned())
                .expected(Authority::Policy, "<name>@sha256:<64 hexadecimal digits>")
                .actual(Authority::Queue, name)
        }
        ImageInput::Unknown(kind) => {
            failed(UNKNOWN, format!("The image is of an unsupported type ({kind}), or malformed."))
                .expected(Authority::Policy, "a name with its digest, task-image or indexed-image")
                .actual(Authority::Queue, shown_image(link))
        }
        ImageInput::Indexed { .. } | ImageInput::Prebuilt(_) | ImageInput::None => {
            finding(ALLOWED, Disposition::Passed, format!("{} tasks may use such an image.", link.kind))
        }
    };
    Ok(vec![one].into())
}

/// The image as the definition names it.
fn shown_image(link: &Link) -> String {
    match link.definition.payload().get("image") {
        None => "missing".to_owned(),
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether a registry's name for an image ends in its digest.
///
/// Off-reference: a rule of its own, `image-pinned`.
fn is_pinned(name: &str) -> bool {
    name.rsplit_once('@')
        .is_some_and(|(_, digest)| matches!(Digest::parse_prefixed(digest), Ok(Digest::Sha256(_))))
}

/// An earlier run of a task that completed: what depends on the task may have begun before its last run, and have taken
/// what the earlier one made.
fn earlier_run(cx: &CheckContext<'_>, link: &Link) -> Result<Option<RunId>, Stop> {
    let last = cx.run(link)?.run_id;
    let earlier = cx.runs(link)?.iter().rev().filter(|run| run.run_id < last);
    Ok(earlier.into_iter().find(|run| run.state == RunState::Completed).map(|run| run.run_id))
}

/// The image was made by a task: it is the declared one, it is an image task, and what the worker
/// says it ran is what that task's document names.
fn built(cx: &CheckContext<'_>, link: &Link, image_task: TaskId, path: &str) -> Result<Finding, Stop> {
    let finding =
        |code, disposition, message: String| Finding::new(CHECK, code, disposition, link.task_id, message);
    let at_image = |code, message: String| {
        finding(code, Disposition::Failed, message)
            .at("the queue's definition", Some(Path::of(&["payload", "image", "taskId"])))
    };
    let declared =
        link.definition.inputs().iter().find(|(kind, _)| kind == "docker-image").map(|(_, id)| *id);
    if declared != Some(image_task) {
        return Ok(at_image(NOT_DECLARED, "The task's image is not its declared input.".to_owned())
            .expected_by(
                Authority::Task,
                "extra.chainOfTrust.inputs.docker-image",
                declared.map_or("a declared docker-image input".to_owned(), |id| id.to_string()),
            )
            .actual(Authority::Queue, image_task.as_str()));
    }
    let Some(image_link) = cx.link(image_task)? else { return Err(Stop::Blocked) };
    if image_link.role != Some(KindRole::DockerImage) {
        return Ok(at_image(
            NOT_AN_IMAGE,
            format!("The image was made by {image_task}, which is of kind {}.", image_link.kind),
        )
        .expected(Authority::Policy, "a docker-image task")
        .actual(Authority::Task, image_link.kind.as_str()));
    }
    let (document, image_document) = (accepted(cx, link), accepted(cx, image_link));
    let (document, image_document) = (document?, image_document?);
    let place = Path::of(&["environment", "imageArtifactHash"]);
    let in_document = |code, message: String| {
        finding(code, Disposition::Failed, message).at("public/chain-of-trust.json", Some(place.clone()))
    };
    let Some(hash) = document.environment.get("imageArtifactHash") else {
        return Ok(in_document(
            NO_HASH,
            "The worker's document does not state which image it ran: \
                                        environment.imageArtifactHash is missing."
                .to_owned(),
        ));
    };
    let ran = match hash.as_str().map(Digest::parse_prefixed) {
        Some(Ok(digest)) => digest,
        _ => {
            return Ok(in_document(
                HASH,
                "The image's hash in the worker's document is not a digest.".to_owned(),
            )
            .expected(Authority::Policy, "sha256:<64 hexadecimal digits>")
            .actual(Authority::Worker, hash.as_str().map_or_else(|| Value::to_string(hash), str::to_owned)));
        }
    };
    let made = match image_document.listing(path) {
        Listing::Digests(digests) => digests.into_iter().find(|digest| digest.algorithm() == ran.algorithm()),
        _ => None,
    };
    Ok(match made {
        None => finding(
            UNLISTED,
            Disposition::Failed,
            format!("The document of {} does not name {path} with a {}.", image_link.name, ran.algorithm()),
        )
        .at(format!("public/chain-of-trust.json of {image_task}"), Some(Path::of(&["artifacts"]).key(path))),
        Some(made) if made != ran => {
            let earlier = earlier_run(cx, image_link)?;
            let (code, message) = match earlier {
                Some(earlier) => (
                    RERUN,
                    format!(
                        "The task did not run in the image that the last run of {} made; its run {earlier} \
                         completed too.",
                        image_link.name
                    ),
                ),
                None => {
                    (DIFFERS, "The task did not run in the image that the docker-image task made.".to_owned())
                }
            };
            in_document(code, message)
                .expected_by(
                    Authority::Worker,
                    format!("the document of {image_task}, for {path}"),
                    made.to_string(),
                )
                .actual_by(Authority::Worker, "the task's own document", ran.to_string())
        }
        Some(made) => finding(
            MATCHES,
            Disposition::Passed,
            format!("The task ran in {path} of {} ({made}).", image_link.name),
        ),
    })
}
