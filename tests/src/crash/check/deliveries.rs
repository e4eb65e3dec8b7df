//! P4 and P5: every webhook arrives or is a dead letter, in time; always the same bytes, each time with a nonce of its
//! own; and again only where nobody could know that it had arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::{Limits, Violation};
use crate::crash::history::{Answer, Arrival, Break, History, clock};
use crate::crash::plan::GONE;
use crate::crash::tables::{AttemptRow, EventRow};

const P4: &str = "P4";
const P5: &str = "P5";

/// Attempts after which a worker does not know whether its event was taken.
const UNKNOWN: [&str; 2] = ["timeout", "connection"];

/// How much later than it happened the end of a process may be noticed, in microseconds.
const NOTICED: i64 = 500_000;

/// Everything about one event.
struct Story<'a> {
    event: &'a EventRow,
    /// In order of time.
    arrivals: Vec<&'a Arrival>,
    attempts: Vec<&'a AttemptRow>,
}

impl Story<'_> {
    fn taken(&self) -> impl Iterator<Item = &Arrival> {
        self.arrivals.iter().copied().filter(|arrival| arrival.answer == Answer::Taken)
    }

    /// Attempts that were recorded without knowing whether the event was taken.
    fn unknown(&self) -> usize {
        self.attempts.iter().filter(|attempt| UNKNOWN.contains(&attempt.class.as_str())).count()
    }

    /// Claims of which nothing was recorded.
    fn lost(&self) -> i64 {
        self.event.claims - count(self.attempts.len())
    }

    fn violation(&self, promise: &'static str, words: String) -> Violation {
        Violation::new(promise, &self.event.key, words)
    }
}

/// Every broken promise about webhooks.
pub(super) fn all(history: &History, limits: Limits) -> Vec<Violation> {
    let mut found = authentic(history);
    for story in stories(history) {
        found.extend(lost(history, &story));
        found.extend(end(&story, limits));
        found.extend(late(history, &story, limits));
        found.extend(same(&story));
        found.extend(repeated(history, &story, limits));
        found.extend(points(history, &story, limits));
    }
    found
}

fn stories<'h>(history: &'h History) -> Vec<Story<'h>> {
    let mut arrivals: BTreeMap<&str, Vec<&'h Arrival>> = BTreeMap::new();
    for arrival in &history.arrivals {
        arrivals.entry(&arrival.key).or_default().push(arrival);
    }
    let mut attempts: BTreeMap<&str, Vec<&'h AttemptRow>> = BTreeMap::new();
    for attempt in &history.tables.attempts {
        attempts.entry(&attempt.key).or_default().push(attempt);
    }
    let story = |event: &'h EventRow| {
        let mut arrivals = arrivals.get(event.key.as_str()).cloned().unwrap_or_default();
        arrivals.sort_by_key(|arrival| arrival.at);
        Story { event, arrivals, attempts: attempts.get(event.key.as_str()).cloned().unwrap_or_default() }
    };
    history.tables.events.iter().map(story).collect()
}

/// A claim comes to nothing only where somebody or something was broken.
fn lost(history: &History, story: &Story<'_>) -> Option<Violation> {
    let (queued, settled) = (story.event.queued_at, story.event.settled_at.unwrap_or(i64::MAX));
    let meanwhile = |from: i64, to: i64| from <= settled && to + NOTICED >= queued;
    let broken = history.breaks.iter().filter(|found| meanwhile(found.from, found.to)).count()
        + history.outages.iter().filter(|(from, to)| meanwhile(*from, *to)).count();
    let words = || format!("was claimed {} times for nothing, and {broken} things broke", story.lost());
    (story.lost() > count(broken)).then(|| story.violation(P4, words()))
}

/// Whatever arrives is signed, with a nonce that nothing else has, and tells of an event that is kept.
fn authentic(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut nonces = BTreeSet::new();
    let known: BTreeSet<&str> = history.tables.events.iter().map(|event| event.key.as_str()).collect();
    for arrival in &history.arrivals {
        if let Some(fault) = &arrival.fault {
            found.push(Violation::new(P5, &arrival.key, format!("came without being authentic: {fault}")));
        } else if !nonces.insert(&arrival.nonce) {
            found.push(Violation::new(
                P5,
                &arrival.key,
                format!("came with the nonce {} again", arrival.nonce),
            ));
        }
        if !known.contains(arrival.key.as_str()) {
            found.push(Violation::new(P4, &arrival.key, "came, and is in no table"));
        }
    }
    found
}

