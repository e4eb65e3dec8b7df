//! What a task should do, step by step, in a few fields.

use adcp_core::{AdcpError, Outcome, ProposalState, TaskStatus};
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use crate::world::{Must, bought};

#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) enqueuing: bool,
    pub(super) deadline: bool,
    pub(super) purchase: bool,
    pub(super) notify: bool,
    /// Whether the reply is recorded at issue, when the task is not enqueued.
    pub(super) replied: bool,
    pub(super) leased: bool,
    pub(super) job: bool,
}

/// As whom a writer speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Who {
    /// It does not say that it works on the task.
    Entrusted,
    /// It shows the token of the lease that the task may have been issued with.
    Holder,
    /// It shows another token.
    Impostor,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    Report(u8, Who),
    Ask,
    Authenticate,
    Resubmit,
    Finish(usize, Who),
    Renew(Who),
    Claim,
    Release { who: Who, wait: u8, uncounted: bool },
    Confirm { deadline: bool, settling: bool },
    Discard { releasing: bool },
    Settle { fenced: bool },
    Pass(u8),
    EndOverdue,
}

/// Minutes until a deadline.
pub(super) const DEADLINE: u64 = 45;
/// Minutes that a lease lasts.
pub(super) const LEASE: u64 = 30;
/// Attempts that a job has.
pub(super) const ATTEMPTS: u32 = 3;

pub(super) fn setups() -> impl Strategy<Value = Setup> {
    any::<[bool; 7]>().prop_map(|[enqueuing, deadline, purchase, notify, replied, leased, job]| Setup {
        enqueuing,
        deadline,
        purchase,
        notify,
        replied,
        leased,
        job,
    })
}

pub(super) fn whos() -> impl Strategy<Value = Who> {
    prop_oneof![3 => Just(Who::Entrusted), 3 => Just(Who::Holder), 1 => Just(Who::Impostor)]
}

pub(super) fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..100, whos()).prop_map(|(percent, who)| Step::Report(percent, who)),
        1 => Just(Step::Ask),
        1 => Just(Step::Authenticate),
        1 => Just(Step::Resubmit),
        3 => (0..ends().len(), whos()).prop_map(|(end, who)| Step::Finish(end, who)),
        2 => whos().prop_map(Step::Renew),
        3 => Just(Step::Claim),
        2 => (whos(), 0_u8..20, any::<bool>())
            .prop_map(|(who, wait, uncounted)| Step::Release { who, wait, uncounted }),
        2 => any::<(bool, bool)>().prop_map(|(deadline, settling)| Step::Confirm { deadline, settling }),
        2 => any::<bool>().prop_map(|releasing| Step::Discard { releasing }),
        1 => any::<bool>().prop_map(|fenced| Step::Settle { fenced }),
        3 => (1_u8..60).prop_map(Step::Pass),
        3 => Just(Step::EndOverdue),
    ]
}

