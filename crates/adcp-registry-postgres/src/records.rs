//! What becomes of claims: renewed, recorded with their attempts, given up. Breakers move with what is recorded.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use adcp_core::{
    Attempt, DeadReason, DeliveryHold, DeliveryState, Endpoint, EndpointRecord, EventKey, ExpireDeliveries,
    Health, LeaseToken, MAX_ATTEMPTS_KEPT, RecordAttempt, RecordAttempts, Recorded, RenewDeliveries, Settled,
    TenantId, Timestamp,
};
use deadpool_postgres::tokio_postgres::Row;
use futures_util::future::try_join;

use crate::claims::{At, columns, records, texts, update};
use crate::error::Fail;
use crate::row::{self, get};
use crate::statement::Values;
use crate::unit::{Tx, Unit};

/// A row that a hold names, locked.
struct Held {
    endpoint: Endpoint,
    attempts: i64,
    /// Whether its claim lasts.
    lasts: bool,
    known: Option<EndpointRecord>,
}

/// The rows whose newest claim these are.
async fn held(
    tx: &Tx<'_>,
    holds: impl Iterator<Item = &DeliveryHold>,
) -> Result<HashMap<DeliveryHold, Held>, Fail> {
    let (mut tenants, mut keys, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for hold in holds.filter(|hold| ![hold.tenant.as_str(), hold.key.as_str()].concat().contains('\0')) {
        tenants.push(hold.tenant.as_str().to_owned());
        keys.push(hold.key.as_str().to_owned());
        tokens.push(hold.token.as_bytes().to_vec());
    }
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let values: Values<'_> = &[("tenants", &tenants), ("keys", &keys), ("tokens", &tokens)];
    let rows = tx.rows(&tx.shared.sql.deliveries_held, values).await?;
    let read = |found: &Row| {
        let sending = get::<&str>(found, "state")? == DeliveryState::Sending.as_str();
        let until: Option<i64> = get(found, "due_at")?;
        let known = get::<Option<&str>>(found, "breaker")?.is_some();
        let held = Held {
            endpoint: Endpoint::stored(get::<String>(found, "endpoint")?),
            attempts: get(found, "attempts")?,
            lasts: sending && until.is_some_and(|until| until > tx.now.as_micros()),
            known: if known { Some(row::endpoint(found, "breaker")?) } else { None },
        };
        let tenant = TenantId::new(get::<String>(found, "tenant")?);
        let key = EventKey::stored(get::<String>(found, "key")?);
        let token = row::token(found, "token")?.unwrap_or_default();
        Ok((DeliveryHold::new(tenant, key, LeaseToken::stored(token)), held))
    };
    rows.iter().map(read).collect()
}

impl Unit for RenewDeliveries {
    type Done = Vec<Recorded>;
    const OP: &'static str = "renew_deliveries";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<Recorded>, Fail> {
        let held = held(tx, self.holds.iter()).await?;
        let until = tx.now.after(self.lease).as_micros();
        let lasts = |hold: &DeliveryHold| held.get(hold).filter(|held| held.lasts);
        let (mut tenants, mut keys, mut probes) = (Vec::new(), Vec::new(), Vec::new());
        for hold in &self.holds {
            let Some(held) = lasts(hold) else { continue };
            tenants.push(hold.tenant.as_str().to_owned());
            keys.push(hold.key.as_str().to_owned());
            let known = held.known.as_ref().filter(|known| known.breaker.probe == Some(hold.token));
            probes.extend(known.map(|known| (known, hold.token)));
        }
        if !tenants.is_empty() {
            let values: Values<'_> = &[("tenants", &tenants), ("keys", &keys), ("until", &until)];
            tx.execute(&tx.shared.sql.deliveries_renew, values).await?;
        }
        if !probes.is_empty() {
            let known = lock(tx, probes.iter().map(|(known, _)| (&known.tenant, &known.endpoint))).await?;
            let renewed = known.into_values().map(|mut known| {
                for (_, token) in &probes {
                    known.breaker = known.breaker.renewed(*token, self.lease, tx.now);
                }
                known
            });
            update(tx, &renewed.collect::<Vec<_>>()).await?;
        }
        let answer = |hold| if lasts(hold).is_some() { Recorded::Written } else { Recorded::Lost };
        Ok(self.holds.iter().map(answer).collect())
    }
}

