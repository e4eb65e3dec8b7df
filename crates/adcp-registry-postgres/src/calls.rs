//! Idempotency keys.

use std::time::Duration;

use adcp_core::stored;
use adcp_core::{
    CallKey, CallStore, Claim, ClaimCall, Owner, Principal, RegistryError, Resolution, ResolveCall,
    SettleCall, Settlement, TenantId, Ticket, Timestamp, UnresolvedCall, fault, random_bytes,
};
use async_trait::async_trait;
use deadpool_postgres::tokio_postgres::Row;

use crate::error::Fail;
use crate::proposals;
use crate::registry::PostgresRegistry;
use crate::row;
use crate::statement::Value;
use crate::unit::{Tx, Unit};

#[async_trait]
impl CallStore for PostgresRegistry {
    async fn claim_call(&self, req: ClaimCall) -> Result<Claim, RegistryError> {
        let token = random_bytes::<16>().map_err(|error| Fail::from(error).of(ClaimOnce::OP))?;
        self.database.write(&ClaimOnce { req, token }).await
    }

    async fn settle_call(&self, req: SettleCall) -> Result<(), RegistryError> {
        self.database.write(&req).await
    }

    async fn unresolved_calls(
        &self,
        tenant: &TenantId,
        limit: usize,
    ) -> Result<Vec<UnresolvedCall>, RegistryError> {
        let rows = self
            .database
            .rows(
                "unresolved_calls",
                &self.database.shared.sql.calls_unresolved,
                &[("tenant", &tenant.as_str()), ("limit", &i64::try_from(limit).unwrap_or(i64::MAX))],
            )
            .await?;
        let read = |found| unresolved(tenant, found).map_err(|fail| fail.of("unresolved_calls"));
        rows.iter().map(read).collect()
    }

    async fn resolve_call(&self, req: ResolveCall) -> Result<bool, RegistryError> {
        self.database.write(&req).await
    }
}

fn unresolved(tenant: &TenantId, found: &Row) -> Result<UnresolvedCall, Fail> {
    let account: &str = row::get(found, "account")?;
    let principal = Principal::new(row::get::<String>(found, "principal")?);
    let owner = Owner::new(tenant.clone(), row::read_account(account), principal);
    let session: &str = row::get(found, "session")?;
    let session = session.strip_prefix('=').map(str::to_owned);
    let key = CallKey::new(owner, row::get::<String>(found, "key")?).with_session(session);
    let state: &str = row::get(found, "state")?;
    let since = Timestamp::from_micros(row::get(found, "claimed_at")?);
    Ok(UnresolvedCall::new(key, row::get::<String>(found, "tool")?, since, state == "fenced"))
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

    /// The values of the key, and some more.
    fn and<'b>(&'b self, more: &[(&'static str, &'b dyn Value)]) -> Vec<(&'static str, &'b dyn Value)> {
        let mut values: Vec<(&'static str, &'b dyn Value)> = vec![
            ("tenant", &self.tenant),
            ("account", &self.account),
            ("principal", &self.principal),
            ("session", &self.session),
            ("key", &self.key),
        ];
        values.extend_from_slice(more);
        values
    }
}

/// A claim under a token that was drawn before the first try, by which a later try knows its own work.
struct ClaimOnce {
    req: ClaimCall,
    token: [u8; 16],
}

impl Unit for ClaimOnce {
    type Done = Claim;
    const OP: &'static str = "claim_call";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Claim, Fail> {
        let (req, token) = (&self.req, self.token);
        let expires = tx.now.after(req.ttl);
        // For one more lifetime the key answers that it expired, instead of running again.
        let forget = expires.after(req.ttl.max(Duration::from_secs(60)));
        let key = Columns::of(&req.key);
        let first = tx
            .execute(
                &tx.shared.sql.call_claim,
                &key.and(&[
                    ("tool", &req.tool),
                    ("hash", &req.hash.to_vec()),
                    ("token", &token.to_vec()),
                    ("claimed_at", &tx.now.as_micros()),
                    ("expires_at", &expires.as_micros()),
                    ("forget_at", &forget.as_micros()),
                ]),
            )
            .await?;
        let ticket = || Claim::First(Ticket::new(req.key.clone(), token));
        if first == 1 {
            return Ok(ticket());
        }
        let found = tx.row(&tx.shared.sql.call_get, &key.and(&[])).await?;
        // Released since: the next try is first.
        let Some(found) = found else { return Err(Fail::Overtaken) };
        if row::get::<&[u8]>(&found, "token")? == token {
            return Ok(ticket());
        }
        answer(&found, req, tx.now)
    }
}

/// What a later caller is told.
fn answer(found: &Row, req: &ClaimCall, now: Timestamp) -> Result<Claim, Fail> {
    if row::get::<i64>(found, "expires_at")? <= now.as_micros() {
        return Ok(Claim::Expired);
    }
    if row::get::<&[u8]>(found, "hash")? != req.hash {
        return Ok(Claim::Conflict);
    }
    Ok(match (row::get(found, "state")?, row::get::<Option<&str>>(found, "reply")?) {
        ("replied", Some(reply)) => Claim::Replay(stored::read_object("reply", reply)?),
        ("settled", _) => Claim::Expired,
        _ => Claim::InFlight,
    })
}

impl Unit for SettleCall {
    type Done = ();
    const OP: &'static str = "settle_call";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        if let Some(ticket) = &self.ticket {
            settle(tx, ticket, &self.settlement).await?;
        }
        fault::point("mid-settle");
        proposals::apply(tx, self.effects.clone(), false).await
    }
}

impl Unit for ResolveCall {
    type Done = bool;
    const OP: &'static str = "resolve_call";

    async fn run(&self, tx: &Tx<'_>) -> Result<bool, Fail> {
        let statement = match self.resolution {
            Resolution::Succeeded => &tx.shared.sql.call_resolve_succeeded,
            Resolution::Released => &tx.shared.sql.call_resolve_released,
        };
        Ok(tx.execute(statement, &Columns::of(&self.key).and(&[])).await? == 1)
    }
}

/// Settles a claim whose ticket is still good.
pub(crate) async fn settle(tx: &Tx<'_>, ticket: &Ticket, settlement: &Settlement) -> Result<(), Fail> {
    let key = Columns::of(&ticket.key);
    let token = ticket.token.to_vec();
    let (state, reply) = match settlement {
        Settlement::Released => {
            let gone = tx.execute(&tx.shared.sql.call_release, &key.and(&[("token", &token)])).await?;
            return held(gone);
        }
        Settlement::Replied(reply) => ("replied", Some(stored::write_object(reply))),
        Settlement::Fenced => ("fenced", None),
    };
    let values = key.and(&[("token", &token), ("state", &state), ("reply", &reply)]);
    held(tx.execute(&tx.shared.sql.call_settle, &values).await?)
}

fn held(changed: u64) -> Result<(), Fail> {
    if changed == 1 { Ok(()) } else { Err(RegistryError::StaleTicket.into()) }
}
