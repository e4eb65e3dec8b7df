//! Rows to records and back, nowhere else.

use std::time::Duration;

use adcp_core::stored::{self, Sealer, Unreadable};
use adcp_core::{
    Attempt, AttemptClass, Breaker, BreakerState, CallbackAuth, DeadReason, DeliveryRecord, DeliveryState,
    Effects, Endpoint, EndpointRecord, Event, EventKey, IssueTask, Lease, LeaseToken, Owner, Principal,
    ProposalId, ProposalKey, ProposalRecord, ProposalState, Secret, Subject, TaskId, TaskRecord, TaskStatus,
    TenantId, Timestamp,
};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::error::Fail;
use crate::jobs;

pub(crate) use adcp_core::stored::{Bounds, read_account, write_account, write_holder, write_phase};

fn instant(row: &Row<'_>, name: &str) -> rusqlite::Result<Timestamp> {
    row.get(name).map(Timestamp::from_micros)
}

fn optional_instant(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(name)?.map(Timestamp::from_micros))
}

fn owner(row: &Row<'_>) -> rusqlite::Result<Owner> {
    let account: String = row.get("account")?;
    Ok(Owner::new(
        TenantId::new(row.get::<_, String>("tenant")?),
        read_account(&account),
        Principal::new(row.get::<_, String>("principal")?),
    ))
}

fn word<T>(row: &Row<'_>, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(name)?;
    parse(&text).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("`{name}` is `{text}`").into())
    })
}

fn token(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<[u8; 16]>> {
    let bytes: Option<Vec<u8>> = row.get(name)?;
    bytes
        .map(|bytes| <[u8; 16]>::try_from(bytes.as_slice()))
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error)))
}

/// A task to work on. One whose credentials do not open is an error: its end would be wrong.
pub(crate) fn task(row: &Row<'_>, sealer: &dyn Sealer) -> Result<TaskRecord, Fail> {
    read_task(row, sealer, |text, id| stored::read_effects(text, id, sealer))
}

/// A task to look at, whatever keys are at hand.
pub(crate) fn shown_task(row: &Row<'_>, sealer: &dyn Sealer) -> Result<TaskRecord, Fail> {
    read_task(row, sealer, |text, id| stored::show_effects(text, id, sealer))
}

