//! A proposal as a registry keeps it, and the pure steps that change it. Every backend takes these steps.

use std::collections::BTreeMap;
use std::time::Duration;

use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::{CommitProposal, Draft, Recipes};
use crate::{AccountId, AdcpError, Owner, Principal, ProposalId, TenantId, Timestamp};

/// How long a proposal is remembered after it expired or was bought: seven days.
const MEMORY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a draft is kept that a task is to refine or to make firm: thirty days.
const AWAITED: Duration = Duration::from_secs(30 * 24 * 3600);

/// What identifies a proposal: its holder and its id. The same id of another account is another proposal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ProposalKey {
    /// The seller.
    pub tenant: TenantId,
    /// The account it was offered to.
    pub account: Option<AccountId>,
    /// The buyer's agent, for proposals that were offered without an account.
    pub principal: Option<Principal>,
    /// The seller's id of it.
    pub id: ProposalId,
}

impl ProposalKey {
    /// A key as a store keeps it: the holder is an account, or a principal where there is none.
    #[must_use]
    pub const fn new(
        tenant: TenantId,
        account: Option<AccountId>,
        principal: Option<Principal>,
        id: ProposalId,
    ) -> Self {
        Self { tenant, account, principal, id }
    }

    /// The proposal `id` as `owner` was offered it: held by the account, or by the principal where there is none.
    #[must_use]
    pub fn of(owner: &Owner, id: ProposalId) -> Self {
        let principal = owner.account.is_none().then(|| owner.principal.clone());
        Self { tenant: owner.tenant.clone(), account: owner.account.clone(), principal, id }
    }
}

/// Where a proposal stands.
///
/// ```text
/// draft ──► committed ◄──► consuming ──► consumed
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a backend must decide about each")]
pub enum ProposalState {
    /// Offered; prices may change.
    Draft,
    /// Firm; can be bought until it expires.
    Committed,
    /// One purchase is under way.
    Consuming,
    /// Bought.
    Consumed,
}

impl ProposalState {
    /// All four, in the order of a proposal's life.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Committed, Self::Consuming, Self::Consumed];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Committed => "committed",
            Self::Consuming => "consuming",
            Self::Consumed => "consumed",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why a step of a proposal's life is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[allow(clippy::exhaustive_enums, reason = "each case has its own answer on the wire")]
pub enum ProposalRefusal {
    /// There is none of this id for this account.
    #[error("no such proposal")]
    Unknown,
    /// It must be finalized first.
    #[error("the proposal is a draft")]
    Draft,
    /// It is firm already, and stays as it is.
    #[error("the proposal is committed")]
    Committed,
    /// Its time is over.
    #[error("the proposal has expired")]
    Expired,
    /// Another purchase of it is under way.
    #[error("the proposal is being bought")]
    Consuming,
    /// It was bought.
    #[error("the proposal was bought")]
    Consumed,
    /// The hold is not, or no longer, the one that reserves it.
    #[error("the hold on the proposal is lost")]
    HoldLost,
}

impl ProposalRefusal {
    /// What the buyer is told who named the proposal in `field`.
    #[must_use]
    pub fn error(self, field: impl Into<String>) -> AdcpError {
        let firm = |words: &str, field: String| {
            AdcpError::new(ErrorCode::PROPOSAL_NOT_COMMITTED, words)
                .with_field(field)
                .with_suggestion("look up your orders with get_media_buys before trying again")
        };
        match self {
            Self::Unknown => AdcpError::proposal_not_found(field),
            Self::Draft => AdcpError::proposal_not_committed(field),
            Self::Expired => AdcpError::proposal_expired(field),
            Self::Committed => firm("this proposal is committed already", field.into()),
            Self::Consuming | Self::HoldLost => {
                firm("another purchase of this proposal is under way", field.into())
            }
            Self::Consumed => firm("this proposal was bought already", field.into()),
        }
    }
}

/// A proposal as the registry keeps it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProposalRecord {
    /// Its id, and whose it is.
    pub key: ProposalKey,
    /// Where it stands.
    pub state: ProposalState,
    /// The proposal on the wire, whole, as last offered or made firm.
    pub payload: JsonObject,
    /// Execution data by product id.
    pub recipes: Recipes,
    /// Its products, whole, by product id.
    pub products: BTreeMap<String, JsonObject>,
    /// Until when it can be bought; set once it is firm.
    pub expires_at: Option<Timestamp>,
    /// The order that bought it.
    pub media_buy_id: Option<String>,
    /// Whose order that is.
    pub buyer: Option<Owner>,
    /// The product behind each package of that order, by package id.
    pub packages: BTreeMap<String, String>,
    /// Token of the purchase under way.
    pub hold: Option<[u8; 16]>,
    /// When that purchase's right ends; `None` when a task keeps it.
    pub held_until: Option<Timestamp>,
    /// When it was first offered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it may be forgotten.
    pub forget_at: Timestamp,
}

