//! Tokens for GitHub's API.

use crate::absence::Responder;
use crate::address::{self, GITHUB_API_HOST};
use crate::body::{Bounds, Keep};
use crate::exchange::{Form, RequestSpec};
use crate::fetcher::{BodyPlan, Fetcher};
use bytes::Bytes;
use catena_http::Secret;
use catena_model::source::GithubRepository;
use catena_verify::verification::{Fact, Need, Shape};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// The available tokens: one from the environment, and those that Taskcluster's auth service issues for
/// one repository each (`githubRepoToken`).
#[derive(Default)]
pub(crate) struct Tokens {
    environment: Option<Secret>,
    handed_out: Mutex<HashMap<GithubRepository, Arc<OnceCell<Option<Secret>>>>>,
}

/// A token to use.
pub(crate) struct Token {
    pub(crate) secret: Option<Secret>,
    /// Rate limits are counted per owner of the token: a user, or an installation at an owner.
    pub(crate) limited_as: String,
}

/// The auth service's answer. It contains the time of expiry too: an hour, longer than a verification.
#[derive(Deserialize)]
struct Answer {
    token: Secret,
}

/// Larger than any answer with a token.
const LARGEST_ANSWER: u64 = 64 << 10;

impl Tokens {
    pub(crate) fn new(environment: Option<Secret>) -> Self {
        Self { environment, handed_out: Mutex::default() }
    }

    /// The token for a repository. Taskcluster is asked first, once for each repository; if it issues
    /// none (a fork's owner, missing scopes), the environment's is used, or none.
    pub(crate) async fn for_repository(
        &self,
        fetcher: &Fetcher,
        need: &Need,
        repository: &GithubRepository,
        deadline: Instant,
    ) -> Token {
        if let (Some(_), Some(app)) = (fetcher.taskcluster(), &fetcher.options().github_app) {
            let cell = {
                let mut handed_out = self.handed_out.lock().unwrap_or_else(PoisonError::into_inner);
                handed_out.entry(repository.clone()).or_default().clone()
            };
            let secret = cell.get_or_init(|| request(fetcher, need, app, repository, deadline)).await;
            if let Some(secret) = secret {
                let limited_as = format!("{GITHUB_API_HOST}/{}", repository.owner());
                return Token { secret: Some(secret.clone()), limited_as };
            }
        }
        Token { secret: self.environment.clone(), limited_as: GITHUB_API_HOST.to_owned() }
    }
}

/// Requests a token from the auth service that can read one repository.
async fn request(
    fetcher: &Fetcher,
    need: &Need,
    app: &str,
    repository: &GithubRepository,
    deadline: Instant,
) -> Option<Secret> {
    let url = address::github_token(fetcher.root(), app, repository.owner()).ok()?;
    let wanted = serde_json::json!({
        "repositories": [repository.name()],
        "permissions": { "contents": "read", "metadata": "read", "pull_requests": "read" },
    });
    let ask = RequestSpec {
        authorization: fetcher.taskcluster_authorization(&url),
        url,
        content: Some(Bytes::from(wanted.to_string())),
        responder: Responder::Taskcluster,
        artifact: false,
        form: Form::Json,
        commit: false,
        past_caches: false,
        limited_as: None,
    };
    let bounds = Bounds::plain(LARGEST_ANSWER);
    let keep = &|| Keep::Whole;
    let plan = BodyPlan { bounds, budget: None, sha512: false, keep, staging: None, shape: Shape::Body };
    let problem = match fetcher.persist(need, &ask, &plan, deadline).await {
        Ok(taken) => match taken.fact {
            Fact::Body(body) => match serde_json::from_slice::<Answer>(&body.bytes) {
                Ok(answer) => return Some(answer.token),
                Err(_) => "an answer without a token".to_owned(),
            },
            _ => "no answer".to_owned(),
        },
        Err(Fact::Absent { status, message } | Fact::Refused { status, message }) => {
            format!("status {status}: {message}")
        }
        Err(Fact::Unreachable { reason, .. }) => reason,
        Err(_) => "no answer".to_owned(),
    };
    tracing::warn!(%repository, %problem, "no GitHub token from Taskcluster");
    None
}
