//! Modes that do not enforce a verdict: the task runs without a clearance, and every log says so.

use crate::claimed::ClaimedTask;
use crate::config::Mode;
use crate::gate::{Permission, Refusal, Unenforced};
use crate::log::{CHAIN_FILE, LiveLog};
use crate::metrics::OVERRULED;
use crate::status::Status;
use crate::task::Task;
use catena::CancellationToken;

/// What stands before and after a warning, so that it is not overlooked among other lines.
const RULE: &str = "**********************************************************************";

impl Task<'_> {
    /// Lets a refused task run where the mode of its product does not enforce verdicts.
    ///
    /// # Errors
    /// The refusal, where it counts: in mode `enforce`, where the task must stop anyway, and where its unverified
    /// inputs cannot be fetched either.
    pub(crate) async fn overrule(
        &self,
        task: &ClaimedTask,
        refusal: Refusal,
        live: &mut LiveLog,
    ) -> Result<Permission, Refusal> {
        let Mode::Unenforced(mode) = self.worker.config.mode else { return Err(refusal) };
        // The reasons must be in a log of the task.
        let is_logged = self.worker.config.directories.task_logs.join(CHAIN_FILE).exists();
        if self.lease.stopped().is_some() || !is_logged {
            return Err(refusal);
        }
        let request = self.request(task, CancellationToken::new());
        let mut stop = self.lease.subscribe();
        let placed = tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return Err(refusal),
            placed = self.worker.gate.place_unverified(&request) => placed,
        };
        if let Err(error) = placed {
            let report =
                format!("{}\nIts inputs cannot be fetched without verification: {error}", refusal.report);
            return Err(Refusal { status: Status::INTERMITTENT_TASK, report, ..refusal });
        }
        self.worker.metrics.add(&OVERRULED, &[("mode", mode.as_str())], 1);
        self.warn(mode, &refusal, live);
        Ok(refusal.overrule(request.task_id, mode))
    }

    fn warn(&self, mode: Unenforced, refusal: &Refusal, live: &mut LiveLog) {
        let headline = format!(
            "{} RUNS WITHOUT A CLEARANCE: cot_mode is {}. In mode enforce it would not run (status {}):",
            self.lease.claim().run,
            mode.as_str(),
            refusal.status.number()
        );
        let log = &self.worker.log;
        for line in [RULE, &headline, &refusal.report, RULE] {
            log.critical(line);
        }
        if mode == Unenforced::Warn {
            live.line(RULE);
            live.line(&headline);
            refusal.report.lines().for_each(|line| live.line(line));
            live.line(RULE);
        }
    }
}
