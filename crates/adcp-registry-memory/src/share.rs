//! How much of a bound each buyer uses, so that one cannot fill the store for all.

use std::collections::HashMap;
use std::hash::Hash;

use adcp_core::{Owner, Principal, RegistryError, TenantId};

/// A buyer's agent at one seller.
pub(crate) type Buyer = (TenantId, Principal);

pub(crate) fn buyer(owner: &Owner) -> Buyer {
    (owner.tenant.clone(), owner.principal.clone())
}

/// What is used of one bound, in all and by each holder.
pub(crate) struct Shares<K> {
    total: usize,
    by_holder: HashMap<K, usize>,
}

impl<K> Default for Shares<K> {
    fn default() -> Self {
        Self { total: 0, by_holder: HashMap::new() }
    }
}

impl<K: Eq + Hash> Shares<K> {
    /// What is used in all.
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// Refuses beyond `max`. Once half of it is used, a holder of a tenth gets no more either: the rest is for others.
    pub(crate) fn admit(
        &self,
        holder: &K,
        amount: usize,
        max: usize,
        what: &'static str,
    ) -> Result<(), RegistryError> {
        let total = self.total.saturating_add(amount);
        let own = self.by_holder.get(holder).map_or(0, |own| *own).saturating_add(amount);
        let fits = total <= max && (total <= max / 2 || own <= max.div_ceil(10));
        if amount == 0 || fits { Ok(()) } else { Err(RegistryError::Full { what }) }
    }

    pub(crate) fn add(&mut self, holder: K, amount: usize) {
        if amount > 0 {
            self.total += amount;
            *self.by_holder.entry(holder).or_default() += amount;
        }
    }

    pub(crate) fn give_back(&mut self, holder: &K, amount: usize) {
        if let Some(own) = self.by_holder.get_mut(holder) {
            self.total -= amount;
            *own -= amount;
            if *own == 0 {
                self.by_holder.remove(holder);
            }
        }
    }
}
