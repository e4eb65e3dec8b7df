//! The table of tasks.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use adcp_core::{
    AdcpError, ClaimJobs, IssueTask, LeaseToken, ListTasks, MOST_COUNTED, RegistryError, Scope, TaskId,
    TaskPage, TaskRecord, TaskStatus, TenantId, Timestamp, in_turn,
};
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::config::MemoryLimits;
use crate::jobs::Queues;
use crate::share::{Buyer, Shares, buyer};

#[derive(Default)]
pub(crate) struct Tasks {
    rows: HashMap<TaskId, TaskRecord>,
    by_caller: HashMap<Buyer, BTreeSet<TaskId>>,
    /// Tasks that have not ended, oldest first.
    open: BTreeSet<(Timestamp, TaskId)>,
    /// Ended tasks, oldest end first.
    ended: BTreeSet<(Timestamp, TaskId)>,
    /// Open tasks that must be looked at again, the next one first.
    due: BTreeSet<(Timestamp, TaskId)>,
    jobs: Queues,
    shares: Shares<Buyer>,
    context_shares: Shares<Buyer>,
    context_bytes: HashMap<TaskId, usize>,
}

impl Tasks {
    /// Forgets what ended until `horizon`, and says how many.
    pub(crate) fn forget(&mut self, horizon: Timestamp, limit: usize) -> usize {
        for gone in 0..limit {
            match self.ended.first().cloned() {
                Some((at, id)) if at <= horizon => self.remove(&id),
                _ => return gone,
            }
        }
        limit
    }

    /// How many tasks have not ended, and when the oldest of them was issued.
    pub(crate) fn open(&self) -> (usize, Option<Timestamp>) {
        (self.open.len(), self.open.first().map(|(at, _)| *at))
    }

    /// How many tasks can be ended by anybody, and since when.
    pub(crate) fn late(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
        let late = self.due.iter().take_while(|(at, _)| *at <= now).take(MOST_COUNTED).count();
        (late, self.due.first().map(|(at, _)| *at).filter(|at| *at <= now))
    }

    /// When the task ended that ended first.
    pub(crate) fn first_end(&self) -> Option<Timestamp> {
        self.ended.first().map(|(at, _)| *at)
    }

    /// Refuses an id that is taken, and what does not fit.
    pub(crate) fn admit(&self, req: &IssueTask, limits: &MemoryLimits) -> Result<(), RegistryError> {
        if self.rows.contains_key(&req.id) {
            return Err(RegistryError::DuplicateTask(req.id.clone()));
        }
        let buyer = buyer(&req.owner);
        self.shares.admit(&buyer, 1, limits.max_tasks, "tasks")?;
        let bytes = bytes_of(req.context.as_ref(), req.job.as_ref().map(|order| &order.input));
        self.context_shares.admit(&buyer, bytes, limits.max_context_bytes, "contexts")
    }

    /// Writes a row, new or changed.
    pub(crate) fn put(&mut self, task: TaskRecord) {
        if let Some(old) = self.rows.get(&task.id) {
            debug_assert_eq!(old.owner, task.owner, "a task keeps its owner");
            if let Some(at) = old.due_at() {
                self.due.remove(&(at, task.id.clone()));
            }
            self.jobs.remove(old);
        } else {
            self.by_caller.entry(buyer(&task.owner)).or_default().insert(task.id.clone());
            let input = task.job.as_ref().and_then(|job| job.input.as_ref());
            let bytes = bytes_of(task.context.as_ref(), input);
            self.shares.add(buyer(&task.owner), 1);
            self.context_shares.add(buyer(&task.owner), bytes);
            self.context_bytes.insert(task.id.clone(), bytes);
        }
        if let Some(at) = task.due_at() {
            self.due.insert((at, task.id.clone()));
        }
        self.jobs.insert(&task);
        match task.ended_at {
            Some(at) => {
                self.open.remove(&(task.created_at, task.id.clone()));
                self.ended.insert((at, task.id.clone()));
            }
            None => {
                self.open.insert((task.created_at, task.id.clone()));
            }
        }
        self.rows.insert(task.id.clone(), task);
    }