/// It was delivered and came, or was given up for a reason that is one.
fn end(story: &Story<'_>, limits: Limits) -> Option<Violation> {
    let Story { event, arrivals, .. } = story;
    let came = |answer| arrivals.iter().any(|arrival| arrival.answer == answer);
    let fits = match (event.state.as_str(), event.reason.as_deref()) {
        ("delivered", None) => came(Answer::Taken),
        ("dead", Some("gone")) => event.url.ends_with(GONE) && came(Answer::Gone),
        ("dead", Some("exhausted")) => event.claims >= limits.delivery.attempts,
        _ => false,
    };
    let words = || {
        let answers: Vec<Answer> = arrivals.iter().map(|arrival| arrival.answer).collect();
        format!("is {} for {:?} after {answers:?}", event.state, event.reason)
    };
    (!fits).then(|| story.violation(P4, words()))
}

/// It was settled within a claim's time after it was queued, or after what was broken last before.
fn late(history: &History, story: &Story<'_>, limits: Limits) -> Option<Violation> {
    let settled = story.event.settled_at?;
    let bound = since(history, story.event) + limits.delivery.within(failures(story));
    let words = || format!("was settled {} ms later than it may", (settled - bound) / 1000);
    (settled > bound).then(|| story.violation(P4, words()))
}

/// When the last thing happened that an event may have waited for.
pub(crate) fn since(history: &History, event: &EventRow) -> i64 {
    let settled = event.settled_at.unwrap_or(i64::MAX);
    let crashes = history.crashes.iter().map(|crash| crash.at);
    crashes.filter(|at| *at <= settled).max().unwrap_or(event.queued_at).max(event.queued_at)
}

fn failures(story: &Story<'_>) -> i64 {
    count(
        story
            .attempts
            .iter()
            .filter(|attempt| attempt.class != "delivered" && attempt.class != "gone")
            .count(),
    )
}

/// The same bytes at every attempt, where they were to go, about the task that ended.
fn same(story: &Story<'_>) -> Vec<Violation> {
    let Story { event, arrivals, .. } = story;
    let mut found = Vec::new();
    let mut bodies: Vec<&str> = arrivals.iter().map(|arrival| arrival.digest.as_str()).collect();
    bodies.sort_unstable();
    bodies.dedup();
    if bodies.len() > 1 {
        found.push(story.violation(P5, format!("came with {} bodies", bodies.len())));
    }
    let fits = |arrival: &&&Arrival| {
        arrival.task == event.task && arrival.status == event.status && arrival.target == event.url
    };
    if let Some(odd) = arrivals.iter().find(|arrival| !fits(arrival)) {
        found.push(story.violation(P5, format!("came as something else: {odd}")));
    }
    found
}

/// No claim is sent more than once, and nothing that was taken comes again but because its sender was broken before it
/// could record that.
fn repeated(history: &History, story: &Story<'_>, limits: Limits) -> Vec<Violation> {
    let mut found = Vec::new();
    let twice = story.attempts.iter().filter(|attempt| attempt.twice()).count();
    let unsent = history.ended.iter().filter(|ended| {
        matches!(ended.point.as_str(), "delivery-claimed" | "before-delivery-send")
            && ended.keys.contains(&story.event.key)
    });
    let sent = count(story.attempts.len() + twice) + story.lost() - count(unsent.count());
    if count(story.arrivals.len()) > sent {
        let words = format!("came {} times, and can have been sent {sent} times", story.arrivals.len());
        found.push(story.violation(P4, words));
    }
    let mut unknown = story.unknown();
    let last = story.arrivals.last().map(|arrival| &arrival.nonce);
    for taken in story.taken().filter(|arrival| Some(&arrival.nonce) != last) {
        if broken_after(history, taken, limits) {
            continue;
        }
        if unknown > 0 {
            unknown -= 1;
            continue;
        }
        let words = format!("was taken from {} at {} and came again", taken.life, clock(taken.at));
        found.push(story.violation(P4, words));
    }
    found
}

