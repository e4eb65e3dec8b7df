//! The ledger of proposals.

use std::time::Duration;

use adcp_core::stored;
use adcp_core::{
    Draft, Effect, Effects, Hold, Owner, ProposalKey, ProposalRecord, ProposalRefusal, ProposalStore,
    RegistryError, ReserveProposal, Reserved, Timestamp, random_bytes,
};
use async_trait::async_trait;

use crate::error::Fail;
use crate::outbox;
use crate::registry::PostgresRegistry;
use crate::row;
use crate::statement::Statement;
use crate::unit::{Tx, Unit};

#[async_trait]
impl ProposalStore for PostgresRegistry {
    async fn proposal(&self, key: &ProposalKey) -> Result<Option<ProposalRecord>, RegistryError> {
        let shared = &self.database.shared;
        let mut rows = self
            .database
            .rows(
                "proposal",
                &shared.sql.proposal_get,
                &[
                    ("tenant", &key.tenant.as_str()),
                    ("holder", &row::write_holder(key)),
                    ("id", &key.id.as_str()),
                    ("offset", &shared.config.offset.micros()),
                ],
            )
            .await?;
        let found = rows.pop();
        found.as_ref().map(row::proposal).transpose().map_err(|fail| fail.of("proposal"))
    }

    async fn proposal_of_buy(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<ProposalRecord>, RegistryError> {
        let shared = &self.database.shared;
        let mut rows = self
            .database
            .rows(
                "proposal_of_buy",
                &shared.sql.proposal_of_buy,
                &[
                    ("tenant", &owner.tenant.as_str()),
                    ("account", &row::write_account(owner.account.as_ref())),
                    ("principal", &owner.principal.as_str()),
                    ("media_buy_id", &media_buy_id),
                    ("offset", &shared.config.offset.micros()),
                ],
            )
            .await?;
        let found = rows.pop();
        found.as_ref().map(row::proposal).transpose().map_err(|fail| fail.of("proposal_of_buy"))
    }

    async fn reserve(&self, req: ReserveProposal) -> Result<Reserved, RegistryError> {
        let token = random_bytes::<16>().map_err(|error| Fail::from(error).of(Reserve::OP))?;
        self.database.write(&Reserve { req, token }).await
    }

    async fn renew_hold(&self, hold: &Hold, lease: Duration) -> Result<(), RegistryError> {
        self.database.write(&Renew { hold, lease }).await
    }
}

/// A reservation under a token that was drawn before the first try, by which a later try knows its own work.
struct Reserve {
    req: ReserveProposal,
    token: [u8; 16],
}

impl Unit for Reserve {
    type Done = Reserved;
    const OP: &'static str = "reserve";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Reserved, Fail> {
        let key = &self.req.key;
        let held = |proposal| Reserved::Held {
            hold: Hold::new(key.clone(), self.token),
            proposal: Box::new(proposal),
        };
        let Some(mut proposal) = lock(tx, key).await?.filter(|row| row.forget_at > tx.now) else {
            return Ok(Reserved::Refused(ProposalRefusal::Unknown));
        };
        if proposal.hold == Some(self.token) {
            return Ok(held(proposal));
        }
        if let Err(refusal) = proposal.reserve(self.token, self.req.lease, self.req.grace, tx.now) {
            return Ok(Reserved::Refused(refusal));
        }
        update(tx, &proposal).await?;
        Ok(held(proposal))
    }
}

struct Renew<'a> {
    hold: &'a Hold,
    lease: Duration,
}

impl Unit for Renew<'_> {
    type Done = ();
    const OP: &'static str = "renew_hold";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<(), Fail> {
        renew(tx, self.hold, Some(self.lease)).await
    }
}

/// Lengthens a hold, or with `None` leaves it to a task.
pub(crate) async fn renew(tx: &Tx<'_>, hold: &Hold, lease: Option<Duration>) -> Result<(), Fail> {
    change(tx, &hold.key, ProposalRefusal::HoldLost, |row| row.renew(&hold.token, lease, tx.now)).await
}

/// Keeps the drafts that a task may change for as long as that takes.
pub(crate) async fn await_task(tx: &Tx<'_>, effects: &Effects) -> Result<(), Fail> {
    let mut keys: Vec<&ProposalKey> = effects.awaited().collect();
    // In the order in which an end locks them, too.
    keys.sort_by_cached_key(|key| order(key));
    for key in keys {
        if let Some(mut row) = lock(tx, key).await?.filter(|row| row.forget_at > tx.now) {
            row.await_task(tx.now);
            update(tx, &row).await?;
        }
    }
    Ok(())
}

