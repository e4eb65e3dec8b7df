//! One event that no registry holds, sent once: whoever looks for what is wrong between two sides begins with that.

use adcp_core::{AttemptReport, Publication, Verdict};

use crate::Webhooks;

/// What became of one event that was sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentOnce {
    /// The attempt, as a registry would keep it: the answer without secrets.
    pub report: AttemptReport,
    /// What a worker would do next, after a first attempt.
    pub verdict: Verdict,
}

impl Webhooks {
    /// Sends one event that no registry holds, as a worker makes a first attempt, and says what a worker would do next.
    /// Nothing is kept, and nothing is tried again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it closes the connection. The receiver may have the event.
    pub async fn send_once(&self, event: &Publication) -> SentOnce {
        let tried = self.sender().attempt(&event.event(self.now())).await;
        let verdict = self.schedule().verdict(tried.judged.step, 1, tried.begun.elapsed());
        SentOnce { report: tried.report, verdict }
    }
}