/// Whether the sender, or the database, was broken within the time that the claim had.
pub(crate) fn broken_after(history: &History, taken: &Arrival, limits: Limits) -> bool {
    let until = taken.at + limits.delivery.lease;
    let hit =
        |found: &Break| found.life == taken.life && found.from <= until && found.to + NOTICED >= taken.at;
    history.breaks.iter().any(hit) || database_broken_after(history, taken, limits)
}

fn database_broken_after(history: &History, taken: &Arrival, limits: Limits) -> bool {
    let until = taken.at + limits.delivery.lease;
    history.outages.iter().any(|(from, to)| *from <= until && *to >= taken.at)
}

/// What a process was about when it ended at a point.
fn points(history: &History, story: &Story<'_>, limits: Limits) -> Vec<Violation> {
    let mut found = Vec::new();
    for ended in history.ended.iter().filter(|ended| ended.keys.contains(&story.event.key)) {
        let of_life = story.taken().filter(|arrival| arrival.life == ended.life).last();
        let words = match (ended.point.as_str(), of_life) {
            ("after-delivery-record", Some(taken)) => {
                let again = story.arrivals.iter().find(|arrival| arrival.at > taken.at);
                again.map(|again| {
                    format!("was recorded by {}, and came again at {}", ended.life, clock(again.at))
                })
            }
            // Where the database broke, an earlier try to record it may have been one without an answer.
            ("after-delivery-send" | "before-delivery-record", Some(taken))
                if story.event.state == "delivered" && !database_broken_after(history, taken, limits) =>
            {
                let again = story.arrivals.iter().any(|arrival| arrival.at > taken.at);
                (!again).then(|| format!("was not recorded by {}, and did not come again", ended.life))
            }
            _ => None,
        };
        found.extend(words.map(|words| story.violation(P4, words)));
    }
    found
}

/// What became of the webhooks of a run, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Deliveries {
    pub(crate) events: usize,
    pub(crate) arrivals: usize,
    /// Arrivals that the receiver did not take, as it was told to.
    pub(crate) failed: usize,
    pub(crate) dead: usize,
    /// Arrivals of what had been taken before.
    pub(crate) again: usize,
    /// Claims of which nothing was recorded.
    pub(crate) lost: i64,
    /// Ends of processes at points that are about webhooks.
    pub(crate) ends: usize,
    /// The longest from queueing to the end of it.
    pub(crate) longest: i64,
    /// The longest after what was broken last before, or since it was queued.
    pub(crate) latest: i64,
}

