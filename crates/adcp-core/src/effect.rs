//! What the end of a task or call does in the store. Data, not closures: it survives the process that recorded it.

use std::collections::BTreeMap;
use std::time::Duration;

use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::{
    Backing, CommitProposal, Draft, Event, Hold, Outcome, Owner, ProposalId, ProposalKey, Registration,
    TaskPhase, TaskRecord, Timestamp,
};

/// Recorded when a task is issued, applied in the transaction that ends it, whoever ends it.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Effects {
    /// A reserved proposal: bought when the task ends well, given back otherwise.
    pub purchase: Option<Hold>,
    /// Keeps the proposals of a good answer as drafts.
    pub drafts: Option<KeepDrafts>,
    /// Drafts that a good answer replaces where they are kept: one that was offered without an account stays with its
    /// principal, whatever account that acts on now.
    pub refines: Vec<ProposalKey>,
    /// Drafts that a good answer makes firm, all of them or none.
    pub finalizes: Vec<ProposalKey>,
    /// Tells the buyer of the end.
    pub notify: Option<Registration>,
}

impl Effects {
    /// Nothing happens beyond the end itself.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Buys a reserved proposal, or gives it back.
    #[must_use]
    pub fn with_purchase(mut self, hold: Hold) -> Self {
        self.purchase = Some(hold);
        self
    }

    /// Keeps offered proposals.
    #[must_use]
    pub const fn with_drafts(mut self, drafts: KeepDrafts) -> Self {
        self.drafts = Some(drafts);
        self
    }

    /// Replaces these drafts where they are kept.
    #[must_use]
    pub fn with_refines(mut self, drafts: Vec<ProposalKey>) -> Self {
        self.refines = drafts;
        self
    }

    /// Makes these drafts firm.
    #[must_use]
    pub fn with_finalizes(mut self, drafts: Vec<ProposalKey>) -> Self {
        self.finalizes = drafts;
        self
    }

    /// Tells the buyer of the end.
    #[must_use]
    pub fn with_notify(mut self, registration: Option<Registration>) -> Self {
        self.notify = registration;
        self
    }

    /// The drafts that the end may change. A registry keeps them with [`ProposalRecord::await_task`](crate::ProposalRecord::await_task) when it issues the
    /// task.
    pub fn awaited(&self) -> impl Iterator<Item = &ProposalKey> {
        self.refines.iter().chain(&self.finalizes)
    }

    /// What the end of `owner`'s call does to the ledger of proposals. Pure.
    #[must_use]
    pub fn on_ledger(
        &self,
        owner: &Owner,
        outcome: &Outcome,
        backing: &Backing,
        now: Timestamp,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let body = match outcome {
            Outcome::Completed(body) => Some(body),
            Outcome::Failed(_) | Outcome::Canceled(_) | Outcome::Rejected(_) => None,
        };
        if let Some(hold) = &self.purchase {
            let bought = body.and_then(|body| body.get("media_buy_id")).and_then(Value::as_str);
            effects.push(match bought {
                Some(id) => Effect::Consume {
                    hold: hold.clone(),
                    buyer: owner.clone(),
                    media_buy_id: id.to_owned(),
                    packages: body.map(packages).unwrap_or_default(),
                },
                None => Effect::Release { hold: hold.clone() },
            });
        }
        let Some(body) = body else { return effects };
        let shelf = Shelf::of(body, backing);
        for payload in objects(body, "proposals") {
            let Some(id) = text(payload, "proposal_id").map(ProposalId::new) else { continue };
            if let Some(key) = self.finalizes.iter().find(|key| key.id == id) {
                effects.extend(shelf.commit(key.clone(), payload));
            } else if let Some(keep) = &self.drafts {
                let kept = self.refines.iter().find(|key| key.id == id).cloned();
                let key = kept.unwrap_or_else(|| ProposalKey::of(owner, id));
                effects.push(Effect::Offer(shelf.draft(key, payload, keep, now)));
            }
        }
        effects
    }
}

/// How offered proposals are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepDrafts {
    /// How long a draft is kept that nobody finalizes.
    pub keep: Duration,
    /// Makes proposals without a status firm at once, for so long: for sellers who need no finalizing.
    pub commit_for: Option<Duration>,
}

impl KeepDrafts {
    /// Keeps drafts for so long.
    #[must_use]
    pub const fn new(keep: Duration) -> Self {
        Self { keep, commit_for: None }
    }

    /// Makes proposals without a status firm at once, for so long.
    #[must_use]
    pub const fn committing_for(mut self, time: Option<Duration>) -> Self {
        self.commit_for = time;
        self
    }
}

/// One write that happens together with an end.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "a backend must apply each")]
pub enum Effect {
    /// A reserved proposal was bought: consuming → consumed, and it is found by the order's id.
    Consume {
        /// The right to buy it.
        hold: Hold,
        /// Whose order it is.
        buyer: Owner,
        /// The order.
        media_buy_id: String,
        /// The product behind each of its packages, by package id.
        packages: BTreeMap<String, String>,
    },
    /// A reservation is given back: consuming → committed. Nothing to do when it is lost already.
    Release {
        /// The right given back.
        hold: Hold,
    },
    /// A proposal was offered: a new one is kept, a draft is replaced, a firm one stays as it is.
    Offer(Draft),
    /// A draft becomes firm. When it cannot, nothing of the step is written.
    Commit(CommitProposal),
    /// An event waits for delivery.
    Queue(Event),
}

