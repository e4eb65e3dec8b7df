//! The handle by which a task is ended from anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AccountId, Owner, Principal, Scope, TaskId, TenantId};

/// A task and whose it is: what somebody needs who ends it later, from another process or after days.
///
/// It is not a secret, but whoever holds it and a registry can end the task: keep it with your own work item and
/// do not show it to buyers, who know the task by its id alone.
///
/// Its text form is stable: store it in your queue, and read it back with [`FromStr`] or serde.
///
/// ```
/// use adcp_core::{Owner, Principal, TaskId, TaskRef, TenantId};
///
/// let owner = Owner::new(TenantId::single(), None, Principal::new("agency"));
/// let task = TaskRef::new(TaskId::new("task_1"), owner);
/// assert_eq!(task.to_string().parse::<TaskRef>()?, task);
/// # Ok::<(), adcp_core::BadTaskRef>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TaskRef {
    /// The task.
    pub id: TaskId,
    /// Whose it is.
    pub owner: Owner,
}

/// A text that is no [`TaskRef`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a task reference as the SDK wrote it: a JSON array of tenant, account, principal and task id"
)]
pub struct BadTaskRef;

impl TaskRef {
    /// The reference of `owner`'s task `id`.
    #[must_use]
    pub const fn new(id: TaskId, owner: Owner) -> Self {
        Self { id, owner }
    }

    /// The scope in which the task is found.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.owner.scope()
    }
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { tenant, account, principal } = &self.owner;
        let parts = [
            Some(tenant.as_str()),
            account.as_ref().map(AccountId::as_str),
            Some(principal.as_str()),
            Some(self.id.as_str()),
        ];
        f.write_str(&serde_json::to_string(&parts).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for TaskRef {
    type Err = BadTaskRef;

    fn from_str(text: &str) -> Result<Self, BadTaskRef> {
        let parts: [Option<String>; 4] = serde_json::from_str(text).map_err(|_| BadTaskRef)?;
        let [Some(tenant), account, Some(principal), Some(id)] = parts else { return Err(BadTaskRef) };
        let owner = Owner::new(TenantId::new(tenant), account.map(AccountId::new), Principal::new(principal));
        Ok(Self::new(TaskId::new(id), owner))
    }
}

impl Serialize for TaskRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaskRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_reads_back_whatever_the_ids_hold() {
        for account in [None, Some(""), Some("a\"],[\u{1f600}\n")] {
            let owner = Owner::new(TenantId::new("t,"), account.map(AccountId::new), Principal::new("[p]"));
            let task = TaskRef::new(TaskId::new("task_0"), owner);
            assert_eq!(task.to_string().parse(), Ok(task.clone()));
            let json = serde_json::to_string(&task).unwrap();
            assert_eq!(serde_json::from_str::<TaskRef>(&json).unwrap(), task);
        }
        for bad in ["", "task_1", "[]", "[null,null,\"p\",\"t\"]", "[\"a\",null,\"p\",\"t\",\"x\"]"] {
            assert_eq!(bad.parse::<TaskRef>(), Err(BadTaskRef), "{bad}");
        }
    }
}