impl ProposalRecord {
    /// The record of a proposal that was just offered.
    #[must_use]
    pub fn offered(draft: Draft, now: Timestamp) -> Self {
        let mut record = Self::empty(draft.key.clone(), now);
        record.fill(draft, now);
        record
    }

    /// A draft without content, for a store to fill from its row.
    #[must_use]
    pub fn empty(key: ProposalKey, now: Timestamp) -> Self {
        Self {
            key,
            state: ProposalState::Draft,
            payload: JsonObject::new(),
            recipes: Recipes::new(),
            products: BTreeMap::new(),
            expires_at: None,
            media_buy_id: None,
            buyer: None,
            packages: BTreeMap::new(),
            hold: None,
            held_until: None,
            created_at: now,
            updated_at: now,
            forget_at: now,
        }
    }

    /// Takes a newer offer of the same proposal. Only a draft changes: what is firm stays, and `false` says so.
    ///
    /// What the offer does not repeat about a product that it still allocates to is kept from the last one: an answer
    /// to a refinement need not show every product again.
    pub fn offer_again(&mut self, mut draft: Draft, now: Timestamp) -> bool {
        if self.state != ProposalState::Draft {
            return false;
        }
        let allocations = draft.payload.get("allocations").and_then(Value::as_array).into_iter().flatten();
        for id in allocations.filter_map(|allocation| allocation.get("product_id")?.as_str()) {
            if let (false, Some(known)) = (draft.products.contains_key(id), self.products.remove(id)) {
                draft.products.insert(id.to_owned(), known);
            }
            if let (false, Some(known)) = (draft.recipes.contains_key(id), self.recipes.remove(id)) {
                draft.recipes.insert(id.to_owned(), known);
            }
        }
        self.fill(draft, now);
        true
    }

    fn fill(&mut self, draft: Draft, now: Timestamp) {
        self.payload = draft.payload;
        self.recipes = draft.recipes;
        self.products = draft.products;
        self.updated_at = now;
        self.forget_at = now.after(draft.keep);
        if let Some(until) = draft.committed_until {
            self.state = ProposalState::Committed;
            self.expires_at = Some(until);
            self.forget_at = until.after(MEMORY);
        }
    }

    /// Keeps a draft that a task was issued to refine or to make firm, so that it is there when the task ends: a
    /// person may take longer than a buyer may think.
    pub fn await_task(&mut self, now: Timestamp) {
        if self.state == ProposalState::Draft {
            self.forget_at = self.forget_at.max(now.after(AWAITED));
        }
    }

    /// Makes a draft firm. The same commitment again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ProposalRefusal::Committed`], [`ProposalRefusal::Consuming`] or [`ProposalRefusal::Consumed`] when it is
    /// firm otherwise.
    pub fn commit(&mut self, commit: CommitProposal, now: Timestamp) -> Result<(), ProposalRefusal> {
        match self.state {
            ProposalState::Draft => {}
            ProposalState::Committed
                if self.expires_at == Some(commit.expires_at) && self.payload == commit.payload =>
            {
                return Ok(());
            }
            ProposalState::Committed => return Err(ProposalRefusal::Committed),
            ProposalState::Consuming => return Err(ProposalRefusal::Consuming),
            ProposalState::Consumed => return Err(ProposalRefusal::Consumed),
        }
        self.state = ProposalState::Committed;
        self.payload = commit.payload;
        self.recipes.extend(commit.recipes);
        self.products.extend(commit.products);
        self.expires_at = Some(commit.expires_at);
        self.updated_at = now;
        self.forget_at = commit.expires_at.after(MEMORY);
        Ok(())
    }

