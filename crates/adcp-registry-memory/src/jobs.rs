//! The queues of jobs: by kind and tenant, the oldest first.

use std::collections::{BTreeMap, BTreeSet};

use adcp_core::{ClaimJobs, TaskId, TaskRecord, TenantId, Timestamp, WaitingJob};

#[derive(Default)]
pub(crate) struct Queues {
    /// What could be claimed once its time has come.
    claimable: BTreeMap<(String, TenantId), BTreeSet<(Timestamp, TaskId)>>,
    /// When each tenant's jobs were claimed, the newest last.
    served: BTreeMap<TenantId, BTreeSet<(Timestamp, TaskId)>>,
}

impl Queues {
    pub(crate) fn insert(&mut self, task: &TaskRecord) {
        let Some(job) = &task.job else { return };
        let tenant = &task.owner.tenant;
        if let Some(at) = task.claimable_at() {
            let queue = self.claimable.entry((job.kind.clone(), tenant.clone())).or_default();
            queue.insert((at, task.id.clone()));
        }
        if let Some(at) = job.claimed_at {
            self.served.entry(tenant.clone()).or_default().insert((at, task.id.clone()));
        }
    }

    pub(crate) fn remove(&mut self, task: &TaskRecord) {
        let Some(job) = &task.job else { return };
        let tenant = &task.owner.tenant;
        if let Some(at) = task.claimable_at() {
            take(&mut self.claimable, &(job.kind.clone(), tenant.clone()), &(at, task.id.clone()));
        }
        if let Some(at) = job.claimed_at {
            take(&mut self.served, tenant, &(at, task.id.clone()));
        }
    }

    /// What could be claimed now: of each tenant and kind as many as could be wanted.
    pub(crate) fn waiting<'a>(
        &self,
        req: &ClaimJobs,
        now: Timestamp,
        row: impl Fn(&TaskId) -> Option<&'a TaskRecord>,
    ) -> Vec<WaitingJob> {
        let in_time = |id: &TaskId| row(id).is_some_and(|task| task.deadline.is_none_or(|at| at > now));
        let mut found = Vec::new();
        for kind in &req.kinds {
            let from = (kind.clone(), TenantId::new(""));
            for ((_, tenant), queue) in self.claimable.range(from..).take_while(|((of, _), _)| of == kind) {
                let served = self.served.get(tenant).and_then(|times| times.last()).map(|(at, _)| *at);
                let due = queue.iter().take_while(|(since, _)| *since <= now);
                let due = due.filter(|(_, id)| in_time(id)).take(req.limit);
                found.extend(
                    due.map(|(since, id)| WaitingJob::new(tenant.clone(), id.clone(), *since, served)),
                );
            }
        }
        found
    }
}

fn take<K: Ord>(map: &mut BTreeMap<K, BTreeSet<(Timestamp, TaskId)>>, key: &K, entry: &(Timestamp, TaskId)) {
    if let Some(set) = map.get_mut(key) {
        set.remove(entry);
        if set.is_empty() {
            map.remove(key);
        }
    }
}
