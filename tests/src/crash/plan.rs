//! What is broken when, and what buyers order: all of it from the seed.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::history::{Micros, Mode, Order};
use super::seed::Dice;

/// Every named point on the way of a handoff and of the webhook that its end queues, in its order. Each must end a
/// process at least once.
pub(crate) const POINTS: &[&str] = &[
    "claimed",
    "before-decide",
    "after-decide",
    "settle-before",
    "mid-settle",
    "settle-after",
    "release-before",
    "release-after",
    "before-issue",
    "mid-issue",
    "before-commit",
    "after-commit",
    "after-issue",
    "after-reply",
    "work-started",
    "heartbeat",
    "before-finish",
    "mid-finish",
    "after-finish",
    "enqueue-before",
    "enqueue-after",
    "before-confirm",
    "mid-confirm",
    "after-confirm",
    "mid-job-claim",
    "job-claimed",
    "job-before-finish",
    "before-job-release",
    "after-job-release",
    "rescuer-mid-batch",
    "rescued",
    "delivery-claimed",
    "before-delivery-send",
    "after-delivery-send",
    "before-delivery-record",
    "after-delivery-record",
];

/// The end of an address where nobody wants anything any more.
pub(crate) const GONE: &str = "/gone";

/// The longest that a job waits after its first failure, in milliseconds.
const JOB_WAIT: u64 = 5000;

/// The times that the replicas live by, and how long a task may take after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Leases of two seconds: many crashes in a minute.
    Fast,
    /// What an agent has when nobody says otherwise.
    Default,
}

impl Pace {
    /// Lease, interval of rescue and of looking for jobs, lease of enqueuing; `None` for the defaults.
    pub(crate) const fn times(self) -> Option<&'static str> {
        match self {
            Self::Fast => Some("2000,1000,2000"),
            Self::Default => None,
        }
    }

    /// How long a lease counts.
    pub(crate) const fn lease(self) -> Duration {
        match self {
            Self::Fast => Duration::from_secs(2),
            Self::Default => adcp_decisioning::DEFAULT_LEASE,
        }
    }

    /// How long after the last crash a task has ended.
    pub(crate) const fn within(self) -> Duration {
        match self {
            Self::Fast => Duration::from_secs(12),
            Self::Default => Duration::from_secs(45),
        }
    }

    /// How long a claim of a webhook counts.
    pub(crate) const fn delivery_lease(self) -> Duration {
        match self {
            Self::Fast => Duration::from_secs(5),
            Self::Default => Duration::from_secs(60),
        }
    }

    /// How long a webhook may take beyond that, and how much more for each time that its receiver failed: the wait, and a
    /// breaker that opened meanwhile.
    pub(crate) const fn delivery_slack(self) -> (Duration, Duration) {
        match self {
            Self::Fast => (Duration::from_secs(7), Duration::from_millis(4_500)),
            Self::Default => (Duration::from_secs(10), Duration::from_secs(36)),
        }
    }

    /// How often a webhook is tried.
    pub(crate) const fn delivery_attempts(self) -> i64 {
        11
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Default => "default",
        }
    }
}

/// How a replica is ended, or held up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// By itself, when it reaches a point for the so-manyeth time.
    Point { name: &'static str, hit: u64 },
    /// From outside, after so many milliseconds.
    Kill { after: u64 },
    /// As a supervisor does it, after so many milliseconds: it ends what it has, or leaves it to others.
    Stop { after: u64 },
    /// Not at all: it stands still for so long, longer than its leases, and then goes on as if nothing was.
    Freeze { after: u64, time: u64 },
}

/// What is done to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// `pg_ctl -m immediate`, then a new start.
    Restart,
    /// Every connection of the replicas is cut.
    Cut,
    /// Nobody gets a new connection for so many milliseconds.
    Exhaust(u64),
    /// The tasks are locked, so that the replicas' pools fill up, for so many milliseconds.
    Lock(u64),
}

/// What happens in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// For each replica, one after the other.
    pub(crate) lanes: Vec<Vec<Fault>>,
    /// With their offsets from the beginning, in milliseconds.
    pub(crate) outages: Vec<(u64, Outage)>,
}