/// Locks what is known of endpoints.
async fn lock<'a>(
    tx: &Tx<'_>,
    lanes: impl Iterator<Item = (&'a TenantId, &'a Endpoint)>,
) -> Result<HashMap<At, EndpointRecord>, Fail> {
    let (tenants, endpoints) = columns(lanes);
    let values: Values<'_> = &[("tenants", &tenants), ("endpoints", &endpoints)];
    records(&tx.rows(&tx.shared.sql.endpoints_lock, values).await?)
}

/// Records that know their own work when they are tried again.
pub(crate) struct RecordOnce {
    pub(crate) req: RecordAttempts,
    /// Whether an earlier try may have taken effect.
    pub(crate) unanswered: AtomicBool,
}

impl Unit for RecordOnce {
    type Done = Vec<Recorded>;
    const OP: &'static str = "record_attempts";

    fn repeatable(&self) -> bool {
        true
    }

    fn unanswered(&self) {
        self.unanswered.store(true, Ordering::Relaxed);
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<Recorded>, Fail> {
        let held = held(tx, self.req.records.iter().map(|record| &record.hold)).await?;
        // A settled row keeps the token of the claim that settled it.
        let own = self.unanswered.load(Ordering::Relaxed);
        let (mut seen, mut written, mut recorded) = (HashSet::new(), Vec::new(), Vec::new());
        for record in &self.req.records {
            let found = held.get(&record.hold).filter(|_| seen.insert(&record.hold));
            recorded.push(match found {
                Some(held) if held.lasts => {
                    written.push((record, held));
                    Recorded::Written
                }
                Some(_) if own => Recorded::Written,
                _ => Recorded::Lost,
            });
        }
        self.write(tx, &written).await?;
        Ok(recorded)
    }
}

impl RecordOnce {
    async fn write(&self, tx: &Tx<'_>, written: &[(&RecordAttempt, &Held)]) -> Result<(), Fail> {
        let (mut done, mut attempts) = (Settle::default(), Attempts::default());
        for (record, held) in written {
            let settled = record.verdict.settle(tx.now);
            let counted = held.attempts - i64::from(!settled.counts);
            done.push(&record.hold.tenant, &record.hold.key, &settled, counted);
            if let Some(report) = record.attempt.as_ref().filter(|_| settled.counts) {
                let number = u32::try_from(held.attempts).unwrap_or(u32::MAX);
                attempts.push(&record.hold, &report.kept(number, tx.now));
            }
        }
        try_join(done.write(tx), attempts.write(tx)).await?;
        self.move_breakers(tx, written).await
    }

    /// Moves the breakers of endpoints. Those that stay where they are, which are nearly all, are not locked.
    async fn move_breakers(&self, tx: &Tx<'_>, written: &[(&RecordAttempt, &Held)]) -> Result<(), Fail> {
        let mut seen: HashMap<At, EndpointRecord> = HashMap::new();
        for (record, held) in written {
            let at = (record.hold.tenant.clone(), held.endpoint.clone());
            let known = held.known.clone();
            let known = || known.unwrap_or_else(|| EndpointRecord::new(at.0.clone(), at.1.clone(), tx.now));
            seen.entry(at.clone()).or_insert_with(known);
        }
        let moved: HashSet<At> = seen
            .iter()
            .filter(|(at, known)| self.moved((*known).clone(), at, written, tx.now).is_some())
            .map(|(at, _)| at.clone())
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let locked = lock(tx, moved.iter().map(|(tenant, endpoint)| (tenant, endpoint))).await?;
        let after = locked.into_iter().filter_map(|(at, known)| self.moved(known, &at, written, tx.now));
        update(tx, &after.collect::<Vec<_>>()).await
    }