    pub(crate) fn remove(&mut self, id: &TaskId) {
        let Some(task) = self.rows.remove(id) else { return };
        self.open.remove(&(task.created_at, id.clone()));
        if let Some(at) = task.due_at() {
            self.due.remove(&(at, id.clone()));
        }
        self.jobs.remove(&task);
        if let Some(at) = task.ended_at {
            self.ended.remove(&(at, id.clone()));
        }
        let buyer = buyer(&task.owner);
        self.shares.give_back(&buyer, 1);
        self.context_shares.give_back(&buyer, self.context_bytes.remove(id).unwrap_or_default());
        if let Entry::Occupied(mut ids) = self.by_caller.entry(buyer) {
            ids.get_mut().remove(id);
            if ids.get().is_empty() {
                ids.remove();
            }
        }
    }

    /// A row for a read.
    pub(crate) fn get(&self, id: &TaskId, scope: &Scope) -> Option<&TaskRecord> {
        self.rows.get(id).filter(|task| task.visible_to(scope))
    }

    /// A row for a write.
    pub(crate) fn reach(&self, id: &TaskId, scope: &Scope) -> Result<&TaskRecord, RegistryError> {
        match self.rows.get(id) {
            Some(task) if scope.covers(&task.owner) => Ok(task),
            _ => Err(RegistryError::UnknownTask(id.clone())),
        }
    }

    /// Open tasks whose time is over, or whose worker is gone, with what they are ended with.
    pub(crate) fn overdue(
        &self,
        tenant: Option<&TenantId>,
        now: Timestamp,
        limit: usize,
    ) -> Vec<(TaskRecord, AdcpError)> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.filter_map(|(_, id)| self.rows.get(id))
            .filter(|task| tenant.is_none_or(|tenant| task.owner.tenant == *tenant))
            .filter_map(|task| Some((task.clone(), task.overdue(now)?)))
            .take(limit)
            .collect()
    }

    /// Gives the jobs whose turn it is to a claimer.
    pub(crate) fn claim(
        &mut self,
        req: &ClaimJobs,
        now: Timestamp,
    ) -> Result<Vec<TaskRecord>, RegistryError> {
        let mut claimed = Vec::new();
        for waiting in in_turn(self.jobs.waiting(req, now, |id| self.rows.get(id))) {
            if claimed.len() == req.limit {
                break;
            }
            let Some(mut task) = self.rows.get(&waiting.id).cloned() else { continue };
            let token = LeaseToken::random().map_err(|source| RegistryError::Unavailable {
                op: "claim_jobs",
                source: Box::new(source),
            })?;
            if task.claim(token, req.lease, now) {
                self.put(task.clone());
                claimed.push(task);
            }
        }
        Ok(claimed)
    }

    pub(crate) fn list(&self, req: &ListTasks) -> TaskPage {
        let mut found: Vec<(String, &TaskRecord)> = self
            .visible(&req.scope)
            .filter(|task| req.filter.admits(task))
            .map(|task| (req.order.key(task), task))
            .collect();
        let mut totals: BTreeMap<(String, TaskStatus), u64> = BTreeMap::new();
        for (_, task) in &found {
            *totals.entry((task.protocol.clone(), task.status)).or_default() += 1;
        }
        let place = |key: &str, id: &TaskId| (key.to_owned(), id.clone());
        found.sort_unstable_by_key(|(key, task)| place(key, &task.id));
        if req.descending {
            found.reverse();
        }
        if let Some(cursor) = &req.after {
            let seen = place(&cursor.key, &cursor.id);
            found.retain(|(key, task)| {
                let here = place(key, &task.id);
                if req.descending { here < seen } else { here > seen }
            });
        }
        let limit = req.limit.max(1);
        let has_more = found.len() > limit;
        let tasks = found.into_iter().take(limit).map(|(_, task)| task.clone()).collect();
        let totals =
            totals.into_iter().map(|((protocol, status), count)| (protocol, status, count)).collect();
        TaskPage::new(tasks, has_more).counting(totals)
    }

    fn visible<'a>(&'a self, scope: &'a Scope) -> Box<dyn Iterator<Item = &'a TaskRecord> + 'a> {
        match scope {
            Scope::Caller { tenant, principal, .. } | Scope::Principal { tenant, principal } => {
                let ids = self.by_caller.get(&(tenant.clone(), principal.clone())).into_iter().flatten();
                Box::new(ids.filter_map(|id| self.get(id, scope)))
            }
            _ => Box::new(self.rows.values().filter(|task| task.visible_to(scope))),
        }
    }
}

fn bytes_of(context: Option<&JsonObject>, input: Option<&Value>) -> usize {
    let context =
        context.and_then(|context| serde_json::to_string(context).ok()).map_or(0, |text| text.len());
    context + input.map_or(0, |input| input.to_string().len())
}
