//! Rows to records and back, nowhere else.

use std::time::Duration;

use adcp_core::stored::{self, Sealer, Unreadable};
use adcp_core::{
    Attempt, AttemptClass, BoxError, Breaker, BreakerState, CallbackAuth, DeadReason, DeliveryRecord,
    DeliveryState, Effects, Endpoint, EndpointRecord, Event, EventKey, IssueTask, Lease, LeaseToken, Owner,
    Principal, ProposalId, ProposalKey, ProposalRecord, ProposalState, RegistryError, Secret, Subject,
    TaskId, TaskRecord, TaskStatus, TenantId, Timestamp,
};
use deadpool_postgres::tokio_postgres::Row;
use deadpool_postgres::tokio_postgres::types::FromSql;

use crate::error::Fail;
use crate::jobs;

pub(crate) use adcp_core::stored::{Bounds, read_account, write_account, write_holder, write_phase};

/// The value of a column.
pub(crate) fn get<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<T, Fail> {
    row.try_get(name).map_err(|error| corrupt(Box::new(error)))
}

fn corrupt(source: BoxError) -> Fail {
    RegistryError::Corrupt { what: "row", source }.into()
}

fn instant(row: &Row, name: &str) -> Result<Timestamp, Fail> {
    get(row, name).map(Timestamp::from_micros)
}

pub(crate) fn optional_instant(row: &Row, name: &str) -> Result<Option<Timestamp>, Fail> {
    Ok(get::<Option<i64>>(row, name)?.map(Timestamp::from_micros))
}

fn owner(row: &Row) -> Result<Owner, Fail> {
    let account: String = get(row, "account")?;
    Ok(Owner::new(
        TenantId::new(get::<String>(row, "tenant")?),
        read_account(&account),
        Principal::new(get::<String>(row, "principal")?),
    ))
}

fn word<T>(row: &Row, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fail> {
    let text: String = get(row, name)?;
    parse(&text).ok_or_else(|| corrupt(format!("`{name}` is `{text}`").into()))
}

pub(crate) fn token(row: &Row, name: &str) -> Result<Option<[u8; 16]>, Fail> {
    let bytes: Option<&[u8]> = get(row, name)?;
    bytes.map(<[u8; 16]>::try_from).transpose().map_err(|error| corrupt(Box::new(error)))
}

/// A task to work on. One whose credentials do not open is an error: its end would be wrong.
pub(crate) fn task(row: &Row, sealer: &dyn Sealer) -> Result<TaskRecord, Fail> {
    read_task(row, sealer, |text, id| stored::read_effects(text, id, sealer))
}

/// A task to look at, whatever keys are at hand.
pub(crate) fn shown_task(row: &Row, sealer: &dyn Sealer) -> Result<TaskRecord, Fail> {
    read_task(row, sealer, |text, id| stored::show_effects(text, id, sealer))
}

fn read_task(
    row: &Row,
    sealer: &dyn Sealer,
    effects_of: impl Fn(&str, &TaskId) -> Result<Effects, Unreadable>,
) -> Result<TaskRecord, Fail> {
    let text = |name: &str| get::<Option<String>>(row, name);
    let object = |what: &'static str| -> Result<_, Fail> {
        Ok(text(what)?.map(|json| stored::read_object(what, &json)).transpose()?)
    };
    let id = TaskId::new(get::<String>(row, "id")?);
    let effects: String = get(row, "effects")?;
    let history: String = get(row, "history")?;
    let created_at = instant(row, "created_at")?;
    let issue = IssueTask::new(
        id.clone(),
        owner(row)?,
        get::<String>(row, "tool")?,
        get::<String>(row, "task_type")?,
        get::<String>(row, "protocol")?,
    );
    let mut task = TaskRecord::submitted(issue, created_at);
    task.phase = word(row, "phase", stored::read_phase)?;
    task.status = word(row, "status", TaskStatus::parse)?;
    task.updated_at = instant(row, "updated_at")?;
    task.ended_at = optional_instant(row, "ended_at")?;
    task.deadline = optional_instant(row, "deadline")?;
    task.lease = match (token(row, "lease_token")?, optional_instant(row, "lease_until")?) {
        (Some(token), Some(until)) => Some(Lease { token: LeaseToken::stored(token), until }),
        _ => None,
    };
    task.job = jobs::job(row, &id, sealer)?;
    task.context = object("context")?;
    task.question = object("question")?;
    task.progress = text("progress")?.map(|json| stored::read_progress(&json)).transpose()?;
    task.outcome = text("outcome")?.map(|json| stored::read_outcome(&json)).transpose()?;
    task.effects = effects_of(&effects, &id)?;
    task.history = stored::read_history(&history)?;
    Ok(task)
}