    /// A breaker after everything that was recorded of its endpoint, when it is another then.
    fn moved(
        &self,
        mut known: EndpointRecord,
        at: &At,
        written: &[(&RecordAttempt, &Held)],
        now: Timestamp,
    ) -> Option<EndpointRecord> {
        let before = known.breaker;
        for (record, held) in written {
            if held.endpoint != at.1 || record.hold.tenant != at.0 {
                continue;
            }
            let class = record.attempt.as_ref().map(|attempt| attempt.class);
            let counts = record.verdict.settle(now).counts;
            let health = class.filter(|_| counts).map_or(Health::Unasked, |class| class.health());
            let breaker = known.breaker.after(record.hold.token, health, &self.req.breaker, now);
            if std::mem::replace(&mut known.breaker, breaker) != breaker {
                known.changed_at = now;
                known.last = class;
            }
        }
        (known.breaker != before).then_some(known)
    }
}

/// What is written of events, by column.
#[derive(Default)]
pub(crate) struct Settle {
    tenants: Vec<String>,
    keys: Vec<String>,
    states: Vec<String>,
    reasons: Vec<Option<String>>,
    due: Vec<Option<i64>>,
    settled: Vec<Option<i64>>,
    attempts: Vec<i64>,
}

impl Settle {
    pub(crate) fn push(&mut self, tenant: &TenantId, key: &EventKey, settled: &Settled, attempts: i64) {
        self.tenants.push(tenant.as_str().to_owned());
        self.keys.push(key.as_str().to_owned());
        self.states.push(settled.state.as_str().to_owned());
        self.reasons.push(settled.reason.map(|reason| reason.as_str().to_owned()));
        self.due.push(settled.due_at.map(Timestamp::as_micros));
        self.settled.push(settled.settled_at.map(Timestamp::as_micros));
        self.attempts.push(attempts);
    }

    pub(crate) async fn write(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let values: Values<'_> = &[
            ("tenants", &self.tenants),
            ("keys", &self.keys),
            ("states", &self.states),
            ("reasons", &self.reasons),
            ("due", &self.due),
            ("settled", &self.settled),
            ("attempts", &self.attempts),
        ];
        tx.execute(&tx.shared.sql.deliveries_settle, values).await?;
        Ok(())
    }
}

/// Attempts that are kept, by column.
#[derive(Default)]
struct Attempts {
    tenants: Vec<String>,
    keys: Vec<String>,
    numbers: Vec<i64>,
    classes: Vec<String>,
    started: Vec<i64>,
    took: Vec<i64>,
    statuses: Vec<Option<i64>>,
    peers: Vec<Option<String>>,
    details: Vec<Option<String>>,
    answers: Vec<Option<String>>,
}

impl Attempts {
    fn push(&mut self, hold: &DeliveryHold, attempt: &Attempt) {
        self.tenants.push(hold.tenant.as_str().to_owned());
        self.keys.push(hold.key.as_str().to_owned());
        self.numbers.push(i64::from(attempt.number));
        self.classes.push(attempt.class.as_str().to_owned());
        self.started.push(attempt.started_at.as_micros());
        self.took.push(i64::try_from(attempt.took.as_micros()).unwrap_or(i64::MAX));
        self.statuses.push(attempt.http_status.map(i64::from));
        self.peers.push(attempt.peer.clone());
        self.details.push(attempt.detail.clone());
        self.answers.push(attempt.answer.clone());
    }

    async fn write(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let values: Values<'_> = &[
            ("tenants", &self.tenants),
            ("keys", &self.keys),
            ("numbers", &self.numbers),
            ("classes", &self.classes),
            ("started", &self.started),
            ("took", &self.took),
            ("statuses", &self.statuses),
            ("peers", &self.peers),
            ("details", &self.details),
            ("answers", &self.answers),
        ];
        tx.execute(&tx.shared.sql.attempts_insert, values).await?;
        let most = i64::from(MAX_ATTEMPTS_KEPT);
        if self.numbers.iter().any(|number| *number > most) {
            let old: Vec<i64> = self.numbers.iter().map(|number| number - most).collect();
            let values: Values<'_> = &[("tenants", &self.tenants), ("keys", &self.keys), ("numbers", &old)];
            tx.execute(&tx.shared.sql.attempts_trim, values).await?;
        }
        Ok(())
    }
}

impl Unit for ExpireDeliveries {
    type Done = usize;
    const OP: &'static str = "expire_deliveries";

    /// A second time gives up more, which is as well.
    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, Fail> {
        let tenants = (!self.tenants.is_empty()).then(|| texts(&self.tenants));
        let values: Values<'_> = &[
            ("state", &DeliveryState::Dead.as_str()),
            ("reason", &DeadReason::Exhausted.as_str()),
            ("horizon", &tx.now.before(self.horizon).as_micros()),
            ("now", &tx.now.as_micros()),
            ("tenants", &tenants),
            ("limit", &i64::try_from(self.limit).unwrap_or(i64::MAX)),
        ];
        let gone = tx.execute(&tx.shared.sql.deliveries_expire, values).await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}
