//! The table of tasks.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use adcp_core::{
    FinishTask, Finished, IssueTask, ListTasks, Owner, Principal, RegistryError, ReportProgress, Scope,
    TaskId, TaskPage, TaskRecord, TaskStatus, TenantId, Timestamp, Transition,
};

use crate::config::MemoryLimits;

#[derive(Default)]
pub(crate) struct Tasks {
    rows: HashMap<TaskId, TaskRecord>,
    by_caller: HashMap<(TenantId, Principal), BTreeSet<TaskId>>,
    /// Ended tasks, oldest end first.
    ended: VecDeque<(Timestamp, TaskId)>,
}

impl Tasks {
    /// Forgets what retention allows, then refuses when the table is still full.
    pub(crate) fn make_room(&mut self, now: Timestamp, limits: &MemoryLimits) -> Result<(), RegistryError> {
        let horizon = now.before(limits.task_retention);
        while self.ended.front().is_some_and(|(at, _)| *at <= horizon) {
            let Some((_, id)) = self.ended.pop_front() else { break };
            if let Some(task) = self.rows.remove(&id)
                && let Entry::Occupied(mut ids) = self.by_caller.entry(caller(&task.owner))
            {
                ids.get_mut().remove(&id);
                if ids.get().is_empty() {
                    ids.remove();
                }
            }
        }
        if self.rows.len() >= limits.max_tasks {
            return Err(RegistryError::Full { what: "tasks" });
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, req: IssueTask, now: Timestamp) -> TaskRecord {
        let task = TaskRecord::submitted(req, now);
        self.by_caller.entry(caller(&task.owner)).or_default().insert(task.id.clone());
        self.rows.insert(task.id.clone(), task.clone());
        task
    }

    pub(crate) fn get(&self, id: &TaskId, scope: &Scope) -> Option<&TaskRecord> {
        self.rows.get(id).filter(|task| scope.covers(&task.owner))
    }

    fn get_mut(&mut self, id: &TaskId, scope: &Scope) -> Result<&mut TaskRecord, RegistryError> {
        match self.rows.get_mut(id) {
            Some(task) if scope.covers(&task.owner) => Ok(task),
            _ => Err(RegistryError::UnknownTask(id.clone())),
        }
    }

    pub(crate) fn report(
        &mut self,
        req: ReportProgress,
        now: Timestamp,
        max_history: usize,
    ) -> Result<(), RegistryError> {
        let task = self.get_mut(&req.id, &req.scope)?;
        if task.status.is_terminal() {
            return Err(RegistryError::AlreadyEnded(req.id));
        }
        if task.history.len() >= max_history {
            task.history.pop();
        }
        task.history.push(Transition::new(now, TaskStatus::Working, Some(req.progress.clone())));
        task.status = TaskStatus::Working;
        task.progress = Some(req.progress);
        task.updated_at = now;
        Ok(())
    }

    pub(crate) fn finish(&mut self, req: FinishTask, now: Timestamp) -> Result<Finished, RegistryError> {
        let task = self.get_mut(&req.id, &req.scope)?;
        match &task.outcome {
            Some(outcome) if *outcome == req.outcome => return Ok(Finished::Before),
            Some(_) => return Err(RegistryError::AlreadyEnded(req.id)),
            None => {}
        }
        task.status = req.outcome.status();
        task.outcome = Some(req.outcome);
        task.updated_at = now;
        task.ended_at = Some(now);
        task.history.push(Transition::new(now, task.status, None));
        self.ended.push_back((now, req.id));
        Ok(Finished::Now)
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
        TaskPage::new(tasks, has_more, totals)
    }

    fn visible<'a>(&'a self, scope: &'a Scope) -> Box<dyn Iterator<Item = &'a TaskRecord> + 'a> {
        match scope {
            Scope::Caller { tenant, principal, .. } | Scope::Principal { tenant, principal } => {
                let ids = self.by_caller.get(&(tenant.clone(), principal.clone())).into_iter().flatten();
                Box::new(ids.filter_map(|id| self.get(id, scope)))
            }
            _ => Box::new(self.rows.values().filter(|task| scope.covers(&task.owner))),
        }
    }
}

fn caller(owner: &Owner) -> (TenantId, Principal) {
    (owner.tenant.clone(), owner.principal.clone())
}