impl Schedule {
    /// Every point once, spread over the replicas, with other faults in between and outages beside them.
    pub(crate) fn of_points(seed: u64, replicas: usize, database: bool) -> Self {
        let mut dice = Dice::stream(seed, "faults");
        let mut points = POINTS.to_vec();
        dice.shuffle(&mut points);
        let mut lanes = vec![Vec::new(); replicas];
        for (at, name) in points.into_iter().enumerate() {
            let lane = &mut lanes[at % replicas];
            lane.push(Fault::Point { name, hit: dice.between(1, 2) });
            if dice.chance(15) {
                lane.push(Fault::Kill { after: dice.between(100, 1500) });
            }
        }
        for lane in &mut lanes {
            for fault in [
                Fault::Stop { after: dice.between(500, 1500) },
                Fault::Freeze { after: dice.between(500, 1500), time: dice.between(2500, 4000) },
            ] {
                let at = dice.between(1, lane.len() as u64);
                lane.insert(usize::try_from(at).unwrap_or(0), fault);
            }
        }
        let outages = if database { Self::outages(&mut dice, 24_000) } else { Vec::new() };
        Self { lanes, outages }
    }

    /// A point and a kill at the pace of the defaults. The driver ends it by killing everything at once.
    pub(crate) fn at_default_pace(seed: u64, replicas: usize, database: bool) -> Self {
        let mut dice = Dice::stream(seed, "faults at default pace");
        let mut lanes = vec![Vec::new(); replicas];
        let points = ["after-issue", "after-reply", "before-finish", "before-confirm", "mid-finish"];
        // What was claimed at the end waits for a minute, so that there is time for little before.
        for lane in &mut lanes {
            let name = points[usize::try_from(dice.between(0, 4)).unwrap_or(0)];
            lane.push(Fault::Point { name, hit: dice.between(1, 3) });
            lane.push(Fault::Kill { after: dice.between(500, 4000) });
        }
        let outages = if database { Self::outages(&mut dice, 8_000) } else { Vec::new() };
        Self { lanes, outages }
    }

    fn outages(dice: &mut Dice, until: u64) -> Vec<(u64, Outage)> {
        let mut kinds = vec![
            Outage::Restart,
            Outage::Cut,
            Outage::Exhaust(dice.between(1000, 3000)),
            Outage::Lock(dice.between(1000, 3000)),
        ];
        dice.shuffle(&mut kinds);
        let step = until / 4;
        kinds.into_iter().zip(0..).map(|(kind, at)| (at * step + dice.between(500, step - 1), kind)).collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point { name, hit } => write!(f, "{name}:{hit}"),
            Self::Kill { after } => write!(f, "kill after {after} ms"),
            Self::Stop { after } => write!(f, "stop after {after} ms"),
            Self::Freeze { after, time } => write!(f, "freeze after {after} ms for {time} ms"),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (replica, lane) in self.lanes.iter().enumerate() {
            let faults: Vec<String> = lane.iter().map(Fault::to_string).collect();
            writeln!(f, "  replica {replica}: {}", faults.join(", "))?;
        }
        for (at, outage) in &self.outages {
            writeln!(f, "  database at {at} ms: {outage:?}")?;
        }
        Ok(())
    }
}

