//! Orders and their lines.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::delivery::{Ledger, Rates, Stretch};
use super::{Creative, CreativeState, Currency, Flight, Note, Pacing, Price, Product, Tally};

/// A booked order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// Place in the order of booking.
    pub(crate) serial: u64,
    pub(crate) account: String,
    pub(crate) currency: Currency,
    pub(crate) lines: Vec<Line>,
    pub(crate) paused: bool,
    pub(crate) canceled: Option<Cancellation>,
    pub(crate) revision: u64,
    /// When the seller committed to it.
    pub(crate) confirmed: Timestamp,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) history: Vec<Event>,
    pub(crate) note: Note,
}

/// A part of an order: one product at one price.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) price: Price,
    pub(crate) bid: Option<Decimal>,
    pub(crate) budget: Decimal,
    /// Most impressions wanted.
    pub(crate) goal: Option<u64>,
    pub(crate) pacing: Pacing,
    pub(crate) flight: Flight,
    /// Whether the buyer gave this line a flight of its own.
    pub(crate) own_flight: bool,
    pub(crate) paused: bool,
    pub(crate) canceled: Option<Cancellation>,
    pub(crate) creatives: Vec<Assignment>,
    /// Formats chosen for it; all of the product's when the buyer chose none.
    pub(crate) formats: Vec<String>,
    pub(crate) note: Note,
    pub(super) ledger: Ledger,
}

/// A creative on a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) creative: String,
    pub(crate) weight: Option<Decimal>,
    pub(crate) since: Timestamp,
}

/// When and why something was called off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cancellation {
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

/// One entry of an order's log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) revision: u64,
    pub(crate) at: Timestamp,
    pub(crate) action: &'static str,
    pub(crate) line: Option<String>,
    /// In words.
    pub(crate) summary: Option<String>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    PendingCreatives,
    PendingStart,
    Active,
    Paused,
    Completed,
    /// Its flight went by without a creative.
    Rejected,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PendingCreatives => "pending_creatives",
            Self::PendingStart => "pending_start",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
        }
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Rejected | Self::Canceled)
    }
}

impl Order {
    /// Log entries kept; the oldest go first.
    const HISTORY: usize = 1_000;

    pub(crate) fn live_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.canceled.is_none())
    }

    pub(crate) fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// From the first line's start to the last line's end; canceled lines count, so that it never is empty.
    pub(crate) fn flight(&self) -> Flight {
        let flights = || self.lines.iter().map(|line| line.flight);
        let start = flights().map(|flight| flight.start).min().unwrap_or(self.created);
        Flight { start, end: flights().map(|flight| flight.end).max().unwrap_or(start) }
    }

    /// The sum of what its lines may spend; a canceled line may spend what it has spent.
    pub(crate) fn budget(&self) -> Decimal {
        self.lines.iter().map(Line::commitment).sum()
    }

    /// Where the order stands at `now`; `usable` tells whether a creative may run.
    pub(crate) fn status(&self, now: Timestamp, usable: impl Fn(&str) -> bool) -> Status {
        if self.canceled.is_some() {
            return Status::Canceled;
        }
        if self.live_lines().next().is_none() {
            return Status::Canceled;
        }
        let flight = self.flight();
        let fitted = self.live_lines().any(|line| line.creatives.iter().any(|one| usable(&one.creative)));
        let started = self.lines.iter().any(|line| line.ledger.by(now).impressions > 0);
        match () {
            () if now >= flight.end && (fitted || started) => Status::Completed,
            () if now >= flight.end => Status::Rejected,
            () if !fitted => Status::PendingCreatives,
            () if now < flight.start => Status::PendingStart,
            () if self.paused => Status::Paused,
            () => Status::Active,
        }
    }

    /// Starts a new stretch of each line whose terms changed.
    pub(super) fn turn<'a>(
        &mut self,
        now: Timestamp,
        product: impl Fn(&str) -> Option<&'a Product>,
        usable: impl Fn(&str) -> bool,
    ) {
        let stopped = self.paused || self.canceled.is_some();
        for line in &mut self.lines {
            let Some(product) = product(&line.product) else { continue };
            line.turn(now, product, stopped, &usable);
        }
    }

    pub(super) fn log(&mut self, at: Timestamp, action: &'static str, line: Option<&str>) {
        if self.history.len() >= Self::HISTORY {
            self.history.remove(0);
        }
        self.history.push(Event {
            revision: self.revision,
            at,
            action,
            line: line.map(str::to_owned),
            summary: None,
        });
    }

    /// Adds words to the newest entry of the log.
    pub(super) fn say(&mut self, words: String) {
        if let Some(last) = self.history.last_mut() {
            last.summary = Some(words);
        }
    }
}

impl Line {
    /// Everything served and charged up to `now`.
    pub(crate) fn delivered(&self, now: Timestamp) -> Tally {
        self.ledger.by(now)
    }

    /// What the line costs at most.
    pub(crate) fn commitment(&self) -> Decimal {
        match &self.canceled {
            Some(canceled) => self.ledger.by(canceled.at).spend,
            None => self.budget,
        }
    }

    fn turn(&mut self, now: Timestamp, product: &Product, stopped: bool, usable: &impl Fn(&str) -> bool) {
        let fitted = self.creatives.iter().any(|one| usable(&one.creative));
        let running = !stopped && !self.paused && self.canceled.is_none() && fitted;
        let rates = Rates::new(product, &self.price, self.bid);
        let (budget, flight, pacing, goal) = (self.budget, self.flight, self.pacing, self.goal);
        let next = |before| Stretch { from: now, running, budget, flight, pacing, rates, goal, before };
        self.ledger.turn(next, now);
    }
}

/// Whether a creative in the library may run.
pub(super) fn usable(creative: Option<&Creative>) -> bool {
    creative.is_some_and(|creative| creative.state == CreativeState::Approved)
}