pub(crate) fn proposal(row: &Row) -> Result<ProposalRecord, Fail> {
    let holder: String = get(row, "holder")?;
    let (account, principal) = stored::read_holder(&holder);
    let tenant = TenantId::new(get::<String>(row, "tenant")?);
    let id = ProposalId::new(get::<String>(row, "id")?);
    let text = |name: &str| get::<String>(row, name);
    let mut proposal = ProposalRecord::empty(
        ProposalKey::new(tenant.clone(), account, principal, id),
        instant(row, "created_at")?,
    );
    proposal.state = word(row, "state", ProposalState::parse)?;
    proposal.payload = stored::read_object("proposal", &text("payload")?)?;
    proposal.recipes = stored::read_recipes(&text("recipes")?)?;
    proposal.products = stored::read_products(&text("products")?)?;
    proposal.expires_at = optional_instant(row, "expires_at")?;
    proposal.media_buy_id = get(row, "media_buy_id")?;
    let buyer: (Option<String>, Option<String>) = (get(row, "buyer_account")?, get(row, "buyer_principal")?);
    if let (Some(account), Some(principal)) = buyer {
        proposal.buyer = Some(Owner::new(tenant, read_account(&account), Principal::new(principal)));
    }
    proposal.packages = stored::read_words("packages", &text("packages")?)?;
    proposal.hold = token(row, "hold")?;
    proposal.held_until = optional_instant(row, "held_until")?;
    proposal.updated_at = instant(row, "updated_at")?;
    proposal.forget_at = instant(row, "forget_at")?;
    Ok(proposal)
}

/// What every attempt sends.
pub(crate) fn body(row: &Row, sealer: &dyn Sealer) -> Result<String, Fail> {
    let (key, body): (&str, String) = (get(row, "key")?, get(row, "body")?);
    Ok(if get(row, "sealed_body")? { sealer.open(&body, key)? } else { body })
}

pub(crate) fn event(row: &Row, sealer: &dyn Sealer) -> Result<Event, Fail> {
    let key: String = get(row, "key")?;
    let queued_at = instant(row, "queued_at")?;
    let mut event = Event::stored(
        EventKey::stored(key.as_str()),
        owner(row)?,
        subject(row)?,
        get(row, "url")?,
        body(row, sealer)?,
        queued_at,
    );
    let authentication: (Option<String>, Option<String>) =
        (get(row, "scheme")?, get(row, "sealed_credentials")?);
    if let (Some(scheme), Some(sealed)) = authentication {
        let credentials = sealer.open(&sealed, &key)?;
        event.authentication = Some(CallbackAuth::new(scheme, Secret::new(credentials)));
    }
    Ok(event)
}

fn subject(row: &Row) -> Result<Subject, Fail> {
    Ok(match get::<Option<String>>(row, "notification")? {
        Some(kind) => {
            Subject::Notification { kind, about: get(row, "about")?, subscriber: get(row, "subscriber")? }
        }
        None => Subject::Ended {
            task: TaskId::new(get::<String>(row, "task")?),
            task_type: get(row, "task_type")?,
            status: word(row, "status", TaskStatus::parse)?,
        },
    })
}

/// A number that counts something.
pub(crate) fn count(row: &Row, name: &str) -> Result<u32, Fail> {
    u32::try_from(get::<i64>(row, name)?).map_err(|error| corrupt(Box::new(error)))
}

/// What is known of a delivery, whatever keys are at hand.
pub(crate) fn delivery(row: &Row) -> Result<DeliveryRecord, Fail> {
    let (key, url): (String, String) = (get(row, "key")?, get(row, "url")?);
    let queued_at = instant(row, "queued_at")?;
    let mut record =
        DeliveryRecord::queued(EventKey::stored(key), owner(row)?, subject(row)?, url, queued_at);
    record.scheme = get(row, "scheme")?;
    record.state = word(row, "state", DeliveryState::parse)?;
    record.reason = get::<Option<&str>>(row, "reason")?.map(DeadReason::parse);
    record.attempts = count(row, "attempts")?;
    record.attempts_before = count(row, "attempts_before")?;
    record.due_at = optional_instant(row, "due_at")?;
    record.since = optional_instant(row, "since")?.unwrap_or(queued_at);
    record.settled_at = optional_instant(row, "settled_at")?;
    record.has_body = !get::<&str>(row, "body")?.is_empty();
    record.redeliveries = stored::read_redeliveries(get(row, "redeliveries")?)?;
    Ok(record)
}

pub(crate) fn attempt(row: &Row) -> Result<Attempt, Fail> {
    let class = AttemptClass::parse(get(row, "class")?);
    let took = Duration::from_micros(get::<i64>(row, "took")?.unsigned_abs());
    let mut attempt = Attempt::stored(count(row, "number")?, class, instant(row, "started_at")?, took);
    attempt.http_status =
        get::<Option<i64>>(row, "http_status")?.and_then(|status| u16::try_from(status).ok());
    attempt.peer = get(row, "peer")?;
    attempt.detail = get(row, "detail")?;
    attempt.answer = get(row, "answer")?;
    Ok(attempt)
}

/// What is known of an endpoint, whose breaker's state is in the column `state`.
pub(crate) fn endpoint(row: &Row, state: &'static str) -> Result<EndpointRecord, Fail> {
    let tenant = TenantId::new(get::<String>(row, "tenant")?);
    let endpoint = Endpoint::stored(get::<String>(row, "endpoint")?);
    let mut record = EndpointRecord::new(tenant, endpoint, instant(row, "changed_at")?);
    record.breaker = Breaker {
        state: word(row, state, BreakerState::parse)?,
        failures: count(row, "failures")?,
        openings: count(row, "openings")?,
        until: optional_instant(row, "until")?,
        probe: token(row, "probe")?.map(LeaseToken::stored),
    };
    record.last = get::<Option<&str>>(row, "last")?.map(AttemptClass::parse);
    Ok(record)
}