pub(super) fn ends() -> Vec<Outcome> {
    vec![
        bought("mb_1"),
        bought("mb_2"),
        Outcome::Failed(AdcpError::unavailable()),
        Outcome::Canceled("late".into()),
        Outcome::Rejected(AdcpError::unavailable()),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key {
    Running,
    Replied,
    Fenced,
    Free,
}

/// What is known of the task, in a few fields.
pub(super) struct Model {
    pub(super) gone: bool,
    pub(super) open: bool,
    pub(super) history: Vec<TaskStatus>,
    pub(super) outcome: Option<Outcome>,
    pub(super) deadline: Option<u64>,
    pub(super) lease: Option<u64>,
    /// Attempts that were begun, and when the next one may begin; `None` for what is no job.
    pub(super) job: Option<(u32, u64)>,
    pub(super) now: u64,
    pub(super) key: Key,
    pub(super) purchase: bool,
    pub(super) notify: bool,
}

/// What a step came to, in a word.
pub(super) type Word = &'static str;

impl Model {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            gone: false,
            open: !setup.enqueuing,
            history: vec![TaskStatus::Submitted],
            outcome: None,
            deadline: (setup.enqueuing || setup.deadline).then_some(DEADLINE),
            lease: setup.leased.then_some(LEASE),
            job: setup.job.then_some((u32::from(setup.leased), 0)),
            now: 0,
            key: if setup.replied && !setup.enqueuing { Key::Replied } else { Key::Running },
            purchase: setup.purchase,
            notify: setup.notify,
        }
    }

    pub(super) fn status(&self) -> TaskStatus {
        *self.history.last().must()
    }

    fn enter(&mut self, next: TaskStatus) -> Word {
        match (self.gone, self.outcome.is_some()) {
            (true, _) => "unknown",
            (_, true) => "ended",
            _ if !self.status().can_become(next) => "no such step",
            _ => {
                self.history.push(next);
                "done"
            }
        }
    }

    fn end(&mut self, outcome: Outcome) -> Word {
        if self.outcome.as_ref() == Some(&outcome) && !self.gone {
            return "before";
        }
        let word = self.enter(outcome.status());
        if word == "done" {
            self.outcome = Some(outcome);
            self.deadline = None;
            self.lease = None;
        }
        word
    }

    /// Whether a writer is turned away. A task that is gone or has ended answers for itself.
    fn fences(&self, who: Who) -> bool {
        let lost = who == Who::Impostor || (who == Who::Holder && !self.is_held());
        lost && !self.gone && self.outcome.is_none()
    }

    fn is_held(&self) -> bool {
        self.lease.is_some_and(|until| until > self.now)
    }

    fn claim(&mut self) -> Word {
        let in_time = self.deadline.is_none_or(|at| at > self.now);
        let free = self.open && !self.gone && self.outcome.is_none() && in_time && !self.is_held();
        match self.job {
            Some((attempts, from)) if free && attempts < ATTEMPTS && from <= self.now => {
                self.job = Some((attempts + 1, 0));
                self.lease = Some(self.now + LEASE);
                "one"
            }
            _ => "none",
        }
    }

    fn release(&mut self, who: Who, wait: u8, uncounted: bool) -> Word {
        // Who gives up shows a token, its own or another.
        if self.fences(if who == Who::Entrusted { Who::Holder } else { who }) {
            return "lease lost";
        }
        match (self.gone, self.outcome.is_some(), self.job) {
            (true, ..) => "unknown",
            (_, true, _) => "ended",
            (_, _, None) => "no job",
            (_, _, Some((attempts, _))) => {
                self.job = Some((attempts - u32::from(uncounted), self.now + u64::from(wait)));
                self.lease = None;
                "done"
            }
        }
    }

    /// Why the task is ended by those who look for what nobody works on.
    fn overdue(&self) -> Option<AdcpError> {
        if self.gone || self.outcome.is_some() {
            return None;
        }
        if self.deadline.is_some_and(|at| at <= self.now) {
            return Some(AdcpError::overdue());
        }
        match self.job {
            Some((attempts, _)) => (attempts >= ATTEMPTS && !self.is_held()).then(AdcpError::given_up),
            None => (self.lease.is_some() && !self.is_held()).then(AdcpError::orphaned),
        }
    }

    pub(super) fn take(&mut self, step: Step) -> Word {
        match step {
            Step::Report(_, who) | Step::Finish(_, who) if self.fences(who) => "lease lost",
            // Who renews shows a token, its own or another.
            Step::Renew(who) if self.fences(if who == Who::Entrusted { Who::Holder } else { who }) => {
                "lease lost"
            }
            Step::Renew(_) if self.gone => "unknown",
            Step::Renew(_) if self.outcome.is_some() => "ended",
            Step::Renew(_) => {
                self.lease = Some(self.now + LEASE);
                "done"
            }
            Step::Claim => self.claim(),
            Step::Release { who, wait, uncounted } => self.release(who, wait, uncounted),
            Step::Report(..) => self.enter(TaskStatus::Working),
            Step::Ask => self.enter(TaskStatus::InputRequired),
            Step::Authenticate => self.enter(TaskStatus::AuthRequired),
            Step::Resubmit => self.enter(TaskStatus::Submitted),
            Step::Finish(end, _) => self.end(ends()[end].clone()),
            Step::Confirm { .. } | Step::Discard { .. } if self.gone => "unknown",
            Step::Confirm { settling: true, .. } if self.key != Key::Running => "stale",
            Step::Confirm { deadline, settling } => {
                if settling {
                    self.key = Key::Replied;
                }
                if !self.open && self.outcome.is_none() {
                    self.deadline = deadline.then_some(self.now + DEADLINE);
                }
                self.open = true;
                "done"
            }
            Step::Discard { .. } if self.open || self.outcome.is_some() => "not enqueuing",
            Step::Discard { releasing: true } if self.key != Key::Running => "stale",
            Step::Discard { releasing } => {
                if releasing {
                    self.key = Key::Free;
                }
                self.gone = true;
                "done"
            }
            Step::Settle { .. } if self.key != Key::Running => "stale",
            Step::Settle { fenced } => {
                self.key = if fenced { Key::Fenced } else { Key::Free };
                "done"
            }
            Step::Pass(minutes) => {
                self.now += u64::from(minutes);
                "done"
            }
            Step::EndOverdue => match self.overdue() {
                Some(why) => {
                    self.end(Outcome::Failed(why));
                    "one"
                }
                None => "none",
            },
        }
    }

    /// Where the proposal stands that the task reserved.
    pub(super) fn proposal(&self) -> Option<ProposalState> {
        self.purchase.then_some(match &self.outcome {
            _ if self.gone => ProposalState::Committed,
            None => ProposalState::Consuming,
            Some(Outcome::Completed(_)) => ProposalState::Consumed,
            Some(_) => ProposalState::Committed,
        })
    }

    /// The statuses that the buyer is told of: none before it was told of the task.
    pub(super) fn told(&self) -> Vec<TaskStatus> {
        self.outcome.iter().filter(|_| self.notify && self.open).map(Outcome::status).collect()
    }
}
