//! A history in which nothing is wrong, for the tests of the rules to spoil.

use serde_json::Value;

use super::{DeliveryLimits, Limits, Violation, check};
use crate::crash::history::{
    About, Answer, Arrival, Crash, Heard, History, Micros, Mode, Order, RunLine, Said,
};
use crate::crash::tables::{AttemptRow, CallRow, EventRow, ProposalRow, Tables, TaskRow};

pub(super) const SECOND: Micros = 1_000_000;
pub(super) const LIMITS: Limits =
    Limits { within: 10 * SECOND, hidden: 20 * SECOND, lease: 2 * SECOND, delivery: DELIVERY };
const DELIVERY: DeliveryLimits =
    DeliveryLimits { lease: 5 * SECOND, slack: 5 * SECOND, each: 3 * SECOND, attempts: 11 };
pub(super) const KEY: &str = "key-of-the-order-1";
pub(super) const TASK: &str = "task_1";
pub(super) const EVENT: &str = "whk_1";
pub(super) const PROPOSAL: &str = "firm-1";
const BOUGHT: &str = "order-7-1";

/// An order of a proposal that became a task, survived a crash, and told its buyer.
pub(super) fn sound() -> History {
    let order = Order {
        key: KEY.into(),
        buyer: "b0".into(),
        mode: Mode::Task,
        work: SECOND,
        push: true,
        token: false,
        hook: "/hook",
        proposal: Some(PROPOSAL.into()),
        plan: Value::Null,
    };
    let task = TaskRow {
        id: TASK.into(),
        tool: "create_media_buy".into(),
        open_to_buyer: true,
        status: "completed".into(),
        created_at: 2 * SECOND,
        ended_at: Some(4 * SECOND),
        due_at: None,
        has_webhook: true,
        key: Some(KEY.into()),
        media_buy: Some(BOUGHT.into()),
        purchase: Some(PROPOSAL.into()),
        finalizes: None,
    };
    let proposal = ProposalRow {
        id: PROPOSAL.into(),
        state: "consumed".into(),
        media_buy: Some(BOUGHT.into()),
        held_until: None,
    };
    History {
        orders: vec![order],
        heard: vec![
            told(2, KEY, false, Said::Silent("reset".into())),
            told(3, KEY, false, Said::Submitted(TASK.into())),
            status(3, TASK, "submitted", None),
            status(5, TASK, "completed", Some(BOUGHT)),
        ],
        crashes: vec![crash(2)],
        runs: vec![
            run(1, true, "decide", "7-1", None),
            run(2, false, "decide", "7-1", Some("handoff")),
            run(2, true, "work", "7-2", Some(TASK)),
            run(4, false, "work", "7-2", Some("done")),
        ],
        desk: Vec::new(),
        resolved: Vec::new(),
        arrivals: vec![arrival(5, "r0-1", Answer::Taken)],
        breaks: Vec::new(),
        outages: Vec::new(),
        ended: Vec::new(),
        tables: Tables {
            at: 90 * SECOND,
            tasks: vec![task],
            events: vec![event(TASK, "completed")],
            proposals: vec![proposal],
            calls: vec![CallRow { key: KEY.into(), state: "replied".into() }],
            attempts: vec![attempt("delivered")],
        },
    }
}

/// An event that was queued at four seconds and delivered at six.
pub(super) fn event(task: &str, status: &str) -> EventRow {
    EventRow {
        task: task.into(),
        status: status.into(),
        key: EVENT.into(),
        url: "http://127.0.0.1:9/hook".into(),
        state: "delivered".into(),
        reason: None,
        claims: 1,
        queued_at: 4 * SECOND,
        settled_at: Some(6 * SECOND),
    }
}

pub(super) fn attempt(class: &str) -> AttemptRow {
    AttemptRow { key: EVENT.into(), class: class.into(), detail: None }
}

/// An arrival of it.
pub(super) fn arrival(at: Micros, life: &str, answer: Answer) -> Arrival {
    Arrival {
        at: at * SECOND,
        key: EVENT.into(),
        task: TASK.into(),
        status: "completed".into(),
        digest: "d".repeat(64),
        target: "http://127.0.0.1:9/hook".into(),
        life: life.into(),
        nonce: format!("{life} at {at}"),
        fault: None,
        answer,
    }
}

pub(super) fn told(at: Micros, key: &str, altered: bool, said: Said) -> Heard {
    let about = About::Order { key: key.into(), altered };
    Heard { at: at * SECOND, buyer: "b0".into(), replica: 0, about, said }
}

pub(super) fn status(at: Micros, task: &str, status: &str, result: Option<&str>) -> Heard {
    let said = Said::Status { status: status.into(), result: result.map(str::to_owned) };
    Heard { at: at * SECOND, buyer: "b0".into(), replica: 0, about: About::Task(task.into()), said }
}

pub(super) fn crash(at: Micros) -> Crash {
    Crash { at: at * SECOND, what: "killed".into(), orderly: false }
}

/// A beginning names its task, an end says how it went.
pub(super) fn run(at: Micros, starts: bool, part: &str, run: &str, more: Option<&str>) -> RunLine {
    let more = more.map(str::to_owned);
    let (task, how) = if starts { (more, None) } else { (None, more) };
    RunLine { at: at * SECOND, starts, part: part.into(), key: KEY.into(), run: run.into(), task, how }
}

pub(super) fn row<'a>(history: &'a mut History, id: &str) -> &'a mut TaskRow {
    history.tables.tasks.iter_mut().find(|task| task.id == id).unwrap()
}

/// The rules find this, within ten seconds.
pub(super) fn expect(history: &History, promise: &str, subject: &str, words: &str) {
    let found = check(history, LIMITS);
    let fits = |found: &Violation| {
        found.promise == promise && found.subject == subject && found.words.contains(words)
    };
    assert!(found.iter().any(fits), "{found:?}");
}