    /// Whether it could be reserved now, and if not, why.
    ///
    /// A hold whose time is over counts as given back.
    ///
    /// # Errors
    ///
    /// [`ProposalRefusal`] with the reason.
    pub fn purchasable(&self, now: Timestamp, grace: Duration) -> Result<(), ProposalRefusal> {
        match self.state {
            ProposalState::Draft => return Err(ProposalRefusal::Draft),
            ProposalState::Consumed => return Err(ProposalRefusal::Consumed),
            ProposalState::Consuming if self.held_until.is_none_or(|until| until > now) => {
                return Err(ProposalRefusal::Consuming);
            }
            ProposalState::Committed | ProposalState::Consuming => {}
        }
        match self.expires_at {
            Some(at) if now > at.after(grace) => Err(ProposalRefusal::Expired),
            _ => Ok(()),
        }
    }

    /// Reserves it under `token` until `lease` is over.
    ///
    /// # Errors
    ///
    /// As [`Self::purchasable`].
    pub fn reserve(
        &mut self,
        token: [u8; 16],
        lease: Duration,
        grace: Duration,
        now: Timestamp,
    ) -> Result<(), ProposalRefusal> {
        self.purchasable(now, grace)?;
        self.state = ProposalState::Consuming;
        self.hold = Some(token);
        self.held_until = Some(now.after(lease));
        self.updated_at = now;
        Ok(())
    }

    /// Lengthens a hold from now on, or with `None` leaves it to a task for as long as that lives. What a task keeps
    /// needs no lengthening.
    ///
    /// # Errors
    ///
    /// [`ProposalRefusal::HoldLost`] when somebody else holds it or nobody does, its time is over, or a second task
    /// would take it over.
    pub fn renew(
        &mut self,
        token: &[u8; 16],
        lease: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), ProposalRefusal> {
        self.held_by(token)?;
        match (self.held_until, lease) {
            (Some(until), _) if until > now => {}
            (None, Some(_)) => return Ok(()),
            (None, None) | (Some(_), _) => return Err(ProposalRefusal::HoldLost),
        }
        self.held_until = lease.map(|lease| now.after(lease));
        // What is being bought is not forgotten.
        self.forget_at =
            self.held_until.map_or(Timestamp::from_micros(i64::MAX), |until| self.forget_at.max(until));
        Ok(())
    }

    /// Records the order that bought it. The same order again changes nothing.
    ///
    /// The order exists at the seller already, so a hold whose time is over still buys what nobody else took.
    ///
    /// # Errors
    ///
    /// [`ProposalRefusal::Consumed`] by another order, else [`ProposalRefusal::HoldLost`].
    pub fn consume(
        &mut self,
        token: &[u8; 16],
        buyer: &Owner,
        media_buy_id: &str,
        packages: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(), ProposalRefusal> {
        if self.state == ProposalState::Consumed {
            let same = self.media_buy_id.as_deref() == Some(media_buy_id);
            return if same { Ok(()) } else { Err(ProposalRefusal::Consumed) };
        }
        self.held_by(token)?;
        self.state = ProposalState::Consumed;
        self.media_buy_id = Some(media_buy_id.to_owned());
        self.buyer = Some(buyer.clone());
        self.packages = packages;
        self.let_go(now);
        Ok(())
    }

    /// Gives the reservation back, so that the buyer can try again. A hold that is lost already is given back too.
    pub fn release(&mut self, token: &[u8; 16], now: Timestamp) {
        if self.held_by(token).is_ok() {
            self.state = ProposalState::Committed;
            self.let_go(now);
        }
    }

    fn let_go(&mut self, now: Timestamp) {
        self.hold = None;
        self.held_until = None;
        self.updated_at = now;
        self.forget_at = self.expires_at.map_or(now, |at| at.max(now)).after(MEMORY);
    }

    fn held_by(&self, token: &[u8; 16]) -> Result<(), ProposalRefusal> {
        let held = self.state == ProposalState::Consuming && self.hold.as_ref() == Some(token);
        if held { Ok(()) } else { Err(ProposalRefusal::HoldLost) }
    }
}