/// What the end of `task` writes beside the end itself. Pure: every backend calls it inside its transaction.
///
/// A buyer who was not told of the task yet is not told of its end either; see [`effects_of_confirming`].
#[must_use]
pub fn effects_of(task: &TaskRecord, outcome: &Outcome, backing: &Backing, now: Timestamp) -> Vec<Effect> {
    let mut effects = task.effects.on_ledger(&task.owner, outcome, backing, now);
    if task.phase == TaskPhase::Open {
        effects.extend(telling(task, outcome, now));
    }
    effects
}

/// What the confirmation of `task` writes beside it: the event of an end that came first. Pure, like [`effects_of`].
#[must_use]
pub fn effects_of_confirming(task: &TaskRecord, now: Timestamp) -> Vec<Effect> {
    match (&task.outcome, task.phase) {
        (Some(outcome), TaskPhase::Enqueuing) => telling(task, outcome, now).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn telling(task: &TaskRecord, outcome: &Outcome, now: Timestamp) -> Option<Effect> {
    let to = task.effects.notify.as_ref().filter(|to| !to.by_seller)?;
    Some(Effect::Queue(Event::ending(task, outcome, to, now)))
}

/// Seven days: how long a proposal is firm whose seller did not say.
const FIRM: Duration = Duration::from_secs(7 * 24 * 3600);

/// The whole products of an answer, with what stands behind them.
struct Shelf<'a> {
    products: BTreeMap<&'a str, &'a JsonObject>,
    backing: &'a Backing,
}

impl<'a> Shelf<'a> {
    fn of(body: &'a JsonObject, backing: &'a Backing) -> Self {
        let shown = objects(body, "products")
            .filter_map(|product| Some((product.get("product_id")?.as_str()?, product)));
        let whole = backing.products.iter().map(|(id, product)| (id.as_str(), product));
        Self { products: shown.chain(whole).collect(), backing }
    }

    fn draft(&self, key: ProposalKey, payload: &JsonObject, keep: &KeepDrafts, now: Timestamp) -> Draft {
        let commit_for = match payload.get("proposal_status").and_then(Value::as_str) {
            Some("committed") => Some(keep.commit_for.unwrap_or(FIRM)),
            None => keep.commit_for,
            Some(_) => None,
        };
        let committed_until = commit_for.map(|time| expiry(payload).unwrap_or_else(|| now.after(time)));
        let products = self.products_of(payload);
        let recipes = self.recipes_of(payload);
        let payload = priced(payload, &products);
        Draft { key, payload, recipes, products, committed_until, keep: keep.keep }
    }

    fn commit(&self, key: ProposalKey, payload: &JsonObject) -> Option<Effect> {
        let expires_at = expiry(payload)?;
        let products = self.products_of(payload);
        let recipes = self.recipes_of(payload);
        let payload = priced(payload, &products);
        Some(Effect::Commit(CommitProposal { key, payload, recipes, products, expires_at }))
    }

    fn products_of(&self, payload: &JsonObject) -> BTreeMap<String, JsonObject> {
        objects(payload, "allocations")
            .filter_map(|allocation| text(allocation, "product_id"))
            .filter_map(|id| Some((id.to_owned(), (*self.products.get(id)?).clone())))
            .collect()
    }

    /// Also of products that the answer does not show again.
    fn recipes_of(&self, payload: &JsonObject) -> crate::Recipes {
        objects(payload, "allocations")
            .filter_map(|allocation| text(allocation, "product_id"))
            .filter_map(|id| Some((id.to_owned(), self.backing.recipes.get(id)?.clone())))
            .collect()
    }
}

/// The proposal with the pricing option of each allocation whose product has only one.
fn priced(payload: &JsonObject, products: &BTreeMap<String, JsonObject>) -> JsonObject {
    let mut payload = payload.clone();
    let allocations = payload.get_mut("allocations").and_then(Value::as_array_mut);
    for allocation in allocations.into_iter().flatten().filter_map(Value::as_object_mut) {
        if allocation.contains_key("pricing_option_id") {
            continue;
        }
        let product = text(allocation, "product_id").and_then(|id| products.get(id));
        let options: Vec<_> =
            product.into_iter().flat_map(|product| objects(product, "pricing_options")).collect();
        if let [only] = options.as_slice()
            && let Some(id) = only.get("pricing_option_id")
        {
            allocation.insert("pricing_option_id".into(), id.clone());
        }
    }
    payload
}

/// Which product is behind each package of an order's answer.
fn packages(body: &JsonObject) -> BTreeMap<String, String> {
    let pair =
        |package| Some((text(package, "package_id")?.to_owned(), text(package, "product_id")?.to_owned()));
    objects(body, "packages").filter_map(pair).collect()
}

fn expiry(payload: &JsonObject) -> Option<Timestamp> {
    Timestamp::parse(text(payload, "expires_at")?).ok()
}

fn text<'a>(object: &'a JsonObject, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn objects<'a>(object: &'a JsonObject, name: &str) -> impl Iterator<Item = &'a JsonObject> {
    object.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}
