//! Every kind of answer, and its fact. Time is paused: waits take none.
// Helpers of tests may fail as tests do.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use bytes::Bytes;
use catena_fetch::Options;
use catena_http::TransportError;
use catena_model::Limits;
use catena_verify::verification::{Fact, Need};
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::*;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_good_answer_needs_one_request() {
    let (fact, requests) = ask(&status(), |_, _| body(200, r#"{"status": {}}"#)).await;
    assert_eq!((text(&fact).as_str(), requests), (r#"{"status": {}}"#, 1));
}

#[tokio::test(start_paused = true)]
async fn absent_resources_are_not_retried() {
    for (code, error) in [
        (404, r#"{"code": "ResourceNotFound", "message": "no such task\n\nmore"}"#),
        (410, r#"{"code": "ResourceExpired", "message": "no such task\n\nmore"}"#),
    ] {
        let (fact, requests) = ask(&status(), move |_, _| body(code, error)).await;
        assert_eq!(fact, Fact::Absent { status: code, message: "no such task".to_owned() });
        assert_eq!(requests, 1);
    }
    let (fact, _) =
        ask(&artifact("public/a"), |_, _| body(424, r#"{"reason": "file-missing", "message": "gone"}"#))
            .await;
    assert_eq!(fact, Fact::Absent { status: 424, message: "gone".to_owned() });
    let (fact, requests) = ask(&status(), |_, _| body(424, "")).await;
    assert_eq!((unreachable(&fact), requests), (("status 424".to_owned(), 1), 1));
    let error =
        r#"{"message": "No commit found for SHA: 0a", "documentation_url": "https://docs.github.com"}"#;
    let (fact, _) = ask(&commit(), move |_, _| body(422, error)).await;
    assert!(matches!(fact, Fact::Absent { status: 422, .. }));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_not_retried() {
    for code in [401, 403, 407] {
        let (fact, requests) = ask(&status(), move |_, _| body(code, r#"{"message": "no"}"#)).await;
        assert_eq!((fact, requests), (Fact::Refused { status: code, message: "no".to_owned() }, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_retried() {
    for code in [408, 425, 429, 500, 502, 503, 504, 599, 202] {
        let (fact, requests) = ask(&status(), move |_, _| body(code, "down")).await;
        assert_eq!((unreachable(&fact), requests), ((format!("status {code}: down"), 5), 5), "{code}");
        let passing = move |_: &_, times| if times < 3 { body(code, "") } else { body(200, "{}") };
        let (fact, requests) = ask(&status(), passing).await;
        assert_eq!((text(&fact).as_str(), requests), ("{}", 3), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_failures_are_not_retried() {
    for code in [400, 405, 409, 413, 451, 300, 304] {
        let (fact, requests) = ask(&status(), move |_, _| body(code, "")).await;
        assert_eq!((unreachable(&fact).1, requests), (1, 1), "{code}");
    }
    let (fact, requests) =
        ask(&status(), |_, _| Reply::Fail(TransportError::lasting("no trusted root"))).await;
    assert_eq!((unreachable(&fact), requests), (("no trusted root".to_owned(), 1), 1));
}

#[tokio::test(start_paused = true)]
async fn failed_connections_are_retried() {
    let (fact, requests) = ask(&status(), |_, _| Reply::Fail(TransportError::passing("reset"))).await;
    assert_eq!((unreachable(&fact), requests), (("reset".to_owned(), 5), 5));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_json_is_a_broken_service() {
    for wrong in ["<html>Bad gateway</html>", "", "{\"status\": ", "null", "upstream error"] {
        let (fact, requests) = ask(&status(), move |_, _| body(200, wrong)).await;
        assert_eq!((unreachable(&fact).1, requests), (5, 5), "{wrong}");
        // An artifact's bytes are not interpreted: its digest decides.
        let (fact, requests) = ask(&document(), move |_, _| body(200, wrong)).await;
        assert_eq!((text(&fact).as_str(), requests), (wrong, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_body_is_retried() {
    let half = |_: &_, times| {
        if times == 1 {
            chunks(
                stream::iter([Ok(Bytes::from("{\"a\"")), Err(TransportError::passing("broke off"))]).boxed(),
            )
        } else {
            body(200, "{}")
        }
    };
    let (fact, requests) = ask(&status(), half).await;
    assert_eq!((text(&fact).as_str(), requests), ("{}", 2));
}

#[tokio::test(start_paused = true)]
async fn a_body_of_another_length_than_announced_is_broken() {
    for announced in ["3", "1"] {
        let (fact, requests) =
            ask(&document(), move |_, _| body(200, "{}").header("content-length", announced)).await;
        assert_eq!(
            (unreachable(&fact).0.as_str(), requests),
            ("the answer is not as long as it announced", 5)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn codings() {
    let zipped = gzip(b"{\"a\": 1}");
    let whole = zipped.clone();
    let (fact, _) =
        ask(&status(), move |_, _| body(200, whole.clone()).header("content-encoding", "gzip")).await;
    assert_eq!(text(&fact), "{\"a\": 1}");
    let cut = zipped[..zipped.len() - 3].to_vec();
    let (fact, requests) =
        ask(&status(), move |_, _| body(200, cut.clone()).header("content-encoding", "gzip")).await;
    assert_eq!(
        (unreachable(&fact).0.as_str(), requests),
        ("the answer's gzip coding is broken or incomplete", 5)
    );
    let (fact, requests) = ask(&status(), |_, _| body(200, "{}").header("content-encoding", "br")).await;
    assert!(unreachable(&fact).0.contains("br") && requests == 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_larger_than_its_limit() {
    let limits = Limits { answer_bytes: 1000, artifact_bytes: 2000, graph_bytes: 3000, ..Limits::default() };
    for (need, limit) in
        [(status(), 1000), (content("public/a"), 1000), (artifact("public/a"), 2000), (graph(), 3000)]
    {
        // An endless body, a bomb of 64 MiB, and one that announces its size.
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        let endless = Scripted::new(move |_, _| {
            let counted = counted.clone();
            chunks(
                stream::repeat_with(move || {
                    counted.fetch_add(100, Ordering::Relaxed);
                    Ok(Bytes::from_static(&[b' '; 100]))
                })
                .boxed(),
            )
        });
        let bomb =
            Scripted::new(|_, _| body(200, gzip(&vec![0; 64 << 20])).header("content-encoding", "gzip"));
        let honest = Scripted::new(|_, _| body(200, "").header("content-length", "3001"));
        for transport in [endless, bomb, honest] {
            let fact = with(&transport, Options::default(), limits.clone()).answer(&need, soon()).await;
            let reason = format!("the answer is larger than the limit of {limit} bytes");
            assert_eq!((unreachable(&fact), transport.count()), ((reason, 1), 1), "{need}");
        }
        // Of a graph, one batch is processed while another arrives.
        let more = if need == graph() { 2 << 20 } else { 0 };
        assert!(sent.load(Ordering::Relaxed) <= limit + more + 100);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends() {
    let began = Instant::now();
    let (fact, requests) = ask(&status(), |_, _| Reply::Silence).await;
    assert_eq!((unreachable(&fact), requests), (("no answer for 30 s".to_owned(), 5), 5));
    assert!(began.elapsed() >= Duration::from_secs(150) && began.elapsed() < Duration::from_secs(180));
}

#[tokio::test(start_paused = true)]
async fn a_stall_ends() {
    let stalling = |_: &_, _| chunks(stream::iter([Ok(Bytes::from("{"))]).chain(stream::pending()).boxed());
    let (fact, requests) = ask(&status(), stalling).await;
    assert_eq!(
        (unreachable(&fact), requests),
        (("nothing more of the answer arrived for 30 s".to_owned(), 5), 5)
    );
}

/// A body of spaces, one every so often.
fn drip(every: Duration, piece: &'static [u8]) -> Reply {
    chunks(
        stream::repeat(())
            .then(move |()| async move {
                tokio::time::sleep(every).await;
                Ok(Bytes::from_static(piece))
            })
            .boxed(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_drip_ends() {
    let began = Instant::now();
    let (fact, requests) = ask(&status(), |_, _| drip(Duration::from_secs(5), b" ")).await;
    assert_eq!(
        (unreachable(&fact), requests),
        (("the answer comes slower than 256 bytes/s".to_owned(), 5), 5)
    );
    assert!(began.elapsed() < Duration::from_secs(180));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_everything() {
    let began = Instant::now();
    let deadline = began + Duration::from_secs(100);
    let endless = Scripted::new(|_, _| drip(Duration::from_secs(1), &[b' '; 1000]));
    let fact = fetcher(&endless).answer(&status(), deadline).await;
    assert_eq!(unreachable(&fact), ("the deadline passed".to_owned(), 1));
    assert_eq!(Instant::now(), deadline);
    // A wait beyond the deadline is not started.
    let down = Scripted::new(|_, _| body(503, "").header("retry-after", "50"));
    let fact = fetcher(&down).answer(&status(), Instant::now() + Duration::from_secs(40)).await;
    assert_eq!(unreachable(&fact), ("status 503".to_owned(), 1));
    assert_eq!(Instant::now(), deadline);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_with_a_later_deadline_keeps_it() {
    let transport = Scripted::new(|_, times| if times == 1 { Reply::Silence } else { body(200, "{}") });
    let (fetcher, now, need) = (fetcher(&transport), Instant::now(), status());
    let short = fetcher.answer(&need, now + Duration::from_secs(5));
    let long = fetcher.answer(&need, now + Duration::from_secs(100));
    let (short, long) = futures_util::future::join(short, long).await;
    assert_eq!(unreachable(&short).0, "the deadline passed");
    assert_eq!(text(&long), "{}");
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_for_the_next_verification() {
    let transport = Scripted::new(|request, times| match (request.url.path().ends_with("/status"), times) {
        (true, 1) => body(403, "{}"),
        _ => body(200, "{}"),
    });
    let fetcher = fetcher(&transport);
    let both = [status(), content("public/a")];
    for need in &both {
        fetcher.answer(need, soon()).await;
        fetcher.answer(need, soon()).await;
    }
    assert_eq!(transport.count(), 2, "each address once for one verification");
    fetcher.forget();
    for need in &both {
        assert_eq!(text(&fetcher.answer(need, soon()).await), "{}");
    }
    assert_eq!(transport.count(), 3, "only what failed");
}

#[tokio::test(start_paused = true)]
async fn answers_are_dropped_between_verifications_if_memory_is_scarce() {
    let transport = Scripted::new(|_, _| body(200, vec![b'x'; 2000]));
    let limits = Limits { held_bytes: 8000, ..Limits::default() };
    let fetcher = with(&transport, Options::default(), limits);
    let (one, other) = (content("public/a"), content("public/b"));
    assert_eq!(text(&fetcher.answer(&one, soon()).await).len(), 2000);
    assert!(unreachable(&fetcher.answer(&other, soon()).await).0.contains("more than 8000 bytes"));
    fetcher.forget();
    assert_eq!(text(&fetcher.answer(&other, soon()).await).len(), 2000);
}

/// Data that is always available must not prevent the deadline from taking effect.
#[tokio::test]
async fn the_deadline_ends_a_body_that_never_waits() {
    let flood = || stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 64 << 10])));
    let transport = Scripted::new(move |_, _| chunks(flood().boxed()));
    let limits = Limits { artifact_bytes: 4 << 30, ..Limits::default() };
    let deadline = Instant::now() + Duration::from_millis(50);
    let fact = with(&transport, Options::default(), limits).answer(&artifact("public/a"), deadline).await;
    assert_eq!(unreachable(&fact), ("the deadline passed".to_owned(), 1));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let transport = Scripted::new(|_, times| match times {
        1 => body(429, "").header("retry-after", "20"),
        2 => body(503, "").header("retry-after", "86400"),
        _ => body(200, "{}"),
    });
    assert_eq!(text(&fetcher(&transport).answer(&status(), soon()).await), "{}");
    let times: Vec<Instant> = transport.requests.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let waits = [(times[1] - times[0]).as_secs_f64(), (times[2] - times[1]).as_secs_f64()];
    assert!((20.0..=21.0).contains(&waits[0]) && (60.0..=61.0).contains(&waits[1]), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_graph_is_scanned_and_an_artifact_measured() {
    let text = format!(r#"{{"{TASK}": {{"task": {{}}}}, "other": [1, 2]}}"#);
    let body_of = text.clone();
    let (fact, _) = ask(&graph(), move |_, _| body(200, body_of.clone())).await;
    let Fact::Graph(scan) = fact else { panic!("{fact:?}") };
    assert_eq!(&*scan.entries.unwrap()[&task_id()], br#"{"task": {}}"#);
    assert_eq!(scan.measurement.length, u64::try_from(text.len()).unwrap());
    assert!(scan.measurement.sha512.is_some());
    let (fact, _) = ask(&artifact("public/a"), |_, _| body(200, "")).await;
    let Fact::Measured(measurement) = fact else { panic!("{fact:?}") };
    assert_eq!(
        hex::encode(measurement.sha256),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[tokio::test(start_paused = true)]
async fn each_address_is_requested_once() {
    let transport = Scripted::new(|_, _| body(200, format!("{{\"{TASK}\": 1}}")));
    let fetcher = fetcher(&transport);
    let (whole, measured, scanned) =
        (content("public/task-graph.json"), artifact("public/task-graph.json"), graph());
    let (whole, measured, scanned) = tokio::join!(
        fetcher.answer(&whole, soon()),
        fetcher.answer(&measured, soon()),
        fetcher.answer(&scanned, soon())
    );
    assert_eq!(transport.count(), 1);
    assert_eq!(fetcher.statistics().reused, 2);
    let (Fact::Body(whole), Fact::Measured(measured), Fact::Graph(scanned)) = (whole, measured, scanned)
    else {
        panic!("wrong shapes")
    };
    assert_eq!(whole.measurement.sha256, measured.sha256);
    assert!(scanned.measurement.sha512.is_some() && scanned.entries.unwrap().contains_key(&task_id()));
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_at_a_time_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, peak) = (now.clone(), most.clone());
    let transport = Scripted::new(move |_, _| {
        peak.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let count = count.clone();
        chunks(
            stream::once(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                count.fetch_sub(1, Ordering::SeqCst);
                Ok(Bytes::from("[]"))
            })
            .boxed(),
        )
    });
    let options = Options {
        concurrency: 5,
        bulk_concurrency: 3,
        vcs_concurrency: 2,
        near: std::time::Duration::MAX,
        ..Options::default()
    };
    let fetcher = with(&transport, options, Limits::default());
    for (needs, allowed) in [
        ((0..20).map(|number| content(&format!("public/{number}"))).collect::<Vec<_>>(), 5),
        ((20..40).map(|number| artifact(&format!("public/{number}"))).collect(), 3),
        ((1..20).map(|page| Need::Tags { repository: repository(), page }).collect(), 2),
    ] {
        most.store(0, Ordering::SeqCst);
        futures_util::future::join_all(needs.iter().map(|need| fetcher.answer(need, soon()))).await;
        assert_eq!(most.load(Ordering::SeqCst), allowed);
    }
}
