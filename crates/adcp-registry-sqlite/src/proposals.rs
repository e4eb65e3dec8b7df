//! The ledger of proposals.

use std::time::Duration;

use adcp_core::stored::{self, Sealer};
use adcp_core::{
    Effect, Effects, Hold, Owner, ProposalKey, ProposalRecord, ProposalRefusal, ProposalStore, RegistryError,
    ReserveProposal, Reserved, Timestamp, random_bytes,
};
use async_trait::async_trait;
use rusqlite::{Transaction, named_params};

use crate::error::Fail;
use crate::outbox;
use crate::registry::SqliteRegistry;
use crate::row;

#[async_trait]
impl ProposalStore for SqliteRegistry {
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError> {
        let (key, now) = (key.clone(), self.now());
        self.database.read("proposal", move |tx| Ok(get(tx, &key)?.filter(|row| row.forget_at > now))).await
    }

    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError> {
        let (owner, media_buy_id, now) = (owner.clone(), media_buy_id.to_owned(), self.now());
        self.database
            .read("proposal_of_buy", move |tx| {
                let mut statement = tx.prepare_cached(include_str!("sql/proposal_of_buy.sql"))?;
                let mut rows = statement.query(named_params! {
                    ":tenant": owner.tenant.as_str(),
                    ":account": row::write_account(owner.account.as_ref()),
                    ":principal": owner.principal.as_str(),
                    ":media_buy_id": media_buy_id,
                    ":now": now.as_micros(),
                })?;
                rows.next()?.map(row::proposal).transpose()
            })
            .await
    }

    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError> {
        let now = self.now();
        self.database
            .write("reserve", move |tx| {
                let token = random_bytes::<16>()?;
                let Some(mut proposal) = get(tx, &req.key)?.filter(|row| row.forget_at > now) else {
                    return Ok(Reserved::Refused(ProposalRefusal::Unknown));
                };
                if let Err(refusal) = proposal.reserve(token, req.lease, req.grace, now) {
                    return Ok(Reserved::Refused(refusal));
                }
                put(tx, &proposal)?;
                Ok(Reserved::Held { hold: Hold::new(req.key, token), proposal: Box::new(proposal) })
            })
            .await
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        let (hold, now) = (hold.clone(), self.now());
        self.database.write("renew_hold", move |tx| renew(tx, &hold, Some(lease), now)).await
    }
}

/// Lengthens a hold, or with `None` leaves it to a task.
pub(crate) fn renew(
    tx: &Transaction<'_>,
    hold: &Hold,
    lease: Option<Duration>,
    now: Timestamp,
) -> Result<(), Fail> {
    change(tx, &hold.key, ProposalRefusal::HoldLost, |row| row.renew(&hold.token, lease, now))
}

/// Keeps the drafts that a task may change for as long as that takes.
pub(crate) fn await_task(tx: &Transaction<'_>, effects: &Effects, now: Timestamp) -> Result<(), Fail> {
    for key in effects.awaited() {
        if let Some(mut row) = get(tx, key)?.filter(|row| row.forget_at > now) {
            row.await_task(now);
            put(tx, &row)?;
        }
    }
    Ok(())
}

/// Writes what an end does. An error undoes the whole transaction.
pub(crate) fn apply(
    tx: &Transaction<'_>,
    effects: Vec<Effect>,
    now: Timestamp,
    sealer: &dyn Sealer,
    secret: bool,
) -> Result<(), Fail> {
    for effect in effects {
        match effect {
            Effect::Queue(event) => outbox::queue(tx, &event, sealer, secret).map(drop)?,
            Effect::Consume { hold, buyer, media_buy_id, packages } => {
                change(tx, &hold.key, ProposalRefusal::Unknown, |row| {
                    row.consume(&hold.token, &buyer, &media_buy_id, packages, now)
                })?;
            }
            Effect::Release { hold } => {
                if let Some(mut row) = get(tx, &hold.key)? {
                    row.release(&hold.token, now);
                    put(tx, &row)?;
                }
            }
            Effect::Commit(commit) => {
                let key = commit.key.clone();
                change(tx, &key, ProposalRefusal::Unknown, |row| {
                    if row.forget_at <= now {
                        return Err(ProposalRefusal::Unknown);
                    }
                    row.commit(commit, now)
                })?;
            }
            Effect::Offer(draft) => {
                let row = match get(tx, &draft.key)?.filter(|row| row.forget_at > now) {
                    Some(mut row) => {
                        row.offer_again(draft, now);
                        row
                    }
                    None => ProposalRecord::offered(draft, now),
                };
                put(tx, &row)?;
            }
        }
    }
    Ok(())
}

fn change(
    tx: &Transaction<'_>,
    key: &ProposalKey,
    absent: ProposalRefusal,
    step: impl FnOnce(&mut ProposalRecord) -> Result<(), ProposalRefusal>,
) -> Result<(), Fail> {
    let mut row = get(tx, key)?.ok_or(RegistryError::Proposal(absent))?;
    step(&mut row).map_err(RegistryError::Proposal)?;
    put(tx, &row)
}

fn get(tx: &Transaction<'_>, key: &ProposalKey) -> Result<Option<ProposalRecord>, Fail> {
    let mut statement = tx.prepare_cached(include_str!("sql/proposal_get.sql"))?;
    let mut rows = statement.query(named_params! {
        ":tenant": key.tenant.as_str(),
        ":holder": row::write_holder(key),
        ":id": key.id.as_str(),
    })?;
    rows.next()?.map(row::proposal).transpose()
}

fn put(tx: &Transaction<'_>, proposal: &ProposalRecord) -> Result<(), Fail> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    let buyer = proposal.buyer.as_ref();
    tx.prepare_cached(include_str!("sql/proposal_put.sql"))?.execute(named_params! {
        ":tenant": proposal.key.tenant.as_str(),
        ":holder": row::write_holder(&proposal.key),
        ":id": proposal.key.id.as_str(),
        ":state": proposal.state.as_str(),
        ":payload": stored::write_object(&proposal.payload),
        ":recipes": stored::write_recipes(&proposal.recipes),
        ":products": stored::write_products(&proposal.products),
        ":expires_at": micros(proposal.expires_at),
        ":media_buy_id": proposal.media_buy_id,
        ":buyer_account": buyer.map(|buyer| row::write_account(buyer.account.as_ref())),
        ":buyer_principal": buyer.map(|buyer| buyer.principal.as_str()),
        ":packages": stored::write_words(&proposal.packages),
        ":hold": proposal.hold.map(|token| token.to_vec()),
        ":held_until": micros(proposal.held_until),
        ":created_at": proposal.created_at.as_micros(),
        ":updated_at": proposal.updated_at.as_micros(),
        ":forget_at": proposal.forget_at.as_micros(),
    })?;
    Ok(())
}
