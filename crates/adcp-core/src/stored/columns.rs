//! What stands in the columns of rows, beside the text forms: whose they are, and the words of closed sets.

use crate::{AccountId, Principal, ProposalKey, Scope, TaskOrder, TaskPhase, Timestamp};

/// Writes an account: the empty text for none; one that is there begins with `=`.
#[must_use]
pub fn write_account(account: Option<&AccountId>) -> String {
    account.map_or_else(String::new, |id| format!("={id}"))
}

/// Reads an account.
#[must_use]
pub fn read_account(text: &str) -> Option<AccountId> {
    text.strip_prefix('=').map(AccountId::new)
}

/// Writes who holds a proposal: `=` and an account, or `@` and a principal.
#[must_use]
pub fn write_holder(key: &ProposalKey) -> String {
    match (&key.account, &key.principal) {
        (Some(account), _) => format!("={account}"),
        (None, Some(principal)) => format!("@{principal}"),
        (None, None) => String::new(),
    }
}

/// Reads who holds a proposal: an account, a principal, or nobody.
#[must_use]
pub fn read_holder(text: &str) -> (Option<AccountId>, Option<Principal>) {
    match text.split_at_checked(1) {
        Some(("=", account)) => (Some(AccountId::new(account)), None),
        Some(("@", principal)) => (None, Some(Principal::new(principal))),
        _ => (None, None),
    }
}

/// The column of tasks that a list is sorted by.
#[must_use]
pub const fn order_column(order: TaskOrder) -> &'static str {
    match order {
        TaskOrder::UpdatedAt => "updated_at",
        TaskOrder::Status => "status",
        TaskOrder::TaskType => "task_type",
        TaskOrder::Protocol => "protocol",
        TaskOrder::CreatedAt => "created_at",
    }
}

/// The instant behind a sort key, as a column holds it. A key that is none sorts before everything.
#[must_use]
pub fn order_instant(key: &str) -> i64 {
    TaskOrder::instant(key).map_or(i64::MIN, Timestamp::as_micros)
}

/// Writes a task's phase.
#[must_use]
pub const fn write_phase(phase: TaskPhase) -> &'static str {
    match phase {
        TaskPhase::Enqueuing => "enqueuing",
        TaskPhase::Open => "open",
    }
}

/// Reads a task's phase.
#[must_use]
pub fn read_phase(text: &str) -> Option<TaskPhase> {
    [TaskPhase::Enqueuing, TaskPhase::Open].into_iter().find(|phase| write_phase(*phase) == text)
}

/// What a scope demands of a row: its tenant, and where set its principal and account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The seller.
    pub tenant: String,
    /// The buyer's agent.
    pub principal: Option<String>,
    /// The account, as [`write_account`] writes it.
    pub account: Option<String>,
}

impl Bounds {
    /// The bounds of a scope.
    #[must_use]
    pub fn of(scope: &Scope) -> Self {
        match scope {
            Scope::Caller { tenant, account, principal } => Self {
                tenant: tenant.as_str().to_owned(),
                principal: Some(principal.as_str().to_owned()),
                account: Some(write_account(account.as_ref())),
            },
            Scope::Principal { tenant, principal } => Self {
                tenant: tenant.as_str().to_owned(),
                principal: Some(principal.as_str().to_owned()),
                account: None,
            },
            Scope::Operator { tenant } => {
                Self { tenant: tenant.as_str().to_owned(), principal: None, account: None }
            }
        }
    }
}
