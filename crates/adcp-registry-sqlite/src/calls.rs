//! Idempotency keys.

use std::time::Duration;

use adcp_core::stored;
use adcp_core::{
    CallKey, CallStore, Claim, ClaimCall, Effect, Owner, Principal, RegistryError, Resolution, ResolveCall,
    SettleCall, Settlement, TenantId, Ticket, Timestamp, UnresolvedCall, fault, random_bytes,
};
use async_trait::async_trait;
use rusqlite::{Transaction, named_params};

use crate::error::Fail;
use crate::proposals;
use crate::registry::SqliteRegistry;
use crate::row;

#[async_trait]
impl CallStore for SqliteRegistry {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let now = self.now();
        self.database.write("claim_call", move |tx| claim(tx, req, now)).await
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        let (now, sealer) = (self.now(), self.sealer());
        let tells = req.effects.iter().any(|effect| matches!(effect, Effect::Queue(_)));
        self.database
            .write("settle_call", move |tx| {
                if let Some(ticket) = &req.ticket {
                    settle(tx, ticket, &req.settlement)?;
                }
                fault::point("mid-settle");
                proposals::apply(tx, req.effects, now, &*sealer, false)
            })
            .await?;
        self.tell(tells);
        Ok(())
    }

    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError> {
        let tenant = tenant.clone();
        self.database
            .read("unresolved_calls", move |tx| {
                let mut statement = tx.prepare_cached(include_str!("sql/calls_unresolved.sql"))?;
                let mut rows = statement.query(named_params! {
                    ":tenant": tenant.as_str(),
                    ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
                })?;
                let mut calls = Vec::new();
                while let Some(found) = rows.next()? {
                    let account: String = found.get("account")?;
                    let principal = Principal::new(found.get::<_, String>("principal")?);
                    let owner = Owner::new(tenant.clone(), row::read_account(&account), principal);
                    let session: String = found.get("session")?;
                    let session = session.strip_prefix('=').map(str::to_owned);
                    let key = CallKey::new(owner, found.get::<_, String>("key")?).with_session(session);
                    let state: String = found.get("state")?;
                    let since = Timestamp::from_micros(found.get("claimed_at")?);
                    let tool: String = found.get("tool")?;
                    calls.push(UnresolvedCall::new(key, tool, since, state == "fenced"));
                }
                Ok(calls)
            })
            .await
    }

    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError> {
        self.database
            .write("resolve_call", move |tx| {
                let text = match req.resolution {
                    Resolution::Succeeded => include_str!("sql/call_resolve_succeeded.sql"),
                    Resolution::Released => include_str!("sql/call_resolve_released.sql"),
                };
                let key = Columns::of(&req.key);
                let changed = tx.prepare_cached(text)?.execute(named_params! {
                    ":tenant": key.tenant, ":account": key.account, ":principal": key.principal,
                    ":session": key.session, ":key": key.key,
                })?;
                Ok(changed == 1)
            })
            .await
    }
}

/// A key, column by column.
struct Columns<'a> {
    tenant: &'a str,
    account: String,
    principal: &'a str,
    session: String,
    key: &'a str,
}

impl<'a> Columns<'a> {
    fn of(key: &'a CallKey) -> Self {
        Self {
            tenant: key.owner.tenant.as_str(),
            account: row::write_account(key.owner.account.as_ref()),
            principal: key.owner.principal.as_str(),
            session: key.session.as_ref().map_or_else(String::new, |session| format!("={session}")),
            key: &key.key,
        }
    }
}

fn claim(tx: &Transaction<'_>, req: ClaimCall, now: Timestamp) -> Result<Claim, Fail> {
    let token = random_bytes::<16>()?;
    let expires = now.after(req.ttl);
    // For one more lifetime the key answers that it expired, instead of running again.
    let forget = expires.after(req.ttl.max(Duration::from_secs(60)));
    let key = Columns::of(&req.key);
    let first = tx.prepare_cached(include_str!("sql/call_claim.sql"))?.execute(named_params! {
        ":tenant": key.tenant, ":account": key.account, ":principal": key.principal, ":session": key.session,
        ":key": key.key, ":tool": req.tool, ":hash": req.hash.to_vec(), ":token": token.to_vec(),
        ":claimed_at": now.as_micros(), ":expires_at": expires.as_micros(), ":forget_at": forget.as_micros(),
    })?;
    if first == 1 {
        return Ok(Claim::First(Ticket::new(req.key, token)));
    }
    let mut statement = tx.prepare_cached(include_str!("sql/call_get.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": key.tenant, ":account": key.account, ":principal": key.principal, ":session": key.session,
        ":key": key.key,
    })?;
    let Some(found) = rows.next()? else { return Ok(Claim::InFlight) };
    let hash: Vec<u8> = found.get("hash")?;
    let state: String = found.get("state")?;
    if found.get::<_, i64>("expires_at")? <= now.as_micros() {
        return Ok(Claim::Expired);
    }
    if hash != req.hash {
        return Ok(Claim::Conflict);
    }
    let reply: Option<String> = found.get("reply")?;
    Ok(match (state.as_str(), reply) {
        ("replied", Some(reply)) => Claim::Replay(stored::read_object("reply", &reply)?),
        ("settled", _) => Claim::Expired,
        _ => Claim::InFlight,
    })
}

/// Settles a claim whose ticket is still good.
pub(crate) fn settle(tx: &Transaction<'_>, ticket: &Ticket, settlement: &Settlement) -> Result<(), Fail> {
    let key = Columns::of(&ticket.key);
    let (state, reply) = match settlement {
        Settlement::Released => {
            let gone = tx.prepare_cached(include_str!("sql/call_release.sql"))?.execute(named_params! {
                ":tenant": key.tenant, ":account": key.account, ":principal": key.principal,
                ":session": key.session, ":key": key.key, ":token": ticket.token.to_vec(),
            })?;
            return held(gone);
        }
        Settlement::Replied(reply) => ("replied", Some(stored::write_object(reply))),
        Settlement::Fenced => ("fenced", None),
    };
    let changed = tx.prepare_cached(include_str!("sql/call_settle.sql"))?.execute(named_params! {
        ":tenant": key.tenant, ":account": key.account, ":principal": key.principal, ":session": key.session,
        ":key": key.key, ":token": ticket.token.to_vec(), ":state": state, ":reply": reply,
    })?;
    held(changed)
}

fn held(changed: usize) -> Result<(), Fail> {
    if changed == 1 { Ok(()) } else { Err(RegistryError::StaleTicket.into()) }
}
