//! What happened in a run: what buyers meant and heard, what the seller did, what was broken.

use std::fmt;

use serde_json::Value;

use super::tables::Tables;

/// Microseconds since 1970.
pub(crate) type Micros = i64;

/// How an order shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Now,
    Task,
    Workflow,
    Job,
    /// No order: a proposal is made firm by a task. Its call has no key; the proposal's id stands for one.
    Firm,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Task => "task",
            Self::Workflow => "workflow",
            Self::Job => "job",
            Self::Firm => "firm",
        }
    }
}

/// What a buyer meant to order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) key: String,
    pub(crate) buyer: String,
    pub(crate) mode: Mode,
    /// How long it may take from `submitted` on when nothing is broken, in microseconds.
    pub(crate) work: Micros,
    /// Whether it asks to be notified.
    pub(crate) push: bool,
    /// Whether it gives a token for that, to be kept sealed.
    pub(crate) token: bool,
    /// Where at its receiver.
    pub(crate) hook: &'static str,
    pub(crate) proposal: Option<String>,
    /// What the seller is told, in `ext.trial`.
    pub(crate) plan: Value,
}

/// What a buyer asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// An order, or with `altered` another request under its key.
    Order { key: String, altered: bool },
    /// How far a task is.
    Task(String),
}

/// What it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Submitted(String),
    Completed(String),
    Refused(String),
    /// No answer: nobody knows what happened.
    Silent(String),
    /// The status of a task, and for an ended one what came of it.
    Status {
        status: String,
        result: Option<String>,
    },
}

/// One answer, or its absence.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) at: Micros,
    pub(crate) buyer: String,
    pub(crate) replica: usize,
    pub(crate) about: About,
    pub(crate) said: Said,
}

/// Something was broken; `at` is when that was over.
#[derive(Debug, Clone)]
pub(crate) struct Crash {
    pub(crate) at: Micros,
    pub(crate) what: String,
    /// Whether a replica was told to stop, and left its jobs to others.
    pub(crate) orderly: bool,
}

/// A line of the seller's own journal.
#[derive(Debug, Clone)]
pub(crate) struct RunLine {
    pub(crate) at: Micros,
    pub(crate) starts: bool,
    /// `decide`, `enqueue`, `work` or `job`.
    pub(crate) part: String,
    pub(crate) key: String,
    /// The process and a number of its own.
    pub(crate) run: String,
    pub(crate) task: Option<String>,
    pub(crate) how: Option<String>,
}

/// The other system ended a task, or tried to.
#[derive(Debug, Clone)]
pub(crate) struct DeskLine {
    pub(crate) at: Micros,
    pub(crate) task: String,
    pub(crate) wanted: String,
    /// Whether it was told that the task ended so; otherwise it was refused.
    pub(crate) took: bool,
}

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    Gone,
    Busy,
    Reset,
}

/// A webhook came.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) at: Micros,
    pub(crate) key: String,
    pub(crate) task: String,
    pub(crate) status: String,
    /// Of the bytes of its body.
    pub(crate) digest: String,
    pub(crate) target: String,
    /// The process that signed it.
    pub(crate) life: String,
    pub(crate) nonce: String,
    /// Why it is not authentic.
    pub(crate) fault: Option<String>,
    pub(crate) answer: Answer,
}

/// A process ended, or stood still.
#[derive(Debug, Clone)]
pub(crate) struct Break {
    pub(crate) life: String,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) how: &'static str,
}

/// A process ended by itself at a point that is about webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) point: String,
    pub(crate) life: String,
    pub(crate) keys: Vec<String>,
}

/// An operator settled a key that had no known outcome.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) at: Micros,
    pub(crate) key: String,
    pub(crate) released: bool,
}

/// Everything about one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) orders: Vec<Order>,
    pub(crate) heard: Vec<Heard>,
    pub(crate) crashes: Vec<Crash>,
    pub(crate) runs: Vec<RunLine>,
    pub(crate) desk: Vec<DeskLine>,
    pub(crate) resolved: Vec<Resolved>,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) breaks: Vec<Break>,
    /// From when to when something was done to the database.
    pub(crate) outages: Vec<(Micros, Micros)>,
    pub(crate) ended: Vec<Ended>,
    /// At the end.
    pub(crate) tables: Tables,
}

impl RunLine {
    /// Reads a line of the journal; `None` for one that is no line of it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Some(Self {
            at: line["at"].as_i64()?,
            starts: line["what"] == "start",
            part: text("part")?,
            key: text("key")?,
            run: text("run")?,
            task: text("task"),
            how: text("how"),
        })
    }
}

impl Ended {
    /// Reads a line of the log of points; `None` for one that tells of no end.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("ended ")?.split_whitespace().map(str::to_owned);
        Some(Self { point: words.next()?, life: words.next()?, keys: words.collect() })
    }
}

impl History {
    /// The key of the order that a task, or the webhook of one, came from.
    pub(crate) fn key_of(&self, subject: &str) -> Option<&str> {
        let event = self.tables.events.iter().find(|event| event.key == subject);
        let task = event.map_or(subject, |event| event.task.as_str());
        self.heard.iter().find_map(|heard| match (&heard.about, &heard.said) {
            (About::Order { key, .. }, Said::Submitted(id)) if id == task => Some(key.as_str()),
            _ => None,
        })
    }

