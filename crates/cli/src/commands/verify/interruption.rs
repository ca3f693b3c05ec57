//! Interruption: SIGINT or SIGTERM, Ctrl-C on other systems.

use crate::failure::Failure;
use catena::CancellationToken;

/// Runs to the end. The first signal cancels the token.
pub(crate) fn block_on<T>(
    work: impl AsyncFnOnce(CancellationToken) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::undetermined(format!("cannot start: {cause}")))?;
    runtime.block_on(async {
        // Before anything is requested or created: an earlier signal ends the process directly.
        let interruption = Interruption::listen();
        let cancellation = CancellationToken::new();
        let cancelled = cancellation.clone();
        // On a separate thread, independent of the working one.
        drop(tokio::spawn(async move {
            interruption.arrives().await;
            cancelled.cancel();
        }));
        work(cancellation).await
    })
}

struct Interruption {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Interruption {
    /// From here on signals are recorded instead of ending the process. A signal without a listener
    /// ends it as usual.
    fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
            Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Waits for the first of them.
    async fn arrives(self) {
        #[cfg(unix)]
        {
            let mut signals = self.signals;
            std::future::poll_fn(|cx| {
                let arrived = signals.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
                if arrived { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