fn read_task(
    row: &Row<'_>,
    sealer: &dyn Sealer,
    effects_of: impl Fn(&str, &TaskId) -> Result<Effects, Unreadable>,
) -> Result<TaskRecord, Fail> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let object = |what: &'static str| -> Result<_, Fail> {
        Ok(text(what)?.map(|json| stored::read_object(what, &json)).transpose()?)
    };
    let id = TaskId::new(row.get::<_, String>("id")?);
    let effects: String = row.get("effects")?;
    let history: String = row.get("history")?;
    let created_at = instant(row, "created_at")?;
    let issue = IssueTask::new(
        id.clone(),
        owner(row)?,
        row.get::<_, String>("tool")?,
        row.get::<_, String>("task_type")?,
        row.get::<_, String>("protocol")?,
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

pub(crate) fn proposal(row: &Row<'_>) -> Result<ProposalRecord, Fail> {
    let holder: String = row.get("holder")?;
    let (account, principal) = stored::read_holder(&holder);
    let tenant = TenantId::new(row.get::<_, String>("tenant")?);
    let id = ProposalId::new(row.get::<_, String>("id")?);
    let text = |name: &str| row.get::<_, String>(name);
    let mut proposal = ProposalRecord::empty(
        ProposalKey::new(tenant.clone(), account, principal, id),
        instant(row, "created_at")?,
    );
    proposal.state = word(row, "state", ProposalState::parse)?;
    proposal.payload = stored::read_object("proposal", &text("payload")?)?;
    proposal.recipes = stored::read_recipes(&text("recipes")?)?;
    proposal.products = stored::read_products(&text("products")?)?;
    proposal.expires_at = optional_instant(row, "expires_at")?;
    proposal.media_buy_id = row.get("media_buy_id")?;
    let buyer: (Option<String>, Option<String>) = (row.get("buyer_account")?, row.get("buyer_principal")?);
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
pub(crate) fn body(row: &Row<'_>, sealer: &dyn Sealer) -> Result<String, Fail> {
    let (key, body): (String, String) = (row.get("key")?, row.get("body")?);
    Ok(if row.get("sealed_body")? { sealer.open(&body, &key)? } else { body })
}

pub(crate) fn event(row: &Row<'_>, sealer: &dyn Sealer) -> Result<Event, Fail> {
    let key: String = row.get("key")?;
    let body = body(row, sealer)?;
    let subject = subject(row)?;
    let queued_at = instant(row, "queued_at")?;
    let mut event =
        Event::stored(EventKey::stored(key.as_str()), owner(row)?, subject, row.get("url")?, body, queued_at);
    let authentication: (Option<String>, Option<String>) =
        (row.get("scheme")?, row.get("sealed_credentials")?);
    if let (Some(scheme), Some(sealed)) = authentication {
        let credentials = sealer.open(&sealed, &key)?;
        event.authentication = Some(CallbackAuth::new(scheme, Secret::new(credentials)));
    }
    Ok(event)
}

fn subject(row: &Row<'_>) -> rusqlite::Result<Subject> {
    Ok(match row.get::<_, Option<String>>("notification")? {
        Some(kind) => {
            Subject::Notification { kind, about: row.get("about")?, subscriber: row.get("subscriber")? }
        }
        None => Subject::Ended {
            task: TaskId::new(row.get::<_, String>("task")?),
            task_type: row.get("task_type")?,
            status: word(row, "status", TaskStatus::parse)?,
        },
    })
}

/// What is known of a delivery, whatever keys are at hand.
pub(crate) fn delivery(row: &Row<'_>) -> Result<DeliveryRecord, Fail> {
    let (key, url): (String, String) = (row.get("key")?, row.get("url")?);
    let queued_at = instant(row, "queued_at")?;
    let mut record =
        DeliveryRecord::queued(EventKey::stored(key), owner(row)?, subject(row)?, url, queued_at);
    record.scheme = row.get("scheme")?;
    record.state = word(row, "state", DeliveryState::parse)?;
    record.reason = row.get::<_, Option<String>>("reason")?.as_deref().map(DeadReason::parse);
    record.attempts = row.get("attempts")?;
    record.attempts_before = row.get("attempts_before")?;
    record.due_at = optional_instant(row, "due_at")?;
    record.since = optional_instant(row, "since")?.unwrap_or(queued_at);
    record.settled_at = optional_instant(row, "settled_at")?;
    record.has_body = !row.get_ref("body")?.as_str().map_err(rusqlite::Error::from)?.is_empty();
    record.redeliveries = stored::read_redeliveries(&row.get::<_, String>("redeliveries")?)?;
    Ok(record)
}

pub(crate) fn attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let class = AttemptClass::parse(&row.get::<_, String>("class")?);
    let took = Duration::from_micros(row.get::<_, i64>("took")?.unsigned_abs());
    let mut attempt = Attempt::stored(row.get("number")?, class, instant(row, "started_at")?, took);
    attempt.http_status = row.get("http_status")?;
    attempt.peer = row.get("peer")?;
    attempt.detail = row.get("detail")?;
    attempt.answer = row.get("answer")?;
    Ok(attempt)
}

pub(crate) fn endpoint(row: &Row<'_>) -> rusqlite::Result<EndpointRecord> {
    let tenant = TenantId::new(row.get::<_, String>("tenant")?);
    let endpoint = Endpoint::stored(row.get::<_, String>("endpoint")?);
    let mut record = EndpointRecord::new(tenant, endpoint, instant(row, "changed_at")?);
    record.breaker = Breaker {
        state: word(row, "state", BreakerState::parse)?,
        failures: row.get("failures")?,
        openings: row.get("openings")?,
        until: optional_instant(row, "until")?,
        probe: token(row, "probe")?.map(LeaseToken::stored),
    };
    record.last = row.get::<_, Option<String>>("last")?.as_deref().map(AttemptClass::parse);
    Ok(record)
}
