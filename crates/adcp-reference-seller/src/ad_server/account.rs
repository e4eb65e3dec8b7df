//! Accounts: whose money is spent.

use super::Note;

/// Name of an account within its buyer. Opaque.
pub(crate) type AccountKey = String;

/// Who pays for what, under one buyer.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: AccountKey,
    /// Place in the order of opening.
    pub(crate) serial: u64,
    pub(crate) name: String,
    pub(crate) setup: Option<Setup>,
    pub(crate) billing: Billing,
    pub(crate) sandbox: bool,
    pub(crate) state: AccountState,
    /// Settings the buyer gave, kept for it.
    pub(crate) note: Note,
}

/// What it takes to open an account.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub(crate) name: String,
    pub(crate) setup: Option<Setup>,
    pub(crate) billing: Billing,
    pub(crate) sandbox: bool,
    pub(crate) note: Note,
}

impl NewAccount {
    pub(crate) fn new(name: impl Into<String>, setup: Setup, billing: Billing) -> Self {
        Self { name: name.into(), setup: Some(setup), billing, sandbox: false, note: Note::new() }
    }
}

/// The brand and operator that an account stands for; an account opened by its id alone has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) brand: String,
    pub(crate) brand_id: Option<String>,
    pub(crate) operator: String,
}

/// Who receives the invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Billing {
    Operator,
    Agent,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountState {
    Active,
    Closed,
}

/// What opening an account did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Created,
    Updated,
    Unchanged,
}