/// Writes what an end does. An error undoes the whole transaction.
pub(crate) async fn apply(tx: &Tx<'_>, mut effects: Vec<Effect>, secret: bool) -> Result<(), Fail> {
    // Rows are locked in one order everywhere, so that ends that share proposals wait and do not deadlock.
    effects.sort_by_cached_key(place);
    for effect in effects {
        match effect {
            Effect::Queue(event) => outbox::queue(tx, &event, secret).await.map(drop)?,
            Effect::Consume { hold, buyer, media_buy_id, packages } => {
                change(tx, &hold.key, ProposalRefusal::Unknown, |row| {
                    row.consume(&hold.token, &buyer, &media_buy_id, packages, tx.now)
                })
                .await?;
            }
            Effect::Release { hold } => {
                if let Some(mut row) = lock(tx, &hold.key).await? {
                    row.release(&hold.token, tx.now);
                    update(tx, &row).await?;
                }
            }
            Effect::Commit(commit) => {
                let key = commit.key.clone();
                change(tx, &key, ProposalRefusal::Unknown, |row| {
                    if row.forget_at <= tx.now {
                        return Err(ProposalRefusal::Unknown);
                    }
                    row.commit(commit, tx.now)
                })
                .await?;
            }
            Effect::Offer(draft) => offer(tx, draft).await?,
        }
    }
    Ok(())
}

/// The row that an effect writes; an event's comes last.
fn place(effect: &Effect) -> (bool, String, String, String) {
    let key = match effect {
        Effect::Queue(_) => return (true, String::new(), String::new(), String::new()),
        Effect::Consume { hold, .. } | Effect::Release { hold } => &hold.key,
        Effect::Commit(commit) => &commit.key,
        Effect::Offer(draft) => &draft.key,
    };
    let (tenant, holder, id) = order(key);
    (false, tenant, holder, id)
}

/// By this, rows are locked.
fn order(key: &ProposalKey) -> (String, String, String) {
    (key.tenant.to_string(), row::write_holder(key), key.id.to_string())
}

async fn offer(tx: &Tx<'_>, draft: Draft) -> Result<(), Fail> {
    let fresh = ProposalRecord::offered(draft.clone(), tx.now);
    // Somebody may offer the same at once: what they wrote is there at the second look.
    for _ in 0..3 {
        match lock(tx, &draft.key).await? {
            Some(mut row) if row.forget_at > tx.now => {
                row.offer_again(draft, tx.now);
                return update(tx, &row).await;
            }
            Some(_) => return update(tx, &fresh).await,
            None if write(tx, &tx.shared.sql.proposal_insert, &fresh).await? == 1 => return Ok(()),
            None => {}
        }
    }
    Err(Fail::Overtaken)
}

async fn change(
    tx: &Tx<'_>,
    key: &ProposalKey,
    absent: ProposalRefusal,
    step: impl FnOnce(&mut ProposalRecord) -> Result<(), ProposalRefusal> + Send,
) -> Result<(), Fail> {
    let mut row = lock(tx, key).await?.ok_or(RegistryError::Proposal(absent))?;
    step(&mut row).map_err(RegistryError::Proposal)?;
    update(tx, &row).await
}

/// A row for a write: nobody else writes it until this transaction ends.
async fn lock(tx: &Tx<'_>, key: &ProposalKey) -> Result<Option<ProposalRecord>, Fail> {
    let found = tx
        .row(
            &tx.shared.sql.proposal_lock,
            &[
                ("tenant", &key.tenant.as_str()),
                ("holder", &row::write_holder(key)),
                ("id", &key.id.as_str()),
            ],
        )
        .await?;
    found.as_ref().map(row::proposal).transpose()
}

async fn update(tx: &Tx<'_>, proposal: &ProposalRecord) -> Result<(), Fail> {
    write(tx, &tx.shared.sql.proposal_update, proposal).await.map(drop)
}

async fn write(tx: &Tx<'_>, statement: &Statement, proposal: &ProposalRecord) -> Result<u64, Fail> {
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    let buyer = proposal.buyer.as_ref();
    tx.execute(
        statement,
        &[
            ("tenant", &proposal.key.tenant.as_str()),
            ("holder", &row::write_holder(&proposal.key)),
            ("id", &proposal.key.id.as_str()),
            ("state", &proposal.state.as_str()),
            ("payload", &stored::write_object(&proposal.payload)),
            ("recipes", &stored::write_recipes(&proposal.recipes)),
            ("products", &stored::write_products(&proposal.products)),
            ("expires_at", &micros(proposal.expires_at)),
            ("media_buy_id", &proposal.media_buy_id),
            ("buyer_account", &buyer.map(|buyer| row::write_account(buyer.account.as_ref()))),
            ("buyer_principal", &buyer.map(|buyer| buyer.principal.as_str())),
            ("packages", &stored::write_words(&proposal.packages)),
            ("hold", &proposal.hold.map(|token| token.to_vec())),
            ("held_until", &micros(proposal.held_until)),
            ("created_at", &proposal.created_at.as_micros()),
            ("updated_at", &proposal.updated_at.as_micros()),
            ("forget_at", &proposal.forget_at.as_micros()),
        ],
    )
    .await
}
