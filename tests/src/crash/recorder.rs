//! Collects what happens while it happens, in memory for the rules and in a file for people.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use adcp_core::{Clock, SystemClock};

use super::history::{Arrival, Break, Crash, DeskLine, Heard, History, Micros, Order, Resolved, clock};

/// The history of a run that goes on.
#[derive(Debug)]
pub(crate) struct Recorder {
    clock: SystemClock,
    state: Mutex<(History, File)>,
}

impl Recorder {
    pub(crate) fn new(folder: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(folder.join("history.log"))?;
        Ok(Self { clock: SystemClock::new(), state: Mutex::new((History::default(), file)) })
    }

    pub(crate) fn now(&self) -> Micros {
        self.clock.now().as_micros()
    }

    pub(crate) fn order(&self, order: &Order) {
        self.keep(self.now(), order).0.orders.push(order.clone());
    }

    pub(crate) fn heard(&self, heard: Heard) {
        self.keep(heard.at, &heard).0.heard.push(heard);
    }

    /// Something was broken, until now.
    pub(crate) fn crash(&self, what: impl Into<String>) {
        self.broken(what.into(), false);
    }

    /// The database was broken from then on, until now.
    pub(crate) fn outage(&self, from: Micros, what: impl Into<String>) {
        self.broken(what.into(), false);
        let now = self.now();
        self.lock().0.outages.push((from, now));
    }

    /// A replica was told to stop, and did.
    pub(crate) fn stopped(&self, replica: usize) {
        self.broken(format!("replica {replica} was stopped"), true);
    }

    fn broken(&self, what: String, orderly: bool) {
        let crash = Crash { at: self.now(), what, orderly };
        self.keep(crash.at, &crash).0.crashes.push(crash);
    }

    pub(crate) fn desk(&self, line: DeskLine) {
        self.keep(line.at, &line).0.desk.push(line);
    }

    pub(crate) fn resolved(&self, line: Resolved) {
        self.keep(line.at, &line).0.resolved.push(line);
    }

    pub(crate) fn arrival(&self, arrival: Arrival) {
        self.keep(arrival.at, &arrival).0.arrivals.push(arrival);
    }

    /// A process is no more what it was since `from`.
    pub(crate) fn broke(&self, life: String, from: Micros, how: &'static str) {
        let broke = Break { life, from, to: self.now(), how };
        self.keep(broke.to, &broke).0.breaks.push(broke);
    }

    /// Something to know, that no rule looks at.
    pub(crate) fn note(&self, words: &str) {
        drop(self.keep(self.now(), &words));
    }

    /// The history so far.
    pub(crate) fn history(&self) -> History {
        self.lock().0.clone()
    }

    fn keep(&self, at: Micros, line: &dyn Display) -> MutexGuard<'_, (History, File)> {
        let mut state = self.lock();
        // The file is for people; what counts is in memory.
        let _ = writeln!(state.1, "{}  {line}", clock(at));
        state
    }

    fn lock(&self) -> MutexGuard<'_, (History, File)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