    /// Everything about a key or a task in order of time, for people.
    pub(crate) fn about(&self, subject: &str) -> Vec<String> {
        let event = self.tables.events.iter().find(|event| event.key == subject);
        let row = |id: &str| self.tables.tasks.iter().find(|task| task.id == id);
        let task = event.map_or(subject, |event| event.task.as_str());
        let key = self.key_of(task).or_else(|| row(task)?.key.as_deref()).unwrap_or(task);
        let mut tasks: Vec<&str> =
            self.runs.iter().filter(|run| run.key == key).filter_map(|run| run.task.as_deref()).collect();
        tasks.extend(
            self.tables
                .tasks
                .iter()
                .filter(|task| task.key.as_deref() == Some(key))
                .map(|task| task.id.as_str()),
        );
        tasks.extend(self.heard.iter().filter_map(|heard| match (&heard.about, &heard.said) {
            (About::Order { key: of, .. }, Said::Submitted(task)) if of == key => Some(task.as_str()),
            _ => None,
        }));
        let about = |heard: &Heard| match &heard.about {
            About::Order { key: of, .. } => of == key,
            About::Task(task) => tasks.contains(&task.as_str()),
        };
        let mut lines: Vec<(Micros, String)> = Vec::new();
        lines.extend(
            self.heard.iter().filter(|heard| about(heard)).map(|heard| (heard.at, heard.to_string())),
        );
        lines.extend(self.runs.iter().filter(|run| run.key == key).map(|run| (run.at, run.to_string())));
        lines.extend(
            self.desk
                .iter()
                .filter(|line| tasks.contains(&line.task.as_str()))
                .map(|line| (line.at, line.to_string())),
        );
        lines.extend(
            self.resolved.iter().filter(|line| line.key == key).map(|line| (line.at, line.to_string())),
        );
        let news = |arrival: &&Arrival| tasks.contains(&arrival.task.as_str()) || arrival.key == subject;
        lines.extend(self.arrivals.iter().filter(news).map(|arrival| (arrival.at, arrival.to_string())));
        let (first, last) = (lines.iter().map(|(at, _)| *at).min(), lines.iter().map(|(at, _)| *at).max());
        if let (Some(first), Some(last)) = (first, last) {
            let near = self
                .crashes
                .iter()
                .filter(|crash| crash.at >= first - 1_000_000 && crash.at <= last + 60_000_000);
            lines.extend(near.map(|crash| (crash.at, crash.to_string())));
        }
        lines.sort_by_key(|(at, _)| *at);
        let mut out: Vec<String> = self
            .orders
            .iter()
            .filter(|order| order.key == key)
            .map(|order| format!("{:>24}  {order}", ""))
            .collect();
        out.extend(lines.into_iter().map(|(at, words)| format!("{:>24}  {words}", clock(at))));
        let rows = self
            .tables
            .tasks
            .iter()
            .filter(|task| task.key.as_deref() == Some(key) || tasks.contains(&task.id.as_str()));
        out.extend(rows.map(|task| format!("{:>24}  {task:?}", "at the end")));
        let events = self.tables.events.iter().filter(|event| tasks.contains(&event.task.as_str()));
        for event in events {
            out.push(format!("{:>24}  {event:?}", "at the end"));
            let attempts = self.tables.attempts.iter().filter(|attempt| attempt.key == event.key);
            out.extend(attempts.map(|attempt| format!("{:>24}  {attempt:?}", "at the end")));
            let ended = self.ended.iter().filter(|ended| ended.keys.contains(&event.key));
            out.extend(ended.map(|ended| format!("{:>24}  {ended}", "at some time")));
        }
        let calls = self.tables.calls.iter().filter(|call| call.key == key);
        out.extend(calls.map(|call| format!("{:>24}  {call:?}", "at the end")));
        out
    }
}

/// The time of day, to the microsecond.
pub(crate) fn clock(at: Micros) -> String {
    let day = at.rem_euclid(86_400_000_000);
    let (seconds, micros) = (day / 1_000_000, day % 1_000_000);
    format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} means {} as {}, ", self.buyer, self.key, self.mode.as_str())?;
        write!(f, "push {}, proposal {:?}, {}", self.push, self.proposal, self.plan)
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at replica {}: ", self.buyer, self.replica)?;
        match &self.about {
            About::Order { key, altered: false } => write!(f, "{key}")?,
            About::Order { key, altered: true } => write!(f, "{key} with another payload")?,
            About::Task(task) => write!(f, "{task}")?,
        }
        match &self.said {
            Said::Submitted(task) => write!(f, " -> submitted {task}"),
            Said::Completed(order) => write!(f, " -> completed {order}"),
            Said::Refused(code) => write!(f, " -> refused {code}"),
            Said::Silent(why) => write!(f, " -> no answer ({why})"),
            Said::Status { status, result } => {
                write!(f, " -> {status} {}", result.as_deref().unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, task, status, digest, target, life, nonce, answer, .. } = self;
        write!(f, "webhook {key} of {task} ({status}) from {life} at {target}, body {}, ", &digest[..8])?;
        write!(f, "nonce {nonce}, {answer:?} {}", self.fault.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} from {} on", self.life, self.how, clock(self.from))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended at {} with this webhook among {}", self.life, self.point, self.keys.len())
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CRASH {}", self.what)
    }
}

impl fmt::Display for RunLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.starts { "begins to" } else { "ends to" };
        write!(f, "seller {what} {} {} in run {}", self.part, self.key, self.run)?;
        if let Some(task) = &self.task {
            write!(f, " for {task}")?;
        }
        write!(f, " {}", self.how.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for DeskLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = if self.took { "and did" } else { "and was refused" };
        write!(f, "desk would end {} as {} {came}", self.task, self.wanted)
    }
}

impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.released { "released" } else { "succeeded" };
        write!(f, "operator resolves {} as {word}", self.key)
    }
}