/// What a buyer orders next.
pub(crate) fn order(dice: &mut Dice, buyer: &str, run: &str, number: u64) -> Order {
    let key = format!("{run}-{buyer}-order-{number:05}");
    let mode = match dice.between(0, 99) {
        0..=14 => Mode::Now,
        15..=49 => Mode::Task,
        50..=74 => Mode::Workflow,
        _ => Mode::Job,
    };
    let work = dice.between(100, 2500);
    let ends_well = dice.chance(80);
    let mut plan = json!({
        "mode": mode.as_str(), "decide": dice.between(0, 150), "work": work, "ends_well": ends_well,
    });
    if mode == Mode::Workflow {
        match dice.between(0, 9) {
            // Nobody ends it: its deadline does.
            0 => (plan["deadline"], plan["desk"]) = (work.into(), "never".into()),
            1 => plan["enqueues"] = false.into(),
            2 | 3 => plan["desk"] = "twice".into(),
            4 => plan["desk"] = "rival".into(),
            _ => {}
        }
    }
    let again = mode == Mode::Job && dice.chance(30);
    if again {
        plan["again"] = true.into();
    }
    let proposal = dice.chance(40).then(|| match dice.between(0, 99) {
        0..=49 => format!("firm-{key}"),
        50..=74 => format!("draft-{key}"),
        75..=94 => format!("slow-{key}"),
        _ => format!("slow-{key}-never"),
    });
    // A job that fails once waits, and works twice.
    let work = if again { 2 * work + JOB_WAIT } else { work };
    let work = Micros::try_from(work * 1000).unwrap_or(Micros::MAX);
    let (push, token) = (dice.chance(60), dice.chance(30));
    let hook = if dice.chance(5) { GONE } else { "/hook" };
    let buyer = buyer.to_owned();
    Order { key, buyer, mode, work, push, token: push && token, hook, proposal, plan }
}

/// What has a draft made firm that takes its time.
pub(crate) fn firm(dice: &mut Dice, buyer: &str, id: &str) -> Order {
    let (push, work) = (dice.chance(60), 400_000);
    let (key, buyer, plan) = (id.to_owned(), buyer.to_owned(), Value::Null);
    Order { key, buyer, mode: Mode::Firm, work, push, token: false, hook: "/hook", proposal: None, plan }
}

/// The request, or another one under the same key. News of it go to `receiver`.
pub(crate) fn request(order: &Order, account: &str, receiver: &str, altered: bool) -> Value {
    let amount = if altered { 2000 } else { 1000 };
    let mut request = json!({
        "idempotency_key": order.key, "account": { "account_id": account },
        "brand": { "domain": "acme.example" }, "start_time": "asap", "end_time": "2031-01-01T00:00:00Z",
        "context": { "key": order.key }, "ext": { "trial": order.plan },
    });
    match &order.proposal {
        Some(id) => {
            request["proposal_id"] = id.as_str().into();
            request["total_budget"] = json!({ "amount": amount, "currency": "EUR" });
        }
        None => {
            let package = json!({ "product_id": "tv", "pricing_option_id": "tv_cpm", "budget": amount });
            request["packages"] = json!([package]);
        }
    }
    if order.push {
        request["push_notification_config"] = notify(order, receiver);
    }
    request
}

/// The request that has a draft made firm.
pub(crate) fn firm_request(order: &Order, account: &str, receiver: &str) -> Value {
    let mut request = json!({
        "buying_mode": "refine", "account": { "account_id": account }, "context": { "key": order.key },
        "refine": [{ "scope": "proposal", "proposal_id": order.key, "action": "finalize" }],
    });
    if order.push {
        request["push_notification_config"] = notify(order, receiver);
    }
    request
}

fn notify(order: &Order, receiver: &str) -> Value {
    let url = format!("{receiver}{}", order.hook);
    let mut config = json!({ "url": url, "operation_id": order.key });
    if order.token {
        config["token"] = "what-only-the-buyer-knows".into();
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_schedule_and_its_orders() {
        assert_eq!(Schedule::of_points(3, 2, true), Schedule::of_points(3, 2, true));
        assert_ne!(Schedule::of_points(3, 2, true), Schedule::of_points(4, 2, true));
        let one =
            |seed| request(&order(&mut Dice::new(seed), "b0", "r", 1), "a", "http://127.0.0.1:9", false);
        assert_eq!(one(5), one(5));
    }

    #[test]
    fn every_point_has_its_turn() {
        for replicas in [1, 2] {
            let schedule = Schedule::of_points(9, replicas, false);
            let armed = schedule.lanes.iter().flatten().filter(|fault| matches!(fault, Fault::Point { .. }));
            assert_eq!(armed.count(), POINTS.len());
        }
    }

    #[test]
    fn every_outage_happens_once_and_in_order() {
        let outages = Schedule::at_default_pace(9, 2, true).outages;
        assert_eq!(outages.len(), 4);
        assert!(outages.is_sorted_by_key(|(at, _)| *at));
    }
}
