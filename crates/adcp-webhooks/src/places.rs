//! The places of a worker: how many events it has in flight, and of whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adcp_core::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places, of which nobody has all as long as others may come.
#[derive(Debug)]
pub(crate) struct Places {
    size: usize,
    /// What part of the places that others leave one tenant may have, in hundredths.
    percent: usize,
    slots: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    of: HashMap<TenantId, usize>,
}

/// A place that an event of a tenant has until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    tenant: TenantId,
    held: Arc<Mutex<Held>>,
    // Last: whoever is given the permit finds it counted as free.
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(size: usize, percent: usize) -> Self {
        Self { size, percent, slots: Arc::new(Semaphore::new(size)), held: Arc::default() }
    }

    /// Waits for a place, and takes with it as many as are free, up to `most`.
    pub(crate) async fn free(&self, most: usize) -> Vec<OwnedSemaphorePermit> {
        let slots = || Arc::clone(&self.slots);
        let first = slots().acquire_owned().await.expect("nobody closes the slots");
        let mut places = vec![first];
        while places.len() < most
            && let Ok(next) = slots().try_acquire_owned()
        {
            places.push(next);
        }
        places
    }

    /// Gives a place to an event.
    pub(crate) fn give(&self, permit: OwnedSemaphorePermit, tenant: &TenantId) -> Place {
        let mut held = lock(&self.held);
        held.all += 1;
        match held.of.get_mut(tenant) {
            Some(places) => *places += 1,
            None => drop(held.of.insert(tenant.clone(), 1)),
        }
        Place { tenant: tenant.clone(), held: Arc::clone(&self.held), _permit: permit }
    }

    /// How many more places a tenant may have that has none, and each that has some.
    pub(crate) fn rooms(&self) -> (usize, Vec<(TenantId, usize)>) {
        let held = lock(&self.held);
        let room = |own: usize| {
            let left = self.size.saturating_sub(held.all - own);
            left.saturating_mul(self.percent).div_ceil(100).saturating_sub(own)
        };
        (room(0), held.of.iter().map(|(tenant, own)| (tenant.clone(), room(*own))).collect())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        held.all -= 1;
        if let Some(places) = held.of.get_mut(&self.tenant) {
            *places -= 1;
            if *places == 0 {
                held.of.remove(&self.tenant);
            }
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tenant_has_a_part_of_what_others_leave() {
        let (one, two) = (TenantId::new("one"), TenantId::new("two"));
        let places = Places::new(50, 80);
        assert_eq!(places.rooms(), (40, vec![]));
        let mut given: Vec<Place> =
            places.free(40).await.into_iter().map(|permit| places.give(permit, &one)).collect();
        assert_eq!(places.rooms(), (8, vec![(one.clone(), 0)]));
        given.push(places.give(places.free(1).await.remove(0), &two));
        let (others, mut rooms) = places.rooms();
        rooms.sort();
        // One has 40 of the 49 that two leaves, four fifths of which are 39.2.
        assert_eq!((others, rooms), (8, vec![(one, 0), (two, 7)]));
        given.clear();
        assert_eq!((places.rooms(), places.free(100).await.len()), ((40, vec![]), 50));
    }

    #[test]
    fn whoever_comes_when_few_are_left_has_one() {
        for (size, percent, room) in
            [(1, 80, 1), (4, 80, 4), (5, 80, 4), (500, 80, 400), (9, 100, 9), (500, 1, 5)]
        {
            assert_eq!(Places::new(size, percent).rooms().0, room);
        }
    }
}
