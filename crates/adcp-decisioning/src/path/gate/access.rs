//! Which tools an account's status leaves open: a table, with a rule for whatever it does not list.

use adcp_types::tools::{self, ToolSpec};

/// What a status leaves of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::path) enum Leave {
    /// All of it.
    All,
    /// All but requests with this field.
    Without(&'static str),
    /// Nothing.
    Nothing,
}

use Leave::{All, Nothing, Without};

/// How accounts and grants bear on one tool. An active account leaves everything open.
#[derive(Debug, Clone, Copy)]
pub(in crate::path) struct Access {
    tool: &'static ToolSpec,
    pub(in crate::path) pending: Leave,
    pub(in crate::path) payment: Leave,
    pub(in crate::path) suspended: Leave,
    /// Rejected or closed: the account is otherwise as good as absent.
    pub(in crate::path) ended: Leave,
    /// It answers anybody, the same to all; who asks makes no difference.
    pub(in crate::path) public: bool,
    /// A grant cannot withhold it.
    pub(in crate::path) ungranted: bool,
    /// `account` in the request narrows a list; the call does not act on it.
    pub(in crate::path) account_filters: bool,
}

impl Access {
    /// Only for active accounts.
    const fn change(tool: &'static ToolSpec) -> Self {
        Self {
            tool,
            pending: Nothing,
            payment: Nothing,
            suspended: Nothing,
            ended: Nothing,
            public: false,
            ungranted: false,
            account_filters: false,
        }
    }

    /// Also for accounts that are stopped for a while: a buyer must be able to see what it has.
    const fn read(tool: &'static ToolSpec) -> Self {
        Self { payment: All, suspended: All, ..Self::change(tool) }
    }

    /// Whatever became of the account.
    const fn always(tool: &'static ToolSpec) -> Self {
        Self { pending: All, ended: All, ..Self::read(tool) }
    }

    const fn public(mut self) -> Self {
        self.public = true;
        self.ungranted()
    }

    const fn ungranted(mut self) -> Self {
        self.ungranted = true;
        self
    }

    const fn account_filters(mut self) -> Self {
        self.account_filters = true;
        self
    }
}

/// Polling shows only the caller's own tasks, so neither a status nor a grant withholds it: whoever was allowed
/// to start something may see how it ends. Capabilities are the same for everybody.
const ROWS: &[Access] = &[
    Access::always(&tools::COMPLY_TEST_CONTROLLER),
    Access::always(&tools::GET_ADCP_CAPABILITIES).public(),
    Access::always(&tools::GET_TASK_STATUS).ungranted(),
    Access::always(&tools::LIST_ACCOUNTS).account_filters(),
    Access::always(&tools::LIST_CREATIVE_FORMATS),
    Access::always(&tools::LIST_TASKS).ungranted(),
    Access::always(&tools::SYNC_ACCOUNTS),
    Access { pending: All, ..Access::read(&tools::GET_ACCOUNT_FINANCIALS) },
    Access { suspended: Nothing, ..Access::read(&tools::GET_PRODUCTS) },
    Access::read(&tools::REPORT_USAGE),
    Access { payment: All, ..Access::change(&tools::SYNC_CATALOGS) },
    Access { payment: All, ..Access::change(&tools::SYNC_CREATIVES) },
    Access { payment: All, ..Access::change(&tools::SYNC_EVENT_SOURCES) },
    Access { payment: Without("new_packages"), ..Access::change(&tools::UPDATE_MEDIA_BUY) },
];

/// The row of a tool. One that is not listed is open by what it does: reading, or changing.
pub(in crate::path) fn of(spec: &'static ToolSpec) -> Access {
    let listed = ROWS.iter().find(|row| row.tool.name == spec.name).copied();
    listed.unwrap_or_else(|| if spec.mutating { Access::change(spec) } else { Access::read(spec) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_an_answer_and_no_row_is_written_twice() {
        for spec in tools::ALL {
            assert!(ROWS.iter().filter(|row| row.tool.name == spec.name).count() <= 1, "{}", spec.name);
            let access = of(spec);
            assert_eq!(access.tool.name, spec.name);
            let listed = ROWS.iter().any(|row| row.tool.name == spec.name);
            if !listed {
                let expected = if spec.mutating { Nothing } else { All };
                assert_eq!((access.payment, access.suspended), (expected, expected), "{}", spec.name);
                assert_eq!((access.pending, access.ended), (Nothing, Nothing), "{}", spec.name);
            }
        }
    }
}