pub(crate) fn count_deliveries(history: &History) -> Deliveries {
    let mut all = Deliveries { arrivals: history.arrivals.len(), ..Deliveries::default() };
    all.ends = history.ended.iter().filter(|ended| ended.point.contains("delivery")).count();
    for story in stories(history) {
        all.events += 1;
        all.dead += usize::from(story.event.state == "dead");
        let failed = |arrival: &&&Arrival| matches!(arrival.answer, Answer::Busy | Answer::Reset);
        all.failed += story.arrivals.iter().filter(failed).count();
        let first =
            story.arrivals.iter().position(|arrival| matches!(arrival.answer, Answer::Taken | Answer::Gone));
        all.again += first.map_or(0, |first| story.arrivals.len() - first - 1);
        all.lost += story.lost();
        let settled = story.event.settled_at.unwrap_or(i64::MAX);
        all.longest = all.longest.max(settled - story.event.queued_at);
        all.latest = all.latest.max(settled - since(history, story.event));
    }
    all
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::sample::*;
    use super::*;
    use crate::crash::history::Ended;

    fn event(history: &mut History) -> &mut EventRow {
        &mut history.tables.events[0]
    }

    /// A claim of `r0-1` that came and was lost, and one of `r1-1` that was recorded.
    fn lost() -> History {
        let mut history = sound();
        history.arrivals = vec![arrival(4, "r0-1", Answer::Taken), arrival(6, "r1-1", Answer::Taken)];
        history.breaks = vec![broke("r0-1", 5)];
        event(&mut history).claims = 2;
        history
    }

    fn broke(life: &str, at: i64) -> Break {
        Break { life: life.into(), from: at * SECOND, to: at * SECOND, how: "was killed" }
    }

    fn ended(point: &str) -> Ended {
        Ended { point: point.into(), life: "r0-1".into(), keys: vec![EVENT.into()] }
    }

    #[test]
    fn what_did_not_arrive_or_was_given_up_without_a_reason_is_found() {
        let mut history = sound();
        history.arrivals.clear();
        expect(&history, P4, EVENT, "is delivered");
        let mut history = sound();
        event(&mut history).state = "waiting".into();
        expect(&history, P4, EVENT, "is waiting");
        for reason in ["gone", "exhausted", "refused"] {
            let mut history = sound();
            let event = event(&mut history);
            (event.state, event.reason) = ("dead".into(), Some(reason.into()));
            expect(&history, P4, EVENT, "is dead");
        }
        let mut history = sound();
        let event = event(&mut history);
        (event.state, event.reason, event.claims) = ("dead".into(), Some("exhausted".into()), 11);
        let found = all(&history, LIMITS);
        assert!(!found.iter().any(|found| found.words.contains("is dead")), "{found:?}");
    }

    #[test]
    fn what_came_late_is_found() {
        let mut history = sound();
        event(&mut history).settled_at = Some(15 * SECOND);
        expect(&history, P4, EVENT, "1000 ms later");
        history.crashes.push(crash(14));
        assert_eq!(all(&history, LIMITS), []);
        let mut history = sound();
        event(&mut history).settled_at = Some(15 * SECOND);
        history.tables.attempts.push(attempt("server_error"));
        event(&mut history).claims = 2;
        assert_eq!(all(&history, LIMITS), []);
    }

    #[test]
    fn other_bytes_a_nonce_again_and_no_signature_are_found() {
        let mut history = lost();
        history.arrivals[1].digest = "e".repeat(64);
        expect(&history, P5, EVENT, "2 bodies");
        let mut history = lost();
        history.arrivals[1].nonce = history.arrivals[0].nonce.clone();
        expect(&history, P5, EVENT, "again");
        let mut history = lost();
        history.arrivals[1].fault = Some("the signature is wrong".into());
        expect(&history, P5, EVENT, "without being authentic");
        let mut history = lost();
        history.arrivals[0].task = "task_2".into();
        expect(&history, P5, EVENT, "something else");
        let mut history = lost();
        history.arrivals[0].key = "whk_2".into();
        expect(&history, P4, "whk_2", "in no table");
    }

    #[test]
    fn what_was_taken_comes_again_only_after_its_sender_was_broken() {
        assert_eq!(all(&lost(), LIMITS), []);
        let mut history = lost();
        history.breaks = vec![broke("r1-1", 5)];
        expect(&history, P4, EVENT, "came again");
        history.breaks = vec![broke("r0-1", 3)];
        expect(&history, P4, EVENT, "came again");
        history.breaks.clear();
        expect(&history, P4, EVENT, "for nothing");
        history.outages = vec![(3 * SECOND, 5 * SECOND)];
        assert_eq!(all(&history, LIMITS), []);
        let mut history = lost();
        history.breaks.clear();
        history.tables.attempts.push(attempt("timeout"));
        assert_eq!(all(&history, LIMITS), [], "nobody could know");
    }

    #[test]
    fn what_was_sent_more_often_than_claimed_is_found() {
        let mut history = lost();
        event(&mut history).claims = 1;
        expect(&history, P4, EVENT, "can have been sent 1 times");
        for point in ["delivery-claimed", "before-delivery-send"] {
            let mut history = lost();
            history.ended = vec![ended(point)];
            expect(&history, P4, EVENT, "can have been sent 1 times");
        }
    }

    #[test]
    fn what_a_process_had_recorded_or_not_is_known_from_its_point() {
        for point in ["after-delivery-send", "before-delivery-record"] {
            let mut history = lost();
            history.ended = vec![ended(point)];
            assert_eq!(all(&history, LIMITS), []);
            history.arrivals.pop();
            expect(&history, P4, EVENT, "did not come again");
        }
        let mut history = lost();
        history.ended = vec![ended("after-delivery-record")];
        expect(&history, P4, EVENT, "was recorded by r0-1, and came again");
    }

    #[test]
    fn webhooks_are_counted() {
        let found = count_deliveries(&lost());
        let Deliveries { events, arrivals, again, lost, .. } = found;
        assert_eq!((events, arrivals, again, lost), (1, 2, 1, 1));
        assert_eq!((found.longest, found.latest), (2 * SECOND, 2 * SECOND));
    }
}
