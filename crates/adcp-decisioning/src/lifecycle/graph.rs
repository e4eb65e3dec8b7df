//! What a lifecycle is made of, and the questions it answers.

use std::fmt;

use adcp_core::AdcpError;

/// Who drives a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Actor {
    /// The buyer, by a request.
    Buyer,
    /// The seller, by a decision.
    Seller,
    /// Nobody in particular: time passes, money is spent, data is processed.
    System,
}

/// A status, and its place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct State {
    /// The status as it stands on the wire.
    pub name: &'static str,
    /// Whether something new may have it.
    pub first: bool,
    /// Whether nothing follows it.
    pub terminal: bool,
    /// Whether buyers see it; the others are the seller's own book-keeping.
    pub on_wire: bool,
}

/// A transition from one status to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The status before.
    pub from: &'static str,
    /// The status after.
    pub to: &'static str,
    /// Who may drive it.
    pub by: &'static [Actor],
    /// What brings it about, in a few words.
    pub when: &'static str,
}

/// An error for a transition that is not in the graph; the first that fits is taken.
pub(super) struct Refusal {
    /// A status, or [`ANY`].
    pub(super) from: &'static str,
    /// A status, or [`ANY`].
    pub(super) to: &'static str,
    pub(super) error: fn() -> AdcpError,
}

/// Stands for every status in a refusal.
pub(super) const ANY: &str = "*";

/// The statuses of a kind of thing, and how one follows from another.
pub struct Lifecycle {
    pub(super) name: &'static str,
    /// The request field that an error is about, unless the caller knows better.
    pub(super) field: &'static str,
    pub(super) states: &'static [State],
    pub(super) edges: &'static [Edge],
    pub(super) refusals: &'static [Refusal],
}

impl Lifecycle {
    /// What goes through it, in the singular.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Every status.
    #[must_use]
    pub const fn states(&self) -> &'static [State] {
        self.states
    }

    /// Every transition.
    #[must_use]
    pub const fn edges(&self) -> &'static [Edge] {
        self.edges
    }

    /// The status with this name.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&'static State> {
        self.states.iter().find(|state| state.name == name)
    }

    /// The transition between two statuses.
    #[must_use]
    pub fn edge(&self, from: &str, to: &str) -> Option<&'static Edge> {
        self.edges.iter().find(|edge| edge.from == from && edge.to == to)
    }

    /// Whether nothing follows the status. An unknown status is not known to be terminal.
    #[must_use]
    pub fn is_terminal(&self, status: &str) -> bool {
        self.state(status).is_some_and(|state| state.terminal)
    }

    /// The graph as a Mermaid state diagram.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut out = String::from("stateDiagram-v2\n");
        for state in self.states.iter().filter(|state| state.first) {
            out.push_str(&format!("    [*] --> {}\n", state.name));
        }
        for edge in self.edges {
            let by: Vec<&str> = edge.by.iter().map(|actor| actor.as_str()).collect();
            out.push_str(&format!("    {} --> {}: {} ({})\n", edge.from, edge.to, edge.when, by.join(", ")));
        }
        for state in self.states.iter().filter(|state| state.terminal) {
            out.push_str(&format!("    {} --> [*]\n", state.name));
        }
        out
    }

    fn unknown(&self, statuses: &[&str]) -> Option<AdcpError> {
        let unknown = statuses.iter().find(|status| self.state(status).is_none())?;
        let words = format!("`{}` is no {} status", shown(unknown), self.name);
        Some(AdcpError::invalid_state(self.field, words))
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifecycle").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Actor {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Seller => "seller",
            Self::System => "system",
        }
    }
}

/// Checks that a thing may go from one status to another.
///
/// Staying in a status is no transition and is accepted, unless it repeats what can be done only once.
/// The error's `field` is the usual one; replace it with [`AdcpError::with_field`] where the request has
/// another.
///
/// # Errors
///
/// The code that the protocol names for this very refusal, else `INVALID_STATE`, also for a status that the
/// lifecycle does not know. The details name both statuses.
pub fn assert_transition(lifecycle: &Lifecycle, from: &str, to: &str) -> Result<(), AdcpError> {
    if lifecycle.edge(from, to).is_some() {
        return Ok(());
    }
    let fits = |pattern: &str, status: &str| pattern == ANY || pattern == status;
    let named =
        || lifecycle.refusals.iter().find(|r| fits(r.from, from) && fits(r.to, to)).map(|r| (r.error)());
    let error = match lifecycle.unknown(&[from, to]).or_else(named) {
        Some(error) => error,
        None if from == to => return Ok(()),
        None => {
            let words = format!("the {} is {from} and cannot become {to}", lifecycle.name);
            AdcpError::invalid_state(lifecycle.field, words)
        }
    };
    Err(error.with_detail("from_state", shown(from)).with_detail("to_state", shown(to)))
}

/// Checks that `actor` may bring a thing from one status to another.
///
/// # Errors
///
/// As [`assert_transition`], and `INVALID_STATE` when the transition is somebody else's to make.
pub fn assert_transition_by(
    lifecycle: &Lifecycle,
    from: &str,
    to: &str,
    actor: Actor,
) -> Result<(), AdcpError> {
    assert_transition(lifecycle, from, to)?;
    match lifecycle.edge(from, to) {
        Some(edge) if !edge.by.contains(&actor) => {
            let words = format!("the {} cannot make the {} {to}", actor.as_str(), lifecycle.name);
            Err(AdcpError::invalid_state(lifecycle.field, words)
                .with_detail("from_state", from)
                .with_detail("to_state", to))
        }
        _ => Ok(()),
    }
}

/// Checks that a thing can still be changed without changing its status: that the status is not terminal.
///
/// # Errors
///
/// The code that the protocol names for work on something that has ended, else `INVALID_STATE`, also for a
/// status that the lifecycle does not know. The details name the status.
pub fn assert_open(lifecycle: &Lifecycle, status: &str) -> Result<(), AdcpError> {
    let error = match lifecycle.unknown(&[status]) {
        Some(error) => error,
        None if !lifecycle.is_terminal(status) => return Ok(()),
        None => {
            let ended = lifecycle.refusals.iter().find(|r| r.from == status && r.to == ANY);
            ended.map_or_else(
                || AdcpError::invalid_state(lifecycle.field, format!("the {} is {status}", lifecycle.name)),
                |refusal| (refusal.error)(),
            )
        }
    };
    Err(error.with_detail("from_state", shown(status)))
}

/// A status that may come from anywhere, short enough for an error.
fn shown(status: &str) -> String {
    status.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// A status that something new may have.
pub(super) const fn first(name: &'static str) -> State {
    State { name, first: true, terminal: false, on_wire: true }
}

/// A status between the first and the last.
pub(super) const fn state(name: &'static str) -> State {
    State { name, first: false, terminal: false, on_wire: true }
}

/// A status that nothing follows.
pub(super) const fn last(name: &'static str) -> State {
    State { name, first: false, terminal: true, on_wire: true }
}

impl State {
    /// Marks a status as the seller's own.
    pub(super) const fn off_wire(self) -> Self {
        Self { on_wire: false, ..self }
    }
}

/// A transition.
pub(super) const fn edge(
    from: &'static str,
    to: &'static str,
    by: &'static [Actor],
    when: &'static str,
) -> Edge {
    Edge { from, to, by, when }
}
